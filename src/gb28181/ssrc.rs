//! The SSRC as GB/T 28181 writes it: ten decimal digits in the `y=` line.

use std::fmt;

use super::device_id::DeviceId;

/// A `y=` value, kept as it was written.
///
/// Digit 1 is 0 for live and 1 for history, digits 2-6 are digits 4-8 of the SIP domain, digits
/// 7-10 a number (GB/T 28181-2022 annex G). Platforms write other lengths; they are echoed as
/// they came.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ssrc(String);

impl Ssrc {
    /// Takes a `y=` value of any length; nothing if it is empty.
    pub fn parse(text: &str) -> Option<Ssrc> {
        let text = text.trim();
        (!text.is_empty()).then(|| Ssrc(text.to_owned()))
    }

    /// The SSRC of a live stream in the SIP domain of `id`; `number` counts modulo 10,000.
    pub fn live(id: &DeviceId, number: u16) -> Ssrc {
        Ssrc::of_domain('0', id, number)
    }

    /// The SSRC of a playback or download in the SIP domain of `id`.
    pub fn history(id: &DeviceId, number: u16) -> Ssrc {
        Ssrc::of_domain('1', id, number)
    }

    fn of_domain(first: char, id: &DeviceId, number: u16) -> Ssrc {
        let domain = id.as_str().get(3..8).unwrap_or_default();
        Ssrc(format!("{first}{domain}{:04}", number % 10_000))
    }

    /// The text, for echoing.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The SSRC of the RTP header: the decimal number, modulo 2^32; characters that are no
    /// digits do not count.
    pub fn value(&self) -> u32 {
        let digits = self.0.chars().filter_map(|c| c.to_digit(10));
        digits.fold(0u32, |sum, digit| sum.wrapping_mul(10).wrapping_add(digit))
    }
}

impl fmt::Display for Ssrc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_digits_are_a_decimal_number() {
        let y = Ssrc::parse("0200000001").unwrap();
        assert_eq!((y.as_str(), y.value()), ("0200000001", 0x0BEB_C201));
    }

    #[test]
    fn three_and_thirty_digits_are_kept_and_have_a_value() {
        assert_eq!(Ssrc::parse(" 123 ").unwrap().value(), 123);
        let long = "123456789012345678901234567890";
        let y = Ssrc::parse(long).unwrap();
        assert_eq!(y.to_string(), long);
        assert_eq!(
            u128::from(y.value()),
            long.parse::<u128>().unwrap() % (1 << 32)
        );
        assert_eq!(Ssrc::parse("  "), None);
        assert_eq!(Ssrc::parse("abc").unwrap().value(), 0);
    }

    #[test]
    fn a_chosen_ssrc_names_its_domain() {
        let id: DeviceId = "34020000001320000001".parse().unwrap();
        assert_eq!(Ssrc::live(&id, 42).as_str(), "0200000042");
        assert_eq!(Ssrc::history(&id, 12_345).as_str(), "1200002345");
    }
}
