//! What the edition of 2022 brought to every message: X-GB-Ver, GB 18030, digests in Note
//! (GB/T 28181-2022 §6.10, §8.3, annex I).

mod common;

use std::time::Duration;

use common::spoken::{Heard, Request};
use common::stage::{DEVICE, Stage};

const SOON: Duration = Duration::from_millis(100);

fn stage(make: &str) -> Stage {
    let mut stage = Stage::of(make, |_| {});
    stage.register();
    stage
}

fn answer(stage: &mut Stage, request: Request) -> Heard {
    assert_eq!(stage.ask(request).status(), 200);
    let answer = stage.next_within(SOON);
    stage.answer(&answer, 200, "");
    answer
}

#[test]
fn a_register_says_which_edition_the_device_speaks_and_other_requests_do_not() {
    for (make, version) in [
        ("generic-2016", None),
        ("dahua-ipc", None),
        ("generic-2022", Some("3.0")),
        ("dahua-ipc-2022", Some("3.0")),
    ] {
        let mut stage = Stage::of(make, |_| {});
        stage.keeps_alive = false;
        stage.power_on();
        let first = stage.next();
        assert_eq!(first.method(), "REGISTER");
        assert_eq!(first.value("X-GB-Ver"), version, "{make}");
        stage.answer(&first, 200, "Expires: 3600\r\nX-GB-Ver: 3.0\r\n");
        let beat = stage.next();
        assert!(beat.is_keepalive() && !beat.has("X-GB-Ver"), "{beat:?}");
        assert!(stage.camera().is_registered());
    }
}

/// A character of four octets in GB 18030, which GB 2312 and GBK do not have.
const RARE: &str = "\u{20BB7}";

/// GB 18030 counts the characters beyond U+FFFF from 90 30 81 30: 12,600, 1,260, 10 and 1 apart.
fn four_octets(character: char) -> [u8; 4] {
    let n = character as u32 - 0x10000;
    let octet = |base: u32, n: u32| u8::try_from(base + n).unwrap();
    [
        octet(0x90, n / 12_600),
        octet(0x30, n / 1_260 % 10),
        octet(0x81, n / 10 % 126),
        octet(0x30, n % 10),
    ]
}

fn rename(octets: &[u8]) -> Request {
    let head = format!(
        "<?xml version=\"1.0\" encoding=\"GB18030\"?><Control><CmdType>DeviceConfig</CmdType>\
         <SN>9</SN><DeviceID>{DEVICE}</DeviceID><BasicParam><Name>"
    );
    let tail = "</Name></BasicParam></Control>";
    Request::message([head.as_bytes(), octets, tail.as_bytes()].concat())
}

#[test]
fn names_that_only_gb_18030_has_come_in_and_go_out() {
    let octets = four_octets(RARE.chars().next().unwrap());
    for (make, told) in [("generic-2022", &octets[..]), ("generic-2016", b"?")] {
        let mut stage = stage(make);
        let done = answer(&mut stage, rename(&octets));
        assert_eq!(done.element("Result").unwrap(), "OK");
        assert_eq!(stage.camera().config().name(), RARE);
        let info = answer(&mut stage, Request::query("DeviceInfo", DEVICE));
        let name = [b"<DeviceName>", told, b"</DeviceName>"].concat();
        let body = &info.body;
        assert!(
            body.windows(name.len()).any(|part| part == name),
            "{info:?}"
        );
    }
}

#[test]
fn a_digest_in_note_is_no_obstacle() {
    for algorithm in ["SM3", "MD5", "SHA-1", "none that anybody knows"] {
        let mut stage = stage("generic-2022");
        let query = Request::query("DeviceInfo", DEVICE)
            .with("Date: 2026-01-01T08:00:00.000")
            .with("Monitor-User-Identity: operation=\"x\"")
            .with(&format!(
                "Note: Digest nonce=\"bm9uY2U=\", algorithm={algorithm}"
            ));
        let info = answer(&mut stage, query);
        assert_eq!(info.element("Result").unwrap(), "OK");
    }
}
