//! SUBSCRIBE of ours, and the NOTIFYs that follow (GB/T 28181-2022 9.11, RFC 6665).

use std::collections::HashMap;
use std::time::Duration;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{
    self, Alarm, CatalogChange, Incoming as Document, MobilePosition, PtzPosition, Topic,
};
use crate::sip::{Dialog, Method, Request, Response};
use crate::time::{Instant, Now};

use super::catalogue;
use super::complaint::Deviation;
use super::desk::{Desk, Incoming, MANSCDP, Purpose, Route, Timer, Waiting};
use super::devices::Devices;
use super::event::{AskId, Event, Notice};
use super::questions::{Answer, AskFailure};

/// The subscriptions of a platform.
#[derive(Default)]
pub(super) struct Subscriptions {
    all: HashMap<u32, Subscription>,
    last: u32,
}

struct Subscription {
    device: DeviceId,
    about: DeviceId,
    topic: Topic,
    lifetime: Duration,
    event: String,
    body: bytes::Bytes,
    /// The first SUBSCRIBE, until it is answered.
    first: Option<Request>,
    dialog: Option<Dialog>,
    /// Who asked for what is under way.
    ask: Option<AskId>,
    /// It is to end.
    leaving: bool,
    since: Instant,
}

/// What is to be subscribed to.
pub(super) struct Wish {
    pub device: DeviceId,
    pub about: DeviceId,
    pub topic: Topic,
    pub lifetime: Duration,
    pub ask: AskId,
}

impl Subscriptions {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Subscribes, or ends with a lifetime of zero what was subscribed to.
    pub fn subscribe(&mut self, now: Now, desk: &mut Desk, devices: &Devices, wish: Wish) {
        let (device, ask) = (wish.device, wish.ask);
        let Some(there) = devices.online(&device) else {
            let why = AskFailure::NotRegistered;
            return desk.tell(Event::AskFailed { ask, device, why });
        };
        let same =
            |s: &Subscription| s.device == device && s.about == wish.about && s.topic == wish.topic;
        let known = self.all.iter().find(|(_, s)| same(s) && s.dialog.is_some());
        if let Some((&number, _)) = known {
            let way = (number, there.route);
            return self.prolong(now, desk, way, wish.lifetime, Some(ask));
        }
        self.last += 1;
        let number = self.last;
        let event = match wish.topic {
            Topic::Catalog => format!("{};id={number}", wish.topic.package()),
            _ => wish.topic.package().to_owned(),
        };
        let (route, host) = (there.route, there.host.clone());
        let more: &[(&str, &str)] = match wish.topic {
            Topic::MobilePosition => &[("Interval", "5")],
            _ => &[],
        };
        let sn = desk.next_sn();
        let cmd_type = wish.topic.as_str();
        let body = manscdp::query(&desk.config.xml, cmd_type, sn, wish.about, more);
        let contact = desk.contact(route.flow);
        let first = desk
            .request(Method::Subscribe, &device, &host, route.flow)
            .with_header("Contact", contact)
            .with_header("Event", event.clone())
            .with_header("Expires", wish.lifetime.as_secs().to_string())
            .with_body(MANSCDP, body.clone());
        desk.send(
            now.mono,
            Purpose::Subscribe(number),
            device,
            route,
            first.clone(),
        );
        let subscription = Subscription {
            device,
            about: wish.about,
            topic: wish.topic,
            lifetime: wish.lifetime,
            event,
            body,
            first: Some(first),
            dialog: None,
            ask: Some(ask),
            leaving: wish.lifetime.is_zero(),
            since: now.mono,
        };
        self.all.insert(number, subscription);
    }

    /// A SUBSCRIBE inside the dialog, to where the device is by now.
    fn prolong(
        &mut self,
        now: Now,
        desk: &mut Desk,
        (number, route): (u32, Route),
        lifetime: Duration,
        ask: Option<AskId>,
    ) {
        let Some(subscription) = self.all.get_mut(&number) else {
            return;
        };
        let Some(dialog) = &mut subscription.dialog else {
            return;
        };
        let request = dialog
            .request(Method::Subscribe)
            .with_header("Event", subscription.event.clone())
            .with_header("Expires", lifetime.as_secs().to_string())
            .with_body(MANSCDP, subscription.body.clone());
        subscription.lifetime = lifetime;
        subscription.leaving = lifetime.is_zero();
        subscription.ask = ask;
        subscription.since = now.mono;
        let device = subscription.device;
        desk.send(now.mono, Purpose::Subscribe(number), device, route, request);
    }

