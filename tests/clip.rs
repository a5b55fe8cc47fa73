//! Clips are read as ffprobe reads them, and bad files are refused with a reason.

use std::time::Instant;

use bytes::Bytes;
use proptest::prelude::*;
use vcam::media::{Clip, ClipError, ClipOptions, Rational, h264, nal};

const PLAIN: &[u8] = include_bytes!("media/plain.h264");
const PYRAMID: &[u8] = include_bytes!("media/pyramid.h264");
const OPEN_GOP: &[u8] = include_bytes!("media/open_gop.h264");
const SLICES: &[u8] = include_bytes!("media/slices_aud.h264");
const INTERLACED: &[u8] = include_bytes!("media/interlaced.h264");
const REFRESH: &[u8] = include_bytes!("media/refresh.h264");

fn parse(bytes: &[u8]) -> Result<Clip, ClipError> {
    Clip::parse(
        "test",
        Bytes::copy_from_slice(bytes),
        ClipOptions::default(),
    )
}

/// Decoding indices in the order in which the frames are shown: ffprobe's `coded_picture_number`.
fn shown(clip: &Clip) -> Vec<usize> {
    let frames = clip.frames();
    let mut order: Vec<usize> = (0..frames.len()).collect();
    order.sort_by_key(|index| index + frames[*index].reorder as usize);
    order
}

fn keys(clip: &Clip) -> Vec<usize> {
    let frames = clip.frames().iter().enumerate();
    frames
        .filter(|(_, frame)| frame.key)
        .map(|(index, _)| index)
        .collect()
}

#[test]
fn frames_are_counted_and_presented_as_ffprobe_says() {
    let plain: Vec<usize> = (0..20).collect();
    assert_eq!(shown(&parse(PLAIN).unwrap()), plain);
    let refresh: Vec<usize> = (0..24).collect();
    assert_eq!(shown(&parse(REFRESH).unwrap()), refresh);
    assert_eq!(
        shown(&parse(PYRAMID).unwrap()),
        [
            0, 3, 2, 4, 1, 7, 6, 8, 5, 11, 10, 12, 9, 14, 13, 15, 18, 17, 19, 16, 22, 21, 23, 20,
            26, 25, 27, 24, 29, 28
        ]
    );
    assert_eq!(
        shown(&parse(OPEN_GOP).unwrap()),
        [
            0, 2, 3, 1, 5, 6, 4, 8, 9, 7, 11, 12, 10, 14, 15, 13, 17, 18, 16, 20, 21, 19, 23, 24,
            22, 26, 27, 25, 29, 30, 28, 32, 33, 31, 35, 34
        ]
    );
    assert_eq!(
        shown(&parse(SLICES).unwrap()),
        [0, 2, 1, 4, 3, 5, 6, 8, 7, 10, 9, 11]
    );
    assert_eq!(
        shown(&parse(INTERLACED).unwrap()),
        [0, 2, 3, 1, 5, 4, 6, 8, 9, 7, 11, 10]
    );
}

#[test]
fn key_frames_are_those_of_ffprobe() {
    assert_eq!(keys(&parse(PLAIN).unwrap()), [0, 10]);
    assert_eq!(keys(&parse(PYRAMID).unwrap()), [0, 15]);
    assert_eq!(keys(&parse(OPEN_GOP).unwrap()), [0, 10, 22]);
    assert_eq!(keys(&parse(SLICES).unwrap()), [0, 6]);
    assert_eq!(keys(&parse(INTERLACED).unwrap()), [0, 6]);
    assert_eq!(keys(&parse(REFRESH).unwrap()), [0]);
}

#[test]
fn streams_begin_only_where_no_frame_is_shown_before() {
    assert_eq!(parse(PLAIN).unwrap().entries(), [0, 10]);
    assert_eq!(parse(OPEN_GOP).unwrap().entries(), [0]);
}

