//! A few lines on a terminal that renew themselves in place.

use comfy_table::Table;

use super::screen::Screen;

/// What a terminal is taken for that does not say how wide it is.
const WIDTH: usize = 80;

/// The lines at the end of the screen.
#[derive(Debug)]
pub(super) struct Board {
    screen: Screen,
    shown: usize,
}

impl Board {
    pub fn new(screen: Screen) -> Self {
        Board { screen, shown: 0 }
    }

    /// Shows these lines in the place of the last ones. A line is as wide as the terminal at most:
    /// one that went on below would not be found again.
    pub fn show(&mut self, lines: Vec<String>) {
        self.rewind();
        let width = Table::new().width().map_or(WIDTH, usize::from);
        for line in &lines {
            self.screen.line(cut(line, width));
        }
        self.shown = lines.len();
    }

    /// Takes them away.
    pub fn clear(mut self) {
        self.rewind();
    }

    fn rewind(&mut self) {
        if self.shown > 0 {
            self.screen
                .renew(format_args!("\x1b[{}A\x1b[J", self.shown));
        }
        self.shown = 0;
    }
}

/// The beginning of a line that takes `width` columns, with all its escape codes.
fn cut(line: &str, width: usize) -> String {
    let mut left = width;
    let mut escaped = false;
    let fits = |character: &char| match (escaped, character) {
        (false, '\x1b') => {
            escaped = true;
            true
        }
        (true, character) => {
            escaped = *character != 'm';
            true
        }
        (false, _) if left > 0 => {
            left -= 1;
            true
        }
        (false, _) => false,
    };
    line.chars().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_by_its_letters_and_keeps_its_colours() {
        assert_eq!(cut("abcdef", 4), "abcd");
        assert_eq!(cut("abc", 4), "abc");
        assert_eq!(cut("\x1b[31mabc\x1b[0mdef", 2), "\x1b[31mab\x1b[0m");
    }
}
