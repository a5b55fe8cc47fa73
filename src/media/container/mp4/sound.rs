//! The sound track of an MP4 file (ISO/IEC 14496-12 §12.2, 14496-14 §5.6, 14496-3 §1.6).

use bytes::Bytes;

use super::boxes::{self, Fields, all, child, first};
use super::edits;
use super::samples::Samples;
use super::{handler, timescale};
use crate::media::audio::Track;
use crate::media::audio::adts::{Format, HEADER, Header};
use crate::media::audio::law::Law;
use crate::media::audio::refusal::{AudioError, TO_AAC, TO_G711};
use crate::media::g711::RATE;

const KIND: &str = "MP4 file";

/// The first sound track of a file; `None` when it has none.
pub fn open(name: &str, bytes: &Bytes) -> Result<Option<Track>, AudioError> {
    let Some(movie) = first(bytes, b"moov") else {
        return Ok(None);
    };
    let Some(track) = all(movie, b"trak").find(|track| handler(track) == Some(b"soun")) else {
        return Ok(None);
    };
    let sound = Sound {
        name,
        bytes,
        movie,
        track,
    };
    sound.read().map(Some)
}

/// The track and what it lies in.
struct Sound<'a> {
    name: &'a str,
    bytes: &'a Bytes,
    movie: &'a [u8],
    track: &'a [u8],
}

