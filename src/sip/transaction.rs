//! The four transactions of RFC 3261 §17 (with RFC 6026), one pure state machine each.
//!
//! A machine is told what happened and answers what to do; it knows neither sockets nor other
//! transactions. It keeps the bytes it may have to repeat and at most two timers, so that
//! [`Endpoint`](super::Endpoint) needs a single entry per transaction in its timer table.

pub(super) mod client;
mod client_invite;
mod client_non_invite;
mod clock;
pub(super) mod key;
pub(super) mod server;
mod server_invite;
mod server_non_invite;
pub mod timing;

use client_invite::ClientInvite;
use client_non_invite::ClientNonInvite;
use clock::{Clock, Timer};
use server_invite::ServerInvite;
use server_non_invite::ServerNonInvite;

/// The number of a transaction of one endpoint; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub(super) u64);

impl std::fmt::Display for TransactionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "tx{}", self.0)
    }
}

#[cfg(test)]
mod testing {
    //! Virtual time for a single machine.

    use std::time::Duration;

    use bytes::Bytes;

    use crate::time::Instant;

    /// `millis` milliseconds after the origin.
    pub fn ms(millis: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(millis)
    }

    /// The bytes of a pretended message.
    pub fn octets(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    /// Lets every timer go off up to `until` (inclusive): what came of it, and at which
    /// millisecond.
    pub fn pass<M, A>(
        machine: &mut M,
        until: Instant,
        deadline: fn(&M) -> Option<Instant>,
        fire: fn(&mut M, Instant) -> Option<A>,
    ) -> Vec<(u64, A)> {
        let mut log = Vec::new();
        while let Some(at) = deadline(machine).filter(|at| *at <= until) {
            let action = fire(machine, at).expect("a deadline that fires nothing");
            log.push((at.as_nanos() / 1_000_000, action));
        }
        log
    }
}
