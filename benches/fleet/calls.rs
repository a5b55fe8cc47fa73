//! As many calls at once as there are cameras: one SIP socket for all, media over TCP.

use super::clip;
use super::platform::{Elsewhere, Wish};
use super::run::{self, FleetText, Shown};
use super::table::Table;

/// How long all of them stream.
const HOLD: u64 = 30;

pub fn measure(cameras: u32, table: &mut Table) -> Result<(), Box<dyn std::error::Error>> {
    let platform = Elsewhere::start(Wish {
        calls: cameras.into(),
        lasting: 0,
    })?;
    let file = clip::file()?;
    let fleet = FleetText {
        platform: platform.address,
        clip: &file,
        cameras: cameras.into(),
        per_second: 500,
        hold: HOLD,
        more: "",
    };
    let shown = run::run(&fleet, |_, _| {})?;
    let sink = platform.end()?;
    tell(cameras, &shown, &sink, table);
    Ok(())
}

fn tell(cameras: u32, shown: &Shown, sink: &serde_json::Value, table: &mut Table) {
    let load = format!("{cameras} calls at once, 200 kbit/s, TCP");
    let up = sink["calls"]["most_streaming"].as_u64().unwrap_or(0);
    let all = u64::from(cameras);
    table.counted(&format!("{load}: streaming at the platform"), up, all);
    let faults = ["lost", "gaps", "late"].map(|fault| sink["media"]["packets"][fault].as_u64());
    let faults: u64 = faults.into_iter().flatten().sum();
    table.counted(&format!("{load}: packets lost, misplaced"), faults, 0);
    let dropped = shown.report["media"]["dropped"]
        .as_u64()
        .unwrap_or(u64::MAX);
    table.counted(&format!("{load}: frames dropped"), dropped, 0);
    table.clean(&format!("{load}: verified streams clean"), sink);
    table.shortfalls(sink);
    let full = shown.looks.iter().filter(|look| look.streaming == all);
    let resident = full.clone().map(|look| look.resident).max().unwrap_or(0);
    let each = resident.saturating_sub(shown.ready) as f64 / f64::from(cameras) / 1024.0;
    table.bar(&format!("{load}: KiB resident per camera"), each, 16.0);
    let (first, last) = (full.clone().next(), full.clone().next_back());
    if let (Some(first), Some(last)) = (first, last) {
        let share = (last.cpu - first.cpu) / (last.at - first.at).as_secs_f64().max(1e-3);
        table.figure(&format!("{load}: % of a core"), 100.0 * share);
    }
    for time in ["invite", "first_packet", "lateness"] {
        let p99 = shown.report["times"][time]["p99"]
            .as_f64()
            .unwrap_or(f64::NAN);
        table.figure(&format!("{load}: {time} p99, ms"), p99);
    }
}
