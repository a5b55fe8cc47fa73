//! The capture of a Dahua DH-SD-6C3230UE-HN, played at the reference platform: it takes every
//! octet that the device wrote, and has nothing to complain about.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::capture::{self, Speaker, Spoken};
use common::{addr, id, ip};
use vcam::gb28181::time;
use vcam::lab::{Key, Lab};
use vcam::media::{Expected, MediaTransport};
use vcam::platform::{
    Answer, AskId, Command, Config, Event, Passwords, Platform, PlayEnd, PlayId, Query,
};
use vcam::sip::{Challenge, Credentials, CseqStyle, Method, Style, Token, Tokens, UriHost, digest};

const CAPTURE: &str = include_str!("captures/dahua-sd6c.txt");
const PLATFORM: &str = "192.168.6.106:5062";
const DEVICE: &str = "192.168.6.71:5060";
/// The capture does not tell the real one.
const PASSWORD: &str = "12345678";
/// Ours where the capture's platform took another: ours names its domain.
const SSRC: [&str; 2] = ["y=0000001002", "y=0200000001"];

#[test]
fn a_real_speed_dome_is_served_and_has_nothing_to_be_blamed_for() {
    let mut stage = Stage::set();
    let device = |n: usize| spoken_by(Speaker::Device, n);

    stage.say(&device(0));
    let challenge = spoken_by(Speaker::Platform, 0).header("WWW-Authenticate");
    let heard = stage.heard();
    assert!(heard[0].starts_with("SIP/2.0 401 "), "{heard:?}");
    assert!(heard[0].contains("nonce=\"1715926053\""), "{heard:?}");
    stage.say(&proved(&device(1), &challenge));
    let heard = stage.heard();
    assert!(heard[0].starts_with("SIP/2.0 200 "), "{heard:?}");
    assert!(
        heard[0].contains("Date: 2024-05-17T14:07:33.3"),
        "{heard:?}"
    );
    assert!(matches!(stage.events()[..], [Event::Registered { .. }]));

    stage.say(&device(2));
    assert!(matches!(
        stage.events()[..],
        [Event::Kept { healthy: true, .. }]
    ));

    stage.ask(Query::Catalog);
    stage.say(&device(3));
    stage.say(&device(4));
    let Answer::Catalog(items) = stage.answer() else {
        panic!("not a catalogue");
    };
    assert_eq!((items.len(), items[0].name.as_str()), (1, "DH71"));
    stage.ask(Query::DeviceStatus); // SN 8, which the capture does not show
    stage.ask(Query::DeviceInfo);
    stage.say(&device(5));
    let Answer::DeviceInfo(info) = stage.answer() else {
        panic!("not a DeviceInfo");
    };
    assert_eq!(info.firmware, "2.623.0000000.17.R,2019-01-19");
    stage.ask(Query::DeviceStatus);
    stage.say(&device(6));
    let Answer::DeviceStatus(status) = stage.answer() else {
        panic!("not a DeviceStatus");
    };
    assert_eq!((status.online, status.alarms.len()), (true, 2));

    stage.play();
    let invite = stage.heard().pop().unwrap();
    assert!(invite.starts_with("INVITE sip:34020000001310000001@192.168.6.71:5060 "));
    assert!(
        invite.contains("m=video 45056 RTP/AVP 96 98 97\r\n"),
        "{invite}"
    );
    stage.say(&device(7));
    stage.say(&device(8));
    let ok = capture::with_words(&device(9), &[(SSRC[0], SSRC[1])]);
    stage.say(&ok);
    let acknowledged = stage.heard();
    assert_eq!(
        head(&acknowledged),
        head(&[spoken_by(Speaker::Platform, 4).text()])
    );
    stage.say(&ok);
    assert_eq!(
        stage.heard().len(),
        1,
        "the copy of the 200 is acknowledged too"
    );
    assert!(matches!(
        stage.events()[..],
        [Event::PlayAnswered { media, ssrc: 200_000_001, .. }] if media == addr("192.168.6.71:9712")
    ));
    stage.command(Command::Stop { play: PlayId(1) });
    assert_eq!(
        head(&stage.heard()),
        head(&[spoken_by(Speaker::Platform, 5).text()])
    );
    stage.say(&device(10));
    assert!(matches!(
        stage.events()[..],
        [Event::PlayEnded {
            why: PlayEnd::Stopped,
            ..
        }]
    ));
    let platform = stage.lab.node(stage.platform);
    assert_eq!(platform.complaints().total(), 0);
    assert_eq!(platform.calls(), 0);
}

/// The platform of the capture in a lab, and somebody who reads out the device's part.
struct Stage {
    lab: Lab,
    platform: Key<Platform>,
    asked: u64,
}

impl Stage {
    fn set() -> Stage {
        let date = time::parse("2024-05-17T14:07:33.263").unwrap();
        let mut lab = Lab::starting(1, date);
        lab.bind(addr(DEVICE));
        let host = ip("192.168.6.106");
        let platform = Platform::with_tokens(Arc::new(config()), random_parts());
        let platform = lab.add(host, platform);
        lab.run_for(Duration::from_millis(10));
        lab.set_next_port(host, 45056);
        let mut stage = Stage {
            lab,
            platform,
            asked: 0,
        };
        assert!(matches!(stage.events()[..], [Event::Listening { .. }]));
        stage
    }

