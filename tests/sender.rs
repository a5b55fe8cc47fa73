//! What leaves when: pacing, loops, wraps, back-pressure, key frames on demand.

mod streams;

use std::io::IoSlice;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use streams::{PLAIN, PYRAMID, clip, clip_of};
use vcam::media::{
    Clip, Cut, FirstKeyFrame, Framing, PsPolicy, RtpPolicy, Sender, SenderConfig, SliceList, export,
};
use vcam::time::Instant;

const SSRC: u32 = 0x0BEB_C201;
const FRAME: Duration = Duration::from_millis(40);

fn config(clip: &Arc<Clip>) -> SenderConfig {
    let cut = Cut::new(clip.clone(), &PsPolicy::default(), &RtpPolicy::default());
    SenderConfig::new(Arc::new(cut), SSRC)
}

fn at(millis: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(millis)
}

/// Writes what is due at `now` and takes at most `limit` octets a call; says what was written.
fn write(sender: &mut Sender, now: Instant, limit: usize, out: &mut Vec<u8>) -> usize {
    let (mut heads, mut list) = (Vec::new(), SliceList::default());
    let Some(batch) = sender.batch(now, &mut heads) else {
        return 0;
    };
    let before = out.len();
    list.with(batch.slices(), |slices| {
        let octets: usize = slices.iter().map(|slice| slice.len()).sum();
        assert_eq!(octets, batch.len());
        for slice in slices {
            out.extend_from_slice(slice);
        }
    });
    out.truncate(out.len().min(before.saturating_add(limit)));
    let written = out.len() - before;
    sender.wrote(now, written);
    written
}

/// Writes whole frames until `frames` are written, each when it is due.
fn write_frames(sender: &mut Sender, frames: u64, out: &mut Vec<u8>) {
    while sender.counts().frames < frames {
        let now = sender.next_due().unwrap();
        assert!(write(sender, now, usize::MAX, out) > 0);
    }
}