#[test]
fn the_facts_of_a_clip_are_those_of_ffprobe() {
    let clip = parse(INTERLACED).unwrap();
    assert_eq!((clip.width(), clip.height()), (64, 64));
    assert_eq!(clip.fps(), Rational::whole(25));
    let clip = parse(PLAIN).unwrap();
    assert_eq!((clip.width(), clip.height()), (64, 48));
    assert_eq!(clip.fps(), Rational::whole(25));
    assert_eq!(clip.gop(), (10, 10));
    assert_eq!(clip.duration().as_millis(), 800);
    assert_eq!(clip.bit_rate(), clip.data().len() as u64 * 8 * 10 / 8);
    assert!(clip.peak_bit_rate() >= clip.bit_rate());
}

#[test]
fn every_nal_unit_of_the_file_is_in_a_frame_behind_a_start_code_of_four_octets() {
    for file in [PLAIN, PYRAMID, OPEN_GOP, SLICES, INTERLACED, REFRESH] {
        let clip = parse(file).unwrap();
        let source: Vec<&[u8]> = nal::units(file).map(|at| &file[at]).collect();
        let mut octets = Vec::new();
        for unit in source {
            octets.extend_from_slice(&nal::START_CODE);
            octets.extend_from_slice(unit);
        }
        // These files repeat their parameter sets before IDR pictures; open GOPs do not.
        if file != OPEN_GOP {
            assert_eq!(clip.data()[..], octets[..]);
        }
        let mut next = 0;
        for frame in clip.frames() {
            assert_eq!(frame.octets.start, next);
            next = frame.octets.end;
        }
        assert_eq!(next, clip.data().len());
    }
}

/// The stream with only its first parameter sets, or with those left out that `keep` refuses.
fn rewrite(file: &[u8], start_code: &[u8], mut keep: impl FnMut(usize, u8) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, at) in nal::units(file).enumerate() {
        if keep(index, h264::kind_of(&file[at.clone()])) {
            out.extend_from_slice(start_code);
            out.extend_from_slice(&file[at]);
        }
    }
    out
}

#[test]
fn parameter_sets_are_put_before_every_key_frame_that_lacks_them() {
    let once = rewrite(PLAIN, &[0, 0, 1], |index, kind| {
        index < 2 || (kind != 7 && kind != 8)
    });
    let clip = parse(&once).unwrap();
    assert_eq!(shown(&clip), (0..20).collect::<Vec<_>>());
    for key in keys(&clip) {
        let octets = clip.frame(key);
        let kinds: Vec<u8> = nal::units(octets)
            .map(|at| h264::kind_of(&octets[at]))
            .collect();
        assert_eq!(kinds[..2], [7, 8]);
        assert_eq!(kinds.iter().filter(|kind| **kind == 7).count(), 1);
    }
    let behind_delimiter = rewrite(SLICES, &[0, 0, 0, 1], |index, kind| {
        index < 3 || (kind != 7 && kind != 8)
    });
    let clip = parse(&behind_delimiter).unwrap();
    let octets = clip.frame(6);
    let kinds: Vec<u8> = nal::units(octets)
        .map(|at| h264::kind_of(&octets[at]))
        .collect();
    assert_eq!(kinds, [9, 7, 8, 5, 5, 5]);
}

#[test]
fn a_file_that_is_already_as_a_camera_sends_it_is_not_copied() {
    let normal = Bytes::from(rewrite(PLAIN, &[0, 0, 0, 1], |_, _| true));
    let clip = Clip::parse("test", normal.clone(), ClipOptions::default()).unwrap();
    assert_eq!(clip.data().as_ptr(), normal.as_ptr());
}

#[test]
fn frames_before_the_first_key_frame_are_left_out() {
    let cut: Vec<u8> = rewrite(PLAIN, &[0, 0, 1], |index, kind| {
        index < 2 || kind == 7 || kind == 8 || index > 6
    });
    assert_eq!(shown(&parse(&cut).unwrap()), (0..10).collect::<Vec<_>>());
    // The file begins at the second key frame of an open GOP: the two frames shown before it go.
    let idr = |index: usize, kind: u8| index < 2 || !(kind == 5 || index < 14);
    let clip = parse(&rewrite(OPEN_GOP, &[0, 0, 1], idr)).unwrap();
    assert_eq!(clip.entries()[0], 0);
    assert!(
        clip.frames()
            .iter()
            .skip(1)
            .enumerate()
            .all(|(index, frame)| index as u32 + 1 + frame.reorder > clip.frames()[0].reorder)
    );
}

