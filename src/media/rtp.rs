//! RTP headers as cameras write them (RFC 3550 §5.1; GB/T 28181-2022 annex C).

use serde::Deserialize;

/// Octets of an RTP header without extension and contributing sources.
pub const HEADER: usize = 12;

/// How program-stream octets are put into RTP packets.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RtpPolicy {
    /// The most payload octets of one packet; 256 to 65,000, values outside are moved inside.
    /// SRS cannot resynchronise on packets above 1500.
    pub payload_max: u16,
    /// Payload type, below 128.
    pub payload_type: u8,
    /// Where the marker bit stands.
    pub marker: Marker,
}

impl Default for RtpPolicy {
    fn default() -> Self {
        RtpPolicy {
            payload_max: 1400,
            payload_type: 96,
            marker: Marker::LastOfFrame,
        }
    }
}

/// Which packets carry the marker bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Marker {
    /// The last of each frame's pack.
    LastOfFrame,
    /// None (seen with several makes: ZLMediaKit issues 2611, 2647).
    Never,
}

/// How RTP packets are told apart on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// A datagram each.
    Datagram,
    /// A two-octet length before each, on one stream (RFC 4571).
    Stream,
}

impl Framing {
    /// Octets before each RTP packet.
    pub const fn prefix(self) -> usize {
        match self {
            Framing::Datagram => 0,
            Framing::Stream => 2,
        }
    }
}

/// The fields of an RTP header that a camera varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Last packet of its frame.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// One more than the packet's before, modulo 65,536.
    pub sequence: u16,
    /// 90 kHz, the same for all packets of a frame.
    pub timestamp: u32,
    /// The stream's number, `y=` of the session description.
    pub ssrc: u32,
}

impl Header {
    /// The header's octets: version 2, no padding, no extension, no contributing sources.
    pub fn octets(&self) -> [u8; HEADER] {
        let mut octets = [0; HEADER];
        octets[0] = 0x80;
        octets[1] = u8::from(self.marker) << 7 | (self.payload_type & 0x7F);
        octets[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        octets[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        octets[8..].copy_from_slice(&self.ssrc.to_be_bytes());
        octets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_written_as_rfc_3550_draws_it() {
        let header = Header {
            marker: true,
            payload_type: 96,
            sequence: 0x1234,
            timestamp: 0xDEAD_BEEF,
            ssrc: 200_000_001,
        };
        assert_eq!(
            header.octets(),
            [
                0x80, 0xE0, 0x12, 0x34, 0xDE, 0xAD, 0xBE, 0xEF, 0x0B, 0xEB, 0xC2, 0x01
            ]
        );
    }

    #[test]
    fn the_policy_of_an_empty_table_is_the_standard() {
        assert_eq!(
            toml::from_str::<RtpPolicy>("").unwrap(),
            RtpPolicy::default()
        );
        let never: RtpPolicy = toml::from_str("marker = 'never'").unwrap();
        assert_eq!(never.marker, Marker::Never);
    }
}
