//! Why a command does not end well, and the exit code that says so.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
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
        let text = match &error {
            Error::Bind {
                transport,
                address,
                why,
            } => {
                let what = match address.port() {
                    0 => address.ip().to_string(),
                    _ => address.to_string(),
                };
                let way_out = way_out(why, address);
                format!("cannot use {transport} {what}: {why}{way_out}")
            }
            _ => error.to_string(),
        };
        match error {
            Error::File { .. }
            | Error::Clip { .. }
            | Error::Audio { .. }
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
            | Error::Speech { .. }
            | Error::Gone(_) => Failure::Short(text),
        }
    }
}

/// What helps against an address that cannot be bound; the system's number is in its words.
fn way_out(why: &str, address: &SocketAddr) -> String {
    let number = why.rsplit_once("(os error ").map(|(_, rest)| rest);
    let number = number.and_then(|rest| rest.trim_end_matches(')').parse().ok());
    let port = address.port();
    match number.map(|number| io::Error::from_raw_os_error(number).kind()) {
        Some(ErrorKind::AddrInUse) => {
            format!("; is something else using port {port}? Port 0 takes any free one")
        }
        Some(ErrorKind::AddrNotAvailable) => {
            format!("; {} is not an address of this machine", address.ip())
        }
        Some(ErrorKind::PermissionDenied) if port < 1024 => {
            "; ports below 1024 need privileges: take a higher one".to_owned()
        }
        _ => String::new(),
    }
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        Error::from(error).into()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_of_an_address_has_its_own_way_out() {
        let out = |number, address: &str| {
            let why = io::Error::from_raw_os_error(number).to_string();
            way_out(&why, &address.parse().unwrap())
        };
        assert!(out(98, "127.0.0.1:5060").contains("Port 0"));
        assert!(out(99, "192.0.2.1:5060").contains("192.0.2.1 is not an address"));
        assert!(out(13, "127.0.0.1:80").contains("need privileges"));
        assert_eq!(out(13, "127.0.0.1:5060"), "");
    }
}
