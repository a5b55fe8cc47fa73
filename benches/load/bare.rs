//! B: the bare loop. It writes what the pump would write, one call a frame, on the same tick, from
//! lists of slices made beforehand: no headers are filled in, no stream is looked after.

use std::io::{self, IoSlice, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};
use socket2::SockRef;
use vcam::media::{Cut, Framing, Sender, SenderConfig};
use vcam::net::Socket;

use super::clip::{self, FPS, FRAMES};
use super::machine::{self, Cores};
use super::plan::{Outcome, Over, Plan};

const TICK: Duration = Duration::from_millis(5);

/// One frame's octets: headers and data in turn.
struct Frame {
    heads: Vec<Vec<u8>>,
    index: usize,
}

/// What was sent in one tick.
struct Tick {
    begun: Duration,
    ended: Duration,
    turns: std::ops::Range<u64>,
}

struct Bare<'a> {
    plan: Plan,
    sockets: &'a [Socket],
    slices: &'a [Vec<IoSlice<'a>>],
    /// Streams in the order in which their frames fall due: when, and how far into the clip.
    order: Vec<(Duration, usize, usize)>,
    /// What a stream has still to write of a frame.
    unsent: Vec<Option<(usize, usize)>>,
    behind: Vec<usize>,
    origin: Instant,
    turn: u64,
    octets: u64,
    frames: u64,
}

/// Sends as planned.
pub fn run(plan: Plan) -> Outcome {
    let sockets = plan.sockets();
    sockets.iter().for_each(tune);
    let cut = clip::cut(plan.payload);
    let frames = frames(&cut, plan.over);
    let slices: Vec<_> = frames.iter().map(|frame| frame.slices(&cut)).collect();
    let mut bare = Bare {
        plan,
        sockets: &sockets,
        slices: &slices,
        order: order(&plan),
        unsent: vec![None; plan.streams],
        behind: Vec::new(),
        origin: Instant::now(),
        turn: 0,
        octets: 0,
        frames: 0,
    };
    bare.until(Plan::START);
    let (cores, cpu) = (Cores::now(), machine::cpu());
    let (octets, written) = (bare.octets, bare.frames);
    let begun = Instant::now();
    let ticks = bare.until(bare.origin.elapsed() + Duration::from_secs_f64(plan.seconds));
    let used = machine::cpu() - cpu;
    Outcome {
        cpu: used.as_secs_f64(),
        seconds: begun.elapsed().as_secs_f64(),
        octets: bare.octets - octets,
        frames: bare.frames - written,
        late: bare.late(&ticks),
        resident: machine::resident(),
        clip: cut.clip().data().len() as u64,
        empty: 0,
        stolen: Cores::now().stolen_since(cores),
    }
}

/// What the pump asks of its sockets, except that segments have one length for good.
fn tune(socket: &Socket) {
    const NOTSENT_LOWAT: u32 = 256 * 1024;
    const SEGMENT: i32 = 1412;
    match socket {
        Socket::Tcp(stream) => {
            stream.set_nodelay(true).expect("no delay");
            let limited = SockRef::from(stream).set_tcp_notsent_lowat(NOTSENT_LOWAT);
            limited.expect("a limit");
        }
        Socket::Udp { rtp: socket, .. } => {
            setsockopt(socket, UdpGsoSegment, &SEGMENT).expect("segmentation offload");
        }
    }
}

/// The frames of the clip with the headers of one stream.
fn frames(cut: &Arc<Cut>, over: Over) -> Vec<Frame> {
    let framing = match over {
        Over::Tcp => Framing::Stream,
        Over::Udp => Framing::Datagram,
    };
    let config = Arc::new(SenderConfig::new(cut.clone(), 1));
    let mut sender = Sender::new(config, framing, vcam::time::Instant::ZERO);
    let mut frame = |index| {
        let now = sender.next_due().expect("never blocked");
        let mut buffer = Vec::new();
        let batch = sender.batch(now, &mut buffer).expect("a frame is due");
        let heads = batch.packets().map(|[head, _]| head.to_vec()).collect();
        let octets = batch.len();
        sender.wrote(now, octets);
        Frame { heads, index }
    };
    (0..FRAMES).map(&mut frame).collect()
}

impl Frame {
    fn slices<'a>(&'a self, cut: &'a Cut) -> Vec<IoSlice<'a>> {
        let packets = cut.packets(self.index).iter();
        let data = packets.map(|packet| cut.data(self.index, packet));
        let pairs = self.heads.iter().map(Vec::as_slice).zip(data);
        pairs
            .flat_map(|(head, data)| [head, data])
            .map(IoSlice::new)
            .collect()
    }
}

