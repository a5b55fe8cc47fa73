//! What a camera tells its owner about time, and how to find it in a trace.

mod common;

use std::time::Duration;

use common::spoken::{passive, udp};
use common::stage::Stage;
use vcam::camera::{CallNumber, Event};

const SECOND: Duration = Duration::from_secs(1);
const FIRST: CallNumber = CallNumber(1);

#[test]
fn the_steps_of_a_call_are_told_with_the_time_they_took() {
    let mut stage = Stage::registered();
    stage.events();
    let (leg, _) = stage.invite(udp());
    stage.run(SECOND);
    stage.acknowledge(&leg);
    let events = stage.events();
    let answered = events.iter().find_map(|event| match event {
        Event::Answered { call: FIRST, took } => Some(*took),
        _ => None,
    });
    let acknowledged = events.iter().find_map(|event| match event {
        Event::Acknowledged { call: FIRST, took } => Some(*took),
        _ => None,
    });
    let streaming = events.iter().find_map(|event| match event {
        Event::Streaming { call: FIRST, took } => *took,
        _ => None,
    });
    let (answered, acknowledged) = (answered.unwrap(), acknowledged.unwrap());
    assert!(answered < SECOND / 100, "{answered:?}");
    assert!(
        (SECOND..SECOND + SECOND / 10).contains(&acknowledged),
        "{acknowledged:?}"
    );
    assert!(
        streaming.unwrap() >= answered + acknowledged,
        "{streaming:?}"
    );
}

#[test]
fn media_that_is_back_is_told_without_a_time() {
    let mut stage = Stage::registered();
    let leg = stage.call(passive());
    let media = stage.media();
    stage.run(SECOND);
    stage.lab.hang_up(media);
    stage.run(SECOND * 3);
    let events = stage.events();
    let lost = events.iter().find_map(|event| match event {
        Event::MediaLost { call_id, .. } => Some(call_id.as_str()),
        _ => None,
    });
    assert_eq!(lost, Some(leg.call_id.as_str()));
    let streaming: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Streaming { took, .. } => Some(took.is_some()),
            _ => None,
        })
        .collect();
    assert_eq!(streaming, [true, false]);
}

#[test]
fn every_failure_names_its_call_id() {
    let mut stage = Stage::with(|_| {});
    stage.keeps_alive = false;
    stage.power_on();
    let register = stage.next();
    stage.answer(&register, 503, "");
    stage.run(SECOND / 10);
    let failed = stage.events().into_iter().find_map(|event| match event {
        Event::RegisterFailed { call_id, .. } => Some(call_id),
        _ => None,
    });
    assert_eq!(failed.unwrap(), register.header("Call-ID"));

    stage.accept_registration_within(SECOND * 120);
    let keepalive = stage.next();
    stage.answer(&keepalive, 503, "");
    stage.run(SECOND / 10);
    let lost = stage.events().into_iter().find_map(|event| match event {
        Event::KeepaliveLost { call_id, .. } => Some(call_id),
        _ => None,
    });
    assert_eq!(lost.unwrap(), keepalive.header("Call-ID"));

    let (leg, answer) = stage.invite("v=0\r\n");
    assert!(answer.status() >= 400);
    let refused = stage.events().into_iter().find_map(|event| match event {
        Event::Refused { call_id, .. } => Some(call_id),
        _ => None,
    });
    assert_eq!(refused.unwrap(), leg.call_id);
}

#[test]
fn a_call_that_nobody_acknowledged_ends_with_its_call_id() {
    let mut stage = Stage::registered();
    let (leg, _) = stage.invite(udp());
    stage.all_within(SECOND * 40);
    let ended = stage.events().into_iter().find_map(|event| match event {
        Event::Ended { call_id, .. } => Some(call_id),
        _ => None,
    });
    assert_eq!(ended.unwrap(), leg.call_id);
}
