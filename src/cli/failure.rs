//! Why a command does not end well, and the exit code that says so.

use std::fmt;
use std::process::ExitCode;

use crate::api::Error;
use crate::profile::ProfileError;

/// Why a command does not end well.
#[derive(Debug)]
pub(super) enum Failure {
    /// The run fell short of what was asked: exit code 1.
    Short(String),
    /// Wrong use or configuration: exit code 2.
    Usage(String),
}

impl Failure {
    /// Wrong use of a flag.
    pub fn flag(flag: &str, why: impl fmt::Display) -> Self {
        Failure::Usage(format!("{flag}: {why}"))
    }

    /// The exit code.
    pub fn code(&self) -> ExitCode {
        match self {
            Failure::Short(_) => ExitCode::from(1),
            Failure::Usage(_) => ExitCode::from(2),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Short(why) | Failure::Usage(why) => f.write_str(why),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = error.to_string();
        match error {
            Error::File { .. }
            | Error::Clip { .. }
            | Error::Profile(_)
            | Error::Id { .. }
            | Error::Address { .. }
            | Error::Setting { .. }
            | Error::Bind { .. } => Failure::Usage(text),
            Error::NotRegistered { .. }
            | Error::NotUnregistered(_)
            | Error::Absent { .. }
            | Error::Ask { .. }
            | Error::Unfit { .. }
            | Error::Play { .. }
            | Error::Stream { .. }
            | Error::Gone(_) => Failure::Short(text),
        }
    }
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        Error::from(error).into()
    }
}
