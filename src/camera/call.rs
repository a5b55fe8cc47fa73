//! One media dialog of the device: from INVITE to BYE (RFC 3261 §13, GB/T 28181-2022 §9.2).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::gb28181::sdp::Offer;
use crate::gb28181::{DeviceId, Ssrc, Subject};
use crate::media::{Counts, Flowing, Loss, MediaTransport, Order, SenderConfig, StreamId};
use crate::sip::{Dialog, Request, TransactionId, Uri};
use crate::time::Instant;

use super::event::{CallEnd, CallNumber};
use super::line::socket_addr;
use super::playback::Playback;
use super::talk::Talk;

/// Pause before a broken connection is tried again, and how often (GB/T 28181-2022 annex D).
pub(super) const RECONNECT_PAUSE: Duration = Duration::from_secs(1);
pub(super) const RECONNECT_TRIES: u32 = 3;

/// What an offer asks for and we grant: everything the answer and the stream need.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Terms {
    pub offer: Offer,
    pub transport: MediaTransport,
    /// The payload type of PS.
    pub payload: u8,
    /// Where the platform receives, or connects from.
    pub remote: SocketAddr,
    /// The SSRC: the offer's letter for letter, or our own choice.
    pub ssrc: Ssrc,
}

/// Where a call stands.
///
/// ```text
///  INVITE       media opened        ACK          first packet
/// ───────▶ Opening ───────▶ Answered ───▶ Starting ─────────▶ Streaming
///             │                │             ▲  │ connection lost │
///   CANCEL,   │      no ACK in │   pause     │  ▼                 │
///   failure   ▼        64·T1   ▼   over      Recovering ◀─────────┘
///            end         BYE, end               │ third failure: BYE, end
/// ```
/// BYE ends it from every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The answer waits for the media plane to tell its address.
    Opening,
    /// 200 sent, no ACK yet.
    Answered,
    /// Media was ordered to flow.
    Starting,
    /// Media flows.
    Streaming,
    /// The connection broke; the pause before the next try runs.
    Recovering,
}

/// An INVITE that is not answered yet: the first one, or one inside the dialog.
#[derive(Debug)]
pub(super) struct Pending {
    pub transaction: TransactionId,
    pub request: Request,
    pub terms: Terms,
    /// The stream opened for it; the call's own when nothing changes.
    pub stream: StreamId,
    pub sender: Arc<SenderConfig>,
    /// When it came.
    pub since: Instant,
    /// When its 200 went out.
    pub answered: Option<Instant>,
}

/// One call.
#[derive(Debug)]
pub(super) struct Call {
    pub number: CallNumber,
    /// When its INVITE came.
    pub invited: Instant,
    pub channel: DeviceId,
    /// Where its INVITE came from.
    pub peer: SocketAddr,
    pub dialog: Dialog,
    pub subject: Option<Subject>,
    pub state: State,
    pub terms: Terms,
    pub stream: StreamId,
    pub pending: Option<Pending>,
    /// The body of the last answer, repeated when an INVITE in the dialog changes nothing.
    pub answer: bytes::Bytes,
    /// What the sender is to send.
    pub sender: Arc<SenderConfig>,
    /// The port our answers name when we connect ourselves.
    pub nominal_port: u16,
    /// Connections that failed since media last flowed.
    pub failures: u32,
    /// Whether the platform holds the dialog: our 200 is out.
    pub established: bool,
    /// Whether its first packet has left.
    pub streamed: bool,
    /// What it has in addition when it plays a recording.
    pub playback: Option<Box<Playback>>,
    /// What it has in addition when it is a talk.
    pub talk: Option<Box<Talk>>,
    /// Counts of streams that INVITEs in the dialog have replaced.
    pub sent: Counts,
}

impl Call {
    /// Where our own requests go: to the first proxy that recorded its route, else to the address
    /// the platform's Contact names, or where its INVITE came from when that is a domain.
    pub fn destination(&self) -> SocketAddr {
        destination(&self.dialog, self.peer)
    }

    /// The order that lets media flow.
    pub fn start(&mut self) -> Order {
        self.state = State::Starting;
        Order::Start {
            stream: self.stream,
            remote: self.terms.remote,
            what: match &self.talk {
                Some(talk) => talk.flowing(&self.terms, &self.sender),
                None => Flowing::Out(self.sender.clone()),
            },
        }
    }

    /// Media broke. When to try again, or `None` when it was tried often enough. A listening
    /// stream just waits for the next connection: at once when the peer closed the last one, after
    /// the pause when the system failed.
    pub fn lost(&mut self, why: &Loss) -> Option<Duration> {
        self.state = State::Recovering;
        if self.terms.transport == MediaTransport::TcpPassive {
            return Some(match why {
                Loss::Closed => Duration::ZERO,
                Loss::NotConnected(_) | Loss::Failed(_) => RECONNECT_PAUSE,
            });
        }
        self.failures += 1;
        (self.failures <= RECONNECT_TRIES).then_some(RECONNECT_PAUSE)
    }

    /// Media flows. From the INVITE to now, when it flows for the first time.
    pub fn started(&mut self, now: Instant) -> Option<Duration> {
        self.state = State::Streaming;
        self.failures = 0;
        let first = !std::mem::replace(&mut self.streamed, true);
        first.then(|| now - self.invited)
    }

    /// Whether an INVITE with this Subject means that the receiver of this call restarted
    /// (GB/T 28181-2022 annex L). Serial `0` names nothing.
    pub fn is_replaced_by(&self, subject: &Subject) -> bool {
        let own = self.subject.as_ref().and_then(Subject::stream);
        own.is_some() && own == subject.stream()
    }
}

/// Where requests of a dialog go whose peer spoke from `peer`.
pub(super) fn destination(dialog: &Dialog, peer: SocketAddr) -> SocketAddr {
    let target = match dialog.route_set.first() {
        Some(route) => socket_addr(&route.uri),
        None => socket_addr(&Uri::new(dialog.remote_target.as_str())),
    };
    target.unwrap_or(peer)
}

impl CallEnd {
    /// What an INVITE is answered that still waits when its call ends so.
    pub(super) fn refusal(self) -> u16 {
        match self {
            CallEnd::Bye | CallEnd::Cancelled | CallEnd::Replaced => 487,
            CallEnd::PlatformLost | CallEnd::HungUp | CallEnd::Played => 480,
            CallEnd::MediaFailed | CallEnd::Unacknowledged => 500,
        }
    }
}
