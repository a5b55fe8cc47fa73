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
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::clock::Clock;
use super::line::Socket;
use super::media::Media;
use super::pump::FromPump;
use super::{scratch, socket};
use crate::media::receiver::Receiver;
use crate::media::{
    Counts, Expected, Flowing, Framing, Loss, MediaTransport, Report, SenderConfig, StreamId,
};

/// How often a receiving stream says how it stands.
const PROGRESS: Duration = Duration::from_secs(1);

/// How many datagrams are read before the task looks around.
const READS: usize = 64;

/// An order to a stream that is open. No more orders means stop.
#[derive(Debug)]
pub(super) enum Told {
    Start { remote: SocketAddr, what: Flowing },
    KeyFrame,
    Stop,
}

type Orders = mpsc::UnboundedReceiver<Told>;

#[derive(Debug)]
pub(super) struct Stream {
    id: StreamId,
    transport: MediaTransport,
    clock: Clock,
    media: Media,
    reports: mpsc::UnboundedSender<Report>,
    counts: Counts,
    /// What is received now, or was until the connection broke.
    receiver: Option<(Arc<Expected>, Receiver)>,
}

/// What a stream holds from open to end.
#[derive(Debug)]
enum Door {
    Udp {
        rtp: std::net::UdpSocket,
        rtcp: Option<UdpSocket>,
    },
    Active(IpAddr),
    Passive(TcpListener),
}

/// A way to the peer.
#[derive(Debug)]
enum Way {
    Udp(std::net::UdpSocket),
    Tcp(TcpStream),
}

impl Stream {
    pub(super) fn new(
        id: StreamId,
        transport: MediaTransport,
        clock: Clock,
        media: Media,
        reports: mpsc::UnboundedSender<Report>,
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
        let (door, local) = match Door::open(self.transport, local) {
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
                Some(Told::KeyFrame) => orders.recv().await,
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
        let receives = matches!(what, Flowing::In(_));
        let way = {
            let way = door.way(remote, receives);
            tokio::pin!(way);
            loop {
                tokio::select! {
                    way = &mut way => break way,
                    told = orders.recv() => match told {
                        Some(Told::KeyFrame) => {}
                        told => return told,
                    },
                }
            }
        };
        let flowed = match (way, what) {
            (Ok(way), Flowing::Out(config)) => self.send(door, way, config, orders).await,
            (Ok(way), Flowing::In(expected)) => self.receive(way, expected, orders).await,
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
        door: &Door,
        way: Way,
        config: Arc<SenderConfig>,
        orders: &mut Orders,
    ) -> Result<Option<Told>, Loss> {
        let socket = way.into_socket().map_err(failed)?;
        let (owner, mut pumped) = mpsc::unbounded_channel();
        let fed = self.media.least_loaded();
        let fed = fed.and_then(|pump| pump.add(socket, config, owner));
        let fed = fed.ok_or_else(|| Loss::Failed("no pump runs".into()))?;
        let mut until = None;
        loop {
            tokio::select! {
                word = pumped.recv() => match word {
                    Some(FromPump::Started) => {
                        let stream = self.id;
                        self.report(Report::Started { stream });
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
                    told => {
                        until = told;
                        fed.stop();
                    }
                },
                () = door.hear_rtcp() => self.counts.returned += 1,
            }
        }
    }

    /// Receives until an order ends it: that order.
    async fn receive(
        &mut self,
        way: Way,
        expected: Arc<Expected>,
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
                told = orders.recv() => match told {
                    Some(Told::KeyFrame) => {}
                    told => break Ok(told),
                },
                _ = progress.tick() => {
                    let verdict = Box::new(receiver.1.verdict());
                    self.report(Report::Progress { stream, verdict });
                }
            }
        };
        receiver.1.finish();
        self.receiver = Some(receiver);
        ended
    }

    /// The receiver of a connection that broke goes on when the same is expected again.
    fn receiver(&mut self, expected: Arc<Expected>, framing: Framing) -> (Arc<Expected>, Receiver) {
        match self.receiver.take() {
            Some((same, mut receiver)) if Arc::ptr_eq(&same, &expected) => {
                receiver.reconnected();
                (same, receiver)
            }
            _ => {
                let receiver = Receiver::new(expected.clone(), framing);
                (expected, receiver)
            }
        }
    }

    fn end(mut self, error: Option<String>) {
        let mut receiver = self.receiver.take().map(|(_, receiver)| receiver);
        let recording = receiver.as_mut().map(Receiver::take_recording);
        self.report(Report::Ended {
            stream: self.id,
            counts: self.counts,
            verdict: receiver.map(|receiver| Box::new(receiver.verdict())),
            recording: recording.map(Bytes::from).unwrap_or_default(),
            error,
        });
    }

    fn count(&mut self, more: Counts) {
        let all = &mut self.counts;
        all.frames += more.frames;
        all.packets += more.packets;
        all.octets += more.octets;
        all.dropped += more.dropped;
        all.late += more.late;
        all.returned += more.returned;
    }

    fn report(&self, report: Report) {
        // A node that has ended needs no reports.
        let _ = self.reports.send(report);
    }
}

impl Door {
    fn open(transport: MediaTransport, local: IpAddr) -> io::Result<(Door, SocketAddr)> {
        match transport {
            MediaTransport::Udp => {
                let (rtp, rtcp) = socket::rtp_pair(local)?;
                let address = rtp.local_addr()?;
                let rtcp = rtcp.map(UdpSocket::from_std).transpose()?;
                Ok((Door::Udp { rtp, rtcp }, address))
            }
            MediaTransport::TcpActive => Ok((Door::Active(local), SocketAddr::new(local, 0))),
            MediaTransport::TcpPassive => {
                let listener = socket::listener(SocketAddr::new(local, 0))?;
                let address = listener.local_addr()?;
                Ok((Door::Passive(TcpListener::from_std(listener)?), address))
            }
        }
    }

