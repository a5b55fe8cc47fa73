//! `vcam demo`, as a newcomer runs it.

use assert_cmd::Command;

fn vcam() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vcam"));
    command.env_remove("VCAM_PASSWORD").env_remove("RUST_LOG");
    command
}

#[test]
fn the_demo_shows_every_make_streaming_cleanly_and_fits_into_a_pipe() {
    let done = vcam().args(["demo", "--seconds", "1.5"]).assert().success();
    let out = String::from_utf8(done.get_output().stdout.clone()).unwrap();
    let table = out.split("verdict").nth(1).unwrap();
    for make in vcam::Profile::names() {
        let row = table
            .lines()
            .find(|line| line.trim_start().starts_with(make));
        assert!(row.is_some_and(|row| row.contains("✓")), "{make}: {out}");
    }
    for media in ["TCP, camera connects", "TCP, camera listens", " UDP "] {
        assert!(table.contains(media), "{media}: {out}");
    }
    let all = format!("All {} cameras", vcam::Profile::names().count());
    assert!(out.contains(&all), "{out}");
    assert!(!out.contains('\x1b') && !out.contains('\r'), "{out:?}");
    for line in out.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    for line in table.lines().take(1 + vcam::Profile::names().count()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn the_demo_as_json_is_json_and_nothing_else() {
    let done = vcam()
        .args(["demo", "--seconds", "1", "--json"])
        .assert()
        .success();
    let result: serde_json::Value = serde_json::from_slice(&done.get_output().stdout).unwrap();
    assert_eq!(result["clean"], true);
    let cameras = result["cameras"].as_array().unwrap();
    assert_eq!(cameras.len(), vcam::Profile::names().count());
    for camera in cameras {
        assert!(camera["frames_equal"].as_u64().unwrap() >= 20, "{camera}");
        assert_eq!(camera["frames"], camera["frames_equal"]);
    }
}

#[test]
fn every_feature_is_played_and_judged() {
    let done = vcam().args(["demo", "--all", "--json"]).assert().success();
    let result: serde_json::Value = serde_json::from_slice(&done.get_output().stdout).unwrap();
    assert_eq!(result["clean"], true);
    let features = result["features"].as_array().unwrap();
    assert!(features.len() >= 30, "{}", features.len());
    for feature in features {
        assert_eq!(feature["ok"], true, "{feature}");
        assert!(!feature["seen"].as_str().unwrap().is_empty(), "{feature}");
    }
}
