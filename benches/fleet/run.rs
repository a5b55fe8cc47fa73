//! A fleet in this process, and what the system says about the process meanwhile.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use vcam::config::{FleetFile, Run};
use vcam::fleet::Phase;
use vcam::{Fleet, FleetView, Folder};

use super::measure::{Cpu, resident};

pub const PASSWORD: &str = "12345678";

/// One look at the process.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Since the fleet began.
    pub at: Duration,
    pub resident: u64,
    pub streaming: u64,
    pub cpu: f64,
    pub phase: Phase,
}

/// What a run showed.
pub struct Shown {
    /// Resident octets with everything read and nothing sent.
    pub ready: u64,
    /// A look every second.
    pub looks: Vec<Look>,
    /// Descriptors and threads before and after.
    pub held: [Held; 2],
    /// The fleet's own report.
    pub report: Value,
}

/// What a process holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    pub descriptors: usize,
    pub threads: usize,
}

impl Held {
    pub fn now() -> Held {
        let entries = |path| std::fs::read_dir(path).map_or(0, Iterator::count);
        Held {
            descriptors: entries("/proc/self/fd"),
            threads: entries("/proc/self/task"),
        }
    }
}

/// A fleet as a file.
pub struct FleetText<'t> {
    pub platform: SocketAddr,
    pub clip: &'t Path,
    pub cameras: u64,
    pub per_second: u64,
    pub hold: u64,
    /// More keys of the cameras.
    pub more: &'t str,
}

impl fmt::Display for FleetText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"
seed = 1
[platform]
address = "{platform}"
password = "{PASSWORD}"
[addresses]
mode = "shared-socket"
[ramp]
cameras-per-second = {per_second}
hold = "{hold}s"
[[cameras]]
count = {cameras}
media = "{clip}"
{more}
"#,
            platform = self.platform,
            per_second = self.per_second,
            hold = self.hold,
            cameras = self.cameras,
            clip = self.clip.display(),
            more = self.more,
        )
    }
}

/// Runs a fleet to its end; `also` is shown how it stands, with the time since its beginning.
pub fn run(
    fleet: &FleetText<'_>,
    mut also: impl FnMut(Duration, &FleetView<'_>),
) -> Result<Shown, Box<dyn std::error::Error>> {
    let folder = Folder::of(Path::new("fleet.toml"));
    let plan = FleetFile::read("fleet.toml", &fleet.to_string())?.plan(&Run::default(), &folder)?;
    // The first runtime of a process leaves a pair of sockets for signals.
    drop(runtime()?);
    let before = Held::now();
    let runtime = runtime()?;
    let mut shown = runtime.block_on(async {
        let fleet = Fleet::prepare("fleet.toml", plan, &folder).await?;
        let ready = resident();
        let (begun, mut looks) = (Instant::now(), Vec::new());
        let watch = |view: FleetView<'_>| {
            also(begun.elapsed(), &view);
            looks.push(look(begun, &view));
        };
        let report = fleet.run(std::future::pending(), watch).await?;
        Ok::<_, Box<dyn std::error::Error>>(Shown {
            ready,
            looks,
            held: [before; 2],
            report: serde_json::from_str(&report.json())?,
        })
    })?;
    drop(runtime);
    shown.held[1] = Held::now();
    Ok(shown)
}

fn runtime() -> std::io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

fn look(begun: Instant, view: &FleetView<'_>) -> Look {
    Look {
        at: begun.elapsed(),
        resident: resident(),
        streaming: view.statistics.streaming(),
        cpu: Cpu::now().seconds(),
        phase: view.phase,
    }
}
