//! The receiving end of a stream: RTP packets in, a verdict out.
//!
//! Thousands of receivers live in one process, so a receiver is state only: payload is looked at
//! as it passes and kept nowhere, except out-of-order datagrams (sixteen at most), one
//! incomplete packet of a TCP stream, and a recording when one is asked for.

mod assembly;
mod clocks;
mod counter;
mod deframe;
mod listener;
mod packet;
mod sequence;
mod skim;
mod sound;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::time::Instant;

use super::demux::Demuxer;
use super::rtp::Framing;
use super::verdict::{self, Example, Fault, Reference, Verdict};
use assembly::Assembly;
use counter::Counter;
use deframe::{Deframed, Deframer};
use listener::Listener;
use packet::Packet;
use sequence::{Arrival, Sequence};

pub use skim::Sender;

/// How many datagrams wait for a missing one.
const WINDOW: usize = 16;
/// How long they wait.
const PATIENCE: Duration = Duration::from_millis(200);
/// The most octets a recording holds until it is taken.
pub const RECORDING_MAX: usize = 64 << 20;

/// How closely a receiving stream is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Check {
    /// Everything: framing, RTP, PS, clocks, and every frame if there is a reference.
    #[default]
    Full,
    /// Packets, octets and sequence only, for thousands of streams: one look at each RTP header,
    /// no allocation, a few hundred octets of state.
    Count,
    /// A voice: G.711 A-law alone (payload type 8), else within a program stream.
    Voice,
}

/// What a receiving stream is judged against.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The only SSRC that belongs to the stream; `None` takes the first that comes.
    pub ssrc: Option<u32>,
    /// The payload type agreed; 96 by default.
    pub payload_type: u8,
    /// The source. Without one only counts, sequence, syntax and clocks are judged, which is
    /// cheap: elementary-stream octets are hardly looked at.
    pub reference: Option<Arc<Reference>>,
    /// Keep the program stream that comes in, for [`Receiver::take_recording`]; of a voice its
    /// samples, for [`Receiver::take_voice`].
    pub record: bool,
    /// Keep what a voice says until it is said back, see [`Receiver::say_back`].
    pub echo: bool,
    /// How closely it is looked at. A stream that is only counted needs no reference and leaves
    /// no recording.
    pub check: Check,
}

impl Default for Expected {
    fn default() -> Self {
        Expected {
            ssrc: None,
            payload_type: 96,
            reference: None,
            record: false,
            echo: false,
            check: Check::Full,
        }
    }
}

/// The receiver of one stream.
#[derive(Debug)]
pub struct Receiver {
    expected: Arc<Expected>,
    framing: Framing,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Judge(Box<Judging>),
    Count(Counter),
}

/// All that a stream needs that is judged, not only counted.
#[derive(Debug)]
struct Judging {
    deframer: Deframer,
    packets: Packets,
}

impl Receiver {
    /// A receiver that has seen nothing.
    pub fn new(expected: Arc<Expected>, framing: Framing) -> Receiver {
        let work = match expected.check {
            Check::Count => Work::Count(Counter::new(&expected)),
            Check::Full | Check::Voice => Work::Judge(Box::new(Judging {
                deframer: Deframer::default(),
                packets: Packets::new(&expected),
            })),
        };
        Receiver {
            expected,
            framing,
            work,
        }
    }

    /// Takes one datagram.
    pub fn datagram(&mut self, now: Instant, octets: &[u8]) {
        match &mut self.work {
            Work::Judge(judging) => {
                let packets = &mut judging.packets;
                packets.take(now, octets, &self.expected, self.framing);
            }
            Work::Count(counter) => counter.datagram(octets),
        }
    }

    /// Takes the next octets of a TCP stream.
    pub fn octets(&mut self, now: Instant, octets: &[u8]) {
        match &mut self.work {
            Work::Judge(judging) => judging.octets(now, octets, &self.expected, self.framing),
            Work::Count(counter) => counter.octets(octets),
        }
    }

    /// The peer connected again: what follows is the beginning of a stream.
    pub fn reconnected(&mut self) {
        match &mut self.work {
            Work::Judge(judging) => {
                judging.deframer = Deframer::default();
                judging.packets.reconnected();
            }
            Work::Count(counter) => counter.reconnected(),
        }
    }

    /// No more will come: judges what still waits for missing datagrams.
    pub fn finish(&mut self) {
        if let Work::Judge(judging) = &mut self.work {
            while !judging.packets.held.is_empty() {
                judging.packets.give_up(&self.expected);
            }
        }
    }

    /// How many datagrams the kernel dropped on this socket since it was opened.
    pub fn kernel_drops(&mut self, total: u64) {
        if let Work::Judge(judging) = &mut self.work {
            judging.packets.assembly.verdict.kernel_drops = total;
        }
    }

