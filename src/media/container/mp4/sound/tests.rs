use super::*;
use crate::media::AudioCodec;
use proptest::prelude::*;

const AAC: &[u8] = include_bytes!("../../../../../tests/media/sounding.mp4");
const ADTS: &[u8] = include_bytes!("../../../../../tests/media/sounding.aac");
const ALAW: &[u8] = include_bytes!("../../../../../tests/media/sounding.mov");
const RAW: &[u8] = include_bytes!("../../../../../tests/media/sounding.alaw");
const SILENT: &[u8] = include_bytes!("../../../../../tests/media/pyramid.mp4");

fn read(octets: &[u8]) -> Result<Option<Track>, AudioError> {
    open("x.mp4", &Bytes::copy_from_slice(octets))
}

/// The file with one place changed: `to` some octets behind the last `mark`.
fn changed(file: &[u8], mark: &[u8], behind: usize, to: &[u8]) -> Vec<u8> {
    let mut octets = file.to_vec();
    let mut places = octets.windows(mark.len());
    let at = places.rposition(|part| part == mark).unwrap() + behind;
    octets[at..at + to.len()].copy_from_slice(to);
    octets
}

#[test]
fn aac_gets_the_headers_that_ffmpeg_gives_it() {
    let track = read(AAC).unwrap().unwrap();
    let whole = Track::parse("x.aac", ADTS.into()).unwrap();
    assert_eq!(
        (track.codec(), track.sample_rate()),
        (AudioCodec::Aac, 16_000)
    );
    // The edit list leaves out the first unit, which only decoders need.
    assert_eq!(track.count() + 1, whole.count());
    assert_eq!(track.data()[..], ADTS[whole.unit(1).start..]);
    assert!((0..7).all(|n| track.octets(n) == whole.octets(n + 1)));
    assert_eq!((track.pts(0), track.pts(1)), (0, 5760));
}

#[test]
fn g711_comes_out_as_it_went_in() {
    let track = read(ALAW).unwrap().unwrap();
    assert_eq!(track.codec(), AudioCodec::G711A);
    assert_eq!(track.data()[..RAW.len()], *RAW);
    assert_eq!(track.count(), 3);
    let mu = read(&changed(ALAW, b"alaw", 0, b"ulaw")).unwrap().unwrap();
    assert_eq!(mu.codec(), AudioCodec::G711U);
}

#[test]
fn a_file_without_sound_has_none() {
    assert_eq!(read(SILENT), Ok(None));
    assert_eq!(read(b"\0\0\0\x08ftyp"), Ok(None));
}

#[test]
fn what_cannot_be_sent_is_told_with_its_place() {
    let told = |octets: Vec<u8>| read(&octets).unwrap_err().to_string();
    let entry = |file: &[u8], kind: &[u8]| {
        let at = file.windows(4).rposition(|part| part == kind).unwrap() + 4;
        format!("octet {at} of this MP4 file: ")
    };
    let opus = told(changed(AAC, b"mp4a", 0, b"Opus"));
    let place = entry(AAC, b"mp4a");
    assert!(
        opus.starts_with(&format!(
            "{place}the codec is `Opus`, not AAC (mp4a), alaw or ulaw; `ffmpeg "
        )),
        "{opus}"
    );
    let mp3 = told(changed(AAC, b"\x04\x80\x80\x80", 5, &[0x6B]));
    assert!(
        mp3.contains("the codec of its `mp4a` is 0x6b, not AAC"),
        "{mp3}"
    );
    let fast = told(changed(ALAW, b"alaw", 28, &[0xAC, 0x44]));
    let place = entry(ALAW, b"alaw");
    assert_eq!(
        fast,
        format!("{place}1 channels of 44100 samples a second, one of 8000 is wanted; {TO_G711}")
    );
    let broken = told(changed(AAC, b"esds", 0, b"free"));
    assert!(
        broken.contains("the sample entry of its sound is broken"),
        "{broken}"
    );
}

#[test]
fn every_kind_of_configuration_is_read_or_refused_by_name() {
    let lc = |rate, channels| Format {
        mpeg2: false,
        profile: 1,
        rate,
        channels,
    };
    // AAC-LC of 16 kHz; the same with its rate written out; HE-AAC, its core of 24 kHz; with
    // parametric stereo, too.
    assert_eq!(Format::of(&[0x14, 0x08]), Ok(lc(8, 1)));
    assert_eq!(Format::of(&[0x17, 0x80, 0x1F, 0x40, 0x08]), Ok(lc(8, 1)));
    assert_eq!(Format::of(&[0x2B, 0x11, 0x88, 0x00]), Ok(lc(6, 2)));
    assert_eq!(Format::of(&[0xEB, 0x09, 0x88, 0x00]), Ok(lc(6, 1)));
    for (config, why) in [
        (
            &[][..],
            "the decoder's configuration (AudioSpecificConfig) is cut off",
        ),
        (
            &[0x14],
            "the decoder's configuration (AudioSpecificConfig) is cut off",
        ),
        (
            &[0x14, 0x0C],
            "960 samples in an access unit, 1024 fit into ADTS",
        ),
        (
            &[0xF8, 0xE8, 0x50, 0x00],
            "the audio object type is 39, 1 to 4 fit into ADTS (2 is AAC-LC)",
        ),
        (
            &[0x17, 0x80, 0x00, 0x05, 0x08],
            "10 samples a second, which ADTS cannot say",
        ),
        (
            &[0x14, 0x50],
            "the channel configuration is 10, 7 is the last",
        ),
    ] {
        assert_eq!(Format::of(config), Err(why.to_owned()), "{config:02X?}");
    }
}

proptest! {
    #[test]
    fn spoilt_files_never_panic_and_never_grow_beyond_their_headers(
        spoils in prop::collection::vec((any::<usize>(), any::<u8>()), 0..40), quick: bool, cut in any::<usize>()
    ) {
        let source = if quick { ALAW } else { AAC };
        let mut octets = source.to_vec();
        for (at, value) in spoils {
            let at = at % octets.len();
            octets[at] = value;
        }
        octets.truncate(if cut % 3 == 0 { cut % source.len() } else { source.len() });
        if let Ok(Some(track)) = read(&octets) {
            prop_assert!(track.data().len() <= 8 * octets.len() + 320);
        }
    }

    #[test]
    fn octets_in_a_sample_entry_never_panic(octets in prop::collection::vec(any::<u8>(), 0..120)) {
        let _ = configuration(&octets);
        let _ = configuration(&[&[0; 28][..], b"\0\0\0\0esds\0\0\0\0\x03", &octets].concat());
        let _ = Format::of(&octets);
    }
}
