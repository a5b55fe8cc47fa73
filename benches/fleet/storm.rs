//! How late frames leave while a thousand other cameras register every second, in the same
//! process, and how late when nothing else happens.

use std::time::Duration;

use hdrhistogram::Histogram;
use vcam::fleet::{Measure, Phase};

use super::clip;
use super::platform::{Elsewhere, Wish};
use super::run::{self, FleetText};
use super::table::Table;

/// Cameras that stream meanwhile.
const STREAMS: u64 = 500;
/// Cameras that register in a second.
const PER_SECOND: u64 = 1_000;
/// How long they do, and how long it is quiet then.
const SECONDS: u64 = 15;
/// What does not count after a change: streams begin, transactions end.
const SETTLE: Duration = Duration::from_secs(3);

pub fn measure(table: &mut Table) -> Result<(), Box<dyn std::error::Error>> {
    let platform = Elsewhere::start(Wish {
        calls: STREAMS,
        lasting: 0,
    })?;
    let file = clip::file()?;
    let fleet = FleetText {
        platform: platform.address,
        clip: &file,
        cameras: PER_SECOND * SECONDS,
        per_second: PER_SECOND,
        hold: SECONDS + SETTLE.as_secs(),
        more: "",
    };
    let mut storm = Window::default();
    let mut quiet = Window::default();
    let mut calm_since = None;
    run::run(&fleet, |at, view| {
        let lateness = view.statistics.times().histogram(Measure::Lateness);
        match view.phase {
            Phase::Holding => {
                let since = *calm_since.get_or_insert(at);
                quiet.see(at >= since + SETTLE, lateness);
            }
            _ if calm_since.is_none() => storm.see(at >= SETTLE, lateness),
            _ => {}
        }
    })?;
    table.shortfalls(&platform.end()?);
    for (when, window) in [("quiet", quiet), ("1,000 REGISTER/s", storm)] {
        let seen = window.seen()?;
        for (name, quantile) in [("p50", 0.5), ("p99", 0.99)] {
            let what = format!("frame lateness {name}, ms, {STREAMS} streams, {when}");
            table.figure(&what, seen.value_at_quantile(quantile) as f64 / 1000.0);
        }
    }
    Ok(())
}

/// What was counted between two looks.
#[derive(Default)]
struct Window {
    first: Option<Histogram<u64>>,
    last: Option<Histogram<u64>>,
}

impl Window {
    fn see(&mut self, counts: bool, so_far: &Histogram<u64>) {
        match &self.first {
            None if counts => self.first = Some(so_far.clone()),
            None => {}
            Some(_) => self.last = Some(so_far.clone()),
        }
    }

    fn seen(self) -> Result<Histogram<u64>, Box<dyn std::error::Error>> {
        let (first, last) = self.first.zip(self.last).ok_or("the run was too short")?;
        let mut between = last;
        between
            .subtract(&first)
            .map_err(|error| format!("{error:?}"))?;
        Ok(between)
    }
}
