//! Bad input: whatever comes on the wire costs a counter, is answered as SIP says, and leaves
//! nothing behind.

mod common;

use std::time::Duration;

use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use common::addr;
use common::capture::{self, Speaker};
use common::spoken::{Leg, Request, offer, udp};
use common::stage::{CAMERA, CHANNEL, DEVICE, PLATFORM, SERVER, Stage};
use vcam::camera::{Config, Heartbeat};
use vcam::sip::{Counters, Transport};

const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(50);

/// A registered camera that says nothing of its own for a day.
fn quiet(change: impl FnOnce(&mut Config)) -> Stage {
    Stage::registered_with(|config| {
        config.expires = SECOND * 86_400;
        config.heartbeat = Heartbeat {
            interval: SECOND * 86_400,
            count: 3,
        };
        change(config);
    })
}

/// Says each, and returns all statuses that come back.
fn statuses(stage: &mut Stage, what: impl Into<Bytes>) -> Vec<u16> {
    stage.say(what);
    let heard = stage.all_within(MOMENT);
    heard.iter().map(|heard| heard.status()).collect()
}

/// Nothing was lost and nothing is left once all timers have run.
fn survives(stage: &mut Stage) {
    stage.all_within(SECOND * 70);
    assert!(stage.camera().is_registered());
    stage.nothing_is_left();
    assert_eq!(stage.camera().transactions(), 0);
    assert_eq!(stage.ask(Request::new("OPTIONS")).status(), 200);
}

#[test]
fn datagrams_that_are_no_sip_are_counted_and_not_answered() {
    let mut stage = quiet(|_| {});
    let garbage: [&[u8]; 8] = [
        b"hello",
        b"\xFF\xFE\x00\x01\x02\x03\x04\x05",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"INVITE\r\n\r\n",
        b"SIP/2.0\r\n\r\n",
        b"SIP/2.0 99999 OK\r\n\r\n",
        b"OPTIONS sip:x SIP/2.0",
        &[0x80; 1400],
    ];
    for datagram in garbage {
        let heard = statuses(&mut stage, Bytes::copy_from_slice(datagram));
        assert!(heard.is_empty(), "{heard:?} for {datagram:?}");
    }
    assert_eq!(stage.camera().counters().malformed, 8);
    survives(&mut stage);
}

#[test]
fn short_datagrams_are_keepalives_of_somebodys_router() {
    let mut stage = quiet(|_| {});
    for datagram in ["jaK", "\r\n\r\n", "\0\0\0\0"] {
        assert!(statuses(&mut stage, datagram).is_empty());
    }
    let counters = stage.camera().counters();
    assert_eq!((counters.keepalives, counters.malformed), (3, 0));
}

#[test]
fn a_message_cut_anywhere_is_refused_or_dropped_and_never_half_obeyed() {
    let mut stage = quiet(|_| {});
    let whole = stage.write(&Leg::new(900).invite(udp()));
    for length in 0..whole.len() {
        let heard = statuses(&mut stage, whole.slice(..length));
        assert!(
            heard.iter().all(|status| *status == 400),
            "{length}: {heard:?}"
        );
    }
    assert_eq!(stage.camera().calls(), 0);
    let counters = *stage.camera().counters();
    assert_eq!(counters.malformed + counters.keepalives, whole.len() as u64);
    survives(&mut stage);
}

#[test]
fn headers_of_64_kilobytes_are_refused_as_too_large() {
    let mut stage = quiet(|_| {});
    let long = format!("X-Long: {}", "x".repeat(64 * 1024));
    let lines = "X: y\r\n".repeat(11_000);
    for headers in [long.as_str(), lines.trim_end()] {
        let request = stage.write(&Request::new("OPTIONS").with(headers));
        let heard = statuses(&mut stage, request);
        assert!(heard.is_empty() || heard == [513], "{heard:?}");
    }
    assert!(stage.camera().counters().malformed >= 2);
    survives(&mut stage);
}

#[test]
fn headers_without_end_over_tcp_cost_the_connection_and_not_the_memory() {
    let mut stage = quiet(|config| config.transport = Transport::Tcp);
    stage.say(format!("OPTIONS sip:{DEVICE}@{CAMERA} SIP/2.0\r\n"));
    for _ in 0..200 {
        stage.say("X-Endless: for ever and ever and ever and ever\r\n".repeat(20));
        stage.lab.run_for(Duration::from_millis(5));
    }
    assert_eq!(stage.camera().counters().broken_streams, 1);
    stage.accept(SECOND * 8);
    stage.accept_registration();
}

