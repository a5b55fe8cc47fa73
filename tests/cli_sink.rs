//! `vcam platform --sink` as a script uses it.
#![cfg(unix)]

mod common;

use std::process::{Command, Output};
use std::time::Duration;

use common::process;
use serde_json::Value;
use vcam::{Camera, Clip, DeviceId, PlatformAddress, Profile};

const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/media/tiny.h264");

fn sink(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_vcam"))
        .args(["platform", "--sink"])
        .args(arguments)
        .env("VCAM_PASSWORD", "12345678")
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

#[tokio::test]
async fn cameras_are_taken_in_and_reported_as_json() {
    let at = format!("127.0.0.1:{}", process::free_port());
    let listen = at.clone();
    let report = tokio::task::spawn_blocking(move || {
        let verified = ["--verify", "50%", "--source", TINY];
        let run = ["--listen", &listen, "--duration", "5", "--json"];
        sink(&[&run[..], &verified].concat())
    });
    let mut cameras = Vec::new();
    for serial in 1..=4 {
        let id: DeviceId = "34020000001320000001".parse().unwrap();
        let camera = Camera::builder(Profile::builtin("generic-2016").unwrap())
            .platform(PlatformAddress {
                id: "34020000002000000001".parse().unwrap(),
                domain: "3402000000".into(),
                address: at.parse().unwrap(),
            })
            .id(id.with_serial(serial))
            .password("12345678")
            .retry(Duration::from_millis(200))
            .media(Clip::open(TINY).unwrap());
        cameras.push(camera.start().await.unwrap());
    }
    let report = report.await.unwrap();
    let text = String::from_utf8_lossy(&report.stdout);
    let json: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{report:?}"));
    assert_eq!(report.status.code(), Some(0), "{text}");
    assert_eq!(json["arrivals"], 4, "{text}");
    assert_eq!(json["calls"]["most_streaming"], 4, "{text}");
    assert_eq!(json["verified"]["clean"], 2, "{text}");
    assert_eq!(json["shortfalls"], Value::Array(vec![]), "{text}");
}

#[test]
fn a_sink_that_nobody_came_to_says_so_and_exits_with_1() {
    let at = format!("127.0.0.1:{}", process::free_port());
    let output = sink(&["--listen", &at, "--duration", "0.2"]);
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("nobody registered"), "{error}");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(report.contains("registered   0 came"), "{report}");
}

#[test]
fn flags_that_need_the_sink_say_so_and_exit_with_2() {
    let vcam = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vcam"));
        command.arg("platform").args(arguments).output().unwrap()
    };
    for arguments in [
        &["--json"][..],
        &["--sink", "--record", "out"],
        &["--sink", "--verify", "some"],
        &["--sink", "--play-rate", "0", "--listen", "127.0.0.1:0"],
    ] {
        assert_eq!(vcam(arguments).status.code(), Some(2), "{arguments:?}");
    }
}
