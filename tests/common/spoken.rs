//! SIP as a platform reads and writes it by hand: plain text, no code of ours in between.

use std::net::SocketAddr;

use bytes::Bytes;

use super::stage::{CAMERA, CHANNEL, DEVICE, PLATFORM, SERVER};

/// A message of the camera.
#[derive(Clone)]
pub struct Heard {
    pub head: String,
    pub body: Bytes,
}

impl std::fmt::Debug for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "\n{}\n\n{}", self.head, self.text())
    }
}

impl Heard {
    /// Reads a message, and how many octets it takes.
    pub fn parse(octets: &[u8]) -> (Heard, usize) {
        let blank = octets.windows(4).position(|four| four == b"\r\n\r\n");
        let blank = blank.unwrap_or_else(|| panic!("no SIP: {octets:?}"));
        let head = String::from_utf8(octets[..blank].to_vec()).unwrap();
        let length = head.lines().find_map(|l| l.strip_prefix("Content-Length:"));
        let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
        let end = blank + 4 + length;
        let body = Bytes::copy_from_slice(&octets[blank + 4..end]);
        (Heard { head, body }, end)
    }

    /// The whole message as it was on the wire.
    pub fn wire(&self) -> String {
        format!(
            "{}\r\n\r\n{}",
            self.head,
            String::from_utf8_lossy(&self.body)
        )
    }

    pub fn start(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }

    /// The method of a request; of a response, what it answers.
    pub fn method(&self) -> &str {
        match self.head.starts_with("SIP/2.0") {
            true => "",
            false => self.start().split(' ').next().unwrap_or_default(),
        }
    }

    /// 0 for a request.
    pub fn status(&self) -> u16 {
        let status = self.start().strip_prefix("SIP/2.0 ");
        status.map_or(0, |rest| rest[..3].parse().unwrap())
    }

    pub fn uri(&self) -> &str {
        self.start().split(' ').nth(1).unwrap_or_default()
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1);
        lines.find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.value(name)
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    /// A parameter of a header, without quotes.
    pub fn param(&self, header: &str, name: &str) -> Option<String> {
        let value = self.value(header)?;
        let (_, rest) = value.split_once(&format!("{name}="))?;
        let rest = rest.strip_prefix('"').unwrap_or(rest);
        let end = rest.find(['"', ',', ';', '>']).unwrap_or(rest.len());
        Some(rest[..end].to_owned())
    }

    pub fn cseq(&self) -> u32 {
        let number = self.header("CSeq").split(' ').next();
        number.unwrap().parse().unwrap()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        vcam::gb28181::charset::decode(&self.body)
    }

    /// The text of an XML element.
    pub fn element(&self, name: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        let (inside, _) = rest.split_once(&format!("</{name}>"))?;
        Some(inside.to_owned())
    }

    /// A line of an SDP body.
    pub fn line(&self, start: &str) -> Option<String> {
        let text = self.text();
        let found = text.lines().find_map(|line| line.strip_prefix(start));
        found.map(str::to_owned)
    }

    /// The port in `m=`.
    pub fn media_port(&self) -> u16 {
        let line = self.line("m=video ").unwrap();
        line.split(' ').next().unwrap().parse().unwrap()
    }

    pub fn is_keepalive(&self) -> bool {
        self.method() == "MESSAGE" && self.element("CmdType").as_deref() == Some("Keepalive")
    }
}

/// An answer to a request of the camera; `headers` are whole lines.
pub fn answer(request: &Heard, status: u16, headers: &str) -> String {
    let echoed: String = ["Via", "From", "Call-ID", "CSeq"]
        .iter()
        .map(|name| format!("{name}: {}\r\n", request.header(name)))
        .collect();
    let to = request.header("To");
    let tag = if to.contains(";tag=") { "" } else { ";tag=7" };
    format!("SIP/2.0 {status} Said\r\n{echoed}To: {to}{tag}\r\n{headers}Content-Length: 0\r\n\r\n")
}

/// A request of the platform.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub uri: String,
    pub from: String,
    pub to: String,
    /// Empty: one of its own.
    pub call_id: String,
    pub cseq: u32,
    /// Whole lines.
    pub headers: String,
    pub body: Bytes,
}

impl Request {
    /// Outside dialogs, to the device.
    pub fn new(method: &str) -> Request {
        Request {
            method: method.into(),
            uri: format!("sip:{DEVICE}@{CAMERA}"),
            from: format!("<sip:{SERVER}@3402000000>;tag=55"),
            to: format!("<sip:{DEVICE}@{CAMERA}>"),
            call_id: String::new(),
            cseq: 1,
            headers: String::new(),
            body: Bytes::new(),
        }
    }

    /// A MESSAGE with a MANSCDP body.
    pub fn message(body: impl Into<Bytes>) -> Request {
        let headers = "Content-Type: application/MANSCDP+xml\r\n".into();
        let body = body.into();
        Request {
            headers,
            body,
            ..Request::new("MESSAGE")
        }
    }

    /// A query with SN 17.
    pub fn query(cmd_type: &str, id: &str) -> Request {
        Request::message(format!(
            "<?xml version=\"1.0\"?>\r\n<Query>\r\n<CmdType>{cmd_type}</CmdType>\r\n\
             <SN>17</SN>\r\n<DeviceID>{id}</DeviceID>\r\n</Query>\r\n"
        ))
    }

