//! How it moves: by a motion until it is stopped, or to a place that it is told exactly.

use crate::gb28181::manscdp::{Precise, Zone};
use crate::gb28181::ptz::{Lens, Motion, Toward};
use crate::time::Instant;

use super::{Cannot, Doing, Head, Pose};

/// Degrees a second at the fastest speed of 255.
pub(super) const PAN: f64 = 120.0;
const TILT: f64 = 60.0;
/// Magnifications a second at the fastest speed of 15.
const ZOOM: f64 = 8.0;
/// How far up and down it looks: down is positive.
const TILTS: (f64, f64) = (-30.0, 90.0);
/// How far it magnifies.
const ZOOMS: (f64, f64) = (1.0, 32.0);
/// Focus and iris, a share of their way a second at the fastest speed.
const LENS: f64 = 0.5;

impl Head {
    /// Goes where it is told at once. What is out of reach is approached as far as it goes.
    pub fn precise(&mut self, now: Instant, to: Precise) {
        let mut pose = self.pose_at(now);
        pose.pan = to.pan.map_or(pose.pan, |pan| pan.rem_euclid(360.0));
        pose.tilt = to.tilt.unwrap_or(pose.tilt).clamp(TILTS.0, TILTS.1);
        pose.zoom = to.zoom.unwrap_or(pose.zoom).clamp(ZOOMS.0, ZOOMS.1);
        self.stand(now, pose);
    }

    /// Zooms into a part of the picture, or out of it. What is no part of it changes nothing.
    pub fn drag(&mut self, now: Instant, zone: Zone, into: bool) -> Result<(), Cannot> {
        let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
        let factor = share(zone.length, zone.length_x).min(share(zone.width, zone.length_y));
        if zone.length_x == 0 || zone.length_y == 0 || !factor.is_finite() {
            return Err(Cannot::NoZone);
        }
        let mut pose = self.pose_at(now);
        // The picture spans about sixty degrees at its widest.
        let (span_x, span_y) = (60.0 / pose.zoom, 34.0 / pose.zoom);
        let off = |mid: u32, whole: u32| share(mid, whole) - 0.5;
        pose.pan = (pose.pan + off(zone.mid_x, zone.length) * span_x).rem_euclid(360.0);
        let tilt = pose.tilt + off(zone.mid_y, zone.width) * span_y;
        pose.tilt = tilt.clamp(TILTS.0, TILTS.1);
        let factor = if into { factor } else { 1.0 / factor };
        pose.zoom = (pose.zoom * factor).clamp(ZOOMS.0, ZOOMS.1);
        self.stand(now, pose);
        Ok(())
    }

    fn motion(&self) -> Motion {
        match self.doing {
            Doing::Moving(motion, _) => motion,
            _ => Motion::default(),
        }
    }

    pub(super) fn lens(&self) -> Lens {
        match self.doing {
            Doing::Moving(_, lens) => lens,
            _ => Lens::default(),
        }
    }

    /// Focus and iris. Their stop (40) ends neither a cruise nor a scan, which 00 does, and is no
    /// motion: the head is left alone from then on.
    pub(super) fn turn_lens(&mut self, now: Instant, lens: Lens) {
        let doing = match self.doing {
            Doing::Cruising(_) | Doing::Scanning(_) if lens == Lens::default() => return,
            _ if lens == Lens::default() && self.motion() == Motion::default() => Doing::Nothing,
            _ => Doing::Moving(self.motion(), lens),
        };
        self.begin(now, doing);
    }

    pub(super) fn moved(&self, motion: Motion, lens: Lens, seconds: f64) -> Pose {
        let way = |toward: Option<Toward>, fastest: f64, full: f64| {
            toward.map_or(0.0, |Toward { forward, speed }| {
                let way = f64::from(speed) / full * fastest * seconds;
                if forward { way } else { -way }
            })
        };
        let Pose {
            pan,
            tilt,
            zoom,
            focus,
            iris,
        } = self.pose;
        Pose {
            pan: (pan + way(motion.pan, PAN, 255.0)).rem_euclid(360.0),
            // Up is forward, and up is negative.
            tilt: (tilt - way(motion.tilt, TILT, 255.0)).clamp(TILTS.0, TILTS.1),
            zoom: (zoom + way(motion.zoom, ZOOM, 15.0)).clamp(ZOOMS.0, ZOOMS.1),
            focus: (focus + way(lens.focus, LENS, 255.0)).clamp(0.0, 1.0),
            iris: (iris + way(lens.iris, LENS, 255.0)).clamp(0.0, 1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::gb28181::Ptz;

    use super::super::testing::{at, cruising, ptz, right};
    use super::*;

    #[test]
    fn it_moves_until_it_is_stopped_and_no_further_than_it_can() {
        let mut head = Head::default();
        assert_eq!(head.obey(at(10), right(255)), Ok(()));
        assert_eq!(head.position(at(11)).pan, PAN);
        assert_eq!(head.obey(at(12), Ptz::STOP), Ok(()));
        assert_eq!(head.position(at(1000)).pan, 2.0 * PAN);
        let up_and_in = Motion {
            tilt: Some(Toward {
                forward: true,
                speed: 255,
            }),
            zoom: Some(Toward {
                forward: true,
                speed: 15,
            }),
            pan: None,
        };
        head.obey(at(1000), Ptz::Move(up_and_in)).unwrap();
        let there = head.position(at(2000));
        assert_eq!((there.tilt, there.zoom), (TILTS.0, ZOOMS.1));
    }

    #[test]
    fn a_command_of_a_real_platform_turns_it_left() {
        let mut head = Head::default();
        head.obey(at(0), ptz("A50F01029600004D")).unwrap();
        assert!(head.position(at(1)).pan > 180.0, "left of where it was");
        head.obey(at(1), ptz("A50F0100000000B5")).unwrap();
        assert_eq!(head.position(at(1)), head.position(at(100)));
    }

    #[test]
    fn the_stop_of_the_lens_ends_no_cruise() {
        let mut head = cruising(&[1, 2]);
        head.obey(at(7), Ptz::Lens(Lens::default())).unwrap();
        let pans = [7, 10].map(|s| head.position(at(s)).pan);
        assert_eq!(pans, [20.0, 10.0], "it goes on");
    }
}
