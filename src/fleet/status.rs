//! How a fleet stands while it runs.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::figures::{bit_rate, clock, number, time};
use super::ink::Ink;
use super::measure::{Measure, Percentiles};
use super::schedule::Phase;
use super::statistics::Statistics;

/// How many kinds of error are named at once.
const KINDS: usize = 3;

/// How a fleet stands, told again and again. It remembers the last time, so that rates and
/// lateness are those of the time between.
#[derive(Clone, Debug, Default)]
pub struct Status {
    cameras: u64,
    at: Duration,
    octets: u64,
    lateness: Option<Histogram<u64>>,
    rate: u64,
    late: Option<Percentiles>,
}

impl Status {
    /// Of a fleet that has `cameras` in this process.
    pub fn new(cameras: u64) -> Status {
        Status {
            cameras,
            ..Status::default()
        }
    }

    /// Measures the time since the last call. `at` is counted from the beginning of the run.
    pub fn measure(&mut self, at: Duration, statistics: &Statistics) {
        let octets = statistics.sent().octets;
        let passed = at.saturating_sub(self.at).as_secs_f64();
        let more = octets.saturating_sub(self.octets) as f64;
        if passed > 0.0 {
            self.rate = (more * 8.0 / passed) as u64;
        }
        (self.at, self.octets) = (at, octets);
        let lateness = statistics.times().histogram(Measure::Lateness);
        let mut since = lateness.clone();
        if let Some(before) = &self.lateness {
            // It only grows; where it did not, the whole is as good.
            let _ = since.subtract(before);
        }
        self.late = Percentiles::of(&since);
        self.lateness = Some(lateness.clone());
    }

    /// One line, for a pipe.
    pub fn line(&self, phase: Phase, statistics: &Statistics) -> String {
        let mut line = format!(
            "{} {}: {} of {} registered",
            clock(self.at),
            in_words(phase),
            number(statistics.registered()),
            number(self.cameras),
        );
        for (count, what) in [
            (statistics.registering(), "registering"),
            (statistics.failed(), "failed"),
        ] {
            if count > 0 {
                line += &format!(", {} {what}", number(count));
            }
        }
        line += &format!("; {} streams", number(statistics.streams()));
        if statistics.streams() > 0 {
            line += &format!(", {}", bit_rate(self.rate));
        }
        if let Some(late) = self.late {
            line += &format!(", frames late p99 {}", time(late.p99));
        }
        for measure in [Measure::Register, Measure::Invite, Measure::Keepalive] {
            if let Some(took) = statistics.times().percentiles(measure) {
                line += &format!("; {} p99 {}", measure.title(), time(took.p99));
            }
        }
        if statistics.errors() > 0 {
            line += &format!("; {} errors", number(statistics.errors()));
        }
        line
    }

    /// A screen of lines, for a terminal.
    pub fn screen(&self, phase: Phase, statistics: &Statistics, ink: Ink) -> Vec<String> {
        let mut lines = vec![
            format!("{}  {}", ink.bold(clock(self.at)), ink.dim(in_words(phase))),
            self.cameras(statistics, ink),
            self.media(statistics),
        ];
        for measure in Measure::ALL {
            if let Some(took) = statistics.times().percentiles(measure)
                && measure != Measure::Lateness
            {
                lines.push(format!(
                    "{:<24}p50 {:>8}   p99 {:>8}   max {:>8}",
                    measure.title(),
                    time(took.p50),
                    time(took.p99),
                    time(took.max)
                ));
            }
        }
        lines.extend(errors(statistics, ink));
        lines
    }

    fn cameras(&self, statistics: &Statistics, ink: Ink) -> String {
        let idle = statistics
            .registered()
            .saturating_sub(statistics.streaming());
        let waiting = self.cameras.saturating_sub(statistics.started());
        let mut states = Vec::new();
        for (count, what) in [
            (waiting, "to come"),
            (statistics.registering(), "registering"),
            (idle, "registered"),
            (statistics.streaming(), "streaming"),
            (statistics.failed(), "failed"),
            (statistics.off(), "off"),
        ] {
            let told = format!("{} {what}", number(count));
            match (count, what) {
                (0, _) => {}
                (_, "failed") => states.push(ink.bad(told)),
                (_, "streaming") => states.push(ink.good(told)),
                _ => states.push(told),
            }
        }
        format!("{:<24}{}", "cameras", states.join(" · "))
    }

