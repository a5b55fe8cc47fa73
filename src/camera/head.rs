//! A simulated head: where it looks, presets, cruises, scans, switches
//! (GB/T 28181-2022 annex A.3).
//!
//! Nothing ticks: where the head is follows from when it began to move.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::gb28181::Ptz;
use crate::gb28181::manscdp::{
    CruisePoint, CruiseTrack, HomePosition, Precise, Preset, PtzPosition, Zone,
};
use crate::gb28181::ptz::{CruiseAct, Lens, Motion, PresetAct, ScanAct, Toward};
use crate::time::Instant;

/// Degrees a second at the fastest speed of 255.
const PAN: f64 = 120.0;
const TILT: f64 = 60.0;
/// Magnifications a second at the fastest speed of 15.
const ZOOM: f64 = 8.0;
/// How far up and down it looks: down is positive.
const TILTS: (f64, f64) = (-30.0, 90.0);
/// How far it magnifies.
const ZOOMS: (f64, f64) = (1.0, 32.0);
/// Focus and iris, a share of their way a second at the fastest speed.
const LENS: f64 = 0.5;
/// The speed and the stay of a cruise that was not told its own.
const CRUISE: (u8, u16) = (7, 10);
/// Seconds that a scan takes from border to border when it was not told how fast.
const SWEEP: f64 = 20.0;
/// The most points of a cruise.
const MOST_POINTS: usize = 255;

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

