//! How many sockets and files this process may have open, and what to do when that is too few.

use std::io;

use thiserror::Error;

/// What a process needs besides its sockets: standard streams, runtimes, files.
const OTHERS: u64 = 64;

/// More file descriptors are needed than can be had.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error(
    "{needed} file descriptors are needed and {limit} can be had, {} too few: raise the limit \
     (`ulimit -n {needed}`, LimitNOFILE= of a systemd unit, --ulimit nofile={needed} of a container), \
     or let the cameras share one UDP socket for SIP, or take fewer cameras",
    .needed - .limit
)]
pub struct TooFewDescriptors {
    /// How many are needed.
    pub needed: u64,
    /// How many may be open.
    pub limit: u64,
}

/// Makes room for `sockets` sockets: raises the soft limit to the hard one, then tries to raise
/// that. The limit there is now, or what is missing.
pub fn make_room_for_sockets(sockets: u64) -> Result<u64, TooFewDescriptors> {
    let needed = sockets.saturating_add(OTHERS);
    let limit = match raise(needed) {
        Ok(limit) => limit,
        Err(error) => {
            tracing::debug!(%error, "the limit of file descriptors is not known");
            return Ok(u64::MAX);
        }
    };
    if limit < needed {
        return Err(TooFewDescriptors { needed, limit });
    }
    Ok(limit)
}

#[cfg(target_os = "linux")]
fn raise(needed: u64) -> io::Result<u64> {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    let wanted = needed.max(hard);
    for limit in [wanted, hard] {
        if soft >= limit || setrlimit(Resource::RLIMIT_NOFILE, limit, limit.max(hard)).is_ok() {
            return Ok(limit.max(soft));
        }
    }
    Ok(soft)
}

#[cfg(not(target_os = "linux"))]
fn raise(_: u64) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_soft_limit_is_raised_to_what_there_is() {
        let limit = make_room_for_sockets(1).unwrap();
        assert!(limit > OTHERS);
        assert_eq!(make_room_for_sockets(limit - OTHERS), Ok(limit));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_missing_is_said_with_the_way_out() {
        let error = make_room_for_sockets(u64::MAX / 2).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("too few") && text.contains("ulimit -n"),
            "{text}"
        );
    }
}
