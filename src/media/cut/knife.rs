//! Cuts a clip's frames.

use super::super::clip::{Clip, busiest_second};
use super::super::codec::Role;
use super::super::nal::START_CODE;
use super::super::ps::pes::{self, PesHeader, Stamps};
use super::super::ps::policy::PsPolicy;
use super::super::ps::stream_map::StreamMap;
use super::super::ps::system_header::SystemHeader;
use super::super::ps::{self, Buffer, ElementaryStream, pack_header};
use super::super::rtp::{self, RtpPolicy};
use super::{FrameCut, Packet};

/// The longest PES payload with which the whole packet stays below 65,536 octets.
const PES_PAYLOAD_LIMIT: usize = 65_515;

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
    /// The program stream's headers, one after the other, time stamps zero.
    pub heads: Vec<u8>,
}

/// Cuts all frames of a clip.
pub(super) fn cut(clip: &Clip, ps: &PsPolicy, rtp: &RtpPolicy) -> Cuts {
    let mut knife = Knife::new(clip, ps, rtp);
    for index in 0..clip.frames().len() {
        knife.cut(index);
    }
    knife.cuts
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

    /// Whether one of the first three packets is exactly 256 octets long: ZLMediaKit takes the
    /// length prefix 01 00 for another protocol's header where `char` is unsigned. All packets but
    /// the last are full.
    fn looks_like_another_protocol(&self, payload_max: usize) -> bool {
        let total = self.total();
        total.div_ceil(payload_max) <= 3 && total % payload_max == 256 - rtp::HEADER
    }
}

/// What cuts.
struct Knife<'a> {
    clip: &'a Clip,
    policy: &'a PsPolicy,
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
            payload_max,
            pes_max: pes_max.clamp(payload_max, PES_PAYLOAD_LIMIT),
            mux_rate: 0,
            rate_bound: 0,
            cuts: Cuts::default(),
        };
        let frames = 0..clip.frames().len();
        let sizes: Vec<usize> = frames.map(|index| knife.plan(index, 0).total()).collect();
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
        self.cuts.frames.push(FrameCut {
            packets: first_packet..self.cuts.packets.len(),
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
        if self.policy.system_header.include(key) {
            at += 15;
        }
        if self.policy.stream_map.include(key) {
            at += 20;
        }
        at
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
        let streams = [ElementaryStream {
            id: ps::VIDEO,
            kind: self.clip.codec().stream_type(),
            buffer: Buffer::Of1024(policy.video_buffer),
        }];
        pack_header::write(&mut heads, 0, self.mux_rate, policy.pack_stuffing);
        if policy.system_header.include(key) {
            let header = SystemHeader {
                rate_bound: self.rate_bound,
                audio_bound: policy.audio_bound,
                fixed: policy.fixed,
                streams: &streams,
            };
            header.write(&mut heads);
        }
        if policy.stream_map.include(key) {
            let map = StreamMap {
                version: policy.stream_map_version,
                marker: policy.stream_map_marker,
                streams: &streams,
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
