//! Whether a run was what was asked for.

use std::time::Duration;

use serde::Serialize;

use super::figures;
use super::measure::Measure;
use super::statistics::Statistics;
use crate::config::{Limits, Plan, Share, Thresholds};

/// One threshold, and what was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// As in the fleet file: `registered`, `register.p99`.
    pub name: String,
    /// What was asked for: `at least 100 %`.
    pub limit: String,
    /// What was reached.
    pub reached: String,
    /// Whether that is enough. What was never measured is not too slow.
    pub passed: bool,
}

/// Judges every threshold of a plan. `cameras` are those of which registration was expected.
pub(super) fn judge(plan: &Plan, cameras: u64, statistics: &Statistics) -> Vec<Check> {
    let thresholds = &plan.thresholds;
    let mut checks = shares(thresholds, cameras, statistics);
    checks.extend(counts(thresholds, statistics));
    for measure in Measure::ALL {
        let limits = limits(thresholds, measure);
        checks.extend(times(measure, limits, statistics));
    }
    checks
}

/// Whether `part` of `of` is at least `least`. Of nothing, everything is there.
pub(super) fn reaches(part: u64, of: u64, least: Share) -> bool {
    // Compared as a share of one, with room for what dividing does to the last digit.
    part >= of || part as f64 / of as f64 + 1e-12 >= least.of_one()
}

fn shares(thresholds: &Thresholds, cameras: u64, statistics: &Statistics) -> Vec<Check> {
    let all = statistics.all();
    let at_least = |name: &str, part, of, least: Share| Check {
        name: name.to_owned(),
        limit: format!("at least {least}"),
        reached: reached(part, of),
        passed: reaches(part, of, least),
    };
    let mut checks = vec![at_least(
        "registered",
        statistics.arrived(),
        cameras,
        thresholds.registered,
    )];
    if let Some(least) = thresholds.registered_at_end {
        let registered = statistics.registered_at_end();
        checks.push(at_least("registered-at-end", registered, cameras, least));
    }
    if let Some(least) = thresholds.keepalives_answered {
        let asked = all.kept + all.missed;
        checks.push(at_least("keepalives-answered", all.kept, asked, least));
    }
    if let Some(least) = thresholds.calls_streamed {
        let calls = (all.invited + all.refused).saturating_sub(all.cut_short);
        checks.push(at_least("calls-streamed", all.streamed, calls, least));
    }
    checks
}

fn reached(part: u64, of: u64) -> String {
    match of {
        0 => "nothing to count".to_owned(),
        _ => {
            let share = figures::share(part, of);
            let (part, of) = (figures::number(part), figures::number(of));
            format!("{share} ({part} of {of})")
        }
    }
}

fn counts(thresholds: &Thresholds, statistics: &Statistics) -> Vec<Check> {
    let mut checks = Vec::new();
    if let Some(least) = thresholds.streams_at_once {
        let most = statistics.streams_at_once();
        checks.push(Check {
            name: "streams-at-once".to_owned(),
            limit: format!("at least {}", figures::number(least)),
            reached: figures::number(most),
            passed: most >= least,
        });
    }
    if let Some(most) = thresholds.frames_dropped {
        let sent = statistics.sent();
        let frames = sent.frames + sent.dropped;
        checks.push(Check {
            name: "frames-dropped".to_owned(),
            limit: format!("at most {most}"),
            reached: reached(sent.dropped, frames),
            passed: sent.dropped == 0 || {
                let share = sent.dropped as f64 / frames as f64;
                share <= most.of_one() + 1e-12
            },
        });
    }
    if let Some(most) = thresholds.errors {
        let errors = statistics.errors();
        checks.push(Check {
            name: "errors".to_owned(),
            limit: format!("at most {}", figures::number(most)),
            reached: figures::number(errors),
            passed: errors <= most,
        });
    }
    checks
}

