//! A sending stream on its socket: writes what its [`Sender`] says is due, as far as the socket
//! takes it, and reads what comes back.

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::TcpStream;

use super::clock::Clock;
use super::{scratch, socket};
use crate::media::{Batch, Counts, Framing, Loss, Reeled, Sender, SenderConfig, SliceList, Steer};
use crate::time::Instant;

/// How many reads one look back makes at most.
const READS: usize = 16;

/// How many batches of datagrams a recording that is due may send in a tick, besides the first.
const BATCHES: usize = 32;

/// A socket on its way to a pump: connected, non-blocking, not yet registered there.
#[derive(Debug)]
pub enum Socket {
    /// A datagram per packet.
    Udp {
        /// Where RTP leaves.
        rtp: Arc<UdpSocket>,
        /// Where RTCP may come back, apart from the first socket.
        rtcp: Option<Arc<UdpSocket>>,
        /// Whether every datagram is a system call of its own.
        each_alone: bool,
    },
    /// RFC 4571 on a connection.
    Tcp(std::net::TcpStream),
}

/// What the streams of a pump share, so that a frame allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Tools {
    heads: Vec<u8>,
    slices: SliceList,
    /// How late the frames begun in the last call were.
    pub(super) lateness: Vec<Duration>,
}

#[derive(Debug)]
pub(super) struct Line {
    sender: Sender,
    wire: Wire,
    mid_frame: bool,
    returned: u64,
}

#[derive(Debug)]
enum Wire {
    Tcp(TcpStream),
    Udp(Datagrams),
}

/// A connected datagram socket and what the kernel does for it. The runtime does not watch it: its
/// buffer is emptied by our own side, and every datagram that leaves would be an event.
#[derive(Debug)]
struct Datagrams {
    socket: Arc<UdpSocket>,
    rtcp: Option<Arc<UdpSocket>>,
    offload: Offload,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Offload {
    /// Sends are cut into datagrams of this length; 0 before the first batch.
    Segments(usize),
    /// Not wanted, or refused by the kernel: a system call per datagram.
    None,
}

impl Line {
    /// A stream that begins at `now`. Call on the runtime that will send.
    pub(super) fn new(socket: Socket, config: Arc<SenderConfig>, now: Instant) -> io::Result<Line> {
        let (wire, framing) = match socket {
            Socket::Tcp(stream) => {
                socket::tune_media(&stream)?;
                (Wire::Tcp(TcpStream::from_std(stream)?), Framing::Stream)
            }
            Socket::Udp {
                rtp,
                rtcp,
                each_alone,
            } => {
                let datagrams = Datagrams {
                    socket: rtp,
                    rtcp,
                    offload: match each_alone {
                        true => Offload::None,
                        false => Offload::Segments(0),
                    },
                };
                (Wire::Udp(datagrams), Framing::Datagram)
            }
        };
        Ok(Line {
            sender: Sender::new(config, framing, now),
            wire,
            mid_frame: false,
            returned: 0,
        })
    }

    pub(super) fn key_frame(&mut self) {
        self.sender.key_frame();
    }

    pub(super) fn steer(&mut self, now: Instant, steer: Steer) {
        self.sender.steer(now, steer);
    }

    pub(super) fn news(&mut self) -> Option<Reeled> {
        self.sender.news()
    }

    /// When there is something to send; `None` when that depends on the peer.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.sender.next_due()
    }

