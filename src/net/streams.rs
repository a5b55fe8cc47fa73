//! The media streams of one node: a task each, which opens, connects and accepts, so that neither
//! the node nor a pump ever waits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::clock::Clock;
use super::media::Media;
use super::sink::Seat;
use super::stream::{Stream, Told};
use crate::media::{Flowing, Loss, MediaTransport, Order, Report, StreamId};

/// How long the end of a node waits for its streams.
const FAREWELL: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Streams {
    clock: Clock,
    media: Media,
    tell: HashMap<StreamId, mpsc::UnboundedSender<Told>>,
    /// Streams that come in at a port they share, and have no task.
    seats: HashMap<StreamId, Seat>,
    reports: mpsc::UnboundedReceiver<Report>,
    reporter: mpsc::UnboundedSender<Report>,
    tasks: JoinSet<()>,
}

impl Streams {
    pub(super) fn new(clock: Clock, media: Media) -> Self {
        let (reporter, reports) = mpsc::unbounded_channel();
        Streams {
            clock,
            media,
            tell: HashMap::new(),
            seats: HashMap::new(),
            reports,
            reporter,
            tasks: JoinSet::new(),
        }
    }

    /// Carries out an order; what comes of it is told by [`Streams::next`].
    pub(super) fn order(&mut self, order: Order) {
        while self.tasks.try_join_next().is_some() {}
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
            } => match self.seats.get(&stream) {
                Some(seat) => match what {
                    Flowing::In(expected) => seat.start(remote, expected),
                    Flowing::Out(_) => {
                        let why = Loss::Failed("a shared port only receives".to_owned());
                        let _ = self.reporter.send(Report::Lost { stream, why });
                    }
                },
                None => self.tell(stream, Told::Start { remote, what }),
            },
            Order::KeyFrame(stream) => self.tell(stream, Told::KeyFrame),
            Order::Stop(stream) if self.seats.remove(&stream).is_some() => {}
            Order::Stop(stream) => {
                self.tell(stream, Told::Stop);
                self.tell.remove(&stream);
            }
        }
    }

    fn open(&mut self, stream: StreamId, transport: MediaTransport, local: IpAddr) {
        let reports = self.reporter.clone();
        if let Some(sink) = self.media.sink() {
            let seat = sink.seat(stream, transport, local, reports);
            self.seats.insert(stream, seat);
            return;
        }
        let (tell, told) = mpsc::unbounded_channel();
        if self.tell.insert(stream, tell).is_some() {
            tracing::warn!(?stream, "a stream was opened twice; the first one ends");
        }
        let life = Stream::new(stream, transport, self.clock, self.media.clone(), reports);
        self.tasks.spawn(life.run(local, told));
    }

    /// The next report; never ends while there is none.
    pub(super) async fn next(&mut self) -> Report {
        match self.reports.recv().await {
            Some(report) => report,
            // Cannot be: a sender is kept here.
            None => std::future::pending().await,
        }
    }

    /// Stops every stream and waits, not for long, until they are gone.
    pub(super) async fn end(mut self) {
        self.tell.clear();
        self.seats.clear();
        let farewell = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }

    fn tell(&mut self, stream: StreamId, told: Told) {
        let stops = matches!(told, Told::Stop);
        let heard = self.tell.get(&stream).map(|tell| tell.send(told));
        if matches!(heard, Some(Ok(()))) {
            return;
        }
        tracing::debug!(?stream, "an order for a stream that is not open");
        if stops {
            let _ = self.reporter.send(Report::ended(stream));
        }
    }
}
