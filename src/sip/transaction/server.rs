//! What both kinds of server transaction have in common.

use bytes::Bytes;

use super::{ServerInvite, ServerNonInvite, Timer};
use crate::sip::{Method, Transport};
use crate::time::Instant;

/// What a server transaction is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The request came again.
    Request,
    /// An ACK for it came.
    Ack,
    /// The owner answers.
    Respond {
        /// The status of the answer.
        status: u16,
        /// The answer as it goes out.
        bytes: Bytes,
    },
    /// A timer went off.
    Timer(Timer),
}

/// What it wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// Send an answer.
    Send(Bytes),
    /// Answer 100 on the owner's behalf.
    Trying,
    /// Hand the ACK of our 2xx to the owner.
    DeliverAck,
    /// Tell the owner that no ACK came for the final answer.
    Unacknowledged,
    /// The owner answered what was answered already; nothing goes out.
    Refused,
    /// The owner never gave a final answer; nothing goes out.
    Abandoned,
}

/// Either kind of server transaction.
#[derive(Debug)]
pub enum Server {
    /// INVITE.
    Invite(ServerInvite),
    /// Everything else.
    Other(ServerNonInvite),
}

impl Server {
    /// The transaction of a request with `method` that came at `now`.
    pub fn start(now: Instant, transport: Transport, method: Method) -> Server {
        match method {
            Method::Invite => Server::Invite(ServerInvite::start(now, transport)),
            _ => Server::Other(ServerNonInvite::start(now, transport)),
        }
    }

    /// Takes in what happened.
    pub fn on(&mut self, now: Instant, event: Event) -> Action {
        match self {
            Server::Invite(tx) => tx.on(now, event),
            Server::Other(tx) => tx.on(now, event),
        }
    }

    /// Lets the earliest due timer go off; `None` when none is due.
    pub fn fire(&mut self, now: Instant) -> Option<Action> {
        match self {
            Server::Invite(tx) => tx.fire(now),
            Server::Other(tx) => tx.fire(now),
        }
    }

    /// When [`fire`](Self::fire) is due.
    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Server::Invite(tx) => tx.deadline(),
            Server::Other(tx) => tx.deadline(),
        }
    }

    /// The last answer sent, if any.
    pub fn last(&self) -> Option<&Bytes> {
        match self {
            Server::Invite(tx) => tx.last(),
            Server::Other(tx) => tx.last(),
        }
    }

    /// Whether no final answer was given yet.
    pub fn is_pending(&self) -> bool {
        match self {
            Server::Invite(tx) => tx.is_pending(),
            Server::Other(tx) => tx.is_pending(),
        }
    }

    /// Whether a final answer went out and its ACK has not come.
    pub fn awaits_ack(&self) -> bool {
        matches!(self, Server::Invite(tx) if tx.awaits_ack())
    }

    /// Whether the transaction can be forgotten.
    pub fn is_terminated(&self) -> bool {
        match self {
            Server::Invite(tx) => tx.is_terminated(),
            Server::Other(tx) => tx.is_terminated(),
        }
    }
}