#[test]
fn mandatory_headers_that_are_missing_or_unreadable_are_400_or_nothing() {
    let mut stage = quiet(|_| {});
    let whole = stage.write(&Request::new("OPTIONS"));
    let whole = String::from_utf8(whole.to_vec()).unwrap();
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        let kept = whole.split("\r\n").filter(|line| !line.starts_with(name));
        let without = kept.collect::<Vec<_>>().join("\r\n");
        let before = stage.camera().counters().malformed;
        let heard = statuses(&mut stage, without);
        assert!(
            heard.is_empty() || heard == [400],
            "without {name}: {heard:?}"
        );
        assert_eq!(stage.camera().counters().malformed, before + 1);
    }
    for (old, new) in [
        ("CSeq: 1 OPTIONS", "CSeq: many OPTIONS"),
        ("CSeq: 1 OPTIONS", "CSeq: 1 INVITE"),
        ("CSeq: 1 OPTIONS", "CSeq: 99999999999 OPTIONS"),
        ("Content-Length: 0", "Content-Length: 7"),
        ("Content-Length: 0", "Content-Length: -1"),
    ] {
        let heard = statuses(&mut stage, whole.replace(old, new));
        assert_eq!(heard, [400], "{new}");
    }
    assert_eq!(
        statuses(&mut stage, whole.replace("SIP/2.0\r\n", "SIP/3.0\r\n")),
        [505]
    );
    assert_eq!(
        statuses(&mut stage, whole.replace("OPTIONS sip:", "OPTIONS tel:")),
        [416]
    );
    survives(&mut stage);
}

#[test]
fn offers_and_documents_that_make_no_sense_are_refused() {
    let mut stage = quiet(|_| {});
    for body in [
        "\0\u{1}\u{2}",
        "v=0",
        "m=",
        "m=video",
        "c=IN IP4\r\nm=video 1 RTP/AVP 96",
        "v=0\r\nc=IN IP4 999.1.1.1\r\nm=video 10000 RTP/AVP 96\r\n",
        "v=0\r\nc=IN IP4 10.0.0.1\r\nm=video 99999 RTP/AVP 96\r\n",
        "v=0\r\nc=IN IP4 10.0.0.1\r\nm=video 10000 RTP/AVP\r\n",
    ] {
        let status = stage.refused(body.to_owned());
        assert!([400, 488].contains(&status), "{status} for {body:?}");
    }
    let deep = "<a>".repeat(5_000);
    let wide = format!("<Query><CmdType>{}</CmdType></Query>", "x".repeat(60_000));
    for body in [
        deep,
        wide,
        "<?xml".into(),
        "<Query><CmdType>&x;</CmdType>".into(),
    ] {
        let status = stage.ask(Request::message(body)).status();
        assert!([200, 400].contains(&status), "{status}");
    }
    survives(&mut stage);
}

#[test]
fn answers_that_nobody_asked_for_change_nothing() {
    let mut stage = quiet(|_| {});
    for status in [100, 200, 302, 401, 403, 500] {
        stage.say(format!(
            "SIP/2.0 {status} X\r\nVia: SIP/2.0/UDP {CAMERA};branch=z9hG4bKforged\r\n\
             From: <sip:{DEVICE}@x>;tag=1\r\nTo: <sip:{SERVER}@x>;tag=2\r\nCall-ID: 1\r\n\
             CSeq: 1 REGISTER\r\nContact: <sip:{SERVER}@10.6.6.6>\r\nContent-Length: 0\r\n\r\n"
        ));
    }
    stage.silence(SECOND);
    assert_eq!(stage.camera().counters().stray_responses, 6);
    survives(&mut stage);
}

#[test]
fn a_flood_of_requests_is_answered_503_beyond_a_bound_and_passes() {
    let mut stage = quiet(|_| {});
    stage.silence(SECOND * 40);
    let mut heard = Vec::new();
    for turn in 0..6_000 {
        let options = Request::new("OPTIONS").write("UDP", stage.platform, 10_000 + turn);
        stage.say(options);
        if turn % 500 == 499 {
            heard.extend(stage.all_within(Duration::from_millis(10)));
        }
    }
    let refused = heard.iter().filter(|h| h.status() == 503).count();
    assert_eq!((heard.len(), refused), (6_000, 6_000 - 4_096));
    assert_eq!(stage.camera().transactions(), 4_096);
    survives(&mut stage);
}

