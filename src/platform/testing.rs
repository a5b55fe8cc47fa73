//! A platform in virtual time, and devices that say what a test wants them to say.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::gb28181::DeviceId;
use crate::media::{Counts, Expected, MediaTransport, Order, Report, StreamId};
use crate::sip::digest::answer;
use crate::sip::{Challenge, Credentials, Message, Method, Request, Response, Style};
use crate::time::{Instant, Wall};

pub const PLATFORM: &str = "34020000002000000001";
pub const PASSWORD: &str = "12345678";

/// The configuration that tests begin with: no passwords, UDP and TCP.
pub fn config() -> Config {
    Config::new(PLATFORM.parse().unwrap(), address("192.0.2.9:5060"))
}

pub fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// What a platform did.
#[derive(Default)]
pub struct Said {
    pub sent: Vec<(FlowId, SocketAddr, Message)>,
    pub orders: Vec<Order>,
    pub events: Vec<Event>,
    pub opens: Vec<FlowId>,
    pub closes: Vec<FlowId>,
}

impl Said {
    /// The statuses of the responses sent.
    pub fn statuses(&self) -> Vec<u16> {
        let responses = self
            .sent
            .iter()
            .filter_map(|(.., message)| message.response());
        responses.map(Response::status).collect()
    }

    /// The only response sent.
    pub fn response(&self) -> &Response {
        assert_eq!(self.statuses().len(), 1);
        self.sent
            .iter()
            .find_map(|(.., message)| message.response())
            .unwrap()
    }

    /// The methods of the requests sent.
    pub fn methods(&self) -> Vec<Method> {
        let requests = self
            .sent
            .iter()
            .filter_map(|(.., message)| message.request());
        requests.map(Request::method).collect()
    }

    /// The first request sent with this method.
    pub fn request(&self, method: Method) -> &Request {
        let mut requests = self
            .sent
            .iter()
            .filter_map(|(.., message)| message.request());
        requests.find(|request| request.method() == method).unwrap()
    }

    /// The kinds of complaints.
    pub fn complaints(&self) -> Vec<Deviation> {
        let complaint = |event: &Event| match event {
            Event::Complaint(complaint) => Some(complaint.what),
            _ => None,
        };
        self.events.iter().filter_map(complaint).collect()
    }

    /// Why a call did not come about.
    pub fn refusal(&self) -> Option<&PlayFailure> {
        self.events.iter().find_map(|event| match event {
            Event::PlayRefused { why, .. } => Some(why),
            _ => None,
        })
    }

    /// Why a call ended.
    pub fn end(&self) -> Option<PlayEnd> {
        self.events.iter().find_map(|event| match event {
            Event::PlayEnded { why, .. } => Some(*why),
            _ => None,
        })
    }

    /// Whether the media of call 1 is ordered to stop.
    pub fn stops(&self) -> bool {
        let stop = |order: &Order| matches!(order, Order::Stop(StreamId(1)));
        self.orders.iter().any(stop)
    }

    /// Whether the event happened that `find` knows.
    pub fn told(&self, find: impl Fn(&Event) -> bool) -> bool {
        self.events.iter().any(find)
    }
}

pub struct Bench {
    pub platform: Platform,
    pub now: Now,
}

impl Bench {
    /// A platform whose sockets are open.
    pub fn new(config: Config) -> Bench {
        let mut bench = Bench {
            platform: Platform::new(Arc::new(config), 1),
            now: Now {
                mono: Instant::ZERO,
                wall: Wall::from_micros(1_715_926_053_263_000),
            },
        };
        let opens = bench.drain().opens;
        for flow in opens {
            bench.open(flow, "192.0.2.9:5060", None);
        }
        bench
    }

    fn open(&mut self, flow: FlowId, local: &str, remote: Option<SocketAddr>) -> Said {
        let transport = match flow {
            UDP => Transport::Udp,
            _ => Transport::Tcp,
        };
        let is = Flow {
            transport,
            local: address(local),
            remote,
        };
        self.handle(Input::Opened { flow, is })
    }

    /// Somebody connects.
    pub fn accept(&mut self, n: u32, remote: &str) -> FlowId {
        let flow = FlowId::accepted(n);
        self.open(flow, "192.0.2.9:5060", Some(address(remote)));
        flow
    }

    pub fn handle(&mut self, input: Input<Command>) -> Said {
        self.platform.handle(self.now, input);
        self.drain()
    }

    pub fn command(&mut self, command: Command) -> Said {
        self.handle(Input::Command(command))
    }

    pub fn media(&mut self, report: Report) -> Said {
        self.handle(Input::Media(report))
    }

    /// Polls until the platform waits.
    fn drain(&mut self) -> Said {
        let mut said = Said::default();
        self.drain_into(&mut said);
        said
    }

