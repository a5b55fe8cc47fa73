//! The device: one camera or recorder as a platform sees it.
//!
//! [`Camera`] is a [`Node`]: it registers, keeps itself alive, answers queries and takes calls,
//! with no socket, clock or chance of its own. What a make does differently stands in its
//! [`Profile`](crate::profile::Profile).

mod call;
mod calls;
mod catalogue;
mod channels;
mod config;
mod control;
mod credentials;
mod event;
mod factory;
mod granted;
mod head;
mod head_queries;
mod heartbeat;
mod invite;
mod line;
mod messages;
mod notices;
mod offer;
mod orders;
mod osd;
mod playback;
mod power;
mod reboot;
mod record_info;
pub mod recordings;
mod registration;
mod requests;
mod sd_cards;
mod settings;
mod snapshots;
mod standing;
mod streams;
mod subscribing;
mod subscription;
mod talk;
mod tasks;
mod upgrade;
mod voice;
mod watching;

use std::sync::Arc;

use crate::gb28181::manscdp::{
    Alarm, CatalogChange, CatalogEvent, ConfigType, Preset, PtzPosition, Tracking,
};
use crate::gb28181::{DeviceId, Element};
use crate::node::{Input, Node, Output};
use crate::sip::{self, Flow, FlowId, Response, Tokens, TransactionId};
use crate::time::Now;

use calls::{Calls, Incoming};
use heartbeat::Beat;
use line::{Line, LineOutput, Purpose, Timer, Waiting};
use messages::Messages;
use notices::Notices;
use power::Power;
use registration::Registration;
use voice::Voice;

pub use config::{Accept, Channel, Config, Heartbeat, PlatformAddress, Tree};
pub use event::{CallEnd, CallNumber, Command, Event, Heard, Position, VoiceEnd};
pub use recordings::Recordings;

/// One camera or recorder.
///
/// ```text
///  Off ──PowerOn──▶ On ──PowerOff──▶ Leaving (BYE, unregister) ──▶ Off
/// ```
///
/// A PowerOn while it leaves is remembered: it comes up as soon as it was off. The last wish counts.
pub struct Camera {
    power: Power,
    line: Line,
    registration: Registration,
    beat: Beat,
    messages: Messages,
    notices: Notices,
    calls: Calls,
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
            notices: Notices::default(),
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

    /// Whether a channel records since the platform ordered it (RecordCmd).
    pub fn is_recording(&self, channel: &DeviceId) -> bool {
        self.messages.controls.is_recording(channel)
    }

    /// Where a channel's head looks at `now`.
    pub fn looks_at(&self, now: Now, channel: &DeviceId) -> PtzPosition {
        self.messages.controls.head(channel).position(now.mono)
    }

    /// The places that a channel's head knows.
    pub fn presets(&self, channel: &DeviceId) -> Vec<Preset> {
        self.messages.controls.head(channel).presets()
    }

    /// Whether an auxiliary switch of a channel is on; switch 1 is the wiper.
    pub fn is_switched_on(&self, channel: &DeviceId, switch: u8) -> bool {
        self.messages.controls.head(channel).is_on(switch)
    }

    /// Whether a channel follows a target, once the platform has said anything about that
    /// (TargetTrack).
    pub fn tracking(&self, channel: &DeviceId) -> Option<Tracking> {
        self.messages.controls.tracking(channel)
    }

    /// The block of configuration that a platform has written for a channel (DeviceConfig). Basic
    /// parameters take effect in the [`Config`] itself.
    pub fn written(&self, channel: DeviceId, kind: ConfigType) -> Option<&Element> {
        self.messages.settings.written(channel, kind)
    }

    /// How many media streams are open, those on their way out included.
    pub fn streams(&self) -> usize {
        self.calls.streams()
    }

