//! What a stream holds from open to end, and the ways to a peer that come of it.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::line::Socket;
use super::{scratch, socket};
use crate::media::MediaTransport;

/// What a stream holds from open to end.
#[derive(Debug)]
pub(super) enum Door {
    Udp {
        rtp: std::net::UdpSocket,
        rtcp: Option<UdpSocket>,
    },
    Active(IpAddr),
    Passive(TcpListener),
}

/// A way to the peer.
#[derive(Debug)]
pub(super) enum Way {
    Udp(std::net::UdpSocket),
    Tcp(TcpStream),
}

impl Door {
    pub(super) fn open(transport: MediaTransport, local: IpAddr) -> io::Result<(Door, SocketAddr)> {
        match transport {
            MediaTransport::Udp => {
                let (rtp, rtcp) = socket::rtp_pair(local)?;
                let address = rtp.local_addr()?;
                let rtcp = rtcp.map(UdpSocket::from_std).transpose()?;
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
            Door::Udp { rtp, .. } => {
                let rtp = rtp.try_clone()?;
                if receives {
                    socket::expect_much(&rtp);
                } else {
                    rtp.connect(remote)?;
                }
                Ok(Way::Udp(rtp))
            }
            Door::Active(local) => {
                let local = SocketAddr::new(*local, 0);
                Ok(Way::Tcp(socket::connect(local, remote).await?))
            }
            Door::Passive(listener) => Ok(Way::Tcp(listener.accept().await?.0)),
        }
    }

    /// Waits for one datagram on the RTCP port, and forgets it.
    pub(super) async fn hear_rtcp(&self) {
        let Door::Udp {
            rtcp: Some(rtcp), ..
        } = self
        else {
            return std::future::pending().await;
        };
        loop {
            if rtcp.readable().await.is_err() {
                return std::future::pending().await;
            }
            if scratch::with(|buffer| rtcp.try_recv(buffer)).is_ok() {
                return;
            }
        }
    }
}

impl Way {
    /// The socket for a pump, which sends datagrams one by one if `each_alone`.
    pub(super) fn into_socket(self, each_alone: bool) -> io::Result<Socket> {
        Ok(match self {
            Way::Udp(socket) => Socket::Udp {
                rtp: Arc::new(socket),
                rtcp: None,
                each_alone,
            },
            Way::Tcp(stream) => Socket::Tcp(stream.into_std()?),
        })
    }
}
