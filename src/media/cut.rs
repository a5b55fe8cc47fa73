//! The cut: a clip's frames divided into RTP packets, computed once per clip and policy.
//!
//! A frame is one pack: pack header, on key frames system header and program stream map, then PES
//! packets. Every PES packet but the last ends where an RTP packet ends, so that each structure of
//! the program stream begins with an RTP payload (SRS loses a start code that is torn apart) and
//! all RTP packets of a frame but the last are equally long (segmentation offload wants that).

use std::ops::Range;
use std::sync::Arc;

mod knife;
mod voice;

use super::audio::AudioCodec;
use super::clip::Clip;
use super::codec::Codec;
use super::ps::pack_header;
use super::ps::pes::{self, Stamps};
use super::ps::policy::PsPolicy;
use super::ps::stream_map;
use super::rtp::{self, Marker, RtpPolicy};

/// The clock of a program stream's time stamps, and of RTP that carries it.
const STAMPS: u32 = 90_000;

/// How every frame of a clip leaves: shared by all streams that send the clip the same way.
#[derive(Debug)]
pub struct Cut {
    clip: Arc<Clip>,
    payload_type: u8,
    marker: Marker,
    /// Ticks of RTP time in a second.
    clock: u32,
    packets: Vec<Packet>,
    frames: Vec<FrameCut>,
    /// The program stream's headers, one after the other, time stamps zero.
    heads: Vec<u8>,
    sounds: Vec<SoundCut>,
    bit_rate: u64,
}

/// The streams of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// How the pictures are coded.
    pub pictures: Codec,
    /// How the sound is coded, if there is any.
    pub sound: Option<AudioCodec>,
}

/// One RTP packet: a piece of program stream headers, then a piece of elementary stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    head: u32,
    head_length: u16,
    data_length: u16,
    data: u32,
}

impl Packet {
    /// Octets of RTP payload.
    pub fn payload(&self) -> usize {
        self.head_octets() + usize::from(self.data_length)
    }

    /// Octets of program stream headers at its beginning.
    pub fn head_octets(&self) -> usize {
        usize::from(self.head_length)
    }

    /// Its elementary-stream octets, which are a piece of `frame`.
    pub(super) fn data_of<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        let start = self.data as usize;
        let end = start + usize::from(self.data_length);
        frame.get(start..end).unwrap_or_default()
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct FrameCut {
    packets: Range<usize>,
    /// How many of them are of the pictures; the others are sound.
    video: usize,
    /// Its access units of sound.
    sounds: Range<usize>,
    /// Where in the first packet's head the program stream map stands.
    map: Option<Range<usize>>,
    stamps: Stamps,
    /// Where in the first packet's head the time stamps stand.
    stamps_at: usize,
}

/// An access unit of sound: a PES packet of its own, behind the pictures of its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SoundCut {
    /// The packet of the frame that begins with it.
    packet: usize,
    /// How much later it is heard than the frame is decoded, in 90 kHz.
    later: u32,
}

/// The times of one frame in 90 kHz; the lower 33 bits are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// System clock reference of its pack.
    pub scr: u64,
    /// When it is decoded.
    pub dts: u64,
    /// When it is shown.
    pub pts: u64,
}

impl Cut {
    /// Cuts `clip`. Values of the policies outside their limits are moved inside.
    pub fn new(clip: Arc<Clip>, ps: &PsPolicy, rtp: &RtpPolicy) -> Cut {
        let knife::Cuts {
            packets,
            frames,
            heads,
            sounds,
        } = knife::cut(&clip, ps, rtp);
        let wire: usize = packets
            .iter()
            .map(|packet| packet.payload() + rtp::HEADER)
            .sum();
        let seconds = clip.duration().as_secs_f64();
        Cut {
            payload_type: rtp.payload_type & 0x7F,
            marker: rtp.marker,
            clock: STAMPS,
            packets,
            frames,
            heads,
            sounds,
            bit_rate: (wire as f64 * 8.0 / seconds.max(1e-3)) as u64,
            clip,
        }
    }

    /// The clip that was cut.
    pub fn clip(&self) -> &Arc<Clip> {
        &self.clip
    }

    /// Mean bits per second of RTP.
    pub fn bit_rate(&self) -> u64 {
        self.bit_rate
    }

    /// RTP payload type.
    pub fn payload_type(&self) -> u8 {
        self.payload_type
    }

    /// Where the marker bit stands.
    pub fn marker(&self) -> Marker {
        self.marker
    }

    /// The RTP time of what is decoded at `dts`, which counts in 90 kHz.
    pub(super) fn rtp_time(&self, dts: u64) -> u32 {
        match self.clock {
            STAMPS => dts as u32,
            clock => (dts * u64::from(clock) / u64::from(STAMPS)) as u32,
        }
    }

