//! What happens inside a call (RFC 3261 §12-§15): ACK, BYE, CANCEL, INVITE again, INFO, and the
//! methods a camera does not know.

mod common;

use std::net::SocketAddr;
use std::time::Duration;

use common::addr;
use common::spoken::{Heard, Leg, Request, offer, passive, udp};
use common::stage::{CAMERA, CHANNEL, SERVER, Stage};
use vcam::camera::{CallEnd, Command, Event};
use vcam::lab::RawState;
use vcam::sip::OddBye;

const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(100);

fn ends(stage: &mut Stage) -> Vec<CallEnd> {
    let ends = stage.events().into_iter().filter_map(|event| match event {
        Event::Ended { why, .. } => Some(why),
        _ => None,
    });
    ends.collect()
}

/// The only message in `heard` besides repeated answers: ours.
fn own_request(heard: &[Heard]) -> &Heard {
    let mut own = heard.iter().filter(|h| !h.method().is_empty());
    let first = own.next().expect("a request of the camera");
    assert!(own.all(|again| again.head == first.head), "{heard:?}");
    first
}

#[test]
fn an_ack_may_count_on_and_name_anything() {
    for (cseq, uri) in [
        (2, format!("sip:{CHANNEL}@{CAMERA}")),
        (1, format!("sip:{SERVER}@10.0.0.1")),
        (1, format!("sip:{CHANNEL}@3402000000")),
    ] {
        let mut stage = Stage::registered();
        let (leg, _) = stage.invite(udp());
        let mut ack = leg.request("ACK", cseq);
        ack.uri = uri;
        let ack = stage.write(&ack);
        stage.say(ack);
        stage.silence(SECOND * 2);
        assert!(!stage.datagrams().is_empty());
    }
}

#[test]
fn an_ack_that_comes_again_or_for_nothing_is_ignored() {
    let mut stage = Stage::registered();
    let leg = stage.call(passive());
    let media = stage.media();
    stage.acknowledge(&leg);
    let mut stray = leg.request("ACK", 1);
    stray.call_id = "nothing".into();
    let stray = stage.write(&stray);
    stage.say(stray);
    stage.silence(SECOND);
    assert_eq!(stage.lab.state(media), RawState::Open);
    assert_eq!(stage.lab.accept_at(addr("10.0.0.1:10000")), None);
    assert!(stage.camera().counters().stray_acks >= 1);
}

#[test]
fn without_an_ack_the_200_is_repeated_for_32_seconds_and_then_comes_bye() {
    let mut stage = Stage::registered();
    let (_, ok) = stage.invite(udp());
    let repeats = stage.all_within(SECOND * 31);
    assert!(repeats.iter().all(|again| again.head == ok.head));
    assert!((9..=11).contains(&repeats.len()), "{}", repeats.len());
    let heard = stage.all_within(SECOND * 2);
    let bye = own_request(&heard).clone();
    assert_eq!(bye.method(), "BYE");
    stage.answer(&bye, 200, "");
    stage.run(SECOND);
    assert_eq!(ends(&mut stage), [CallEnd::Unacknowledged]);
    stage.nothing_is_left();
}

#[test]
fn bye_ends_media_and_closes_its_socket() {
    let mut stage = Stage::registered();
    let mut leg = stage.call(passive());
    let media = stage.media();
    assert_eq!(stage.bye(&mut leg), 200);
    stage.run(MOMENT);
    assert_eq!(stage.lab.state(media), RawState::Closed);
    assert_eq!(ends(&mut stage), [CallEnd::Bye]);
    stage.nothing_is_left();
    stage.silence(SECOND * 33);
    assert_eq!(stage.camera().transactions(), 0);
}

#[test]
fn counts_of_what_was_sent_come_with_the_end() {
    let mut stage = Stage::registered();
    let mut leg = stage.call(udp());
    stage.run(SECOND);
    stage.bye(&mut leg);
    stage.run(MOMENT);
    let heard = stage.datagrams();
    let octets: usize = heard.iter().map(|(_, rtp)| rtp.len()).sum();
    let ended = stage.events().into_iter().find_map(|event| match event {
        Event::Ended { counts, .. } => Some(counts),
        _ => None,
    });
    let counts = ended.unwrap();
    assert_eq!(counts.packets, heard.len() as u64);
    assert_eq!(counts.octets, octets as u64);
}

