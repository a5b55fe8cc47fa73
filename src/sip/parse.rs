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
        Start::Request { method, .. } if method != cseq.method => Err(Fault::Bad("CSeq")),
        _ => Ok(()),
    }
}

fn blame(error: ValueError) -> Fault {
    match error.is_missing() {
        true => Fault::Missing(error.header()),
        false => Fault::Bad(error.header()),
    }
}
