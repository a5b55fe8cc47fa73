//! Calls (GB/T 28181-2022 §9.2, annexes D, G and L): what an INVITE is answered, over which
//! transport media then flows, and how many may be up.

mod common;

use std::time::Duration;

use common::spoken::{Leg, offer, passive, udp};
use common::stage::{CAMERA, CHANNEL, DEVICE, MEDIA, SERVER, Stage};
use common::{addr, id, tiny_cut};
use vcam::camera::{CallEnd, Channel, Command, Config, Event};
use vcam::lab::RawState;

const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(100);
/// The SSRC of `y=0200000001`.
const SSRC: [u8; 4] = 200_000_001u32.to_be_bytes();

fn channels(count: u32) -> impl FnOnce(&mut Config) {
    move |config| {
        let source = tiny_cut(&config.profile);
        config.channels = (1..=count)
            .map(|n| Channel {
                id: id(CHANNEL).with_serial(n),
                name: String::new(),
                source: source.clone(),
                sub: None,
                part_of: None,
                added: None,
            })
            .collect();
    }
}

/// At most so many streams of one channel.
fn limit(streams: usize) -> impl FnOnce(&mut Config) {
    move |config| {
        let mut profile = (*config.profile).clone();
        profile.behaviour.streams_per_channel = streams;
        config.profile = profile.into();
    }
}

/// Whether RTP begins with a program stream's pack header, system header and stream map, and its
/// first picture is a key frame.
fn begins_with_a_key_frame(rtp: &[u8]) -> bool {
    let ps = &rtp[12..];
    let has = |code: u8| ps.windows(4).any(|four| four == [0, 0, 1, code]);
    ps.starts_with(&[0, 0, 1, 0xBA]) && has(0xBB) && has(0xBC)
}

#[test]
fn an_osip_camera_says_100_and_101_and_200_with_one_tag() {
    let mut stage = Stage::registered();
    let invite = stage.write(&Leg::new(1).invite(udp()));
    stage.say(invite);
    let (trying, dialog, ok) = (stage.next(), stage.next(), stage.next());
    let statuses = [trying.status(), dialog.status(), ok.status()];
    assert_eq!(statuses, [100, 101, 200]);
    assert!(!trying.header("To").contains("tag="));
    assert_eq!(dialog.header("To"), ok.header("To"));
    assert!(ok.header("To").contains(";tag="));
    assert_eq!(dialog.header("Contact"), ok.header("Contact"));
    assert!(ok.header("Contact").contains(CHANNEL));
}

#[test]
fn other_makes_say_100_and_200() {
    for make in ["dahua-nvr", "generic-2016"] {
        let mut stage = Stage::of(make, |_| {});
        stage.register();
        let invite = stage.write(&Leg::new(1).invite(udp()));
        stage.say(invite);
        let statuses = [stage.next().status(), stage.next().status()];
        assert_eq!(statuses, [100, 200], "{make}");
    }
}

#[test]
fn over_udp_media_flows_after_ack_from_the_port_in_the_answer() {
    let mut stage = Stage::registered();
    let (leg, ok) = stage.invite(udp());
    stage.run(SECOND);
    assert!(stage.datagrams().is_empty(), "nothing before the ACK");
    stage.acknowledge(&leg);
    stage.run(SECOND);
    let media = stage.datagrams();
    assert!(media.len() > 10);
    let (from, first) = &media[0];
    assert_eq!(
        (from.ip(), from.port()),
        (addr(CAMERA).ip(), ok.media_port())
    );
    assert_eq!((first[0], first[1] & 0x7f), (0x80, 96));
    assert_eq!(first[8..12], SSRC);
    assert!(begins_with_a_key_frame(first));
    assert_eq!(
        ok.line("m=video ").unwrap().split_once(' ').unwrap().1,
        "RTP/AVP 96"
    );
    assert!(!ok.text().contains("a=setup"));
}

