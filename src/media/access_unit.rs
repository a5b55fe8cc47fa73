//! Access units: a byte stream taken apart into frames, whatever its codec.

use std::ops::Range;

use super::codec::Codec;
use super::nal;
use super::place::Place;
use super::rational::Rational;
use super::{h264, h265};

/// One frame of a byte stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    /// Its NAL units, as indices into [`Stream::units`].
    pub units: Range<usize>,
    /// Where it is shown.
    pub place: Place,
    /// Its (first) picture is one that no later picture refers across.
    pub idr: bool,
    /// Its (first) picture has I slices only.
    pub intra: bool,
    /// How many frames after it the picture is whole again, if the stream says so.
    pub recovery: Option<u32>,
    /// It is an I picture and lacks parameter sets: those in force, as ranges of the stream.
    pub missing: Vec<Range<usize>>,
}

/// What a sequence parameter set says of the pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// Width and height in pixels, cropping applied.
    pub size: (u32, u32),
    /// Frames per second, if there is timing that a camera means.
    pub fps: Option<Rational>,
}

/// A byte stream taken apart.
#[derive(Debug)]
pub struct Stream {
    /// How it is coded.
    pub codec: Codec,
    /// All NAL units, without start codes and trailing zeros.
    pub units: Vec<Range<usize>>,
    /// The frames in decoding order.
    pub frames: Vec<AccessUnit>,
    /// The pictures of the first I picture's sequence parameter set, or of any.
    pub shape: Option<Shape>,
    /// The kind of parameter set that there is none of.
    pub lacks: Option<&'static str>,
    /// Why the first parameter set that was not understood was not.
    pub rejected: Option<String>,
    /// Slices whose header could not be read; they stay with the frame that they stand in.
    pub unreadable: u64,
    /// The parameter sets that I pictures lack are longer than the whole stream: not all were
    /// noted.
    pub excessive: bool,
}

impl Stream {
    /// A stream of which nothing is known yet.
    pub(super) fn of(codec: Codec) -> Stream {
        Stream {
            codec,
            units: Vec::new(),
            frames: Vec::new(),
            shape: None,
            lacks: None,
            rejected: None,
            unreadable: 0,
            excessive: false,
        }
    }
}

/// Takes an Annex B byte stream apart. Frames whose first slice cannot be read because parameter
/// sets are missing are joined to what stands before.
pub fn split(stream: &[u8]) -> Stream {
    match codec_of(stream) {
        Codec::H265 => h265::split(stream),
        Codec::H264 | Codec::Pcma => h264::split(stream),
    }
}

/// The codec by the first sequence parameter set: the header of H.265's is that of no unit which
/// H.264 begins a stream with, and the other way round.
fn codec_of(stream: &[u8]) -> Codec {
    let mut units = nal::units(stream).filter_map(|at| stream.get(at));
    let found = units.find_map(|unit| match unit {
        [0x42, 1, ..] => Some(Codec::H265),
        _ if h264::kind_of(unit) == h264::kind::SPS => Some(Codec::H264),
        _ => None,
    });
    found.unwrap_or(Codec::H264)
}

/// How many octets of missing parameter sets may be noted: a file whose every picture lacked
/// megabytes of them would be made to fill memory.
#[derive(Debug)]
pub struct Allowance(usize);

impl Allowance {
    /// Of a stream of so many octets.
    pub fn of(stream: &[u8]) -> Allowance {
        Allowance(stream.len() + 65_536)
    }

    /// Those sets, if there is room for them.
    pub fn take<'a>(
        &mut self,
        sets: impl Iterator<Item = &'a Range<usize>> + Clone,
    ) -> Option<Vec<Range<usize>>> {
        let octets: usize = sets.clone().map(|at| at.len() + 4).sum();
        self.0 = self.0.checked_sub(octets)?;
        Some(sets.cloned().collect())
    }
}
