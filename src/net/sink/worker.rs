//! The one task of a sink.

mod reading;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{self, MissedTickBehavior};

use super::guests::{GuestId, Guests, Is};
use super::ledger::{Ledger, Stream};
use super::{SinkConfig, SinkHandle, Start, ToSink};
use crate::media::receiver::{Check, Receiver};
use crate::media::{Framing, Loss, MediaTransport, Report};
use crate::net::bell::Bell;
use crate::net::clock::Clock;
use crate::net::socket;
use crate::time::Instant;

/// The least time from one round of reading connections to the next: what comes in between is
/// read together. Those that have not said whose they are do not wait longer.
const PAUSE: Duration = Duration::from_millis(2);
/// How much longer the others wait for each of them there is, and at most: with thousands of
/// connections, several frames of each are read at once.
const PAUSE_EACH: Duration = Duration::from_micros(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// How often old things are looked after.
const TICK: Duration = Duration::from_secs(1);
/// Octets of the one read buffer.
const BUFFER: usize = 256 * 1024;

/// A sink about to run. See [`SinkHandle::spawn`].
#[derive(Debug)]
pub struct Sink {
    config: SinkConfig,
    clock: Clock,
    orders: mpsc::UnboundedReceiver<ToSink>,
    tcp: TcpListener,
    udp: UdpSocket,
    /// Connections whose stream is not known yet, and the others.
    front: Arc<Bell>,
    back: Arc<Bell>,
    guests: Guests,
    ledger: Ledger,
    /// Connections that have named an SSRC before it was expected.
    waiting: HashMap<u32, GuestId>,
    /// The keys of streams that are judged, not only counted.
    judged: Vec<u64>,
    connecting: JoinSet<(u64, io::Result<TcpStream>)>,
    /// No connection can be accepted until the next tick.
    is_full: bool,
    list: Vec<u32>,
    buffer: Box<[u8]>,
}

impl Sink {
    /// Binds the sockets. To be called on the runtime that [`run`](Self::run) will run on.
    pub fn bind(config: SinkConfig, clock: Clock) -> io::Result<(SinkHandle, Sink)> {
        let local = SocketAddr::new(config.ip, config.port);
        let tcp = socket::listener(local)?;
        let udp = socket::udp(local, None)?;
        socket::expect_much(&udp);
        socket::take_groups(&udp);
        let (tcp, udp) = (TcpListener::from_std(tcp)?, UdpSocket::from_std(udp)?);
        let (sender, orders) = mpsc::unbounded_channel();
        let handle = SinkHandle {
            orders: sender,
            keys: Arc::new(AtomicU64::new(0)),
            tcp: tcp.local_addr()?,
            udp: udp.local_addr()?,
        };
        let (front, back) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        let sink = Sink {
            config,
            clock,
            orders,
            tcp,
            udp,
            guests: Guests::new(front.clone(), back.clone()),
            front,
            back,
            ledger: Ledger::default(),
            waiting: HashMap::new(),
            judged: Vec::new(),
            connecting: JoinSet::new(),
            is_full: false,
            list: Vec::new(),
            buffer: vec![0; BUFFER].into_boxed_slice(),
        };
        Ok((handle, sink))
    }

    /// Runs until every handle and every seat is dropped.
    pub async fn run(mut self) {
        let (front, back) = (self.front.clone(), self.back.clone());
        let mut tick = time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = [time::Instant::now(); 2];
        let (mut at_front, mut at_back) = (false, false);
        loop {
            let pause = self.pause();
            tokio::select! {
                biased;
                order = self.orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                _ = tick.tick() => self.tick(),
                () = front.rung(), if !at_front => at_front = true,
                () = back.rung(), if !at_back => at_back = true,
                () = time::sleep_until(last[0] + PAUSE), if at_front => {
                    self.round(&front);
                    (at_front, last[0]) = (false, time::Instant::now());
                    yield_now().await;
                }
                () = time::sleep_until(last[1] + pause), if at_back => {
                    self.round(&back);
                    (at_back, last[1]) = (false, time::Instant::now());
                    yield_now().await;
                }
                accepted = self.tcp.accept(), if !self.is_full => {
                    self.accepted(accepted);
                    yield_now().await;
                }
                ready = self.udp.readable() => {
                    if ready.is_ok() {
                        self.read_datagrams();
                    }
                    yield_now().await;
                }
                Some(connected) = self.connecting.join_next() => self.connected(connected.ok()),
            }
        }
    }

    /// From one round of reading streams to the next.
    fn pause(&self) -> Duration {
        let connections = u32::try_from(self.guests.len()).unwrap_or(u32::MAX);
        let pause = PAUSE_EACH.saturating_mul(connections);
        pause.clamp(PAUSE, LONGEST_PAUSE)
    }

    fn obey(&mut self, order: ToSink) {
        match order {
            ToSink::Start(start) => self.start(*start),
            ToSink::Stop(key, stream, reports) => {
                self.judged.retain(|judged| *judged != key);
                let now = self.clock.mono();
                match self.ledger.end(now, key) {
                    Some((_, guest)) => {
                        if let Some(guest) = guest {
                            self.guests.see_off(now, guest);
                        }
                    }
                    None => {
                        reports.tell(Report::ended(stream));
                    }
                }
            }
            ToSink::Totals(answer) => {
                let unclaimed = self.guests.unclaimed();
                let _ = answer.send(self.ledger.totals(self.guests.len(), unclaimed));
            }
        }
    }

    /// Obeys what was ordered before what comes in now.
    fn catch_up(&mut self) {
        while let Ok(order) = self.orders.try_recv() {
            self.obey(order);
        }
    }

    fn start(&mut self, start: Start) {
        let (key, local) = (start.key, SocketAddr::new(start.local, 0));
        let (transport, remote) = (start.transport, start.remote);
        let ssrc = match self.expect(start) {
            Some(ssrc) => ssrc,
            None => return,
        };
        if transport == MediaTransport::TcpActive {
            let connect = async move { (key, socket::connect(local, remote).await) };
            self.connecting.spawn(connect);
        } else if let Some(guest) = self.waiting.remove(&ssrc) {
            self.adopt(self.clock.mono(), guest, ssrc);
        }
    }

    /// Enters a stream into the ledger, unless it is there already: its SSRC.
    fn expect(&mut self, start: Start) -> Option<u32> {
        let framing = match start.transport {
            MediaTransport::Udp => Framing::Datagram,
            _ => Framing::Stream,
        };
        let (key, id, reports) = (start.key, start.stream, start.reports);
        let failed = |why: &str| {
            let why = Loss::Failed(why.to_owned());
            reports.tell(Report::Lost { stream: id, why });
            None
        };
        let Some(ssrc) = start.expected.ssrc else {
            return failed("a port shared by many streams must know the SSRC");
        };
        match self.ledger.ssrc(key) {
            Some(known) if known == ssrc => return Some(ssrc),
            Some(_) => return failed("the SSRC changed"),
            None => {}
        }
        let is_judged = start.expected.check == Check::Full;
        let receiver = Receiver::new(start.expected, framing);
        let stream = Stream::new(key, id, reports.clone(), receiver);
        if !self.ledger.expect(ssrc, stream) {
            return failed("another stream has the same SSRC");
        }
        if is_judged {
            self.judged.push(key);
        }
        Some(ssrc)
    }

    fn accepted(&mut self, accepted: io::Result<(TcpStream, SocketAddr)>) {
        match accepted {
            Ok((socket, _)) => {
                let now = self.clock.mono();
                self.ledger.totals.accepted += 1;
                let until = now + self.config.patience;
                self.guests.welcome(socket, Is::Unknown, until);
                self.clear(now);
            }
            Err(error) => {
                tracing::warn!(%error, "a media connection was not accepted");
                self.ledger.totals.refused += 1;
                self.is_full = true;
            }
        }
    }

    /// A connection of ours is there, or is not to be had.
    fn connected(&mut self, connected: Option<(u64, io::Result<TcpStream>)>) {
        let Some((key, connected)) = connected else {
            return;
        };
        let Some(ssrc) = self.ledger.ssrc(key) else {
            return;
        };
        let now = self.clock.mono();
        match connected {
            Ok(socket) => {
                let guest = self.guests.welcome(socket, Is::Of(ssrc), now);
                self.adopt(now, guest, ssrc);
            }
            Err(error) => {
                if let Some(stream) = self.ledger.stream(ssrc) {
                    let why = Loss::NotConnected(error.to_string());
                    let stream_id = stream.id;
                    stream.report(Report::Lost {
                        stream: stream_id,
                        why,
                    });
                }
            }
        }
    }

    fn tick(&mut self) {
        let now = self.clock.mono();
        self.is_full = false;
        self.clear(now);
        while let Some(guest) = self.guests.overstaying(now) {
            self.guests.close(guest);
        }
        self.ledger.forget(now);
        self.ledger.progress(&self.judged);
    }

    /// Closes connections that had time enough to say whose they are, or that are too many.
    fn clear(&mut self, now: Instant) {
        while let Some(guest) = self.guests.overdue(now, self.config.unclaimed) {
            match self.guests.close(guest) {
                Some(Is::Waiting(ssrc)) => {
                    self.ledger.totals.strangers += 1;
                    if self.waiting.get(&ssrc) == Some(&guest) {
                        self.waiting.remove(&ssrc);
                    }
                }
                _ => self.ledger.totals.silent += 1,
            }
        }
    }
}
