//! The client INVITE transaction (RFC 3261 §17.1.1, with the accepted state of RFC 6026).

use std::time::Duration;

use bytes::Bytes;

use super::client::{Action, Event};
use super::timing::{GIVE_UP, PROCEEDING, T1, absorb};
use super::{Clock, Timer};
use crate::sip::Transport;
use crate::time::Instant;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Calling,
    Proceeding,
    Completed,
    Accepted,
    Terminated,
}

/// How far a wish to cancel has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cancel {
    No,
    Wanted,
    Sent,
}

/// A call we make.
#[derive(Debug)]
pub struct ClientInvite {
    state: State,
    transport: Transport,
    clock: Clock,
    interval: Duration,
    cancel: Cancel,
    repeat: Bytes,
}

impl ClientInvite {
    /// A transaction whose INVITE, `request`, is being sent at `now`.
    pub fn start(now: Instant, transport: Transport, request: Bytes) -> Self {
        let mut clock = Clock::default();
        clock.arm(Timer::B, now, GIVE_UP);
        if transport == Transport::Udp {
            clock.arm(Timer::A, now, T1);
        }
        ClientInvite {
            state: State::Calling,
            transport,
            clock,
            interval: T1,
            cancel: Cancel::No,
            repeat: request,
        }
    }

    /// A CANCEL may only follow a provisional answer (RFC 3261 §9.1): wished earlier, it waits.
    /// Timer C bounds the proceeding state, 64*T1 after a CANCEL.
    ///
    /// ```text
    ///                  | INVITE: send, arm A (UDP) and B
    ///                  v
    ///            +------------+  A: send, A doubles
    ///      +-----|  Calling   |------------------------- B: timed out ------+
    ///      |     +------------+                                             |
    ///      |           | 1xx: deliver, send a wished CANCEL, arm C          |
    ///      |           v                                                    |
    ///      |     +------------+  1xx: deliver, arm C                        |
    ///      |     | Proceeding |------------------------- C: timed out ------+
    ///      |     +------------+  cancel: send CANCEL, C = 64*T1             |
    ///      |           |                                                    |
    ///      +-----------+                                                    |
    ///      | 300-699: ACK, deliver    +-----------+  300-699: ACK again     |
    ///      +------------------------->| Completed |-- D (at once on TCP) ---+
    ///      |                          +-----------+                         v
    ///      | 2xx: deliver             +-----------+  2xx: deliver    +------------+
    ///      +------------------------->| Accepted  |-- M ------------>| Terminated |
    ///                                 +-----------+                  +------------+
    /// ```
    pub fn on(&mut self, now: Instant, event: Event) -> Action {
        match self.state {
            State::Calling => self.calling(now, event),
            State::Proceeding => self.proceeding(now, event),
            State::Completed => self.completed(event),
            State::Accepted => self.accepted(event),
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

    /// Keeps the ACK that answers the final answer, for its repetitions.
    pub fn keep_ack(&mut self, ack: Bytes) {
        self.repeat = ack;
    }

    /// Whether a final answer is still waited for.
    pub fn is_pending(&self) -> bool {
        matches!(self.state, State::Calling | State::Proceeding)
    }

    /// Whether the transaction can be forgotten.
    pub fn is_terminated(&self) -> bool {
        self.state == State::Terminated
    }

    fn calling(&mut self, now: Instant, event: Event) -> Action {
        match event {
            Event::Response(100..200) => self.proceed(now),
            Event::Response(status) => self.finish(now, status),
            Event::Cancel => {
                self.cancel = Cancel::Wanted;
                Action::Nothing
            }
            Event::Timer(Timer::A) => {
                self.interval *= 2;
                self.clock.arm(Timer::A, now, self.interval);
                Action::Send(self.repeat.clone())
            }
            Event::Timer(Timer::B) => self.time_out(),
            Event::Timer(_) => Action::Nothing,
        }
    }

    fn proceeding(&mut self, now: Instant, event: Event) -> Action {
        match event {
            Event::Response(100..200) if self.cancel == Cancel::Sent => Action::Deliver,
            Event::Response(100..200) => {
                self.clock.arm(Timer::C, now, PROCEEDING);
                Action::Deliver
            }
            Event::Response(status) => self.finish(now, status),
            Event::Cancel if self.cancel == Cancel::Sent => Action::Nothing,
            Event::Cancel => {
                self.cancelled(now);
                Action::Cancel
            }
            Event::Timer(Timer::C) => self.time_out(),
            Event::Timer(_) => Action::Nothing,
        }
    }

    fn completed(&mut self, event: Event) -> Action {
        match event {
            Event::Response(300..700) => Action::Send(self.repeat.clone()),
            Event::Timer(Timer::D) => self.terminate(),
            Event::Response(_) | Event::Cancel | Event::Timer(_) => Action::Nothing,
        }
    }

    fn accepted(&mut self, event: Event) -> Action {
        match event {
            Event::Response(200..300) => Action::Deliver,
            Event::Timer(Timer::M) => self.terminate(),
            Event::Response(_) | Event::Cancel | Event::Timer(_) => Action::Nothing,
        }
    }

    fn proceed(&mut self, now: Instant) -> Action {
        self.state = State::Proceeding;
        self.clock.clear();
        if self.cancel == Cancel::Wanted {
            self.cancelled(now);
            return Action::DeliverAndCancel;
        }
        self.clock.arm(Timer::C, now, PROCEEDING);
        Action::Deliver
    }

    fn cancelled(&mut self, now: Instant) {
        self.cancel = Cancel::Sent;
        self.clock.arm(Timer::C, now, GIVE_UP);
    }

    fn finish(&mut self, now: Instant, status: u16) -> Action {
        self.clock.clear();
        self.repeat = Bytes::new();
        if status < 300 {
            self.state = State::Accepted;
            self.clock.arm(Timer::M, now, GIVE_UP);
            return Action::Deliver;
        }
        self.state = State::Completed;
        match absorb(self.transport, GIVE_UP) {
            Some(wait) => self.clock.arm(Timer::D, now, wait),
            None => self.state = State::Terminated,
        }
        Action::DeliverAndAck
    }

    fn time_out(&mut self) -> Action {
        self.terminate();
        Action::TimedOut
    }

    fn terminate(&mut self) -> Action {
        self.state = State::Terminated;
        self.clock.clear();
        Action::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ms, octets, pass};
    use super::*;
    use crate::sip::Transport::{Tcp, Udp};

    fn start(transport: Transport) -> ClientInvite {
        ClientInvite::start(ms(0), transport, octets("INVITE"))
    }

    fn run(tx: &mut ClientInvite, until: u64) -> Vec<(u64, Action)> {
        pass(tx, ms(until), ClientInvite::deadline, ClientInvite::fire)
    }

    #[test]
    fn on_udp_a_doubles_without_limit_and_b_gives_up_after_64_t1() {
        let mut tx = start(Udp);
        let mut expected: Vec<_> = [500, 1500, 3500, 7500, 15_500, 31_500]
            .map(|at| (at, Action::Send(octets("INVITE"))))
            .into();
        expected.push((32_000, Action::TimedOut));
        assert_eq!(run(&mut tx, 100_000), expected);
        assert!(tx.is_terminated());
    }

    #[test]
    fn on_tcp_the_invite_is_sent_once_and_b_gives_up_after_64_t1() {
        let mut tx = start(Tcp);
        assert_eq!(run(&mut tx, 100_000), [(32_000, Action::TimedOut)]);
        assert!(tx.is_terminated());
    }

    #[test]
    fn a_provisional_answer_ends_a_and_b() {
        let mut tx = start(Udp);
        assert_eq!(tx.on(ms(100), Event::Response(100)), Action::Deliver);
        assert_eq!(run(&mut tx, 180_000), []);
        assert!(tx.is_pending());
    }

    #[test]
    fn every_provisional_answer_is_delivered_and_postpones_c() {
        let mut tx = start(Udp);
        assert_eq!(tx.on(ms(0), Event::Response(100)), Action::Deliver);
        assert_eq!(tx.on(ms(100_000), Event::Response(101)), Action::Deliver);
        assert_eq!(run(&mut tx, 300_000), [(281_000, Action::TimedOut)]);
    }

    #[test]
    fn a_non_2xx_answer_of_any_class_is_acknowledged_and_its_copies_too() {
        for status in [302, 486, 503, 603] {
            let mut tx = start(Udp);
            assert_eq!(
                tx.on(ms(10), Event::Response(status)),
                Action::DeliverAndAck
            );
            tx.keep_ack(octets("ACK"));
            let again = tx.on(ms(510), Event::Response(status));
            assert_eq!(again, Action::Send(octets("ACK")));
            assert_eq!(tx.on(ms(511), Event::Response(180)), Action::Nothing);
            assert_eq!(tx.on(ms(512), Event::Response(200)), Action::Nothing);
        }
    }

    #[test]
    fn d_lasts_32_seconds_on_udp_and_nothing_on_tcp() {
        let mut udp = start(Udp);
        udp.on(ms(10), Event::Response(486));
        assert_eq!(run(&mut udp, 32_009), []);
        assert_eq!(run(&mut udp, 32_010), [(32_010, Action::Nothing)]);
        assert!(udp.is_terminated());

        let mut tcp = start(Tcp);
        assert_eq!(tcp.on(ms(10), Event::Response(486)), Action::DeliverAndAck);
        assert!(tcp.is_terminated());
        assert_eq!(tcp.deadline(), None);
    }

    #[test]
    fn every_copy_of_a_2xx_is_delivered_until_m_on_both_transports() {
        for transport in [Udp, Tcp] {
            let mut tx = start(transport);
            tx.on(ms(0), Event::Response(100));
            assert_eq!(tx.on(ms(10), Event::Response(200)), Action::Deliver);
            assert_eq!(tx.on(ms(510), Event::Response(200)), Action::Deliver);
            assert_eq!(tx.on(ms(511), Event::Response(486)), Action::Nothing);
            assert_eq!(run(&mut tx, 100_000), [(32_010, Action::Nothing)]);
            assert!(tx.is_terminated());
        }
    }

    #[test]
    fn a_cancel_wished_too_early_waits_for_a_provisional_answer() {
        let mut tx = start(Udp);
        assert_eq!(tx.on(ms(10), Event::Cancel), Action::Nothing);
        assert_eq!(
            tx.on(ms(20), Event::Response(100)),
            Action::DeliverAndCancel
        );
        assert_eq!(tx.on(ms(30), Event::Cancel), Action::Nothing);
        assert_eq!(tx.on(ms(40), Event::Response(487)), Action::DeliverAndAck);
    }

    #[test]
    fn a_cancelled_call_without_final_answer_is_given_up_64_t1_later() {
        let mut tx = start(Udp);
        tx.on(ms(20), Event::Response(100));
        assert_eq!(tx.on(ms(1000), Event::Cancel), Action::Cancel);
        assert_eq!(tx.on(ms(2000), Event::Response(180)), Action::Deliver);
        assert_eq!(run(&mut tx, 100_000), [(33_000, Action::TimedOut)]);
    }

    #[test]
    fn a_cancel_after_the_final_answer_does_nothing() {
        let mut tx = start(Udp);
        tx.on(ms(20), Event::Response(200));
        assert_eq!(tx.on(ms(30), Event::Cancel), Action::Nothing);
    }
}