    fn drain_into(&mut self, said: &mut Said) -> Option<Instant> {
        loop {
            match self.platform.poll(self.now) {
                Output::Open { flow, .. } => said.opens.push(flow),
                Output::Close(flow) => said.closes.push(flow),
                Output::Send { flow, to, bytes } => {
                    said.sent.push((flow, to, Message::parse(bytes).unwrap()));
                }
                Output::Media(order) => said.orders.push(order),
                Output::Event(event) => said.events.push(event),
                Output::Job { .. } => {}
                Output::Wait(until) => return until,
            }
        }
    }

    /// Lets time pass, waking the platform exactly when it asks for it.
    pub fn pass(&mut self, seconds: f64) -> Said {
        let end = self.now.after(Duration::from_secs_f64(seconds));
        let mut said = Said::default();
        loop {
            let until = self.drain_into(&mut said);
            match until.filter(|at| *at <= end.mono) {
                Some(at) => self.now = self.now.after(at - self.now.mono),
                None => break,
            }
        }
        self.now = end;
        said
    }

    /// A datagram, or bytes on a connection, exactly as given.
    pub fn octets(&mut self, flow: FlowId, from: SocketAddr, bytes: impl Into<Bytes>) -> Said {
        let bytes = bytes.into();
        self.handle(Input::Received { flow, from, bytes })
    }

    pub fn ask(&mut self, device: &Puppet, what: Query, ask: u64) -> Said {
        let (device, ask) = (device.id, AskId(ask));
        self.command(Command::Query { device, what, ask })
    }

    pub fn play(&mut self, device: &Puppet, transport: MediaTransport, play: u64) -> Said {
        self.command(Command::Play {
            device: device.id,
            channel: device.channel(),
            transport,
            stream: 0,
            showing: Showing::Live,
            expected: Arc::new(Expected::default()),
            play: PlayId(play),
        })
    }

    /// A registered device and the INVITE it gets for call 1.
    pub fn invited(&mut self, transport: MediaTransport) -> (Puppet, Request) {
        let device = Puppet::new(1).registered(self);
        let said = self.play(&device, transport, 1);
        assert!(matches!(
            said.orders[..],
            [Order::Open { transport: ours, .. }] if ours == terms::our_part(transport)
        ));
        let port = match transport {
            MediaTransport::TcpPassive => 0,
            _ => 10_000,
        };
        let said = self.media_open(1, port);
        (device, said.request(Method::Invite).clone())
    }

    /// As [`invited`](Self::invited) over UDP, accepted and acknowledged.
    pub fn up(&mut self) -> (Puppet, Request) {
        let (device, invite) = self.invited(MediaTransport::Udp);
        let ok = device.accept(&invite, MediaTransport::Udp, "0200000001");
        assert_eq!(device.say(self, ok).methods(), [Method::Ack]);
        (device, invite)
    }

    /// The media plane has a port for a call.
    pub fn media_open(&mut self, play: u64, port: u16) -> Said {
        let local = SocketAddr::new(address("192.0.2.9:0").ip(), port);
        let stream = StreamId(play);
        self.media(Report::Opened { stream, local })
    }

    /// The media plane has ended a call's stream.
    pub fn media_end(&mut self, play: u64) -> Said {
        self.media(Report::Ended {
            stream: StreamId(play),
            counts: Counts::default(),
            verdict: None,
            recording: Bytes::new(),
            error: None,
        })
    }
}

/// A device whose every word is a test's.
#[derive(Clone)]
pub struct Puppet {
    pub id: DeviceId,
    pub flow: FlowId,
    pub at: SocketAddr,
    said: u32,
}

impl Puppet {
    /// The device with this serial, on the platform's UDP socket.
    pub fn new(serial: u32) -> Puppet {
        let id: DeviceId = "34020000001320000000".parse().unwrap();
        Puppet {
            id: id.with_serial(serial),
            flow: UDP,
            at: address("192.0.2.1:5060"),
            said: 0,
        }
    }

    /// The same on a connection.
    pub fn on(mut self, flow: FlowId, at: &str) -> Puppet {
        self.flow = flow;
        self.at = address(at);
        self
    }

    pub fn channel(&self) -> DeviceId {
        self.id.with_type(131)
    }

    /// A request with all that it must have, outside any dialog.
    pub fn request(&mut self, method: Method) -> Request {
        self.said += 1;
        let n = self.said;
        let transport = if self.flow == UDP { "UDP" } else { "TCP" };
        let (id, at) = (self.id, self.at);
        Request::new(method, format!("sip:{PLATFORM}@3402000000"))
            .with_header(
                "Via",
                format!("SIP/2.0/{transport} {at};rport;branch=z9hG4bK{id}{n}"),
            )
            .with_header("From", format!("<sip:{id}@{at}>;tag=f{id}{n}"))
            .with_header("To", format!("<sip:{PLATFORM}@3402000000>"))
            .with_header("Call-ID", format!("call{n}@{id}"))
            .with_header("CSeq", format!("{n} {method}"))
            .with_header("Max-Forwards", "70")
    }

