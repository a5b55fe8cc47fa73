//! A clip: one video file, read once and shared by every camera that plays it.

mod refusal;
mod sound;

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use super::access_unit::{self, AccessUnit, Stream};
use super::codec::{Codec, Role};
use super::container;
use super::nal::START_CODE;
use super::place::reorder;
use super::rational::Rational;
use refusal::refuse;

pub use refusal::ClipError;
pub(super) use sound::Heard;
pub use sound::Sound;

/// What a caller knows about a file that the file may not say itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClipOptions {
    /// Frames per second of a stream without timing of its own; 25 when not given.
    pub fps: Option<Rational>,
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
    pub(super) sound: Heard,
}

impl Clip {
    /// Reads an H.264 or H.265 byte stream (Annex B), or the one in an MP4 file or a program
    /// stream. Frames before the first key frame are left out, and so are frames of it that are
    /// shown before it: nobody could decode them. Parameter sets are put before every key frame
    /// that has none of its own, and every NAL unit gets a four-octet start code, as cameras
    /// write it.
    ///
    /// Key frames are IDR pictures and I pictures with a recovery point SEI, or CRA pictures (open
    /// GOP); without any, all pictures of I slices; without any, all recovery points (gradual
    /// refresh).
    pub fn parse(name: &str, bytes: Bytes, options: ClipOptions) -> Result<Clip, ClipError> {
        if bytes.is_empty() {
            return Err(ClipError::Empty);
        }
        let contents = container::open(&bytes)?;
        let file = bytes.clone();
        let bytes = contents
            .as_ref()
            .map_or(bytes, |inside| inside.video.clone());
        let mut stream = access_unit::split(&bytes);
        refuse(&bytes, &stream)?;
        let mut units = std::mem::take(&mut stream.frames);
        let clock = contents.and_then(|inside| inside.fps_of(units.len()));
        let late = key_frames(&units).iter().take_while(|key| !**key).count();
        keep_decodable(&mut units)?;
        let shape = stream.shape.unwrap_or_default();
        let keys = key_frames(&units);
        let places: Vec<_> = units.iter().map(|unit| unit.place).collect();
        let reorder = reorder(&places);
        let (data, octets) = assemble(&bytes, &stream, &units, &keys);
        let frames: Vec<Frame> = octets
            .into_iter()
            .zip(keys)
            .zip(reorder)
            .map(|((octets, key), reorder)| Frame {
                octets,
                key,
                reorder,
            })
            .collect();
        let clip = Clip {
            name: name.to_owned(),
            data,
            codec: stream.codec,
            size: shape.size,
            fps: pace(shape.fps, clock)
                .or(options.fps)
                .unwrap_or(Rational::whole(25)),
            entries: entries(&frames),
            frames,
            sound: Ok(None),
        };
        Ok(clip.hearing(&file, late))
    }

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

    /// Mean bits per second of the elementary stream.
    pub fn bit_rate(&self) -> u64 {
        let octets = self.frames.iter().map(|frame| frame.octets.len() as u64);
        per_second(octets.sum(), self.frames.len() as u64, self.fps)
    }

    /// Bits in the busiest second of the elementary stream, played in a loop.
    pub fn peak_bit_rate(&self) -> u64 {
        let sizes: Vec<usize> = self.frames.iter().map(|frame| frame.octets.len()).collect();
        busiest_second(&sizes, self.fps)
    }

    /// Frames from one key frame to the next, played in a loop: the least and the most.
    pub fn gop(&self) -> (usize, usize) {
        let keys = || (0..self.frames.len()).filter(|index| self.is_key(*index));
        let next = keys().skip(1).chain([self.frames.len()]);
        let lengths = || keys().zip(next.clone()).map(|(from, to)| to - from);
        (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0))
    }

    fn is_key(&self, index: usize) -> bool {
        self.frames.get(index).is_some_and(|frame| frame.key)
    }

    /// How long one loop of the clip is.
    pub fn duration(&self) -> Duration {
        self.fps.time(self.frames.len() as u64)
    }
}

/// The rate of the container's clock, or the stream's own where they tell the same: clocks of
/// containers round.
fn pace(own: Option<Rational>, clock: Option<Rational>) -> Option<Rational> {
    let (Some(own), Some(clock)) = (own, clock) else {
        return clock.or(own);
    };
    let same = (own.as_f64() / clock.as_f64() - 1.0).abs() < 0.01;
    Some(if same { own } else { clock })
}

