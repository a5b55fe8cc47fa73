//! Camera and reference platform against each other in the lab: registration, every query, and
//! media over every transport, compared with its source.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{addr, config, id, ip, platform, tiny};
use vcam::camera::{self, Camera};
use vcam::lab::{Key, Lab, Link};
use vcam::media::verdict::Reference;
use vcam::media::{Expected, MediaTransport};
use vcam::platform::{
    Answer, AskId, Command, Config, Event, Passwords, Platform, PlayEnd, PlayFailure, PlayId,
    Query, Showing,
};
use vcam::sip::Transport;

const PLATFORM: &str = "192.0.2.9:5060";
const PLATFORM_ID: &str = "34020000002000000001";
const CAMERA_ID: &str = "34020000001320000001";
const PROFILES: [&str; 9] = [
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
    /// A camera of a make that is registered at a platform with passwords.
    fn registered(profile: &str, transport: Transport) -> Stage {
        let mut lab = Lab::new(7);
        let mut ours = Config::new(id(PLATFORM_ID), addr(PLATFORM));
        ours.passwords = Passwords::shared("12345678");
        let judge = lab.add(ip("192.0.2.9"), Platform::new(Arc::new(ours), 1));
        let mut theirs = config(
            profile,
            CAMERA_ID,
            "192.0.2.1:5060",
            platform(PLATFORM_ID, PLATFORM),
        );
        theirs.transport = transport;
        let camera = lab.add(ip("192.0.2.1"), Camera::new(Arc::new(theirs), 2));
        lab.run_for(Duration::from_millis(10));
        lab.command(camera, camera::Command::PowerOn);
        let mut stage = Stage {
            lab,
            platform: judge,
            camera,
        };
        stage.event(|event| matches!(event, Event::Registered { .. }).then_some(()));
        stage.event(|event| matches!(event, Event::Kept { healthy: true, .. }).then_some(()));
        stage
    }

    /// Waits for an event, at most a minute.
    fn event<T>(&mut self, find: impl Fn(&Event) -> Option<T>) -> T {
        let platform = self.platform;
        let mut found = None;
        self.lab.run_until(Duration::from_secs(60), |lab| {
            let events = lab.events(platform);
            found = events.iter().find_map(|(_, event)| find(event));
            found.is_some()
        });
        match found {
            Some(found) => found,
            None => panic!("only {:?}", self.lab.events(platform)),
        }
    }

    fn ask(&mut self, what: Query) -> Answer {
        self.lab.take_events(self.platform);
        let (device, ask) = (id(CAMERA_ID), AskId(1));
        let query = Command::Query { device, what, ask };
        self.lab.command(self.platform, query);
        self.event(|event| match event {
            Event::Answered { answer, .. } => Some(answer.clone()),
            _ => None,
        })
    }

    fn play(&mut self, transport: MediaTransport, channel: &str) {
        self.lab.take_events(self.platform);
        let expected = Expected {
            reference: Some(Arc::new(Reference::of(&tiny()))),
            ..Expected::default()
        };
        self.lab.command(
            self.platform,
            Command::Play {
                device: id(CAMERA_ID),
                channel: id(channel),
                transport,
                stream: 0,
                showing: Showing::Live,
                expected: Arc::new(expected),
                play: PlayId(1),
            },
        );
    }

    /// A call of five seconds; its verdict must be clean.
    fn watch(&mut self, transport: MediaTransport) {
        self.play(transport, "34020000001310000001");
        self.event(|event| matches!(event, Event::Streaming { .. }).then_some(()));
        self.lab.run_for(Duration::from_secs(5));
        self.event(|event| matches!(event, Event::Progress { .. }).then_some(()));
        self.lab
            .command(self.platform, Command::Stop { play: PlayId(1) });
        let (why, verdict) = self.event(|event| match event {
            Event::PlayEnded { why, verdict, .. } => Some((*why, verdict.clone())),
            _ => None,
        });
        let verdict = verdict.unwrap();
        assert_eq!(why, PlayEnd::Stopped);
        assert!(verdict.is_clean(), "{transport}: {verdict}");
        assert!(verdict.seconds_verified() > 3.0, "{transport}: {verdict}");
    }

    /// Switches the camera off and demands that nobody has anything to complain about.
    fn close(mut self) {
        self.lab.command(self.camera, camera::Command::PowerOff);
        self.event(|event| matches!(event, Event::Unregistered { .. }).then_some(()));
        let judge = self.lab.node(self.platform);
        let complaints: Vec<_> = judge.complaints().iter().collect();
        assert_eq!(complaints, []);
        assert_eq!((judge.devices(), judge.calls()), (0, 0));
    }
}

#[test]
fn every_make_registers_answers_and_streams_without_a_complaint() {
    for profile in PROFILES {
        let mut stage = Stage::registered(profile, Transport::Udp);
        let Answer::Catalog(items) = stage.ask(Query::Catalog) else {
            panic!("{profile}: not a catalogue");
        };
        let video = items.iter().filter(|item| item.shows_video()).count();
        assert_eq!(video, 1, "{profile}");
        assert!(matches!(
            stage.ask(Query::DeviceInfo),
            Answer::DeviceInfo(_)
        ));
        assert!(matches!(
            stage.ask(Query::DeviceStatus),
            Answer::DeviceStatus(status) if status.online
        ));
        let Answer::Config(parts) = stage.ask(Query::ConfigDownload("BasicParam".into())) else {
            panic!("{profile}: no configuration");
        };
        let interval = parts[0]
            .basic
            .as_ref()
            .map(|basic| basic.heart_beat_interval);
        assert_eq!(interval, Some(60), "{profile}");
        for transport in TRANSPORTS {
            stage.watch(transport);
        }
        stage.close();
    }
}

#[test]
fn signalling_over_tcp_carries_calls_too() {
    let mut stage = Stage::registered("generic-2016", Transport::Tcp);
    for transport in TRANSPORTS {
        stage.watch(transport);
    }
    stage.close();
}

#[test]
fn a_channel_that_is_not_there_is_refused_with_404() {
    let mut stage = Stage::registered("generic-2016", Transport::Udp);
    stage.play(MediaTransport::Udp, "34020000001310000099");
    let status = stage.event(|event| match event {
        Event::PlayRefused { why, .. } => PlayFailure::status(why),
        _ => None,
    });
    assert_eq!(status, 404);
    stage.close();
}

#[test]
fn a_lossy_network_costs_repeats_but_no_complaint() {
    let mut stage = Stage::registered("dahua-sd6c", Transport::Udp);
    stage.lab.set_links(Link::lossy(0.3));
    for _ in 0..10 {
        assert!(matches!(stage.ask(Query::Catalog), Answer::Catalog(_)));
    }
    stage.lab.set_links(Link::default());
    stage.close();
}

#[test]
fn a_camera_without_power_is_off_line_after_three_keepalives() {
    let mut stage = Stage::registered("generic-2016", Transport::Udp);
    stage.lab.take_events(stage.platform);
    let camera = stage.camera;
    stage.lab.cut_power(camera);
    stage.lab.run_for(Duration::from_secs(170));
    assert!(stage.lab.events(stage.platform).is_empty());
    stage.event(|event| matches!(event, Event::Offline { .. }).then_some(()));
}
