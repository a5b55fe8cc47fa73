//! The server INVITE transaction (RFC 3261 §17.2.1, with the accepted state of RFC 6026).

use std::time::Duration;

use bytes::Bytes;

use super::server::{Action, Event};
use super::timing::{GIVE_UP, PROCEEDING, T1, T4, TRYING_AFTER, absorb, doubled};
use super::{Clock, Timer};
use crate::sip::Transport;
use crate::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Proceeding,
    Completed,
    Confirmed,
    Accepted { acknowledged: bool },
    Terminated,
}

/// A call made to us.
#[derive(Debug)]
pub struct ServerInvite {
    state: State,
    transport: Transport,
    clock: Clock,
    interval: Duration,
    last: Bytes,
}

impl ServerInvite {
    /// A transaction whose INVITE came at `now`.
    pub fn start(now: Instant, transport: Transport) -> Self {
        let mut clock = Clock::default();
        clock.arm(Timer::Trying, now, TRYING_AFTER);
        clock.arm(Timer::C, now, PROCEEDING);
        ServerInvite {
            state: State::Proceeding,
            transport,
            clock,
            interval: T1,
            last: Bytes::new(),
        }
    }

    /// The 2xx is repeated here, not by the owner (RFC 3261 §13.3.1.4), on TCP as well. Once it
    /// is acknowledged, late copies of the INVITE and of the ACK are absorbed in silence.
    ///
    /// ```text
    ///                | INVITE: hand to the owner, arm Trying (200 ms) and C
    ///                v
    ///          +------------+  Trying: 100; INVITE: send last 1xx; owner 1xx: send, arm C
    ///     +----| Proceeding |-------------------------------------- C: abandoned ---+
    ///     |    +------------+                                                       |
    ///     |          | owner 300-699: send, arm G (UDP) and H                       |
    ///     |          v                                                              |
    ///     |    +------------+  G: send, G = min(2G, T2); INVITE: send               |
    ///     |    | Completed  |--------------------------------- H: unacknowledged ---+
    ///     |    +------------+                                                       |
    ///     |          | ACK                                                          |
    ///     |          v                                                              |
    ///     |    +------------+  INVITE, ACK: absorb                                  |
    ///     |    | Confirmed  |------------------------------- I (at once on TCP) ----+
    ///     |    +------------+                                                       |
    ///     |                                                                         v
    ///     |    +------------+  G: send, G = min(2G, T2); INVITE: send      +------------+
    ///     +--->|  Accepted  |  first ACK: deliver, disarm G               | Terminated |
    ///      2xx +------------+-------- L (unacknowledged without ACK) ----->+------------+
    /// ```
    pub fn on(&mut self, now: Instant, event: Event) -> Action {
        match self.state {
            State::Proceeding => self.proceeding(now, event),
            State::Completed => self.completed(now, event),
            State::Confirmed => self.confirmed(event),
            State::Accepted { acknowledged } => self.accepted(now, event, acknowledged),
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
        self.state == State::Proceeding
    }

    /// Whether a final answer went out and its ACK has not come.
    pub fn awaits_ack(&self) -> bool {
        matches!(
            self.state,
            State::Completed
                | State::Accepted {
                    acknowledged: false
                }
        )
    }

    /// Whether the transaction can be forgotten.
    pub fn is_terminated(&self) -> bool {
        self.state == State::Terminated
    }

    fn proceeding(&mut self, now: Instant, event: Event) -> Action {
        match event {
            Event::Request if self.last.is_empty() => Action::Nothing,
            Event::Request => Action::Send(self.last.clone()),
            Event::Respond { status, bytes } => self.respond(now, status, bytes),
            Event::Timer(Timer::Trying) => Action::Trying,
            Event::Timer(Timer::C) => {
                self.terminate();
                Action::Abandoned
            }
            Event::Ack | Event::Timer(_) => Action::Nothing,
        }
    }

    fn completed(&mut self, now: Instant, event: Event) -> Action {
        match event {
            Event::Request => Action::Send(self.last.clone()),
            Event::Ack => self.confirm(now),
            Event::Respond { .. } => Action::Refused,
            Event::Timer(Timer::G) => self.repeat(now),
            Event::Timer(Timer::H) => {
                self.terminate();
                Action::Unacknowledged
            }
            Event::Timer(_) => Action::Nothing,
        }
    }

    fn confirmed(&mut self, event: Event) -> Action {
        match event {
            Event::Respond { .. } => Action::Refused,
            Event::Timer(Timer::I) => {
                self.terminate();
                Action::Nothing
            }
            Event::Request | Event::Ack | Event::Timer(_) => Action::Nothing,
        }
    }

    fn accepted(&mut self, now: Instant, event: Event, acknowledged: bool) -> Action {
        match event {
            Event::Respond { .. } => Action::Refused,
            Event::Timer(Timer::L) => {
                self.terminate();
                match acknowledged {
                    true => Action::Nothing,
                    false => Action::Unacknowledged,
                }
            }
            Event::Request | Event::Ack | Event::Timer(_) if acknowledged => Action::Nothing,
            Event::Request => Action::Send(self.last.clone()),
            Event::Ack => {
                self.state = State::Accepted { acknowledged: true };
                self.clock.disarm(Timer::G);
                Action::DeliverAck
            }
            Event::Timer(Timer::G) => self.repeat(now),
            Event::Timer(_) => Action::Nothing,
        }
    }

    fn respond(&mut self, now: Instant, status: u16, bytes: Bytes) -> Action {
        self.last = bytes.clone();
        match status {
            ..200 => {
                self.clock.disarm(Timer::Trying);
                self.clock.arm(Timer::C, now, PROCEEDING);
            }
            200..300 => self.accept(now),
            300.. => self.complete(now),
        }
        Action::Send(bytes)
    }

    fn accept(&mut self, now: Instant) {
        self.state = State::Accepted {
            acknowledged: false,
        };
        self.clock.clear();
        self.clock.arm(Timer::G, now, self.interval);
        self.clock.arm(Timer::L, now, GIVE_UP);
    }

    fn complete(&mut self, now: Instant) {
        self.state = State::Completed;
        self.clock.clear();
        self.clock.arm(Timer::H, now, GIVE_UP);
        if self.transport == Transport::Udp {
            self.clock.arm(Timer::G, now, self.interval);
        }
    }

    fn confirm(&mut self, now: Instant) -> Action {
        self.state = State::Confirmed;
        self.clock.clear();
        match absorb(self.transport, T4) {
            Some(wait) => self.clock.arm(Timer::I, now, wait),
            None => self.terminate(),
        }
        Action::Nothing
    }

    fn repeat(&mut self, now: Instant) -> Action {
        self.interval = doubled(self.interval);
        self.clock.arm(Timer::G, now, self.interval);
        Action::Send(self.last.clone())
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

    const REPEATS: [u64; 10] = [
        500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
    ];

    fn answered(transport: Transport, status: u16) -> ServerInvite {
        let mut tx = ServerInvite::start(ms(0), transport);
        let action = tx.on(ms(0), respond(status, "final"));
        assert_eq!(action, Action::Send(octets("final")));
        tx
    }

    fn respond(status: u16, text: &'static str) -> Event {
        Event::Respond {
            status,
            bytes: octets(text),
        }
    }

    fn run(tx: &mut ServerInvite, until: u64) -> Vec<(u64, Action)> {
        pass(tx, ms(until), ServerInvite::deadline, ServerInvite::fire)
    }

    fn repeats_then_unacknowledged() -> Vec<(u64, Action)> {
        let mut log: Vec<_> = REPEATS.map(|at| (at, Action::Send(octets("final")))).into();
        log.push((32_000, Action::Unacknowledged));
        log
    }

    #[test]
    fn an_owner_that_hesitates_is_stood_in_for_with_a_100_after_200_ms() {
        let mut tx = ServerInvite::start(ms(0), Udp);
        assert_eq!(tx.on(ms(100), Event::Request), Action::Nothing);
        assert_eq!(run(&mut tx, 1000), [(200, Action::Trying)]);
        let mut prompt = ServerInvite::start(ms(0), Udp);
        prompt.on(ms(100), respond(101, "101"));
        assert_eq!(run(&mut prompt, 1000), []);
    }

    #[test]
    fn a_repeated_invite_gets_the_last_provisional_answer() {
        let mut tx = ServerInvite::start(ms(0), Udp);
        tx.on(ms(0), respond(100, "100"));
        tx.on(ms(1), respond(101, "101"));
        assert_eq!(tx.on(ms(500), Event::Request), Action::Send(octets("101")));
    }

    #[test]
    fn a_2xx_is_repeated_on_both_transports_until_64_t1_have_passed() {
        for transport in [Udp, Tcp] {
            let mut tx = answered(transport, 200);
            assert_eq!(run(&mut tx, 100_000), repeats_then_unacknowledged());
            assert!(tx.is_terminated());
        }
    }

    #[test]
    fn the_ack_of_a_2xx_is_delivered_once_and_stops_the_repeats() {
        let mut tx = answered(Udp, 200);
        assert_eq!(run(&mut tx, 600).len(), 1);
        assert_eq!(tx.on(ms(600), Event::Ack), Action::DeliverAck);
        assert_eq!(tx.on(ms(610), Event::Ack), Action::Nothing);
        assert_eq!(tx.on(ms(620), Event::Request), Action::Nothing);
        assert_eq!(run(&mut tx, 100_000), [(32_000, Action::Nothing)]);
        assert!(tx.is_terminated());
    }

    #[test]
    fn a_repeated_invite_gets_the_2xx_again_while_it_is_not_acknowledged() {
        let mut tx = answered(Udp, 200);
        assert_eq!(
            tx.on(ms(100), Event::Request),
            Action::Send(octets("final"))
        );
    }

    #[test]
    fn a_non_2xx_is_repeated_by_g_on_udp_and_given_up_by_h() {
        for status in [302, 486, 503, 603] {
            let mut tx = answered(Udp, status);
            assert_eq!(run(&mut tx, 100_000), repeats_then_unacknowledged());
            assert!(tx.is_terminated());
        }
    }

    #[test]
    fn a_non_2xx_is_not_repeated_on_tcp_but_h_still_counts() {
        let mut tx = answered(Tcp, 486);
        assert_eq!(run(&mut tx, 100_000), [(32_000, Action::Unacknowledged)]);
        assert!(tx.is_terminated());
    }

    #[test]
    fn a_repeated_invite_gets_the_non_2xx_again() {
        let mut tx = answered(Udp, 486);
        assert_eq!(
            tx.on(ms(100), Event::Request),
            Action::Send(octets("final"))
        );
    }

    #[test]
    fn i_absorbs_acks_and_invites_for_t4_on_udp_and_not_at_all_on_tcp() {
        let mut udp = answered(Udp, 486);
        assert_eq!(udp.on(ms(100), Event::Ack), Action::Nothing);
        assert_eq!(udp.on(ms(200), Event::Ack), Action::Nothing);
        assert_eq!(udp.on(ms(200), Event::Request), Action::Nothing);
        assert_eq!(run(&mut udp, 5099), []);
        assert_eq!(run(&mut udp, 5100), [(5100, Action::Nothing)]);
        assert!(udp.is_terminated());

        let mut tcp = answered(Tcp, 486);
        tcp.on(ms(100), Event::Ack);
        assert!(tcp.is_terminated());
        assert_eq!(tcp.deadline(), None);
    }

    #[test]
    fn a_second_final_answer_is_refused() {
        for status in [200, 486] {
            let mut tx = answered(Udp, status);
            assert_eq!(tx.on(ms(1), respond(487, "late")), Action::Refused);
            assert_eq!(tx.last(), Some(&octets("final")));
        }
    }

    #[test]
    fn a_call_its_owner_never_answers_is_freed_by_c() {
        let mut tx = ServerInvite::start(ms(0), Udp);
        tx.on(ms(10_000), respond(180, "180"));
        assert_eq!(run(&mut tx, 300_000), [(191_000, Action::Abandoned)]);
        assert!(tx.is_terminated());
    }
}
