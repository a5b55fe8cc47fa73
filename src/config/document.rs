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
        tell(error, &mut problems);
    }
    if !problems.is_empty() {
        return problems.or(Top::default());
    }
    keys::check(table.get_ref(), &mut problems);
    let top = Top::deserialize(Deserializer::from(table)).unwrap_or_else(|error| {
        tell(&error, &mut problems);
        Top::default()
    });
    problems.or(top)
}

fn tell(error: &Error, problems: &mut Problems<'_>) {
    let message = in_words(&error.message().trim_end().replace('\n', ", "));
    match error.span() {
        Some(span) => problems.at(span, message),
        None => problems.of(message),
    }
}

/// A message of serde without the names of our types.
fn in_words(message: &str) -> String {
    let wrong = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "));
    if let Some((found, expected)) = wrong.and_then(|rest| rest.split_once(", expected ")) {
        let expected = match expected {
            "usize" | "u32" | "u64" => "a whole number, zero or more",
            "f64" => "a number",
            "a string" => "a text in quotes",
            "a boolean" => "true or false",
            "a sequence" => "[[cameras]] with two brackets, for there may be more of them",
            other => other,
        };
        let found = found.trim_end_matches(" as i128").replace('`', "");
        let found = match found.as_str() {
            "map" => "one table",
            other => other,
        };
        return format!("this is {found}; write {expected}");
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return match rest.split_once(", expected ") {
            Some((found, known)) => format!("there is no {found}; write {known}"),
            None => format!("there is no {rest}"),
        };
    }
    message.to_owned()
}
