//! Sound travels behind the pictures of its frame, in the same pack, in step with them.

mod streams;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use streams::{PLAIN, PYRAMID};
use vcam::media::audio::law::Law;
use vcam::media::{
    Clip, Course, Cut, Expected, Fault, Framing, PlaybackPolicy, PsPolicy, Receiver, Recording,
    Reference, RtpPolicy, Scale, Segment, Sender, SenderConfig, Steer, Track, Verdict, export,
};
use vcam::time::Instant;

const AAC: &[u8] = include_bytes!("media/sounding.aac");
const H265: &[u8] = include_bytes!("media/pyramid.h265");
const SSRC: u32 = 200_000_001;

fn clip(pictures: &[u8], track: Track) -> Arc<Clip> {
    let silent = streams::clip(pictures);
    Arc::new(silent.with_audio(Arc::new(track)))
}

fn aac() -> Track {
    Track::parse("sounding.aac", Bytes::from_static(AAC)).unwrap()
}

fn cut(clip: &Arc<Clip>) -> Arc<Cut> {
    let rtp = RtpPolicy::default();
    Arc::new(Cut::new(clip.clone(), &PsPolicy::default(), &rtp))
}

/// A stream and who judges it.
struct Wire {
    sender: Sender,
    receiver: Receiver,
    heads: Vec<u8>,
}

impl Wire {
    fn new(config: SenderConfig, source: &Clip, framing: Framing) -> Wire {
        let expected = Expected {
            reference: Some(Arc::new(Reference::of(source))),
            ..Expected::default()
        };
        Wire {
            sender: Sender::new(Arc::new(config), framing, Instant::ZERO),
            receiver: Receiver::new(Arc::new(expected), framing),
            heads: Vec::new(),
        }
    }

    fn live(clip: &Arc<Clip>, framing: Framing) -> Wire {
        let config = SenderConfig {
            // All clocks wrap on the way.
            sequence: 65_500,
            timestamp: u32::MAX - 90_000,
            first_dts: (1 << 33) - 100_000,
            ..SenderConfig::new(cut(clip), SSRC)
        };
        Wire::new(config, clip, framing)
    }

    /// A recording of ten seconds.
    fn recorded(clip: &Arc<Clip>, policy: PlaybackPolicy) -> Wire {
        let length = Duration::from_secs(10);
        let segment = Segment::lasting(cut(clip), Duration::ZERO, length);
        let recording = Recording {
            segments: vec![segment],
            begin: Duration::ZERO,
            end: length,
            scale: Scale::NORMAL,
            policy,
        };
        let config = SenderConfig {
            recording: Some(Arc::new(recording)),
            ..SenderConfig::new(cut(clip), SSRC)
        };
        Wire::new(config, clip, Framing::Datagram)
    }

    /// Carries the next batch; `spoil` may change each packet.
    fn carry(&mut self, spoil: &mut impl FnMut(&mut Vec<u8>)) {
        let now = self.sender.next_due().unwrap();
        let framing = self.sender.framing();
        let batch = self.sender.batch(now, &mut self.heads).unwrap();
        for packet in batch.packets() {
            let mut octets = packet.map(|part| part.to_vec()).concat();
            spoil(&mut octets);
            match framing {
                Framing::Datagram => self.receiver.datagram(now, &octets),
                Framing::Stream => self.receiver.octets(now, &octets),
            }
        }
        let written = batch.len();
        self.sender.wrote(now, written);
    }

    fn play(&mut self, frames: u64, mut spoil: impl FnMut(&mut Vec<u8>)) -> Verdict {
        let end = self.sender.counts().frames + frames;
        while self.sender.counts().frames < end {
            self.carry(&mut spoil);
        }
        self.receiver.verdict()
    }
}

#[test]
fn every_codec_of_sound_arrives_unchanged_and_in_step_beside_every_codec_of_pictures() {
    for pictures in [PLAIN, PYRAMID, H265] {
        for track in [Track::tone(Law::A), Track::tone(Law::Mu), aac()] {
            let name = track.name().to_owned();
            let clip = clip(pictures, track);
            let (frames, units) = (clip.frames().len() as u64, clip.sound().unwrap().units());
            assert!(units > 0);
            for framing in [Framing::Datagram, Framing::Stream] {
                let verdict = Wire::live(&clip, framing).play(frames * 3, |_| {});
                assert!(verdict.is_clean(), "{name} {framing:?}: {verdict}");
                let sounds = verdict.sounds;
                assert_eq!((sounds.matched, sounds.units), (units * 3, units * 3));
                assert_eq!((sounds.mismatched, sounds.missing), (0, 0), "{name}");
            }
        }
    }
}

