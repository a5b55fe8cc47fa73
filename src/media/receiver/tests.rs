//! Honest streams are clean; every fault is caught, by its name.

pub(super) mod camera;

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::media::verdict::{Difference, Mismatch};
use camera::*;

fn judging(receiver: &Receiver) -> &Judging {
    match &receiver.work {
        Work::Judge(judging) => judging,
        Work::Count(_) => panic!("it only counts"),
    }
}

#[test]
fn a_looping_stream_is_clean_and_counted() {
    let verdict = judge(&packets(&honest(4 * FRAMES)));
    assert!(verdict.is_clean(), "{verdict}");
    assert_eq!(
        (verdict.frames, verdict.key_frames, verdict.matched),
        (60, 12, 60)
    );
    assert_eq!(
        (verdict.gops, verdict.verified),
        (12, Duration::from_millis(2400))
    );
}

#[test]
fn a_stream_may_begin_at_any_key_frame() {
    let shots: Vec<_> = (0..20)
        .map(|time| shot(time, (time + GOP) % FRAMES))
        .collect();
    assert!(judge(&packets(&shots)).is_clean());
}

#[test]
fn without_markers_all_but_the_last_frame_are_judged() {
    let mut all = packets(&honest(20));
    all.iter_mut().for_each(|packet| packet.marker = false);
    let verdict = judge(&all);
    assert!(verdict.is_clean(), "{verdict}");
    assert_eq!(verdict.matched, 19);
}

