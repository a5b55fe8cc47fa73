//! How a make writes its program stream: plain data, read from a profile.

use serde::Deserialize;

/// How a program stream is written. The default is the plain standard
/// (GB/T 28181-2022 annex C, ISO/IEC 13818-1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PsPolicy {
    /// `program_mux_rate` of every pack header.
    pub mux_rate: MuxRate,
    /// Stuffing octets after every pack header, 0 to 7. Many makes write 6.
    pub pack_stuffing: u8,
    /// Which packs carry a system header.
    pub system_header: Packs,
    /// `rate_bound` of the system header.
    pub rate_bound: MuxRate,
    /// `audio_bound` of the system header, 0 to 32: how many audio streams are promised.
    pub audio_bound: u8,
    /// `fixed_flag` of the system header: constant bit rate.
    pub fixed: bool,
    /// `P-STD_buffer_size_bound` of the video stream, in units of 1024 octets, below 8192.
    pub video_buffer: u16,
    /// Which packs carry a program stream map.
    pub stream_map: Packs,
    /// `program_stream_map_version`, 0 to 31.
    pub stream_map_version: u8,
    /// The octet of seven reserved bits and a marker bit in the program stream map: 255 in the
    /// standard, 1 where reserved bits are written as zero.
    pub stream_map_marker: u8,
    /// The most elementary-stream octets in one PES packet.
    pub pes_payload_max: u32,
    /// Which frames carry a DTS beside the PTS.
    pub dts: Dts,
    /// Which frames set `data_alignment_indicator`.
    pub alignment: Packs,
    /// Put an access unit delimiter before frames that have none.
    pub access_unit_delimiter: bool,
}

impl Default for PsPolicy {
    fn default() -> Self {
        PsPolicy {
            mux_rate: MuxRate::Peak,
            pack_stuffing: 0,
            system_header: Packs::KeyFrames,
            rate_bound: MuxRate::Peak,
            audio_bound: 0,
            fixed: false,
            video_buffer: 400,
            stream_map: Packs::KeyFrames,
            stream_map_version: 0,
            stream_map_marker: 0xFF,
            pes_payload_max: 65_400,
            dts: Dts::WhenDifferent,
            alignment: Packs::KeyFrames,
            access_unit_delimiter: false,
        }
    }
}

/// A rate field, in units of 50 octets per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MuxRate {
    /// The clip's own peak.
    Peak,
    /// Always the same figure, as encoders do: 6106 is ireader's (and so that of many devices).
    Fixed(u32),
}

impl MuxRate {
    /// The value to write: never 0, which ISO/IEC 13818-1 forbids, and at most 22 bits.
    pub fn field(self, peak_bits_per_second: u64) -> u32 {
        const LARGEST: u32 = 0x3F_FFFF;
        let units = match self {
            MuxRate::Peak => {
                u32::try_from(peak_bits_per_second.div_ceil(8 * 50)).unwrap_or(LARGEST)
            }
            MuxRate::Fixed(units) => units,
        };
        units.clamp(1, LARGEST)
    }
}

/// Some of the packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Packs {
    /// Those of key frames (GB/T 28181-2022 annex C.1).
    KeyFrames,
    /// All.
    All,
    /// None.
    Never,
}

impl Packs {
    /// Whether a frame's pack is among them.
    pub const fn include(self, key: bool) -> bool {
        match self {
            Packs::KeyFrames => key,
            Packs::All => true,
            Packs::Never => false,
        }
    }
}

/// Which frames carry a decoding time stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dts {
    /// Those whose DTS differs from the PTS (ISO/IEC 13818-1 §2.7.5).
    WhenDifferent,
    /// All.
    Always,
    /// None: also B-frames have a PTS only.
    Never,
}

impl Dts {
    /// Whether a frame presented `reorder` frames after its decoding carries one.
    pub const fn include(self, reorder: u32) -> bool {
        match self {
            Dts::WhenDifferent => reorder != 0,
            Dts::Always => true,
            Dts::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_table_is_the_plain_standard() {
        let policy: PsPolicy = toml::from_str("").unwrap();
        assert_eq!(policy, PsPolicy::default());
    }

    #[test]
    fn every_value_is_read_and_an_unknown_key_is_an_error() {
        let policy: PsPolicy = toml::from_str(
            "mux-rate = { fixed = 6106 }\nstream-map = 'all'\ndts = 'always'\npack-stuffing = 6",
        )
        .unwrap();
        assert_eq!(policy.mux_rate, MuxRate::Fixed(6106));
        assert_eq!(policy.stream_map, Packs::All);
        assert_eq!((policy.dts, policy.pack_stuffing), (Dts::Always, 6));
        assert!(toml::from_str::<PsPolicy>("mux-rat = 'peak'").is_err());
    }

    #[test]
    fn a_mux_rate_is_never_zero_and_fits_its_22_bits() {
        assert_eq!(MuxRate::Peak.field(0), 1);
        assert_eq!(MuxRate::Fixed(0).field(9), 1);
        assert_eq!(MuxRate::Peak.field(2_000_001), 5001);
        assert_eq!(MuxRate::Peak.field(u64::MAX), 0x3F_FFFF);
    }
}
