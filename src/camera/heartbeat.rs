//! Keepalive: the device's sign of life, and how it learns that the platform is gone
//! (GB/T 28181-2022 §9.6).

use std::time::Duration;

use crate::gb28181::manscdp::Keepalive;
use crate::sip::{Method, Response, TransactionId};
use crate::time::Now;

use super::config::{Config, Heartbeat};
use super::event::Event;
use super::line::{Line, Purpose, Timer, Waiting};

/// Counts Keepalives in and out.
pub(super) struct Beat {
    timing: Heartbeat,
    /// Keepalives whose answers count, with their Call-IDs: not those of an earlier registration.
    sent: Vec<(TransactionId, String)>,
    in_a_row: u32,
    /// Whether the platform forgot us before it had answered a single Keepalive with 200.
    forgotten: bool,
}

/// No two Keepalives follow each other faster, whatever is configured.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

fn bearable(timing: Heartbeat) -> Heartbeat {
    Heartbeat {
        interval: timing.interval.max(SHORTEST_INTERVAL),
        ..timing
    }
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
            timing: bearable(timing),
            sent: Vec::new(),
            in_a_row: 0,
            forgotten: false,
        }
    }

    /// Goes on with another timing.
    pub fn retime(&mut self, now: Now, line: &mut Line, timing: Heartbeat) {
        self.timing = bearable(timing);
        if self.is_running(line) {
            line.set(Timer::Keepalive, now.mono + self.timing.interval);
        }
    }

    /// The first one goes out right after the registration.
    pub fn start(&mut self, now: Now, line: &mut Line) {
        self.in_a_row = 0;
        self.send(now, line);
    }

    /// No more of them, and answers that are still to come say nothing.
    pub fn stop(&mut self, line: &mut Line) {
        self.sent.clear();
        line.timers.cancel(&Timer::Keepalive);
    }

    /// Whether the next one is on the calendar.
    pub fn is_running(&self, line: &Line) -> bool {
        line.timers.deadline(&Timer::Keepalive).is_some()
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
        let sent = line.message(now.mono, Purpose::Keepalive, body, authorization);
        self.sent.push(sent);
    }

    /// The final answer to one: a 200, a refusal, or (`None`) none at all.
    pub fn answered(
        &mut self,
        now: Now,
        line: &mut Line,
        (transaction, sent): (TransactionId, Waiting),
        response: Option<&Response>,
    ) -> Pulse {
        let Some(place) = self.sent.iter().position(|(id, _)| *id == transaction) else {
            return Pulse::Steady;
        };
        let (_, call_id) = self.sent.swap_remove(place);
        let credentials = response
            .filter(|r| r.status() == 401 && !sent.authorized)
            .and_then(|r| line.authorization(r, Method::Message));
        if credentials.is_some() {
            self.say(now, line, credentials);
            return Pulse::Steady;
        }
        match response.map(Response::status) {
            Some(200..=299) => {
                self.in_a_row = 0;
                self.forgotten = false;
                let took = now.mono - sent.since;
                line.tell(Event::Kept { took });
                Pulse::Steady
            }
            Some(401 | 403 | 404 | 407 | 481) => {
                self.lost(line, call_id);
                let again = std::mem::replace(&mut self.forgotten, true);
                Pulse::Forgotten { again }
            }
            _ => {
                self.lost(line, call_id);
                match self.in_a_row >= self.timing.count {
                    true => Pulse::Lost,
                    false => Pulse::Steady,
                }
            }
        }
    }

    fn lost(&mut self, line: &mut Line, call_id: String) {
        self.in_a_row += 1;
        line.tell(Event::KeepaliveLost {
            in_a_row: self.in_a_row,
            call_id,
        });
    }
}
