//! In which order the frames of a stream are shown.

/// A picture's place among all pictures of a stream; the lesser is shown first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Counts the points that no picture is moved across: IDR pictures and others that forget all.
    pub group: u64,
    /// `PicOrderCnt` within the group.
    pub count: i64,
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
