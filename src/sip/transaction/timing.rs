//! The timer values of RFC 3261 table 4, and the names of the timers.

use std::time::Duration;

use crate::sip::Transport;

/// Estimate of the round trip; the first retransmission interval.
pub const T1: Duration = Duration::from_millis(500);

/// The longest retransmission interval of non-INVITE requests and of INVITE responses.
pub const T2: Duration = Duration::from_secs(4);

/// How long a message may remain in the network.
pub const T4: Duration = Duration::from_secs(5);

/// 64*T1: how long a transaction is tried (timers B, F, H, J, L and M; D is at least this).
pub const GIVE_UP: Duration = Duration::from_secs(32);

/// An INVITE without any answer of its owner is answered 100 after this (RFC 3261 §17.2.1).
pub const TRYING_AFTER: Duration = Duration::from_millis(200);

/// How long an INVITE may stay provisional without news. RFC 3261 §16.6 demands more than three
/// minutes of a proxy (timer C); an endpoint uses it so that no call can hang for ever.
pub const PROCEEDING: Duration = Duration::from_secs(181);

/// The timers of the four machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Repeats a client INVITE.
    A,
    /// Gives up a client INVITE that nobody answered.
    B,
    /// Gives up an INVITE that remained provisional, on either side.
    C,
    /// Ends the wait for repeated non-2xx answers to a client INVITE.
    D,
    /// Repeats a client non-INVITE request.
    E,
    /// Gives up a client non-INVITE request.
    F,
    /// Repeats the final answer to a server INVITE: non-2xx (RFC 3261 §17.2.1), and in the
    /// accepted state 2xx (§13.3.1.4).
    G,
    /// Gives up waiting for the ACK of a non-2xx answer.
    H,
    /// Ends the wait for repeated ACKs.
    I,
    /// Ends the wait for repeated non-INVITE requests; also frees one that is never answered.
    J,
    /// Ends the wait for repeated answers to a non-INVITE request.
    K,
    /// Ends the accepted state of a server INVITE (RFC 6026 §8.7).
    L,
    /// Ends the accepted state of a client INVITE (RFC 6026 §8.4).
    M,
    /// Demands the automatic 100.
    Trying,
}

/// A wait that absorbs repetitions: `on_udp` there, nothing on TCP, which repeats nothing.
pub(super) fn absorb(transport: Transport, on_udp: Duration) -> Option<Duration> {
    (transport == Transport::Udp).then_some(on_udp)
}

/// The next retransmission interval: doubled, at most T2.
pub(super) fn doubled(interval: Duration) -> Duration {
    (interval * 2).min(T2)
}
