//! Sound beside the pictures: what a camera's microphone would have given, read once and shared.
//!
//! ```text
//! file -> raw G.711 | WAV | ADTS | MP4 -> Track: access units of equal length, each with its time
//! ```
//!
//! GB/T 28181-2022 annex C names the codecs and their stream types.

pub(super) mod adts;
pub mod law;
pub(super) mod refusal;
mod tone;
mod wav;

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;

use super::container;
use super::g711::RATE;
use super::rational::Rational;
use law::Law;

pub use refusal::AudioError;

/// Samples, and octets, of an access unit of G.711: 40 ms, as cameras send it.
pub const G711_UNIT: usize = 320;

/// Ticks per second of the time stamps in a program stream.
const CLOCK: u32 = 90_000;

/// How sound is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AudioCodec {
    /// ITU-T G.711 A-law.
    G711A,
    /// ITU-T G.711 mu-law.
    G711U,
    /// AAC, each access unit behind an ADTS header (ISO/IEC 13818-7 §6.2).
    Aac,
}

impl AudioCodec {
    /// `stream_type` in a program stream map (GB/T 28181-2022 annex C).
    pub const fn stream_type(self) -> u8 {
        match self {
            AudioCodec::G711A => 0x90,
            AudioCodec::G711U => 0x91,
            AudioCodec::Aac => 0x0F,
        }
    }
}

impl fmt::Display for AudioCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AudioCodec::G711A => "G.711 A-law",
            AudioCodec::G711U => "G.711 mu-law",
            AudioCodec::Aac => "AAC (ADTS)",
        })
    }
}

/// A sound file as a camera's encoder would have made it: access units of equally many samples,
/// counted from 0 and said again and again, so that unit `n` exists for every `n` and its time
/// is a product.
#[derive(Clone, PartialEq, Eq)]
pub struct Track {
    name: String,
    data: Bytes,
    codec: AudioCodec,
    sample_rate: u32,
    channels: u8,
    /// Samples of each channel in a unit.
    samples: u32,
    /// Samples of each channel before the first unit.
    delay: u32,
    units: Units,
}

/// Where units stand in the data.
#[derive(Clone, PartialEq, Eq)]
enum Units {
    /// So many, each of the same number of octets.
    Even { count: usize, octets: usize },
    /// One begins at each of these, rising; the last is where the last one ends.
    Listed(Vec<usize>),
}

impl Track {
    /// Reads a file: WAV (G.711, or PCM of 16 bits, which becomes A-law; one channel, 8000 Hz), AAC
    /// as ADTS, the sound of an MP4 file (AAC or G.711), and G.711 without anything around it,
    /// which only the ending of `name` tells: `.g711a` or `.alaw`, `.g711u` or `.ulaw`.
    pub fn parse(name: &str, bytes: Bytes) -> Result<Track, AudioError> {
        if bytes.is_empty() {
            return Err(AudioError::Empty);
        }
        if wav::is_one(&bytes) {
            return wav::open(name, &bytes);
        }
        if let Some(sound) = container::sound(name, &bytes)? {
            return Ok(sound);
        }
        match law_of(name) {
            Some(law) => Track::g711(name, law, bytes),
            None if adts::is_one(&bytes) => adts::open(name, &bytes),
            None => Err(refusal::unknown(&bytes)),
        }
    }

    /// G.711 of one channel, 8000 octets a second. Silence fills the last unit.
    pub fn g711(name: &str, law: Law, samples: Bytes) -> Result<Track, AudioError> {
        if samples.is_empty() {
            return Err(AudioError::Empty);
        }
        let count = samples.len().div_ceil(G711_UNIT);
        let whole = count * G711_UNIT;
        let data = match samples.len() == whole {
            true => samples,
            false => {
                let mut filled = Vec::with_capacity(whole);
                filled.extend_from_slice(&samples);
                filled.resize(whole, law.silence());
                filled.into()
            }
        };
        Ok(Track {
            name: name.to_owned(),
            data,
            codec: law.codec(),
            sample_rate: RATE,
            channels: 1,
            samples: G711_UNIT as u32,
            delay: 0,
            units: Units::Even {
                count,
                octets: G711_UNIT,
            },
        })
    }

    /// AAC: `data` is one access unit after the other, each with a header like `first`; `marks`
    /// says where they begin, and where the last one ends.
    pub(super) fn aac(
        name: &str,
        first: adts::Header,
        data: Bytes,
        marks: Vec<usize>,
    ) -> Result<Track, AudioError> {
        if marks.len() < 2 {
            return Err(AudioError::Empty);
        }
        Ok(Track {
            name: name.to_owned(),
            data,
            codec: AudioCodec::Aac,
            sample_rate: first.format.sample_rate(),
            channels: first.format.channels,
            samples: first.samples(),
            delay: 0,
            units: Units::Listed(marks),
        })
    }

    /// The same, beginning so many samples later.
    pub(super) fn delayed(self, delay: u32) -> Track {
        Track { delay, ..self }
    }

    /// The same, beginning `ticks` later on a clock of `clock` ticks per second; units that begin
    /// before the beginning then are left out.
    pub(super) fn shifted(self, ticks: i64, clock: u32) -> Track {
        let samples = i128::from(ticks) * i128::from(self.sample_rate) / i128::from(clock.max(1));
        let begin = samples.saturating_add(self.delay.into());
        if begin >= 0 {
            return self.delayed(u32::try_from(begin).unwrap_or(u32::MAX));
        }
        let unit = u128::from(self.samples.max(1));
        let units = begin.unsigned_abs().div_ceil(unit);
        let delay = units * unit - begin.unsigned_abs();
        let left_out = usize::try_from(units).unwrap_or(usize::MAX);
        self.without(left_out).delayed(delay as u32)
    }

