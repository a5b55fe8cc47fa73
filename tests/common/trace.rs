//! A camera that plays the device's part of a capture, and somebody who reads out the platform's.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use vcam::camera::{Camera, Config};
use vcam::gb28181::time;
use vcam::lab::{Key, Lab};
use vcam::sip::digest::Authorization;
use vcam::sip::{Method, Token, Tokens};

use super::addr;
use super::capture::{Speaker, Spoken};

/// The stage of a capture.
pub struct Trace {
    pub lab: Lab,
    pub camera: Key<Camera>,
    device: String,
    platform: String,
    password: String,
    /// The digest responses of the capture, whose password nobody published.
    proofs: Vec<String>,
}

impl Trace {
    /// A device as the capture has it, at a time of the capture.
    pub fn set(config: Config, date: &str, tokens: Tokens, said: &[Spoken]) -> Trace {
        let date = time::parse(date).unwrap();
        let (device, platform) = (config.local, config.platform.address);
        let password = config.credentials.password.clone();
        let mut lab = Lab::starting(1, date);
        lab.bind(platform);
        let camera = Camera::with_tokens(Arc::new(config), 1, tokens);
        let camera = lab.add(device.ip(), camera);
        Trace {
            lab,
            camera,
            device: device.to_string(),
            platform: platform.to_string(),
            password,
            proofs: said.iter().filter_map(proof).collect(),
        }
    }

    pub fn wait_until(&mut self, date: &str) {
        let then = time::parse(date).unwrap().as_micros();
        let micros = then - self.lab.now().wall.as_micros();
        self.lab
            .run_for(Duration::from_micros(micros.try_into().unwrap()));
    }

    pub fn say(&mut self, bytes: &Bytes) {
        let (platform, device) = (addr(&self.platform), addr(&self.device));
        self.lab.send_datagram(platform, device, bytes.clone());
    }

    /// A message that the capture mentions but does not show.
    pub fn message(&mut self, device: &str, body: &str) {
        let number = body.len();
        let message = format!(
            "MESSAGE sip:{device}@{to} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {from};rport;branch=z9hG4bK{number}\r\n\
             From: <sip:34020000002000000010@{from}>;tag=1\r\n\
             To: <sip:{device}@{to}>\r\nCall-ID: {number}\r\n\
             CSeq: 20 MESSAGE\r\nContent-Type: application/MANSCDP+xml\r\n\
             Content-Length: {number}\r\n\r\n{body}",
            to = self.device,
            from = self.platform,
        );
        self.say(&message.into());
    }

    /// What the device sends now; its requests are answered 200, except REGISTER.
    pub fn heard(&mut self) -> Vec<String> {
        self.lab.run_for(Duration::from_millis(100));
        let datagrams = self.lab.datagrams_at(addr(&self.platform));
        let texts = datagrams
            .iter()
            .map(|(_, bytes)| encoding_rs::GBK.decode(bytes).0.into_owned());
        let texts: Vec<_> = texts.collect();
        for request in texts.iter().filter(|text| text.starts_with("MESSAGE")) {
            self.say(&ok(request).into());
        }
        texts
    }

    /// Exactly these messages.
    pub fn expect(&mut self, expected: &[&Spoken]) {
        let heard: Vec<_> = self.heard().iter().map(|m| self.without_proof(m)).collect();
        let expected = expected.iter().map(|m| self.without_proof(&m.text()));
        assert_eq!(heard, expected.collect::<Vec<_>>());
    }

    /// This answer, behind a 200 that the capture does not show.
    pub fn expect_answer(&mut self, expected: &Spoken) {
        let heard = self.heard();
        assert_eq!(heard.len(), 2, "a 200 and an answer: {heard:?}");
        assert!(heard[0].starts_with("SIP/2.0 200 OK\r\n"));
        assert_eq!(heard[1], expected.text());
    }

    /// The message with its digest response, if any, proved by our own password and cut out.
    fn without_proof(&self, text: &str) -> String {
        let Some((before, rest)) = text.split_once("response=\"") else {
            return text.to_owned();
        };
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("Authorization: "));
        let authorization = Authorization::parse(line.unwrap()).unwrap();
        let ours = authorization.proof(&self.password, Method::Register);
        let response = &authorization.response;
        assert!(*response == ours || self.proofs.contains(response));
        format!("{before}response=\"…{}", &rest[32..])
    }
}

fn proof(message: &Spoken) -> Option<String> {
    let text = message.text();
    let (_, rest) = text.split_once("response=\"")?;
    Some(rest[..32].to_owned())
}

/// Tags, branches and Call-IDs of the capture in the order they are needed; `unseen` says before
/// which messages the capture leaves out a 200, which takes any tag.
pub fn random_parts(said: &[Spoken], unseen: impl Fn(&Spoken) -> bool) -> Tokens {
    random_parts_after(Tokens::seeded(1), said, unseen)
}

/// The same, behind those of messages that come before the capture begins.
pub fn random_parts_after(
    mut tokens: Tokens,
    said: &[Spoken],
    unseen: impl Fn(&Spoken) -> bool,
) -> Tokens {
    for message in said.iter().filter(|m| m.by == Speaker::Device) {
        let start = message.start();
        if !start.starts_with("SIP/2.0") {
            tokens.script(Token::Branch, message.part("Via", "branch="));
        }
        let again = message.header("CSeq") == "2 REGISTER";
        if start.starts_with("MESSAGE") || start.starts_with("REGISTER") && !again {
            if unseen(message) {
                tokens.script(Token::Tag, "1");
            }
            tokens.script(Token::Tag, message.part("From", "tag="));
            tokens.script(Token::CallId, message.header("Call-ID"));
        }
        let first_answer = start.starts_with("SIP/2.0 101")
            || start.starts_with("SIP/2.0 200") && !is_answered_before(said, message);
        if first_answer {
            tokens.script(Token::Tag, message.part("To", "tag="));
        }
        let text = message.text();
        if let Some(origin) = text.lines().find_map(|line| line.strip_prefix("o=")) {
            let number = origin.split(' ').nth(1).unwrap();
            tokens.script(Token::Session, number);
        }
    }
    tokens
}

/// Whether a tag of this dialog was said already.
fn is_answered_before(said: &[Spoken], message: &Spoken) -> bool {
    let tag = message.part("To", "tag=");
    let first = said
        .iter()
        .filter(|m| m.by == Speaker::Device)
        .find(|m| m.text().contains(&format!(";tag={tag}\r\n")));
    first.is_some_and(|first| first.bytes != message.bytes)
}

fn ok(request: &str) -> String {
    let echoed = ["Via", "From", "To", "Call-ID", "CSeq"].map(|name| {
        let mut lines = request.lines();
        let line = lines.find(|line| line.starts_with(&format!("{name}:")));
        line.unwrap().to_owned()
    });
    let [via, from, to, call_id, cseq] = echoed;
    format!(
        "SIP/2.0 200 OK\r\n{via}\r\n{from}\r\n{to};tag=9\r\n{call_id}\r\n{cseq}\r\n\
         Content-Length: 0\r\n\r\n"
    )
}
