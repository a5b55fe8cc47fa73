//! The pump: one future that owns many sending streams and their sockets, and wakes on one tick.
//!
//! A stream costs one system call per frame (TCP: a vectored write; UDP: a segmented send per
//! batch). A tick touches the streams that are due in it and no other. Payload is never copied and
//! nothing is allocated per frame; whether a connection is writable is the runtime's cached
//! knowledge, so a frozen peer costs no system calls.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::clock::Clock;
use super::feed::{FromPump, New, Owner, PumpHandle, PumpReport, ToPump};
use super::line::{Line, Tools};
use super::wheel::Wheel;
use crate::media::{Counts, Loss, Steer};
use crate::time::Instant;

/// How often the pump looks what is due.
const TICK: Duration = Duration::from_millis(5);

/// How finely streams are told apart by when they are due. Finer than a tick: a wake that comes
/// late sends what has fallen due since, instead of leaving it to the next.
const SLOT: Duration = Duration::from_millis(1);

/// What is later, in microseconds, counts as so late.
const MINUTE: u64 = 60_000_000;

/// Each stream looks for what came back every so many slots: about once a second.
const LOOK_BACK: u64 = 1000;

/// How many slots a frame that has begun may take to leave when its stream is stopped.
const FAREWELL: u64 = 200;

/// The pump's end of its handles. Spawn [`Pump::run`] on a runtime, or use [`Pump::on_thread`].
#[derive(Debug)]
pub struct Pump {
    clock: Clock,
    /// When slot 0 was.
    origin: Instant,
    orders: mpsc::UnboundedReceiver<ToPump>,
    load: Arc<AtomicU64>,
    streams: Vec<Option<Stream>>,
    free: Vec<u32>,
    places: HashMap<u64, u32>,
    wheel: Wheel,
    /// The places that are due, kept for their memory.
    due: Vec<u32>,
    tools: Tools,
    lateness: Histogram<u64>,
    /// What streams have sent that are gone.
    past: Counts,
}

#[derive(Debug)]
struct Stream {
    key: u64,
    line: Line,
    owner: Owner,
    bit_rate: u64,
    started: bool,
    /// The slot that it is served in; its place in an earlier one is out of date.
    at: u64,
    /// Looks for what came back from this slot on.
    looks: u64,
    /// Stopped: leaves at this slot, or as soon as no frame is half sent.
    leaves: Option<u64>,
}