#[test]
fn bad_files_are_refused_with_a_reason() {
    assert_eq!(parse(&[]).unwrap_err(), ClipError::Empty);
    let mp4 = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41";
    assert_eq!(
        parse(mp4).unwrap_err(),
        ClipError::Container("an MP4 file", "without a movie box (moov); was it cut off?")
    );
    assert_eq!(parse(b"this is a text").unwrap_err(), ClipError::Text);
    let binary = parse(b"\x7fELF\x02\0\0\x01\x41\0\0\x01").unwrap_err();
    assert!(binary.to_string().contains("h264_mp4toannexb"), "{binary}");
    assert_eq!(binary, ClipError::NotByteStream("something unknown"));
    let ps = [
        0, 0, 1, 0xBA, 0x44, 0, 4, 0, 4, 1, 0, 0x5f, 0x6b, 0xf8, 0, 0, 1, 0xE0, 0, 9,
    ];
    assert_eq!(
        parse(&ps).unwrap_err(),
        ClipError::Container("an MPEG program stream", "without video")
    );
}

#[test]
fn a_stream_that_no_decoder_could_begin_is_refused() {
    let no_sps = rewrite(PLAIN, &[0, 0, 1], |_, kind| kind != 7);
    assert!(matches!(
        parse(&no_sps),
        Err(ClipError::NoParameterSets {
            missing: "sequence parameter set",
            ..
        })
    ));
    let no_pps = rewrite(PLAIN, &[0, 0, 1], |_, kind| kind != 8);
    assert!(matches!(
        parse(&no_pps),
        Err(ClipError::NoParameterSets {
            missing: "picture parameter set",
            ..
        })
    ));
    let no_slices = rewrite(PLAIN, &[0, 0, 1], |_, kind| kind > 5);
    assert_eq!(parse(&no_slices).unwrap_err(), ClipError::NoPictures(0));
    let no_key = rewrite(PLAIN, &[0, 0, 1], |_, kind| kind != 5);
    assert_eq!(parse(&no_key).unwrap_err(), ClipError::NoKeyFrame(18));
}

/// A stream of `count` key frames of `octets` octets each, with parameter sets only once.
fn key_frames_only(count: usize, octets: usize) -> Vec<u8> {
    let mut stream = rewrite(PLAIN, &[0, 0, 1], |index, _| index < 2);
    let mut units = nal::units(PLAIN).map(|at| &PLAIN[at]);
    let slice = units.find(|unit| h264::kind_of(unit) == 5).unwrap();
    for _ in 0..count {
        stream.extend_from_slice(&[0, 0, 1]);
        stream.extend_from_slice(&slice[..octets]);
    }
    stream
}

#[test]
fn parsing_takes_linear_time_and_memory() {
    let begun = Instant::now();
    let stream = key_frames_only(50_000, 60);
    let clip = parse(&stream).unwrap();
    assert_eq!(clip.frames().len(), 50_000);
    assert!(clip.data().len() < 3 * stream.len());
    // Repeating the parameter sets before each would make much of little.
    let stream = key_frames_only(50_000, 12);
    assert_eq!(
        parse(&stream).unwrap_err(),
        ClipError::ParameterSetsTooLarge
    );
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_octets_are_a_clip_or_an_error(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse(&octets);
    }

    #[test]
    fn a_damaged_file_is_a_clip_or_an_error(
        which in 0usize..6,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..30),
        head in any::<bool>(),
    ) {
        let files = [PLAIN, PYRAMID, OPEN_GOP, SLICES, INTERLACED, REFRESH];
        let mut file = files[which].to_vec();
        // Half of the runs spoil parameter sets and the first slice headers only.
        let reach = if head { 60 } else { file.len() };
        for (at, value) in damage {
            let at = at.index(reach);
            file[at] = value;
        }
        if let Ok(clip) = parse(&file) {
            prop_assert!(clip.frames()[0].key && clip.entries()[0] == 0);
            prop_assert!(clip.frames().iter().all(|frame| !frame.octets.is_empty()));
            prop_assert!(clip.frames().iter().all(|frame| frame.reorder <= 32));
        }
    }
}
