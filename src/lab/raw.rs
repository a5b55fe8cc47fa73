//! Peers that a test plays by hand: datagrams and connections without a node behind them.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use bytes::{Bytes, BytesMut};

use super::Lab;
use super::network::Kind;
use super::tcp::{Arrival, ConnectionId, Owner, Side};

/// One end of a TCP connection in the hands of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RawTcp {
    id: ConnectionId,
    listener: bool,
}

/// How such an end stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RawState {
    /// Nobody has answered yet.
    #[default]
    Dialling,
    /// Connected.
    Open,
    /// Nobody listens there.
    Refused,
    /// The other side has closed; what it sent before can still be read.
    Closed,
}

#[derive(Debug, Default)]
struct RawEnd {
    state: RawState,
    heard: BytesMut,
}

/// What arrived at ends that tests hold.
#[derive(Debug, Default)]
pub(super) struct RawEnds {
    datagrams: HashMap<SocketAddr, Vec<(SocketAddr, Bytes)>>,
    accepted: HashMap<SocketAddr, VecDeque<RawTcp>>,
    ends: HashMap<RawTcp, RawEnd>,
}

impl RawTcp {
    fn new(id: ConnectionId, side: Side) -> Self {
        RawTcp {
            id,
            listener: side == Side::Listener,
        }
    }

    fn side(self) -> Side {
        if self.listener {
            Side::Listener
        } else {
            Side::Dialer
        }
    }
}

impl RawEnds {
    pub(super) fn datagram(&mut self, at: SocketAddr, from: SocketAddr, bytes: Bytes) {
        self.datagrams.entry(at).or_default().push((from, bytes));
    }

    pub(super) fn accept(&mut self, at: SocketAddr, id: ConnectionId) {
        let raw = RawTcp::new(id, Side::Listener);
        self.ends.entry(raw).or_default().state = RawState::Open;
        self.accepted.entry(at).or_default().push_back(raw);
    }

    pub(super) fn answered(&mut self, id: ConnectionId, connected: bool) {
        let raw = RawTcp::new(id, Side::Dialer);
        self.ends.entry(raw).or_default().state = match connected {
            true => RawState::Open,
            false => RawState::Refused,
        };
    }

    pub(super) fn arrive(&mut self, id: ConnectionId, side: Side, arrival: Arrival) {
        let end = self.ends.entry(RawTcp::new(id, side)).or_default();
        match arrival {
            Arrival::Octets(bytes) => end.heard.extend_from_slice(&bytes),
            Arrival::End => end.state = RawState::Closed,
        }
    }
}

impl Lab {
    /// Takes `at` for datagrams; [`Lab::datagrams_at`] gives what arrives.
    ///
    /// # Panics
    /// When the address is in use.
    pub fn bind(&mut self, at: SocketAddr) {
        if let Err(why) = self.network.bind(Owner::Raw, at) {
            panic!("{why}");
        }
    }

    /// Sends a datagram, over the link like any other. `from` need not be bound.
    pub fn send_datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: impl Into<Bytes>) {
        self.network.send(Kind::Signalling, from, to, bytes.into());
    }

    /// Takes the datagrams that have arrived at an address taken with [`Lab::bind`].
    pub fn datagrams_at(&mut self, at: SocketAddr) -> Vec<(SocketAddr, Bytes)> {
        self.raw.datagrams.remove(&at).unwrap_or_default()
    }

    /// Listens for connections at `at`; [`Lab::accept_at`] gives them.
    ///
    /// # Panics
    /// When the address is in use.
    pub fn listen(&mut self, at: SocketAddr) {
        if let Err(why) = self.network.listen(Owner::Raw, at) {
            panic!("{why}");
        }
    }

    /// Stops listening at `at`; connections stay.
    pub fn stop_listening(&mut self, at: SocketAddr) {
        self.network.stop_listening(at);
    }

    /// The next connection that was made to a listening address.
    pub fn accept_at(&mut self, at: SocketAddr) -> Option<RawTcp> {
        self.raw.accepted.get_mut(&at)?.pop_front()
    }

    /// Begins a connection; [`Lab::state`] tells when it is there.
    ///
    /// # Panics
    /// When `from` asks for any port and there is none.
    pub fn dial(&mut self, from: SocketAddr, to: SocketAddr) -> RawTcp {
        match self.network.dial(Owner::Raw, from, to) {
            Ok(id) => {
                let raw = RawTcp::new(id, Side::Dialer);
                self.raw.ends.insert(raw, RawEnd::default());
                raw
            }
            Err(why) => panic!("{why}"),
        }
    }

    /// How a connection stands.
    pub fn state(&self, raw: RawTcp) -> RawState {
        let end = self.raw.ends.get(&raw);
        end.map_or(RawState::Closed, |end| end.state)
    }

    /// Writes octets; what the pipe does not take now leaves as it empties.
    pub fn write(&mut self, raw: RawTcp, bytes: impl Into<Bytes>) {
        self.network.queue(raw.id, raw.side(), bytes.into());
    }

    /// Takes the octets that have arrived.
    pub fn read(&mut self, raw: RawTcp) -> Bytes {
        let end = self.raw.ends.get_mut(&raw);
        end.map_or_else(Bytes::new, |end| end.heard.split().freeze())
    }

    /// Stops reading: the pipe fills up and its writer stalls.
    pub fn freeze(&mut self, raw: RawTcp) {
        if let Some(connection) = self.network.connections.find(raw.id) {
            connection.end_mut(raw.side()).read_on(false);
        }
    }

    /// Reads on.
    pub fn thaw(&mut self, raw: RawTcp) {
        let Some(connection) = self.network.connections.find(raw.id) else {
            return;
        };
        for arrival in connection.end_mut(raw.side()).read_on(true) {
            self.deliver(raw.id, raw.side(), arrival);
        }
        self.poke(raw.id, raw.side().other());
    }

    /// Closes a connection after what was written has left.
    pub fn hang_up(&mut self, raw: RawTcp) {
        self.network.let_go(raw.id, raw.side());
        self.raw.ends.remove(&raw);
        self.poke(raw.id, raw.side().other());
    }
}