#[derive(Clone, Debug, Default)]
struct Cruise {
    points: Vec<u8>,
    speed: Option<u16>,
    dwell: Option<u16>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Scan {
    left: f64,
    right: f64,
    speed: Option<u16>,
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
    /// Obeys a PTZCmd. Whether there was something to obey: a preset that does not exist cannot be
    /// gone to.
    pub fn obey(&mut self, now: Instant, ptz: Ptz) -> bool {
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
        true
    }

    /// Goes where it is told at once. What is out of reach is approached as far as it goes.
    pub fn precise(&mut self, now: Instant, to: Precise) {
        let mut pose = self.pose_at(now);
        pose.pan = to.pan.map_or(pose.pan, |pan| pan.rem_euclid(360.0));
        pose.tilt = to.tilt.unwrap_or(pose.tilt).clamp(TILTS.0, TILTS.1);
        pose.zoom = to.zoom.unwrap_or(pose.zoom).clamp(ZOOMS.0, ZOOMS.1);
        self.stand(now, pose);
    }

    /// Zooms into a part of the picture, or out of it. What is no part of it changes nothing.
    pub fn drag(&mut self, now: Instant, zone: Zone, into: bool) -> bool {
        let share = |part: u32, whole: u32| f64::from(part) / f64::from(whole.max(1));
        let factor = share(zone.length, zone.length_x).min(share(zone.width, zone.length_y));
        if zone.length_x == 0 || zone.length_y == 0 || !factor.is_finite() {
            return false;
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
        true
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

    pub fn home(&self) -> HomePosition {
        self.home
    }

    /// Where it looks.
    pub fn position(&self, now: Instant) -> PtzPosition {
        let Pose {
            pan, tilt, zoom, ..
        } = self.pose_at(now);
        PtzPosition { pan, tilt, zoom }
    }

    pub fn presets(&self) -> Vec<Preset> {
        let all = self.presets.iter();
        all.map(|(id, (name, _))| Preset {
            id: *id,
            name: name.clone(),
        })
        .collect()
    }

    /// The cruises that lead anywhere.
    pub fn tracks(&self) -> Vec<CruiseTrack> {
        let all = self.cruises.iter().filter(|(_, c)| !c.points.is_empty());
        all.map(|(number, cruise)| cruise.track(*number)).collect()
    }

    /// Whether an auxiliary switch is on; switch 1 is the wiper.
    pub fn is_on(&self, switch: u8) -> bool {
        self.switches.contains(&switch)
    }

    fn motion(&self) -> Motion {
        match self.doing {
            Doing::Moving(motion, _) => motion,
            _ => Motion::default(),
        }
    }

    fn lens(&self) -> Lens {
        match self.doing {
            Doing::Moving(_, lens) => lens,
            _ => Lens::default(),
        }
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

    /// Focus and iris. Their stop (40) ends neither a cruise nor a scan, which 00 does, and is no
    /// motion: the head is left alone from then on.
    fn turn_lens(&mut self, now: Instant, lens: Lens) {
        let doing = match self.doing {
            Doing::Cruising(_) | Doing::Scanning(_) if lens == Lens::default() => return,
            _ if lens == Lens::default() && self.motion() == Motion::default() => Doing::Nothing,
            _ => Doing::Moving(self.motion(), lens),
        };
        self.begin(now, doing);
    }

    /// A cruise whose last point goes while the head is at it ends there.
    fn editing_cruises(&mut self, now: Instant, edit: impl FnOnce(&mut Head) -> bool) -> bool {
        let pose = self.pose_at(now);
        let done = edit(self);
        if let Doing::Cruising(number) = self.doing {
            let points = self.cruises.get(&number).map_or(0, |c| c.points.len());
            if points == 0 {
                self.stand(now, pose);
            }
        }
        done
    }

    /// A place that is forgotten is a point of no cruise and nobody's home.
    fn forget(&mut self, preset: u8) -> bool {
        for cruise in self.cruises.values_mut() {
            cruise.points.retain(|point| *point != preset);
        }
        if self.home.preset == preset {
            self.home.enabled = false;
        }
        self.presets.remove(&preset).is_some()
    }

    fn stand(&mut self, now: Instant, pose: Pose) {
        self.pose = pose;
        self.since = now;
        self.doing = Doing::Nothing;
    }

    fn preset(&mut self, now: Instant, act: PresetAct, number: u8) -> bool {
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

    fn cruise(&mut self, now: Instant, number: u8, act: CruiseAct) -> bool {
        if act == CruiseAct::Start {
            let points = self.cruises.get(&number).map_or(0, |c| c.points.len());
            if points > 0 {
                self.begin(now, Doing::Cruising(number));
            }
            return points > 0;
        }
        // A point can only be a place that it knows.
        if matches!(act, CruiseAct::Add(preset) if !self.presets.contains_key(&preset)) {
            return false;
        }
        match act {
            CruiseAct::Clear => return self.cruises.remove(&number).is_some(),
            CruiseAct::Remove(preset) => return self.leave_out(number, preset),
            _ => {}
        }
        let cruise = self.cruises.entry(number).or_default();
        match act {
            CruiseAct::Add(preset) if cruise.points.len() < MOST_POINTS => {
                cruise.points.push(preset)
            }
            CruiseAct::Speed(speed) => cruise.speed = Some(speed),
            CruiseAct::Dwell(seconds) => cruise.dwell = Some(seconds),
            _ => return false,
        }
        true
    }

    /// Whether the cruise had such a point.
    fn leave_out(&mut self, number: u8, preset: u8) -> bool {
        let Some(cruise) = self.cruises.get_mut(&number) else {
            return false;
        };
        let before = cruise.points.len();
        cruise.points.retain(|point| *point != preset);
        cruise.points.len() < before
    }

    fn scan(&mut self, now: Instant, number: u8, act: ScanAct) {
        let pan = self.pose_at(now).pan;
        let scan = self.scans.entry(number).or_default();
        match act {
            ScanAct::Left => scan.left = pan,
            ScanAct::Right => scan.right = pan,
            ScanAct::Speed(speed) => scan.speed = Some(speed),
            ScanAct::Start => self.begin(now, Doing::Scanning(number)),
        }
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

    /// Left alone for long enough it is where its home is.
    fn at_rest(&self, passed: Duration) -> Pose {
        let home = self.presets.get(&self.home.preset);
        let waited = passed >= Duration::from_secs(u64::from(self.home.reset_time));
        match home.filter(|_| self.home.enabled && waited) {
            Some((_, pose)) => *pose,
            None => self.pose,
        }
    }

    fn moved(&self, motion: Motion, lens: Lens, seconds: f64) -> Pose {
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

    /// At each point it stays as long as at every other.
    fn cruising(&self, number: u8, passed: Duration) -> Pose {
        let Some(cruise) = self.cruises.get(&number).filter(|c| !c.points.is_empty()) else {
            return self.pose;
        };
        let dwell = u64::from(cruise.dwell.unwrap_or(CRUISE.1).max(1));
        let turn = passed.as_secs() / dwell % cruise.points.len() as u64;
        let point = cruise.points.get(usize::try_from(turn).unwrap_or(0));
        let preset = point.and_then(|point| self.presets.get(point));
        preset.map_or(self.pose, |(_, pose)| *pose)
    }

    /// To and fro between the borders.
    fn scanning(&self, number: u8, seconds: f64) -> Pose {
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
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(seconds)
    }

    fn ptz(text: &str) -> Ptz {
        Ptz::parse(text).unwrap()
    }

    fn right(speed: u8) -> Ptz {
        let pan = Some(Toward {
            forward: true,
            speed,
        });
        Ptz::Move(Motion {
            pan,
            ..Motion::default()
        })
    }

    #[test]
    fn it_moves_until_it_is_stopped_and_no_further_than_it_can() {
        let mut head = Head::default();
        assert!(head.obey(at(10), right(255)));
        assert_eq!(head.position(at(11)).pan, PAN);
        assert!(head.obey(at(12), Ptz::STOP));
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
        head.obey(at(1000), Ptz::Move(up_and_in));
        let there = head.position(at(2000));
        assert_eq!((there.tilt, there.zoom), (TILTS.0, ZOOMS.1));
    }

    #[test]
    fn a_command_of_a_real_platform_turns_it_left() {
        let mut head = Head::default();
        head.obey(at(0), ptz("A50F01029600004D"));
        assert!(head.position(at(1)).pan > 180.0, "left of where it was");
        head.obey(at(1), ptz("A50F0100000000B5"));
        assert_eq!(head.position(at(1)), head.position(at(100)));
    }

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
            (350.0, TILTS.1)
        );
        assert!(head.obey(at(3), Ptz::Preset(PresetAct::Call, 3)));
        assert_eq!(head.position(at(3)).pan, PAN);
        assert!(
            !head.obey(at(3), Ptz::Preset(PresetAct::Call, 4)),
            "there is none"
        );
        assert!(head.obey(at(4), Ptz::Preset(PresetAct::Delete, 3)));
        assert!(!head.obey(at(4), Ptz::Preset(PresetAct::Delete, 3)));
        assert_eq!(head.presets(), []);
    }

    #[test]
    fn a_cruise_goes_round_its_presets_and_a_stop_ends_it() {
        let mut head = Head::default();
        for (number, pan) in [(1, 10.0), (2, 20.0)] {
            head.precise(
                at(0),
                Precise {
                    pan: Some(pan),
                    ..Precise::default()
                },
            );
            head.obey(at(0), Ptz::Preset(PresetAct::Set, number));
        }
        let cruise = |act| Ptz::Cruise { track: 7, act };
        assert!(
            !head.obey(at(0), cruise(CruiseAct::Start)),
            "it has no points"
        );
        assert!(
            !head.obey(at(0), cruise(CruiseAct::Add(9))),
            "there is no such preset"
        );
        for act in [
            CruiseAct::Add(1),
            CruiseAct::Add(2),
            CruiseAct::Dwell(5),
            CruiseAct::Start,
        ] {
            assert!(head.obey(at(0), cruise(act)), "{act:?}");
        }
        let pans: Vec<_> = [0, 4, 5, 9, 10].map(|s| head.position(at(s)).pan).into();
        assert_eq!(pans, [10.0, 10.0, 20.0, 20.0, 10.0]);
        let track = &head.tracks()[0];
        assert_eq!(
            (track.number, track.points.len(), track.points[0].stay),
            (7, 2, 5)
        );
        head.obey(at(7), Ptz::STOP);
        assert_eq!(head.position(at(100)).pan, 20.0);
    }

    #[test]
    fn a_scan_sweeps_between_its_borders() {
        let mut head = Head::default();
        let scan = |act| Ptz::Scan { group: 1, act };
        for (pan, act) in [(350.0, ScanAct::Left), (30.0, ScanAct::Right)] {
            head.precise(
                at(0),
                Precise {
                    pan: Some(pan),
                    ..Precise::default()
                },
            );
            head.obey(at(0), scan(act));
        }
        head.obey(at(0), scan(ScanAct::Start));
        let pan = |s| head.position(at(s)).pan.round();
        assert_eq!(
            [pan(0), pan(10), pan(20), pan(30), pan(40)],
            [350.0, 10.0, 30.0, 10.0, 350.0]
        );
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
        head.precise(
            at(0),
            Precise {
                pan: Some(90.0),
                ..Precise::default()
            },
        );
        head.obey(at(0), Ptz::Preset(PresetAct::Set, 1));
        assert!(head.set_home(at(0), home));
        head.precise(
            at(1),
            Precise {
                pan: Some(5.0),
                ..Precise::default()
            },
        );
        assert_eq!(
            (head.position(at(60)).pan, head.position(at(61)).pan),
            (5.0, 90.0)
        );
    }

    /// Places 1 at 10 degrees, 2 at 20 and so on; it looks at the last.
    fn knowing(places: u8) -> Head {
        let mut head = Head::default();
        for number in 1..=places {
            look(&mut head, at(0), f64::from(number) * 10.0);
            head.obey(at(0), Ptz::Preset(PresetAct::Set, number));
        }
        head
    }

    fn look(head: &mut Head, now: Instant, pan: f64) {
        let to = Precise {
            pan: Some(pan),
            ..Precise::default()
        };
        head.precise(now, to);
    }

    fn cruising(points: &[u8]) -> Head {
        let mut head = knowing(3);
        let acts = points.iter().map(|point| CruiseAct::Add(*point));
        for act in acts.chain([CruiseAct::Dwell(5), CruiseAct::Start]) {
            assert!(head.obey(at(0), Ptz::Cruise { track: 1, act }));
        }
        head
    }

    const HOME: HomePosition = HomePosition {
        enabled: true,
        reset_time: 60,
        preset: 1,
    };

    #[test]
    fn a_lens_that_was_stopped_does_not_keep_the_head_from_its_home() {
        let mut head = knowing(2);
        assert!(head.set_home(at(0), HOME));
        head.obey(at(0), Ptz::Lens(Lens::default()));
        assert_eq!(head.position(at(59)).pan, 20.0);
        assert_eq!(head.position(at(60)).pan, 10.0);
    }

    #[test]
    fn the_stop_of_the_lens_ends_no_cruise() {
        let mut head = cruising(&[1, 2]);
        head.obey(at(7), Ptz::Lens(Lens::default()));
        let pans = [7, 10].map(|s| head.position(at(s)).pan);
        assert_eq!(pans, [20.0, 10.0], "it goes on");
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

    #[test]
    fn a_cruise_whose_last_place_is_forgotten_ends_where_it_was() {
        let mut head = cruising(&[1]);
        look(&mut head, at(0), 90.0);
        let start = Ptz::Cruise {
            track: 1,
            act: CruiseAct::Start,
        };
        assert!(head.obey(at(0), start));
        assert!(head.obey(at(3), Ptz::Preset(PresetAct::Delete, 1)));
        assert_eq!(head.position(at(100)).pan, 10.0);
        assert!(head.tracks().is_empty(), "it leads nowhere");
        assert!(!head.obey(at(101), start));
    }

    #[test]
    fn what_a_cruise_does_not_have_cannot_be_taken_from_it() {
        let mut head = knowing(2);
        for act in [CruiseAct::Remove(1), CruiseAct::Clear] {
            assert!(!head.obey(at(0), Ptz::Cruise { track: 4, act }), "{act:?}");
        }
        let add = Ptz::Cruise {
            track: 4,
            act: CruiseAct::Add(1),
        };
        for _ in 0..MOST_POINTS {
            assert!(head.obey(at(0), add));
        }
        assert!(!head.obey(at(0), add), "it is full");
        assert_eq!(head.tracks()[0].points.len(), MOST_POINTS);
    }

    #[test]
    fn switches_go_on_and_off_and_a_zone_that_is_none_changes_nothing() {
        let mut head = Head::default();
        head.obey(
            at(0),
            Ptz::Aux {
                switch: 1,
                on: true,
            },
        );
        assert!(head.is_on(1) && !head.is_on(2));
        head.obey(
            at(0),
            Ptz::Aux {
                switch: 1,
                on: false,
            },
        );
        assert!(!head.is_on(1));
        let before = head.position(at(0));
        assert!(!head.drag(at(0), Zone::default(), true));
        assert_eq!(head.position(at(0)), before);
        let middle = Zone {
            length: 1000,
            width: 500,
            mid_x: 500,
            mid_y: 250,
            length_x: 250,
            length_y: 125,
        };
        assert!(head.drag(at(0), middle, true));
        assert_eq!(head.position(at(0)).zoom, 4.0);
        assert!(head.drag(at(0), middle, false));
        assert_eq!(head.position(at(0)).zoom, 1.0);
    }
}
