//! Commands for a camera's head and questions about it, and the commands that concern the whole
//! device: camera and reference platform against each other in the lab.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{addr, config, id, ip, platform};
use vcam::camera::{self, Camera};
use vcam::gb28181::Ptz;
use vcam::gb28181::manscdp::{Control, HomePosition, Outcome, Precise, Tracking, Zone};
use vcam::gb28181::ptz::{CruiseAct, Motion, PresetAct, Toward};
use vcam::lab::{Key, Lab};
use vcam::platform::{
    Answer, AskFailure, AskId, Command, Config, Deviation, Event, Order, Passwords, Platform, Query,
};

const PLATFORM: &str = "192.0.2.9:5060";
const PLATFORM_ID: &str = "34020000002000000001";
const CAMERA_ID: &str = "34020000001320000001";
const CHANNEL: &str = "34020000001310000001";

struct Stage {
    lab: Lab,
    platform: Key<Platform>,
    camera: Key<Camera>,
}

impl Stage {
    fn of(make: &str) -> Stage {
        let mut lab = Lab::new(7);
        let mut ours = Config::new(id(PLATFORM_ID), addr(PLATFORM));
        ours.passwords = Passwords::shared("12345678");
        let judge = lab.add(ip("192.0.2.9"), Platform::new(Arc::new(ours), 1));
        let platform = platform(PLATFORM_ID, PLATFORM);
        let theirs = config(make, CAMERA_ID, "192.0.2.1:5060", platform);
        let camera = lab.add(ip("192.0.2.1"), Camera::new(Arc::new(theirs), 2));
        lab.run_for(Duration::from_millis(10));
        lab.command(camera, camera::Command::PowerOn);
        lab.run_for(Duration::from_millis(200));
        Stage {
            lab,
            platform: judge,
            camera,
        }
    }

    fn command(&mut self, command: Command) -> Result<Answer, AskFailure> {
        self.lab.take_events(self.platform);
        self.lab.command(self.platform, command);
        let platform = self.platform;
        let mut found = None;
        self.lab.run_until(Duration::from_secs(60), |lab| {
            let mut events = lab.events(platform).iter();
            found = events.find_map(|(_, event)| match event {
                Event::Answered { answer, .. } => Some(Ok(answer.clone())),
                Event::AskFailed { why, .. } => Some(Err(why.clone())),
                _ => None,
            });
            found.is_some()
        });
        found.expect("an answer")
    }

    fn order(&mut self, control: Control) -> Outcome {
        let (device, about, ask) = (id(CAMERA_ID), id(CHANNEL), AskId(1));
        let order = Command::Order {
            device,
            about: Some(about),
            what: Order::Control(control),
            ask,
        };
        match self.command(order) {
            // Nothing is said to such a command.
            Ok(Answer::Ordered(outcome)) => outcome.unwrap_or(Outcome::Ok),
            other => panic!("{control}: {other:?}"),
        }
    }

    fn ask(&mut self, what: Query) -> Answer {
        let (device, ask) = (id(CAMERA_ID), AskId(2));
        self.command(Command::Query { device, what, ask })
            .unwrap_or_else(|why| panic!("{why}"))
    }

    fn pan(&mut self) -> f64 {
        match self.ask(Query::PtzPosition(id(CHANNEL))) {
            Answer::PtzPosition(position) => position.pan,
            other => panic!("{other:?}"),
        }
    }

