//! All of SIP below the call: framing and transactions of one node over all its flows.
//!
//! An endpoint is told what arrives and what its owner wants, and is asked with
//! [`Endpoint::poll`] what to do. It repeats what must be repeated, absorbs and answers what comes
//! again, acknowledges, answers protocol faults, and hands each request and each answer to its owner
//! once. A camera has one, the reference platform one for thousands of devices: every message costs
//! O(log n) at most, and nothing outlives its transaction.

mod answering;
mod asking;
#[cfg(test)]
mod chaos;
mod clients;
mod counters;
mod event;
mod faults;
mod receiving;
mod servers;
mod serving;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;

use self::clients::Clients;
use self::servers::Servers;
use super::{
    Flow, FlowId, Framer, Message, Request, Response, Style, Tokens, TransactionId, Transport,
};
use crate::time::{Instant, Timers};

pub use counters::Counters;
pub use event::{EndpointOutput, Event, Failure};
pub(super) use receiving::echo_via;

/// The SIP endpoint of one node.
#[derive(Debug)]
pub struct Endpoint {
    style: Arc<Style>,
    tokens: Tokens,
    flows: HashMap<FlowId, Link>,
    servers: Servers,
    clients: Clients,
    /// One timer per transaction: the next one of its machine.
    timers: Timers<TransactionId>,
    last_id: u64,
    limit: usize,
    out: VecDeque<EndpointOutput>,
    counters: Counters,
}

/// An open flow.
#[derive(Debug)]
struct Link {
    is: Flow,
    /// On a stream, what cuts it into messages.
    framer: Option<Box<Framer>>,
}

/// Where messages of a transaction go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Route {
    flow: FlowId,
    to: SocketAddr,
}

impl Endpoint {
    /// How many transactions may be open at once, unless [`Endpoint::limited_to`] says otherwise.
    pub const DEFAULT_LIMIT: usize = 65_536;

