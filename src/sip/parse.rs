//! Octets to messages.

use bytes::Bytes;
use rsip::Method;

use super::fault::{Answer, Fault, ParseError};
use super::head::{Head, Length, Start};
use super::headers::Headers;
use super::limits;
use super::message::{Message, Request, Response};
use super::value::ValueError;

impl Message {
    /// Reads one datagram. Content-Length may be absent (the rest is body) or cut the datagram
    /// short; beyond the datagram it is an error (RFC 3261 §18.3).
    pub fn parse(datagram: impl Into<Bytes>) -> Result<Message, ParseError> {
        let datagram = datagram.into();
        let padding = |b: &u8| matches!(b, b'\r' | b'\n' | 0);
        if datagram.len() <= 4 || datagram.iter().all(padding) {
            return Err(ParseError {
                fault: Fault::Keepalive,
                answer: Answer::Drop,
            });
        }
        let mut head = Head::read(&datagram);
        let rest = datagram.slice(head.octets..);
        let body = match head.length {
            Length::Octets(said) if said > rest.len() => {
                head.blame(Fault::ShortBody {
                    said,
                    got: rest.len(),
                });
                rest
            }
            Length::Octets(said) => rest.slice(..said),
            Length::Absent => rest,
            Length::Bad => {
                head.blame(Fault::Bad("Content-Length"));
                rest
            }
        };
        finish(head, body)
    }
}

/// The message of a head and its body, if both are sound.
pub(super) fn finish(mut head: Head, body: Bytes) -> Result<Message, ParseError> {
    if body.len() > limits::BODY {
        head.blame(Fault::BodyTooLarge);
    }
    if head.fault.is_none() {
        head.fault = unsound(&head).err();
    }
    if let Some(fault) = head.fault.take() {
        return Err(reject(head, fault));
    }
    let Head { start, headers, .. } = head;
    match start {
        Start::Request { method, uri } => {
            let mut request = Request::new(method, uri.to_string());
            request.headers = headers;
            request.body = body;
            Ok(Message::Request(request))
        }
        Start::Response { status, reason } => {
            let mut response = Response::new(status, &reason);
            response.headers = headers;
            response.body = body;
            Ok(Message::Response(response))
        }
        Start::OddRequest { .. } | Start::Garbage => Err(ParseError {
            fault: Fault::NotSip,
            answer: Answer::Drop,
        }),
    }
}

/// The error for a message with `fault`: answered if its sender can be told.
pub(super) fn reject(head: Head, fault: Fault) -> ParseError {
    let silent = match head.start {
        Start::Request { method, .. } => method == Method::Ack,
        Start::OddRequest { ack } => ack,
        Start::Response { .. } | Start::Garbage => true,
    };
    let answer = match fault.status() {
        Some(status) if !silent && is_answerable(&head.headers) => Answer::Status {
            status,
            headers: head.headers,
        },
        _ => Answer::Drop,
    };
    ParseError { fault, answer }
}

/// An answer needs somewhere to go and something to be recognised by. A sender recognises its
/// transaction by Via and CSeq; the rest is repeated as far as it is there.
fn is_answerable(headers: &Headers) -> bool {
    headers.via().is_ok()
        && ["From", "To", "Call-ID", "CSeq"]
            .iter()
            .all(|name| headers.has(name))
}

/// The headers without which nothing works (RFC 3261 §8.1.1), readable.
fn unsound(head: &Head) -> Result<(), Fault> {
    let headers = &head.headers;
    headers.via().map_err(blame)?;
    headers.from().map_err(blame)?;
    headers.to().map_err(blame)?;
    if headers.call_id().is_none_or(str::is_empty) {
        return Err(Fault::Missing("Call-ID"));
    }
    let cseq = headers.cseq().map_err(blame)?;
    match head.start {
        // What becomes of such a BYE is for whoever takes it to decide: `OddBye`.
        Start::Request { method, .. } if method != cseq.method && method != Method::Bye => {
            Err(Fault::Bad("CSeq"))
        }
        _ => Ok(()),
    }
}

