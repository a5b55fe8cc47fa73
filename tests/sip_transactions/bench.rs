//! An endpoint on a bench: virtual milliseconds, one flow, and a log of all it says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use vcam::sip::{
    Endpoint, EndpointOutput, Event, Flow, FlowId, Message, Request, Response, Style, Tokens,
    TransactionId, Transport,
};
use vcam::time::Instant;

pub const FLOW: FlowId = FlowId(0);

pub struct Bench {
    pub endpoint: Endpoint,
    pub transport: Transport,
    now: u64,
    log: Vec<(u64, EndpointOutput)>,
}

pub fn ours() -> SocketAddr {
    "10.110.18.75:5060".parse().unwrap()
}

pub fn peer() -> SocketAddr {
    "10.110.18.12:15060".parse().unwrap()
}

pub fn flow(transport: Transport) -> Flow {
    Flow {
        transport,
        local: ours(),
        remote: (transport == Transport::Tcp).then(peer),
    }
}

/// One bench for each transport.
pub fn both() -> [Bench; 2] {
    [Bench::new(Transport::Udp), Bench::new(Transport::Tcp)]
}

impl Bench {
    pub fn new(transport: Transport) -> Bench {
        let endpoint = Endpoint::new(Arc::new(Style::default()), Tokens::seeded(1));
        Bench::of(endpoint, transport)
    }

    pub fn of(mut endpoint: Endpoint, transport: Transport) -> Bench {
        endpoint.opened(FLOW, flow(transport));
        Bench {
            endpoint,
            transport,
            now: 0,
            log: Vec::new(),
        }
    }

    pub fn udp() -> Bench {
        Bench::new(Transport::Udp)
    }

    pub fn tcp() -> Bench {
        Bench::new(Transport::Tcp)
    }

    pub fn now(&self) -> Instant {
        Instant::ZERO + Duration::from_millis(self.now)
    }

    /// Lets time pass up to `millis`.
    pub fn at(&mut self, millis: u64) {
        self.drain();
        while let Some(at) = self.endpoint.deadline() {
            let due = at.as_nanos() / 1_000_000;
            if due > millis {
                break;
            }
            self.now = due;
            self.drain();
        }
        self.now = millis;
    }

    /// When the endpoint wants to be called again.
    pub fn next(&self) -> Option<u64> {
        Some(self.endpoint.deadline()?.as_nanos() / 1_000_000)
    }

    /// Lets every timer go off, and checks that nothing is left behind.
    pub fn finish(&mut self) {
        self.at(1_000_000);
        assert_eq!(self.endpoint.len(), 0, "transactions left");
        assert_eq!(self.endpoint.deadline(), None, "timers left");
    }

    /// A message arrives; line ends may be bare.
    pub fn receive(&mut self, text: &str) {
        self.receive_from(peer(), text);
    }

    pub fn receive_from(&mut self, from: SocketAddr, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
        let now = self.now();
        self.endpoint.received(now, FLOW, from, Bytes::from(text));
        self.drain();
    }

    pub fn request(&mut self, request: Request) -> TransactionId {
        let now = self.now();
        let tx = self.endpoint.request(now, FLOW, peer(), request);
        self.drain();
        tx
    }

    pub fn respond(&mut self, tx: TransactionId, response: Response) {
        let now = self.now();
        self.endpoint.respond(now, tx, response);
        self.drain();
    }

    /// Answers the only new request.
    pub fn answer(&mut self, status: u16) -> TransactionId {
        let (tx, request) = self.asked();
        let response = self.endpoint.answer_tagged(&request, status, "ours");
        self.respond(tx, response);
        tx
    }

