//! What is said about a fleet file that cannot run, word for word.
//!
//! The cases stand in `refusals.txt`; `VCAM_GOLDEN=write cargo test --lib config` writes the
//! answers into it anew.

use std::fmt::Write;

use super::super::{ConfigError, FleetFile, Run};
use super::Shelf;

const CASES: &str = include_str!("refusals.txt");

#[test]
fn every_refusal_says_file_line_value_and_way_out() {
    let said = answered(CASES);
    if std::env::var_os("VCAM_GOLDEN").is_some_and(|how| how == "write") {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/config/tests/refusals.txt");
        std::fs::write(file, said).unwrap();
        return;
    }
    for (said, golden) in said.split("=== ").zip(CASES.split("=== ")) {
        assert_eq!(said, golden);
    }
    assert_eq!(said.len(), CASES.len());
}

/// The cases with what is said about each now.
fn answered(cases: &str) -> String {
    let mut parts = cases.split("=== ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for case in parts {
        let (asked, _) = case.split_once("--- said\n").unwrap();
        let error = refusal(asked);
        write!(text, "=== {asked}--- said\n{error}\n\n").unwrap();
    }
    text
}

fn refusal(case: &str) -> ConfigError {
    let mut shelf = Shelf::default();
    let mut fleet = "";
    for file in case.split("--- ").skip(1) {
        let (name, text) = file.split_once('\n').unwrap();
        match name {
            "fleet.toml" => fleet = text,
            _ => shelf = shelf.with(name, text),
        }
    }
    let plan = FleetFile::read("fleet.toml", fleet).and_then(|f| f.plan(&Run::default(), &shelf));
    plan.map(|_| ()).expect_err(case)
}
