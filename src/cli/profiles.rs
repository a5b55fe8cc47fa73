//! `vcam profiles`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::arguments::profile_text;
use super::failure::Failure;
use super::screen::Screen;
use super::table;
use crate::profile::{Profile, Setting};

/// The makes that can be played, every oddity with its evidence
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vcam profiles                          what there is
  vcam profiles show dahua-ipc           its oddities, and where they were seen
  vcam profiles show mine.toml           is my own file right?
  vcam profiles show dahua-ipc --toml > mine.toml
                                         a file of my own to begin with")]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the makes (the default)
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what one does otherwise than the plain standard, and where it was seen
    Show {
        /// A name from the list, or a file ending in .toml
        name: String,
        /// As JSON
        #[arg(long)]
        json: bool,
        /// As the TOML it is made of
        #[arg(long, conflicts_with = "json")]
        toml: bool,
    },
}

/// Prints what is asked for.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let screen = Screen::new();
    match &arguments.what {
        None => list(screen, false),
        Some(What::List { json }) => list(screen, *json),
        Some(What::Show { name, json, toml }) => {
            let (file, text) = profile_text(name)?;
            let profile = Profile::parse(&file, &text)?;
            if *toml {
                screen.line(text.trim_end());
                return Ok(());
            }
            let settings = Profile::settings(&file, &text)?;
            match json {
                true => screen.line(format_args!("{:#}", as_json(&profile, &settings))),
                false => show(screen, &profile, &settings),
            }
            Ok(())
        }
    }
}

fn list(screen: Screen, json: bool) -> Result<(), Failure> {
    let all: Result<Vec<_>, _> = Profile::names().map(Profile::builtin).collect();
    let all = all?;
    if json {
        let describe = |p: &std::sync::Arc<Profile>| json!({"name": p.name, "title": p.title, "source": p.source});
        let all: Value = all.iter().map(describe).collect();
        screen.line(format_args!("{all:#}"));
        return Ok(());
    }
    let mut table = table::titled(screen, &["profile", "device", "modelled on"]);
    table.set_width(80);
    for profile in all {
        table.add_row([&profile.name, &profile.title, &profile.source]);
    }
    for line in table::lines(&table) {
        screen.line(line);
    }
    screen.line("\nvcam profiles show NAME says what differs from the standard, and who saw it.");
    Ok(())
}

fn show(screen: Screen, profile: &Profile, settings: &[Setting]) {
    screen.line(format_args!(
        "{}  {}",
        screen.bold(&profile.name),
        profile.title
    ));
    for line in wrapped(&format!("modelled on {}", profile.source), 98) {
        screen.line(line);
    }
    if let Some(base) = &profile.extends {
        screen.line(format_args!("changes {base}"));
    }
    let mut table = "";
    for (n, setting) in settings.iter().enumerate() {
        let (group, key) = setting.key.split_once('.').unwrap_or(("", &setting.key));
        if group != table {
            table = group;
            screen.line(format_args!("\n{}", screen.bold(&format!("[{group}]"))));
        }
        for line in value_lines(key, &setting.value) {
            screen.line(line);
        }
        // Said once for neighbours that share it.
        let next = settings
            .get(n + 1)
            .filter(|next| next.key.split_once('.').map(|k| k.0) == Some(group));
        if next.is_none_or(|next| next.evidence != setting.evidence) {
            let evidence = setting.evidence.as_deref().unwrap_or("no evidence given");
            for line in wrapped(evidence, 90) {
                screen.line(screen.dim(&format!("      {line}")));
            }
        }
    }
    match &profile.extends {
        Some(base) => screen.line(format_args!(
            "\nEverything else is as vcam profiles show {base} says."
        )),
        None if settings.is_empty() => {
            screen.line("\nIt differs from the plain standard in nothing.");
        }
        None => {}
    }
}

/// `key = value`; what is longer than a line is taken apart.
fn value_lines(key: &str, value: &str) -> Vec<String> {
    let one = format!("  {key} = {value}");
    if one.chars().count() <= 98 {
        return vec![one];
    }
    let parsed: Option<toml::Table> = format!("x = {value}").parse().ok();
    match parsed.and_then(|mut table| table.remove("x")) {
        Some(toml::Value::Array(entries)) => {
            let entries = entries.iter().map(|entry| format!("    {entry},"));
            let (first, last) = (format!("  {key} = ["), "  ]".to_owned());
            [first].into_iter().chain(entries).chain([last]).collect()
        }
        Some(toml::Value::Table(entries)) => {
            let line = |(sub, value): (&String, &toml::Value)| {
                value_lines(&format!("{key}.{sub}"), &value.to_string())
            };
            entries.iter().flat_map(line).collect()
        }
        _ => vec![one],
    }
}

/// `text` in lines of at most `width` characters, broken at blanks.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    // Several blanks in a row are evidence sometimes: they stay.
    for word in text.trim().split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn as_json(profile: &Profile, settings: &[Setting]) -> Value {
    let setting = |s: &Setting| json!({"key": s.key, "value": s.value, "evidence": s.evidence});
    json!({
        "name": profile.name,
        "title": profile.title,
        "source": profile.source,
        "extends": profile.extends,
        "settings": settings.iter().map(setting).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_stand_one_entry_per_line_and_long_texts_are_broken() {
        assert_eq!(value_lines("tag", "\"decimal\""), ["  tag = \"decimal\""]);
        let long = format!("[{}]", vec!["\"a header\""; 20].join(", "));
        let lines = value_lines("order", &long);
        assert_eq!((lines.len(), lines[1].as_str()), (22, "    \"a header\","));
        assert_eq!(wrapped("a bc def", 4), ["a bc", "def"]);
    }
}