impl Sound<'_> {
    fn read(&self) -> Result<Track, AudioError> {
        let entries = child(self.track, &[b"mdia", b"minf", b"stbl", b"stsd"]);
        let Some((kind, entry)) = entries
            .and_then(|entries| entries.get(8..))
            .and_then(boxes::leading)
        else {
            return Err(self.refused(self.track, "no sample entry".to_owned(), TO_G711));
        };
        match kind {
            b"mp4a" => self.aac(entry),
            b"alaw" => self.g711(entry, Law::A),
            b"ulaw" => self.g711(entry, Law::Mu),
            _ => {
                let kind = kind.escape_ascii();
                let what = format!("the codec is `{kind}`, not AAC (mp4a), alaw or ulaw");
                Err(self.refused(entry, what, TO_G711))
            }
        }
    }

    fn g711(&self, entry: &[u8], law: Law) -> Result<Track, AudioError> {
        let mut fields = Fields(entry);
        let (channels, rate) = (|| {
            fields.skip(16)?;
            let channels = fields.u16()?;
            fields.skip(6)?;
            Some((channels, fields.u32()? >> 16))
        })()
        .ok_or_else(|| self.short(entry))?;
        if (channels, rate) != (1, RATE) {
            let what =
                format!("{channels} channels of {rate} samples a second, one of {RATE} is wanted");
            return Err(self.refused(entry, what, TO_G711));
        }
        let samples = self.samples(true)?;
        let octets = samples
            .ranges
            .iter()
            .filter_map(|at| self.bytes.get(at.clone()));
        let octets: Vec<u8> = octets.flatten().copied().collect();
        let begin = self.begin(&samples, RATE);
        Ok(Track::g711(self.name, law, octets.into())?.shifted(begin, RATE))
    }

    fn aac(&self, entry: &[u8]) -> Result<Track, AudioError> {
        let config = configuration(entry).ok_or_else(|| self.short(entry))?;
        if !config.is_aac() {
            let what = format!(
                "the codec of its `mp4a` is {:#04x}, not AAC (0x40, 0x66 to 0x68)",
                config.object
            );
            return Err(self.refused(entry, what, TO_G711));
        }
        let format = Format::of(config.specific)
            .map_err(|what| self.refused(config.specific, what, TO_AAC))?;
        if let Some(fault) = format.fault() {
            return Err(self.refused(config.specific, fault, TO_AAC));
        }
        let samples = self.samples(false)?;
        let first = Header {
            format,
            length: 0,
            blocks: 1,
        };
        let (mut data, mut marks) = (Vec::new(), vec![0]);
        for range in &samples.ranges {
            let Some(unit) = self.bytes.get(range.clone()) else {
                break;
            };
            let Some(header) = format.header(unit.len()) else {
                let what = format!(
                    "an access unit of {} octets, {} are the most",
                    unit.len(),
                    crate::media::audio::adts::LARGEST - HEADER
                );
                return Err(self.refused(unit, what, TO_AAC));
            };
            data.extend_from_slice(&header);
            data.extend_from_slice(unit);
            marks.push(data.len());
        }
        let track = Track::aac(self.name, first, data.into(), marks)?;
        let rate = format.sample_rate();
        let begin = self.begin(&samples, rate);
        // Writers of fragments without an edit list stretch the first unit, which is there to begin
        // decoding with.
        let stretched = match begin < 0 {
            true => self.stretched(&samples, first),
            false => 0,
        };
        Ok(track.shifted(begin.saturating_add(stretched), rate))
    }

    /// How much longer the first access unit lasts than its samples do.
    fn stretched(&self, samples: &Samples, header: Header) -> i64 {
        let clock = timescale(self.track).unwrap_or(0);
        let lasts = samples.first.map_or(0, |first| u64::from(first.lasts));
        let lasts = lasts * u64::from(header.format.sample_rate());
        let lasts = lasts.checked_div(clock.into()).unwrap_or(0);
        lasts.saturating_sub(header.samples().into()) as i64
    }

    /// The samples, one by one or those that touch joined.
    fn samples(&self, joined: bool) -> Result<Samples, AudioError> {
        let read = if joined { Samples::joined } else { Samples::of };
        let samples = read(self.bytes, self.movie, self.track);
        samples.ok_or_else(|| self.refused(self.track, "broken tables".to_owned(), TO_G711))
    }

    /// How much later than the first picture is shown the first sample is heard, in samples.
    fn begin(&self, samples: &Samples, rate: u32) -> i64 {
        let own = edits::begin(self.movie, self.track, samples, rate);
        let mut tracks = all(self.movie, b"trak");
        let pictures = tracks.find(|track| handler(track) == Some(b"vide"));
        let shown = pictures.and_then(|track| {
            let samples = Samples::of(self.bytes, self.movie, track)?;
            edits::begin(self.movie, track, &samples, rate)
        });
        own.unwrap_or(0).saturating_sub(shown.unwrap_or(0))
    }

    fn short(&self, entry: &[u8]) -> AudioError {
        let what = "the sample entry of its sound is broken".to_owned();
        self.refused(entry, what, TO_G711)
    }

    /// The error of what stands at `part`, which is of this file.
    fn refused(&self, part: &[u8], what: String, way: &'static str) -> AudioError {
        let at = (part.as_ptr() as usize).saturating_sub(self.bytes.as_ptr() as usize);
        AudioError::at(KIND, at, what, way)
    }
}

/// A decoder configuration descriptor (ISO/IEC 14496-1 §7.2.6.6).
struct Configuration<'a> {
    /// `objectTypeIndication`.
    object: u8,
    /// The AudioSpecificConfig.
    specific: &'a [u8],
}

impl Configuration<'_> {
    fn is_aac(&self) -> bool {
        matches!(self.object, 0x40 | 0x66..=0x68)
    }
}

