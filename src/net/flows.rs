//! The sockets of one node. UDP sockets are read in the node's own task; a TCP connection has a
//! task of its own, so that a peer that does not read costs that connection only.

use std::collections::{HashMap, VecDeque};
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::ReadBuf;
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::connection::{self, Full, Heard, Inbox, LINGER, Outbox, Tag};
use super::{scratch, socket};
use crate::node::Open;
use crate::sip::{Flow, FlowId, Transport};

/// Messages of a node's TCP tasks that may wait; beyond it they stop reading.
const INBOX: usize = 256;

/// Receive buffer asked for on signalling UDP sockets.
const UDP_RECEIVE_BUFFER: usize = 1024 * 1024;

/// Something that happened on a flow.
#[derive(Debug)]
pub(super) enum Happened {
    Opened {
        flow: FlowId,
        is: Flow,
    },
    Closed {
        flow: FlowId,
        why: String,
    },
    Received {
        flow: FlowId,
        from: SocketAddr,
        bytes: Bytes,
    },
}

/// What a node's datagram sockets could not do since the node started.
#[derive(Debug, Default)]
pub struct Trouble {
    unsent: AtomicU64,
    unread: AtomicU64,
}

impl Trouble {
    /// Datagrams the system did not take; to SIP they are lost.
    pub fn unsent(&self) -> u64 {
        self.unsent.load(Ordering::Relaxed)
    }

    /// Receptions that failed.
    pub fn unread(&self) -> u64 {
        self.unread.load(Ordering::Relaxed)
    }
}

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

#[derive(Debug)]
pub(super) struct Flows {
    udp: Vec<(FlowId, UdpSocket)>,
    connections: HashMap<FlowId, Connection>,
    openings: HashMap<FlowId, Opening>,
    happened: VecDeque<Happened>,
    tasks: JoinSet<()>,
    heard: mpsc::Receiver<(Tag, Heard)>,
    inbox: Inbox,
    serials: u64,
    accepted: u32,
    trouble: Arc<Trouble>,
}

impl Flows {
    pub(super) fn new() -> Self {
        let (inbox, heard) = mpsc::channel(INBOX);
        Flows {
            udp: Vec::new(),
            connections: HashMap::new(),
            openings: HashMap::new(),
            happened: VecDeque::new(),
            tasks: JoinSet::new(),
            heard,
            inbox,
            serials: 0,
            accepted: 0,
            trouble: Arc::default(),
        }
    }

    pub(super) fn trouble(&self) -> Arc<Trouble> {
        self.trouble.clone()
    }

    /// Opens a flow; [`Flows::next`] tells what came of it.
    pub(super) fn open(&mut self, flow: FlowId, how: Open) {
        self.close(flow);
        let done = match how {
            Open::Udp { local } => self.bind(flow, local),
            Open::Listen { local } => self.listen(flow, local),
            Open::Connect { local, remote } => {
                let tag = self.tag(flow);
                let attempt = connection::connect(local, remote, tag, self.inbox.clone());
                self.opening(tag, attempt);
                return;
            }
        };
        self.happened.push_back(match done {
            Ok(is) => Happened::Opened { flow, is },
            Err(error) => Happened::Closed {
                flow,
                why: error.to_string(),
            },
        });
    }

    /// Closes a flow. What is queued on a connection still leaves.
    pub(super) fn close(&mut self, flow: FlowId) {
        self.udp.retain(|(id, _)| *id != flow);
        self.connections.remove(&flow);
        if let Some(opening) = self.openings.remove(&flow) {
            opening.task.abort();
        }
        self.happened.retain(|one| one.flow() != flow);
    }

