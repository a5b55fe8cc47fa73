//! Rates as exact fractions: 29.97 frames per second is 30000/1001, and stays so for a year.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

/// A positive rate: events per second, as a fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct Rational {
    numerator: u32,
    denominator: u32,
}

impl Rational {
    /// `numerator` events in `denominator` seconds; `None` when either is zero.
    pub const fn new(numerator: u32, denominator: u32) -> Option<Rational> {
        if numerator == 0 || denominator == 0 {
            return None;
        }
        let common = common_divisor(numerator, denominator);
        Some(Rational {
            numerator: numerator / common,
            denominator: denominator / common,
        })
    }

    /// `rate` events a second. A rate of zero is taken as one.
    pub const fn whole(rate: u32) -> Rational {
        Rational {
            numerator: if rate == 0 { 1 } else { rate },
            denominator: 1,
        }
    }

    /// The upper number of the fraction.
    pub const fn numerator(self) -> u32 {
        self.numerator
    }

    /// The lower number of the fraction.
    pub const fn denominator(self) -> u32 {
        self.denominator
    }

    /// The rate as a float, for people.
    pub fn as_f64(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// When event `n` happens, on a clock of `clock` ticks per second, rounded down. Exact for
    /// every `n`: nothing accumulates.
    pub fn ticks(self, n: u64, clock: u32) -> u64 {
        // Years of frames fit into 64 bits, whose division is many times faster.
        let step = u64::from(clock) * u64::from(self.denominator);
        if let Some(ticks) = n.checked_mul(step) {
            return ticks / u64::from(self.numerator);
        }
        let ticks = u128::from(n) * u128::from(clock) * u128::from(self.denominator);
        saturate(ticks / u128::from(self.numerator))
    }

    /// When event `n` happens, counted from event 0.
    pub fn time(self, n: u64) -> Duration {
        Duration::from_nanos(self.ticks(n, 1_000_000_000))
    }

    /// How many events, event 0 included, have happened when `passed` is over.
    pub fn events_until(self, passed: Duration) -> u64 {
        // Event n has happened when floor(n * 10^9 * denominator / numerator) <= passed.
        let limit = (passed.as_nanos() + 1) * u128::from(self.numerator);
        let step = 1_000_000_000 * u128::from(self.denominator);
        saturate(limit.div_ceil(step))
    }

    /// The time between two events, rounded down.
    pub fn interval(self) -> Duration {
        self.time(1)
    }
}

const fn common_divisor(a: u32, b: u32) -> u32 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

fn saturate(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

impl fmt::Display for Rational {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denominator == 1 {
            return write!(f, "{}", self.numerator);
        }
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

/// A text that is no rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a rate: write 25, 29.97 or 30000/1001")]
pub struct RationalError(String);

impl FromStr for Rational {
    type Err = RationalError;

    /// Reads `25`, `12.5`, `30000/1001`. The usual shorthands 23.976, 29.97, 59.94 (and 119.88)
    /// mean the fractions over 1001 that they stand for.
    fn from_str(text: &str) -> Result<Rational, RationalError> {
        parse(text.trim()).ok_or_else(|| RationalError(text.to_owned()))
    }
}

impl TryFrom<String> for Rational {
    type Error = RationalError;

    fn try_from(text: String) -> Result<Rational, RationalError> {
        text.parse()
    }
}

fn parse(text: &str) -> Option<Rational> {
    let shorthand = match text {
        "23.976" | "23.98" => Some(24_000),
        "29.97" => Some(30_000),
        "59.94" => Some(60_000),
        "119.88" => Some(120_000),
        _ => None,
    };
    if let Some(numerator) = shorthand {
        return Rational::new(numerator, 1001);
    }
    if let Some((numerator, denominator)) = text.split_once('/') {
        return Rational::new(digits(numerator)?, digits(denominator)?);
    }
    let Some((whole, fraction)) = text.split_once('.') else {
        return Rational::new(digits(text)?, 1);
    };
    let scale = 10_u32.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let numerator = digits(whole)?
        .checked_mul(scale)?
        .checked_add(digits(fraction)?)?;
    Rational::new(numerator, scale)
}

fn digits(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|octet| octet.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn thirty_frames_in_1001_ms_do_not_drift_in_a_year() {
        let rate = Rational::new(30_000, 1001).unwrap();
        let year = 30_000 * 31_536; // frames in 31,567,536 s exactly
        assert_eq!(rate.ticks(year, 90_000), 90_000 * 31_567_536);
        assert_eq!(rate.ticks(1, 90_000), 3003);
        assert_eq!(rate.interval(), Duration::from_nanos(33_366_666));
    }

    #[test]
    fn rates_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Rational>().map(|rate| rate.to_string());
        assert_eq!(read("25"), Ok("25".into()));
        assert_eq!(read(" 12.5 "), Ok("25/2".into()));
        assert_eq!(read("50/2"), Ok("25".into()));
        assert_eq!(read("29.97"), Ok("30000/1001".into()));
        for bad in [
            "",
            "0",
            "-1",
            "1/0",
            "1.",
            ".5x",
            "25fps",
            "99999999999",
            "+25",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn ticks_are_exact_however_large_they_grow(
            numerator in 1u32..200_000, denominator in 1u32..2000, n in 0u64..1 << 50
        ) {
            let rate = Rational::new(numerator, denominator).unwrap();
            let exact = u128::from(n) * 1_000_000_000 * u128::from(rate.denominator());
            prop_assert_eq!(rate.ticks(n, 1_000_000_000), saturate(exact / u128::from(rate.numerator())));
        }

        #[test]
        fn events_until_counts_exactly_the_events_whose_time_has_come(
            numerator in 1u32..200_000, denominator in 1u32..2000, passed in 0u64..4_000_000_000_000
        ) {
            let rate = Rational::new(numerator, denominator).unwrap();
            let passed = Duration::from_nanos(passed);
            let count = rate.events_until(passed);
            prop_assert!(count > 0 && rate.time(count - 1) <= passed);
            prop_assert!(rate.time(count) > passed);
        }

        #[test]
        fn any_text_is_a_rate_or_an_error(text in ".{0,12}") {
            let _ = text.parse::<Rational>();
        }
    }
}
