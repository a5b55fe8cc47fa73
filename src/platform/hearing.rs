//! What devices say, brought to whom it concerns, with a look at its form first.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::sip::{
    self, Fault, FlowId, Headers, Message, Method, Response, TransactionId, Transport,
};
use crate::time::Now;

use super::complaint::Deviation;
use super::desk::{self, Incoming, Purpose, Route};
use super::devices::sender;
use super::event::{Event, SpeechEnd};
use super::questions::{Answer, AskFailure};
use super::registrar::Outcome;
use super::strict::{self, Noticed};
use super::{Phase, Platform, messages, steering};

/// The methods a platform takes from devices.
const ALLOW: &str = "REGISTER, MESSAGE, NOTIFY, INVITE, ACK, CANCEL, BYE, OPTIONS";

impl Platform {
    pub(super) fn received(&mut self, now: Now, flow: FlowId, from: SocketAddr, bytes: Bytes) {
        if self.desk.transport(flow) == Transport::Tcp {
            return self.desk.endpoint.received(now.mono, flow, from, bytes);
        }
        match Message::parse(bytes.clone()) {
            Ok(message) => {
                if let Some((said, got)) = strict::body_length(&bytes) {
                    let device = message.request().and_then(sender);
                    let detail = format!("{said} for {got} octets");
                    let (what, headers) = (Deviation::BodyLength, message.headers());
                    self.desk.complain(device, from, headers, what, detail);
                }
                // The endpoint refuses it, and we would not hear of it.
                if let Some(request) = message.request().filter(|r| r.is_miscounted()) {
                    let (device, headers) = (sender(request), &request.headers);
                    let cseq = headers.value("CSeq").unwrap_or_default();
                    let detail = format!("{} with CSeq {cseq}", request.method());
                    let what = Deviation::Unreadable;
                    self.desk.complain(device, from, headers, what, detail);
                }
                let endpoint = &mut self.desk.endpoint;
                endpoint.received_message(now.mono, flow, from, message);
            }
            Err(error) => {
                if error.fault != Fault::Keepalive {
                    let (what, headers) = (Deviation::Unreadable, Headers::default());
                    self.desk
                        .complain(None, from, &headers, what, error.to_string());
                }
                self.desk.endpoint.received(now.mono, flow, from, bytes);
            }
        }
    }

    pub(super) fn heard(&mut self, now: Now, event: sip::Event) {
        match event {
            sip::Event::Request {
                tx: transaction,
                flow,
                from,
                request,
            } => self.request(
                now,
                &Incoming {
                    transaction,
                    route: Route { flow, to: from },
                    request,
                },
            ),
            sip::Event::Response { tx, response } => self.response(now, tx, &response),
            sip::Event::Timeout { tx } => self.no_response(now, tx, "no answer"),
            sip::Event::Failed { tx, why } => self.no_response(now, tx, &why.to_string()),
            // The only INVITEs that we accept are those of devices that we speak through.
            sip::Event::Ack { tx, .. } => self.speeches.acknowledged(now, &mut self.desk, tx),
            sip::Event::Cancelled { tx } => {
                let why = SpeechEnd::Cancelled;
                self.speeches.given_up(now, &mut self.desk, tx, why);
            }
            sip::Event::Unacknowledged { tx } => {
                let why = SpeechEnd::Unacknowledged;
                self.speeches.given_up(now, &mut self.desk, tx, why);
            }
        }
    }

    fn request(&mut self, now: Now, incoming: &Incoming) {
        let transport = self.desk.transport(incoming.route.flow);
        let id = self.desk.config.id;
        let device = sender(&incoming.request);
        for (what, detail) in strict::request(&incoming.request, transport, &id) {
            self.desk.object(device, incoming, what, detail);
        }
        let (desk, devices) = (&mut self.desk, &mut self.devices);
        match incoming.request.method() {
            Method::Register if self.phase == Phase::Leaving => desk.reply(now.mono, incoming, 503),
            Method::Register => match self.registrar.register(now, desk, devices, incoming) {
                Outcome::Registered(device) => self.calls.moved(&device, incoming.route),
                Outcome::Unregistered(device) => {
                    self.device_gone(now, &device);
                }
                Outcome::Same => {}
            },
            Method::Message => {
                let (queries, calls) = (&mut self.queries, &mut self.calls);
                let speeches = &mut self.speeches;
                messages::receive(now, desk, devices, queries, calls, speeches, incoming);
            }
            Method::Invite => self.speeches.invited(now, desk, incoming.clone()),
            Method::Bye if self.speeches.bye(now, desk, incoming) => {}
            Method::Bye => self.calls.bye(now, desk, incoming),
            Method::Notify => self.subscriptions.notify(now, desk, incoming),
            Method::Options => {
                let response = desk
                    .endpoint
                    .answer(&incoming.request, 200)
                    .with_header("Allow", ALLOW)
                    .with_header("Accept", desk::MANSCDP);
                desk.respond(now.mono, incoming, response);
            }
            method => {
                let response = desk.endpoint.answer(&incoming.request, 405);
                desk.respond(now.mono, incoming, response.with_header("Allow", ALLOW));
                desk.object(device, incoming, Deviation::Method, method.to_string());
            }
        }
    }

