//! When each camera is switched on and off.

use std::time::Duration;

use crate::config::Plan;

/// The order of coming and going, from the beginning of a run to its end.
///
/// ```text
///        last camera on       end, or stop()        last camera off
///  RampUp ───────────▶ Holding ───────────▶ RampDown ───────────▶ Over
///     └───────────── end, or stop() ──────────▲
/// ```
/// Times are counted from the beginning of the run.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// Who is switched on, the earliest first.
    on: Vec<(Duration, u32)>,
    /// How long after the end a camera's turn to leave comes, by camera.
    off_after: Vec<Duration>,
    /// Who is switched off, the earliest first; filled when the ramp down begins.
    off: Vec<(Duration, u32)>,
    next_on: usize,
    next_off: usize,
    end: Option<Duration>,
    ended: Option<(Duration, Ending)>,
}

/// What to do with a camera, counted in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Switch it on.
    On(usize),
    /// Switch it off.
    Off(usize),
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Cameras are being switched on.
    RampUp,
    /// All are on.
    Holding,
    /// Cameras are being switched off.
    RampDown,
    /// All have been told to switch off.
    Over,
}

/// What ended a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The time set for it was over.
    Time,
    /// Somebody asked for it.
    Stopped,
}

impl Schedule {
    /// The order of a plan.
    pub fn of(plan: &Plan) -> Schedule {
        let cameras = || (0u32..).zip(plan.cameras());
        let mut on: Vec<_> = cameras().map(|(n, camera)| (camera.start(), n)).collect();
        on.sort_unstable();
        Schedule {
            on,
            off_after: cameras()
                .map(|(_, camera)| plan.ramp.stop(camera.number()))
                .collect(),
            off: Vec::new(),
            next_on: 0,
            next_off: 0,
            end: plan.end(),
            ended: None,
        }
    }

    /// The cameras in the order they are switched on.
    pub fn order(&self) -> impl Iterator<Item = u32> {
        self.on.iter().map(|(_, camera)| *camera)
    }

    /// The ramp down begins now, whatever was planned.
    pub fn stop(&mut self, now: Duration) {
        self.finish(now, Ending::Stopped);
    }

    /// What is due; call until it says `None`.
    pub fn poll(&mut self, now: Duration) -> Option<Turn> {
        if let Some(end) = self.end.filter(|end| *end <= now) {
            self.finish(end, Ending::Time);
        }
        let (list, next) = match self.ended {
            None => (&self.on, &mut self.next_on),
            Some(_) => (&self.off, &mut self.next_off),
        };
        let (at, camera) = *list.get(*next)?;
        if at > now {
            return None;
        }
        *next += 1;
        let camera = camera as usize;
        Some(match self.ended {
            None => Turn::On(camera),
            Some(_) => Turn::Off(camera),
        })
    }

    /// When something is due again; `None` when only [`stop`](Self::stop) changes anything.
    pub fn deadline(&self) -> Option<Duration> {
        let turn = |list: &[(Duration, u32)], next| list.get(next).map(|(at, _)| *at);
        match self.ended {
            Some(_) => turn(&self.off, self.next_off),
            None => turn(&self.on, self.next_on)
                .into_iter()
                .chain(self.end)
                .min(),
        }
    }

    /// Where the run stands.
    pub fn phase(&self) -> Phase {
        match self.ended {
            None if self.next_on < self.on.len() => Phase::RampUp,
            None => Phase::Holding,
            Some(_) if self.next_off < self.off.len() => Phase::RampDown,
            Some(_) => Phase::Over,
        }
    }

    /// What began the ramp down, once it has begun.
    pub fn ending(&self) -> Option<Ending> {
        self.ended.map(|(_, why)| why)
    }

