//! A camera for the receiver's tests: program stream and RTP written octet by octet from the
//! standards, so that any of them can be made wrong.

use std::sync::Arc;

use crate::media::codec::Codec;
use crate::media::rational::Rational;
use crate::media::receiver::{Expected, Receiver};
use crate::media::rtp::Framing;
use crate::media::verdict::{Reference, Verdict};
use crate::time::Instant;

pub const SSRC: u32 = 200_000_001;
pub const GOP: usize = 5;
pub const FRAMES: usize = 15;
const START: u64 = 90_000;

/// ISO/IEC 13818-1 golden octets: system header and map of one H.264 stream.
const SYSTEM_HEADER: [u8; 15] = [
    0, 0, 1, 0xBB, 0, 9, 0x80, 0xCC, 0xF5, 0, 0xE1, 0x7F, 0xE0, 0xE1, 0x90,
];
const MAP: [u8; 20] = [
    0, 0, 1, 0xBC, 0, 0x0E, 0xE0, 0xFF, 0, 0, 0, 4, 0x1B, 0xE0, 0, 0, 0xF4, 0xDC, 0xBD, 0x45,
];

/// A NAL unit with four-octet start code; `seed` decides its content, which has no zeros.
pub fn unit(header: u8, length: usize, seed: usize) -> Vec<u8> {
    let body = (0..length).map(|at| (seed * 131 + at * at * 7 + at * 13) as u8 | 1);
    [0, 0, 0, 1, header].into_iter().chain(body).collect()
}

/// Frame `n` of the source: key frames bring parameter sets, some frames two slices.
pub fn source_frame(n: usize) -> Vec<u8> {
    let mut frame = Vec::new();
    if n.is_multiple_of(GOP) {
        frame.extend([0, 0, 0, 1, 0x67, 0x64, 0, 0x1F, 0xAC, 0x2B]);
        frame.extend([0, 0, 0, 1, 0x68, 0xEE, 0x3C]);
        frame.extend(unit(0x65, 900, n));
    } else {
        frame.extend(unit(0x41, 150 + 10 * n, n));
    }
    if n.is_multiple_of(3) {
        frame.extend(unit(
            if n.is_multiple_of(GOP) { 0x65 } else { 0x41 },
            77,
            n + 1000,
        ));
    }
    frame
}

pub fn reference() -> Arc<Reference> {
    let frames: Vec<_> = (0..FRAMES).map(source_frame).collect();
    let facts = (0..FRAMES).map(|n| (n.is_multiple_of(GOP), 0));
    let octets = frames.iter().map(Vec::as_slice);
    Arc::new(Reference::index(
        "test",
        Codec::H264,
        Rational::whole(25),
        octets.zip(facts),
    ))
}

/// What a frame is sent as; every part can be changed.
#[derive(Clone)]
pub struct Shot {
    pub dts: u64,
    pub scr: u64,
    pub pts: u64,
    pub timestamp: u32,
    /// Built from the stamps unless set.
    pub pack: Option<Vec<u8>>,
    pub headers: Vec<u8>,
    pub stamped: bool,
    pub octets: Vec<u8>,
    /// Behind the video.
    pub trailer: Vec<u8>,
    pub edit_pes: fn(&mut Vec<u8>),
}

/// What is sent `time` frames after the start when it is the source's frame `n`.
pub fn shot(time: usize, n: usize) -> Shot {
    let dts = START + 3600 * time as u64;
    let octets = source_frame(n % FRAMES);
    let key = n.is_multiple_of(GOP);
    Shot {
        dts,
        scr: dts - 3600,
        pts: dts,
        timestamp: dts as u32 + 555,
        pack: None,
        headers: if key {
            [&SYSTEM_HEADER[..], &MAP].concat()
        } else {
            vec![]
        },
        stamped: true,
        octets,
        trailer: vec![],
        edit_pes: |_| {},
    }
}

pub fn pack_header(scr: u64) -> Vec<u8> {
    let clock = 0x4400_0400_0401
        | (scr >> 30 & 7) << 43
        | (scr >> 15 & 0x7FFF) << 27
        | (scr & 0x7FFF) << 11;
    let mut pack = vec![0, 0, 1, 0xBA];
    pack.extend(&clock.to_be_bytes()[2..]);
    pack.extend([0, 0x5F, 0x6B, 0xF8]);
    pack
}