    /// A subscription is about to end: it is prolonged.
    pub fn refresh(&mut self, now: Now, desk: &mut Desk, devices: &Devices, number: u32) {
        let Some(subscription) = self.all.get(&number) else {
            return;
        };
        let lifetime = subscription.lifetime;
        match devices.online(&subscription.device) {
            Some(there) => self.prolong(now, desk, (number, there.route), lifetime, None),
            None => self.failed(desk, number, AskFailure::NotRegistered),
        }
    }

    /// A SUBSCRIBE had its answer.
    pub fn answered(
        &mut self,
        now: Now,
        desk: &mut Desk,
        waiting: &Waiting,
        number: u32,
        response: &Response,
    ) {
        let Some(subscription) = self.all.get_mut(&number) else {
            return;
        };
        let status = response.status();
        if status >= 300 {
            return self.failed(desk, number, AskFailure::Refused(status));
        }
        if let Some(first) = subscription.first.take() {
            subscription.dialog = Dialog::from_uac(&first, response);
        }
        let granted = response.headers.value("Expires");
        let granted: Option<u64> = granted.and_then(|text| text.trim().parse().ok());
        if granted.is_none() {
            let (device, what) = (Some(waiting.device), Deviation::NoLifetime);
            desk.complain(device, waiting.to, &response.headers, what, "");
        }
        let lifetime = granted.map_or(subscription.lifetime, Duration::from_secs);
        if let Some(ask) = subscription.ask.take() {
            desk.tell(Event::Answered {
                ask,
                device: subscription.device,
                answer: Answer::Subscribed(lifetime),
                took: now.mono - subscription.since,
            });
        }
        if subscription.leaving || lifetime.is_zero() {
            self.forget(desk, number);
        } else {
            let pause = lifetime.mul_f64(0.8);
            desk.timers.set(Timer::Refresh(number), now.mono + pause);
        }
    }

    /// A SUBSCRIBE was refused or lost.
    pub fn failed(&mut self, desk: &mut Desk, number: u32, why: AskFailure) {
        let Some(subscription) = self.forget(desk, number) else {
            return;
        };
        let (device, topic) = (subscription.device, subscription.topic);
        match subscription.ask {
            Some(ask) => desk.tell(Event::AskFailed { ask, device, why }),
            None => desk.tell(Event::Notice {
                device,
                notice: Notice::Ended(topic),
            }),
        }
    }

    fn forget(&mut self, desk: &mut Desk, number: u32) -> Option<Subscription> {
        desk.timers.cancel(&Timer::Refresh(number));
        self.all.remove(&number)
    }

    /// A device is gone, and what we heard of it.
    pub fn device_gone(&mut self, desk: &mut Desk, device: &DeviceId) {
        let of = self.all.iter().filter(|(_, s)| s.device == *device);
        for number in of.map(|(number, _)| *number).collect::<Vec<_>>() {
            self.failed(desk, number, AskFailure::NotRegistered);
        }
    }

    /// NOTIFY: news of a device, or its last word.
    pub fn notify(&mut self, now: Now, desk: &mut Desk, incoming: &Incoming) {
        let request = &incoming.request;
        let Some((&number, subscription)) = self.all.iter().find(|(_, s)| s.is_of(request)) else {
            return desk.reply(now.mono, incoming, 481);
        };
        desk.reply(now.mono, incoming, 200);
        let device = subscription.device;
        let event = request.headers.value("Event").unwrap_or_default();
        if event != subscription.event {
            desk.object(Some(device), incoming, Deviation::NotifyEvent, event);
        }
        let state = request.headers.value("Subscription-State");
        if state.is_none() {
            desk.object(Some(device), incoming, Deviation::SubscriptionState, "");
        }
        if !request.body.is_empty() {
            news(desk, device, incoming);
        }
        if state.is_some_and(|state| state.trim_start().starts_with("terminated")) {
            self.terminated(desk, number);
        }
    }

    /// A device tells no more. Whoever waits for the answer to a SUBSCRIBE still gets that.
    fn terminated(&mut self, desk: &mut Desk, number: u32) {
        let Some(subscription) = self.all.get(&number) else {
            return;
        };
        let (device, notice) = (subscription.device, Notice::Ended(subscription.topic));
        if subscription.ask.is_none() {
            self.forget(desk, number);
        }
        desk.tell(Event::Notice { device, notice });
    }
}

