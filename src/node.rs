//! The one contract of signalling: a node is told what happens and asked what to do.
//!
//! A node has no clock, no socket, no file and no chance of its own. A driver calls
//! [`Node::handle`] once per thing that happened, then [`Node::poll`] until it says
//! [`Output::Wait`]. `net` drives nodes on real sockets, `lab` drives them in virtual time.

mod job;

use std::net::SocketAddr;

use bytes::Bytes;

use crate::media::{Order, Report};
use crate::sip::{Flow, FlowId, Message, Transport};
use crate::time::{Instant, Now};

pub use job::{Fetched, HttpMethod, Job, JobBody, JobFailure, JobId, JobOutcome};

/// A participant in signalling: a camera, the reference platform, or a wrapper around one.
pub trait Node {
    /// What its owner (command line, API, test) asks of it.
    type Command;
    /// What it tells its owner.
    type Event;

    /// Takes in exactly one thing that happened.
    fn handle(&mut self, now: Now, input: Input<Self::Command>);

    /// What to do next. Call again until it answers [`Output::Wait`].
    fn poll(&mut self, now: Now) -> Output<Self::Event>;
}

/// One thing that happened.
#[derive(Debug)]
pub enum Input<C> {
    /// A flow the node asked for is usable, or somebody connected to one of its listeners.
    Opened {
        /// Which flow.
        flow: FlowId,
        /// What it is.
        is: Flow,
    },
    /// A flow is gone, or could not be opened. The number may be used again.
    Closed {
        /// Which flow.
        flow: FlowId,
        /// Why, for the log.
        why: String,
    },
    /// One datagram, or the next bytes of a stream.
    Received {
        /// On which flow.
        flow: FlowId,
        /// From where.
        from: SocketAddr,
        /// What.
        bytes: Bytes,
    },
    /// One datagram that its driver had to read to know whose it is.
    Message {
        /// On which flow.
        flow: FlowId,
        /// From where.
        from: SocketAddr,
        /// What.
        message: Message,
    },
    /// The time that the node waited for has come.
    Tick,
    /// The owner wants something.
    Command(C),
    /// The media plane has something to say.
    Media(Report),
    /// A job is done, or has failed.
    Job {
        /// Which.
        id: JobId,
        /// What has come of it.
        outcome: JobOutcome,
    },
}

impl<C> Input<C> {
    /// The same for a node that knows other commands; `None` where a command is none there.
    pub fn filter_map<D>(self, command: impl FnOnce(C) -> Option<D>) -> Option<Input<D>> {
        Some(match self {
            Input::Opened { flow, is } => Input::Opened { flow, is },
            Input::Closed { flow, why } => Input::Closed { flow, why },
            Input::Received { flow, from, bytes } => Input::Received { flow, from, bytes },
            Input::Message {
                flow,
                from,
                message,
            } => Input::Message {
                flow,
                from,
                message,
            },
            Input::Tick => Input::Tick,
            Input::Command(wish) => Input::Command(command(wish)?),
            Input::Media(report) => Input::Media(report),
            Input::Job { id, outcome } => Input::Job { id, outcome },
        })
    }
}

/// One thing to do.
#[derive(Debug)]
pub enum Output<E> {
    /// Open a flow; answered by [`Input::Opened`] or [`Input::Closed`].
    Open {
        /// The number the node gives it.
        flow: FlowId,
        /// What to open.
        how: Open,
    },
    /// Close a flow. No [`Input::Closed`] follows.
    Close(FlowId),
    /// Send one datagram, or bytes on a stream.
    Send {
        /// On which flow.
        flow: FlowId,
        /// To where; on a stream, its other end.
        to: SocketAddr,
        /// What.
        bytes: Bytes,
    },
    /// An order to the media plane.
    Media(Order),
    /// Do a job; answered by [`Input::Job`].
    Job {
        /// The number the node gives it.
        id: JobId,
        /// What to do.
        job: Box<Job>,
    },
    /// Something the owner may want to know.
    Event(E),
    /// Nothing more until something happens or, if given, this time comes.
    Wait(Option<Instant>),
}

/// What a flow shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// A UDP socket bound to `local` (port 0: any).
    Udp {
        /// The address to bind.
        local: SocketAddr,
    },
    /// A TCP connection from `local` (port 0: any) to `remote`.
    Connect {
        /// The address to bind.
        local: SocketAddr,
        /// The address to connect to.
        remote: SocketAddr,
    },
    /// A TCP listener on `local`. Connections arrive as accepted flows; the listener is itself a
    /// flow, reported by [`Input::Opened`] with the bound address.
    Listen {
        /// The address to bind.
        local: SocketAddr,
    },
}

impl Open {
    /// The transport of the flow.
    pub const fn transport(&self) -> Transport {
        match self {
            Open::Udp { .. } => Transport::Udp,
            Open::Connect { .. } | Open::Listen { .. } => Transport::Tcp,
        }
    }
}
