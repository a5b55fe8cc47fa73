//! H.265: which NAL units make up a frame, and in which order frames are shown (ITU-T H.265).

mod parameter_sets;
mod picture_order;
mod sei;
mod sequence;
mod slice;
mod splitter;
mod video;

use h264_reader::rbsp::{BitReader, ByteReader};

use super::codec::Role;

pub use splitter::split;

/// Kind of a NAL unit: `nal_unit_type`, table 7-1.
pub mod kind {
    /// The first random access picture that leading pictures may need to be skipped behind: BLA.
    pub const BLA: u8 = 16;
    /// The last kind of BLA.
    pub const BLA_LAST: u8 = 18;
    /// IDR picture that leading pictures may follow.
    pub const IDR: u8 = 19;
    /// IDR picture without such.
    pub const IDR_ALONE: u8 = 20;
    /// Clean random access picture: an open GOP begins.
    pub const CRA: u8 = 21;
    /// The last kind of random access pictures, reserved.
    pub const RANDOM_ACCESS_LAST: u8 = 23;
    /// The last kind of slices, reserved.
    pub const SLICE_LAST: u8 = 31;
    /// Video parameter set.
    pub const VPS: u8 = 32;
    /// Sequence parameter set.
    pub const SPS: u8 = 33;
    /// Picture parameter set.
    pub const PPS: u8 = 34;
    /// Access unit delimiter.
    pub const DELIMITER: u8 = 35;
    /// End of sequence.
    pub const END_OF_SEQUENCE: u8 = 36;
    /// Supplemental enhancement information before a picture.
    pub const SEI: u8 = 39;
}

/// Octets of a NAL unit's header.
const HEADER: usize = 2;

/// `nal_unit_type` of a unit's first octet.
pub fn kind_of(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |header| header >> 1 & 0x3F)
}

/// `nuh_layer_id` of a unit: 0 in streams of one layer, all that cameras send.
fn layer_of(unit: &[u8]) -> u8 {
    match unit {
        [first, second, ..] => (first & 1) << 5 | second >> 3,
        _ => 0,
    }
}

/// What a unit is for.
pub(super) fn role(unit: &[u8]) -> Role {
    match kind_of(unit) {
        kind @ ..=kind::SLICE_LAST => Role::Slice {
            key: (kind::BLA..=kind::RANDOM_ACCESS_LAST).contains(&kind),
        },
        kind::VPS..=kind::PPS => Role::ParameterSet,
        kind::DELIMITER => Role::Delimiter,
        _ => Role::Other,
    }
}

/// The bits of a unit behind its header, without the octets that prevent start codes.
fn bits_of(unit: &[u8]) -> BitReader<ByteReader<&[u8]>> {
    let payload = unit.get(HEADER..).unwrap_or_default();
    BitReader::new(ByteReader::without_skip(payload))
}

#[cfg(test)]
mod tests;