    fn presets(&mut self) -> Vec<u8> {
        match self.ask(Query::Presets(id(CHANNEL))) {
            Answer::Presets(presets) => presets.iter().map(|preset| preset.id).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn set_preset(&mut self, number: u8, pan: f64) {
        let there = Precise {
            pan: Some(pan),
            ..Precise::default()
        };
        self.order(Control::Precise(there));
        self.order(Control::Ptz(Ptz::Preset(PresetAct::Set, number)));
    }

    fn is_content(&self) {
        let judge = self.lab.node(self.platform);
        assert_eq!(judge.complaints().iter().collect::<Vec<_>>(), []);
    }
}

const MAKES: [&str; 5] = [
    "generic-2016",
    "generic-2022",
    "dahua-ipc",
    "dahua-nvr",
    "hikvision-ipc",
];

#[test]
fn a_head_turns_until_it_is_stopped_and_tells_where_it_looks() {
    for make in MAKES {
        let mut stage = Stage::of(make);
        assert_eq!(stage.pan(), 0.0, "{make}");
        let right = Motion {
            pan: Some(Toward {
                forward: true,
                speed: 64,
            }),
            ..Motion::default()
        };
        assert_eq!(stage.order(Control::Ptz(Ptz::Move(right))), Outcome::Ok);
        stage.lab.run_for(Duration::from_secs(3));
        assert_eq!(stage.order(Control::Ptz(Ptz::STOP)), Outcome::Ok);
        let there = stage.pan();
        assert!((85.0..95.0).contains(&there), "{make}: {there}");
        stage.lab.run_for(Duration::from_secs(30));
        assert_eq!(stage.pan(), there, "{make}: it stands");
        stage.is_content();
    }
}

#[test]
fn presets_are_set_listed_called_and_deleted() {
    for make in MAKES {
        let mut stage = Stage::of(make);
        assert!(
            stage.presets().is_empty(),
            "{make}: none, and a list all the same"
        );
        stage.set_preset(5, 45.0);
        stage.set_preset(9, 90.0);
        assert_eq!(stage.presets(), [5, 9], "{make}");
        stage.order(Control::Ptz(Ptz::Preset(PresetAct::Call, 5)));
        assert_eq!(stage.pan(), 45.0, "{make}");
        stage.order(Control::Ptz(Ptz::Preset(PresetAct::Delete, 5)));
        assert_eq!(stage.presets(), [9], "{make}");
        stage.is_content();
    }
}

#[test]
fn a_cruise_is_laid_out_told_and_travelled() {
    let mut stage = Stage::of("generic-2022");
    stage.set_preset(1, 10.0);
    stage.set_preset(2, 20.0);
    let cruise = |act| Control::Ptz(Ptz::Cruise { track: 3, act });
    for act in [
        CruiseAct::Add(1),
        CruiseAct::Add(2),
        CruiseAct::Dwell(60),
        CruiseAct::Start,
    ] {
        stage.order(cruise(act));
    }
    assert_eq!(stage.pan(), 10.0);
    stage.lab.run_for(Duration::from_secs(60));
    assert_eq!(stage.pan(), 20.0);
    let Answer::CruiseTracks(tracks) = stage.ask(Query::CruiseTracks(id(CHANNEL))) else {
        panic!("no tracks");
    };
    assert_eq!((tracks.len(), tracks[0].number), (1, 3));
    let track = |number| Query::CruiseTrack {
        channel: id(CHANNEL),
        number,
    };
    let Answer::CruiseTrack(track_3) = stage.ask(track(3)) else {
        panic!("no track");
    };
    let points: Vec<_> = track_3.points.iter().map(|p| (p.preset, p.stay)).collect();
    assert_eq!(points, [(1, 60), (2, 60)]);
    assert_eq!(stage.ask(track(8)), Answer::Unable, "there is none");
    stage.is_content();
}

#[test]
fn a_home_position_is_taken_told_and_gone_to() {
    let mut stage = Stage::of("generic-2022");
    let home = HomePosition {
        enabled: true,
        reset_time: 30,
        preset: 4,
    };
    assert_eq!(
        stage.order(Control::Home(home)),
        Outcome::Error,
        "no such preset"
    );
    stage.set_preset(4, 200.0);
    assert_eq!(stage.order(Control::Home(home)), Outcome::Ok);
    assert_eq!(
        stage.ask(Query::HomePosition(id(CHANNEL))),
        Answer::HomePosition(home)
    );
    let away = Precise {
        pan: Some(10.0),
        ..Precise::default()
    };
    stage.order(Control::Precise(away));
    assert_eq!(stage.pan(), 10.0);
    stage.lab.run_for(Duration::from_secs(31));
    assert_eq!(stage.pan(), 200.0, "left alone, it goes home");
    stage.is_content();
}

#[test]
fn a_dahua_answers_about_its_home_as_to_an_order_and_is_understood_all_the_same() {
    let mut stage = Stage::of("dahua-ipc");
    let answer = stage.ask(Query::HomePosition(id(CHANNEL)));
    assert!(matches!(answer, Answer::HomePosition(home) if !home.enabled));
    let judge = stage.lab.node(stage.platform);
    let complaints: Vec<_> = judge.complaints().iter().collect();
    assert_eq!(complaints, [(Deviation::OtherCommand, 1)]);
}

#[test]
fn zones_targets_and_switches_are_obeyed_in_silence() {
    let mut stage = Stage::of("generic-2022");
    let zone = Zone {
        length: 1920,
        width: 1080,
        mid_x: 960,
        mid_y: 540,
        length_x: 480,
        length_y: 270,
    };
    assert_eq!(stage.order(Control::Drag { zone, into: true }), Outcome::Ok);
    let Answer::PtzPosition(position) = stage.ask(Query::PtzPosition(id(CHANNEL))) else {
        panic!("no position");
    };
    assert_eq!(position.zoom, 4.0);
    stage.order(Control::Track(Tracking::Auto));
    let wiper = Ptz::Aux {
        switch: 1,
        on: true,
    };
    stage.order(Control::Ptz(wiper));
    let camera = stage.lab.node(stage.camera);
    assert_eq!(camera.tracking(&id(CHANNEL)), Some(Tracking::Auto));
    assert!(camera.is_switched_on(&id(CHANNEL), 1));
    stage.is_content();
}

#[test]
fn commands_that_want_an_answer_get_one_and_the_others_none() {
    let mut stage = Stage::of("generic-2016");
    for control in [
        Control::Record(true),
        Control::Guard(true),
        Control::ResetAlarm,
        Control::KeyFrame,
        Control::Ptz(Ptz::STOP),
    ] {
        assert_eq!(stage.order(control), Outcome::Ok, "{control}");
        stage.lab.run_for(Duration::from_secs(2));
    }
    stage.is_content();
}

#[test]
fn a_reboot_says_goodbye_and_comes_back_with_nothing_left_of_what_was_set() {
    let mut stage = Stage::of("generic-2016");
    stage.set_preset(1, 45.0);
    assert_eq!(stage.order(Control::Boot), Outcome::Ok);
    stage.lab.run_for(Duration::from_secs(5));
    assert!(!stage.lab.node(stage.camera).is_registered());
    assert_eq!(
        stage.lab.node(stage.platform).devices(),
        0,
        "it has unregistered"
    );
    stage.lab.run_for(Duration::from_secs(40));
    assert!(stage.lab.node(stage.camera).is_registered(), "it is back");
    assert!(stage.presets().is_empty());
    stage.is_content();
}

#[test]
fn a_camera_that_is_switched_off_while_it_reboots_stays_off() {
    let mut stage = Stage::of("generic-2016");
    stage.order(Control::Boot);
    stage.lab.run_for(Duration::from_secs(5));
    stage.lab.command(stage.camera, camera::Command::PowerOff);
    stage.lab.run_for(Duration::from_secs(300));
    assert!(!stage.lab.node(stage.camera).is_registered());
}
