//! The server transaction of every method but INVITE and ACK (RFC 3261 §17.2.2).

use bytes::Bytes;

use super::server::{Action, Event};
use super::timing::{GIVE_UP, absorb};
use super::{Clock, Timer};
use crate::sip::Transport;
use crate::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

/// A request that came, and the answer it got.
#[derive(Debug)]
pub struct ServerNonInvite {
    state: State,
    transport: Transport,
    clock: Clock,
    last: Bytes,
}

impl ServerNonInvite {
    /// A transaction whose request came at `now`.
    pub fn start(now: Instant, transport: Transport) -> Self {
        let mut clock = Clock::default();
        clock.arm(Timer::J, now, GIVE_UP);
        ServerNonInvite {
            state: State::Trying,
            transport,
            clock,
            last: Bytes::new(),
        }
    }

    /// The standard waits for the owner without end. Here J also bounds that wait: after 64*T1
    /// the client has given up (its timer F), so an answer would help nobody.
    ///
    /// ```text
    ///                | request: hand to the owner, arm J
    ///                v
    ///          +------------+  request: absorb
    ///     +----|   Trying   |------------------------------- J: abandoned -+
    ///     |    +------------+                                              |
    ///     |          | owner 1xx: send                                     |
    ///     |          v                                                     |
    ///     |    +------------+  request: send last 1xx; owner 1xx: send     |
    ///     |    | Proceeding |------------------------------- J: abandoned -+
    ///     |    +------------+                                              |
    ///     |          | owner 200-699: send, arm J                          |
    ///     |          v                                                     v
    ///     |    +------------+  request: send last final               +------------+
    ///     +--->| Completed  |-------------------- J (at once on TCP) ->| Terminated |
    ///  200-699 +------------+                                         +------------+
    /// ```
    pub fn on(&mut self, now: Instant, event: Event) -> Action {
        match self.state {
            State::Trying => self.trying(now, event),
            State::Proceeding => self.proceeding(now, event),
            State::Completed => self.completed(event),
            State::Terminated => Action::Nothing,
        }
    }

    /// Lets the earliest due timer go off; `None` when none is due.
    pub fn fire(&mut self, now: Instant) -> Option<Action> {
        let timer = self.clock.due(now)?;
        Some(self.on(now, Event::Timer(timer)))
    }

    /// When [`fire`](Self::fire) is due.
    pub fn deadline(&self) -> Option<Instant> {
        self.clock.next()
    }

    /// The last answer sent, if any.
    pub fn last(&self) -> Option<&Bytes> {
        (!self.last.is_empty()).then_some(&self.last)
    }

    /// Whether no final answer was given yet.
    pub fn is_pending(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    /// Whether the transaction can be forgotten.
    pub fn is_terminated(&self) -> bool {
        self.state == State::Terminated
    }

    fn trying(&mut self, now: Instant, event: Event) -> Action {
        match event {
            Event::Request | Event::Ack => Action::Nothing,
            Event::Respond { status, bytes } => self.respond(now, status, bytes),
            Event::Timer(_) => self.abandon(),
        }
    }

    fn proceeding(&mut self, now: Instant, event: Event) -> Action {
        match event {
            Event::Request => Action::Send(self.last.clone()),
            Event::Ack => Action::Nothing,
            Event::Respond { status, bytes } => self.respond(now, status, bytes),
            Event::Timer(_) => self.abandon(),
        }
    }

    fn completed(&mut self, event: Event) -> Action {
        match event {
            Event::Request => Action::Send(self.last.clone()),
            Event::Ack => Action::Nothing,
            Event::Respond { .. } => Action::Refused,
            Event::Timer(_) => {
                self.terminate();
                Action::Nothing
            }
        }
    }

    fn respond(&mut self, now: Instant, status: u16, bytes: Bytes) -> Action {
        self.last = bytes.clone();
        if status < 200 {
            self.state = State::Proceeding;
            return Action::Send(bytes);
        }
        self.state = State::Completed;
        match absorb(self.transport, GIVE_UP) {
            Some(wait) => self.clock.arm(Timer::J, now, wait),
            None => self.terminate(),
        }
        Action::Send(bytes)
    }

    fn abandon(&mut self) -> Action {
        self.terminate();
        Action::Abandoned
    }

    fn terminate(&mut self) {
        self.state = State::Terminated;
        self.clock.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ms, octets, pass};
    use super::*;
    use crate::sip::Transport::{Tcp, Udp};

    fn respond(status: u16, text: &'static str) -> Event {
        Event::Respond {
            status,
            bytes: octets(text),
        }
    }

    fn run(tx: &mut ServerNonInvite, until: u64) -> Vec<(u64, Action)> {
        pass(
            tx,
            ms(until),
            ServerNonInvite::deadline,
            ServerNonInvite::fire,
        )
    }

    #[test]
    fn a_repeated_request_is_absorbed_until_there_is_an_answer() {
        let mut tx = ServerNonInvite::start(ms(0), Udp);
        assert_eq!(tx.on(ms(500), Event::Request), Action::Nothing);
        let sent = Action::Send(octets("182"));
        assert_eq!(tx.on(ms(600), respond(182, "182")), sent);
        assert_eq!(tx.on(ms(1500), Event::Request), sent);
    }

    #[test]
    fn the_final_answer_is_repeated_for_every_request_until_j() {
        let mut tx = ServerNonInvite::start(ms(0), Udp);
        let sent = Action::Send(octets("200"));
        assert_eq!(tx.on(ms(100), respond(200, "200")), sent);
        assert_eq!(tx.on(ms(500), Event::Request), sent);
        assert_eq!(tx.on(ms(32_000), Event::Request), sent);
        assert_eq!(run(&mut tx, 32_099), []);
        assert_eq!(run(&mut tx, 32_100), [(32_100, Action::Nothing)]);
        assert!(tx.is_terminated());
        assert_eq!(tx.on(ms(32_200), Event::Request), Action::Nothing);
    }

    #[test]
    fn on_tcp_j_is_zero() {
        let mut tx = ServerNonInvite::start(ms(0), Tcp);
        assert_eq!(
            tx.on(ms(1), respond(100, "100")),
            Action::Send(octets("100"))
        );
        assert!(!tx.is_terminated());
        assert_eq!(
            tx.on(ms(2), respond(200, "200")),
            Action::Send(octets("200"))
        );
        assert!(tx.is_terminated());
        assert_eq!(tx.deadline(), None);
    }

    #[test]
    fn a_second_final_answer_is_refused() {
        let mut tx = ServerNonInvite::start(ms(0), Udp);
        tx.on(ms(1), respond(200, "200"));
        assert_eq!(tx.on(ms(2), respond(500, "500")), Action::Refused);
        assert_eq!(tx.last(), Some(&octets("200")));
    }

    #[test]
    fn a_request_its_owner_never_answers_is_freed_when_the_client_has_given_up() {
        for transport in [Udp, Tcp] {
            let mut tx = ServerNonInvite::start(ms(0), transport);
            tx.on(ms(10), respond(100, "100"));
            assert_eq!(run(&mut tx, 100_000), [(32_000, Action::Abandoned)]);
            assert!(tx.is_terminated());
        }
    }
}
