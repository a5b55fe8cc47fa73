//! Access units: which NAL units make up one frame (H.265 §7.4.2.4.4).

use std::ops::Range;

use super::super::access_unit::{AccessUnit, Allowance, Stream};
use super::super::codec::Codec;
use super::super::nal;
use super::super::place::Place;
use super::parameter_sets::ParameterSets;
use super::picture_order::PictureOrder;
use super::slice::SliceHeader;
use super::{kind, kind_of, layer_of, sei};

/// Takes an Annex B byte stream apart. Frames whose first slice cannot be read because parameter
/// sets are missing are joined to what stands before.
pub fn split(stream: &[u8]) -> Stream {
    let mut splitter = Splitter {
        stream,
        out: Stream::of(Codec::H265),
        order: PictureOrder::default(),
        sets: ParameterSets::default(),
        start: 0,
        next_start: None,
        recovery: None,
        frame: None,
        allowance: Allowance::of(stream),
    };
    for unit in nal::units(stream) {
        splitter.take(unit);
    }
    splitter.finish()
}

struct Splitter<'a> {
    stream: &'a [u8],
    out: Stream,
    order: PictureOrder,
    sets: ParameterSets,
    /// The first NAL unit of the frame being collected.
    start: usize,
    /// The first NAL unit of the next frame, if it has begun before its first slice.
    next_start: Option<usize>,
    /// A recovery point seen since the last picture.
    recovery: Option<u32>,
    frame: Option<AccessUnit>,
    allowance: Allowance,
}

impl Splitter<'_> {
    fn take(&mut self, at: Range<usize>) {
        let index = self.out.units.len();
        let unit = self.stream.get(at.clone()).unwrap_or_default();
        self.out.units.push(at.clone());
        if layer_of(unit) > 0 {
            return;
        }
        match kind_of(unit) {
            ..=kind::SLICE_LAST => self.take_slice(unit, index),
            kind::VPS..=kind::PPS => {
                self.next_begins(index);
                self.sets.take(unit, &at);
            }
            kind::SEI => {
                self.next_begins(index);
                self.recovery = sei::recovery_point(unit).or(self.recovery);
            }
            kind::DELIMITER | 41..=44 | 48..=55 => self.next_begins(index),
            kind::END_OF_SEQUENCE => self.order.end_of_sequence(),
            _ => {}
        }
    }

    /// A unit that stands before the first slice of a frame only.
    fn next_begins(&mut self, index: usize) {
        if self.frame.is_some() {
            self.next_start.get_or_insert(index);
        }
    }

    fn take_slice(&mut self, unit: &[u8], index: usize) {
        let Some(slice) = SliceHeader::read(unit, &self.sets) else {
            self.out.unreadable += 1;
            return;
        };
        if slice.first {
            return self.begin(&slice, index);
        }
        if let Some(frame) = &mut self.frame {
            frame.intra &= slice.intra.unwrap_or(true);
            self.next_start = None;
        }
    }

    fn begin(&mut self, slice: &SliceHeader, index: usize) {
        self.end(self.next_start.unwrap_or(index));
        let known = self.sets.of_picture(slice.pps).map(|(_, known)| *known);
        let intra = slice.intra == Some(true);
        let recovery = self.recovery.take();
        let frame = AccessUnit {
            units: self.start..self.start,
            place: known.map_or_else(Place::default, |known| self.order.place(slice, &known)),
            idr: slice.is_break(),
            intra,
            recovery: match slice.kind {
                kind::CRA => Some(0),
                _ => recovery,
            },
            missing: self.missing_sets(intra),
        };
        if intra && self.out.shape.is_none() {
            self.out.shape = known.map(|known| self.sets.shape(&known));
        }
        self.frame = Some(frame);
    }

    /// The sets in force, if the I frame that begins has not one of each kind of its own.
    fn missing_sets(&mut self, intra: bool) -> Vec<Range<usize>> {
        let own = self.out.units.get(self.start..).unwrap_or_default();
        let has = |kind| {
            let mut kinds = own.iter().filter_map(|at| self.stream.get(at.clone()));
            kinds.any(|unit| kind_of(unit) == kind)
        };
        if !intra || [kind::VPS, kind::SPS, kind::PPS].into_iter().all(has) {
            return Vec::new();
        }
        let missing = self.allowance.take(self.sets.stored());
        self.out.excessive |= missing.is_none();
        missing.unwrap_or_default()
    }

    /// Ends the frame being collected before NAL unit `next`.
    fn end(&mut self, next: usize) {
        self.next_start = None;
        if let Some(mut frame) = self.frame.take() {
            frame.units = self.start..next;
            self.out.frames.push(frame);
            self.start = next;
        }
    }

    fn finish(mut self) -> Stream {
        let end = self.next_start.unwrap_or(self.out.units.len());
        self.end(end);
        let any = || self.sets.any_sequence().map(|set| self.sets.shape(set));
        self.out.shape = self.out.shape.or_else(any);
        self.out.lacks = self.sets.lack();
        self.out.rejected = self.sets.rejected().map(str::to_owned);
        self.out
    }
}