    fn say(&mut self, message: &Spoken) {
        let (from, to) = (addr(DEVICE), addr(PLATFORM));
        self.lab.send_datagram(from, to, message.bytes.clone());
        self.lab.run_for(Duration::from_millis(40));
    }

    fn heard(&mut self) -> Vec<String> {
        let datagrams = self.lab.datagrams_at(addr(DEVICE));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        datagrams.iter().map(|(_, bytes)| text(bytes)).collect()
    }

    fn events(&mut self) -> Vec<Event> {
        let events = self.lab.take_events(self.platform);
        events.into_iter().map(|(_, event)| event).collect()
    }

    fn command(&mut self, command: Command) {
        self.heard();
        self.lab.command(self.platform, command);
        self.lab.run_for(Duration::from_millis(40));
    }

    fn ask(&mut self, what: Query) {
        self.asked += 1;
        let ask = AskId(self.asked);
        let device = id("34020000001320000002");
        self.command(Command::Query { device, what, ask });
    }

    fn answer(&mut self) -> Answer {
        match self.events().pop() {
            Some(Event::Answered { ask, answer, .. }) if ask == AskId(self.asked) => answer,
            other => panic!("no answer but {other:?}"),
        }
    }

    fn play(&mut self) {
        self.command(Command::Play {
            device: id("34020000001320000002"),
            channel: id("34020000001310000001"),
            transport: MediaTransport::Udp,
            stream: 0,
            showing: vcam::platform::Showing::Live,
            expected: Arc::new(Expected::default()),
            play: PlayId(1),
        });
    }
}

fn spoken_by(speaker: Speaker, n: usize) -> Spoken {
    let said = capture::messages(CAPTURE);
    said.into_iter().filter(|m| m.by == speaker).nth(n).unwrap()
}

/// As the eXosip platform of the capture writes it.
fn config() -> Config {
    let mut config = Config::new(id("34020000002000000010"), addr(PLATFORM));
    config.tcp = None;
    config.realm = "34020000".into();
    config.passwords = Passwords::shared(PASSWORD);
    config.registration.qop = false;
    config.first_sn = 7;
    config.style = Style {
        uri_host: UriHost::Address,
        message_cseq: CseqStyle::Always(20),
        ..Style::default()
    };
    config
}

/// The platform's tags, branches and Call-IDs, so that the device's answers fit.
fn random_parts() -> Tokens {
    let mut tokens = Tokens::seeded(1);
    tokens.script(Token::Nonce, "1715926053");
    // The To tags of the 401, the 200 and the Keepalive's 200.
    for tag in ["3241172924", "3666500293", "1"] {
        tokens.script(Token::Tag, tag);
    }
    let platform = |n| spoken_by(Speaker::Platform, n);
    let begin = |tokens: &mut Tokens, request: &Spoken| {
        tokens.script(Token::Branch, request.part("Via", "branch="));
        tokens.script(Token::Tag, request.part("From", "tag="));
        tokens.script(Token::CallId, request.header("Call-ID"));
    };
    begin(&mut tokens, &platform(2));
    // The queries that the capture does not show, and the 200s to their answers.
    tokens.script(Token::Tag, "2");
    for n in ["8", "9", "10"] {
        tokens.script(Token::Branch, format!("z9hG4bK{n}"));
        tokens.script(Token::CallId, n);
        tokens.script(Token::Tag, n);
        if n != "8" {
            tokens.script(Token::Tag, format!("to{n}"));
        }
    }
    begin(&mut tokens, &platform(3));
    // The ACK, its copy, and the BYE.
    for n in ["z9hG4bK1703481534", "z9hG4bKcopy", "z9hG4bK3131645526"] {
        tokens.script(Token::Branch, n);
    }
    tokens
}

/// The message with its digest response proved by our own password.
fn proved(message: &Spoken, challenge: &str) -> Spoken {
    let challenge = Challenge::parse(challenge).unwrap();
    let credentials = Credentials {
        username: "34020000001320000002".into(),
        password: PASSWORD.into(),
    };
    let uri = format!("sip:34020000002000000010@{PLATFORM}");
    let ours = digest::answer(&challenge, &credentials, Method::Register, &uri, 1, "");
    let theirs = message.part("Authorization", "response=\"");
    capture::with_words(message, &[(&theirs, &ours.response)])
}

/// Start line and the headers that make a request part of its dialog.
fn head(messages: &[String]) -> Vec<String> {
    let names = ["Via", "From", "To", "Call-ID", "CSeq"];
    let text = messages.last().map(String::as_str).unwrap_or_default();
    let (mut kept, mut branch) = (Vec::new(), None);
    for line in text.lines() {
        let name = line.split_once(": ").map_or(line, |(name, _)| name);
        if name == "Via" {
            branch = line.split_once("branch=").map(|(_, rest)| rest);
        } else if names.contains(&name) || kept.is_empty() {
            kept.push(line.to_owned());
        }
    }
    kept.sort();
    kept.extend(branch.and_then(|b| b.split(';').next()).map(str::to_owned));
    kept
}
