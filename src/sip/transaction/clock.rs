//! The timers of one transaction, by the names RFC 3261 and RFC 6026 give them.

use std::time::Duration;

use crate::time::Instant;

/// The timers of the four machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// Repeats a client INVITE.
    A,
    /// Gives up a client INVITE that nobody answered.
    B,
    /// Gives up an INVITE that remained provisional, on either side.
    C,
    /// Ends the wait for repeated non-2xx answers to a client INVITE.
    D,
    /// Repeats a client non-INVITE request.
    E,
    /// Gives up a client non-INVITE request.
    F,
    /// Repeats the final answer to a server INVITE: non-2xx (RFC 3261 §17.2.1), and in the
    /// accepted state 2xx (§13.3.1.4).
    G,
    /// Gives up waiting for the ACK of a non-2xx answer.
    H,
    /// Ends the wait for repeated ACKs.
    I,
    /// Ends the wait for repeated non-INVITE requests; also frees one that is never answered.
    J,
    /// Ends the wait for repeated answers to a non-INVITE request.
    K,
    /// Ends the accepted state of a server INVITE (RFC 6026 §8.7).
    L,
    /// Ends the accepted state of a client INVITE (RFC 6026 §8.4).
    M,
    /// Demands the automatic 100.
    Trying,
}

/// At most two armed timers, each under its name.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    slots: [Option<(Instant, Timer)>; 2],
}

impl Clock {
    /// Arms `timer` to go off `after` from `now`, whether or not it was armed.
    pub fn arm(&mut self, timer: Timer, now: Instant, after: Duration) {
        self.disarm(timer);
        let free = self.slots.iter_mut().find(|slot| slot.is_none());
        debug_assert!(
            free.is_some(),
            "three timers at once: {timer:?} does not fit"
        );
        if let Some(slot) = free {
            *slot = Some((now + after, timer));
        }
    }

    /// Disarms `timer`.
    pub fn disarm(&mut self, timer: Timer) {
        for slot in &mut self.slots {
            if slot.is_some_and(|(_, name)| name == timer) {
                *slot = None;
            }
        }
    }

    /// Disarms everything.
    pub fn clear(&mut self) {
        self.slots = [None; 2];
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Instant> {
        self.earliest().map(|(at, _)| at)
    }

    /// Takes the earliest timer that is due.
    pub fn due(&mut self, now: Instant) -> Option<Timer> {
        let (_, timer) = self.earliest().filter(|(at, _)| *at <= now)?;
        self.disarm(timer);
        Some(timer)
    }

    fn earliest(&self) -> Option<(Instant, Timer)> {
        self.slots
            .iter()
            .flatten()
            .copied()
            .min_by_key(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earlier_of_two_timers_goes_off_first_and_only_once() {
        let mut clock = Clock::default();
        clock.arm(Timer::F, Instant::ZERO, Duration::from_secs(32));
        clock.arm(Timer::E, Instant::ZERO, Duration::from_millis(500));
        let late = Instant::ZERO + Duration::from_secs(40);
        assert_eq!(clock.due(Instant::ZERO), None);
        assert_eq!(clock.due(late), Some(Timer::E));
        assert_eq!(clock.due(late), Some(Timer::F));
        assert_eq!(clock.due(late), None);
        assert_eq!(clock.next(), None);
    }

    #[test]
    fn a_timer_armed_again_moves() {
        let mut clock = Clock::default();
        clock.arm(Timer::G, Instant::ZERO, Duration::from_secs(1));
        clock.arm(Timer::G, Instant::ZERO, Duration::from_secs(2));
        assert_eq!(clock.next(), Some(Instant::ZERO + Duration::from_secs(2)));
    }
}
