//! H.265 clips are read as ffprobe reads them, and travel like any other.

use bytes::Bytes;
use proptest::prelude::*;
use vcam::media::{Clip, ClipError, ClipOptions, Codec, Rational, h265, nal};

const PLAIN: &[u8] = include_bytes!("media/plain.h265");
const PYRAMID: &[u8] = include_bytes!("media/pyramid.h265");
const OPEN_GOP: &[u8] = include_bytes!("media/open_gop.h265");
const SLICES: &[u8] = include_bytes!("media/slices_aud.h265");
const LAYERS: &[u8] = include_bytes!("media/layers.h265");
const REFRESH: &[u8] = include_bytes!("media/refresh.h265");
const ALL: [&[u8]; 6] = [PLAIN, PYRAMID, OPEN_GOP, SLICES, LAYERS, REFRESH];

fn parse(bytes: &[u8]) -> Result<Clip, ClipError> {
    let bytes = Bytes::copy_from_slice(bytes);
    Clip::parse("test", bytes, ClipOptions::default())
}

/// Decoding indices in the order in which the frames are shown.
fn shown(clip: &Clip) -> Vec<usize> {
    let frames = clip.frames();
    let mut order: Vec<usize> = (0..frames.len()).collect();
    order.sort_by_key(|index| index + frames[*index].reorder as usize);
    order
}

fn keys(clip: &Clip) -> Vec<usize> {
    let frames = clip.frames().iter().enumerate();
    let keys = frames.filter(|(_, frame)| frame.key);
    keys.map(|(index, _)| index).collect()
}

/// Kinds of a frame's NAL units.
fn kinds(clip: &Clip, frame: usize) -> Vec<u8> {
    let octets = clip.frame(frame);
    let units = nal::units(octets);
    units.map(|at| h265::kind_of(&octets[at])).collect()
}

/// The units that `keep` wants, behind start codes of three octets.
fn rewrite(file: &[u8], mut keep: impl FnMut(usize, u8) -> bool) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, at) in nal::units(file).enumerate() {
        if keep(index, h265::kind_of(&file[at.clone()])) {
            out.extend_from_slice(&[0, 0, 1]);
            out.extend_from_slice(&file[at]);
        }
    }
    out
}

#[test]
fn frames_are_counted_and_presented_as_ffprobe_says() {
    let order = |file| shown(&parse(file).unwrap());
    assert_eq!(order(PLAIN), (0..20).collect::<Vec<_>>());
    assert_eq!(order(REFRESH), (0..24).collect::<Vec<_>>());
    assert_eq!(
        order(PYRAMID),
        [
            0, 3, 2, 4, 1, 7, 6, 8, 5, 11, 10, 12, 9, 14, 13, 15, 18, 17, 19, 16, 22, 21, 23, 20,
            26, 25, 27, 24, 29, 28
        ]
    );
    assert_eq!(
        order(OPEN_GOP),
        [
            0, 3, 2, 1, 6, 5, 4, 9, 8, 7, 12, 11, 10, 15, 14, 13, 18, 17, 16, 21, 20, 19, 24, 23,
            22, 27, 26, 25, 30, 29, 28, 33, 32, 31, 35, 34
        ]
    );
    assert_eq!(order(SLICES), [0, 2, 1, 4, 3, 5, 6, 8, 7, 10, 9, 11]);
    assert_eq!(
        order(LAYERS),
        [0, 3, 2, 4, 1, 7, 6, 5, 8, 11, 10, 12, 9, 15, 14, 13]
    );
}

#[test]
fn key_frames_are_those_of_ffprobe_and_streams_begin_where_none_is_shown_before() {
    let both = |file| {
        let clip = parse(file).unwrap();
        (keys(&clip), clip.entries().to_vec())
    };
    assert_eq!(both(PLAIN), (vec![0, 10], vec![0, 10]));
    assert_eq!(both(PYRAMID), (vec![0, 15], vec![0, 15]));
    assert_eq!(both(OPEN_GOP), (vec![0, 10, 22], vec![0]));
    assert_eq!(both(SLICES), (vec![0, 6], vec![0, 6]));
    assert_eq!(both(LAYERS), (vec![0, 8], vec![0, 8]));
    assert_eq!(both(REFRESH), (vec![0], vec![0]));
}

