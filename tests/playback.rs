//! Recordings from the query to the last word: camera and reference platform against each other in
//! the lab.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{addr, config, id, ip, platform, tiny};
use vcam::camera::{self, Camera, Recordings};
use vcam::gb28181::manscdp::{RecordItem, RecordKind, RecordQuery};
use vcam::gb28181::mansrtsp::{self, Position, Range};
use vcam::gb28181::sdp::TimeRange;
use vcam::lab::{Key, Lab};
use vcam::media::verdict::Reference;
use vcam::media::{Expected, MediaTransport, Verdict};
use vcam::platform::{
    Answer, AskFailure, AskId, Command, Config, Event, Passwords, Platform, PlayEnd, PlayFailure,
    PlayId, Query, Showing,
};
use vcam::time::Wall;

const PLATFORM: &str = "192.0.2.9:5060";
const PLATFORM_ID: &str = "34020000002000000001";
const CAMERA_ID: &str = "34020000001320000001";
const CHANNEL: &str = "34020000001310000001";
/// 2024-05-17 14:00:00 in Beijing: the lab begins here.
const NOW: i64 = 1_715_925_600;
const TRANSPORTS: [MediaTransport; 3] = [
    MediaTransport::Udp,
    MediaTransport::TcpActive,
    MediaTransport::TcpPassive,
];

struct Stage {
    lab: Lab,
    platform: Key<Platform>,
    camera: Key<Camera>,
}

impl Stage {
    /// A camera of a make that has recorded for three days, registered.
    fn of(make: &str) -> Stage {
        let mut lab = Lab::starting(7, Wall::from_seconds(NOW));
        let mut ours = Config::new(id(PLATFORM_ID), addr(PLATFORM));
        ours.passwords = Passwords::shared("12345678");
        let judge = lab.add(ip("192.0.2.9"), Platform::new(Arc::new(ours), 1));
        let platform = platform(PLATFORM_ID, PLATFORM);
        let mut theirs = config(make, CAMERA_ID, "192.0.2.1:5060", platform);
        theirs.recordings = Some(Arc::new(Recordings::THREE_DAYS));
        let camera = lab.add(ip("192.0.2.1"), Camera::new(Arc::new(theirs), 2));
        lab.run_for(Duration::from_millis(10));
        lab.command(camera, camera::Command::PowerOn);
        lab.run_for(Duration::from_millis(200));
        lab.take_events(judge);
        Stage {
            lab,
            platform: judge,
            camera,
        }
    }

    /// Waits for an event of the platform, at most ten minutes.
    fn event<T>(&mut self, find: impl Fn(&Event) -> Option<T>) -> T {
        let platform = self.platform;
        let mut found = None;
        self.lab.run_until(Duration::from_secs(600), |lab| {
            found = lab
                .events(platform)
                .iter()
                .find_map(|(_, event)| find(event));
            found.is_some()
        });
        match found {
            Some(found) => found,
            None => panic!("only {:?}", self.lab.events(platform)),
        }
    }

    fn records(&mut self, start: i64, end: i64, kind: Option<RecordKind>) -> Vec<RecordItem> {
        let what = RecordQuery {
            start: Wall::from_seconds(start),
            end: Wall::from_seconds(end),
            kind,
        };
        let what = Query::RecordInfo {
            channel: id(CHANNEL),
            what,
        };
        let (device, ask) = (id(CAMERA_ID), AskId(1));
        let query = Command::Query { device, what, ask };
        self.lab.take_events(self.platform);
        self.lab.command(self.platform, query);
        self.event(|event| match event {
            Event::Answered {
                answer: Answer::Records(items),
                ..
            } => Some(items.clone()),
            _ => None,
        })
    }

    /// Begins a call.
    fn call(&mut self, transport: MediaTransport, showing: Showing) {
        self.lab.take_events(self.platform);
        self.lab.take_events(self.camera);
        let expected = Expected {
            reference: Some(Arc::new(Reference::of(&tiny()))),
            ..Expected::default()
        };
        self.lab.command(
            self.platform,
            Command::Play {
                device: id(CAMERA_ID),
                channel: id(CHANNEL),
                transport,
                stream: 0,
                showing,
                expected: Arc::new(expected),
                play: PlayId(1),
            },
        );
    }

