//! TCP as the lab knows it: two ordered pipes of bounded capacity, each with its link's latency.
//! Nothing is lost; a reader that does not read stalls its writer.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use bytes::Bytes;

use crate::media::StreamId;
use crate::sip::FlowId;
use crate::time::Instant;

/// What a signalling flow may keep queued for a stalled peer; more ends the flow.
const OUTBOX_LIMIT: usize = 256 * 1024;

/// One connection for as long as anybody holds an end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ConnectionId(pub(super) u64);

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Dialer,
    Listener,
}

impl Side {
    pub(super) fn other(self) -> Side {
        match self {
            Side::Dialer => Side::Listener,
            Side::Listener => Side::Dialer,
        }
    }
}

/// Whose a socket is. Hosts are numbered in the order they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Flow(usize, FlowId),
    Stream(usize, StreamId),
    /// A test plays this end by hand.
    Raw,
    /// Connected, and not yet taken up by the stream that listens.
    Backlog,
    /// Closed here.
    Nobody,
}

/// One end: what comes towards it, and what its owner has queued to go.
#[derive(Debug)]
pub(super) struct End {
    pub(super) owner: Owner,
    pub(super) address: SocketAddr,
    /// Whether what arrives is taken at once.
    reading: bool,
    /// Octets on their way here or waiting here.
    inbound: usize,
    arrived: VecDeque<Bytes>,
    /// The other side has said that nothing more comes.
    finished: bool,
    /// What is sent here now arrives no earlier than this.
    earliest: Instant,
    outbox: VecDeque<Bytes>,
    queued: usize,
    /// Nothing more is queued: the end follows when the outbox is empty.
    closing: bool,
}

/// Two ends.
#[derive(Debug)]
pub(super) struct Connection {
    dialer: End,
    listener: End,
}

/// A piece that has left one end.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) bytes: Bytes,
}

/// What a reader gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    Octets(Bytes),
    End,
}

impl End {
    fn new(owner: Owner, address: SocketAddr) -> Self {
        End {
            owner,
            address,
            reading: true,
            inbound: 0,
            arrived: VecDeque::new(),
            finished: false,
            earliest: Instant::ZERO,
            outbox: VecDeque::new(),
            queued: 0,
            closing: false,
        }
    }

    /// When something that would arrive at `at` does, behind everything sent before.
    pub(super) fn in_order(&mut self, at: Instant) -> Instant {
        self.earliest = self.earliest.max(at);
        self.earliest
    }

    /// Something arrives; what the owner gets of it now.
    pub(super) fn arrive(&mut self, arrival: Arrival) -> Option<Arrival> {
        match arrival {
            Arrival::Octets(bytes) if self.reading => {
                self.inbound -= bytes.len().min(self.inbound);
                Some(Arrival::Octets(bytes))
            }
            Arrival::Octets(bytes) => {
                self.arrived.push_back(bytes);
                None
            }
            Arrival::End => {
                self.finished = true;
                self.reading.then_some(Arrival::End)
            }
        }
    }

    /// Reads on, or stops reading; what the owner gets of what has waited.
    pub(super) fn read_on(&mut self, reading: bool) -> Vec<Arrival> {
        self.reading = reading;
        if !reading {
            return Vec::new();
        }
        let mut arrivals = Vec::new();
        for bytes in self.arrived.drain(..) {
            self.inbound -= bytes.len().min(self.inbound);
            arrivals.push(Arrival::Octets(bytes));
        }
        if self.finished {
            arrivals.push(Arrival::End);
        }
        arrivals
    }
}

impl Connection {
    pub(super) fn new(owner: Owner, local: SocketAddr, remote: SocketAddr) -> Self {
        let mut listener = End::new(Owner::Backlog, remote);
        listener.reading = false;
        Connection {
            dialer: End::new(owner, local),
            listener,
        }
    }

    pub(super) fn end(&self, side: Side) -> &End {
        match side {
            Side::Dialer => &self.dialer,
            Side::Listener => &self.listener,
        }
    }

