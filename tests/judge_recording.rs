//! ffmpeg reads recordings that were steered: it must find nothing to complain about, and decode
//! the very pictures of the source, in the order and at the times that the steering asks for.
#![cfg(target_os = "linux")]

mod common;
mod streams;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use common::process;
use streams::{PYRAMID, clip};
use vcam::media::{
    Clip, Course, Cut, Framing, PlaybackPolicy, PsPolicy, Recording, RtpPolicy, Scale, Segment,
    Sender, SenderConfig, Steer, Track,
};
use vcam::time::Instant;

/// Fifty pictures, no two of them alike; a key frame every 25.
const TINY: &[u8] = include_bytes!("../media/tiny.h264");

/// Twenty in H.265, a key frame every 10.
const H265: &[u8] = include_bytes!("media/plain.h265");
const AAC: &[u8] = include_bytes!("media/sounding.aac");

/// Longer than ffmpeg takes for any stretch.
const LIMIT: Duration = Duration::from_secs(60);

/// The fixed header of RTP (RFC 3550 §5.1): what follows it is the program stream.
const RTP_HEADER: usize = 12;

/// Ticks of the 90 kHz clock from one frame to the next at 25 frames per second.
const FRAME: i64 = 3600;

/// A recording on its way to a file, in virtual time.
struct Player {
    sender: Sender,
    now: Instant,
    stream: Vec<u8>,
}

impl Player {
    /// Plays ten minutes in which the clip was recorded over and over.
    fn of(clip: &Arc<Clip>, policy: PlaybackPolicy) -> Player {
        let cut = Cut::new(clip.clone(), &PsPolicy::default(), &RtpPolicy::default());
        let cut = Arc::new(cut);
        let length = Duration::from_secs(600);
        let recording = Recording {
            segments: vec![Segment::lasting(cut.clone(), Duration::ZERO, length)],
            begin: Duration::ZERO,
            end: length,
            scale: Scale::NORMAL,
            policy,
        };
        let config = SenderConfig {
            recording: Some(Arc::new(recording)),
            ..SenderConfig::new(cut, 1)
        };
        let now = Instant::ZERO + Duration::from_secs(100);
        Player {
            sender: Sender::new(Arc::new(config), Framing::Datagram, now),
            now,
            stream: Vec::new(),
        }
    }

    fn run(&mut self, seconds: f64) {
        let end = self.now + Duration::from_secs_f64(seconds);
        while let Some(due) = self.sender.next_due().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.write();
        }
        self.now = end;
    }

    fn write(&mut self) {
        let mut heads = Vec::new();
        let Some(batch) = self.sender.batch(self.now, &mut heads) else {
            while self.sender.news().is_some() {}
            return;
        };
        for [head, data] in batch.packets() {
            self.stream.extend_from_slice(&head[RTP_HEADER..]);
            self.stream.extend_from_slice(&data);
        }
        let length = batch.len();
        self.sender.wrote(self.now, length);
    }

    fn play(&mut self, from: Option<Duration>, scale: Option<f64>) {
        let scale = scale.map(|scale| Scale::new(scale).unwrap());
        let course = Course {
            from,
            scale,
            ..Course::default()
        };
        self.sender.steer(self.now, Steer::Play(course));
    }

    /// What ffmpeg finds in all that has left since the last look.
    fn judged(&mut self) -> Judged {
        judge("received.ps", &std::mem::take(&mut self.stream))
    }
}

/// What is steered: a clip, and the file of its pictures.
fn steered() -> [(Arc<Clip>, &'static [u8]); 2] {
    let track = Track::parse("sounding.aac", AAC.into()).unwrap();
    let heard = clip(H265).with_audio(Arc::new(track));
    [(clip(TINY), TINY), (Arc::new(heard), H265)]
}

/// What ffmpeg found in a stream.
struct Judged {
    /// The checksum of each picture, in the order of showing.
    pictures: Vec<String>,
    /// When each is shown, in ticks of 90 kHz, in the same order.
    stamps: Vec<i64>,
}

/// Decodes a stream, in which ffmpeg must find nothing to complain about.
fn judge(name: &str, octets: &[u8]) -> Judged {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "warning", "-copyts", "-i", name]);
    ffmpeg.args(["-map", "0:v", "-fps_mode", "passthrough"]);
    ffmpeg.args(["-enc_time_base", "1:90000", "-f", "framemd5", "-"]);
    let text = process::run(&mut ffmpeg, &[(name, octets)], LIMIT).silent();
    let mut judged = Judged {
        pictures: Vec::new(),
        stamps: Vec::new(),
    };
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<_> = line.split(',').map(str::trim).collect();
        judged.stamps.push(fields[2].parse().unwrap());
        judged.pictures.push(fields[5].to_owned());
    }
    judged
}

/// The pictures of the clip itself, in the order of showing.
fn source(octets: &[u8]) -> Vec<String> {
    judge("source", octets).pictures
}