    fn streams(&mut self, transport: MediaTransport, showing: Showing) {
        self.call(transport, showing);
        self.event(|event| matches!(event, Event::Streaming { .. }).then_some(()));
    }

    fn steer(&mut self, command: mansrtsp::Command) -> Option<mansrtsp::Response> {
        let (play, ask) = (PlayId(1), AskId(2));
        self.lab.take_events(self.platform);
        let steer = Command::Steer { play, command, ask };
        self.lab.command(self.platform, steer);
        self.event(|event| match event {
            Event::Answered {
                answer: Answer::Steered(answer),
                ..
            } => Some(answer.clone()),
            _ => None,
        })
    }

    fn end(&mut self) -> (PlayEnd, Verdict) {
        self.event(|event| match event {
            Event::PlayEnded { why, verdict, .. } => {
                Some((*why, Verdict::clone(verdict.as_ref().unwrap())))
            }
            _ => None,
        })
    }

    fn stop(&mut self) -> Verdict {
        self.lab
            .command(self.platform, Command::Stop { play: PlayId(1) });
        let (why, verdict) = self.end();
        assert_eq!(why, PlayEnd::Stopped);
        verdict
    }

    /// How many frames the camera has sent in the call that is over.
    fn frames(&mut self) -> u64 {
        let camera = self.camera;
        self.lab.run_until(Duration::from_secs(60), |lab| {
            let mut events = lab.events(camera).iter();
            events.any(|(_, event)| matches!(event, camera::Event::Ended { .. }))
        });
        let events = self.lab.events(camera).iter();
        let mut ended = events.rev().filter_map(|(_, event)| match event {
            camera::Event::Ended { counts, .. } => Some(counts.frames),
            _ => None,
        });
        ended.next().expect("the call is over")
    }

    fn is_content(&self) {
        let judge = self.lab.node(self.platform);
        assert_eq!(judge.complaints().iter().collect::<Vec<_>>(), []);
    }
}

fn times(start: i64, seconds: u64) -> TimeRange {
    let start = u64::try_from(start).unwrap();
    TimeRange {
        start,
        stop: start + seconds,
    }
}

fn seek(seconds: u64) -> mansrtsp::Command {
    play(None, Some(Position::At(Duration::from_secs(seconds))))
}

fn play(scale: Option<f64>, from: Option<Position>) -> mansrtsp::Command {
    let range = from.map(|from| Range { from, to: None });
    mansrtsp::Command::Play { scale, range }
}

const MAKES: [&str; 9] = [
    "generic-2016",
    "generic-2022",
    "dahua-ipc",
    "dahua-ipc-2022",
    "dahua-nvr",
    "dahua-sd6c",
    "hikvision-ipc",
    "hikvision-nvr",
    "uniview-ipc",
];

#[test]
fn every_make_tells_its_files_and_all_of_them() {
    for make in MAKES {
        let mut stage = Stage::of(make);
        let day = stage.records(NOW - 86_400, NOW, None);
        assert_eq!(day.len(), 48, "{make}");
        assert!(
            day.windows(2).all(|pair| pair[0].end == pair[1].start),
            "{make}"
        );
        assert!(
            day.iter()
                .all(|file| file.id == CHANNEL && file.name == "Gate")
        );
        let alarms = stage.records(NOW - 86_400, NOW, Some(RecordKind::Alarm));
        assert!((4..=5).contains(&alarms.len()), "{make}: {}", alarms.len());
        assert_eq!(stage.records(NOW + 10, NOW + 20, None), [], "{make}");
        let all = stage.records(0, 4_000_000_000, None);
        assert_eq!(
            all.len(),
            3 * 48 - 1,
            "{make}: what is kept, but for a file half overwritten"
        );
        stage.is_content();
    }
}

