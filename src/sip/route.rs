//! Whose a message is, when thousands of nodes share one UDP socket.
//!
//! | message | found by |
//! |---|---|
//! | answer | the number in our branch; if a platform lost that, in the Call-ID, then the From tag |
//! | request | the user of the Request-URI, then of To: a device or one of its channels |
//! | request that names neither | inside a dialog the number in our To tag |
//!
//! There is no table of transactions or calls: nothing grows with what happens.

use std::collections::HashMap;
use std::net::SocketAddr;

use bytes::Bytes;

use super::headers::Headers;
use super::mark::Marks;
use super::message::{Message, Request, Response};
use super::style::Style;
use super::via::Via;
use rsip::Method;

/// Who is reached by which user, and by which token.
#[derive(Debug)]
pub struct Routes {
    marks: Marks,
    users: HashMap<Box<str>, u32>,
}

impl Routes {
    /// No routes yet. The nodes make their tokens with `marks`.
    pub fn new(marks: Marks) -> Routes {
        Routes {
            marks,
            users: HashMap::new(),
        }
    }

    /// Requests to `user` go to `node` from now on; whose they were before.
    pub fn add(&mut self, user: &str, node: u32) -> Option<u32> {
        self.users.insert(user.into(), node)
    }

    /// Requests to `user` go to `node` no more.
    pub fn remove(&mut self, user: &str, node: u32) {
        if self.users.get(user) == Some(&node) {
            self.users.remove(user);
        }
    }

    /// What the tokens are read with.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Whose `message` is.
    pub fn of(&self, message: &Message) -> Option<u32> {
        match message {
            Message::Request(request) => self.of_request(request),
            Message::Response(response) => self.of_response(response),
        }
    }

    fn of_request(&self, request: &Request) -> Option<u32> {
        let named = request.uri_user().and_then(|user| self.users.get(user));
        if let Some(node) = named {
            return Some(*node);
        }
        self.of_headers(&request.headers)
    }

    /// Whose a request is of which only headers could be read.
    pub fn of_headers(&self, headers: &Headers) -> Option<u32> {
        let to = headers.to().ok()?;
        let named = to.user().and_then(|user| self.users.get(user)).copied();
        named.or_else(|| self.marks.read(to.tag()?))
    }

    fn of_response(&self, response: &Response) -> Option<u32> {
        let headers = &response.headers;
        let by = |token: Option<&str>| token.and_then(|token| self.marks.read(token));
        let via = headers.via().ok();
        by(via.as_ref().and_then(Via::branch))
            .or_else(|| by(headers.call_id()))
            .or_else(|| by(headers.from().ok()?.tag()))
    }
}

/// The answer to a request that is nobody's, and where it goes: 404, inside a dialog 481
/// (RFC 3261 §8.2.2.1, §12.2.2). An ACK is never answered. Nothing is remembered: a copy gets the
/// same answer again.
pub fn refusal(request: &Request, from: SocketAddr, style: &Style) -> Option<(SocketAddr, Bytes)> {
    let headers = &request.headers;
    let (via, to) = (headers.via().ok()?, headers.to().ok()?);
    if request.method() == Method::Ack {
        return None;
    }
    let status = if to.tag().is_some() { 481 } else { 404 };
    let mut response = Response::answering(headers, status, style.phrase(status));
    super::endpoint::echo_via(&mut response.headers, from, style);
    if to.tag().is_none() {
        // The same for every copy, as RFC 3261 §8.2.7 asks of a server without state.
        let tag = via
            .branch()
            .unwrap_or("0")
            .replace(|c: char| !c.is_ascii_alphanumeric(), "");
        let to = format!("{};tag={tag}", headers.value("To")?);
        response.headers.set("To", to);
    }
    let mut back = from;
    if !via.has_rport() {
        back.set_port(via.answer_port());
    }
    Some((back, response.write(style)))
}

#[cfg(test)]
mod tests {
    use super::super::tokens::Tokens;
    use super::*;

    const DEVICE: &str = "34020000001320000007";
    const CHANNEL: &str = "34020000001310000007";

