//! A recording whose files are coded differently: the program stream map says so, with a version
//! of its own, whenever the program becomes another.

mod streams;

use std::sync::Arc;
use std::time::Duration;

use streams::{PLAIN, clip};
use vcam::media::audio::law::Law;
use vcam::media::demux::{Demuxer, PsEvent};
use vcam::media::{
    Clip, Course, Cut, Framing, PlaybackPolicy, PsPolicy, Recording, RtpPolicy, Scale, Segment,
    Sender, SenderConfig, Steer, Track,
};
use vcam::time::Instant;

const H265: &[u8] = include_bytes!("media/plain.h265");
const SECOND: Duration = Duration::from_secs(1);

/// A map: its version, its streams (id and type), and whether its CRC is right.
type Map = (u8, Vec<(u8, u8)>, bool);

struct Playback {
    sender: Sender,
    demuxer: Demuxer,
    maps: Vec<Map>,
}

impl Playback {
    /// Two seconds of each clip.
    fn of(clips: &[Arc<Clip>]) -> Playback {
        let policy = PsPolicy {
            stream_map_version: 31,
            ..PsPolicy::default()
        };
        let rtp = RtpPolicy::default();
        let cuts = clips
            .iter()
            .map(|clip| Arc::new(Cut::new(clip.clone(), &policy, &rtp)));
        let cuts: Vec<_> = cuts.collect();
        let begins = (0..).map(|n| SECOND * 2 * n);
        let segments = cuts.iter().zip(begins);
        let recording = Recording {
            segments: segments
                .map(|(cut, begin)| Segment::lasting(cut.clone(), begin, SECOND * 2))
                .collect(),
            begin: Duration::ZERO,
            end: SECOND * 2 * clips.len() as u32,
            scale: Scale::NORMAL,
            policy: PlaybackPolicy::default(),
        };
        let config = SenderConfig {
            recording: Some(Arc::new(recording)),
            ..SenderConfig::new(cuts[0].clone(), 1)
        };
        Playback {
            sender: Sender::new(Arc::new(config), Framing::Datagram, Instant::ZERO),
            demuxer: Demuxer::new(),
            maps: Vec::new(),
        }
    }

    /// The maps in the next `frames` frames.
    fn maps(&mut self, frames: u64) -> Vec<Map> {
        let end = self.sender.counts().frames + frames;
        while self.sender.counts().frames < end {
            let now = self.sender.next_due().unwrap();
            let mut heads = Vec::new();
            let batch = self.sender.batch(now, &mut heads).unwrap();
            let packets = batch
                .packets()
                .map(|parts| parts.map(|part| part.to_vec()).concat());
            let packets: Vec<_> = packets.collect();
            let written = batch.len();
            self.sender.wrote(now, written);
            for packet in packets {
                self.hear(&packet[12..]);
            }
        }
        std::mem::take(&mut self.maps)
    }

    fn hear(&mut self, payload: &[u8]) {
        let maps = &mut self.maps;
        self.demuxer.push(payload, &mut |event| match event {
            PsEvent::Map(map) => {
                maps.push((map.version, map.streams().collect(), map.is_crc_right()));
            }
            PsEvent::Fault { fault, .. } => panic!("{fault}"),
            _ => {}
        });
    }

    fn seek(&mut self, to: Duration) {
        let course = Course {
            from: Some(to),
            ..Course::default()
        };
        let now = self.sender.next_due().unwrap();
        self.sender.steer(now, Steer::Play(course));
    }
}

#[test]
fn every_change_of_the_program_makes_a_later_map_and_nothing_else_does() {
    let silent = clip(PLAIN);
    let heard = Arc::new(silent.with_audio(Arc::new(Track::tone(Law::Mu))));
    let mut playback = Playback::of(&[silent, clip(H265), heard]);
    let (h264, h265) = ((0xE0, 0x1B), (0xE0, 0x24));
    // Two seconds of 25 frames, a key frame in every ten.
    let plain = (31, vec![h264], true);
    assert_eq!(playback.maps(50), vec![plain; 5]);
    assert_eq!(playback.maps(50), vec![(0, vec![h265], true); 5]);
    let sounding = (1, vec![h264, (0xC0, 0x91)], true);
    assert_eq!(playback.maps(20), vec![sounding; 2]);
    playback.seek(SECOND);
    assert_eq!(playback.maps(10), [(2, vec![h264], true)]);
}
