//! Slice headers, as far as access units and picture order need them (H.264 §7.3.3).

use h264_reader::nal::pps::PicParameterSet;
use h264_reader::nal::sps::{ChromaFormat, FrameMbsFlags, PicOrderCntType, SeqParameterSet};
use h264_reader::nal::{Nal, RefNal};
use h264_reader::rbsp::{BitRead, BitReaderError};

use super::parameter_sets::ParameterSets;
use super::{kind, kind_of};

/// Which field of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// The one with the first line.
    Top,
    /// The other.
    Bottom,
}

/// The fields of a slice header that tell pictures apart and order them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SliceHeader {
    /// Address of the first macroblock.
    pub first_macroblock: u32,
    /// I or SI: predicted from nothing outside its picture.
    pub intra: bool,
    /// `pic_parameter_set_id`.
    pub pps: u32,
    /// `colour_plane_id`, 0 when planes are coded together.
    pub plane: u8,
    /// `frame_num`.
    pub frame_num: u32,
    /// The field that it belongs to, if fields are coded apart.
    pub field: Option<Parity>,
    /// `idr_pic_id`; present in IDR pictures only.
    pub idr: Option<u32>,
    /// `pic_order_cnt_lsb`.
    pub order_lsb: u32,
    /// `delta_pic_order_cnt_bottom`.
    pub order_bottom: i32,
    /// `delta_pic_order_cnt`.
    pub order_delta: [i32; 2],
    /// Part of a redundant coded picture.
    pub redundant: bool,
    /// `nal_ref_idc` is not 0.
    pub reference: bool,
    /// `memory_management_control_operation` 5: all pictures before are forgotten.
    pub forgets: bool,
}

impl SliceHeader {
    /// Reads the header of a slice or slice data partition A; `None` when its parameter sets are
    /// unknown or it is damaged.
    pub fn read(unit: &[u8], sets: &ParameterSets) -> Option<SliceHeader> {
        let header = unit.first()?;
        let mut bits = RefNal::new(unit, &[], true).rbsp_bits();
        let first_macroblock = bits.read_ue("first_mb_in_slice").ok()?;
        let slice_type = bits.read_ue("slice_type").ok()?;
        let id = bits.read_ue("pic_parameter_set_id").ok()?;
        let (pps, sps) = sets.of_picture(id)?;
        let mut slice = SliceHeader {
            first_macroblock,
            intra: matches!(slice_type % 5, 2 | 4),
            pps: id,
            plane: 0,
            frame_num: 0,
            field: None,
            idr: None,
            order_lsb: 0,
            order_bottom: 0,
            order_delta: [0; 2],
            redundant: false,
            reference: header & 0x60 != 0,
            forgets: false,
        };
        let is_idr = kind_of(unit) == kind::IDR;
        slice.read_picture(&mut bits, pps, sps, is_idr).ok()?;
        if slice.reference && !is_idr {
            slice.forgets = forgets(&mut bits, pps, sps, slice_type % 5).ok()?;
        }
        Some(slice)
    }

    fn read_picture(
        &mut self,
        bits: &mut impl BitRead,
        pps: &PicParameterSet,
        sps: &SeqParameterSet,
        is_idr: bool,
    ) -> Result<(), BitReaderError> {
        if sps.chroma_info.separate_colour_plane_flag {
            self.plane = bits.read::<2, u8>("colour_plane_id")?;
        }
        self.frame_num = bits.read_var(u32::from(sps.log2_max_frame_num()), "frame_num")?;
        if sps.frame_mbs_flags != FrameMbsFlags::Frames && bits.read_bit("field_pic_flag")? {
            let bottom = bits.read_bit("bottom_field_flag")?;
            self.field = Some(if bottom { Parity::Bottom } else { Parity::Top });
        }
        if is_idr {
            self.idr = Some(bits.read_ue("idr_pic_id")?);
        }
        self.read_order(bits, pps, sps)?;
        if pps.redundant_pic_cnt_present_flag {
            self.redundant = bits.read_ue("redundant_pic_cnt")? > 0;
        }
        Ok(())
    }