    fn response(&mut self, now: Now, tx: TransactionId, response: &Response) {
        let Some(waiting) = self.desk.waiting(tx).cloned() else {
            return;
        };
        let noticed: Vec<Noticed> = strict::response(response, &waiting.sent);
        for (what, detail) in noticed {
            let (device, headers) = (Some(waiting.device), &response.headers);
            self.desk
                .complain(device, waiting.to, headers, what, detail);
        }
        let desk = &mut self.desk;
        if let Purpose::Invite(play) = waiting.purpose {
            // Its 2xx comes again until the ACK arrives: the call ends the waiting.
            return self.calls.invite_answered(now, desk, play, response);
        }
        if response.is_provisional() {
            return;
        }
        desk.finished(tx);
        match waiting.purpose {
            Purpose::Query(sn) => {
                self.queries
                    .acknowledged(now, desk, sn, Ok(response.status()));
            }
            Purpose::Ping(ask) => desk.tell(Event::Answered {
                ask,
                device: waiting.device,
                answer: Answer::Pong(response.status()),
                took: now.mono - waiting.since,
            }),
            Purpose::Bye(play) => self.calls.bye_answered(desk, &waiting, play, Ok(response)),
            Purpose::Subscribe(number) => {
                let subscriptions = &mut self.subscriptions;
                subscriptions.answered(now, desk, &waiting, number, response);
            }
            Purpose::Info { ask, cseq } => {
                steering::answered(now, desk, &waiting, (ask, cseq), response);
            }
            Purpose::Hush | Purpose::Invite(_) => {}
        }
    }

    fn no_response(&mut self, now: Now, tx: TransactionId, why: &str) {
        let desk = &mut self.desk;
        let Some(waiting) = desk.finished(tx) else {
            return;
        };
        match waiting.purpose {
            Purpose::Query(sn) => self.queries.acknowledged(now, desk, sn, Err(why)),
            Purpose::Ping(ask) | Purpose::Info { ask, .. } => desk.tell(Event::AskFailed {
                ask,
                device: waiting.device,
                why: AskFailure::Unreachable(why.to_owned()),
            }),
            Purpose::Subscribe(number) => {
                let why = AskFailure::Unreachable(why.to_owned());
                self.subscriptions.failed(desk, number, why);
            }
            Purpose::Hush => {}
            Purpose::Invite(play) => self.calls.invite_failed(desk, play, why),
            Purpose::Bye(play) => self.calls.bye_answered(desk, &waiting, play, Err(why)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, Puppet, address, config};
    use super::super::{Query, UDP};
    use super::*;
    use crate::sip::Style;

    #[test]
    fn methods_that_are_not_a_devices_are_405_and_options_200() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1).registered(&mut bench);
        for method in [Method::Subscribe, Method::Info] {
            let request = device.request(method);
            let said = device.say(&mut bench, request);
            assert_eq!(said.statuses(), [405], "{method}");
            assert_eq!(said.complaints(), [Deviation::Method]);
            assert!(said.response().headers.has("Allow"));
        }
        let options = device.request(Method::Options);
        let said = device.say(&mut bench, options);
        assert_eq!((said.statuses(), said.complaints()), (vec![200], vec![]));
    }

    #[test]
    fn a_wrong_content_length_is_noticed_and_too_long_a_one_refused() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1).registered(&mut bench);
        let mut send = |by: isize| {
            let keepalive = device.keepalive();
            let length = keepalive.body.len();
            let text = keepalive.write(&Style::default());
            let text = String::from_utf8(text.to_vec()).unwrap();
            let wrong = length.saturating_add_signed(by);
            let text = text.replace(
                &format!("Content-Length: {length}"),
                &format!("Content-Length: {wrong}"),
            );
            let said = bench.octets(device.flow, device.at, text);
            (said.statuses(), said.complaints())
        };
        assert_eq!(send(0), (vec![200], vec![]));
        let (statuses, complaints) = send(-3);
        assert_eq!(
            (statuses, complaints.first()),
            (vec![400], Some(&Deviation::BodyLength))
        );
        assert_eq!(send(3), (vec![400], vec![Deviation::Unreadable]));
        assert_eq!(bench.platform.complaints().of(Deviation::BodyLength), 1);
    }

    #[test]
    fn garbage_costs_a_complaint_and_a_connection_but_nothing_else() {
        let mut bench = Bench::new(config());
        let from = address("192.0.2.66:1");
        let said = bench.octets(UDP, from, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(
            (said.statuses(), said.complaints()),
            (vec![], vec![Deviation::Unreadable])
        );
        assert!(bench.octets(UDP, from, "jaK").events.is_empty());
        let flow = bench.accept(1, "192.0.2.66:1");
        let said = bench.octets(flow, from, vec![0x80; 2_000]);
        assert_eq!(
            (said.closes.clone(), said.complaints()),
            (vec![flow], vec![Deviation::Unframed])
        );
    }

    #[test]
    fn a_response_that_does_not_repeat_the_request_is_noticed() {
        let mut bench = Bench::new(config());
        let device = Puppet::new(1).registered(&mut bench);
        let said = bench.ask(&device, Query::Catalog, 1);
        let mut ok = device.answer(said.request(Method::Message), 200);
        ok.headers.set("Call-ID", "other");
        assert_eq!(device.say(&mut bench, ok).complaints(), [Deviation::Echo]);
    }

    proptest::proptest! {
        #[test]
        fn any_octets_return(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let mut bench = Bench::new(config());
            bench.octets(UDP, address("192.0.2.66:1"), octets.clone());
            let flow = bench.accept(1, "192.0.2.66:1");
            bench.octets(flow, address("192.0.2.66:1"), octets);
        }
    }
}