fn news(desk: &mut Desk, device: DeviceId, incoming: &Incoming) {
    match Document::parse(&incoming.request.body) {
        Ok(document) => match notice(&document) {
            Some(Notice::Catalog(changes)) => {
                let mut noticed = Vec::new();
                catalogue::check_changes(&document, changes.len(), &mut noticed);
                for (what, detail) in noticed {
                    desk.object(Some(device), incoming, what, detail);
                }
                let notice = Notice::Catalog(changes);
                desk.tell(Event::Notice { device, notice });
            }
            Some(notice) => desk.tell(Event::Notice { device, notice }),
            None => desk.object(Some(device), incoming, Deviation::Notice, document.cmd_type),
        },
        Err(error) => {
            let detail = error.to_string();
            desk.object(Some(device), incoming, Deviation::Manscdp, detail);
        }
    }
}

impl Subscription {
    /// Whether a NOTIFY belongs to it; the first one may come before the answer to the SUBSCRIBE.
    fn is_of(&self, request: &Request) -> bool {
        match (&self.dialog, &self.first) {
            (Some(dialog), _) => dialog.matches(request),
            (None, Some(first)) => first.headers.call_id() == request.headers.call_id(),
            (None, None) => false,
        }
    }
}

/// What a notification says, in whatever it travels.
pub(super) fn notice(document: &Document) -> Option<Notice> {
    match Topic::of(&document.cmd_type)? {
        Topic::Catalog => Some(Notice::Catalog(CatalogChange::read(document))),
        Topic::Alarm => Alarm::read(document).map(Notice::Alarm),
        Topic::MobilePosition => MobilePosition::read(document).map(Notice::Position),
        Topic::PtzPosition => PtzPosition::read(document).map(|at| Notice::Looks {
            channel: document.device_id.clone(),
            at,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Command;
    use super::super::testing::{Bench, Puppet, config};
    use super::*;

    /// A device whose catalogue is subscribed to for 100 s, and the SUBSCRIBE.
    fn subscribed(bench: &mut Bench) -> (Puppet, Request) {
        let device = Puppet::new(1).registered(bench);
        let said = bench.command(Command::Subscribe {
            device: device.id,
            about: device.id,
            topic: Topic::Catalog,
            lifetime: Duration::from_secs(100),
            ask: AskId(1),
        });
        let subscribe = said.request(Method::Subscribe).clone();
        let ok = device.answer(&subscribe, 200).with_header("Expires", "100");
        device.say(bench, ok);
        assert_eq!(bench.platform.subscriptions(), 1);
        (device, subscribe)
    }

    #[test]
    fn a_subscription_is_refreshed_where_its_device_is_by_then() {
        let mut bench = Bench::new(config());
        let (mut device, _) = subscribed(&mut bench);
        device.at = "192.0.2.1:6060".parse().unwrap();
        let keepalive = device.keepalive();
        device.say(&mut bench, keepalive);
        let said = bench.pass(80.2);
        assert_eq!(said.methods(), [Method::Subscribe]);
        assert_eq!(said.sent[0].1, device.at);
    }

    #[test]
    fn what_a_device_has_ended_is_told_and_not_refreshed() {
        let mut bench = Bench::new(config());
        let (mut device, subscribe) = subscribed(&mut bench);
        let mut notify = device.request(Method::Notify);
        let ours = &subscribe.headers;
        let ok = device.answer(&subscribe, 200);
        notify.headers.set("From", ok.headers.value("To").unwrap());
        notify.headers.set("To", ours.value("From").unwrap());
        notify.headers.set("Call-ID", ours.call_id().unwrap());
        let notify = notify
            .with_header("Event", ours.value("Event").unwrap())
            .with_header("Subscription-State", "terminated;reason=noresource");
        let said = device.say(&mut bench, notify);
        assert_eq!(said.statuses(), [200]);
        let ended = Notice::Ended(Topic::Catalog);
        assert!(
            said.told(|event| matches!(event, Event::Notice { notice, .. } if *notice == ended))
        );
        assert_eq!(bench.platform.subscriptions(), 0);
        assert!(bench.pass(80.2).sent.is_empty());
    }
}
