//! Picture order count (H.264 §8.2.1): in which order decoded pictures are shown.

use h264_reader::nal::sps::{PicOrderCntType, SeqParameterSet};

use super::slice::{Parity, SliceHeader};

/// A picture's place among all pictures of a stream; the lesser is shown first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Counts the points that no picture is moved across: IDR pictures and those that forget all.
    group: u64,
    /// `PicOrderCnt` within the group.
    count: i64,
}

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

/// How many frames after its decoding each frame is shown, when `places` are in decoding order:
/// the least delays, the same for all, with which none is shown before it is decoded. Places that
/// no encoder makes (a frame moved by more than 16 frames) are disbelieved: all zero.
pub fn reorder(places: &[Place]) -> Vec<u32> {
    const FARTHEST: usize = 16;
    let mut shown: Vec<usize> = (0..places.len()).collect();
    shown.sort_by_key(|index| places.get(*index));
    let mut rank = vec![0; places.len()];
    for (position, index) in shown.into_iter().enumerate() {
        if let Some(slot) = rank.get_mut(index) {
            *slot = position;
        }
    }
    let ranks = || rank.iter().copied().enumerate();
    if let Some((frame, _)) = ranks().find(|(index, rank)| index.abs_diff(*rank) > FARTHEST) {
        tracing::warn!(
            frame,
            "picture order makes no sense; presenting in decoding order"
        );
        return vec![0; places.len()];
    }
    let delay = ranks()
        .map(|(index, rank)| index.saturating_sub(rank))
        .max();
    let delay = delay.unwrap_or(0);
    ranks()
        .map(|(index, rank)| u32::try_from(rank + delay - index).unwrap_or(0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(counts: &[i64]) -> Vec<Place> {
        let place = |count: &i64| Place {
            group: 1,
            count: *count,
        };
        counts.iter().map(place).collect()
    }

    #[test]
    fn frames_wait_as_little_as_their_order_allows() {
        assert_eq!(reorder(&places(&[0, 2, 4, 6])), [0, 0, 0, 0]);
        assert_eq!(reorder(&places(&[0, 6, 2, 4, 8])), [1, 3, 0, 0, 1]);
        assert_eq!(reorder(&places(&[0, 8, 4, 2, 6])), [2, 5, 2, 0, 1]);
        assert!(reorder(&[]).is_empty());
    }

    #[test]
    fn a_group_is_shown_before_the_next_whatever_its_counts() {
        let place = |group, count| Place { group, count };
        let two = [place(1, 900), place(2, 0), place(2, 4), place(2, 2)];
        assert_eq!(reorder(&two), [1, 1, 2, 0]);
    }

    #[test]
    fn an_order_that_moves_a_frame_far_is_not_followed() {
        let falling: Vec<i64> = (0..30).rev().collect();
        assert_eq!(reorder(&places(&falling)), [0; 30]);
        let mut one_late: Vec<i64> = (0..30).collect();
        one_late[3] = 1000;
        assert_eq!(reorder(&places(&one_late)), [0; 30]);
    }

    proptest! {
        #[test]
        fn every_frame_has_a_moment_of_its_own(counts in prop::collection::vec(0i64..12, 0..12)) {
            let reorder = reorder(&places(&counts));
            let mut shown: Vec<usize> =
                reorder.iter().enumerate().map(|(at, wait)| at + *wait as usize).collect();
            shown.sort_unstable();
            let first = shown.first().copied().unwrap_or(0);
            prop_assert!(shown.iter().enumerate().all(|(at, moment)| *moment == first + at));
            prop_assert!(reorder.is_empty() || reorder.contains(&0));
        }
    }
}
