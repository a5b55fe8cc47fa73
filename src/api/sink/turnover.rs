//! Calls that come and go: each lasts a time of its own, then its device is called again.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::ops::RangeInclusive;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use crate::gb28181::DeviceId;
use crate::platform::PlayId;

/// A device and the channel of it that is called.
pub(super) type Callee = (DeviceId, DeviceId);

/// The calls that are to end by themselves.
pub(super) struct Turnover {
    lasting: RangeInclusive<Duration>,
    chance: StdRng,
    due: BinaryHeap<Reverse<(Instant, PlayId)>>,
    /// Those that are not over, and whether they were told to end.
    live: HashMap<PlayId, (Callee, bool)>,
}

impl Turnover {
    /// Calls last a time within `lasting`, all times as likely.
    pub fn new(lasting: RangeInclusive<Duration>, seed: u64) -> Self {
        Turnover {
            lasting,
            chance: StdRng::seed_from_u64(seed),
            due: BinaryHeap::new(),
            live: HashMap::new(),
        }
    }

    /// A call begins.
    pub fn begun(&mut self, now: Instant, play: PlayId, callee: Callee) {
        let lasts = self.chance.random_range(self.lasting.clone());
        self.due.push(Reverse((now + lasts, play)));
        self.live.insert(play, (callee, false));
    }

    /// When the next call is to end.
    pub fn next(&self) -> Option<Instant> {
        self.due.peek().map(|Reverse((due, _))| *due)
    }

    /// A call whose time has come. It may be over already.
    pub fn due(&mut self, now: Instant) -> Option<PlayId> {
        self.next().filter(|due| *due <= now)?;
        let Reverse((_, play)) = self.due.pop()?;
        if let Some((_, is_told)) = self.live.get_mut(&play) {
            *is_told = true;
        }
        Some(play)
    }

    /// A call is over: who is to be called again, if it had been told to end. A device that ended
    /// it wants no other.
    pub fn over(&mut self, play: PlayId) -> Option<Callee> {
        let (callee, is_told) = self.live.remove(&play)?;
        is_told.then_some(callee)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callee(n: u32) -> Callee {
        let device: DeviceId = "34020000001320000001".parse().unwrap();
        let device = device.with_serial(n);
        (device, device.with_type(131))
    }

    #[test]
    fn every_call_ends_within_its_bounds_and_its_device_is_called_again_once() {
        let bounds = Duration::from_secs(5)..=Duration::from_secs(60);
        let mut turnover = Turnover::new(bounds.clone(), 7);
        let begin = Instant::now();
        for n in 0..100 {
            turnover.begun(begin, PlayId(n), callee(n as u32));
        }
        assert_eq!(turnover.due(begin), None);
        assert_eq!(turnover.over(PlayId(99)), None, "the device ended it");
        let mut ended = Vec::new();
        while let Some(due) = turnover.next() {
            assert!(bounds.contains(&(due - begin)), "{:?}", due - begin);
            ended.extend(turnover.due(due));
        }
        let first_half = ended.iter().filter(|play| play.0 < 50).count();
        assert!(first_half > 0 && ended.len() == 100);
        assert_ne!(ended, (0..100).map(PlayId).collect::<Vec<_>>());
        assert_eq!(turnover.over(PlayId(3)), Some(callee(3)));
        assert_eq!(turnover.over(PlayId(3)), None);
    }
}
