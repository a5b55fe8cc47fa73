//! Whole fleets, as `vcam run` plays them, against a sink in another process:
//!
//! ```text
//! cargo bench --bench fleet                      # all, as published; a quarter of an hour
//! cargo bench --bench fleet -- --only calls      # ten thousand calls at once
//! cargo bench --bench fleet -- --only start      # vcam run, up to its first REGISTER
//! cargo bench --bench fleet -- --only storm      # frame lateness while others register
//! cargo bench --bench fleet -- --only soak       # 2,000 cameras whose calls come and go
//! ```
//!
//! The cameras are in this process, so that its memory, descriptors and threads are theirs. What
//! is lost, left over or not clean makes it exit with 1; no time does.

mod calls;
mod clip;
#[allow(dead_code)] // The other bench uses the rest.
#[path = "../signalling/measure.rs"]
mod measure;
mod platform;
mod run;
mod soak;
mod start;
mod storm;
mod table;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(about = "Plays whole fleets against a sink in another process")]
struct Options {
    /// Only this: start, calls, storm, soak.
    #[arg(long)]
    only: Option<String>,
    /// Cameras that are all in a call at once.
    #[arg(long, default_value_t = 10_000)]
    calls: u32,
    /// Cameras whose calls come and go.
    #[arg(long, default_value_t = 2_000)]
    cameras: u32,
    /// How long their calls come and go, in seconds.
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// The platform's process.
    #[arg(long, hide = true)]
    role: Option<platform::Wish>,
    /// Cargo says so.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    if let Some(wish) = &options.role {
        return platform::run(wish);
    }
    let wants = |bench: &str| options.only.as_deref().is_none_or(|only| only == bench);
    let mut table = table::Table::new();
    if wants("start") {
        start::measure(options.calls, &mut table)?;
    }
    if wants("calls") {
        calls::measure(options.calls, &mut table)?;
    }
    if wants("storm") {
        storm::measure(&mut table)?;
    }
    if wants("soak") {
        soak::measure(options.cameras, options.seconds, &mut table)?;
    }
    table.print();
    match table.is_sound() {
        true => Ok(()),
        false => Err("something was lost or left over".into()),
    }
}
