//! Many nodes in virtual time, on a network ruled by a seed.
//!
//! Time passes only when a test says so; an hour of keepalives takes milliseconds. Every address
//! is free: a camera may be `10.110.18.75:5060`. The same seed gives the same
//! [`Lab::fingerprint`]. Media is real: the same senders and receivers as on sockets, through
//! pipes of bounded capacity.
//!
//! ```text
//! commands ─> node ─> Output ─┐          ┌─> Input ─> node
//!                             └─ network ┘
//!                          (link, agenda, log)
//! ```

mod agenda;
mod flows;
mod host;
mod link;
mod log;
mod media;
#[cfg(test)]
mod media_tests;
mod network;
#[cfg(test)]
pub(crate) mod parrot;
mod raw;
mod stream;
mod tcp;
#[cfg(test)]
mod tests;

use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::time::Duration;

pub use self::link::Link;
pub use self::log::Packet;
pub use self::raw::{RawState, RawTcp};

use self::flows::FlowTable;
use self::host::{Host, Seat};
use self::media::Streams;
use self::network::{Due, Network};
use self::raw::RawEnds;
use crate::node::{Input, Job, JobId, JobOutcome, Node, Output};
use crate::time::{Instant, Now, Wall};

/// How many things one node may do, or be woken for, in a single moment. More is a node that goes
/// round in circles, which in virtual time would never end.
const CIRCLES: u32 = 100_000;

/// A laboratory. See the [module](self).
pub struct Lab {
    network: Network,
    places: Vec<Option<Place>>,
    flows: FlowTable,
    streams: Streams,
    raw: RawEnds,
    /// Jobs that wait for a test to answer them: by whom, and which.
    jobs: Vec<(usize, JobId, Job)>,
}

/// A node's place.
struct Place {
    ip: IpAddr,
    host: Box<dyn Host>,
    /// When the node wants to be woken.
    wait: Option<Instant>,
    /// The earliest wake-up that is put down.
    wake: Option<Instant>,
    accepted: u32,
    /// The moment the node was last woken, and how often in that moment.
    woken: (Instant, u32),
}

/// A node in a lab.
pub struct Key<N> {
    index: usize,
    node: PhantomData<fn() -> N>,
}

impl<N> Clone for Key<N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Key<N> {}

impl<N> fmt::Debug for Key<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host {}", self.index)
    }
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lab")
            .field("now", &self.network.now)
            .field("hosts", &self.places.len())
            .finish_non_exhaustive()
    }
}

impl Lab {
    /// A lab whose chance comes from `seed`, at 2026-01-01 00:00:00 UTC.
    pub fn new(seed: u64) -> Self {
        Lab::starting(seed, Wall::from_seconds(1_767_225_600))
    }

    /// A lab that starts at a wall time of one's choice.
    pub fn starting(seed: u64, wall: Wall) -> Self {
        let now = Now {
            mono: Instant::ZERO,
            wall,
        };
        Lab {
            network: Network::new(seed, now),
            places: Vec::new(),
            flows: FlowTable::default(),
            streams: Streams::default(),
            raw: RawEnds::default(),
            jobs: Vec::new(),
        }
    }

    /// What time it is.
    pub fn now(&self) -> Now {
        self.network.now
    }

    /// Puts `node` at `ip`, where its unspecified addresses and ports are. It first acts when it
    /// is commanded or told something.
    pub fn add<N>(&mut self, ip: IpAddr, node: N) -> Key<N>
    where
        N: Node + 'static,
        N::Event: fmt::Debug,
    {
        let events = Vec::new();
        self.places.push(Some(Place {
            ip,
            host: Box::new(Seat { node, events }),
            wait: None,
            wake: None,
            accepted: 0,
            woken: (Instant::ZERO, 0),
        }));
        let index = self.places.len() - 1;
        self.obey(index);
        Key {
            index,
            node: PhantomData,
        }
    }

