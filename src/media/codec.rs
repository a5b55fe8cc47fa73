//! Codecs, and what a program stream and a receiver have to know of them.

use std::fmt;

use super::{h264, h265};

/// How a stream is coded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Codec {
    /// ITU-T H.264.
    #[default]
    H264,
    /// ITU-T H.265.
    H265,
    /// No pictures: a voice of G.711 A-law.
    Pcma,
}

/// What a NAL unit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A piece of a picture.
    Slice {
        /// Of one that decoding can begin with: IDR, of H.265 every random access picture.
        key: bool,
    },
    /// A parameter set.
    ParameterSet,
    /// An access unit delimiter.
    Delimiter,
    /// Anything else.
    Other,
}

impl Codec {
    /// `stream_type` in a program stream map (GB/T 28181-2022 annex C).
    pub fn stream_type(self) -> u8 {
        match self {
            Codec::H264 => 0x1B,
            Codec::H265 => 0x24,
            Codec::Pcma => 0x90,
        }
    }

    /// The codec of a video stream with this `stream_type`, if it is one known here.
    pub fn of_stream_type(kind: u8) -> Option<Codec> {
        [Codec::H264, Codec::H265]
            .into_iter()
            .find(|codec| codec.stream_type() == kind)
    }

    /// The number in `f=` lines and configurations (GB/T 28181-2022 annex G).
    pub fn number(self) -> u8 {
        match self {
            Codec::H264 => 2,
            Codec::H265 => 5,
            Codec::Pcma => 1,
        }
    }

    /// What a unit that begins like this is for.
    pub(super) fn role(self, unit: &[u8]) -> Role {
        match self {
            Codec::H265 => h265::role(unit),
            Codec::H264 | Codec::Pcma => h264::role(unit),
        }
    }

    /// An access unit delimiter that allows every kind of slice, behind a start code.
    pub(super) fn delimiter(self) -> &'static [u8] {
        match self {
            Codec::H265 => &[0, 0, 0, 1, h265::kind::DELIMITER << 1, 1, 0x50],
            Codec::H264 | Codec::Pcma => &[0, 0, 0, 1, h264::kind::DELIMITER, 0xF0],
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Codec::H264 => "H.264",
            Codec::H265 => "H.265",
            Codec::Pcma => "G.711 A-law",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_the_octets_that_encoders_write() {
        assert_eq!(Codec::H264.delimiter(), [0, 0, 0, 1, 0x09, 0xF0]);
        assert_eq!(Codec::H265.delimiter(), [0, 0, 0, 1, 0x46, 0x01, 0x50]);
    }

    #[test]
    fn units_are_known_by_their_first_octet() {
        let key = Role::Slice { key: true };
        let plain = Role::Slice { key: false };
        for (first, role) in [
            (0x67, Role::ParameterSet),
            (0x68, Role::ParameterSet),
            (0x09, Role::Delimiter),
            (0x06, Role::Other),
            (0x65, key),
            (0x41, plain),
        ] {
            assert_eq!(Codec::H264.role(&[first]), role, "{first:#x}");
        }
        for (first, role) in [
            (0x40, Role::ParameterSet),
            (0x42, Role::ParameterSet),
            (0x44, Role::ParameterSet),
            (0x46, Role::Delimiter),
            (0x4E, Role::Other),
            (0x26, key),
            (0x2A, key),
            (0x02, plain),
        ] {
            assert_eq!(Codec::H265.role(&[first, 1]), role, "{first:#x}");
        }
    }
}
