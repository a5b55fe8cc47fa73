//! The life of one media stream outside the pump: its sockets, its peer, its reports.
//!
//! ```text
//!          Start               connected               lost
//!   open ---------> connecting ----------> flowing ------------> open
//!     \________________ Stop, from anywhere: Ended __________________/
//! ```
//! A Start while something flows replaces it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::MissedTickBehavior;

use super::clock::Clock;
use super::door::{Door, Way};
use super::feed::FromPump;
use super::mailbox::{Reader, Writer, mailbox};
use super::media::Media;
use super::reporter::Reporter;
use super::source::{Read, Source};
use super::talker::Talker;
use crate::media::receiver::Receiver;
use crate::media::{
    Counts, Expected, Flowing, Framing, Loss, MediaTransport, Reeled, Report, SenderConfig, Steer,
    StreamId,
};

/// How often a receiving stream says how it stands.
const PROGRESS: Duration = Duration::from_secs(1);

/// An order to a stream that is open. No more orders means stop.
#[derive(Debug)]
pub(super) enum Told {
    Start { remote: SocketAddr, what: Flowing },
    KeyFrame,
    Steer(Steer),
    Stop,
}

/// What a stream is told.
pub(super) type Orders = Reader<Told>;

/// The way to tell a stream.
pub(super) type Tell = Writer<Told>;

#[derive(Debug)]
pub(super) struct Stream {
    id: StreamId,
    transport: MediaTransport,
    clock: Clock,
    media: Media,
    reports: Reporter,
    counts: Counts,
    /// What is received now, or was until the connection broke.
    receiver: Option<Box<(Arc<Expected>, Receiver)>>,
}

impl Stream {
    pub(super) fn new(
        id: StreamId,
        transport: MediaTransport,
        clock: Clock,
        media: Media,
        reports: Reporter,
    ) -> Self {
        Stream {
            id,
            transport,
            clock,
            media,
            reports,
            counts: Counts::default(),
            receiver: None,
        }
    }

    /// Opens at `local` and obeys until told to stop.
    pub(super) async fn run(mut self, local: IpAddr, mut orders: Orders) {
        let (door, local) = match Door::open(self.transport, local, self.media.has_rtcp()) {
            Ok(opened) => opened,
            Err(error) => return self.end(Some(error.to_string())),
        };
        let stream = self.id;
        self.report(Report::Opened { stream, local });
        let mut next = orders.recv().await;
        loop {
            next = match next {
                Some(Told::Start { remote, what }) => {
                    self.flow(&door, remote, what, &mut orders).await
                }
                Some(Told::KeyFrame | Told::Steer(_)) => orders.recv().await,
                Some(Told::Stop) | None => break,
            };
        }
        self.end(None);
    }

    /// Lets media flow until an order ends or replaces it: that order.
    async fn flow(
        &mut self,
        door: &Door,
        remote: SocketAddr,
        what: Flowing,
        orders: &mut Orders,
    ) -> Option<Told> {
        let receives = !matches!(what, Flowing::Out(_));
        let way = {
            // Boxed, as everything that a sending stream does not need while it sends.
            let mut way = Box::pin(door.way(remote, receives));
            loop {
                tokio::select! {
                    way = &mut way => break way,
                    told = orders.recv() => match told {
                        Some(Told::KeyFrame | Told::Steer(_)) => {}
                        told => return told,
                    },
                }
            }
        };
        let flowed = match (way, what) {
            (Ok(way), Flowing::Out(config)) => self.send(way, config, orders).await,
            (Ok(way), Flowing::In(expected)) => {
                Box::pin(self.receive(way, (expected, None), orders)).await
            }
            (Ok(way), Flowing::Both(config, expected)) => {
                let talker = Talker::new(config, way.framing(), remote, self.clock);
                let both = (expected, Some(talker));
                Box::pin(self.receive(way, both, orders)).await
            }
            (Err(error), _) => Err(Loss::NotConnected(error.to_string())),
        };
        match flowed {
            Ok(told) => told,
            Err(why) => {
                let stream = self.id;
                self.report(Report::Lost { stream, why });
                orders.recv().await
            }
        }
    }

    /// Has a pump send until an order ends it: that order.
    async fn send(
        &mut self,
        way: Way,
        config: Arc<SenderConfig>,
        orders: &mut Orders,
    ) -> Result<Option<Told>, Loss> {
        let socket = way.into_socket(self.media.each_alone()).map_err(failed)?;
        let (owner, mut pumped) = mailbox();
        let fed = self.media.least_loaded();
        let fed = fed.and_then(|pump| pump.add(socket, config, move |word| drop(owner.send(word))));
        let fed = fed.ok_or_else(|| Loss::Failed("no pump runs".into()))?;
        let mut until = None;
        loop {
            tokio::select! {
                word = pumped.recv() => match word {
                    Some(FromPump::Started) => {
                        let stream = self.id;
                        self.report(Report::Started { stream });
                    }
                    Some(FromPump::Reeled(Reeled::Steered(at))) => {
                        let stream = self.id;
                        self.report(Report::Steered { stream, at });
                    }
                    Some(FromPump::Reeled(Reeled::Drained)) => {
                        let stream = self.id;
                        self.report(Report::Drained { stream });
                    }
                    Some(FromPump::Stopped(counts)) => {
                        self.count(counts);
                        return Ok(until);
                    }
                    Some(FromPump::Lost(why, counts)) => {
                        self.count(counts);
                        // Whoever has ended the stream need not hear that it broke.
                        return if fed.is_stopped() { Ok(until) } else { Err(why) };
                    }
                    None => return Err(Loss::Failed("the pump has ended".into())),
                },
                told = orders.recv(), if !fed.is_stopped() => match told {
                    Some(Told::KeyFrame) => fed.key_frame(),
                    Some(Told::Steer(steer)) => fed.steer(steer),
                    told => {
                        until = told;
                        fed.stop();
                    }
                },
            }
        }
    }