    /// Cuts a node's power: it neither acts nor says goodbye. Connected peers learn nothing.
    pub fn cut_power<N>(&mut self, key: Key<N>) {
        if self
            .places
            .get_mut(key.index)
            .and_then(Option::take)
            .is_none()
        {
            return;
        }
        self.network
            .note(format_args!("host {} loses power", key.index));
        self.streams.cut_power(&mut self.network, key.index);
        self.flows.cut_power(&mut self.network, key.index);
    }

    /// The next port that is given away at `ip` when any will do: a capture tells which it was.
    pub fn set_next_port(&mut self, ip: IpAddr, port: u16) {
        self.network.set_next_port(ip, port);
    }

    /// Commands a node, at once.
    ///
    /// # Panics
    /// When the node is not in this lab or has lost its power.
    pub fn command<N>(&mut self, key: Key<N>, command: N::Command)
    where
        N: Node + 'static,
    {
        let now = self.network.now;
        self.network
            .note(format_args!("host {} commanded", key.index));
        self.seat_mut(key).node.handle(now, Input::Command(command));
        self.obey(key.index);
    }

    /// A node, to look at.
    ///
    /// # Panics
    /// When the node is not in this lab or has lost its power.
    pub fn node<N: Node + 'static>(&self, key: Key<N>) -> &N {
        let place = self.places.get(key.index).and_then(Option::as_ref);
        let seat = place.and_then(|place| place.host.typed().downcast_ref::<Seat<N>>());
        match seat {
            Some(seat) => &seat.node,
            None => panic!("{key:?} is not in this lab"),
        }
    }

    /// What a node has told its owner so far.
    ///
    /// # Panics
    /// When the node is not in this lab or has lost its power.
    pub fn events<N: Node + 'static>(&self, key: Key<N>) -> &[(Now, N::Event)] {
        let place = self.places.get(key.index).and_then(Option::as_ref);
        let seat = place.and_then(|place| place.host.typed().downcast_ref::<Seat<N>>());
        match seat {
            Some(seat) => &seat.events,
            None => panic!("{key:?} is not in this lab"),
        }
    }

    /// Takes what a node has told its owner since the last time.
    ///
    /// # Panics
    /// When the node is not in this lab or has lost its power.
    pub fn take_events<N: Node + 'static>(&mut self, key: Key<N>) -> Vec<(Now, N::Event)> {
        std::mem::take(&mut self.seat_mut(key).events)
    }

    /// Takes the jobs that a node wants done since the last time. A test does them: with
    /// [`Lab::answer_job`], or never.
    pub fn take_jobs<N>(&mut self, key: Key<N>) -> Vec<(JobId, Job)> {
        let of_node = |(host, ..): &mut (usize, JobId, Job)| *host == key.index;
        let taken = self.jobs.extract_if(.., of_node);
        taken.map(|(_, id, job)| (id, job)).collect()
    }

    /// Tells a node what has come of a job.
    pub fn answer_job<N>(&mut self, key: Key<N>, id: JobId, outcome: JobOutcome) {
        self.network
            .note(format_args!("host {} job {} done", key.index, id.0));
        self.tell(key.index, Input::Job { id, outcome });
    }

    /// Every link that has none of its own.
    pub fn set_links(&mut self, link: Link) {
        self.network.links.set_default(link);
    }

    /// One direction between two addresses, from now on.
    pub fn set_link(&mut self, from: IpAddr, to: IpAddr, link: Link) {
        self.network.links.set(from, to, link);
    }

    /// Keeps the log's text from now on, for [`Lab::log`].
    pub fn keep_log(&mut self) {
        self.network.log.keep_lines();
    }

    /// What happened, a line each: seconds since the start, and what.
    pub fn log(&self) -> &[String] {
        self.network.log.lines()
    }

    /// One number for all that happened, whether its text is kept or not.
    pub fn fingerprint(&self) -> u64 {
        self.network.log.fingerprint()
    }

    /// Keeps every signalling message on the wire from now on, for [`Lab::packets`].
    pub fn sniff(&mut self) {
        self.network.log.keep_packets();
    }

    /// What was on the wire, in order; lost datagrams too.
    pub fn packets(&self) -> &[Packet] {
        self.network.log.packets()
    }

    /// Lets time pass.
    pub fn run_for(&mut self, time: Duration) {
        let end = self.network.now.after(time);
        while self.step(end.mono) {}
        self.network.now = end;
    }

    /// Lets time pass until `done`, at most `limit`. Whether it was done in time.
    pub fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&mut Lab) -> bool) -> bool {
        let end = self.network.now.after(limit);
        loop {
            if done(self) {
                return true;
            }
            if !self.step(end.mono) {
                self.network.now = end;
                return done(self);
            }
        }
    }

    /// Lets the next thing happen, if it is due by `end`.
    fn step(&mut self, end: Instant) -> bool {
        let Some((at, due)) = self.network.agenda.take(end) else {
            return false;
        };
        self.network.now = self.network.now.after(at.since(self.network.now.mono));
        self.happen(due);
        true
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Wake(host) => self.wake(host),
            Due::Opened(host, flow, serial, how) => self.flow_opened(host, flow, serial, how),
            Due::Report(host, report) => self.tell(host, Input::Media(report)),
            Due::Datagram { from, to, bytes } => self.datagram(from, to, bytes),
            Due::Knock(connection) => self.knock(connection),
            Due::Answer(connection, connected) => self.answered(connection, connected),
            Due::Arrive(connection, side, arrival) => self.arrive(connection, side, arrival),
            Due::Frame(host, stream) => self.streams.frame(&mut self.network, host, stream),
            Due::Progress(host, stream) => self.streams.progress(&mut self.network, host, stream),
        }
    }

    fn wake(&mut self, host: usize) {
        let now = self.network.now.mono;
        let Some(Some(place)) = self.places.get_mut(host) else {
            return;
        };
        if place.wake.is_some_and(|wake| wake <= now) {
            place.wake = None;
        }
        if place.wait.is_none_or(|wait| wait > now) {
            self.set_alarm(host);
            return;
        }
        place.woken = match place.woken {
            (moment, times) if moment == now => (now, times + 1),
            _ => (now, 0),
        };
        assert!(
            place.woken.1 < CIRCLES,
            "host {host} waits for a time that has come"
        );
        self.tell(host, Input::Tick);
    }

    fn tell(&mut self, host: usize, input: Input<std::convert::Infallible>) {
        let Some(Some(place)) = self.places.get_mut(host) else {
            return;
        };
        place.host.handle(self.network.now, input);
        self.obey(host);
    }

    /// Does what a host wants done, until it wants to wait.
    fn obey(&mut self, host: usize) {
        for _ in 0..CIRCLES {
            let Some(Some(place)) = self.places.get_mut(host) else {
                return;
            };
            match place.host.poll(self.network.now) {
                Output::Open { flow, how } => self.open_flow(host, flow, how),
                Output::Close(flow) => self.flows.close(&mut self.network, host, flow),
                Output::Send { flow, to, bytes } => self.send(host, flow, to, bytes),
                Output::Media(order) => {
                    let ip = place.ip;
                    self.streams.order(&mut self.network, host, ip, order);
                }
                Output::Job { id, job } => {
                    self.network
                        .note(format_args!("host {host} job {}: {}", id.0, job.url));
                    self.jobs.push((host, id, *job));
                }
                Output::Event(text) => self.network.note(format_args!("host {host}: {text}")),
                Output::Wait(until) => {
                    place.wait = until;
                    self.set_alarm(host);
                    return;
                }
            }
        }
        panic!("host {host} never wants to wait");
    }

    fn set_alarm(&mut self, host: usize) {
        let Some(Some(place)) = self.places.get_mut(host) else {
            return;
        };
        let Some(wait) = place.wait else {
            return;
        };
        if place.wake.is_none_or(|wake| wait < wake) {
            place.wake = Some(wait);
            self.network.put_at(wait, Due::Wake(host));
        }
    }

    fn seat_mut<N: Node + 'static>(&mut self, key: Key<N>) -> &mut Seat<N> {
        let place = self.places.get_mut(key.index).and_then(Option::as_mut);
        let seat = place.and_then(|place| place.host.typed_mut().downcast_mut::<Seat<N>>());
        match seat {
            Some(seat) => seat,
            None => panic!("{key:?} is not in this lab"),
        }
    }
}
