//! The device: one camera or recorder as a platform sees it.
//!
//! [`Camera`] is a [`Node`]: it registers, keeps itself alive, answers queries and takes calls,
//! with no socket, clock or chance of its own. What a make does differently stands in its
//! [`Profile`](crate::profile::Profile).

mod call;
mod calls;
mod config;
mod event;
mod heartbeat;
mod invite;
mod line;
mod messages;
mod offer;
mod registration;

use std::sync::Arc;

use crate::media::Report;
use crate::node::{Input, Node, Output};
use crate::sip::{self, Flow, FlowId, Method, Request, Response, Tokens, TransactionId, Transport};
use crate::time::Now;

use calls::{Calls, Incoming};
use heartbeat::{Beat, Pulse};
use line::{Line, LineOutput, Purpose, Timer, Waiting};
use messages::Messages;
use registration::{Outcome, Registration};

pub use config::{Accept, Channel, Config, Heartbeat, PlatformAddress};
pub use event::{CallEnd, CallNumber, Command, Event};

/// The methods a device takes (GB/T 28181-2022 §9.2.3, RFC 3261 §20.5).
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, MESSAGE";
/// The bodies it understands.
const ACCEPT: &str = "application/sdp, Application/MANSCDP+xml, Application/MANSRTSP";

/// One camera or recorder.
///
/// ```text
///  Off ──PowerOn──▶ On ──PowerOff──▶ Leaving (BYE, unregister) ──▶ Off
/// ```
pub struct Camera {
    power: Power,
    line: Line,
    registration: Registration,
    beat: Beat,
    messages: Messages,
    calls: Calls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Power {
    Off,
    On,
    Leaving { unregistered: bool },
}

impl Camera {
    /// A camera that is off. The same seed makes the same choices.
    pub fn new(config: Arc<Config>, seed: u64) -> Self {
        Camera::with_tokens(config, seed, Tokens::seeded(seed))
    }

    /// As [`new`](Self::new), with the source of its tags, branches and Call-IDs given, so that a
    /// recorded conversation can be repeated letter for letter.
    pub fn with_tokens(config: Arc<Config>, seed: u64, tokens: Tokens) -> Self {
        Camera {
            power: Power::Off,
            registration: Registration::new(config.expires),
            beat: Beat::new(config.heartbeat),
            messages: Messages::default(),
            calls: Calls::default(),
            line: Line::new(config, tokens, seed),
        }
    }

    /// What this camera is.
    pub fn config(&self) -> &Config {
        &self.line.config
    }

    /// Whether the platform has accepted its registration.
    pub fn is_registered(&self) -> bool {
        self.registration.is_registered()
    }

    /// How many calls are up.
    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    /// How many media streams are open, those on their way out included.
    pub fn streams(&self) -> usize {
        self.calls.streams()
    }

    /// How many SIP transactions are alive: none, once all is answered and its timers have run.
    pub fn transactions(&self) -> usize {
        self.line.endpoint.len()
    }

    /// What went wrong on the wire, counted.
    pub fn counters(&self) -> &sip::Counters {
        self.line.endpoint.counters()
    }

    fn command(&mut self, now: Now, command: Command) {
        match command {
            Command::PowerOn => self.power_on(),
            Command::PowerOff => self.power_off(now),
            Command::Channel { id, online } => {
                self.calls.set_online(now, &mut self.line, id, online);
            }
            Command::HangUp => self.calls.hang_up_all(now, &mut self.line),
        }
    }

    fn power_on(&mut self) {
        if self.power == Power::Off {
            self.power = Power::On;
            self.registration.return_home(&mut self.line);
            self.registration.restart();
            self.line.reopen();
        }
    }

    fn power_off(&mut self, now: Now) {
        if self.power != Power::On {
            return;
        }
        self.beat.stop(&mut self.line);
        self.messages.clear();
        self.calls.hang_up_all(now, &mut self.line);
        self.line.timers.cancel(&Timer::Reopen);
        self.registration.unregister(now, &mut self.line);
        self.power = Power::Leaving {
            unregistered: false,
        };
    }

    /// Off, once every BYE and the unregistration are over and all media is gone.
    fn try_off(&mut self) {
        let Power::Leaving { unregistered } = self.power else {
            return;
        };
        let busy = self.registration.is_busy() || self.line.is_waiting_for(Purpose::Bye);
        if busy || !self.calls.is_idle() {
            return;
        }
        self.power = Power::Off;
        self.registration.drop_silently(&mut self.line);
        self.line.close();
        self.line.tell(Event::Off { unregistered });
    }

    fn opened(&mut self, now: Now, flow: FlowId, is: Flow) {
        if !self.line.is_current(flow) {
            return;
        }
        self.line.opened(is);
        if self.power == Power::On {
            self.registration.register(now, &mut self.line);
        }
    }

