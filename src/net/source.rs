//! Where media comes from: a socket that is read into a [`Receiver`].

use std::io;

use tokio::io::Interest;
use tokio::net::{TcpStream, UdpSocket};

use super::clock::Clock;
use super::door::Way;
use super::{scratch, socket};
use crate::media::Framing;
use crate::media::receiver::Receiver;

/// How many datagrams are read before the task looks around.
const READS: usize = 64;

/// A socket that media comes from.
#[derive(Debug)]
pub(super) enum Source {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

/// What one reading brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    Octets(usize),
    End,
}

impl Source {
    pub(super) fn new(way: Way) -> io::Result<Source> {
        Ok(match way {
            Way::Udp { rtp, .. } => Source::Udp(UdpSocket::from_std(rtp.try_clone()?)?),
            Way::Tcp(stream) => Source::Tcp(stream),
        })
    }

    pub(super) fn framing(&self) -> Framing {
        match self {
            Source::Udp(_) => Framing::Datagram,
            Source::Tcp(_) => Framing::Stream,
        }
    }

    pub(super) async fn readable(&self) -> io::Result<()> {
        match self {
            Source::Udp(socket) => socket.readable().await,
            Source::Tcp(stream) => stream.readable().await,
        }
    }

    /// Hands what has arrived to `receiver`.
    pub(super) fn read(&self, clock: Clock, receiver: &mut Receiver) -> io::Result<Read> {
        let mut all = 0;
        for _ in 0..READS {
            let read = scratch::with(|buffer| match self {
                Source::Udp(socket) => read_datagram(socket, buffer, clock, receiver),
                Source::Tcp(stream) => read_octets(stream, buffer, clock, receiver),
            });
            match read {
                Ok(Read::Octets(octets)) => all += octets,
                Ok(Read::End) => return Ok(Read::End),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Read::Octets(all))
    }
}

fn read_datagram(
    socket: &UdpSocket,
    buffer: &mut [u8],
    clock: Clock,
    receiver: &mut Receiver,
) -> io::Result<Read> {
    let receive = || socket::receive(socket, buffer);
    let received = socket.try_io(Interest::READABLE, receive)?;
    let octets = received.octets;
    if let Some(dropped) = received.dropped {
        receiver.kernel_drops(dropped.into());
    }
    receiver.datagram(clock.mono(), buffer.get(..octets).unwrap_or_default());
    Ok(Read::Octets(octets))
}

fn read_octets(
    stream: &TcpStream,
    buffer: &mut [u8],
    clock: Clock,
    receiver: &mut Receiver,
) -> io::Result<Read> {
    let octets = stream.try_read(buffer)?;
    if octets == 0 {
        return Ok(Read::End);
    }
    receiver.octets(clock.mono(), buffer.get(..octets).unwrap_or_default());
    Ok(Read::Octets(octets))
}
