//! The media streams of one node: a task each, which opens, connects and accepts, so that neither
//! the node nor a pump ever waits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use super::clock::Clock;
use super::mailbox::mailbox;
use super::media::Media;
use super::reporter::{Reporter, Reports};
use super::sink::Seat;
use super::stream::{Stream, Tell, Told};
use crate::media::{Flowing, Loss, MediaTransport, Order, Report, StreamId};

/// How long the end of a node waits for its streams.
const FAREWELL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Streams {
    clock: Clock,
    media: Media,
    /// Made with the first stream and given back after the last: most nodes of a fleet have none.
    live: Option<Box<Live>>,
}

#[derive(Debug)]
struct Live {
    tell: HashMap<StreamId, Tell>,
    /// Streams that come in at a port they share, and have no task.
    seats: HashMap<StreamId, Seat>,
    reports: Reports,
    reporter: Reporter,
    tasks: JoinSet<()>,
}

impl Default for Live {
    fn default() -> Self {
        let (reporter, reports) = Reporter::new();
        Live {
            tell: HashMap::new(),
            seats: HashMap::new(),
            reports,
            reporter,
            tasks: JoinSet::new(),
        }
    }
}

impl Streams {
    pub(super) fn new(clock: Clock, media: Media) -> Self {
        Streams {
            clock,
            media,
            live: None,
        }
    }

    /// Carries out an order; what comes of it is told by [`Streams::poll_next`].
    pub(super) fn order(&mut self, order: Order) {
        let live = self.live.get_or_insert_default();
        while let Some(ended) = live.tasks.try_join_next() {
            note(ended);
        }
        match order {
            Order::Open {
                stream,
                transport,
                local,
            } => self.open(stream, transport, local),
            Order::Start {
                stream,
                remote,
                what,
            } => match live.seats.get(&stream) {
                Some(seat) => match what {
                    Flowing::In(expected) => seat.start(remote, expected),
                    Flowing::Out(_) | Flowing::Both(..) => {
                        let why = Loss::Failed("a shared port only receives".to_owned());
                        live.reporter.tell(Report::Lost { stream, why });
                    }
                },
                None => live.tell(stream, Told::Start { remote, what }),
            },
            Order::KeyFrame(stream) => live.tell(stream, Told::KeyFrame),
            Order::Steer { stream, steer } => live.tell(stream, Told::Steer(steer)),
            Order::Stop(stream) if live.seats.remove(&stream).is_some() => {}
            Order::Stop(stream) => {
                live.tell(stream, Told::Stop);
                live.tell.remove(&stream);
            }
        }
    }

    fn open(&mut self, stream: StreamId, transport: MediaTransport, local: IpAddr) {
        let live = self.live.get_or_insert_default();
        let reports = live.reporter.clone();
        if let Some(sink) = self.media.sink() {
            let seat = sink.seat(stream, transport, local, reports);
            live.seats.insert(stream, seat);
            return;
        }
        let (tell, told) = mailbox();
        if live.tell.insert(stream, tell).is_some() {
            tracing::warn!(?stream, "a stream was opened twice; the first one ends");
        }
        let life = Stream::new(stream, transport, self.clock, self.media.clone(), reports);
        live.tasks.spawn(life.run(local, told));
    }

    /// The next report; pending while there is none.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Report> {
        let Some(live) = &mut self.live else {
            return Poll::Pending;
        };
        if let Poll::Ready(Some(report)) = live.reports.poll_recv(cx) {
            return Poll::Ready(*report);
        }
        while let Poll::Ready(Some(ended)) = live.tasks.poll_join_next(cx) {
            note(ended);
        }
        if live.is_over() {
            self.live = None;
        }
        Poll::Pending
    }

    /// The next report; never ends while there is none.
    #[cfg(test)]
    pub(super) async fn next(&mut self) -> Report {
        std::future::poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Stops every stream and waits, not for long, until they are gone.
    pub(super) async fn end(self) {
        let Some(mut live) = self.live else {
            return;
        };
        live.tell.clear();
        live.seats.clear();
        let farewell = async { while live.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

/// The report of a stream's failure is the stream's own.
fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a stream's task failed");
    }
}

impl Live {
    fn tell(&mut self, stream: StreamId, told: Told) {
        let stops = matches!(told, Told::Stop);
        let heard = self.tell.get(&stream).map(|tell| tell.send(told));
        if matches!(heard, Some(Ok(()))) {
            return;
        }
        tracing::debug!(?stream, "an order for a stream that is not open");
        if stops {
            self.reporter.tell(Report::ended(stream));
        }
    }

    /// Whether every stream is stopped, gone, and has told all it had to.
    fn is_over(&self) -> bool {
        let unheard = self.reporter.has_others() || !self.reports.is_empty();
        self.tell.is_empty() && self.seats.is_empty() && !unheard
    }
}
