//! Making sockets and asking the system for its extras. Everything that only Linux can do is
//! here, with what other systems do instead.

use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener as Listener, TcpSocket, TcpStream};

/// What may wait unsent in the kernel per media connection: enough for a large key frame, little
/// enough that a frozen peer is noticed soon.
const NOTSENT_LOWAT: u32 = 256 * 1024;

/// Receive buffer asked for where much comes in; the kernel may grant less.
const LARGE_RECEIVE_BUFFER: usize = 4 * 1024 * 1024;

/// How long a connection attempt may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long nothing is accepted after a failure.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How often an odd or half-used port is given back for another.
const PORT_ATTEMPTS: usize = 32;

/// A bound, non-blocking UDP socket.
pub(super) fn udp(local: SocketAddr, receive_buffer: Option<usize>) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
    if let Some(octets) = receive_buffer {
        // A smaller buffer than asked for is no reason to fail.
        let _ = socket.set_recv_buffer_size(octets);
    }
    socket.set_nonblocking(true)?;
    socket.bind(&local.into())?;
    Ok(socket.into())
}

/// An RTP socket on an even port and, where the next port is free, the RTCP socket beside it
/// (RFC 3550 §11). If no even port can be had, any port will do.
pub(super) fn rtp_pair(local: IpAddr) -> io::Result<(UdpSocket, Option<UdpSocket>)> {
    let any = SocketAddr::new(local, 0);
    let mut odd = None;
    for _ in 0..PORT_ATTEMPTS {
        let rtp = udp(any, None)?;
        let port = rtp.local_addr()?.port();
        if port % 2 == 1 {
            // Held until the loop ends, so that the system does not offer it again.
            odd = Some(rtp);
            continue;
        }
        if let Ok(rtcp) = udp(SocketAddr::new(local, port + 1), None) {
            return Ok((rtp, Some(rtcp)));
        }
    }
    match odd {
        Some(rtp) => Ok((rtp, None)),
        None => Ok((udp(any, None)?, None)),
    }
}

/// An RTP socket on an even port; if none can be had, any port will do.
pub(super) fn rtp(local: IpAddr) -> io::Result<UdpSocket> {
    let any = SocketAddr::new(local, 0);
    let mut socket = udp(any, None)?;
    for _ in 0..PORT_ATTEMPTS {
        if socket.local_addr()?.port().is_multiple_of(2) {
            break;
        }
        // The new one is there before the old one goes, so that it is another.
        socket = udp(any, None)?;
    }
    Ok(socket)
}

/// A bound, listening, non-blocking TCP socket.
pub(super) fn listener(local: SocketAddr) -> io::Result<TcpListener> {
    // The kernel cuts it to what it allows. Thousands may connect at once.
    const BACKLOG: i32 = 4096;
    let socket = Socket::new(
        Domain::for_address(local),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // Elsewhere the option would let two listeners share a port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&local.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// The next who connects. A failure (no descriptors left) stays while its cause does: it is waited
/// out.
pub(super) async fn accept(listener: &Listener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Connects from `local` (port 0: any; unspecified address: any) to `remote`, within
/// [`CONNECT_TIMEOUT`].
pub(super) async fn connect(local: SocketAddr, remote: SocketAddr) -> io::Result<TcpStream> {
    let socket = if local.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    #[cfg(unix)]
    if local.port() != 0 {
        socket.set_reuseaddr(true)?;
    }
    if !local.ip().is_unspecified() || local.port() != 0 {
        socket.bind(local)?;
    }
    match tokio::time::timeout(CONNECT_TIMEOUT, socket.connect(remote)).await {
        Ok(connected) => connected,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("{remote} did not answer in {} s", CONNECT_TIMEOUT.as_secs()),
        )),
    }
}

/// What a media connection wants: frames leave at once, and what waits unsent in the kernel stays
/// bounded without touching the send buffer (which would end its autotuning).
pub(super) fn tune_media(stream: &std::net::TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    SockRef::from(stream).set_tcp_notsent_lowat(NOTSENT_LOWAT)?;
    #[cfg(not(target_os = "linux"))]
    let _ = NOTSENT_LOWAT;
    Ok(())
}

/// Sends one datagram. The system is asked and not the runtime, which takes a socket it has not
/// looked at yet for one that would block.
pub(super) fn send_to(
    socket: &tokio::net::UdpSocket,
    octets: &[u8],
    to: SocketAddr,
) -> io::Result<usize> {
    SockRef::from(socket).send_to(octets, &to.into())
}

/// Sends one datagram (or one segmented batch) gathered from `slices` on a connected socket.
pub(super) fn send_gathered(socket: &UdpSocket, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    SockRef::from(socket).send_vectored(slices)
}

/// Asks that every send on `socket` be cut into datagrams of `octets` (UDP_SEGMENT). It is a
/// property of the socket, so a send needs no control message and allocates nothing.
#[cfg(target_os = "linux")]
pub(super) fn segment(socket: &UdpSocket, octets: usize) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};
    let octets = i32::try_from(octets).map_err(io::Error::other)?;
    setsockopt(socket, UdpGsoSegment, &octets).map_err(io::Error::from)
}

