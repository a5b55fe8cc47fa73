//! The commented example in `examples/` is right, and shows every key.

use super::super::{FleetFile, Plan, Run, keys};
use super::Shelf;

const EXAMPLE: &str = include_str!("../../../examples/fleet.toml");
const LIST: &str = include_str!("../../../examples/cameras.csv");

fn plan(text: &str) -> Plan {
    let files = Shelf::default()
        .with("cameras.csv", LIST)
        .with("voice.g711a", "as if")
        .with("../media/street-720p25.h264", "as if");
    let plan = FleetFile::read("examples/fleet.toml", text);
    let plan = plan.and_then(|file| file.plan(&Run::default(), &files));
    plan.unwrap_or_else(|error| panic!("{error}"))
}

/// `key = value`, which may be commented out.
fn key_of(line: &str) -> Option<&str> {
    let line = line.strip_prefix("# ").unwrap_or(line);
    let (key, _) = line.split_once(" = ")?;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    key.chars().all(plain).then_some(key)
}

#[test]
fn the_example_is_accepted() {
    let plan = plan(EXAMPLE);
    assert_eq!(plan.len(), 83);
    assert_eq!(plan.groups.len(), 2);
}

#[test]
fn every_key_of_the_schema_stands_in_the_example() {
    let mut title = "the fleet file".to_owned();
    let mut shown = Vec::new();
    for line in EXAMPLE.lines() {
        if line.starts_with('[') {
            title = line.to_owned();
        }
        let Some(key) = key_of(line) else { continue };
        shown.push((title.clone(), key.to_owned()));
        let (_, value) = line.split_once(" = ").unwrap();
        for inner in value
            .trim_matches(['{', '}'])
            .split(", ")
            .filter_map(|v| key_of(v.trim()))
        {
            shown.push((format!("thresholds.{key}"), inner.to_owned()));
        }
    }
    for (title, key) in keys::all() {
        let found = shown.iter().any(|(t, k)| t == title && k == key);
        assert!(found, "{title} {key} is not in examples/fleet.toml");
    }
}

#[test]
fn every_key_that_is_commented_out_is_accepted_when_it_is_not() {
    let mut tried = 0;
    for (n, line) in EXAMPLE.lines().enumerate() {
        let Some(bare) = line.strip_prefix("# ").filter(|_| key_of(line).is_some()) else {
            continue;
        };
        let mut lines: Vec<_> = EXAMPLE.lines().collect();
        lines[n] = bare;
        plan(&lines.join("\n"));
        tried += 1;
    }
    assert!(tried > 10, "{tried}");
}

#[test]
fn a_key_that_shows_its_default_shows_the_right_one() {
    let with = plan(EXAMPLE);
    let without = plan("[[cameras]]\n");
    assert_eq!(with.platform, without.platform);
    assert_eq!(with.addresses, without.addresses);
    assert_eq!(with.ramp, without.ramp);
    assert_eq!(with.report, without.report);
    assert_eq!(with.thresholds.registered, without.thresholds.registered);
    let (with, without) = (&with.groups[0], &without.groups[0]);
    assert_eq!(with.profile.name, without.profile.name);
    assert_eq!(with.transport, without.transport);
    assert_eq!(with.expires, without.expires);
    assert_eq!(with.heartbeat, without.heartbeat);
    assert_eq!(with.retry, without.retry);
    assert_eq!(with.reconnect, without.reconnect);
    assert_eq!(with.backlog, without.backlog);
    assert_eq!(with.first_frame, without.first_frame);
}
