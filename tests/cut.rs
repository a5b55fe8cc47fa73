//! The program stream that vcam writes, read by somebody else's parser.

mod streams;

use std::sync::Arc;

use mpeg_ps::program_stream::parse_all_packs;
use proptest::prelude::*;
use streams::{PYRAMID, clip, clip_of};
use vcam::media::ps::policy::{Dts, MuxRate, Packs};
use vcam::media::{Clip, Cut, PsPolicy, RtpPolicy, export, h264, nal};

const PES_START: [u8; 4] = [0, 0, 1, 0xE0];

fn cut_with(clip: &Arc<Clip>, ps: &PsPolicy, payload_max: u16) -> Arc<Cut> {
    let rtp = RtpPolicy {
        payload_max,
        ..RtpPolicy::default()
    };
    Arc::new(Cut::new(clip.clone(), ps, &rtp))
}

/// Checks one frame's packets against everything that is promised of a cut.
fn check_frame(cut: &Cut, index: usize, payload_max: usize) {
    let frame = &cut.clip().frames()[index];
    let packets = cut.packets(index);
    let times = vcam::media::cut::Times {
        scr: 0,
        dts: 3600,
        pts: 3600,
    };
    let mut data = Vec::new();
    for (place, packet) in packets.iter().enumerate() {
        let mut head = Vec::new();
        cut.write_head(&mut head, index, place, times);
        assert_eq!(head.len(), packet.head_octets());
        assert!(packet.payload() <= payload_max && packet.payload() > 0);
        if place + 1 < packets.len() {
            assert_eq!(
                packet.payload(),
                payload_max,
                "packets but the last are full"
            );
        } else if place < 3 {
            assert_ne!(packet.payload() + 12, 256);
        }
        match place {
            0 => assert!(head.starts_with(&[0, 0, 1, 0xBA])),
            _ => assert!(head.is_empty() || head.starts_with(&PES_START)),
        }
        data.extend_from_slice(cut.data(index, packet));
    }
    assert_eq!(data, cut.clip().frame(index));
    assert_eq!(data.len(), frame.octets.len());
}

/// The program stream map of H.264 video, version 0.
const MAP: [u8; 20] = [
    0, 0, 1, 0xBC, 0, 0xE, 0xE0, 0xFF, 0, 0, 0, 4, 0x1B, 0xE0, 0, 0, 0xF4, 0xDC, 0xBD, 0x45,
];

/// The stream without its stream maps, and how many there were. mpeg-ps 0.6 cannot read one: it
/// takes `program_stream_map_length` not to count the CRC (ISO/IEC 13818-1 §2.5.4.2 does).
fn without_maps(stream: &[u8]) -> (Vec<u8>, usize) {
    let (mut out, mut begun, mut count) = (Vec::new(), 0, 0);
    for at in memchr::memmem::find_iter(stream, &MAP) {
        out.extend_from_slice(&stream[begun..at]);
        (begun, count) = (at + MAP.len(), count + 1);
    }
    out.extend_from_slice(&stream[begun..]);
    (out, count)
}

/// The elementary stream that another parser finds in an exported program stream.
fn read_back(stream: &[u8], frames: usize) -> Vec<u8> {
    let (stream, _) = without_maps(stream);
    let (packs, rest) = parse_all_packs(&stream).unwrap();
    assert!(rest.is_empty());
    assert_eq!(packs.len(), frames);
    let pes = packs.iter().flat_map(|pack| &pack.pes_packets);
    pes.flat_map(|pes| pes.payload.to_vec()).collect()
}