/// Segmentation offload is Linux's.
#[cfg(not(target_os = "linux"))]
pub(super) fn segment(_: &UdpSocket, _: usize) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// Whether `error` says that the kernel or the device will not segment for us: EIO (no checksum
/// offload), EINVAL and EMSGSIZE (a segment above the path's MTU), or the option is unknown.
pub(super) fn refuses_segments(error: &io::Error) -> bool {
    const EIO: i32 = 5;
    const EINVAL: i32 = 22;
    const EMSGSIZE: i32 = 90;
    error.kind() == io::ErrorKind::Unsupported
        || (cfg!(target_os = "linux")
            && matches!(error.raw_os_error(), Some(EIO | EINVAL | EMSGSIZE)))
}

/// Makes `socket` ready for a lot to come in: a large buffer, and the number of datagrams that
/// the kernel drops because it is full.
pub(super) fn expect_much(socket: &UdpSocket) {
    // A smaller buffer than asked for is no reason to fail.
    let _ = SockRef::from(socket).set_recv_buffer_size(LARGE_RECEIVE_BUFFER);
    #[cfg(target_os = "linux")]
    {
        use nix::sys::socket::{setsockopt, sockopt::RxqOvfl};
        if let Err(error) = setsockopt(socket, RxqOvfl, &1) {
            tracing::debug!(%error, "kernel drops cannot be counted");
        }
    }
}

/// Lets the kernel hand over datagrams that came one after another from one sender together
/// (UDP_GRO). Without it each comes alone, which only costs more.
pub(super) fn take_groups(socket: &UdpSocket) {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::socket::{setsockopt, sockopt::UdpGroSegment};
        if let Err(error) = setsockopt(socket, UdpGroSegment, &true) {
            tracing::debug!(%error, "datagrams come one by one");
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = socket;
}

/// What one reception brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Received {
    /// Octets in the buffer.
    pub octets: usize,
    /// The length of each datagram in it; the last may be shorter.
    pub segment: usize,
    /// How many datagrams the kernel has dropped since the socket was made, where that is known.
    pub dropped: Option<u32>,
}

/// One datagram, or several of one sender after [`take_groups`], into `buffer`.
#[cfg(target_os = "linux")]
pub(super) fn receive(socket: &tokio::net::UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
    use std::io::IoSliceMut;
    use std::os::fd::AsRawFd;

    // Room for two control messages: a header and a number each, with padding.
    let mut control = [0u8; 64];
    let mut slices = [IoSliceMut::new(buffer)];
    let message = recvmsg::<()>(
        socket.as_raw_fd(),
        &mut slices,
        Some(&mut control),
        MsgFlags::empty(),
    )?;
    let mut received = Received {
        octets: message.bytes,
        segment: message.bytes,
        dropped: None,
    };
    for one in message.cmsgs().into_iter().flatten() {
        match one {
            ControlMessageOwned::RxqOvfl(drops) => received.dropped = Some(drops),
            ControlMessageOwned::UdpGroSegments(octets) => {
                received.segment = usize::try_from(octets).unwrap_or(message.bytes);
            }
            _ => {}
        }
    }
    Ok(received)
}

/// One datagram into `buffer`; elsewhere the kernel does not tell what it dropped.
#[cfg(not(target_os = "linux"))]
pub(super) fn receive(socket: &tokio::net::UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    use std::io::Read;
    let mut reader: &socket2::Socket = &SockRef::from(socket);
    let octets = reader.read(buffer)?;
    Ok(Received {
        octets,
        segment: octets,
        dropped: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn rtp_takes_an_even_port_and_rtcp_the_next() {
        let (rtp, rtcp) = rtp_pair(HERE).unwrap();
        let port = rtp.local_addr().unwrap().port();
        if let Some(rtcp) = rtcp {
            assert_eq!(port % 2, 0);
            assert_eq!(rtcp.local_addr().unwrap().port(), port + 1);
        }
    }

    #[test]
    fn a_busy_port_is_an_error_and_not_a_shared_one() {
        let first = listener(SocketAddr::new(HERE, 0)).unwrap();
        let error = listener(first.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
