//! The desk everything goes over: flows, requests under way, timers, and what is to be told.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;

use crate::gb28181::DeviceId;
use crate::media::Order;
use crate::node::Output;
use crate::sip::{
    self, CseqStyle, Endpoint, EndpointOutput, Flow, FlowId, Headers, Method, Request, Response,
    Tokens, TransactionId, Transport, UriHost,
};
use crate::time::{Instant, Timers};

use super::complaint::{Complaint, Deviation, Tally};
use super::config::Config;
use super::event::{AskId, Event, PlayId};
use super::strict::Fingerprint;

/// The named timers of a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    /// A registration ends.
    Expiry(DeviceId),
    /// A device has been silent for too long.
    Silence(DeviceId),
    /// The question with this SN waits no longer.
    Ask(u32),
    /// A call has stood as it stands for too long.
    Call(PlayId),
    /// A subscription must be prolonged.
    Refresh(u32),
    /// A device that was announced a speech has not called.
    Speech(AskId),
}

/// What a request of ours was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The question with this SN.
    Query(u32),
    Ping(AskId),
    Invite(PlayId),
    Bye(PlayId),
    /// The BYE of a speech.
    Hush,
    /// The subscription with this number.
    Subscribe(u32),
    /// A playback is steered.
    Info {
        ask: AskId,
        /// The CSeq of RTSP.
        cseq: u32,
    },
}

/// A request that waits for its final response.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub purpose: Purpose,
    pub device: DeviceId,
    pub to: SocketAddr,
    pub since: Instant,
    pub sent: Fingerprint,
}

/// Where a device is reached: the flow its registration came by, and its end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub flow: FlowId,
    pub to: SocketAddr,
}

/// A request of a device, as it came in.
#[derive(Clone)]
pub(super) struct Incoming {
    pub transaction: TransactionId,
    pub route: Route,
    pub request: Request,
}

/// What is shared by everything the platform does.
pub(super) struct Desk {
    pub config: Arc<Config>,
    pub endpoint: Endpoint,
    pub timers: Timers<Timer>,
    pub outbox: VecDeque<Output<Event>>,
    pub tally: Tally,
    flows: HashMap<FlowId, Flow>,
    waiting: HashMap<TransactionId, Waiting>,
    cseq: u32,
    sn: u32,
}

impl Desk {
    pub fn new(config: Arc<Config>, tokens: Tokens) -> Self {
        let style = Arc::new(config.style.clone());
        let first_sn = config.first_sn;
        Desk {
            endpoint: Endpoint::new(style, tokens).limited_to(config.capacity.saturating_mul(4)),
            config,
            timers: Timers::default(),
            outbox: VecDeque::new(),
            tally: Tally::default(),
            flows: HashMap::new(),
            waiting: HashMap::new(),
            cseq: 0,
            sn: first_sn.saturating_sub(1),
        }
    }

    /// A flow for SIP is open. A socket bound to no address in particular is known by the one
    /// that is named to others.
    pub fn opened(&mut self, flow: FlowId, mut is: Flow) {
        if is.local.ip().is_unspecified() {
            is.local.set_ip(self.config.media_ip);
        }
        self.flows.insert(flow, is);
        self.endpoint.opened(flow, is);
    }

    /// A flow is gone.
    pub fn closed(&mut self, flow: FlowId) {
        self.flows.remove(&flow);
        self.endpoint.closed(flow);
    }

    /// Forgets every flow; what the flows are, for closing them.
    pub fn close_all(&mut self) -> Vec<FlowId> {
        let mut flows: Vec<_> = self.flows.drain().map(|(flow, _)| flow).collect();
        flows.sort_unstable();
        flows
    }

    /// How many flows are open.
    pub fn flows(&self) -> usize {
        self.flows.len()
    }

    /// The other end of a connection.
    pub fn remote(&self, flow: FlowId) -> Option<SocketAddr> {
        self.flows.get(&flow)?.remote
    }

    pub fn transport(&self, flow: FlowId) -> Transport {
        let known = self.flows.get(&flow);
        known.map_or(Transport::Udp, |flow| flow.transport)
    }

    /// Our own address on a flow.
    pub fn local(&self, flow: FlowId) -> SocketAddr {
        self.flows
            .get(&flow)
            .map_or(self.config.udp, |flow| flow.local)
    }

    pub fn media_ip(&self) -> IpAddr {
        self.config.media_ip
    }

    /// Our own address, for From.
    pub fn own_uri(&self, flow: FlowId) -> String {
        let Config {
            id, domain, style, ..
        } = &*self.config;
        match style.uri_host {
            UriHost::Domain => format!("sip:{id}@{domain}"),
            UriHost::Address => format!("sip:{id}@{}", self.local(flow)),
        }
    }

    /// Where we can be reached on a flow, for Contact.
    pub fn contact(&self, flow: FlowId) -> String {
        format!("<sip:{}@{}>", self.config.id, self.local(flow))
    }

