//! Access units: which NAL units make up one frame (H.264 §7.4.1.2.3, §7.4.1.2.4).
//!
//! Two coded fields of one frame are kept together, because a frame travels in one pack.

use std::ops::Range;

use h264_reader::nal::sps::SeqParameterSet;

use super::nal::{self, kind};
use super::parameter_sets::ParameterSets;
use super::picture_order::{PictureOrder, Place};
use super::sei;
use super::slice::SliceHeader;

/// One frame of a byte stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUnit {
    /// Its NAL units, as indices into [`Stream::units`].
    pub units: Range<usize>,
    /// Where it is shown.
    pub place: Place,
    /// Its (first) picture is an IDR picture.
    pub idr: bool,
    /// Its (first) picture has I slices only.
    pub intra: bool,
    /// How many frames after it the picture is whole again, if a recovery point SEI says so.
    pub recovery: Option<u32>,
    /// It is an I picture and lacks parameter sets: those in force, as ranges of the stream.
    pub missing: Vec<Range<usize>>,
}

/// A byte stream taken apart.
#[derive(Debug, Default)]
pub struct Stream {
    /// All NAL units, without start codes and trailing zeros.
    pub units: Vec<Range<usize>>,
    /// The frames in decoding order.
    pub frames: Vec<AccessUnit>,
    /// The sequence parameter set of the first I picture.
    pub sps: Option<SeqParameterSet>,
    /// The parameter sets in force at the end.
    pub sets: ParameterSets,
    /// Slices whose header could not be read; they stay with the frame that they stand in.
    pub unreadable: u64,
    /// The parameter sets that I pictures lack are longer than the whole stream: not all were
    /// noted.
    pub excessive: bool,
}

/// Takes an Annex B byte stream apart. Frames whose first slice cannot be read because parameter
/// sets are missing are joined to what stands before.
pub fn split(stream: &[u8]) -> Stream {
    let mut splitter = Splitter::new(stream);
    for unit in nal::units(stream) {
        splitter.take(unit);
    }
    splitter.finish()
}

struct Splitter<'a> {
    stream: &'a [u8],
    out: Stream,
    order: PictureOrder,
    /// The first NAL unit of the frame being collected.
    start: usize,
    /// The first NAL unit of the next frame, if no second field comes first.
    next_start: Option<usize>,
    /// A recovery point seen since the last picture.
    recovery: Option<u32>,
    picture: Option<Picture>,
    /// How many more octets of missing parameter sets may be noted.
    allowance: usize,
}

/// The primary coded picture being collected, or the fields of a frame.
struct Picture {
    frame: AccessUnit,
    /// The first slice of the first field.
    first: SliceHeader,
    /// The last primary slice seen.
    last: SliceHeader,
    /// Colour planes whose first macroblock has been seen, one bit each.
    begun_planes: u8,
    /// Both fields are there.
    complete: bool,
}

impl<'a> Splitter<'a> {
    fn new(stream: &'a [u8]) -> Self {
        Splitter {
            stream,
            out: Stream::default(),
            order: PictureOrder::default(),
            start: 0,
            next_start: None,
            recovery: None,
            picture: None,
            allowance: stream.len() + 65_536,
        }
    }

    fn take(&mut self, at: Range<usize>) {
        let index = self.out.units.len();
        let unit = self.stream.get(at.clone()).unwrap_or_default();
        self.out.units.push(at.clone());
        match nal::kind_of(unit) {
            kind::SLICE | kind::PARTITION_A | kind::IDR => self.take_slice(unit, index),
            kind::SEI..=kind::DELIMITER | kind::PREFIX..=kind::RESERVED_18 => {
                if self.picture.is_some() {
                    self.next_start.get_or_insert(index);
                }
                self.out.sets.take(unit, &at);
                self.recovery = sei::recovery_point(unit).or(self.recovery);
            }
            _ => {}
        }
    }

