//! The client transaction of every method but INVITE and ACK (RFC 3261 §17.1.2).

use std::time::Duration;

use bytes::Bytes;

use super::client::{Action, Event};
use super::timing::{GIVE_UP, T1, T2, T4, absorb, doubled};
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

/// A request that waits for its answer.
#[derive(Debug)]
pub struct ClientNonInvite {
    state: State,
    transport: Transport,
    clock: Clock,
    interval: Duration,
    request: Bytes,
}

impl ClientNonInvite {
    /// A transaction whose `request` is being sent at `now`.
    pub fn start(now: Instant, transport: Transport, request: Bytes) -> Self {
        let mut clock = Clock::default();
        clock.arm(Timer::F, now, GIVE_UP);
        if transport == Transport::Udp {
            clock.arm(Timer::E, now, T1);
        }
        ClientNonInvite {
            state: State::Trying,
            transport,
            clock,
            interval: T1,
            request,
        }
    }

    /// ```text
    ///                | request: send, arm E (UDP) and F
    ///                v
    ///          +------------+  E: send, E = min(2E, T2)
    ///     +----|   Trying   |  F: timed out ------------------------+
    ///     |    +------------+                                       |
    ///     |          | 1xx: deliver                                 |
    ///     |          v                                              |
    ///     |    +------------+  1xx: deliver; E: send, E = T2        |
    ///     |    | Proceeding |  F: timed out ------------------------+
    ///     |    +------------+                                       |
    ///     |          | 200-699: deliver                             |
    ///     |          v                                              v
    ///     |    +------------+  any answer: absorb              +------------+
    ///     +--->| Completed  |------------- K (at once on TCP) ->| Terminated |
    ///  200-699 +------------+                                  +------------+
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

    /// Whether an answer is still waited for.
    pub fn is_pending(&self) -> bool {
        matches!(self.state, State::Trying | State::Proceeding)
    }

    /// Whether the transaction can be forgotten.
    pub fn is_terminated(&self) -> bool {
        self.state == State::Terminated
    }

    fn trying(&mut self, now: Instant, event: Event) -> Action {
        match event {
            Event::Response(100..200) => {
                self.state = State::Proceeding;
                Action::Deliver
            }
            Event::Response(_) => self.complete(now),
            Event::Timer(Timer::E) => self.repeat(now, doubled(self.interval)),
            Event::Timer(Timer::F) => self.time_out(),
            Event::Cancel | Event::Timer(_) => Action::Nothing,
        }
    }

    fn proceeding(&mut self, now: Instant, event: Event) -> Action {
        match event {
            Event::Response(100..200) => Action::Deliver,
            Event::Response(_) => self.complete(now),
            Event::Timer(Timer::E) => self.repeat(now, T2),
            Event::Timer(Timer::F) => self.time_out(),
            Event::Cancel | Event::Timer(_) => Action::Nothing,
        }
    }

    fn completed(&mut self, event: Event) -> Action {
        if event == Event::Timer(Timer::K) {
            self.terminate();
        }
        Action::Nothing
    }

    fn repeat(&mut self, now: Instant, next: Duration) -> Action {
        self.interval = next;
        self.clock.arm(Timer::E, now, next);
        Action::Send(self.request.clone())
    }

    fn complete(&mut self, now: Instant) -> Action {
        self.state = State::Completed;
        self.clock.clear();
        self.request = Bytes::new();
        match absorb(self.transport, T4) {
            Some(wait) => self.clock.arm(Timer::K, now, wait),
            None => self.terminate(),
        }
        Action::Deliver
    }

    fn time_out(&mut self) -> Action {
        self.terminate();
        Action::TimedOut
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

    fn start(transport: Transport) -> ClientNonInvite {
        ClientNonInvite::start(ms(0), transport, octets("REGISTER"))
    }

    fn run(tx: &mut ClientNonInvite, until: u64) -> Vec<(u64, Action)> {
        pass(
            tx,
            ms(until),
            ClientNonInvite::deadline,
            ClientNonInvite::fire,
        )
    }

    fn sent_at(times: &[u64]) -> Vec<(u64, Action)> {
        let send = || Action::Send(octets("REGISTER"));
        times.iter().map(|at| (*at, send())).collect()
    }

    #[test]
    fn on_udp_e_doubles_up_to_t2_and_f_gives_up_after_64_t1() {
        let mut tx = start(Udp);
        let mut expected = sent_at(&[
            500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
        ]);
        expected.push((32_000, Action::TimedOut));
        assert_eq!(run(&mut tx, 100_000), expected);
        assert!(tx.is_terminated());
    }

    #[test]
    fn on_tcp_nothing_is_repeated_and_f_gives_up_after_64_t1() {
        let mut tx = start(Tcp);
        assert_eq!(run(&mut tx, 100_000), [(32_000, Action::TimedOut)]);
        assert!(tx.is_terminated());
    }

    #[test]
    fn a_provisional_answer_slows_e_to_t2_and_leaves_f_alone() {
        let mut tx = start(Udp);
        assert_eq!(run(&mut tx, 600), sent_at(&[500]));
        assert_eq!(tx.on(ms(600), Event::Response(100)), Action::Deliver);
        let mut expected = sent_at(&[1500, 5500, 9500, 13_500, 17_500, 21_500, 25_500, 29_500]);
        expected.push((32_000, Action::TimedOut));
        assert_eq!(run(&mut tx, 100_000), expected);
    }

    #[test]
    fn every_provisional_answer_is_delivered_and_the_first_final_one() {
        let mut tx = start(Udp);
        assert_eq!(tx.on(ms(10), Event::Response(100)), Action::Deliver);
        assert_eq!(tx.on(ms(20), Event::Response(182)), Action::Deliver);
        assert_eq!(tx.on(ms(30), Event::Response(200)), Action::Deliver);
        assert_eq!(tx.on(ms(40), Event::Response(200)), Action::Nothing);
        assert_eq!(tx.on(ms(50), Event::Response(100)), Action::Nothing);
    }

    #[test]
    fn every_final_class_completes() {
        for status in [200, 302, 401, 503, 603] {
            let mut tx = start(Udp);
            assert_eq!(tx.on(ms(10), Event::Response(status)), Action::Deliver);
            assert!(!tx.is_pending());
        }
    }

    #[test]
    fn k_absorbs_repeated_answers_for_t4_on_udp_and_not_at_all_on_tcp() {
        let mut udp = start(Udp);
        udp.on(ms(10), Event::Response(200));
        assert_eq!(run(&mut udp, 5009), []);
        assert!(!udp.is_terminated());
        assert_eq!(run(&mut udp, 5010), [(5010, Action::Nothing)]);
        assert!(udp.is_terminated());

        let mut tcp = start(Tcp);
        assert_eq!(tcp.on(ms(10), Event::Response(200)), Action::Deliver);
        assert!(tcp.is_terminated());
        assert_eq!(tcp.deadline(), None);
    }
}
