//! Signalling over TCP (RFC 3261 §18, GB/T 28181-2022 §9.1.1): connections made, lost and made
//! again; messages in pieces and in heaps.

mod common;

use std::time::Duration;

use common::addr;
use common::spoken::{Request, udp};
use common::stage::{CHALLENGE, DEVICE, PLATFORM, SERVER, Stage};
use vcam::camera::{CallEnd, Command, Config, Event};
use vcam::lab::RawState;
use vcam::sip::Transport;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn over_tcp(config: &mut Config) {
    config.transport = Transport::Tcp;
}

#[test]
fn a_camera_over_tcp_says_so_in_via_and_contact() {
    let mut stage = Stage::with(over_tcp);
    stage.power_on();
    let bare = stage.next();
    assert!(bare.header("Via").starts_with("SIP/2.0/TCP 10.0.0.2:"));
    assert!(bare.header("Contact").contains(";transport=tcp"));
    stage.answer(&bare, 401, CHALLENGE);
    let proved = stage.next();
    stage.answer(&proved, 200, "");
    stage.run(SECOND);
    assert!(stage.camera().is_registered());
}

#[test]
fn a_refused_connection_is_told_and_tried_again_after_a_pause() {
    let mut stage = Stage::with(over_tcp);
    stage.lab.stop_listening(addr(PLATFORM));
    stage.command(Command::PowerOn);
    stage.lab.run_for(SECOND);
    let events = stage.events();
    let [Event::RegisterFailed { why, retry, .. }] = &events[..] else {
        panic!("{events:?}");
    };
    assert!(why.contains("refused"), "{why}");
    assert!(*retry >= SECOND * 5 && *retry < SECOND * 8, "{retry:?}");
    stage.lab.listen(addr(PLATFORM));
    stage.accept(SECOND * 8);
    assert_eq!(stage.next().method(), "REGISTER");
}

#[test]
fn a_lost_connection_ends_media_and_is_made_again_with_a_registration() {
    let mut stage = Stage::registered_with(over_tcp);
    stage.call(udp());
    stage.events();
    let wire = stage.wire();
    stage.lab.hang_up(wire);
    stage.lab.run_for(SECOND);
    let events = stage.events();
    assert!(
        matches!(events[0], Event::PlatformLost { .. }),
        "{events:?}"
    );
    assert!(
        matches!(
            events[1],
            Event::Ended {
                why: CallEnd::PlatformLost,
                ..
            }
        ),
        "{events:?}"
    );
    stage.nothing_is_left();
    stage.accept(SECOND * 8);
    stage.accept_registration();
    stage.run(SECOND);
    assert!(stage.camera().is_registered());
}

#[test]
fn a_connection_lost_under_a_register_is_tried_again_once() {
    let mut stage = Stage::with(over_tcp);
    stage.power_on();
    stage.next();
    let wire = stage.wire();
    stage.lab.hang_up(wire);
    stage.accept(SECOND * 8);
    assert_eq!(stage.next().method(), "REGISTER");
    let failures = stage.events().len();
    assert_eq!(failures, 1, "told once");
    stage.silence(SECOND * 30);
}

#[test]
fn nothing_is_repeated_over_tcp() {
    let mut stage = Stage::with(over_tcp);
    stage.power_on();
    stage.next();
    stage.silence(SECOND * 31);
    stage.run(SECOND * 2);
    assert!(matches!(stage.events()[..], [Event::RegisterFailed { .. }]));
}

#[test]
fn a_connection_on_which_keepalives_are_lost_is_made_anew() {
    let mut stage = Stage::registered_with(over_tcp);
    stage.call(udp());
    let dead = stage.wire();
    stage.lab.freeze(dead);
    stage.accept(MINUTE * 10);
    stage.lab.thaw(dead);
    stage.lab.run_for(Duration::from_millis(5));
    assert_eq!(stage.lab.state(dead), RawState::Closed);
    stage.accept_registration();
    stage.run(SECOND);
    assert!(stage.camera().is_registered());
    stage.nothing_is_left();
}

#[test]
fn a_register_that_gets_no_answer_is_tried_again_on_a_new_connection_after_the_pause() {
    let mut stage = Stage::with(over_tcp);
    stage.power_on();
    stage.next();
    stage.silence(SECOND * 33);
    let [Event::RegisterFailed { retry, .. }] = stage.events()[..] else {
        panic!("no failure");
    };
    let dead = stage.wire();
    stage.silence(retry - SECOND * 2);
    stage.accept(SECOND * 3);
    assert_eq!(stage.lab.state(dead), RawState::Closed);
    stage.accept_registration();
    stage.silence(MINUTE * 3);
    assert!(stage.camera().is_registered());
}

