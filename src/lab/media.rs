//! The media plane in virtual time: real senders and receivers on the lab's network. A frame is
//! an entry of the agenda, at the moment it is due.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;

use super::network::{Due, Network};
use super::stream::{Role, Stream};
use super::tcp::{Arrival, ConnectionId, Owner, Side};
use crate::media::receiver::Receiver;
use crate::media::{Counts, Flowing, Loss, MediaTransport, Order, Reeled, Report, StreamId};
use crate::time::Instant;

/// How often a receiving stream says how it stands.
const PROGRESS: Duration = Duration::from_secs(1);

/// How soon a stream of datagrams is looked after again while a batch is due: the tick of a pump.
const TICK: Duration = Duration::from_millis(5);

/// When a recording that stands still sends its next frame.
const NEVER: Instant = Instant::from_nanos(u64::MAX);

/// All media streams of all hosts.
#[derive(Debug, Default)]
pub(super) struct Streams {
    all: BTreeMap<(usize, StreamId), Stream>,
    /// Header octets of the batch being sent.
    heads: Vec<u8>,
}

impl Streams {
    pub(super) fn order(&mut self, network: &mut Network, host: usize, ip: IpAddr, order: Order) {
        match order {
            Order::Open {
                stream,
                transport,
                local,
            } => {
                let local = if local.is_unspecified() { ip } else { local };
                self.open(network, host, stream, transport, local);
            }
            Order::Start {
                stream,
                remote,
                what,
            } => self.start(network, host, stream, remote, what),
            Order::Steer { stream, steer } => {
                let now = network.now.mono;
                if let Some(Role::Sending(sender)) = self.role(host, stream) {
                    sender.steer(now, steer);
                }
                self.frame(network, host, stream);
            }
            Order::KeyFrame(stream) => {
                if let Some(Role::Sending(sender)) = self.role(host, stream) {
                    sender.key_frame();
                }
            }
            Order::Stop(stream) => self.stop(network, host, stream),
        }
    }

    fn role(&mut self, host: usize, stream: StreamId) -> Option<&mut Role> {
        self.all.get_mut(&(host, stream)).map(|one| &mut one.role)
    }

    fn open(
        &mut self,
        network: &mut Network,
        host: usize,
        id: StreamId,
        transport: MediaTransport,
        ip: IpAddr,
    ) {
        let any = SocketAddr::new(ip, 0);
        let owner = Owner::Stream(host, id);
        let opened = match transport {
            MediaTransport::Udp => network.bind(owner, any),
            MediaTransport::TcpPassive => network.listen(owner, any),
            MediaTransport::TcpActive => Ok(any),
        };
        let local = match opened {
            Ok(local) => local,
            Err(why) => {
                let ended = ended(id, Counts::default(), None, Some(why));
                network.later(Duration::ZERO, Due::Report(host, ended));
                return;
            }
        };
        let stream = Stream::new(transport, local);
        self.all.insert((host, id), stream);
        let report = Report::Opened { stream: id, local };
        network.later(Duration::ZERO, Due::Report(host, report));
    }

    fn start(
        &mut self,
        network: &mut Network,
        host: usize,
        id: StreamId,
        remote: SocketAddr,
        what: Flowing,
    ) {
        let Some(stream) = self.all.get_mut(&(host, id)) else {
            return;
        };
        stream.hang_up(network);
        stream.settle_counts();
        stream.remote = Some(remote);
        stream.started = false;
        stream.set_role(what);
        match stream.transport {
            MediaTransport::Udp => stream.flow(network.now.mono),
            MediaTransport::TcpActive => {
                let owner = Owner::Stream(host, id);
                match network.dial(owner, stream.local, remote) {
                    Ok(connection) => stream.connection = Some((connection, Side::Dialer)),
                    Err(why) => {
                        let why = Loss::NotConnected(why);
                        let report = Report::Lost { stream: id, why };
                        network.later(Duration::ZERO, Due::Report(host, report));
                    }
                }
            }
            MediaTransport::TcpPassive => {
                if let Some(connection) = stream.backlog.pop_front() {
                    self.adopt(network, host, id, connection);
                }
            }
        }
        self.report_progress(network, host, id);
        self.frame(network, host, id);
    }

