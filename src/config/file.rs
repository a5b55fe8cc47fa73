//! The fleet file, read.

use std::time::Duration;

use super::check;
use super::document;
use super::plan::Plan;
use super::problem::ConfigError;
use super::schema::Top;
use super::shard::Shard;
use super::source::{Files, Source};
use super::value::Password;

/// A fleet file whose keys are known and whose values are of their kind.
#[derive(Debug)]
pub struct FleetFile {
    source: Source,
    top: Top,
}

/// What is said beside the file when it is run: flags and environment. They go before the file.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// `--shard`: the slice of the fleet to play.
    pub shard: Shard,
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--duration`.
    pub duration: Option<Duration>,
    /// `VCAM_PASSWORD`.
    pub password: Option<Password>,
    /// The seed when neither the flag nor the file gives one: a random number.
    pub drawn: u64,
}

impl FleetFile {
    /// Reads the text of a fleet file; `name` stands for it in problems.
    pub fn read(name: &str, text: &str) -> Result<FleetFile, ConfigError> {
        let source = Source::new(name, text);
        let top = document::read(&source)?;
        Ok(FleetFile { source, top })
    }

    /// What would run. Reads profiles and lists of cameras through `files`, and asks it for the
    /// size of clips; refuses what cannot work.
    pub fn plan(&self, run: &Run, files: &dyn Files) -> Result<Plan, ConfigError> {
        check::plan(&self.source, &self.top, run, files)
    }
}
