//! The pump: one future that owns many sending streams and their sockets, and wakes on one tick.
//!
//! A stream costs one system call per frame (TCP: a vectored write; UDP: a segmented send per
//! batch). Payload is never copied and nothing is allocated per frame; whether a socket is
//! writable is the runtime's cached knowledge, so a frozen peer costs no system calls.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::sync::{mpsc, oneshot};
use tokio::time::MissedTickBehavior;

use super::clock::Clock;
use super::line::{Line, Socket, Tools};
use crate::media::{Counts, Loss, SenderConfig};

/// How often the pump looks what is due.
const TICK: Duration = Duration::from_millis(5);

/// Each stream looks for what came back every so many ticks: about once a second.
const LOOK_BACK: u64 = 200;

/// How many ticks a frame that has begun may take to leave when its stream is stopped.
const FAREWELL: u64 = 40;

/// The pump's end of its handles. Spawn [`Pump::run`] on a runtime, or use [`Pump::on_thread`].
#[derive(Debug)]
pub struct Pump {
    clock: Clock,
    orders: mpsc::UnboundedReceiver<ToPump>,
    load: Arc<AtomicU64>,
    streams: Vec<Stream>,
    places: HashMap<u64, usize>,
    ticks: u64,
    tools: Tools,
    lateness: Histogram<u64>,
}

/// The way to a pump.
#[derive(Clone, Debug)]
pub struct PumpHandle {
    orders: mpsc::UnboundedSender<ToPump>,
    load: Arc<AtomicU64>,
    keys: Arc<AtomicU64>,
}

/// A stream in a pump; dropping it ends the stream.
#[derive(Debug)]
pub(super) struct Fed {
    pump: PumpHandle,
    key: u64,
    stopped: Cell<bool>,
}

/// What a pump tells the owner of a stream.
#[derive(Debug)]
pub(super) enum FromPump {
    /// The first octets have left.
    Started,
    /// The stream is out of the pump because its socket failed.
    Lost(Loss, Counts),
    /// The stream is out of the pump because it was stopped.
    Stopped(Counts),
}

#[derive(Debug)]
enum ToPump {
    Add(Box<New>),
    KeyFrame(u64),
    Stop(u64),
    Lateness(oneshot::Sender<Histogram<u64>>),
}

#[derive(Debug)]
struct New {
    key: u64,
    socket: Socket,
    config: Arc<SenderConfig>,
    owner: mpsc::UnboundedSender<FromPump>,
}

#[derive(Debug)]
struct Stream {
    key: u64,
    line: Line,
    owner: mpsc::UnboundedSender<FromPump>,
    bit_rate: u64,
    started: bool,
    /// Stopped: leaves at this tick, or as soon as no frame is half sent.
    leaves: Option<u64>,
}

impl PumpHandle {
    /// Bits per second that the pump's streams want to send.
    pub fn load(&self) -> u64 {
        self.load.load(Ordering::Relaxed)
    }

    /// How late frames have left, in microseconds; `None` when the pump has ended.
    pub async fn lateness(&self) -> Option<Histogram<u64>> {
        let (answer, lateness) = oneshot::channel();
        self.orders.send(ToPump::Lateness(answer)).ok()?;
        lateness.await.ok()
    }

    /// Puts a stream into the pump; `None` when the pump has ended.
    pub(super) fn add(
        &self,
        socket: Socket,
        config: Arc<SenderConfig>,
        owner: mpsc::UnboundedSender<FromPump>,
    ) -> Option<Fed> {
        let key = self.keys.fetch_add(1, Ordering::Relaxed);
        let new = New {
            key,
            socket,
            config,
            owner,
        };
        let bit_rate = new.config.cut.bit_rate();
        self.orders.send(ToPump::Add(Box::new(new))).ok()?;
        self.load.fetch_add(bit_rate, Ordering::Relaxed);
        let pump = self.clone();
        let stopped = Cell::new(false);
        Some(Fed { pump, key, stopped })
    }
}

impl Fed {
    /// The next frame shall be a key frame.
    pub(super) fn key_frame(&self) {
        let _ = self.pump.orders.send(ToPump::KeyFrame(self.key));
    }

    /// Ends the stream after the frame that has begun; [`FromPump::Stopped`] follows, unless it
    /// has been lost before.
    pub(super) fn stop(&self) {
        if !self.stopped.replace(true) {
            let _ = self.pump.orders.send(ToPump::Stop(self.key));
        }
    }

    /// Whether [`Fed::stop`] was called.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.get()
    }
}

