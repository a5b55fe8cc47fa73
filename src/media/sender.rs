//! A sending stream: which octets leave when.
//!
//! A [`Sender`] has no clock and no socket. A pump asks it for the next [`Batch`] when it is due,
//! writes it, and says how much went out:
//!
//! ```text
//!            due                    wrote all of the frame
//!   waiting ----> batch() --------------------------------> waiting for the next frame
//!                   ^   \ wrote a part, or blocked()            | more than `backlog` behind:
//!                   |    v                                      v
//!                   +- started: always finished      everything up to the next key frame
//!                                                    after now is dropped and counted
//! ```
//!
//! Nothing of a frame is kept but where writing stopped: its headers are written again, octet for
//! octet the same, when writing goes on.

mod batch;
mod config;
mod live;
mod recorded;

use std::sync::Arc;
use std::time::Duration;

use super::cut::{Cut, Packet, Program, Times};
use super::order::Counts;
use super::recording::{Reeled, Steer};
use super::rtp::{self, Framing, Header, Marker};
use crate::time::Instant;
use live::Live;
use recorded::Recorded;

pub use batch::{Batch, SliceList};
pub use config::{FirstKeyFrame, SenderConfig};

/// The most octets of datagrams that one call with segmentation offload takes.
const DATAGRAM_BATCH: usize = 65_507;

/// The most datagrams of one such call (the kernel's limit before Linux 6.9).
const DATAGRAMS: usize = 64;

/// The most packets of one stream write: two slices each, and the system takes 1024.
const STREAM_PACKETS: usize = 512;

/// What one write achieved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrote {
    /// How late the frame's first octet left, if it was among those written.
    pub lateness: Option<Duration>,
    /// The frame is wholly written.
    pub finished: bool,
}

/// One sending stream.
#[derive(Clone, Debug)]
pub struct Sender {
    config: Arc<SenderConfig>,
    framing: Framing,
    schedule: Schedule,
    /// When the next batch is due.
    due: Instant,
    /// Sequence number of the current frame's first packet.
    sequence: u16,
    /// Packets of the current frame wholly written, and octets of the next one.
    written: (usize, usize),
    /// The streams of the current frame's program, and how often they have changed.
    program: (Program, u8),
    blocked: bool,
    counts: Counts,
}

/// Which frame is current, and when it is due.
#[derive(Clone, Debug)]
enum Schedule {
    Live(Live),
    Recorded(Box<Recorded>),
}

impl Sender {
    /// A stream that is opened at `now`.
    pub fn new(config: Arc<SenderConfig>, framing: Framing, now: Instant) -> Sender {
        let schedule = match &config.recording {
            None => Schedule::Live(Live::new(&config, now)),
            Some(recording) => Schedule::Recorded(Recorded::new(recording.clone(), now).into()),
        };
        let program = match &schedule {
            Schedule::Recorded(recorded) => recorded.cut().map(Cut::program),
            Schedule::Live(_) => None,
        };
        Sender {
            framing,
            program: (program.unwrap_or(config.cut.program()), 0),
            due: schedule.due(),
            schedule,
            sequence: config.sequence,
            written: (0, 0),
            blocked: false,
            counts: Counts::default(),
            config,
        }
    }

    /// When [`Sender::batch`] has something; `None` while the connection is blocked: ask again
    /// when it is writable. Datagrams of a frame that takes several batches are spread over the
    /// frame's interval.
    pub fn next_due(&self) -> Option<Instant> {
        (!self.blocked).then_some(self.due)
    }

    /// What is to be written at `now`, its headers in `heads` (a buffer to be used again and again,
    /// for all streams of a worker). `None`: nothing is due. At most one batch a tick should be
    /// asked for on datagrams.
    pub fn batch<'a>(&'a mut self, now: Instant, heads: &'a mut Vec<u8>) -> Option<Batch<'a>> {
        self.blocked = false;
        if !self.is_started() {
            self.prepare(now);
        }
        if self.due > now {
            return None;
        }
        let packets = self.next_packets();
        heads.clear();
        self.write_heads(heads, packets.clone());
        Some(Batch {
            frame: self.cut().clip().frame(self.schedule.index()),
            packets: self.packets().get(packets).unwrap_or_default(),
            heads,
            prefix: self.framing.prefix(),
            written: self.written.1,
        })
    }

