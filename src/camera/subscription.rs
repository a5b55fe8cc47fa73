//! One subscription of the platform: its dialog, and what it has still to be told
//! (GB/T 28181-2022 9.11, RFC 6665).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{
    Alarm, AlarmFilter, CatalogChange, CatalogEvent, MobilePosition, PtzPosition, Topic,
};
use crate::sip::{Dialog, Method, Request};
use crate::time::Instant;

use super::line::{Line, Purpose};

/// Alarms that wait for a platform that does not answer; more are dropped.
const MAX_ALARMS: usize = 64;

/// One subscription.
#[derive(Debug)]
pub(super) struct Subscription {
    pub number: u32,
    pub dialog: Dialog,
    /// Where its NOTIFYs go.
    pub to: SocketAddr,
    pub topic: Topic,
    /// The device, or one of its channels.
    pub about: DeviceId,
    /// The `Event` of the SUBSCRIBE, to be repeated letter for letter.
    pub event: Option<String>,
    pub expires: Instant,
    pub filter: AlarmFilter,
    /// Of positions: how often, and when next; of a head: when it is looked at next.
    pub interval: Duration,
    pub next: Option<Instant>,
    /// Of a head: where the platform takes it to look.
    pub told: Option<PtzPosition>,
    /// A NOTIFY waits for its answer: one at a time.
    pub in_flight: bool,
    news: VecDeque<News>,
}

/// What is to be told.
#[derive(Debug)]
pub(super) enum News {
    /// Of a catalogue: as many NOTIFYs as its make fills with them.
    Changes(VecDeque<CatalogChange>),
    Position(MobilePosition),
    Head(PtzPosition),
    Alarm(Alarm),
}

/// What a SUBSCRIBE asks for.
pub(super) struct Asked {
    pub topic: Topic,
    pub about: DeviceId,
    pub event: Option<String>,
    pub filter: AlarmFilter,
    pub interval: Duration,
}

impl Subscription {
    pub fn new(
        number: u32,
        dialog: Dialog,
        to: SocketAddr,
        asked: Asked,
        expires: Instant,
    ) -> Self {
        Subscription {
            number,
            dialog,
            to,
            topic: asked.topic,
            about: asked.about,
            event: asked.event,
            expires,
            filter: asked.filter,
            interval: asked.interval,
            next: None,
            told: None,
            in_flight: false,
            news: VecDeque::new(),
        }
    }

    /// Puts news into the queue: changes of one item and positions replace those before them.
    pub fn queue(&mut self, news: News) {
        let full = self.news.len() >= MAX_ALARMS;
        match (news, self.news.back_mut()) {
            (News::Changes(more), Some(News::Changes(changes))) => {
                more.into_iter().for_each(|change| add(changes, change));
            }
            (News::Position(newer), Some(News::Position(position))) => *position = newer,
            (News::Head(newer), Some(News::Head(at))) => *at = newer,
            (News::Alarm(_), _) if full => {
                tracing::warn!(number = self.number, "an alarm dropped: too many wait");
            }
            (news, _) => self.news.push_back(news),
        }
    }

    /// Sends what waits, unless the last NOTIFY is not yet answered.
    pub fn send(&mut self, now: Instant, line: &mut Line) {
        if self.in_flight {
            return;
        }
        let Some(mut news) = self.news.pop_front() else {
            return;
        };
        let body = self.body(line, &mut news);
        if matches!(&news, News::Changes(rest) if !rest.is_empty()) {
            self.news.push_front(news);
        }
        let left = self.expires.since(now).as_secs();
        let notify = self.notify(line, &format!("active;expires={left}"), Some(body));
        line.send(now, Purpose::Notify(self.number), self.to, notify);
        self.in_flight = true;
    }

    /// The last word (RFC 6665 §4.4.1): nobody waits for its answer.
    pub fn bid_farewell(&mut self, now: Instant, line: &mut Line, reason: &str) {
        let notify = self.notify(line, &format!("terminated;reason={reason}"), None);
        line.send(now, Purpose::Farewell, self.to, notify);
    }

    /// The body that tells the news; of changes those that fit, which are news no longer.
    fn body(&self, line: &mut Line, news: &mut News) -> Bytes {
        let sn = line.next_sn();
        let style = &line.config.profile.manscdp;
        match news {
            News::Changes(changes) => {
                let (body, told) = style.catalog_changes(sn, self.about, &*changes);
                changes.drain(..told);
                body
            }
            News::Position(position) => style.mobile_position(sn, position),
            News::Head(at) => style.ptz_moved(sn, self.about, *at),
            News::Alarm(alarm) => style.alarm(sn, alarm),
        }
    }

    fn notify(&mut self, line: &Line, state: &str, body: Option<Bytes>) -> Request {
        let event = self.event.as_deref().unwrap_or(self.topic.package());
        let notify = self
            .dialog
            .request(Method::Notify)
            .with_header("Event", event.to_owned())
            .with_header("Subscription-State", state.to_owned());
        match body {
            Some(body) => notify.with_body(&line.config.profile.manscdp.content_type, body),
            None => notify,
        }
    }
}

/// Puts a change behind those that nobody has heard of yet, instead of what it makes outdated. What
/// is new stays so, however it is called by now.
fn add(changes: &mut VecDeque<CatalogChange>, mut change: CatalogChange) {
    let event = change.event;
    let covers = event.is_whole() || event == CatalogEvent::Delete;
    let outdated = |before: &CatalogChange| {
        before.item.id == change.item.id && (covers || !before.event.is_whole())
    };
    let new = |before: &CatalogChange| outdated(before) && before.event == CatalogEvent::Add;
    let still_new = event == CatalogEvent::Update && changes.iter().any(new);
    changes.retain(|before| !outdated(before));
    if still_new {
        change.event = CatalogEvent::Add;
    }
    changes.push_back(change);
}