#[test]
fn a_bye_that_comes_late_or_for_nothing_is_481() {
    let mut stage = Stage::registered();
    let mut leg = stage.call(udp());
    assert_eq!(stage.bye(&mut leg), 200);
    assert_eq!(stage.bye(&mut leg), 481);
    let mut stray = Leg::new(800);
    assert_eq!(stage.bye(&mut stray), 481);
}

#[test]
fn a_bye_that_comes_again_gets_its_200_again() {
    let mut stage = Stage::registered();
    let leg = stage.call(udp());
    let bye = stage.write(&leg.request("BYE", 2));
    for _ in 0..3 {
        stage.say(bye.clone());
        assert_eq!(stage.next().status(), 200);
    }
}

#[test]
fn a_bye_with_garbled_tags_and_addresses_is_known_by_its_call_id() {
    let mut stage = Stage::registered();
    let mut leg = stage.call(udp());
    leg.from = format!("<sip:{SERVER}@10.0.0.1:5060>");
    leg.to = format!("<sip:{SERVER}@nowhere>;tag=wrong");
    leg.uri = format!("sip:{SERVER}@10.0.0.1:5060");
    assert_eq!(stage.bye(&mut leg), 200);
    stage.run(MOMENT);
    stage.nothing_is_left();
}

#[test]
fn a_bye_needs_neither_max_forwards_nor_content_length() {
    let mut stage = Stage::registered();
    let leg = stage.call(udp());
    let bye = stage.write(&leg.request("BYE", 3));
    let bye = String::from_utf8(bye.to_vec()).unwrap();
    stage.say(bye.replace("Content-Length: 0\r\n", ""));
    assert_eq!(stage.next().status(), 200);
}

#[test]
fn a_bye_before_the_ack_ends_the_call() {
    let mut stage = Stage::registered();
    let (mut leg, _) = stage.invite(udp());
    assert_eq!(stage.bye(&mut leg), 200);
    stage.nothing_is_left_soon();
    stage.acknowledge(&leg);
    stage.all_within(SECOND * 40);
    assert!(stage.datagrams().is_empty());
    assert_eq!(ends(&mut stage), [CallEnd::Bye]);
}

#[test]
fn a_bye_before_the_answer_ends_the_invite_with_487() {
    let mut stage = Stage::registered();
    let leg = Leg::new(900);
    let invite = stage.write(&leg.invite(udp()));
    let bye = stage.write(&leg.request("BYE", 2));
    stage.say(invite);
    stage.say(bye);
    let statuses: Vec<_> = stage.all_within(MOMENT).iter().map(Heard::status).collect();
    assert_eq!(statuses, [100, 101, 200, 487]);
    stage.nothing_is_left_soon();
}

#[test]
fn a_lower_cseq_is_500_and_changes_nothing() {
    let mut stage = Stage::registered();
    let leg = stage.call(udp());
    let late = leg.request("BYE", 0);
    assert_eq!(stage.ask(late).status(), 500);
    let mut late = leg.invite(udp());
    late.cseq = 0;
    let (_, refused) = stage.dial(leg.clone(), late);
    assert_eq!(refused.status(), 500);
    assert_eq!(stage.camera().calls(), 1);
}

/// A BYE as VAG.Node writes it; what it is answered, if anything.
fn odd_bye(stage: &mut Stage, leg: &Leg, cseq: u32) -> Option<u16> {
    let bye = stage.write(&leg.request("BYE", cseq));
    let text = String::from_utf8(bye.to_vec()).unwrap();
    let (right, odd) = (format!("CSeq: {cseq} BYE"), format!("CSeq: {cseq} Info"));
    assert!(text.contains(&right), "{text}");
    stage.say(text.replace(&right, &odd));
    let heard = stage.all_within(Duration::from_millis(100));
    let answer = heard
        .iter()
        .find(|heard| heard.start().starts_with("SIP/2.0"))?;
    assert_eq!(answer.header("CSeq"), format!("{cseq} Info"));
    Some(answer.status())
}