    /// The flow is gone. On TCP that is the platform gone (GB/T 28181-2022 §9.1.1 f).
    fn closed(&mut self, now: Now, flow: FlowId, why: &str) {
        if !self.line.is_current(flow) {
            return;
        }
        self.line.closed();
        let lost = self.platform_lost(now, why);
        if self.power != Power::On {
            return;
        }
        self.registration.return_home(&mut self.line);
        let retry = self.line.jittered(self.line.config.reconnect);
        self.line.set(Timer::Reopen, now.mono + retry);
        if !lost {
            let why = why.to_owned();
            self.line.tell(Event::RegisterFailed { why, retry });
        }
    }

    /// Registration lost: media stops and nobody is told (annex K). Whether there was one.
    fn platform_lost(&mut self, now: Now, why: &str) -> bool {
        self.beat.stop(&mut self.line);
        self.messages.clear();
        self.calls
            .drop_all(now, &mut self.line, CallEnd::PlatformLost);
        let lost = self.registration.drop_silently(&mut self.line);
        if lost {
            let why = why.to_owned();
            self.line.tell(Event::PlatformLost { why });
        }
        lost
    }

    fn timer(&mut self, now: Now, timer: Timer) {
        let line = &mut self.line;
        match timer {
            Timer::Register if self.power == Power::On && line.is_open() => {
                self.registration.register(now, line);
            }
            Timer::Register => {}
            Timer::Keepalive => self.beat.send(now, line),
            Timer::Reopen => line.reopen(),
            Timer::Media(number) => self.calls.retry_media(line, number),
        }
    }

    fn heard(&mut self, now: Now, event: sip::Event) {
        match event {
            sip::Event::Request {
                tx: transaction,
                from,
                request,
                ..
            } => self.request(
                now,
                Incoming {
                    transaction,
                    from,
                    request,
                },
            ),
            sip::Event::Ack { tx, .. } => self.calls.acknowledged(&mut self.line, tx),
            sip::Event::Cancelled { tx } => self.calls.cancelled(now, &mut self.line, tx),
            sip::Event::Unacknowledged { tx } => {
                self.calls.unacknowledged(now, &mut self.line, tx);
            }
            sip::Event::Response { tx, response } => self.response(now, tx, &response),
            sip::Event::Timeout { tx } => self.no_response(now, tx, "no answer"),
            sip::Event::Failed { tx, why } => self.no_response(now, tx, &why.to_string()),
        }
    }

    fn request(&mut self, now: Now, incoming: Incoming) {
        let Incoming {
            transaction,
            from,
            request,
            ..
        } = &incoming;
        let line = &mut self.line;
        let platforms = [&line.platform, &line.config.platform];
        let is_platform = platforms.iter().any(|p| p.address.ip() == from.ip());
        if !line.config.accept.allows(from.ip(), is_platform) {
            tracing::debug!(%from, "a request from a stranger");
            return line.reply(now.mono, *transaction, request, 403);
        }
        match request.method() {
            Method::Invite if self.power == Power::On => self.calls.invite(now, line, incoming),
            Method::Invite => line.reply(now.mono, *transaction, request, 480),
            Method::Bye => self.calls.bye(now, line, &incoming),
            Method::Info => self.calls.info(now, line, &incoming),
            Method::Message => {
                let timing = self.beat.timing;
                self.messages
                    .receive(now, line, &self.calls, timing, incoming);
            }
            Method::Options => self.options(now, *transaction, request),
            _ => {
                let refusal = line.endpoint.answer(request, 405);
                line.respond(now.mono, *transaction, refusal.with_header("Allow", ALLOW));
            }
        }
    }

    /// OPTIONS (RFC 3261 §11): some platforms use it as a ping.
    fn options(&mut self, now: Now, transaction: TransactionId, request: &Request) {
        let line = &mut self.line;
        let contact = line.contact(&line.config.device);
        let response = line
            .endpoint
            .answer(request, 200)
            .with_header("Contact", contact)
            .with_header("Allow", ALLOW)
            .with_header("Accept", ACCEPT);
        line.respond(now.mono, transaction, response);
    }

    /// Of the answers to a request only the final one says something.
    fn response(&mut self, now: Now, tx: TransactionId, response: &Response) {
        if response.status() < 200 {
            return;
        }
        if let Some(sent) = self.line.finished(tx) {
            self.answered(now, (tx, sent), Ok(response));
        }
    }

    fn no_response(&mut self, now: Now, tx: TransactionId, why: &str) {
        if let Some(sent) = self.line.finished(tx) {
            self.answered(now, (tx, sent), Err(why));
        }
    }

