//! Requests of ours, and the answers that come.

use bytes::Bytes;
use tracing::debug;

use super::clients::Asked;
use super::{Endpoint, Event, Failure, Route};
use crate::sip::transaction::client::{self, Action, Client};
use crate::sip::transaction::key::ClientKey;
use crate::sip::{FlowId, Method, Request, Response, TransactionId, Transport, Via};
use crate::time::Instant;

impl Endpoint {
    pub(super) fn ask(
        &mut self,
        now: Instant,
        route: Route,
        mut request: Request,
    ) -> TransactionId {
        let tx = self.next_id();
        let Some((transport, branch)) = self.sign(route.flow, &mut request) else {
            let why = Failure::NoFlow;
            self.tell(Event::Failed { tx, why });
            return tx;
        };
        let key = ClientKey::new(&branch, request.method());
        self.start_client(now, tx, (transport, route, key), request, true);
        tx
    }

    /// Adds what every request of ours carries, and a Via with a new branch: the transport of the
    /// flow, and the branch. `None` when the flow is not open.
    pub(super) fn sign(
        &mut self,
        flow: FlowId,
        request: &mut Request,
    ) -> Option<(Transport, String)> {
        let is = self.flows.get(&flow)?.is;
        let branch = self.fresh_branch(request.method());
        let via = Via::ours(&is, &branch, &self.style);
        request.headers.set("Via", via);
        self.furnish(request);
        Some((is.transport, branch))
    }

    /// Decimal branches are short enough to meet a living one now and then.
    fn fresh_branch(&mut self, method: Method) -> String {
        loop {
            let branch = self.tokens.branch(&self.style);
            let key = ClientKey::new(&branch, method);
            if self.clients.find(&key).is_none() {
                return branch;
            }
        }
    }

    fn furnish(&self, request: &mut Request) {
        let headers = &mut request.headers;
        if !headers.has("Max-Forwards") {
            headers.push("Max-Forwards", self.style.max_forwards.to_string());
        }
        if !headers.has("User-Agent") && !self.style.user_agent.is_empty() {
            headers.push("User-Agent", self.style.user_agent.as_str());
        }
    }

    fn start_client(
        &mut self,
        now: Instant,
        tx: TransactionId,
        (transport, route, key): (Transport, Route, ClientKey),
        request: Request,
        owned: bool,
    ) {
        let method = request.method();
        let bytes = request.write(&self.style);
        let machine = Client::start(now, transport, method, bytes.clone());
        self.set_timer(tx, machine.deadline());
        let asked = Asked {
            machine,
            route,
            invite: (method == Method::Invite).then(|| Box::new(request)),
            owned,
            key,
        };
        self.clients.insert(tx, asked);
        self.send(route, bytes);
    }

    pub(super) fn receive_response(&mut self, now: Instant, response: Response) {
        self.counters.responses += 1;
        let tx = ClientKey::of(&response).and_then(|key| self.clients.find(&key));
        let Some(tx) = tx else {
            self.counters.stray_responses += 1;
            debug!(
                status = response.status(),
                call_id = response.headers.call_id(),
                "an answer to no request of ours"
            );
            return;
        };
        let event = client::Event::Response(response.status());
        let Some(asked) = self.clients.lookup(tx) else {
            return;
        };
        let action = asked.machine.on(now, event);
        if matches!(action, Action::Nothing | Action::Send(_)) {
            self.counters.repeated_responses += 1;
        }
        self.act_client(now, tx, action, Some(response));
    }

    pub(super) fn cancel_client(&mut self, now: Instant, tx: TransactionId) {
        let Some(asked) = self.clients.lookup(tx) else {
            return;
        };
        let action = asked.machine.on(now, client::Event::Cancel);
        self.act_client(now, tx, action, None);
    }

    pub(super) fn fire_client(&mut self, now: Instant, tx: TransactionId) {
        let Some(asked) = self.clients.lookup(tx) else {
            return;
        };
        let action = asked.machine.fire(now).unwrap_or(Action::Nothing);
        if matches!(action, Action::Send(_)) {
            self.counters.retransmissions += 1;
        }
        self.act_client(now, tx, action, None);
    }