#[test]
fn a_bye_that_counts_as_another_method_ends_the_call_it_belongs_to_unless_the_make_minds() {
    for (policy, answered, ended) in [
        (OddBye::Take, Some(200), 1),
        (OddBye::Refuse, Some(400), 0),
        (OddBye::Ignore, None, 0),
    ] {
        let mut stage = Stage::registered_with(|config| {
            let mut profile = (*config.profile).clone();
            let mut sip = (*profile.sip).clone();
            assert_eq!(
                sip.odd_bye,
                OddBye::Take,
                "what makes do unless they say otherwise"
            );
            sip.odd_bye = policy;
            profile.sip = sip.into();
            config.profile = profile.into();
        });
        let leg = stage.call(udp());
        // It counts something else: its number may be any.
        let answer = odd_bye(&mut stage, &leg, leg.cseq - 1);
        assert_eq!(answer, answered, "{policy:?}");
        assert_eq!(stage.camera().calls(), 1 - ended, "{policy:?}");
        let counted = stage.camera().counters().odd_byes;
        assert_eq!(counted, u64::from(policy == OddBye::Take), "{policy:?}");
    }
    let mut stage = Stage::registered();
    let stranger = Leg::new(99);
    assert_eq!(
        odd_bye(&mut stage, &stranger, 3),
        Some(400),
        "it ends nothing"
    );
}

#[test]
fn an_info_may_have_any_cseq_for_platforms_number_them_by_chance() {
    let mut stage = Stage::registered();
    let leg = stage.call(udp());
    for cseq in [93_452, 7, 0] {
        assert_eq!(stage.ask(leg.request("INFO", cseq)).status(), 200, "{cseq}");
    }
    let bye = leg.request("BYE", 2);
    assert_eq!(
        stage.ask(bye).status(),
        200,
        "nor do they count for what follows"
    );
}

#[test]
fn info_is_200_in_a_call_and_481_outside() {
    let mut stage = Stage::registered();
    let leg = stage.call(udp());
    let mut info = leg
        .request("INFO", 2)
        .with("Content-Type: Application/MANSRTSP");
    info.body = "PAUSE RTSP/1.0\r\nCSeq: 1\r\nPauseTime: now\r\n".into();
    assert_eq!(stage.ask(info.clone()).status(), 200);
    info.call_id = "other".into();
    assert_eq!(stage.ask(info).status(), 481);
    stage.datagrams();
    stage.run(MOMENT);
    assert!(!stage.datagrams().is_empty(), "live is not paused");
}

#[test]
fn cancel_before_the_answer_is_200_and_487() {
    let mut stage = Stage::registered();
    let leg = Leg::new(900);
    let invite = leg.invite(udp());
    let text = invite.write("UDP", stage.platform, 900);
    let cancel = leg.cancel(&invite, stage.platform, 900);
    stage.say(text);
    stage.say(cancel);
    let heard = stage.all_within(MOMENT);
    let answers: Vec<_> = heard
        .iter()
        .map(|h| (h.status(), h.header("CSeq")))
        .collect();
    assert_eq!(answers[2..], [(200, "1 CANCEL"), (487, "1 INVITE")]);
    stage.nothing_is_left_soon();
    assert_eq!(ends(&mut stage), [CallEnd::Cancelled]);
}

#[test]
fn cancel_after_the_answer_is_200_and_has_no_effect() {
    let mut stage = Stage::registered();
    let leg = Leg::new(900);
    let invite = leg.invite(udp());
    let text = invite.write("UDP", stage.platform, 900);
    stage.say(text);
    let ok = stage.all_within(MOMENT).pop().unwrap();
    stage.say(leg.cancel(&invite, stage.platform, 900));
    assert_eq!(stage.next().status(), 200);
    let mut leg = leg;
    leg.answered(&ok);
    stage.acknowledge(&leg);
    stage.run(MOMENT);
    assert!(!stage.datagrams().is_empty());
}

