//! What happens to what travels from one address to another.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// One direction between two addresses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// How long everything takes at least.
    pub latency: Duration,
    /// How much longer it may take. Datagrams overtake each other; a TCP stream stays in order.
    pub jitter: Duration,
    /// The share of datagrams that is lost, 0.0 to 1.0. TCP loses nothing.
    pub loss: f64,
    /// The share of datagrams that arrives twice, 0.0 to 1.0.
    pub duplicate: f64,
    /// Octets a TCP stream holds between the writer and a reader that does not read.
    pub capacity: usize,
}

impl Default for Link {
    /// A quiet local network: a millisecond, nothing lost, 256 KB in a stream.
    fn default() -> Self {
        Link {
            latency: Duration::from_millis(1),
            jitter: Duration::ZERO,
            loss: 0.0,
            duplicate: 0.0,
            capacity: 256 * 1024,
        }
    }
}

impl Link {
    /// The default, losing this share of its datagrams.
    pub fn lossy(loss: f64) -> Self {
        Link {
            loss,
            ..Link::default()
        }
    }
}

/// All links, and the chance that rules them.
#[derive(Debug)]
pub(super) struct Links {
    default: Link,
    special: HashMap<(IpAddr, IpAddr), Link>,
    chance: StdRng,
}

impl Links {
    pub(super) fn new(seed: u64) -> Self {
        Links {
            default: Link::default(),
            special: HashMap::new(),
            chance: StdRng::seed_from_u64(seed),
        }
    }

    pub(super) fn set_default(&mut self, link: Link) {
        self.default = link;
    }

    pub(super) fn set(&mut self, from: IpAddr, to: IpAddr, link: Link) {
        self.special.insert((from, to), link);
    }

    pub(super) fn between(&self, from: IpAddr, to: IpAddr) -> Link {
        let special = self.special.get(&(from, to));
        special.copied().unwrap_or(self.default)
    }

    /// The delay of each copy of a datagram that arrives: none, one or two.
    pub(super) fn datagram(&mut self, from: IpAddr, to: IpAddr) -> [Option<Duration>; 2] {
        let link = self.between(from, to);
        if self.happens(link.loss) {
            return [None, None];
        }
        let first = self.delay(&link);
        let second = self.happens(link.duplicate).then(|| self.delay(&link));
        [Some(first), second]
    }

    /// The delay of a piece of a TCP stream.
    pub(super) fn octets(&mut self, from: IpAddr, to: IpAddr) -> Duration {
        let link = self.between(from, to);
        self.delay(&link)
    }

    fn happens(&mut self, share: f64) -> bool {
        share > 0.0 && self.chance.random::<f64>() < share
    }

    fn delay(&mut self, link: &Link) -> Duration {
        if link.jitter.is_zero() {
            return link.latency;
        }
        link.latency + link.jitter.mul_f64(self.chance.random::<f64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const A: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const B: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

    fn arrivals(links: &mut Links, from: IpAddr, to: IpAddr) -> usize {
        (0..10_000)
            .map(|_| links.datagram(from, to).iter().flatten().count())
            .sum()
    }

    #[test]
    fn a_link_loses_the_share_it_was_told_in_its_direction_only() {
        let mut links = Links::new(1);
        links.set(A, B, Link::lossy(0.2));
        let there = arrivals(&mut links, A, B);
        assert!((7_800..8_200).contains(&there), "{there} of 10000 arrived");
        assert_eq!(arrivals(&mut links, B, A), 10_000);
    }

    #[test]
    fn a_link_duplicates_the_share_it_was_told() {
        let mut links = Links::new(2);
        links.set_default(Link {
            duplicate: 0.1,
            ..Link::default()
        });
        let copies = arrivals(&mut links, A, B);
        assert!((10_800..11_200).contains(&copies), "{copies} copies");
    }

    #[test]
    fn jitter_adds_to_the_latency_and_never_takes_away() {
        let mut links = Links::new(3);
        let link = Link {
            jitter: Duration::from_millis(4),
            ..Link::default()
        };
        links.set_default(link);
        for _ in 0..1000 {
            let delay = links.octets(A, B);
            assert!(delay >= link.latency && delay <= link.latency + link.jitter);
        }
    }
}
