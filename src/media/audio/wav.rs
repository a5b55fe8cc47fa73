//! Sound out of a WAV file (RIFF).

use std::ops::Range;

use bytes::Bytes;

use super::law::Law;
use super::refusal::{AudioError, TO_G711};
use super::{RATE, Track};

const KIND: &str = "WAV file";

/// Whether a file begins like WAV.
pub fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WAVE")
}

/// The sound of it. A file that was cut off, or whose length was never written, has what is there.
pub fn open(name: &str, bytes: &Bytes) -> Result<Track, AudioError> {
    let mut format = None;
    let mut at = 12;
    while let Some(chunk) = Chunk::at(bytes, at) {
        match &chunk.id {
            b"fmt " => format = Some(Coding::read(bytes, chunk.contents)?),
            b"data" => {
                let Some(format) = format else {
                    return Err(refused(at, "data come before the chunk `fmt `".to_owned()));
                };
                return format.track(name, bytes.slice(chunk.contents));
            }
            _ => {}
        }
        at = chunk.next;
    }
    Err(refused(at, "no chunk `data` up to here".to_owned()))
}

fn refused(at: usize, what: String) -> AudioError {
    AudioError::at(KIND, at, what, TO_G711)
}

struct Chunk {
    id: [u8; 4],
    contents: Range<usize>,
    next: usize,
}

impl Chunk {
    fn at(bytes: &[u8], at: usize) -> Option<Chunk> {
        let (id, rest) = bytes.get(at..)?.split_first_chunk()?;
        let size = u32::from_le_bytes(*rest.first_chunk()?) as usize;
        let begin = at + 8;
        let end = begin.saturating_add(size);
        Some(Chunk {
            id: *id,
            contents: begin..end.min(bytes.len()),
            next: end.saturating_add(size & 1),
        })
    }
}

/// How the samples are coded.
#[derive(Clone, Copy)]
enum Coding {
    G711(Law),
    Pcm16,
}

impl Coding {
    /// The chunk `fmt `.
    fn read(bytes: &[u8], chunk: Range<usize>) -> Result<Coding, AudioError> {
        let begin = chunk.start;
        let fields = bytes.get(chunk).unwrap_or_default();
        let Some(([tag, channels, low, high, _, _, _, bits], rest)) = words(fields) else {
            return Err(refused(begin, "the chunk `fmt ` is too short".to_owned()));
        };
        // WAVE_FORMAT_EXTENSIBLE names the format behind the size, the bits and the channels.
        let tag = match (tag, rest.get(8..10)) {
            (0xFFFE, Some(&[low, high])) => u16::from_le_bytes([low, high]),
            _ => tag,
        };
        let (coding, wide) = match tag {
            1 => (Coding::Pcm16, 16),
            6 => (Coding::G711(Law::A), 8),
            7 => (Coding::G711(Law::Mu), 8),
            _ => return Err(refused(begin, format_refused(tag))),
        };
        let rate = u32::from(high) << 16 | u32::from(low);
        match (channels, rate, bits) {
            (1, RATE, bits) if bits == wide => Ok(coding),
            (1, RATE, _) => Err(refused(
                begin + 14,
                format!("{bits} bits a sample, {wide} are wanted"),
            )),
            (1, _, _) => Err(refused(
                begin + 4,
                format!("{rate} samples a second, {RATE} are wanted"),
            )),
            _ => Err(refused(
                begin + 2,
                format!("{channels} channels, one is wanted"),
            )),
        }
    }

    fn track(self, name: &str, data: Bytes) -> Result<Track, AudioError> {
        match self {
            Coding::G711(law) => Track::g711(name, law, data),
            Coding::Pcm16 => Track::g711(name, Law::A, coded(&data)),
        }
    }
}

/// Sixteen octets as eight words, and what follows them.
fn words(fields: &[u8]) -> Option<([u16; 8], &[u8])> {
    let (octets, rest) = fields.split_first_chunk::<16>()?;
    let mut words = [0; 8];
    for (word, pair) in words.iter_mut().zip(octets.chunks_exact(2)) {
        *word = pair
            .first_chunk()
            .map_or(0, |pair| u16::from_le_bytes(*pair));
    }
    Some((words, rest))
}

fn format_refused(tag: u16) -> String {
    let name = match tag {
        2 => " (ADPCM)",
        3 => " (floating point)",
        0x11 => " (IMA ADPCM)",
        0x31 => " (GSM)",
        0x55 => " (MP3)",
        0xFF | 0x1610 => " (AAC)",
        _ => "",
    };
    format!("the format is {tag:#06x}{name}, not PCM (1), A-law (6) or mu-law (7)")
}

/// A-law of PCM.
fn coded(data: &[u8]) -> Bytes {
    let pairs = data.chunks_exact(2).filter_map(|pair| pair.first_chunk());
    let samples = pairs.map(|pair| i16::from_le_bytes(*pair));
    samples.map(|sample| Law::A.compress(sample)).collect()
}

#[cfg(test)]
mod tests;
