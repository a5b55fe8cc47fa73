//! The few plain messages between signalling and media.
//!
//! Signalling decides, media streams. A stream's life is *open* (sockets exist, the port is
//! known), *start* (media flows), *stop*. The media plane never retries by itself: it reports
//! what happened, and signalling orders the next start.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;

use super::receiver::Expected;
use super::recording::{Steer, Steered};
use super::sender::SenderConfig;
use super::verdict::Verdict;

/// One media stream of a node, numbered by the node that orders it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// How RTP travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaTransport {
    /// A datagram per packet.
    Udp,
    /// We connect (`a=setup:active`).
    TcpActive,
    /// We listen (`a=setup:passive`).
    TcpPassive,
}

impl fmt::Display for MediaTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            MediaTransport::Udp => "UDP",
            MediaTransport::TcpActive => "TCP active",
            MediaTransport::TcpPassive => "TCP passive",
        })
    }
}

/// From signalling to media.
#[derive(Clone, Debug)]
pub enum Order {
    /// Make ready: UDP and passive TCP bind and report the real port as [`Report::Opened`];
    /// active TCP binds nothing and reports `local` with port 0.
    Open {
        /// The stream's number from now until [`Order::Stop`].
        stream: StreamId,
        /// How it travels.
        transport: MediaTransport,
        /// The address to bind (any port).
        local: IpAddr,
    },
    /// Let media flow. UDP sends to `remote`; active TCP connects to it; passive TCP waits for a
    /// peer and ignores it. After [`Report::Lost`] it may be ordered again: media restarts at a
    /// key frame.
    Start {
        /// Which stream.
        stream: StreamId,
        /// The other side's media address.
        remote: SocketAddr,
        /// What flows.
        what: Flowing,
    },
    /// The next frame shall be a key frame.
    KeyFrame(StreamId),
    /// Move on in the recording that flows; [`Report::Steered`] follows. A stream that is live, or
    /// has no connection, ignores it.
    Steer {
        /// Which stream.
        stream: StreamId,
        /// What to do.
        steer: Steer,
    },
    /// End the stream and free everything. [`Report::Ended`] follows with its counts.
    Stop(StreamId),
}

/// Which way media flows.
#[derive(Clone, Debug)]
pub enum Flowing {
    /// We are the camera.
    Out(Arc<SenderConfig>),
    /// We are the platform: receive, and judge against what is expected.
    In(Arc<Expected>),
    /// Both sides speak: send and receive on one socket.
    Both(Arc<SenderConfig>, Arc<Expected>),
}

/// From media to signalling.
#[derive(Clone, Debug)]
pub enum Report {
    /// The stream has its sockets.
    Opened {
        /// Which stream.
        stream: StreamId,
        /// The address that peers send or connect to.
        local: SocketAddr,
    },
    /// The first packet left or came in.
    Started {
        /// Which stream.
        stream: StreamId,
    },
    /// The connection could not be made or broke. A passive stream still listens. The stream lives
    /// until [`Order::Stop`].
    Lost {
        /// Which stream.
        stream: StreamId,
        /// What happened.
        why: Loss,
    },
    /// [`Order::Steer`] is carried out.
    Steered {
        /// Which stream.
        stream: StreamId,
        /// Where the recording stands now.
        at: Steered,
    },
    /// Everything of a recording has left. The stream lives until [`Order::Stop`], and may be
    /// steered on.
    Drained {
        /// Which stream.
        stream: StreamId,
    },
    /// How a receiving stream stands, about once a second.
    Progress {
        /// Which stream.
        stream: StreamId,
        /// The judgement so far.
        verdict: Box<Verdict>,
    },
    /// What a voice has said since the last such word, about once a second and before the end;
    /// when [`Expected::record`] asked for it.
    Voice {
        /// Which stream.
        stream: StreamId,
        /// G.711 A-law.
        samples: Bytes,
    },
    /// The stream is gone; the answer to [`Order::Stop`], or to an [`Order::Open`] that failed.
    Ended {
        /// Which stream.
        stream: StreamId,
        /// What went through it.
        counts: Counts,
        /// The final judgement of a receiving stream.
        verdict: Option<Box<Verdict>>,
        /// The program stream that was received, when [`Expected::record`] asked for it.
        recording: Bytes,
        /// Why, when nobody ordered the end.
        error: Option<String>,
    },
}

impl Report {
    /// Which stream it is about.
    pub const fn stream(&self) -> StreamId {
        match self {
            Report::Opened { stream, .. }
            | Report::Started { stream }
            | Report::Lost { stream, .. }
            | Report::Progress { stream, .. }
            | Report::Steered { stream, .. }
            | Report::Drained { stream }
            | Report::Voice { stream, .. }
            | Report::Ended { stream, .. } => *stream,
        }
    }

    /// The end of a stream through which nothing went.
    pub fn ended(stream: StreamId) -> Report {
        Report::Ended {
            stream,
            counts: Counts::default(),
            verdict: None,
            recording: Bytes::new(),
            error: None,
        }
    }
}

/// Why a stream has no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nobody answered at the remote address, or it refused.
    NotConnected(String),
    /// The peer closed the connection.
    Closed,
    /// The system refused to send or receive.
    Failed(String),
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Loss::NotConnected(why) => write!(f, "cannot connect: {why}"),
            Loss::Closed => f.write_str("closed by the peer"),
            Loss::Failed(why) => f.write_str(why),
        }
    }
}

/// What went through a sending stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames wholly written.
    pub frames: u64,
    /// RTP packets written.
    pub packets: u64,
    /// Octets of RTP written (headers included, transport framing not).
    pub octets: u64,
    /// Frames dropped because the backlog was full.
    pub dropped: u64,
    /// Frames whose first octet left more than one frame interval late.
    pub late: u64,
    /// What came back: RTCP and other datagrams or octets, read and ignored.
    pub returned: u64,
}

impl Counts {
    /// Adds what another stretch of the same stream, or another stream, has sent.
    pub fn add(&mut self, more: Counts) {
        self.frames += more.frames;
        self.packets += more.packets;
        self.octets += more.octets;
        self.dropped += more.dropped;
        self.late += more.late;
        self.returned += more.returned;
    }
}