    /// The next serial number of a query.
    pub fn next_sn(&mut self) -> u32 {
        self.sn = self.sn % 0x7fff_ffff + 1;
        self.sn
    }

    /// A request outside any dialog to `user` at the device's `host`, without Contact and body.
    pub fn request(
        &mut self,
        method: Method,
        user: &DeviceId,
        host: &str,
        flow: FlowId,
    ) -> Request {
        let cseq = self.next_cseq();
        let ip = self.local(flow).ip();
        let style = self.endpoint.style().clone();
        let tokens = self.endpoint.tokens_mut();
        let (tag, call_id) = (tokens.tag(&style), tokens.call_id(&style, ip));
        let target = format!("sip:{user}@{host}");
        Request::new(method, target.as_str())
            .with_header("From", format!("<{}>;tag={tag}", self.own_uri(flow)))
            .with_header("To", format!("<{target}>"))
            .with_header("Call-ID", call_id)
            .with_header("CSeq", format!("{cseq} {method}"))
    }

    /// Every request outside a dialog has a Call-ID of its own, so its number means little.
    fn next_cseq(&mut self) -> u32 {
        self.cseq = self.cseq % 0x7fff_ffff + 1;
        match self.config.style.message_cseq {
            CseqStyle::Increasing => self.cseq,
            CseqStyle::Always(number) => number,
        }
    }

    /// Starts a client transaction.
    pub fn send(
        &mut self,
        now: Instant,
        purpose: Purpose,
        device: DeviceId,
        route: Route,
        request: Request,
    ) -> TransactionId {
        let waiting = Waiting {
            purpose,
            device,
            to: route.to,
            since: now,
            sent: Fingerprint::of(&request),
        };
        let id = self.endpoint.request(now, route.flow, route.to, request);
        self.waiting.insert(id, waiting);
        id
    }

    /// What a transaction is for.
    pub fn waiting(&self, id: TransactionId) -> Option<&Waiting> {
        self.waiting.get(&id)
    }

    /// What the transaction that just ended was for.
    pub fn finished(&mut self, id: TransactionId) -> Option<Waiting> {
        self.waiting.remove(&id)
    }

    /// Answers a request with a status and nothing more.
    pub fn reply(&mut self, now: Instant, incoming: &Incoming, status: u16) {
        let response = self.endpoint.answer(&incoming.request, status);
        self.respond(now, incoming, response);
    }

    pub fn respond(&mut self, now: Instant, incoming: &Incoming, response: Response) {
        self.endpoint.respond(now, incoming.transaction, response);
    }

    pub fn tell(&mut self, event: Event) {
        self.outbox.push_back(Output::Event(event));
    }

    pub fn order(&mut self, order: Order) {
        self.outbox.push_back(Output::Media(order));
    }

    /// Counts and tells what `device` at `from` did wrong in the message with these headers.
    pub fn complain(
        &mut self,
        device: Option<DeviceId>,
        from: SocketAddr,
        headers: &Headers,
        what: Deviation,
        detail: impl Into<String>,
    ) {
        let text = |name| headers.value(name).unwrap_or_default().to_owned();
        self.tally.count(what);
        self.tell(Event::Complaint(Complaint {
            device,
            from,
            what,
            detail: detail.into(),
            call_id: text("Call-ID"),
            cseq: text("CSeq"),
        }));
    }

    /// As [`complain`](Self::complain), about a request.
    pub fn object(
        &mut self,
        device: Option<DeviceId>,
        incoming: &Incoming,
        what: Deviation,
        detail: impl Into<String>,
    ) {
        let headers = &incoming.request.headers;
        self.complain(device, incoming.route.to, headers, what, detail);
    }

    /// The next thing the endpoint wants.
    pub fn poll(&mut self, now: Instant) -> Option<DeskOutput> {
        Some(match self.endpoint.poll(now)? {
            EndpointOutput::Send { flow, to, bytes } => {
                DeskOutput::Do(Output::Send { flow, to, bytes })
            }
            EndpointOutput::Close(flow) => DeskOutput::Broken(flow),
            EndpointOutput::Event(event) => DeskOutput::Heard(event),
        })
    }

    /// When something is due next.
    pub fn deadline(&self) -> Option<Instant> {
        let both = [self.endpoint.deadline(), self.timers.next()];
        both.into_iter().flatten().min()
    }
}

/// What the endpoint wants.
pub(super) enum DeskOutput {
    Do(Output<Event>),
    Heard(sip::Event),
    /// What came cannot be framed: the flow must go.
    Broken(FlowId),
}

/// A body that a platform sends in MESSAGE.
pub(super) fn manscdp(request: Request, body: Bytes) -> Request {
    request.with_body(MANSCDP, body)
}

/// The Content-Type of MESSAGE.
pub(super) const MANSCDP: &str = "Application/MANSCDP+xml";