#[test]
fn cancel_of_nothing_is_481() {
    let mut stage = Stage::registered();
    let leg = Leg::new(900);
    let cancel = leg.cancel(&leg.invite(udp()), stage.platform, 900);
    stage.say(cancel);
    assert_eq!(stage.next().status(), 481);
}

/// INVITE inside a call with the next CSeq; its final answer.
fn again(stage: &mut Stage, leg: &mut Leg, body: String) -> Heard {
    leg.cseq += 1;
    let invite = leg.invite(body);
    stage.dial(leg.clone(), invite).1
}

#[test]
fn an_invite_in_the_call_moves_the_stream_once_it_is_acknowledged() {
    let mut stage = Stage::registered();
    stage.lab.bind(addr("10.0.0.1:20000"));
    let mut leg = stage.call(udp());
    let moved = offer("udp", "0200000002").replace("video 10000", "video 20000");
    let ok = again(&mut stage, &mut leg, moved);
    assert_eq!((ok.status(), ok.header("To")), (200, leg.to.as_str()));
    assert_eq!(ok.line("y=").as_deref(), Some("0200000002"));
    stage.datagrams();
    stage.run(MOMENT);
    assert!(
        !stage.datagrams().is_empty(),
        "the old one flows until the ACK"
    );
    stage.acknowledge(&leg);
    stage.datagrams();
    stage.run(SECOND);
    assert!(stage.datagrams().is_empty());
    let media = stage.lab.datagrams_at(addr("10.0.0.1:20000"));
    assert_eq!(media[0].1[8..12], 200_000_002u32.to_be_bytes());
    assert_eq!((stage.camera().calls(), stage.camera().streams()), (1, 1));
    assert_eq!(stage.bye(&mut leg), 200);
    stage.nothing_is_left_soon();
}

#[test]
fn counts_of_a_stream_that_was_moved_are_among_those_of_its_call() {
    let mut stage = Stage::registered();
    let there = addr("10.0.0.1:20000");
    stage.lab.bind(there);
    let mut leg = stage.call(udp());
    stage.run(SECOND);
    let moved = offer("udp", "0200000002").replace("video 10000", "video 20000");
    assert_eq!(again(&mut stage, &mut leg, moved).status(), 200);
    stage.acknowledge(&leg);
    stage.run(SECOND);
    assert_eq!(stage.bye(&mut leg), 200);
    stage.run(MOMENT);
    let (here, there) = (stage.datagrams(), stage.lab.datagrams_at(there));
    assert!(here.len() > 10 && there.len() > 10);
    let ended = stage.events().into_iter().find_map(|event| match event {
        Event::Ended { counts, .. } => Some(counts),
        _ => None,
    });
    let packets = ended.unwrap().packets;
    assert_eq!(packets, (here.len() + there.len()) as u64);
}

#[test]
fn an_invite_in_the_call_that_changes_nothing_repeats_the_answer() {
    let mut stage = Stage::registered();
    let (mut leg, first) = stage.invite(udp());
    stage.acknowledge(&leg);
    stage.run(SECOND);
    stage.datagrams();
    let ok = again(&mut stage, &mut leg, udp());
    assert_eq!((ok.status(), ok.text()), (200, first.text()));
    stage.acknowledge(&leg);
    stage.run(SECOND);
    assert!(
        stage
            .datagrams()
            .iter()
            .all(|(_, rtp)| !rtp[12..].starts_with(&[0, 0, 1, 0xBA]) || rtp.len() > 12),
        "media goes on"
    );
    assert_eq!(stage.camera().streams(), 1);
}

#[test]
fn an_offer_refused_in_the_call_leaves_everything_as_it_was() {
    let mut stage = Stage::registered();
    let mut leg = stage.call(udp());
    let raw = udp()
        .replace("96 98 97", "98")
        .replace(":96 PS", ":98 H264");
    assert_eq!(again(&mut stage, &mut leg, raw).status(), 488);
    stage.datagrams();
    stage.run(MOMENT);
    assert!(!stage.datagrams().is_empty());
    assert_eq!((stage.camera().calls(), stage.camera().streams()), (1, 1));
}