#[test]
fn a_camera_connects_to_a_platform_that_listens_or_does_not_mind_or_does_not_say() {
    for how in ["passive", "actpass", "tcp"] {
        let mut stage = Stage::registered();
        let (leg, ok) = stage.invite(offer(how, "0200000001"));
        assert_eq!(ok.line("a=setup:").as_deref(), Some("active"), "{how}");
        assert_eq!(ok.line("a=connection:").as_deref(), Some("new"));
        assert_eq!(ok.media_port(), 9730, "the port the make names");
        stage.run(MOMENT);
        assert_eq!(stage.lab.accept_at(addr(MEDIA)), None, "not before the ACK");
        stage.acknowledge(&leg);
        stage.run(SECOND);
        let media = stage.media();
        let octets = stage.lab.read(media);
        assert_eq!(octets[2..4], [0x80, 96]);
        assert_eq!(octets[10..14], SSRC);
        assert!(begins_with_a_key_frame(&octets[2..]));
    }
}

#[test]
fn a_platform_that_connects_finds_the_port_of_the_answer_open() {
    let mut stage = Stage::registered();
    let (leg, ok) = stage.invite(offer("active", "0200000001"));
    assert_eq!(ok.line("a=setup:").as_deref(), Some("passive"));
    let door = std::net::SocketAddr::new(addr(CAMERA).ip(), ok.media_port());
    let early = stage.lab.dial(addr("10.0.0.1:0"), door);
    stage.run(MOMENT);
    assert_eq!(
        stage.lab.state(early),
        RawState::Open,
        "even before the ACK"
    );
    assert!(stage.lab.read(early).is_empty());
    stage.acknowledge(&leg);
    stage.run(SECOND);
    let octets = stage.lab.read(early);
    assert_eq!(octets[10..14], SSRC);
}

#[test]
fn a_setup_line_on_a_udp_offer_does_not_count() {
    let mut stage = Stage::registered();
    let text = udp().replace("a=recvonly", "a=recvonly\r\na=setup:passive");
    let (_, ok) = stage.invite(text);
    assert!(ok.line("m=video ").unwrap().contains(" RTP/AVP "));
    assert!(!ok.text().contains("setup"));
}

#[test]
fn a_make_that_starts_after_200_does_not_wait_for_the_ack() {
    let mut stage = Stage::with(|config| {
        let mut profile = (*config.profile).clone();
        profile.behaviour.start_media = vcam::profile::StartMedia::After200;
        config.profile = profile.into();
    });
    stage.register();
    let (leg, _) = stage.invite(udp());
    stage.run(MOMENT);
    assert!(!stage.datagrams().is_empty());
    stage.acknowledge(&leg);
    stage.run(MOMENT);
    let again = stage.datagrams();
    assert!(
        !begins_with_a_key_frame(&again[0].1),
        "the ACK starts nothing anew"
    );
}

#[test]
fn y_is_echoed_letter_for_letter_and_its_number_is_the_ssrc() {
    let long = "123456789012345678901234567890";
    let wrapped = (long.parse::<u128>().unwrap() % (1 << 32)) as u32;
    for (y, ssrc) in [
        ("0200000001", 200_000_001),
        ("4294967295", u32::MAX),
        ("123", 123),
        (long, wrapped),
    ] {
        let mut stage = Stage::registered();
        let (leg, ok) = stage.invite(offer("udp", y));
        assert_eq!(ok.line("y=").as_deref(), Some(y));
        stage.acknowledge(&leg);
        stage.run(MOMENT);
        assert_eq!(stage.datagrams()[0].1[8..12], ssrc.to_be_bytes());
    }
}

#[test]
fn y_may_stand_before_the_setup_line() {
    let mut stage = Stage::registered();
    let text = offer("passive", "").replace("a=setup", "y=0100000007\r\na=setup");
    let (_, ok) = stage.invite(text);
    assert_eq!(ok.line("y=").as_deref(), Some("0100000007"));
}

#[test]
fn without_y_the_camera_chooses_one_of_its_own_domain_and_sends_it() {
    let mut stage = Stage::registered();
    let (leg, ok) = stage.invite(offer("udp", ""));
    let y = ok.line("y=").unwrap();
    assert!(y.starts_with("020000") && y.len() == 10, "{y}");
    stage.acknowledge(&leg);
    stage.run(MOMENT);
    let ssrc: u32 = y.parse().unwrap();
    assert_eq!(stage.datagrams()[0].1[8..12], ssrc.to_be_bytes());
}

