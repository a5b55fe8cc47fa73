use super::super::super::clip::{Clip, ClipOptions};
use super::*;
use proptest::prelude::*;

const PLAIN: &[u8] = include_bytes!("../../../../tests/media/pyramid.h264");
const WHOLE: &[u8] = include_bytes!("../../../../tests/media/pyramid.mp4");
const FRAGMENTED: &[u8] = include_bytes!("../../../../tests/media/pyramid_fragmented.mp4");

fn clip(bytes: &[u8]) -> Clip {
    Clip::parse("x", bytes.to_vec().into(), ClipOptions::default()).unwrap()
}

/// The slices of all frames: parameter sets are kept apart by the container.
fn pictures(clip: &Clip) -> Vec<Vec<u8>> {
    use super::super::super::codec::Role;
    use super::super::super::nal;
    let data = clip.data();
    let is_slice = |unit: &[u8]| matches!(clip.codec().role(unit), Role::Slice { .. });
    nal::units(data)
        .map(|at| data[at].to_vec())
        .filter(|unit| is_slice(unit))
        .collect()
}

#[test]
fn the_video_of_an_mp4_file_is_that_of_the_byte_stream_it_was_made_of() {
    let plain = clip(PLAIN);
    for file in [WHOLE, FRAGMENTED] {
        let taken = clip(file);
        assert_eq!(pictures(&taken), pictures(&plain));
        assert_eq!(taken.fps(), plain.fps());
        let facts = |clip: &Clip| -> Vec<_> {
            clip.frames()
                .iter()
                .map(|frame| (frame.key, frame.reorder))
                .collect()
        };
        assert_eq!(facts(&taken), facts(&plain));
    }
}

#[test]
fn the_video_of_an_mp4_file_may_be_h265() {
    const PLAIN: &[u8] = include_bytes!("../../../../tests/media/pyramid.h265");
    const WHOLE: &[u8] = include_bytes!("../../../../tests/media/pyramid_h265.mp4");
    let (taken, plain) = (clip(WHOLE), clip(PLAIN));
    assert_eq!(taken.codec(), plain.codec());
    assert_eq!(pictures(&taken), pictures(&plain));
    assert_eq!(taken.fps(), plain.fps());
    let facts = |clip: &Clip| -> Vec<_> {
        let frames = clip.frames().iter();
        frames.map(|frame| (frame.key, frame.reorder)).collect()
    };
    assert_eq!(facts(&taken), facts(&plain));
}

#[test]
fn a_file_that_lacks_its_index_or_its_data_says_so() {
    let refusal = |bytes: &[u8]| open(bytes).unwrap_err();
    assert_eq!(
        refusal(b"\0\0\0\x08ftyp"),
        "without a movie box (moov); was it cut off?"
    );
    assert_eq!(refusal(b"\0\0\0\x08moov"), "without a video track");
    let moov = WHOLE.windows(4).position(|four| four == b"moov").unwrap() - 4;
    let mut without = WHOLE[moov..].to_vec();
    without.truncate(8 + 100);
    assert_eq!(refusal(&without), "without a video track");
}

#[test]
fn a_table_that_promises_more_than_the_file_has_gives_no_more_octets() {
    // Every sample is said to be of 1 octet, and four thousand million of them.
    let mut file = WHOLE.to_vec();
    let sizes = file.windows(4).position(|four| four == b"stsz").unwrap() + 8;
    file[sizes..sizes + 8].copy_from_slice(&[0, 0, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF]);
    if let Ok(contents) = open(&file) {
        assert!(contents.video.len() <= 2 * file.len());
    }
}

fn spoilt(source: &[u8], spoils: &[(usize, u8)], end: usize) -> Vec<u8> {
    let mut bytes = source.to_vec();
    for (at, value) in spoils {
        let at = at % bytes.len();
        bytes[at] = *value;
    }
    bytes.truncate(end.max(8));
    bytes
}

proptest! {
    #[test]
    fn spoilt_files_never_panic_and_never_grow(
        spoils in prop::collection::vec((any::<usize>(), any::<u8>()), 0..60), end in any::<usize>(), fragmented: bool
    ) {
        let source = if fragmented { FRAGMENTED } else { WHOLE };
        let bytes = spoilt(source, &spoils, if end % 3 == 0 { end % source.len() } else { source.len() });
        if let Ok(contents) = open(&bytes) {
            prop_assert!(contents.video.len() <= 5 * bytes.len());
        }
    }

    #[test]
    fn octets_that_are_no_file_never_panic(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = open(&octets);
        let _ = open(&[b"\0\0\0\0moov\0\0\0\0trak".as_slice(), &octets].concat());
    }
}
