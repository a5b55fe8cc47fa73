//! The sequence parameter set (H.265 §7.3.2.2), read up to its timing. Every loop is bounded, so
//! that no damaged or made-up set costs more than its own length.

use h264_reader::rbsp::{BitRead, BitReaderError};

use super::parameter_sets::frame_rate;
use crate::media::rational::Rational;

/// The largest picture side that is believed, in pixels.
const LARGEST: u32 = 32_768;
/// The most short-term reference picture sets, and pictures in one (§7.4.3.2, §7.4.8).
const REFERENCE_SETS: u32 = 64;
const REFERENCES: u32 = 16;
/// The most long-term reference pictures (§7.4.3.2).
const LONG_TERM: u32 = 32;
/// `aspect_ratio_idc` of an aspect ratio in full.
const EXTENDED_SAR: u32 = 255;

/// What is read of a sequence parameter set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// `sps_seq_parameter_set_id`.
    pub id: u32,
    /// `sps_video_parameter_set_id`.
    pub video: u32,
    /// Width and height in pixels, cropping applied.
    pub size: (u32, u32),
    /// Colour planes are coded apart.
    pub separate_planes: bool,
    /// Bits of `slice_pic_order_cnt_lsb`: 4 to 16.
    pub order_bits: u32,
    /// Bits of `slice_segment_address`.
    pub address_bits: u32,
    /// Frames per second.
    pub fps: Option<Rational>,
}

impl Sequence {
    /// Reads one. Of a set whose end is damaged the timing is not known.
    pub fn read(bits: &mut impl BitRead) -> Result<Sequence, BitReaderError> {
        let video = bits.read::<4, u32>("sps_video_parameter_set_id")?;
        let sub_layers = bits.read::<3, u32>("sps_max_sub_layers_minus1")?;
        bits.skip(1, "sps_temporal_id_nesting_flag")?;
        skip_profile(bits, sub_layers)?;
        let mut sequence = Sequence {
            id: bits.read_ue("sps_seq_parameter_set_id")?,
            video,
            ..Sequence::default()
        };
        let coded = sequence.read_size(bits)?;
        bits.read_ue("bit_depth_luma_minus8")?;
        bits.read_ue("bit_depth_chroma_minus8")?;
        let order = bits.read_ue("log2_max_pic_order_cnt_lsb_minus4")?;
        sequence.order_bits = order.min(12) + 4;
        skip_ordering(bits, sub_layers)?;
        let block = bits.read_ue("log2_min_luma_coding_block_size_minus3")?;
        let more = bits.read_ue("log2_diff_max_min_luma_coding_block_size")?;
        let side = block.min(3) + more.min(3) + 3;
        sequence.address_bits = address_bits(coded, side);
        sequence.fps = timing(bits, sequence.order_bits).ok().flatten();
        Ok(sequence)
    }

    /// Reads the size; returns what is coded, before cropping.
    fn read_size(&mut self, bits: &mut impl BitRead) -> Result<(u32, u32), BitReaderError> {
        let chroma = bits.read_ue("chroma_format_idc")?;
        if chroma == 3 {
            self.separate_planes = bits.read_bit("separate_colour_plane_flag")?;
        }
        let width = bits.read_ue("pic_width_in_luma_samples")?;
        let height = bits.read_ue("pic_height_in_luma_samples")?;
        let mut cropped = [0; 4];
        if bits.read_bit("conformance_window_flag")? {
            for side in &mut cropped {
                *side = bits.read_ue("conf_win_offset")?;
            }
        }
        let (across, down) = match chroma {
            1 => (2, 2),
            2 => (2, 1),
            _ => (1, 1),
        };
        let [left, right, top, bottom] = cropped;
        let less = |size: u32, unit: u32, one: u32, other: u32| {
            let cut = one.saturating_add(other).saturating_mul(unit);
            size.saturating_sub(cut)
        };
        self.size = (
            less(width, across, left, right),
            less(height, down, top, bottom),
        );
        Ok((width, height))
    }