#[test]
fn the_device_stands_for_its_first_channel() {
    let mut stage = Stage::registered_with(channels(2));
    let leg = Leg::to(900, DEVICE);
    let invite = leg.invite(udp());
    let (_, ok) = stage.dial(leg, invite);
    assert_eq!(ok.status(), 200);
    assert!(ok.line("o=").unwrap().starts_with(CHANNEL));
}

#[test]
fn to_names_the_channel_when_the_request_uri_does_not() {
    let second = id(CHANNEL).with_serial(2).to_string();
    for uri in [
        format!("sip:{SERVER}@{CAMERA}"),
        format!("sip:{CAMERA}"),
        format!("sip:{DEVICE}@{CAMERA}"),
    ] {
        let mut stage = Stage::registered_with(channels(2));
        let mut leg = Leg::to(900, &second);
        leg.uri = uri;
        let invite = leg.invite(udp());
        let (_, ok) = stage.dial(leg, invite);
        assert!(ok.line("o=").unwrap().starts_with(&second), "{ok:?}");
    }
}

#[test]
fn an_unknown_channel_is_404() {
    let mut stage = Stage::registered();
    let leg = Leg::to(900, "34020000001310000099");
    let invite = leg.invite(udp());
    assert_eq!(stage.dial(leg, invite).1.status(), 404);
    stage.nothing_is_left();
}

#[test]
fn an_offline_channel_is_480_and_its_calls_end() {
    let mut stage = Stage::registered_with(channels(2));
    stage.call(udp());
    let offline = |online| Command::Channel {
        id: id(CHANNEL),
        online,
    };
    stage.command(offline(false));
    let bye = stage.next();
    assert_eq!(bye.method(), "BYE");
    stage.answer(&bye, 200, "");
    assert_eq!(stage.refused(udp()), 480);
    let second = Leg::to(900, id(CHANNEL).with_serial(2).as_str());
    let invite = second.invite(udp());
    assert_eq!(
        stage.dial(second, invite).1.status(),
        200,
        "the other works"
    );
    stage.command(offline(true));
    assert_eq!(stage.invite(udp()).1.status(), 200);
}

#[test]
fn over_the_limit_of_a_channel_it_is_486_until_one_ends() {
    let mut stage = Stage::registered_with(limit(3));
    let mut legs: Vec<_> = (0..3).map(|_| stage.call(udp())).collect();
    assert_eq!(stage.refused(udp()), 486);
    assert_eq!(stage.bye(&mut legs[0]), 200);
    stage.call(udp());
    assert_eq!(stage.camera().calls(), 3);
}

#[test]
fn several_streams_of_a_channel_and_several_channels_flow_side_by_side() {
    let mut stage = Stage::registered_with(channels(3));
    for n in 1..=3u32 {
        for m in 0..2u32 {
            let leg = Leg::to(900 + 10 * n + m, id(CHANNEL).with_serial(n).as_str());
            let invite = leg.invite(offer("udp", &format!("{:010}", 10 * n + m)));
            let (leg, ok) = stage.dial(leg, invite);
            assert_eq!(ok.status(), 200);
            stage.acknowledge(&leg);
        }
    }
    stage.run(SECOND);
    let ssrcs = stage.datagrams().into_iter().map(|(_, rtp)| rtp[11]);
    let mut ssrcs: Vec<_> = ssrcs.collect();
    ssrcs.sort_unstable();
    ssrcs.dedup();
    assert_eq!(ssrcs, [10, 11, 20, 21, 30, 31]);
    assert_eq!(stage.camera().calls(), 6);
}

/// Calls with a Subject; how many are up after the second.
fn after_a_second_invite(subject: &str) -> (Stage, usize) {
    let mut stage = Stage::registered();
    for turn in [900, 901] {
        let mut leg = Leg::new(turn);
        leg.subject = subject.into();
        let invite = leg.invite(offer("udp", &turn.to_string()));
        let (leg, ok) = stage.dial(leg, invite);
        assert_eq!(ok.status(), 200);
        stage.acknowledge(&leg);
    }
    stage.datagrams();
    stage.run(SECOND);
    let calls = stage.camera().calls();
    (stage, calls)
}

