//! Media that breaks (GB/T 28181-2022 annexes D and K): tried again while the call lives, given up
//! in the end.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use common::spoken::{Leg, offer, passive, udp};
use common::stage::{CAMERA, DEVICE, MEDIA, PLATFORM, SERVER, Stage};
use common::{addr, config, platform};
use vcam::camera::{CallEnd, Camera, Command, Event};
use vcam::lab::{RawState, RawTcp};
use vcam::media::{Counts, Loss, Order, Report};
use vcam::node::{Input, Node, Output};
use vcam::sip::{Flow, Transport};
use vcam::time::Now;

const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(100);

fn begins_with_a_key_frame(stage: &mut Stage, media: RawTcp) -> bool {
    let octets = stage.lab.read(media);
    let has = |code: u8| octets.windows(4).any(|four| four == [0, 0, 1, code]);
    octets[14..18] == [0, 0, 1, 0xBA] && has(0xBB) && has(0xBC)
}

#[test]
fn a_refused_connection_is_tried_again_three_times_a_second_apart_and_then_comes_bye() {
    let mut stage = Stage::registered();
    stage.lab.stop_listening(addr(MEDIA));
    stage.call(passive());
    stage.silence(SECOND * 3 - MOMENT);
    let events = stage.events();
    let lost = events
        .iter()
        .filter(|e| matches!(e, Event::MediaLost { .. }));
    assert_eq!(lost.count(), 3, "{events:?}");
    let bye = stage.next_within(MOMENT * 2);
    assert_eq!(bye.method(), "BYE");
    stage.answer(&bye, 200, "");
    stage.run(MOMENT);
    let failed = |e: &Event| {
        matches!(
            e,
            Event::Ended {
                why: CallEnd::MediaFailed,
                ..
            }
        )
    };
    assert!(stage.events().iter().any(failed));
    stage.nothing_is_left();
}

#[test]
fn a_platform_that_listens_late_is_reached_by_a_later_try() {
    let mut stage = Stage::registered();
    stage.lab.stop_listening(addr(MEDIA));
    stage.call(passive());
    stage.run(SECOND * 2 + MOMENT);
    stage.lab.listen(addr(MEDIA));
    stage.run(SECOND);
    let media = stage.media();
    assert!(begins_with_a_key_frame(&mut stage, media));
}

#[test]
fn a_peer_that_closes_is_connected_to_again_from_a_key_frame_and_failures_count_anew() {
    let mut stage = Stage::registered();
    let mut leg = stage.call(passive());
    for _ in 0..6 {
        stage.run(Duration::from_millis(300));
        let media = stage.media();
        assert!(begins_with_a_key_frame(&mut stage, media));
        stage.lab.hang_up(media);
        stage.run(SECOND - MOMENT);
        assert_eq!(
            stage.lab.accept_at(addr(MEDIA)),
            None,
            "not before a second"
        );
        stage.run(MOMENT * 2);
    }
    assert_eq!(stage.bye(&mut leg), 200);
}

#[test]
fn a_bye_during_the_pause_ends_the_trying() {
    let mut stage = Stage::registered();
    let mut leg = stage.call(passive());
    let media = stage.media();
    stage.lab.hang_up(media);
    stage.run(MOMENT);
    assert_eq!(stage.bye(&mut leg), 200);
    stage.silence(SECOND * 5);
    assert_eq!(stage.lab.accept_at(addr(MEDIA)), None);
    stage.nothing_is_left();
}

#[test]
fn a_listening_camera_takes_a_peer_that_comes_back() {
    let mut stage = Stage::registered();
    let (leg, ok) = stage.invite(offer("active", "0200000001"));
    stage.acknowledge(&leg);
    let door = SocketAddr::new(addr(CAMERA).ip(), ok.media_port());
    for _ in 0..5 {
        let media = stage.lab.dial(addr("10.0.0.1:0"), door);
        stage.run(SECOND);
        assert!(begins_with_a_key_frame(&mut stage, media));
        stage.lab.hang_up(media);
        stage.run(SECOND * 10);
    }
    let mut leg = leg;
    assert_eq!(stage.bye(&mut leg), 200);
    stage.run(MOMENT);
    let late = stage.lab.dial(addr("10.0.0.1:0"), door);
    stage.run(MOMENT);
    assert_eq!(stage.lab.state(late), RawState::Refused);
}

#[test]
fn a_listening_camera_waits_as_long_as_the_call_lasts() {
    let mut stage = Stage::registered();
    stage.call(offer("active", "0200000001"));
    stage.silence(SECOND * 300);
    assert_eq!(stage.camera().calls(), 1);
}

#[test]
fn a_registration_lost_stops_media_without_a_word() {
    let mut stage = Stage::with(|config| config.heartbeat.count = 1);
    stage.keeps_alive = false;
    stage.power_on();
    stage.accept_registration();
    let keepalive = stage.next();
    stage.call(udp());
    stage.answer(&keepalive, 500, "");
    stage.run(MOMENT);
    stage.datagrams();
    let heard = stage.all_within(SECOND);
    assert!(
        heard.iter().all(|h| h.method() == "REGISTER"),
        "no BYE: {heard:?}"
    );
    assert!(stage.datagrams().is_empty());
    stage.nothing_is_left();
}

/// A camera moved by hand, to be told what the media plane of a lab never says.
struct Puppet {
    camera: Camera,
    now: Now,
}

