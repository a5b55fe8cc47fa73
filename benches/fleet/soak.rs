//! Calls that come and go for a long time: does anything stay behind?

use std::time::Duration;

use vcam::fleet::Phase;

use super::clip;
use super::platform::{Elsewhere, Wish};
use super::run::{self, FleetText, Look, Shown};
use super::table::Table;

/// The longest call, in seconds; the shortest is a tenth of it.
const LONGEST: u64 = 40;

/// A shorter run, in seconds, says little of memory: for 32 s an INVITE is remembered (timer L of
/// RFC 6026), and the first calls are while others come.
const LONG: u64 = 120;

/// Memory may grow by this much in the measured time before it counts as a leak: what the
/// allocator keeps of a peak.
const ALLOWANCE: f64 = 4096.0;

pub fn measure(
    cameras: u32,
    seconds: u64,
    table: &mut Table,
) -> Result<(), Box<dyn std::error::Error>> {
    let platform = Elsewhere::start(Wish {
        calls: cameras.into(),
        lasting: LONGEST.min(seconds / 3).max(1),
    })?;
    let file = clip::file()?;
    let fleet = FleetText {
        platform: platform.address,
        clip: &file,
        cameras: cameras.into(),
        per_second: 500,
        hold: seconds,
        more: "first-frame = \"own-clock\"\nkeepalive = \"20s\"",
    };
    let shown = run::run(&fleet, |_, _| {})?;
    let sink = platform.end()?;
    tell(cameras, seconds, &shown, &sink, table);
    Ok(())
}

fn tell(cameras: u32, seconds: u64, shown: &Shown, sink: &serde_json::Value, table: &mut Table) {
    let load = format!("{cameras} cameras, calls come and go for {seconds} s");
    let calls = shown.report["calls"]["accepted"].as_u64().unwrap_or(0);
    table.figure(&format!("{load}: calls"), calls as f64);
    let dropped = shown.report["media"]["dropped"]
        .as_u64()
        .unwrap_or(u64::MAX);
    table.counted(&format!("{load}: frames dropped"), dropped, 0);
    let ended = shown.report["calls"]["ended"].as_u64().unwrap_or(0);
    table.counted(&format!("{load}: calls that ended"), ended, calls);
    let [before, after] = shown.held;
    let left = |after: usize, before: usize| after.saturating_sub(before) as u64;
    let descriptors = left(after.descriptors, before.descriptors);
    table.counted(&format!("{load}: descriptors left over"), descriptors, 0);
    let threads = left(after.threads, before.threads);
    table.counted(&format!("{load}: threads left over"), threads, 0);
    table.clean(&format!("{load}: verified streams clean"), sink);
    table.shortfalls(sink);
    let (slope, minutes) = slope(
        &shown.looks,
        Duration::from_secs(2 * LONGEST.min(seconds / 3)),
    );
    table.figure(&format!("{load}: memory's slope, KiB a minute"), slope);
    let (what, grown) = (format!("{load}: KiB grown once settled"), slope * minutes);
    match seconds >= LONG {
        true => table.bar(&what, grown, ALLOWANCE),
        false => table.figure(&what, grown),
    }
}

/// KiB a minute that memory grows while the fleet holds, once it is past `settled`, by least
/// squares, and over how many minutes that was seen.
fn slope(looks: &[Look], settled: Duration) -> (f64, f64) {
    let held = looks.iter().filter(|look| look.phase == Phase::Holding);
    let begun = held.clone().next().map_or(Duration::ZERO, |look| look.at);
    let settled = held.filter(|look| look.at >= begun + settled);
    let points: Vec<(f64, f64)> = settled
        .map(|look| (look.at.as_secs_f64() / 60.0, look.resident as f64 / 1024.0))
        .collect();
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (mean_x, mean_y) = (mean(|point| point.0), mean(|point| point.1));
    let covered: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let common: f64 = points
        .iter()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    let minutes = points.last().map_or(0.0, |last| last.0) - points.first().map_or(0.0, |p| p.0);
    (common / covered.max(1e-9), minutes)
}