fn join(parts: [IoSlice<'_>; 2]) -> Vec<u8> {
    parts.iter().flat_map(|part| part.to_vec()).collect()
}

/// An RTP packet as RFC 3550 draws it, read anew.
#[derive(Clone, Debug)]
struct Packet {
    marker: bool,
    sequence: u16,
    timestamp: u32,
    payload: Vec<u8>,
}

fn read_packet(octets: &[u8]) -> Packet {
    assert_eq!(octets[0], 0x80);
    assert_eq!(octets[1] & 0x7F, 96);
    assert_eq!(octets[8..12], SSRC.to_be_bytes());
    Packet {
        marker: octets[1] & 0x80 != 0,
        sequence: u16::from_be_bytes([octets[2], octets[3]]),
        timestamp: u32::from_be_bytes(octets[4..8].try_into().unwrap()),
        payload: octets[12..].to_vec(),
    }
}

/// The packets of an RFC 4571 stream.
fn read_stream(mut stream: &[u8]) -> Vec<Packet> {
    let mut packets = Vec::new();
    while let [high, low, rest @ ..] = stream {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        packets.push(read_packet(&rest[..length]));
        stream = &rest[length..];
    }
    assert!(stream.is_empty());
    packets
}

/// One pack: its clock reference, DTS, PTS, and what RTP says about it.
#[derive(Debug)]
struct Pack {
    scr: u64,
    dts: u64,
    pts: u64,
    key: bool,
    timestamp: u32,
}

fn bits(octets: &[u8], from: usize, count: usize) -> u64 {
    let bit = |at: usize| u64::from(octets[at / 8] >> (7 - at % 8) & 1);
    (from..from + count).fold(0, |sum, at| sum << 1 | bit(at))
}

fn stamp(octets: &[u8]) -> u64 {
    bits(octets, 4, 3) << 30 | bits(octets, 8, 15) << 15 | bits(octets, 24, 15)
}

/// The packs of a stream that begins with one; checks sequence, timestamps and markers.
fn read_packs(packets: &[Packet]) -> Vec<Pack> {
    let mut packs: Vec<Pack> = Vec::new();
    for (index, packet) in packets.iter().enumerate() {
        let next = packets.get(index + 1);
        assert!(next.is_none_or(|next| next.sequence == packet.sequence.wrapping_add(1)));
        let payload = &packet.payload;
        if payload.starts_with(&[0, 0, 1, 0xBA]) {
            let key = payload[14..].starts_with(&[0, 0, 1, 0xBB]);
            let pes = &payload[if key { 14 + 15 + 20 } else { 14 }..];
            assert!(pes.starts_with(&[0, 0, 1, 0xE0]));
            let pts = stamp(&pes[9..]);
            let scr =
                bits(payload, 34, 3) << 30 | bits(payload, 38, 15) << 15 | bits(payload, 54, 15);
            packs.push(Pack {
                scr,
                dts: if pes[7] == 0xC0 {
                    stamp(&pes[14..])
                } else {
                    pts
                },
                pts,
                key,
                timestamp: packet.timestamp,
            });
        }
        assert_eq!(packet.timestamp, packs.last().unwrap().timestamp);
        let last = next.is_none_or(|next| next.payload.starts_with(&[0, 0, 1, 0xBA]));
        assert_eq!(packet.marker, last);
    }
    packs
}

/// `later` lies `ticks` after `earlier` on the 33-bit clock.
fn after(later: u64, earlier: u64) -> u64 {
    later.wrapping_sub(earlier) & ((1 << 33) - 1)
}

#[test]
fn frames_are_due_at_multiples_of_the_frame_time_and_lateness_is_told() {
    let mut sender = Sender::new(Arc::new(config(&clip(PLAIN))), Framing::Stream, at(1000));
    let mut heads = Vec::new();
    for number in 0..60 {
        let due = at(1000 + 40 * number);
        assert_eq!(sender.next_due(), Some(due));
        assert!(
            number == 0
                || sender
                    .batch(at(1000 + 40 * number - 1), &mut heads)
                    .is_none()
        );
        // The pump comes 3 ms late, and the deadlines do not move.
        let now = due + Duration::from_millis(3);
        let octets = sender.batch(now, &mut heads).unwrap().len();
        let wrote = sender.wrote(now, octets);
        assert_eq!(wrote.lateness, Some(Duration::from_millis(3)));
        assert!(wrote.finished);
    }
    assert_eq!(sender.counts().late, 0);
    assert_eq!(sender.counts().frames, 60);
}

#[test]
fn a_stream_carries_the_exported_program_stream_and_loops() {
    let clip = clip(PYRAMID);
    let config = Arc::new(config(&clip));
    let mut sender = Sender::new(config.clone(), Framing::Stream, at(0));
    let mut out = Vec::new();
    write_frames(&mut sender, 90, &mut out);
    let packets = read_stream(&out);
    let carried: Vec<u8> = packets
        .iter()
        .flat_map(|packet| packet.payload.clone())
        .collect();
    assert_eq!(carried, export(&config.cut, 3));
    assert_eq!(sender.counts().packets, packets.len() as u64);
    let octets: usize = packets.iter().map(|packet| packet.payload.len() + 12).sum();
    assert_eq!(sender.counts().octets, octets as u64);
}

#[test]
fn time_goes_on_through_the_wraps_of_33_and_32_bits_and_of_the_sequence() {
    for file in [PLAIN, PYRAMID] {
        let config = SenderConfig {
            first_dts: (1 << 33) - 200_000,
            timestamp: 7_000_000,
            sequence: 65_500,
            ..config(&clip(file))
        };
        let mut sender = Sender::new(Arc::new(config), Framing::Stream, at(0));
        let mut out = Vec::new();
        write_frames(&mut sender, 200, &mut out);
        let packs = read_packs(&read_stream(&out));
        assert_eq!(packs.len(), 200);
        assert!(
            packs.last().unwrap().dts < packs[0].dts,
            "the clock has wrapped"
        );
        for pair in packs.windows(2) {
            assert_eq!(after(pair[1].dts, pair[0].dts), 3600);
            assert_eq!(after(pair[1].scr, pair[0].scr), 3600);
            assert_eq!(pair[1].timestamp.wrapping_sub(pair[0].timestamp), 3600);
        }
        for pack in &packs {
            assert_eq!(after(pack.dts, pack.scr), 3600);
            assert!(after(pack.pts, pack.dts) <= 5 * 3600);
            assert_eq!(pack.timestamp, (pack.dts as u32).wrapping_add(7_000_000));
        }
        let mut shown: Vec<u64> = packs
            .iter()
            .map(|pack| after(pack.pts, packs[0].dts))
            .collect();
        shown.sort_unstable();
        assert!(shown.windows(2).all(|pair| pair[1] - pair[0] == 3600));
    }
}

#[test]
fn the_timestamp_wraps_at_32_bits() {
    let config = SenderConfig {
        timestamp: u32::MAX - 3600 * 10,
        ..config(&clip(PLAIN))
    };
    let mut sender = Sender::new(Arc::new(config), Framing::Stream, at(0));
    let mut out = Vec::new();
    write_frames(&mut sender, 40, &mut out);
    let packs = read_packs(&read_stream(&out));
    assert!(packs[39].timestamp < packs[0].timestamp);
    for pair in packs.windows(2) {
        assert_eq!(pair[1].timestamp.wrapping_sub(pair[0].timestamp), 3600);
    }
}

#[test]
fn a_first_dts_of_zero_leaves_room_for_the_clock_reference() {
    let config = SenderConfig {
        first_dts: 0,
        ..config(&clip(PLAIN))
    };
    let mut sender = Sender::new(Arc::new(config), Framing::Stream, at(0));
    let mut out = Vec::new();
    write_frames(&mut sender, 3, &mut out);
    let scr: Vec<u64> = read_packs(&read_stream(&out))
        .iter()
        .map(|pack| pack.scr)
        .collect();
    assert_eq!(scr, [0, 3600, 7200]);
}

#[test]
fn a_first_dts_beyond_33_bits_is_taken_modulo_33_bits() {
    let config = SenderConfig {
        first_dts: u64::MAX,
        ..config(&clip(PLAIN))
    };
    let mut sender = Sender::new(Arc::new(config), Framing::Stream, at(0));
    let mut out = Vec::new();
    write_frames(&mut sender, 2, &mut out);
    let dts: Vec<u64> = read_packs(&read_stream(&out))
        .iter()
        .map(|pack| pack.dts)
        .collect();
    assert_eq!(dts, [(1 << 33) - 1, 3599]);
}

#[test]
fn behind_a_blocked_peer_a_started_frame_is_finished_and_waiting_ones_are_dropped_to_a_key_frame() {
    let clip = clip_of(&[3000; 50], 10);
    let mut sender = Sender::new(Arc::new(config(&clip)), Framing::Stream, at(0));
    let mut out = Vec::new();
    write_frames(&mut sender, 3, &mut out);
    assert_eq!(write(&mut sender, at(120), 2000, &mut out), 2000);
    sender.blocked();
    assert_eq!(sender.next_due(), None);
    // 2.5 s later the peer reads on: the rest of frame 3 first.
    let now = at(2620);
    let mut heads = Vec::new();
    let rest = sender.batch(now, &mut heads).unwrap().len();
    assert!(rest < 2000);
    write(&mut sender, now, usize::MAX, &mut out);
    assert_eq!(sender.counts().frames, 4);
    // Frames 4 to 65 were due by now; the next key frame is number 70.
    assert!(sender.batch(now, &mut heads).is_none());
    assert_eq!(sender.next_due(), Some(at(70 * 40)));
    assert_eq!(sender.counts().dropped, 66);
    write_frames(&mut sender, 6, &mut out);
    let packs = read_packs(&read_stream(&out));
    let dts: Vec<u64> = packs.iter().map(|pack| pack.dts / 3600 - 1).collect();
    assert_eq!(dts, [0, 1, 2, 3, 70, 71]);
    assert!(packs[4].key);
}

#[test]
fn up_to_the_backlog_everything_waits_and_nothing_is_dropped() {
    let mut sender = Sender::new(Arc::new(config(&clip(PLAIN))), Framing::Stream, at(0));
    let mut out = Vec::new();
    while write(&mut sender, at(2000), usize::MAX, &mut out) > 0 {}
    assert_eq!(sender.counts().frames, 51);
    assert_eq!(sender.counts().dropped, 0);
    assert_eq!(sender.counts().late, 49);
    assert_eq!(sender.next_due(), Some(at(51 * 40)));
}

#[test]
fn a_backlog_of_zero_drops_nothing_from_a_stream_that_is_in_time() {
    let config = SenderConfig {
        backlog: Duration::ZERO,
        ..config(&clip(PLAIN))
    };
    let mut sender = Sender::new(Arc::new(config), Framing::Stream, at(0));
    for number in 0..30 {
        write(
            &mut sender,
            at(40 * number + 5),
            usize::MAX,
            &mut Vec::new(),
        );
    }
    assert_eq!((sender.counts().frames, sender.counts().dropped), (30, 0));
}

#[test]
fn a_forced_key_frame_comes_next_and_time_runs_on() {
    let clip = clip_of(&[500; 50], 25);
    let mut sender = Sender::new(Arc::new(config(&clip)), Framing::Stream, at(0));
    let mut out = Vec::new();
    write_frames(&mut sender, 5, &mut out);
    sender.key_frame();
    write_frames(&mut sender, 10, &mut out);
    let packs = read_packs(&read_stream(&out));
    let keys: Vec<bool> = packs.iter().map(|pack| pack.key).collect();
    assert_eq!(keys[..7], [true, false, false, false, false, true, false]);
    assert!(
        packs
            .windows(2)
            .all(|pair| pair[1].dts - pair[0].dts == 3600)
    );
    assert_eq!(sender.counts().dropped, 0);
    assert!(
        out.ends_with(clip.frame(29)),
        "it went on behind the clip's second key frame"
    );
}

#[test]
fn a_forced_key_frame_waits_until_it_is_shown_after_all_frames_sent() {
    for sent in 1..30 {
        let mut sender = Sender::new(Arc::new(config(&clip(PYRAMID))), Framing::Stream, at(0));
        let mut out = Vec::new();
        write_frames(&mut sender, sent, &mut out);
        sender.key_frame();
        write_frames(&mut sender, sent + 20, &mut out);
        let packs = read_packs(&read_stream(&out));
        let behind = packs.iter().skip(sent as usize);
        let jump = sent as usize + behind.clone().position(|pack| pack.key).unwrap();
        assert!(jump - sent as usize <= 4, "within a group of B-frames");
        let before = packs[..jump].iter().map(|pack| pack.pts).max().unwrap();
        assert!(packs[jump..].iter().all(|pack| pack.pts > before));
    }
}

#[test]
fn a_camera_on_its_own_clock_waits_for_its_next_key_frame() {
    let clip = clip_of(&[100; 50], 25); // two seconds, a key frame each second
    let begin = |phase: u64, now: u64| {
        let config = SenderConfig {
            first_frame: FirstKeyFrame::OwnClock {
                phase: Duration::from_millis(phase),
            },
            ..config(&clip)
        };
        let mut sender = Sender::new(Arc::new(config), Framing::Stream, at(now));
        let mut out = Vec::new();
        let due = sender.next_due().unwrap();
        write_frames(&mut sender, 1, &mut out);
        (due, out.ends_with(clip.frame(0)))
    };
    assert_eq!(begin(0, 0), (at(0), true));
    assert_eq!(begin(0, 1), (at(1000), false));
    assert_eq!(begin(0, 1000), (at(1000), false));
    assert_eq!(begin(0, 1400), (at(2000), true));
    assert_eq!(begin(300, 1400), (at(1700), true));
    assert_eq!(begin(700, 1400), (at(2300), false));
}

#[test]
fn aligned_cameras_send_their_key_frames_at_the_same_moment() {
    let clip = clip_of(&[100; 50], 50);
    let dues: Vec<Option<Instant>> = [100, 999, 1990]
        .map(|now| {
            let config = SenderConfig {
                first_frame: FirstKeyFrame::Aligned,
                ..config(&clip)
            };
            Sender::new(Arc::new(config), Framing::Datagram, at(now)).next_due()
        })
        .into();
    assert_eq!(dues, [Some(at(2000)); 3]);
}

#[test]
fn a_large_key_frame_leaves_as_equal_batches_spread_over_its_frame_time() {
    let clip = clip_of(&[250_000, 100], 2);
    let mut sender = Sender::new(Arc::new(config(&clip)), Framing::Datagram, at(0));
    let (mut heads, mut times, mut packets) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        let now = sender.next_due().unwrap();
        let batch = sender.batch(now, &mut heads).unwrap();
        assert!(batch.len() <= 65_507 && batch.count() <= 64);
        let datagrams: Vec<Vec<u8>> = batch.packets().map(join).collect();
        let (last, full) = datagrams.split_last().unwrap();
        assert!(
            full.iter()
                .all(|datagram| datagram.len() == batch.segment())
        );
        assert!(last.len() <= batch.segment());
        packets.extend(datagrams.iter().map(|datagram| read_packet(datagram)));
        times.push(now);
        let octets = batch.len();
        if sender.wrote(now, octets).finished {
            break;
        }
    }
    assert_eq!(packets.len(), 179);
    assert_eq!(
        times,
        [
            at(0),
            at(10) + Duration::from_nanos(55_865),
            at(20) + Duration::from_nanos(111_731),
            at(30) + Duration::from_nanos(167_597)
        ]
    );
    assert_eq!(read_packs(&packets).len(), 1);
    assert_eq!(sender.next_due(), Some(at(0) + FRAME));
}