    /// `octets` of the last batch were written (on datagrams, whole ones; a datagram that the
    /// system refused and will not be sent again counts as written: it is lost).
    pub fn wrote(&mut self, now: Instant, octets: usize) -> Wrote {
        if octets == 0 {
            return Wrote::default();
        }
        let lateness = (!self.is_started()).then(|| now.since(self.schedule.due()));
        if lateness.is_some_and(|late| late > self.cut().clip().fps().interval()) {
            self.counts.late += 1;
        }
        self.advance(octets);
        let finished = self.written.0 >= self.packets().len();
        if finished {
            self.finish();
        }
        self.due = self.next_batch_due();
        Wrote { lateness, finished }
    }

    /// The connection takes no more for now.
    pub fn blocked(&mut self) {
        self.blocked = true;
    }

    /// The next frame shall be a key frame: the stream jumps to the clip's next one, timestamps
    /// running on. It waits until no frame sent would be shown after it.
    /// A recording has its key frames where they are.
    pub fn key_frame(&mut self) {
        if let Schedule::Live(live) = &mut self.schedule {
            live.key_frame();
        }
    }

    /// Moves on in a recording, behind the frame that has begun to leave; [`Sender::news`] tells
    /// when it is done. A live stream cannot be steered.
    pub fn steer(&mut self, now: Instant, steer: Steer) {
        if let Schedule::Recorded(recorded) = &mut self.schedule {
            recorded.steer(steer);
            if !self.is_started() {
                self.prepare(now);
            }
        }
    }

    /// What a recording has to say, each thing once.
    pub fn news(&mut self) -> Option<Reeled> {
        match &mut self.schedule {
            Schedule::Live(_) => None,
            Schedule::Recorded(recorded) => recorded.news(),
        }
    }

    /// Whether it plays a recording.
    pub fn is_recorded(&self) -> bool {
        matches!(self.schedule, Schedule::Recorded(_))
    }

    /// What has been written so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// What the stream sends.
    pub fn config(&self) -> &Arc<SenderConfig> {
        &self.config
    }

    /// How packets are framed.
    pub fn framing(&self) -> Framing {
        self.framing
    }
}

impl Schedule {
    fn due(&self) -> Instant {
        match self {
            Schedule::Live(live) => live.due,
            Schedule::Recorded(recorded) => recorded.due,
        }
    }

    /// Whether what is said is heard.
    fn is_heard(&self) -> bool {
        match self {
            Schedule::Live(_) => true,
            Schedule::Recorded(recorded) => recorded.is_heard(),
        }
    }

    /// The current frame in its clip.
    fn index(&self) -> usize {
        match self {
            Schedule::Live(live) => live.index,
            Schedule::Recorded(recorded) => recorded.index(),
        }
    }
}

impl Sender {
    fn cut(&self) -> &Cut {
        match &self.schedule {
            Schedule::Live(_) => &self.config.cut,
            Schedule::Recorded(recorded) => recorded.cut().unwrap_or(&self.config.cut),
        }
    }

    /// The packets of the current frame; those of sound are left out while nothing is heard.
    fn packets(&self) -> &[Packet] {
        let index = self.schedule.index();
        match self.schedule.is_heard() {
            true => self.cut().packets(index),
            false => self.cut().silent_packets(index),
        }
    }

    /// Something of the current frame is on the wire.
    fn is_started(&self) -> bool {
        self.written != (0, 0)
    }

    /// Between two frames: what is late is dealt with, what was asked is carried out.
    fn prepare(&mut self, now: Instant) {
        match &mut self.schedule {
            Schedule::Live(live) => {
                self.counts.dropped += live.shed(&self.config, now);
                live.jump(&self.config.cut);
            }
            Schedule::Recorded(recorded) => {
                recorded.slip(&self.config, now);
                recorded.obey(&self.config, self.sequence, now);
            }
        }
        self.due = self.schedule.due();
        let program = self.cut().program();
        if program != self.program.0 {
            self.program = (program, self.program.1.wrapping_add(1));
        }
    }

