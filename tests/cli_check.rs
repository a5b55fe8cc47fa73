//! `vcam check`: what would run, on one screen, without a network; what cannot run, with exit
//! code 2.

use assert_cmd::Command;
use serde_json::Value;

fn check(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vcam"));
    command
        .env_remove("VCAM_PASSWORD")
        .arg("check")
        .args(arguments);
    command
}

fn said(arguments: &[&str]) -> String {
    let done = check(arguments).assert().code(0);
    String::from_utf8(done.get_output().stdout.clone()).unwrap()
}

fn file(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn the_example_can_run_and_is_explained_on_one_screen() {
    let said = said(&["examples/fleet.toml"]);
    assert!(said.lines().count() <= 30, "{said}");
    assert!(
        said.lines().all(|line| line.chars().count() <= 110),
        "{said}"
    );
    assert!(!said.contains('\x1b'), "{said}");
    for words in [
        "examples/fleet.toml can run",
        "83 cameras with 83 channels",
        "34020000001320000001",
        "street-720p25.h264, H.264 1280x720",
        "file descriptors (83 SIP",
        "registered >= 100 %",
        "mode = \"shared-socket\" needs 82 descriptors fewer",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn a_slice_of_a_fleet_is_explained_as_one() {
    let (_folder, path) = file("fleet.toml", "[[cameras]]\ncount = 10000\n");
    let said = said(&[&path, "--shard", "1/4", "--duration", "5m", "--seed", "7"]);
    assert!(said.contains("2,500 cameras"), "{said}");
    assert!(said.contains("slice 1/4 of a fleet of 10,000"), "{said}");
    assert!(said.contains("ends after 5 min"), "{said}");
}

#[test]
fn machines_get_the_same_as_json() {
    let (_folder, path) = file("fleet.toml", "[[cameras]]\ncount = 3\nchannels = 2\n");
    let said: Value = serde_json::from_str(&said(&[&path, "--json", "--seed", "7"])).unwrap();
    assert_eq!(said["seed"], 7);
    assert_eq!(said["channels"], 6);
    assert_eq!(said["groups"][0]["last_id"], "34020000001180000003");
    assert!(said["needs"]["descriptors"].as_u64().unwrap() >= 9);
}

#[test]
fn a_password_from_the_environment_is_used_and_not_shown() {
    let (_folder, path) = file("fleet.toml", "[[cameras]]\n");
    let done = check(&[&path])
        .env("VCAM_PASSWORD", "s3cret")
        .assert()
        .code(0);
    let said = String::from_utf8(done.get_output().stdout.clone()).unwrap();
    assert!(said.contains(", a password"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn what_cannot_run_is_refused_with_file_line_and_way_out() {
    let (folder, path) = file(
        "fleet.toml",
        "[[cameras]]\nprofil = \"dahua-ipc\"\n[adresses]\n",
    );
    let (_other, missing) = file("fleet.toml", "[[cameras]]\nmedia = \"no.h264\"\n");
    let (_third, no_video) = file("fleet.toml", "[[cameras]]\nmedia = \"fleet.toml\"\n");
    let (_fourth, short) = file("fleet.toml", "[[cameras]]\ncount = 10000\n");
    let nowhere = folder.path().join("none.toml");
    for (arguments, words) in [
        (
            vec![path.as_str()],
            vec![
                "fleet.toml:2:",
                "did you mean `profile`?",
                "did you mean `addresses`?",
            ],
        ),
        (
            vec![missing.as_str()],
            vec!["fleet.toml:2: media no.h264", "No such file"],
        ),
        (vec![no_video.as_str()], vec!["fleet.toml"]),
        (
            vec![nowhere.to_str().unwrap()],
            vec!["none.toml", "No such file"],
        ),
        (
            vec![&short, "--duration", "10s"],
            vec!["before its 10000 cameras"],
        ),
        (vec![&short, "--duration", "10"], vec!["\"10s\""]),
        (vec![&short, "--shard", "4/4"], vec!["0/4 for the first"]),
    ] {
        let done = check(&arguments).assert().code(2);
        let error = String::from_utf8(done.get_output().stderr.clone()).unwrap();
        assert!(done.get_output().stdout.is_empty());
        for word in words {
            assert!(
                error.contains(word),
                "{arguments:?} lacks {word:?}: {error}"
            );
        }
    }
}
