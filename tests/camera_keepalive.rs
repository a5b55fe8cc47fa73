//! Keepalive (GB/T 28181-2022 §9.6): the sign of life, and what its loss means.

mod common;

use std::time::Duration;

use common::spoken::{Heard, udp};
use common::stage::{CHALLENGE, DEVICE, SERVER, Stage};
use vcam::camera::{CallEnd, Command, Config, Event};
use vcam::sip::Method;
use vcam::sip::digest::Authorization;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// A camera that has just registered, and its first Keepalive, which nobody has answered.
fn first(change: impl FnOnce(&mut Config)) -> (Stage, Heard) {
    let mut stage = Stage::with(change);
    stage.keeps_alive = false;
    stage.power_on();
    stage.accept_registration();
    let keepalive = stage.next();
    (stage, keepalive)
}

fn losses(stage: &mut Stage) -> Vec<u32> {
    let lost = stage.events().into_iter().filter_map(|event| match event {
        Event::KeepaliveLost { in_a_row, .. } => Some(in_a_row),
        _ => None,
    });
    lost.collect()
}

#[test]
fn the_first_one_follows_the_registration_at_once_and_the_others_at_the_interval() {
    let (mut stage, first) = first(|_| {});
    assert!(first.is_keepalive());
    assert_eq!(first.element("DeviceID").unwrap(), DEVICE);
    assert_eq!(first.element("Status").unwrap(), "OK");
    assert!(first.uri().contains(SERVER) && !first.has("Contact"));
    stage.answer(&first, 200, "");
    let (waited, second) = stage.wait_for_next(MINUTE * 2);
    assert_eq!(waited.as_millis().div_ceil(10), 6000);
    stage.answer(&second, 200, "");
    let number = |keepalive: &Heard| keepalive.element("SN").unwrap().parse::<u32>().unwrap();
    assert_eq!(number(&second), number(&first) + 1);
    assert_ne!(second.header("Call-ID"), first.header("Call-ID"));
    assert_ne!(second.header("From"), first.header("From"));
    stage.run(SECOND);
    let kept = stage.events();
    let kept = kept.iter().filter(|e| matches!(e, Event::Kept { .. }));
    assert_eq!(kept.count(), 2);
}

#[test]
fn a_refusal_and_a_silence_are_losses_and_an_answer_forgets_them() {
    let (mut stage, first) = first(|_| {});
    stage.answer(&first, 503, "");
    let second = stage.next_within(MINUTE * 2);
    assert!(second.is_keepalive());
    stage.all_within(SECOND * 40);
    assert_eq!(losses(&mut stage), [1, 2]);
    let third = stage.next_within(MINUTE);
    stage.answer(&third, 200, "");
    let fourth = stage.next_within(MINUTE * 2);
    stage.answer(&fourth, 400, "");
    stage.run(SECOND);
    assert_eq!(losses(&mut stage), [1]);
    assert!(stage.camera().is_registered());
}

#[test]
fn too_many_losses_stop_media_and_register_again() {
    let (mut stage, first) = first(|_| {});
    stage.answer(&first, 200, "");
    stage.call(udp());
    for _ in 0..3 {
        assert!(stage.camera().is_registered());
        let keepalive = stage.next_within(MINUTE * 2);
        assert!(keepalive.is_keepalive(), "{keepalive:?}");
        stage.answer(&keepalive, 500, "");
    }
    assert_eq!(stage.next().method(), "REGISTER");
    assert!(!stage.camera().is_registered());
    stage.run(SECOND);
    let events = stage.events();
    assert!(
        events
            .iter()
            .any(|e| matches!(e, Event::PlatformLost { .. }))
    );
    let lost = |e: &Event| {
        matches!(
            e,
            Event::Ended {
                why: CallEnd::PlatformLost,
                ..
            }
        )
    };
    assert!(events.iter().any(lost), "{events:?}");
    stage.nothing_is_left();
}

