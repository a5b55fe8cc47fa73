//! Cruises: from place to place, and round again.

use std::time::Duration;

use crate::gb28181::manscdp::{CruisePoint, CruiseTrack};
use crate::gb28181::ptz::CruiseAct;
use crate::time::Instant;

use super::{Cannot, Doing, Head, Pose};

/// The speed and the stay of a cruise that was not told its own.
const CRUISE: (u8, u16) = (7, 10);
/// The most points of a cruise.
const MOST_POINTS: usize = 255;

#[derive(Clone, Debug, Default)]
pub(super) struct Cruise {
    points: Vec<u8>,
    speed: Option<u16>,
    dwell: Option<u16>,
}

impl Head {
    /// The cruises that lead anywhere.
    pub fn tracks(&self) -> Vec<CruiseTrack> {
        let all = self.cruises.iter().filter(|(_, c)| !c.points.is_empty());
        all.map(|(number, cruise)| cruise.track(*number)).collect()
    }

    pub(super) fn cruise(
        &mut self,
        now: Instant,
        number: u8,
        act: CruiseAct,
    ) -> Result<(), Cannot> {
        match act {
            CruiseAct::Start if self.points(number) == 0 => Err(Cannot::NoCruise(number)),
            CruiseAct::Start => {
                self.begin(now, Doing::Cruising(number));
                Ok(())
            }
            CruiseAct::Add(preset) => self.add_point(number, preset),
            CruiseAct::Remove(preset) => self.leave_out(number, preset),
            CruiseAct::Clear => {
                let cruise = self.cruises.remove(&number);
                cruise.map(drop).ok_or(Cannot::NoCruise(number))
            }
            CruiseAct::Speed(speed) => {
                self.cruises.entry(number).or_default().speed = Some(speed);
                Ok(())
            }
            CruiseAct::Dwell(seconds) => {
                self.cruises.entry(number).or_default().dwell = Some(seconds);
                Ok(())
            }
        }
    }

    /// How many points a cruise has.
    fn points(&self, number: u8) -> usize {
        self.cruises.get(&number).map_or(0, |c| c.points.len())
    }

    /// A point can only be a place that it knows.
    fn add_point(&mut self, number: u8, preset: u8) -> Result<(), Cannot> {
        if !self.presets.contains_key(&preset) {
            return Err(Cannot::NoPreset(preset));
        }
        let cruise = self.cruises.entry(number).or_default();
        if cruise.points.len() >= MOST_POINTS {
            return Err(Cannot::Full(number));
        }
        cruise.points.push(preset);
        Ok(())
    }

    /// Takes a point from a cruise, however often it goes there.
    fn leave_out(&mut self, number: u8, preset: u8) -> Result<(), Cannot> {
        let before = self.points(number);
        if let Some(cruise) = self.cruises.get_mut(&number) {
            cruise.points.retain(|point| *point != preset);
        }
        match self.points(number) < before {
            true => Ok(()),
            false => Err(Cannot::NotAPoint(number, preset)),
        }
    }

    /// No cruise goes to that place any more.
    pub(super) fn pass_by(&mut self, preset: u8) {
        for cruise in self.cruises.values_mut() {
            cruise.points.retain(|point| *point != preset);
        }
    }

    /// A cruise whose last point goes while the head is at it ends there.
    pub(super) fn editing_cruises<T>(
        &mut self,
        now: Instant,
        edit: impl FnOnce(&mut Head) -> T,
    ) -> T {
        let pose = self.pose_at(now);
        let done = edit(self);
        if let Doing::Cruising(number) = self.doing
            && self.points(number) == 0
        {
            self.stand(now, pose);
        }
        done
    }

