//! Access units: which NAL units make up one frame (H.264 §7.4.1.2.3, §7.4.1.2.4).
//!
//! Two coded fields of one frame are kept together, because a frame travels in one pack.

use std::ops::Range;

use h264_reader::nal::sps::SeqParameterSet;

use super::super::access_unit::{AccessUnit, Allowance, Shape, Stream};
use super::super::codec::Codec;
use super::super::nal;
use super::super::place::Place;
use super::parameter_sets::{ParameterSets, frame_rate};
use super::picture_order::PictureOrder;
use super::slice::SliceHeader;
use super::{kind, kind_of, sei};

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
    sets: ParameterSets,
    allowance: Allowance,
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
            out: Stream::of(Codec::H264),
            order: PictureOrder::default(),
            start: 0,
            next_start: None,
            recovery: None,
            picture: None,
            sets: ParameterSets::default(),
            allowance: Allowance::of(stream),
        }
    }

    fn take(&mut self, at: Range<usize>) {
        let index = self.out.units.len();
        let unit = self.stream.get(at.clone()).unwrap_or_default();
        self.out.units.push(at.clone());
        match kind_of(unit) {
            kind::SLICE | kind::PARTITION_A | kind::IDR => self.take_slice(unit, index),
            kind::SEI..=kind::DELIMITER | kind::PREFIX..=kind::RESERVED_18 => {
                if self.picture.is_some() {
                    self.next_start.get_or_insert(index);
                }
                self.sets.take(unit, &at);
                self.recovery = sei::recovery_point(unit).or(self.recovery);
            }
            _ => {}
        }
    }

    fn take_slice(&mut self, unit: &[u8], index: usize) {
        let Some(slice) = SliceHeader::read(unit, &self.sets) else {
            self.out.unreadable += 1;
            return;
        };
        if slice.redundant {
            return;
        }
        match &mut self.picture {
            Some(picture) if picture.contains(&slice, self.next_start) => picture.add(slice),
            Some(picture) if picture.is_completed_by(&slice) => {
                let place = place(&mut self.order, &slice, &self.sets);
                picture.complete(slice, place);
                self.next_start = None;
                self.recovery = None;
            }
            _ => self.begin(slice, index),
        }
    }

    fn begin(&mut self, slice: SliceHeader, index: usize) {
        self.end(self.next_start.unwrap_or(index));
        let place = place(&mut self.order, &slice, &self.sets);
        let frame = AccessUnit {
            units: self.start..self.start,
            place,
            idr: slice.idr.is_some(),
            intra: slice.intra,
            recovery: self.recovery.take(),
            missing: self.missing_sets(&slice),
        };
        if slice.intra && self.out.shape.is_none() {
            let known = self.sets.of_picture(slice.pps);
            self.out.shape = known.map(|(_, sps)| shape(sps));
        }
        self.picture = Some(Picture::new(frame, slice));
    }

    /// The sets in force, if the frame that begins with `slice` has no sequence or no picture
    /// parameter set of its own.
    fn missing_sets(&mut self, slice: &SliceHeader) -> Vec<Range<usize>> {
        let own = self.out.units.get(self.start..).unwrap_or_default();
        let kinds = own
            .iter()
            .map(|at| kind_of(self.stream.get(at.clone()).unwrap_or(&[])));
        let (mut sps, mut pps) = (false, false);
        for kind in kinds {
            sps |= kind == kind::SPS;
            pps |= kind == kind::PPS;
        }
        if !slice.intra || (sps && pps) {
            return Vec::new();
        }
        let missing = self.allowance.take(self.sets.stored());
        self.out.excessive |= missing.is_none();
        missing.unwrap_or_default()
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
        self.out.shape = self.out.shape.or(self.sets.any_sequence().map(shape));
        self.out.lacks = self.sets.lack();
        self.out.rejected = self.sets.rejected().map(str::to_owned);
        self.out
    }
}

fn shape(sps: &SeqParameterSet) -> Shape {
    Shape {
        size: sps.pixel_dimensions().unwrap_or_default(),
        fps: frame_rate(sps),
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