#[test]
fn an_invite_before_the_answer_to_the_last_is_500_and_told_when_to_come_again() {
    let mut stage = Stage::registered();
    let mut leg = stage.call(udp());
    for cseq in 2..=3 {
        leg.cseq = cseq;
        let invite = stage.write(&leg.invite(passive()));
        stage.say(invite);
    }
    let heard = stage.all_within(MOMENT);
    let refused = heard.iter().find(|h| h.status() == 500).unwrap();
    assert_eq!(refused.cseq(), 3);
    let pause: u32 = refused.header("Retry-After").parse().unwrap();
    assert!((1..=10).contains(&pause), "{pause}");
    let accepted = heard.iter().find(|h| h.status() == 200).unwrap();
    assert_eq!(accepted.cseq(), 2);
}

#[test]
fn an_invite_while_our_200_is_not_acknowledged_is_491() {
    let mut stage = Stage::registered();
    let (mut leg, _) = stage.invite(udp());
    assert_eq!(again(&mut stage, &mut leg, passive()).status(), 491);
    leg.cseq = 1;
    stage.acknowledge(&leg);
    stage.run(MOMENT);
    assert!(!stage.datagrams().is_empty());
}

#[test]
fn an_invite_with_an_unknown_tag_is_481() {
    let mut stage = Stage::registered();
    let mut leg = Leg::new(900);
    leg.to.push_str(";tag=unknown");
    let invite = leg.invite(udp());
    assert_eq!(stage.dial(leg, invite).1.status(), 481);
    stage.nothing_is_left();
}

/// A call whose second INVITE is answered and not acknowledged, and the port that answer names.
fn renegotiating() -> (Stage, Leg, SocketAddr) {
    let mut stage = Stage::registered();
    let mut leg = stage.call(udp());
    let ok = again(&mut stage, &mut leg, offer("active", "7"));
    assert_eq!((ok.status(), stage.camera().streams()), (200, 2));
    let door = SocketAddr::new(addr(CAMERA).ip(), ok.media_port());
    (stage, leg, door)
}

/// The media plane, too, has closed the stream.
fn door_is_shut(stage: &mut Stage, door: SocketAddr) {
    stage.nothing_is_left_soon();
    let knock = stage.lab.dial(addr("10.0.0.1:0"), door);
    stage.lab.run_for(MOMENT);
    assert_eq!(stage.lab.state(knock), RawState::Refused);
}

#[test]
fn a_call_that_ends_between_two_invites_leaves_no_stream() {
    let (mut stage, mut leg, door) = renegotiating();
    assert_eq!(stage.bye(&mut leg), 200);
    door_is_shut(&mut stage, door);
    let (mut stage, _, door) = renegotiating();
    stage.command(Command::HangUp);
    door_is_shut(&mut stage, door);
    let (mut stage, _, door) = renegotiating();
    stage.all_within(SECOND * 33);
    door_is_shut(&mut stage, door);
    assert_eq!(ends(&mut stage), [CallEnd::Unacknowledged]);
}

#[test]
fn cancel_of_an_invite_in_the_call_leaves_the_call() {
    let mut stage = Stage::registered();
    let mut leg = stage.call(udp());
    leg.cseq += 1;
    let invite = leg.invite(passive());
    let text = invite.write("UDP", stage.platform, 950);
    let cancel = leg.cancel(&invite, stage.platform, 950);
    stage.say(text);
    stage.say(cancel);
    let statuses: Vec<_> = stage.all_within(MOMENT).iter().map(Heard::status).collect();
    assert_eq!(statuses, [100, 200, 487]);
    assert_eq!((stage.camera().calls(), stage.camera().streams()), (1, 1));
    stage.datagrams();
    stage.run(MOMENT);
    assert!(!stage.datagrams().is_empty());
}

