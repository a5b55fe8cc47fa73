//! `vcam run FLEET.toml`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::time::Instant;

use super::board::Board;
use super::failure::Failure;
use super::fleet_file::Beside;
use super::screen::Screen;
use super::stop::Stop;
use crate::api::{Fleet, FleetView, Folder};
use crate::config::Plan;
use crate::fleet::{Ink, Report};

/// How much too early a line may be.
const EARLY: Duration = Duration::from_millis(200);

/// What `vcam run` takes for a fleet.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// A fleet file: thousands of cameras (examples/fleet.toml shows every key)
    #[arg(value_name = "FLEET.toml", conflicts_with_all = [
        "platform", "id", "media", "fps", "profile", "transport", "channel", "channels", "organisations", "recordings", "position",
        "name",
        "domain", "user", "local", "expires", "keepalive", "keepalive_count", "retry",
    ])]
    pub fleet: Option<PathBuf>,
    #[command(flatten)]
    pub beside: Beside,
    /// Write the report as JSON to this file as well (times in milliseconds)
    #[arg(long, value_name = "FILE", requires = "fleet")]
    report: Option<PathBuf>,
    /// Write the thresholds and groups as JUnit XML to this file as well
    #[arg(long, value_name = "FILE", requires = "fleet")]
    junit: Option<PathBuf>,
    /// Print nothing but the report, as JSON
    #[arg(long, requires = "fleet")]
    json: bool,
}

impl Flags {
    /// The flag that asks for a report, if one does. Clap lets it pass without a fleet file, since
    /// that cannot stand beside the flags of a camera.
    pub fn reports(&self) -> Option<&'static str> {
        let asked = [
            (self.report.is_some(), "--report"),
            (self.junit.is_some(), "--junit"),
            (self.json, "--json"),
        ];
        asked.into_iter().find_map(|(is, flag)| is.then_some(flag))
    }
}

/// Plays the fleet.
pub(super) async fn run(
    file: &PathBuf,
    flags: &Flags,
    password: Option<&str>,
    no_offload: bool,
) -> Result<(), Failure> {
    let screen = Screen::new();
    let (plan, folder) = flags.beside.plan(file, password)?;
    let mut stop = Stop::listen()?;
    let outputs = Outputs::of(flags, &plan, &folder);
    outputs.try_out()?;
    let every = plan.report.every;
    let mut fleet = Fleet::prepare(&file.display().to_string(), plan, &folder).await?;
    if no_offload {
        fleet = fleet.without_offload();
    }
    if !flags.json {
        introduce(screen, fleet.plan());
    }
    let mut live = Live::new(screen, flags.json, every);
    let report = fleet.run(stop.asked(), |view| live.show(view)).await?;
    live.end();
    tell(screen, flags.json, &report);
    outputs.write(&report)?;
    verdict(&report)
}

fn introduce(screen: Screen, plan: &Plan) {
    let platform = &plan.platform;
    let shard = match (plan.shard.index(), plan.shard.of()) {
        (_, 1) => String::new(),
        _ => format!(" (shard {} of {})", plan.shard, plan.fleet()),
    };
    screen.line(format_args!(
        "{} cameras{shard} against {}@{}:{}, seed {}",
        screen.bold(&plan.len().to_string()),
        platform.id,
        platform.host,
        platform.port,
        plan.seed
    ));
    screen.line("Ctrl-C switches them off, each in its turn; Ctrl-C again ends at once\n");
}

/// What is shown while it runs.
struct Live {
    board: Option<Board>,
    screen: Screen,
    quiet: bool,
    every: Duration,
    next: Instant,
}

impl Live {
    fn new(screen: Screen, quiet: bool, every: Duration) -> Self {
        Live {
            board: screen.is_terminal().then(|| Board::new(screen)),
            screen,
            quiet,
            every,
            next: Instant::now() + every,
        }
    }

    fn show(&mut self, view: FleetView<'_>) {
        if self.quiet {
            return;
        }
        if let Some(board) = &mut self.board {
            let ink = Ink::new(self.screen.has_colour());
            board.show(view.status.screen(view.phase, view.statistics, ink));
            return;
        }
        // What is shown comes once a second, now and then a little early.
        if Instant::now() + EARLY >= self.next {
            self.screen
                .line(view.status.line(view.phase, view.statistics));
            self.next += self.every;
        }
    }

    fn end(self) {
        if let Some(board) = self.board {
            board.clear();
        }
    }
}

fn tell(screen: Screen, json: bool, report: &Report) {
    if json {
        screen.line(report.json().trim_end());
        return;
    }
    screen.line("");
    for line in report.screen(Ink::new(screen.has_colour())) {
        screen.line(line);
    }
}

fn verdict(report: &Report) -> Result<(), Failure> {
    if report.passed() {
        return Ok(());
    }
    let missed: Vec<_> = report
        .failures()
        .map(|check| {
            format!(
                "{}: {}, {} asked for",
                check.name, check.reached, check.limit
            )
        })
        .collect();
    Err(Failure::Short(missed.join("; ")))
}

/// The files that the report goes to.
struct Outputs {
    json: Option<PathBuf>,
    junit: Option<PathBuf>,
}

impl Outputs {
    /// Those of the flags, else those of the fleet file, which are named from where it lies.
    fn of(flags: &Flags, plan: &Plan, folder: &Folder) -> Self {
        let choose = |flag: &Option<PathBuf>, planned: &Option<String>| {
            let planned = planned.as_ref().map(|path| folder.path(path));
            flag.clone().or(planned)
        };
        Outputs {
            json: choose(&flags.report, &plan.report.json),
            junit: choose(&flags.junit, &plan.report.junit),
        }
    }

    /// Finds out now, and not after an hour, whether they can be written.
    fn try_out(&self) -> Result<(), Failure> {
        for path in [&self.json, &self.junit].into_iter().flatten() {
            let opened = std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(path);
            opened.map_err(|error| unwritten(path, &error))?;
        }
        Ok(())
    }

    fn write(&self, report: &Report) -> Result<(), Failure> {
        let write = |path: &Option<PathBuf>, text: String| match path {
            Some(path) => std::fs::write(path, text).map_err(|error| unwritten(path, &error)),
            None => Ok(()),
        };
        write(&self.json, report.json())?;
        write(&self.junit, report.junit())
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    Failure::Usage(format!("the report {}: {error}", path.display()))
}