/// The configuration of an `mp4a` sample entry.
fn configuration(entry: &[u8]) -> Option<Configuration<'_>> {
    let mut fields = Fields(entry);
    fields.skip(8)?;
    // QuickTime writes more fields in its versions 1 and 2.
    let more = match fields.u16()? {
        1 => 16,
        2 => 36,
        _ => 0,
    };
    fields.skip(18 + more)?;
    let inside = fields.0;
    let wave = first(inside, b"wave").and_then(|wave| first(wave, b"esds"));
    let descriptors = first(inside, b"esds").or(wave)?.get(4..)?;
    let mut stream = Fields(descriptor(&mut Fields(descriptors), 3)?);
    stream.skip(2)?;
    let flags = stream.u8()?;
    if flags & 0x80 != 0 {
        stream.skip(2)?;
    }
    if flags & 0x40 != 0 {
        let length = stream.u8()?;
        stream.skip(length.into())?;
    }
    if flags & 0x20 != 0 {
        stream.skip(2)?;
    }
    let mut decoder = Fields(descriptor(&mut stream, 4)?);
    let object = decoder.u8()?;
    decoder.skip(12)?;
    let specific = descriptor(&mut decoder, 5).unwrap_or_default();
    Some(Configuration { object, specific })
}

/// The contents of a descriptor, if it is of this kind (ISO/IEC 14496-1 §8.3.3).
fn descriptor<'a>(fields: &mut Fields<'a>, tag: u8) -> Option<&'a [u8]> {
    if fields.u8()? != tag {
        return None;
    }
    let mut length = 0;
    for _ in 0..4 {
        let octet = fields.u8()?;
        length = length << 7 | usize::from(octet & 0x7F);
        if octet & 0x80 == 0 {
            break;
        }
    }
    fields.take(length.min(fields.0.len()))
}

/// Bits read from the front.
struct Bits {
    octets: u128,
    left: u32,
}

impl Bits {
    fn of(octets: &[u8]) -> Bits {
        let begin = octets.iter().take(16);
        let (octets, count) = begin.fold((0, 0), |(sum, count), octet| {
            (sum << 8 | u128::from(*octet), count + 8)
        });
        Bits {
            octets,
            left: count,
        }
    }

    fn take(&mut self, count: u32) -> Option<u32> {
        self.left = self.left.checked_sub(count)?;
        let value = self.octets.checked_shr(self.left).unwrap_or(0);
        Some((value & ((1 << count) - 1)) as u32)
    }

    /// `GetAudioObjectType`.
    fn object_type(&mut self) -> Option<u32> {
        match self.take(5)? {
            31 => Some(32 + self.take(6)?),
            small => Some(small),
        }
    }

    /// A sample rate in Hz, by its index or as it is.
    fn rate(&mut self) -> Option<u32> {
        match self.take(4)? {
            15 => self.take(24),
            index => Format::rate_of(index as u8),
        }
    }
}

impl Format {
    /// The headers of what an AudioSpecificConfig describes (ISO/IEC 14496-3 §1.6.2.1). HE-AAC goes
    /// as its core; decoders find the rest themselves.
    fn of(config: &[u8]) -> Result<Format, String> {
        let short = || "the decoder's configuration (AudioSpecificConfig) is cut off".to_owned();
        let mut bits = Bits::of(config);
        let mut object = bits.object_type().ok_or_else(short)?;
        let rate = bits.rate().ok_or_else(short)?;
        let channels = bits.take(4).ok_or_else(short)?;
        // Spectral band replication, with and without parametric stereo.
        if matches!(object, 5 | 29) {
            bits.rate().ok_or_else(short)?;
            object = bits.object_type().ok_or_else(short)?;
        }
        if !(1..=4).contains(&object) {
            return Err(format!(
                "the audio object type is {object}, 1 to 4 fit into ADTS (2 is AAC-LC)"
            ));
        }
        if bits.take(1) == Some(1) {
            return Err("960 samples in an access unit, 1024 fit into ADTS".to_owned());
        }
        let Some(rate) = Format::rate_index(rate) else {
            return Err(format!("{rate} samples a second, which ADTS cannot say"));
        };
        if channels > 7 {
            return Err(format!(
                "the channel configuration is {channels}, 7 is the last"
            ));
        }
        Ok(Format {
            mpeg2: false,
            profile: object as u8 - 1,
            rate,
            channels: channels as u8,
        })
    }
}

#[cfg(test)]
mod tests;
