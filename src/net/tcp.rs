//! The TCP sockets of one node: a task per connection, so that a peer that does not read costs
//! that connection only.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::connection::{self, Full, Heard, Inbox, LINGER, Outbox, Tag};
use super::flows::Happened;
use super::socket;
use crate::sip::{Flow, FlowId, Transport};

/// Messages of a node's TCP tasks that may wait; beyond it they stop reading.
const INBOX: usize = 256;

#[derive(Debug)]
struct Connection {
    serial: u64,
    remote: SocketAddr,
    outbox: Outbox,
    task: AbortHandle,
}

/// A task that brings connections: a listener, or an attempt to connect.
#[derive(Debug)]
struct Opening {
    serial: u64,
    task: AbortHandle,
}

/// Made with a node's first TCP socket: most nodes of a fleet have none.
#[derive(Debug)]
pub(super) struct Tcp {
    connections: HashMap<FlowId, Connection>,
    openings: HashMap<FlowId, Opening>,
    tasks: JoinSet<()>,
    heard: mpsc::Receiver<(Tag, Heard)>,
    inbox: Inbox,
    serials: u64,
    accepted: u32,
}

impl Default for Tcp {
    fn default() -> Self {
        let (inbox, heard) = mpsc::channel(INBOX);
        Tcp {
            connections: HashMap::new(),
            openings: HashMap::new(),
            tasks: JoinSet::new(),
            heard,
            inbox,
            serials: 0,
            accepted: 0,
        }
    }
}

impl Tcp {
    /// Begins to connect; [`Tcp::poll`] tells what came of it.
    pub(super) fn connect(&mut self, flow: FlowId, local: SocketAddr, remote: SocketAddr) {
        let tag = self.tag(flow);
        let attempt = connection::connect(local, remote, tag, self.inbox.clone());
        self.opening(tag, attempt);
    }

    pub(super) fn listen(&mut self, flow: FlowId, local: SocketAddr) -> io::Result<Flow> {
        let listener = TcpListener::from_std(socket::listener(local)?)?;
        let local = listener.local_addr()?;
        let tag = self.tag(flow);
        let accepting = connection::accept(listener, tag, self.inbox.clone());
        self.opening(tag, accepting);
        Ok(Flow {
            transport: Transport::Tcp,
            local,
            remote: None,
        })
    }

    /// Closes a flow. What is queued on it still leaves.
    pub(super) fn close(&mut self, flow: FlowId) {
        self.connections.remove(&flow);
        if let Some(opening) = self.openings.remove(&flow) {
            opening.task.abort();
        }
    }

    /// Queues octets. A peer that has not read for long loses its connection.
    pub(super) fn send(&mut self, flow: FlowId, bytes: Bytes) -> Option<Happened> {
        let Some(connection) = self.connections.get(&flow) else {
            tracing::debug!(?flow, "nothing can be sent on a flow that is not open");
            return None;
        };
        let Err(Full(waiting)) = connection.outbox.push(bytes) else {
            return None;
        };
        connection.task.abort();
        let why = format!("{} does not read: {waiting} octets wait", connection.remote);
        self.connections.remove(&flow);
        Some(Happened::Closed { flow, why })
    }

    /// The next thing that happens.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Happened> {
        self.reap(cx);
        loop {
            let happened = match ready!(self.heard.poll_recv(cx)) {
                Some((tag, heard)) => self.take_in(tag, heard),
                // Cannot be: an inbox is kept here.
                None => return Poll::Pending,
            };
            if let Some(happened) = happened {
                return Poll::Ready(happened);
            }
        }
    }

    /// Closes everything and waits, not for long, until what is queued has left.
    pub(super) async fn end(mut self) {
        for opening in self.openings.values() {
            opening.task.abort();
        }
        self.connections.clear();
        self.heard.close();
        let farewell = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(LINGER, farewell).await;
    }

    fn reap(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(ended)) = self.tasks.poll_join_next(cx) {
            if let Err(error) = ended
                && error.is_panic()
            {
                tracing::error!(%error, "a connection's task failed");
            }
        }
    }

    fn take_in(&mut self, tag: Tag, heard: Heard) -> Option<Happened> {
        let flow = tag.flow;
        match heard {
            Heard::Connected(stream) if self.is_opening(tag) => {
                self.openings.remove(&flow);
                Some(self.adopt(flow, stream))
            }
            Heard::Accepted(stream, from) if self.is_opening(tag) => {
                tracing::debug!(%from, "accepted a connection");
                let flow = FlowId::accepted(self.accepted);
                self.accepted = self.accepted.wrapping_add(1);
                Some(self.adopt(flow, stream))
            }
            Heard::End(why) if self.is_opening(tag) => {
                self.openings.remove(&flow);
                Some(Happened::Closed { flow, why })
            }
            Heard::Bytes(bytes) => {
                let from = self.remote_of(tag)?;
                Some(Happened::Received { flow, from, bytes })
            }
            Heard::End(why) => {
                self.remote_of(tag)?;
                self.connections.remove(&flow);
                Some(Happened::Closed { flow, why })
            }
            // A word from a socket that its node has closed.
            Heard::Connected(_) | Heard::Accepted(..) => None,
        }
    }

    fn is_opening(&self, tag: Tag) -> bool {
        let opening = self.openings.get(&tag.flow);
        opening.is_some_and(|opening| opening.serial == tag.serial)
    }

    fn remote_of(&self, tag: Tag) -> Option<SocketAddr> {
        let connection = self.connections.get(&tag.flow)?;
        (connection.serial == tag.serial).then_some(connection.remote)
    }

    fn adopt(&mut self, flow: FlowId, stream: TcpStream) -> Happened {
        // SIP messages are small and answered at once.
        let addresses = stream
            .set_nodelay(true)
            .and_then(|()| Ok((stream.local_addr()?, stream.peer_addr()?)));
        let (local, remote) = match addresses {
            Ok(addresses) => addresses,
            Err(error) => {
                let why = error.to_string();
                return Happened::Closed { flow, why };
            }
        };
        let tag = self.tag(flow);
        let (outbox, outgoing) = connection::outbox();
        let serving = connection::serve(stream, outgoing, tag, self.inbox.clone());
        let connection = Connection {
            serial: tag.serial,
            remote,
            outbox,
            task: self.tasks.spawn(serving),
        };
        self.connections.insert(flow, connection);
        let is = Flow {
            transport: Transport::Tcp,
            local,
            remote: Some(remote),
        };
        Happened::Opened { flow, is }
    }

    fn opening(&mut self, tag: Tag, task: impl Future<Output = ()> + Send + 'static) {
        let opening = Opening {
            serial: tag.serial,
            task: self.tasks.spawn(task),
        };
        self.openings.insert(tag.flow, opening);
    }

    fn tag(&mut self, flow: FlowId) -> Tag {
        self.serials += 1;
        Tag {
            flow,
            serial: self.serials,
        }
    }
}