    /// Somebody has connected to a listening stream.
    pub(super) fn accept(
        &mut self,
        network: &mut Network,
        host: usize,
        id: StreamId,
        connection: ConnectionId,
    ) {
        let Some(stream) = self.all.get_mut(&(host, id)) else {
            return;
        };
        if stream.connection.is_some() || stream.is_idle() {
            stream.backlog.push_back(connection);
            return;
        }
        self.adopt(network, host, id, connection);
        self.frame(network, host, id);
    }

    fn adopt(&mut self, network: &mut Network, host: usize, id: StreamId, door: ConnectionId) {
        let Some(stream) = self.all.get_mut(&(host, id)) else {
            return;
        };
        let Some(connection) = network.connections.find(door) else {
            return;
        };
        let end = connection.end_mut(Side::Listener);
        end.owner = Owner::Stream(host, id);
        let waited = end.read_on(true);
        stream.connection = Some((door, Side::Listener));
        stream.flow(network.now.mono);
        for arrival in waited {
            self.arrive(network, host, id, arrival);
        }
    }

    /// An active stream is connected, or refused.
    pub(super) fn answered(
        &mut self,
        network: &mut Network,
        host: usize,
        id: StreamId,
        connection: ConnectionId,
        connected: bool,
    ) {
        let Some(stream) = self.all.get_mut(&(host, id)) else {
            return;
        };
        if stream.connection != Some((connection, Side::Dialer)) {
            return;
        }
        if connected {
            stream.flow(network.now.mono);
            self.frame(network, host, id);
        } else {
            stream.connection = None;
            let why = Loss::NotConnected("refused".into());
            self.lost(network, host, id, why);
        }
    }

    fn lost(&mut self, network: &mut Network, host: usize, id: StreamId, why: Loss) {
        let Some(stream) = self.all.get_mut(&(host, id)) else {
            return;
        };
        stream.hang_up(network);
        stream.settle_counts();
        if let Some((_, receiver)) = &mut stream.receiver {
            receiver.finish();
        }
        network.note(format_args!("host {host} {id:?} loses its peer: {why}"));
        let report = Report::Lost { stream: id, why };
        network.later(Duration::ZERO, Due::Report(host, report));
    }

    fn stop(&mut self, network: &mut Network, host: usize, id: StreamId) {
        let Some(mut stream) = self.all.remove(&(host, id)) else {
            return;
        };
        stream.hang_up(network);
        stream.settle_counts();
        match stream.transport {
            MediaTransport::Udp => network.unbind(stream.local),
            MediaTransport::TcpPassive => network.stop_listening(stream.local),
            MediaTransport::TcpActive => {}
        }
        for waiting in stream.backlog.drain(..) {
            network.let_go(waiting, Side::Listener);
        }
        let receiver = stream.receiver.map(|(_, mut receiver)| {
            receiver.finish();
            report_voice(network, host, id, &mut receiver);
            receiver
        });
        network.note(format_args!("host {host} {id:?} ends: {:?}", stream.counts));
        let ended = ended(id, stream.counts, receiver, None);
        network.later(Duration::ZERO, Due::Report(host, ended));
    }

    pub(super) fn cut_power(&mut self, network: &mut Network, host: usize) {
        let last = (host, StreamId(u64::MAX));
        let mut own = self.all.split_off(&(host, StreamId(0)));
        let mut others = own.split_off(&last);
        self.all.append(&mut others);
        for (_, stream) in own {
            match stream.transport {
                MediaTransport::Udp => network.unbind(stream.local),
                MediaTransport::TcpPassive => network.stop_listening(stream.local),
                MediaTransport::TcpActive => {}
            }
            if let Some((id, side)) = stream.connection
                && let Some(connection) = network.connections.find(id)
            {
                connection.fall_silent(side);
            }
        }
    }

