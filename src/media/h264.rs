//! H.264: which NAL units make up a frame, and in which order frames are shown (ITU-T H.264).

mod parameter_sets;
mod picture_order;
pub(super) mod sei;
mod slice;
mod splitter;
#[cfg(test)]
mod synthetic;

use super::codec::Role;

pub use splitter::split;

/// Kind of a NAL unit: `nal_unit_type`, table 7-1.
pub mod kind {
    /// Slice of a non-IDR picture.
    pub const SLICE: u8 = 1;
    /// Slice data partition A, the one with the slice header.
    pub const PARTITION_A: u8 = 2;
    /// Slice data partition C, the last of the three.
    pub const PARTITION_C: u8 = 4;
    /// Slice of an IDR picture.
    pub const IDR: u8 = 5;
    /// Supplemental enhancement information.
    pub const SEI: u8 = 6;
    /// Sequence parameter set.
    pub const SPS: u8 = 7;
    /// Picture parameter set.
    pub const PPS: u8 = 8;
    /// Access unit delimiter.
    pub const DELIMITER: u8 = 9;
    /// Sequence parameter set extension.
    pub const SPS_EXTENSION: u8 = 13;
    /// Prefix NAL unit, the first of a range that begins an access unit.
    pub const PREFIX: u8 = 14;
    /// Subset sequence parameter set.
    pub const SUBSET_SPS: u8 = 15;
    /// The last of that range, reserved.
    pub const RESERVED_18: u8 = 18;
}

/// `nal_unit_type` of a unit's first octet.
pub fn kind_of(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |header| header & 0x1F)
}

/// What a unit is for.
pub(super) fn role(unit: &[u8]) -> Role {
    match kind_of(unit) {
        kind @ kind::SLICE..=kind::IDR => Role::Slice {
            key: kind == kind::IDR,
        },
        kind::SPS | kind::PPS | kind::SPS_EXTENSION | kind::SUBSET_SPS => Role::ParameterSet,
        kind::DELIMITER => Role::Delimiter,
        _ => Role::Other,
    }
}
