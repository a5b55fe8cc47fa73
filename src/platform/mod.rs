//! The reference platform: what cameras register with, and what judges them.
//!
//! [`Platform`] is a [`Node`] for thousands of devices: registrar, queries, calls over UDP and
//! both kinds of TCP. It takes whatever can be understood, as platforms do, but complains about
//! everything that the standard does not allow ([`Event::Complaint`]). It is a judge, not a
//! product.

mod call;
mod calls;
mod catalogue;
mod complaint;
mod config;
mod desk;
mod devices;
mod event;
mod messages;
mod presence;
mod queries;
mod registrar;
mod ssrcs;
mod streams;
mod strict;
mod terms;
#[cfg(test)]
mod testing;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use crate::node::{Input, Node, Open, Output};
use crate::sip::{
    self, Fault, Flow, FlowId, Headers, Message, Method, Response, Tokens, TransactionId, Transport,
};
use crate::time::Now;

use calls::{Calls, Wish};
use desk::{Desk, DeskOutput, Incoming, Purpose, Route, Timer};
use devices::{Devices, sender};
use queries::Queries;
use registrar::{Outcome, Registrar};
use strict::Noticed;

pub use complaint::{Complaint, Deviation, Tally};
pub use config::{Config, Heartbeat, Passwords, RegistrationPolicy};
pub use event::{
    Absence, Answer, AskFailure, AskId, Command, ConfigAnswer, Event, PlayEnd, PlayFailure, PlayId,
    Query,
};

/// The methods a platform takes from devices.
const ALLOW: &str = "REGISTER, MESSAGE, BYE, OPTIONS, INVITE, ACK, CANCEL";
/// The flow of the UDP socket.
const UDP: FlowId = FlowId(0);
/// The flow of the TCP listener.
const LISTENER: FlowId = FlowId(1);

/// The reference platform.
///
/// ```text
///  Opening ──every socket open──▶ Listening ──Shutdown: BYE, CANCEL──▶ Leaving ──▶ Off
/// ```
pub struct Platform {
    phase: Phase,
    desk: Desk,
    devices: Devices,
    registrar: Registrar,
    queries: Queries,
    calls: Calls,
    udp: Option<SocketAddr>,
    tcp: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Opening,
    Listening,
    Leaving,
    Off,
}

impl Platform {
    /// A platform that asks for its sockets when it is first polled. The same seed makes the same
    /// choices.
    pub fn new(config: Arc<Config>, seed: u64) -> Self {
        Platform::with_tokens(config, Tokens::seeded(seed))
    }

    /// As [`new`](Self::new), with the source of its tags, branches, Call-IDs and nonces given, so
    /// that a recorded conversation can be repeated letter for letter.
    pub fn with_tokens(config: Arc<Config>, tokens: Tokens) -> Self {
        let mut desk = Desk::new(config.clone(), tokens);
        let udp = Open::Udp { local: config.udp };
        let tcp = config.tcp.map(|local| Open::Listen { local });
        let flows = [(UDP, Some(udp)), (LISTENER, tcp)];
        for (flow, how) in flows {
            desk.outbox
                .extend(how.map(|how| Output::Open { flow, how }));
        }
        Platform {
            phase: Phase::Opening,
            registrar: Registrar::new(&config),
            calls: Calls::new(config.id),
            desk,
            devices: Devices::default(),
            queries: Queries::default(),
            udp: None,
            tcp: None,
        }
    }

    /// What this platform is.
    pub fn config(&self) -> &Config {
        &self.desk.config
    }

    /// How many devices are registered, silent ones included.
    pub fn devices(&self) -> usize {
        self.devices.len()
    }

    /// How many calls are not wholly over.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// What devices did wrong, counted.
    pub fn complaints(&self) -> &Tally {
        &self.desk.tally
    }

    /// What happened on the wire, counted.
    pub fn counters(&self) -> &sip::Counters {
        self.desk.endpoint.counters()
    }

    fn command(&mut self, now: Now, command: Command) {
        let (desk, devices) = (&mut self.desk, &self.devices);
        match command {
            Command::Query { device, what, ask } => {
                self.queries.ask(now, desk, devices, device, &what, ask);
            }
            Command::Ping { device, ask } => queries::ping(now, desk, devices, device, ask),
            Command::Play { play, .. } if self.phase == Phase::Leaving => {
                let why = PlayFailure::ShuttingDown;
                desk.tell(Event::PlayRefused { play, why });
            }
            Command::Play {
                device,
                channel,
                transport,
                expected,
                play,
            } => {
                let wish = Wish {
                    device,
                    channel,
                    transport,
                    expected,
                    play,
                };
                self.calls.play(desk, devices, wish);
            }
            Command::Stop { play } => self.calls.stop(now, desk, play),
            Command::Shutdown => {
                self.calls.stop_all(now, desk);
                if self.phase != Phase::Off {
                    self.phase = Phase::Leaving;
                }
            }
        }
    }

