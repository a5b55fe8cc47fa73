//! Which frame of a live stream is current: the clip is a loop that never stands still.

use super::super::cut::{Cut, Times};
use super::config::SenderConfig;
use crate::time::Instant;

/// The place of a live stream in its clip.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// When frame number 0 is due.
    start: Instant,
    /// When the current frame is due.
    pub due: Instant,
    /// Number of the current frame, dropped ones counted: its place in media time.
    number: u64,
    /// The current frame in the clip.
    pub index: usize,
    /// One more than the latest place in presentation order sent.
    shown: u64,
    /// A key frame has been asked for.
    jump: bool,
}

impl Live {
    pub fn new(config: &SenderConfig, now: Instant) -> Live {
        let (start, index) = config.begin(now);
        Live {
            start,
            due: start,
            number: 0,
            index,
            shown: 0,
            jump: false,
        }
    }

    pub fn times(&self, config: &SenderConfig) -> Times {
        config.times(self.number, config.cut.reorder(self.index))
    }

    /// A key frame is wanted as soon as it can be.
    pub fn key_frame(&mut self) {
        self.jump = true;
    }

    /// The current frame is written.
    pub fn finish(&mut self, cut: &Cut) {
        let shown = self.number + u64::from(cut.reorder(self.index)) + 1;
        self.shown = self.shown.max(shown);
        self.move_on(cut, 1);
    }

    /// Drops everything that waits, up to the first key frame that is still to come, when more
    /// than the backlog waits. How many frames that were.
    pub fn shed(&mut self, config: &SenderConfig, now: Instant) -> u64 {
        let cut = &config.cut;
        let fps = cut.clip().fps();
        // The frame that is due now does not wait, so that a backlog of zero drops nothing in time.
        let allowed = config.backlog.max(fps.interval());
        if now.since(self.due) <= allowed {
            return 0;
        }
        let due = fps.events_until(now.since(self.start));
        let mut distance = usize::try_from(due.saturating_sub(self.number)).unwrap_or(0);
        loop {
            let entry = self.ahead(cut, distance);
            distance += cut.distance_to_entry(entry);
            if self.follows(cut, distance as u64, self.ahead(cut, distance)) {
                break;
            }
            distance += 1;
        }
        self.move_on(cut, distance);
        distance as u64
    }

    /// Carries out [`Live::key_frame`] as soon as it can be.
    pub fn jump(&mut self, cut: &Cut) {
        if !self.jump {
            return;
        }
        let entry = self.ahead(cut, cut.distance_to_entry(self.index));
        if self.follows(cut, 0, entry) {
            self.index = entry;
            self.jump = false;
        }
    }

    /// Makes the frame `distance` after the current one current.
    fn move_on(&mut self, cut: &Cut, distance: usize) {
        self.index = self.ahead(cut, distance);
        self.number += distance as u64;
        self.due = self.start + cut.clip().fps().time(self.number);
    }

    /// The frame `distance` after the current one; the clip is a loop.
    fn ahead(&self, cut: &Cut, distance: usize) -> usize {
        (self.index + distance) % cut.clip().frames().len().max(1)
    }

    /// Whether frame `index`, sent `distance` frames from now, is shown after all that were sent.
    fn follows(&self, cut: &Cut, distance: u64, index: usize) -> bool {
        self.number + distance + u64::from(cut.reorder(index)) >= self.shown
    }
}
