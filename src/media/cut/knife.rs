//! Cuts a clip's frames.

use std::ops::Range;

use super::super::clip::{Clip, busiest_second};
use super::super::codec::Role;
use super::super::nal::START_CODE;
use super::super::ps::pes::{self, PesHeader, Stamps};
use super::super::ps::policy::PsPolicy;
use super::super::ps::stream_map::{self, StreamMap};
use super::super::ps::system_header::{self, SystemHeader};
use super::super::ps::{self, Buffer, ElementaryStream, pack_header};
use super::super::rtp::{self, RtpPolicy};
use super::{FrameCut, Packet, STAMPS, SoundCut};

/// The longest PES payload with which the whole packet stays below 65,536 octets.
const PES_PAYLOAD_LIMIT: usize = 65_515;

/// The header of a PES packet of sound.
const SOUND: PesHeader = PesHeader {
    stream: ps::AUDIO,
    aligned: false,
    stamps: Stamps::Pts,
    stuffing: 0,
};

/// The header of every PES packet of a frame but the first.
const CONTINUATION: PesHeader = PesHeader {
    stream: ps::VIDEO,
    aligned: false,
    stamps: Stamps::None,
    stuffing: 0,
};

/// A clip's frames, cut.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    /// All packets, frame after frame.
    pub packets: Vec<Packet>,
    /// Which of them are each frame's.
    pub frames: Vec<FrameCut>,
    /// The program stream's headers, one after the other, time stamps zero; the octets of sound
    /// stand behind theirs.
    pub heads: Vec<u8>,
    /// What is heard, access unit after access unit.
    pub sounds: Vec<SoundCut>,
}

/// Cuts all frames of a clip.
pub(super) fn cut(clip: &Clip, ps: &PsPolicy, rtp: &RtpPolicy) -> Cuts {
    let mut knife = Knife::new(clip, ps, rtp);
    for index in 0..clip.frames().len() {
        knife.cut(index);
    }
    knife.cuts
}

/// The pictures, and what is heard.
fn streams(clip: &Clip, policy: &PsPolicy) -> Vec<ElementaryStream> {
    let video = ElementaryStream {
        id: ps::VIDEO,
        kind: clip.codec().stream_type(),
        buffer: Buffer::Of1024(policy.video_buffer),
    };
    let audio = clip.sound().map(|sound| ElementaryStream {
        id: ps::AUDIO,
        kind: sound.track().codec().stream_type(),
        buffer: Buffer::Of128(ps::AUDIO_BUFFER),
    });
    [video].into_iter().chain(audio).collect()
}

/// How one frame is divided into PES packets.
struct Plan {
    /// Octets of headers up to the first PES payload.
    head: usize,
    /// Stuffing octets in the first PES header.
    stuffing: u8,
    /// Octets of the first payload that are not the clip's.
    inserted: usize,
    /// Payloads of the PES packets.
    payloads: Vec<usize>,
}

impl Plan {
    /// Octets of the whole pack.
    fn total(&self) -> usize {
        let later = self.payloads.len().saturating_sub(1) * pes::PLAIN;
        self.head + later + self.payloads.iter().sum::<usize>()
    }

    /// Whether one of the first three packets of a stream may look like another protocol.
    fn looks_like_another_protocol(&self, payload_max: usize) -> bool {
        let total = self.total();
        total.div_ceil(payload_max) <= 3 && is_odd_length(total, payload_max)
    }
}

/// Whether the last of the packets of so many octets is exactly 256 octets long: ZLMediaKit takes
/// the length prefix 01 00 for another protocol's header where `char` is unsigned. All packets but
/// the last are full.
fn is_odd_length(total: usize, payload_max: usize) -> bool {
    total % payload_max == 256 - rtp::HEADER
}

/// What cuts.
struct Knife<'a> {
    clip: &'a Clip,
    policy: &'a PsPolicy,
    /// What the program consists of.
    streams: Vec<ElementaryStream>,
    payload_max: usize,
    pes_max: usize,
    mux_rate: u32,
    rate_bound: u32,
    cuts: Cuts,
}

