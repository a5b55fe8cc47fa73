//! The sockets of one node. Datagrams are read in the node's own task, from a socket of its own
//! or from its seat at a shared one.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::ReadBuf;
use tokio::net::UdpSocket;

use super::shared::Seat;
use super::tcp::Tcp;
use super::{scratch, socket};
use crate::node::Open;
use crate::sip::{Flow, FlowId, Message, Transport};

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
    Message {
        flow: FlowId,
        from: SocketAddr,
        message: Message,
    },
}

/// What the datagram sockets of one node, or of all nodes of a worker, could not do since they
/// started.
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

#[derive(Debug, Default)]
pub(super) struct Flows {
    udp: Vec<(FlowId, UdpSocket)>,
    /// Where datagrams go and come from instead of sockets of our own.
    seat: Option<Box<Seat>>,
    tcp: Option<Box<Tcp>>,
    happened: VecDeque<Happened>,
    trouble: Arc<Trouble>,
}

impl Flows {
    /// The same, but every UDP flow is `seat`'s.
    pub(super) fn seated(mut self, seat: Option<Seat>) -> Self {
        self.seat = seat.map(Box::new);
        self
    }

    /// The same, counting into `trouble`.
    pub(super) fn troubling(mut self, trouble: Arc<Trouble>) -> Self {
        self.trouble = trouble;
        self
    }

    pub(super) fn trouble(&self) -> Arc<Trouble> {
        self.trouble.clone()
    }

    /// Opens a flow; [`Flows::poll_next`] tells what came of it.
    pub(super) fn open(&mut self, flow: FlowId, how: Open) {
        self.close(flow);
        let done = match how {
            Open::Udp { local } => self.bind(flow, local),
            Open::Listen { local } => self.tcp().listen(flow, local),
            Open::Connect { local, remote } => return self.tcp().connect(flow, local, remote),
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
        if let Some(seat) = &mut self.seat {
            seat.close(flow);
        }
        if let Some(tcp) = &mut self.tcp {
            tcp.close(flow);
        }
        self.happened.retain(|one| one.flow() != flow);
    }

    /// Sends one datagram, or queues octets on a connection.
    pub(super) fn send(&mut self, flow: FlowId, to: SocketAddr, bytes: Bytes) {
        let own = self.udp.iter().find(|(id, _)| *id == flow);
        let shared = self.seat.as_ref().and_then(|seat| seat.socket(flow));
        if let Some(socket) = own.map(|(_, socket)| socket).or(shared) {
            if let Err(error) = socket::send_to(socket, &bytes, to) {
                self.trouble.unsent.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(%error, %to, "a datagram was not sent");
            }
            return;
        }
        match &mut self.tcp {
            Some(tcp) => self.happened.extend(tcp.send(flow, bytes)),
            None => tracing::debug!(?flow, "nothing can be sent on a flow that is not open"),
        }
    }

    /// The next thing that happens; pending while nothing does.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Happened> {
        if let Some(happened) = self.happened.pop_front() {
            return Poll::Ready(happened);
        }
        // An idle node keeps no room for what may never come again.
        self.happened = VecDeque::new();
        if let Poll::Ready(happened) = self.poll_datagrams(cx) {
            return Poll::Ready(happened);
        }
        if let Some(seat) = &mut self.seat
            && let Poll::Ready(happened) = seat.poll(cx)
        {
            return Poll::Ready(happened);
        }
        match &mut self.tcp {
            Some(tcp) => tcp.poll(cx),
            None => Poll::Pending,
        }
    }

    /// Closes everything and waits, not for long, until what is queued has left.
    pub(super) async fn end(self) {
        if let Some(tcp) = self.tcp {
            tcp.end().await;
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

    fn bind(&mut self, flow: FlowId, local: SocketAddr) -> io::Result<Flow> {
        let local = match &mut self.seat {
            Some(seat) => seat.open(flow),
            None => {
                let socket = socket::udp(local, Some(UDP_RECEIVE_BUFFER))?;
                let socket = UdpSocket::from_std(socket)?;
                let local = socket.local_addr()?;
                self.udp.push((flow, socket));
                local
            }
        };
        Ok(Flow {
            transport: Transport::Udp,
            local,
            remote: None,
        })
    }

    fn tcp(&mut self) -> &mut Tcp {
        self.tcp.get_or_insert_default()
    }
}

impl Happened {
    fn flow(&self) -> FlowId {
        match self {
            Happened::Opened { flow, .. }
            | Happened::Closed { flow, .. }
            | Happened::Received { flow, .. }
            | Happened::Message { flow, .. } => *flow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sending_on_a_flow_that_is_closed_costs_nothing() {
        let mut flows = Flows::default();
        let to = SocketAddr::from(([127, 0, 0, 1], 5060));
        flows.send(FlowId(0), to, Bytes::from_static(b"late"));
        assert!(flows.tcp.is_none() && flows.happened.is_empty());
    }
}