    fn act_client(
        &mut self,
        now: Instant,
        tx: TransactionId,
        action: Action,
        response: Option<Response>,
    ) {
        match action {
            Action::Nothing => {}
            Action::Send(bytes) => self.resend(tx, bytes),
            Action::Deliver => self.deliver(tx, response),
            Action::DeliverAndCancel => {
                self.deliver(tx, response);
                self.send_cancel(now, tx);
            }
            Action::DeliverAndAck => {
                self.send_ack(tx, response.as_ref());
                self.deliver(tx, response);
            }
            Action::Cancel => self.send_cancel(now, tx),
            Action::TimedOut => self.tell_owner(tx, Event::Timeout { tx }),
        }
        self.settle_client(tx);
    }

    fn deliver(&mut self, tx: TransactionId, response: Option<Response>) {
        if let Some(response) = response {
            self.tell_owner(tx, Event::Response { tx, response });
        }
    }

    fn tell_owner(&mut self, tx: TransactionId, event: Event) {
        if self.clients.lookup(tx).is_some_and(|asked| asked.owned) {
            self.tell(event);
        }
    }

    fn resend(&mut self, tx: TransactionId, bytes: Bytes) {
        if let Some(route) = self.clients.lookup(tx).map(|asked| asked.route) {
            self.send(route, bytes);
        }
    }

    /// RFC 3261 §17.1.1.3: the branch of the INVITE, the To of the answer.
    fn send_ack(&mut self, tx: TransactionId, response: Option<&Response>) {
        let Some(mut ack) = self.offspring(tx, Method::Ack) else {
            return;
        };
        if let Some(to) = response.and_then(|response| response.headers.value("To")) {
            ack.headers.set("To", to);
        }
        let bytes = ack.write(&self.style);
        let Some(asked) = self.clients.lookup(tx) else {
            return;
        };
        if let Client::Invite(invite) = &mut asked.machine {
            invite.keep_ack(bytes.clone());
        }
        let route = asked.route;
        self.send(route, bytes);
    }

    /// RFC 3261 §9.1: a transaction of its own, on the branch of the INVITE.
    fn send_cancel(&mut self, now: Instant, tx: TransactionId) {
        let Some(cancel) = self.offspring(tx, Method::Cancel) else {
            return;
        };
        let Some(route) = self.clients.lookup(tx).map(|asked| asked.route) else {
            return;
        };
        let via = cancel.headers.via();
        let branch = via.as_ref().ok().and_then(Via::branch).unwrap_or_default();
        let key = ClientKey::new(branch, Method::Cancel);
        if let Some(transport) = self.transport(route.flow) {
            let tx = self.next_id();
            self.start_client(now, tx, (transport, route, key), cancel, false);
        }
    }

    /// A request made of an INVITE of ours: the same Request-URI, Via, Route, From, To, Call-ID and
    /// CSeq number.
    fn offspring(&mut self, tx: TransactionId, method: Method) -> Option<Request> {
        let invite = self.clients.lookup(tx)?.invite.as_deref()?;
        let mut request = Request::new(method, invite.uri());
        for name in ["Via", "Route", "From", "To", "Call-ID"] {
            request.headers.copy(name, &invite.headers);
        }
        let number = invite.headers.cseq().map_or(0, |cseq| cseq.number);
        request.headers.push("CSeq", format!("{number} {method}"));
        self.furnish(&mut request);
        Some(request)
    }

    /// Keeps the timer table and the transactions in step with a machine.
    fn settle_client(&mut self, tx: TransactionId) {
        let Some(asked) = self.clients.lookup(tx) else {
            return;
        };
        if asked.machine.is_terminated() {
            self.timers.cancel(&tx);
            self.clients.remove(tx);
            return;
        }
        let deadline = asked.machine.deadline();
        self.set_timer(tx, deadline);
    }

    pub(super) fn fail_clients(&mut self, flow: FlowId) {
        while let Some(tx) = self.clients.first_on(flow) {
            self.timers.cancel(&tx);
            let pending = |asked: &Asked| asked.owned && asked.machine.is_pending();
            if self.clients.remove(tx).as_ref().is_some_and(pending) {
                let why = Failure::FlowClosed;
                self.tell(Event::Failed { tx, why });
            }
        }
    }
}