fn order(plan: &Plan) -> Vec<(Duration, usize, usize)> {
    let interval = interval();
    let mut order: Vec<_> = (0..plan.streams)
        .map(|stream| {
            let frames = plan.phase(stream).as_nanos() / interval.as_nanos();
            let within = plan.phase(stream).as_nanos() % interval.as_nanos();
            (Duration::from_nanos(within as u64), stream, frames as usize)
        })
        .collect();
    order.sort();
    order
}

fn interval() -> Duration {
    Duration::from_secs(1) / FPS as u32
}

impl Bare<'_> {
    /// Sends until `end`, counted from the origin.
    fn until(&mut self, end: Duration) -> Vec<Tick> {
        let mut ticks = Vec::with_capacity(65_536);
        let mut next = self.origin.elapsed();
        while next < end {
            std::thread::sleep(next.saturating_sub(self.origin.elapsed()));
            let begun = self.origin.elapsed();
            let first = self.turn;
            self.catch_up();
            while self.due(self.turn) <= begun {
                let (_, stream, ahead) = self.order[(self.turn % self.streams()) as usize];
                let cycle = (self.turn / self.streams()) as usize;
                self.send(stream, (ahead + cycle) % FRAMES);
                self.turn += 1;
            }
            let ended = self.origin.elapsed();
            ticks.push(Tick {
                begun,
                ended,
                turns: first..self.turn,
            });
            while next <= ended {
                next += TICK;
            }
        }
        ticks
    }

    fn streams(&self) -> u64 {
        self.plan.streams as u64
    }

    fn due(&self, turn: u64) -> Duration {
        let (phase, ..) = self.order[(turn % self.streams()) as usize];
        phase + interval() * (turn / self.streams()) as u32
    }

    fn send(&mut self, stream: usize, frame: usize) {
        // A frame that finds the one before unsent is left out.
        if self.unsent[stream].is_none() {
            self.write(stream, frame, 0);
        }
    }

    fn write(&mut self, stream: usize, frame: usize, from: usize) {
        let slices = &self.slices[frame];
        let length: usize = slices.iter().map(|slice| slice.len()).sum();
        let written = match &self.sockets[stream] {
            Socket::Tcp(stream) if from == 0 => {
                (&mut &*stream as &mut &TcpStream).write_vectored(slices)
            }
            Socket::Tcp(stream) => {
                (&mut &*stream as &mut &TcpStream).write_vectored(&rest(slices, from))
            }
            Socket::Udp { rtp: socket, .. } => SockRef::from(socket).send_vectored(slices),
        };
        let end = from + count(written);
        self.octets += (end - from) as u64;
        if end == length {
            self.frames += 1;
        } else {
            self.unsent[stream] = Some((frame, end));
            self.behind.push(stream);
        }
    }

    /// Goes on with frames that the kernel did not take whole.
    fn catch_up(&mut self) {
        for stream in std::mem::take(&mut self.behind) {
            if let Some((frame, from)) = self.unsent[stream].take() {
                self.write(stream, frame, from);
            }
        }
    }

    /// Lateness in microseconds: the frames of a tick leave one after the other.
    fn late(&self, ticks: &[Tick]) -> [u64; 3] {
        let mut late: Vec<u64> = Vec::new();
        for tick in ticks {
            let count = (tick.turns.end - tick.turns.start).max(1) as u32;
            for (place, turn) in tick.turns.clone().enumerate() {
                let left = tick.begun + (tick.ended - tick.begun) * place as u32 / count;
                late.push(left.saturating_sub(self.due(turn)).as_micros() as u64);
            }
        }
        late.sort_unstable();
        let at = |share: f64| late.get((late.len() as f64 * share) as usize).copied();
        [at(0.5), at(0.99), late.last().copied()].map(Option::unwrap_or_default)
    }
}

fn rest<'a>(slices: &[IoSlice<'a>], mut from: usize) -> Vec<IoSlice<'a>> {
    let mut rest = slices.to_vec();
    let mut list = rest.as_mut_slice();
    IoSlice::advance_slices(&mut list, std::mem::take(&mut from));
    list.to_vec()
}

fn count(written: io::Result<usize>) -> usize {
    match written {
        Ok(octets) => octets,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
        Err(error) => panic!("the sink is gone: {error}"),
    }
}
