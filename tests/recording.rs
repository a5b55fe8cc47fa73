//! Recordings as the media plane plays them: where they begin and end, standing still, seeking,
//! every speed, backwards, gaps.

mod streams;

use std::sync::Arc;
use std::time::Duration;

use streams::{PLAIN, PYRAMID, clip};
use vcam::media::{
    Clip, Course, Cut, Framing, PlaybackPolicy, PsPolicy, Recording, Reeled, RtpPolicy, Scale,
    ScaledStamps, Segment, Sender, SenderConfig, Steer,
};
use vcam::time::Instant;

/// One frame as it left.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sent {
    /// Its place in the clip.
    index: usize,
    at: Instant,
    timestamp: u32,
}

/// A sender in virtual time.
struct Player {
    sender: Sender,
    clip: Arc<Clip>,
    now: Instant,
    sent: Vec<Sent>,
    octets: u64,
    news: Vec<Reeled>,
}

fn cut(clip: &Arc<Clip>) -> Arc<Cut> {
    let (ps, rtp) = (PsPolicy::default(), RtpPolicy::default());
    Arc::new(Cut::new(clip.clone(), &ps, &rtp))
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn scale(scale: f64) -> Scale {
    Scale::new(scale).unwrap()
}

/// The clip recorded for `length`, asked for from `begin` on.
fn recording(clip: &Arc<Clip>, begin: f64, length: f64) -> Recording {
    let segment = Segment::lasting(cut(clip), Duration::ZERO, seconds(length));
    Recording {
        segments: vec![segment],
        begin: seconds(begin),
        end: seconds(length),
        scale: Scale::NORMAL,
        policy: PlaybackPolicy::default(),
    }
}

impl Player {
    fn of(clip: &Arc<Clip>, recording: Recording) -> Player {
        let config = SenderConfig {
            recording: Some(Arc::new(recording)),
            ..SenderConfig::new(cut(clip), 1)
        };
        let now = Instant::ZERO + seconds(100.0);
        Player {
            sender: Sender::new(Arc::new(config), Framing::Datagram, now),
            clip: clip.clone(),
            now,
            sent: Vec::new(),
            octets: 0,
            news: Vec::new(),
        }
    }

    /// Lets so much time pass.
    fn run(&mut self, length: Duration) {
        let end = self.now + length;
        loop {
            let due = self.sender.next_due().unwrap();
            if due > end {
                break;
            }
            self.now = self.now.max(due);
            self.write();
        }
        self.now = end;
    }

    /// Writes one batch; frames that take several are put together.
    fn write(&mut self) {
        let mut heads = Vec::new();
        let before = self.sender.counts().frames;
        let Some(batch) = self.sender.batch(self.now, &mut heads) else {
            return self.hear();
        };
        let (mut place, mut timestamp) = (0, 0);
        for [head, data] in batch.packets() {
            timestamp = u32::from_be_bytes(head[4..8].try_into().unwrap());
            self.octets += (head.len() - 12 + data.len()) as u64;
            // Frames may be equal: what tells them apart is where their octets are.
            place = data.as_ptr() as usize - self.clip.data().as_ptr() as usize;
        }
        let length = batch.len();
        self.sender.wrote(self.now, length);
        if self.sender.counts().frames > before {
            let frames = self.clip.frames();
            let index = frames
                .iter()
                .position(|frame| frame.octets.contains(&place));
            self.sent.push(Sent {
                index: index.expect("a frame of the clip"),
                at: self.now,
                timestamp,
            });
        }
        self.hear();
    }

    fn hear(&mut self) {
        while let Some(news) = self.sender.news() {
            self.news.push(news);
        }
    }

    fn steer(&mut self, steer: Steer) {
        self.sender.steer(self.now, steer);
        self.hear();
    }

    fn play(&mut self, course: Course) {
        self.steer(Steer::Play(course));
    }

    /// What has left since the last look.
    fn take(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.sent)
    }

    fn drains(&self) -> usize {
        let drained = self.news.iter().filter(|news| **news == Reeled::Drained);
        drained.count()
    }
}

fn indices(sent: &[Sent]) -> Vec<usize> {
    sent.iter().map(|sent| sent.index).collect()
}

/// Every frame is stamped later than the one before it.
fn assert_rising(sent: &[Sent]) {
    for pair in sent.windows(2) {
        let step = pair[1].timestamp.wrapping_sub(pair[0].timestamp);
        assert!((1..1 << 31).contains(&step), "{pair:?}");
    }
}

fn frames(clip: &Clip) -> usize {
    clip.frames().len()
}

