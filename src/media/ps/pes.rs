//! PES packet headers (ISO/IEC 13818-1 §2.4.3.6).

/// Octets of a header without time stamps.
pub const PLAIN: usize = 9;

/// Where in a header the first time stamp stands.
pub const STAMPS_AT: usize = 9;

/// Octets of a time stamp.
pub const STAMP: usize = 5;

/// Which time stamps a header has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    /// None: the frame goes on.
    None,
    /// PTS.
    Pts,
    /// PTS and DTS.
    PtsAndDts,
}

/// A PES packet header, its time stamps to be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PesHeader {
    /// `stream_id`.
    pub stream: u8,
    /// `data_alignment_indicator`: the payload begins with an access unit.
    pub aligned: bool,
    /// Which time stamps.
    pub stamps: Stamps,
    /// Stuffing octets behind the time stamps.
    pub stuffing: u8,
}

impl PesHeader {
    /// Octets of the header.
    pub fn length(&self) -> usize {
        PLAIN + usize::from(self.data_length())
    }

    fn data_length(&self) -> u8 {
        let stamps = match self.stamps {
            Stamps::None => 0,
            Stamps::Pts => 5,
            Stamps::PtsAndDts => 10,
        };
        stamps + self.stuffing
    }

    /// Writes the header of a packet with `payload` octets, time stamps zero.
    pub fn write(&self, out: &mut Vec<u8>, payload: usize) {
        let length = payload + 3 + usize::from(self.data_length());
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        out.extend_from_slice(&[0, 0, 1, self.stream]);
        out.extend_from_slice(&length.to_be_bytes());
        let flags = match self.stamps {
            Stamps::None => 0,
            Stamps::Pts => 0x80,
            Stamps::PtsAndDts => 0xC0,
        };
        out.extend_from_slice(&[
            0x80 | u8::from(self.aligned) << 2,
            flags,
            self.data_length(),
        ]);
        match self.stamps {
            Stamps::None => {}
            Stamps::Pts => out.extend_from_slice(&pts_field(0)),
            Stamps::PtsAndDts => {
                out.extend_from_slice(&pts_before_dts_field(0));
                out.extend_from_slice(&dts_field(0));
            }
        }
        out.extend(std::iter::repeat_n(0xFF, usize::from(self.stuffing)));
    }
}

/// A PTS that no DTS follows: its lower 33 bits.
pub fn pts_field(pts: u64) -> [u8; STAMP] {
    stamp(0x2, pts)
}

/// A PTS that a DTS follows.
pub fn pts_before_dts_field(pts: u64) -> [u8; STAMP] {
    stamp(0x3, pts)
}

/// A DTS.
pub fn dts_field(dts: u64) -> [u8; STAMP] {
    stamp(0x1, dts)
}

/// Four bits of `prefix`, then 3, 15 and 15 bits of the time stamp, a marker bit behind each.
fn stamp(prefix: u64, time: u64) -> [u8; STAMP] {
    let high = time >> 30 & 0x7;
    let middle = time >> 15 & 0x7FFF;
    let low = time & 0x7FFF;
    let field = prefix << 36 | high << 33 | 1 << 32 | middle << 17 | 1 << 16 | low << 1 | 1;
    let [_, _, _, octets @ ..] = u64::to_be_bytes(field);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_time_stamps() {
        assert_eq!(pts_field(90_000), [0x21, 0x00, 0x05, 0xBF, 0x21]);
        assert_eq!(pts_before_dts_field(90_000), [0x31, 0x00, 0x05, 0xBF, 0x21]);
        assert_eq!(dts_field(90_000), [0x11, 0x00, 0x05, 0xBF, 0x21]);
    }

    #[test]
    fn time_stamps_wrap_at_33_bits() {
        assert_eq!(pts_field((1 << 33) + 5), pts_field(5));
        assert_eq!(pts_field((1 << 33) - 1), [0x2F, 0xFF, 0xFF, 0xFF, 0xFF]);
    }

    #[test]
    fn a_header_says_how_long_its_packet_is() {
        let mut header = PesHeader {
            stream: super::super::VIDEO,
            aligned: true,
            stamps: Stamps::PtsAndDts,
            stuffing: 1,
        };
        let mut out = Vec::new();
        header.write(&mut out, 100);
        assert_eq!(out[..9], [0, 0, 1, 0xE0, 0, 114, 0x84, 0xC0, 11]);
        assert_eq!((out.len(), header.length(), out[19]), (20, 20, 0xFF));
        (header.stamps, header.aligned, header.stuffing) = (Stamps::None, false, 0);
        out.clear();
        header.write(&mut out, 65_400);
        assert_eq!(out, [0, 0, 1, 0xE0, 0xFF, 0x7B, 0x80, 0, 0]);
    }
}
