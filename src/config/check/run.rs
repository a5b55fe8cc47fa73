//! What a run is told beside its cameras: lengths, ramp, thresholds, reports.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::{copied, count, length, some_time};
use crate::config::plan::{Plan, Report};
use crate::config::problem::Problems;
use crate::config::ramp::Ramp;
use crate::config::schema::{
    Key, LimitsTable, RampTable, ReportTable, TextKey, ThresholdsTable, Top,
};
use crate::config::threshold::{Limits, Thresholds};
use crate::config::value::{Rate, Share};

/// More threads than any machine this runs on has cores.
const MOST_WORKERS: usize = 1024;

pub(super) fn workers(top: &Top, problems: &mut Problems<'_>) -> Option<NonZeroUsize> {
    top.workers.as_ref()?;
    let what = ("a run has", "workers");
    NonZeroUsize::new(count(&top.workers, 1, MOST_WORKERS, what, problems))
}

pub(super) fn ramp(table: &RampTable) -> Ramp {
    let rate = |key: &Key<Rate>, default: f64| copied(key).map_or(default, |Rate(rate)| rate);
    Ramp {
        cameras_per_second: rate(&table.cameras_per_second, 100.0),
        jitter: length(&table.jitter).unwrap_or_default(),
        hold: length(&table.hold),
        down_per_second: rate(&table.down_per_second, 1000.0),
    }
}

/// A run that ends before its fleet is up is nobody's intention.
pub(super) fn lengths(top: &Top, plan: &Plan, problems: &mut Problems<'_>) {
    let up = plan.ramp_up();
    let Some(duration) = plan.duration else {
        return;
    };
    if duration > up {
        return;
    }
    let why = format!(
        "the run ends after {} s, before its {} cameras are switched on, which takes {:.1} s: \
         lengthen the duration or raise [ramp] cameras-per-second",
        duration.as_secs_f64(),
        plan.fleet(),
        up.as_secs_f64()
    );
    match &top.duration {
        Some(key) if super::length(&top.duration) == Some(duration) => {
            problems.at(key.span(), why);
        }
        _ => problems.of(why),
    }
}

pub(super) fn thresholds(table: &ThresholdsTable, problems: &mut Problems<'_>) -> Thresholds {
    let share = |key: &TextKey<Share>| key.as_ref().map(|value| value.get_ref().0);
    let thresholds = Thresholds {
        registered: share(&table.registered).unwrap_or(Share::ALL),
        registered_at_end: share(&table.registered_at_end),
        keepalives_answered: share(&table.keepalives_answered),
        calls_streamed: share(&table.calls_streamed),
        streams_at_once: copied(&table.streams_at_once),
        frames_dropped: share(&table.frames_dropped),
        errors: copied(&table.errors),
        register: limits(&table.register, problems),
        invite: limits(&table.invite, problems),
        ack: limits(&table.ack, problems),
        first_packet: limits(&table.first_packet, problems),
        keepalive: limits(&table.keepalive, problems),
        lateness: limits(&table.lateness, problems),
    };
    at_end(table, &thresholds, problems);
    thresholds
}

fn at_end(table: &ThresholdsTable, thresholds: &Thresholds, problems: &mut Problems<'_>) {
    let Some(key) = &table.registered_at_end else {
        return;
    };
    let (at_end, ever) = (key.get_ref().0, thresholds.registered);
    // More at the end than ever: not wrong, but `registered` is then not what was meant.
    if at_end > ever {
        let why = format!(
            "{at_end} registered at the end are more than the {ever} of `registered`; raise that too"
        );
        problems.at(key.span(), why);
    }
}

fn limits(table: &LimitsTable, problems: &mut Problems<'_>) -> Limits {
    let limits = Limits {
        p50: length(&table.p50),
        p90: length(&table.p90),
        p99: length(&table.p99),
        max: length(&table.max),
    };
    if let Some((lower, higher)) = limits.out_of_order() {
        let key = match higher {
            "p90" => &table.p90,
            "p99" => &table.p99,
            _ => &table.max,
        };
        let why = format!("{higher} allows less than {lower}, which is then never reached");
        if let Some(key) = key {
            problems.at(key.span(), why);
        }
    }
    limits
}

pub(super) fn report(table: &ReportTable, problems: &mut Problems<'_>) -> Report {
    let path = |key: &Key<String>, problems: &mut Problems<'_>| {
        let key = key.as_ref()?;
        if key.get_ref().is_empty() {
            problems.at(
                key.span(),
                "a report needs a file name; leave the key out for none",
            );
        }
        Some(key.get_ref().clone())
    };
    let report = Report {
        json: path(&table.json, problems),
        junit: path(&table.junit, problems),
        every: some_time(
            &table.every,
            Duration::from_secs(5),
            "status lines need some time between them: write \"1s\" or more",
            problems,
        ),
    };
    if let (Some(key), true) = (&table.junit, report.json == report.junit) {
        problems.at(
            key.span(),
            "both reports would be written to this file; give each its own",
        );
    }
    report
}