impl<'a> Knife<'a> {
    fn new(clip: &'a Clip, policy: &'a PsPolicy, rtp: &RtpPolicy) -> Knife<'a> {
        let payload_max = usize::from(rtp.payload_max.clamp(256, 65_000));
        let pes_max = usize::try_from(policy.pes_payload_max).unwrap_or(PES_PAYLOAD_LIMIT);
        let mut knife = Knife {
            clip,
            policy,
            streams: streams(clip, policy),
            payload_max,
            pes_max: pes_max.clamp(payload_max, PES_PAYLOAD_LIMIT),
            mux_rate: 0,
            rate_bound: 0,
            cuts: Cuts::default(),
        };
        let frames = 0..clip.frames().len();
        let size = |index| knife.plan(index, 0).total() + knife.sound_octets(index);
        let sizes: Vec<usize> = frames.map(size).collect();
        let peak = busiest_second(&sizes, clip.fps());
        knife.mux_rate = policy.mux_rate.field(peak);
        knife.rate_bound = policy.rate_bound.field(peak);
        knife
    }

    fn plan(&self, index: usize, stuffing: u8) -> Plan {
        let inserted = self.inserted(index);
        let head = self.pes_at(index) + self.pes(index, stuffing).length();
        let data = self.clip.frame(index).len();
        Plan {
            stuffing,
            inserted,
            payloads: self.pes_payloads(head, inserted + data),
            head,
        }
    }

    /// The payloads of a frame's PES packets: `octets`, behind `head` octets of headers.
    fn pes_payloads(&self, mut head: usize, octets: usize) -> Vec<usize> {
        let mut payloads = Vec::with_capacity(1 + octets / self.pes_max);
        let mut rest = octets;
        while rest > self.pes_max {
            // As many whole RTP packets as the PES packet takes.
            let first = self.payload_max.saturating_sub(head);
            let whole = self.pes_max.saturating_sub(first) / self.payload_max;
            let payload = first + whole * self.payload_max;
            payloads.push(payload);
            rest -= payload;
            head = pes::PLAIN;
        }
        payloads.push(rest);
        payloads
    }

    fn cut(&mut self, index: usize) {
        let mut plan = self.plan(index, 0);
        if plan.looks_like_another_protocol(self.payload_max) {
            plan = self.plan(index, 1);
        }
        let first_packet = self.cuts.packets.len();
        let mut data = 0;
        for (number, payload) in plan.payloads.iter().copied().enumerate() {
            let head = self.cuts.heads.len();
            let own = if number == 0 {
                self.write_head(index, payload, plan.stuffing);
                payload - plan.inserted
            } else {
                CONTINUATION.write(&mut self.cuts.heads, payload);
                payload
            };
            self.cut_pes(head, &mut data, own);
        }
        let video = self.cuts.packets.len() - first_packet;
        let sounds = self.cut_sounds(index, first_packet);
        self.cuts.frames.push(FrameCut {
            packets: first_packet..self.cuts.packets.len(),
            video,
            sounds,
            map: self.map(index),
            stamps: self.pes(index, 0).stamps,
            stamps_at: self.pes_at(index) + pes::STAMPS_AT,
        });
    }

    /// Cuts `length` octets of a frame, which begin at `data`, behind the head at `head`.
    fn cut_pes(&mut self, head: usize, data: &mut usize, length: usize) {
        let mut head_length = self.cuts.heads.len() - head;
        let end = *data + length;
        loop {
            let piece = (end - *data).min(self.payload_max - head_length);
            self.cuts.packets.push(Packet {
                head: u32::try_from(head).unwrap_or(u32::MAX),
                head_length: u16::try_from(head_length).unwrap_or(0),
                data: u32::try_from(*data).unwrap_or(u32::MAX),
                data_length: u16::try_from(piece).unwrap_or(0),
            });
            *data += piece;
            head_length = 0;
            if *data >= end {
                return;
            }
        }
    }
}

