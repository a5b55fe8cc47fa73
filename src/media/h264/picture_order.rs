//! Picture order count (H.264 §8.2.1): in which order decoded pictures are shown.

use h264_reader::nal::sps::{PicOrderCntType, SeqParameterSet};

use super::super::place::Place;
use super::slice::{Parity, SliceHeader};

/// Follows the pictures of a stream in decoding order.
#[derive(Debug, Default)]
pub struct PictureOrder {
    group: u64,
    /// Nothing decoded after an IDR picture is shown before it; its count.
    floor: Option<i64>,
    /// `prevPicOrderCntMsb` and `prevPicOrderCntLsb`.
    last_reference: (i64, i64),
    /// `prevFrameNum` and `prevFrameNumOffset`.
    last_frame: (i64, i64),
}

impl PictureOrder {
    /// The place of the next picture (a frame or a field), by its first slice.
    pub fn place(&mut self, slice: &SliceHeader, sps: &SeqParameterSet) -> Place {
        if slice.idr.is_some() {
            self.group += 1;
            self.last_reference = (0, 0);
            self.last_frame = (0, 0);
        }
        let (top, bottom) = match &sps.pic_order_cnt {
            PicOrderCntType::TypeZero {
                log2_max_pic_order_cnt_lsb_minus4: width,
            } => self.by_lsb(slice, 1 << (width + 4)),
            PicOrderCntType::TypeOne {
                offset_for_non_ref_pic,
                offset_for_top_to_bottom_field,
                offsets_for_ref_frame,
                ..
            } => self.by_expectation(
                slice,
                sps,
                i64::from(*offset_for_non_ref_pic),
                i64::from(*offset_for_top_to_bottom_field),
                offsets_for_ref_frame,
            ),
            PicOrderCntType::TypeTwo => self.by_decoding(slice, sps),
        };
        let count = match slice.field {
            None => top.min(bottom),
            Some(Parity::Top) => top,
            Some(Parity::Bottom) => bottom,
        };
        if slice.idr.is_some() {
            self.floor = Some(count);
        }
        if !slice.forgets {
            let group = self.group;
            let count = self.floor.map_or(count, |floor| count.max(floor));
            return Place { group, count };
        }
        self.forget(slice, top.wrapping_sub(count));
        let group = self.group;
        Place { group, count: 0 }
    }

    /// Operation 5: the picture counts from zero, and the next ones count from it.
    fn forget(&mut self, slice: &SliceHeader, top: i64) {
        self.group += 1;
        self.floor = Some(0);
        self.last_frame = (0, 0);
        self.last_reference = match slice.field {
            Some(Parity::Bottom) => (0, 0),
            _ => (0, top),
        };
    }

    /// Type 0, §8.2.1.1.
    fn by_lsb(&mut self, slice: &SliceHeader, period: i64) -> (i64, i64) {
        let lsb = i64::from(slice.order_lsb);
        let (last_msb, last_lsb) = self.last_reference;
        let msb = if lsb < last_lsb && last_lsb - lsb >= period / 2 {
            last_msb + period
        } else if lsb > last_lsb && lsb - last_lsb > period / 2 {
            last_msb - period
        } else {
            last_msb
        };
        if slice.reference {
            self.last_reference = (msb, lsb);
        }
        (msb + lsb, msb + lsb + i64::from(slice.order_bottom))
    }

    /// Type 1, §8.2.1.2.
    fn by_expectation(
        &mut self,
        slice: &SliceHeader,
        sps: &SeqParameterSet,
        non_reference: i64,
        top_to_bottom: i64,
        cycle: &[i32],
    ) -> (i64, i64) {
        let offset = self.frame_offset(slice, sps);
        let mut frames = match cycle {
            [] => 0,
            _ => offset + i64::from(slice.frame_num),
        };
        if !slice.reference && frames > 0 {
            frames -= 1;
        }
        let mut expected = expectation(frames, cycle);
        if !slice.reference {
            expected = expected.wrapping_add(non_reference);
        }
        let [first, second] = slice.order_delta.map(i64::from);
        let top = expected.wrapping_add(first);
        (top, top.wrapping_add(top_to_bottom + second))
    }

    /// Type 2, §8.2.1.3: pictures are shown as they are decoded.
    fn by_decoding(&mut self, slice: &SliceHeader, sps: &SeqParameterSet) -> (i64, i64) {
        let twice = 2 * (self.frame_offset(slice, sps) + i64::from(slice.frame_num));
        let count = if slice.reference { twice } else { twice - 1 };
        (count, count)
    }

    /// `FrameNumOffset`: what `frame_num` has wrapped by.
    fn frame_offset(&mut self, slice: &SliceHeader, sps: &SeqParameterSet) -> i64 {
        let (last, offset) = self.last_frame;
        let number = i64::from(slice.frame_num);
        let offset = if last > number {
            offset + (1 << sps.log2_max_frame_num())
        } else {
            offset
        };
        self.last_frame = (number, offset);
        offset
    }
}

/// `expectedPicOrderCnt` of the frame `frames` of type 1.
fn expectation(frames: i64, cycle: &[i32]) -> i64 {
    let length = cycle.len() as i64;
    if frames <= 0 || length == 0 {
        return 0;
    }
    let (rounds, within) = ((frames - 1) / length, (frames - 1) % length);
    let sum_of = |count: i64| -> i64 {
        let taken = cycle.iter().take(count as usize);
        taken.copied().map(i64::from).sum()
    };
    // Damaged streams count far; a wrapped number is as wrong as any other.
    rounds
        .wrapping_mul(sum_of(length))
        .wrapping_add(sum_of(within + 1))
}