#[test]
fn what_does_not_count_does_not_count() {
    let mut shots = honest(20);
    shots[3].octets.splice(..0, unit(0x09, 1, 0)); // an access unit delimiter
    shots[4].octets.remove(0); // a three-octet start code
    shots[4].octets.extend([0, 0, 0]); // trailing zeros
    shots[7].octets.splice(..0, [0, 0, 1, 0x68, 0xEE, 0x3C]); // a parameter set again
    let verdict = judge(&packets(&shots));
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn a_flipped_bit_is_a_mismatch_of_that_frame_in_that_gop() {
    let mut shots = honest(20);
    let last = shots[8].octets.len() - 9;
    shots[8].octets[last] ^= 0x10;
    let all = packets(&shots);
    let first = all.iter().find(|packet| packet.shot == 8).unwrap();
    let verdict = judge(&all);
    assert_eq!(
        verdict.mismatches,
        [Mismatch {
            frame: Some(8),
            gop: Some(5),
            sequence: first.sequence,
            what: Difference::Content,
        }]
    );
    assert_eq!(
        (verdict.mismatched, verdict.matched, verdict.gops),
        (1, 19, 3)
    );
    assert_eq!(verdict.faults.total(), 0);
}

#[test]
fn a_missing_slice_an_added_one_and_altered_parameter_sets_are_mismatches() {
    let difference = |edit: fn(&mut Vec<u8>), at: usize| {
        let mut shots = honest(20);
        edit(&mut shots[at].octets);
        let verdict = judge(&packets(&shots));
        assert_eq!(verdict.matched + verdict.mismatched, 20, "{verdict}");
        assert_eq!(verdict.jumps + verdict.dropped, 0, "{verdict}");
        verdict.mismatches[0].what
    };
    let without_second_slice = |octets: &mut Vec<u8>| octets.truncate(octets.len() - 82);
    assert_eq!(
        difference(without_second_slice, 6),
        Difference::UnitCount(1, 2)
    );
    let with_filler = |octets: &mut Vec<u8>| octets.extend([0, 0, 1, 12, 0xFF, 0x80]);
    assert_eq!(difference(with_filler, 7), Difference::UnitCount(2, 1));
    let other_sps = |octets: &mut Vec<u8>| octets[9] ^= 1;
    assert_eq!(difference(other_sps, 5), Difference::ParameterSets);
    let no_sps = |octets: &mut Vec<u8>| drop(octets.drain(..10));
    assert_eq!(difference(no_sps, 0), Difference::ParameterSets);
}

#[test]
fn frames_left_out_up_to_a_key_frame_are_drops_when_the_clock_says_so() {
    let shots: Vec<_> = honest(30)
        .into_iter()
        .enumerate()
        .filter(|(n, _)| !(12..20).contains(n))
        .collect();
    let shots: Vec<_> = shots.into_iter().map(|(_, shot)| shot).collect();
    let verdict = judge(&packets(&shots));
    assert_eq!(
        (
            verdict.dropped,
            verdict.jumps,
            verdict.lost,
            verdict.mismatched
        ),
        (8, 0, 0, 0)
    );
    assert_eq!((verdict.matched, verdict.gops), (22, 4));
}

#[test]
fn a_key_frame_out_of_turn_is_a_jump() {
    let shots: Vec<_> = (0..20)
        .map(|time| shot(time, if time < 7 { time } else { time + 3 } % FRAMES))
        .collect();
    let verdict = judge(&packets(&shots));
    assert_eq!(
        (
            verdict.jumps,
            verdict.dropped,
            verdict.lost,
            verdict.mismatched
        ),
        (1, 0, 0, 0)
    );
    assert_eq!(verdict.matched, 20);
}

#[test]
fn another_video_is_not_taken_for_the_source() {
    let mut shots = honest(10);
    for shot in &mut shots {
        let last = shot.octets.len() - 1;
        shot.octets[last] ^= 4;
    }
    let verdict = judge(&packets(&shots));
    assert_eq!(
        (verdict.matched, verdict.mismatched, verdict.unlocked),
        (0, 2, 8)
    );
    assert_eq!(verdict.mismatches[0].frame, None);
    assert!(!verdict.is_clean());
}

#[test]
fn kernel_drops_stand_apart() {
    let mut receiver = receiver(Framing::Datagram);
    for packet in packets(&honest(5)) {
        receiver.datagram(Instant::ZERO, &packet.octets());
    }
    assert!(receiver.verdict().is_clean());
    receiver.kernel_drops(3);
    assert_eq!(
        receiver.verdict().to_string(),
        "not clean: 3 datagrams dropped by our own kernel"
    );
}

#[test]
fn without_a_source_counts_sequence_and_clocks_are_judged() {
    let expected = Arc::new(Expected::default());
    let mut receiver = Receiver::new(expected, Framing::Datagram);
    let mut shots = honest(30);
    shots[3].octets[100] ^= 1;
    shots.drain(11..13);
    for packet in packets(&shots) {
        receiver.datagram(Instant::ZERO, &packet.octets());
    }
    let verdict = receiver.verdict();
    assert_eq!(
        (verdict.frames, verdict.key_frames, verdict.dropped),
        (28, 6, 2)
    );
    assert_eq!(
        verdict.to_string(),
        "not clean: 2 frames left out by the sender"
    );
}

#[test]
fn a_recording_is_the_program_stream_in_order() {
    let expected = Expected {
        record: true,
        ..Expected::default()
    };
    let mut receiver = Receiver::new(Arc::new(expected), Framing::Datagram);
    let mut all = packets(&honest(6));
    all.swap(4, 6);
    all.push(all[3].clone());
    for packet in &all {
        receiver.datagram(Instant::ZERO, &packet.octets());
    }
    let stream: Vec<u8> = honest(6).iter().flat_map(Shot::pack).collect();
    assert_eq!(receiver.take_recording(), stream);
    assert!(receiver.take_recording().is_empty());
}

#[test]
fn a_new_connection_begins_anew_without_a_jump() {
    let mut receiver = receiver(Framing::Stream);
    let framed = |packet: &Wire| {
        let octets = packet.octets();
        [&(octets.len() as u16).to_be_bytes()[..], &octets].concat()
    };
    for packet in packets(&honest(7)) {
        receiver.octets(Instant::ZERO, &framed(&packet));
    }
    receiver.reconnected();
    for packet in packets(&honest(7)) {
        receiver.octets(Instant::ZERO, &framed(&packet));
    }
    let verdict = receiver.verdict();
    assert!(verdict.is_clean(), "{verdict}");
    assert_eq!((verdict.matched, verdict.gops), (14, 2));
}

#[test]
fn late_packets_and_a_full_window_are_told_apart_from_reordering() {
    let mut all = packets(&honest(30));
    let late = all.remove(40);
    all.insert(40 + WINDOW + 4, late);
    let verdict = judge(&all);
    let packets = verdict.packets;
    assert_eq!(
        (packets.lost, packets.gaps, packets.late, packets.reordered),
        (1, 1, 1, 0)
    );
    assert_eq!(verdict.matched + verdict.lost, 30);
}

#[test]
fn patience_ends_even_when_few_packets_come() {
    let mut receiver = receiver(Framing::Datagram);
    let all = packets(&honest(3));
    receiver.datagram(Instant::ZERO, &all[0].octets());
    receiver.datagram(Instant::ZERO, &all[2].octets());
    assert_eq!(receiver.verdict().packets.lost, 0);
    receiver.datagram(Instant::ZERO + PATIENCE * 2, &all[3].octets());
    assert_eq!(receiver.verdict().packets.lost, 1);
}

#[test]
fn rtcp_on_the_rtp_port_is_counted_and_ignored() {
    let mut receiver = receiver(Framing::Datagram);
    receiver.datagram(Instant::ZERO, &[0x80, 200, 0, 1, 0x0B, 0xEB, 0xC2, 0x01]);
    let verdict = receiver.verdict();
    assert_eq!((verdict.packets.rtcp, verdict.faults.total()), (1, 0));
}

#[test]
fn a_receiver_is_small() {
    assert!(size_of::<Receiver>() < 2048, "{}", size_of::<Receiver>());
}

/// Every kind of fault, made on purpose; each is seen, and the stream recovers.
mod faults {
    use super::*;

    /// The verdict when the shots of 20 frames, then their packets, were changed.
    fn with(shots: impl FnOnce(&mut Vec<Shot>), wire: impl FnOnce(&mut Vec<Wire>)) -> Verdict {
        let mut all = honest(20);
        shots(&mut all);
        let mut all = packets(&all);
        wire(&mut all);
        judge(&all)
    }

    fn in_shots(edit: impl FnOnce(&mut Vec<Shot>)) -> Verdict {
        with(edit, |_| {})
    }

    fn in_packets(edit: impl FnOnce(&mut Vec<Wire>)) -> Verdict {
        with(|_| {}, edit)
    }

    /// Exactly `expected`, and `matched` of the 20 frames equal the source all the same.
    fn assert_faults(verdict: &Verdict, expected: &[(Fault, u64)], matched: u64) {
        assert_eq!(
            verdict.faults.iter().collect::<Vec<_>>(),
            expected,
            "{verdict}"
        );
        assert_eq!(verdict.matched, matched, "{verdict}");
        assert!(!verdict.is_clean());
    }

    #[test]
    fn of_rtp() {
        let mut foreign = packets(&honest(1)).remove(0);
        foreign.payload_type = 98;
        let verdict = in_packets(|all| all.insert(9, foreign.clone()));
        assert_faults(&verdict, &[(Fault::PayloadType, 1)], 20);
        foreign.ssrc += 1;
        let verdict = in_packets(|all| all.insert(9, foreign));
        assert_faults(&verdict, &[(Fault::Ssrc, 1)], 20);
        let verdict = in_packets(|all| {
            all[10].payload.clear();
        });
        assert_eq!(verdict.faults.of(Fault::EmptyPayload), 1);
        let verdict = in_packets(|all| {
            let restart = all.iter().position(|packet| packet.shot == 10).unwrap();
            for packet in &mut all[restart..] {
                packet.sequence = packet.sequence.wrapping_add(20_000);
            }
        });
        // The first packet of the new sequence is not believed, and its frame lost with it.
        assert_faults(&verdict, &[(Fault::SequenceRestart, 1)], 19);
        let mut receiver = receiver(Framing::Datagram);
        receiver.datagram(Instant::ZERO, &[0x80, 0x60, 0]);
        assert_eq!(receiver.verdict().faults.of(Fault::RtpHeader), 1);
    }

    #[test]
    fn of_timestamps_and_markers() {
        let verdict = in_packets(|all| {
            let at = all.iter().position(|packet| packet.shot == 5).unwrap() + 2;
            all[at].timestamp += 1;
        });
        assert_faults(&verdict, &[(Fault::TimestampInsidePack, 1)], 20);
        let verdict = in_packets(|all| {
            let at = all.iter().position(|packet| packet.shot == 5).unwrap();
            all[at].marker = true;
        });
        assert_faults(&verdict, &[(Fault::MarkerInsidePack, 1)], 20);
        let verdict = in_shots(|all| {
            for shot in &mut all[9..] {
                shot.timestamp -= 3600;
            }
        });
        let expected = [(Fault::TimestampRepeated, 1), (Fault::RtpOffDts, 1)];
        assert_faults(&verdict, &expected, 20);
    }

    #[test]
    fn of_packs() {
        let pack = |edit: fn(&mut Vec<u8>)| {
            in_shots(|all| {
                let mut pack = pack_header(all[8].scr);
                edit(&mut pack);
                all[8].pack = Some(pack);
            })
        };
        let verdict = pack(|pack| pack[4] ^= 0x40);
        assert_faults(&verdict, &[(Fault::PackHeader, 1)], 19);
        assert_eq!(verdict.dropped, 1, "no packet is missing, the frame is");
        let verdict = pack(|pack| {
            pack[13] = 0xFA;
            pack.extend([0xFF, 0x00]);
        });
        assert_faults(&verdict, &[(Fault::Stuffing, 1)], 20);
        let verdict = pack(|pack| pack[10..13].copy_from_slice(&[0, 0, 3]));
        assert_faults(&verdict, &[(Fault::MuxRateZero, 1)], 20);
        let verdict = pack(Vec::clear);
        assert_faults(&verdict, &[(Fault::FrameWithoutPack, 1)], 20);
    }

    #[test]
    fn of_system_header_and_map() {
        let headers =
            |at: usize, edit: fn(&mut Vec<u8>)| in_shots(|all| edit(&mut all[at].headers));
        let verdict = headers(5, |octets| octets[6] &= 0x7F);
        assert_faults(&verdict, &[(Fault::SystemHeader, 1)], 20);
        let verdict = headers(5, |octets| octets.rotate_left(15));
        assert_faults(&verdict, &[(Fault::SystemHeaderMisplaced, 1)], 20);
        let verdict = headers(5, |octets| octets[15 + 11] = 8);
        assert_faults(&verdict, &[(Fault::MapSyntax, 1)], 20);
        let verdict = headers(5, |octets| octets[15 + 19] ^= 1);
        assert_faults(&verdict, &[(Fault::MapCrc, 1)], 20);
        let verdict = headers(5, |octets| {
            // The same map, not current, with its CRC.
            octets[15 + 6] &= 0x7F;
            octets.splice(31.., [0x88, 0x0A, 0xFE, 0xB2]);
        });
        assert_faults(&verdict, &[(Fault::MapNotCurrent, 1)], 20);
        let verdict = headers(0, Vec::clear);
        assert_faults(&verdict, &[(Fault::NoMap, 5)], 20);
    }

    #[test]
    fn of_pes_packets() {
        let verdict = in_shots(|all| all[8].edit_pes = |pes| pes[6] = 0x0F);
        assert_faults(&verdict, &[(Fault::PesHeader, 1)], 19);
        let verdict = in_shots(|all| all[8].edit_pes = |pes| pes[4..6].fill(0));
        assert_faults(&verdict, &[(Fault::PesLengthZero, 1)], 20);
        let verdict = in_shots(|all| all[8].edit_pes = |pes| pes[4] += 1);
        assert_eq!(verdict.faults.of(Fault::PesLength), 1);
        assert_eq!((verdict.matched, verdict.mismatched), (19, 1));
        let verdict = in_shots(|all| all[8].trailer = pes(0xC0, None, &[1, 2, 3]));
        assert_faults(&verdict, &[(Fault::UnlistedStream, 1)], 20);
        let verdict = in_shots(|all| all[8].trailer = vec![9; 30]);
        assert_faults(&verdict, &[(Fault::NoStartCode, 1)], 20);
        let verdict = in_shots(|all| all[8].trailer = pes(0xBE, None, &[0xFF; 30]));
        assert!(verdict.is_clean(), "padding is no fault: {verdict}");
    }

    #[test]
    fn of_clocks() {
        let verdict = in_shots(|all| all[8].scr = all[7].scr);
        assert_faults(&verdict, &[(Fault::ScrNotRising, 1)], 20);
        let verdict = in_shots(|all| all[19].scr = all[19].dts + 1);
        assert_faults(&verdict, &[(Fault::ScrAfterDts, 1)], 20);
        let verdict = in_shots(|all| all[8].stamped = false);
        assert_faults(&verdict, &[(Fault::StampMissing, 1)], 20);
        let verdict = in_shots(|all| all[8].pts += 3600);
        assert_faults(&verdict, &[(Fault::PresentationOrder, 1)], 20);
        let verdict = in_shots(|all| all[8].pts -= 1);
        assert_eq!(verdict.faults.of(Fault::PtsBeforeDts), 1);
        let verdict = in_shots(|all| {
            (all[8].pts, all[8].dts, all[8].scr) = (all[7].pts, all[7].dts, all[7].scr + 1);
        });
        assert_eq!(verdict.faults.of(Fault::DtsNotRising), 1);
        let verdict = in_shots(|all| all[8].timestamp += 700);
        assert_faults(
            &verdict,
            &[(Fault::RtpSpacing, 2), (Fault::RtpOffDts, 2)],
            20,
        );
        let verdict = in_shots(|all| {
            for shot in &mut all[8..] {
                shot.timestamp += 3600;
                shot.dts += 3600;
                shot.pts += 3600;
            }
        });
        // The clock says a frame is missing, but none is.
        assert_faults(&verdict, &[(Fault::RtpSpacing, 1)], 20);
    }

    #[test]
    fn of_framing() {
        let stream = |prefix: &[u8], extra: &[u8]| {
            let mut receiver = receiver(Framing::Stream);
            for (index, packet) in packets(&honest(20)).iter().enumerate() {
                let octets = packet.octets();
                let extra = if index == 9 { extra } else { &[] };
                let length = (octets.len() as u16).to_be_bytes();
                receiver.octets(Instant::ZERO, &[extra, prefix, &length, &octets].concat());
            }
            receiver.verdict()
        };
        assert!(stream(&[], &[]).is_clean());
        assert_faults(&stream(b"$\x00", &[]), &[(Fault::Interleaved, 1)], 20);
        assert_faults(&stream(&[], &[0, 0]), &[(Fault::EmptyFrame, 1)], 20);
        assert_faults(&stream(&[], &[7; 5]), &[(Fault::Desynchronised, 1)], 20);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Datagrams that overtake each other within the window, some doubled, lose nothing.
    #[test]
    fn reordered_and_doubled_datagrams_are_put_right(delays in prop::collection::vec(0usize..8, 200), doubled in prop::collection::vec(prop::bool::weighted(0.1), 200)) {
        let all = packets(&honest(25));
        let mut order: Vec<(usize, usize)> = Vec::new();
        for index in 0..all.len() {
            // The first comes first: a receiver cannot know what was before it.
            let delay = if index == 0 { 0 } else { delays[index % 200] };
            order.push((index + delay, index));
            if doubled[index % 200] {
                order.push((index + delay + 3, index));
            }
        }
        order.sort();
        let sent: Vec<_> = order.iter().map(|(_, index)| all[*index].clone()).collect();
        let mut seen = std::collections::BTreeSet::new();
        let overtaken = order.iter().filter(|(_, index)| seen.insert(*index) && seen.last() != Some(index)).count();
        let verdict = judge(&sent);
        prop_assert!(verdict.is_clean(), "{}", verdict);
        prop_assert_eq!(verdict.matched, 25);
        prop_assert_eq!(verdict.packets.received, all.len() as u64);
        prop_assert_eq!(verdict.packets.duplicates, (sent.len() - all.len()) as u64);
        prop_assert_eq!(verdict.packets.reordered, overtaken as u64);
    }

    /// Exactly the lost packets are counted, exactly the frames they belong to are missing.
    #[test]
    fn lost_datagrams_cost_exactly_their_frames(lost in prop::collection::vec(prop::bool::weighted(0.08), 300)) {
        let all = packets(&honest(40));
        let is_lost = |index: usize| {
            let between = (1..39).contains(&all[index].shot);
            between && lost[index % 300]
        };
        let sent: Vec<_> = (0..all.len()).filter(|index| !is_lost(*index)).map(|index| all[index].clone()).collect();
        let count = (0..all.len()).filter(|index| is_lost(*index)).count() as u64;
        let runs = (1..all.len()).filter(|index| is_lost(*index) && !is_lost(index - 1)).count() as u64;
        let whole = (0..40).filter(|shot| !(0..all.len()).any(|index| all[index].shot == *shot && is_lost(index))).count() as u64;
        let verdict = judge(&sent);
        prop_assert_eq!((verdict.packets.lost, verdict.packets.gaps), (count, runs));
        prop_assert_eq!((verdict.matched, verdict.lost), (whole, 40 - whole), "{}", verdict);
        prop_assert_eq!((verdict.mismatched, verdict.dropped, verdict.jumps), (0, 0, 0), "{}", verdict);
        prop_assert_eq!(verdict.faults.total(), 0, "{}", verdict);
    }

    /// The segmentation of a TCP stream does not matter.
    #[test]
    fn any_segmentation_gives_the_same_verdict(sizes in prop::collection::vec(1usize..700, 1..20)) {
        let stream: Vec<u8> = packets(&honest(20)).iter().flat_map(|packet| {
            let octets = packet.octets();
            [&(octets.len() as u16).to_be_bytes()[..], &octets].concat()
        }).collect();
        let mut receiver = receiver(Framing::Stream);
        let mut rest = &stream[..];
        for size in sizes.iter().cycle() {
            let (segment, later) = rest.split_at((*size).min(rest.len()));
            receiver.octets(Instant::ZERO, segment);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        let verdict = receiver.verdict();
        prop_assert!(verdict.is_clean(), "{}", verdict);
        prop_assert_eq!(verdict.matched, 20);
    }

    /// Whatever comes, nothing panics and little is kept.
    #[test]
    fn garbage_never_panics_and_keeps_memory_bounded(
        pieces in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..200), any::<u16>(), any::<bool>()), 0..80),
        stream in any::<bool>(),
    ) {
        let mut receiver = receiver(if stream { Framing::Stream } else { Framing::Datagram });
        for (payload, sequence, header) in pieces {
            let octets = Wire { shot: 0, marker: payload.len() % 3 == 0, payload_type: 96, sequence: sequence % 64, timestamp: 1, ssrc: SSRC, payload: payload.clone() }.octets();
            let octets = if header { octets } else { payload };
            if stream {
                receiver.octets(Instant::ZERO, &octets);
            } else {
                receiver.datagram(Instant::ZERO, &octets);
            }
            prop_assert!(judging(&receiver).packets.held.len() <= WINDOW);
        }
        receiver.finish();
        prop_assert!(!receiver.verdict().is_clean());
    }

    /// No bit of a frame can flip unnoticed, and the frames around it stay verified.
    #[test]
    fn a_flipped_bit_anywhere_in_a_frame_is_one_mismatch(frame in 1usize..5, at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut shots = honest(12);
        let place = at.index(shots[frame].octets.len());
        shots[frame].octets[place] ^= 1 << bit;
        let verdict = judge(&packets(&shots));
        let wrong = (verdict.mismatched, verdict.mismatches.first().and_then(|first| first.frame));
        prop_assert_eq!(wrong, (1, Some(frame)), "{}", verdict);
        prop_assert_eq!(verdict.matched, 11);
    }

    /// Whatever bit of whatever packet flips, nothing panics, and what is called clean is whole.
    #[test]
    fn a_flipped_bit_anywhere_is_never_more_than_a_verdict(at in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), bit in 0u8..8) {
        let mut all: Vec<_> = packets(&honest(12)).iter().map(Wire::octets).collect();
        // Nobody can miss what should have come last.
        let index = at.index(all.len() - 1);
        let octets = &mut all[index];
        let place = place.index(octets.len());
        octets[place] ^= 1 << bit;
        let mut receiver = receiver(Framing::Datagram);
        for octets in all {
            receiver.datagram(Instant::ZERO, &octets);
        }
        receiver.finish();
        let verdict = receiver.verdict();
        prop_assert!(!verdict.is_clean() || verdict.matched == 12, "{}", verdict);
    }
}
