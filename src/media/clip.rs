//! A clip: one video file, read once and shared by every camera that plays it.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use super::rational::Rational;

/// What a caller knows about a file that the file may not say itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClipOptions {
    /// Frames per second of a stream without timing of its own; 25 when not given.
    pub fps: Option<Rational>,
}

/// How a clip's pictures are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// ITU-T H.264.
    H264,
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Codec::H264 => "H.264",
        })
    }
}

/// One access unit: a frame, or both fields of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where its NAL units stand in [`Clip::data`], each behind a four-octet start code.
    pub octets: Range<usize>,
    /// Decoding can begin here: parameter sets and an I picture.
    pub key: bool,
    /// How many frames after its decoding it is presented.
    pub reorder: u32,
}

/// A video file as a camera's encoder would have made it: access units in decoding order, each
/// with its place in time, parameter sets before every key frame.
#[derive(Clone)]
pub struct Clip {
    pub(super) name: String,
    pub(super) data: Bytes,
    pub(super) codec: Codec,
    pub(super) size: (u32, u32),
    pub(super) fps: Rational,
    pub(super) frames: Vec<Frame>,
    pub(super) entries: Vec<u32>,
}

impl Clip {
    /// What the clip is called in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The elementary stream that [`Frame::octets`] point into.
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// How the pictures are coded.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Width in pixels, cropping applied.
    pub fn width(&self) -> u32 {
        self.size.0
    }

    /// Height in pixels, cropping applied.
    pub fn height(&self) -> u32 {
        self.size.1
    }

    /// Frames per second.
    pub fn fps(&self) -> Rational {
        self.fps
    }

    /// The frames in decoding order; never empty, and the first is a key frame.
    pub fn frames(&self) -> &[Frame] {
        &self.frames
    }

    /// The octets of one frame; empty beyond the last.
    pub fn frame(&self, index: usize) -> &[u8] {
        self.frames
            .get(index)
            .and_then(|frame| self.data.get(frame.octets.clone()))
            .unwrap_or_default()
    }

    /// Where a stream may begin, as rising indices into [`Clip::frames`]; never empty, the first
    /// is 0. These are the key frames that no later frame is presented before, or all key frames
    /// in a clip that has no such.
    pub fn entries(&self) -> &[u32] {
        &self.entries
    }

    /// How long one loop of the clip is.
    pub fn duration(&self) -> Duration {
        self.fps.time(self.frames.len() as u64)
    }
}

impl fmt::Debug for Clip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clip")
            .field("name", &self.name)
            .field("codec", &self.codec)
            .field("size", &self.size)
            .field("fps", &self.fps)
            .field("frames", &self.frames.len())
            .finish_non_exhaustive()
    }
}
