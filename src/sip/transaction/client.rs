//! What both kinds of client transaction have in common.

use bytes::Bytes;

use super::{ClientInvite, ClientNonInvite, Timer};
use crate::sip::{Method, Transport};
use crate::time::Instant;

/// What a client transaction is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An answer with this status came.
    Response(u16),
    /// The owner wants the call cancelled.
    Cancel,
    /// A timer went off.
    Timer(Timer),
}

/// What it wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Send the request, or the ACK of a non-2xx answer, again.
    Send(Bytes),
    /// Hand the answer to the owner.
    Deliver,
    /// Hand the answer to the owner and send a CANCEL.
    DeliverAndCancel,
    /// Send the ACK of a non-2xx answer (see [`ClientInvite::keep_ack`]) and hand the answer to
    /// the owner.
    DeliverAndAck,
    /// Send a CANCEL.
    Cancel,
    /// Tell the owner that nobody answered in time.
    TimedOut,
}

/// Either kind of client transaction.
#[derive(Debug)]
pub enum Client {
    /// INVITE.
    Invite(ClientInvite),
    /// Everything else.
    Other(ClientNonInvite),
}

impl Client {
    /// The transaction of `request`, a request with `method` that is being sent at `now`.
    pub fn start(now: Instant, transport: Transport, method: Method, request: Bytes) -> Client {
        match method {
            Method::Invite => Client::Invite(ClientInvite::start(now, transport, request)),
            _ => Client::Other(ClientNonInvite::start(now, transport, request)),
        }
    }

    /// Takes in what happened.
    pub fn on(&mut self, now: Instant, event: Event) -> Action {
        match self {
            Client::Invite(tx) => tx.on(now, event),
            Client::Other(tx) => tx.on(now, event),
        }
    }

    /// Lets the earliest due timer go off; `None` when none is due.
    pub fn fire(&mut self, now: Instant) -> Option<Action> {
        match self {
            Client::Invite(tx) => tx.fire(now),
            Client::Other(tx) => tx.fire(now),
        }
    }

    /// When [`fire`](Self::fire) is due.
    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Client::Invite(tx) => tx.deadline(),
            Client::Other(tx) => tx.deadline(),
        }
    }

    /// Whether a final answer is still waited for.
    pub fn is_pending(&self) -> bool {
        match self {
            Client::Invite(tx) => tx.is_pending(),
            Client::Other(tx) => tx.is_pending(),
        }
    }

    /// Whether the transaction can be forgotten.
    pub fn is_terminated(&self) -> bool {
        match self {
            Client::Invite(tx) => tx.is_terminated(),
            Client::Other(tx) => tx.is_terminated(),
        }
    }
}