    fn answered(
        &mut self,
        now: Now,
        sent: (TransactionId, Waiting),
        answer: Result<&Response, &str>,
    ) {
        let line = &mut self.line;
        match sent.1.purpose {
            Purpose::Register if !self.registration.awaits(sent.0) => {}
            Purpose::Register => {
                let outcome = match answer {
                    Ok(response) => {
                        if let Some(offset) = registration::clock_offset(now, response) {
                            self.messages.clock_offset = offset;
                        }
                        self.registration.answered(now, line, response)
                    }
                    Err(why) => self.registration.unanswered(now, line, why),
                };
                self.registered(now, outcome);
            }
            Purpose::Keepalive => {
                let pulse = self.beat.answered(now, line, sent, answer.ok());
                self.pulse(now, pulse);
            }
            Purpose::Report => self.messages.answered(now, line, sent, answer.ok()),
            Purpose::Bye => {}
        }
    }

    fn registered(&mut self, now: Now, outcome: Outcome) {
        match outcome {
            Outcome::Pending => {}
            // The power went off while the answer was on its way.
            Outcome::Registered { .. } if self.power != Power::On => {
                self.registration.unregister(now, &mut self.line);
            }
            Outcome::Registered { fresh } => {
                if fresh || !self.beat.is_running(&self.line) {
                    self.beat.start(now, &mut self.line);
                }
            }
            Outcome::Redirected => self.follow(now),
            Outcome::Failed { lost, returns } => {
                self.beat.stop(&mut self.line);
                if lost {
                    let why = CallEnd::PlatformLost;
                    self.calls.drop_all(now, &mut self.line, why);
                }
                if returns {
                    self.follow(now);
                }
            }
            Outcome::Unregistered { confirmed } => {
                self.power = Power::Leaving {
                    unregistered: confirmed,
                };
            }
        }
    }

    /// Registers with another platform than before: over UDP on the same socket, over TCP on a new
    /// connection, and calls end with the old one.
    fn follow(&mut self, now: Now) {
        match self.line.config.transport {
            _ if self.power != Power::On => {}
            Transport::Udp => self.registration.register(now, &mut self.line),
            Transport::Tcp => {
                self.beat.stop(&mut self.line);
                let why = CallEnd::PlatformLost;
                self.calls.drop_all(now, &mut self.line, why);
                self.line.reopen();
            }
        }
    }

    fn pulse(&mut self, now: Now, pulse: Pulse) {
        match pulse {
            _ if self.power != Power::On => {}
            Pulse::Steady => {}
            Pulse::Forgotten { again: false } => self.register_again(now),
            Pulse::Forgotten { again: true } => {
                self.beat.stop(&mut self.line);
                let pause = self.line.jittered(self.line.config.retry);
                self.line.set(Timer::Register, now.mono + pause);
            }
            Pulse::Lost => {
                self.platform_lost(now, "keepalives lost");
                self.register_again(now);
            }
        }
    }

    fn register_again(&mut self, now: Now) {
        if self.registration.is_busy() {
            return;
        }
        self.beat.stop(&mut self.line);
        match self.registration.return_home(&mut self.line) {
            true => self.follow(now),
            false => self.registration.register(now, &mut self.line),
        }
    }
}

impl Node for Camera {
    type Command = Command;
    type Event = Event;

    fn handle(&mut self, now: Now, input: Input<Command>) {
        match input {
            Input::Opened { flow, is } => self.opened(now, flow, is),
            Input::Closed { flow, why } => self.closed(now, flow, &why),
            Input::Received { flow, from, bytes } => {
                self.line.endpoint.received(now.mono, flow, from, bytes);
            }
            Input::Tick => {}
            Input::Command(command) => self.command(now, command),
            Input::Media(report) => self.media(now, report),
        }
    }

    fn poll(&mut self, now: Now) -> Output<Event> {
        loop {
            if let Some(output) = self.line.outbox.pop_front() {
                return output;
            }
            if let Some(wish) = self.line.poll(now.mono) {
                match wish {
                    LineOutput::Do(output) => return output,
                    LineOutput::Heard(event) => self.heard(now, event),
                    LineOutput::Broken(flow) => return self.broken(now, flow),
                }
            } else if let Some(timer) = self.line.timers.pop_due(now.mono) {
                self.timer(now, timer);
            } else {
                self.try_off();
                if self.line.outbox.is_empty() {
                    return Output::Wait(self.line.deadline());
                }
            }
        }
    }
}

impl Camera {
    fn media(&mut self, now: Now, report: Report) {
        self.calls.report(now, &mut self.line, report);
    }

    /// The peer sent what is no SIP: the connection is useless.
    fn broken(&mut self, now: Now, flow: FlowId) -> Output<Event> {
        self.closed(now, flow, "the platform sent what is no SIP");
        Output::Close(flow)
    }
}
