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
#[derive(Clone, Debug)]
pub struct Timers<K> {
    due: BTreeSet<(Instant, K)>,
    at: HashMap<K, Instant>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Timers {
            due: BTreeSet::new(),
            at: HashMap::new(),
        }
    }
}

impl<K: Clone + Ord + Hash> Timers<K> {
    /// Sets (or moves) the timer `name` to `at`.
    pub fn set(&mut self, name: K, at: Instant) {
        self.cancel(&name);
        self.at.insert(name.clone(), at);
        self.due.insert((at, name));
    }

    /// Removes the timer; `true` when it was set.
    pub fn cancel(&mut self, name: &K) -> bool {
        match self.at.remove(name) {
            Some(at) => self.due.remove(&(at, name.clone())),
            None => false,
        }
    }

    /// When `name` is due, if it is set.
    pub fn deadline(&self, name: &K) -> Option<Instant> {
        self.at.get(name).copied()
    }

    /// The earliest deadline of all.
    pub fn next(&self) -> Option<Instant> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes one timer that is due at `now`, earliest first.
    pub fn pop_due(&mut self, now: Instant) -> Option<K> {
        if self.next()? > now {
            return None;
        }
        let (_, name) = self.due.pop_first()?;
        self.at.remove(&name);
        Some(name)
    }

    /// How many timers are set.
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// Whether no timer is set.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
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
}
