//! What a stream holds from open to end, and the ways to a peer that come of it.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

use super::line::Socket;
use super::socket;
use crate::media::{Framing, MediaTransport};

/// What a stream holds from open to end.
#[derive(Debug)]
pub(super) enum Door {
    Udp {
        rtp: Arc<UdpSocket>,
        rtcp: Option<Arc<UdpSocket>>,
    },
    Active(IpAddr),
    Passive(TcpListener),
}

/// A way to the peer.
#[derive(Debug)]
pub(super) enum Way {
    Udp {
        rtp: Arc<UdpSocket>,
        rtcp: Option<Arc<UdpSocket>>,
    },
    Tcp(TcpStream),
}

impl Door {
    /// Opens it at `local`; UDP with an RTCP socket if `rtcp` asks for it.
    pub(super) fn open(
        transport: MediaTransport,
        local: IpAddr,
        rtcp: bool,
    ) -> io::Result<(Door, SocketAddr)> {
        match transport {
            MediaTransport::Udp => {
                let (rtp, rtcp) = match rtcp {
                    true => socket::rtp_pair(local)?,
                    false => (socket::rtp(local)?, None),
                };
                let address = rtp.local_addr()?;
                let (rtp, rtcp) = (Arc::new(rtp), rtcp.map(Arc::new));
                Ok((Door::Udp { rtp, rtcp }, address))
            }
            MediaTransport::TcpActive => Ok((Door::Active(local), SocketAddr::new(local, 0))),
            MediaTransport::TcpPassive => {
                let listener = socket::listener(SocketAddr::new(local, 0))?;
                let address = listener.local_addr()?;
                Ok((Door::Passive(TcpListener::from_std(listener)?), address))
            }
        }
    }

    /// Finds the peer: connects to it, or waits for it.
    pub(super) async fn way(&self, remote: SocketAddr, receives: bool) -> io::Result<Way> {
        match self {
            Door::Udp { rtp, rtcp } => {
                if receives {
                    socket::expect_much(rtp);
                } else {
                    rtp.connect(remote)?;
                }
                let (rtp, rtcp) = (rtp.clone(), rtcp.clone());
                Ok(Way::Udp { rtp, rtcp })
            }
            Door::Active(local) => {
                let local = SocketAddr::new(*local, 0);
                Ok(Way::Tcp(socket::connect(local, remote).await?))
            }
            Door::Passive(listener) => Ok(Way::Tcp(socket::accept(listener).await.0)),
        }
    }
}

impl Way {
    /// How packets travel on it.
    pub(super) fn framing(&self) -> Framing {
        match self {
            Way::Udp { .. } => Framing::Datagram,
            Way::Tcp(_) => Framing::Stream,
        }
    }

    /// The socket for a pump, which sends datagrams one by one if `each_alone`.
    pub(super) fn into_socket(self, each_alone: bool) -> io::Result<Socket> {
        Ok(match self {
            Way::Udp { rtp, rtcp } => Socket::Udp {
                rtp,
                rtcp,
                each_alone,
            },
            Way::Tcp(stream) => Socket::Tcp(stream.into_std()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::net::Ipv4Addr;
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use socket2::{Domain, Socket, Type};

    use super::*;

    /// A door where every accept fails until its socket listens.
    fn jammed() -> (Door, Socket, SocketAddr) {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(&any.into()).unwrap();
        let at = socket.local_addr().unwrap().as_socket().unwrap();
        let listener = socket.try_clone().unwrap().into();
        let door = Door::Passive(TcpListener::from_std(listener).unwrap());
        (door, socket, at)
    }

    #[tokio::test(start_paused = true)]
    async fn accepting_that_fails_is_tried_again_without_haste_until_it_works() {
        let (door, socket, at) = jammed();
        let mut way = pin!(door.way(at, false));
        let polls = AtomicU32::new(0);
        let counted = poll_fn(|cx| {
            polls.fetch_add(1, Ordering::Relaxed);
            way.as_mut().poll(cx).map(drop)
        });
        let ended = tokio::time::timeout(Duration::from_secs(1), counted).await;
        assert!(ended.is_err(), "the failure was handed on");
        let polls = polls.into_inner();
        assert!((5..50).contains(&polls), "{polls} attempts in a second");
        socket.listen(1).unwrap();
        let _peer = TcpStream::connect(at).await.unwrap();
        assert!(matches!(way.await, Ok(Way::Tcp(_))));
    }
}
