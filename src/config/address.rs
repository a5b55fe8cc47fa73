//! Where cameras are seen from: addresses and ports.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// What each camera has to itself of the addresses there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// Nothing: all that signal over UDP share one socket.
    SharedSocket {
        /// The address; `None`: the one that faces the platform.
        ip: Option<IpAddr>,
        /// The port; 0: any.
        port: u16,
    },
    /// A UDP port on a common address.
    OwnPort {
        /// The address; `None`: the one that faces the platform.
        ip: Option<IpAddr>,
        /// The ports; `None`: any that are free.
        ports: Option<PortRange>,
    },
    /// An IP address, as real cameras have.
    OwnIp {
        /// The addresses, which this machine must have.
        ips: IpRange,
        /// The UDP port, the same on each.
        port: u16,
    },
}

/// Where one camera signals from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The address; `None`: the one that faces the platform.
    pub ip: Option<IpAddr>,
    /// The UDP port; 0: any, and for TCP.
    pub port: u16,
}

impl Addresses {
    /// Where the camera signals from that is `number` of the fleet and `position` of those of
    /// this process that signal over UDP. A camera keeps its address whatever the shards; ports
    /// are counted in each process anew, for each has a machine of its own.
    pub(super) fn local(&self, number: usize, position: usize) -> Local {
        match *self {
            Addresses::SharedSocket { ip, port } => Local { ip, port },
            Addresses::OwnPort { ip, ports } => Local {
                ip,
                port: ports.and_then(|all| all.nth(position)).unwrap_or(0),
            },
            Addresses::OwnIp { ips, port } => Local {
                ip: ips.nth(number),
                port,
            },
        }
    }
}

/// UDP ports, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

impl PortRange {
    /// The first port.
    pub fn first(self) -> u16 {
        self.first
    }

    /// How many there are, at least one.
    pub fn count(self) -> usize {
        usize::from(self.last - self.first) + 1
    }

    /// Port `n`, from 0.
    pub fn nth(self, n: usize) -> Option<u16> {
        let port = usize::from(self.first).checked_add(n)?;
        let port = u16::try_from(port).ok()?;
        (port <= self.last).then_some(port)
    }
}

impl FromStr for PortRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let port = |text: &str| text.trim().parse().ok().filter(|port| *port != 0);
        let read = || {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let (first, last) = (port(first)?, port(last)?);
            (first <= last).then_some(PortRange { first, last })
        };
        read().ok_or_else(|| {
            format!(
                "{text:?} are no ports: write 5060 or \"20000-29999\", from 1 to 65535, the lower first"
            )
        })
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "{}", self.first),
            false => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

/// Neighbouring IP addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IpRange {
    first: IpAddr,
    last: IpAddr,
}

impl IpRange {
    /// The first address.
    pub fn first(self) -> IpAddr {
        self.first
    }

    /// The last address.
    pub fn last(self) -> IpAddr {
        self.last
    }

    /// How many there are, at least one.
    pub fn count(self) -> usize {
        let more = as_number(self.last) - as_number(self.first);
        usize::try_from(more).map_or(usize::MAX, |more| more.saturating_add(1))
    }

    /// Address `n`, from 0.
    pub fn nth(self, n: usize) -> Option<IpAddr> {
        (n < self.count()).then(|| like(self.first, as_number(self.first) + n as u128))
    }

    /// The address, when it is one.
    pub(super) fn single(self) -> Option<IpAddr> {
        (self.first == self.last).then_some(self.first)
    }
}

impl FromStr for IpRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = match (text.split_once('-'), text.split_once('/')) {
            (Some((first, last)), _) => between(first, last),
            (None, Some((ip, bits))) => network(ip, bits),
            (None, None) => between(text, text),
        };
        let range = range.ok_or_else(|| {
            format!(
                "{text:?} are no IP addresses: write \"192.0.2.10\", \"192.0.2.10-192.0.2.99\" or \"10.1.0.0/16\""
            )
        })?;
        let ip = range.first;
        if ip.is_unspecified() || ip.is_multicast() {
            return Err(format!(
                "{ip} is no address of one machine: leave the key out for the one that faces the platform"
            ));
        }
        Ok(range)
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.single() {
            Some(ip) => write!(f, "{ip}"),
            None => write!(f, "{}-{}", self.first, self.last),
        }
    }
}

fn between(first: &str, last: &str) -> Option<IpRange> {
    let first: IpAddr = first.trim().parse().ok()?;
    let last: IpAddr = last.trim().parse().ok()?;
    let ordered = first.is_ipv4() == last.is_ipv4() && first <= last;
    ordered.then_some(IpRange { first, last })
}

/// The hosts of a network; in IPv4 its first and last address are none.
fn network(ip: &str, bits: &str) -> Option<IpRange> {
    let ip: IpAddr = ip.trim().parse().ok()?;
    let bits: u32 = bits.trim().parse().ok()?;
    let width: u32 = if ip.is_ipv4() { 32 } else { 128 };
    let host = width.checked_sub(bits).filter(|_| bits > 0)?;
    let mask = (1u128 << host) - 1;
    let first = as_number(ip) & !mask;
    let spared = u128::from(ip.is_ipv4() && host >= 2);
    Some(IpRange {
        first: like(ip, first + spared),
        last: like(ip, (first | mask) - spared),
    })
}

fn as_number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip),
    }
}

/// The address of the same kind that `number` stands for.
fn like(kind: IpAddr, number: u128) -> IpAddr {
    match kind {
        IpAddr::V4(_) => Ipv4Addr::from(number as u32).into(),
        IpAddr::V6(_) => Ipv6Addr::from(number).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_one_or_a_range() {
        let ports: PortRange = "20000-20001".parse().unwrap();
        assert_eq!((ports.count(), ports.nth(1)), (2, Some(20_001)));
        assert_eq!(ports.nth(2), None);
        assert_eq!("5060".parse::<PortRange>().unwrap().count(), 1);
        for wrong in ["", "0", "70000", "9-8", "a-b", "1-"] {
            assert!(wrong.parse::<PortRange>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_one_a_range_or_the_hosts_of_a_network() {
        let count = |text: &str| text.parse::<IpRange>().unwrap().count();
        assert_eq!(count("127.0.0.1"), 1);
        assert_eq!(count("127.0.0.250-127.0.1.5"), 12);
        assert_eq!(count("10.1.0.0/16"), 65_534);
        assert_eq!(count("10.1.2.3/32"), 1);
        assert_eq!(count("2001:db8::/64"), usize::MAX);
        let hosts: IpRange = "10.1.0.0/30".parse().unwrap();
        assert_eq!(hosts.to_string(), "10.1.0.1-10.1.0.2");
        assert_eq!(hosts.nth(2), None);
        let range: IpRange = "127.0.0.255-127.0.1.0".parse().unwrap();
        assert_eq!(range.nth(1), Some(IpAddr::from([127, 0, 1, 0])));
        for wrong in [
            "localhost",
            "10.0.0.2-10.0.0.1",
            "10.0.0.0/0",
            "10.0.0.0/33",
            "1.2.3.4-::1",
        ] {
            let error = wrong.parse::<IpRange>().unwrap_err();
            assert!(error.contains("no IP addresses"), "{wrong}: {error}");
        }
        let error = "0.0.0.0".parse::<IpRange>().unwrap_err();
        assert!(error.contains("leave the key out"), "{error}");
    }
}
