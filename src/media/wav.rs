//! The head of a WAV file (RIFF) with a voice in it. [`Track::parse`](super::Track::parse) reads
//! such files.

use super::g711::RATE;

/// Octets before the samples.
pub const HEADER: usize = 58;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{AudioCodec, AudioError, Track};

    #[test]
    fn the_header_is_that_of_ffmpeg() {
        // ffmpeg -c:a pcm_alaw -bitexact, 2 samples.
        let golden = b"RIFF\x34\0\0\0WAVEfmt \x12\0\0\0\x06\0\x01\0\x40\x1F\0\0\x40\x1F\0\0\
                       \x01\0\x08\0\0\0fact\x04\0\0\0\x02\0\0\0data\x02\0\0\0";
        assert_eq!(header(2), *golden);
    }

    #[test]
    fn what_is_written_is_read() {
        let samples: Vec<u8> = (0..640).map(|n| n as u8).collect();
        let written = [&header(640)[..], &samples].concat();
        let track = Track::parse("heard.wav", written.into()).unwrap();
        assert_eq!(track.codec(), AudioCodec::G711A);
        assert_eq!(track.data()[..], samples);
        let nothing = Track::parse("heard.wav", header(0).to_vec().into());
        assert_eq!(nothing, Err(AudioError::Empty));
    }
}
