//! The line to the platform: one flow, the requests on it, and whom they are addressed to.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use crate::gb28181::{DeviceId, Ssrc};
use crate::media::Order;
use crate::node::{Job, JobId, Open, Output};
use crate::sip::{
    Challenge, ContactTransport, CseqStyle, Endpoint, EndpointOutput, Flow, FlowId, Method,
    Request, Response, Tokens, TransactionId, Transport, Uri, UriHost,
};
use crate::time::{Instant, Timers};

use super::config::{Config, PlatformAddress};
use super::event::{CallNumber, Event};

/// The named timers of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    /// Register again: refresh, or retry after a failure.
    Register,
    /// The next Keepalive.
    Keepalive,
    /// It has started again.
    Boot,
    /// New basic parameters take effect.
    Settle,
    /// The next picture of an order.
    Snapshot(u32),
    /// Open the flow again.
    Reopen,
    /// Stop waiting for a platform that has never answered.
    Leave,
    /// Connect the media of a call again.
    Media(CallNumber),
    /// The platform has had time to end a call whose recording is over.
    Drained(CallNumber),
    /// A subscription ends, or a position is to be told again.
    Subscriptions,
}

/// What a request of ours was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Register,
    Keepalive,
    /// A part of a MANSCDP answer; the next part waits for it.
    Report,
    /// News for the subscription with this number.
    Notify(u32),
    /// The word that a recording is over.
    MediaStatus,
    Bye,
    /// The INVITE for the platform's voice.
    Voice,
    /// The BYE to a platform that has not even acknowledged our 200: nobody waits for its answer.
    Farewell,
}

/// A request that waits for its final response.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub purpose: Purpose,
    pub since: Instant,
    /// Whether it carried credentials, so that a second 401 is final.
    pub authorized: bool,
}

/// The signalling flow and what is shared by everything that speaks on it.
pub(super) struct Line {
    pub config: Arc<Config>,
    pub endpoint: Endpoint,
    pub timers: Timers<Timer>,
    pub outbox: VecDeque<Output<Event>>,
    /// Whom we register with now: the configured platform, or one it redirected us to.
    pub platform: PlatformAddress,
    waiting: HashMap<TransactionId, Waiting>,
    flow: FlowId,
    /// Whether the flow was asked for and not closed since.
    wanted: bool,
    open: Option<Flow>,
    /// Whether a REGISTER on this flow got no answer: a connection may be dead and not know it.
    pub doubtful: bool,
    message_cseq: u32,
    sn: u32,
    pub rng: Xoshiro256PlusPlus,
}

impl Line {
    pub fn new(config: Arc<Config>, tokens: Tokens, seed: u64) -> Self {
        let style = config.profile.sip.clone();
        Line {
            endpoint: Endpoint::new(style, tokens).limited_to(MAX_TRANSACTIONS),
            platform: config.platform.clone(),
            timers: Timers::default(),
            outbox: VecDeque::new(),
            waiting: HashMap::new(),
            flow: FlowId(0),
            wanted: false,
            open: None,
            doubtful: false,
            message_cseq: 0,
            sn: config.first_sn.saturating_sub(1),
            rng: Xoshiro256PlusPlus::seed_from_u64(seed),
            config,
        }
    }

    /// Asks for the flow. Numbers are not used twice, so that late news of an old one is not
    /// taken for the new one's.
    pub fn reopen(&mut self) {
        self.close();
        self.flow = FlowId(self.flow.0.wrapping_add(1) & 0x7fff_ffff);
        let local = self.config.local;
        let how = match self.config.transport {
            Transport::Udp => Open::Udp { local },
            Transport::Tcp => Open::Connect {
                local: SocketAddr::new(local.ip(), 0),
                remote: self.platform.address,
            },
        };
        self.wanted = true;
        self.outbox.push_back(Output::Open {
            flow: self.flow,
            how,
        });
    }

    /// Closes the flow, open or still opening. What waited for an answer on it fails.
    pub fn close(&mut self) {
        if std::mem::take(&mut self.wanted) {
            self.outbox.push_back(Output::Close(self.flow));
            self.open = None;
            self.endpoint.closed(self.flow);
        }
    }

    /// Whether news of `flow` concerns us.
    pub fn is_current(&self, flow: FlowId) -> bool {
        self.wanted && flow == self.flow
    }

    pub fn opened(&mut self, is: Flow) {
        self.doubtful = false;
        self.open = Some(is);
        self.endpoint.opened(self.flow, is);
    }

    pub fn closed(&mut self) {
        self.wanted = false;
        self.open = None;
        self.endpoint.closed(self.flow);
    }

    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Our own signalling address, once the flow is open.
    pub fn local(&self) -> SocketAddr {
        self.open.map_or(self.config.local, |flow| flow.local)
    }