    fn media(&self, statistics: &Statistics) -> String {
        let mut media = format!(
            "{:<24}{} · {}",
            "streams",
            number(statistics.streams()),
            bit_rate(self.rate)
        );
        if let Some(late) = self.late {
            media += &format!(" · frames late p99 {}", time(late.p99));
        }
        let dropped = statistics.sent().dropped;
        if dropped > 0 {
            media += &format!(" · {} frames dropped", number(dropped));
        }
        media
    }
}

fn errors(statistics: &Statistics, ink: Ink) -> Option<String> {
    let troubles = statistics.troubles();
    let named = troubles.iter().take(KINDS);
    let mut named: Vec<_> = named
        .map(|(kind, trouble)| format!("{} {kind}", number(trouble.count)))
        .collect();
    if troubles.len() > KINDS {
        named.push(format!("{} kinds more", troubles.len() - KINDS));
    }
    (!named.is_empty()).then(|| ink.bad(format!("{:<24}{}", "errors", named.join(" · "))))
}

fn in_words(phase: Phase) -> &'static str {
    match phase {
        Phase::RampUp => "ramp up",
        Phase::Holding => "holding",
        Phase::RampDown | Phase::Over => "ramp down",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::fleet::Tally;
    use crate::fleet::testing::{failed, registered, streaming};
    use crate::media::Counts;
    use crate::time::Wall;

    fn statistics() -> Statistics {
        let mut tally = Tally::new(Arc::from([0; 1200]));
        let mut statistics = Statistics::default();
        for camera in 0..1100 {
            tally.note(camera, &registered(10), || Wall::from_seconds(0));
        }
        tally.note(0, &streaming(1, 40), || Wall::from_seconds(0));
        tally.note(1100, &failed("403 Forbidden"), || Wall::from_seconds(0));
        (0..1150).for_each(|_| statistics.switched_on());
        statistics.take(&mut tally);
        statistics
    }

    fn sent(statistics: &mut Statistics, octets: u64, late: u64) {
        let mut lateness = statistics.times().histogram(Measure::Lateness).clone();
        lateness.record(late).unwrap();
        let sent = Counts {
            octets,
            ..Counts::default()
        };
        statistics.pumped(sent, lateness);
    }

    #[test]
    fn a_pipe_gets_a_line_without_escape_codes() {
        let mut status = Status::new(1200);
        let mut statistics = statistics();
        sent(&mut statistics, 250_000, 700);
        status.measure(Duration::from_secs(65), &statistics);
        sent(&mut statistics, 500_000, 200);
        status.measure(Duration::from_secs(66), &statistics);
        assert_eq!(
            status.line(Phase::RampUp, &statistics),
            "1:06 ramp up: 1,100 of 1,200 registered, 49 registering, 1 failed; 1 streams, \
             2.0 Mbit/s, frames late p99 0.20 ms; REGISTER to 200 p99 10.0 ms; 1 errors"
        );
    }

    #[test]
    fn a_terminal_gets_a_screen() {
        let mut status = Status::new(1200);
        let statistics = statistics();
        status.measure(Duration::from_secs(66), &statistics);
        let screen = status.screen(Phase::Holding, &statistics, Ink::PLAIN);
        assert_eq!(
            screen,
            [
                "1:06  holding",
                "cameras                 50 to come · 49 registering · 1,099 registered · \
                 1 streaming · 1 failed",
                "streams                 1 · 0 bit/s",
                "REGISTER to 200         p50  10.0 ms   p99  10.0 ms   max  10.0 ms",
                "INVITE to first packet  p50  40.0 ms   p99  40.0 ms   max  40.0 ms",
                "errors                  1 registration refused with 403",
            ]
        );
        let coloured = status.screen(Phase::Holding, &statistics, Ink::new(true));
        assert!(coloured.concat().contains("\x1b[31m1 failed\x1b[0m"));
    }
}