    /// Sends what is due, and puts down when to go on.
    pub(super) fn frame(&mut self, network: &mut Network, host: usize, id: StreamId) {
        let Some(stream) = self.all.get_mut(&(host, id)) else {
            return;
        };
        let now = network.now.mono;
        if stream.alarm.is_some_and(|alarm| alarm <= now) {
            stream.alarm = None;
        }
        let sent = match stream.connection {
            Some((connection, side)) => {
                stream.send_octets(network, connection, side, &mut self.heads)
            }
            None => stream.send_datagrams(network, &mut self.heads),
        };
        if sent && !stream.started {
            stream.started = true;
            let started = Report::Started { stream: id };
            network.later(Duration::ZERO, Due::Report(host, started));
        }
        let Role::Sending(sender) = &mut stream.role else {
            return;
        };
        while let Some(news) = sender.news() {
            let report = reeled(id, news);
            network.later(Duration::ZERO, Due::Report(host, report));
        }
        if let Some(due) = sender.next_due()
            && due < NEVER
            && stream.alarm.is_none_or(|alarm| due < alarm)
        {
            let at = if due > now { due } else { now + TICK };
            stream.alarm = Some(at);
            network.put_at(at, Due::Frame(host, id));
        }
    }

    /// A datagram for a stream.
    pub(super) fn datagram(
        &mut self,
        network: &mut Network,
        host: usize,
        id: StreamId,
        octets: &[u8],
    ) {
        let Some(stream) = self.all.get_mut(&(host, id)) else {
            return;
        };
        let now = network.now.mono;
        match &mut stream.receiver {
            Some((_, receiver)) => receiver.datagram(now, octets),
            None => stream.counts.returned += 1,
        }
        self.first_in(network, host, id);
    }

    /// Octets for a stream, or the end of them.
    pub(super) fn arrive(
        &mut self,
        network: &mut Network,
        host: usize,
        id: StreamId,
        arrival: Arrival,
    ) {
        let Some(stream) = self.all.get_mut(&(host, id)) else {
            return;
        };
        let now = network.now.mono;
        match arrival {
            Arrival::End => return self.lost(network, host, id, Loss::Closed),
            Arrival::Octets(octets) => match &mut stream.receiver {
                Some((_, receiver)) => receiver.octets(now, &octets),
                None => stream.counts.returned += octets.len() as u64,
            },
        }
        self.first_in(network, host, id);
    }

    fn first_in(&mut self, network: &mut Network, host: usize, id: StreamId) {
        let Some(stream) = self.all.get_mut(&(host, id)) else {
            return;
        };
        if stream.receiver.is_some() && !stream.started {
            stream.started = true;
            let started = Report::Started { stream: id };
            network.later(Duration::ZERO, Due::Report(host, started));
        }
    }

    /// Says how a receiving stream stands, and will say so again.
    pub(super) fn progress(&mut self, network: &mut Network, host: usize, id: StreamId) {
        let Some(stream) = self.all.get_mut(&(host, id)) else {
            return;
        };
        stream.reporting = false;
        if let Some((_, receiver)) = &mut stream.receiver {
            let report = Report::Progress {
                stream: id,
                verdict: Box::new(receiver.verdict()),
            };
            network.later(Duration::ZERO, Due::Report(host, report));
            report_voice(network, host, id, receiver);
            self.report_progress(network, host, id);
        }
    }

    fn report_progress(&mut self, network: &mut Network, host: usize, id: StreamId) {
        let Some(stream) = self.all.get_mut(&(host, id)) else {
            return;
        };
        if stream.receiver.is_some() && !stream.reporting {
            stream.reporting = true;
            network.later(PROGRESS, Due::Progress(host, id));
        }
    }
}

fn reeled(stream: StreamId, news: Reeled) -> Report {
    match news {
        Reeled::Steered(at) => Report::Steered { stream, at },
        Reeled::Drained => Report::Drained { stream },
    }
}

fn report_voice(network: &mut Network, host: usize, stream: StreamId, receiver: &mut Receiver) {
    if let Some(samples) = receiver.take_voice() {
        let report = Report::Voice { stream, samples };
        network.later(Duration::ZERO, Due::Report(host, report));
    }
}

fn ended(
    stream: StreamId,
    counts: Counts,
    receiver: Option<Box<Receiver>>,
    error: Option<String>,
) -> Report {
    let (mut verdict, mut recording) = (None, Bytes::new());
    if let Some(mut receiver) = receiver {
        verdict = Some(Box::new(receiver.verdict()));
        recording = receiver.take_recording().into();
    }
    Report::Ended {
        stream,
        counts,
        verdict,
        recording,
        error,
    }
}