    /// `user@host` for one of our own URIs.
    pub fn own_uri(&self, id: &DeviceId) -> String {
        match self.config.profile.sip.uri_host {
            UriHost::Address => format!("sip:{id}@{}", self.local()),
            UriHost::Domain => format!("sip:{id}@{}", self.config.platform.domain),
        }
    }

    /// The platform's URI: of every R-URI, and of To outside REGISTER.
    pub fn platform_uri(&self) -> String {
        self.uri_at_platform(&self.platform.id)
    }

    /// The URI of somebody whom the platform knows.
    pub fn uri_at_platform(&self, id: &DeviceId) -> String {
        let PlatformAddress {
            domain, address, ..
        } = &self.platform;
        match self.config.profile.sip.uri_host {
            UriHost::Address => format!("sip:{id}@{address}"),
            UriHost::Domain => format!("sip:{id}@{domain}"),
        }
    }

    /// Where we can be reached, for Contact.
    pub fn contact(&self, id: &DeviceId) -> String {
        let mut uri = format!("sip:{id}@{}", self.local());
        if self.config.transport == Transport::Tcp {
            uri.push_str(match self.config.profile.sip.contact_transport {
                ContactTransport::LowerCase => ";transport=tcp",
                ContactTransport::UpperCase => ";transport=TCP",
                ContactTransport::Silent => "",
            });
        }
        format!("<{uri}>")
    }

    /// A new tag in the make's form.
    pub fn tag(&mut self) -> String {
        let style = &self.config.profile.sip;
        self.endpoint.tokens_mut().tag(style)
    }

    /// A new Call-ID in the make's form.
    pub fn call_id(&mut self) -> String {
        let ip = self.local().ip();
        let style = &self.config.profile.sip;
        self.endpoint.tokens_mut().call_id(style, ip)
    }

    /// The next serial number of a MANSCDP message of our own.
    pub fn next_sn(&mut self) -> u32 {
        self.sn = self.sn % 0x7fff_ffff + 1;
        self.sn
    }

    /// Sends a MANSCDP body in a MESSAGE of its own (RFC 3428: outside any dialog, no Contact): the
    /// transaction and the Call-ID.
    pub fn message(
        &mut self,
        now: Instant,
        purpose: Purpose,
        body: Bytes,
        authorization: Option<String>,
    ) -> (TransactionId, String) {
        self.message_cseq = self.message_cseq.wrapping_add(1).max(1);
        let cseq = match self.config.profile.sip.message_cseq {
            CseqStyle::Always(number) => number,
            CseqStyle::Increasing => self.message_cseq,
        };
        let device = self.config.device;
        let tag = self.tag();
        let call_id = self.call_id();
        let mut request = Request::new(Method::Message, self.platform_uri())
            .with_header("From", format!("<{}>;tag={tag}", self.own_uri(&device)))
            .with_header("To", format!("<{}>", self.platform_uri()))
            .with_header("Call-ID", call_id.clone())
            .with_header("CSeq", format!("{cseq} MESSAGE"))
            .with_body(&self.config.profile.manscdp.content_type, body);
        if let Some(credentials) = authorization {
            request = request.with_header("Authorization", credentials);
        }
        let transaction = self.send(now, purpose, self.platform.address, request);
        (transaction, call_id)
    }

    /// The credentials that answer a 401 to a `method` request, if it asks for a digest we know.
    pub fn authorization(&mut self, response: &Response, method: Method) -> Option<String> {
        let challenge = challenge(response, "WWW-Authenticate")?;
        Some(self.authorize(&challenge, method))
    }

    /// The credentials that answer `challenge` for a `method` request to the platform.
    pub fn authorize(&mut self, challenge: &Challenge, method: Method) -> String {
        let uri = self.platform_uri();
        self.authorize_for(challenge, method, &uri)
    }

    /// The same for a request to `uri`.
    pub fn authorize_for(&mut self, challenge: &Challenge, method: Method, uri: &str) -> String {
        let cnonce = self.endpoint.tokens_mut().cnonce();
        let Config {
            profile,
            credentials,
            ..
        } = &*self.config;
        let style = &profile.sip.authorization;
        style.answer(challenge, credentials, method, uri, FIRST_USE, &cnonce)
    }

    /// Starts a client transaction towards `to`.
    pub fn send(
        &mut self,
        now: Instant,
        purpose: Purpose,
        to: SocketAddr,
        request: Request,
    ) -> TransactionId {
        let authorized = request.headers.value("Authorization").is_some();
        let id = self.endpoint.request(now, self.flow, to, request);
        let waiting = Waiting {
            purpose,
            since: now,
            authorized,
        };
        self.waiting.insert(id, waiting);
        id
    }

