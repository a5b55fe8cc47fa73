//! Mux, then demux: whatever frames go in come out, with their times, under every policy.

mod streams;

use std::sync::Arc;

use bytes::Bytes;
use proptest::prelude::*;
use streams::push_picture;
use vcam::media::demux::{Demuxer, PsEvent};
use vcam::media::ps::policy::{Dts, Packs};
use vcam::media::{Clip, ClipOptions, Cut, PsPolicy, RtpPolicy, export, nal};

/// One access unit to be: NAL units before the picture, the picture, NAL units behind it.
#[derive(Clone, Debug)]
struct Unit {
    delimiter: bool,
    sei: Option<Vec<u8>>,
    octets: usize,
    filling: u8,
    filler: Option<usize>,
    key: bool,
}

fn unit() -> impl Strategy<Value = Unit> {
    let sei = prop::option::of(prop::collection::vec(1u8.., 1..20));
    let octets = prop_oneof![6 => 0usize..3000, 1 => 60_000usize..140_000];
    let filler = prop::option::of(1usize..300);
    (any::<bool>(), sei, octets, 1u8.., filler, 0..4).prop_map(
        |(delimiter, sei, octets, filling, filler, key)| Unit {
            delimiter,
            sei,
            octets,
            filling,
            filler,
            key: key == 0,
        },
    )
}

/// The byte stream of these units, the first made a key frame, and each unit's own octets.
fn write(units: &[Unit]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut frames = Vec::new();
    for (index, unit) in units.iter().enumerate() {
        let mut frame = Vec::new();
        let mut push = |header: u8, payload: &[u8]| {
            frame.extend_from_slice(&nal::START_CODE);
            frame.push(header);
            frame.extend_from_slice(payload);
        };
        // Without a delimiter between them, pictures are told apart by their first macroblock.
        if unit.delimiter {
            push(9, &[0xF0]);
        }
        if let Some(sei) = &unit.sei {
            push(6, &[&[5, sei.len() as u8], &sei[..], &[0x80]].concat());
        }
        push_picture(
            &mut frame,
            index == 0 || unit.key,
            unit.octets,
            unit.filling,
        );
        if let Some(octets) = unit.filler {
            frame.extend_from_slice(&nal::START_CODE);
            frame.push(12);
            frame.extend(std::iter::repeat_n(0xFF, octets));
            frame.push(0x80);
        }
        frames.push(frame);
    }
    (frames.concat(), frames)
}

/// What a demultiplexer says, in its own memory.
#[derive(Debug, Default)]
struct Heard {
    clock: Vec<u64>,
    times: Vec<(u64, u64)>,
    frames: Vec<Vec<u8>>,
    maps: usize,
    faults: Vec<String>,
}

impl Heard {
    fn event(&mut self, event: PsEvent<'_>) {
        match event {
            PsEvent::Pack(header) => {
                self.clock.push(header.scr / 300);
                self.frames.push(Vec::new());
            }
            PsEvent::Map(_) => self.maps += 1,
            PsEvent::Pes(header) => {
                if let Some(pts) = header.pts {
                    self.times.push((pts, header.dts.unwrap_or(pts)));
                }
            }
            PsEvent::Data(octets) => self.frames.last_mut().unwrap().extend_from_slice(octets),
            PsEvent::SystemHeader | PsEvent::End => {}
            PsEvent::Fault { fault, .. } => self.faults.push(format!("{fault:?}")),
        }
    }
}

/// Demultiplexes a stream that comes in pieces of these sizes.
fn hear(stream: &[u8], pieces: &[usize]) -> Heard {
    let (mut heard, mut demuxer, mut rest) = (Heard::default(), Demuxer::new(), stream);
    let mut sizes = pieces.iter().cycle();
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        demuxer.push(piece, &mut |event| heard.event(event));
        rest = behind;
    }
    heard
}

fn policy() -> impl Strategy<Value = PsPolicy> {
    let packs = || prop_oneof![Just(Packs::KeyFrames), Just(Packs::All)];
    let dts = prop_oneof![Just(Dts::WhenDifferent), Just(Dts::Always)];
    let numbers = (0u8..8, 0u8..32, 1000u32..70_000);
    (packs(), packs(), dts, numbers).prop_map(
        |(system_header, stream_map, dts, (pack_stuffing, version, pes_payload_max))| PsPolicy {
            system_header,
            stream_map,
            dts,
            pack_stuffing,
            pes_payload_max,
            stream_map_version: version,
            ..PsPolicy::default()
        },
    )
}

fn cut(clip: Arc<Clip>, policy: &PsPolicy, payload_max: u16) -> Arc<Cut> {
    let rtp = RtpPolicy {
        payload_max,
        ..RtpPolicy::default()
    };
    Arc::new(Cut::new(clip, policy, &rtp))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn mux_then_demux_is_the_identity_on_any_access_units(
        units in prop::collection::vec(unit(), 1..12),
        policy in policy(),
        payload_max in 256u16..3000,
        pieces in prop::collection::vec(1usize..5000, 1..10),
        loops in 1u32..4,
    ) {
        let (file, frames) = write(&units);
        let clip = Clip::parse("any", Bytes::from(file), ClipOptions::default()).unwrap();
        let clip = Arc::new(clip);
        let stream = export(&cut(clip.clone(), &policy, payload_max), loops);
        let heard = hear(&stream, &pieces);
        prop_assert!(heard.faults.is_empty(), "{:?}", heard.faults);
        let looped: Vec<&Vec<u8>> = (0..loops).flat_map(|_| &frames).collect();
        prop_assert_eq!(heard.frames.len(), looped.len());
        prop_assert!(heard.frames.iter().eq(looped));
        for (number, ((pts, dts), scr)) in heard.times.iter().zip(&heard.clock).enumerate() {
            prop_assert_eq!(*dts, 3600 + 3600 * number as u64);
            prop_assert_eq!((*pts, *scr), (*dts, dts - 3600));
        }
        prop_assert_eq!(heard.times.len(), heard.frames.len());
        prop_assert!(heard.maps > 0);
    }
}

#[test]
fn b_frames_keep_their_times_and_octets() {
    let clip = streams::clip(streams::PYRAMID);
    let heard = hear(
        &export(&cut(clip.clone(), &PsPolicy::default(), 1400), 2),
        &[1],
    );
    assert!(heard.faults.is_empty(), "{:?}", heard.faults);
    for (index, (pts, dts)) in heard.times.iter().enumerate() {
        let frame = &clip.frames()[index % 30];
        assert_eq!(*dts, 3600 + 3600 * index as u64);
        assert_eq!(*pts - dts, 3600 * u64::from(frame.reorder));
        assert_eq!(heard.frames[index], clip.frame(index % 30));
    }
}
