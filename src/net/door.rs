//! What a stream holds from open to end, and the ways to a peer that come of it.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};

use super::line::Socket;
use super::socket;
use crate::media::MediaTransport;

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
    pub(super) fn open(transport: MediaTransport, local: IpAddr) -> io::Result<(Door, SocketAddr)> {
        match transport {
            MediaTransport::Udp => {
                let (rtp, rtcp) = socket::rtp_pair(local)?;
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
            Door::Passive(listener) => Ok(Way::Tcp(listener.accept().await?.0)),
        }
    }
}

impl Way {
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
