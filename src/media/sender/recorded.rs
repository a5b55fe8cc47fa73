//! Which frame of a recording is current: it has an end, stands still, goes faster and backwards.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::super::cut::{Cut, Times};
use super::super::recording::{
    Course, Recording, Reeled, Scale, ScaledStamps, Segment, Steer, Steered,
};
use super::config::SenderConfig;
use crate::time::Instant;

/// The clock of time stamps.
const STAMPS: u32 = 90_000;

/// A time that never comes.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// The place of a stream in the recording that it plays.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    recording: Arc<Recording>,
    /// When the current frame is due; never while it stands still.
    pub due: Instant,
    place: Place,
    scale: Scale,
    /// Where it ends on the line of time: behind us when it goes backwards.
    stop: Duration,
    run: Run,
    /// In time stamps: nothing may be shown before this, for all until here has been.
    shown: u64,
    state: State,
    /// Asked for while a frame was on its way, the oldest first.
    asked: VecDeque<Steer>,
    /// What is to be told, the oldest first.
    told: VecDeque<Reeled>,
}

/// A frame of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    segment: usize,
    number: u64,
}

/// Frames that follow each other at an even pace.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// When its first frame was due.
    since: Instant,
    /// Time stamp of its first frame, counted from the stream's first.
    stamp: u64,
    /// Frame intervals from its first frame to the current one.
    steps: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Playing,
    Paused,
    Drained,
}

impl Recorded {
    pub fn new(recording: Arc<Recording>, now: Instant) -> Recorded {
        let mut recorded = Recorded {
            due: now,
            place: Place {
                segment: 0,
                number: 0,
            },
            scale: recording.scale,
            stop: recording.end,
            run: Run {
                since: now,
                stamp: 0,
                steps: 0,
            },
            shown: 0,
            state: State::Playing,
            asked: VecDeque::new(),
            told: VecDeque::new(),
            recording,
        };
        recorded.go(Duration::ZERO, 0, now);
        recorded
    }

    /// What the current frame is a part of; `None` when nothing was recorded at all.
    fn segment(&self) -> Option<&Segment> {
        self.recording.segments.get(self.place.segment)
    }

    pub fn cut(&self) -> Option<&Cut> {
        self.segment().map(|segment| &*segment.cut)
    }

    /// The current frame in its clip.
    pub fn index(&self) -> usize {
        self.segment()
            .map_or(0, |segment| segment.index(self.place.number))
    }

    /// Time between two frames as they leave.
    pub fn interval(&self) -> Duration {
        self.scale
            .wall(self.segment().map_or(Duration::ZERO, |s| s.time(1)))
    }

    /// The position of the current frame.
    pub fn position(&self) -> Duration {
        self.segment()
            .map_or(Duration::ZERO, |segment| {
                segment.begin + segment.time(self.place.number)
            })
            .saturating_sub(self.recording.begin)
    }

    pub fn times(&self, config: &SenderConfig) -> Times {
        let reorder = self.cut().map_or(0, |cut| cut.reorder(self.index()));
        let dts = self.stamp();
        config.stamps(dts, dts + self.ticks(u64::from(reorder)))
    }

    /// The time stamp of the current frame, counted from the stream's first.
    fn stamp(&self) -> u64 {
        self.run.stamp + self.ticks(self.run.steps)
    }

    /// So many frame intervals as time stamps.
    fn ticks(&self, frames: u64) -> u64 {
        let fps = self.segment().map(|segment| segment.cut.clip().fps());
        let ticks = fps.map_or(0, |fps| fps.ticks(frames, STAMPS));
        match self.recording.policy.stamps {
            ScaledStamps::Media => ticks,
            ScaledStamps::Wall => (ticks as f64 / self.scale.speed()) as u64,
        }
    }

