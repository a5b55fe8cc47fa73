//! What is wrong with received octets, and what to answer.

use thiserror::Error;

use super::headers::Headers;

/// Octets that are no SIP message we can use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{fault}")]
pub struct ParseError {
    /// What is wrong.
    pub fault: Fault,
    /// What to do about it.
    pub answer: Answer,
}

/// What a bad message deserves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Silence: it is no request, an ACK, or too broken to be answered.
    Drop,
    /// A response with this status.
    Status {
        /// 400, 413, 501, 505 or 513.
        status: u16,
        /// What could be read of the request's headers: Via, From, To, Call-ID and CSeq at least.
        headers: Headers,
    },
}

/// What is wrong with received octets.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// A datagram of line ends, NULs, or at most four octets keeps a NAT open; it is no fault of
    /// anybody and not counted as one.
    #[error("a keepalive")]
    Keepalive,
    /// The first line is none of SIP.
    #[error("not SIP")]
    NotSip,
    /// A request of another version than SIP/2.0.
    #[error("version not SIP/2.0")]
    Version,
    /// A method that is none of the known ones; its first characters.
    #[error("unknown method {0:?}")]
    Method(String),
    /// The headers do not end.
    #[error("headers do not end")]
    Truncated,
    /// A mandatory header is not there.
    #[error("no {0} header")]
    Missing(&'static str),
    /// A part that cannot be read.
    #[error("bad {0}")]
    Bad(&'static str),
    /// The body is shorter than Content-Length says.
    #[error("{got} octets of body where Content-Length says {said}")]
    ShortBody {
        /// Content-Length.
        said: usize,
        /// The octets there are.
        got: usize,
    },
    /// A stream cannot go on without a Content-Length here.
    #[error("no Content-Length on a stream")]
    NoLength,
    /// Headers beyond [`super::limits`].
    #[error("headers too large")]
    HeadTooLarge,
    /// A body beyond [`super::limits`].
    #[error("body too large")]
    BodyTooLarge,
}

impl Fault {
    /// The status that tells the sender of a request (RFC 3261 §8.2, §16.3, §21).
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Fault::Keepalive | Fault::NotSip => None,
            Fault::Version => Some(505),
            Fault::Method(_) => Some(501),
            Fault::HeadTooLarge => Some(513),
            Fault::BodyTooLarge => Some(413),
            Fault::Truncated
            | Fault::Missing(_)
            | Fault::Bad(_)
            | Fault::ShortBody { .. }
            | Fault::NoLength => Some(400),
        }
    }
}