#[test]
fn our_bye_goes_where_the_contact_or_the_route_says_and_nobody_need_answer() {
    for (line, uri) in [
        ("Contact: <sip:1@10.0.0.7:5070>", "sip:1@10.0.0.7:5070"),
        (
            "Record-Route: <sip:10.0.0.7:5070;lr>\r\nContact: <sip:1@10.9.9.9>",
            "sip:1@10.9.9.9",
        ),
    ] {
        let mut stage = Stage::registered();
        let contact = addr("10.0.0.7:5070");
        stage.lab.bind(contact);
        let leg = Leg::new(900);
        let mut invite = leg.invite(udp());
        invite.headers = format!("{line}\r\nContent-Type: application/sdp\r\n");
        let (leg, ok) = stage.dial(leg, invite);
        assert_eq!(
            ok.value("Record-Route").is_some(),
            line.contains("Record-Route")
        );
        stage.acknowledge(&leg);
        stage.command(Command::HangUp);
        stage.run(SECOND * 40);
        let (_, bytes) = stage.lab.datagrams_at(contact).remove(0);
        let bye = Heard::parse(&bytes).0;
        assert_eq!((bye.method(), bye.uri()), ("BYE", uri));
        assert_eq!(bye.has("Route"), line.contains("Record-Route"));
        stage.nothing_is_left();
        assert_eq!(stage.camera().transactions(), 0);
    }
}

#[test]
fn options_is_answered_in_and_out_of_calls() {
    let mut stage = Stage::registered();
    let leg = stage.call(udp());
    for options in [Request::new("OPTIONS"), leg.request("OPTIONS", 2)] {
        let ok = stage.ask(options);
        assert_eq!(ok.status(), 200);
        assert!(
            ok.header("Allow")
                .contains("INVITE, ACK, CANCEL, BYE, OPTIONS")
        );
        assert!(ok.header("Accept").contains("application/sdp"));
        assert!(ok.header("To").contains(";tag=") && ok.has("Contact"));
    }
}

#[test]
fn other_methods_are_405_with_those_allowed_and_unknown_ones_501() {
    let mut stage = Stage::registered();
    for method in ["REGISTER", "NOTIFY", "REFER", "UPDATE", "PRACK", "PUBLISH"] {
        let refused = stage.ask(Request::new(method));
        assert_eq!(refused.status(), 405, "{method}");
        assert!(refused.header("Allow").contains("MESSAGE"));
    }
    assert_eq!(stage.ask(Request::new("FROBNICATE")).status(), 501);
}

#[test]
fn a_required_extension_is_420_and_named() {
    let mut stage = Stage::registered();
    let refused = stage.ask(Request::new("OPTIONS").with("Require: 100rel, x-gb"));
    assert_eq!(refused.status(), 420);
    assert_eq!(refused.header("Unsupported"), "100rel, x-gb");
    let supported = stage.ask(Request::new("OPTIONS").with("Supported: 100rel"));
    assert_eq!(supported.status(), 200);
}

#[test]
fn a_new_contact_in_the_call_moves_our_bye() {
    let mut stage = Stage::registered();
    let moved = addr("10.0.0.7:5070");
    stage.lab.bind(moved);
    let mut leg = stage.call(udp());
    leg.cseq += 1;
    let mut invite = leg.invite(udp());
    invite.headers = format!("Contact: <sip:1@{moved}>\r\nContent-Type: application/sdp\r\n");
    stage.dial(leg.clone(), invite);
    stage.acknowledge(&leg);
    stage.command(Command::HangUp);
    stage.run(MOMENT);
    let (_, bytes) = stage.lab.datagrams_at(moved).remove(0);
    assert!(bytes.starts_with(format!("BYE sip:1@{moved} ").as_bytes()));
}

