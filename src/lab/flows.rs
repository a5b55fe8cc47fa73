//! The signalling flows of the lab's nodes.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;

use super::Lab;
use super::network::{Due, Kind, Network};
use super::tcp::{Arrival, ConnectionId, Owner, Side};
use crate::node::{Input, Open};
use crate::sip::{Flow, FlowId, Transport};

/// What is behind a flow.
#[derive(Clone, Copy, Debug)]
enum Socket {
    Udp(SocketAddr),
    Listener(SocketAddr),
    Tcp(ConnectionId, Side),
    /// Could not be opened; its node is about to hear it.
    Failed,
}

/// All flows of all hosts. A serial tells a flow from an earlier one of the same number.
#[derive(Debug, Default)]
pub(super) struct FlowTable {
    all: BTreeMap<(usize, FlowId), (u64, Socket)>,
    serial: u64,
}

impl FlowTable {
    fn insert(&mut self, host: usize, flow: FlowId, socket: Socket) -> u64 {
        self.serial += 1;
        self.all.insert((host, flow), (self.serial, socket));
        self.serial
    }

    fn socket(&self, host: usize, flow: FlowId) -> Option<Socket> {
        self.all.get(&(host, flow)).map(|(_, socket)| *socket)
    }

    /// A node closes its flow.
    pub(super) fn close(&mut self, network: &mut Network, host: usize, flow: FlowId) {
        match self.all.remove(&(host, flow)) {
            Some((_, Socket::Udp(at))) => network.unbind(at),
            Some((_, Socket::Listener(at))) => network.stop_listening(at),
            Some((_, Socket::Tcp(id, side))) => network.let_go(id, side),
            Some((_, Socket::Failed)) | None => {}
        }
    }

    /// A node is gone, and nobody says so.
    pub(super) fn cut_power(&mut self, network: &mut Network, host: usize) {
        let last = (host, FlowId(u32::MAX));
        let flows: Vec<_> = self.all.range((host, FlowId(0))..=last).collect();
        let flows: Vec<FlowId> = flows.into_iter().map(|((_, flow), _)| *flow).collect();
        for flow in flows {
            match self.all.remove(&(host, flow)) {
                Some((_, Socket::Udp(at))) => network.unbind(at),
                Some((_, Socket::Listener(at))) => network.stop_listening(at),
                Some((_, Socket::Tcp(id, side))) => {
                    if let Some(connection) = network.connections.find(id) {
                        connection.fall_silent(side);
                    }
                }
                Some((_, Socket::Failed)) | None => {}
            }
        }
    }
}

impl Lab {
    pub(super) fn open_flow(&mut self, host: usize, flow: FlowId, how: Open) {
        self.flows.close(&mut self.network, host, flow);
        let owner = Owner::Flow(host, flow);
        let local = self.place_address(host, how.local());
        let transport = how.transport();
        let opened = match how {
            Open::Udp { .. } => self.network.bind(owner, local).map(Socket::Udp),
            Open::Listen { .. } => self.network.listen(owner, local).map(Socket::Listener),
            Open::Connect { remote, .. } => match self.network.dial(owner, local, remote) {
                Ok(id) => {
                    self.flows.insert(host, flow, Socket::Tcp(id, Side::Dialer));
                    return;
                }
                Err(why) => Err(why),
            },
        };
        let (socket, outcome) = match opened {
            Ok(socket @ (Socket::Udp(local) | Socket::Listener(local))) => {
                let is = Flow {
                    transport,
                    local,
                    remote: None,
                };
                (socket, Ok(is))
            }
            Ok(socket) => (socket, Err("not a bound socket".into())),
            Err(why) => (Socket::Failed, Err(why)),
        };
        let serial = self.flows.insert(host, flow, socket);
        let now = self.network.now.mono;
        let due = Due::Opened(host, flow, serial, outcome);
        self.network.put_at(now, due);
    }

    /// A host hears what came of opening a flow, unless it has closed it since.
    pub(super) fn flow_opened(
        &mut self,
        host: usize,
        flow: FlowId,
        serial: u64,
        how: Result<Flow, String>,
    ) {
        let current = self.flows.all.get(&(host, flow)).map(|(serial, _)| *serial);
        if current != Some(serial) {
            return;
        }
        match how {
            Ok(is) => self.tell(host, Input::Opened { flow, is }),
            Err(why) => self.flow_closed(host, flow, why),
        }
    }

    /// A host loses a flow.
    fn flow_closed(&mut self, host: usize, flow: FlowId, why: String) {
        self.flows.close(&mut self.network, host, flow);
        self.network
            .note(format_args!("host {host} loses {flow:?}: {why}"));
        self.tell(host, Input::Closed { flow, why });
    }

    pub(super) fn send(&mut self, host: usize, flow: FlowId, to: SocketAddr, bytes: Bytes) {
        match self.flows.socket(host, flow) {
            Some(Socket::Udp(from)) => self.network.send(Kind::Signalling, from, to, bytes),
            Some(Socket::Tcp(id, side)) => {
                if !self.network.queue(id, side, bytes) {
                    let serial = self.flows.insert(host, flow, Socket::Tcp(id, side));
                    let why = format!("{to} does not read");
                    let due = Due::Opened(host, flow, serial, Err(why));
                    self.network.put_at(self.network.now.mono, due);
                }
            }
            _ => self.network.note(format_args!(
                "host {host} sends on {flow:?}, which is not open"
            )),
        }
    }