    pub fn with(mut self, line: &str) -> Request {
        self.headers.push_str(line);
        self.headers.push_str("\r\n");
        self
    }

    pub fn write(&self, transport: &str, from: SocketAddr, turn: u32) -> Bytes {
        let call_id = match self.call_id.is_empty() {
            true => format!("turn-{turn}"),
            false => self.call_id.clone(),
        };
        let head = format!(
            "{method} {uri} SIP/2.0\r\n\
             Via: SIP/2.0/{transport} {from};rport;branch=z9hG4bK{turn}\r\n\
             From: {own}\r\nTo: {to}\r\nCall-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n\
             {headers}Content-Length: {length}\r\n\r\n",
            method = self.method,
            uri = self.uri,
            own = self.from,
            to = self.to,
            cseq = self.cseq,
            headers = self.headers,
            length = self.body.len(),
        );
        let mut octets = head.into_bytes();
        octets.extend_from_slice(&self.body);
        octets.into()
    }
}

/// The platform's end of a call.
#[derive(Clone, Debug)]
pub struct Leg {
    pub call_id: String,
    pub from: String,
    /// With the camera's tag once it has answered.
    pub to: String,
    pub uri: String,
    pub cseq: u32,
    pub subject: String,
    branch: u32,
}

impl Leg {
    pub fn new(turn: u32) -> Leg {
        Leg {
            call_id: format!("call-{turn}"),
            from: format!("<sip:{SERVER}@3402000000>;tag=from{turn}"),
            to: format!("<sip:{CHANNEL}@3402000000>"),
            uri: format!("sip:{CHANNEL}@{CAMERA}"),
            cseq: 1,
            subject: format!("{CHANNEL}:0,{SERVER}:0"),
            branch: 0,
        }
    }

    /// To another channel, or to the device.
    pub fn to(turn: u32, id: &str) -> Leg {
        Leg {
            to: format!("<sip:{id}@3402000000>"),
            uri: format!("sip:{id}@{CAMERA}"),
            ..Leg::new(turn)
        }
    }

    /// The INVITE, or with a tag in `to` one inside the dialog.
    pub fn invite(&self, offer: impl Into<Bytes>) -> Request {
        let subject = format!("Subject: {}", self.subject);
        let mut invite = self
            .request("INVITE", self.cseq)
            .with(&format!("Contact: <sip:{SERVER}@{PLATFORM}>"));
        if !self.subject.is_empty() {
            invite = invite.with(&subject);
        }
        invite.body = offer.into();
        match invite.body.is_empty() {
            true => invite,
            false => invite.with("Content-Type: application/sdp"),
        }
    }

    pub fn request(&self, method: &str, cseq: u32) -> Request {
        Request {
            method: method.into(),
            uri: self.uri.clone(),
            from: self.from.clone(),
            to: self.to.clone(),
            call_id: self.call_id.clone(),
            cseq,
            headers: String::new(),
            body: Bytes::new(),
        }
    }

    /// Takes the camera's tag and branch from its answer.
    pub fn answered(&mut self, answer: &Heard) {
        self.to = answer.header("To").to_owned();
        let branch = answer.param("Via", "branch=z9hG4bK");
        let branch = branch.or_else(|| answer.param("Via", "branch"));
        let digits = branch.unwrap().replace("z9hG4bK", "");
        self.branch = digits.parse().unwrap();
    }

    /// The ACK of a refusal: on the branch of its INVITE.
    pub fn ack_of_refusal(&self, answer: &Heard) -> Bytes {
        let transport = if answer.header("Via").contains("TCP") {
            "TCP"
        } else {
            "UDP"
        };
        let from = answer.header("Via").split([' ', ';']).nth(1).unwrap();
        let ack = self.request("ACK", answer.cseq());
        ack.write(transport, from.parse().unwrap(), self.branch)
    }

    /// CANCEL of an INVITE that was written in a turn.
    pub fn cancel(&self, invite: &Request, platform: SocketAddr, turn: u32) -> Bytes {
        let mut cancel = self.request("CANCEL", invite.cseq);
        cancel.to = invite.to.clone();
        cancel.write("UDP", platform, turn)
    }
}

/// An offer of the platform: how media travels (`udp`, or on TCP its setup line), and its `y=`.
pub fn offer(how: &str, y: &str) -> String {
    let (proto, setup) = match how {
        "udp" => ("RTP/AVP", String::new()),
        "tcp" => ("TCP/RTP/AVP", String::new()),
        setup => (
            "TCP/RTP/AVP",
            format!("a=setup:{setup}\r\na=connection:new\r\n"),
        ),
    };
    let y = match y.is_empty() {
        true => String::new(),
        false => format!("y={y}\r\n"),
    };
    format!(
        "v=0\r\no={CHANNEL} 0 0 IN IP4 10.0.0.1\r\ns=Play\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
         m=video 10000 {proto} 96 98 97\r\na=recvonly\r\n{setup}a=rtpmap:96 PS/90000\r\n\
         a=rtpmap:98 H264/90000\r\na=rtpmap:97 MPEG4/90000\r\n{y}"
    )
}

/// A usual offer over UDP.
pub fn udp() -> String {
    offer("udp", "0200000001")
}

/// A usual offer over TCP to which the camera connects.
pub fn passive() -> String {
    offer("passive", "0200000001")
}
