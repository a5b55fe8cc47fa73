//! What is wrong with a header value.

use std::fmt;

/// A header that is missing or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueError {
    header: &'static str,
    problem: &'static str,
    text: String,
}

impl ValueError {
    /// As much of a bad value as an error repeats.
    const SHOWN: usize = 80;
    const MISSING: &str = "is missing";

    pub(super) fn new(header: &'static str, problem: &'static str, text: &str) -> Self {
        ValueError {
            header,
            problem,
            text: text.chars().take(Self::SHOWN).collect(),
        }
    }

    pub(super) fn missing(header: &'static str) -> Self {
        ValueError::new(header, Self::MISSING, "")
    }

    /// Whether the header is not there at all.
    pub fn is_missing(&self) -> bool {
        self.problem == Self::MISSING
    }

    /// The header's name.
    pub fn header(&self) -> &'static str {
        self.header
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.header, self.problem)?;
        match self.text.as_str() {
            "" => Ok(()),
            text => write!(f, ": {text:?}"),
        }
    }
}

impl std::error::Error for ValueError {}
