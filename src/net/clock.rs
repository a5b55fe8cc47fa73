//! The only clock: what the core is told about time, and how to wait for a time it names.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::time::{Instant, Now, Wall};

/// Reads both clocks. A copy shares its origin, so times of one process can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: tokio::time::Instant,
}

impl Clock {
    /// A clock whose origin is now.
    pub fn start() -> Self {
        Clock {
            origin: tokio::time::Instant::now(),
        }
    }

    /// What time it is.
    pub fn now(&self) -> Now {
        Now {
            mono: self.mono(),
            wall: wall(SystemTime::now()),
        }
    }

    /// What time it is on the monotonic clock.
    pub fn mono(&self) -> Instant {
        Instant::ZERO + self.origin.elapsed()
    }

    /// The runtime's name for `at`, to sleep until it. Times beyond a century are cut off.
    pub fn deadline(&self, at: Instant) -> tokio::time::Instant {
        const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 3600);
        self.origin + at.since(Instant::ZERO).min(CENTURY)
    }
}

fn wall(time: SystemTime) -> Wall {
    let micros = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(i64::MIN, |m| -m),
    };
    Wall::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_monotonic_clock_is_the_runtimes_so_that_paused_tests_see_it_stand() {
        let clock = Clock::start();
        assert_eq!(clock.mono(), Instant::ZERO);
        tokio::time::sleep_until(clock.deadline(Instant::from_nanos(5_000_000))).await;
        assert!(clock.mono() >= Instant::from_nanos(5_000_000));
    }

    #[test]
    fn a_wall_clock_before_1970_is_negative_and_not_a_panic() {
        assert_eq!(
            wall(UNIX_EPOCH - Duration::from_secs(1)),
            Wall::from_seconds(-1)
        );
    }

    #[test]
    fn a_deadline_at_the_end_of_time_is_cut_off() {
        let clock = Clock::start();
        let end = clock.deadline(Instant::from_nanos(u64::MAX));
        assert!(end > clock.deadline(Instant::from_nanos(1)));
    }
}
