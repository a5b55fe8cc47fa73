//! The places that it knows, and the one of them that is its home.

use std::time::Duration;

use crate::gb28181::manscdp::{HomePosition, Preset};
use crate::gb28181::ptz::PresetAct;
use crate::time::Instant;

use super::{Cannot, Head, Pose};

impl Head {
    pub fn presets(&self) -> Vec<Preset> {
        let all = self.presets.iter();
        all.map(|(id, (name, _))| Preset {
            id: *id,
            name: name.clone(),
        })
        .collect()
    }

    pub(super) fn preset(
        &mut self,
        now: Instant,
        act: PresetAct,
        number: u8,
    ) -> Result<(), Cannot> {
        match act {
            PresetAct::Set => {
                self.settle(now);
                let pose = self.pose_at(now);
                let name = || format!("预置点 {number}");
                let preset = self.presets.entry(number);
                preset.or_insert_with(|| (name(), pose)).1 = pose;
            }
            PresetAct::Call => {
                let (_, pose) = self.presets.get(&number).ok_or(Cannot::NoPreset(number))?;
                let pose = *pose;
                self.stand(now, pose);
            }
            PresetAct::Delete => {
                self.settle(now);
                self.editing_cruises(now, |head| head.forget(number))?;
            }
        }
        Ok(())
    }

    /// A place that is forgotten is a point of no cruise and nobody's home.
    fn forget(&mut self, preset: u8) -> Result<(), Cannot> {
        self.pass_by(preset);
        if self.home.preset == preset {
            self.home.enabled = false;
        }
        let known = self.presets.remove(&preset);
        known.map(drop).ok_or(Cannot::NoPreset(preset))
    }

    pub fn home(&self) -> HomePosition {
        self.home
    }

    /// Where it goes when nobody steers it; its preset must be set.
    pub fn set_home(&mut self, now: Instant, home: HomePosition) -> Result<(), Cannot> {
        if home.enabled && !self.presets.contains_key(&home.preset) {
            return Err(Cannot::NoPreset(home.preset));
        }
        self.settle(now);
        self.home = home;
        Ok(())
    }

    /// Left alone for long enough it is where its home is.
    pub(super) fn at_rest(&self, passed: Duration) -> Pose {
        let home = self.presets.get(&self.home.preset);
        let waited = passed >= Duration::from_secs(u64::from(self.home.reset_time));
        match home.filter(|_| self.home.enabled && waited) {
            Some((_, pose)) => *pose,
            None => self.pose,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::gb28181::Ptz;
    use crate::gb28181::manscdp::Precise;
    use crate::gb28181::ptz::Lens;

    use super::super::testing::{at, knowing, look, right};
    use super::*;

    const HOME: HomePosition = HomePosition {
        enabled: true,
        reset_time: 60,
        preset: 1,
    };

    #[test]
    fn presets_are_set_called_and_deleted() {
        let mut head = Head::default();
        head.obey(at(0), right(255)).unwrap();
        head.obey(at(1), Ptz::STOP).unwrap();
        assert_eq!(head.obey(at(1), Ptz::Preset(PresetAct::Set, 3)), Ok(()));
        assert_eq!(head.presets()[0].id, 3);
        head.precise(
            at(2),
            Precise {
                pan: Some(-10.0),
                tilt: Some(500.0),
                zoom: None,
            },
        );
        assert_eq!(
            (head.position(at(2)).pan, head.position(at(2)).tilt),
            (350.0, 90.0)
        );
        assert_eq!(head.obey(at(3), Ptz::Preset(PresetAct::Call, 3)), Ok(()));
        assert_eq!(head.position(at(3)).pan, 120.0);
        assert!(
            head.obey(at(3), Ptz::Preset(PresetAct::Call, 4)).is_err(),
            "there is none"
        );
        assert_eq!(head.obey(at(4), Ptz::Preset(PresetAct::Delete, 3)), Ok(()));
        assert!(head.obey(at(4), Ptz::Preset(PresetAct::Delete, 3)).is_err());
        assert_eq!(head.presets(), []);
    }

    #[test]
    fn left_alone_it_goes_home() {
        let mut head = Head::default();
        let home = HomePosition {
            enabled: true,
            reset_time: 60,
            preset: 1,
        };
        assert!(
            head.set_home(at(0), home).is_err(),
            "it does not know the place"
        );
        look(&mut head, at(0), 90.0);
        head.obey(at(0), Ptz::Preset(PresetAct::Set, 1)).unwrap();
        assert_eq!(head.set_home(at(0), home), Ok(()));
        look(&mut head, at(1), 5.0);
        assert_eq!(
            (head.position(at(60)).pan, head.position(at(61)).pan),
            (5.0, 90.0)
        );
    }

    #[test]
    fn a_lens_that_was_stopped_does_not_keep_the_head_from_its_home() {
        let mut head = knowing(2);
        assert_eq!(head.set_home(at(0), HOME), Ok(()));
        head.obey(at(0), Ptz::Lens(Lens::default())).unwrap();
        assert_eq!(head.position(at(59)).pan, 20.0);
        assert_eq!(head.position(at(60)).pan, 10.0);
    }

    #[test]
    fn a_head_that_went_home_stays_there_when_its_home_is_given_up() {
        for give_up in [true, false] {
            let mut head = knowing(2);
            head.set_home(at(0), HOME).unwrap();
            assert_eq!(head.position(at(60)).pan, 10.0);
            match give_up {
                true => assert_eq!(head.set_home(at(70), HomePosition::default()), Ok(())),
                false => assert_eq!(head.obey(at(70), Ptz::Preset(PresetAct::Delete, 1)), Ok(())),
            }
            assert_eq!(head.position(at(71)).pan, 10.0);
            assert!(!head.home().enabled);
        }
    }
}
