//! Voices as WAV files (RIFF): written as G.711 A-law, read as that or as 16 bit PCM.

use thiserror::Error;

use super::g711::{self, RATE};

/// Octets before the samples.
pub const HEADER: usize = 58;
/// `WAVE_FORMAT_PCM`.
const PCM: u16 = 1;
/// `WAVE_FORMAT_ALAW`.
const A_LAW: u16 = 6;

/// What stands before `samples` octets of G.711 A-law in a file.
pub fn header(samples: u32) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    let whole = samples.saturating_add(HEADER as u32 - 8);
    let fields: [&[u8]; 15] = [
        b"RIFF",
        &whole.to_le_bytes(),
        b"WAVEfmt ",
        &18u32.to_le_bytes(),
        &A_LAW.to_le_bytes(),
        &1u16.to_le_bytes(),
        &RATE.to_le_bytes(),
        &RATE.to_le_bytes(),
        &1u16.to_le_bytes(),
        &8u16.to_le_bytes(),
        &0u16.to_le_bytes(),
        b"fact\x04\0\0\0",
        &samples.to_le_bytes(),
        b"data",
        &samples.to_le_bytes(),
    ];
    for (place, octet) in header.iter_mut().zip(fields.into_iter().flatten()) {
        *place = *octet;
    }
    header
}

/// Why a file is no voice.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WavError {
    /// It is no WAV file.
    #[error("this is no WAV file")]
    NoWav,
    /// It has no samples.
    #[error("this WAV file has no samples")]
    Empty,
    /// Its samples are others.
    #[error(
        "{channels} channels of {bits} bits and {rate} Hz, format {format}: a voice is one channel of 8000 Hz, A-law or 16 bit PCM; ffmpeg -i FILE -ar 8000 -ac 1 -c:a pcm_alaw VOICE.wav makes one"
    )]
    Format {
        /// `wFormatTag`.
        format: u16,
        /// How many channels.
        channels: u16,
        /// Samples in a second.
        rate: u32,
        /// Bits of a sample.
        bits: u16,
    },
}

/// The samples of a WAV file as G.711 A-law. A file that ends early has the samples that are
/// there.
pub fn read(file: &[u8]) -> Result<Vec<u8>, WavError> {
    let chunks = match file.split_at_checked(12) {
        Some(([b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'], chunks)) => chunks,
        _ => return Err(WavError::NoWav),
    };
    let format = chunk(chunks, b"fmt ").ok_or(WavError::NoWav)?;
    let data = chunk(chunks, b"data").filter(|data| !data.is_empty());
    let data = data.ok_or(WavError::Empty)?;
    let short = |at: usize| {
        let octets = format.get(at..).and_then(|rest| rest.first_chunk());
        octets.map_or(0, |octets| u16::from_le_bytes(*octets))
    };
    let rate = u32::from(short(4)) | u32::from(short(6)) << 16;
    match (short(0), short(2), rate, short(14)) {
        (A_LAW, 1, RATE, 8) => Ok(data.to_vec()),
        (PCM, 1, RATE, 16) => Ok(data.as_chunks().0.iter().map(a_law).collect()),
        (format, channels, rate, bits) => Err(WavError::Format {
            format,
            channels,
            rate,
            bits,
        }),
    }
}

fn a_law(octets: &[u8; 2]) -> u8 {
    g711::encode(i16::from_le_bytes(*octets))
}

/// The content of the first chunk of this name. Chunks have even lengths.
fn chunk<'a>(mut chunks: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    loop {
        let (head, rest) = chunks.split_first_chunk::<8>()?;
        let [a, b, c, d, length @ ..] = *head;
        let length = u32::from_le_bytes(length) as usize;
        if [a, b, c, d] == *name {
            return Some(rest.get(..length).unwrap_or(rest));
        }
        chunks = rest.get(length.checked_add(length % 2)?..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(format: [u16; 8], data: &[u8]) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        file.extend(format.iter().flat_map(|field| field.to_le_bytes()));
        file.extend(b"data");
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
        file
    }

    #[test]
    fn the_header_is_that_of_ffmpeg() {
        // ffmpeg -c:a pcm_alaw -bitexact, 2 samples.
        let golden = b"RIFF\x34\0\0\0WAVEfmt \x12\0\0\0\x06\0\x01\0\x40\x1F\0\0\x40\x1F\0\0\
                       \x01\0\x08\0\0\0fact\x04\0\0\0\x02\0\0\0data\x02\0\0\0";
        assert_eq!(header(2), *golden);
    }

    #[test]
    fn what_is_written_is_read() {
        let written = [&header(3)[..], &[1, 2, 3]].concat();
        assert_eq!(read(&written), Ok(vec![1, 2, 3]));
        assert_eq!(read(&written[..HEADER + 1]), Ok(vec![1]), "it ends early");
        assert_eq!(read(&header(0)), Err(WavError::Empty));
    }

    #[test]
    fn pcm_of_16_bits_becomes_a_law_and_other_chunks_do_not_matter() {
        let pcm = file([1, 1, 8000, 0, 16000, 0, 2, 16], &[0, 0, 0xFF, 0x7F]);
        assert_eq!(read(&pcm), Ok(vec![0xD5, 0xAA]));
    }

    #[test]
    fn anything_else_is_refused_with_what_it_is() {
        assert_eq!(read(b"RIFX"), Err(WavError::NoWav));
        assert_eq!(read(b"RIFF\0\0\0\0WAVEdata\0\0\0\0"), Err(WavError::NoWav));
        let music = file([1, 2, 44_100, 0, 0, 0, 4, 16], &[0, 0]);
        let why = read(&music).unwrap_err().to_string();
        assert!(
            why.starts_with("2 channels of 16 bits and 44100 Hz"),
            "{why}"
        );
    }
}
