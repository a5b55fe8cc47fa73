//! Video out of an MP4 file, whole or fragmented (ISO/IEC 14496-12, 14496-15).

mod boxes;
mod edits;
mod samples;
pub mod sound;

use super::super::nal::START_CODE;
use super::{Contents, rate};
use boxes::{Fields, all, child, first};
use samples::Samples;

/// Whether a file begins like MP4.
pub fn is_one(bytes: &[u8]) -> bool {
    const KINDS: [&[u8]; 5] = [b"ftyp", b"moov", b"mdat", b"styp", b"moof"];
    bytes.get(4..8).is_some_and(|kind| KINDS.contains(&kind))
}

/// The first video track, with start codes in place of lengths, the parameter sets of its sample
/// description in front.
pub fn open(bytes: &[u8]) -> Result<Contents, &'static str> {
    let movie = first(bytes, b"moov").ok_or("without a movie box (moov); was it cut off?")?;
    let track = all(movie, b"trak")
        .find(|track| handler(track) == Some(b"vide"))
        .ok_or("without a video track")?;
    let coded = Coded::of(track).ok_or("whose video is neither H.264 nor H.265")?;
    let samples = Samples::of(bytes, movie, track).ok_or("with broken tables")?;
    let video = coded.byte_stream(bytes, &samples)?;
    let clock = timescale(track).unwrap_or(0);
    let events = samples.ranges.len() as u64;
    Ok(Contents {
        video: video.into(),
        fps: rate(events, samples.ticks, clock.into()),
        counted: events,
    })
}

/// `handler_type` of a track.
fn handler(track: &[u8]) -> Option<&[u8; 4]> {
    child(track, &[b"mdia", b"hdlr"])?.get(8..)?.first_chunk()
}

/// Ticks per second of a track's clock.
fn timescale(track: &[u8]) -> Option<u32> {
    let mut header = Fields(child(track, &[b"mdia", b"mdhd"])?);
    let long = header.u32()? >> 24 == 1;
    header.skip(if long { 16 } else { 8 })?;
    header.u32()
}

/// How a track's samples are coded.
struct Coded<'a> {
    /// Octets of the length before each NAL unit.
    length: usize,
    /// The parameter sets of the sample description.
    sets: Vec<&'a [u8]>,
    /// `nal_unit_type` of an access unit delimiter, as the first octet of its header shows it.
    is_delimiter: fn(u8) -> bool,
}

impl<'a> Coded<'a> {
    fn of(track: &'a [u8]) -> Option<Coded<'a>> {
        /// Octets of a visual sample entry before its boxes.
        const ENTRY: usize = 78;
        let entries = child(track, &[b"mdia", b"minf", b"stbl", b"stsd"])?.get(8..)?;
        let entry = |kind| first(entries, kind).and_then(|entry| entry.get(ENTRY..));
        if let Some(entry) = entry(b"avc1").or_else(|| entry(b"avc3")) {
            return Coded::avc(Fields(first(entry, b"avcC")?));
        }
        let entry = entry(b"hvc1").or_else(|| entry(b"hev1"))?;
        Coded::hevc(Fields(first(entry, b"hvcC")?))
    }

    /// AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1).
    fn avc(mut record: Fields<'a>) -> Option<Coded<'a>> {
        record.skip(4)?;
        let length = usize::from(record.u8()? & 3) + 1;
        let mut sets = Vec::new();
        for mask in [0x1F, 0xFF] {
            for _ in 0..record.u8()? & mask {
                sets.push(record.counted()?);
            }
        }
        Some(Coded {
            length,
            sets,
            is_delimiter: |header| header & 0x1F == 9,
        })
    }

    /// HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 §8.3.3.1).
    fn hevc(mut record: Fields<'a>) -> Option<Coded<'a>> {
        record.skip(21)?;
        let length = usize::from(record.u8()? & 3) + 1;
        let mut sets = Vec::new();
        for _ in 0..record.u8()? {
            record.skip(1)?;
            for _ in 0..record.u16()? {
                sets.push(record.counted()?);
            }
        }
        Some(Coded {
            length,
            sets,
            is_delimiter: |header| header >> 1 & 0x3F == 35,
        })
    }

    /// The samples as a byte stream. A sample whose lengths do not fit it ends where they fail.
    fn byte_stream(&self, bytes: &[u8], samples: &Samples) -> Result<Vec<u8>, &'static str> {
        let mut out = Vec::new();
        let mut sets = self.sets.as_slice();
        for range in &samples.ranges {
            let mut sample = Fields(bytes.get(range.clone()).unwrap_or_default());
            while let Some(unit) = sample.unit(self.length) {
                let delimiter = unit
                    .first()
                    .is_some_and(|header| (self.is_delimiter)(*header));
                if !delimiter {
                    std::mem::take(&mut sets)
                        .iter()
                        .for_each(|set| put(&mut out, set));
                }
                put(&mut out, unit);
            }
        }
        if out.is_empty() {
            return Err("whose video track is empty");
        }
        Ok(out)
    }
}

fn put(out: &mut Vec<u8>, unit: &[u8]) {
    out.extend_from_slice(&START_CODE);
    out.extend_from_slice(unit);
}

#[cfg(test)]
mod tests;
