//! Channels that come and go while a device runs, as cameras do at a recorder.

use std::sync::Arc;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::CatalogItem;
use crate::time::Now;

use super::config::Channel;
use super::{Camera, catalogue};

impl Camera {
    /// There is a channel more.
    pub(super) fn add_channel(&mut self, now: Now, mut channel: Channel) {
        if self.has(&channel.id) {
            return;
        }
        channel
            .added
            .get_or_insert(self.messages.by_its_clock(now).wall);
        let before = self.told();
        let config = Arc::make_mut(&mut self.line.config);
        config.channels.push(channel);
        self.tell_changes(now, before);
    }

    /// There is a channel less, and its parts are gone with it; the last one stays.
    pub(super) fn remove_channel(&mut self, now: Now, id: DeviceId) {
        let gone = Channel::with_parts(&self.config().channels, id);
        if gone.is_empty() || gone.len() == self.config().channels.len() {
            return;
        }
        let before = self.told();
        for channel in &gone {
            self.calls.remove_channel(now, &mut self.line, *channel);
            self.messages.forget(&mut self.line, channel);
        }
        let config = Arc::make_mut(&mut self.line.config);
        config.channels.retain(|c| !gone.contains(&c.id));
        self.tell_changes(now, before);
        for channel in gone {
            self.notices.end_about(now, &mut self.line, channel);
        }
        self.tell_news(now);
    }

    /// The catalogue as subscribers know it; `None` when there are none.
    fn told(&self) -> Option<Vec<CatalogItem>> {
        let anybody = self.subscriptions() > 0;
        anybody.then(|| catalogue::items(&self.line, &self.calls))
    }

    fn tell_changes(&mut self, now: Now, before: Option<Vec<CatalogItem>>) {
        if let Some(before) = before {
            let after = catalogue::items(&self.line, &self.calls);
            let changes = catalogue::changes(&before, after);
            self.notices.changed(now, &mut self.line, &changes);
        }
    }
}