#[test]
fn every_make_plays_a_recording_to_its_end_and_says_so_once_over_every_transport() {
    for make in MAKES {
        for transport in TRANSPORTS {
            let mut stage = Stage::of(make);
            stage.call(transport, Showing::Playback(times(NOW - 5400, 10)));
            let (why, verdict) = stage.end();
            assert_eq!(why, PlayEnd::MediaStatus, "{make} {transport}");
            assert!(verdict.is_clean(), "{make} {transport}: {verdict}");
            let frames = tiny().fps().as_f64() * 10.0;
            assert!(
                verdict.seconds_verified() >= 9.5,
                "{make} {transport}: {verdict}"
            );
            assert_eq!(stage.frames() as f64, frames, "{make} {transport}");
            stage.is_content();
        }
    }
}

#[test]
fn a_download_is_as_fast_as_asked_and_brings_every_frame() {
    for (speed, transport) in [(1, TRANSPORTS[0]), (4, TRANSPORTS[1]), (32, TRANSPORTS[2])] {
        let mut stage = Stage::of("generic-2016");
        let times = times(NOW - 7200, 64);
        stage.streams(transport, Showing::Download { times, speed });
        let begun = stage.lab.now().mono;
        let (why, verdict) = stage.end();
        let took = (stage.lab.now().mono - begun).as_secs_f64();
        let expected = 64.0 / f64::from(speed);
        assert!((took - expected).abs() < 1.0, "{speed}: {took} s");
        assert_eq!(why, PlayEnd::MediaStatus);
        assert!(verdict.is_clean(), "{verdict}");
        assert_eq!(stage.frames() as f64, tiny().fps().as_f64() * 64.0);
        stage.is_content();
    }
}

#[test]
fn four_times_the_speed_brings_four_times_the_frames() {
    let mut stage = Stage::of("generic-2016");
    let mut count = |scale: f64| {
        stage.streams(TRANSPORTS[0], Showing::Playback(times(NOW - 7200, 3600)));
        let answer = stage.steer(play(Some(scale), None)).expect("a body");
        assert_eq!((answer.status, answer.scale), (200, Some(scale)));
        stage.lab.run_for(Duration::from_secs(20));
        stage.stop();
        stage.frames() as f64
    };
    let normal = count(1.0);
    for scale in [0.25, 0.5, 2.0, 4.0] {
        let ratio = count(scale) / normal;
        assert!((ratio - scale).abs() < scale * 0.03, "{scale}: {ratio}");
    }
    stage.is_content();
}

#[test]
fn a_pause_holds_it_and_the_platform_is_told_where_it_goes_on() {
    let mut stage = Stage::of("generic-2016");
    stage.streams(TRANSPORTS[1], Showing::Playback(times(NOW - 7200, 60)));
    stage.lab.run_for(Duration::from_secs(5));
    let held = stage.steer(mansrtsp::Command::Pause).expect("a body");
    let at = |answer: &mansrtsp::Response| match answer.range.expect("a range").from {
        Position::At(position) => position.as_secs_f64(),
        Position::Now => panic!("no position"),
    };
    assert!((at(&held) - 5.0).abs() < 0.3, "{held:?}");
    stage.lab.run_for(Duration::from_secs(300));
    let on = stage
        .steer(play(None, Some(Position::Now)))
        .expect("a body");
    assert_eq!(at(&on), at(&held), "it stood still");
    assert_eq!(on.rtp_info.unwrap().seq, held.rtp_info.unwrap().seq);
    let (why, verdict) = stage.end();
    assert_eq!(why, PlayEnd::MediaStatus);
    assert!(verdict.is_clean(), "{verdict}");
    assert_eq!(
        stage.frames() as f64,
        tiny().fps().as_f64() * 60.0,
        "nothing is lost"
    );
    stage.is_content();
}

#[test]
fn a_seek_is_answered_with_the_key_frame_it_landed_on() {
    let mut stage = Stage::of("generic-2022");
    stage.streams(TRANSPORTS[0], Showing::Playback(times(NOW - 7200, 600)));
    stage.lab.run_for(Duration::from_secs(2));
    let answer = stage.steer(seek(590)).expect("a body");
    let Some(Range {
        from: Position::At(position),
        ..
    }) = answer.range
    else {
        panic!("{answer:?}");
    };
    let length = tiny().duration();
    assert!(position <= Duration::from_secs(590));
    assert!(position + length > Duration::from_secs(590), "{position:?}");
    let (why, _) = stage.end();
    assert_eq!(why, PlayEnd::MediaStatus, "ten seconds are left");
    stage.is_content();
}

