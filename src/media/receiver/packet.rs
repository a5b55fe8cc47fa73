//! RTP packets as they come in (RFC 3550 §5.1).

/// An RTP packet's fields and payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'a> {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    pub payload: &'a [u8],
}

/// Octets of the fixed header.
pub(super) const HEADER: usize = 12;

impl Packet<'_> {
    /// Reads a packet; `None` when it is not version 2 or shorter than it says.
    pub fn read(octets: &[u8]) -> Option<Packet<'_>> {
        let (header, rest) = octets.split_first_chunk::<HEADER>()?;
        let [first, second, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = *header;
        if first >> 6 != 2 {
            return None;
        }
        let sources = usize::from(first & 0x0F) * 4;
        let mut payload = rest.get(sources..)?;
        if first & 0x10 != 0 {
            let (extension, rest) = payload.split_first_chunk::<4>()?;
            let words = u16::from_be_bytes([extension[2], extension[3]]);
            payload = rest.get(usize::from(words) * 4..)?;
        }
        if first & 0x20 != 0 {
            let padding = usize::from(*payload.last()?);
            let kept = payload.len().checked_sub(padding).filter(|_| padding > 0)?;
            payload = payload.get(..kept)?;
        }
        Some(Packet {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7F,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
            payload,
        })
    }
}

/// Whether the octets are RTCP: packet types 192 to 223 cannot be RTP here (RFC 5761 §4).
pub(super) fn is_rtcp(octets: &[u8]) -> bool {
    matches!(octets, [first, 192..=223, ..] if first >> 6 == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contributing_sources_extension_and_padding_are_stepped_over() {
        let mut octets = vec![0xB1, 0xE0, 0x12, 0x34, 0, 0, 0, 9, 0x0B, 0xEB, 0xC2, 0x01];
        octets.extend([1, 2, 3, 4]); // one contributing source
        octets.extend([0xBE, 0xDE, 0, 1, 5, 6, 7, 8]); // extension of one word
        octets.extend([0xAA, 0xBB, 0, 0, 3]); // payload of two, padding of three
        let packet = Packet::read(&octets).unwrap();
        assert_eq!(packet.payload, [0xAA, 0xBB]);
        assert_eq!((packet.marker, packet.payload_type), (true, 96));
        assert_eq!(
            (packet.sequence, packet.timestamp, packet.ssrc),
            (0x1234, 9, 200_000_001)
        );
        for cut in 0..octets.len() - 5 {
            assert_eq!(Packet::read(&octets[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn padding_longer_than_the_payload_and_other_versions_are_refused() {
        let mut octets = [0x80; 14];
        octets[0] = 0xA0;
        for (padding, read) in [(0, false), (2, true), (3, false)] {
            octets[13] = padding;
            assert_eq!(Packet::read(&octets).is_some(), read, "padding {padding}");
        }
        octets[0] = 0x40;
        assert_eq!(Packet::read(&octets), None);
    }

    #[test]
    fn rtcp_is_told_from_rtp_with_a_marker() {
        assert!(is_rtcp(&[0x81, 201, 0, 7]));
        assert!(!is_rtcp(&[0x80, 0xE0, 0, 7]));
    }
}