/// Which frames are key frames.
fn key_frames(units: &[AccessUnit]) -> Vec<bool> {
    let kinds: [fn(&AccessUnit) -> bool; 3] = [
        |unit| unit.idr || (unit.intra && unit.recovery == Some(0)),
        |unit| unit.intra,
        |unit| unit.recovery.is_some(),
    ];
    let marked = |is_key: fn(&AccessUnit) -> bool| units.iter().map(is_key).collect::<Vec<_>>();
    let mut found = kinds.into_iter().map(marked);
    let some = found.find(|keys| keys.contains(&true));
    some.unwrap_or_else(|| vec![false; units.len()])
}

/// Leaves out what no decoder could show: frames before the first key frame, and frames decoded
/// after it but shown before it.
fn keep_decodable(units: &mut Vec<AccessUnit>) -> Result<(), ClipError> {
    let keys = key_frames(units);
    let Some(first) = keys.iter().position(|key| *key) else {
        return Err(ClipError::NoKeyFrame(units.len()));
    };
    units.drain(..first);
    let key = units.first().filter(|unit| !unit.idr);
    let shown = key.map(|unit| unit.place);
    units.retain(|unit| Some(unit.place) >= shown);
    Ok(())
}

/// The elementary stream as it is sent, and where each frame stands in it.
fn assemble(
    bytes: &Bytes,
    stream: &Stream,
    units: &[AccessUnit],
    keys: &[bool],
) -> (Bytes, Vec<Range<usize>>) {
    let mut data = Vec::with_capacity(bytes.len() + 1024);
    let mut frames = Vec::with_capacity(units.len());
    for (unit, key) in units.iter().zip(keys) {
        let start = data.len();
        let own = stream.units.get(unit.units.clone()).unwrap_or_default();
        let missing = if *key { unit.missing.as_slice() } else { &[] };
        for at in in_order(bytes, stream.codec, own, missing) {
            data.extend_from_slice(&START_CODE);
            data.extend_from_slice(bytes.get(at.clone()).unwrap_or_default());
        }
        frames.push(start..data.len());
    }
    // A file that is already as it should be is not kept twice.
    if data == bytes[..] {
        return (bytes.clone(), frames);
    }
    data.shrink_to_fit();
    (Bytes::from(data), frames)
}

/// A frame's units with the parameter sets that it lacks: behind the delimiter, before the rest.
/// Parameter sets that it has already are among the missing ones and not repeated.
fn in_order<'a>(
    bytes: &'a [u8],
    codec: Codec,
    own: &'a [Range<usize>],
    missing: &'a [Range<usize>],
) -> impl Iterator<Item = &'a Range<usize>> {
    let role_at = |at: &Range<usize>| codec.role(bytes.get(at.clone()).unwrap_or_default());
    let delimiters = own
        .iter()
        .take_while(|at| role_at(at) == Role::Delimiter)
        .count();
    let (before, behind) = own.split_at(delimiters);
    let repeated = move |at: &&Range<usize>| !missing.contains(at);
    before
        .iter()
        .chain(missing)
        .chain(behind.iter().filter(repeated))
}

/// The key frames that no later frame is presented before.
fn entries(frames: &[Frame]) -> Vec<u32> {
    let mut earliest = usize::MAX;
    let mut closed = Vec::new();
    for (index, frame) in frames.iter().enumerate().rev() {
        let shown = index + frame.reorder as usize;
        if frame.key && shown < earliest {
            closed.push(u32::try_from(index).unwrap_or(u32::MAX));
        }
        earliest = earliest.min(shown);
    }
    closed.reverse();
    closed
}

/// Bits per second when `octets` are spread over `frames`.
fn per_second(octets: u64, frames: u64, fps: Rational) -> u64 {
    let bits = u128::from(octets) * 8 * u128::from(fps.numerator());
    let rate = bits / (u128::from(fps.denominator()) * u128::from(frames.max(1)));
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// Bits in the busiest second of frames of these sizes in octets, played in a loop.
pub(super) fn busiest_second(sizes: &[usize], fps: Rational) -> u64 {
    let window = fps.as_f64().ceil().clamp(1.0, 1000.0) as usize;
    let size = |index: usize| sizes.get(index % sizes.len().max(1)).copied().unwrap_or(0) as u64;
    let mut sum: u64 = (0..window).map(size).sum();
    let mut most = sum;
    for start in 0..sizes.len() {
        sum = sum + size(start + window) - size(start);
        most = most.max(sum);
    }
    per_second(most, window as u64, fps)
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
