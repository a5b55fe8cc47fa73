//! The kinds of value that keys have, as people write them.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// A value written as text and read by its type, whose error says what would be right. A bare
/// number is read as its digits, so that the same error tells which unit is missing.
#[derive(Clone, Debug)]
pub(super) struct Written<T>(pub T);

impl<'de, T> Deserialize<'de> for Written<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = deserializer.deserialize_any(TextVisitor(PhantomData))?;
        Ok(Written(read))
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<T> Visitor<'_> for TextVisitor<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text in quotes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.trim().parse().map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        self.visit_str(&number.to_string())
    }
}

/// A length of time as the fleet file writes it, for flags: `500ms`, `10s`, `5m`, `1h30m`. The
/// error says how it is written.
pub fn length(text: &str) -> Result<Duration, String> {
    text.trim().parse().map(|Length(length)| length)
}

/// A length of time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Length(pub Duration);

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = text.parse::<jiff::SignedDuration>().ok();
        let length = read.and_then(|read| Duration::try_from(read).ok());
        length.map(Length).ok_or_else(|| {
            format!("{text:?} is no length of time: write \"500ms\", \"10s\", \"5m\" or \"1h30m\"")
        })
    }
}

/// A share of a whole, written in percent: `99.9 %`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(f64);

impl Share {
    /// All of it.
    pub const ALL: Share = Share(1.0);

    /// From 0 to 1.
    pub fn of_one(self) -> f64 {
        self.0
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix('%').map(str::trim_end);
        let percent = number.and_then(|number| number.parse::<f64>().ok());
        match percent {
            Some(percent) if (0.0..=100.0).contains(&percent) => Ok(Share(percent / 100.0)),
            _ => Err(format!(
                "{text:?} is no share: write \"0 %\" to \"100 %\", as in \"99.9 %\""
            )),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Ten digits hide what dividing by a hundred did.
        let percent = (self.0 * 1e12).round() / 1e10;
        write!(f, "{percent} %")
    }
}

/// How many in a second, more than none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate(pub f64);

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const MOST: f64 = 1e6;
        let rate = f64::deserialize(deserializer)?;
        if rate > 0.0 && rate <= MOST {
            return Ok(Rate(rate));
        }
        let why = "is no rate: write how many a second, from 0.001 to 1000000, as in 100 or 0.5";
        Err(D::Error::custom(format!("{rate} {why}")))
    }
}

/// A password, which no log shows.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Password(String);

impl Password {
    /// The password itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Password(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "***" })
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)
            .map(Password)
            .map_err(|_| D::Error::custom("a password is a text in quotes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_with_their_unit() {
        for (text, millis) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1 h 30 m", 5_400_000),
            ("0s", 0),
            ("1.5s", 1500),
        ] {
            let Length(read) = text.parse().unwrap();
            assert_eq!(read, Duration::from_millis(millis), "{text}");
        }
        for wrong in ["10", "", "ten", "-5s", "5 apples"] {
            let error = wrong.parse::<Length>().unwrap_err();
            assert!(error.contains("write \"500ms\""), "{wrong}: {error}");
        }
    }

    #[test]
    fn shares_are_written_in_percent() {
        assert_eq!("99.9 %".parse::<Share>().unwrap().to_string(), "99.9 %");
        assert_eq!("100%".parse::<Share>().unwrap(), Share::ALL);
        for wrong in ["0.99", "101 %", "-1 %", "NaN %", "%"] {
            assert!(wrong.parse::<Share>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let secret = Password::from("12345678".to_owned());
        assert_eq!(format!("{secret:?}"), "***");
    }
}
