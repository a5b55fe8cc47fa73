use super::*;
use proptest::prelude::*;

const FFMPEG: &[u8] = include_bytes!("../../../../tests/media/sounding.aac");

fn read(octets: &[u8]) -> Result<Track, AudioError> {
    open("x.aac", &Bytes::copy_from_slice(octets))
}

fn told(octets: &[u8]) -> String {
    read(octets).unwrap_err().to_string()
}

/// Where the frames of ffmpeg's file begin.
fn frames() -> Vec<usize> {
    let track = read(FFMPEG).unwrap();
    (0..track.count() as u64)
        .map(|n| track.unit(n).start)
        .collect()
}

#[test]
fn a_header_is_read_and_written_as_ffmpeg_writes_it() {
    let header = Header::read(FFMPEG).unwrap();
    assert_eq!(
        header,
        Header {
            format: Format {
                mpeg2: false,
                profile: 1,
                rate: 8,
                channels: 1
            },
            length: 291,
            blocks: 1,
        }
    );
    assert_eq!(
        header.format.header(291 - HEADER).unwrap(),
        FFMPEG[..HEADER]
    );
    assert_eq!(header.format.header(LARGEST - HEADER + 1), None);
}

#[test]
fn every_frame_of_the_file_is_a_unit() {
    let track = read(FFMPEG).unwrap();
    assert_eq!(track.count(), 8);
    assert_eq!(track.data(), FFMPEG);
    let whole: usize = (0..8).map(|n| track.octets(n).len()).sum();
    assert_eq!(whole, FFMPEG.len());
    assert!((0..8).all(|n| track.octets(n).starts_with(&[0xFF, 0xF1])));
}

#[test]
fn tags_before_and_behind_are_no_sound() {
    let mut before = b"ID3\x04\0\x10\0\0\x01\x02".to_vec();
    before.extend([0xFF; 130 + 10]);
    let behind = [&b"TAG"[..], &[b' '; 125]].concat();
    let octets = [&before, FFMPEG, &behind].concat();
    assert!(is_one(&octets));
    assert_eq!(read(&octets).unwrap().data(), FFMPEG);
}

#[test]
fn a_last_frame_that_was_cut_off_is_left_out() {
    let last = frames()[7];
    for end in [last + 1, last + HEADER, FFMPEG.len() - 1] {
        let track = read(&FFMPEG[..end]).unwrap();
        assert_eq!((track.count(), track.data().len()), (7, last), "{end}");
    }
    assert_eq!(read(&FFMPEG[..100]), Err(AudioError::Empty));
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_its_value() {
    let second = frames()[1];
    let spoilt = |at: usize, value: u8| {
        let mut octets = FFMPEG.to_vec();
        octets[at] = value;
        told(&octets)
    };
    for (told, wanted) in [
        (
            spoilt(second, 0xFE),
            "octet 291 of this ADTS stream: a frame should begin with FF F1 or FF F9, here are FE F1; ",
        ),
        (
            spoilt(2, 0x74),
            "octet 0 of this ADTS stream: the sample rate has the index 13, 12 is the last; ",
        ),
        (
            spoilt(2, 0x40),
            "octet 0 of this ADTS stream: 96000 samples a second, 8000 to 48000 are wanted",
        ),
        (
            spoilt(second + 2, 0x6C),
            "octet 291 of this ADTS stream: a frame of profile 1, 8000 Hz, 1 channels, 1024 \
             samples, after frames of profile 1, 16000 Hz, 1 channels, 1024 samples; ",
        ),
        (
            spoilt(3, 0),
            "octet 0 of this ADTS stream: channels as a program config element says, 1 or 2",
        ),
    ] {
        assert!(told.starts_with(wanted), "{told}");
        assert!(told.contains("-c:a aac out.aac`"), "{told}");
    }
}

proptest! {
    #[test]
    fn spoilt_streams_never_panic_and_units_fill_them(
        spoils in prop::collection::vec((any::<usize>(), any::<u8>()), 0..20), end in 0..=FFMPEG.len()
    ) {
        let mut octets = FFMPEG[..end].to_vec();
        for (at, value) in spoils {
            if let Some(octet) = octets.get_mut(at % FFMPEG.len()) {
                *octet = value;
            }
        }
        let _ = is_one(&octets);
        if let Ok(track) = read(&octets) {
            prop_assert!(track.data().len() <= octets.len());
            prop_assert!((0..track.count() as u64).all(|n| track.octets(n).len() > HEADER));
        }
    }

    #[test]
    fn what_is_written_is_read(
        mpeg2: bool, profile in 0u8..4, rate in 0u8..13, channels in 0u8..8, octets in 1usize..=LARGEST - HEADER
    ) {
        let format = Format { mpeg2, profile, rate, channels };
        let header = Header { format, length: octets + HEADER, blocks: 1 };
        prop_assert_eq!(Header::read(&format.header(octets).unwrap()), Ok(header));
    }
}
