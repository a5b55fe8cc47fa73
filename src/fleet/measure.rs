//! How long things take: one histogram each.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// REGISTER to its 200, challenge included.
    Register,
    /// INVITE to our 200.
    Invite,
    /// Our 200 to the ACK.
    Ack,
    /// INVITE to the first packet.
    FirstPacket,
    /// Keepalive to its 200.
    Keepalive,
    /// How late frames leave, against their time.
    Lateness,
}

impl Measure {
    /// All of them, in the order they are shown.
    pub const ALL: [Measure; 6] = [
        Measure::Register,
        Measure::Invite,
        Measure::Ack,
        Measure::FirstPacket,
        Measure::Keepalive,
        Measure::Lateness,
    ];

    /// As the fleet file calls it.
    pub const fn key(self) -> &'static str {
        match self {
            Measure::Register => "register",
            Measure::Invite => "invite",
            Measure::Ack => "ack",
            Measure::FirstPacket => "first-packet",
            Measure::Keepalive => "keepalive",
            Measure::Lateness => "lateness",
        }
    }

    /// As people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Measure::Register => "REGISTER to 200",
            Measure::Invite => "INVITE to 200",
            Measure::Ack => "200 to ACK",
            Measure::FirstPacket => "INVITE to first packet",
            Measure::Keepalive => "Keepalive to 200",
            Measure::Lateness => "frame lateness",
        }
    }

    const fn place(self) -> usize {
        self as usize
    }
}

/// One histogram for each [`Measure`], in microseconds with three digits. It grows with the
/// longest time it has seen; times beyond an hour count as one.
#[derive(Clone, Debug)]
pub struct Times {
    all: [Histogram<u64>; Measure::ALL.len()],
}

impl Default for Times {
    fn default() -> Self {
        let empty = || Histogram::new(3).expect("three digits are allowed");
        Times {
            all: std::array::from_fn(|_| empty()),
        }
    }
}

impl Times {
    /// Takes in a time.
    pub fn record(&mut self, measure: Measure, took: Duration) {
        const HOUR: u128 = 3_600_000_000;
        let micros = took.as_micros().min(HOUR) as u64;
        // It grows as far as an hour needs: nothing that could fail.
        let _ = self.all[measure.place()].record(micros);
    }

    /// Moves everything from `other` to here.
    pub fn take(&mut self, other: &mut Times) {
        for (here, there) in self.all.iter_mut().zip(&mut other.all) {
            if !there.is_empty() {
                let _ = here.add(&*there);
                there.reset();
            }
        }
    }

    /// Replaces the histogram of one measure, which is gathered elsewhere.
    pub fn replace(&mut self, measure: Measure, histogram: Histogram<u64>) {
        self.all[measure.place()] = histogram;
    }

    /// The histogram of one measure, in microseconds.
    pub fn histogram(&self, measure: Measure) -> &Histogram<u64> {
        &self.all[measure.place()]
    }

    /// What is told of one measure; `None` when nothing was measured.
    pub fn percentiles(&self, measure: Measure) -> Option<Percentiles> {
        Percentiles::of(self.histogram(measure))
    }
}

/// The times that a share of measurements did not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percentiles {
    /// How many were measured.
    pub count: u64,
    /// Half of them.
    pub p50: Duration,
    /// Nine of ten.
    pub p90: Duration,
    /// 99 of a hundred.
    pub p99: Duration,
    /// All of them.
    pub max: Duration,
}

impl Percentiles {
    /// Those of a histogram in microseconds; `None` when it is empty.
    pub fn of(histogram: &Histogram<u64>) -> Option<Percentiles> {
        let at = |share| Duration::from_micros(histogram.value_at_quantile(share));
        (!histogram.is_empty()).then(|| Percentiles {
            count: histogram.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            max: Duration::from_micros(histogram.max()),
        })
    }

    /// Each with its name.
    pub fn named(&self) -> [(&'static str, Duration); 4] {
        [
            ("p50", self.p50),
            ("p90", self.p90),
            ("p99", self.p99),
            ("max", self.max),
        ]
    }
}

/// In milliseconds, as reports have them.
impl Serialize for Percentiles {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Millis {
            count: u64,
            p50: f64,
            p90: f64,
            p99: f64,
            max: f64,
        }
        let millis = |time: Duration| time.as_micros() as f64 / 1e3;
        let told = Millis {
            count: self.count,
            p50: millis(self.p50),
            p90: millis(self.p90),
            p99: millis(self.p99),
            max: millis(self.max),
        };
        told.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn two_workers_together_say_what_one_would_have_said() {
        let (mut one, mut a, mut b) = (Times::default(), Times::default(), Times::default());
        for n in 1..=1000 {
            one.record(Measure::Register, millis(n));
            let half = if n % 3 == 0 { &mut a } else { &mut b };
            half.record(Measure::Register, millis(n));
        }
        let mut merged = Times::default();
        merged.take(&mut a);
        merged.take(&mut b);
        let said = merged.percentiles(Measure::Register).unwrap();
        assert_eq!(Some(said), one.percentiles(Measure::Register));
        assert_eq!(said.count, 1000);
        let close = |time: Duration, to: u64| time.abs_diff(millis(to)) <= millis(to) / 1000;
        assert!(close(said.p50, 500) && close(said.p90, 900) && close(said.p99, 990));
        assert!(close(said.max, 1000), "{:?}", said.max);
    }

    #[test]
    fn what_was_handed_over_is_not_handed_over_again() {
        let (mut worker, mut merged) = (Times::default(), Times::default());
        worker.record(Measure::Keepalive, millis(2));
        merged.take(&mut worker);
        merged.take(&mut worker);
        assert_eq!(merged.histogram(Measure::Keepalive).len(), 1);
        assert_eq!(worker.percentiles(Measure::Keepalive), None);
    }

    #[test]
    fn a_day_counts_as_an_hour() {
        let mut times = Times::default();
        times.record(Measure::Ack, Duration::from_secs(86_400));
        let said = times.percentiles(Measure::Ack).unwrap();
        assert!(said.max.abs_diff(Duration::from_secs(3600)) < Duration::from_secs(4));
    }
}
