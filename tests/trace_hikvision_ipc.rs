//! The capture of a Hikvision DS-2CD5024EFWD, byte for byte: registration, keepalive, queries, a
//! PTZ command and a call over TCP that its platform connects, given its random parts.

mod common;

use common::capture::{self, Speaker, Spoken};
use common::trace::{Trace, random_parts};
use common::{config, id, ip, platform};
use vcam::camera::{Command, Config, Heartbeat};

const CAPTURE: &str = include_str!("captures/hikvision-ipc.txt");
const PLATFORM: &str = "192.168.0.110:15060";
const DEVICE: &str = "192.168.0.64:5060";
const ID: &str = "34020000001320000002";
const CHANNEL: &str = "34020000001310000001";

/// The 200s of queries were not published.
fn is_an_answer(message: &Spoken) -> bool {
    let text = message.text();
    text.starts_with("MESSAGE") && text.contains("<Response>")
}

#[test]
fn the_camera_registers_answers_and_plays_byte_for_byte() {
    let said = shown();
    let device = |part: &str| find(&said, Speaker::Device, part);
    let platform = |part: &str| find(&said, Speaker::Platform, part);
    let tokens = random_parts(&said, is_an_answer);
    let mut stage = Trace::set(camera(), "2025-04-22T10:48:38.014", tokens, &said);

    stage.lab.command(stage.camera, Command::PowerOn);
    stage.expect(&[device("CSeq: 1 REGISTER")]);
    stage.say(&platform("401 Unauthorized").bytes);
    stage.expect(&[device("CSeq: 2 REGISTER")]);
    stage.say(&platform("CSeq: 2 REGISTER").bytes);
    stage.expect(&[device("<CmdType>Keepalive")]);

    stage.say(&platform("<CmdType>DeviceInfo").bytes);
    stage.expect_answer(device("<CmdType>DeviceInfo"));
    stage.wait_until("2025-04-22T11:14:23.300");
    stage.say(&platform("<CmdType>DeviceStatus").bytes);
    stage.expect_answer(device("<CmdType>DeviceStatus"));
    stage.say(&platform("<CmdType>ConfigDownload").bytes);
    stage.expect_answer(device("<CmdType>ConfigDownload"));
    stage.say(&platform("<CmdType>Catalog").bytes);
    stage.expect_answer(device("<CmdType>Catalog"));
    stage.say(&platform("<PTZCmd>").bytes);
    stage.expect(&[device("CSeq: 23 MESSAGE")]);

    stage.lab.set_next_port(ip("192.168.0.64"), 15060);
    stage.say(&platform("s=Play\r\n").bytes);
    stage.expect(&[device("s=Play\r\n")]);
    stage.say(&platform("CSeq: 35 ACK").bytes);
    stage.expect(&[]);
}

/// The conversation as far as this test has it: what follows the live call is of recordings.
fn shown() -> Vec<Spoken> {
    let said = capture::messages(CAPTURE).into_iter();
    let mut said: Vec<_> = said.map(|message| as_it_stands(&message)).collect();
    said.retain(|message| {
        let text = message.text();
        let later = [
            "<CmdType>PresetQuery",
            "<CmdType>Alarm",
            "CSeq: 50 ",
            "RecordInfo",
        ];
        let left = ["CSeq: 3 REGISTER", "CSeq: 4 REGISTER"];
        !later.iter().chain(&left).any(|part| text.contains(part))
    });
    said
}

/// The camera of the capture records, and it beats twice a minute; ours does neither.
fn as_it_stands(message: &Spoken) -> Spoken {
    let state = [
        ("<Record>ON<", "<Record>OFF<"),
        ("Interval>30<", "Interval>3600<"),
    ];
    match state.iter().any(|(old, _)| message.text().contains(old)) {
        true => capture::with_words(message, &state),
        false => message.clone(),
    }
}

fn find<'s>(said: &'s [Spoken], by: Speaker, part: &str) -> &'s Spoken {
    let mut messages = said.iter().filter(|message| message.by == by);
    messages
        .find(|message| message.text().contains(part))
        .unwrap_or_else(|| panic!("the capture has no {part} of {by:?}"))
}

fn camera() -> Config {
    let mut platform = platform("34020000002000000001", PLATFORM);
    platform.domain = "3402000000".into();
    let mut config = config("hikvision-ipc", ID, DEVICE, platform);
    config.name = "IP CAMERA".into();
    config.channels[0].id = id(CHANNEL);
    config.channels[0].name = "hikangname".into();
    config.credentials.username = "34020000001320000088".into();
    // One Keepalive only, as in the capture.
    config.heartbeat = Heartbeat {
        interval: std::time::Duration::from_secs(3600),
        count: 3,
    };
    config.first_sn = 9;
    config
}
