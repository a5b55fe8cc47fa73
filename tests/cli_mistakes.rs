//! Wrong use is answered with what is wrong, where, and the way out; the exit code is 2.

use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;

use assert_cmd::Command;

const PLATFORM: &str = "sip:34020000002000000001@127.0.0.1:5060";
const ID: &str = "34020000001320000001";

fn refused(arguments: &[&str], words: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vcam"));
    let done = command
        .env_remove("VCAM_PASSWORD")
        .args(arguments)
        .assert()
        .code(2);
    let error = String::from_utf8(done.get_output().stderr.clone()).unwrap();
    assert!(error.starts_with("error: "), "{error}");
    for word in words {
        assert!(
            error.contains(word),
            "{arguments:?} lacks {word:?}: {error}"
        );
    }
}

fn run(more: &[&str], words: &[&str]) {
    let start = ["run", "--platform", PLATFORM, "--id", ID];
    let all: Vec<&str> = start.iter().chain(more).copied().collect();
    refused(&all, words);
}

fn file(name: &str, octets: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, octets).unwrap();
    (folder, path)
}

#[test]
fn a_file_that_cannot_be_played_is_named_with_the_way_out() {
    run(
        &["--media", "no/such.h264"],
        &["no/such.h264", "No such file"],
    );
    let (_folder, empty) = file("empty.h264", b"");
    let empty = empty.to_str().unwrap();
    run(&["--media", empty], &[empty, "is empty"]);
    let (_folder, movie) = file("street.mp4", b"\0\0\0\x20ftypisom\0\0\0\0");
    let movie = movie.to_str().unwrap();
    run(&["--media", movie], &[movie, "an MP4 file", "ffmpeg"]);
    refused(&["media", "inspect", movie], &[movie, "an MP4 file"]);
    refused(&["media", "export", movie, "-o", "/dev/null"], &[movie]);
    refused(&["platform", "--play", "udp", "--source", movie], &[movie]);
}

#[test]
fn a_program_stream_is_not_sent_as_video_but_the_video_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("street.ps");
    let path = path.to_str().unwrap();
    let vcam = || Command::new(env!("CARGO_BIN_EXE_vcam"));
    let export = |file: &str, to: &str| {
        let mut command = vcam();
        command.args(["media", "export", file, "-o", to]);
        command.assert().success();
        std::fs::read(to).unwrap()
    };
    let again = folder.path().join("again.ps");
    let first = export("media/tiny.h264", path);
    assert_eq!(export(path, again.to_str().unwrap()), first);
}

#[test]
fn text_is_called_text_and_not_sent_through_ffmpeg() {
    let (_folder, path) = file("street.h264", "GATE 1: 北门\n".repeat(200).as_bytes());
    let mut command = Command::new(env!("CARGO_BIN_EXE_vcam"));
    let done = command.args(["media", "inspect"]).arg(&path).assert();
    let error = String::from_utf8(done.code(2).get_output().stderr.clone()).unwrap();
    assert!(
        error.contains("street.h264") && error.contains("text"),
        "{error}"
    );
    assert!(!error.contains("ffmpeg"), "{error}");
}

#[test]
fn an_id_that_is_none_is_shown_with_what_it_lacks() {
    let short = ["run", "--platform", PLATFORM, "--id", "3402000000132000001"];
    refused(&short, &["--id", "20 digits", "3402000000132000001", "19"]);
    run(
        &["--channel", "3402000000131000000x"],
        &["--channel", "digits only", "'x'"],
    );
    refused(&["platform", "--id", "1"], &["--id", "20 digits"]);
}

#[test]
fn a_platform_that_is_none_is_shown_with_how_to_write_one() {
    for (wrong, why) in [
        ("192.0.2.1:5060", "no @"),
        ("sip:34020000002000000001@nowhere.invalid", "not known"),
        ("sip:340200@192.0.2.1", "20 digits"),
    ] {
        let arguments = ["run", "--platform", wrong, "--id", ID];
        refused(&arguments, &[wrong, why, "sip:ID@HOST:PORT"]);
    }
}

