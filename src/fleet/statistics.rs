//! What all workers and pumps together counted.

use hdrhistogram::Histogram;

use super::measure::{Measure, Times};
use super::tally::{Counted, Counters, Tally};
use super::trouble::{Kind, Trouble};
use crate::media::Counts;

/// The whole fleet's figures.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    counted: Counted,
    /// Cameras switched on so far.
    started: u64,
    /// Cameras told to switch off so far.
    stopped: u64,
    /// The most streams at once, as seen whenever tallies came in.
    streams_at_once: u64,
    /// Cameras registered when the ramp down began, once it has.
    registered_at_end: Option<u64>,
    /// What the pumps have sent, streams that still flow included.
    sent: Counts,
}

impl Statistics {
    /// Moves what a worker has counted since the last time to here.
    pub fn take(&mut self, tally: &mut Tally) {
        let Counted {
            all,
            by_group,
            times,
            troubles,
        } = &mut tally.counted;
        self.counted.all += &std::mem::take(all);
        if self.counted.by_group.len() < by_group.len() {
            self.counted
                .by_group
                .resize(by_group.len(), Counters::default());
        }
        for (here, there) in self.counted.by_group.iter_mut().zip(by_group) {
            *here += &std::mem::take(there);
        }
        self.counted.times.take(times);
        self.counted.troubles.take(troubles);
    }

    /// Takes in what all pumps have sent since the beginning, and how late.
    pub fn pumped(&mut self, sent: Counts, lateness: Histogram<u64>) {
        self.sent = sent;
        self.counted.times.replace(Measure::Lateness, lateness);
    }

    /// All tallies of this moment are in.
    pub fn complete(&mut self) {
        self.streams_at_once = self.streams_at_once.max(self.streams());
    }

    /// A camera was switched on.
    pub fn switched_on(&mut self) {
        self.started += 1;
    }

    /// A camera was told to switch off.
    pub fn switched_off(&mut self) {
        self.stopped += 1;
    }

    /// Cameras switched on so far.
    pub fn started(&self) -> u64 {
        self.started
    }

    /// Cameras told to switch off so far.
    pub fn stopped(&self) -> u64 {
        self.stopped
    }

    /// The ramp down begins: how many are registered now counts.
    pub fn end(&mut self) {
        let registered = self.registered();
        self.registered_at_end.get_or_insert(registered);
    }

    /// Counters of the whole fleet.
    pub fn all(&self) -> &Counters {
        &self.counted.all
    }

    /// Counters of a group, by its place in the plan.
    pub fn group(&self, place: usize) -> Counters {
        self.counted
            .by_group
            .get(place)
            .copied()
            .unwrap_or_default()
    }

    /// How long everything took.
    pub fn times(&self) -> &Times {
        &self.counted.times
    }

    /// What the pumps have sent.
    pub fn sent(&self) -> Counts {
        self.sent
    }

    /// Cameras registered now.
    pub fn registered(&self) -> u64 {
        up(self.counted.all.registered)
    }

    /// Cameras registered at least once.
    pub fn arrived(&self) -> u64 {
        up(self.counted.all.arrived)
    }

    /// Streams that flow now.
    pub fn streams(&self) -> u64 {
        up(self.counted.all.streams)
    }

    /// Cameras that stream now.
    pub fn streaming(&self) -> u64 {
        up(self.counted.all.streaming)
    }

    /// Cameras that were refused, unanswered or thrown out, and try again.
    pub fn failed(&self) -> u64 {
        up(self.counted.all.failed)
    }

    /// Cameras that are off again.
    pub fn off(&self) -> u64 {
        up(self.counted.all.off)
    }

    /// Cameras that are on and have heard neither yes nor no yet.
    pub fn registering(&self) -> u64 {
        let settled = self.registered() + self.failed() + self.off();
        self.started.saturating_sub(settled)
    }

    /// The most streams at once, as seen whenever tallies came in.
    pub fn streams_at_once(&self) -> u64 {
        self.streams_at_once
    }

    /// Cameras registered when the ramp down began; before, those registered now.
    pub fn registered_at_end(&self) -> u64 {
        self.registered_at_end.unwrap_or_else(|| self.registered())
    }

    /// Errors of all kinds.
    pub fn errors(&self) -> u64 {
        self.counted.troubles.total()
    }

    /// Errors by kind, the most frequent first.
    pub fn troubles(&self) -> Vec<(Kind, &Trouble)> {
        self.counted.troubles.sorted()
    }
}

/// Never below nothing: what one worker takes back another has counted, perhaps a moment later.
fn up(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::camera::{CallEnd, Event};
    use crate::fleet::testing::{ended, failed, registered, streaming};
    use crate::time::Wall;

    fn two() -> [Tally; 2] {
        let groups: Arc<[u16]> = Arc::from([0, 0, 1, 1]);
        [Tally::new(groups.clone()), Tally::new(groups)]
    }

    fn note(tally: &mut Tally, camera: usize, event: Event) {
        tally.note(camera, &event, || Wall::from_seconds(0));
    }

    #[test]
    fn what_workers_counted_adds_up_however_often_it_is_taken() {
        let (mut often, mut once) = (Statistics::default(), Statistics::default());
        let ([mut a, mut b], [mut c, mut d]) = (two(), two());
        let story = [
            (0, registered(4)),
            (1, registered(5)),
            (2, failed("503 Busy")),
            (3, registered(6)),
            (0, streaming(1, 20)),
            (3, streaming(1, 30)),
            (2, registered(7)),
            (0, ended(1, CallEnd::Bye)),
        ];
        for (camera, event) in story {
            note(
                if camera < 2 { &mut a } else { &mut b },
                camera,
                event.clone(),
            );
            note(if camera < 2 { &mut c } else { &mut d }, camera, event);
            often.take(&mut a);
            often.take(&mut b);
            often.complete();
        }
        once.take(&mut c);
        once.take(&mut d);
        for statistics in [&often, &once] {
            assert_eq!((statistics.arrived(), statistics.registered()), (4, 4));
            assert_eq!((statistics.failed(), statistics.streams()), (0, 1));
            assert_eq!(statistics.group(1).registered, 2);
            assert_eq!(statistics.errors(), 1);
            assert_eq!(statistics.times().histogram(Measure::Register).len(), 4);
        }
        assert_eq!(often.all(), once.all());
        assert_eq!(often.streams_at_once(), 2);
    }

    #[test]
    fn those_without_an_answer_are_registering() {
        let mut statistics = Statistics::default();
        let [mut a, _] = two();
        note(&mut a, 0, registered(1));
        note(&mut a, 1, failed("no answer"));
        (0..4).for_each(|_| statistics.switched_on());
        statistics.take(&mut a);
        assert_eq!(statistics.registering(), 2);
    }

    #[test]
    fn the_end_remembers_who_was_there() {
        let mut statistics = Statistics::default();
        let [mut a, _] = two();
        note(&mut a, 0, registered(1));
        statistics.take(&mut a);
        statistics.end();
        note(&mut a, 0, Event::Off { unregistered: true });
        statistics.take(&mut a);
        statistics.end();
        assert_eq!((statistics.registered_at_end(), statistics.off()), (1, 1));
    }
}
