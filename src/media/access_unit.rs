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
mod tests {
    use super::super::clip::{Clip, ClipOptions};
    use super::super::synthetic::{B, I, OrderType, P, Shape, Slice, Writer};
    use super::*;

    const IDR: Slice = Slice {
        kind: I,
        idr: Some(0),
        first: 0,
        disposable: false,
        number: 0,
        field: None,
        lsb: 0,
        redundant: 0,
        forgets: false,
    };
    const SLICE: Slice = Slice { idr: None, ..IDR };
    const DELIMITER: [u8; 2] = [9, 0xF0];
    const SEI: [u8; 5] = [6, 5, 1, 0xAA, 0x80];

    fn clip(writer: &Writer) -> Clip {
        writer.clip(ClipOptions::default()).unwrap()
    }

    /// Kinds of the NAL units of each frame.
    fn frames(clip: &Clip) -> Vec<Vec<u8>> {
        let kinds = |index| {
            let octets = clip.frame(index);
            nal::units(octets)
                .map(|at| nal::kind_of(&octets[at]))
                .collect()
        };
        (0..clip.frames().len()).map(kinds).collect()
    }

    fn shown(clip: &Clip) -> Vec<usize> {
        let mut order: Vec<usize> = (0..clip.frames().len()).collect();
        order.sort_by_key(|index| index + clip.frames()[*index].reorder as usize);
        order
    }

    fn fields() -> Writer {
        Writer::new(Shape {
            fields: true,
            ..Shape::default()
        })
    }

    #[test]
    fn two_fields_are_one_frame_whatever_stands_between_them() {
        let mut writer = fields();
        let (top, bottom) = (Some(0), Some(1));
        writer.slice(Slice { field: top, ..IDR });
        writer.slice(Slice {
            kind: P,
            field: bottom,
            lsb: 1,
            ..SLICE
        });
        writer.push(&DELIMITER).push(&SEI);
        writer.slice(Slice {
            kind: P,
            number: 1,
            field: top,
            lsb: 2,
            ..SLICE
        });
        writer.push(&DELIMITER).push(&SEI);
        writer.slice(Slice {
            kind: P,
            number: 1,
            field: bottom,
            lsb: 3,
            ..SLICE
        });
        writer.slice(Slice {
            kind: P,
            number: 2,
            lsb: 4,
            ..SLICE
        });
        let clip = clip(&writer);
        assert_eq!(
            frames(&clip),
            [vec![7, 8, 5, 1], vec![9, 6, 1, 9, 6, 1], vec![1]]
        );
        assert!(clip.frames()[0].key);
    }

    #[test]
    fn fields_of_the_same_parity_or_of_other_frames_stay_apart() {
        let mut writer = fields();
        writer.slice(Slice {
            field: Some(0),
            ..IDR
        });
        writer.slice(Slice {
            kind: P,
            number: 1,
            field: Some(0),
            lsb: 2,
            ..SLICE
        });
        writer.slice(Slice {
            kind: P,
            number: 2,
            field: Some(1),
            lsb: 5,
            ..SLICE
        });
        assert_eq!(frames(&clip(&writer)).len(), 3);
    }

    #[test]
    fn b_frames_coded_as_fields_are_put_in_order() {
        let mut writer = fields();
        let mut pair = |slice: Slice, lsb: u32| {
            writer.slice(Slice {
                field: Some(0),
                lsb,
                ..slice
            });
            let second = if slice.kind == I { P } else { slice.kind };
            writer.slice(Slice {
                kind: second,
                idr: None,
                field: Some(1),
                lsb: lsb + 1,
                ..slice
            });
        };
        pair(IDR, 0);
        for group in 0..4 {
            let number = 2 * group + 1;
            let at = 4 * group;
            pair(
                Slice {
                    kind: P,
                    number,
                    ..SLICE
                },
                at + 4,
            );
            let b = Slice {
                kind: B,
                number: number + 1,
                disposable: true,
                ..SLICE
            };
            pair(b, at + 2);
        }
        assert_eq!(shown(&clip(&writer)), [0, 2, 1, 4, 3, 6, 5, 8, 7]);
    }

    #[test]
    fn slices_redundant_and_auxiliary_pictures_belong_to_their_picture() {
        let mut writer = Writer::new(Shape {
            redundant: true,
            ..Shape::default()
        });
        writer.slice(IDR).slice(Slice { first: 8, ..IDR });
        writer.slice(Slice {
            redundant: 1,
            ..IDR
        });
        writer.push(&[0x13, 0x88, 0x84]).push(&[12, 0xFF, 0x80]);
        writer.slice(Slice {
            kind: P,
            number: 1,
            lsb: 2,
            ..SLICE
        });
        writer.slice(Slice {
            kind: P,
            number: 1,
            lsb: 2,
            redundant: 1,
            ..SLICE
        });
        writer.push(&[11]);
        assert_eq!(
            frames(&clip(&writer)),
            [vec![7, 8, 5, 5, 5, 19, 12], vec![1, 1, 11]]
        );
    }