    /// An endpoint without flows that writes in `style` and takes its random text from `tokens`.
    pub fn new(style: Arc<Style>, tokens: Tokens) -> Self {
        Endpoint {
            style,
            tokens,
            flows: HashMap::new(),
            servers: Servers::default(),
            clients: Clients::default(),
            timers: Timers::default(),
            last_id: 0,
            limit: Self::DEFAULT_LIMIT,
            out: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// The same with at most `transactions` open at once. Beyond, requests that come are answered
    /// 503 and forgotten; requests of ours are always sent.
    pub fn limited_to(mut self, transactions: usize) -> Self {
        self.limit = transactions;
        self
    }

    /// A flow can be used. One that had the same number is gone.
    pub fn opened(&mut self, flow: FlowId, is: Flow) {
        if self.flows.contains_key(&flow) {
            self.closed(flow);
        }
        let framer = (is.transport == Transport::Tcp).then(Box::default);
        self.flows.insert(flow, Link { is, framer });
    }

    /// A flow is gone. Requests of ours that wait for an answer on it end in [`Event::Failed`].
    pub fn closed(&mut self, flow: FlowId) {
        self.flows.remove(&flow);
        self.servers.flow_closed(flow);
        self.fail_clients(flow);
    }

    /// One datagram came, or the next bytes of a stream.
    pub fn received(&mut self, now: Instant, flow: FlowId, from: SocketAddr, bytes: Bytes) {
        match self.transport(flow) {
            Some(Transport::Udp) => self.receive_datagram(now, flow, from, bytes),
            Some(Transport::Tcp) => self.receive_stream(now, flow, from, &bytes),
            None => self.counters.unknown_flow += 1,
        }
    }

    /// A message came that somebody else has parsed.
    pub fn received_message(
        &mut self,
        now: Instant,
        flow: FlowId,
        from: SocketAddr,
        message: Message,
    ) {
        match message {
            Message::Request(request) => self.receive_request(now, flow, from, request),
            Message::Response(response) => self.receive_response(now, response),
        }
    }

    /// Sends a request other than ACK and CANCEL and watches over it. Via, and where they are
    /// missing Max-Forwards, User-Agent and Content-Length, are added.
    pub fn request(
        &mut self,
        now: Instant,
        flow: FlowId,
        to: SocketAddr,
        request: Request,
    ) -> TransactionId {
        self.ask(now, Route { flow, to }, request)
    }

    /// Sends the ACK of a 2xx: once for each time the 2xx came.
    pub fn ack(&mut self, flow: FlowId, to: SocketAddr, mut ack: Request) {
        match self.sign(flow, &mut ack) {
            Some(_) => self.send(Route { flow, to }, ack.write(&self.style)),
            None => self.counters.unsent += 1,
        }
    }

    /// Cancels an INVITE of ours: at once if it had a provisional answer, else when it gets one, and
    /// not at all once it has a final one (RFC 3261 §9.1). Its owner still hears how it ends.
    pub fn cancel(&mut self, now: Instant, tx: TransactionId) {
        self.cancel_client(now, tx);
    }

    /// Sends an answer, made by [`Endpoint::answer`] or by hand, and repeats it as necessary. An
    /// INVITE should be answered (100, or the final answer) within 200 ms, or the endpoint sends a
    /// 100 of its own.
    pub fn respond(&mut self, now: Instant, tx: TransactionId, response: Response) {
        self.respond_now(now, tx, &response);
    }

    /// What to do next. Call until `None`, then again at [`Endpoint::deadline`] or when something
    /// happened.
    pub fn poll(&mut self, now: Instant) -> Option<EndpointOutput> {
        loop {
            if let Some(output) = self.out.pop_front() {
                return Some(output);
            }
            let Some(tx) = self.timers.pop_due(now) else {
                self.rest();
                return None;
            };
            self.fire_server(now, tx);
            self.fire_client(now, tx);
        }
    }

    /// When the next timer goes off.
    pub fn deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// How many transactions are open.
    pub fn len(&self) -> usize {
        self.servers.len() + self.clients.len()
    }

    /// Whether no transaction is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The style it writes in.
    pub fn style(&self) -> &Arc<Style> {
        &self.style
    }

    /// The source of its random text.
    pub fn tokens_mut(&mut self) -> &mut Tokens {
        &mut self.tokens
    }

    /// What an open flow is.
    pub fn flow(&self, flow: FlowId) -> Option<&Flow> {
        self.flows.get(&flow).map(|link| &link.is)
    }

    /// Gives back what only a busy endpoint needs: thousands of idle ones shall be small.
    fn rest(&mut self) {
        self.out = VecDeque::new();
    }

    fn transport(&self, flow: FlowId) -> Option<Transport> {
        Some(self.flows.get(&flow)?.is.transport)
    }

    fn framer(&mut self, flow: FlowId) -> Option<&mut Framer> {
        self.flows.get_mut(&flow)?.framer.as_deref_mut()
    }

    fn is_full(&self) -> bool {
        self.len() >= self.limit
    }

    fn next_id(&mut self) -> TransactionId {
        self.last_id += 1;
        TransactionId(self.last_id)
    }

    fn set_timer(&mut self, tx: TransactionId, deadline: Option<Instant>) {
        match deadline {
            Some(at) => self.timers.set(tx, at),
            None => {
                self.timers.cancel(&tx);
            }
        }
    }

    fn send(&mut self, route: Route, bytes: Bytes) {
        let Route { flow, to } = route;
        if !self.flows.contains_key(&flow) {
            self.counters.unsent += 1;
            return;
        }
        self.out.push_back(EndpointOutput::Send { flow, to, bytes });
    }

    fn tell(&mut self, event: Event) {
        self.out.push_back(EndpointOutput::Event(event));
    }

    /// Whether every transaction has a timer and nothing points at one that is gone.
    #[cfg(test)]
    fn is_sound(&self) -> bool {
        self.timers.len() == self.len() && self.servers.is_sound() && self.clients.is_sound()
    }
}

/// The oldest transaction on `flow`.
fn first_on(by_flow: &BTreeSet<(FlowId, TransactionId)>, flow: FlowId) -> Option<TransactionId> {
    let all = (flow, TransactionId(0))..=(flow, TransactionId(u64::MAX));
    by_flow.range(all).next().map(|(_, tx)| *tx)
}