#[test]
fn a_recording_is_played_to_its_end_in_its_own_time_and_says_so_once() {
    let clip = clip(PLAIN);
    let length = clip.duration().as_secs_f64() * 2.5;
    let mut player = Player::of(&clip, recording(&clip, 0.0, length));
    player.run(seconds(length + 10.0));
    let sent = player.take();
    let expected = frames(&clip) * 5 / 2;
    let all: Vec<_> = (0..expected).map(|n| n % frames(&clip)).collect();
    assert_eq!(indices(&sent), all, "the clip is looped");
    let passed = sent.last().unwrap().at - sent[0].at;
    assert_eq!(passed, clip.fps().time(expected as u64 - 1));
    assert_eq!(player.drains(), 1);
    assert_rising(&sent);
}

#[test]
fn it_begins_with_the_key_frame_at_or_before_the_asked_time() {
    let clip = clip(PLAIN);
    let entry = clip.entries()[1] as usize;
    let just_behind = clip.fps().time(entry as u64 + 2).as_secs_f64();
    let length = clip.duration().as_secs_f64();
    let mut player = Player::of(&clip, recording(&clip, just_behind, length));
    player.run(seconds(length + 1.0));
    assert_eq!(
        indices(&player.take()),
        (entry..frames(&clip)).collect::<Vec<_>>()
    );
}

#[test]
fn the_octets_that_are_announced_are_those_that_are_sent() {
    let clip = clip(PLAIN);
    for (begin, length) in [(0.0, 7.0), (0.9, 3.3), (2.0, 2.1)] {
        let recording = recording(&clip, begin, length);
        let announced = recording.octets();
        let mut player = Player::of(&clip, recording);
        player.run(seconds(60.0));
        assert_eq!(
            (player.octets, player.drains()),
            (announced, 1),
            "{begin} {length}"
        );
    }
}

#[test]
fn speeds_deliver_as_many_frames_per_second_of_the_clock() {
    let clip = clip(PLAIN);
    for speed in [0.25, 0.5, 1.0, 2.0, 4.0] {
        let mut player = Player::of(&clip, recording(&clip, 0.0, 600.0));
        player.play(Course {
            scale: Some(scale(speed)),
            ..Course::default()
        });
        player.run(seconds(10.0));
        let sent = player.take();
        let expected = clip.fps().as_f64() * speed * 10.0;
        assert!(
            (sent.len() as f64 - expected).abs() <= 1.5,
            "{speed}: {}",
            sent.len()
        );
        let in_order: Vec<_> = (0..sent.len()).map(|n| n % frames(&clip)).collect();
        assert_eq!(indices(&sent), in_order, "no frame is left out");
        assert_rising(&sent);
    }
}

#[test]
fn time_stamps_follow_the_recording_or_the_clock_as_the_make_has_it() {
    let clip = clip(PLAIN);
    for (stamps, expected) in [(ScaledStamps::Media, 4.0), (ScaledStamps::Wall, 1.0)] {
        let mut recording = recording(&clip, 0.0, 600.0);
        recording.scale = scale(4.0);
        recording.policy.stamps = stamps;
        let mut player = Player::of(&clip, recording);
        player.run(seconds(5.0));
        let sent = player.take();
        let (first, last) = (sent[0], sent[sent.len() - 1]);
        let stamped = f64::from(last.timestamp - first.timestamp) / 90_000.0;
        let ratio = stamped / (last.at - first.at).as_secs_f64();
        assert!((ratio - expected).abs() < 0.01, "{stamps:?}: {ratio}");
    }
}

#[test]
fn at_high_speed_key_frames_alone_are_sent_each_at_its_own_time() {
    let clip = clip(PLAIN);
    let mut recording = recording(&clip, 0.0, 600.0);
    recording.policy.key_frames_from = Some(8.0);
    recording.scale = scale(16.0);
    let mut player = Player::of(&clip, recording);
    player.run(seconds(5.0));
    let sent = player.take();
    assert!(
        sent.iter()
            .all(|s| clip.entries().contains(&(s.index as u32)))
    );
    let keys = clip.entries().len() as f64;
    let expected = 5.0 * 16.0 / clip.duration().as_secs_f64() * keys;
    assert!(
        (sent.len() as f64 - expected).abs() <= 2.0,
        "{} of {expected}",
        sent.len()
    );
    assert_rising(&sent);
}