    fn opened(&mut self, flow: FlowId, is: Flow) {
        if flow == LISTENER {
            self.tcp = Some(is.local);
        } else if flow.is_accepted() && self.desk.flows() > self.desk.config.capacity {
            tracing::warn!(remote = ?is.remote, "too many connections");
            return self.desk.outbox.push_back(Output::Close(flow));
        } else {
            if flow == UDP {
                self.udp = Some(is.local);
            }
            self.desk.opened(flow, is);
        }
        self.try_listening();
    }

    fn try_listening(&mut self) {
        let complete = self.tcp.is_some() || self.desk.config.tcp.is_none();
        if let (Phase::Opening, Some(udp), true) = (self.phase, self.udp, complete) {
            self.phase = Phase::Listening;
            let tcp = self.tcp;
            self.desk.tell(Event::Listening { udp, tcp });
        }
    }

    fn closed(&mut self, now: Now, flow: FlowId, why: String) {
        self.desk.closed(flow);
        if flow == UDP || flow == LISTENER {
            let (transport, address) = match flow {
                UDP => (Transport::Udp, &mut self.udp),
                _ => (Transport::Tcp, &mut self.tcp),
            };
            *address = None;
            self.desk.tell(Event::NotListening { transport, why });
        }
        for device in presence::disconnected(&mut self.desk, &mut self.devices, flow) {
            self.calls.device_gone(now, &mut self.desk, &device);
        }
    }

    fn received(&mut self, now: Now, flow: FlowId, from: SocketAddr, bytes: Bytes) {
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

    fn heard(&mut self, now: Now, event: sip::Event) {
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
            sip::Event::Timeout { tx } => self.no_response(tx, "no answer"),
            sip::Event::Failed { tx, why } => self.no_response(tx, &why.to_string()),
            // We accept no INVITE: nothing of this can concern a call.
            sip::Event::Ack { .. }
            | sip::Event::Cancelled { .. }
            | sip::Event::Unacknowledged { .. } => {}
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
                Outcome::Unregistered(device) => self.calls.device_gone(now, desk, &device),
                Outcome::Same => {}
            },
            Method::Message => {
                let (queries, calls) = (&mut self.queries, &mut self.calls);
                messages::receive(now, desk, devices, queries, calls, incoming);
            }
            Method::Bye => self.calls.bye(now, desk, incoming),
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
            Purpose::Query(sn) => self.queries.acknowledged(desk, sn, Ok(response.status())),
            Purpose::Ping(ask) => desk.tell(Event::Answered {
                ask,
                device: waiting.device,
                answer: Answer::Pong(response.status()),
                took: now.mono - waiting.since,
            }),
            Purpose::Bye(play) => self.calls.bye_answered(desk, &waiting, play, Ok(response)),
            Purpose::Invite(_) => {}
        }
    }

    fn no_response(&mut self, tx: TransactionId, why: &str) {
        let desk = &mut self.desk;
        let Some(waiting) = desk.finished(tx) else {
            return;
        };
        match waiting.purpose {
            Purpose::Query(sn) => self.queries.acknowledged(desk, sn, Err(why)),
            Purpose::Ping(ask) => desk.tell(Event::AskFailed {
                ask,
                device: waiting.device,
                why: AskFailure::Unreachable(why.to_owned()),
            }),
            Purpose::Invite(play) => self.calls.invite_failed(desk, play, why),
            Purpose::Bye(play) => self.calls.bye_answered(desk, &waiting, play, Err(why)),
        }
    }

    fn timer(&mut self, now: Now, timer: Timer) {
        let (desk, devices) = (&mut self.desk, &mut self.devices);
        let gone = match timer {
            Timer::Ask(sn) => return self.queries.timeout(desk, sn),
            Timer::Call(play) => return self.calls.timeout(now, desk, play),
            Timer::Silence(device) => {
                presence::silent(desk, devices, device);
                device
            }
            Timer::Expiry(device) => {
                presence::expired(desk, devices, device);
                device
            }
        };
        self.calls.device_gone(now, &mut self.desk, &gone);
    }

    /// Off, once every call is wholly over.
    fn try_off(&mut self) {
        if self.phase != Phase::Leaving || self.calls.len() > 0 {
            return;
        }
        self.phase = Phase::Off;
        let listener = self.tcp.take().map(|_| LISTENER);
        for flow in self.desk.close_all().into_iter().chain(listener) {
            self.desk.outbox.push_back(Output::Close(flow));
        }
        self.udp = None;
        self.desk.timers = Default::default();
        self.desk.tell(Event::Off);
    }

    /// What came on a connection is no SIP: it is closed, and its devices are gone.
    fn broken(&mut self, now: Now, flow: FlowId) -> Output<Event> {
        if let Some(from) = self.desk.remote(flow) {
            let (what, headers) = (Deviation::Unframed, Headers::default());
            self.desk.complain(None, from, &headers, what, "");
        }
        self.closed(now, flow, "what came is no SIP".to_owned());
        Output::Close(flow)
    }
}

