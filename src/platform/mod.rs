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
mod hearing;
mod inviting;
mod leaving;
mod messages;
mod orders;
mod presence;
mod queries;
mod questions;
mod record_list;
mod registrar;
mod speeches;
mod ssrcs;
mod steering;
mod streams;
mod strict;
mod subscriptions;
mod talk;
mod terms;
#[cfg(test)]
mod testing;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::Broadcast;
use crate::media::Expected;
use crate::node::{Input, Node, Open, Output};
use crate::sip::{self, Flow, FlowId, Headers, Tokens, Transport};
use crate::time::Now;

use calls::{Calls, Wish};
use desk::{Desk, DeskOutput, Timer};
use devices::Devices;
use queries::Queries;
use registrar::Registrar;
use speeches::Speeches;
use subscriptions::Subscriptions;

pub use complaint::{Complaint, Deviation, Tally};
pub use config::{Config, Heartbeat, Passwords, RegistrationPolicy};
pub use event::{
    Absence, AskId, Command, Event, Notice, PlayEnd, PlayFailure, PlayId, Showing, SpeechEnd,
};
pub use orders::Order;
pub use questions::{Answer, AskFailure, ConfigAnswer, Query};

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
    subscriptions: Subscriptions,
    calls: Calls,
    speeches: Speeches,
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
            subscriptions: Subscriptions::default(),
            speeches: Speeches::default(),
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

    /// How many subscriptions to devices are alive.
    pub fn subscriptions(&self) -> usize {
        self.subscriptions.len()
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
            Command::Order {
                device,
                about,
                what,
                ask,
            } => {
                let about = about.unwrap_or(device);
                self.queries
                    .order(now, desk, devices, device, (about, &what), ask);
            }
            Command::Ping { device, ask } => queries::ping(now, desk, devices, device, ask),
            Command::Play { play, .. } | Command::Talk { play, .. }
                if self.phase == Phase::Leaving =>
            {
                let why = PlayFailure::ShuttingDown;
                desk.tell(Event::PlayRefused { play, why });
            }
            Command::Play {
                device,
                channel,
                transport,
                stream,
                showing,
                expected,
                play,
            } => {
                let wish = Wish {
                    device,
                    channel,
                    transport,
                    stream,
                    showing,
                    expected,
                    voice: None,
                    play,
                };
                self.calls.play(desk, devices, wish);
            }
            Command::Talk {
                device,
                channel,
                transport,
                voice,
                record,
                play,
            } => {
                let wish = Wish {
                    device,
                    channel,
                    transport,
                    stream: 0,
                    showing: Showing::Talk,
                    expected: Arc::new(Expected {
                        record,
                        ..Expected::default()
                    }),
                    voice: Some(voice),
                    play,
                };
                self.calls.play(desk, devices, wish);
            }
            Command::Subscribe {
                device,
                about,
                topic,
                lifetime,
                ask,
            } => {
                let wish = subscriptions::Wish {
                    device,
                    about,
                    topic,
                    lifetime,
                    ask,
                };
                self.subscriptions.subscribe(now, desk, devices, wish);
            }
            Command::Speak {
                device,
                target,
                voice,
                ask,
            } => {
                let source = desk.config.id;
                let what = Order::Broadcast(Broadcast { source, target });
                if devices.online(&device).is_some() && self.phase != Phase::Leaving {
                    let wish = speeches::Wish {
                        device,
                        target,
                        voice,
                        ask,
                    };
                    self.speeches.expect(now, desk, wish);
                }
                self.queries
                    .order(now, desk, devices, device, (target, &what), ask);
            }
            Command::Hush { ask } => self.speeches.hush(now, desk, ask),
            Command::Steer { play, command, ask } => {
                self.calls.steer(now, desk, play, command, ask);
            }
            Command::Stop { play } => self.calls.stop(now, desk, play),
            Command::Shutdown => {
                self.calls.stop_all(now, desk);
                self.speeches.hush_all(now, desk);
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
            self.device_gone(now, &device);
        }
    }

    fn timer(&mut self, now: Now, timer: Timer) {
        let (desk, devices) = (&mut self.desk, &mut self.devices);
        let gone = match timer {
            Timer::Ask(sn) => return self.queries.timeout(desk, sn),
            Timer::Call(play) => return self.calls.timeout(now, desk, play),
            Timer::Speech(ask) => return self.speeches.timeout(now, desk, ask),
            Timer::Refresh(number) => {
                return self.subscriptions.refresh(now, desk, devices, number);
            }
            Timer::Silence(device) => {
                presence::silent(desk, devices, device);
                device
            }
            Timer::Expiry(device) => {
                presence::expired(desk, devices, device);
                device
            }
        };
        self.device_gone(now, &gone);
    }

    /// What a device took part in is over.
    fn device_gone(&mut self, now: Now, device: &DeviceId) {
        let desk = &mut self.desk;
        self.subscriptions.device_gone(desk, device);
        self.speeches.device_gone(desk, device);
        self.calls.device_gone(now, desk, device);
    }

    /// Off, once every call is wholly over.
    fn try_off(&mut self) {
        if self.phase != Phase::Leaving || self.calls.len() + self.speeches.len() > 0 {
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
            Input::Message {
                flow,
                from,
                message,
            } => {
                let endpoint = &mut self.desk.endpoint;
                endpoint.received_message(now.mono, flow, from, message);
            }
            Input::Tick | Input::Job { .. } => {}
            Input::Command(command) => self.command(now, command),
            Input::Media(report) if Speeches::own(&report) => {
                self.speeches.report(now, &mut self.desk, report);
            }
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
    use crate::sip::Method;

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
}