#[test]
fn it_stands_still_and_goes_on_where_it_stood() {
    let clip = clip(PLAIN);
    let mut player = Player::of(&clip, recording(&clip, 0.0, 600.0));
    player.run(seconds(1.0));
    player.steer(Steer::Pause);
    let before = player.take();
    player.run(seconds(100.0));
    assert_eq!(player.take(), [], "nothing leaves while it stands still");
    player.play(Course::default());
    player.run(seconds(1.0));
    let after = player.take();
    let next = (before.last().unwrap().index + 1) % frames(&clip);
    assert_eq!(after[0].index, next);
    let step = after[0].timestamp - before.last().unwrap().timestamp;
    assert_eq!(
        u64::from(step),
        clip.fps().ticks(1, 90_000),
        "the pause leaves no hole"
    );
    let told = player
        .news
        .iter()
        .filter(|n| matches!(n, Reeled::Steered(_)));
    assert_eq!(told.count(), 2);
}

#[test]
fn a_seek_lands_on_the_key_frame_at_or_before_and_tells_the_first_packet() {
    let clip = clip(PYRAMID);
    for target in [0.0, 0.5, 3.21, 77.7, 5.0] {
        let mut player = Player::of(&clip, recording(&clip, 0.0, 600.0));
        player.run(seconds(2.0));
        player.take();
        player.news.clear();
        player.play(Course {
            from: Some(seconds(target)),
            ..Course::default()
        });
        let Some(Reeled::Steered(told)) = player.news.first().copied() else {
            panic!("{:?}", player.news);
        };
        player.run(seconds(1.0));
        let first = player.take()[0];
        let number = clip.fps().events_until(seconds(target)) as usize - 1;
        let loops = number / frames(&clip) * frames(&clip);
        let entries = clip.entries().iter().map(|entry| *entry as usize + loops);
        let key = entries.filter(|entry| *entry <= number).max().unwrap();
        assert_eq!(first.index, key - loops, "to {target}");
        assert_eq!(told.position, clip.fps().time(key as u64));
        assert_eq!(told.timestamp, first.timestamp);
    }
}

#[test]
fn backwards_goes_group_by_group_with_the_frames_inside_in_order() {
    let clip = clip(PLAIN);
    let second = clip.entries()[1] as usize;
    let mut player = Player::of(&clip, recording(&clip, 0.0, 600.0));
    player.play(Course {
        from: Some(clip.fps().time(second as u64 + 1)),
        scale: Some(scale(-1.0)),
        ..Course::default()
    });
    player.run(seconds(30.0));
    let sent = player.take();
    let expected: Vec<_> = (second..frames(&clip)).chain(0..second).collect();
    assert_eq!(indices(&sent), expected);
    assert_eq!(
        player.drains(),
        1,
        "the beginning is the end of a recording played backwards"
    );
    assert_rising(&sent);
}

#[test]
fn a_gap_is_jumped_in_both_directions_and_time_stamps_run_on() {
    let clip = clip(PLAIN);
    let length = clip.duration();
    let part = |begin: f64| Segment::lasting(cut(&clip), seconds(begin), length);
    let two = Recording {
        segments: vec![part(0.0), part(3600.0)],
        begin: Duration::ZERO,
        end: seconds(7200.0),
        scale: Scale::NORMAL,
        policy: PlaybackPolicy::default(),
    };
    let mut player = Player::of(&clip, two.clone());
    player.run(length * 3);
    let sent = player.take();
    assert_eq!((sent.len(), player.drains()), (2 * frames(&clip), 1));
    let ticks = clip.fps().ticks(1, 90_000);
    let even = |pair: &[Sent]| u64::from(pair[1].timestamp - pair[0].timestamp) == ticks;
    assert!(sent.windows(2).all(even), "no hole where the gap was");
    player.play(Course {
        from: Some(seconds(1800.0)),
        scale: Some(scale(-2.0)),
        ..Course::default()
    });
    player.run(length);
    assert_eq!(
        player.take().len(),
        frames(&clip),
        "from the gap backwards: the first part"
    );
    player.play(Course {
        from: Some(seconds(1800.0)),
        scale: Some(scale(2.0)),
        ..Course::default()
    });
    player.run(length);
    assert_eq!(
        player.take().len(),
        frames(&clip),
        "from the gap onwards: the second part"
    );
}

#[test]
fn a_seek_beyond_the_end_is_the_end_and_one_back_plays_again() {
    let clip = clip(PLAIN);
    let mut player = Player::of(&clip, recording(&clip, 0.0, 20.0));
    player.run(seconds(1.0));
    player.take();
    let to = |from: f64| Course {
        from: Some(seconds(from)),
        ..Course::default()
    };
    player.play(to(1e6));
    player.run(seconds(5.0));
    assert_eq!((player.take(), player.drains()), (vec![], 1));
    player.play(to(19.0));
    player.run(seconds(5.0));
    assert!(!player.take().is_empty());
    assert_eq!(player.drains(), 2);
}

