//! The capture of a Dahua DH-SD-6C3230UE-HN, byte for byte: registration, keepalive, queries and a
//! call over UDP, each message as the device wrote it, given its random parts.

mod common;

use std::time::Duration;

use common::capture::{self, Speaker, Spoken};
use common::trace::{Trace, random_parts};
use common::{addr, config, id, ip, platform};
use vcam::camera::{Command, Config, Heartbeat};

const CAPTURE: &str = include_str!("captures/dahua-sd6c.txt");
const PLATFORM: &str = "192.168.6.106:5062";
const DEVICE: &str = "192.168.6.71:5060";
/// The capture does not tell the real one.
const PASSWORD: &str = "12345678";

#[test]
fn the_speed_dome_registers_answers_and_plays_byte_for_byte() {
    let said = capture::messages(CAPTURE);
    let mut stage = stage(&said);
    let device = |n: usize| {
        said.iter()
            .filter(|m| m.by == Speaker::Device)
            .nth(n)
            .unwrap()
    };
    let platform = |n: usize| {
        said.iter()
            .filter(|m| m.by == Speaker::Platform)
            .nth(n)
            .unwrap()
    };

    stage.lab.command(stage.camera, Command::PowerOn);
    stage.expect(&[device(0)]);
    stage.say(&platform(0).bytes);
    stage.expect(&[device(1)]);
    stage.say(&platform(1).bytes);
    stage.expect(&[device(2)]);
    stage.say(&platform(2).bytes);
    stage.expect(&[device(3), device(4)]);
    ask(&mut stage, "DeviceInfo", 9);
    stage.expect_answer(device(5));
    stage.wait_until("2024-05-17T14:24:54.300");
    ask(&mut stage, "DeviceStatus", 10);
    stage.expect_answer(device(6));
    stage.lab.set_next_port(ip("192.168.6.71"), 9712);
    stage.say(&platform(3).bytes);
    stage.expect(&[device(7), device(8), device(9)]);
    stage.say(&platform(4).bytes);
    stage.expect(&[]);
    let media = stage.lab.datagrams_at(addr("192.168.6.106:45056"));
    let (from, first) = media.first().expect("media flows after ACK");
    assert_eq!(*from, addr("192.168.6.71:9712"));
    assert_eq!(first[8..12], 1002u32.to_be_bytes(), "the SSRC of y=");
    stage.say(&platform(5).bytes);
    stage.expect(&[device(10)]);
}

fn stage(said: &[Spoken]) -> Trace {
    let tokens = random_parts(said, shows_no_200);
    let mut trace = Trace::set(speed_dome(), "2024-05-17T14:07:33.263", tokens, said);
    trace.lab.bind(addr("192.168.6.106:45056"));
    trace
}

/// A query that the capture mentions but does not show.
fn ask(stage: &mut Trace, cmd_type: &str, sn: u32) {
    let body = format!(
        "<?xml version=\"1.0\"?>\r\n<Query>\r\n<CmdType>{cmd_type}</CmdType>\r\n\
         <SN>{sn}</SN>\r\n<DeviceID>34020000001320000002</DeviceID>\r\n</Query>\r\n"
    );
    stage.message("34020000001320000002", &body);
}

fn speed_dome() -> Config {
    let platform = platform("34020000002000000010", PLATFORM);
    let mut config = config("dahua-sd6c", "34020000001320000002", DEVICE, platform);
    config.channels[0].id = id("34020000001310000001");
    config.channels[0].name = "DH71".into();
    config.credentials.password = PASSWORD.into();
    // One Keepalive only, as in the capture, which has been running for a while.
    config.heartbeat = Heartbeat {
        interval: Duration::from_secs(3600),
        count: 3,
    };
    config.first_sn = 539;
    config
}

fn shows_no_200(message: &Spoken) -> bool {
    let text = message.text();
    text.contains("<CmdType>DeviceInfo") || text.contains("<CmdType>DeviceStatus")
}
