//! The report as a person reads it.

use super::{Error, GroupReport, Report};
use crate::fleet::figures::{clock, number, octets, time};
use crate::fleet::ink::Ink;

/// How wide the names before figures are.
const MARGIN: usize = 24;

pub(super) fn lines(report: &Report, ink: Ink) -> Vec<String> {
    let mut lines = vec![head(report, ink), String::new()];
    lines.extend(counts(report));
    lines.push(String::new());
    lines.extend(times(report, ink));
    if report.groups.len() > 1 {
        lines.push(String::new());
        lines.extend(report.groups.iter().map(group));
    }
    if !report.errors.is_empty() {
        lines.push(String::new());
        lines.extend(report.errors.iter().flat_map(|error| told(error, ink)));
    }
    lines.push(String::new());
    lines.extend(thresholds(report, ink));
    lines
}

fn head(report: &Report, ink: Ink) -> String {
    let seconds = std::time::Duration::from_secs_f64(report.seconds.max(0.0));
    let shard = match report.shard.as_str() {
        "0/1" => String::new(),
        shard => format!(", shard {shard}"),
    };
    format!(
        "{} against {}: ran {}{shard}, seed {}",
        ink.bold(&report.fleet),
        report.platform,
        clock(seconds),
        report.seed
    )
}

fn counts(report: &Report) -> Vec<String> {
    let Report {
        cameras,
        calls,
        keepalives,
        media,
        ..
    } = report;
    let line = |name: &str, told: String| format!("{name:<MARGIN$}{told}");
    vec![
        line(
            "cameras",
            format!(
                "{} registered of {} · {} never · {} at the end",
                number(cameras.registered),
                number(cameras.planned),
                number(cameras.failed),
                number(cameras.registered_at_end)
            ),
        ),
        line(
            "keepalives",
            format!(
                "{} answered · {} lost",
                number(keepalives.answered),
                number(keepalives.lost)
            ),
        ),
        line(
            "calls",
            format!(
                "{} accepted · {} refused · {} streamed · {} streams at once",
                number(calls.accepted),
                number(calls.refused),
                number(calls.streamed),
                number(calls.streams_at_once)
            ),
        ),
        line(
            "media",
            format!(
                "{} frames · {} · {} late · {} dropped",
                number(media.frames),
                octets(media.octets),
                number(media.late),
                number(media.dropped)
            ),
        ),
    ]
}

fn times(report: &Report, ink: Ink) -> Vec<String> {
    let columns = |cells: [&str; 5]| {
        let [count, p50, p90, p99, max] = cells;
        format!("{count:>10} {p50:>10} {p90:>10} {p99:>10} {max:>10}")
    };
    let titles = columns(["count", "p50", "p90", "p99", "max"]);
    let mut lines = vec![ink.bold(format!("{:<MARGIN$}{titles}", "times"))];
    for (measure, measured) in report.times.named() {
        let figures = match measured {
            None => columns(["0", "-", "-", "-", "-"]),
            Some(all) => columns([
                &number(all.count),
                &time(all.p50),
                &time(all.p90),
                &time(all.p99),
                &time(all.max),
            ]),
        };
        lines.push(format!("{:<MARGIN$}{figures}", measure.title()));
    }
    lines
}

fn group(group: &GroupReport) -> String {
    format!(
        "{:<MARGIN$}{} of {} registered · {} of {} calls streamed · {} errors",
        format!("{} (line {})", group.profile, group.line),
        number(group.registered),
        number(group.cameras),
        number(group.streamed),
        number(group.calls),
        number(group.errors)
    )
}

fn told(error: &Error, ink: Ink) -> [String; 2] {
    let example = &error.example;
    let call_id = match example.call_id.as_str() {
        "" => String::new(),
        call_id => format!(", Call-ID {call_id}"),
    };
    [
        ink.bad(format!(
            "{} x {}, first: {}",
            number(error.count),
            error.kind,
            example.why
        )),
        ink.dim(format!(
            "    camera {}, {}{call_id}",
            example.camera, example.at
        )),
    ]
}

fn thresholds(report: &Report, ink: Ink) -> Vec<String> {
    let line = |check: &super::Check| {
        let mark = match check.passed {
            true => ink.good("✓"),
            false => ink.bad("✗"),
        };
        format!(
            "{mark} {:<width$}{}, {} asked for",
            check.name,
            check.reached,
            check.limit,
            width = MARGIN - 2
        )
    };
    report.thresholds.iter().map(line).collect()
}
