//! The capture of a Dahua DH-SD-6C3230UE-HN, byte for byte: registration, keepalive, queries and a
//! call over UDP, each message as the device wrote it, given its random parts.

mod common;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use common::capture::{self, Speaker, Spoken};
use common::{addr, config, id, ip, platform};
use vcam::camera::{Camera, Command, Config, Heartbeat};
use vcam::gb28181::time;
use vcam::lab::{Key, Lab};
use vcam::sip::digest::Authorization;
use vcam::sip::{Method, Token, Tokens};

const CAPTURE: &str = include_str!("captures/dahua-sd6c.txt");
const PLATFORM: &str = "192.168.6.106:5062";
const DEVICE: &str = "192.168.6.71:5060";
/// The capture does not tell the real one.
const PASSWORD: &str = "12345678";

#[test]
fn the_speed_dome_registers_answers_and_plays_byte_for_byte() {
    let said = capture::messages(CAPTURE);
    let mut stage = Stage::set(&said);
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
    stage.ask("DeviceInfo", 9);
    stage.expect_last(device(5));
    stage.wait_until("2024-05-17T14:24:54.300");
    stage.ask("DeviceStatus", 10);
    stage.expect_last(device(6));
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

/// The camera of the capture in a lab, and somebody who reads out the platform's part.
struct Stage {
    lab: Lab,
    camera: Key<Camera>,
}

impl Stage {
    fn set(said: &[Spoken]) -> Stage {
        let date = time::parse("2024-05-17T14:07:33.263").unwrap();
        let mut lab = Lab::starting(1, date);
        lab.bind(addr(PLATFORM));
        lab.bind(addr("192.168.6.106:45056"));
        let config = Arc::new(speed_dome());
        let camera = Camera::with_tokens(config, 1, random_parts(said));
        let camera = lab.add(ip("192.168.6.71"), camera);
        Stage { lab, camera }
    }

    fn wait_until(&mut self, date: &str) {
        let then = time::parse(date).unwrap().as_micros();
        let micros = then - self.lab.now().wall.as_micros();
        self.lab
            .run_for(Duration::from_micros(micros.try_into().unwrap()));
    }

    fn say(&mut self, bytes: &Bytes) {
        self.lab
            .send_datagram(addr(PLATFORM), addr(DEVICE), bytes.clone());
    }

    /// A query that the capture mentions but does not show.
    fn ask(&mut self, cmd_type: &str, sn: u32) {
        let body = format!(
            "<?xml version=\"1.0\"?>\r\n<Query>\r\n<CmdType>{cmd_type}</CmdType>\r\n\
             <SN>{sn}</SN>\r\n<DeviceID>34020000001320000002</DeviceID>\r\n</Query>\r\n"
        );
        let message = format!(
            "MESSAGE sip:34020000001320000002@{DEVICE} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {PLATFORM};rport;branch=z9hG4bK{cmd_type}\r\n\
             From: <sip:34020000002000000010@{PLATFORM}>;tag=1\r\n\
             To: <sip:34020000001320000002@{DEVICE}>\r\nCall-ID: {cmd_type}\r\n\
             CSeq: 20 MESSAGE\r\nContent-Type: application/MANSCDP+xml\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.say(&message.into());
    }

    /// What the device sends now; its requests are answered 200, except REGISTER.
    fn heard(&mut self) -> Vec<String> {
        self.lab.run_for(Duration::from_millis(100));
        let datagrams = self.lab.datagrams_at(addr(PLATFORM));
        let texts = datagrams
            .iter()
            .map(|(_, bytes)| String::from_utf8(bytes.to_vec()).unwrap());
        let texts: Vec<_> = texts.collect();
        for request in texts.iter().filter(|text| text.starts_with("MESSAGE")) {
            self.say(&ok(request).into());
        }
        texts
    }

    fn expect(&mut self, expected: &[&Spoken]) {
        let heard: Vec<_> = self
            .heard()
            .iter()
            .map(|text| without_proof(text))
            .collect();
        let expected: Vec<_> = expected.iter().map(|m| without_proof(&m.text())).collect();
        assert_eq!(heard, expected);
    }

    /// The answer behind a 200 that the capture does not show.
    fn expect_last(&mut self, expected: &Spoken) {
        let heard = self.heard();
        assert_eq!(heard.len(), 2, "a 200 and an answer: {heard:?}");
        assert!(heard[0].starts_with("SIP/2.0 200 OK\r\n"));
        assert_eq!(heard[1], expected.text());
    }
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

/// Tags, branches and Call-IDs of the capture in the order they are needed; where it leaves out a
/// 200, any tag.
fn random_parts(said: &[Spoken]) -> Tokens {
    let mut tokens = Tokens::seeded(1);
    for message in said.iter().filter(|m| m.by == Speaker::Device) {
        let start = message.start();
        if !start.starts_with("SIP/2.0") {
            tokens.script(Token::Branch, message.part("Via", "branch="));
        }
        let again = message.header("CSeq") == "2 REGISTER";
        if start.starts_with("MESSAGE") || start.starts_with("REGISTER") && !again {
            if shows_no_200(message) {
                tokens.script(Token::Tag, "1");
            }
            tokens.script(Token::Tag, message.part("From", "tag="));
            tokens.script(Token::CallId, message.header("Call-ID"));
        }
        let first_answer = start.starts_with("SIP/2.0 101")
            || start.starts_with("SIP/2.0 200") && message.header("CSeq") == "20 MESSAGE";
        if first_answer {
            tokens.script(Token::Tag, message.part("To", "tag="));
        }
    }
    tokens
}

fn shows_no_200(message: &Spoken) -> bool {
    let text = message.text();
    text.contains("<CmdType>DeviceInfo") || text.contains("<CmdType>DeviceStatus")
}

/// The message with its digest response, if any, proved by our own password and cut out.
fn without_proof(text: &str) -> String {
    let Some((before, rest)) = text.split_once("response=\"") else {
        return text.to_owned();
    };
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("Authorization: "));
    let authorization = Authorization::parse(line.unwrap()).unwrap();
    let ours = authorization.proof(PASSWORD, Method::Register);
    let captured = "fa983ee8abd2b6ff36b857c660b06f67";
    assert!([ours.as_str(), captured].contains(&authorization.response.as_str()));
    format!("{before}response=\"…{}", &rest[32..])
}

fn ok(request: &str) -> String {
    let echoed = ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| {
        let mut lines = request.lines();
        let line = lines.find(|line| line.starts_with(&format!("{name}:")));
        line.unwrap().to_owned()
    });
    let [via, from, to, call_id, cseq] = echoed;
    format!(
        "SIP/2.0 200 OK\r\n{via}\r\n{from}\r\n{to};tag=9\r\n{call_id}\r\n{cseq}\r\n\
         Content-Length: 0\r\n\r\n"
    )
}