    /// Receives, and says what it has to say, until an order ends it: that order.
    async fn receive(
        &mut self,
        way: Way,
        (expected, mut talker): (Arc<Expected>, Option<Talker>),
        orders: &mut Orders,
    ) -> Result<Option<Told>, Loss> {
        let way = Source::new(way).map_err(failed)?;
        let mut receiver = self.receiver(expected, way.framing());
        let stream = self.id;
        let mut progress = tokio::time::interval(PROGRESS);
        progress.set_missed_tick_behavior(MissedTickBehavior::Delay);
        progress.reset();
        let mut started = false;
        let ended = loop {
            tokio::select! {
                ready = way.readable() => {
                    let read = ready.and_then(|()| way.read(self.clock, &mut receiver.1));
                    match read {
                        Ok(Read::Octets(0)) => {}
                        Ok(Read::Octets(_)) if started => {}
                        Ok(Read::Octets(_)) => {
                            started = true;
                            self.report(Report::Started { stream });
                        }
                        Ok(Read::End) => break Err(Loss::Closed),
                        Err(error) => break Err(failed(error)),
                    }
                }
                said = say(&mut talker, &mut receiver.1, &way, self.clock) => match said {
                    Ok(()) if started => {}
                    Ok(()) => {
                        started = true;
                        self.report(Report::Started { stream });
                    }
                    Err(error) => break Err(failed(error)),
                },
                told = orders.recv() => match told {
                    Some(Told::KeyFrame | Told::Steer(_)) => {}
                    told => break Ok(told),
                },
                _ = progress.tick() => {
                    let verdict = Box::new(receiver.1.verdict());
                    self.report(Report::Progress { stream, verdict });
                    self.report_voice(&mut receiver.1);
                }
            }
        };
        receiver.1.finish();
        self.receiver = Some(receiver);
        self.count(talker.map_or_else(Counts::default, |talker| talker.counts()));
        ended
    }

    /// The receiver of a connection that broke goes on when the same is expected again.
    fn receiver(
        &mut self,
        expected: Arc<Expected>,
        framing: Framing,
    ) -> Box<(Arc<Expected>, Receiver)> {
        match self.receiver.take() {
            Some(mut same) if Arc::ptr_eq(&same.0, &expected) => {
                same.1.reconnected();
                same
            }
            _ => {
                let receiver = Receiver::new(expected.clone(), framing);
                Box::new((expected, receiver))
            }
        }
    }

    fn end(mut self, error: Option<String>) {
        let mut receiver = self.receiver.take().map(|receiver| receiver.1);
        if let Some(receiver) = &mut receiver {
            self.report_voice(receiver);
        }
        let recording = receiver.as_mut().map(Receiver::take_recording);
        self.report(Report::Ended {
            stream: self.id,
            counts: self.counts,
            verdict: receiver.map(|receiver| Box::new(receiver.verdict())),
            recording: recording.map(Bytes::from).unwrap_or_default(),
            error,
        });
    }

    fn report_voice(&self, receiver: &mut Receiver) {
        if let Some(samples) = receiver.take_voice() {
            let stream = self.id;
            self.report(Report::Voice { stream, samples });
        }
    }

    fn count(&mut self, more: Counts) {
        self.counts.add(more);
    }

    fn report(&self, report: Report) {
        self.reports.tell(report);
    }
}

impl Drop for Stream {
    /// A stream whose task panics still has its last word.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.report(Report::Ended {
                stream: self.id,
                counts: self.counts,
                verdict: None,
                recording: Bytes::new(),
                error: Some("the task of the stream failed".to_owned()),
            });
        }
    }
}

/// Says something, if there is anybody who does.
async fn say(
    talker: &mut Option<Talker>,
    listener: &mut Receiver,
    to: &Source,
    clock: Clock,
) -> io::Result<()> {
    match talker {
        Some(talker) => talker.say(listener, to, clock).await,
        None => std::future::pending().await,
    }
}

fn failed(error: io::Error) -> Loss {
    match error.kind() {
        io::ErrorKind::ConnectionReset => Loss::Closed,
        _ => Loss::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_panics_has_ended_with_an_error() {
        let (reporter, mut reports) = Reporter::new();
        let (id, udp) = (StreamId(1), MediaTransport::Udp);
        let stream = Stream::new(id, udp, Clock::start(), Media::default(), reporter);
        let thread = std::thread::spawn(move || {
            let _stream = stream;
            panic!("it was told to");
        });
        assert!(thread.join().is_err());
        let report = reports.try_recv().map(|report| *report);
        assert!(matches!(report, Ok(Report::Ended { stream, error: Some(_), .. }) if stream == id));
    }

    #[test]
    fn the_task_of_a_sending_stream_is_small() {
        let (reporter, _reports) = Reporter::new();
        let stream = Stream::new(
            StreamId(1),
            MediaTransport::TcpActive,
            Clock::start(),
            Media::default(),
            reporter,
        );
        let (_tell, orders) = mailbox();
        let task = stream.run(IpAddr::from([127, 0, 0, 1]), orders);
        let octets = size_of_val(&task);
        assert!(octets <= 1024, "{octets}");
    }
}