#[test]
fn a_contact_of_a_refused_invite_moves_nothing() {
    let mut stage = Stage::registered();
    let mut leg = stage.call(udp());
    leg.cseq += 1;
    let mut invite = leg.invite("v=0\r\n");
    invite.headers = "Contact: <sip:1@10.0.0.7:5070>\r\nContent-Type: application/sdp\r\n".into();
    let (leg, refused) = stage.dial(leg, invite);
    assert!(refused.status() >= 400, "{refused:?}");
    // This one is well-formed, but media is not open yet when CANCEL comes.
    let mut invite = leg.invite(passive());
    invite.cseq += 1;
    invite.headers = "Contact: <sip:1@10.0.0.7:5070>\r\nContent-Type: application/sdp\r\n".into();
    stage.say(invite.write("UDP", stage.platform, 950));
    stage.say(leg.cancel(&invite, stage.platform, 950));
    let statuses: Vec<_> = stage.all_within(MOMENT).iter().map(Heard::status).collect();
    assert_eq!(statuses, [100, 200, 487]);
    stage.command(Command::HangUp);
    let bye = stage.next();
    assert_eq!(
        (bye.method(), bye.uri()),
        ("BYE", &*format!("sip:{SERVER}@10.0.0.1:5060"))
    );
}

#[test]
fn our_bye_waits_for_the_ack_while_media_stops_at_once() {
    let mut stage = Stage::registered();
    let (leg, ok) = stage.invite(udp());
    stage.command(Command::HangUp);
    stage.nothing_is_left_soon();
    assert_eq!(ends(&mut stage), [CallEnd::HungUp]);
    let heard = stage.all_within(SECOND * 3);
    assert!(heard.iter().all(|h| h.head == ok.head), "{heard:?}");
    let ack = stage.write(&leg.request("ACK", leg.cseq));
    stage.say(ack);
    let bye = stage.next();
    assert_eq!(bye.method(), "BYE");
    stage.answer(&bye, 200, "");
    stage.silence(SECOND * 40);
    assert!(stage.datagrams().is_empty());
    assert_eq!(stage.camera().transactions(), 0);
}

#[test]
fn our_bye_waits_for_the_ack_of_an_invite_in_the_call_too() {
    let (mut stage, leg, _) = renegotiating();
    stage.command(Command::HangUp);
    let heard = stage.all_within(SECOND * 3);
    assert!(heard.iter().all(|h| h.status() == 200), "{heard:?}");
    let ack = stage.write(&leg.request("ACK", leg.cseq));
    stage.say(ack);
    assert_eq!(stage.next().method(), "BYE");
}

#[test]
fn a_bye_of_the_platform_makes_ours_needless() {
    let mut stage = Stage::registered();
    let (mut leg, _) = stage.invite(udp());
    stage.command(Command::HangUp);
    assert_eq!(stage.bye(&mut leg), 200);
    leg.cseq = 1;
    stage.acknowledge(&leg);
    stage.silence(SECOND * 40);
}

#[test]
fn a_platform_that_never_acknowledges_holds_a_leaving_camera_for_32_seconds() {
    let mut stage = Stage::registered();
    stage.invite(udp());
    stage.command(Command::PowerOff);
    let farewell = stage.next();
    assert_eq!(
        (farewell.method(), farewell.header("Expires")),
        ("REGISTER", "0")
    );
    stage.answer(&farewell, 200, "");
    let off = Event::Off { unregistered: true };
    let heard = stage.all_within(SECOND * 31);
    assert!(heard.iter().all(|h| h.status() == 200), "{heard:?}");
    assert!(!stage.events().contains(&off));
    let heard = stage.all_within(SECOND * 2);
    assert_eq!(own_request(&heard).method(), "BYE");
    assert_eq!(stage.events().last(), Some(&off));
}

#[test]
fn a_call_id_that_two_calls_share_is_no_second_chance() {
    let mut stage = Stage::registered();
    let mut legs = [900, 901].map(Leg::new);
    for leg in &mut legs {
        leg.call_id = "shared".into();
        let (answered, ok) = stage.dial(leg.clone(), leg.invite(udp()));
        assert_eq!(ok.status(), 200);
        stage.acknowledge(&answered);
        *leg = answered;
    }
    let [mut garbled, mut second] = legs;
    garbled.to = "<sip:nobody@nowhere>;tag=wrong".into();
    assert_eq!(stage.bye(&mut garbled), 481);
    assert_eq!(stage.camera().calls(), 2);
    assert_eq!(stage.bye(&mut second), 200);
    assert_eq!(stage.camera().calls(), 1);
}