/// How far apart the pictures are shown.
fn steps(stamps: &[i64]) -> Vec<i64> {
    stamps.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// The pictures `from..from + number` of a clip that is played over and over.
fn looped(source: &[String], from: usize, number: usize) -> Vec<String> {
    let all = source.iter().cycle().skip(from);
    all.take(number).cloned().collect()
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn ffmpeg_decodes_a_recording_that_loops_its_clip() {
    let pyramid = (clip(PYRAMID), PYRAMID);
    for (clip, file) in steered().into_iter().chain([pyramid]) {
        let source = source(file);
        let mut player = Player::of(&clip, PlaybackPolicy::default());
        player.run(source.len() as f64 * 3.0 / 25.0 - 0.02);
        let judged = player.judged();
        assert_eq!(judged.pictures, looped(&source, 0, source.len() * 3));
        assert!(steps(&judged.stamps).iter().all(|step| *step == FRAME));
    }
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn ffmpeg_decodes_without_a_hole_what_stood_still_for_a_while() {
    for (clip, file) in steered() {
        let source = source(file);
        let mut player = Player::of(&clip, PlaybackPolicy::default());
        player.run(0.5);
        player.sender.steer(player.now, Steer::Pause);
        player.run(60.0);
        player.play(None, None);
        player.run(0.5);
        let judged = player.judged();
        assert!(judged.pictures.len() >= 25, "{}", judged.pictures.len());
        let expected = looped(&source, 0, judged.pictures.len());
        assert_eq!(judged.pictures, expected);
        assert!(steps(&judged.stamps).iter().all(|step| *step == FRAME));
    }
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn ffmpeg_decodes_what_follows_a_seek_from_its_key_frame_on() {
    for (clip, file) in steered() {
        let source = source(file);
        let key = clip.entries()[1] as usize;
        let mut player = Player::of(&clip, PlaybackPolicy::default());
        player.run(0.5);
        let before = player.judged().pictures.len();
        assert_eq!(before, 13, "frames at 0.00 s to 0.48 s");

        // The same once more as one stream: the seek itself must not disturb the decoder.
        let mut player = Player::of(&clip, PlaybackPolicy::default());
        player.run(0.5);
        player.play(Some(clip.fps().time(key as u64 + 1)), None);
        player.run(2.0);
        let judged = player.judged();
        let (first, rest) = judged.pictures.split_at(before);
        assert_eq!(first, looped(&source, 0, before));
        assert!(rest.len() >= 50, "{}", rest.len());
        assert_eq!(rest, looped(&source, key, rest.len()));
        assert!(steps(&judged.stamps).iter().all(|step| *step > 0));
    }
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn ffmpeg_decodes_every_speed_without_a_lost_picture() {
    for (clip, file) in steered() {
        let source = source(file);
        for scale in [0.25, 0.5, 2.0, 4.0, 16.0] {
            let policy = PlaybackPolicy {
                key_frames_from: None,
                ..PlaybackPolicy::default()
            };
            let mut player = Player::of(&clip, policy);
            player.play(None, Some(scale));
            player.run(4.0);
            let judged = player.judged();
            let (found, due) = (judged.pictures.len() as f64, 100.0 * scale);
            assert!((found - due).abs() <= 2.0, "{found} of {due} at {scale}");
            let expected = looped(&source, 0, judged.pictures.len());
            assert_eq!(judged.pictures, expected, "{scale}");
            assert!(steps(&judged.stamps).iter().all(|step| *step == FRAME));
        }
    }
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn ffmpeg_decodes_key_frames_alone_at_high_speed() {
    for (clip, file) in steered() {
        let source = source(file);
        let keys: Vec<_> = clip.entries().iter().map(|n| *n as usize).collect();
        let policy = PlaybackPolicy {
            key_frames_from: Some(8.0),
            ..PlaybackPolicy::default()
        };
        let mut player = Player::of(&clip, policy);
        player.play(None, Some(16.0));
        player.run(2.0);
        let judged = player.judged();
        let found = judged.pictures.len();
        // 32 seconds of media.
        let due = 32 * 25 / (clip.gop().0);
        assert!(found.abs_diff(due) <= 3, "{found} of {due}");
        for (picture, key) in judged.pictures.iter().zip(keys.iter().cycle()) {
            assert_eq!(*picture, source[*key]);
        }
        assert!(steps(&judged.stamps).iter().all(|step| *step > FRAME));
    }
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn ffmpeg_decodes_backwards_group_by_group() {
    for (clip, file) in steered() {
        let source = source(file);
        let key = clip.entries()[1] as usize;
        let mut player = Player::of(&clip, PlaybackPolicy::default());
        player.play(Some(clip.fps().time(key as u64 + 1)), Some(-1.0));
        player.run(30.0);
        let judged = player.judged();
        let expected = [&source[key..], &source[..key]].concat();
        assert_eq!(judged.pictures, expected);
        assert!(steps(&judged.stamps).iter().all(|step| *step > 0));
    }
}