    /// Sends one datagram, or queues octets on a connection.
    pub(super) fn send(&mut self, flow: FlowId, to: SocketAddr, bytes: Bytes) {
        if let Some((_, socket)) = self.udp.iter().find(|(id, _)| *id == flow) {
            if let Err(error) = socket::send_to(socket, &bytes, to) {
                self.trouble.unsent.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%error, %to, "a datagram was not sent");
            }
            return;
        }
        let Some(connection) = self.connections.get(&flow) else {
            tracing::debug!(?flow, "nothing can be sent on a flow that is not open");
            return;
        };
        if let Err(Full(waiting)) = connection.outbox.push(bytes) {
            connection.task.abort();
            let why = format!("{} does not read: {waiting} octets wait", connection.remote);
            self.connections.remove(&flow);
            self.happened.push_back(Happened::Closed { flow, why });
        }
    }

    /// The next thing that happens; never ends while nothing does.
    pub(super) async fn next(&mut self) -> Happened {
        poll_fn(|cx| self.poll_next(cx)).await
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

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Happened> {
        loop {
            if let Some(happened) = self.happened.pop_front() {
                return Poll::Ready(happened);
            }
            self.reap(cx);
            if let Poll::Ready(happened) = self.poll_datagrams(cx) {
                return Poll::Ready(happened);
            }
            // The node holds an inbox itself: the channel never ends.
            if let Some((tag, heard)) = ready!(self.heard.poll_recv(cx)) {
                self.take_in(tag, heard);
            }
        }
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

    fn poll_datagrams(&mut self, cx: &mut Context<'_>) -> Poll<Happened> {
        for (flow, socket) in &self.udp {
            let received = scratch::with(|buffer| {
                let mut buffer = ReadBuf::new(buffer);
                socket.poll_recv_from(cx, &mut buffer).map(|received| {
                    received.map(|from| (from, Bytes::copy_from_slice(buffer.filled())))
                })
            });
            let flow = *flow;
            match received {
                Poll::Ready(Ok((from, bytes))) => {
                    return Poll::Ready(Happened::Received { flow, from, bytes });
                }
                Poll::Ready(Err(error)) => {
                    // Another system's word for an ICMP answer to an earlier datagram.
                    self.trouble.unread.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(%error, "a datagram was not received");
                    cx.waker().wake_by_ref();
                }
                Poll::Pending => {}
            }
        }
        Poll::Pending
    }

    fn take_in(&mut self, tag: Tag, heard: Heard) {
        let flow = tag.flow;
        match heard {
            Heard::Connected(stream) if self.is_opening(tag) => {
                self.openings.remove(&flow);
                self.adopt(flow, stream);
            }
            Heard::Accepted(stream, from) if self.is_opening(tag) => {
                tracing::debug!(%from, "accepted a connection");
                let flow = FlowId::accepted(self.accepted);
                self.accepted = self.accepted.wrapping_add(1);
                self.adopt(flow, stream);
            }
            Heard::End(why) if self.is_opening(tag) => {
                self.openings.remove(&flow);
                self.happened.push_back(Happened::Closed { flow, why });
            }
            Heard::Bytes(bytes) => {
                if let Some(from) = self.remote_of(tag) {
                    let happened = Happened::Received { flow, from, bytes };
                    self.happened.push_back(happened);
                }
            }
            Heard::End(why) => {
                if self.remote_of(tag).is_some() {
                    self.connections.remove(&flow);
                    self.happened.push_back(Happened::Closed { flow, why });
                }
            }
            // A word from a socket that its node has closed.
            Heard::Connected(_) | Heard::Accepted(..) => {}
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

    fn bind(&mut self, flow: FlowId, local: SocketAddr) -> io::Result<Flow> {
        let socket = UdpSocket::from_std(socket::udp(local, Some(UDP_RECEIVE_BUFFER))?)?;
        let local = socket.local_addr()?;
        self.udp.push((flow, socket));
        Ok(Flow {
            transport: Transport::Udp,
            local,
            remote: None,
        })
    }

    fn listen(&mut self, flow: FlowId, local: SocketAddr) -> io::Result<Flow> {
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

    fn adopt(&mut self, flow: FlowId, stream: TcpStream) {
        // SIP messages are small and answered at once.
        let addresses = stream
            .set_nodelay(true)
            .and_then(|()| Ok((stream.local_addr()?, stream.peer_addr()?)));
        let (local, remote) = match addresses {
            Ok(addresses) => addresses,
            Err(error) => {
                let why = error.to_string();
                self.happened.push_back(Happened::Closed { flow, why });
                return;
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
        self.happened.push_back(Happened::Opened { flow, is });
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

impl Happened {
    fn flow(&self) -> FlowId {
        match self {
            Happened::Opened { flow, .. }
            | Happened::Closed { flow, .. }
            | Happened::Received { flow, .. } => *flow,
        }
    }
}