    fn routes() -> Routes {
        let mut routes = Routes::new(Marks::new(1, 100));
        routes.add(DEVICE, 7);
        routes.add(CHANNEL, 7);
        routes
    }

    fn request(uri: &str, to: &str) -> Message {
        Request::new(Method::Bye, uri)
            .with_header("Via", "SIP/2.0/UDP 10.0.0.1:5061;branch=z9hG4bK1")
            .with_header("From", "<sip:p@x>;tag=1")
            .with_header("To", to)
            .with_header("Call-ID", "c")
            .with_header("CSeq", "1 BYE")
            .into()
    }

    #[test]
    fn a_request_is_found_by_its_uri_then_by_to_for_device_and_channel() {
        let routes = routes();
        let of = |uri: &str, to: &str| routes.of(&request(uri, to));
        let platform = "sip:34020000002000000001@10.0.0.1";
        assert_eq!(of(&format!("sip:{DEVICE}@10.0.0.9"), "<sip:x@y>"), Some(7));
        assert_eq!(of(platform, &format!("<sip:{CHANNEL}@y>;tag=1")), Some(7));
        assert_eq!(of(platform, "<sip:x@y>"), None);
    }

    #[test]
    fn a_request_in_a_dialog_that_names_nobody_is_found_by_our_tag() {
        let routes = routes();
        let tag = Tokens::seeded(1)
            .marked(routes.marks().of(42).unwrap())
            .tag(&Style::default());
        let bye = request("sip:10.0.0.9", &format!("<sip:x@y>;tag={tag}"));
        assert_eq!(routes.of(&bye), Some(42));
    }

    #[test]
    fn an_answer_is_found_by_branch_then_call_id_then_tag() {
        let routes = routes();
        let style = Style::default();
        let mut tokens = Tokens::seeded(1).marked(routes.marks().of(42).unwrap());
        let (branch, tag) = (tokens.branch(&style), tokens.tag(&style));
        let call_id = tokens.call_id(&style, [10, 0, 0, 1].into());
        let answer = |branch: &str, call_id: &str, tag: &str| {
            let response = Response::new(200, "OK")
                .with_header("Via", format!("SIP/2.0/UDP 10.0.0.2;branch={branch}"))
                .with_header("From", format!("<sip:x@y>;tag={tag}"))
                .with_header("To", "<sip:x@y>")
                .with_header("Call-ID", call_id);
            routes.of(&response.into())
        };
        assert_eq!(answer(&branch, "c", "t"), Some(42));
        assert_eq!(answer("z9hG4bKx", &call_id, "t"), Some(42));
        assert_eq!(answer("z9hG4bKx", "c", &tag), Some(42));
        assert_eq!(answer("z9hG4bKx", "c", "t"), None);
    }

    #[test]
    fn a_stranger_is_told_404_and_inside_a_dialog_481_at_the_port_it_asks_for() {
        let from = "10.0.0.1:7000".parse().unwrap();
        let refused = |to: &str| {
            let Message::Request(request) = request("sip:x@y", to) else {
                panic!("no request");
            };
            let (back, octets) = refusal(&request, from, &Style::default()).unwrap();
            let answer = Message::parse(octets).unwrap();
            (back.port(), answer.response().unwrap().clone())
        };
        let (port, answer) = refused("<sip:x@y>");
        assert_eq!((port, answer.status()), (5061, 404));
        assert!(answer.headers.to().unwrap().tag().is_some());
        assert_eq!(refused("<sip:x@y>").1, answer);
        assert_eq!(refused("<sip:x@y>;tag=ours").1.status(), 481);
    }

    #[test]
    fn an_ack_of_nobodys_is_not_answered() {
        let ack = Request::new(Method::Ack, "sip:x@y")
            .with_header("Via", "SIP/2.0/UDP 10.0.0.1:5061;branch=z9hG4bK1")
            .with_header("To", "<sip:x@y>");
        let from = "10.0.0.1:7000".parse().unwrap();
        assert_eq!(refusal(&ack, from, &Style::default()), None);
    }
}