#[test]
fn a_stretch_ends_where_it_was_asked_to() {
    let clip = clip(PLAIN);
    let mut player = Player::of(&clip, recording(&clip, 0.0, 600.0));
    player.play(Course {
        from: Some(Duration::ZERO),
        until: Some(seconds(2.0)),
        scale: None,
    });
    player.run(seconds(10.0));
    assert_eq!(
        player.take().len() as u64,
        clip.fps().events_until(seconds(2.0)) - 1
    );
    assert_eq!(player.drains(), 1);
}

#[test]
fn a_slow_peer_makes_a_recording_late_and_loses_nothing() {
    let clip = clip(PLAIN);
    let mut player = Player::of(&clip, recording(&clip, 0.0, 30.0));
    player.run(seconds(1.0));
    player.now += seconds(20.0);
    player.run(seconds(60.0));
    let sent = player.take();
    let all: Vec<_> = (0..sent.len()).map(|n| n % frames(&clip)).collect();
    assert_eq!(indices(&sent), all);
    assert_eq!(
        sent.len() as u64,
        clip.fps().events_until(seconds(30.0)) - 1
    );
    assert_eq!(player.sender.counts().dropped, 0);
}

#[test]
fn nothing_recorded_is_drained_at_once() {
    let clip = clip(PLAIN);
    let nothing = Recording {
        segments: Vec::new(),
        ..recording(&clip, 0.0, 10.0)
    };
    assert_eq!(nothing.octets(), 0);
    let mut player = Player::of(&clip, nothing);
    player.run(seconds(10.0));
    player.play(Course::default());
    player.run(seconds(10.0));
    assert_eq!(player.take(), []);
    player.hear();
    assert_eq!(player.drains(), 1);
}

#[test]
fn only_speeds_from_a_quarter_to_thirty_two_exist() {
    for speed in [0.25, 1.0, 32.0, -0.25, -32.0] {
        assert_eq!(Scale::new(speed).map(Scale::get), Some(speed));
    }
    for nonsense in [0.0, 0.2, 33.0, -64.0, f64::NAN, f64::INFINITY] {
        assert_eq!(Scale::new(nonsense), None, "{nonsense}");
    }
}

#[test]
fn a_stretch_that_ends_beyond_all_time_ends_with_the_recording() {
    let clip = clip(PLAIN);
    let mut player = Player::of(&clip, recording(&clip, 5000.0, 5010.0));
    player.play(Course {
        from: Some(Duration::ZERO),
        until: Some(Duration::MAX),
        scale: None,
    });
    player.run(seconds(60.0));
    assert!(player.take().len() as u64 <= clip.fps().events_until(seconds(13.0)));
    assert_eq!(player.drains(), 1);
}

#[test]
fn every_wish_is_carried_out_and_told_even_if_they_come_in_the_middle_of_a_frame() {
    let clip = clip(PLAIN);
    let config = SenderConfig {
        recording: Some(Arc::new(recording(&clip, 0.0, 600.0))),
        ..SenderConfig::new(cut(&clip), 1)
    };
    let now = Instant::ZERO + seconds(100.0);
    let mut sender = Sender::new(Arc::new(config), Framing::Stream, now);
    let mut heads = Vec::new();
    let whole = sender.batch(now, &mut heads).unwrap().len();
    sender.wrote(now, whole / 2);
    let course = |from, scale| {
        Steer::Play(Course {
            from,
            scale,
            until: None,
        })
    };
    sender.steer(now, course(Some(seconds(300.0)), None));
    sender.steer(now, course(None, Some(scale(2.0))));
    assert_eq!(
        sender.news(),
        None,
        "the frame that has begun is finished first"
    );
    let rest = sender.batch(now, &mut heads).unwrap().len();
    assert!(sender.wrote(now, rest).finished);
    sender.batch(now, &mut heads);
    for _ in 0..2 {
        let Some(Reeled::Steered(told)) = sender.news() else {
            panic!("not told");
        };
        assert!((295..=300).contains(&told.position.as_secs()), "{told:?}");
    }
    assert_eq!(sender.news(), None);
}

#[test]
fn a_slower_speed_does_not_make_stamps_of_the_clock_leap() {
    let clip = clip(PLAIN);
    let mut recording = recording(&clip, 0.0, 6000.0);
    recording.scale = scale(4.0);
    recording.policy.stamps = ScaledStamps::Wall;
    let mut player = Player::of(&clip, recording);
    player.run(seconds(600.0));
    let last = player.take().last().unwrap().timestamp;
    player.play(Course {
        from: Some(seconds(60.0)),
        scale: Some(scale(0.25)),
        until: None,
    });
    player.run(seconds(1.0));
    let step = player.take()[0].timestamp - last;
    assert!(step < 90_000, "{step}");
}