    fn take_slice(&mut self, unit: &[u8], index: usize) {
        let Some(slice) = SliceHeader::read(unit, &self.out.sets) else {
            self.out.unreadable += 1;
            return;
        };
        if slice.redundant {
            return;
        }
        match &mut self.picture {
            Some(picture) if picture.contains(&slice, self.next_start) => picture.add(slice),
            Some(picture) if picture.is_completed_by(&slice) => {
                let place = place(&mut self.order, &slice, &self.out.sets);
                picture.complete(slice, place);
                self.next_start = None;
                self.recovery = None;
            }
            _ => self.begin(slice, index),
        }
    }

    fn begin(&mut self, slice: SliceHeader, index: usize) {
        self.end(self.next_start.unwrap_or(index));
        let place = place(&mut self.order, &slice, &self.out.sets);
        let frame = AccessUnit {
            units: self.start..self.start,
            place,
            idr: slice.idr.is_some(),
            intra: slice.intra,
            recovery: self.recovery.take(),
            missing: self.missing_sets(&slice),
        };
        if slice.intra && self.out.sps.is_none() {
            self.out.sps = self
                .out
                .sets
                .of_picture(slice.pps)
                .map(|(_, sps)| sps.clone());
        }
        self.picture = Some(Picture::new(frame, slice));
    }

    /// The sets in force, if the frame that begins with `slice` has no sequence or no picture
    /// parameter set of its own.
    fn missing_sets(&mut self, slice: &SliceHeader) -> Vec<Range<usize>> {
        let own = self.out.units.get(self.start..).unwrap_or_default();
        let kinds = own
            .iter()
            .map(|at| nal::kind_of(self.stream.get(at.clone()).unwrap_or(&[])));
        let (mut sps, mut pps) = (false, false);
        for kind in kinds {
            sps |= kind == kind::SPS;
            pps |= kind == kind::PPS;
        }
        if !slice.intra || (sps && pps) {
            return Vec::new();
        }
        let octets: usize = self.out.sets.stored().map(|at| at.len() + 4).sum();
        let Some(left) = self.allowance.checked_sub(octets) else {
            self.out.excessive = true;
            return Vec::new();
        };
        self.allowance = left;
        self.out.sets.stored().cloned().collect()
    }

    /// Ends the frame being collected before NAL unit `next`.
    fn end(&mut self, next: usize) {
        self.next_start = None;
        if let Some(mut picture) = self.picture.take() {
            picture.frame.units = self.start..next;
            self.out.frames.push(picture.frame);
            self.start = next;
        }
    }

    fn finish(mut self) -> Stream {
        let end = self.next_start.unwrap_or(self.out.units.len());
        self.end(end);
        self.out
    }
}

/// The place of the picture that `slice` begins.
fn place(order: &mut PictureOrder, slice: &SliceHeader, sets: &ParameterSets) -> Place {
    let known = sets.of_picture(slice.pps);
    known.map_or_else(Place::default, |(_, sps)| order.place(slice, sps))
}

impl Picture {
    fn new(frame: AccessUnit, slice: SliceHeader) -> Picture {
        let mut picture = Picture {
            frame,
            first: slice.clone(),
            last: slice,
            begun_planes: 0,
            complete: false,
        };
        picture.mark();
        picture
    }

    fn mark(&mut self) {
        if self.last.first_macroblock == 0 {
            self.begun_planes |= 1 << (self.last.plane & 3);
        }
    }

    /// Whether `slice` belongs to this picture. Encoders of all-IDR streams that never change
    /// `idr_pic_id` are caught by the first macroblock coming twice.
    fn contains(&self, slice: &SliceHeader, next_start: Option<usize>) -> bool {
        let again =
            slice.first_macroblock == 0 && self.begun_planes & (1 << (slice.plane & 3)) != 0;
        next_start.is_none() && !again && !slice.begins_picture_after(&self.last)
    }

    fn add(&mut self, slice: SliceHeader) {
        // The second field of an I frame may be a P field; only the first one counts.
        self.frame.intra &= slice.intra || self.complete;
        self.last = slice;
        self.mark();
    }

    fn is_completed_by(&self, slice: &SliceHeader) -> bool {
        !self.complete && slice.completes(&self.first)
    }

    fn complete(&mut self, slice: SliceHeader, place: Place) {
        self.complete = true;
        self.frame.place = self.frame.place.min(place);
        self.begun_planes = 0;
        self.last = slice;
        self.mark();
    }
}

#[cfg(test)]
mod tests;
