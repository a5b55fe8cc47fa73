//! Which of our own addresses fits, and whether it is free.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use crate::sip::Transport;

/// Our address as `remote` sees it, by asking the routing table; no packet is sent.
pub fn facing(remote: SocketAddr) -> IpAddr {
    let any = match remote {
        SocketAddr::V4(_) => "0.0.0.0:0",
        SocketAddr::V6(_) => "[::]:0",
    };
    let asked = UdpSocket::bind(any).and_then(|socket| {
        socket.connect(remote)?;
        socket.local_addr()
    });
    asked.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |local| local.ip())
}

/// Our address as the world sees it.
pub fn outward() -> IpAddr {
    // A documentation address (RFC 5737): it is routed as any foreign one.
    facing(SocketAddr::from(([192, 0, 2, 1], 5060)))
}

/// Whether an address can be bound.
pub fn check_free(transport: Transport, address: SocketAddr) -> io::Result<()> {
    match transport {
        Transport::Udp => UdpSocket::bind(address).map(drop),
        Transport::Tcp => TcpListener::bind(address).map(drop),
    }
}

/// `ip` with a port that was free for datagrams and connections alike a moment ago.
pub fn free_port(ip: IpAddr) -> io::Result<SocketAddr> {
    const ATTEMPTS: usize = 64;
    let mut refused = None;
    for _ in 0..ATTEMPTS {
        let udp = UdpSocket::bind((ip, 0))?;
        let address = udp.local_addr()?;
        match TcpListener::bind(address) {
            Ok(_) => return Ok(address),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
}
