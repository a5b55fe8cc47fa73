//! `vcam run` and `vcam platform`, two processes that find each other.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/media/tiny.h264");

/// A running vcam; killed when dropped.
struct Vcam {
    child: Child,
    lines: mpsc::Receiver<String>,
    said: String,
}

impl Drop for Vcam {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Vcam {
    fn start(password: &str, arguments: &[&str]) -> Vcam {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vcam"))
            .args(arguments)
            .env("VCAM_PASSWORD", password)
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (print, lines) = mpsc::channel();
        std::thread::spawn(move || out.lines().try_for_each(|line| print.send(line.unwrap())));
        let said = String::new();
        Vcam { child, lines, said }
    }

    /// Reads on until a line has these words.
    fn says(&mut self, words: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("{words:?} was not said:\n{}", self.said);
            };
            self.said += &format!("{line}\n");
            if line.contains(words) {
                return line;
            }
        }
    }

    fn interrupt(&self) {
        let kill = format!("kill -INT {}", self.child.id());
        assert!(
            Command::new("sh")
                .args(["-c", &kill])
                .status()
                .unwrap()
                .success()
        );
    }

    /// The exit code, all that was printed, and what was said on stderr.
    fn end(mut self) -> (i32, String, String) {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.said += &format!("{line}\n");
        }
        let code = self.child.wait().unwrap().code().unwrap();
        let mut errors = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        (code, std::mem::take(&mut self.said), errors)
    }
}

/// `sip:ID@HOST:PORT` of a platform that has just said where it listens.
fn address(platform: &mut Vcam) -> String {
    let line = platform.says("listens on");
    let uri = line
        .split_whitespace()
        .find(|word| word.starts_with("sip:"));
    uri.unwrap().to_owned()
}

#[test]
fn a_camera_registers_streams_and_says_goodbye_on_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().to_str().unwrap();
    for (play, signalling) in [
        ("udp", "tcp"),
        ("tcp-active", "udp"),
        ("tcp-passive", "udp"),
    ] {
        let listen = ["platform", "--listen", "127.0.0.1:0", "--source", TINY];
        let play = ["--play", play, "--record", record];
        let mut platform = Vcam::start("secret", &[&listen[..], &play].concat());
        let there = address(&mut platform);
        let camera = ["run", "--platform", &there, "--id", "34020000001320000042"];
        let how = ["--media", TINY, "--transport", signalling, "--name", "Gate"];
        let mut camera = Vcam::start("secret", &[&camera[..], &how].concat());
        camera.says("registered for 3600 s");
        camera.says("streaming");
        platform.says("34020000001310000042  Gate  on");
        platform.says("first packet after");
        std::thread::sleep(Duration::from_millis(1200));
        camera.interrupt();
        let (code, said, errors) = camera.end();
        assert_eq!((code, errors.as_str()), (0, ""), "{said}");
        assert!(
            said.contains("over, we hung up") && said.contains("unregistered, off"),
            "{said}"
        );
        platform.says("over, the device said BYE; clean");
        platform.interrupt();
        let (code, said, errors) = platform.end();
        assert_eq!((code, errors.as_str()), (0, ""), "{said}");
        assert!(
            !said.contains('\x1b') && !said.contains("deviation"),
            "{said}"
        );
    }
    let recordings: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(recordings.len(), 3);
    for file in recordings {
        let octets = std::fs::read(file.unwrap().path()).unwrap();
        assert_eq!(octets[..4], [0, 0, 1, 0xBA]);
    }
}

#[test]
fn a_platform_that_stops_first_ends_the_call_and_names_its_verdict() {
    let listen = ["platform", "--listen", "127.0.0.1:0", "--play", "udp"];
    let mut platform = Vcam::start("", &listen);
    let there = address(&mut platform);
    let camera = ["run", "--platform", &there, "--id", "34020000001320000001"];
    let mut camera = Vcam::start("", &[&camera[..], &["--media", TINY]].concat());
    camera.says("streaming");
    platform.says("first packet after");
    std::thread::sleep(Duration::from_millis(300));
    platform.interrupt();
    let (code, said, errors) = platform.end();
    assert_eq!((code, errors.as_str()), (0, ""), "{said}");
    assert!(said.contains("over, we ended it; clean"), "{said}");
    camera.says("over, the platform said BYE");
}

#[test]
fn a_camera_that_never_registered_ends_with_1_and_says_why() {
    let mut platform = Vcam::start("right", &["platform", "--listen", "127.0.0.1:0"]);
    let there = address(&mut platform);
    let camera = ["run", "--platform", &there, "--id", "34020000001320000001"];
    let mut camera = Vcam::start("wrong", &camera);
    camera.says("are ID and password right?");
    camera.interrupt();
    let (code, said, errors) = camera.end();
    assert_eq!(code, 1, "{said}");
    assert!(
        errors.contains("never registered") && errors.contains("403"),
        "{errors}"
    );
    assert!(
        !said.contains("wrong") && !errors.contains("wrong"),
        "a password is printed"
    );
    platform.says("refused with 403");
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let mut platform = Vcam::start("", &["platform", "--listen", "127.0.0.1:0"]);
    let there = address(&mut platform);
    let camera = ["run", "--platform", &there, "--id", "34020000001320000001"];
    let mut camera = Vcam::start("", &camera);
    camera.says("registered for");
    // A platform that is gone answers no unregistration: 32 s of waiting.
    drop(platform);
    camera.interrupt();
    camera.says("switching off");
    // As fast as a person can.
    std::thread::sleep(Duration::from_millis(400));
    let began = Instant::now();
    camera.interrupt();
    let (code, _, errors) = camera.end();
    assert_eq!(code, 1);
    assert!(
        errors.contains("at once") && began.elapsed() < Duration::from_secs(5),
        "{errors}"
    );
}

#[test]
fn a_missing_password_is_told_from_a_wrong_one() {
    let mut platform = Vcam::start("right", &["platform", "--listen", "127.0.0.1:0"]);
    let there = address(&mut platform);
    let camera = ["run", "--platform", &there, "--id", "34020000001320000001"];
    let mut camera = Vcam::start("", &camera);
    camera.says("none was given: set VCAM_PASSWORD");
}

#[test]
fn a_silent_platform_is_told_before_the_registration_times_out() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let there = silent.local_addr().unwrap();
    let uri = format!("sip:34020000002000000001@{there}");
    let camera = ["run", "--platform", &uri, "--id", "34020000001320000001"];
    let mut camera = Vcam::start("", &camera);
    camera.says(&format!("no answer yet from {there} over UDP"));
}

#[test]
fn verbose_logs_start_lines_and_more_verbose_whole_messages() {
    for (flag, headers) in [("-v", false), ("-vv", true)] {
        let mut platform = Vcam::start("", &["platform", "--listen", "127.0.0.1:0"]);
        let there = address(&mut platform);
        let camera = [
            "run",
            flag,
            "--platform",
            &there,
            "--id",
            "34020000001320000001",
        ];
        let mut camera = Vcam::start("", &camera);
        camera.says("registered for");
        camera.interrupt();
        let (code, _, log) = camera.end();
        assert_eq!(code, 0, "{log}");
        assert!(
            log.contains("REGISTER sip:") && log.contains("SIP/2.0 200 OK"),
            "{log}"
        );
        assert_eq!(log.contains("CSeq: "), headers, "{log}");
    }
}
