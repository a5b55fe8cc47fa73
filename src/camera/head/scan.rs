//! Scans: to and fro between two borders.

use crate::gb28181::ptz::ScanAct;
use crate::time::Instant;

use super::movement::PAN;
use super::{Doing, Head, Pose};

/// Seconds that a scan takes from border to border when it was not told how fast.
const SWEEP: f64 = 20.0;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scan {
    left: f64,
    right: f64,
    speed: Option<u16>,
}

impl Head {
    pub(super) fn scan(&mut self, now: Instant, number: u8, act: ScanAct) {
        let pan = self.pose_at(now).pan;
        let scan = self.scans.entry(number).or_default();
        match act {
            ScanAct::Left => scan.left = pan,
            ScanAct::Right => scan.right = pan,
            ScanAct::Speed(speed) => scan.speed = Some(speed),
            ScanAct::Start => self.begin(now, Doing::Scanning(number)),
        }
    }

    /// To and fro between the borders.
    pub(super) fn scanning(&self, number: u8, seconds: f64) -> Pose {
        let scan = self.scans.get(&number).copied().unwrap_or_default();
        let width = (scan.right - scan.left).rem_euclid(360.0);
        let width = if width == 0.0 { 360.0 } else { width };
        let speed = match scan.speed {
            None | Some(0) => width / SWEEP,
            Some(speed) => f64::from(speed) / 4095.0 * PAN,
        };
        let place = (seconds * speed) % (2.0 * width);
        let place = if place <= width {
            place
        } else {
            2.0 * width - place
        };
        Pose {
            pan: (scan.left + place).rem_euclid(360.0),
            ..self.pose
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::gb28181::Ptz;

    use super::super::testing::{at, look};
    use super::*;

    #[test]
    fn a_scan_sweeps_between_its_borders() {
        let mut head = Head::default();
        let scan = |act| Ptz::Scan { group: 1, act };
        for (pan, act) in [(350.0, ScanAct::Left), (30.0, ScanAct::Right)] {
            look(&mut head, at(0), pan);
            head.obey(at(0), scan(act)).unwrap();
        }
        head.obey(at(0), scan(ScanAct::Start)).unwrap();
        let pan = |s| head.position(at(s)).pan.round();
        assert_eq!(
            [pan(0), pan(10), pan(20), pan(30), pan(40)],
            [350.0, 10.0, 30.0, 10.0, 350.0]
        );
    }
}
