//! The sink: one media port for thousands of incoming streams.
//!
//! ```text
//!  nodes ─ seats ─> sink ─ guests     TCP connections, told apart by the SSRC of the first packet
//!                     │   └ post      datagrams, told apart by the SSRC of each
//!                     └─ ledger       a receiver per SSRC, and what belongs to nobody
//! ```
//! One listener, one UDP socket, one task and one read buffer, however many streams there are. A
//! socket that has nothing to say costs nothing: only those that are ready are looked at
//! ([`Bell`](super::bell::Bell)), and those the less often the more of them there are.

mod guests;
mod ledger;
mod worker;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::clock::Clock;
use super::reporter::Reporter;
use crate::media::verdict::Packets;
use crate::media::{Expected, MediaTransport, Report, StreamId};

pub use worker::Sink;

/// What a sink shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SinkConfig {
    /// The address to bind, for connections and datagrams alike.
    pub ip: IpAddr,
    /// The port for both; 0: any for each.
    pub port: u16,
    /// How long a connection may stay without naming a stream that is expected.
    pub patience: Duration,
    /// How many such connections there may be; beyond it the oldest is closed.
    pub unclaimed: usize,
}

impl SinkConfig {
    /// A sink on any port of `ip` that gives a connection ten seconds to say whose it is, and
    /// 16,384 of them at a time the chance to.
    pub fn new(ip: IpAddr) -> Self {
        SinkConfig {
            ip,
            port: 0,
            patience: Duration::from_secs(10),
            unclaimed: 16_384,
        }
    }
}

/// What has come in through a sink since it was started, and what it holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SinkTotals {
    /// Streams expected now.
    pub streams: u64,
    /// Those of them that have brought a packet.
    pub flowing: u64,
    /// Connections open now.
    pub connections: u64,
    /// Those of them that belong to no stream yet.
    pub unclaimed: u64,
    /// RTP packets of all streams.
    pub packets: Packets,
    /// Framing and RTP faults in them, another SSRC than agreed among them.
    pub faults: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections closed because what they brought was no RTP, or of an SSRC nobody expected.
    pub strangers: u64,
    /// Connections closed because they said nothing in time, or because there were too many such.
    pub silent: u64,
    /// Connections whose framing was lost, closed.
    pub unframed: u64,
    /// Connections that could not be accepted: no file left, for one.
    pub refused: u64,
    /// Datagrams of an SSRC nobody expected, or no RTP.
    pub stray: u64,
    /// Datagrams of a stream that had ended.
    pub tail: u64,
    /// Datagrams our own kernel dropped before we read them.
    pub kernel_drops: u64,
}

/// The way to a sink. It runs until the last copy is dropped.
#[derive(Clone, Debug)]
pub struct SinkHandle {
    orders: mpsc::UnboundedSender<ToSink>,
    keys: Arc<AtomicU64>,
    tcp: SocketAddr,
    udp: SocketAddr,
}

/// The place of one stream in a sink; dropping it ends the stream.
#[derive(Debug)]
pub(super) struct Seat {
    key: u64,
    stream: StreamId,
    transport: MediaTransport,
    local: IpAddr,
    sink: SinkHandle,
    reports: Reporter,
}

#[derive(Debug)]
enum ToSink {
    Start(Box<Start>),
    /// Ends the stream with this key; [`Report::Ended`] goes to this reporter.
    Stop(u64, StreamId, Reporter),
    Totals(oneshot::Sender<SinkTotals>),
}

#[derive(Debug)]
struct Start {
    key: u64,
    stream: StreamId,
    transport: MediaTransport,
    /// Where a connection of ours comes from and goes to.
    local: IpAddr,
    remote: SocketAddr,
    expected: Arc<Expected>,
    reports: Reporter,
}

impl SinkHandle {
    /// Binds a sink and runs it on the runtime this is called on.
    pub fn spawn(config: SinkConfig, clock: Clock) -> io::Result<SinkHandle> {
        let (handle, sink) = Sink::bind(config, clock)?;
        tokio::spawn(tokio::task::unconstrained(sink.run()));
        Ok(handle)
    }

    /// Where connections are taken.
    pub fn tcp(&self) -> SocketAddr {
        self.tcp
    }

    /// Where datagrams are taken.
    pub fn udp(&self) -> SocketAddr {
        self.udp
    }

    /// What has come in so far; `None` when the sink has ended.
    pub async fn totals(&self) -> Option<SinkTotals> {
        let (answer, totals) = oneshot::channel();
        self.orders.send(ToSink::Totals(answer)).ok()?;
        totals.await.ok()
    }

    /// A place for a stream, opened: [`Report::Opened`] is given to `reports` at once.
    pub(super) fn seat(
        &self,
        stream: StreamId,
        transport: MediaTransport,
        local: IpAddr,
        reports: Reporter,
    ) -> Seat {
        let address = match transport {
            MediaTransport::Udp => self.udp,
            MediaTransport::TcpPassive => self.tcp,
            MediaTransport::TcpActive => SocketAddr::new(local, 0),
        };
        reports.tell(Report::Opened {
            stream,
            local: address,
        });
        Seat {
            key: self.keys.fetch_add(1, Ordering::Relaxed),
            stream,
            transport,
            local,
            sink: self.clone(),
            reports,
        }
    }
}

impl Seat {
    /// Lets the stream come in: from `remote`, if we are the one who connects.
    pub(super) fn start(&self, remote: SocketAddr, expected: Arc<Expected>) {
        let start = Start {
            key: self.key,
            stream: self.stream,
            transport: self.transport,
            local: self.local,
            remote,
            expected,
            reports: self.reports.clone(),
        };
        let _ = self.sink.orders.send(ToSink::Start(Box::new(start)));
    }
}

impl Drop for Seat {
    /// [`Report::Ended`] follows.
    fn drop(&mut self) {
        let stop = ToSink::Stop(self.key, self.stream, self.reports.clone());
        if self.sink.orders.send(stop).is_err() {
            self.reports.tell(Report::ended(self.stream));
        }
    }
}
