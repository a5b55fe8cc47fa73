//! How the fleet comes and goes.

use std::time::Duration;

/// How fast cameras are switched on and off, and how long all of them stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// Cameras switched on per second, the whole fleet's.
    pub cameras_per_second: f64,
    /// How much later than its turn a camera may start.
    pub jitter: Duration,
    /// How long the whole fleet stays once the last camera was switched on.
    pub hold: Option<Duration>,
    /// Cameras switched off per second at the end, the whole fleet's.
    pub down_per_second: f64,
}

impl Ramp {
    /// When camera `number` is switched on; `share` of the jitter is its own.
    pub(super) fn start(&self, number: usize, share: f64) -> Duration {
        turn(number, self.cameras_per_second) + self.jitter.mul_f64(share)
    }

    /// When camera `number` of the fleet is switched off, counted from the end of the run.
    pub fn stop(&self, number: usize) -> Duration {
        turn(number, self.down_per_second)
    }

    /// How long it takes until `count` cameras are switched on, the last one's jitter included.
    pub fn up(&self, count: usize) -> Duration {
        match count.checked_sub(1) {
            Some(last) => turn(last, self.cameras_per_second) + self.jitter,
            None => Duration::ZERO,
        }
    }
}

fn turn(number: usize, per_second: f64) -> Duration {
    // The rate is at least a thousandth, a number below 10^9: years, not an overflow.
    Duration::from_secs_f64(number as f64 / per_second.max(1e-3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_take_turns_and_are_late_by_their_share_of_the_jitter() {
        let ramp = Ramp {
            cameras_per_second: 100.0,
            jitter: Duration::from_secs(2),
            hold: None,
            down_per_second: 1000.0,
        };
        assert_eq!(ramp.start(0, 0.0), Duration::ZERO);
        assert_eq!(ramp.start(250, 0.5), Duration::from_millis(3500));
        assert_eq!(ramp.up(101), Duration::from_secs(3));
        assert_eq!(ramp.up(0), Duration::ZERO);
        assert_eq!(ramp.stop(500), Duration::from_millis(500));
    }
}
