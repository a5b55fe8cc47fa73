//! What each make says, octet for octet, in one conversation: registration, Keepalive, the three
//! queries, an INVITE over TCP. The texts in `tests/golden` are written by hand after what was
//! published of these devices; only the random parts are given to the camera.
//! (dahua-sd6c speaks in `trace_sd6c.rs`, where its capture is.)

mod common;

use common::id;
use common::spoken::{Leg, Request, passive};
use common::stage::{CHALLENGE, DEVICE, Stage};
use vcam::camera::Command;
use vcam::sip::{Token, Tokens};

const RECORDER: &str = "34020000001180000001";

/// The texts of a make's golden file, as they go on the wire: lines end in CRLF in heads and in
/// SDP, in LF in XML; a line that ends in a backslash has no end.
fn golden(file: &str) -> Vec<String> {
    let messages = file.split("-----\n").skip(1);
    let wire = |message: &str| {
        let message = message.trim_end_matches('\n');
        let (head, body) = message.split_once("\n\n").unwrap_or((message, ""));
        let body = match body.strip_suffix('\\') {
            Some(body) => body.to_owned(),
            None if body.is_empty() => String::new(),
            None if body.starts_with("v=0") => format!("{body}\n").replace('\n', "\r\n"),
            None => format!("{body}\n"),
        };
        format!("{}\r\n\r\n{body}", head.replace('\n', "\r\n"))
    };
    messages.map(wire).collect()
}

/// Branches 101…, tags 201…, Call-IDs 301…, in the order they are needed. `place` stands behind a
/// Call-ID.
fn random_parts(place: &str) -> Tokens {
    let mut tokens = Tokens::seeded(1);
    for n in 1..20 {
        tokens.script(Token::Branch, format!("z9hG4bK{}", 100 + n));
        tokens.script(Token::Tag, (200 + n).to_string());
        tokens.script(Token::CallId, format!("{}{place}", 300 + n));
    }
    tokens
}

/// All that a device says in the conversation, but for the 200s of queries.
fn conversation(make: &str, device: &str, place: &str) -> Vec<String> {
    let mut stage = Stage::scripted(make, random_parts(place), |config| {
        config.device = id(device);
        config.credentials.username = device.into();
        if make == "generic-2016" {
            let mut profile = (*config.profile).clone();
            profile.device.firmware = "9.9.9".into();
            config.profile = profile.into();
        }
    });
    stage.keeps_alive = false;
    let mut said = Vec::new();
    stage.command(Command::PowerOn);
    let bare = stage.next();
    stage.answer(&bare, 401, CHALLENGE);
    let proved = stage.next();
    stage.answer(&proved, 200, "Expires: 3600\r\n");
    let keepalive = stage.next();
    stage.answer(&keepalive, 200, "");
    said.extend([bare, proved, keepalive]);
    for cmd_type in ["Catalog", "DeviceInfo", "DeviceStatus"] {
        assert_eq!(stage.ask(Request::query(cmd_type, device)).status(), 200);
        let answer = stage.next();
        stage.answer(&answer, 200, "");
        said.push(answer);
    }
    let invite = Leg::new(900)
        .invite(passive())
        .write("UDP", stage.platform, 900);
    stage.say(invite);
    said.extend(stage.all_within(std::time::Duration::from_millis(50)));
    said.iter().map(|heard| heard.wire()).collect()
}

fn assert_golden(make: &str, device: &str, place: &str, file: &str) {
    let said = conversation(make, device, place);
    let golden = golden(file);
    for (said, golden) in said.iter().zip(&golden) {
        assert_eq!(said, golden, "\n--- said:\n{said}\n--- golden:\n{golden}");
    }
    assert_eq!(said.len(), golden.len());
}

#[test]
fn the_older_dahua_camera() {
    let file = include_str!("golden/dahua-ipc.txt");
    assert_golden("dahua-ipc", DEVICE, "@10.0.0.2", file);
}

#[test]
fn the_dahua_recorder() {
    let file = include_str!("golden/dahua-nvr.txt");
    assert_golden("dahua-nvr", RECORDER, "", file);
}

#[test]
fn the_plain_standard() {
    let file = include_str!("golden/generic-2016.txt");
    assert_golden("generic-2016", DEVICE, "", file);
}

#[test]
fn random_parts_have_the_forms_of_the_make() {
    let form = |text: &str| match text.len() {
        32 if text.bytes().all(|b| b.is_ascii_hexdigit()) => "hex32",
        9 | 10 if text.bytes().all(|b| b.is_ascii_digit()) => "decimal",
        _ => "another",
    };
    for (make, token, suffix) in [
        ("dahua-ipc", "decimal", "@10.0.0.2"),
        ("dahua-sd6c", "decimal", "@10.0.0.2"),
        ("dahua-nvr", "hex32", ""),
        ("generic-2016", "hex32", ""),
    ] {
        let mut stage = Stage::of(make, |_| {});
        stage.command(Command::PowerOn);
        let register = stage.next();
        let call_id = register.header("Call-ID").strip_suffix(suffix).unwrap();
        let branch = register.param("Via", "branch").unwrap();
        let branch = branch.strip_prefix("z9hG4bK").unwrap();
        let tag = register.param("From", "tag").unwrap();
        assert_eq!(
            [form(call_id), form(branch), form(&tag)],
            [token; 3],
            "{make}"
        );
    }
}
