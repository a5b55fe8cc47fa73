//! One call to a device: from Play to the end of its media (RFC 3261 §13 and §15, as caller).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::gb28181::sdp::PCMA;
use crate::gb28181::{DeviceId, Ssrc};
use crate::media::{
    Check, Counts, Cut, Expected, Flowing, MediaTransport, Order, SenderConfig, StreamId, Verdict,
};
use crate::sip::{Dialog, Request, TransactionId};
use crate::time::Instant;

use super::desk::Route;
use super::event::{PlayEnd, PlayFailure, PlayId, Showing};
use super::terms::Terms;

/// Pause before a connection of ours is tried again, and how often (GB/T 28181-2022 annex D).
pub(super) const RECONNECT_PAUSE: Duration = Duration::from_secs(1);
pub(super) const RECONNECT_TRIES: u32 = 3;

/// Where a call stands.
///
/// ```text
///  Play            port known            2xx: ACK           BYE either way
/// ──────▶ Opening ───────────▶ Inviting ──────────▶ Up ─────────────▶ Over
///            │ failed,           │ │  3xx-6xx,                          ▲
///            │ stopped           │ │  no answer                         │
///            │             stop  ▼ └────────────────────────────────────┤
///            │           Cancelling ── final: 487, or 2xx: ACK + BYE ───┤
///            └──────────────────────────────────────────────────────────┘
/// ```
/// An over call is forgotten when its stream has ended and its BYE is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The media plane is asked for a port.
    Opening,
    /// The INVITE waits for its final response.
    Inviting,
    /// As before, but nobody wants the call any more. CANCEL is sent as soon as it may be
    /// (RFC 3261 §9.1).
    Cancelling,
    /// The dialog is there.
    Up,
    /// Nothing is left but to clear away.
    Over,
}

/// What the media plane said at the end of a stream.
#[derive(Debug)]
pub(super) struct MediaEnd {
    pub counts: Counts,
    pub verdict: Option<Box<Verdict>>,
    pub recording: Bytes,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub play: PlayId,
    pub device: DeviceId,
    pub channel: DeviceId,
    pub route: Route,
    /// What the camera does.
    pub transport: MediaTransport,
    /// 0 main, 1 sub.
    pub number_of_stream: u8,
    pub showing: Showing,
    /// The CSeq of RTSP that was used last.
    pub steered: u32,
    /// The number of its SSRC, to be given back.
    pub number: u16,
    pub ssrc: Ssrc,
    pub expected: Arc<Expected>,
    /// What we say in a talk.
    pub voice: Option<Arc<Cut>>,
    /// What the device has said, if that is kept.
    pub said: Vec<u8>,
    pub state: State,
    /// The INVITE with its transaction, once it is sent.
    pub invite: Option<(TransactionId, Request)>,
    pub invited: Instant,
    /// Why it is cancelled, while it is.
    pub cancelled: Option<PlayFailure>,
    pub dialog: Option<Dialog>,
    /// The ACK, repeated for every repeated 2xx.
    pub ack: Option<Request>,
    pub terms: Option<Terms>,
    /// Why it ended, once it was answered and did.
    pub ended: Option<PlayEnd>,
    /// A BYE of ours waits for its answer.
    pub bye_pending: bool,
    /// What the media plane said at the end.
    pub media_end: Option<MediaEnd>,
    /// Connections that failed since media last flowed.
    pub failures: u32,
    pub streaming: bool,
    /// The pause before the next connection of ours runs.
    pub reconnecting: bool,
    /// The foreign SSRC in its media was complained about.
    pub ssrc_noticed: bool,
}

impl Call {
    pub fn stream(&self) -> StreamId {
        StreamId(self.play.0)
    }

    /// The order that lets media flow in, in a talk also out, once it is agreed.
    pub fn start(&self) -> Option<Order> {
        let terms = self.terms.as_ref()?;
        let mut expected = Expected {
            ssrc: Some(terms.ssrc),
            ..Expected::clone(&self.expected)
        };
        if self.showing == Showing::Talk {
            expected.payload_type = PCMA;
            expected.check = Check::Voice;
        }
        let expected = Arc::new(expected);
        let speak = |voice: &Arc<Cut>| Arc::new(SenderConfig::new(voice.clone(), terms.ssrc));
        Some(Order::Start {
            stream: self.stream(),
            remote: terms.media,
            what: match self.voice.as_ref().map(speak) {
                Some(voice) => Flowing::Both(voice, expected),
                None => Flowing::In(expected),
            },
        })
    }

    /// Whether nothing is left to wait for.
    pub fn is_finished(&self) -> bool {
        self.state == State::Over && self.media_end.is_some() && !self.bye_pending
    }

    /// Where its device is.
    pub fn peer(&self) -> SocketAddr {
        self.route.to
    }
}
