//! A request of ours that was challenged, and the same with credentials (RFC 3261 §22.2, §22.3).

use crate::sip::{Request, Response};

use super::line::{Line, challenge};

impl Line {
    /// The request as it is sent after `response` to it: its CSeq one higher, with the credentials
    /// that a 401 or 407 asks for. `None`: nothing is asked for, it carried them already, or by a
    /// digest we do not know.
    pub fn authorized(&mut self, request: &Request, response: &Response) -> Option<Request> {
        let (asks, answers) = match response.status() {
            401 => ("WWW-Authenticate", "Authorization"),
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => return None,
        };
        if request.headers.has(answers) {
            return None;
        }
        let (method, uri) = (request.method(), request.uri());
        let credentials = self.authorize_for(&challenge(response, asks)?, method, uri);
        let cseq = request.headers.cseq().ok()?.number.wrapping_add(1);
        let mut again = request.clone();
        again.headers.set("CSeq", format!("{cseq} {method}"));
        Some(again.with_header(answers, credentials))
    }
}
