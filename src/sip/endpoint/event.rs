//! What an endpoint says.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::sip::{FlowId, Request, Response, TransactionId};

/// One thing to do, or to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointOutput {
    /// Send one datagram, or bytes on a stream.
    Send {
        /// On which flow.
        flow: FlowId,
        /// To where; on a stream, its other end.
        to: SocketAddr,
        /// What.
        bytes: Bytes,
    },
    /// Close a flow that brought garbage. The endpoint has forgotten it already.
    Close(FlowId),
    /// Something for the endpoint's owner.
    Event(Event),
}

/// What happened on the level of transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A request came that no transaction knows. To be answered by
    /// [`Endpoint::respond`](super::Endpoint::respond); its copies never get here.
    ///
    /// Its topmost Via already says where it came from, in the endpoint's style.
    Request {
        /// The transaction to answer.
        tx: TransactionId,
        /// The flow it came on.
        flow: FlowId,
        /// The address it came from.
        from: SocketAddr,
        /// The request; never an ACK or a CANCEL.
        request: Request,
    },
    /// The ACK of a 2xx came, for the first time.
    Ack {
        /// The INVITE it acknowledges.
        tx: TransactionId,
        /// The flow it came on.
        flow: FlowId,
        /// The address it came from.
        from: SocketAddr,
        /// The Call-ID of the INVITE.
        call_id: String,
        /// The ACK itself. Its CSeq, tags and Request-URI may be wrong, as some platforms' are.
        request: Request,
    },
    /// An INVITE was cancelled before it had a final answer. The CANCEL has been answered 200 and
    /// the INVITE 487; there is nothing left to answer.
    Cancelled {
        /// The INVITE.
        tx: TransactionId,
    },
    /// An answer came to a request of ours: each provisional one, the first final one, and of an
    /// INVITE every copy of its 2xx, to be acknowledged each time with
    /// [`Endpoint::ack`](super::Endpoint::ack). (Other final answers of an INVITE are acknowledged
    /// by the endpoint.)
    Response {
        /// The request.
        tx: TransactionId,
        /// The answer.
        response: Response,
    },
    /// Nobody answered in time (timers B and F; C after a provisional answer).
    Timeout {
        /// The request.
        tx: TransactionId,
    },
    /// A request of ours will get no answer.
    Failed {
        /// The request.
        tx: TransactionId,
        /// Why.
        why: Failure,
    },
    /// Our final answer to an INVITE was never acknowledged in 64*T1. After a 2xx the owner
    /// should send a BYE (RFC 3261 §13.3.1.4).
    Unacknowledged {
        /// The INVITE.
        tx: TransactionId,
    },
}

/// Why a request cannot be answered any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Its flow was closed before the answer came.
    FlowClosed,
    /// There was no such flow to send it on.
    NoFlow,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Failure::FlowClosed => "the flow was closed",
            Failure::NoFlow => "there is no such flow",
        })
    }
}

impl std::error::Error for Failure {}