    /// The same without the first `count` units, of which the last one is kept in any case.
    fn without(mut self, count: usize) -> Track {
        let count = count.min(self.count().saturating_sub(1));
        let begin = self.unit(count as u64).start;
        self.data = self.data.slice(begin..);
        match &mut self.units {
            Units::Even { count: all, .. } => *all -= count,
            Units::Listed(marks) => {
                marks.drain(..count);
                marks.iter_mut().for_each(|mark| *mark -= begin);
            }
        }
        self
    }

    /// What the track is called in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What [`Track::unit`] points into.
    pub fn data(&self) -> &Bytes {
        &self.data
    }

    /// How it is coded.
    pub fn codec(&self) -> AudioCodec {
        self.codec
    }

    /// Samples a second of each channel, in Hz. Of AAC with a spectral band replicated (HE-AAC) it
    /// is that of the core, half of what is heard.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// How many channels it has.
    pub fn channels(&self) -> u8 {
        self.channels
    }

    /// Samples of each channel in an access unit: 320 of G.711 (40 ms), 1024 of AAC.
    pub fn samples(&self) -> u32 {
        self.samples
    }

    /// How many access units the file has; never 0.
    pub fn count(&self) -> usize {
        match &self.units {
            Units::Even { count, .. } => *count,
            Units::Listed(marks) => marks.len().saturating_sub(1),
        }
    }

    /// Access units a second.
    pub fn rate(&self) -> Rational {
        Rational::new(self.sample_rate, self.samples).unwrap_or(Rational::whole(1))
    }

    /// Where unit `n` stands in [`Track::data`]. Behind the last unit the first one comes again.
    pub fn unit(&self, n: u64) -> Range<usize> {
        let n = (n % self.count().max(1) as u64) as usize;
        match &self.units {
            Units::Even { octets, .. } => n * octets..(n + 1) * octets,
            Units::Listed(marks) => match marks.get(n..n + 2) {
                Some(&[begin, end]) => begin..end,
                _ => 0..0,
            },
        }
    }

    /// The octets of unit `n`, as one PES packet carries them.
    pub fn octets(&self, n: u64) -> &[u8] {
        self.data.get(self.unit(n)).unwrap_or_default()
    }

    /// When unit `n` begins, on a clock of `clock` ticks per second that began with the track;
    /// rounded down. Exact for every `n`: nothing accumulates.
    pub fn ticks(&self, n: u64, clock: u32) -> u64 {
        let samples = u128::from(n) * u128::from(self.samples) + u128::from(self.delay);
        let ticks = samples * u128::from(clock) / u128::from(self.sample_rate.max(1));
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }

    /// [`Track::ticks`] on the clock of a program stream, 90 kHz.
    pub fn pts(&self, n: u64) -> u64 {
        self.ticks(n, CLOCK)
    }

    /// The first unit that begins when `frames` pictures, `fps` a second, are over, or later.
    pub fn first_after(&self, frames: u64, fps: Rational) -> u64 {
        let samples = self.samples_in(frames, fps);
        let units = samples.div_ceil(u128::from(self.samples.max(1)));
        u64::try_from(units).unwrap_or(u64::MAX)
    }

    /// How many units are over when `frames` pictures, `fps` a second, are over.
    pub fn whole_within(&self, frames: u64, fps: Rational) -> u64 {
        let samples = u128::from(fps.numerator());
        let passed = u128::from(frames) * u128::from(fps.denominator());
        let passed = passed * u128::from(self.sample_rate) / samples;
        let units = passed.saturating_sub(self.delay.into()) / u128::from(self.samples.max(1));
        u64::try_from(units).unwrap_or(u64::MAX)
    }

    /// Samples of the units in so many pictures, rounded up.
    fn samples_in(&self, frames: u64, fps: Rational) -> u128 {
        let samples = u128::from(frames) * u128::from(fps.denominator());
        let samples = samples * u128::from(self.sample_rate);
        samples
            .div_ceil(u128::from(fps.numerator()))
            .saturating_sub(self.delay.into())
    }

    /// How long the file is.
    pub fn duration(&self) -> Duration {
        self.rate().time(self.count() as u64)
    }

    /// Mean bits per second.
    pub fn bit_rate(&self) -> u64 {
        let bits = self.data.len() as u128 * 8 * u128::from(self.sample_rate);
        let samples = self.count().max(1) as u128 * u128::from(self.samples.max(1));
        u64::try_from(bits / samples).unwrap_or(u64::MAX)
    }
}

/// What the ending of a name says about octets that say nothing themselves.
fn law_of(name: &str) -> Option<Law> {
    let (_, ending) = name.rsplit_once('.')?;
    match ending.to_ascii_lowercase().as_str() {
        "g711a" | "alaw" | "al" | "pcma" => Some(Law::A),
        "g711u" | "ulaw" | "ul" | "pcmu" => Some(Law::Mu),
        _ => None,
    }
}

impl fmt::Debug for Track {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Track")
            .field("name", &self.name)
            .field("codec", &self.codec)
            .field("sample_rate", &self.sample_rate)
            .field("units", &self.count())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
