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
    let message = error.message().trim_end().replace('\n', ", ");
    match error.span() {
        Some(span) => problems.at(span, message),
        None => problems.of(message),
    }
}