    /// The current frame is written: the next one becomes current.
    pub fn finish(&mut self) {
        let reorder = self.cut().map_or(0, |cut| cut.reorder(self.index()));
        let shown = self.stamp() + self.ticks(u64::from(reorder) + 1);
        self.shown = self.shown.max(shown);
        match self.scale.is_reverse() {
            true => self.back(),
            false => self.forth(),
        }
    }

    /// Nothing is dropped when the peer does not keep up: the recording falls behind.
    pub fn slip(&mut self, config: &SenderConfig, now: Instant) {
        let late = now.since(self.due);
        if late > config.backlog.max(self.interval()) {
            self.run.since += late;
            self.due = now;
        }
    }

    /// Takes a wish; it is carried out between two frames.
    pub fn steer(&mut self, steer: Steer) {
        self.asked.push_back(steer);
    }

    /// Carries out what was asked. `sequence` is the next frame's.
    pub fn obey(&mut self, config: &SenderConfig, sequence: u16, now: Instant) {
        while let Some(steer) = self.asked.pop_front() {
            match steer {
                Steer::Pause => self.pause(),
                Steer::Play(course) => self.play(course, now),
            }
            let times = self.times(config);
            let steered = Reeled::Steered(Steered {
                position: self.position(),
                sequence,
                timestamp: config.timestamp.wrapping_add(times.dts as u32),
            });
            // Who steers to the end hears first that it was done.
            let at_the_end = self.told.back() == Some(&Reeled::Drained);
            let place = self.told.len() - usize::from(at_the_end);
            self.told.insert(place, steered);
        }
    }

    fn pause(&mut self) {
        if self.state == State::Playing {
            self.state = State::Paused;
            self.due = NEVER;
        }
    }

    fn play(&mut self, course: Course, now: Instant) {
        let stamp = self.stamp();
        let turned = course
            .scale
            .is_some_and(|scale| scale.is_reverse() != self.scale.is_reverse());
        self.scale = course.scale.unwrap_or(self.scale);
        if let Some(until) = course.until {
            let stop = self.recording.begin.saturating_add(until);
            self.stop = stop.min(self.recording.end);
        } else if turned || course.from.is_some() {
            self.stop = match self.scale.is_reverse() {
                true => self.recording.begin,
                false => self.recording.end,
            };
        }
        match course.from {
            Some(from) => self.go(from, stamp, now),
            None if self.state == State::Drained && !turned => {}
            None if turned || self.only_keys() => self.go(self.position(), stamp, now),
            None => {
                self.state = State::Playing;
                self.rebase(stamp, now);
            }
        }
    }

    /// Goes on from the key frame at or before a position, with a time stamp not before `stamp`.
    fn go(&mut self, position: Duration, stamp: u64, now: Instant) {
        let target = self.recording.begin + position;
        self.state = State::Playing;
        match self.find(target) {
            Some(place) => {
                self.place = place;
                self.rebase(stamp, now);
            }
            None => self.drain(),
        }
    }

    /// The key frame at or before a point of the line of time. In a gap: the next one in the
    /// direction of play.
    fn find(&self, target: Duration) -> Option<Place> {
        let segments = &self.recording.segments;
        let behind = segments.partition_point(|segment| segment.begin <= target);
        let holds = behind.checked_sub(1).and_then(|at| segments.get(at));
        let Some(segment) = holds.filter(|segment| target < segment.end()) else {
            return match self.scale.is_reverse() {
                true => self.last_group(behind.checked_sub(1)?),
                false => self.first_frame(behind),
            };
        };
        let passed = segment
            .cut
            .clip()
            .fps()
            .events_until(target - segment.begin);
        let number = passed
            .saturating_sub(1)
            .min(segment.frames.saturating_sub(1));
        let place = Place {
            segment: behind - 1,
            number: segment.group(number),
        };
        let inside = self.scale.is_reverse() || target < self.stop;
        inside.then_some(place)
    }

    fn first_frame(&self, segment: usize) -> Option<Place> {
        let begin = self.recording.segments.get(segment)?.begin;
        (begin < self.stop).then_some(Place { segment, number: 0 })
    }