#[test]
fn a_key_frame_begins_with_pack_header_system_header_and_stream_map() {
    let clip = clip_of(&[100, 50], 2);
    let policy = PsPolicy {
        mux_rate: MuxRate::Fixed(6106),
        rate_bound: MuxRate::Fixed(26_234),
        ..PsPolicy::default()
    };
    let stream = export(&cut_with(&clip, &policy, 1400), 1);
    let key = clip.frame(0).len();
    let mut golden = vec![0, 0, 1, 0xBA, 0x44, 0, 4, 0, 4, 1, 0, 0x5F, 0x6B, 0xF8];
    golden.extend([
        0, 0, 1, 0xBB, 0, 9, 0x80, 0xCC, 0xF5, 0, 0xE1, 0x7F, 0xE0, 0xE1, 0x90,
    ]);
    golden.extend(MAP);
    golden.extend([0, 0, 1, 0xE0, 0, 8 + key as u8, 0x84, 0x80, 5]);
    golden.extend([0x21, 0, 1, 0x1C, 0x21]); // PTS 3600
    golden.extend_from_slice(clip.frame(0));
    // SCR 3600: the second frame, 40 ms on.
    golden.extend([
        0, 0, 1, 0xBA, 0x44, 0, 4, 0x70, 0x84, 1, 0, 0x5F, 0x6B, 0xF8,
    ]);
    golden.extend([
        0,
        0,
        1,
        0xE0,
        0,
        8 + clip.frame(1).len() as u8,
        0x80,
        0x80,
        5,
    ]);
    golden.extend([0x21, 0, 1, 0x38, 0x41]); // PTS 7200
    golden.extend_from_slice(clip.frame(1));
    assert_eq!(stream, golden);
}

#[test]
fn frames_above_64_kb_are_several_pes_packets_that_end_with_rtp_packets() {
    let clip = clip_of(&[300_000, 70_000, 65_400, 65_401, 10], 5);
    let cut = cut_with(&clip, &PsPolicy::default(), 1400);
    for index in 0..5 {
        check_frame(&cut, index, 1400);
    }
    let stream = export(&cut, 1);
    let (bare, _) = without_maps(&stream);
    let (packs, _) = parse_all_packs(&bare).unwrap();
    assert_eq!(packs[0].pes_packets.len(), 5);
    for pes in packs.iter().flat_map(|pack| &pack.pes_packets) {
        assert!(pes.pes_packet_length > 0 && pes.payload.len() <= 65_400);
    }
    for pack in &packs {
        let stamped = pack.pes_packets.iter().map(|pes| {
            let header = pes.header.as_ref().unwrap();
            header.pts.is_some()
        });
        assert!(
            stamped
                .enumerate()
                .all(|(place, stamped)| stamped == (place == 0))
        );
    }
    assert_eq!(read_back(&stream, 5), clip.data()[..]);
}

#[test]
fn the_time_stamps_of_b_frames_are_those_of_their_presentation() {
    let clip = clip(PYRAMID);
    let (stream, _) = without_maps(&export(&cut_with(&clip, &PsPolicy::default(), 1400), 3));
    let (packs, rest) = parse_all_packs(&stream).unwrap();
    assert!(rest.is_empty());
    let mut shown = Vec::new();
    for (number, pack) in packs.iter().enumerate() {
        let header = pack.pes_packets[0].header.as_ref().unwrap();
        let pts = header.pts.unwrap().0;
        let dts = header.dts.map_or(pts, |dts| dts.0);
        assert_eq!(dts, 3600 + 3600 * number as u64);
        assert_eq!(pack.pack_header.scr.base, dts - 3600);
        assert!(pts >= dts);
        assert_eq!(header.dts.is_some(), pts != dts);
        shown.push(pts);
    }
    shown.sort_unstable();
    let first = shown[0];
    let even = shown
        .iter()
        .enumerate()
        .all(|(at, pts)| *pts == first + 3600 * at as u64);
    assert!(even, "every 40 ms a frame is shown, across the loops too");
}

#[test]
fn key_frames_carry_a_stream_map_and_a_system_header() {
    let clip = clip(PYRAMID);
    let (stream, maps) = without_maps(&export(&cut_with(&clip, &PsPolicy::default(), 1400), 1));
    assert_eq!(maps, 2);
    let (packs, _) = parse_all_packs(&stream).unwrap();
    for (pack, frame) in packs.iter().zip(clip.frames()) {
        assert_eq!(pack.system_header.is_some(), frame.key);
        assert!(u64::from(pack.pack_header.program_mux_rate) * 400 >= clip.peak_bit_rate());
    }
}

