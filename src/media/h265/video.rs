//! The video parameter set, as far as frame rate needs it (H.265 §7.3.2.1): many cameras put
//! their timing here.

use h264_reader::rbsp::{BitRead, BitReaderError};

use super::parameter_sets::frame_rate;
use super::sequence::{skip_ordering, skip_profile};
use crate::media::rational::Rational;

/// What is read of it.
pub struct Video {
    /// `vps_video_parameter_set_id`.
    pub id: u32,
    /// Frames per second.
    pub fps: Option<Rational>,
}

/// Reads one.
pub fn read(bits: &mut impl BitRead) -> Result<Video, BitReaderError> {
    let id = bits.read::<4, u32>("vps_video_parameter_set_id")?;
    bits.skip(2 + 6, "vps_base_layer_internal_flag")?;
    let sub_layers = bits.read::<3, u32>("vps_max_sub_layers_minus1")?;
    bits.skip(1 + 16, "vps_temporal_id_nesting_flag")?;
    // What stands before the timing may be odd; the set is one all the same.
    let fps = timing(bits, sub_layers).ok().flatten();
    Ok(Video { id, fps })
}

fn timing(bits: &mut impl BitRead, sub_layers: u32) -> Result<Option<Rational>, BitReaderError> {
    skip_profile(bits, sub_layers)?;
    skip_ordering(bits, sub_layers)?;
    let layers = bits.read::<6, u32>("vps_max_layer_id")?;
    let layer_sets = bits.read_ue("vps_num_layer_sets_minus1")?.min(1023);
    bits.skip(layer_sets * (layers + 1), "layer_id_included_flag")?;
    if !bits.read_bit("vps_timing_info_present_flag")? {
        return Ok(None);
    }
    let units = bits.read::<32, u32>("vps_num_units_in_tick")?;
    let scale = bits.read::<32, u32>("vps_time_scale")?;
    Ok(frame_rate(units, scale))
}