    /// The packets of frame `index`; none beyond the last.
    pub fn packets(&self, index: usize) -> &[Packet] {
        let range = self.frames.get(index).map(|frame| frame.packets.clone());
        range
            .and_then(|range| self.packets.get(range))
            .unwrap_or_default()
    }

    /// Those of its pictures alone: a recording that is hurried through is not heard.
    pub fn silent_packets(&self, index: usize) -> &[Packet] {
        let video = self.frames.get(index).map_or(0, |frame| frame.video);
        self.packets(index).get(..video).unwrap_or_default()
    }

    /// The elementary-stream octets of a packet of frame `index`.
    pub fn data(&self, index: usize, packet: &Packet) -> &[u8] {
        packet.data_of(self.clip.frame(index))
    }

    /// Appends the program stream headers of packet `packet` of frame `index`, times filled in.
    pub fn write_head(&self, out: &mut Vec<u8>, index: usize, packet: usize, times: Times) {
        let Some(one) = self.packets(index).get(packet) else {
            return;
        };
        let begun = out.len();
        out.extend_from_slice(self.head_of(one));
        if let Some(head) = out.get_mut(begun..) {
            self.stamp(head, (index, packet), times);
        }
    }

    /// The program stream headers of a packet, time stamps zero.
    pub(super) fn head_of(&self, packet: &Packet) -> &[u8] {
        let start = packet.head as usize;
        let head = self.heads.get(start..start + packet.head_octets());
        head.unwrap_or_default()
    }

    /// Fills the times of frame `index` into the headers of its packet `packet`, if it has any.
    pub(super) fn stamp(&self, head: &mut [u8], (index, packet): (usize, usize), times: Times) {
        // Most packets have no headers at all.
        let Some(frame) = self.frames.get(index).filter(|_| !head.is_empty()) else {
            return;
        };
        if packet == 0 {
            return frame.stamp(head, times);
        }
        let sounds = self.sounds.get(frame.sounds.clone()).unwrap_or_default();
        if let Some(sound) = sounds.iter().find(|sound| sound.packet == packet) {
            let heard = times.dts + u64::from(sound.later);
            fill(head, pes::STAMPS_AT, &pes::pts_field(heard));
        }
    }

    /// Makes the map in the first packet's head of frame `index`, if there is one, a later one.
    pub(super) fn revise_map(&self, head: &mut [u8], index: usize, changes: u8) {
        let map = self.frames.get(index).and_then(|frame| frame.map.clone());
        if let Some(map) = map.and_then(|map| head.get_mut(map)) {
            stream_map::revise(map, changes);
        }
    }

    /// What a program stream map says of it: two cuts with the same are one program.
    pub fn program(&self) -> Program {
        let sound = self.clip.sound();
        Program {
            pictures: self.clip.codec(),
            sound: sound.map(|sound| sound.track().codec()),
        }
    }

    /// How many frames after `index` the next one follows where a stream may begin: 0 when frame
    /// `index` is one. The clip is a loop.
    pub fn distance_to_entry(&self, index: usize) -> usize {
        let entries = self.clip.entries();
        let next = entries.partition_point(|entry| (*entry as usize) < index);
        match entries.get(next) {
            Some(entry) => *entry as usize - index,
            None => self.clip.frames().len().saturating_sub(index),
        }
    }
}

impl Cut {
    /// The last frame at or before frame `index` where a stream may begin.
    pub fn entry_before(&self, index: usize) -> usize {
        let entries = self.clip.entries();
        let behind = entries.partition_point(|entry| (*entry as usize) <= index);
        let entry = behind.checked_sub(1).and_then(|at| entries.get(at));
        entry.map_or(0, |entry| *entry as usize)
    }

    /// How many frames after its decoding frame `index` is shown.
    pub(super) fn reorder(&self, index: usize) -> u32 {
        let frame = self.clip.frames().get(index);
        frame.map_or(0, |frame| frame.reorder)
    }

    /// Octets of program stream of frame `index`.
    pub fn octets(&self, index: usize) -> u64 {
        self.packets(index).iter().map(|p| p.payload() as u64).sum()
    }
}

impl FrameCut {
    fn stamp(&self, head: &mut [u8], times: Times) {
        fill(
            head,
            pack_header::SCR_AT,
            &pack_header::scr_field(times.scr),
        );
        match self.stamps {
            Stamps::None => {}
            Stamps::Pts => fill(head, self.stamps_at, &pes::pts_field(times.pts)),
            Stamps::PtsAndDts => {
                fill(head, self.stamps_at, &pes::pts_before_dts_field(times.pts));
                fill(
                    head,
                    self.stamps_at + pes::STAMP,
                    &pes::dts_field(times.dts),
                );
            }
        }
    }
}

fn fill(head: &mut [u8], at: usize, field: &[u8]) {
    if let Some(place) = head.get_mut(at..at + field.len()) {
        place.copy_from_slice(field);
    }
}
