//! A clip whose frames are cut into exactly so many octets of RTP payload.

use std::sync::Arc;

use bytes::Bytes;
use vcam::media::{Clip, ClipOptions, Cut, PsPolicy, RtpPolicy};

/// Frames of the clip, which is one GOP: two seconds.
pub const FRAMES: usize = 50;

/// Frames a second.
pub const FPS: u64 = 25;

/// A clip of [`FRAMES`] frames, each of them `payload` octets of RTP payload, cut by the standard.
pub fn cut(payload: usize) -> Arc<Cut> {
    const HEADERS: usize = 128;
    let guess = [payload - HEADERS; FRAMES];
    let sums = sums(&cut_of(&guess));
    let sizes: Vec<usize> = sums
        .iter()
        .map(|sum| payload - HEADERS + payload - sum)
        .collect();
    let cut = cut_of(&sizes);
    assert!(self::sums(&cut).iter().all(|sum| *sum == payload));
    Arc::new(cut)
}

/// Octets of RTP payload of every frame.
fn sums(cut: &Cut) -> Vec<usize> {
    let frame = |index| cut.packets(index).iter().map(|one| one.payload()).sum();
    (0..FRAMES).map(frame).collect()
}

fn cut_of(sizes: &[usize]) -> Cut {
    let clip = Clip::parse("load", stream(sizes), ClipOptions::default());
    let clip = Arc::new(clip.expect("the bench writes valid H.264"));
    assert_eq!(clip.frames().len(), sizes.len());
    assert_eq!(clip.fps().as_f64(), FPS as f64);
    Cut::new(clip, &PsPolicy::default(), &RtpPolicy::default())
}

/// A byte stream of frames of these sizes: an IDR picture with its parameter sets, then P.
fn stream(sizes: &[usize]) -> Bytes {
    let mut stream = Vec::new();
    for (index, size) in sizes.iter().enumerate() {
        let end = stream.len() + size;
        if index == 0 {
            push(&mut stream, 0x67, sequence_parameters());
            push(&mut stream, 0x68, picture_parameters());
        }
        let kind = if index == 0 { 0x65 } else { 0x41 };
        push(&mut stream, kind, slice_header(index));
        fill(&mut stream, end);
    }
    stream.into()
}

/// Octets as an entropy coder leaves them, but none of them zero, up to `end`.
fn fill(stream: &mut Vec<u8>, end: usize) {
    assert!(stream.len() < end, "the frame is too small for its headers");
    let mut state = 0x2545_F491_u32;
    while stream.len() < end {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        stream.push((state >> 24) as u8 | 1);
    }
}

fn push(stream: &mut Vec<u8>, kind: u8, bits: Bits) {
    stream.extend_from_slice(&[0, 0, 0, 1, kind]);
    let mut zeros = 0;
    for octet in bits.octets() {
        if zeros == 2 && octet <= 3 {
            stream.push(3);
            zeros = 0;
        }
        zeros = if octet == 0 { zeros + 1 } else { 0 };
        stream.push(octet);
    }
}

/// Bits of a raw byte sequence payload (H.264 §7.2).
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn u(mut self, width: u32, value: u32) -> Self {
        let bits = (0..width).rev().map(|bit| value >> bit & 1 == 1);
        self.0.extend(bits);
        self
    }

    fn ue(self, value: u32) -> Self {
        let width = 32 - (value + 1).leading_zeros();
        self.u(width - 1, 0).u(width, value + 1)
    }

    /// With the stop bit, filled up with ones to a whole octet.
    fn octets(mut self) -> Vec<u8> {
        self.0.push(true);
        let octet = |bits: &[bool]| (0..8).fold(0, |all, at| all << 1 | bit(bits, at));
        self.0.chunks(8).map(octet).collect()
    }
}

fn bit(bits: &[bool], at: usize) -> u8 {
    u8::from(bits.get(at).copied().unwrap_or(false))
}

/// Baseline, 320 x 192, pictures shown in the order they are decoded, 25 frames a second.
fn sequence_parameters() -> Bits {
    let picture = Bits::default().u(8, 66).u(8, 0).u(8, 30).ue(0);
    let order = picture.ue(0).ue(2).ue(1).u(1, 0);
    let size = order.ue(19).ue(11).u(1, 1).u(1, 1).u(1, 0);
    let timing = size.u(1, 1).u(4, 0).u(1, 1).u(32, 1).u(32, 2 * FPS as u32);
    timing.u(1, 1).u(4, 0)
}

fn picture_parameters() -> Bits {
    let coding = Bits::default().ue(0).ue(0).u(2, 0).ue(0).ue(0).ue(0);
    coding.u(3, 0).ue(0).ue(0).ue(0).u(3, 0)
}

fn slice_header(index: usize) -> Bits {
    const P: u32 = 5;
    const I: u32 = 7;
    let kind = if index == 0 { I } else { P };
    let picture = Bits::default().ue(0).ue(kind).ue(0);
    let picture = picture.u(4, index as u32 % 16);
    let references = if index == 0 {
        picture.ue(0).u(2, 0)
    } else {
        picture.u(3, 0)
    };
    references.ue(0)
}