impl Drop for Fed {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Pump {
    /// A pump and the way to it. It runs until every handle is dropped.
    pub fn new(clock: Clock) -> (PumpHandle, Pump) {
        let (sender, orders) = mpsc::unbounded_channel();
        let load = Arc::new(AtomicU64::new(0));
        let handle = PumpHandle {
            orders: sender,
            load: load.clone(),
            keys: Arc::new(AtomicU64::new(0)),
        };
        let pump = Pump {
            clock,
            orders,
            load,
            streams: Vec::new(),
            places: HashMap::new(),
            ticks: 0,
            tools: Tools::default(),
            lateness: empty_histogram(),
        };
        (handle, pump)
    }

    /// A pump on a thread of its own, which ends when every handle is dropped.
    pub fn on_thread(clock: Clock, name: &str) -> io::Result<PumpHandle> {
        let (handle, pump) = Pump::new(clock);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || runtime.block_on(pump.run()))?;
        Ok(handle)
    }

    /// Runs until every handle is dropped. Without streams it sleeps.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                _ = tick.tick(), if !self.streams.is_empty() => self.tick(),
            }
        }
    }

    fn obey(&mut self, order: ToPump) {
        match order {
            ToPump::Add(new) => self.add(*new),
            ToPump::KeyFrame(key) => {
                if let Some(stream) = self.find(key) {
                    stream.line.key_frame();
                }
            }
            ToPump::Stop(key) => {
                let now = self.ticks;
                if let Some(stream) = self.find(key)
                    && stream.leaves.is_none()
                {
                    stream.leaves = Some(now + FAREWELL);
                }
            }
            ToPump::Lateness(answer) => {
                let _ = answer.send(self.lateness.clone());
            }
        }
    }

    fn find(&mut self, key: u64) -> Option<&mut Stream> {
        let place = *self.places.get(&key)?;
        self.streams.get_mut(place)
    }

    fn add(&mut self, new: New) {
        let bit_rate = new.config.cut.bit_rate();
        match Line::new(new.socket, new.config, self.clock.mono()) {
            Ok(line) => {
                self.places.insert(new.key, self.streams.len());
                self.streams.push(Stream {
                    key: new.key,
                    line,
                    owner: new.owner,
                    bit_rate,
                    started: false,
                    leaves: None,
                });
            }
            Err(error) => {
                self.load.fetch_sub(bit_rate, Ordering::Relaxed);
                let lost = FromPump::Lost(Loss::Failed(error.to_string()), Counts::default());
                let _ = new.owner.send(lost);
            }
        }
    }

    fn tick(&mut self) {
        self.ticks += 1;
        let mut place = 0;
        while place < self.streams.len() {
            match self.serve(place) {
                // Another stream has taken the place.
                Some(last) => self.remove(place, last),
                None => place += 1,
            }
        }
    }

    /// Sends what is due on one stream; its last word when it leaves the pump.
    fn serve(&mut self, place: usize) -> Option<FromPump> {
        let stream = self.streams.get_mut(place)?;
        let line = &mut stream.line;
        if let Some(at) = stream.leaves
            && (at <= self.ticks || !line.is_mid_frame())
        {
            return Some(FromPump::Stopped(line.counts()));
        }
        let mut served = line.send(self.clock, &mut self.tools, stream.leaves.is_some());
        if (self.ticks + place as u64).is_multiple_of(LOOK_BACK) {
            served = served.and_then(|()| line.look_back());
        }
        for late in self.tools.lateness.drain(..) {
            let micros = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
            self.lateness.saturating_record(micros);
            if !stream.started {
                stream.started = true;
                let _ = stream.owner.send(FromPump::Started);
            }
        }
        let loss = served.err()?;
        Some(FromPump::Lost(loss, line.counts()))
    }

    fn remove(&mut self, place: usize, last: FromPump) {
        let stream = self.streams.swap_remove(place);
        self.places.remove(&stream.key);
        if let Some(moved) = self.streams.get(place) {
            self.places.insert(moved.key, place);
        }
        self.load.fetch_sub(stream.bit_rate, Ordering::Relaxed);
        let _ = stream.owner.send(last);
    }
}

/// Microseconds to a minute, three digits.
fn empty_histogram() -> Histogram<u64> {
    const MINUTE: u64 = 60_000_000;
    Histogram::new_with_bounds(1, MINUTE, 3)
        .or_else(|_| Histogram::new(3))
        .expect("three significant digits are allowed")
}