    /// Whether a picture can have this size.
    pub fn check(&self) -> Result<(), String> {
        let (width, height) = self.size;
        let is_possible = |side| (1..=LARGEST).contains(&side);
        if is_possible(width) && is_possible(height) {
            return Ok(());
        }
        Err(format!(
            "sequence parameter set: a picture of {width}x{height}"
        ))
    }
}

/// Bits of the number of a coding tree block, of `2^side` pixels a side (§7.4.7.1).
fn address_bits((width, height): (u32, u32), side: u32) -> u32 {
    let blocks = |pixels: u32| u64::from(pixels.div_ceil(1 << side));
    let count = blocks(width) * blocks(height);
    64 - count.saturating_sub(1).leading_zeros()
}

/// `profile_tier_level` (§7.3.3).
pub(super) fn skip_profile(bits: &mut impl BitRead, sub_layers: u32) -> Result<(), BitReaderError> {
    const PROFILE: u32 = 88;
    const LEVEL: u32 = 8;
    bits.skip(PROFILE + LEVEL, "general_profile")?;
    if sub_layers == 0 {
        return Ok(());
    }
    let mut present = [(false, false); 8];
    for (profile, level) in &mut present {
        *profile = bits.read_bit("sub_layer_profile_present_flag")?;
        *level = bits.read_bit("sub_layer_level_present_flag")?;
    }
    for (profile, level) in present.into_iter().take(sub_layers as usize) {
        let octets = u32::from(profile) * PROFILE + u32::from(level) * LEVEL;
        bits.skip(octets, "sub_layer_profile")?;
    }
    Ok(())
}

/// How many pictures are held back, per sub-layer (§7.3.2.1, §7.3.2.2).
pub(super) fn skip_ordering(
    bits: &mut impl BitRead,
    sub_layers: u32,
) -> Result<(), BitReaderError> {
    let all = bits.read_bit("sub_layer_ordering_info_present_flag")?;
    let first = if all { 0 } else { sub_layers };
    for _ in first..=sub_layers {
        bits.read_ue("max_dec_pic_buffering_minus1")?;
        bits.read_ue("max_num_reorder_pics")?;
        bits.read_ue("max_latency_increase_plus1")?;
    }
    Ok(())
}

/// Reads on from the sizes of coding blocks to the timing.
fn timing(bits: &mut impl BitRead, order_bits: u32) -> Result<Option<Rational>, BitReaderError> {
    for name in [
        "log2_min_luma_transform_block_size_minus2",
        "log2_diff_max_min_luma_transform_block_size",
        "max_transform_hierarchy_depth_inter",
        "max_transform_hierarchy_depth_intra",
    ] {
        bits.read_ue(name)?;
    }
    if bits.read_bit("scaling_list_enabled_flag")?
        && bits.read_bit("sps_scaling_list_data_present_flag")?
    {
        skip_scaling_lists(bits)?;
    }
    bits.skip(2, "amp_enabled_flag")?;
    if bits.read_bit("pcm_enabled_flag")? {
        bits.skip(8, "pcm_sample_bit_depth")?;
        bits.read_ue("log2_min_pcm_luma_coding_block_size_minus3")?;
        bits.read_ue("log2_diff_max_min_pcm_luma_coding_block_size")?;
        bits.skip(1, "pcm_loop_filter_disabled_flag")?;
    }
    skip_reference_sets(bits)?;
    if bits.read_bit("long_term_ref_pics_present_flag")? {
        let count = bits.read_ue("num_long_term_ref_pics_sps")?;
        bits.skip(count.min(LONG_TERM) * (order_bits + 1), "lt_ref_pic")?;
    }
    bits.skip(2, "sps_temporal_mvp_enabled_flag")?;
    if !bits.read_bit("vui_parameters_present_flag")? {
        return Ok(None);
    }
    usability_timing(bits)
}

