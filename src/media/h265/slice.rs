//! Slice segment headers, as far as access units and picture order need them (H.265 §7.3.6.1).

use h264_reader::rbsp::{BitRead, BitReaderError};

use super::parameter_sets::{ParameterSets, Picture};
use super::sequence::Sequence;
use super::{bits_of, kind, kind_of};

/// Octets of a slice that are looked at; a header with what is read of it is shorter.
const LOOKED_AT: usize = 64;

/// The fields of a slice segment header that tell pictures apart and order them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceHeader {
    /// `nal_unit_type`.
    pub kind: u8,
    /// `TemporalId`.
    pub temporal: u8,
    /// The first of its picture.
    pub first: bool,
    /// `slice_pic_parameter_set_id`.
    pub pps: u32,
    /// Predicted from nothing outside its picture; `None` in a segment that depends on another.
    pub intra: Option<bool>,
    /// `slice_pic_order_cnt_lsb`.
    pub order_lsb: u32,
}

impl SliceHeader {
    /// Reads a header; `None` when its parameter sets are unknown or it is damaged.
    pub fn read(unit: &[u8], sets: &ParameterSets) -> Option<SliceHeader> {
        let kind = kind_of(unit);
        let temporal = unit.get(1)?.wrapping_sub(1) & 7;
        let mut bits = bits_of(unit.get(..LOOKED_AT).unwrap_or(unit));
        let first = bits.read_bit("first_slice_segment_in_pic_flag").ok()?;
        if (kind::BLA..=kind::RANDOM_ACCESS_LAST).contains(&kind) {
            bits.skip(1, "no_output_of_prior_pics_flag").ok()?;
        }
        let pps = bits.read_ue("slice_pic_parameter_set_id").ok()?;
        let (picture, sequence) = sets.of_picture(pps)?;
        let mut slice = SliceHeader {
            kind,
            temporal,
            first,
            pps,
            intra: None,
            order_lsb: 0,
        };
        slice.read_segment(&mut bits, picture, sequence).ok()?;
        Some(slice)
    }

    fn read_segment(
        &mut self,
        bits: &mut impl BitRead,
        picture: &Picture,
        sequence: &Sequence,
    ) -> Result<(), BitReaderError> {
        if !self.first {
            if picture.dependent_segments && bits.read_bit("dependent_slice_segment_flag")? {
                return Ok(());
            }
            bits.skip(sequence.address_bits, "slice_segment_address")?;
        }
        bits.skip(picture.extra_bits, "slice_reserved_flag")?;
        self.intra = Some(bits.read_ue("slice_type")? == 2);
        if picture.output_flag {
            bits.skip(1, "pic_output_flag")?;
        }
        if sequence.separate_planes {
            bits.skip(2, "colour_plane_id")?;
        }
        if !self.is_idr() {
            self.order_lsb = bits.read_var(sequence.order_bits, "slice_pic_order_cnt_lsb")?;
        }
        Ok(())
    }

    /// Of an IDR picture.
    pub fn is_idr(&self) -> bool {
        matches!(self.kind, kind::IDR | kind::IDR_ALONE)
    }

    /// Of a picture that nothing decoded later refers across: IDR or BLA.
    pub fn is_break(&self) -> bool {
        self.is_idr() || (kind::BLA..=kind::BLA_LAST).contains(&self.kind)
    }

    /// Of a picture that later ones count their order from (§8.3.1): of the lowest temporal
    /// layer, neither leading nor one that its layer does not refer to.
    pub fn counts(&self) -> bool {
        let leading = (6..=9).contains(&self.kind);
        let unreferred = self.kind < 16 && self.kind.is_multiple_of(2);
        self.temporal == 0 && !leading && !unreferred
    }
}