impl Node for Platform {
    type Command = Command;
    type Event = Event;

    fn handle(&mut self, now: Now, input: Input<Command>) {
        if self.phase == Phase::Off {
            return;
        }
        match input {
            Input::Opened { flow, is } => self.opened(flow, is),
            Input::Closed { flow, why } => self.closed(now, flow, why),
            Input::Received { flow, from, bytes } => self.received(now, flow, from, bytes),
            Input::Tick => {}
            Input::Command(command) => self.command(now, command),
            Input::Media(report) => {
                self.calls
                    .report(now, &mut self.desk, &self.devices, report);
            }
        }
    }

    fn poll(&mut self, now: Now) -> Output<Event> {
        loop {
            if let Some(output) = self.desk.outbox.pop_front() {
                return output;
            }
            if self.phase == Phase::Off {
                return Output::Wait(None);
            }
            if let Some(wish) = self.desk.poll(now.mono) {
                match wish {
                    DeskOutput::Do(output) => return output,
                    DeskOutput::Heard(event) => self.heard(now, event),
                    DeskOutput::Broken(flow) => return self.broken(now, flow),
                }
            } else if let Some(timer) = self.desk.timers.pop_due(now.mono) {
                self.timer(now, timer);
            } else {
                self.try_off();
                if self.desk.outbox.is_empty() {
                    return Output::Wait(self.desk.deadline());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{Bench, Puppet, address, config};
    use super::*;
    use crate::media::MediaTransport;
    use crate::sip::Style;

    #[test]
    fn sockets_are_asked_for_at_once_and_listening_is_told_when_both_are_open() {
        let mut platform = Platform::new(Arc::new(config()), 1);
        let now = Now::default();
        let mut flows = Vec::new();
        while let Output::Open { flow, how } = platform.poll(now) {
            flows.push((flow, how.transport()));
        }
        assert_eq!(flows, [(UDP, Transport::Udp), (LISTENER, Transport::Tcp)]);
        for (flow, transport) in flows {
            assert!(matches!(platform.poll(now), Output::Wait(None)));
            let local = address("192.0.2.9:5060");
            let is = Flow {
                transport,
                local,
                remote: None,
            };
            platform.handle(now, Input::Opened { flow, is });
        }
        assert!(matches!(
            platform.poll(now),
            Output::Event(Event::Listening { tcp: Some(_), .. })
        ));
    }

    #[test]
    fn methods_that_are_not_a_devices_are_405_and_options_200() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1).registered(&mut bench);
        for method in [
            Method::Invite,
            Method::Subscribe,
            Method::Notify,
            Method::Info,
        ] {
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

    #[test]
    fn shutdown_ends_every_call_and_then_everything() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1).registered(&mut bench);
        bench.play(&device, MediaTransport::Udp, 1);
        let said = bench.media_open(1, 10_000);
        let ok = device.accept(
            said.request(Method::Invite),
            MediaTransport::Udp,
            "0200000001",
        );
        device.say(&mut bench, ok);
        let said = bench.command(Command::Shutdown);
        let bye = said.request(Method::Bye).clone();
        let register = device.register("3600");
        assert_eq!(device.say(&mut bench, register).statuses(), [503]);
        bench.media_end(1);
        let ok = device.answer(&bye, 200);
        let said = device.say(&mut bench, ok);
        assert!(matches!(
            said.events[..],
            [Event::PlayEnded { .. }, Event::Off]
        ));
        assert_eq!(said.closes, [UDP, LISTENER]);
        assert!(bench.pass(1_000.0).events.is_empty());
    }

    #[test]
    fn a_socket_that_cannot_be_bound_is_told() {
        let mut platform = Platform::new(Arc::new(config()), 1);
        let now = Now::default();
        while let Output::Open { .. } = platform.poll(now) {}
        let why = "in use".to_owned();
        platform.handle(now, Input::Closed { flow: UDP, why });
        let event = platform.poll(now);
        assert!(matches!(event, Output::Event(Event::NotListening { .. })));
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