    /// At each point it stays as long as at every other.
    pub(super) fn cruising(&self, number: u8, passed: Duration) -> Pose {
        let Some(cruise) = self.cruises.get(&number).filter(|c| !c.points.is_empty()) else {
            return self.pose;
        };
        let dwell = u64::from(cruise.dwell.unwrap_or(CRUISE.1).max(1));
        let turn = passed.as_secs() / dwell % cruise.points.len() as u64;
        let point = cruise.points.get(usize::try_from(turn).unwrap_or(0));
        let preset = point.and_then(|point| self.presets.get(point));
        preset.map_or(self.pose, |(_, pose)| *pose)
    }
}

impl Cruise {
    fn track(&self, number: u8) -> CruiseTrack {
        let speed = self.speed.map_or(CRUISE.0, |speed| {
            u8::try_from(speed / 273).unwrap_or(15).clamp(1, 15)
        });
        let stay = self.dwell.unwrap_or(CRUISE.1);
        let points = self.points.iter().map(|preset| CruisePoint {
            preset: *preset,
            stay,
            speed,
        });
        CruiseTrack {
            number,
            name: format!("cruise {number}"),
            points: points.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::gb28181::Ptz;
    use crate::gb28181::ptz::PresetAct;

    use super::super::testing::{at, cruising, knowing, look};
    use super::*;

    #[test]
    fn a_cruise_goes_round_its_presets_and_a_stop_ends_it() {
        let mut head = Head::default();
        for (number, pan) in [(1, 10.0), (2, 20.0)] {
            look(&mut head, at(0), pan);
            head.obey(at(0), Ptz::Preset(PresetAct::Set, number))
                .unwrap();
        }
        let cruise = |act| Ptz::Cruise { track: 7, act };
        assert!(
            head.obey(at(0), cruise(CruiseAct::Start)).is_err(),
            "it has no points"
        );
        assert!(
            head.obey(at(0), cruise(CruiseAct::Add(9))).is_err(),
            "there is no such preset"
        );
        for act in [
            CruiseAct::Add(1),
            CruiseAct::Add(2),
            CruiseAct::Dwell(5),
            CruiseAct::Start,
        ] {
            assert_eq!(head.obey(at(0), cruise(act)), Ok(()), "{act:?}");
        }
        let pans: Vec<_> = [0, 4, 5, 9, 10].map(|s| head.position(at(s)).pan).into();
        assert_eq!(pans, [10.0, 10.0, 20.0, 20.0, 10.0]);
        let track = &head.tracks()[0];
        assert_eq!(
            (track.number, track.points.len(), track.points[0].stay),
            (7, 2, 5)
        );
        head.obey(at(7), Ptz::STOP).unwrap();
        assert_eq!(head.position(at(100)).pan, 20.0);
    }

    #[test]
    fn a_cruise_whose_last_place_is_forgotten_ends_where_it_was() {
        let mut head = cruising(&[1]);
        look(&mut head, at(0), 90.0);
        let start = Ptz::Cruise {
            track: 1,
            act: CruiseAct::Start,
        };
        assert_eq!(head.obey(at(0), start), Ok(()));
        assert_eq!(head.obey(at(3), Ptz::Preset(PresetAct::Delete, 1)), Ok(()));
        assert_eq!(head.position(at(100)).pan, 10.0);
        assert!(head.tracks().is_empty(), "it leads nowhere");
        assert!(head.obey(at(101), start).is_err());
    }

    #[test]
    fn what_a_cruise_does_not_have_cannot_be_taken_from_it() {
        let mut head = knowing(2);
        for act in [CruiseAct::Remove(1), CruiseAct::Clear] {
            assert!(
                head.obey(at(0), Ptz::Cruise { track: 4, act }).is_err(),
                "{act:?}"
            );
        }
        let add = Ptz::Cruise {
            track: 4,
            act: CruiseAct::Add(1),
        };
        for _ in 0..MOST_POINTS {
            assert_eq!(head.obey(at(0), add), Ok(()));
        }
        assert!(head.obey(at(0), add).is_err(), "it is full");
        assert_eq!(head.tracks()[0].points.len(), MOST_POINTS);
    }
}
