//! How a camera stands with its platform: registered, sent elsewhere, forgotten, lost, found again
//! (GB/T 28181-2022 §9.1 and §9.6, annex K).

use crate::node::Output;
use crate::sip::{FlowId, Transport};
use crate::time::Now;

use super::event::{CallEnd, Event};
use super::heartbeat::Pulse;
use super::line::Timer;
use super::registration::Outcome;
use super::{Camera, Power};

impl Camera {
    /// The flow is gone. On TCP that is the platform gone (GB/T 28181-2022 §9.1.1 f).
    pub(super) fn closed(&mut self, now: Now, flow: FlowId, why: &str) {
        if !self.line.is_current(flow) {
            return;
        }
        self.line.closed();
        let lost = self.platform_lost(now, why);
        if self.power != Power::On {
            return;
        }
        let call_id = self.registration.call_id().to_owned();
        self.registration.return_home(&mut self.line);
        let retry = self.line.jittered(self.line.config.reconnect);
        self.line.set(Timer::Reopen, now.mono + retry);
        if !lost {
            let why = why.to_owned();
            self.line.tell(Event::RegisterFailed {
                why,
                retry,
                call_id,
            });
        }
    }

    /// Registration lost: media stops and nobody is told (annex K). Whether there was one.
    pub(super) fn platform_lost(&mut self, now: Now, why: &str) -> bool {
        self.drop_all(now);
        let lost = self.registration.drop_silently(&mut self.line);
        if lost {
            let why = why.to_owned();
            self.line.tell(Event::PlatformLost { why });
        }
        lost
    }

    /// Calls, subscriptions and whatever else there was with the platform end without a word: it
    /// cannot hear us.
    fn drop_all(&mut self, now: Now) {
        let line = &mut self.line;
        self.beat.stop(line);
        self.messages.clear();
        self.notices.clear(line);
        self.calls.drop_all(now, line, CallEnd::PlatformLost);
        self.messages.voice.abandon(now, line);
    }

    /// The peer sent what is no SIP: the connection is useless.
    pub(super) fn broken(&mut self, now: Now, flow: FlowId) -> Output<Event> {
        self.closed(now, flow, "the platform sent what is no SIP");
        Output::Close(flow)
    }

    pub(super) fn registered(&mut self, now: Now, outcome: Outcome) {
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
                self.tell_news(now);
            }
            Outcome::Redirected => {
                // Whoever has not accepted us yet hears no Keepalive.
                self.beat.stop(&mut self.line);
                self.follow(now);
            }
            Outcome::Failed { lost, returns } => {
                match lost {
                    true => self.drop_all(now),
                    false => self.beat.stop(&mut self.line),
                }
                if returns {
                    self.follow(now);
                }
            }
            Outcome::Unregistered { confirmed } => match &mut self.power {
                Power::Leaving { unregistered, .. } => *unregistered = confirmed,
                // New basic parameters: it registers as one that has just started.
                Power::On => {
                    self.registration.restart();
                    self.registration.register(now, &mut self.line);
                }
                Power::Off | Power::Booting => {}
            },
        }
    }

    /// Registers with another platform than before, or with one that fell silent: over UDP on the
    /// same socket, over TCP on a new connection, and calls end with the old one.
    pub(super) fn follow(&mut self, now: Now) {
        match self.line.config.transport {
            _ if self.power != Power::On => {}
            Transport::Udp => self.registration.register(now, &mut self.line),
            Transport::Tcp => {
                self.drop_all(now);
                self.line.reopen();
            }
        }
    }

    pub(super) fn pulse(&mut self, now: Now, pulse: Pulse) {
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
                self.registration.return_home(&mut self.line);
                self.follow(now);
            }
        }
    }

    pub(super) fn register_again(&mut self, now: Now) {
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
