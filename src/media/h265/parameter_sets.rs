//! The parameter sets in force, and what is read of them.

use std::collections::BTreeMap;
use std::ops::Range;

use h264_reader::rbsp::{BitRead, BitReaderError};

use super::super::access_unit::Shape;
use super::sequence::Sequence;
use super::{bits_of, kind, kind_of, video};
use crate::media::rational::Rational;

/// Octets above which a parameter set is no parameter set. Real ones have fewer than 600.
const LARGEST: usize = 4096;
/// Numbers of parameter sets are below these (§7.4.3).
const SEQUENCES: u32 = 16;
const PICTURES: u32 = 64;

/// What a picture parameter set says that slice headers are read with (§7.3.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picture {
    /// `pps_pic_parameter_set_id`.
    pub id: u32,
    /// `pps_seq_parameter_set_id`.
    pub sequence: u32,
    /// `dependent_slice_segments_enabled_flag`.
    pub dependent_segments: bool,
    /// `output_flag_present_flag`.
    pub output_flag: bool,
    /// `num_extra_slice_header_bits`.
    pub extra_bits: u32,
}

impl Picture {
    fn read(bits: &mut impl BitRead) -> Result<Picture, BitReaderError> {
        Ok(Picture {
            id: bits.read_ue("pps_pic_parameter_set_id")?,
            sequence: bits.read_ue("pps_seq_parameter_set_id")?,
            dependent_segments: bits.read_bit("dependent_slice_segments_enabled_flag")?,
            output_flag: bits.read_bit("output_flag_present_flag")?,
            extra_bits: bits.read::<3, u32>("num_extra_slice_header_bits")?,
        })
    }
}

/// The parameter sets in force at one place of a stream.
#[derive(Debug, Default)]
pub struct ParameterSets {
    /// Frames per second by the video parameter sets.
    videos: BTreeMap<u32, Option<Rational>>,
    sequences: BTreeMap<u32, Sequence>,
    pictures: BTreeMap<u32, Picture>,
    stored: BTreeMap<(u8, u32), Range<usize>>,
    rejected: Option<String>,
}

impl ParameterSets {
    /// Takes in a parameter set, which stands at `at` in the file.
    pub fn take(&mut self, unit: &[u8], at: &Range<usize>) {
        match self.read(unit) {
            Ok(key) => {
                self.stored.insert(key, at.clone());
            }
            Err(why) => {
                tracing::debug!(offset = at.start, %why, "parameter set not understood");
                self.rejected.get_or_insert(why);
            }
        }
    }

    fn read(&mut self, unit: &[u8]) -> Result<(u8, u32), String> {
        if unit.len() > LARGEST {
            return Err(format!("a parameter set of {} octets", unit.len()));
        }
        let (kind, mut bits) = (kind_of(unit), bits_of(unit));
        let name = name_of(kind);
        let bad = |why: BitReaderError| {
            let why: String = format!("{why:?}").chars().take(80).collect();
            format!("{name}: {why}")
        };
        let out_of_range = |id| format!("{name}: number {id}");
        let id = match kind {
            kind::VPS => {
                let video = video::read(&mut bits).map_err(bad)?;
                self.videos.insert(video.id, video.fps);
                video.id
            }
            kind::SPS => {
                let sequence = Sequence::read(&mut bits).map_err(bad)?;
                let id = sequence.id;
                let is_possible = id < SEQUENCES;
                is_possible.then_some(()).ok_or_else(|| out_of_range(id))?;
                sequence.check()?;
                self.sequences.insert(id, sequence);
                id
            }
            _ => {
                let picture = Picture::read(&mut bits).map_err(bad)?;
                let is_possible = picture.id < PICTURES && picture.sequence < SEQUENCES;
                let id = picture.id;
                is_possible.then_some(()).ok_or_else(|| out_of_range(id))?;
                self.pictures.insert(id, picture);
                id
            }
        };
        Ok((kind, id))
    }

    /// The picture parameter set `id` and the sequence parameter set that it names.
    pub fn of_picture(&self, id: u32) -> Option<(&Picture, &Sequence)> {
        let picture = self.pictures.get(&id)?;
        let sequence = self.sequences.get(&picture.sequence)?;
        Some((picture, sequence))
    }

    /// What a sequence parameter set, and the video parameter set that it names, say of pictures.
    pub fn shape(&self, sequence: &Sequence) -> Shape {
        let video = || self.videos.get(&sequence.video).copied().flatten();
        Shape {
            size: sequence.size,
            fps: sequence.fps.or_else(video),
        }
    }

    /// A sequence parameter set, the one with the lowest number.
    pub fn any_sequence(&self) -> Option<&Sequence> {
        self.sequences.values().next()
    }

    /// Where the sets in force stand in the file: in the order in which they refer to each other.
    pub fn stored(&self) -> impl Iterator<Item = &Range<usize>> + Clone {
        self.stored.values()
    }

    /// Why the first set that was not understood was not.
    pub fn rejected(&self) -> Option<&str> {
        self.rejected.as_deref()
    }

    /// The kind of parameter set that there is none of.
    pub fn lack(&self) -> Option<&'static str> {
        if self.sequences.is_empty() {
            return Some(name_of(kind::SPS));
        }
        self.pictures.is_empty().then_some(name_of(kind::PPS))
    }
}

fn name_of(kind: u8) -> &'static str {
    match kind {
        kind::VPS => "video parameter set",
        kind::SPS => "sequence parameter set",
        _ => "picture parameter set",
    }
}

/// Frames per second of `units` ticks each, if it is a rate that a camera means (1/10 to 300).
pub(super) fn frame_rate(units: u32, scale: u32) -> Option<Rational> {
    let rate = Rational::new(scale, units)?;
    (0.1..=300.0).contains(&rate.as_f64()).then_some(rate)
}
