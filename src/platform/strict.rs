//! What every message of a device must have, whatever it says (RFC 3261 §8.1.1, §8.2.6).
//!
//! The SIP layer reads what careless devices write; here it is noticed.

use crate::gb28181::DeviceId;
use crate::sip::{Method, Request, Response, Transport};

use super::complaint::Deviation;

/// What was noticed, with words where the kind alone does not say enough.
pub(super) type Noticed = (Deviation, String);

/// The deviations of a request that came by `transport` to the platform `id`.
pub(super) fn request(request: &Request, transport: Transport, id: &DeviceId) -> Vec<Noticed> {
    let headers = &request.headers;
    let mut all = Vec::new();
    let mut notice = |what, detail: String| all.push((what, detail));
    if !headers.has("Max-Forwards") {
        notice(Deviation::NoMaxForwards, String::new());
    }
    if let Ok(via) = headers.via() {
        if !via.has_cookie() {
            let branch = via.branch().unwrap_or_default();
            notice(Deviation::BranchCookie, branch.to_owned());
        }
        if !via.transport.eq_ignore_ascii_case(&transport.to_string()) {
            notice(
                Deviation::ViaTransport,
                format!("{} on {transport}", via.transport),
            );
        }
    }
    if headers.from().is_ok_and(|from| from.tag().is_none()) {
        notice(Deviation::NoFromTag, String::new());
    }
    if request.uri_user() != Some(id.as_str()) {
        notice(Deviation::RequestUri, request.uri().to_owned());
    }
    if request.method() == Method::Message && headers.has("Contact") {
        notice(Deviation::ContactInMessage, String::new());
    }
    if !request.body.is_empty() && !headers.has("Content-Type") {
        notice(
            Deviation::ContentType,
            "a body without a Content-Type".to_owned(),
        );
    }
    all
}

/// The Call-ID and CSeq number of a request of ours, which every response must repeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub call_id: String,
    pub cseq: u32,
}

impl Fingerprint {
    pub fn of(request: &Request) -> Self {
        Fingerprint {
            call_id: request.headers.call_id().unwrap_or_default().to_owned(),
            cseq: request.headers.cseq().map_or(0, |cseq| cseq.number),
        }
    }
}

/// The deviations of a response to the request with this fingerprint.
pub(super) fn response(response: &Response, sent: &Fingerprint) -> Vec<Noticed> {
    let headers = &response.headers;
    let mut all = Vec::new();
    let tagged = headers.to().is_ok_and(|to| to.tag().is_some());
    if response.status() >= 200 && !tagged {
        all.push((Deviation::NoToTag, format!("in a {}", response.status())));
    }
    let cseq = headers.cseq().map_or(0, |cseq| cseq.number);
    if cseq != sent.cseq {
        all.push((
            Deviation::Echo,
            format!("CSeq {cseq} instead of {}", sent.cseq),
        ));
    }
    if headers.call_id() != Some(sent.call_id.as_str()) {
        let ours = headers.call_id().unwrap_or_default();
        let detail = format!("Call-ID {ours:?} instead of {:?}", sent.call_id);
        all.push((Deviation::Echo, detail));
    }
    all
}

/// What a datagram's Content-Length says and how much body there is, where they differ. A
/// datagram without one is as long as it is (RFC 3261 §18.3).
pub(super) fn body_length(datagram: &[u8]) -> Option<(usize, usize)> {
    let end = memchr::memmem::find(datagram, b"\r\n\r\n")?;
    let (head, body) = datagram.split_at(end);
    let got = body.len().saturating_sub(4);
    let mut lines = head.split(|octet| *octet == b'\n').skip(1);
    let said = lines.find_map(length_line)?;
    (said != got).then_some((said, got))
}

