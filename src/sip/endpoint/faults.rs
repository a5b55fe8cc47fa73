//! Requests that can be read but not be served, whatever they are about (RFC 3261 §8.2).

use super::Endpoint;
use crate::sip::{OddBye, Request, Response, Style};

/// What is wrong with a request, and with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestFault {
    /// The Request-URI is no SIP URI (§8.2.2.1).
    Scheme,
    /// Extensions are required, and we have none (§8.2.2.3).
    Extensions(String),
    /// The CSeq counts another method (§8.1.1.5).
    CSeq,
    /// The body is compressed or otherwise encoded (§8.2.3).
    Encoding,
}

/// The fault of a request, if it has one.
pub fn of(request: &Request, style: &Style) -> Option<RequestFault> {
    if request.is_miscounted() && style.odd_bye != OddBye::Take {
        return Some(RequestFault::CSeq);
    }
    if !is_sip(request) {
        return Some(RequestFault::Scheme);
    }
    let required: Vec<_> = required(request).collect();
    if !required.is_empty() {
        return Some(RequestFault::Extensions(required.join(", ")));
    }
    is_encoded(request).then_some(RequestFault::Encoding)
}

impl RequestFault {
    /// The answer.
    pub fn answer(&self, endpoint: &mut Endpoint, request: &Request) -> Response {
        match self {
            RequestFault::CSeq => endpoint.answer(request, 400),
            RequestFault::Scheme => endpoint.answer(request, 416),
            RequestFault::Extensions(tags) => endpoint
                .answer(request, 420)
                .with_header("Unsupported", tags.as_str()),
            RequestFault::Encoding => endpoint
                .answer(request, 415)
                .with_header("Accept-Encoding", "identity"),
        }
    }
}

/// A Request-URI without a scheme, which some platforms send, is taken for a SIP one.
fn is_sip(request: &Request) -> bool {
    let legal = |scheme: &str| {
        ["sip", "sips"]
            .iter()
            .any(|s| scheme.eq_ignore_ascii_case(s))
    };
    request.target().scheme().is_none_or(legal)
}

fn required(request: &Request) -> impl Iterator<Item = &str> {
    let tags = request.headers.elements("Require");
    tags.map(str::trim).filter(|tag| !tag.is_empty())
}

fn is_encoded(request: &Request) -> bool {
    let encodings = request.headers.elements("Content-Encoding");
    let mut others = encodings
        .map(str::trim)
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
    others.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Method;

    fn fault(request: &Request) -> Option<RequestFault> {
        of(request, &Style::default())
    }

    fn invite(uri: &str) -> Request {
        Request::new(Method::Invite, uri)
    }

    #[test]
    fn a_sip_request_without_demands_has_no_fault() {
        let request = invite("SIP:1@2")
            .with_header("Supported", "100rel")
            .with_header("Require", "")
            .with_header("Content-Encoding", "Identity");
        assert_eq!(fault(&request), None);
        assert_eq!(fault(&invite("34020000001310000001@3402000000")), None);
    }

    #[test]
    fn another_scheme_is_a_fault() {
        assert_eq!(fault(&invite("tel:+861012345")), Some(RequestFault::Scheme));
    }

    #[test]
    fn every_required_extension_is_named() {
        let request = invite("sip:1@2")
            .with_header("Require", "100rel, timer")
            .with_header("Require", "x");
        let tags = "100rel, timer, x".to_owned();
        assert_eq!(fault(&request), Some(RequestFault::Extensions(tags)));
    }

    #[test]
    fn an_encoded_body_is_a_fault() {
        let request = invite("sip:1@2").with_header("Content-Encoding", "gzip");
        assert_eq!(fault(&request), Some(RequestFault::Encoding));
    }
}
