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

use std::sync::Arc;
use std::time::Duration;

use super::cut::{Cut, Packet};
use super::order::Counts;
use super::rtp::{self, Framing, Header, Marker};
use crate::time::Instant;

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
    /// When frame number 0 is due.
    start: Instant,
    /// When the current frame is due.
    frame_due: Instant,
    /// When the next batch is due.
    due: Instant,
    /// The time between two frames.
    interval: Duration,
    /// Number of the current frame, dropped ones counted: its place in media time.
    number: u64,
    /// The current frame in the clip.
    index: usize,
    /// Sequence number of the current frame's first packet.
    sequence: u16,
    /// Packets of the current frame wholly written, and octets of the next one.
    written: (usize, usize),
    /// One more than the latest place in presentation order sent.
    shown: u64,
    /// A key frame has been asked for.
    jump: bool,
    blocked: bool,
    counts: Counts,
}

impl Sender {
    /// A stream that is opened at `now`.
    pub fn new(config: Arc<SenderConfig>, framing: Framing, now: Instant) -> Sender {
        let (start, index) = config.begin(now);
        Sender {
            framing,
            start,
            frame_due: start,
            due: start,
            interval: config.cut.clip().fps().interval(),
            number: 0,
            index,
            sequence: config.sequence,
            written: (0, 0),
            shown: 0,
            jump: false,
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
            self.shed(now);
            self.jump();
        }
        if self.due > now {
            return None;
        }
        let packets = self.next_packets();
        heads.clear();
        self.write_heads(heads, packets.clone());
        Some(Batch {
            frame: self.cut().clip().frame(self.index),
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
        let lateness = (!self.is_started()).then(|| now.since(self.frame_due));
        if lateness.is_some_and(|late| late > self.interval) {
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
    pub fn key_frame(&mut self) {
        self.jump = true;
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

impl Sender {
    fn cut(&self) -> &Cut {
        &self.config.cut
    }

    fn packets(&self) -> &[Packet] {
        self.cut().packets(self.index)
    }

    /// Something of the current frame is on the wire.
    fn is_started(&self) -> bool {
        self.written != (0, 0)
    }

    /// Makes the frame `distance` after the current one current.
    fn move_on(&mut self, distance: usize) {
        self.index = self.ahead(distance);
        self.number += distance as u64;
        self.frame_due = self.start + self.cut().clip().fps().time(self.number);
    }

    /// When what comes next of the current frame is due.
    fn next_batch_due(&self) -> Instant {
        if self.framing == Framing::Stream || self.written.0 == 0 {
            return self.frame_due;
        }
        let all = self.packets().len().max(1) as u128;
        let spread = self.interval.as_nanos() * self.written.0 as u128 / all;
        self.frame_due + Duration::from_nanos(u64::try_from(spread).unwrap_or(0))
    }

    /// The current frame's packets that leave together. Datagrams: equal batches, each small
    /// enough for one call.
    fn next_packets(&self) -> std::ops::Range<usize> {
        let (all, begun) = (self.packets().len(), self.written.0);
        if self.framing == Framing::Stream {
            return begun..all.min(begun + STREAM_PACKETS);
        }
        let longest = self.packets().first().map_or(1, Packet::payload) + rtp::HEADER;
        let most = (DATAGRAM_BATCH / longest).clamp(1, DATAGRAMS);
        let each = all.div_ceil(all.div_ceil(most).max(1)).max(1);
        begun..all.min((begun / each + 1) * each)
    }

    fn write_heads(&self, heads: &mut Vec<u8>, packets: std::ops::Range<usize>) {
        let (config, cut) = (&self.config, self.cut());
        let times = config.times(self.number, self.reorder(self.index));
        let all = self.packets();
        let mut header = Header {
            marker: false,
            payload_type: config.payload_type,
            sequence: self.sequence.wrapping_add(packets.start as u16),
            timestamp: config.timestamp.wrapping_add(times.dts as u32),
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
            if let (0, Some(head)) = (place, heads.get_mut(begun..)) {
                cut.stamp(head, self.index, times);
            }
        }
    }

    fn reorder(&self, index: usize) -> u32 {
        let frame = self.cut().clip().frames().get(index);
        frame.map_or(0, |frame| frame.reorder)
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
        let shown = self.number + u64::from(self.reorder(self.index)) + 1;
        self.shown = self.shown.max(shown);
        self.sequence = self.sequence.wrapping_add(self.packets().len() as u16);
        self.counts.frames += 1;
        self.written = (0, 0);
        self.move_on(1);
    }

    /// The frame `distance` after the current one; the clip is a loop.
    fn ahead(&self, distance: usize) -> usize {
        (self.index + distance) % self.cut().clip().frames().len().max(1)
    }

    /// Drops everything that waits, up to the first key frame that is still to come, when more
    /// than the backlog waits.
    fn shed(&mut self, now: Instant) {
        // The frame that is due now does not wait, so that a backlog of zero drops nothing in time.
        let allowed = self.config.backlog.max(self.interval);
        if now.since(self.frame_due) <= allowed {
            return;
        }
        let due = self.cut().clip().fps().events_until(now.since(self.start));
        let mut distance = usize::try_from(due.saturating_sub(self.number)).unwrap_or(0);
        loop {
            let entry = self.ahead(distance);
            distance += self.cut().distance_to_entry(entry);
            if self.follows(distance as u64, self.ahead(distance)) {
                break;
            }
            distance += 1;
        }
        self.move_on(distance);
        self.counts.dropped += distance as u64;
        self.due = self.frame_due;
    }

    /// Carries out [`Sender::key_frame`] as soon as it can be.
    fn jump(&mut self) {
        if !self.jump {
            return;
        }
        let entry = self.ahead(self.cut().distance_to_entry(self.index));
        if self.follows(0, entry) {
            self.index = entry;
            self.jump = false;
        }
    }

    /// Whether frame `index`, sent `distance` frames from now, is shown after all that were sent.
    fn follows(&self, distance: u64, index: usize) -> bool {
        self.number + distance + u64::from(self.reorder(index)) >= self.shown
    }
}
