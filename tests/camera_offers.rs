//! Offers a camera cannot grant, and those it must understand although they look odd
//! (GB/T 28181-2022 annex G, RFC 3264).

mod common;

use common::spoken::{Leg, offer, udp};
use common::stage::{MEDIA, Stage};
use vcam::camera::Event;

/// What an INVITE with this body is answered; a refusal leaves nothing behind.
fn answered(body: &str) -> u16 {
    let mut stage = Stage::registered();
    let (_, answer) = stage.invite(body.to_owned());
    if answer.status() != 200 {
        let events = stage.events();
        let refused =
            |e: &&Event| matches!(e, Event::Refused { status, .. } if *status == answer.status());
        assert_eq!(events.iter().filter(refused).count(), 1, "{events:?}");
        assert!(!answer.has("Content-Type") && answer.header("To").contains("tag="));
        stage.nothing_is_left();
    }
    answer.status()
}

#[test]
fn an_offer_without_program_stream_is_488() {
    let raw = udp()
        .replace("96 98 97", "98")
        .replace("a=rtpmap:96 PS/90000\r\n", "");
    assert_eq!(answered(&raw), 488);
    let vendors = udp().replace("96 PS/", "96 DAHUA/");
    assert_eq!(
        answered(&vendors),
        488,
        "a vendor's own stream is no standard one"
    );
}

#[test]
fn payload_96_without_a_map_is_program_stream() {
    assert_eq!(
        answered(&udp().replace("a=rtpmap:96 PS/90000\r\n", "")),
        200
    );
}

#[test]
fn program_stream_under_another_number_is_answered_under_that_number() {
    let mut stage = Stage::registered();
    let odd = udp()
        .replace(" 96 98 97", " 98 100")
        .replace(":96 PS", ":100 ps");
    let (leg, ok) = stage.invite(odd);
    assert!(ok.line("m=video ").unwrap().ends_with(" 100"));
    stage.acknowledge(&leg);
    stage.run(std::time::Duration::from_millis(100));
    assert_eq!(stage.datagrams()[0].1[1] & 0x7f, 100);
}

#[test]
fn an_offer_without_media_or_without_a_body_is_488() {
    let without = udp().replace("m=video 10000 RTP/AVP 96 98 97\r\n", "");
    assert_eq!(answered(&without), 488);
    assert_eq!(answered(""), 488);
    assert_eq!(answered(&udp().replace("m=video", "m=audio")), 488);
    assert_eq!(answered(&udp().replace("video 10000", "video 0")), 488);
}

#[test]
fn an_offer_that_cannot_be_read_is_400() {
    assert_eq!(answered("hello"), 400);
    assert_eq!(answered(&udp().replace("video 10000", "video ten")), 400);
    assert_eq!(answered(&udp().replace("c=IN IP4 10.0.0.1\r\n", "")), 400);
    assert_eq!(
        answered(&udp().replace("c=IN IP4 10.0.0.1", "c=IN IP4 somewhere")),
        400
    );
}

#[test]
fn a_huge_offer_is_413() {
    let huge = offer("udp", &"1".repeat(20_000));
    assert_eq!(answered(&huge), 413);
}

#[test]
fn another_body_is_415_and_told_what_would_do() {
    let mut stage = Stage::registered();
    let leg = Leg::new(900);
    let mut invite = leg.invite(udp());
    invite.headers = "Content-Type: application/xml\r\n".into();
    let (_, answer) = stage.dial(leg, invite);
    assert_eq!(answer.status(), 415);
    assert_eq!(answer.header("Accept"), "application/sdp");
}

#[test]
fn the_type_of_an_offer_may_be_written_in_any_way_or_be_missing() {
    for line in [
        "Content-Type: Application/SDP",
        "c: application/sdp;x=y",
        "X: y",
    ] {
        let mut stage = Stage::registered();
        let leg = Leg::new(900);
        let mut invite = leg.invite(udp());
        invite.headers = format!("{line}\r\n");
        assert_eq!(stage.dial(leg, invite).1.status(), 200, "{line}");
    }
}

#[test]
fn nothing_is_recorded_and_nobody_listens() {
    let other = |session: &str| answered(&udp().replace("s=Play", &format!("s={session}")));
    for session in ["Playback", "Download"] {
        assert_eq!(other(session), 400, "no times");
        let offer = udp().replace("s=Play", &format!("s={session}"));
        assert_eq!(
            answered(&offer.replace("t=0 0", "t=1715925600 1715925700")),
            404
        );
    }
    assert_eq!(other("Talk"), 488);
}

#[test]
fn lines_may_end_in_lf_and_the_last_not_at_all() {
    assert_eq!(answered(&udp().replace('\r', "")), 200);
    assert_eq!(answered(udp().trim_end()), 200);
}

#[test]
fn lines_nobody_knows_and_an_empty_f_do_no_harm() {
    let odd = format!("{}f=\r\nz=?\r\nnonsense\r\n", udp());
    assert_eq!(answered(&odd), 200);
}

#[test]
fn the_address_of_the_media_comes_before_that_of_the_session() {
    let mut stage = Stage::registered();
    let elsewhere = udp()
        .replace("c=IN IP4 10.0.0.1", "c=IN IP4 10.0.0.9")
        .replace("a=recvonly", "c=IN IP4 10.0.0.1\r\na=recvonly");
    stage.call(elsewhere);
    stage.run(std::time::Duration::from_millis(100));
    assert!(!stage.datagrams().is_empty(), "at {MEDIA}");
}

#[test]
fn the_time_and_the_stream_asked_for_are_echoed() {
    let mut stage = Stage::registered();
    let odd = udp()
        .replace("t=0 0", "t=1288625085 1288625871")
        .replace("a=recvonly", "a=recvonly\r\na=streamprofile:1");
    let (_, ok) = stage.invite(odd);
    assert_eq!(ok.line("t=").as_deref(), Some("1288625085 1288625871"));
    assert_eq!(ok.line("a=streamprofile:").as_deref(), Some("1"));
}
