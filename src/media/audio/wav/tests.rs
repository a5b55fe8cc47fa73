use super::*;
use crate::media::AudioCodec;

/// A file with this format chunk and these data.
fn file(format: &[u8], data: &[u8]) -> Vec<u8> {
    let chunk = |id: &[u8; 4], contents: &[u8]| {
        let size = (contents.len() as u32).to_le_bytes();
        let odd = &[0][..contents.len() & 1];
        [id, &size[..], contents, odd].concat()
    };
    let chunks = [
        chunk(b"LIST", b"odd"),
        chunk(b"fmt ", format),
        chunk(b"data", data),
    ];
    [&b"RIFF\xFF\xFF\xFF\xFFWAVE"[..], &chunks.concat()].concat()
}

/// A format chunk: tag, channels, samples a second, bits a sample.
fn format(tag: u16, channels: u16, rate: u32, bits: u16) -> Vec<u8> {
    let align = channels * bits / 8;
    [
        &tag.to_le_bytes()[..],
        &channels.to_le_bytes(),
        &rate.to_le_bytes(),
        &(rate * u32::from(align)).to_le_bytes(),
        &align.to_le_bytes(),
        &bits.to_le_bytes(),
    ]
    .concat()
}

fn read(octets: Vec<u8>) -> Result<Track, AudioError> {
    Track::parse("x.wav", octets.into())
}

fn told(octets: Vec<u8>) -> String {
    read(octets).unwrap_err().to_string()
}

#[test]
fn both_laws_of_g711_are_taken_as_they_are() {
    for (tag, codec) in [(6, AudioCodec::G711A), (7, AudioCodec::G711U)] {
        let mut format = format(tag, 1, 8000, 8);
        format.extend([0, 0]);
        let track = read(file(&format, &[0x12; 640])).unwrap();
        assert_eq!((track.codec(), track.count()), (codec, 2));
        assert_eq!(track.octets(1), [0x12; 320]);
    }
}

#[test]
fn pcm_becomes_a_law() {
    let samples = [0_i16, 8, -8, 32_767, -32_768, 1000];
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    let track = read(file(&format(1, 1, 8000, 16), &data)).unwrap();
    assert_eq!(track.codec(), AudioCodec::G711A);
    assert_eq!(
        track.octets(0)[..7],
        [0xD5, 0xD5, 0x55, 0xAA, 0x2A, 0xFA, 0xD5]
    );
}

#[test]
fn an_extensible_format_names_the_real_one_further_back() {
    let mut extensible = format(0xFFFE, 1, 8000, 16);
    extensible.extend(*b"\x16\0\x10\0\x04\0\0\0\x01\0\0\0\0\0\x10\0\x80\0\0\xAA\0\x38\x9B\x71");
    let track = read(file(&extensible, &[0; 4])).unwrap();
    assert_eq!(track.codec(), AudioCodec::G711A);
}

#[test]
fn a_file_whose_length_was_never_written_has_what_is_there() {
    let mut octets = file(&format(6, 1, 8000, 8), &[7; 320]);
    let at = octets.len() - 324;
    octets[at..at + 4].copy_from_slice(&[0xFF; 4]);
    assert_eq!(read(octets).unwrap().octets(0), [7; 320]);
}

#[test]
fn what_no_camera_sends_is_refused_with_its_place_and_its_value() {
    for (format, begin) in [
        (
            format(1, 1, 44_100, 16),
            "octet 36 of this WAV file: 44100 samples a second, 8000 are wanted; `ffmpeg ",
        ),
        (
            format(6, 2, 8000, 8),
            "octet 34 of this WAV file: 2 channels, one is wanted; `ffmpeg ",
        ),
        (
            format(1, 1, 8000, 24),
            "octet 46 of this WAV file: 24 bits a sample, 16 are wanted; `ffmpeg ",
        ),
        (
            format(0x55, 1, 8000, 0),
            "octet 32 of this WAV file: the format is 0x0055 (MP3), not PCM",
        ),
        (
            vec![6, 0, 1, 0],
            "octet 32 of this WAV file: the chunk `fmt ` is too short; `ffmpeg ",
        ),
    ] {
        let told = told(file(&format, &[0; 8]));
        assert!(told.starts_with(begin), "{told}");
    }
    assert!(
        told(b"RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd".to_vec())
            .starts_with("octet 12 of this WAV file: data come before the chunk `fmt `")
    );
    assert!(
        told(b"RIFF\0\0\0\0WAVEjunk\x04\0\0\0abcd".to_vec())
            .starts_with("octet 24 of this WAV file: no chunk `data` up to here")
    );
    assert_eq!(
        read(file(&format(6, 1, 8000, 8), &[])),
        Err(AudioError::Empty)
    );
}
