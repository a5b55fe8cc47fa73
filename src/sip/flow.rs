//! Where SIP bytes travel: a bound datagram socket or one stream connection.

use std::fmt;
use std::net::SocketAddr;

/// One UDP socket or one TCP connection of a node.
///
/// A node numbers the flows it opens itself, from 0. A connection that somebody else opened to a
/// listening flow is numbered by the driver, with [`FlowId::accepted`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowId(pub u32);

impl FlowId {
    const ACCEPTED: u32 = 1 << 31;

    /// The `n`-th connection accepted for a node.
    pub const fn accepted(n: u32) -> Self {
        FlowId(Self::ACCEPTED | n)
    }

    /// Whether the other side opened this flow.
    pub const fn is_accepted(self) -> bool {
        self.0 & Self::ACCEPTED != 0
    }
}

/// The transport of a flow, as the Via header names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams; requests are retransmitted.
    Udp,
    /// A byte stream; messages are framed by Content-Length.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        })
    }
}

/// What a driver knows about an open flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// UDP or TCP.
    pub transport: Transport,
    /// Our address: what Via and Contact name.
    pub local: SocketAddr,
    /// The other end of a TCP connection; `None` on UDP.
    pub remote: Option<SocketAddr>,
}
