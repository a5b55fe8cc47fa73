//! SUBSCRIBE: who is told what for how long (GB/T 28181-2022 9.11, RFC 6665 §4.2).

use std::time::Duration;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{AlarmFilter, Incoming as Document, MobilePosition, Root, Topic};
use crate::sip::{Dialog, Request};
use crate::time::{Instant, Now};

use super::call::destination;
use super::calls::{Calls, Incoming};
use super::catalogue;
use super::control::Controls;
use super::event::Event;
use super::line::{Line, Timer};
use super::notices::Notices;
use super::subscription::{Asked, News, Subscription};

/// How long a subscription lasts that does not say.
const LIFETIME: u64 = 3600;
/// The longest lifetime that is granted, in seconds.
const LONGEST: u64 = 86_400;
/// Subscriptions that one device keeps; a platform needs one per topic and channel.
const MOST: usize = 256;

/// The event packages that platforms name.
const PACKAGES: [&str; 5] = [
    "catalog",
    "presence",
    "alarm",
    "mobileposition",
    "ptzposition",
];

impl Notices {
    /// SUBSCRIBE: begins a subscription, prolongs it, or ends it.
    pub fn subscribe(&mut self, now: Now, line: &mut Line, calls: &Calls, incoming: &Incoming) {
        let request = &incoming.request;
        let outcome = match request.headers.to().is_ok_and(|to| to.tag().is_some()) {
            true => self.again(now, incoming),
            false => self.first(now, line, calls, incoming),
        };
        if let Err(status) = outcome.and_then(|number| self.grant(now, line, incoming, number)) {
            let mut response = line.endpoint.answer(request, status);
            if status == 489 {
                response = response.with_header("Allow-Events", "Catalog, presence");
            }
            line.respond(now.mono, incoming.transaction, response);
        }
        self.set_timer(line);
    }

    /// The first SUBSCRIBE of a dialog. One for the same thing by the same platform is replaced.
    fn first(
        &mut self,
        now: Now,
        line: &mut Line,
        calls: &Calls,
        incoming: &Incoming,
    ) -> Result<u32, u16> {
        let request = &incoming.request;
        let asked = asked(line, request)?;
        let tag = line.tag();
        let contact = line.contact(&line.config.device);
        let dialog = Dialog::from_uas(request, &tag, Some(&contact)).ok_or(400u16)?;
        let book = self.book();
        let same = |s: &Subscription| {
            s.topic == asked.topic
                && s.about == asked.about
                && s.dialog.remote.uri == dialog.remote.uri
        };
        book.subscriptions.retain(|s| !same(s));
        if book.subscriptions.len() >= MOST {
            return Err(503);
        }
        book.last += 1;
        let number = book.last;
        let expires = now.mono + lifetime(request);
        let to = destination(&dialog, incoming.from);
        let mut subscription = Subscription::new(number, dialog, to, asked, expires);
        if subscription.topic == Topic::Catalog {
            // The subscriber takes everything for on-line that it is not told of.
            let off = catalogue::off_line(line, calls, &subscription.about);
            if !off.is_empty() {
                subscription.queue(News::Changes(off.into()));
            }
        }
        book.subscriptions.push(subscription);
        Ok(number)
    }

    /// A SUBSCRIBE inside a dialog.
    fn again(&mut self, now: Now, incoming: &Incoming) -> Result<u32, u16> {
        let request = &incoming.request;
        let found = self
            .book()
            .subscriptions
            .iter_mut()
            .find(|s| s.dialog.matches(request));
        let Some(subscription) = found else {
            // Somebody tidies up what we have forgotten.
            let ends = lifetime(request).is_zero();
            return Err(if ends { 200 } else { 481 });
        };
        if !subscription.dialog.in_order(request) {
            return Err(500);
        }
        subscription.dialog.retarget(&request.headers);
        subscription.to = destination(&subscription.dialog, incoming.from);
        subscription.expires = now.mono + lifetime(request);
        if subscription.topic == Topic::MobilePosition
            && let Ok(document) = Document::parse(&request.body)
        {
            subscription.interval = MobilePosition::interval(&document);
            subscription.next = None;
        }
        Ok(subscription.number)
    }

