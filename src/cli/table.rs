//! Tables: at most a hundred columns wide, without escape codes in a pipe.

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};

use super::screen::Screen;

/// The widest that is printed.
const WIDTH: u16 = 100;

/// The table as lines: titles, a rule, rows.
pub(super) fn lines(table: &Table) -> Vec<String> {
    let mut lines: Vec<String> = table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    let width = table
        .lines()
        .map(|line| plain_width(&line))
        .max()
        .unwrap_or(0);
    let rule = "─".repeat(width.min(usize::from(WIDTH)));
    lines.insert(lines.len().min(1), rule);
    lines
}

/// How many columns a line takes, escape codes and the blanks at its end left out.
fn plain_width(line: &str) -> usize {
    let mut width = 0;
    let mut seen = 0;
    let mut escaped = false;
    for character in line.chars() {
        match (escaped, character) {
            (false, '\x1b') => escaped = true,
            (true, 'm') => escaped = false,
            (true, _) => {}
            (false, ' ') => width += 1,
            (false, _) => {
                width += 1;
                seen = width;
            }
        }
    }
    seen
}

/// An empty table with these titles.
pub(super) fn titled(screen: Screen, titles: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    match screen.has_colour() {
        true => table.enforce_styling(),
        false => table.force_no_tty(),
    };
    let bold = |title: &&str| Cell::new(title).add_attribute(Attribute::Bold);
    table.set_header(titles.iter().map(bold));
    table
}

/// A cell that says that something is well, or is not.
pub(super) fn judged(well: bool, text: &str) -> Cell {
    let (mark, colour) = match well {
        true => ("✓", Color::Green),
        false => ("✗", Color::Red),
    };
    Cell::new(format!("{mark} {text}")).fg(colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_as_wide_as_the_widest_line_without_its_colours() {
        assert_eq!(plain_width("\x1b[1mab\x1b[0m  c  "), 5);
        assert_eq!(plain_width(""), 0);
    }
}