    #[test]
    fn idr_pictures_that_all_carry_the_same_number_are_told_apart() {
        let mut writer = Writer::new(Shape::default());
        for _ in 0..4 {
            writer.slice(IDR).slice(Slice { first: 8, ..IDR });
        }
        let clip = clip(&writer);
        assert_eq!(clip.frames().len(), 4);
        assert!(clip.frames().iter().all(|frame| frame.key));
        assert_eq!(frames(&clip)[3], [7, 8, 5, 5]);
    }

    #[test]
    fn picture_order_type_0_goes_on_when_its_few_bits_wrap() {
        let mut writer = Writer::new(Shape::default());
        writer.slice(IDR);
        for group in 0..20 {
            let (number, lsb) = (group + 1, 4 * group);
            writer.slice(Slice {
                kind: P,
                number,
                lsb: lsb + 4,
                ..SLICE
            });
            let b = Slice {
                kind: B,
                number: number + 1,
                disposable: true,
                ..SLICE
            };
            writer.slice(Slice { lsb: lsb + 2, ..b });
        }
        let pairs = (0..20).flat_map(|group| [2 * group + 2, 2 * group + 1]);
        let expected: Vec<usize> = [0].into_iter().chain(pairs).collect();
        assert_eq!(shown(&clip(&writer)), expected);
    }

    #[test]
    fn picture_order_type_1_expects_and_type_2_follows_decoding() {
        let mut writer = Writer::new(Shape {
            order: OrderType::Expected(4, -2),
            ..Shape::default()
        });
        writer.slice(IDR);
        for number in 1..30 {
            writer.slice(Slice {
                kind: P,
                number,
                ..SLICE
            });
            writer.slice(Slice {
                kind: B,
                number: number + 1,
                disposable: true,
                ..SLICE
            });
        }
        let order = shown(&clip(&writer));
        assert_eq!(order[..7], [0, 2, 1, 4, 3, 6, 5]);
        assert_eq!(order[55..], [56, 55, 58, 57]);

        let mut writer = Writer::new(Shape {
            order: OrderType::Decoding,
            ..Shape::default()
        });
        writer.slice(IDR);
        for number in 1..40 {
            writer.slice(Slice {
                kind: P,
                number,
                ..SLICE
            });
        }
        assert_eq!(shown(&clip(&writer)), (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn a_picture_that_forgets_all_others_begins_a_new_order() {
        let mut writer = Writer::new(Shape::default());
        writer.slice(IDR);
        writer.slice(Slice {
            kind: P,
            number: 1,
            lsb: 2,
            ..SLICE
        });
        writer.slice(Slice {
            kind: P,
            number: 2,
            lsb: 4,
            forgets: true,
            ..SLICE
        });
        writer.slice(Slice {
            kind: P,
            number: 1,
            lsb: 4,
            ..SLICE
        });
        writer.slice(Slice {
            kind: B,
            number: 2,
            lsb: 2,
            disposable: true,
            ..SLICE
        });
        assert_eq!(shown(&clip(&writer)), [0, 1, 2, 4, 3]);
    }

    #[test]
    fn nothing_decoded_after_an_idr_picture_is_shown_before_it() {
        let mut writer = Writer::new(Shape::default());
        writer.slice(IDR);
        for number in 1..30 {
            writer.slice(Slice {
                kind: P,
                number,
                lsb: 32 - number,
                ..SLICE
            });
        }
        let clip = clip(&writer);
        assert_eq!(shown(&clip), (0..30).collect::<Vec<_>>());
        assert_eq!(clip.entries(), [0]);
    }

    #[test]
    fn without_idr_pictures_recovery_points_and_then_i_pictures_are_key_frames() {
        let recovery = [6, 6, 1, 0xC4, 0x80];
        let mut writer = Writer::new(Shape::default());
        for number in 0..6 {
            if number % 3 == 1 {
                writer.push(&recovery);
            }
            let kind = if number % 3 == 0 || number == 1 { I } else { P };
            writer.slice(Slice {
                kind,
                number,
                lsb: 2 * number,
                ..SLICE
            });
        }
        // Number 4 has a recovery point but is no I picture; number 0 and 3 have none.
        let keys = |clip: &Clip| {
            clip.frames()
                .iter()
                .map(|frame| frame.key)
                .collect::<Vec<_>>()
        };
        let with_recovery = clip(&writer);
        assert_eq!(keys(&with_recovery), [true, false, false, false, false]);
        let mut writer = Writer::new(Shape::default());
        for number in 0..4 {
            let kind = if number % 2 == 1 { I } else { P };
            writer.slice(Slice {
                kind,
                number,
                lsb: 2 * number,
                ..SLICE
            });
        }
        assert_eq!(keys(&clip(&writer)), [true, false, true]);
    }
}