impl Pump {
    /// A pump and the way to it. It runs until every handle is dropped.
    pub fn new(clock: Clock) -> (PumpHandle, Pump) {
        let (sender, orders) = mpsc::unbounded_channel();
        let load = Arc::new(AtomicU64::new(0));
        let handle = PumpHandle::new(sender, load.clone());
        let pump = Pump {
            clock,
            origin: clock.mono(),
            orders,
            load,
            streams: Vec::new(),
            free: Vec::new(),
            places: HashMap::new(),
            wheel: Wheel::default(),
            due: Vec::new(),
            tools: Tools::default(),
            lateness: empty_histogram(),
            past: Counts::default(),
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

    /// Runs until every handle and every [`Feed`](super::Feed) is dropped. Without streams it
    /// sleeps.
    pub async fn run(mut self) {
        let mut tick = tokio::time::interval_at(self.clock.deadline(self.origin), TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(order) => self.obey(order),
                    None => return,
                },
                _ = tick.tick(), if !self.places.is_empty() => self.tick(),
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
            ToPump::Steer(key, steer) => self.steer(key, steer),
            ToPump::Stop(key) => self.stop(key),
            ToPump::Report(answer) => {
                let _ = answer.send(self.report());
            }
        }
    }

    fn find(&mut self, key: u64) -> Option<&mut Stream> {
        let place = *self.places.get(&key)?;
        self.streams.get_mut(place as usize)?.as_mut()
    }

    fn add(&mut self, new: New) {
        let bit_rate = new.config.cut.bit_rate();
        let now = self.clock.mono();
        let line = match Line::new(new.socket, new.config, now) {
            Ok(line) => line,
            Err(error) => {
                self.load.fetch_sub(bit_rate, Ordering::Relaxed);
                let why = Loss::Failed(error.to_string());
                new.owner.tell(FromPump::Lost(why, Counts::default()));
                return;
            }
        };
        let place = self.place();
        let due = self.slot_of(line.next_due());
        self.places.insert(new.key, place);
        let stream = Stream {
            key: new.key,
            line,
            owner: new.owner,
            bit_rate,
            started: false,
            at: self.wheel.put(place, due),
            looks: self.wheel.slot() + LOOK_BACK,
            leaves: None,
        };
        if let Some(free) = self.streams.get_mut(place as usize) {
            *free = Some(stream);
        }
    }

    /// A free place.
    fn place(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.streams.push(None);
            u32::try_from(self.streams.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn stop(&mut self, key: u64) {
        let Some(place) = self.places.get(&key).copied() else {
            return;
        };
        let slot = self.wheel.slot();
        if let Some(Some(stream)) = self.streams.get_mut(place as usize)
            && stream.leaves.is_none()
        {
            stream.leaves = Some(slot + FAREWELL);
            stream.at = self.wheel.put(place, slot);
        }
    }

    /// A stream that stands still is served again at once.
    fn steer(&mut self, key: u64, steer: Steer) {
        let Some(place) = self.places.get(&key).copied() else {
            return;
        };
        let (slot, now) = (self.wheel.slot(), self.clock.mono());
        if let Some(Some(stream)) = self.streams.get_mut(place as usize) {
            stream.line.steer(now, steer);
            stream.at = self.wheel.put(place, slot);
        }
    }

    fn report(&self) -> PumpReport {
        let mut counts = self.past;
        for stream in self.streams.iter().flatten() {
            counts.add(stream.line.counts());
        }
        PumpReport {
            lateness: self.lateness.clone(),
            counts,
            streams: self.places.len(),
        }
    }

    /// The slot that `due` lies in. A wake in the middle of a slot serves all of it, and the sender
    /// knows what is not due yet: what has fallen due never waits for another tick.
    fn slot_of(&self, due: Option<Instant>) -> u64 {
        // Blocked: whether it still is costs no system call.
        let due = due.unwrap_or(self.origin);
        nanos(due.since(self.origin)) / nanos(SLOT)
    }

    fn tick(&mut self) {
        let passed = self.clock.mono().since(self.origin);
        let mut due = std::mem::take(&mut self.due);
        self.wheel.turn(nanos(passed) / nanos(SLOT), &mut due);
        for place in due.drain(..) {
            if let Some(last) = self.serve(place) {
                self.remove(place, last);
            }
        }
        self.due = due;
    }

    /// Sends what is due on one stream; its last word when it leaves the pump.
    fn serve(&mut self, place: u32) -> Option<FromPump> {
        let slot = self.wheel.slot();
        let stream = self.streams.get_mut(place as usize)?.as_mut()?;
        if stream.at > slot {
            return None;
        }
        let line = &mut stream.line;
        if let Some(at) = stream.leaves
            && (at <= slot || !line.is_mid_frame())
        {
            // What has come back since the last look counts, an end of the connection does not.
            let _ = line.look_back();
            return Some(FromPump::Stopped(line.counts()));
        }
        let mut served = line.send(self.clock, &mut self.tools, stream.leaves.is_some());
        if stream.looks <= slot {
            stream.looks = slot + LOOK_BACK;
            served = served.and_then(|()| line.look_back());
        }
        for late in self.tools.lateness.drain(..) {
            let micros = u64::try_from(late.as_micros()).unwrap_or(u64::MAX);
            // It grows as far as the latest frame needs.
            let _ = self.lateness.record(micros.min(MINUTE));
            if !stream.started {
                stream.started = true;
                stream.owner.tell(FromPump::Started);
            }
        }
        while let Some(news) = line.news() {
            stream.owner.tell(FromPump::Reeled(news));
        }
        if let Err(loss) = served {
            return Some(FromPump::Lost(loss, line.counts()));
        }
        let due = match stream.leaves {
            Some(_) => None,
            None => line.next_due(),
        };
        let due = self.slot_of(due);
        let at = self.wheel.put(place, due);
        if let Some(Some(stream)) = self.streams.get_mut(place as usize) {
            stream.at = at;
        }
        None
    }

    fn remove(&mut self, place: u32, last: FromPump) {
        let taken = self.streams.get_mut(place as usize).and_then(Option::take);
        let Some(stream) = taken else {
            return;
        };
        self.free.push(place);
        self.places.remove(&stream.key);
        self.load.fetch_sub(stream.bit_rate, Ordering::Relaxed);
        self.past.add(stream.line.counts());
        stream.owner.tell(last);
    }
}

/// Whole nanoseconds; five centuries fit.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Microseconds, three digits.
fn empty_histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three significant digits are allowed")
}
