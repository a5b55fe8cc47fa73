//! RTP headers out of a TCP stream (RFC 4571), their payload stepped over and never copied.

use crate::media::verdict::Fault;

use super::packet::{self, HEADER};

/// Octets of the RFC 4571 length.
const LENGTH: usize = 2;

/// What came out of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skimmed {
    /// A whole RTP packet.
    Packet {
        /// Its fixed header.
        header: [u8; HEADER],
        /// All its octets.
        length: usize,
    },
    /// A whole RTCP packet.
    Rtcp,
    /// Something is wrong.
    Fault(Fault),
}

/// Walks over packets in a stream that arrives in arbitrary segments. Where a packet cannot
/// begin, the framing is lost and nothing more comes out: getting back in step is left to a
/// receiver that judges.
#[derive(Clone, Debug, Default)]
pub(super) struct Skim {
    head: [u8; LENGTH + HEADER],
    have: u8,
    lost: bool,
    /// Payload octets still to come, once the header has been judged.
    rest: Option<u16>,
}

impl Skim {
    /// The next packet or fault; `None` when `octets` are used up.
    pub fn next(&mut self, octets: &mut &[u8]) -> Option<Skimmed> {
        if self.lost || !self.collect(octets, LENGTH) {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([self.head[0], self.head[1]]));
        if length == 0 {
            self.have = 0;
            return Some(Skimmed::Fault(Fault::EmptyFrame));
        }
        let header = length.min(HEADER);
        if !self.collect(octets, LENGTH + header) {
            return None;
        }
        let packet = self.head.get(LENGTH..LENGTH + header).unwrap_or_default();
        let is_rtcp = packet::is_rtcp(packet);
        if !is_rtcp && (header < HEADER || packet[0] >> 6 != 2) {
            self.lost = true;
            return Some(Skimmed::Fault(Fault::Desynchronised));
        }
        let rest = self.rest.map_or(length - header, usize::from);
        let here = rest.min(octets.len());
        *octets = octets.get(here..).unwrap_or_default();
        if here < rest {
            self.rest = u16::try_from(rest - here).ok();
            return None;
        }
        self.have = 0;
        self.rest = None;
        if is_rtcp {
            return Some(Skimmed::Rtcp);
        }
        let header = self.head.last_chunk().copied().unwrap_or_default();
        Some(Skimmed::Packet { header, length })
    }

    /// Whether the place of the next packet is unknown.
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// Fills the head up to `need` octets.
    fn collect(&mut self, octets: &mut &[u8], need: usize) -> bool {
        let have = usize::from(self.have);
        let take = need.saturating_sub(have).min(octets.len());
        let (first, rest) = octets.split_at(take);
        if let Some(room) = self.head.get_mut(have..have + take) {
            room.copy_from_slice(first);
        }
        *octets = rest;
        self.have += take as u8;
        have + take >= need
    }
}

/// What the first octets of a connection or datagram say about whose they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Too little to tell.
    More,
    /// The SSRC they name.
    Ssrc(u32),
    /// They are no RTP.
    None,
}

impl Sender {
    /// How many octets of a connection always suffice.
    pub const SUFFICE: usize = LENGTH + HEADER;

    /// Of a connection with RFC 4571 framing.
    pub fn of_connection(octets: &[u8]) -> Sender {
        let Some((length, packet)) = octets.split_first_chunk() else {
            return Sender::More;
        };
        let length = usize::from(u16::from_be_bytes(*length));
        match Sender::of_packet(packet) {
            Sender::None if packet.is_empty() => Sender::More,
            Sender::None if packet.len() < HEADER && packet[0] >> 6 == 2 && length >= 8 => {
                Sender::More
            }
            sender => sender,
        }
    }

    /// Of a datagram: RTP (RFC 3550 §5.1) or RTCP (§6.4).
    pub fn of_packet(octets: &[u8]) -> Sender {
        let at = match packet::is_rtcp(octets) {
            true => 4,
            false => 8,
        };
        let is_rtp = octets.first().is_some_and(|first| first >> 6 == 2);
        let ssrc = octets.get(at..).and_then(|octets| octets.first_chunk());
        match ssrc {
            Some(ssrc) if is_rtp => Sender::Ssrc(u32::from_be_bytes(*ssrc)),
            _ => Sender::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_octets_of_a_connection_tell_its_sender_as_soon_as_they_can() {
        let rtp = [0, 20, 0x80, 96, 0, 1, 0, 0, 0, 2, 0x0B, 0xEB, 0xC2, 0x01];
        for cut in 0..rtp.len() {
            assert_eq!(Sender::of_connection(&rtp[..cut]), Sender::More, "{cut}");
        }
        assert_eq!(Sender::of_connection(&rtp), Sender::Ssrc(200_000_001));
        let rtcp = [0, 8, 0x80, 201, 0, 1, 0, 0, 0, 9];
        assert_eq!(Sender::of_connection(&rtcp[..9]), Sender::More);
        assert_eq!(Sender::of_connection(&rtcp), Sender::Ssrc(9));
    }

    #[test]
    fn whoever_speaks_something_else_is_known_by_the_third_octet() {
        for other in [&b"GET"[..], b"$\0\x05", &[0, 0, 0], &[0, 4, 0x80, 96]] {
            assert_eq!(Sender::of_connection(other), Sender::None, "{other:?}");
        }
        assert_eq!(Sender::of_packet(b"no RTP at all"), Sender::None);
        assert_eq!(Sender::of_packet(&[0x80, 96, 0]), Sender::None);
    }
}
