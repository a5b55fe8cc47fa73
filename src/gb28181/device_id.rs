//! The 20-digit code that names every device, channel and platform (GB/T 28181-2022 annex E).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 20-digit code: centre (8), industry (2), type (3), network (1), serial (6).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId([u8; 20]);

/// Why a text is not a [`DeviceId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceIdError {
    /// Not 20 characters.
    #[error("a GB/T 28181 ID has 20 digits, \"{text}\" has {length} characters")]
    Length {
        /// The text, at most its first 40 characters.
        text: String,
        /// How many characters it has.
        length: usize,
    },
    /// A character that is no decimal digit.
    #[error("a GB/T 28181 ID has digits only, \"{text}\" has {character:?} at position {position}")]
    NotADigit {
        /// The text.
        text: String,
        /// The first character that is no digit.
        character: char,
        /// Its position, counted from 1.
        position: usize,
    },
}

impl DeviceId {
    /// The type code of a platform ("central signalling server").
    pub const PLATFORM: u16 = 200;
    /// The type code of a digital video recorder.
    pub const DVR: u16 = 111;
    /// The type code of a network video recorder.
    pub const NVR: u16 = 118;
    /// The type code of a camera or video channel.
    pub const CHANNEL: u16 = 131;
    /// The type code of an IP camera.
    pub const IPC: u16 = 132;
    /// The type code of an alarm input.
    pub const ALARM_INPUT: u16 = 134;
    /// The type code of a voice output: a loudspeaker.
    pub const VOICE_OUTPUT: u16 = 137;
    /// The type code of a business group: the root of a tree of organisations.
    pub const BUSINESS_GROUP: u16 = 215;
    /// The type code of a virtual organisation: a branch of such a tree.
    pub const ORGANISATION: u16 = 216;

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Digits 11-13: what kind of thing this is.
    pub fn type_code(&self) -> u16 {
        self.number(10, 13) as u16
    }

    /// The same code with digits 11-13 replaced by `type_code` (modulo 1000).
    pub fn with_type(self, type_code: u16) -> DeviceId {
        self.with_number(10, 13, u32::from(type_code))
    }

    /// Digits 15-20.
    pub fn serial(&self) -> u32 {
        self.number(14, 20)
    }

    /// The same code with digits 15-20 replaced by `serial` (modulo 1,000,000).
    pub fn with_serial(self, serial: u32) -> DeviceId {
        self.with_number(14, 20, serial)
    }

    /// Digits 1-10: the SIP domain that the code belongs to (GB/T 28181-2022 §6.1.2).
    pub fn domain10(&self) -> &str {
        self.as_str().get(..10).unwrap_or_default()
    }

    /// Digits 1-6: the administrative region, a catalogue's `CivilCode`.
    pub fn civil_code(&self) -> &str {
        self.as_str().get(..6).unwrap_or_default()
    }

    /// All twenty digits as one number, for counting.
    pub fn as_number(&self) -> u128 {
        let digits = self.0.iter();
        digits.fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0'))
    }

    /// The code whose digits are `number` (modulo 10^20).
    pub fn from_number(mut number: u128) -> DeviceId {
        let mut digits = [b'0'; 20];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        DeviceId(digits)
    }

    fn number(&self, from: usize, to: usize) -> u32 {
        let digits = self.0.iter().take(to).skip(from);
        digits.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'))
    }

    fn with_number(mut self, from: usize, to: usize, mut number: u32) -> DeviceId {
        for digit in self.0.iter_mut().take(to).skip(from).rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self
    }
}

impl FromStr for DeviceId {
    type Err = DeviceIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let length = text.chars().count();
        if length != 20 {
            return Err(DeviceIdError::Length {
                text: text.chars().take(40).collect(),
                length,
            });
        }
        let stranger = text.chars().zip(1..).find(|(c, _)| !c.is_ascii_digit());
        if let Some((character, position)) = stranger {
            return Err(DeviceIdError::NotADigit {
                text: text.to_owned(),
                character,
                position,
            });
        }
        let mut digits = [b'0'; 20];
        digits.copy_from_slice(text.as_bytes());
        Ok(DeviceId(digits))
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for DeviceId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> DeviceId {
        text.parse().unwrap()
    }

    #[test]
    fn a_channel_id_follows_from_the_device_id() {
        let device = id("34020000001320000002");
        assert_eq!(device.type_code(), DeviceId::IPC);
        let channel = device.with_type(131).with_serial(1);
        assert_eq!(channel.to_string(), "34020000001310000001");
        assert_eq!((channel.type_code(), channel.serial()), (131, 1));
    }

    #[test]
    fn the_network_digit_belongs_to_neither_type_nor_serial() {
        let channel = id("34020000001318000001");
        assert_eq!((channel.type_code(), channel.serial()), (131, 1));
        assert_eq!(
            channel.with_serial(1_000_007).to_string(),
            "34020000001318000007"
        );
    }

    #[test]
    fn the_domain_is_the_first_ten_digits_and_the_region_the_first_six() {
        let server = id("34020000002000000001");
        assert_eq!(
            (server.domain10(), server.civil_code()),
            ("3402000000", "340200")
        );
    }

    #[test]
    fn a_code_is_counted_as_a_number_and_back() {
        let first = id("34020000001320000999");
        let next = DeviceId::from_number(first.as_number() + 1);
        assert_eq!(next, id("34020000001320001000"));
        assert_eq!(DeviceId::from_number(0).as_number(), 0);
        assert_eq!(
            DeviceId::from_number(10_u128.pow(20) + 7),
            DeviceId::from_number(7)
        );
    }

    #[test]
    fn an_error_says_what_is_wrong_with_the_text() {
        let short = "3402000000132".parse::<DeviceId>().unwrap_err();
        assert!(short.to_string().contains("13 characters"), "{short}");
        let letter = "3402000000132000000x".parse::<DeviceId>().unwrap_err();
        assert!(
            letter.to_string().contains("'x' at position 20"),
            "{letter}"
        );
        let wide = "3402000000132000000１".parse::<DeviceId>();
        assert!(matches!(wide, Err(DeviceIdError::NotADigit { .. })));
    }
}
