//! Sequence and picture parameter sets: what the rest of the clip parser needs of them.

use std::collections::BTreeMap;
use std::ops::Range;

use h264_reader::Context;
use h264_reader::nal::pps::{PicParamSetId, PicParameterSet};
use h264_reader::nal::sps::SeqParameterSet;
use h264_reader::nal::{Nal, RefNal};

use super::super::rational::Rational;
use super::kind;

/// Octets above which a parameter set is no parameter set. Real ones have fewer than 600.
const LARGEST: usize = 4096;

/// The parameter sets in force at one place of a stream.
#[derive(Debug, Default)]
pub struct ParameterSets {
    context: Context,
    stored: BTreeMap<(u8, u8), Range<usize>>,
    rejected: Option<String>,
}

impl ParameterSets {
    /// Takes in a NAL unit, which stands at `at` in the file, if it is a parameter set.
    pub fn take(&mut self, unit: &[u8], at: &Range<usize>) {
        let taken = match super::kind_of(unit) {
            kind::SPS => self.take_sps(unit),
            kind::PPS => self.take_pps(unit),
            _ => return,
        };
        match taken {
            Ok(key) => {
                self.stored.insert(key, at.clone());
            }
            Err(why) => {
                tracing::debug!(offset = at.start, %why, "parameter set not understood");
                self.rejected.get_or_insert(why);
            }
        }
    }

    fn take_sps(&mut self, unit: &[u8]) -> Result<(u8, u8), String> {
        let mut copy = small(unit)?.to_vec();
        // Cameras understate their level; the parser would refuse their picture size. Level 6.2
        // allows every size, and nothing else is derived from it here.
        if let Some(level) = copy.get_mut(3) {
            *level = 62;
        }
        let bits = RefNal::new(&copy, &[], true).rbsp_bits();
        let sps = SeqParameterSet::from_bits(bits)
            .map_err(|why| format!("sequence parameter set: {}", brief(&why)))?;
        sps.pixel_dimensions()
            .map_err(|why| format!("sequence parameter set: {}", brief(&why)))?;
        let id = sps.seq_parameter_set_id.id();
        self.context.put_seq_param_set(sps);
        Ok((kind::SPS, id))
    }

    fn take_pps(&mut self, unit: &[u8]) -> Result<(u8, u8), String> {
        let bits = RefNal::new(small(unit)?, &[], true).rbsp_bits();
        let pps = PicParameterSet::from_bits(&self.context, bits)
            .map_err(|why| format!("picture parameter set: {}", brief(&why)))?;
        let id = pps.pic_parameter_set_id.id();
        self.context.put_pic_param_set(pps);
        Ok((kind::PPS, id))
    }

    /// The picture parameter set `id` and the sequence parameter set that it names.
    pub fn of_picture(&self, id: u32) -> Option<(&PicParameterSet, &SeqParameterSet)> {
        let pps = self.context.pps_by_id(PicParamSetId::from_u32(id).ok()?)?;
        let sps = self.context.sps_by_id(pps.seq_parameter_set_id)?;
        Some((pps, sps))
    }

    /// A sequence parameter set, the one with the lowest number.
    pub fn any_sequence(&self) -> Option<&SeqParameterSet> {
        self.context.sps().next()
    }

    /// Where the sets in force stand in the file: sequence parameter sets first.
    pub fn stored(&self) -> impl Iterator<Item = &Range<usize>> + Clone {
        self.stored.values()
    }

    /// Why the first set that was not understood was not.
    pub fn rejected(&self) -> Option<&str> {
        self.rejected.as_deref()
    }

    /// The kind of parameter set that there is none of.
    pub fn lack(&self) -> Option<&'static str> {
        if self.context.sps().next().is_none() {
            return Some("sequence parameter set");
        }
        let none = self.context.pps().next().is_none();
        none.then_some("picture parameter set")
    }
}

fn small(unit: &[u8]) -> Result<&[u8], String> {
    if unit.is_empty() || unit.len() > LARGEST {
        return Err(format!("a parameter set of {} octets", unit.len()));
    }
    Ok(unit)
}

fn brief(why: &impl std::fmt::Debug) -> String {
    format!("{why:?}").chars().take(80).collect()
}

/// Frames per second by the timing information of the VUI (H.264 §E.2.1): a tick is a field, so a
/// frame, coded as one picture or as two fields, takes two. `None` without timing, and for figures
/// that no camera means (outside 1/10 to 300).
pub fn frame_rate(sps: &SeqParameterSet) -> Option<Rational> {
    let timing = sps.vui_parameters.as_ref()?.timing_info.as_ref()?;
    let (scale, units) = (timing.time_scale, timing.num_units_in_tick);
    let rate = if scale % 2 == 0 {
        Rational::new(scale / 2, units)?
    } else {
        Rational::new(scale, units.checked_mul(2)?)?
    };
    let sensible = (0.1..=300.0).contains(&rate.as_f64());
    sensible.then_some(rate)
}

#[cfg(test)]
mod tests {
    use super::super::super::clip::{Clip, ClipOptions};
    use super::super::synthetic::{I, Shape, Slice, Writer};

    fn clip(timing: Option<(u32, u32)>, fps: Option<&str>, size: (u32, u32)) -> Clip {
        let mut writer = Writer::new(Shape {
            timing,
            size,
            ..Shape::default()
        });
        writer.slice(Slice {
            kind: I,
            idr: Some(0),
            ..Slice::default()
        });
        let fps = fps.map(|text| text.parse().unwrap());
        writer.clip(ClipOptions { fps }).unwrap()
    }

    fn rate(timing: Option<(u32, u32)>, fps: Option<&str>) -> String {
        clip(timing, fps, (4, 4)).fps().to_string()
    }

    #[test]
    fn the_frame_rate_is_the_streams_own_else_the_given_one_else_25() {
        assert_eq!(rate(Some((1, 50)), Some("30")), "25");
        assert_eq!(rate(Some((1001, 60_000)), None), "30000/1001");
        assert_eq!(rate(Some((2, 25)), None), "25/4");
        assert_eq!(rate(None, Some("12.5")), "25/2");
        assert_eq!(rate(None, None), "25");
    }

    #[test]
    fn timing_that_no_camera_means_is_not_believed() {
        assert_eq!(rate(Some((1, 180_000)), None), "25");
        assert_eq!(rate(Some((0, 50)), Some("30")), "30");
        assert_eq!(rate(Some((u32::MAX, u32::MAX)), None), "25");
        assert_eq!(rate(Some((1, 0)), None), "25");
        assert_eq!(rate(Some((90_000, 1)), None), "25");
    }

    #[test]
    fn an_understated_level_does_not_forbid_a_picture_size() {
        let clip = clip(None, None, (240, 135));
        assert_eq!((clip.width(), clip.height()), (3840, 2160));
    }
}
