//! Codes counted up from a first one, and whether two such countings meet.

use crate::gb28181::DeviceId;

/// `first`, `first + step`, ...: `count` codes. The step is a power of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct IdRun {
    first: u128,
    step: u128,
    count: usize,
}

/// The digits that tell what a code names.
const TYPE_DIGITS: std::ops::Range<usize> = 10..13;

impl IdRun {
    /// How many serial numbers a code has room for (digits 15 to 20).
    pub const SERIALS: usize = 1_000_000;

    /// No codes.
    pub const NONE: IdRun = IdRun {
        first: 0,
        step: 1,
        count: 0,
    };

    /// Counts up the serial number of `first`. The error says how many fit.
    pub fn serial(first: DeviceId, count: usize) -> Result<IdRun, usize> {
        let fit = IdRun::SERIALS - first.serial() as usize;
        match count <= fit {
            true => Ok(IdRun {
                first: first.as_number(),
                step: 1,
                count,
            }),
            false => Err(fit),
        }
    }

    /// Puts numbers from 1 into the run of `#` of a pattern. The error says what is wrong.
    pub fn pattern(pattern: &str, count: usize) -> Result<IdRun, String> {
        let Some(begin) = pattern.find('#') else {
            return Err(format!(
                "{pattern:?} has no # for the number of the camera; a fixed code is a first-id"
            ));
        };
        let end = pattern.rfind('#').map_or(begin, |last| last + 1);
        let width = end - begin;
        if pattern
            .get(begin..end)
            .is_some_and(|run| run.contains(|c| c != '#'))
        {
            return Err(format!("{pattern:?} has # in more than one place"));
        }
        let zeros = pattern.replace('#', "0");
        let first: DeviceId = zeros.parse().map_err(|error| format!("{error}"))?;
        if begin < TYPE_DIGITS.end && TYPE_DIGITS.start < end {
            return Err(format!(
                "{pattern:?} counts in digits 11 to 13, which say what a code names; keep # out of them"
            ));
        }
        // At most 10 digits stand before the type, and 7 behind it.
        let room = 10_usize.pow(width as u32) - 1;
        if count > room {
            return Err(format!(
                "{pattern:?} has room for {room} cameras, not for {count}; write more #"
            ));
        }
        let step = 10_u128.pow((pattern.len() - end) as u32);
        Ok(IdRun {
            first: first.as_number() + step,
            step,
            count,
        })
    }

    /// Code `n`, from 0.
    pub fn nth(&self, n: usize) -> DeviceId {
        DeviceId::from_number(self.first + self.step * n as u128)
    }

    /// The last code.
    pub fn last(&self) -> DeviceId {
        self.nth(self.count.saturating_sub(1))
    }

    /// The same counting with another type in each code.
    pub fn with_type(&self, type_code: u16) -> IdRun {
        IdRun {
            first: self.nth(0).with_type(type_code).as_number(),
            ..*self
        }
    }

    pub fn contains(&self, id: DeviceId) -> bool {
        let one = IdRun {
            first: id.as_number(),
            step: 1,
            count: 1,
        };
        self.meets(&one).is_some()
    }

    /// The lowest code that both have.
    pub fn meets(&self, other: &IdRun) -> Option<DeviceId> {
        let (fine, coarse) = match self.step <= other.step {
            true => (self, other),
            false => (other, self),
        };
        // Steps are powers of ten: every coarse step is a whole number of fine ones, so either
        // all coarse codes stand on the fine grid or none does.
        if fine.first % fine.step != coarse.first % fine.step || fine.count == 0 {
            return None;
        }
        let ahead = fine.first.saturating_sub(coarse.first);
        let n = ahead.div_ceil(coarse.step);
        let code = coarse.first + n * coarse.step;
        let meets = n < coarse.count as u128 && code <= fine.last().as_number();
        meets.then(|| DeviceId::from_number(code))
    }
}

/// The codes of a group, of its devices or of its channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum IdSet {
    Run(IdRun),
    /// Ascending.
    List(Vec<DeviceId>),
}

impl IdSet {
    pub fn list(mut ids: Vec<DeviceId>) -> IdSet {
        ids.sort_unstable();
        IdSet::List(ids)
    }

    pub fn contains(&self, id: DeviceId) -> bool {
        match self {
            IdSet::Run(run) => run.contains(id),
            IdSet::List(ids) => ids.binary_search(&id).is_ok(),
        }
    }

    /// A code that both have: the lowest.
    pub fn meets(&self, other: &IdSet) -> Option<DeviceId> {
        match (self, other) {
            (IdSet::Run(a), IdSet::Run(b)) => a.meets(b),
            (IdSet::List(ids), set) | (set, IdSet::List(ids)) => {
                ids.iter().copied().find(|id| set.contains(*id))
            }
        }
    }

    /// The last code of an unbroken row that `id` is in.
    pub fn end_of_row(&self, id: DeviceId) -> DeviceId {
        match self {
            IdSet::Run(run) if run.step == 1 && run.contains(id) => run.last(),
            _ => id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(text: &str) -> DeviceId {
        text.parse().unwrap()
    }

    fn all(run: &IdRun) -> Vec<DeviceId> {
        (0..run.count).map(|n| run.nth(n)).collect()
    }

    #[test]
    fn codes_count_up_in_the_serial_number_and_no_further() {
        let run = IdRun::serial(id("34020000001320000999"), 3).unwrap();
        assert_eq!(run.last(), id("34020000001320001001"));
        assert_eq!(IdRun::serial(id("34020000001320999999"), 2), Err(1));
        assert!(IdRun::serial(id("34020000001320999999"), 1).is_ok());
    }

    #[test]
    fn a_pattern_holds_the_number_of_the_camera() {
        let run = IdRun::pattern("340200##001320000001", 99).unwrap();
        assert_eq!(run.nth(0), id("34020001001320000001"));
        assert_eq!(run.last(), id("34020099001320000001"));
        let run = IdRun::pattern("3402000000132#######", 1).unwrap();
        assert_eq!(run.nth(0), id("34020000001320000001"));
    }

    #[test]
    fn a_pattern_that_cannot_be_is_refused_with_the_way_out() {
        for (pattern, why) in [
            ("34020000001320000001", "no #"),
            ("34##0000001320##0001", "more than one place"),
            ("3402000000132####", "20 digits"),
            ("3402000000##20000001", "digits 11 to 13"),
            ("340200000013200000##", "room for 99"),
            ("34020000001320#x####", "more than one place"),
            ("x402000000132#######", "'x' at position 1"),
        ] {
            let error = IdRun::pattern(pattern, 100).unwrap_err();
            assert!(error.contains(why), "{pattern}: {error}");
        }
    }

    proptest! {
        #[test]
        fn two_runs_meet_where_one_by_one_they_do(
            a in (0_u128..300, 0_u32..3, 1_usize..30),
            b in (0_u128..300, 0_u32..3, 1_usize..30),
        ) {
            let run = |(first, step, count): (u128, u32, usize)| IdRun {
                first,
                step: 10_u128.pow(step),
                count,
            };
            let (a, b) = (run(a), run(b));
            let theirs = all(&b);
            let lowest = all(&a).into_iter().find(|id| theirs.contains(id));
            prop_assert_eq!(a.meets(&b), lowest);
            prop_assert_eq!(b.meets(&a), lowest);
            let listed = IdSet::list(theirs);
            prop_assert_eq!(IdSet::Run(a).meets(&listed), lowest);
            prop_assert_eq!(listed.meets(&IdSet::list(all(&a))), lowest);
        }
    }
}
