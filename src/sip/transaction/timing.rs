//! The timer values of RFC 3261 table 4.

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

/// A wait that absorbs repetitions: `on_udp` there, nothing on TCP, which repeats nothing.
pub(in crate::sip) fn absorb(transport: Transport, on_udp: Duration) -> Option<Duration> {
    (transport == Transport::Udp).then_some(on_udp)
}

/// The next retransmission interval: doubled, at most T2.
pub(in crate::sip) fn doubled(interval: Duration) -> Duration {
    (interval * 2).min(T2)
}
