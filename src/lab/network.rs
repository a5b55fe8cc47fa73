//! The lab's network: who is bound where, and everything that is on its way.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;

use super::agenda::Agenda;
use super::link::Links;
use super::log::{Log, Packet};
use super::tcp::{Arrival, Connection, ConnectionId, Connections, Owner, Piece, Side};
use crate::media::{Report, StreamId};
use crate::sip::{Flow, FlowId, Transport};
use crate::time::{Instant, Now};

/// Something to come.
#[derive(Debug)]
pub(super) enum Due {
    /// A host's deadline.
    Wake(usize),
    /// A host learns what came of opening its flow; the number tells it from later flows.
    Opened(usize, FlowId, u64, Result<Flow, String>),
    /// A host hears from the media plane.
    Report(usize, Report),
    /// A datagram arrives.
    Datagram {
        from: SocketAddr,
        to: SocketAddr,
        bytes: Bytes,
    },
    /// A dialer knocks.
    Knock(ConnectionId),
    /// A dialer is answered: connected, or refused.
    Answer(ConnectionId, bool),
    /// Octets, or the end of them.
    Arrive(ConnectionId, Side, Arrival),
    /// A stream's next frame.
    Frame(usize, StreamId),
    /// A receiving stream says how it stands.
    Progress(usize, StreamId),
}

/// How a write is noted in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Signalling,
    Media,
}

#[derive(Debug)]
pub(super) struct Network {
    pub(super) now: Now,
    pub(super) agenda: Agenda<Due>,
    pub(super) links: Links,
    pub(super) log: Log,
    pub(super) connections: Connections,
    udp: HashMap<SocketAddr, Owner>,
    listeners: HashMap<SocketAddr, Owner>,
    ports: HashMap<IpAddr, u16>,
}

impl Network {
    pub(super) fn new(seed: u64, now: Now) -> Self {
        Network {
            now,
            agenda: Agenda::new(),
            links: Links::new(seed),
            log: Log::new(),
            connections: Connections::default(),
            udp: HashMap::new(),
            listeners: HashMap::new(),
            ports: HashMap::new(),
        }
    }

    /// Puts down `what` for `delay` from now.
    pub(super) fn later(&mut self, delay: Duration, what: Due) {
        self.agenda.put(self.now.mono + delay, what);
    }

    pub(super) fn note(&mut self, what: std::fmt::Arguments<'_>) {
        self.log.write(self.now, what);
    }

    /// Binds a datagram socket; port 0 becomes a free even one.
    pub(super) fn bind(&mut self, owner: Owner, local: SocketAddr) -> Result<SocketAddr, String> {
        let local = self.settle(local)?;
        if self.udp.contains_key(&local) {
            return Err(format!("{local} is in use"));
        }
        self.udp.insert(local, owner);
        Ok(local)
    }

    /// Listens for connections; port 0 becomes a free even one.
    pub(super) fn listen(&mut self, owner: Owner, local: SocketAddr) -> Result<SocketAddr, String> {
        let local = self.settle(local)?;
        if self.listeners.contains_key(&local) {
            return Err(format!("{local} is in use"));
        }
        self.listeners.insert(local, owner);
        Ok(local)
    }

    pub(super) fn unbind(&mut self, local: SocketAddr) {
        self.udp.remove(&local);
    }

    pub(super) fn stop_listening(&mut self, local: SocketAddr) {
        self.listeners.remove(&local);
    }

    pub(super) fn bound(&self, at: SocketAddr) -> Option<Owner> {
        self.udp.get(&at).copied()
    }

    pub(super) fn listening(&self, at: SocketAddr) -> Option<Owner> {
        self.listeners.get(&at).copied()
    }

    /// A datagram leaves.
    pub(super) fn send(&mut self, kind: Kind, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        let mut delays = self.links.datagram(from.ip(), to.ip());
        if !self.udp.contains_key(&to) {
            delays = [None, None];
        }
        let copies = delays.iter().flatten().count();
        self.observe(kind, Transport::Udp, from, to, &bytes, copies);
        for delay in delays.into_iter().flatten() {
            let bytes = bytes.clone();
            self.later(delay, Due::Datagram { from, to, bytes });
        }
    }

