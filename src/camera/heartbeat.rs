//! Keepalive: the device's sign of life, and how it learns that the platform is gone
//! (GB/T 28181-2022 §9.6).

use crate::gb28181::manscdp::Keepalive;
use crate::sip::{Method, Response};
use crate::time::Now;

use super::config::{Config, Heartbeat};
use super::event::Event;
use super::line::{Line, Purpose, Timer, Waiting};

/// Counts Keepalives in and out.
pub(super) struct Beat {
    pub timing: Heartbeat,
    in_a_row: u32,
    /// Whether the platform forgot us before it had answered a single Keepalive with 200.
    forgotten: bool,
}

/// What the answer to a Keepalive means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pulse {
    /// Go on.
    Steady,
    /// The platform does not know us (any more): register again, at once the first time and after
    /// the retry pause when that did not help.
    Forgotten { again: bool },
    /// Too many were lost: the platform is off-line.
    Lost,
}

impl Beat {
    pub fn new(timing: Heartbeat) -> Self {
        Beat {
            timing,
            in_a_row: 0,
            forgotten: false,
        }
    }

    /// The first one goes out right after the registration.
    pub fn start(&mut self, now: Now, line: &mut Line) {
        self.in_a_row = 0;
        self.send(now, line);
    }

    pub fn stop(&mut self, line: &mut Line) {
        line.timers.cancel(&Timer::Keepalive);
    }

    pub fn send(&mut self, now: Now, line: &mut Line) {
        line.set(Timer::Keepalive, now.mono + self.timing.interval);
        self.say(now, line, None);
    }

    fn say(&mut self, now: Now, line: &mut Line, authorization: Option<String>) {
        let sn = line.next_sn();
        let Config {
            profile, device, ..
        } = &*line.config;
        let body = profile.manscdp.keepalive(sn, device, &Keepalive::default());
        line.message(now.mono, Purpose::Keepalive, body, authorization);
    }

    /// The final answer to one: a 200, a refusal, or (`None`) none at all.
    pub fn answered(
        &mut self,
        now: Now,
        line: &mut Line,
        sent: Waiting,
        response: Option<&Response>,
    ) -> Pulse {
        match response.map(Response::status) {
            Some(200..=299) => {
                self.in_a_row = 0;
                self.forgotten = false;
                let took = now.mono - sent.since;
                line.tell(Event::Kept { took });
                Pulse::Steady
            }
            Some(401) if !sent.authorized => {
                let credentials = response.and_then(|r| line.authorization(r, Method::Message));
                self.say(now, line, credentials);
                Pulse::Steady
            }
            Some(401 | 403 | 404 | 407 | 481) => {
                self.lost(line);
                let again = std::mem::replace(&mut self.forgotten, true);
                Pulse::Forgotten { again }
            }
            _ => {
                self.lost(line);
                match self.in_a_row >= self.timing.count {
                    true => Pulse::Lost,
                    false => Pulse::Steady,
                }
            }
        }
    }

    fn lost(&mut self, line: &mut Line) {
        self.in_a_row += 1;
        line.tell(Event::KeepaliveLost {
            in_a_row: self.in_a_row,
        });
    }
}
