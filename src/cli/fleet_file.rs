//! A fleet file and what is said beside it, as `vcam check` and `vcam run` take them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::failure::Failure;
use crate::api::{Error, Folder};
use crate::config::{self, ConfigError, FleetFile, Plan, Run, Shard};

/// The environment variable that a password is better given in.
const PASSWORD: &str = "VCAM_PASSWORD";

/// What goes before a fleet file.
#[derive(Clone, Debug, Args)]
pub(super) struct Beside {
    /// Play slice I (from 0) of N: every N-th camera, for one of N processes on as many machines
    #[arg(long, value_name = "I/N", default_value_t = Shard::WHOLE, hide_default_value = true)]
    shard: Shard,
    /// End the run after this long [default: the file's, or at Ctrl-C]
    #[arg(long, value_name = "TIME", value_parser = config::length)]
    duration: Option<Duration>,
    /// Where all chance comes from, to have a run again [default: the file's, or another one]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl Beside {
    /// Reads a fleet file and the files it names. A password given goes before the one in the
    /// environment, and that before the one in the file.
    pub fn plan(&self, file: &PathBuf, password: Option<&str>) -> Result<(Plan, Folder), Failure> {
        let octets = std::fs::read(file).map_err(|source| Error::File {
            path: file.clone(),
            source,
        })?;
        let name = file.display().to_string();
        let text = String::from_utf8(octets)
            .map_err(|_| Failure::Usage(format!("{name}: TOML is written in UTF-8")))?;
        let folder = Folder::of(file);
        let plan = FleetFile::read(&name, &text)?.plan(&self.run(password)?, &folder)?;
        Ok((plan, folder))
    }

    /// Whether only a slice is to be played.
    pub fn is_sharded(&self) -> bool {
        self.shard != Shard::WHOLE
    }

    /// The seed asked for.
    pub fn seed(&self) -> Option<u64> {
        self.seed
    }

    /// Waits until the duration is over that was asked for; for ever when none was.
    pub async fn is_over(&self) {
        match self.duration {
            Some(duration) => tokio::time::sleep(duration).await,
            None => std::future::pending().await,
        }
    }

    fn run(&self, given: Option<&str>) -> Result<Run, Failure> {
        let password = match (given, std::env::var(PASSWORD)) {
            (Some(given), _) => Some(given.to_owned()),
            (None, Ok(password)) => Some(password),
            (None, Err(std::env::VarError::NotPresent)) => None,
            (None, Err(error)) => return Err(Failure::flag(PASSWORD, error)),
        };
        // Set to nothing is how shells and CI say that it is not set.
        let password = password.filter(|p| !p.is_empty()).map(Into::into);
        Ok(Run {
            shard: self.shard,
            seed: self.seed,
            duration: self.duration,
            password,
            // Short enough to be typed again, and for every reader of JSON.
            drawn: rand::random::<u32>().into(),
        })
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Failure::Usage(error.to_string())
    }
}