fn blame(error: ValueError) -> Fault {
    match error.is_missing() {
        true => Fault::Missing(error.header()),
        false => Fault::Bad(error.header()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::super::captures;
    use super::super::style::Style;
    use super::*;

    const HEADERS: &str = "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
        To: <sip:c@d>\r\nCall-ID: e\r\nCSeq: 1 MESSAGE\r\n";

    fn message(headers: &str, body: &[u8]) -> Vec<u8> {
        let mut octets = format!("MESSAGE sip:c@d SIP/2.0\r\n{headers}\r\n").into_bytes();
        octets.extend_from_slice(body);
        octets
    }

    fn rejected(octets: impl AsRef<[u8]>) -> (Fault, Option<u16>) {
        let error = Message::parse(octets.as_ref().to_vec()).unwrap_err();
        let status = match error.answer {
            Answer::Drop => None,
            Answer::Status { status, headers } => {
                assert!(is_answerable(&headers));
                Some(status)
            }
        };
        (error.fault, status)
    }

    #[test]
    fn every_captured_message_is_understood() {
        let messages = captures::all();
        assert_eq!(messages.len(), 17 + 7 + 7);
        for (_, octets) in messages {
            let text = String::from_utf8_lossy(&octets).into_owned();
            let message = Message::parse(octets).unwrap_or_else(|e| panic!("{e}:\n{text}"));
            let headers = message.headers();
            headers.via().unwrap();
            headers.from().unwrap().tag().unwrap();
            headers.to().unwrap();
            headers.cseq().unwrap();
            let body_at = text.find("\r\n\r\n").unwrap() + 4;
            assert_eq!(message.body(), &text.as_bytes()[body_at..]);
        }
    }

    #[test]
    fn the_seed_invite_is_read_to_the_last_octet() {
        let (_, octets) = captures::messages(captures::GOSIP_DAHUA).swap_remove(0);
        let message = Message::parse(octets).unwrap();
        let invite = message.request().unwrap();
        assert_eq!(
            (invite.method(), invite.uri_user()),
            (Method::Invite, Some("34020000001318000001"))
        );
        assert_eq!(invite.body.len(), 261);
        assert_eq!(invite.headers.value("Supported"), Some(""));
        let contact = invite.headers.contact().unwrap();
        assert_eq!(contact.tag(), Some("FHO5ndkKpblM1wu8Vy6j"));
        assert_eq!(invite.headers.elements("Allow").count(), 5);
    }

    #[test]
    fn gb2312_octets_survive_in_body_header_and_reason() {
        let headers = HEADERS.replace("From: ", "From: \"#\" ").into_bytes();
        let headers: Vec<u8> = headers
            .split(|b| *b == b'#')
            .collect::<Vec<_>>()
            .join(&b"\xC9\xE3"[..]);
        let mut octets = b"SIP/2.0 403 \xC3\xDC\xC2\xEB\r\n".to_vec();
        octets.extend_from_slice(&headers);
        octets.extend_from_slice(b"Content-Length: 4\r\n\r\n\xCF\xF1\xBB\xFA");
        let message = Message::parse(octets.clone()).unwrap();
        let response = message.response().unwrap();
        assert_eq!(super::super::readable(response.reason()), "密码");
        assert_eq!(response.headers.from().unwrap().tag(), Some("1"));
        let order = super::super::HeaderOrder::Listed(vec![]);
        let style = Style {
            response_order: order,
            ..Style::default()
        };
        assert_eq!(message.write(&style), octets);
    }

    #[test]
    fn content_length_cuts_a_datagram_and_may_be_absent() {
        let body = |headers: &str| {
            Message::parse(message(headers, b"body"))
                .unwrap()
                .body()
                .clone()
        };
        assert_eq!(body(HEADERS), "body");
        assert_eq!(body(&format!("{HEADERS}l: 2\r\n")), "bo");
        assert_eq!(body(&format!("{HEADERS}Content-Length:   0\r\n")), "");
    }

    #[test]
    fn a_bad_request_gets_the_answer_it_deserves() {
        let with = |line: &str| message(&format!("{HEADERS}{line}\r\n"), b"body");
        let short = Fault::ShortBody { said: 5, got: 4 };
        assert_eq!(rejected(with("Content-Length: 5")), (short, Some(400)));
        assert_eq!(
            rejected(with("Content-Length: -1")),
            (Fault::Bad("Content-Length"), Some(400))
        );
        let text = String::from_utf8(with("X: y")).unwrap();
        let changed = |from: &str, to: &str| rejected(text.replace(from, to));
        assert_eq!(
            changed("d SIP/2.0", "d SIP/3.0"),
            (Fault::Version, Some(505))
        );
        assert_eq!(
            changed("MESSAGE", "FROB"),
            (Fault::Method("FROB".into()), Some(501))
        );
        assert_eq!(
            changed("1 MESSAGE", "1 INVITE"),
            (Fault::Bad("CSeq"), Some(400))
        );
        assert_eq!(changed("<sip:c@d>", "<>"), (Fault::Bad("To"), Some(400)));
        assert_eq!(
            changed("X: y", &"X: y\r\n".repeat(200)),
            (Fault::HeadTooLarge, Some(513))
        );
        assert_eq!(
            changed("\r\n\r\nbody", "\r\nSubject: cut o"),
            (Fault::Truncated, Some(400))
        );
    }

    #[test]
    fn who_cannot_be_told_is_not_answered() {
        let text = String::from_utf8(message(HEADERS, b"")).unwrap();
        let changed = |from: &str, to: &str| rejected(text.replace(from, to));
        assert_eq!(changed("Via:", "Vai:"), (Fault::Missing("Via"), None));
        assert_eq!(changed("From:", "X:"), (Fault::Missing("From"), None));
        assert_eq!(changed("\r\n\r\n", "\r\n"), (Fault::Truncated, Some(400)));
        assert_eq!(
            rejected(text.replace("MESSAGE", "ACK").replace("CSeq: 1", "CSeq: x")).1,
            None
        );
        let response = text.replace("MESSAGE sip:c@d SIP/2.0", "SIP/2.0 200 OK");
        let bad = response.replace("CSeq: 1", "CSeq: x");
        assert_eq!(rejected(bad), (Fault::Bad("CSeq"), None));
        assert_eq!(
            rejected(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
            (Fault::NotSip, None)
        );
        assert_eq!(
            rejected("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
            (Fault::NotSip, None)
        );
    }

    #[test]
    fn a_datagram_that_keeps_a_nat_open_is_a_keepalive() {
        for octets in ["", "\r\n", "\r\n\r\n", "jaK", "\0\0\0\0\0\0\0\0"] {
            assert_eq!(rejected(octets), (Fault::Keepalive, None));
        }
    }

    /// Reads everything that can be read, and writes it again.
    fn exercise(octets: Vec<u8>) {
        let Ok(message) = Message::parse(octets) else {
            return;
        };
        let headers = message.headers();
        let _ = (headers.contact(), headers.expires(), headers.content_type());
        let _ = (
            headers.routes("Route").count(),
            headers.elements("Via").count(),
        );
        assert!(Message::parse(message.write(&Style::default())).is_ok());
    }

    proptest! {
        #[test]
        fn any_octets_are_a_message_or_an_error(octets: Vec<u8>) {
            exercise(octets);
        }

        #[test]
        fn any_lines_behind_a_start_line_are_a_message_or_an_error(lines in "([ -~é\t]{0,20}[:;\r\n \"<>,]){0,40}") {
            exercise(message(&lines, b""));
        }

        #[test]
        fn a_damaged_message_is_a_message_or_an_error(
            pick: Index,
            damage in prop::collection::vec((any::<Index>(), 0..4, any::<u8>()), 1..8),
        ) {
            let (_, octets) = pick.get(&captures::all()).clone();
            exercise(damaged(octets.to_vec(), damage));
        }
    }

    pub(in crate::sip) fn damaged(mut octets: Vec<u8>, damage: Vec<(Index, i32, u8)>) -> Vec<u8> {
        for (place, kind, octet) in damage {
            if octets.is_empty() {
                break;
            }
            let at = place.index(octets.len());
            match kind {
                0 => octets[at] = octet,
                1 => octets.insert(at, octet),
                2 => drop(octets.remove(at)),
                _ => octets.truncate(at),
            }
        }
        octets
    }
}
