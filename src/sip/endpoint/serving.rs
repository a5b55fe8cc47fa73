//! Requests that come, and their answers.

use std::net::SocketAddr;

use tracing::{debug, warn};

use super::receiving::echo_via;
use super::servers::Served;
use super::{Endpoint, Event, Route, faults};
use crate::sip::transaction::key::ServerKey;
use crate::sip::transaction::server::{self, Action, Server};
use crate::sip::{FlowId, Message, Method, OddBye, Request, Response, TransactionId};
use crate::time::Instant;

impl Endpoint {
    pub(super) fn receive_request(
        &mut self,
        now: Instant,
        flow: FlowId,
        from: SocketAddr,
        mut request: Request,
    ) {
        self.counters.requests += 1;
        let Ok(via) = request.headers.via() else {
            self.counters.malformed += 1;
            return;
        };
        let key = ServerKey::of(&request, &via);
        if request.method() == Method::Ack {
            return self.receive_ack(now, flow, from, &key, request);
        }
        if let Some(tx) = self.servers.find(&key) {
            self.counters.repeated_requests += 1;
            self.step_server(now, tx, server::Event::Request);
            return;
        }
        if request.is_miscounted() {
            match self.style.odd_bye {
                OddBye::Take => self.counters.odd_byes += 1,
                OddBye::Refuse => {}
                OddBye::Ignore => return self.counters.malformed += 1,
            }
        }
        let route = self.route_back(flow, from, &via);
        echo_via(&mut request.headers, from, &self.style);
        if request.method() == Method::Cancel {
            self.receive_cancel(now, route, key, request);
        } else if let Some(fault) = faults::of(&request, &self.style) {
            self.counters.faults_answered += 1;
            let response = fault.answer(self, &request);
            self.answer_at_once(now, route, key, &request, response);
        } else if !self.receive_merged(route, &request) {
            self.receive_new(now, from, route, key, request);
        }
    }

    fn receive_new(
        &mut self,
        now: Instant,
        from: SocketAddr,
        route: Route,
        key: ServerKey,
        request: Request,
    ) {
        if self.is_full() || self.servers.is_crowded(&request) {
            self.counters.overload += 1;
            let response = self.answer(&request, 503);
            return self.send(route, response.write(&self.style));
        }
        let Some(tx) = self.open_server(now, route, key, &request) else {
            return;
        };
        let flow = route.flow;
        self.tell(Event::Request {
            tx,
            flow,
            from,
            request,
        });
    }

    /// A copy of a request that came by another way gets the answer of the first one, as far as
    /// there is any (RFC 3261 §8.2.2.2 would have it 482). `false`: it is no such copy. Repeating a
    /// request with credentials but without a new CSeq is a fault we do not punish.
    fn receive_merged(&mut self, route: Route, request: &Request) -> bool {
        let Some(first) = self.servers.merged(request) else {
            return false;
        };
        if matches!(first.status, 401 | 407) {
            return false;
        }
        let answer = first.machine.last().cloned();
        self.counters.merged_requests += 1;
        if let Some(Ok(Message::Response(mut answer))) = answer.map(Message::parse) {
            answer.headers.remove("Via");
            answer.headers.copy("Via", &request.headers);
            self.send(route, answer.write(&self.style));
        }
        true
    }

    /// RFC 3261 §9.2: 200 if there is such an INVITE, and if it has no final answer yet, 487 to it.
    fn receive_cancel(&mut self, now: Instant, route: Route, key: ServerKey, cancel: Request) {
        let invite = self.servers.find(&key.cancelled());
        let status = if invite.is_some() { 200 } else { 481 };
        let tag = invite.and_then(|tx| self.local_tag(tx));
        let response = self.answer_with(&cancel, status, tag.as_deref());
        self.answer_at_once(now, route, key, &cancel, response);
        match invite {
            Some(tx) => self.cancel_server(now, tx),
            None => self.counters.stray_cancels += 1,
        }
    }

    fn cancel_server(&mut self, now: Instant, tx: TransactionId) {
        let Some(served) = self.servers.lookup(tx) else {
            return;
        };
        let Some(invite) = served.invite.clone() else {
            return;
        };
        let tag = self.local_tag(tx);
        let response = self.answer_with(&invite, 487, tag.as_deref());
        self.respond(now, tx, response);
        self.tell(Event::Cancelled { tx });
    }

