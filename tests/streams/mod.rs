//! H.264 streams of any shape, made from the parts of a small real one.
#![allow(dead_code)] // not every test makes every kind

use std::sync::Arc;

use bytes::Bytes;
use vcam::media::{Clip, ClipOptions, h264, nal};

/// Constant frames, no B-frames, a key frame every ten.
pub const PLAIN: &[u8] = include_bytes!("../media/plain.h264");
/// B-frames that B-frames refer to.
pub const PYRAMID: &[u8] = include_bytes!("../media/pyramid.h264");

/// The clip that a file holds.
pub fn clip(file: &[u8]) -> Arc<Clip> {
    let bytes = Bytes::copy_from_slice(file);
    Arc::new(Clip::parse("test", bytes, ClipOptions::default()).unwrap())
}

/// The first NAL unit of `kind` in [`PLAIN`].
fn part(kind: u8) -> &'static [u8] {
    let mut units = nal::units(PLAIN).map(|at| &PLAIN[at]);
    units.find(|unit| h264::kind_of(unit) == kind).unwrap()
}

fn push(file: &mut Vec<u8>, unit: &[u8]) {
    file.extend_from_slice(&nal::START_CODE);
    file.extend_from_slice(unit);
}

/// Appends a picture: a slice of the given kind whose header is real and whose `octets` after it
/// are `filling`.
pub fn push_picture(file: &mut Vec<u8>, key: bool, octets: usize, filling: u8) {
    if key {
        push(file, part(7));
        push(file, part(8));
    }
    let mut slice = part(if key { 5 } else { 1 })[..5].to_vec();
    slice.resize(5 + octets, filling.max(1));
    push(file, &slice);
}

/// A clip of 25 frames a second whose pictures have these sizes; the first and every `gop`-th is a
/// key frame.
pub fn clip_of(sizes: &[usize], gop: usize) -> Arc<Clip> {
    let mut file = Vec::new();
    for (index, octets) in sizes.iter().enumerate() {
        push_picture(&mut file, index % gop == 0, *octets, index as u8);
    }
    clip(&file)
}