#[test]
fn a_second_invite_with_the_same_subject_replaces_the_stream() {
    for serial in ["0200000001", "0BEBC201", "34020000001310000001", "00"] {
        let subject = format!("{CHANNEL}:{serial},{SERVER}:0");
        let (mut stage, calls) = after_a_second_invite(&subject);
        assert_eq!(calls, 1, "{serial}");
        let media = stage.datagrams();
        let of_second = |rtp: &[u8]| rtp[8..12] == 901u32.to_be_bytes();
        assert!(media.iter().all(|(_, rtp)| of_second(rtp)));
        let ended = |e: &Event| {
            matches!(
                e,
                Event::Ended {
                    why: CallEnd::Replaced,
                    ..
                }
            )
        };
        assert!(stage.events().iter().any(ended));
    }
}

#[test]
fn the_serial_0_no_serial_and_no_subject_replace_nothing() {
    for subject in [
        format!("{CHANNEL}:0,{SERVER}:0"),
        CHANNEL.to_owned(),
        String::new(),
    ] {
        assert_eq!(after_a_second_invite(&subject).1, 2, "{subject:?}");
    }
}

#[test]
fn a_replaced_stream_makes_room_within_the_limit() {
    let mut stage = Stage::registered_with(limit(1));
    for turn in [900, 901, 902] {
        let mut leg = Leg::new(turn);
        leg.subject = format!("{CHANNEL}:5,{SERVER}:1");
        let invite = leg.invite(udp());
        assert_eq!(stage.dial(leg, invite).1.status(), 200);
    }
}

#[test]
fn a_refused_invite_is_repeated_until_its_ack() {
    let mut stage = Stage::registered();
    let mut leg = Leg::to(900, "34020000001310000099");
    let invite = leg.invite(udp());
    let first = stage.ask(invite);
    assert_eq!(first.status(), 404);
    assert_eq!(stage.next_within(SECOND).head, first.head);
    leg.answered(&first);
    let ack = leg.ack_of_refusal(&first);
    stage.say(ack);
    stage.silence(SECOND * 40);
    assert_eq!(stage.camera().transactions(), 0);
}

#[test]
fn an_invite_that_comes_again_is_answered_again_and_makes_no_second_call() {
    let mut stage = Stage::registered();
    let invite = stage.write(&Leg::new(900).invite(udp()));
    for _ in 0..3 {
        stage.say(invite.clone());
    }
    let heard = stage.all_within(MOMENT);
    assert_eq!(heard.last().unwrap().status(), 200);
    assert_eq!(stage.camera().calls(), 1);
}

#[test]
fn calls_end_with_bye_when_the_owner_hangs_up_and_with_everything_when_power_goes_off() {
    let mut stage = Stage::registered();
    let mut leg = stage.call(passive());
    let media = stage.media();
    stage.command(Command::PowerOff);
    let bye = stage.next();
    let farewell = stage.next();
    assert_eq!((bye.method(), farewell.header("Expires")), ("BYE", "0"));
    assert_eq!(bye.cseq(), 1);
    assert_eq!(bye.header("From"), leg.to);
    assert_eq!(bye.header("To"), leg.from);
    assert!(bye.uri().contains(SERVER), "our BYE goes to the Contact");
    stage.answer(&farewell, 200, "");
    stage.run(SECOND);
    assert!(
        !matches!(stage.events().last(), Some(Event::Off { .. })),
        "BYE is still out"
    );
    stage.answer(&bye, 200, "");
    stage.run(SECOND);
    assert_eq!(stage.lab.state(media), RawState::Closed);
    assert_eq!(
        stage.events().last(),
        Some(&Event::Off { unregistered: true })
    );
    leg.cseq += 1;
    stage.nothing_is_left();
}

#[test]
fn a_camera_that_leaves_takes_no_more_calls() {
    let mut stage = Stage::registered();
    stage.command(Command::PowerOff);
    let farewell = stage.next();
    assert_eq!(stage.refused(udp()), 480);
    stage.answer(&farewell, 200, "");
    stage.run(SECOND);
    assert_eq!(
        stage.events().last(),
        Some(&Event::Off { unregistered: true })
    );
}

#[test]
fn an_invite_before_the_200_of_the_registration_is_served() {
    let mut stage = Stage::with(|_| {});
    stage.power_on();
    stage.next();
    stage.call(udp());
    stage.run(MOMENT);
    assert!(!stage.datagrams().is_empty());
}