    /// The judgement so far.
    pub fn verdict(&self) -> Verdict {
        match &self.work {
            Work::Judge(judging) => judging.packets.assembly.verdict.clone(),
            Work::Count(counter) => counter.verdict(),
        }
    }

    /// What happened to the packets so far, without the cost of a verdict.
    pub fn packets(&self) -> verdict::Packets {
        match &self.work {
            Work::Judge(judging) => judging.packets.assembly.verdict.packets,
            Work::Count(counter) => counter.packets(),
        }
    }

    /// How many faults there were so far.
    pub fn faults(&self) -> u64 {
        match &self.work {
            Work::Judge(judging) => judging.packets.assembly.verdict.faults.total(),
            Work::Count(counter) => counter.faults(),
        }
    }

    /// Whether nothing can be made of what the connection brings any more. Only a stream that is
    /// counted gives up; one that is judged searches for the next packet.
    pub fn is_lost(&self) -> bool {
        matches!(&self.work, Work::Count(counter) if counter.is_lost())
    }

    /// What it is judged against.
    pub fn expected(&self) -> &Arc<Expected> {
        &self.expected
    }

    /// The program stream that came in since this was last called: payloads in order, from the
    /// first packet on. Empty unless [`Expected::record`]. More than [`RECORDING_MAX`] octets
    /// are not kept.
    pub fn take_recording(&mut self) -> Vec<u8> {
        match &mut self.work {
            Work::Judge(judging) => std::mem::take(&mut judging.packets.recording),
            Work::Count(_) => Vec::new(),
        }
    }

    /// What a voice has said since this was last called, if anything: G.711 A-law, with silence
    /// for packets that never came. Nothing unless [`Expected::record`]; more than
    /// [`RECORDING_MAX`] octets are not kept.
    pub fn take_voice(&mut self) -> Option<Bytes> {
        match &mut self.work {
            Work::Judge(judging) => judging.packets.listener.as_mut()?.take(),
            Work::Count(_) => None,
        }
    }

    /// Puts the next samples of a voice that were not said back yet in the place of `said`, and
    /// silence behind the last of them. Leaves `said` alone unless [`Expected::echo`].
    pub fn say_back(&mut self, said: &mut [u8]) {
        if let Work::Judge(judging) = &mut self.work
            && let Some(listener) = &mut judging.packets.listener
        {
            listener.say_back(said);
        }
    }
}

impl Judging {
    fn octets(&mut self, now: Instant, mut octets: &[u8], expected: &Expected, framing: Framing) {
        while let Some(found) = self.deframer.next(&mut octets, self.packets.ssrc) {
            match found {
                Deframed::Packet(packet) => self.packets.take(now, packet, expected, framing),
                Deframed::Fault(fault) => self.packets.fault(fault),
            }
        }
    }
}

/// A datagram that waits for an earlier one.
#[derive(Debug)]
struct Held {
    since: Instant,
    sequence: u16,
    timestamp: u32,
    marker: bool,
    payload: Vec<u8>,
}

/// From RTP packets to payload in order.
#[derive(Debug)]
struct Packets {
    ssrc: Option<u32>,
    sequence: Sequence,
    /// In order of their distance.
    held: Vec<Held>,
    demuxer: Demuxer,
    assembly: Assembly,
    /// Of a voice, in place of the assembly of frames.
    listener: Option<Box<Listener>>,
    recording: Vec<u8>,
}

impl Packets {
    fn new(expected: &Expected) -> Packets {
        let is_voice = expected.check == Check::Voice;
        let mut assembly = Assembly::new(expected);
        assembly.verdict.counted = is_voice;
        Packets {
            ssrc: expected.ssrc,
            sequence: Sequence::default(),
            held: Vec::new(),
            demuxer: Demuxer::new(),
            assembly,
            listener: is_voice.then(|| Box::new(Listener::new(expected))),
            recording: Vec::new(),
        }
    }

    fn fault(&mut self, fault: Fault) {
        self.assembly.fault(fault, 0);
    }

    fn take(&mut self, now: Instant, octets: &[u8], expected: &Expected, framing: Framing) {
        if packet::is_rtcp(octets) {
            self.assembly.verdict.packets.rtcp += 1;
            return;
        }
        let Some(packet) = Packet::read(octets) else {
            return self.fault(Fault::RtpHeader);
        };
        if let Some(fault) = self.foreign(&packet, expected) {
            return self.fault_of(fault, packet.sequence);
        }
        if packet.payload.is_empty() {
            self.fault_of(Fault::EmptyPayload, packet.sequence);
        }
        self.in_sequence(now, &packet, expected, framing);
    }

    fn fault_of(&mut self, fault: Fault, sequence: u16) {
        let faults = &mut self.assembly.verdict.faults;
        faults.count(Example {
            fault,
            sequence,
            offset: 0,
        });
    }