fn length_line(line: &[u8]) -> Option<usize> {
    let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
    let name = name.trim_end();
    let ours = name.eq_ignore_ascii_case("Content-Length") || name.eq_ignore_ascii_case("l");
    ours.then(|| value.trim().parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLATFORM: &str = "34020000002000000001";

    fn good() -> Request {
        Request::new(Method::Message, format!("sip:{PLATFORM}@3402000000"))
            .with_header("Via", "SIP/2.0/UDP 192.0.2.1:5060;rport;branch=z9hG4bK1")
            .with_header("From", "<sip:34020000001320000001@3402000000>;tag=1")
            .with_header("To", "<sip:34020000002000000001@3402000000>")
            .with_header("Call-ID", "1")
            .with_header("CSeq", "20 MESSAGE")
            .with_header("Max-Forwards", "70")
            .with_body("Application/MANSCDP+xml", "<a/>")
    }

    fn kinds(judged: &Request) -> Vec<Deviation> {
        let id = PLATFORM.parse().unwrap();
        let all = request(judged, Transport::Udp, &id);
        all.into_iter().map(|(what, _)| what).collect()
    }

    #[test]
    fn a_request_with_everything_is_not_complained_about() {
        assert_eq!(kinds(&good()), []);
    }

    #[test]
    fn each_missing_or_wrong_part_of_a_request_is_noticed() {
        type Spoil = fn(&mut Request);
        let spoils: [(Deviation, Spoil); 6] = [
            (Deviation::NoMaxForwards, |r| {
                r.headers.remove("Max-Forwards")
            }),
            (Deviation::BranchCookie, |r| {
                r.headers.set("Via", "SIP/2.0/UDP a;branch=z3hG9bK1");
            }),
            (Deviation::ViaTransport, |r| {
                r.headers.set("Via", "SIP/2.0/TCP a;branch=z9hG4bK1");
            }),
            (Deviation::NoFromTag, |r| r.headers.set("From", "<sip:a@b>")),
            (Deviation::ContactInMessage, |r| {
                r.headers.push("Contact", "<sip:a@b>")
            }),
            (Deviation::ContentType, |r| r.headers.remove("Content-Type")),
        ];
        for (what, spoil) in spoils {
            let mut request = good();
            spoil(&mut request);
            assert_eq!(kinds(&request), [what]);
        }
        let elsewhere = Request::new(Method::Bye, "sip:somebody@else");
        assert!(kinds(&elsewhere).contains(&Deviation::RequestUri));
    }

    #[test]
    fn a_response_must_carry_a_to_tag_and_repeat_call_id_and_cseq() {
        let sent = Fingerprint::of(&good());
        let mut answer = Response::answering(&good().headers, 200, "OK");
        answer.headers.set("To", "<sip:a@b>;tag=7");
        assert_eq!(response(&answer, &sent), []);
        answer.headers.set("CSeq", "21 MESSAGE");
        answer.headers.set("Call-ID", "2");
        answer.headers.set("To", "<sip:a@b>");
        let kinds: Vec<_> = response(&answer, &sent)
            .into_iter()
            .map(|(what, _)| what)
            .collect();
        assert_eq!(
            kinds,
            [Deviation::NoToTag, Deviation::Echo, Deviation::Echo]
        );
        let trying = Response::answering(&good().headers, 100, "Trying");
        assert_eq!(response(&trying, &sent), []);
    }

    #[test]
    fn a_content_length_that_is_not_the_bodys_is_noticed_and_a_padded_one_is_not() {
        let datagram = |length: &str| format!("BYE sip:a SIP/2.0\r\n{length}\r\n\r\nabcd");
        let judge = |length| body_length(datagram(length).as_bytes());
        assert_eq!(judge("Content-Length:     4"), None);
        assert_eq!(judge("l : 4"), None);
        assert_eq!(judge("Content-Length: 3"), Some((3, 4)));
        assert_eq!(judge("CONTENT-LENGTH:5"), Some((5, 4)));
        assert_eq!(judge("X: 1"), None);
        assert_eq!(body_length(b"\xff\xfe"), None);
    }
}