    /// A datagram is here.
    pub(super) fn datagram(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        match self.network.bound(to) {
            Some(Owner::Flow(host, flow)) => {
                self.tell(host, Input::Received { flow, from, bytes });
            }
            Some(Owner::Stream(host, stream)) => {
                self.streams
                    .datagram(&mut self.network, host, stream, &bytes);
            }
            Some(Owner::Raw) => self.raw.datagram(to, from, bytes),
            Some(Owner::Backlog | Owner::Nobody) | None => {}
        }
    }

    /// A dialer knocks at a listener's door.
    pub(super) fn knock(&mut self, id: ConnectionId) {
        let Some(connection) = self.network.connections.find(id) else {
            return;
        };
        let door = connection.end(Side::Listener).address;
        let listener = self.network.listening(door);
        self.network.answer(id, listener.is_some());
        match listener {
            Some(Owner::Flow(host, _)) => self.accept(host, id),
            Some(Owner::Stream(host, stream)) => {
                self.streams.accept(&mut self.network, host, stream, id);
            }
            Some(Owner::Raw) => {
                self.take_up(id, Owner::Raw);
                self.raw.accept(door, id);
            }
            Some(Owner::Backlog | Owner::Nobody) | None => {}
        }
    }

    fn accept(&mut self, host: usize, id: ConnectionId) {
        let Some(Some(place)) = self.places.get_mut(host) else {
            return;
        };
        let flow = FlowId::accepted(place.accepted);
        place.accepted = place.accepted.wrapping_add(1);
        self.flows
            .insert(host, flow, Socket::Tcp(id, Side::Listener));
        let waited = self.take_up(id, Owner::Flow(host, flow));
        self.connected(host, flow, id, Side::Listener);
        for arrival in waited {
            self.deliver(id, Side::Listener, arrival);
        }
    }

    /// Gives the listener's end an owner, who reads; what has waited there.
    fn take_up(&mut self, id: ConnectionId, owner: Owner) -> Vec<Arrival> {
        let Some(connection) = self.network.connections.find(id) else {
            return Vec::new();
        };
        let end = connection.end_mut(Side::Listener);
        end.owner = owner;
        end.read_on(true)
    }

    fn connected(&mut self, host: usize, flow: FlowId, id: ConnectionId, side: Side) {
        let Some(connection) = self.network.connections.peek(id) else {
            return;
        };
        let is = Flow {
            transport: Transport::Tcp,
            local: connection.end(side).address,
            remote: Some(connection.end(side.other()).address),
        };
        self.tell(host, Input::Opened { flow, is });
    }

    /// A dialer is answered.
    pub(super) fn answered(&mut self, id: ConnectionId, connected: bool) {
        let Some(connection) = self.network.connections.find(id) else {
            return;
        };
        let owner = connection.end(Side::Dialer).owner;
        let remote = connection.end(Side::Listener).address;
        if !connected {
            self.network.connections.remove(id);
        }
        match owner {
            Owner::Flow(host, flow) if connected => self.connected(host, flow, id, Side::Dialer),
            Owner::Flow(host, flow) => {
                self.flow_closed(host, flow, format!("{remote} refused the connection"));
            }
            Owner::Stream(host, stream) => {
                self.streams
                    .answered(&mut self.network, host, stream, id, connected);
            }
            Owner::Raw => self.raw.answered(id, connected),
            Owner::Backlog | Owner::Nobody => {}
        }
    }

    /// Octets, or the end of them, are here.
    pub(super) fn arrive(&mut self, id: ConnectionId, side: Side, arrival: Arrival) {
        let Some(connection) = self.network.connections.find(id) else {
            return;
        };
        let arrived = connection.end_mut(side).arrive(arrival);
        if let Some(arrival) = arrived {
            self.deliver(id, side, arrival);
        }
        self.poke(id, side.other());
    }

    /// Hands what arrived to whoever owns the end.
    pub(super) fn deliver(&mut self, id: ConnectionId, side: Side, arrival: Arrival) {
        let Some(connection) = self.network.connections.find(id) else {
            return;
        };
        let from = connection.end(side.other()).address;
        match (connection.end(side).owner, arrival) {
            (Owner::Flow(host, flow), Arrival::Octets(bytes)) => {
                self.tell(host, Input::Received { flow, from, bytes });
            }
            (Owner::Flow(host, flow), Arrival::End) => {
                self.flow_closed(host, flow, "closed by the peer".into());
            }
            (Owner::Stream(host, stream), arrival) => {
                self.streams
                    .arrive(&mut self.network, host, stream, arrival);
            }
            (Owner::Raw, arrival) => self.raw.arrive(id, side, arrival),
            (Owner::Nobody | Owner::Backlog, _) => {}
        }
    }

    /// There is room in the pipe again: who writes at `side` goes on.
    pub(super) fn poke(&mut self, id: ConnectionId, side: Side) {
        let Some(connection) = self.network.connections.find(id) else {
            return;
        };
        match connection.end(side).owner {
            Owner::Stream(host, stream) => self.streams.frame(&mut self.network, host, stream),
            _ => self.network.flush(id, side),
        }
    }

    /// A host's own address in place of an unspecified one.
    fn place_address(&self, host: usize, address: SocketAddr) -> SocketAddr {
        let place = self.places.get(host).and_then(Option::as_ref);
        match place {
            Some(place) if address.ip().is_unspecified() => {
                SocketAddr::new(place.ip, address.port())
            }
            _ => address,
        }
    }
}

impl Open {
    /// The address to bind.
    const fn local(&self) -> SocketAddr {
        match self {
            Open::Udp { local } | Open::Connect { local, .. } | Open::Listen { local } => *local,
        }
    }
}