    /// 200, and what is to be told at once.
    fn grant(
        &mut self,
        now: Now,
        line: &mut Line,
        incoming: &Incoming,
        number: u32,
    ) -> Result<(), u16> {
        let position = self.position(line, now.wall);
        let Some(subscription) = self.find(number) else {
            return Err(500);
        };
        let lifetime = lifetime(&incoming.request);
        let request = &incoming.request;
        let tag = &subscription.dialog.local_tag;
        let mut response = line.endpoint.answer_tagged(request, 200, tag);
        if let Some(contact) = &subscription.dialog.contact {
            response = response.with_header("Contact", contact.clone());
        }
        response = response.with_header("Expires", lifetime.as_secs().to_string());
        if let Some(event) = &subscription.event {
            response = response.with_header("Event", event.clone());
        }
        line.respond(now.mono, incoming.transaction, response);
        let (topic, about) = (subscription.topic, subscription.about);
        if lifetime.is_zero() {
            self.end(now, line, number, "timeout");
        } else {
            if let Some(position) = position.filter(|_| topic == Topic::MobilePosition) {
                subscription.queue(News::Position(position));
                subscription.next = Some(now.mono + subscription.interval);
            }
            subscription.watch(now.mono);
            subscription.send(now.mono, line);
        }
        line.tell(Event::Subscribed {
            topic,
            about,
            lifetime,
        });
        Ok(())
    }

    /// A subscription is over: whoever had it is told, and forgotten.
    fn end(&mut self, now: Now, line: &mut Line, number: u32, reason: &str) {
        let subscriptions = &mut self.book().subscriptions;
        let at = subscriptions.iter().position(|s| s.number == number);
        if let Some(at) = at {
            let mut over = subscriptions.swap_remove(at);
            over.bid_farewell(now.mono, line, reason);
        }
    }

    /// There is nothing more to be told of a channel: it is gone.
    pub fn end_about(&mut self, now: Now, line: &mut Line, channel: DeviceId) {
        let over = self.subscriptions().filter(|s| s.about == channel);
        for number in over.map(|s| s.number).collect::<Vec<_>>() {
            self.end(now, line, number, "noresource");
        }
        self.set_timer(line);
    }

    /// What is due: subscriptions that end, positions that are told again.
    pub fn due(&mut self, now: Now, line: &mut Line, controls: &Controls) {
        let position = self.position(line, now.wall);
        let over = self.subscriptions().filter(|s| s.expires <= now.mono);
        for number in over.map(|s| s.number).collect::<Vec<_>>() {
            self.end(now, line, number, "timeout");
        }
        for subscription in &mut self.book().subscriptions {
            subscription.glance(now.mono, line, controls);
            if subscription.topic == Topic::MobilePosition
                && subscription.next.is_some_and(|next| next <= now.mono)
                && let Some(position) = &position
            {
                subscription.queue(News::Position(position.clone()));
                subscription.send(now.mono, line);
                subscription.next = Some(now.mono + subscription.interval);
            }
        }
        self.set_timer(line);
    }

    /// A NOTIFY was answered. One that was refused, or not answered at all, ends its subscription.
    pub fn notified(&mut self, now: Now, line: &mut Line, number: u32, status: Option<u16>) {
        let taken = status.is_some_and(|status| status < 300);
        match self.find(number) {
            Some(subscription) if taken => {
                subscription.in_flight = false;
                subscription.send(now.mono, line);
            }
            Some(_) => self.book().subscriptions.retain(|s| s.number != number),
            None => {}
        }
        self.set_timer(line);
    }

    pub(super) fn set_timer(&self, line: &mut Line) {
        let next = |s: &Subscription| {
            s.next
                .map_or(s.expires, |next: Instant| next.min(s.expires))
        };
        match self.subscriptions().map(next).min() {
            Some(at) => line.set(Timer::Subscriptions, at),
            None => {
                line.timers.cancel(&Timer::Subscriptions);
            }
        }
    }
}

fn lifetime(request: &Request) -> Duration {
    let said = request.headers.value("Expires");
    let seconds: Option<u64> = said.and_then(|text| text.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(LIFETIME).min(LONGEST))
}

/// What a first SUBSCRIBE asks for, or the status that refuses it.
fn asked(line: &Line, request: &Request) -> Result<Asked, u16> {
    let event = request.headers.value("Event");
    if let Some(event) = event {
        let package = event.split(';').next().unwrap_or_default().trim();
        let package = package.to_ascii_lowercase();
        if !PACKAGES.contains(&package.as_str()) {
            return Err(489);
        }
    }
    let document = Document::parse(&request.body).map_err(|_| 400u16)?;
    let topic = Topic::of(&document.cmd_type).filter(|_| document.root == Root::Query);
    let unknown = &line.config.profile.behaviour.unanswered;
    let topic = topic.filter(|topic| !unknown.iter().any(|one| one == topic.as_str()));
    let topic = topic.ok_or(489u16)?;
    let about = document.device_id.as_str();
    let about = match about == line.config.device.as_str() {
        true => line.config.device,
        false => line.config.channel(about).ok_or(404u16)?.id,
    };
    Ok(Asked {
        topic,
        about,
        event: event.map(str::to_owned),
        filter: AlarmFilter::read(&document),
        interval: MobilePosition::interval(&document),
    })
}