    /// The only new request.
    pub fn asked(&mut self) -> (TransactionId, Request) {
        let mut events = self.events();
        assert_eq!(events.len(), 1, "{events:?}");
        match events.remove(0) {
            (_, Event::Request { tx, request, .. }) => (tx, request),
            (_, other) => panic!("{other:?}"),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll(self.now()) {
            self.log.push((self.now, output));
        }
    }

    /// Takes the messages sent since the last time out of the log.
    pub fn sent(&mut self) -> Vec<(u64, SocketAddr, String)> {
        let mut sent = Vec::new();
        self.log.retain(|(at, output)| match output {
            EndpointOutput::Send { to, bytes, .. } => {
                sent.push((*at, *to, String::from_utf8_lossy(bytes).into_owned()));
                false
            }
            _ => true,
        });
        sent
    }

    /// The same, each as its time and the beginning of its start line: `INVITE`, `SIP/2.0 200`.
    pub fn starts(&mut self) -> Vec<(u64, String)> {
        let sent = self.sent();
        sent.iter()
            .map(|(at, _, text)| (*at, start(text)))
            .collect()
    }

    /// The only message sent since the last time.
    pub fn only(&mut self) -> String {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0).2
    }

    /// Takes the events out of the log.
    pub fn events(&mut self) -> Vec<(u64, Event)> {
        let mut events = Vec::new();
        self.log.retain(|(at, output)| match output {
            EndpointOutput::Event(event) => {
                events.push((*at, event.clone()));
                false
            }
            _ => true,
        });
        events
    }

    /// Whether the endpoint has closed its flow.
    pub fn has_closed(&self) -> bool {
        let closes = |output: &EndpointOutput| matches!(output, EndpointOutput::Close(FLOW));
        self.log.iter().any(|(_, output)| closes(output))
    }

    /// A request of the platform, outside of dialogs.
    pub fn text(&self, method: &str, branch: &str, cseq: u32) -> String {
        self.text_to(method, branch, cseq, "")
    }

    /// A request of the platform in the dialog of [`Bench::answer`].
    pub fn text_inside(&self, method: &str, branch: &str, cseq: u32) -> String {
        self.text_to(method, branch, cseq, ";tag=ours")
    }

    pub fn text_to(&self, method: &str, branch: &str, cseq: u32, to_tag: &str) -> String {
        let transport = self.transport;
        format!(
            "{method} sip:34020000001318000001@3402000000 SIP/2.0\n\
             Via: SIP/2.0/{transport} 10.110.18.12:15060;branch={branch};rport\n\
             From: <sip:34020000002000000001@3402000000>;tag=theirs\n\
             To: <sip:34020000001318000001@3402000000>{to_tag}\n\
             Call-ID: call-1\n\
             CSeq: {cseq} {method}\n\
             Content-Length: 0\n\n"
        )
    }
}

pub fn start(text: &str) -> String {
    let words: Vec<_> = text.split(' ').take(2).collect();
    match words[0] {
        "SIP/2.0" => words.join(" "),
        method => method.to_owned(),
    }
}

/// A request of ours as its owner makes it.
pub fn our(method: vcam::sip::Method) -> Request {
    Request::new(method, "sip:34020000002000000001@10.110.18.12:15060")
        .with_header(
            "From",
            "<sip:34020000001318000001@10.110.18.75:5060>;tag=ours",
        )
        .with_header("To", "<sip:34020000002000000001@3402000000>")
        .with_header("Call-ID", "call-2")
        .with_header("CSeq", format!("1 {method}"))
}

/// The platform's answer to a request of ours.
pub fn reply(request: &str, status: u16) -> String {
    let message = Message::parse(request.to_owned()).unwrap();
    let mut response = Response::answering(message.headers(), status, "As It Is");
    let to = response.headers.value("To").unwrap().to_owned();
    if status > 100 && !to.contains("tag=") {
        response.headers.set("To", format!("{to};tag=theirs"));
    }
    String::from_utf8(response.write(&Style::default()).into()).unwrap()
}

/// The value of a header in a message's text.
pub fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

pub fn times(starts: &[(u64, String)], start: &str) -> Vec<u64> {
    let of = starts.iter().filter(|(_, s)| s == start);
    of.map(|(at, _)| *at).collect()
}
