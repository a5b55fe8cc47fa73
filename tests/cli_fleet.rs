//! `vcam run FLEET.toml` against `vcam platform`, two processes.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const VCAM: &str = env!("CARGO_BIN_EXE_vcam");
const TINY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/media/tiny.h264");
const PASSWORD: &str = "12345678";
/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// `vcam platform`; killed when dropped.
struct Platform {
    child: Child,
    /// HOST:PORT.
    address: String,
}

impl Drop for Platform {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Platform {
    /// One that takes everything in.
    fn start() -> Platform {
        let mut child = vcam(&["platform", "--sink", "--listen", "127.0.0.1:0"])
            .env("VCAM_PASSWORD", PASSWORD)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        // Somebody must read on, or it would be told that nobody listens.
        std::thread::spawn(move || out.lines().for_each(drop));
        let address = line
            .split('@')
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
        Platform { child, address }
    }
}

fn vcam(arguments: &[&str]) -> Command {
    let mut command = Command::new(VCAM);
    command
        .args(arguments)
        .env_remove("RUST_LOG")
        .env_remove("VCAM_PASSWORD");
    command
}

/// Writes a fleet file for a platform: where it lies.
fn fleet(folder: &Path, address: &str, rest: &str) -> String {
    let file = folder.join("fleet.toml");
    let text = format!(
        "[platform]\naddress = \"{address}\"\npassword = \"{PASSWORD}\"\n\
         [[cameras]]\ncount = 6\nmedia = \"{TINY}\"\n{rest}"
    );
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[track_caller]
fn code(output: &Output, code: i32) {
    let (out, errors) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}\n{errors}");
}

#[test]
fn a_fleet_runs_to_its_end_and_its_thresholds_decide() {
    let platform = Platform::start();
    let folder = tempfile::tempdir().unwrap();
    let file = fleet(
        folder.path(),
        &platform.address,
        "[report]\nevery = \"1s\"\njunit = \"junit.xml\"\n[thresholds]\nstreams-at-once = 6\n",
    );
    let report = folder.path().join("report.json");
    let arguments = ["run", &file, "--duration", "3s", "--seed", "42", "--report"];
    let output = vcam(&arguments).arg(&report).output().unwrap();
    code(&output, 0);
    let out = text(&output.stdout);
    assert!(out.contains("6 of 6 registered; 6 streams"), "{out}");
    assert!(out.contains("seed 42"), "{out}");
    assert!(out.contains("✓ streams-at-once"), "{out}");
    assert!(!out.contains('\x1b'), "{out}");
    let report: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(report["passed"], true, "{report:#}");
    assert_eq!(report["seed"], 42);
    assert_eq!(report["calls"]["streamed"], 6);
    let junit = std::fs::read_to_string(folder.path().join("junit.xml")).unwrap();
    assert!(junit.contains("failures=\"0\""), "{junit}");
}

#[test]
fn a_missed_threshold_is_exit_code_1_and_json_is_all_that_is_printed() {
    let platform = Platform::start();
    let folder = tempfile::tempdir().unwrap();
    let rest = "[thresholds]\nstreams-at-once = 7\n";
    let file = fleet(folder.path(), &platform.address, rest);
    let arguments = ["run", &file, "--duration", "2s", "--shard", "0/2", "--json"];
    let output = vcam(&arguments).output().unwrap();
    code(&output, 1);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["passed"], false);
    assert_eq!(report["shard"], "0/2");
    assert_eq!(report["cameras"]["planned"], 3);
    let errors = text(&output.stderr);
    assert!(
        errors.contains("streams-at-once: 3, at least 7"),
        "{errors}"
    );
}

#[test]
fn ctrl_c_ends_a_fleet_gracefully_with_its_report() {
    let platform = Platform::start();
    let folder = tempfile::tempdir().unwrap();
    let file = fleet(
        folder.path(),
        &platform.address,
        "[report]\nevery = \"1s\"\n",
    );
    let mut child = vcam(&["run", &file])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let pid = child.id().to_string();
    let mut said = Vec::new();
    let end = Instant::now() + PATIENCE;
    for line in out.lines() {
        let line = line.unwrap();
        if line.contains("6 streams") && !said.iter().any(|l: &String| l.contains("6 streams")) {
            assert!(
                Command::new("kill")
                    .args(["-INT", &pid])
                    .status()
                    .unwrap()
                    .success()
            );
        }
        said.push(line);
        assert!(Instant::now() < end, "{said:#?}");
    }
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said:#?}");
    assert!(
        said.iter().any(|line| line.contains("6 registered of 6")),
        "{said:#?}"
    );
}

#[test]
fn what_cannot_run_is_exit_code_2_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let file = fleet(folder.path(), "127.0.0.1:9", "");
    for (arguments, wrong) in [
        (
            &["run", &file, "--report", "/no/such/folder/r.json"][..],
            "no/such/folder",
        ),
        (
            &["run", &file, "--id", "34020000001320000001"],
            "cannot be used with",
        ),
        (&["run", "no-such.toml"], "no-such.toml"),
        (&["run", "--json"], "<FLEET.toml>"),
        (&["run"], "--platform"),
    ] {
        let output = vcam(arguments).output().unwrap();
        code(&output, 2);
        let errors = text(&output.stderr);
        assert!(errors.contains(wrong), "{arguments:?}: {errors}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn too_few_descriptors_are_said_with_the_settings_that_need_fewer() {
    let folder = tempfile::tempdir().unwrap();
    let file = fleet(folder.path(), "127.0.0.1:9", "");
    let text_of = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text_of.replace("count = 6", "count = 3000")).unwrap();
    // Root could raise the limit all the same, unless it gives that right away.
    let humble = "[ $(id -u) = 0 ] && set -- setpriv --bounding-set=-sys_resource \"$@\"";
    let limited = format!("ulimit -n 500; set -- {VCAM} run {file}; {humble}; exec \"$@\"");
    let output = Command::new("sh").args(["-c", &limited]).output().unwrap();
    code(&output, 2);
    let errors = text(&output.stderr);
    assert!(errors.contains("file descriptors"), "{errors}");
    assert!(errors.contains("shared-socket"), "{errors}");
}
