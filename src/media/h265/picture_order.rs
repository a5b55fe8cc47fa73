//! Picture order count (H.265 §8.3.1): in which order decoded pictures are shown.

use super::super::place::Place;
use super::sequence::Sequence;
use super::slice::SliceHeader;

/// Follows the pictures of a stream in decoding order.
#[derive(Debug, Default)]
pub struct PictureOrder {
    group: u64,
    /// `prevPicOrderCntMsb` and `prevPicOrderCntLsb`.
    last: (i64, i64),
    /// A sequence has begun, and none has ended since.
    within: bool,
}

impl PictureOrder {
    /// The place of the next picture, by its first slice segment.
    pub fn place(&mut self, slice: &SliceHeader, sequence: &Sequence) -> Place {
        let lsb = i64::from(slice.order_lsb);
        let msb = if slice.is_break() || !self.within {
            self.group += 1;
            0
        } else {
            self.msb(lsb, 1 << sequence.order_bits)
        };
        self.within = true;
        if slice.counts() {
            self.last = (msb, lsb);
        }
        Place {
            group: self.group,
            count: msb + lsb,
        }
    }

    fn msb(&self, lsb: i64, period: i64) -> i64 {
        let (last_msb, last_lsb) = self.last;
        if lsb < last_lsb && last_lsb - lsb >= period / 2 {
            last_msb + period
        } else if lsb > last_lsb && lsb - last_lsb > period / 2 {
            last_msb - period
        } else {
            last_msb
        }
    }

    /// The next picture begins a sequence.
    pub fn end_of_sequence(&mut self) {
        self.within = false;
    }
}