    pub fn register(&mut self, expires: &str) -> Request {
        let (id, at) = (self.id, self.at);
        let mut request = self.request(Method::Register);
        request.headers.set("To", format!("<sip:{id}@{at}>"));
        request.headers.set("Call-ID", format!("registration@{id}"));
        request
            .with_header("Contact", format!("<sip:{id}@{at}>"))
            .with_header("Expires", expires)
    }

    /// A REGISTER that answers the challenge in `refusal`.
    pub fn authorised(&mut self, refusal: &Response, password: &str) -> Request {
        let value = refusal.headers.value("WWW-Authenticate").unwrap();
        let challenge = Challenge::parse(value).unwrap();
        let credentials = Credentials {
            username: self.id.to_string(),
            password: password.into(),
        };
        let request = self.register("3600");
        let (method, uri) = (Method::Register, request.uri());
        let proof = answer(&challenge, &credentials, method, uri, 1, "c0ffee");
        let text = proof.write(&Style::default().authorization);
        request.with_header("Authorization", text)
    }

    pub fn message(&mut self, body: impl Into<String>) -> Request {
        let request = self.request(Method::Message);
        request.with_body("Application/MANSCDP+xml", body.into())
    }

    pub fn keepalive(&mut self) -> Request {
        let id = self.id;
        self.message(format!(
            "<Notify><CmdType>Keepalive</CmdType><SN>1</SN><DeviceID>{id}</DeviceID>\
             <Status>OK</Status></Notify>"
        ))
    }

    /// A Response body from this device.
    pub fn response(&mut self, cmd_type: &str, sn: &str, rest: &str) -> Request {
        let id = self.id;
        self.message(format!(
            "<Response><CmdType>{cmd_type}</CmdType><SN>{sn}</SN><DeviceID>{id}</DeviceID>\
             {rest}</Response>"
        ))
    }

    pub fn say(&self, bench: &mut Bench, message: impl Into<Message>) -> Said {
        let bytes = match message.into() {
            Message::Request(request) => request.write(&Style::default()),
            Message::Response(response) => response.write(&Style::default()),
        };
        bench.octets(self.flow, self.at, bytes)
    }

    /// Registers on a platform without passwords.
    pub fn registered(mut self, bench: &mut Bench) -> Puppet {
        let request = self.register("3600");
        assert_eq!(self.say(bench, request).statuses(), [200]);
        self
    }

    /// The answer to a request of the platform, with a To tag.
    pub fn answer(&self, request: &Request, status: u16) -> Response {
        let mut response = Response::answering(&request.headers, status, "Whatever");
        let to = request.headers.value("To").unwrap();
        if status > 100 && !to.contains("tag=") {
            response.headers.set("To", format!("{to};tag=device"));
        }
        response
    }

    /// BYE in the dialog that [`accept`](Self::accept) made of `invite`.
    pub fn bye(&mut self, invite: &Request) -> Request {
        let mut bye = self.request(Method::Bye);
        let to = invite.headers.value("From").unwrap();
        let from = format!("{};tag=device", invite.headers.value("To").unwrap());
        bye.headers.set("From", from);
        bye.headers.set("To", to);
        bye.headers
            .set("Call-ID", invite.headers.call_id().unwrap());
        bye
    }

    /// The 200 to an INVITE, with the SDP answer that fits a camera doing `transport`.
    pub fn accept(&self, invite: &Request, transport: MediaTransport, ssrc: &str) -> Response {
        let (proto, setup) = match transport {
            MediaTransport::Udp => ("RTP/AVP", ""),
            MediaTransport::TcpActive => ("TCP/RTP/AVP", "a=setup:active\r\n"),
            MediaTransport::TcpPassive => ("TCP/RTP/AVP", "a=setup:passive\r\n"),
        };
        let (channel, at) = (self.channel(), self.at);
        let sdp = format!(
            "v=0\r\no={channel} 0 0 IN IP4 192.0.2.1\r\ns=Play\r\nc=IN IP4 192.0.2.1\r\n\
             t=0 0\r\nm=video 9730 {proto} 96\r\na=sendonly\r\na=rtpmap:96 PS/90000\r\n\
             {setup}y={ssrc}\r\n"
        );
        self.answer(invite, 200)
            .with_header("Contact", format!("<sip:{channel}@{at}>"))
            .with_body("application/sdp", sdp)
    }
}
