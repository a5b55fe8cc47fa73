//! The places that it knows, and the one of them that is its home.

use std::time::Duration;

use crate::gb28181::manscdp::{HomePosition, Preset};
use crate::gb28181::ptz::PresetAct;
use crate::time::Instant;

use super::{Head, Pose};

impl Head {
    pub fn presets(&self) -> Vec<Preset> {
        let all = self.presets.iter();
        all.map(|(id, (name, _))| Preset {
            id: *id,
            name: name.clone(),
        })
        .collect()
    }

    pub(super) fn preset(&mut self, now: Instant, act: PresetAct, number: u8) -> bool {
        match act {
            PresetAct::Set => {
                self.settle(now);
                let pose = self.pose_at(now);
                let name = || format!("预置点 {number}");
                let preset = self.presets.entry(number);
                preset.or_insert_with(|| (name(), pose)).1 = pose;
            }
            PresetAct::Call => match self.presets.get(&number) {
                Some((_, pose)) => {
                    let pose = *pose;
                    self.stand(now, pose);
                }
                None => return false,
            },
            PresetAct::Delete => {
                self.settle(now);
                return self.editing_cruises(now, |head| head.forget(number));
            }
        }
        true
    }

    /// A place that is forgotten is a point of no cruise and nobody's home.
    fn forget(&mut self, preset: u8) -> bool {
        self.pass_by(preset);
        if self.home.preset == preset {
            self.home.enabled = false;
        }
        self.presets.remove(&preset).is_some()
    }

    pub fn home(&self) -> HomePosition {
        self.home
    }

    /// Where it goes when nobody steers it; its preset must exist.
    pub fn set_home(&mut self, now: Instant, home: HomePosition) -> bool {
        let known = !home.enabled || self.presets.contains_key(&home.preset);
        if known {
            self.settle(now);
            self.home = home;
        }
        known
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
        head.obey(at(0), right(255));
        head.obey(at(1), Ptz::STOP);
        assert!(head.obey(at(1), Ptz::Preset(PresetAct::Set, 3)));
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
        assert!(head.obey(at(3), Ptz::Preset(PresetAct::Call, 3)));
        assert_eq!(head.position(at(3)).pan, 120.0);
        assert!(
            !head.obey(at(3), Ptz::Preset(PresetAct::Call, 4)),
            "there is none"
        );
        assert!(head.obey(at(4), Ptz::Preset(PresetAct::Delete, 3)));
        assert!(!head.obey(at(4), Ptz::Preset(PresetAct::Delete, 3)));
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
        assert!(!head.set_home(at(0), home), "it does not know the place");
        look(&mut head, at(0), 90.0);
        head.obey(at(0), Ptz::Preset(PresetAct::Set, 1));
        assert!(head.set_home(at(0), home));
        look(&mut head, at(1), 5.0);
        assert_eq!(
            (head.position(at(60)).pan, head.position(at(61)).pan),
            (5.0, 90.0)
        );
    }

    #[test]
    fn a_lens_that_was_stopped_does_not_keep_the_head_from_its_home() {
        let mut head = knowing(2);
        assert!(head.set_home(at(0), HOME));
        head.obey(at(0), Ptz::Lens(Lens::default()));
        assert_eq!(head.position(at(59)).pan, 20.0);
        assert_eq!(head.position(at(60)).pan, 10.0);
    }

    #[test]
    fn a_head_that_went_home_stays_there_when_its_home_is_given_up() {
        for give_up in [true, false] {
            let mut head = knowing(2);
            head.set_home(at(0), HOME);
            assert_eq!(head.position(at(60)).pan, 10.0);
            match give_up {
                true => assert!(head.set_home(at(70), HomePosition::default())),
                false => assert!(head.obey(at(70), Ptz::Preset(PresetAct::Delete, 1))),
            }
            assert_eq!(head.position(at(71)).pan, 10.0);
            assert!(!head.home().enabled);
        }
    }
}