    fn read_order(
        &mut self,
        bits: &mut impl BitRead,
        pps: &PicParameterSet,
        sps: &SeqParameterSet,
    ) -> Result<(), BitReaderError> {
        let both = pps.bottom_field_pic_order_in_frame_present_flag && self.field.is_none();
        match sps.pic_order_cnt {
            PicOrderCntType::TypeZero {
                log2_max_pic_order_cnt_lsb_minus4: width,
            } => {
                self.order_lsb = bits.read_var(u32::from(width) + 4, "pic_order_cnt_lsb")?;
                if both {
                    self.order_bottom = bits.read_se("delta_pic_order_cnt_bottom")?;
                }
            }
            PicOrderCntType::TypeOne {
                delta_pic_order_always_zero_flag: false,
                ..
            } => {
                self.order_delta[0] = bits.read_se("delta_pic_order_cnt[0]")?;
                if both {
                    self.order_delta[1] = bits.read_se("delta_pic_order_cnt[1]")?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether this slice begins another primary coded picture than the one that `last`, a slice
    /// of it, belongs to (H.264 §7.4.1.2.4).
    pub fn begins_picture_after(&self, last: &SliceHeader) -> bool {
        self.frame_num != last.frame_num
            || self.pps != last.pps
            || self.field != last.field
            || self.reference != last.reference
            || self.order_lsb != last.order_lsb
            || self.order_bottom != last.order_bottom
            || self.order_delta != last.order_delta
            || self.idr != last.idr
    }

    /// Whether this is the second field of the frame whose first is `first`.
    pub fn completes(&self, first: &SliceHeader) -> bool {
        let opposite = match (first.field, self.field) {
            (Some(one), Some(other)) => one != other,
            _ => false,
        };
        let continues = self.idr.is_none() || first.idr.is_some();
        opposite && continues && self.frame_num == first.frame_num && !self.forgets
    }
}

const P: u32 = 0;
const B: u32 = 1;
const SP: u32 = 3;

/// Reads on to the reference picture marking and looks for operation 5 there.
fn forgets(
    bits: &mut impl BitRead,
    pps: &PicParameterSet,
    sps: &SeqParameterSet,
    slice_type: u32,
) -> Result<bool, BitReaderError> {
    let lists = match slice_type {
        P | SP => 1,
        B => 2,
        _ => 0,
    };
    if slice_type == B {
        bits.read_bit("direct_spatial_mv_pred_flag")?;
    }
    let mut references = [
        pps.num_ref_idx_l0_default_active_minus1,
        pps.num_ref_idx_l1_default_active_minus1,
    ];
    if lists > 0 && bits.read_bit("num_ref_idx_active_override_flag")? {
        for count in references.iter_mut().take(lists) {
            *count = bits.read_ue("num_ref_idx_active_minus1")?;
        }
    }
    for _ in 0..lists {
        skip_list_modification(bits)?;
    }
    let weighted = match slice_type {
        P | SP => pps.weighted_pred_flag,
        B => pps.weighted_bipred_idc == 1,
        _ => false,
    };
    if weighted {
        let chroma = !sps.chroma_info.separate_colour_plane_flag
            && sps.chroma_info.chroma_format != ChromaFormat::Monochrome;
        skip_weights(bits, references.iter().take(lists), chroma)?;
    }
    marking_forgets(bits)
}

/// `ref_pic_list_modification` of one list, §7.3.3.1. Ends at the latest with the unit.
fn skip_list_modification(bits: &mut impl BitRead) -> Result<(), BitReaderError> {
    if bits.read_bit("ref_pic_list_modification_flag")? {
        while bits.read_ue("modification_of_pic_nums_idc")? != 3 {
            bits.read_ue("pic_num")?;
        }
    }
    Ok(())
}

/// `pred_weight_table`, §7.3.3.2.
fn skip_weights<'a>(
    bits: &mut impl BitRead,
    references: impl Iterator<Item = &'a u32>,
    chroma: bool,
) -> Result<(), BitReaderError> {
    bits.read_ue("luma_log2_weight_denom")?;
    if chroma {
        bits.read_ue("chroma_log2_weight_denom")?;
    }
    for count in references {
        for _ in 0..=*count {
            if bits.read_bit("luma_weight_flag")? {
                bits.read_se("luma_weight")?;
                bits.read_se("luma_offset")?;
            }
            if chroma && bits.read_bit("chroma_weight_flag")? {
                for _ in 0..4 {
                    bits.read_se("chroma_weight_or_offset")?;
                }
            }
        }
    }
    Ok(())
}

/// `dec_ref_pic_marking` of a picture that is not IDR, §7.3.3.3.
fn marking_forgets(bits: &mut impl BitRead) -> Result<bool, BitReaderError> {
    if !bits.read_bit("adaptive_ref_pic_marking_mode_flag")? {
        return Ok(false);
    }
    let mut found = false;
    loop {
        let operands = match bits.read_ue("memory_management_control_operation")? {
            0 => return Ok(found),
            1 | 2 | 4 | 6 => 1,
            3 => 2,
            operation => {
                found |= operation == 5;
                0
            }
        };
        for _ in 0..operands {
            bits.read_ue("operand")?;
        }
    }
}