/// What it wanted.
#[derive(Default)]
struct Wishes {
    said: Vec<String>,
    orders: Vec<Order>,
    events: Vec<Event>,
}

impl Puppet {
    fn new() -> Puppet {
        let config = config("dahua-ipc", DEVICE, CAMERA, platform(SERVER, PLATFORM));
        let mut puppet = Puppet {
            camera: Camera::new(Arc::new(config), 1),
            now: Now::default(),
        };
        puppet.tell(Input::Command(Command::PowerOn));
        puppet
    }

    fn tell(&mut self, input: Input<Command>) -> Wishes {
        self.camera.handle(self.now, input);
        let mut wishes = Wishes::default();
        loop {
            match self.camera.poll(self.now) {
                Output::Wait(_) => return wishes,
                Output::Send { bytes, .. } => {
                    let text = String::from_utf8_lossy(&bytes);
                    wishes.said.push(text.lines().next().unwrap().to_owned());
                }
                Output::Media(order) => wishes.orders.push(order),
                Output::Event(event) => wishes.events.push(event),
                Output::Open { flow, .. } => {
                    let is = Flow {
                        transport: Transport::Udp,
                        local: addr(CAMERA),
                        remote: None,
                    };
                    self.camera.handle(self.now, Input::Opened { flow, is });
                }
                Output::Close(_) | Output::Job { .. } => {}
            }
        }
    }

    fn hear(&mut self, leg: &Leg, turn: u32, body: String) -> Wishes {
        let bytes = leg.invite(body).write("UDP", addr(PLATFORM), turn);
        let flow = vcam::sip::FlowId(1);
        let from = addr(PLATFORM);
        self.tell(Input::Received { flow, from, bytes })
    }
}

fn broken(wishes: &Wishes) -> Report {
    let [Order::Open { stream, .. }] = wishes.orders[..] else {
        panic!("{:?}", wishes.orders);
    };
    Report::Ended {
        stream,
        counts: Counts::default(),
        verdict: None,
        recording: Default::default(),
        error: Some("no port is free".into()),
    }
}

#[test]
fn a_listening_camera_that_fails_pauses_and_one_whose_peer_left_listens_on_at_once() {
    let failed = Loss::Failed("too many open files".into());
    for (why, pause) in [(Loss::Closed, Duration::ZERO), (failed, SECOND)] {
        let mut puppet = Puppet::new();
        let leg = Leg::new(1);
        let wishes = puppet.hear(&leg, 1, offer("active", "7"));
        let [Order::Open { stream, .. }] = wishes.orders[..] else {
            panic!("{:?}", wishes.orders);
        };
        let local = addr("10.0.0.2:30000");
        puppet.tell(Input::Media(Report::Opened { stream, local }));
        let bytes = leg.request("ACK", 1).write("UDP", addr(PLATFORM), 2);
        let (flow, from) = (vcam::sip::FlowId(1), addr(PLATFORM));
        let started = puppet.tell(Input::Received { flow, from, bytes });
        assert_eq!(started.orders.len(), 1);
        for _ in 0..5 {
            let why = why.clone();
            let mut wishes = puppet.tell(Input::Media(Report::Lost { stream, why }));
            if !pause.is_zero() {
                assert!(wishes.orders.is_empty(), "{:?}", wishes.orders);
                puppet.now = puppet.now.after(pause);
                wishes = puppet.tell(Input::Tick);
            }
            assert!(matches!(wishes.orders[..], [Order::Start { .. }]));
        }
    }
}

#[test]
fn media_that_cannot_be_opened_refuses_the_invite_with_500() {
    let mut puppet = Puppet::new();
    let wishes = puppet.hear(&Leg::new(1), 1, udp());
    let report = broken(&wishes);
    let wishes = puppet.tell(Input::Media(report));
    assert_eq!(wishes.said, ["SIP/2.0 500 Server Internal Error"]);
    let [
        Event::Refused {
            status: 500, why, ..
        },
        Event::Ended { .. },
    ] = &wishes.events[..]
    else {
        panic!("{:?}", wishes.events);
    };
    assert!(why.contains("no port is free"));
    assert_eq!((puppet.camera.calls(), puppet.camera.streams()), (0, 0));
}

#[test]
fn an_answer_that_media_never_allows_is_ended_with_the_call() {
    let mut puppet = Puppet::new();
    puppet.hear(&Leg::new(1), 1, udp());
    let wishes = puppet.tell(Input::Command(Command::HangUp));
    assert_eq!(wishes.said, ["SIP/2.0 480 Temporarily Unavailable"]);
    assert!(matches!(wishes.orders[..], [Order::Stop(_)]));
    assert_eq!(puppet.camera.calls(), 0);
}

#[test]
fn a_replaced_call_whose_media_is_not_open_yet_gets_its_final_answer() {
    let mut puppet = Puppet::new();
    let mut first = Leg::new(1);
    first.subject = "1:5,2:0".into();
    puppet.hear(&first, 1, udp());
    let mut second = Leg::new(2);
    second.subject = first.subject.clone();
    let wishes = puppet.hear(&second, 2, udp());
    assert!(
        wishes.said[0].starts_with("SIP/2.0 487"),
        "{:?}",
        wishes.said
    );
    assert!(matches!(
        wishes.orders[..],
        [Order::Stop(_), Order::Open { .. }]
    ));
    assert_eq!(puppet.camera.calls(), 1);
}