/// Messages that a platform might well send: the captures', ours, and a call's.
fn seeds(stage: &mut Stage) -> Vec<Vec<u8>> {
    let captures = [
        include_str!("captures/gosip-dahua-invite.txt"),
        include_str!("captures/dahua-sd6c.txt"),
        include_str!("captures/hikvision-nvr.txt"),
    ];
    let spoken = captures.iter().flat_map(|file| capture::messages(file));
    let platforms = spoken.filter(|message| message.by == Speaker::Platform);
    let adapted = platforms.map(|message| {
        let ours = [
            ("34020000001328000001", CHANNEL),
            ("34020000001320000002", DEVICE),
            ("10.110.18.250", "10.0.0.1"),
        ];
        capture::with_words(&message, &ours).bytes.to_vec()
    });
    let mut seeds: Vec<_> = adapted.collect();
    let leg = Leg::new(700);
    for request in [
        leg.invite(udp()),
        leg.invite(offer("passive", "")),
        leg.invite(offer("active", "123")),
        leg.request("ACK", 1),
        leg.request("BYE", 2),
        leg.request("CANCEL", 1),
        leg.request("INFO", 2),
        Request::query("Catalog", DEVICE),
        Request::query("DeviceStatus", DEVICE),
        Request::new("OPTIONS").with("Require: x"),
    ] {
        seeds.push(stage.write(&request).to_vec());
    }
    seeds
}

/// Changes a message in one to four places: octets, pieces, lines.
fn mutate(chance: &mut StdRng, message: &mut Vec<u8>) {
    const WORDS: [&[u8]; 10] = [
        b"\r\n",
        b"\0",
        b";tag=",
        b"4294967296",
        b"<",
        b"sip:",
        b"SIP/2.0",
        b"y=",
        b"\xFF\xFF",
        b": ",
    ];
    for _ in 0..chance.random_range(1..=4) {
        if message.is_empty() {
            return;
        }
        let at = chance.random_range(0..message.len());
        let end = (at + chance.random_range(1..40)).min(message.len());
        match chance.random_range(0..6) {
            0 => message[at] = chance.random(),
            1 => message[at] ^= 1 << chance.random_range(0..8),
            2 => drop(message.drain(at..end)),
            3 => {
                let piece = message[at..end].to_vec();
                message.splice(at..at, piece);
            }
            4 => {
                let word = WORDS[chance.random_range(0..WORDS.len())];
                message.splice(at..at, word.iter().copied());
            }
            _ => message.truncate(at),
        }
    }
}

#[test]
fn ten_thousand_damaged_messages_leave_a_camera_as_it_was() {
    let seed = 20_260_101;
    let mut chance = StdRng::seed_from_u64(seed);
    let mut stage = quiet(|_| {});
    let seeds = seeds(&mut stage);
    assert!(seeds.len() > 20);
    for turn in 0..10_000 {
        let mut message = seeds[chance.random_range(0..seeds.len())].clone();
        mutate(&mut chance, &mut message);
        stage
            .lab
            .send_datagram(addr(PLATFORM), addr(CAMERA), message);
        if turn % 10 == 0 {
            stage.lab.run_for(Duration::from_millis(100));
            let heard = stage.lab.datagrams_at(addr(PLATFORM));
            let registers = heard
                .iter()
                .any(|(_, bytes)| bytes.starts_with(b"REGISTER"));
            assert!(!registers, "seed {seed}, turn {turn}");
            stage.datagrams();
        }
    }
    let Counters {
        requests,
        malformed,
        faults_answered,
        stray_acks,
        stray_responses,
        ..
    } = *stage.camera().counters();
    assert!(malformed > 1_000 && faults_answered > 500 && requests > 2_000);
    assert!(stray_acks > 50 && stray_responses > 50);
    assert!(stage.camera().is_registered(), "seed {seed}");
    leave_no_call(&mut stage);
    survives(&mut stage);
}

/// The calls that damaged INVITEs made: those nobody acknowledged end by themselves, the others by
/// their owner.
fn leave_no_call(stage: &mut Stage) {
    stage.lab.run_for(SECOND * 70);
    stage.command(vcam::camera::Command::HangUp);
    stage.lab.run_for(SECOND * 70);
    stage.lab.datagrams_at(addr(PLATFORM));
    stage.datagrams();
}
