//! The slice of a fleet that one process plays.

use std::fmt;
use std::str::FromStr;

/// Slice `index` of `of`: every `of`-th camera, beginning with camera number `index`, so that
/// every slice has its part of every group and of the ramp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    of: usize,
}

/// A text that is no shard.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no shard: write I/N with I from 0 to N-1, as in 0/4 for the first of four processes"
)]
pub struct ShardError(String);

impl Shard {
    /// The whole fleet.
    pub const WHOLE: Shard = Shard { index: 0, of: 1 };

    /// Slice `index` (from 0) of `of`; `None` when there is no such slice.
    pub fn new(index: usize, of: usize) -> Option<Shard> {
        (index < of).then_some(Shard { index, of })
    }

    /// Which slice, from 0.
    pub fn index(self) -> usize {
        self.index
    }

    /// How many slices there are.
    pub fn of(self) -> usize {
        self.of
    }

    /// How many of the first `count` cameras are in the slice.
    pub fn len_of(self, count: usize) -> usize {
        count.saturating_sub(self.index).div_ceil(self.of)
    }

    /// The number in the fleet of the slice's camera `n`, both from 0.
    pub(super) fn number(self, n: usize) -> usize {
        n.saturating_mul(self.of).saturating_add(self.index)
    }
}

impl Default for Shard {
    fn default() -> Self {
        Shard::WHOLE
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (index, of) = text.split_once('/')?;
            Shard::new(index.trim().parse().ok()?, of.trim().parse().ok()?)
        };
        read().ok_or_else(|| ShardError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_counted_from_zero() {
        assert_eq!("0/4".parse(), Ok(Shard { index: 0, of: 4 }));
        for wrong in ["4/4", "0/0", "1", "a/b", "-1/2", ""] {
            let error = wrong.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains("0/4 for the first"), "{error}");
        }
    }

    #[test]
    fn slices_add_up_to_the_fleet() {
        for count in 0..30 {
            for of in 1..8 {
                let slices = (0..of).filter_map(|i| Shard::new(i, of));
                assert_eq!(slices.map(|s| s.len_of(count)).sum::<usize>(), count);
            }
        }
    }
}