    fn last_group(&self, segment: usize) -> Option<Place> {
        let found = self.recording.segments.get(segment)?;
        let number = found.group(found.frames.saturating_sub(1));
        (found.end() > self.stop).then_some(Place { segment, number })
    }

    /// The next frame, or the next key frame, in the direction of time.
    fn forth(&mut self) {
        let Some(segment) = self.segment() else {
            return self.drain();
        };
        let steps = match self.only_keys() {
            true => {
                1 + segment
                    .cut
                    .distance_to_entry(segment.index(self.place.number + 1))
                    as u64
            }
            false => 1,
        };
        let number = self.place.number + steps;
        let at = segment.begin + segment.time(number);
        if number < segment.frames {
            return match at < self.stop {
                true => self.step(number, steps),
                false => self.drain(),
            };
        }
        match self.first_frame(self.place.segment + 1) {
            Some(place) => self.leap(place),
            None => self.drain(),
        }
    }

    /// The next frame of the group of pictures, or else the first of the group before it.
    fn back(&mut self) {
        let Some(segment) = self.segment() else {
            return self.drain();
        };
        let next = self.place.number + 1;
        let first = segment.group(self.place.number);
        let within = next < segment.frames && segment.group(next) == first;
        if within && !self.only_keys() {
            return self.step(next, 1);
        }
        let before = match first.checked_sub(1) {
            Some(last) => Some(Place {
                segment: self.place.segment,
                number: segment.group(last),
            }),
            None => self
                .place
                .segment
                .checked_sub(1)
                .and_then(|at| self.last_group(at)),
        };
        let reaches = segment.begin + segment.time(first) > self.stop;
        match before.filter(|_| reaches) {
            Some(place) => self.leap(place),
            None => self.drain(),
        }
    }

    /// The current frame stands `steps` intervals later in the same run.
    fn step(&mut self, number: u64, steps: u64) {
        self.place.number = number;
        self.run.steps += steps;
        let passed = self
            .segment()
            .map_or(Duration::ZERO, |s| s.time(self.run.steps));
        self.due = self.run.since + self.scale.wall(passed);
    }

    /// Goes on elsewhere at the same pace. Key frames alone keep the distance they had.
    fn leap(&mut self, place: Place) {
        let between = match (self.only_keys(), self.segment()) {
            (true, Some(segment)) if place.segment == self.place.segment => self
                .place
                .number
                .abs_diff(place.number)
                .max(1)
                .min(segment.frames),
            _ => 1,
        };
        let passed = self.segment().map_or(Duration::ZERO, |s| s.time(between));
        let stamp = self.stamp() + self.ticks(between);
        let due = self.due + self.scale.wall(passed);
        self.place = place;
        self.rebase(stamp, due);
    }

    /// A new run begins with the current frame, shown after all that was.
    fn rebase(&mut self, stamp: u64, since: Instant) {
        let reorder = self.cut().map_or(0, |cut| cut.reorder(self.index()));
        let shown = stamp + self.ticks(u64::from(reorder));
        self.run = Run {
            since,
            stamp: stamp + self.shown.saturating_sub(shown),
            steps: 0,
        };
        self.due = since;
    }

    fn drain(&mut self) {
        self.state = State::Drained;
        self.due = NEVER;
        self.told.push_back(Reeled::Drained);
    }

    /// Whether what is said is heard: forwards, every frame of it, and at its own speed or with
    /// its own times.
    pub fn is_heard(&self) -> bool {
        let timed =
            self.recording.policy.stamps == ScaledStamps::Media || self.scale.speed() == 1.0;
        timed && !self.scale.is_reverse() && !self.only_keys()
    }

    fn only_keys(&self) -> bool {
        let from = self.recording.policy.key_frames_from;
        from.is_some_and(|from| self.scale.speed() >= from)
    }

    /// What there is to tell, each thing once.
    pub fn news(&mut self) -> Option<Reeled> {
        self.told.pop_front()
    }
}
