//! Whole fleet files: what they plan, and what is said when they cannot.

mod example;
mod plans;
mod refusals;

use std::collections::HashMap;
use std::io;

use super::{ConfigError, Files, FleetFile, Plan, Run};

/// Files that are only thought of.
#[derive(Default)]
pub(super) struct Shelf(HashMap<String, Vec<u8>>);

impl Shelf {
    pub fn with(mut self, path: &str, text: impl AsRef<[u8]>) -> Shelf {
        self.0.insert(path.to_owned(), text.as_ref().to_vec());
        self
    }
}

impl Files for Shelf {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let found = self.0.get(path).cloned();
        found.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn size(&self, path: &str) -> io::Result<u64> {
        self.read(path).map(|octets| octets.len() as u64)
    }
}

pub(super) fn plan_of(text: &str, run: &Run, files: &Shelf) -> Result<Plan, ConfigError> {
    FleetFile::read("fleet.toml", text)?.plan(run, files)
}

/// The plan of a file that is right.
pub(super) fn plan(text: &str) -> Plan {
    plan_of(text, &Run::default(), &Shelf::default()).unwrap_or_else(|e| panic!("{e}"))
}
