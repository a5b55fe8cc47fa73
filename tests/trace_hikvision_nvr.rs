//! The capture of a Hikvision recorder, byte for byte: a record query, a playback, a pause and its
//! end, given its random parts, the size of the file and where its packets stand.

mod common;

use common::capture::{self, Speaker, Spoken};
use common::trace::{Trace, random_parts_after};
use common::{addr, config, id, ip, platform};
use vcam::camera::recordings::File;
use vcam::camera::{Command, Config, Recordings};
use vcam::gb28181::manscdp::RecordKind;
use vcam::gb28181::time;
use vcam::sip::{Token, Tokens};

const CAPTURE: &str = include_str!("captures/hikvision-nvr.txt");
const PLATFORM: &str = "192.168.6.106:5062";
const DEVICE: &str = "192.168.6.60:5060";
const ID: &str = "34020000001110000001";
const CHANNEL: &str = "34020000001310000001";

#[test]
fn the_recorder_tells_its_files_plays_and_pauses_byte_for_byte() {
    let said = capture::messages(CAPTURE);
    let device = |part: &str| find(&said, Speaker::Device, part);
    let platform = |part: &str| find(&said, Speaker::Platform, part);
    let tokens = random_parts_after(registration(), &said, |_| false);
    let mut stage = Trace::set(recorder(), "2024-05-17T15:49:01.451", tokens, &said);
    stage.lab.bind(addr("192.168.6.106:45056"));
    stage.lab.command(stage.camera, Command::PowerOn);
    assert_eq!(
        stage.heard().len(),
        1,
        "a REGISTER, which nobody answers yet"
    );

    stage.say(&platform("<CmdType>RecordInfo").bytes);
    stage.expect(&[
        device("CSeq: 20 MESSAGE\nUser"),
        device("<CmdType>RecordInfo"),
    ]);
    stage.lab.set_next_port(ip("192.168.6.60"), 62000);
    stage.say(&platform("s=Playback").bytes);
    let answer = stage.heard();
    assert_eq!(
        answer,
        [with_our_size(device("s=Network Video Recorder"), &answer[0]).text()]
    );
    stage.say(&ack(platform("s=Playback"), &answer[0]).into());
    assert_eq!(stage.heard(), [] as [&str; 0]);
    let media = stage.lab.datagrams_at(addr("192.168.6.106:45056"));
    assert_eq!(media[0].1[8..12], 2000u32.to_be_bytes(), "the SSRC of y=");
    stage.say(&platform("PAUSE RTSP/1.0").bytes);
    let held = stage.heard();
    assert_eq!(
        held,
        [with_our_packets(device("CSeq: 21 INFO"), &held[0]).text()]
    );
}

fn find<'s>(said: &'s [Spoken], by: Speaker, part: &str) -> &'s Spoken {
    let mut messages = said.iter().filter(|message| message.by == by);
    messages
        .find(|message| message.text().replace('\r', "").contains(part))
        .unwrap_or_else(|| panic!("the capture has no {part} of {by:?}"))
}

/// What stands behind `before` in a text, up to the end of its line.
fn value<'t>(text: &'t str, before: &str) -> &'t str {
    let (_, rest) = text.split_once(before).expect(before);
    rest.lines().next().unwrap()
}

/// The capture's file is two gigabytes long; ours is as long as our clip makes it.
fn with_our_size(message: &Spoken, ours: &str) -> Spoken {
    let (theirs, size) = ("a=filesize:2124794308", value(ours, "a=filesize:"));
    assert!(size.parse::<u64>().unwrap() > 1_000_000, "{size}");
    capture::with_words(message, &[(theirs, &format!("a=filesize:{size}"))])
}

/// Where the next packet stands, which the recorder writes in more digits than there can be.
fn with_our_packets(message: &Spoken, ours: &str) -> Spoken {
    let info = value(ours, "RTP-Info: ");
    let (seq, rtptime) = info.split_once(';').unwrap();
    let seq: u16 = seq.strip_prefix("seq=").unwrap().parse().unwrap();
    let rtptime: u32 = rtptime.strip_prefix("rtptime=").unwrap().parse().unwrap();
    let info = format!("seq={seq};rtptime={rtptime}");
    capture::with_words(message, &[("seq=9810092;rtptime=3450012", &info)])
}

/// The capture leaves it out.
fn ack(invite: &Spoken, answer: &str) -> String {
    format!(
        "ACK sip:{CHANNEL}@{DEVICE} SIP/2.0\r\n\
         Via: SIP/2.0/UDP {PLATFORM};rport;branch=z9hG4bKack\r\n\
         From: {}\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 20 ACK\r\nMax-Forwards: 70\r\n\
         Content-Length: 0\r\n\r\n",
        invite.header("From"),
        value(answer, "To: "),
        invite.header("Call-ID"),
    )
}

/// The capture begins when the recorder is registered.
fn registration() -> Tokens {
    let mut tokens = Tokens::seeded(1);
    tokens.script(Token::Branch, "z9hG4bK1");
    tokens.script(Token::Tag, "1");
    tokens.script(Token::CallId, "1");
    tokens
}

fn recorder() -> Config {
    let mut platform = platform("34020000002000000010", PLATFORM);
    platform.domain = "3402000000".into();
    let mut config = config("hikvision-nvr", ID, DEVICE, platform);
    config.channels[0].id = id(CHANNEL);
    config.channels[0].name = "IPCamera 01".into();
    config.credentials.password = "12345678".into();
    let file = |start, end| File {
        start: time::parse(start).unwrap(),
        end: time::parse(end).unwrap(),
        kind: RecordKind::Time,
        source: None,
    };
    let files = vec![
        file("2024-05-04T14:43:16", "2024-05-04T15:16:26"),
        file("2024-05-04T15:16:26", "2024-05-04T15:49:37"),
    ];
    config.recordings = Some(Recordings::Files(files).into());
    config
}
