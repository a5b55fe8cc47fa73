//! Time as an argument: the core never reads a clock, it is told what time it is.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::ops::{Add, AddAssign, Sub};
use std::time::Duration;

/// A point on a monotonic clock, in nanoseconds from an origin that only the driver knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The clock's origin.
    pub const ZERO: Instant = Instant(0);

    /// The point `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Instant(nanos)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time passed since `earlier`; zero when `earlier` lies ahead.
    pub const fn since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, rhs: Duration) -> Instant {
        let nanos = u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX);
        Instant(self.0.saturating_add(nanos))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, rhs: Duration) {
        *self = *self + rhs;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, rhs: Instant) -> Duration {
        self.since(rhs)
    }
}

/// Wall-clock time: microseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wall(i64);

impl Wall {
    /// The time `micros` microseconds after the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Wall(micros)
    }

    /// The time `seconds` seconds after the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Wall(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the Unix epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

/// What time it is, on both clocks. Every entry into the core carries one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For timers and pacing.
    pub mono: Instant,
    /// For what is written into messages.
    pub wall: Wall,
}

impl Now {
    /// The same moment moved `by` into the future on both clocks.
    pub fn after(self, by: Duration) -> Now {
        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Now {
            mono: self.mono + by,
            wall: Wall(self.wall.0.saturating_add(micros)),
        }
    }
}

/// Named timers: at most one deadline per name; the earliest is found in O(log n).
///
/// A few stand in a short list, which is what a single device needs; beyond, in an index. A table
/// that has become empty holds no memory.
#[derive(Clone, Debug)]
pub struct Timers<K> {
    table: Table<K>,
}

#[derive(Clone, Debug)]
enum Table<K> {
    /// The latest first.
    Few(Vec<(Instant, K)>),
    Many(Box<Index<K>>),
}

#[derive(Clone, Debug)]
struct Index<K> {
    due: BTreeSet<(Instant, K)>,
    at: HashMap<K, Instant>,
}

/// How many timers a list holds before an index is faster.
const FEW: usize = 16;

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Timers {
            table: Table::Few(Vec::new()),
        }
    }
}

impl<K: Clone + Ord + Hash> Timers<K> {
    /// Sets (or moves) the timer `name` to `at`.
    pub fn set(&mut self, name: K, at: Instant) {
        self.cancel(&name);
        match &mut self.table {
            Table::Few(list) if list.len() < FEW => {
                let place = list.partition_point(|(t, n)| (*t, n) > (at, &name));
                list.insert(place, (at, name));
            }
            Table::Few(list) => {
                let mut index = Index::from(std::mem::take(list));
                index.insert(name, at);
                self.table = Table::Many(Box::new(index));
            }
            Table::Many(index) => index.insert(name, at),
        }
    }

    /// Removes the timer; `true` when it was set.
    pub fn cancel(&mut self, name: &K) -> bool {
        let found = match &mut self.table {
            Table::Few(list) => {
                let place = list.iter().position(|(_, n)| n == name);
                place.map(|place| list.remove(place)).is_some()
            }
            Table::Many(index) => index.remove(name),
        };
        if found {
            self.free_if_empty();
        }
        found
    }

    /// When `name` is due, if it is set.
    pub fn deadline(&self, name: &K) -> Option<Instant> {
        match &self.table {
            Table::Few(list) => list.iter().find(|(_, n)| n == name).map(|(at, _)| *at),
            Table::Many(index) => index.at.get(name).copied(),
        }
    }

    /// The earliest deadline of all.
    pub fn next(&self) -> Option<Instant> {
        match &self.table {
            Table::Few(list) => list.last().map(|(at, _)| *at),
            Table::Many(index) => index.due.first().map(|(at, _)| *at),
        }
    }

    /// Takes one timer that is due at `now`, earliest first.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, name) = match &mut self.table {
            Table::Few(list) => list.pop()?,
            Table::Many(index) => index.pop_first()?,
        };
        self.free_if_empty();
        Some(name)
    }

    /// How many timers are set.
    pub fn len(&self) -> usize {
        match &self.table {
            Table::Few(list) => list.len(),
            Table::Many(index) => index.at.len(),
        }
    }

    /// Whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn free_if_empty(&mut self) {
        if self.is_empty() {
            *self = Timers::default();
        }
    }
}

impl<K: Clone + Ord + Hash> Index<K> {
    fn insert(&mut self, name: K, at: Instant) {
        self.at.insert(name.clone(), at);
        self.due.insert((at, name));
    }

    fn remove(&mut self, name: &K) -> bool {
        match self.at.remove(name) {
            Some(at) => self.due.remove(&(at, name.clone())),
            None => false,
        }
    }

    fn pop_first(&mut self) -> Option<(Instant, K)> {
        let first = self.due.pop_first()?;
        self.at.remove(&first.1);
        Some(first)
    }
}

impl<K: Clone + Ord + Hash> From<Vec<(Instant, K)>> for Index<K> {
    fn from(list: Vec<(Instant, K)>) -> Self {
        Index {
            at: list.iter().map(|(at, name)| (name.clone(), *at)).collect(),
            due: list.into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_set_twice_fires_once_at_the_later_setting() {
        let mut timers = Timers::default();
        timers.set("a", Instant::from_nanos(5));
        timers.set("a", Instant::from_nanos(9));
        assert_eq!(timers.pop_due(Instant::from_nanos(5)), None);
        assert_eq!(timers.pop_due(Instant::from_nanos(9)), Some("a"));
        assert!(timers.is_empty());
    }

    #[test]
    fn due_timers_come_out_in_the_order_of_their_deadlines() {
        let mut timers = Timers::default();
        timers.set("late", Instant::from_nanos(3));
        timers.set("early", Instant::from_nanos(1));
        assert_eq!(timers.next(), Some(Instant::from_nanos(1)));
        assert_eq!(timers.pop_due(Instant::from_nanos(9)), Some("early"));
        assert_eq!(timers.pop_due(Instant::from_nanos(9)), Some("late"));
        assert_eq!(timers.pop_due(Instant::from_nanos(9)), None);
    }

    #[test]
    fn many_timers_behave_like_few() {
        let mut timers = Timers::default();
        for name in 0..100u64 {
            timers.set(name, Instant::from_nanos(1_000 - name));
        }
        assert!(timers.cancel(&99) && !timers.cancel(&99));
        timers.set(0, Instant::from_nanos(1));
        assert_eq!(timers.deadline(&0), Some(Instant::from_nanos(1)));
        assert_eq!((timers.len(), timers.next()), (99, timers.deadline(&0)));
        let all: Vec<_> =
            std::iter::from_fn(|| timers.pop_due(Instant::from_nanos(2_000))).collect();
        let expected: Vec<u64> = std::iter::once(0).chain((1..99).rev()).collect();
        assert_eq!(all, expected);
        assert!(timers.is_empty());
    }

    #[test]
    fn of_timers_due_at_once_the_lesser_name_is_first() {
        for extra in [0, FEW as u64] {
            let mut timers = Timers::default();
            for name in [3, 1, 2] {
                timers.set(name, Instant::from_nanos(7));
            }
            for name in 0..extra {
                timers.set(100 + name, Instant::from_nanos(9));
            }
            let first = |timers: &mut Timers<u64>| timers.pop_due(Instant::from_nanos(7));
            assert_eq!(first(&mut timers), Some(1));
            assert_eq!(first(&mut timers), Some(2));
            assert_eq!(first(&mut timers), Some(3));
            assert_eq!(first(&mut timers), None);
        }
    }
}
