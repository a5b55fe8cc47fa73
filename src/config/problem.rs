//! What is wrong with a fleet file, and where.

use std::fmt;
use std::ops::Range;

use super::source::{Place, Source};

/// One thing that is wrong, with the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    file: String,
    place: Option<Place>,
    message: String,
}

impl Problem {
    /// At the octets `span` of a text.
    pub(super) fn at(source: &Source, span: Range<usize>, message: impl Into<String>) -> Problem {
        Problem {
            file: source.name.clone(),
            place: Some(source.place(span)),
            message: message.into(),
        }
    }

    /// With a file as a whole.
    pub(super) fn of(source: &Source, message: impl Into<String>) -> Problem {
        Problem {
            file: source.name.clone(),
            place: None,
            message: message.into(),
        }
    }

    /// In line `line` (from 1) of a list of cameras. The line itself is not shown: it may hold a
    /// password.
    pub(super) fn in_list(file: &str, line: u64, message: impl Into<String>) -> Problem {
        let place = Place {
            line: usize::try_from(line).unwrap_or(usize::MAX),
            column: 1,
            text: String::new(),
            width: 0,
        };
        Problem {
            file: file.to_owned(),
            place: Some(place),
            message: message.into(),
        }
    }

    /// The file it is in.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line it is in, from 1.
    pub fn line(&self) -> Option<usize> {
        self.place.as_ref().map(|place| place.line)
    }

    /// What is wrong, and what would be right.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(place) = &self.place else {
            return write!(f, "{}: {}", self.file, self.message);
        };
        write!(f, "{}:{}: {}", self.file, place.line, self.message)?;
        // A line with a password is not for screens and logs.
        if place.text.trim().is_empty() || place.text.contains("password") {
            return Ok(());
        }
        let number = place.line.to_string();
        let text = place.text.trim_end();
        write!(f, "\n  {number} | {text}")?;
        let margin = " ".repeat(number.len());
        let before = " ".repeat(place.column.saturating_sub(1));
        write!(f, "\n  {margin} | {before}{}", "^".repeat(place.width))
    }
}

/// Everything that is wrong with a fleet file and the files it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

impl ConfigError {
    /// What is wrong, in the order of the file where it can be; at least one.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        ConfigError {
            problems: vec![problem],
        }
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.problems.iter().enumerate() {
            let apart = if n == 0 { "" } else { "\n\n" };
            write!(f, "{apart}{problem}")?;
        }
        Ok(())
    }
}

/// The problems found so far in one text.
#[derive(Debug)]
pub(super) struct Problems<'a> {
    source: &'a Source,
    found: Vec<Problem>,
}

/// How many are kept: a list of 10,000 cameras with a wrong column is wrong once.
const MOST: usize = 20;

impl<'a> Problems<'a> {
    pub fn new(source: &'a Source) -> Self {
        Problems {
            source,
            found: Vec::new(),
        }
    }

    pub fn at(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.push(Problem::at(self.source, span, message));
    }

    pub fn of(&mut self, message: impl Into<String>) {
        self.push(Problem::of(self.source, message));
    }

    pub fn push(&mut self, problem: Problem) {
        if self.found.len() < MOST {
            self.found.push(problem);
        }
    }

    /// `value`, unless something is wrong.
    pub fn or<T>(mut self, value: T) -> Result<T, ConfigError> {
        if self.found.is_empty() {
            return Ok(value);
        }
        let own = |p: &Problem| p.file != self.source.name;
        self.found.sort_by_key(|p| (own(p), p.line()));
        Err(ConfigError {
            problems: self.found,
        })
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}