    /// Begins a connection.
    pub(super) fn dial(
        &mut self,
        owner: Owner,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Result<ConnectionId, String> {
        let local = self.settle(local)?;
        let mut connection = Connection::new(owner, local, remote);
        let knock = self.now.mono + self.links.octets(local.ip(), remote.ip());
        connection.end_mut(Side::Listener).in_order(knock);
        let id = self.connections.add(connection);
        self.note(format_args!("TCP {local} -> {remote} connects"));
        self.agenda.put(knock, Due::Knock(id));
        Ok(id)
    }

    /// Tells the dialer how it went.
    pub(super) fn answer(&mut self, id: ConnectionId, connected: bool) {
        let Some(connection) = self.connections.find(id) else {
            return;
        };
        let from = connection.end(Side::Listener).address.ip();
        let to = connection.end(Side::Dialer).address.ip();
        let at = self.now.mono + self.links.octets(from, to);
        connection.end_mut(Side::Dialer).in_order(at);
        self.agenda.put(at, Due::Answer(id, connected));
    }

    /// Queues octets of a signalling flow; `false` when too much waits for the peer.
    pub(super) fn queue(&mut self, id: ConnectionId, side: Side, bytes: Bytes) -> bool {
        let Some(connection) = self.connections.find(id) else {
            return true;
        };
        let queued = connection.queue(side, bytes);
        self.flush(id, side);
        queued
    }

    /// Sends what is queued at `side`, as far as there is room, and then its end if it closes.
    pub(super) fn flush(&mut self, id: ConnectionId, side: Side) {
        let capacity = self.capacity(id, side);
        while let Some(connection) = self.connections.find(id) {
            let Some(piece) = connection.flush(side, capacity) else {
                break;
            };
            self.travel(Kind::Signalling, id, side, piece);
        }
        let closed = self.connections.find(id).map(|one| one.has_closed(side));
        if closed == Some(true) {
            self.end(id, side);
        }
    }

    /// How many octets of media the pipe takes now.
    pub(super) fn room(&self, id: ConnectionId, side: Side) -> usize {
        let capacity = self.capacity(id, side);
        let connection = self.connections.peek(id);
        connection.map_or(0, |one| one.room(side, capacity))
    }

    /// Puts octets of media into the pipe; the caller has asked for the room.
    pub(super) fn put(&mut self, id: ConnectionId, side: Side, bytes: Bytes) {
        if let Some(connection) = self.connections.find(id) {
            let piece = connection.put(side, bytes);
            self.travel(Kind::Media, id, side, piece);
        }
    }

    /// The owner of `side` lets go of it.
    pub(super) fn let_go(&mut self, id: ConnectionId, side: Side) {
        let Some(connection) = self.connections.find(id) else {
            return;
        };
        if connection.let_go(side) {
            self.end(id, side);
        }
    }

    fn end(&mut self, id: ConnectionId, side: Side) {
        let Some(connection) = self.connections.find(id) else {
            return;
        };
        let from = connection.end(side).address;
        let to = connection.end(side.other()).address;
        let at = self.now.mono + self.links.octets(from.ip(), to.ip());
        let at = connection.end_mut(side.other()).in_order(at);
        let over = connection.is_over();
        self.note(format_args!("TCP {from} -> {to} ends"));
        if over {
            self.connections.remove(id);
        } else {
            let arrive = Due::Arrive(id, side.other(), Arrival::End);
            self.agenda.put(at, arrive);
        }
    }

    fn travel(&mut self, kind: Kind, id: ConnectionId, side: Side, piece: Piece) {
        let Piece { from, to, bytes } = piece;
        self.observe(kind, Transport::Tcp, from, to, &bytes, 1);
        let at = self.now.mono + self.links.octets(from.ip(), to.ip());
        let Some(connection) = self.connections.find(id) else {
            return;
        };
        let at = connection.end_mut(side.other()).in_order(at);
        let arrive = Due::Arrive(id, side.other(), Arrival::Octets(bytes));
        self.agenda.put(at, arrive);
    }

    fn capacity(&self, id: ConnectionId, side: Side) -> usize {
        self.connections.peek(id).map_or(0, |one| {
            let (from, to) = (one.end(side).address, one.end(side.other()).address);
            self.links.between(from.ip(), to.ip()).capacity
        })
    }

    fn observe(
        &mut self,
        kind: Kind,
        transport: Transport,
        from: SocketAddr,
        to: SocketAddr,
        bytes: &Bytes,
        copies: usize,
    ) {
        match kind {
            Kind::Media => self.log.media(self.now, from, to, bytes),
            Kind::Signalling => self.log.packet(Packet {
                at: self.now,
                from,
                to,
                transport,
                bytes: bytes.clone(),
                copies,
            }),
        }
    }

    /// An address with a port of its own.
    /// The next port that `ip` gives away, when it is free.
    pub(super) fn set_next_port(&mut self, ip: IpAddr, port: u16) {
        self.ports.insert(ip, port);
    }

    fn settle(&mut self, local: SocketAddr) -> Result<SocketAddr, String> {
        const FIRST: u16 = 40_000;
        const EVEN_PORTS: u16 = 12_000;
        if local.port() != 0 {
            return Ok(local);
        }
        let ip = local.ip();
        for _ in 0..EVEN_PORTS {
            let port = self.ports.entry(ip).or_insert(FIRST);
            let candidate = SocketAddr::new(ip, *port);
            *port = port.checked_add(2).unwrap_or(FIRST);
            if !self.udp.contains_key(&candidate) && !self.listeners.contains_key(&candidate) {
                return Ok(candidate);
            }
        }
        Err(format!("{ip} has no free port"))
    }

    /// When something is next put down for `at`, but not in the past.
    pub(super) fn put_at(&mut self, at: Instant, what: Due) {
        self.agenda.put(at.max(self.now.mono), what);
    }
}
