//! Making answers (RFC 3261 §8.2.6).

use super::Endpoint;
use crate::sip::{Method, Request, Response};

impl Endpoint {
    /// The answer to `request`: every Via, From, To, Call-ID and CSeq repeated, and User-Agent. To
    /// gets a new tag unless it has one or this is a 100; for several answers with the same tag use
    /// [`Endpoint::answer_tagged`]. Answers that make a dialog repeat Record-Route.
    pub fn answer(&mut self, request: &Request, status: u16) -> Response {
        self.answer_with(request, status, None)
    }

    /// The answer to `request` with this To tag (none in a 100, or where To has one already): 101 and
    /// 200 of one call need the same.
    pub fn answer_tagged(&mut self, request: &Request, status: u16, tag: &str) -> Response {
        self.answer_with(request, status, Some(tag))
    }

    pub(super) fn answer_with(
        &mut self,
        request: &Request,
        status: u16,
        tag: Option<&str>,
    ) -> Response {
        let phrase = self.style.phrase(status);
        let mut response = Response::answering(&request.headers, status, phrase);
        if status == 100 {
            response.headers.copy("Timestamp", &request.headers);
        }
        if makes_dialog(request.method(), status) {
            response.headers.copy("Record-Route", &request.headers);
        }
        self.complete_answer(&mut response, tag);
        response
    }

    /// Adds the To tag and what every answer of ours carries.
    pub(super) fn complete_answer(&mut self, response: &mut Response, tag: Option<&str>) {
        let untagged = |response: &Response| {
            let to = response.headers.to();
            to.is_ok_and(|to| to.tag().is_none())
        };
        if response.status() > 100 && untagged(response) {
            let fresh = |endpoint: &mut Endpoint| endpoint.tokens.tag(&endpoint.style);
            let tag = tag.map_or_else(|| fresh(self), str::to_owned);
            let to = response.headers.value("To").unwrap_or_default();
            let to = format!("{to};tag={tag}");
            response.headers.set("To", to);
        }
        if !self.style.user_agent.is_empty() {
            response
                .headers
                .push("User-Agent", self.style.user_agent.as_str());
        }
    }
}

/// RFC 3261 §12.1.1, RFC 6665 §4.2.1.
fn makes_dialog(method: Method, status: u16) -> bool {
    matches!(method, Method::Invite | Method::Subscribe) && (101..300).contains(&status)
}