    /// Why a packet does not belong to this stream.
    fn foreign(&mut self, packet: &Packet<'_>, expected: &Expected) -> Option<Fault> {
        if *self.ssrc.get_or_insert(packet.ssrc) != packet.ssrc {
            return Some(Fault::Ssrc);
        }
        (packet.payload_type != expected.payload_type).then_some(Fault::PayloadType)
    }

    fn in_sequence(
        &mut self,
        now: Instant,
        packet: &Packet<'_>,
        expected: &Expected,
        framing: Framing,
    ) {
        let ordered = framing == Framing::Stream;
        match self.sequence.arrival(packet.sequence, ordered) {
            Arrival::Next => {
                self.count(packet);
                self.deliver(packet, expected);
            }
            Arrival::Ahead(_) if !ordered => self.hold(now, packet),
            Arrival::Ahead(missing) => {
                self.lost(missing);
                self.count(packet);
                self.deliver(packet, expected);
            }
            Arrival::Duplicate => self.assembly.verdict.packets.duplicates += 1,
            Arrival::Late => self.assembly.verdict.packets.late += 1,
            Arrival::Stray => self.fault_of(Fault::SequenceRestart, packet.sequence),
            Arrival::Restart => self.restart(packet, expected, ordered),
        }
        self.release(now, expected);
    }

    /// Counts a packet that is taken in; one of a later number may have come before.
    fn count(&mut self, packet: &Packet<'_>) {
        let place = self.sequence.ahead(packet.sequence);
        let overtaken = self
            .held
            .last()
            .is_some_and(|last| self.sequence.ahead(last.sequence) > place);
        let packets = &mut self.assembly.verdict.packets;
        packets.received += 1;
        packets.octets += packet.payload.len() as u64;
        packets.reordered += u64::from(overtaken);
    }

    fn hold(&mut self, now: Instant, packet: &Packet<'_>) {
        let ahead = self.sequence.ahead(packet.sequence);
        let place = |held: &Held| self.sequence.ahead(held.sequence);
        let index = match self.held.binary_search_by_key(&ahead, place) {
            Ok(_) => {
                self.assembly.verdict.packets.duplicates += 1;
                return;
            }
            Err(index) => index,
        };
        self.count(packet);
        let held = Held {
            since: now,
            sequence: packet.sequence,
            timestamp: packet.timestamp,
            marker: packet.marker,
            payload: packet.payload.to_vec(),
        };
        self.held.insert(index, held);
    }

    /// Delivers what no longer waits: its turn has come, or patience is over.
    fn release(&mut self, now: Instant, expected: &Expected) {
        while let Some(first) = self.held.first() {
            let next = self.sequence.ahead(first.sequence) == 0;
            let oldest = self.held.iter().map(|held| held.since).min().unwrap_or(now);
            if next || self.held.len() > WINDOW || now.since(oldest) > PATIENCE {
                self.give_up(expected);
            } else {
                break;
            }
        }
    }

    /// Delivers the first that waits; what is missing before it is lost.
    fn give_up(&mut self, expected: &Expected) {
        if self.held.is_empty() {
            return;
        }
        let held = self.held.remove(0);
        self.lost(self.sequence.ahead(held.sequence));
        let packet = Packet {
            marker: held.marker,
            payload_type: expected.payload_type,
            sequence: held.sequence,
            timestamp: held.timestamp,
            ssrc: self.ssrc.unwrap_or_default(),
            payload: &held.payload,
        };
        self.deliver(&packet, expected);
    }

    fn lost(&mut self, missing: u16) {
        if missing > 0 {
            let packets = &mut self.assembly.verdict.packets;
            packets.lost += u64::from(missing);
            packets.gaps += 1;
            if let Some(listener) = &mut self.listener {
                listener.lost(missing);
            }
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.demuxer.lost();
        self.assembly.cut();
    }

    fn restart(&mut self, packet: &Packet<'_>, expected: &Expected, ordered: bool) {
        while !self.held.is_empty() {
            self.give_up(expected);
        }
        if ordered {
            // Elsewhere the packet before this one was reported.
            self.fault_of(Fault::SequenceRestart, packet.sequence);
        }
        self.sequence.restart();
        self.cut();
        self.count(packet);
        self.deliver(packet, expected);
    }

    fn deliver(&mut self, packet: &Packet<'_>, expected: &Expected) {
        self.sequence.take(packet.sequence);
        if let Some(listener) = &mut self.listener {
            return listener.packet(packet, &mut self.demuxer, &mut self.assembly.verdict);
        }
        if expected.record && self.recording.len() + packet.payload.len() <= RECORDING_MAX {
            self.recording.extend_from_slice(packet.payload);
        }
        self.assembly.packet(packet, &mut self.demuxer);
    }

    fn reconnected(&mut self) {
        self.held.clear();
        self.sequence.restart();
        self.demuxer = Demuxer::new();
        self.assembly.restart();
    }
}

#[cfg(test)]
mod tests;