    /// Those that are on leave, each in its turn; the others do not come any more.
    fn finish(&mut self, at: Duration, why: Ending) {
        if self.ended.is_some() {
            return;
        }
        self.ended = Some((at, why));
        let came = self.on.iter().take(self.next_on);
        let leave = |n: u32| self.off_after.get(n as usize).copied().unwrap_or_default();
        self.off = came.map(|(_, n)| (at + leave(*n), *n)).collect();
        self.off.sort_unstable();
        // A turn whose earlier ones never came is not waited for.
        let spared = self.off.first().map_or(at, |(first, _)| *first) - at;
        for (turn, _) in &mut self.off {
            *turn -= spared;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::testing::{millis, plan};

    fn schedule(rest: &str) -> Schedule {
        let cameras = "[[cameras]]\ncount = 10\n";
        Schedule::of(&plan(&format!("{rest}\n{cameras}")))
    }

    /// Everything until `limit`, with the millisecond in which it happened.
    fn play(schedule: &mut Schedule, mut now: Duration, limit: u64) -> Vec<(u64, Turn)> {
        let mut turns = Vec::new();
        loop {
            while let Some(turn) = schedule.poll(now) {
                turns.push((now.as_millis() as u64, turn));
            }
            match schedule.deadline() {
                Some(at) if at <= millis(limit) => now = at,
                _ => return turns,
            }
        }
    }

    #[test]
    fn cameras_come_at_the_rate_stay_and_leave_at_the_rate() {
        let mut schedule =
            schedule("[ramp]\ncameras-per-second = 10\nhold = \"2s\"\ndown-per-second = 100\n");
        assert_eq!(schedule.phase(), Phase::RampUp);
        let turns = play(&mut schedule, Duration::ZERO, 60_000);
        let on = (0..10).map(|n| (n as u64 * 100, Turn::On(n)));
        let off = (0..10).map(|n| (2900 + n as u64 * 10, Turn::Off(n)));
        assert_eq!(turns, on.chain(off).collect::<Vec<_>>());
        assert_eq!(schedule.phase(), Phase::Over);
        assert_eq!(schedule.ending(), Some(Ending::Time));
    }

    #[test]
    fn jitter_delays_each_camera_by_its_own_part_and_repeats_with_the_seed() {
        let text = "seed = 5\n[ramp]\ncameras-per-second = 10\njitter = \"500ms\"\n";
        let turns = play(&mut schedule(text), Duration::ZERO, 60_000);
        assert_eq!(turns.len(), 10);
        for (at, turn) in &turns {
            let Turn::On(n) = turn else {
                panic!("{turns:?}")
            };
            let own = *n as u64 * 100;
            assert!((own..own + 500).contains(at), "{n} at {at}");
        }
        assert!(turns.is_sorted_by_key(|(at, _)| *at));
        assert_eq!(turns, play(&mut schedule(text), Duration::ZERO, 60_000));
        let other = text.replace("seed = 5", "seed = 6");
        assert_ne!(turns, play(&mut schedule(&other), Duration::ZERO, 60_000));
    }

    #[test]
    fn without_an_end_it_holds_until_somebody_stops_it() {
        let mut schedule = schedule("[ramp]\ndown-per-second = 1000\n");
        assert_eq!(play(&mut schedule, Duration::ZERO, u64::MAX).len(), 10);
        assert_eq!(
            (schedule.phase(), schedule.deadline()),
            (Phase::Holding, None)
        );
        schedule.stop(millis(5000));
        let turns = play(&mut schedule, millis(5000), 60_000);
        assert_eq!(turns.first(), Some(&(5000, Turn::Off(0))));
        assert_eq!(turns.last(), Some(&(5009, Turn::Off(9))));
        assert_eq!(schedule.ending(), Some(Ending::Stopped));
    }

    #[test]
    fn stopped_on_the_way_up_only_those_that_came_leave() {
        let mut schedule = schedule("[ramp]\ncameras-per-second = 1\n");
        assert_eq!(play(&mut schedule, Duration::ZERO, 2500).len(), 3);
        schedule.stop(millis(2500));
        schedule.stop(millis(2600));
        let turns = play(&mut schedule, millis(2500), 60_000);
        let off: Vec<_> = turns.iter().map(|(_, turn)| *turn).collect();
        assert_eq!(off, [Turn::Off(0), Turn::Off(1), Turn::Off(2)]);
    }

    #[test]
    fn the_duration_counts_where_it_is_over_before_the_hold() {
        let mut schedule =
            schedule("duration = \"10s\"\n[ramp]\ncameras-per-second = 1\nhold = \"1h\"\n");
        let turns = play(&mut schedule, Duration::ZERO, 60_000);
        assert_eq!(turns[10], (10_000, Turn::Off(0)));
        assert_eq!(schedule.ending(), Some(Ending::Time));
    }
}
