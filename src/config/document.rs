//! TOML text into the tables of the schema.

use serde::Deserialize;
use toml::de::{DeTable, Deserializer, Error};

use super::keys;
use super::problem::{ConfigError, Problems};
use super::schema::Top;
use super::source::Source;

/// Reads the whole document. All syntax errors are told at once; else all unknown keys, and the
/// first value that is none of its kind.
pub(super) fn read(source: &Source) -> Result<Top, ConfigError> {
    let mut problems = Problems::new(source);
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    for error in &errors {
        tell(error, source, &mut problems);
    }
    if !problems.is_empty() {
        return problems.or(Top::default());
    }
    keys::check(table.get_ref(), &mut problems);
    let top = Top::deserialize(Deserializer::from(table)).unwrap_or_else(|error| {
        tell(&error, source, &mut problems);
        Top::default()
    });
    problems.or(top)
}

fn tell(error: &Error, source: &Source, problems: &mut Problems<'_>) {
    let said = error.message().trim_end().replace('\n', ", ");
    let place = error.span().map(|span| source.place(span).text);
    let is_cameras = place.is_some_and(|line| line.trim_start().starts_with("cameras"));
    let message = in_words(&said, is_cameras);
    match error.span() {
        Some(span) => problems.at(span, message),
        None => problems.of(message),
    }
}

/// A message of serde without the names of our types.
fn in_words(message: &str, is_cameras: bool) -> String {
    let wrong = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "));
    if let Some((found, expected)) = wrong.and_then(|rest| rest.split_once(", expected ")) {
        let expected = match expected {
            "usize" | "u32" | "u64" => "a whole number, zero or more",
            "f64" => "a number",
            "a string" => "a text in quotes",
            "a boolean" => "true or false",
            "a sequence" if found == "map" || is_cameras => {
                "[[cameras]] with two brackets, for there may be more of them"
            }
            "a sequence" => r#"a list in brackets, as in ["one", "two"]"#,
            "struct LimitsTable" => r#"a limit or several, as in { p50 = "50ms", p99 = "500ms" }"#,
            table if table.starts_with("struct ") => {
                "a table: its name in brackets on a line of its own, its keys below"
            }
            other => other,
        };
        let found = found.trim_end_matches(" as i128").replace('`', "");
        let found = match found.split_once(' ') {
            None if found == "map" => "one table".to_owned(),
            None if found == "sequence" => "a list".to_owned(),
            Some(("string", text)) => format!("the text {text}"),
            Some(("integer", number)) => format!("the number {number}"),
            _ => found.replace("floating point ", "the number "),
        };
        return format!("this is {found}; write {expected}");
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return match rest.split_once(", expected ") {
            Some((found, known)) => format!("there is no {found}; write {known}"),
            None => format!("there is no {rest}"),
        };
    }
    match message.strip_prefix("expected ") {
        Some(wanted) => format!("write {wanted}"),
        None => message.to_owned(),
    }
}