#[test]
fn headers_promise_the_sound_and_it_follows_the_pictures() {
    let clip = clip(PLAIN, Track::tone(Law::A));
    let stream = export(&cut(&clip), 1);
    // Behind the pack header: system header and map, as the standard's annex C has them.
    assert_eq!(stream[14..18], [0, 0, 1, 0xBB]);
    assert_eq!(stream[14 + 9] >> 2, 1, "one audio stream is promised");
    assert_eq!(stream[26..32], [0xE0, 0xE1, 0x90, 0xC0, 0xC0, 0x20]);
    assert_eq!(
        stream[32..56],
        [
            0, 0, 1, 0xBC, 0, 0x12, 0xE0, 0xFF, 0, 0, 0, 8, 0x1B, 0xE0, 0, 0, 0x90, 0xC0, 0, 0,
            0xFE, 0xDF, 0xB1, 0xD7
        ]
    );
    assert_eq!(stream[56..60], [0, 0, 1, 0xE0]);
    // 320 octets of G.711 (0x148 with header and PTS); the first is heard when the first picture is shown.
    let video = 14 + 5 + clip.frame(0).len();
    let sound = &stream[56 + video - 5..];
    assert_eq!(sound[..9], [0, 0, 1, 0xC0, 0x01, 0x48, 0x80, 0x80, 5]);
    assert_eq!(sound[9..14], stream[56 + 9..56 + 14], "the picture's PTS");
    assert_eq!(sound[14..14 + 320], *Track::tone(Law::A).octets(0));
    assert_eq!(sound[334..338], [0, 0, 1, 0xBA]);
}

#[test]
fn sound_of_another_source_and_sound_out_of_step_are_noticed() {
    let clip = clip(PLAIN, Track::tone(Law::A));
    let is_sound = |packet: &[u8]| packet[12..].starts_with(&[0, 0, 1, 0xC0]);

    let altered = Wire::live(&clip, Framing::Datagram).play(20, |packet| {
        if is_sound(packet) {
            *packet.last_mut().unwrap() ^= 1;
        }
    });
    assert!(!altered.is_clean());
    assert_eq!((altered.sounds.mismatched, altered.sounds.matched), (20, 0));

    let mut nth = 0;
    let late = Wire::live(&clip, Framing::Datagram).play(20, |packet| {
        if is_sound(packet) {
            nth += 1;
            // From the tenth on the PTS has another bit: 256 ticks, or 2.8 ms.
            packet[12 + 12] ^= if nth < 10 { 0 } else { 2 };
        }
    });
    assert_eq!(late.faults.of(Fault::SoundOffPictures), 11, "{late}");

    let mut nth = 0;
    let still = Wire::live(&clip, Framing::Datagram).play(20, |packet| {
        if is_sound(packet) {
            nth += 1;
            if nth > 1 {
                packet[12 + 9..12 + 14].copy_from_slice(&[0x21, 0, 1, 0, 1]);
            }
        }
    });
    assert_eq!(still.faults.of(Fault::SoundNotRising), 18, "{still}");
}

#[test]
fn a_recording_is_heard_forwards_and_silent_backwards() {
    let clip = clip(PLAIN, Track::tone(Law::A));
    let mut wire = Wire::recorded(&clip, PlaybackPolicy::default());
    let heard = wire.play(50, |_| {});
    assert_eq!((heard.sounds.matched, heard.sounds.missing), (50, 0));
    assert!(heard.is_clean(), "{heard}");

    let back = Course {
        scale: Scale::new(-1.0),
        ..Course::default()
    };
    let now = wire.sender.next_due().unwrap();
    wire.sender.steer(now, Steer::Play(back));
    let silent = wire.play(20, |_| {});
    assert_eq!((silent.sounds.units, silent.sounds.matched), (50, 50));
    assert_eq!((silent.sounds.missing, silent.packets.lost), (20, 0));

    let forth = Course {
        scale: Scale::new(1.0),
        ..Course::default()
    };
    let now = wire.sender.next_due().unwrap();
    wire.sender.steer(now, Steer::Play(forth));
    let again = wire.play(20, |_| {});
    assert_eq!((again.sounds.matched, again.sounds.mismatched), (70, 0));
    assert_eq!(again.faults.of(Fault::SoundOffPictures), 0);
}