/// `scaling_list_data` (§7.3.4).
fn skip_scaling_lists(bits: &mut impl BitRead) -> Result<(), BitReaderError> {
    for size in 0..4 {
        let step = if size == 3 { 3 } else { 1 };
        for _ in (0..6).step_by(step) {
            if !bits.read_bit("scaling_list_pred_mode_flag")? {
                bits.read_ue("scaling_list_pred_matrix_id_delta")?;
                continue;
            }
            if size > 1 {
                bits.read_se("scaling_list_dc_coef_minus8")?;
            }
            for _ in 0..64.min(1 << (4 + 2 * size)) {
                bits.read_se("scaling_list_delta_coef")?;
            }
        }
    }
    Ok(())
}

/// All `st_ref_pic_set` (§7.3.7).
fn skip_reference_sets(bits: &mut impl BitRead) -> Result<(), BitReaderError> {
    let sets = bits.read_ue("num_short_term_ref_pic_sets")?;
    let mut before = 0;
    for index in 0..sets.min(REFERENCE_SETS) {
        let predicted = index > 0 && bits.read_bit("inter_ref_pic_set_prediction_flag")?;
        before = match predicted {
            true => predicted_set(bits, before)?,
            false => whole_set(bits)?,
        };
    }
    Ok(())
}

/// A set told as a change of the one before, which has so many pictures. Returns how many it has.
fn predicted_set(bits: &mut impl BitRead, before: u32) -> Result<u32, BitReaderError> {
    bits.skip(1, "delta_rps_sign")?;
    bits.read_ue("abs_delta_rps_minus1")?;
    let mut pictures = 0;
    for _ in 0..=before {
        let used = bits.read_bit("used_by_curr_pic_flag")?;
        pictures += u32::from(used || bits.read_bit("use_delta_flag")?);
    }
    Ok(pictures.min(REFERENCES))
}

/// A set told in full. Returns how many pictures it has.
fn whole_set(bits: &mut impl BitRead) -> Result<u32, BitReaderError> {
    let earlier = bits.read_ue("num_negative_pics")?.min(REFERENCES);
    let later = bits.read_ue("num_positive_pics")?.min(REFERENCES);
    for _ in 0..earlier + later {
        bits.read_ue("delta_poc_minus1")?;
        bits.skip(1, "used_by_curr_pic_flag")?;
    }
    Ok((earlier + later).min(REFERENCES))
}

/// `vui_parameters` up to the timing (§E.2.1).
fn usability_timing(bits: &mut impl BitRead) -> Result<Option<Rational>, BitReaderError> {
    if bits.read_bit("aspect_ratio_info_present_flag")?
        && bits.read::<8, u32>("aspect_ratio_idc")? == EXTENDED_SAR
    {
        bits.skip(32, "sar")?;
    }
    if bits.read_bit("overscan_info_present_flag")? {
        bits.skip(1, "overscan_appropriate_flag")?;
    }
    if bits.read_bit("video_signal_type_present_flag")? {
        bits.skip(4, "video_format")?;
        if bits.read_bit("colour_description_present_flag")? {
            bits.skip(24, "colour_description")?;
        }
    }
    if bits.read_bit("chroma_loc_info_present_flag")? {
        bits.read_ue("chroma_sample_loc_type_top_field")?;
        bits.read_ue("chroma_sample_loc_type_bottom_field")?;
    }
    bits.skip(3, "field_seq_flag")?;
    if bits.read_bit("default_display_window_flag")? {
        for _ in 0..4 {
            bits.read_ue("def_disp_win_offset")?;
        }
    }
    if !bits.read_bit("vui_timing_info_present_flag")? {
        return Ok(None);
    }
    let units = bits.read::<32, u32>("vui_num_units_in_tick")?;
    let scale = bits.read::<32, u32>("vui_time_scale")?;
    Ok(frame_rate(units, scale))
}
