//! One media stream of the lab: a real sender or receiver on the lab's datagrams and pipes.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;

use super::network::{Kind, Network};
use super::tcp::{ConnectionId, Side};
use crate::media::receiver::Receiver;
use crate::media::rtp;
use crate::media::{Counts, Expected, Flowing, Framing, MediaTransport, Sender, SenderConfig};
use crate::time::Instant;

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) transport: MediaTransport,
    pub(super) local: SocketAddr,
    pub(super) remote: Option<SocketAddr>,
    pub(super) role: Role,
    pub(super) receiver: Option<(Arc<Expected>, Box<Receiver>)>,
    pub(super) connection: Option<(ConnectionId, Side)>,
    /// Connected to our listener before we were told to start.
    pub(super) backlog: VecDeque<ConnectionId>,
    /// What earlier connections of the stream carried.
    pub(super) counts: Counts,
    pub(super) started: bool,
    /// The next frame that is put down in the agenda.
    pub(super) alarm: Option<Instant>,
    /// [`Due::Progress`] is put down in the agenda.
    pub(super) reporting: bool,
}

#[derive(Debug)]
pub(super) enum Role {
    Idle,
    /// Will send as soon as it is connected.
    Ready(Arc<SenderConfig>),
    Sending(Box<Sender>),
}

impl Stream {
    pub(super) fn new(transport: MediaTransport, local: SocketAddr) -> Self {
        Stream {
            transport,
            local,
            remote: None,
            role: Role::Idle,
            receiver: None,
            connection: None,
            backlog: VecDeque::new(),
            counts: Counts::default(),
            started: false,
            alarm: None,
            reporting: false,
        }
    }

    fn framing(&self) -> Framing {
        match self.transport {
            MediaTransport::Udp => Framing::Datagram,
            MediaTransport::TcpActive | MediaTransport::TcpPassive => Framing::Stream,
        }
    }

    pub(super) fn set_role(&mut self, what: Flowing) {
        let (out, expected) = match what {
            Flowing::Out(config) => (Some(config), None),
            Flowing::In(expected) => (None, Some(expected)),
            Flowing::Both(config, expected) => (Some(config), Some(expected)),
        };
        self.role = out.map_or(Role::Idle, Role::Ready);
        let before = self.receiver.take();
        self.receiver = expected.map(|expected| match before {
            Some((same, mut receiver)) if Arc::ptr_eq(&same, &expected) => {
                receiver.reconnected();
                (expected, receiver)
            }
            _ => {
                let receiver = Receiver::new(expected.clone(), self.framing());
                (expected, Box::new(receiver))
            }
        });
    }

    /// Whether nothing was ordered to flow.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.role, Role::Idle) && self.receiver.is_none()
    }

    /// The way to the peer is there: a stream that was ready to send begins.
    pub(super) fn flow(&mut self, now: Instant) {
        if let Role::Ready(config) = &self.role {
            let sender = Sender::new(config.clone(), self.framing(), now);
            self.role = Role::Sending(Box::new(sender));
        }
    }

    pub(super) fn hang_up(&mut self, network: &mut Network) {
        if let Some((id, side)) = self.connection.take() {
            network.let_go(id, side);
        }
    }

    /// Adds what the sender has sent, and lets it go.
    pub(super) fn settle_counts(&mut self) {
        if let Role::Sending(sender) = &self.role {
            let sent = sender.counts();
            self.counts.frames += sent.frames;
            self.counts.packets += sent.packets;
            self.counts.octets += sent.octets;
            self.counts.dropped += sent.dropped;
            self.counts.late += sent.late;
            self.role = Role::Idle;
        }
    }

    /// At most one batch, as a pump does in a tick. Whether anything left.
    pub(super) fn send_datagrams(&mut self, network: &mut Network, heads: &mut Vec<u8>) -> bool {
        let (Role::Sending(sender), Some(remote)) = (&mut self.role, self.remote) else {
            return false;
        };
        if self.transport != MediaTransport::Udp {
            return false;
        }
        let now = network.now.mono;
        let Some(batch) = sender.batch(now, heads) else {
            return false;
        };
        let length = batch.len();
        for packet in batch.packets() {
            let [head, data] = &packet;
            let mut datagram = BytesMut::with_capacity(head.len() + data.len());
            datagram.extend_from_slice(head);
            datagram.extend_from_slice(data);
            if let Some((_, listener)) = &mut self.receiver {
                let (_, words) = datagram.split_at_mut(head.len());
                listener.say_back(words);
            }
            network.send(Kind::Media, self.local, remote, datagram.freeze());
        }
        sender.wrote(now, length);
        true
    }

    /// As much as the pipe takes. Whether anything left.
    pub(super) fn send_octets(
        &mut self,
        network: &mut Network,
        connection: ConnectionId,
        side: Side,
        heads: &mut Vec<u8>,
    ) -> bool {
        let Role::Sending(sender) = &mut self.role else {
            return false;
        };
        let now = network.now.mono;
        let mut sent = false;
        while let Some(batch) = sender.batch(now, heads) {
            let length = batch.len();
            let room = network.room(connection, side).min(length);
            if room == 0 {
                sender.blocked();
                break;
            }
            let mut octets = BytesMut::with_capacity(room);
            for slice in batch.slices() {
                let left = room - octets.len();
                octets.extend_from_slice(slice.get(..left).unwrap_or(&slice));
            }
            // A packet of a voice is a batch; pipes are wide enough for whole ones.
            if let Some((_, listener)) = self.receiver.as_mut().filter(|_| room == length) {
                let head = Framing::Stream.prefix() + rtp::HEADER;
                let (_, words) = octets.split_at_mut(head.min(length));
                listener.say_back(words);
            }
            network.put(connection, side, octets.freeze());
            sender.wrote(now, room);
            sent = true;
            if room < length {
                sender.blocked();
                break;
            }
        }
        sent
    }
}