    pub(super) fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::Dialer => &mut self.dialer,
            Side::Listener => &mut self.listener,
        }
    }

    /// How many octets `side` may send now, given the capacity of the pipe.
    pub(super) fn room(&self, side: Side, capacity: usize) -> usize {
        capacity.saturating_sub(self.end(side.other()).inbound)
    }

    /// Puts `bytes` into the pipe; the caller has looked for room.
    pub(super) fn put(&mut self, side: Side, bytes: Bytes) -> Piece {
        let from = self.end(side).address;
        let other = self.end_mut(side.other());
        other.inbound += bytes.len();
        let to = other.address;
        Piece { from, to, bytes }
    }

    /// Queues `bytes` at `side`; `false` when too much waits there already.
    pub(super) fn queue(&mut self, side: Side, bytes: Bytes) -> bool {
        let end = self.end_mut(side);
        end.queued += bytes.len();
        end.outbox.push_back(bytes);
        end.queued <= OUTBOX_LIMIT
    }

    /// The next queued piece of `side` that the pipe has room for.
    pub(super) fn flush(&mut self, side: Side, capacity: usize) -> Option<Piece> {
        let room = self.room(side, capacity);
        let end = self.end_mut(side);
        let first = end.outbox.front_mut()?;
        if room == 0 && !first.is_empty() {
            return None;
        }
        let bytes = first.split_to(room.min(first.len()));
        if first.is_empty() {
            end.outbox.pop_front();
        }
        end.queued -= bytes.len();
        Some(self.put(side, bytes))
    }

    /// The owner of `side` lets go. `true` when the other side can be told now; otherwise it is
    /// told when what is queued has left.
    pub(super) fn let_go(&mut self, side: Side) -> bool {
        let end = self.end_mut(side);
        end.owner = Owner::Nobody;
        end.read_on(true);
        end.closing = !end.outbox.is_empty();
        !end.closing
    }

    /// `true` once, when a closing side's last octet has left.
    pub(super) fn has_closed(&mut self, side: Side) -> bool {
        let end = self.end_mut(side);
        let closed = end.closing && end.outbox.is_empty();
        end.closing &= !closed;
        closed
    }

    /// The power of `side` fails: it neither reads nor says so.
    pub(super) fn fall_silent(&mut self, side: Side) {
        let end = self.end_mut(side);
        end.owner = Owner::Nobody;
        end.reading = false;
        end.outbox.clear();
        end.queued = 0;
    }

    /// Whether nobody holds an end and nothing is left to send.
    pub(super) fn is_over(&self) -> bool {
        let over = |end: &End| end.owner == Owner::Nobody && !end.closing;
        over(&self.dialer) && over(&self.listener)
    }
}

/// All connections.
#[derive(Debug, Default)]
pub(super) struct Connections {
    all: HashMap<ConnectionId, Connection>,
    count: u64,
}

impl Connections {
    pub(super) fn add(&mut self, connection: Connection) -> ConnectionId {
        let id = ConnectionId(self.count);
        self.count += 1;
        self.all.insert(id, connection);
        id
    }

    pub(super) fn find(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        self.all.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        self.all.remove(&id)
    }

    pub(super) fn peek(&self, id: ConnectionId) -> Option<&Connection> {
        self.all.get(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let dialer = "10.0.0.1:40000".parse().unwrap();
        let listener = "10.0.0.2:5060".parse().unwrap();
        let mut connection = Connection::new(Owner::Raw, dialer, listener);
        connection.end_mut(Side::Listener).owner = Owner::Raw;
        connection
    }

    #[test]
    fn a_pipe_holds_no_more_than_its_capacity_until_it_is_read() {
        let mut connection = connection();
        assert_eq!(connection.room(Side::Dialer, 10), 10);
        let piece = connection.put(Side::Dialer, Bytes::from_static(b"0123456789"));
        assert_eq!(connection.room(Side::Dialer, 10), 0);
        let reader = connection.end_mut(Side::Listener);
        assert_eq!(reader.arrive(Arrival::Octets(piece.bytes.clone())), None);
        assert_eq!(reader.read_on(true), [Arrival::Octets(piece.bytes)]);
        assert_eq!(connection.room(Side::Dialer, 10), 10);
    }

    #[test]
    fn a_queue_leaves_in_pieces_as_room_appears() {
        let mut connection = connection();
        assert!(connection.queue(Side::Dialer, Bytes::from_static(b"abcdef")));
        let first = connection.flush(Side::Dialer, 4).unwrap();
        assert_eq!(&first.bytes[..], b"abcd");
        assert!(connection.flush(Side::Dialer, 4).is_none());
        assert_eq!(connection.dialer.queued, 2);
        let reader = connection.end_mut(Side::Listener);
        reader.arrive(Arrival::Octets(first.bytes));
        reader.read_on(true);
        assert_eq!(&connection.flush(Side::Dialer, 4).unwrap().bytes[..], b"ef");
    }

    #[test]
    fn the_end_waits_behind_octets_that_nobody_has_read() {
        let mut connection = connection();
        let piece = connection.put(Side::Dialer, Bytes::from_static(b"last"));
        assert!(connection.let_go(Side::Dialer));
        let reader = connection.end_mut(Side::Listener);
        assert_eq!(reader.arrive(Arrival::Octets(piece.bytes.clone())), None);
        assert_eq!(reader.arrive(Arrival::End), None);
        let waited = reader.read_on(true);
        assert_eq!(waited, [Arrival::Octets(piece.bytes), Arrival::End]);
    }

    #[test]
    fn too_much_queued_is_refused() {
        let mut connection = connection();
        let lots = Bytes::from(vec![0; OUTBOX_LIMIT]);
        assert!(connection.queue(Side::Dialer, lots));
        assert!(!connection.queue(Side::Dialer, Bytes::from_static(b"x")));
    }
}