    /// Sends the ACK of a 2xx to an INVITE of ours.
    pub fn ack(&mut self, to: SocketAddr, ack: Request) {
        self.endpoint.ack(self.flow, to, ack);
    }

    /// What the transaction that just ended was for.
    pub fn finished(&mut self, id: TransactionId) -> Option<Waiting> {
        let finished = self.waiting.remove(&id);
        if self.waiting.is_empty() {
            self.waiting = HashMap::new();
        }
        finished
    }

    /// Gives back what only a busy camera needs: thousands of idle ones shall be small.
    pub fn rest(&mut self) {
        self.outbox = VecDeque::new();
    }

    /// When to be woken.
    pub fn deadline(&self) -> Option<Instant> {
        let timers = self.timers.next();
        let endpoint = self.endpoint.deadline();
        timers.into_iter().chain(endpoint).min()
    }

    /// Whether a request of this kind waits for its answer.
    pub fn is_waiting_for(&self, purpose: Purpose) -> bool {
        self.waiting.values().any(|w| w.purpose == purpose)
    }

    /// Answers a request with a status and nothing more.
    pub fn reply(&mut self, now: Instant, id: TransactionId, request: &Request, status: u16) {
        let response = self.endpoint.answer(request, status);
        self.respond(now, id, response);
    }

    pub fn respond(&mut self, now: Instant, id: TransactionId, response: Response) {
        self.endpoint.respond(now, id, response);
    }

    pub fn tell(&mut self, event: Event) {
        self.outbox.push_back(Output::Event(event));
    }

    pub fn job(&mut self, id: JobId, job: Job) {
        let job = Box::new(job);
        self.outbox.push_back(Output::Job { id, job });
    }

    pub fn order(&mut self, order: Order) {
        self.outbox.push_back(Output::Media(order));
    }

    /// The address named in SDP and bound for media.
    pub fn media_ip(&self) -> IpAddr {
        self.config.media_ip.unwrap_or(self.local().ip())
    }

    /// The SSRC we choose when an offer has none: live, our own domain, four digits at random
    /// (GB/T 28181-2022 annex G).
    pub fn spare_ssrc(&mut self) -> Ssrc {
        let serial = self.rng.random_range(0..10_000);
        Ssrc::live(&self.config.device, serial)
    }

    pub fn set(&mut self, timer: Timer, at: Instant) {
        self.timers.set(timer, at);
    }

    /// A duration lengthened by up to half of itself, so that a fleet does not act in step.
    pub fn jittered(&mut self, least: Duration) -> Duration {
        let least = least.max(SHORTEST_PAUSE);
        least + least.mul_f64(self.rng.random_range(0.0..0.5))
    }

    /// The endpoint's next wish, turned into the node's; its events come back to the caller.
    pub fn poll(&mut self, now: Instant) -> Option<LineOutput> {
        Some(match self.endpoint.poll(now)? {
            EndpointOutput::Send { flow, to, bytes } => {
                LineOutput::Do(Output::Send { flow, to, bytes })
            }
            EndpointOutput::Close(flow) => LineOutput::Broken(flow),
            EndpointOutput::Event(event) => LineOutput::Heard(event),
        })
    }
}

/// Transactions that may live at once. A device has a handful; a flood of requests is answered 503
/// beyond this.
const MAX_TRANSACTIONS: usize = 4_096;
/// No pause between attempts is shorter, whatever is configured: nobody goes round in circles.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
/// How often a nonce has been used when its challenge is answered: every one is used once.
const FIRST_USE: u32 = 1;
/// The port of a SIP URI that names none.
const SIP_PORT: u16 = 5060;

/// The first challenge of a response that asks for a digest we know.
pub(super) fn challenge(response: &Response, header: &str) -> Option<Challenge> {
    let mut challenges = response.headers.values(header);
    challenges.find_map(|text| Challenge::parse(text).ok())
}

/// The address that a URI names; `None` when its host is a domain.
pub(super) fn socket_addr(uri: &Uri) -> Option<SocketAddr> {
    let host = uri.host()?.trim_matches(['[', ']']);
    Some(SocketAddr::new(
        host.parse().ok()?,
        uri.port().unwrap_or(SIP_PORT),
    ))
}

/// What the line wants.
pub(super) enum LineOutput {
    Do(Output<Event>),
    Heard(crate::sip::Event),
    /// The peer sent what cannot be framed: the flow must go.
    Broken(FlowId),
}
