//! What a device tells of itself: alarms, changes of its catalogue, where it is
//! (GB/T 28181-2022 9.4, 9.11).

use std::collections::VecDeque;

use bytes::Bytes;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{
    Alarm, AlarmFilter, CatalogChange, Incoming as Document, MobilePosition, Topic, VideoUpload,
};
use crate::profile::AlarmCarrier;
use crate::time::{Now, Wall};

use super::event::Position;
use super::line::Line;
use super::subscription::{News, Subscription};

/// How many alarms a device remembers for those who ask.
const HISTORY: usize = 32;

/// What a device tells of itself. Nothing is kept until there is something.
#[derive(Default)]
pub(super) struct Notices {
    book: Option<Box<Book>>,
}

#[derive(Default)]
pub(super) struct Book {
    pub subscriptions: Vec<Subscription>,
    /// The number of the last subscription.
    pub last: u32,
    history: VecDeque<Alarm>,
    position: Option<Position>,
}

impl Notices {
    pub(super) fn book(&mut self) -> &mut Book {
        self.book.get_or_insert_default()
    }

    pub(super) fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.book.iter().flat_map(|book| book.subscriptions.iter())
    }

    pub(super) fn find(&mut self, number: u32) -> Option<&mut Subscription> {
        let book = self.book.as_mut()?;
        book.subscriptions.iter_mut().find(|s| s.number == number)
    }

    /// How many subscriptions there are.
    pub fn len(&self) -> usize {
        self.subscriptions().count()
    }

    /// Tells of an alarm. What is returned travels as a MESSAGE.
    pub fn alarm(&mut self, now: Now, line: &mut Line, alarm: Alarm) -> Option<Bytes> {
        let carrier = line.config.profile.behaviour.alarms;
        let device = line.config.device;
        let book = self.book();
        book.history.truncate(HISTORY - 1);
        book.history.push_front(alarm.clone());
        let mut notified = false;
        for subscription in &mut book.subscriptions {
            let wants = subscription.topic == Topic::Alarm
                && (subscription.about == device || subscription.about == alarm.at)
                && subscription.filter.wants(&alarm);
            if wants && carrier != AlarmCarrier::Message {
                subscription.queue(News::Alarm(alarm.clone()));
                subscription.send(now.mono, line);
                notified = true;
            }
        }
        if notified {
            return None;
        }
        let sn = line.next_sn();
        Some(line.config.profile.manscdp.alarm(sn, &alarm))
    }

    /// Alarms of the past that somebody asks for, each a MESSAGE, the oldest first.
    pub fn past_alarms(&self, line: &mut Line, document: &Document) -> Vec<Bytes> {
        let filter = AlarmFilter::read(document);
        let about: Option<DeviceId> = document.device_id.parse().ok();
        let asked = |alarm: &&Alarm| {
            let whole = about == Some(line.config.device) || about == Some(alarm.at);
            whole && filter.wants(alarm) && filter.covers(alarm.time)
        };
        let history = self.book.iter().flat_map(|book| book.history.iter().rev());
        let alarms: Vec<_> = history.filter(asked).cloned().collect();
        let written = alarms.iter().map(|alarm| {
            let sn = line.next_sn();
            line.config.profile.manscdp.alarm(sn, alarm)
        });
        written.collect()
    }

    /// Something happened to channels: who has subscribed to all of them, or to one, is told.
    pub fn changed(&mut self, now: Now, line: &mut Line, changes: &[CatalogChange]) {
        let device = line.config.device;
        let Some(book) = &mut self.book else {
            return;
        };
        let all = &mut book.subscriptions;
        for subscription in all.iter_mut().filter(|s| s.topic == Topic::Catalog) {
            let about = subscription.about;
            let concerns =
                |change: &&CatalogChange| about == device || change.item.id == about.as_str();
            let news: VecDeque<_> = changes.iter().filter(concerns).cloned().collect();
            if !news.is_empty() {
                subscription.queue(News::Changes(news));
                subscription.send(now.mono, line);
            }
        }
    }

    /// The device is somewhere else.
    pub fn moved(&mut self, position: Position) {
        self.book().position = Some(position);
    }

    /// Where it is, if that is known.
    pub fn position(&self, line: &Line, wall: Wall) -> Option<MobilePosition> {
        let moved = self.book.as_ref().and_then(|book| book.position);
        let Position {
            longitude,
            latitude,
            speed,
            direction,
            altitude,
        } = moved.or(line.config.position)?;
        Some(MobilePosition {
            id: line.config.device.to_string(),
            time: wall,
            longitude,
            latitude,
            speed,
            direction,
            altitude,
        })
    }

    /// The wish to be called, from where it is.
    pub fn video_upload(&self, line: &mut Line, id: DeviceId, wall: Wall) -> Bytes {
        let at = self.position(line, wall);
        let upload = VideoUpload {
            id: id.to_string(),
            time: wall,
            place: at.map(|at| (at.longitude, at.latitude)),
        };
        let sn = line.next_sn();
        line.config.profile.manscdp.video_upload(sn, &upload)
    }

    /// Where it is, for somebody who asks with a MESSAGE.
    pub fn position_now(&self, line: &mut Line, wall: Wall) -> Vec<Bytes> {
        let position = self.position(line, wall);
        let written = position.map(|position| {
            let sn = line.next_sn();
            line.config.profile.manscdp.mobile_position(sn, &position)
        });
        written.into_iter().collect()
    }

    /// Nobody listens any more: the platform is gone.
    pub fn clear(&mut self, line: &mut Line) {
        if let Some(book) = &mut self.book {
            book.subscriptions.clear();
        }
        self.set_timer(line);
    }
}