    fn times(&self) -> Times {
        match &self.schedule {
            Schedule::Live(live) => live.times(&self.config),
            Schedule::Recorded(recorded) => recorded.times(&self.config),
        }
    }

    /// The time between two frames as they leave.
    fn interval(&self) -> Duration {
        match &self.schedule {
            Schedule::Live(_) => self.config.cut.clip().fps().interval(),
            Schedule::Recorded(recorded) => recorded.interval(),
        }
    }

    /// When what comes next of the current frame is due.
    fn next_batch_due(&self) -> Instant {
        if self.framing == Framing::Stream || self.written.0 == 0 {
            return self.schedule.due();
        }
        let all = self.packets().len().max(1) as u128;
        let spread = self.interval().as_nanos() * self.written.0 as u128 / all;
        self.schedule.due() + Duration::from_nanos(u64::try_from(spread).unwrap_or(0))
    }

    /// The current frame's packets that leave together. Datagrams: equal batches, each small
    /// enough for one call; those of sound, which are of other lengths, one by one.
    fn next_packets(&self) -> std::ops::Range<usize> {
        let (all, begun) = (self.packets().len(), self.written.0);
        if self.framing == Framing::Stream {
            return begun..all.min(begun + STREAM_PACKETS);
        }
        let all = all.min(self.cut().silent_packets(self.schedule.index()).len());
        if begun >= all {
            return begun..begun + 1;
        }
        let longest = self.packets().first().map_or(1, Packet::payload) + rtp::HEADER;
        let most = (DATAGRAM_BATCH / longest).clamp(1, DATAGRAMS);
        let each = all.div_ceil(all.div_ceil(most).max(1)).max(1);
        begun..all.min((begun / each + 1) * each)
    }

    fn write_heads(&self, heads: &mut Vec<u8>, packets: std::ops::Range<usize>) {
        let (config, cut) = (&self.config, self.cut());
        let (times, index) = (self.times(), self.schedule.index());
        let all = self.packets();
        let mut header = Header {
            marker: false,
            payload_type: config.payload_type,
            sequence: self.sequence.wrapping_add(packets.start as u16),
            timestamp: config.timestamp.wrapping_add(cut.rtp_time(times.dts)),
            ssrc: config.ssrc,
        };
        for (place, packet) in all.iter().enumerate().take(packets.end).skip(packets.start) {
            if self.framing == Framing::Stream {
                let length = rtp::HEADER + packet.payload();
                let length = u16::try_from(length).unwrap_or(u16::MAX);
                heads.extend_from_slice(&length.to_be_bytes());
            }
            header.marker = cut.marker() == Marker::LastOfFrame && place + 1 == all.len();
            heads.extend_from_slice(&header.octets());
            header.sequence = header.sequence.wrapping_add(1);
            let begun = heads.len();
            heads.extend_from_slice(cut.head_of(packet));
            if let Some(head) = heads.get_mut(begun..) {
                cut.stamp(head, (index, place), times);
                if let (0, changes @ 1..) = (place, self.program.1) {
                    cut.revise_map(head, index, changes);
                }
            }
        }
    }

    /// Moves the cursor on by `octets` written.
    fn advance(&mut self, octets: usize) {
        let own = self.framing.prefix() + rtp::HEADER;
        let mut left = octets + self.written.1;
        let (mut written, mut sent) = (self.written.0, 0);
        let packets = self.packets();
        for packet in packets.iter().skip(written) {
            let whole = own + packet.payload();
            if left < whole {
                break;
            }
            left -= whole;
            written += 1;
            sent += (rtp::HEADER + packet.payload()) as u64;
        }
        let within = self.framing == Framing::Stream && written < packets.len();
        self.counts.packets += (written - self.written.0) as u64;
        self.counts.octets += sent;
        self.written = (written, if within { left } else { 0 });
    }

    /// The current frame is written; the next one becomes current.
    fn finish(&mut self) {
        self.sequence = self.sequence.wrapping_add(self.packets().len() as u16);
        self.counts.frames += 1;
        self.written = (0, 0);
        match &mut self.schedule {
            Schedule::Live(live) => live.finish(&self.config.cut),
            Schedule::Recorded(recorded) => recorded.finish(),
        }
    }
}
