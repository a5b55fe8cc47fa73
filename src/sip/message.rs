//! Requests and responses.

use bytes::Bytes;
use rsip::{Method, StatusCode};

use super::headers::Headers;
use super::uri::Uri;

/// A SIP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    method: Method,
    uri: Uri,
    /// The headers.
    pub headers: Headers,
    /// The body, octet for octet.
    pub body: Bytes,
}

impl Request {
    /// A request without headers and body.
    pub fn new(method: Method, uri: impl Into<String>) -> Self {
        Request {
            method,
            uri: Uri::new(uri),
            headers: Headers::default(),
            body: Bytes::new(),
        }
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The Request-URI as it is written.
    pub fn uri(&self) -> &str {
        self.uri.as_str()
    }

    /// The Request-URI with views of its parts.
    pub fn target(&self) -> &Uri {
        &self.uri
    }

    /// The user part of the Request-URI.
    pub fn uri_user(&self) -> Option<&str> {
        self.uri.user()
    }

    /// Whether its CSeq counts another method than its own.
    pub fn is_miscounted(&self) -> bool {
        let cseq = self.headers.cseq();
        cseq.is_ok_and(|cseq| cseq.method != self.method)
    }

    /// The same with one more header.
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same with a body and its Content-Type.
    pub fn with_body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.headers.set("Content-Type", content_type);
        self.body = body.into();
        self
    }
}

/// A SIP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    status: StatusCode,
    /// The headers.
    pub headers: Headers,
    /// The body, octet for octet.
    pub body: Bytes,
}

impl Response {
    /// A response without headers and body.
    pub fn new(status: u16, reason: &str) -> Self {
        // Always `Other`: rsip's own variants print their Rust names as reason phrases.
        Response {
            status: StatusCode::Other(status, reason.to_owned()),
            headers: Headers::default(),
            body: Bytes::new(),
        }
    }

    /// A response to the request with these headers: every Via, From, To, Call-ID and CSeq repeated
    /// octet for octet (RFC 3261 §8.2.6.2). rport, received and a To tag are the endpoint's to add.
    pub fn answering(request: &Headers, status: u16, reason: &str) -> Self {
        let mut response = Response::new(status, reason);
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            response.headers.copy(name, request);
        }
        response
    }

    /// The status code.
    pub fn status(&self) -> u16 {
        self.status.code()
    }

    /// The reason phrase as it is written.
    pub fn reason(&self) -> &str {
        match &self.status {
            StatusCode::Other(_, reason) => reason,
            known => super::reason::phrase(known.code()),
        }
    }

    /// Whether this is not yet the answer (1xx).
    pub fn is_provisional(&self) -> bool {
        self.status() < 200
    }

    /// Whether the request succeeded (2xx).
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status())
    }

    /// The same with one more header.
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push(name, value);
        self
    }

    /// The same with a body and its Content-Type.
    pub fn with_body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.headers.set("Content-Type", content_type);
        self.body = body.into();
        self
    }
}

/// Either kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl Message {
    /// The headers.
    pub fn headers(&self) -> &Headers {
        match self {
            Message::Request(request) => &request.headers,
            Message::Response(response) => &response.headers,
        }
    }

    /// The body.
    pub fn body(&self) -> &Bytes {
        match self {
            Message::Request(request) => &request.body,
            Message::Response(response) => &response.body,
        }
    }

    /// The request, if it is one.
    pub fn request(&self) -> Option<&Request> {
        match self {
            Message::Request(request) => Some(request),
            Message::Response(_) => None,
        }
    }

    /// The response, if it is one.
    pub fn response(&self) -> Option<&Response> {
        match self {
            Message::Request(_) => None,
            Message::Response(response) => Some(response),
        }
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Message::Request(request)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Message::Response(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_repeats_every_via_and_nothing_it_should_not() {
        let request = Request::new(Method::Bye, "sip:a@b")
            .with_header("Via", "SIP/2.0/UDP a;branch=1")
            .with_header("Max-Forwards", "70")
            .with_header("v", "SIP/2.0/UDP b;branch=2")
            .with_header("From", "<sip:x>;tag=1")
            .with_header("To", "<sip:y>")
            .with_header("Call-ID", "c")
            .with_header("CSeq", "1 BYE");
        let response = Response::answering(&request.headers, 404, "Not Found");
        assert_eq!((response.status(), response.reason()), (404, "Not Found"));
        assert_eq!(response.headers.values("Via").count(), 2);
        assert_eq!(response.headers.iter().count(), 6);
    }

    #[test]
    fn a_phrase_that_rsip_knows_differently_stays_as_given() {
        assert_eq!(
            Response::new(101, "Dialog Establishement").reason(),
            "Dialog Establishement"
        );
        assert_eq!(Response::new(486, "Busy Here").reason(), "Busy Here");
    }
}