    /// Whether a frame has begun to leave and is not yet wholly gone.
    pub(super) fn is_mid_frame(&self) -> bool {
        self.mid_frame
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            returned: self.returned,
            ..self.sender.counts()
        }
    }

    /// Sends what is due: all of it on a connection, one batch as datagrams. `finish` sends no
    /// further than the end of the frame that has begun.
    pub(super) fn send(
        &mut self,
        clock: Clock,
        tools: &mut Tools,
        finish: bool,
    ) -> Result<(), Loss> {
        let now = clock.mono();
        match self.sender.next_due() {
            Some(due) if due > now => return Ok(()),
            None if !self.wire.is_writable() => return Ok(()),
            _ => {}
        }
        match self.wire {
            Wire::Tcp(_) => self.send_octets(now, tools, finish),
            Wire::Udp(_) => {
                self.send_batch(now, tools);
                self.catch_up(now, tools, finish);
                Ok(())
            }
        }
    }

    fn send_batch(&mut self, now: Instant, tools: &mut Tools) {
        let Wire::Udp(datagrams) = &mut self.wire else {
            return;
        };
        let Some(batch) = self.sender.batch(now, &mut tools.heads) else {
            return;
        };
        let sent = datagrams.send(&batch, &mut tools.slices);
        let wrote = self.sender.wrote(now, sent.octets);
        tools.lateness.extend(wrote.lateness);
        if sent.octets > 0 {
            self.mid_frame = !wrote.finished;
        }
        if sent.blocked {
            self.sender.blocked();
        }
    }

    /// A recording played fast has several frames due in a tick.
    fn catch_up(&mut self, now: Instant, tools: &mut Tools, finish: bool) {
        if !self.sender.is_recorded() {
            return;
        }
        for _ in 0..BATCHES {
            let due = self.sender.next_due().is_some_and(|due| due <= now);
            if !due || finish && !self.mid_frame {
                return;
            }
            self.send_batch(now, tools);
        }
    }

    fn send_octets(&mut self, now: Instant, tools: &mut Tools, finish: bool) -> Result<(), Loss> {
        let Wire::Tcp(stream) = &self.wire else {
            return Ok(());
        };
        while !finish || self.mid_frame {
            let Some(batch) = self.sender.batch(now, &mut tools.heads) else {
                break;
            };
            let write = |slices: &[io::IoSlice<'_>]| stream.try_write_vectored(slices);
            let written = match tools.slices.with(batch.slices(), write) {
                Ok(written) => written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.sender.blocked();
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(loss(&error)),
            };
            let wrote = self.sender.wrote(now, written);
            tools.lateness.extend(wrote.lateness);
            self.mid_frame = !wrote.finished;
        }
        Ok(())
    }

    /// Reads what the peer has sent: the end of the connection, RTCP, garbage.
    pub(super) fn look_back(&mut self) -> Result<(), Loss> {
        match &self.wire {
            Wire::Tcp(stream) => self.returned += read_octets(stream)?,
            Wire::Udp(datagrams) => {
                let rtcp = datagrams.rtcp.as_deref();
                let sockets = [Some(&*datagrams.socket), rtcp];
                self.returned += sockets
                    .into_iter()
                    .flatten()
                    .map(read_datagrams)
                    .sum::<u64>();
            }
        }
        Ok(())
    }
}

/// How many octets have come in. Without any the runtime knows it, and the system is not asked.
fn read_octets(stream: &TcpStream) -> Result<u64, Loss> {
    let mut all = 0;
    for _ in 0..READS {
        match scratch::with(|buffer| stream.try_read(buffer)) {
            Ok(0) => return Err(Loss::Closed),
            Ok(octets) => all += octets as u64,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) => return Err(loss(&error)),
        }
    }
    Ok(all)
}

/// How many datagrams have come in. An ICMP answer is none: the platform is silent, which UDP
/// cannot tell from deaf.
fn read_datagrams(socket: &UdpSocket) -> u64 {
    let mut all = 0;
    for _ in 0..READS {
        match scratch::with(|buffer| socket.recv(buffer)) {
            Ok(_) => all += 1,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(_) => {}
        }
    }
    all
}

impl Wire {
    /// What the runtime knows, without asking the system.
    fn is_writable(&self) -> bool {
        match self {
            Wire::Tcp(stream) => stream.try_io(Interest::WRITABLE, || Ok(())).is_ok(),
            Wire::Udp(_) => true,
        }
    }
}

/// What became of a batch of datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Sent {
    /// Octets that have left, or are lost because the system refused their datagrams.
    octets: usize,
    blocked: bool,
}