#[test]
fn datagrams_sent_one_by_one_are_counted_one_by_one() {
    let clip = clip_of(&[10_000, 100], 2);
    let mut sender = Sender::new(Arc::new(config(&clip)), Framing::Datagram, at(0));
    let mut heads = Vec::new();
    let mut seen = Vec::new();
    while sender.counts().frames == 0 {
        let batch = sender.batch(at(40), &mut heads).unwrap();
        let first = join(batch.packets().next().unwrap());
        seen.push(read_packet(&first));
        assert!(sender.wrote(at(40), first.len()).lateness.is_some() == (seen.len() == 1));
    }
    assert_eq!(seen.len(), 8);
    assert_eq!(read_packs(&seen).len(), 1);
}

#[test]
fn the_header_buffer_is_used_again_and_a_sender_is_small() {
    let clip = clip_of(&[20_000, 5000, 5000], 3);
    let mut sender = Sender::new(Arc::new(config(&clip)), Framing::Stream, at(0));
    let mut heads = Vec::with_capacity(1024);
    let memory = heads.as_ptr();
    for number in 0..30 {
        let now = at(40 * number);
        let octets = sender.batch(now, &mut heads).unwrap().len();
        sender.wrote(now, octets);
    }
    assert_eq!(heads.as_ptr(), memory);
    assert!(size_of::<Sender>() <= 192, "{}", size_of::<Sender>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn however_little_is_taken_at_a_time_the_octets_are_the_same(
        limits in prop::collection::vec(1usize..4000, 1..40),
        sizes in prop::collection::vec(0usize..6000, 1..6),
    ) {
        let config = Arc::new(config(&clip_of(&sizes, 3)));
        let mut whole = Vec::new();
        write_frames(&mut Sender::new(config.clone(), Framing::Stream, at(0)), 8, &mut whole);
        let mut sender = Sender::new(config, Framing::Stream, at(0));
        let (mut pieces, mut limits) = (Vec::new(), limits.iter().cycle());
        while sender.counts().frames < 8 {
            let now = sender.next_due().unwrap();
            write(&mut sender, now, *limits.next().unwrap(), &mut pieces);
        }
        prop_assert!(pieces == whole);
    }

    #[test]
    fn whatever_the_peer_does_the_stream_stays_whole(
        steps in prop::collection::vec((0u64..900, 0usize..5000, any::<bool>()), 1..60),
        backlog in 0u64..1500,
    ) {
        let clip = clip_of(&[4000, 900, 900, 900, 900, 900, 2000], 4);
        let config = SenderConfig { backlog: Duration::from_millis(backlog), ..config(&clip) };
        let mut sender = Sender::new(Arc::new(config), Framing::Stream, at(0));
        let (mut now, mut out) = (at(0), Vec::new());
        for (pause, limit, key) in steps {
            now += Duration::from_millis(pause);
            if key {
                sender.key_frame();
            }
            if write(&mut sender, now, limit, &mut out) == limit {
                sender.blocked();
            }
        }
        // Finish the frame that is started.
        let frames = sender.counts().frames;
        let started = sender.next_due().is_none_or(|due| due <= now);
        if started && write(&mut sender, now, usize::MAX, &mut out) > 0 {
            prop_assert_eq!(sender.counts().frames, frames + 1);
        }
        let packs = read_packs(&read_stream(&out));
        prop_assert_eq!(packs.len() as u64, sender.counts().frames);
        for pair in packs.windows(2) {
            let step = pair[1].dts - pair[0].dts;
            prop_assert!(step > 0 && step % 3600 == 0);
            prop_assert!(step == 3600 || pair[1].key, "after a gap comes a key frame");
            prop_assert!(pair[1].scr > pair[0].scr);
        }
    }
}