    /// RFC 3261 §17.1.1.3: the ACK of a non-2xx has the branch of its INVITE. That of a 2xx has its
    /// own and is found by its call; but there are platforms that mix these up.
    fn receive_ack(
        &mut self,
        now: Instant,
        flow: FlowId,
        from: SocketAddr,
        key: &ServerKey,
        request: Request,
    ) {
        let by_call = || self.servers.acknowledged(&request);
        let Some(tx) = self.servers.find(key).or_else(by_call) else {
            self.counters.stray_acks += 1;
            debug!(%from, call_id = request.headers.call_id(), "an ACK for no INVITE");
            return;
        };
        let call_id = match self.servers.lookup(tx) {
            Some(served) => served.call_id().unwrap_or_default().to_owned(),
            None => return,
        };
        if self.step_server(now, tx, server::Event::Ack) == Some(Action::DeliverAck) {
            self.tell(Event::Ack {
                tx,
                flow,
                from,
                call_id,
                request,
            });
        }
    }

    /// Answers without asking the owner; the answer is kept for the copies of the request.
    fn answer_at_once(
        &mut self,
        now: Instant,
        route: Route,
        key: ServerKey,
        request: &Request,
        response: Response,
    ) {
        if self.is_full() {
            return self.send(route, response.write(&self.style));
        }
        let Some(tx) = self.open_server(now, route, key, request) else {
            return;
        };
        if let Some(served) = self.servers.lookup(tx) {
            served.owned = false;
        }
        self.respond(now, tx, response);
    }

    /// A transaction for a request that came; `None` when its flow is not open.
    fn open_server(
        &mut self,
        now: Instant,
        route: Route,
        key: ServerKey,
        request: &Request,
    ) -> Option<TransactionId> {
        let transport = self.transport(route.flow)?;
        let machine = Server::start(now, transport, request.method());
        let tx = self.next_id();
        self.set_timer(tx, machine.deadline());
        self.servers
            .insert(tx, Served::new(machine, route, key, request));
        Some(tx)
    }

    pub(super) fn respond_now(&mut self, now: Instant, tx: TransactionId, response: &Response) {
        let pending = |served: &&mut Served| served.machine.is_pending();
        let Some(served) = self.servers.lookup(tx).filter(pending) else {
            self.counters.late_answers += 1;
            debug!(%tx, status = response.status(), "an answer too late");
            return;
        };
        served.note(response);
        let event = server::Event::Respond {
            status: response.status(),
            bytes: response.write(&self.style),
        };
        self.step_server(now, tx, event);
    }

    /// Tells a transaction what happened and does what it wants, except to deliver.
    fn step_server(
        &mut self,
        now: Instant,
        tx: TransactionId,
        event: server::Event,
    ) -> Option<Action> {
        let action = self.servers.lookup(tx)?.machine.on(now, event);
        self.act_server(now, tx, &action);
        Some(action)
    }

    pub(super) fn fire_server(&mut self, now: Instant, tx: TransactionId) {
        let Some(served) = self.servers.lookup(tx) else {
            return;
        };
        let action = served.machine.fire(now).unwrap_or(Action::Nothing);
        if matches!(action, Action::Send(_)) {
            self.counters.retransmissions += 1;
        }
        self.act_server(now, tx, &action);
    }

    fn act_server(&mut self, now: Instant, tx: TransactionId, action: &Action) {
        match action {
            Action::Nothing | Action::DeliverAck => {}
            Action::Send(bytes) => match self.servers.lookup(tx).and_then(|s| s.route) {
                Some(route) => self.send(route, bytes.clone()),
                None => self.counters.unsent += 1,
            },
            Action::Trying => self.try_on(now, tx),
            Action::Unacknowledged => self.unacknowledged(tx),
            Action::Refused => self.counters.late_answers += 1,
            Action::Abandoned => {
                self.counters.abandoned += 1;
                warn!(%tx, "a request was never answered by its owner");
            }
        }
        self.settle_server(tx);
    }

    fn try_on(&mut self, now: Instant, tx: TransactionId) {
        let request = self.servers.lookup(tx).and_then(|s| s.invite.clone());
        if let Some(request) = request {
            let response = self.answer(&request, 100);
            self.respond(now, tx, response);
        }
    }

    fn unacknowledged(&mut self, tx: TransactionId) {
        if self.servers.lookup(tx).is_some_and(|served| served.owned) {
            self.tell(Event::Unacknowledged { tx });
        }
    }

    /// Keeps the timer table and the transactions in step with a machine.
    fn settle_server(&mut self, tx: TransactionId) {
        let Some(served) = self.servers.lookup(tx) else {
            return;
        };
        if served.machine.is_terminated() {
            self.timers.cancel(&tx);
            self.servers.remove(tx);
            return;
        }
        let deadline = served.machine.deadline();
        self.set_timer(tx, deadline);
    }

    fn local_tag(&mut self, tx: TransactionId) -> Option<String> {
        let served = self.servers.lookup(tx)?;
        served.local_tag().map(str::to_owned)
    }
}