#[test]
fn a_busy_port_is_named() {
    // Two sockets of one port, one of which is given up: that transport is free for sure.
    let (udp, tcp) = same_port();
    drop(tcp);
    let busy = udp.local_addr().unwrap().to_string();
    run(&["--local", &busy], &[&busy, "UDP", "in use", "Port 0"]);
    refused(&["platform", "--listen", &busy], &[&busy, "UDP", "in use"]);
    let (udp, tcp) = same_port();
    drop(udp);
    let busy = tcp.local_addr().unwrap().to_string();
    refused(&["platform", "--listen", &busy], &[&busy, "TCP", "in use"]);
}

fn same_port() -> (UdpSocket, TcpListener) {
    loop {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().unwrap()) {
            return (udp, tcp);
        }
    }
}

#[test]
fn a_profile_that_is_none_is_answered_with_those_there_are() {
    for arguments in [
        &["profiles", "show", "dahua"][..],
        &["media", "inspect", "media/tiny.h264", "--profile", "dahua"],
    ] {
        refused(arguments, &["dahua", "dahua-ipc", "generic-2016"]);
    }
    run(
        &["--profile", "dahua"],
        &["dahua-ipc", "generic-2016", ".toml"],
    );
    let text = b"name = 'x'\ntitle = 'x'\nsource = 'x'\n[sip]\nuser-agnet = 'x'\n";
    let (_folder, path) = file("mine.toml", text);
    let path = path.to_str().unwrap();
    run(
        &["--profile", path],
        &[path, "line 5", "user-agnet", "user-agent"],
    );
    run(&["--profile", "none.toml"], &["none.toml", "No such file"]);
}

#[test]
fn values_out_of_range_and_flags_that_miss_another_are_named() {
    run(&["--fps", "0"], &["--fps", "29.97"]);
    run(&["--channels", "0"], &["channels", "from 1"]);
    run(&["--keepalive", "0"], &["--keepalive", "0"]);
    run(&["--transport", "sctp"], &["--transport", "udp", "tcp"]);
    refused(&["demo", "--seconds", "0"], &["--seconds", "from 1"]);
    refused(&["platform", "--record", "x"], &["--play"]);
    refused(&["run"], &["--platform", "--id", "<FLEET.toml>"]);
    run(&["--report", "x.json"], &["--report", "no fleet file"]);
    run(&["--json"], &["--json", "no fleet file"]);
    run(&["--local", "127.0.0.1"], &["--local", "IP:PORT"]);
    refused(&["platform", "--sink", "--verify", "200%"], &["--verify"]);
}

#[test]
fn an_address_of_another_machine_is_not_called_busy() {
    let words = ["192.0.2.1 is not an address of this machine"];
    run(&["--local", "192.0.2.1:0"], &words);
    let text =
        b"[platform]\naddress = \"127.0.0.1\"\n[addresses]\nip = \"192.0.2.1\"\n[[cameras]]\n";
    let (_folder, path) = file("fleet.toml", text);
    refused(&["run", path.to_str().unwrap()], &words);
    let arguments = ["platform", "--listen", "192.0.2.1:5060"];
    refused(
        &arguments,
        &["192.0.2.1:5060", "not an address of this machine"],
    );
    let done = Command::new(env!("CARGO_BIN_EXE_vcam"))
        .args(arguments)
        .assert();
    let error = String::from_utf8(done.get_output().stderr.clone()).unwrap();
    assert!(!error.contains("Port 0"), "{error}");
}

#[test]
fn a_frame_rate_given_for_nothing_is_noted() {
    let note = |fps: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vcam"));
        let command = command.args(["media", "inspect", "media/tiny.h264", "--fps", fps]);
        String::from_utf8(command.assert().success().get_output().stderr.clone()).unwrap()
    };
    let said = note("10");
    assert!(
        said.contains("--fps 10 is not used") && said.contains("25 frames"),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(note("25"), "");
}