    /// Finds the peer: connects to it, or waits for it.
    async fn way(&self, remote: SocketAddr, receives: bool) -> io::Result<Way> {
        match self {
            Door::Udp { rtp, .. } => {
                let rtp = rtp.try_clone()?;
                if receives {
                    socket::expect_much(&rtp);
                } else {
                    rtp.connect(remote)?;
                }
                Ok(Way::Udp(rtp))
            }
            Door::Active(local) => {
                let local = SocketAddr::new(*local, 0);
                Ok(Way::Tcp(socket::connect(local, remote).await?))
            }
            Door::Passive(listener) => Ok(Way::Tcp(listener.accept().await?.0)),
        }
    }

    /// Waits for one datagram on the RTCP port, and forgets it.
    async fn hear_rtcp(&self) {
        let Door::Udp {
            rtcp: Some(rtcp), ..
        } = self
        else {
            return std::future::pending().await;
        };
        loop {
            if rtcp.readable().await.is_err() {
                return std::future::pending().await;
            }
            if scratch::with(|buffer| rtcp.try_recv(buffer)).is_ok() {
                return;
            }
        }
    }
}

impl Way {
    fn into_socket(self) -> io::Result<Socket> {
        Ok(match self {
            Way::Udp(socket) => Socket::Udp(socket),
            Way::Tcp(stream) => Socket::Tcp(stream.into_std()?),
        })
    }
}

/// A socket that media comes from.
#[derive(Debug)]
enum Source {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

/// What one reading brought.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    Octets(usize),
    End,
}

impl Source {
    fn new(way: Way) -> io::Result<Source> {
        Ok(match way {
            Way::Udp(socket) => Source::Udp(UdpSocket::from_std(socket)?),
            Way::Tcp(stream) => Source::Tcp(stream),
        })
    }

    fn framing(&self) -> Framing {
        match self {
            Source::Udp(_) => Framing::Datagram,
            Source::Tcp(_) => Framing::Stream,
        }
    }

    async fn readable(&self) -> io::Result<()> {
        match self {
            Source::Udp(socket) => socket.readable().await,
            Source::Tcp(stream) => stream.readable().await,
        }
    }

    /// Hands what has arrived to `receiver`.
    fn read(&self, clock: Clock, receiver: &mut Receiver) -> io::Result<Read> {
        let mut all = 0;
        for _ in 0..READS {
            let read = scratch::with(|buffer| match self {
                Source::Udp(socket) => read_datagram(socket, buffer, clock, receiver),
                Source::Tcp(stream) => read_octets(stream, buffer, clock, receiver),
            });
            match read {
                Ok(Read::Octets(octets)) => all += octets,
                Ok(Read::End) => return Ok(Read::End),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Read::Octets(all))
    }
}

fn read_datagram(
    socket: &UdpSocket,
    buffer: &mut [u8],
    clock: Clock,
    receiver: &mut Receiver,
) -> io::Result<Read> {
    let receive = || socket::receive(socket, buffer);
    let (octets, dropped) = socket.try_io(tokio::io::Interest::READABLE, receive)?;
    if let Some(dropped) = dropped {
        receiver.kernel_drops(dropped.into());
    }
    receiver.datagram(clock.mono(), buffer.get(..octets).unwrap_or_default());
    Ok(Read::Octets(octets))
}

fn read_octets(
    stream: &TcpStream,
    buffer: &mut [u8],
    clock: Clock,
    receiver: &mut Receiver,
) -> io::Result<Read> {
    let octets = stream.try_read(buffer)?;
    if octets == 0 {
        return Ok(Read::End);
    }
    receiver.octets(clock.mono(), buffer.get(..octets).unwrap_or_default());
    Ok(Read::Octets(octets))
}

fn failed(error: io::Error) -> Loss {
    match error.kind() {
        io::ErrorKind::ConnectionReset => Loss::Closed,
        _ => Loss::Failed(error.to_string()),
    }
}