#[test]
fn a_message_in_a_hundred_segments_is_one_message() {
    let mut stage = Stage::registered_with(over_tcp);
    let query = stage.write(&Request::query("DeviceInfo", DEVICE));
    let wire = stage.wire();
    for piece in query.chunks(query.len().div_ceil(100)) {
        stage.lab.write(wire, piece.to_vec());
        stage.lab.run_for(Duration::from_millis(3));
    }
    assert_eq!(stage.next().status(), 200);
    assert_eq!(stage.next().element("CmdType").unwrap(), "DeviceInfo");
    stage.silence(SECOND);
}

#[test]
fn several_messages_in_one_segment_are_all_answered() {
    let mut stage = Stage::registered_with(over_tcp);
    let mut segment = b"\r\n".to_vec();
    for _ in 0..3 {
        segment.extend_from_slice(&stage.write(&Request::new("OPTIONS")));
    }
    stage.say(segment);
    let answers = stage.all_within(SECOND);
    assert_eq!(answers.len(), 3);
    assert!(answers.iter().all(|answer| answer.status() == 200));
}

#[test]
fn a_ping_is_answered_with_a_pong() {
    let mut stage = Stage::registered_with(over_tcp);
    stage.say("\r\n\r\n");
    stage.lab.run_for(SECOND);
    assert_eq!(stage.unread(), b"\r\n");
}

#[test]
fn what_is_no_sip_costs_the_connection_and_nothing_more() {
    let mut stage = Stage::registered_with(over_tcp);
    let wire = stage.wire();
    stage.say("GET / HTTP/1.1\r\nHost: camera\r\n\r\n");
    stage.lab.run_for(SECOND);
    assert_eq!(stage.lab.state(wire), RawState::Closed);
    assert_eq!(stage.camera().counters().broken_streams, 1);
    stage.accept(SECOND * 8);
    stage.accept_registration();
}

#[test]
fn a_302_moves_the_connection_and_a_refusal_there_moves_it_back() {
    let mut stage = Stage::with(over_tcp);
    stage.power_on();
    let bare = stage.next();
    let first = stage.wire();
    let second = "10.0.0.3:5060";
    stage.lab.listen(addr(second));
    let there = format!("Contact: <sip:34020000002000000002@{second};transport=tcp>\r\n");
    stage.answer(&bare, 302, &there);
    stage.platform = addr(second);
    stage.accept(SECOND);
    assert_eq!(stage.lab.state(first), RawState::Closed);
    let asked = stage.next();
    assert!(asked.uri().contains("34020000002000000002"));
    stage.answer(&asked, 403, "");
    stage.platform = addr(PLATFORM);
    stage.accept(SECOND);
    assert!(stage.next().uri().contains(SERVER));
}

#[test]
fn a_server_we_were_sent_to_that_does_not_listen_sends_us_back() {
    let mut stage = Stage::with(over_tcp);
    stage.power_on();
    let bare = stage.next();
    let nobody = "Contact: <sip:34020000002000000002@10.0.0.3:5060>\r\n";
    stage.answer(&bare, 302, nobody);
    stage.accept(SECOND * 8);
    assert!(stage.next().uri().contains(SERVER));
}

#[test]
fn a_camera_switched_off_before_it_is_connected_leaves_no_connection() {
    let mut stage = Stage::with(over_tcp);
    stage.command(Command::PowerOn);
    stage.command(Command::PowerOff);
    stage.lab.run_for(MINUTE);
    if let Some(wire) = stage.lab.accept_at(addr(PLATFORM)) {
        assert_eq!(stage.lab.state(wire), RawState::Closed);
    }
    let off = Event::Off {
        unregistered: false,
    };
    assert_eq!(stage.events(), [off]);
}

#[test]
fn the_whole_call_goes_over_the_one_connection() {
    let mut stage = Stage::registered_with(over_tcp);
    let mut leg = stage.call(udp());
    assert!(!stage.datagrams().is_empty());
    assert_eq!(stage.bye(&mut leg), 200);
    stage.run(SECOND);
    stage.nothing_is_left();
    stage.command(Command::PowerOff);
    let farewell = stage.next();
    stage.answer(&farewell, 200, "");
    let wire = stage.wire();
    stage.lab.run_for(SECOND);
    assert_eq!(stage.lab.state(wire), RawState::Closed);
}
