//! What will happen, in the order of time; what is due at the same moment happens in the order it
//! was put down, so that nothing depends on a map's mood.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::time::Instant;

/// A queue of things to come.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    entries: BinaryHeap<Reverse<Entry<T>>>,
    sequence: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: Instant,
    sequence: u64,
    what: T,
}

impl<T> Agenda<T> {
    pub(super) fn new() -> Self {
        Agenda {
            entries: BinaryHeap::new(),
            sequence: 0,
        }
    }

    /// Puts down `what` for `at`.
    pub(super) fn put(&mut self, at: Instant, what: T) {
        self.sequence += 1;
        let sequence = self.sequence;
        self.entries.push(Reverse(Entry { at, sequence, what }));
    }

    /// Takes the next thing, if it is due by `until`.
    pub(super) fn take(&mut self, until: Instant) -> Option<(Instant, T)> {
        if self.entries.peek()?.0.at > until {
            return None;
        }
        let Reverse(entry) = self.entries.pop()?;
        Some((entry.at, entry.what))
    }
}

impl<T> Entry<T> {
    fn key(&self) -> (Instant, u64) {
        (self.at, self.sequence)
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Entry<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_of_one_moment_happen_in_the_order_they_were_put_down() {
        let mut agenda = Agenda::new();
        let moment = Instant::from_nanos(7);
        for what in 0..100 {
            agenda.put(moment, what);
        }
        agenda.put(Instant::from_nanos(3), -1);
        let order: Vec<_> = std::iter::from_fn(|| agenda.take(moment)).collect();
        assert_eq!(order.first(), Some(&(Instant::from_nanos(3), -1)));
        assert!(order.windows(2).all(|pair| pair[0].1 < pair[1].1));
    }

    #[test]
    fn nothing_is_taken_before_its_time() {
        let mut agenda = Agenda::new();
        agenda.put(Instant::from_nanos(2), ());
        assert_eq!(agenda.take(Instant::from_nanos(1)), None);
        assert_eq!(agenda.entries.len(), 1);
    }
}