#[test]
fn size_and_rate_are_those_of_ffprobe() {
    for (file, size) in [
        (PLAIN, (64, 64)),
        (SLICES, (64, 128)),
        // Cropped, with scaling lists, sub-layers, HRD and all of the VUI before the timing.
        (LAYERS, (66, 50)),
    ] {
        let clip = parse(file).unwrap();
        assert_eq!(clip.codec(), Codec::H265);
        assert_eq!((clip.width(), clip.height()), size);
        assert_eq!(clip.fps(), Rational::whole(25));
    }
}

#[test]
fn every_nal_unit_of_the_file_is_in_a_frame_behind_a_start_code_of_four_octets() {
    for file in ALL {
        let clip = parse(file).unwrap();
        let mut octets = Vec::new();
        for at in nal::units(file) {
            octets.extend_from_slice(&nal::START_CODE);
            octets.extend_from_slice(&file[at]);
        }
        assert_eq!(clip.data()[..], octets[..]);
        let ends: Vec<_> = clip.frames().iter().map(|f| f.octets.clone()).collect();
        assert!(ends.windows(2).all(|two| two[0].end == two[1].start));
    }
}

#[test]
fn parameter_sets_are_put_before_every_key_frame_that_lacks_them() {
    let once = |file| rewrite(file, |index, kind| index < 4 || !(32..=34).contains(&kind));
    let clip = parse(&once(PLAIN)).unwrap();
    assert_eq!(keys(&clip), [0, 10]);
    assert_eq!(kinds(&clip, 10), [32, 33, 34, 20]);
    assert_eq!(shown(&clip), (0..20).collect::<Vec<_>>());
    let clip = parse(&once(SLICES)).unwrap();
    assert_eq!(kinds(&clip, 6), [35, 32, 33, 34, 20, 20]);
}

#[test]
fn what_nobody_could_decode_is_left_out_or_refused() {
    // Begun at a clean random access picture, its skipped leading pictures cannot be decoded.
    let later = rewrite(OPEN_GOP, |index, _| index >= 13);
    let clip = parse(&later).unwrap();
    assert_eq!(kinds(&clip, 0), [32, 33, 34, 21]);
    assert_eq!(clip.frames().len(), 36 - 10 - 2);
    let lacks = |kind| match parse(&rewrite(PLAIN, |_, found| found != kind)) {
        Err(ClipError::NoParameterSets { missing, .. }) => missing,
        other => panic!("{other:?}"),
    };
    assert_eq!(lacks(34), "picture parameter set");
    let none = parse(&rewrite(PLAIN, |_, kind| kind > 31));
    assert_eq!(none.unwrap_err(), ClipError::NoPictures(0));
    let no_key = parse(&rewrite(PLAIN, |_, kind| kind != 20));
    assert_eq!(no_key.unwrap_err(), ClipError::NoKeyFrame(18));
}

proptest! {
    #[test]
    fn spoilt_files_never_panic(
        file in 0..ALL.len(), spoils in prop::collection::vec((any::<usize>(), any::<u8>()), 0..40)
    ) {
        let mut bytes = ALL[file].to_vec();
        for (at, value) in spoils {
            // The parameter sets are at the beginning, and most is read of them.
            let at = if value % 2 == 0 { at % 120 } else { at % bytes.len() };
            bytes[at] = value;
        }
        if let Ok(clip) = parse(&bytes) {
            prop_assert!(!clip.frames().is_empty() && clip.width() <= 32_768);
        }
    }

    #[test]
    fn parameter_sets_of_any_octets_never_panic(
        sets in prop::collection::vec((32u8..35, prop::collection::vec(any::<u8>(), 0..200)), 1..6)
    ) {
        let mut file = vec![0, 0, 1, 0x42, 1, 1];
        for (kind, octets) in sets {
            file.extend([0, 0, 1, kind << 1, 1]);
            file.extend(octets);
        }
        file.extend([0, 0, 1, 0x28, 1, 0xAF, 0x12, 0x34]);
        let _ = parse(&file);
    }
}
