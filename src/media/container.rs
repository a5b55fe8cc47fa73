//! Files that hold video among other things: the video is taken out, as a byte stream.

mod mp4;
mod program_stream;

use bytes::Bytes;

use super::audio::{AudioError, Track};
use super::clip::ClipError;
use super::rational::Rational;

/// Video taken out of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// An Annex B byte stream.
    pub video: Bytes,
    /// Frames per second by the container's clock.
    pub fps: Option<Rational>,
    /// How many frames that clock counts; the rate means nothing when there are not so many.
    pub counted: u64,
}

/// What a container holds; `None` for a file that is no container known here. Never more octets
/// than the file has, but for start codes.
pub fn open(bytes: &[u8]) -> Result<Option<Contents>, ClipError> {
    let opened = if mp4::is_one(bytes) {
        mp4::open(bytes).map_err(|why| ClipError::Container("an MP4 file", why))
    } else if program_stream::is_one(bytes) {
        program_stream::open(bytes)
            .map_err(|why| ClipError::Container("an MPEG program stream", why))
    } else {
        return Ok(None);
    };
    opened.map(Some)
}

/// The sound of a container; `None` for one without, and for a file that is none.
pub fn sound(name: &str, bytes: &Bytes) -> Result<Option<Track>, AudioError> {
    if mp4::is_one(bytes) {
        return mp4::sound::open(name, bytes);
    }
    match program_stream::is_one(bytes) {
        true => program_stream::sound::open(name, bytes),
        false => Ok(None),
    }
}

impl Contents {
    /// The container's rate, if it counts exactly as many frames as were found. In a program
    /// stream one time stamp may stand for several.
    pub fn fps_of(&self, frames: usize) -> Option<Rational> {
        self.fps.filter(|_| self.counted == frames as u64)
    }
}

/// The rate of `events` in `ticks` of a clock, if it is one that a camera means.
fn rate(events: u64, ticks: u64, clock: u64) -> Option<Rational> {
    let (mut a, mut b) = (events.checked_mul(clock)?, ticks);
    let (numerator, denominator) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let common = a.max(1);
    let whole = |value: u64| u32::try_from(value / common).ok();
    let rate = Rational::new(whole(numerator)?, whole(denominator)?)?;
    (0.1..=300.0).contains(&rate.as_f64()).then_some(rate)
}