    /// What it hears of the platform's voice at the moment (Broadcast, else Talk), as of the last
    /// second.
    pub fn hears(&self) -> Option<Heard> {
        self.messages.voice.heard().or_else(|| self.calls.heard())
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
            Command::PowerOn => self.switch_on(now),
            Command::PowerOff => self.power_off(now),
            Command::Channel { id, .. } if !self.has(&id) => {}
            Command::Channel { id, online } => {
                self.calls.set_online(now, &mut self.line, id, online);
                let event = match online {
                    true => CatalogEvent::On,
                    false => CatalogEvent::Off,
                };
                self.changed(now, id, event);
            }
            Command::Changed { id, event } => self.changed(now, id, event),
            Command::AddChannel(channel) => self.add_channel(now, *channel),
            Command::RemoveChannel(id) => self.remove_channel(now, id),
            Command::Alarm(alarm) => self.alarm(now, alarm),
            Command::Move(position) => self.notices.moved(position),
            Command::OfferVideo(id) => self.offer_video(now, id),
            Command::HangUp => self.hang_up_all(now),
        }
    }

    /// Whether a code is that of one of its channels.
    fn has(&self, id: &DeviceId) -> bool {
        self.config().channels.iter().any(|c| c.id == *id)
    }

    /// Whoever has subscribed to the catalogue is told, of what is new with all that is known of it.
    fn changed(&mut self, now: Now, id: DeviceId, event: CatalogEvent) {
        if self.subscriptions() == 0 {
            return;
        }
        let change = match event.is_whole() {
            true => CatalogChange {
                item: catalogue::item(&self.line, &self.calls, &id),
                event,
            },
            false => CatalogChange::brief(id, event),
        };
        self.notices.changed(now, &mut self.line, &[change]);
    }

    /// Whether the platform takes what it says by itself.
    fn is_heard(&self) -> bool {
        self.power == Power::On && self.is_registered()
    }

    /// Something happens. While it is off-line, or the input is disarmed, nobody hears of it.
    fn alarm(&mut self, now: Now, alarm: Alarm) {
        let at = alarm.at;
        if !self.is_heard() || !self.messages.controls.raise(&self.line.config, at) {
            return;
        }
        let body = self.notices.alarm(now, &mut self.line, alarm);
        self.messages
            .send(now, &mut self.line, body.into_iter().collect());
        self.line.tell(Event::Alarmed { at });
    }

    /// Asks to be called. While it is off-line, nobody hears of it.
    fn offer_video(&mut self, now: Now, id: DeviceId) {
        if !self.is_heard() || self.config().channel(id.as_str()).is_none() {
            return;
        }
        let wall = self.messages.by_its_clock(now).wall;
        let body = self.notices.video_upload(&mut self.line, id, wall);
        self.messages.send(now, &mut self.line, vec![body]);
        self.line.tell(Event::VideoOffered { id });
    }

    /// How many subscriptions of the platform are alive.
    pub fn subscriptions(&self) -> usize {
        self.notices.len()
    }

    fn hang_up_all(&mut self, now: Now) {
        self.calls.hang_up_all(now, &mut self.line);
        self.messages.voice.hang_up(now, &mut self.line);
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

    fn timer(&mut self, now: Now, timer: Timer) {
        let line = &mut self.line;
        match timer {
            Timer::Register if self.power == Power::On && line.is_open() => match line.doubtful {
                true => self.follow(now),
                false => self.registration.register(now, line),
            },
            Timer::Register => {}
            Timer::Keepalive => self.beat.send(now, line),
            Timer::Leave if self.registration.is_unheard() => {
                self.registration.drop_silently(line);
            }
            Timer::Leave => {}
            Timer::Boot => self.booted(),
            Timer::Settle => self.settle(now),
            Timer::Snapshot(number) => {
                let wall = self.messages.by_its_clock(now).wall;
                self.messages.tasks.snapshot(now, line, wall, number);
            }
            Timer::Reopen => line.reopen(),
            Timer::Subscriptions => {
                let now = self.messages.by_its_clock(now);
                self.notices.due(now, line, &self.messages.controls);
            }
            Timer::Drained(number) => self.calls.outstayed(now, line, number),
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
            sip::Event::Ack { tx, .. } => self.calls.acknowledged(now, &mut self.line, tx),
            sip::Event::Cancelled { tx } => self.calls.cancelled(now, &mut self.line, tx),
            sip::Event::Unacknowledged { tx } => {
                self.calls.unacknowledged(now, &mut self.line, tx);
            }
            sip::Event::Response { tx, response } => self.response(now, tx, &response),
            sip::Event::Timeout { tx } => self.no_response(now, tx, "no answer"),
            sip::Event::Failed { tx, why } => self.no_response(now, tx, &why.to_string()),
        }
    }

    /// Of the answers to a request only the final one says something.
    fn response(&mut self, now: Now, tx: TransactionId, response: &Response) {
        if response.status() < 200 || self.messages.voice.acknowledge_again(&mut self.line, tx) {
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
                        if let Some(offset) = granted::clock_offset(now, response) {
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
            Purpose::Notify(number) => {
                let status = answer.ok().map(Response::status);
                self.notices.notified(now, line, number, status);
            }
            Purpose::Voice => self.messages.voice.answered(now, line, sent.0, answer),
            Purpose::Report => self.messages.answered(now, line, sent, answer.ok()),
            Purpose::Bye | Purpose::Farewell | Purpose::MediaStatus => {}
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
            Input::Message {
                flow,
                from,
                message,
            } => {
                let endpoint = &mut self.line.endpoint;
                endpoint.received_message(now.mono, flow, from, message);
            }
            Input::Tick => {}
            Input::Command(command) => self.command(now, command),
            Input::Media(report) if Voice::owns(&report) => {
                self.messages.voice.report(now, &mut self.line, report);
            }
            Input::Media(report) => self.calls.report(now, &mut self.line, report),
            Input::Job { id, outcome } => self.job_done(now, id, outcome),
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
                self.try_off(now);
                if self.line.outbox.is_empty() {
                    self.line.rest();
                    return Output::Wait(self.line.deadline());
                }
            }
        }
    }
}