/// The sound of one frame: behind its pictures, in the same pack.
impl Knife<'_> {
    /// Octets of program stream that it makes.
    fn sound_octets(&self, index: usize) -> usize {
        let Some(sound) = self.clip.sound() else {
            return 0;
        };
        let units = self.clip.sound_with(index);
        units
            .map(|unit| SOUND.length() + sound.track().octets(unit).len())
            .sum()
    }

    /// Cuts the access units that leave with frame `index`, whose packets begin at `first_packet`:
    /// each begins a packet of its own. Where in [`Cuts::sounds`] they stand.
    fn cut_sounds(&mut self, index: usize, first_packet: usize) -> Range<usize> {
        let begun = self.cuts.sounds.len();
        if let Some(sound) = self.clip.sound() {
            let decoded = self.clip.fps().ticks(index as u64, STAMPS);
            for unit in self.clip.sound_with(index) {
                let heard = self.clip.sound_pts(unit).saturating_sub(decoded);
                self.cuts.sounds.push(SoundCut {
                    packet: self.cuts.packets.len() - first_packet,
                    later: u32::try_from(heard).unwrap_or(0),
                });
                self.cut_sound(sound.track().octets(unit));
            }
        }
        begun..self.cuts.sounds.len()
    }

    fn cut_sound(&mut self, octets: &[u8]) {
        let mut at = self.cuts.heads.len();
        let odd = is_odd_length(SOUND.length() + octets.len(), self.payload_max);
        let header = PesHeader {
            stuffing: u8::from(odd),
            ..SOUND
        };
        header.write(&mut self.cuts.heads, octets.len());
        self.cuts.heads.extend_from_slice(octets);
        while at < self.cuts.heads.len() {
            let length = (self.cuts.heads.len() - at).min(self.payload_max);
            self.cuts.packets.push(Packet {
                head: u32::try_from(at).unwrap_or(u32::MAX),
                head_length: u16::try_from(length).unwrap_or(0),
                data: 0,
                data_length: 0,
            });
            at += length;
        }
    }
}

/// The headers of one frame.
impl Knife<'_> {
    fn is_key(&self, index: usize) -> bool {
        self.clip.frames().get(index).is_some_and(|frame| frame.key)
    }

    /// Octets that the policy puts before the frame's own.
    fn inserted(&self, index: usize) -> usize {
        let octets = self.clip.frame(index);
        let first = octets.get(START_CODE.len()..).unwrap_or_default();
        let codec = self.clip.codec();
        let lacks = codec.role(first) != Role::Delimiter;
        if self.policy.access_unit_delimiter && lacks {
            codec.delimiter().len()
        } else {
            0
        }
    }

    /// Where the first PES header stands.
    fn pes_at(&self, index: usize) -> usize {
        let key = self.is_key(index);
        let mut at = 14 + usize::from(self.policy.pack_stuffing & 7);
        let streams = self.streams.len();
        if self.policy.system_header.include(key) {
            at += system_header::length(streams);
        }
        if self.policy.stream_map.include(key) {
            at += stream_map::length(streams);
        }
        at
    }

    /// Where the program stream map stands, if there is one: before the first PES header.
    fn map(&self, index: usize) -> Option<Range<usize>> {
        let mapped = self.policy.stream_map.include(self.is_key(index));
        let end = self.pes_at(index);
        mapped.then(|| end - stream_map::length(self.streams.len())..end)
    }

    fn pes(&self, index: usize, stuffing: u8) -> PesHeader {
        let frame = self.clip.frames().get(index);
        let reorder = frame.map_or(0, |frame| frame.reorder);
        PesHeader {
            stream: ps::VIDEO,
            aligned: self.policy.alignment.include(self.is_key(index)),
            stamps: match self.policy.dts.include(reorder) {
                true => Stamps::PtsAndDts,
                false => Stamps::Pts,
            },
            stuffing,
        }
    }

    /// Appends the headers of a frame whose first PES packet has `payload` octets.
    fn write_head(&mut self, index: usize, payload: usize, stuffing: u8) {
        let mut heads = std::mem::take(&mut self.cuts.heads);
        let (key, policy) = (self.is_key(index), self.policy);
        let streams = &self.streams;
        pack_header::write(&mut heads, 0, self.mux_rate, policy.pack_stuffing);
        if policy.system_header.include(key) {
            let header = SystemHeader {
                rate_bound: self.rate_bound,
                audio_bound: policy.audio_bound.max(u8::from(streams.len() > 1)),
                fixed: policy.fixed,
                streams,
            };
            header.write(&mut heads);
        }
        if policy.stream_map.include(key) {
            let map = StreamMap {
                version: policy.stream_map_version,
                marker: policy.stream_map_marker,
                streams,
            };
            map.write(&mut heads);
        }
        let pes = self.pes(index, stuffing);
        pes.write(&mut heads, payload);
        if self.inserted(index) > 0 {
            heads.extend_from_slice(self.clip.codec().delimiter());
        }
        self.cuts.heads = heads;
    }
}