impl Datagrams {
    fn send(&mut self, batch: &Batch<'_>, slices: &mut SliceList) -> Sent {
        if self.prepare(batch) {
            let write = |slices: &[io::IoSlice<'_>]| self.send_once(slices);
            match slices.with(batch.slices(), write) {
                Ok(()) => {
                    return Sent {
                        octets: batch.len(),
                        blocked: false,
                    };
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Sent {
                        octets: 0,
                        blocked: true,
                    };
                }
                Err(error) => self.refuse(&error),
            }
        }
        self.send_each(batch)
    }

    /// Whether the whole batch can leave in one call.
    fn prepare(&mut self, batch: &Batch<'_>) -> bool {
        let Offload::Segments(current) = self.offload else {
            return false;
        };
        let segment = batch.segment();
        let fits = match batch.count() {
            0 | 1 => current == 0 || batch.len() <= current,
            _ => segment == current,
        };
        if fits {
            return true;
        }
        match socket::segment(&self.socket, segment) {
            Ok(()) => self.offload = Offload::Segments(segment),
            Err(error) => self.refuse(&error),
        }
        self.offload == Offload::Segments(segment)
    }

    /// Goes on without offload if that is what `error` is about.
    fn refuse(&mut self, error: &io::Error) {
        if socket::refuses_segments(error) && self.offload != Offload::None {
            tracing::debug!(%error, "no segmentation offload on this socket");
            self.offload = Offload::None;
            // Where it was never set there is nothing to take back.
            let _ = socket::segment(&self.socket, 0);
        }
    }

    fn send_each(&self, batch: &Batch<'_>) -> Sent {
        let mut sent = Sent::default();
        for packet in batch.packets() {
            let octets: usize = packet.iter().map(|slice| slice.len()).sum();
            match self.send_once(&packet) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sent.blocked = true;
                    break;
                }
                Err(error) => tracing::debug!(%error, "a datagram was not sent"),
                Ok(()) => {}
            }
            sent.octets += octets;
        }
        sent
    }

    /// One call. An ICMP answer to an earlier datagram is reported instead of sending: then the
    /// second attempt sends.
    fn send_once(&self, slices: &[io::IoSlice<'_>]) -> io::Result<()> {
        let send = || socket::send_gathered(&self.socket, slices).map(|_| ());
        match send() {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => send(),
            done => done,
        }
    }
}

fn loss(error: &io::Error) -> Loss {
    match error.kind() {
        io::ErrorKind::BrokenPipe
        | io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted => Loss::Closed,
        _ => Loss::Failed(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Clip, ClipOptions, Cut, PsPolicy, RtpPolicy};
    use bytes::Bytes;

    /// The datagrams of a clip's first key frame, and whether the kernel cut them.
    async fn datagrams(each_alone: bool) -> (Vec<Vec<u8>>, bool) {
        let octets = Bytes::from_static(include_bytes!("../../media/street-1080p25.h264"));
        let clip = Clip::parse("clip", octets, ClipOptions::default()).unwrap();
        let cut = Cut::new(Arc::new(clip), &PsPolicy::default(), &RtpPolicy::default());
        let packets = cut.packets(0).len();
        let config = Arc::new(SenderConfig::new(Arc::new(cut), 1));

        let here = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let peer = tokio::net::UdpSocket::bind(here).await.unwrap();
        let socket = socket::udp(here, None).unwrap();
        socket.connect(peer.local_addr().unwrap()).unwrap();
        let clock = Clock::start();
        let socket = Socket::Udp {
            rtp: Arc::new(socket),
            rtcp: None,
            each_alone,
        };
        let mut line = Line::new(socket, config, clock.mono()).unwrap();
        let mut tools = Tools::default();
        let mut all = Vec::new();
        let mut buffer = vec![0; 65_536];
        while all.len() < packets {
            tokio::time::sleep(Duration::from_millis(1)).await;
            line.send(clock, &mut tools, true).unwrap();
            while let Ok(length) = peer.try_recv(&mut buffer) {
                all.push(buffer[..length].to_vec());
            }
        }
        assert_eq!(tools.lateness.len(), 1);
        assert!(!line.is_mid_frame());
        let cut = match &line.wire {
            Wire::Udp(datagrams) => matches!(datagrams.offload, Offload::Segments(1..)),
            Wire::Tcp(_) => false,
        };
        (all, cut)
    }

    #[tokio::test]
    async fn a_socket_without_offload_sends_the_same_datagrams() {
        let (together, cut) = datagrams(false).await;
        assert_eq!(cut, cfg!(target_os = "linux"));
        let (each, cut) = datagrams(true).await;
        assert!(!cut);
        assert!(together.len() > 10, "{} datagrams", together.len());
        assert!(together == each);
    }

    #[test]
    fn a_frame_of_one_datagram_after_a_longer_segment_size_is_not_cut() {
        let here = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let socket = UdpSocket::bind(here).unwrap();
        if socket::segment(&socket, 1412).is_ok() {
            let peer = UdpSocket::bind(here).unwrap();
            socket.connect(peer.local_addr().unwrap()).unwrap();
            socket::send_gathered(&socket, &[io::IoSlice::new(&[7; 300])]).unwrap();
            let mut buffer = [0; 2000];
            assert_eq!(peer.recv(&mut buffer).unwrap(), 300);
        }
    }
}
