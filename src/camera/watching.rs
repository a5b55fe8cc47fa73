//! Where a channel's head looks, told while it moves (GB/T 28181-2022 9.11).

use std::time::Duration;

use crate::gb28181::manscdp::Topic;
use crate::time::Instant;

use super::control::Controls;
use super::line::Line;
use super::subscription::{News, Subscription};

/// How often a head that somebody watches is looked at: the most NOTIFYs are one a second.
const GLANCE: Duration = Duration::from_secs(1);

impl Subscription {
    /// Begins to watch a head: where it looks is told at once, and then whenever that changes.
    pub fn watch(&mut self, now: Instant) {
        if self.topic == Topic::PtzPosition {
            self.told = None;
            self.next = Some(now);
        }
    }

    /// Tells where the head looks, if the platform does not know. The device stands for its first
    /// channel.
    pub fn glance(&mut self, now: Instant, line: &mut Line, controls: &Controls) {
        let due = self.next.is_some_and(|next| next <= now);
        if self.topic != Topic::PtzPosition || !due {
            return;
        }
        self.next = Some(now + GLANCE);
        let Some(channel) = line.config.channel(self.about.as_str()) else {
            return;
        };
        let at = controls.head(&channel.id).position(now);
        if self.told != Some(at) {
            self.told = Some(at);
            self.queue(News::Head(at));
            self.send(now, line);
        }
    }
}