#[test]
fn late_losses_of_before_do_not_disturb_the_new_registration() {
    let (mut stage, _) = first(|config| {
        config.heartbeat.interval = SECOND * 5;
        config.heartbeat.count = 1;
    });
    let mut registers = Vec::new();
    for heard in stage.all_within(SECOND * 62) {
        if heard.method() == "REGISTER" && !registers.contains(&heard.head) {
            registers.push(heard.head);
        }
    }
    assert_eq!(
        registers.len(),
        1,
        "one round, however many Keepalives were out"
    );
}

#[test]
fn a_challenged_keepalive_is_answered_once_with_credentials() {
    let (mut stage, first) = first(|_| {});
    stage.answer(&first, 401, CHALLENGE);
    let proved = stage.next();
    let authorization = Authorization::parse(proved.header("Authorization")).unwrap();
    assert_eq!(
        authorization.proof("12345678", Method::Message),
        authorization.response
    );
    assert_eq!(authorization.uri, proved.uri());
    stage.answer(&proved, 200, "");
    stage.silence(MINUTE - SECOND);
    assert!(stage.camera().is_registered());
    assert_eq!(losses(&mut stage), [] as [u32; 0]);
}

#[test]
fn a_challenge_that_nobody_can_answer_makes_no_loop() {
    for challenge in [
        "",
        "WWW-Authenticate: Digest realm=\"1\", nonce=\"1\", algorithm=SM3\r\n",
    ] {
        let (mut stage, first) = first(|_| {});
        stage.answer(&first, 401, challenge);
        assert_eq!(stage.next().method(), "REGISTER");
        stage.all_within(SECOND);
        assert_eq!(losses(&mut stage), [1]);
    }
}

#[test]
fn credentials_refused_again_mean_a_registration() {
    let (mut stage, first) = first(|_| {});
    stage.answer(&first, 401, CHALLENGE);
    let proved = stage.next();
    stage.answer(&proved, 401, CHALLENGE);
    assert_eq!(stage.next().method(), "REGISTER");
}

#[test]
fn a_platform_that_has_forgotten_us_is_registered_with_at_once_but_not_in_circles() {
    for status in [403, 404, 481] {
        let (mut stage, first) = first(|_| {});
        stage.answer(&first, status, "");
        stage.accept_registration();
        let second = stage.next();
        assert!(second.is_keepalive());
        stage.answer(&second, status, "");
        stage.silence(MINUTE - SECOND);
        stage.accept_registration_within(MINUTE);
        let third = stage.next();
        stage.answer(&third, 200, "");
        let fourth = stage.next_within(MINUTE * 2);
        stage.answer(&fourth, status, "");
        assert_eq!(
            stage.next().method(),
            "REGISTER",
            "at once, as it had helped"
        );
    }
}

#[test]
fn calls_outlive_a_platform_that_forgot_us_only_if_it_takes_us_back() {
    for back in [true, false] {
        let (mut stage, first) = first(|_| {});
        stage.answer(&first, 200, "");
        stage.call(udp());
        let second = stage.next_within(MINUTE * 2);
        stage.answer(&second, 404, "");
        let bare = stage.next();
        stage.answer(&bare, if back { 200 } else { 403 }, "");
        stage.all_within(SECOND);
        assert_eq!(stage.camera().calls(), usize::from(back));
    }
}

#[test]
fn a_camera_that_leaves_does_not_register_because_of_a_late_answer() {
    let (mut stage, first) = first(|_| {});
    stage.command(Command::PowerOff);
    let farewell = stage.next();
    stage.answer(&first, 404, "");
    stage.answer(&farewell, 200, "");
    stage.silence(MINUTE * 3);
    assert_eq!(
        stage.events().last(),
        Some(&Event::Off { unregistered: true })
    );
}

#[test]
fn there_is_no_keepalive_before_the_registration_or_after_the_farewell() {
    let mut stage = Stage::with(|_| {});
    stage.keeps_alive = false;
    stage.power_on();
    let all = stage.all_within(SECOND * 30);
    assert!(all.iter().all(|heard| heard.method() == "REGISTER"));
    let mut stage = Stage::registered();
    stage.keeps_alive = false;
    stage.command(Command::PowerOff);
    let farewell = stage.next();
    stage.answer(&farewell, 200, "");
    stage.silence(MINUTE * 5);
}