#[test]
fn backwards_ends_at_the_beginning() {
    let mut stage = Stage::of("generic-2022");
    stage.streams(TRANSPORTS[0], Showing::Playback(times(NOW - 7200, 600)));
    stage.lab.run_for(Duration::from_secs(10));
    let answer = stage.steer(play(Some(-2.0), None)).expect("a body");
    assert_eq!(answer.scale, Some(-2.0));
    let begun = stage.lab.now().mono;
    let (why, _) = stage.end();
    assert_eq!(why, PlayEnd::MediaStatus);
    let took = (stage.lab.now().mono - begun).as_secs_f64();
    assert!(
        (took - 5.0).abs() < 1.5,
        "ten seconds at double speed: {took}"
    );
    stage.is_content();
}

#[test]
fn what_cannot_be_is_refused_and_changes_nothing() {
    let mut stage = Stage::of("generic-2016");
    stage.streams(TRANSPORTS[0], Showing::Playback(times(NOW - 7200, 30)));
    stage.lab.run_for(Duration::from_secs(5));
    assert_eq!(stage.steer(seek(3600)).expect("a body").status, 457);
    let fast = stage.steer(play(Some(1000.0), None)).expect("a body");
    assert_eq!(
        (fast.status, fast.scale),
        (200, Some(32.0)),
        "as fast as it can"
    );
    let again = stage.steer(play(Some(1.0), Some(Position::At(Duration::ZERO))));
    assert_eq!(again.expect("a body").status, 200);
    let (why, _) = stage.end();
    assert_eq!(why, PlayEnd::MediaStatus);
    stage.is_content();
}

#[test]
fn a_time_without_a_recording_is_404_and_none_at_all_is_400() {
    let refused = |start: i64, seconds: u64| {
        let mut stage = Stage::of("dahua-nvr");
        stage.call(TRANSPORTS[0], Showing::Playback(times(start, seconds)));
        let status = stage.event(|event| match event {
            Event::PlayRefused {
                why: PlayFailure::Refused { status, .. },
                ..
            } => Some(*status),
            _ => None,
        });
        stage.is_content();
        status
    };
    assert_eq!(refused(NOW + 86_400, 600), 404);
    assert_eq!(refused(NOW - 30 * 86_400, 600), 404);
    assert_eq!(refused(NOW - 3600, 0), 400);
}

#[test]
fn a_live_picture_takes_an_info_and_is_not_steered() {
    let mut stage = Stage::of("generic-2016");
    stage.streams(TRANSPORTS[0], Showing::Live);
    assert_eq!(stage.steer(mansrtsp::Command::Pause), None);
    stage.lab.run_for(Duration::from_secs(10));
    let verdict = stage.stop();
    assert!(
        verdict.is_clean() && verdict.seconds_verified() > 8.0,
        "{verdict}"
    );
    stage.is_content();
}

#[test]
fn what_is_asked_before_the_media_flows_is_done_when_it_flows() {
    for transport in TRANSPORTS {
        let mut stage = Stage::of("generic-2016");
        stage.call(transport, Showing::Playback(times(NOW - 7200, 3600)));
        stage.event(|event| matches!(event, Event::PlayAnswered { .. }).then_some(()));
        let answer = stage.steer(play(
            Some(-1.0),
            Some(Position::At(Duration::from_secs(60))),
        ));
        let answer = answer.expect("an answer");
        assert_eq!((answer.status, answer.scale), (200, Some(-1.0)));
        stage.is_content();
    }
}

#[test]
fn a_call_that_is_not_up_cannot_be_steered() {
    let mut stage = Stage::of("generic-2016");
    let (play, ask) = (PlayId(9), AskId(2));
    let command = mansrtsp::Command::Pause;
    stage
        .lab
        .command(stage.platform, Command::Steer { play, command, ask });
    let why = stage.event(|event| match event {
        Event::AskFailed { why, .. } => Some(why.clone()),
        _ => None,
    });
    assert_eq!(why, AskFailure::NoCall);
}
