//! What decides the exit code.

use std::time::Duration;

use super::value::Share;

/// What must have been reached for the run to count as passed; `None` is not judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// The least share of cameras that got registered.
    pub registered: Share,
    /// The least share registered when the ramp down begins.
    pub registered_at_end: Option<Share>,
    /// The least share of Keepalives answered 200.
    pub keepalives_answered: Option<Share>,
    /// The least share of INVITEs that led to a stream.
    pub calls_streamed: Option<Share>,
    /// The least number of streams at once, the highest of this process.
    pub streams_at_once: Option<u64>,
    /// The largest share of frames dropped because the platform was too slow.
    pub frames_dropped: Option<Share>,
    /// The most errors of all kinds.
    pub errors: Option<u64>,
    /// REGISTER to its 200, challenge included.
    pub register: Limits,
    /// INVITE to our 200.
    pub invite: Limits,
    /// Our 200 to the ACK.
    pub ack: Limits,
    /// INVITE to the first packet.
    pub first_packet: Limits,
    /// Keepalive to its 200.
    pub keepalive: Limits,
    /// How late frames left, against their time.
    pub lateness: Limits,
}

/// The longest that a time may be, for shares of its measurements; `None` is not judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// For half of them.
    pub p50: Option<Duration>,
    /// For nine of ten.
    pub p90: Option<Duration>,
    /// For 99 of a hundred.
    pub p99: Option<Duration>,
    /// For all of them.
    pub max: Option<Duration>,
}

impl Limits {
    /// Each with its name.
    pub fn named(&self) -> [(&'static str, Option<Duration>); 4] {
        [
            ("p50", self.p50),
            ("p90", self.p90),
            ("p99", self.p99),
            ("max", self.max),
        ]
    }

    /// The first that allows less than the one before it, which would never be reached.
    pub(super) fn out_of_order(&self) -> Option<(&'static str, &'static str)> {
        let set = self.named().map(|(name, limit)| limit.map(|l| (name, l)));
        let set: Vec<_> = set.into_iter().flatten().collect();
        set.windows(2).find_map(|pair| match pair {
            [(lower, a), (higher, b)] if a > b => Some((*lower, *higher)),
            _ => None,
        })
    }
}

impl Thresholds {
    /// The times, each with its key.
    pub fn times(&self) -> [(&'static str, Limits); 6] {
        [
            ("register", self.register),
            ("invite", self.invite),
            ("ack", self.ack),
            ("first-packet", self.first_packet),
            ("keepalive", self.keepalive),
            ("lateness", self.lateness),
        ]
    }
}