fn limits(thresholds: &Thresholds, measure: Measure) -> Limits {
    match measure {
        Measure::Register => thresholds.register,
        Measure::Invite => thresholds.invite,
        Measure::Ack => thresholds.ack,
        Measure::FirstPacket => thresholds.first_packet,
        Measure::Keepalive => thresholds.keepalive,
        Measure::Lateness => thresholds.lateness,
    }
}

fn times(measure: Measure, limits: Limits, statistics: &Statistics) -> Vec<Check> {
    let measured = statistics.times().percentiles(measure);
    let of = |(name, limit): (&str, Option<Duration>)| {
        let limit = limit?;
        let found = measured.and_then(|all| {
            let named = all.named().into_iter().find(|(own, _)| *own == name);
            named.map(|(_, time)| time)
        });
        Some(Check {
            name: format!("{}.{name}", measure.key()),
            limit: format!("at most {}", figures::time(limit)),
            reached: found.map_or("nothing measured".to_owned(), figures::time),
            passed: found.is_none_or(|time| time <= limit),
        })
    };
    limits.named().into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fleet::Tally;
    use crate::fleet::testing::{failed, plan, registered};
    use crate::time::Wall;

    /// Four cameras: three registered after 10, 20 and 30 ms, one refused.
    fn statistics() -> Statistics {
        let mut tally = Tally::new(Arc::from([0, 0, 0, 0]));
        let mut statistics = Statistics::default();
        for (camera, event) in [
            registered(10),
            registered(20),
            registered(30),
            failed("403"),
        ]
        .iter()
        .enumerate()
        {
            tally.note(camera, event, || Wall::from_seconds(0));
        }
        statistics.take(&mut tally);
        statistics
    }

    fn verdicts(thresholds: &str) -> Vec<(String, bool)> {
        let plan = plan(&format!(
            "[[cameras]]\ncount = 4\n[thresholds]\n{thresholds}"
        ));
        let checks = judge(&plan, 4, &statistics());
        checks.into_iter().map(|c| (c.name, c.passed)).collect()
    }

    fn passed(name: &str, passed: bool) -> (String, bool) {
        (name.to_owned(), passed)
    }

    #[test]
    fn without_thresholds_every_camera_must_have_registered() {
        assert_eq!(verdicts(""), [passed("registered", false)]);
        assert_eq!(
            verdicts("registered = \"75 %\""),
            [passed("registered", true)]
        );
    }

    #[test]
    fn times_are_judged_by_their_percentiles() {
        let checks =
            verdicts("registered = \"0 %\"\nregister.p50 = \"21ms\"\nregister.max = \"29ms\"\n");
        assert_eq!(
            checks[1..],
            [passed("register.p50", true), passed("register.max", false)]
        );
    }

    #[test]
    fn what_never_happened_is_not_judged_slow() {
        let plan = plan("[[cameras]]\n[thresholds]\ninvite.p99 = \"1ms\"\n");
        let checks = judge(&plan, 0, &Statistics::default());
        assert!(checks.iter().all(|check| check.passed), "{checks:?}");
        assert_eq!(checks[0].reached, "nothing to count");
        assert_eq!(checks[1].reached, "nothing measured");
    }

    #[test]
    fn counts_are_judged_from_above_or_below() {
        let checks = verdicts(
            "registered = \"75 %\"\nerrors = 0\nstreams-at-once = 1\nframes-dropped = \"0 %\"\n\
             registered-at-end = \"75 %\"\nkeepalives-answered = \"100 %\"\n",
        );
        assert_eq!(
            checks[1..],
            [
                passed("registered-at-end", true),
                passed("keepalives-answered", true),
                passed("streams-at-once", false),
                passed("frames-dropped", true),
                passed("errors", false),
            ]
        );
    }

    #[test]
    fn a_share_is_judged_exactly() {
        let least: Share = "99.9 %".parse().unwrap();
        assert!(reaches(999, 1000, least));
        assert!(!reaches(9_989, 10_000, least));
    }
}