#[test]
fn h265_is_mapped_as_such_and_gets_delimiters_of_its_own() {
    let file = include_bytes!("media/plain.h265");
    let clip = streams::clip(file);
    let policy = PsPolicy {
        access_unit_delimiter: true,
        ..PsPolicy::default()
    };
    let stream = export(&cut_with(&clip, &policy, 1400), 1);
    let map = memchr::memmem::find(&stream, &[0, 0, 1, 0xBC]).unwrap();
    assert_eq!(stream[map + 12..map + 16], [0x24, 0xE0, 0, 0]);
    let delimiters = memchr::memmem::find_iter(&stream, &[0, 0, 0, 1, 0x46, 1, 0x50]);
    assert_eq!(delimiters.count(), clip.frames().len());
}

#[test]
fn a_delimiter_is_put_before_frames_that_have_none() {
    let policy = PsPolicy {
        access_unit_delimiter: true,
        ..PsPolicy::default()
    };
    for file in [PYRAMID, include_bytes!("media/slices_aud.h264")] {
        let clip = clip(file);
        let stream = export(&cut_with(&clip, &policy, 1400), 1);
        let octets = read_back(&stream, clip.frames().len());
        let delimiters = nal::units(&octets).filter(|at| h264::kind_of(&octets[at.clone()]) == 9);
        assert_eq!(delimiters.count(), clip.frames().len());
    }
}

#[test]
fn a_first_packet_is_never_256_octets_long() {
    for octets in 100..300 {
        let cut = cut_with(&clip_of(&[octets, 40], 2), &PsPolicy::default(), 1400);
        check_frame(&cut, 0, 1400);
        let stream = export(&cut, 1);
        assert_eq!(read_back(&stream, 2), cut.clip().data()[..]);
    }
}

#[test]
fn the_next_entry_is_found_around_the_loop() {
    let cut = cut_with(&clip_of(&[9; 10], 4), &PsPolicy::default(), 1400);
    let distances: Vec<usize> = (0..10).map(|index| cut.distance_to_entry(index)).collect();
    assert_eq!(distances, [0, 3, 2, 1, 0, 3, 2, 1, 0, 1]);
}

fn policies() -> impl Strategy<Value = PsPolicy> {
    let packs = || prop_oneof![Just(Packs::KeyFrames), Just(Packs::All), Just(Packs::Never)];
    let dts = prop_oneof![
        Just(Dts::WhenDifferent),
        Just(Dts::Always),
        Just(Dts::Never)
    ];
    let rest = (0u8..8, 0u32..100_000, any::<bool>());
    (packs(), packs(), packs(), dts, rest).prop_map(
        |(system_header, stream_map, alignment, dts, rest)| PsPolicy {
            system_header,
            stream_map,
            alignment,
            dts,
            pack_stuffing: rest.0,
            pes_payload_max: rest.1,
            access_unit_delimiter: rest.2,
            ..PsPolicy::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_frames_under_any_policy_come_out_of_another_parser_as_they_went_in(
        sizes in prop::collection::vec(prop_oneof![4 => 0usize..3000, 1 => 0usize..200_000], 1..8),
        gop in 1usize..5,
        payload_max in prop_oneof![Just(1400u16), 0u16..2000, 60_000u16..],
        policy in policies(),
    ) {
        let clip = clip_of(&sizes, gop);
        prop_assert_eq!(clip.frames().len(), sizes.len());
        let cut = cut_with(&clip, &policy, payload_max);
        for index in 0..sizes.len() {
            check_frame(&cut, index, usize::from(payload_max.clamp(256, 65_000)));
        }
        let octets = read_back(&export(&cut, 1), sizes.len());
        if !policy.access_unit_delimiter {
            prop_assert_eq!(&octets[..], &clip.data()[..]);
        }
    }
}