fn stamp(prefix: u8, value: u64) -> [u8; 5] {
    let (high, middle, low) = (value >> 30 & 7, value >> 15 & 0x7FFF, value & 0x7FFF);
    let [a, b] = ((middle << 1 | 1) as u16).to_be_bytes();
    let [c, d] = ((low << 1 | 1) as u16).to_be_bytes();
    [prefix << 4 | (high << 1) as u8 | 1, a, b, c, d]
}

/// A PES packet with PTS and DTS, PTS only where both are equal, or none.
pub fn pes(stream: u8, stamps: Option<(u64, u64)>, payload: &[u8]) -> Vec<u8> {
    let fields = match stamps {
        None => vec![],
        Some((pts, dts)) if pts == dts => stamp(2, pts).to_vec(),
        Some((pts, dts)) => [stamp(3, pts), stamp(1, dts)].concat(),
    };
    let flags = [0, 0x80, 0xC0][fields.len() / 5];
    let length = (3 + fields.len() + payload.len()) as u16;
    let mut pes = vec![0, 0, 1, stream];
    pes.extend(length.to_be_bytes());
    pes.extend([0x80, flags, fields.len() as u8]);
    pes.extend(fields);
    pes.extend(payload);
    pes
}

impl Shot {
    /// The frame's pack; its elementary stream in two PES packets.
    pub fn pack(&self) -> Vec<u8> {
        let mut octets = self.pack.clone().unwrap_or_else(|| pack_header(self.scr));
        octets.extend(&self.headers);
        let (first, second) = self.octets.split_at(self.octets.len() / 2);
        let stamps = self.stamped.then_some((self.pts, self.dts));
        let mut video = pes(0xE0, stamps, first);
        (self.edit_pes)(&mut video);
        octets.extend(video);
        octets.extend(pes(0xE0, None, second));
        octets.extend(&self.trailer);
        octets
    }
}

/// An RTP packet before it is written.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Which shot it belongs to.
    pub shot: usize,
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: Vec<u8>,
}

impl Wire {
    pub fn octets(&self) -> Vec<u8> {
        let mut octets = vec![0x80, u8::from(self.marker) << 7 | self.payload_type];
        octets.extend(self.sequence.to_be_bytes());
        octets.extend(self.timestamp.to_be_bytes());
        octets.extend(self.ssrc.to_be_bytes());
        octets.extend(&self.payload);
        octets
    }
}

/// Packets of 200 octets of payload, the marker on each shot's last; numbers wrap on the way.
pub fn packets(shots: &[Shot]) -> Vec<Wire> {
    let mut sequence = 65_530_u16;
    let mut all = Vec::new();
    for (index, shot) in shots.iter().enumerate() {
        let pack = shot.pack();
        let count = pack.len().div_ceil(200);
        for (part, payload) in pack.chunks(200).enumerate() {
            all.push(Wire {
                shot: index,
                marker: part + 1 == count,
                payload_type: 96,
                sequence,
                timestamp: shot.timestamp,
                ssrc: SSRC,
                payload: payload.to_vec(),
            });
            sequence = sequence.wrapping_add(1);
        }
    }
    all
}

/// The first `count` frames of an honest camera that loops the source.
pub fn honest(count: usize) -> Vec<Shot> {
    (0..count).map(|time| shot(time, time % FRAMES)).collect()
}

pub fn receiver(framing: Framing) -> Receiver {
    let expected = Expected {
        ssrc: Some(SSRC),
        reference: Some(reference()),
        ..Expected::default()
    };
    Receiver::new(Arc::new(expected), framing)
}

/// The verdict on datagrams that come a millisecond apart.
pub fn judge(packets: &[Wire]) -> Verdict {
    let mut receiver = receiver(Framing::Datagram);
    for (index, packet) in packets.iter().enumerate() {
        let now = Instant::from_nanos(index as u64 * 1_000_000);
        receiver.datagram(now, &packet.octets());
    }
    receiver.finish();
    receiver.verdict()
}
