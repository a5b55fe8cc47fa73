//! A simulated head: where it looks, presets, cruises, scans, switches
//! (GB/T 28181-2022 annex A.3).
//!
//! Nothing ticks: where the head is follows from when it began to move.

mod cruise;
mod movement;
mod presets;
mod scan;
#[cfg(test)]
mod testing;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::gb28181::Ptz;
use crate::gb28181::manscdp::{HomePosition, PtzPosition};
use crate::gb28181::ptz::{Lens, Motion};
use crate::time::Instant;

use cruise::Cruise;
use scan::Scan;

/// A head.
#[derive(Clone, Debug)]
pub(super) struct Head {
    /// Where it was at `since`.
    pose: Pose,
    since: Instant,
    doing: Doing,
    presets: BTreeMap<u8, (String, Pose)>,
    cruises: BTreeMap<u8, Cruise>,
    scans: BTreeMap<u8, Scan>,
    switches: BTreeSet<u8>,
    home: HomePosition,
}

/// Why a head does not obey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(super) enum Cannot {
    #[error("preset {0} is not set")]
    NoPreset(u8),
    #[error("cruise {0} leads nowhere")]
    NoCruise(u8),
    #[error("cruise {0} does not lead to preset {1}")]
    NotAPoint(u8, u8),
    #[error("cruise {0} is full")]
    Full(u8),
    #[error("the zone is no part of a picture")]
    NoZone,
}

/// Where it looks, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pose {
    pan: f64,
    tilt: f64,
    zoom: f64,
    /// 0 near to 1 far.
    focus: f64,
    /// 0 closed to 1 open.
    iris: f64,
}

/// What it does since then.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Doing {
    Nothing,
    Moving(Motion, Lens),
    Cruising(u8),
    Scanning(u8),
}

impl Default for Head {
    /// It looks straight ahead.
    fn default() -> Self {
        Head {
            pose: Pose {
                pan: 0.0,
                tilt: 0.0,
                zoom: 1.0,
                focus: 0.5,
                iris: 0.5,
            },
            since: Instant::ZERO,
            doing: Doing::Nothing,
            presets: BTreeMap::new(),
            cruises: BTreeMap::new(),
            scans: BTreeMap::new(),
            switches: BTreeSet::new(),
            home: HomePosition::default(),
        }
    }
}

impl Head {
    /// Obeys a PTZCmd, if there is something to obey: a preset that is not set cannot be gone to.
    pub fn obey(&mut self, now: Instant, ptz: Ptz) -> Result<(), Cannot> {
        match ptz {
            Ptz::Move(motion) if motion == Motion::default() => self.begin(now, Doing::Nothing),
            Ptz::Move(motion) => self.begin(now, Doing::Moving(motion, self.lens())),
            Ptz::Lens(lens) => self.turn_lens(now, lens),
            Ptz::Preset(act, number) => return self.preset(now, act, number),
            Ptz::Cruise { track, act } => {
                return self.editing_cruises(now, |head| head.cruise(now, track, act));
            }
            Ptz::Scan { group, act } => self.scan(now, group, act),
            Ptz::Aux { switch, on: true } => {
                self.switches.insert(switch);
            }
            Ptz::Aux { switch, on: false } => {
                self.switches.remove(&switch);
            }
        }
        Ok(())
    }

    /// Where it looks.
    pub fn position(&self, now: Instant) -> PtzPosition {
        let Pose {
            pan, tilt, zoom, ..
        } = self.pose_at(now);
        PtzPosition { pan, tilt, zoom }
    }

    /// Whether an auxiliary switch is on; switch 1 is the wiper.
    pub fn is_on(&self, switch: u8) -> bool {
        self.switches.contains(&switch)
    }

    fn begin(&mut self, now: Instant, doing: Doing) {
        self.pose = self.pose_at(now);
        self.since = now;
        self.doing = doing;
    }

    /// A head at rest is where it is now, whatever becomes of the home that it may have gone to;
    /// from now on it is left alone.
    fn settle(&mut self, now: Instant) {
        if self.doing == Doing::Nothing {
            self.begin(now, Doing::Nothing);
        }
    }

    fn stand(&mut self, now: Instant, pose: Pose) {
        self.pose = pose;
        self.since = now;
        self.doing = Doing::Nothing;
    }

    /// Where it is: the pose that it left, carried on by what it does.
    fn pose_at(&self, now: Instant) -> Pose {
        let passed = now.since(self.since);
        match self.doing {
            Doing::Nothing => self.at_rest(passed),
            Doing::Moving(motion, lens) => self.moved(motion, lens, passed.as_secs_f64()),
            Doing::Cruising(number) => self.cruising(number, passed),
            Doing::Scanning(number) => self.scanning(number, passed.as_secs_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::gb28181::manscdp::Zone;

    use super::testing::at;
    use super::*;

    #[test]
    fn switches_go_on_and_off_and_a_zone_that_is_none_changes_nothing() {
        let mut head = Head::default();
        head.obey(
            at(0),
            Ptz::Aux {
                switch: 1,
                on: true,
            },
        )
        .unwrap();
        assert!(head.is_on(1) && !head.is_on(2));
        head.obey(
            at(0),
            Ptz::Aux {
                switch: 1,
                on: false,
            },
        )
        .unwrap();
        assert!(!head.is_on(1));
        let before = head.position(at(0));
        assert!(head.drag(at(0), Zone::default(), true).is_err());
        assert_eq!(head.position(at(0)), before);
        let middle = Zone {
            length: 1000,
            width: 500,
            mid_x: 500,
            mid_y: 250,
            length_x: 250,
            length_y: 125,
        };
        assert_eq!(head.drag(at(0), middle, true), Ok(()));
        assert_eq!(head.position(at(0)).zoom, 4.0);
        assert_eq!(head.drag(at(0), middle, false), Ok(()));
        assert_eq!(head.position(at(0)).zoom, 1.0);
    }
}
