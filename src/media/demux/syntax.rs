//! The headers of a program stream, each read from its complete octets.

use crate::media::verdict::Fault;

/// `stream_id` and the start codes above it (ISO/IEC 13818-1 table 2-22).
pub mod stream {
    /// `MPEG_program_end_code`.
    pub const END: u8 = 0xB9;
    /// `pack_start_code`.
    pub const PACK: u8 = 0xBA;
    /// `system_header_start_code`.
    pub const SYSTEM_HEADER: u8 = 0xBB;
    /// `program_stream_map`.
    pub const MAP: u8 = 0xBC;

    /// Video streams of MPEG and ITU-T H.26x.
    pub fn is_video(id: u8) -> bool {
        id & 0xF0 == 0xE0
    }

    /// Audio streams of MPEG, and by GB/T 28181 of all codecs.
    pub fn is_audio(id: u8) -> bool {
        id & 0xE0 == 0xC0
    }

    /// Whether octets follow `PES_packet_length` directly, without a PES header (§2.4.3.6):
    /// padding, private stream 2, ECM, EMM, DSM-CC, H.222.1 type E, directory.
    pub fn is_bare(id: u8) -> bool {
        matches!(id, 0xBE | 0xBF | 0xF0 | 0xF1 | 0xF2 | 0xF8 | 0xFF)
    }
}

/// The pack header of §2.5.3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PackHeader {
    /// System clock reference: ticks of 27 MHz.
    pub scr: u64,
    /// `program_mux_rate`: units of 50 octets per second.
    pub mux_rate: u32,
    /// Stuffing octets behind the header.
    pub stuffing: u8,
}

impl PackHeader {
    /// Octets without stuffing, start code included.
    pub const FIXED: usize = 14;

    /// All octets of the header, once [`PackHeader::FIXED`] are there.
    pub fn whole(header: &[u8]) -> usize {
        Self::FIXED + usize::from(header.get(13).map_or(0, |octet| octet & 7))
    }

    /// Reads a header; `None` when it is not one of ISO/IEC 13818-1.
    pub fn read(header: &[u8]) -> Option<PackHeader> {
        let [0, 0, 1, stream::PACK, a, b, c, d, e, f, g, h, i, j, ..] = *header else {
            return None;
        };
        let clock = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        // 01 base[32..30] 1 base[29..15] 1 base[14..0] 1 extension 1
        const MARKERS: u64 = 0xC400_0400_0401;
        const MARKED: u64 = 0x4400_0400_0401;
        if clock & MARKERS != MARKED || i & 3 != 3 {
            return None;
        }
        let base = (clock >> 43 & 7) << 30 | (clock >> 27 & 0x7FFF) << 15 | (clock >> 11 & 0x7FFF);
        Some(PackHeader {
            scr: base * 300 + (clock >> 1 & 0x1FF),
            mux_rate: u32::from_be_bytes([0, g, h, i]) >> 2,
            stuffing: j & 7,
        })
    }

    /// Whether the stuffing is FF, as it has to be.
    pub fn is_stuffed_right(header: &[u8]) -> bool {
        header.iter().skip(Self::FIXED).all(|octet| *octet == 0xFF)
    }
}

/// Whether these are the octets of a system header (§2.5.3.5).
pub fn is_system_header(header: &[u8]) -> bool {
    let [
        0,
        0,
        1,
        stream::SYSTEM_HEADER,
        _,
        _,
        a,
        _,
        c,
        _,
        e,
        _,
        streams @ ..,
    ] = header
    else {
        return false;
    };
    let markers = a & 0x80 != 0 && c & 1 != 0 && e & 0x20 != 0;
    let (streams, rest) = streams.as_chunks::<3>();
    markers
        && rest.is_empty()
        && streams
            .iter()
            .all(|s| s[0] & 0x80 != 0 && s[1] & 0xC0 == 0xC0)
}

/// How many streams of a map are kept.
const STREAMS: usize = 32;

/// The program stream map of §2.5.4.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramMap {
    /// `program_stream_map_version`.
    pub version: u8,
    current: bool,
    crc_right: bool,
    streams: [(u8, u8); STREAMS],
    count: usize,
}

impl ProgramMap {
    /// Reads a map from its start code to its CRC; `None` when its lengths contradict each other.
    pub fn read(header: &[u8]) -> Option<ProgramMap> {
        let [0, 0, 1, stream::MAP, _, _, a, b, body @ ..] = header else {
            return None;
        };
        let (_, body) = counted(body)?;
        let (mut entries, crc) = counted(body)?;
        if crc.len() != 4 || b & 1 != 1 {
            return None;
        }
        let mut map = ProgramMap {
            version: a & 0x1F,
            current: a & 0x80 != 0,
            crc_right: crc32(header) == 0,
            ..ProgramMap::default()
        };
        while let [kind, id, rest @ ..] = entries {
            (_, entries) = counted(rest)?;
            if let Some(free) = map.streams.get_mut(map.count) {
                *free = (*id, *kind);
                map.count += 1;
            }
        }
        entries.is_empty().then_some(map)
    }

    /// `stream_id` and `stream_type` of each stream; 32 at most.
    pub fn streams(&self) -> impl Iterator<Item = (u8, u8)> {
        self.streams.iter().copied().take(self.count)
    }

    /// `stream_type` of a stream that is listed.
    pub fn stream_type(&self, id: u8) -> Option<u8> {
        self.streams()
            .find(|(listed, _)| *listed == id)
            .map(|(_, kind)| kind)
    }

    /// `stream_type` of the first video stream.
    pub fn video(&self) -> Option<u8> {
        let mut streams = self.streams();
        let found = streams.find(|(id, _)| stream::is_video(*id));
        found.map(|(_, kind)| kind)
    }

    /// `current_next_indicator`.
    pub fn is_current(&self) -> bool {
        self.current
    }

    /// Whether CRC_32 fits the octets.
    pub fn is_crc_right(&self) -> bool {
        self.crc_right
    }
}

/// Two octets of length and what they count, then the rest.
fn counted(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

/// The CRC of ISO/IEC 13818-1 annex B; 0 over octets that end in their right CRC.
fn crc32(octets: &[u8]) -> u32 {
    octets.iter().fold(u32::MAX, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet) << 24, |crc, _| {
            let next = crc << 1;
            if crc & 1 << 31 == 0 {
                next
            } else {
                next ^ 0x04C1_1DB7
            }
        })
    })
}

/// The PES header of §2.4.3.6, as far as a receiver needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PesHeader {
    /// `stream_id`.
    pub stream: u8,
    /// Presentation time, 90 kHz, 33 bits.
    pub pts: Option<u64>,
    /// Decoding time, 90 kHz, 33 bits; absent where it equals PTS.
    pub dts: Option<u64>,
}

impl PesHeader {
    /// Octets up to `PES_header_data_length` included.
    pub const FIXED: usize = 9;

    /// Reads a header with all its `PES_header_data_length` octets. With the fault when the
    /// header is one but its stamps are none; `Err` when it is no header of ISO/IEC 13818-1.
    pub fn read(header: &[u8]) -> Result<(PesHeader, Option<Fault>), Fault> {
        let [0, 0, 1, stream, _, _, marks, flags, _, fields @ ..] = header else {
            return Err(Fault::PesHeader);
        };
        if marks & 0xC0 != 0x80 {
            return Err(Fault::PesHeader);
        }
        let stamps = match flags >> 6 {
            0 => Some((None, None)),
            2 => stamp(fields, 2).map(|pts| (Some(pts), None)),
            3 => stamp(fields, 3)
                .zip(stamp(fields.get(5..).unwrap_or_default(), 1))
                .map(|(pts, dts)| (Some(pts), Some(dts))),
            _ => None,
        };
        let (pts, dts) = stamps.unwrap_or_default();
        let header = PesHeader {
            stream: *stream,
            pts,
            dts,
        };
        Ok((header, stamps.is_none().then_some(Fault::PesHeader)))
    }
}

/// A 33-bit time stamp behind the four bits `prefix`, with its marker bits.
fn stamp(octets: &[u8], prefix: u8) -> Option<u64> {
    let [a, b, c, d, e, ..] = *octets else {
        return None;
    };
    if a >> 4 != prefix || a & c & e & 1 == 0 {
        return None;
    }
    let high = u64::from(a >> 1 & 7) << 30;
    let middle = u64::from(u16::from_be_bytes([b, c]) >> 1) << 15;
    Some(high | middle | u64::from(u16::from_be_bytes([d, e]) >> 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn pack_headers_give_scr_and_mux_rate() {
        let pack = PackHeader::read(&hex("000001ba 44 00 16 fc 84 01 00 5f 6b f8")).unwrap();
        assert_eq!(
            pack,
            PackHeader {
                scr: 90_000 * 300,
                mux_rate: 6106,
                stuffing: 0
            }
        );
        let zero = hex("000001ba 44 00 04 00 04 01 00 5f 6b f8");
        assert_eq!(PackHeader::read(&zero).unwrap().scr, 0);
        // All 33 bits of the base and 9 of the extension set (299 would be the largest valid).
        let full = hex("000001ba 7f ff ff ff ff ff ff ff ff ff");
        let pack = PackHeader::read(&full).unwrap();
        assert_eq!(pack.scr, 0x1_FFFF_FFFF * 300 + 511);
        assert_eq!((pack.mux_rate, pack.stuffing), (0x3F_FFFF, 7));
        assert_eq!(PackHeader::whole(&full), 21);
    }

    #[test]
    fn each_wrong_marker_bit_of_a_pack_header_is_noticed() {
        let good = hex("000001ba 44 00 16 fc 84 01 00 5f 6b f8");
        for (octet, bit) in [
            (4, 7),
            (4, 6),
            (4, 2),
            (6, 2),
            (8, 2),
            (9, 0),
            (12, 1),
            (12, 0),
        ] {
            let mut bad = good.clone();
            bad[octet] ^= 1 << bit;
            assert_eq!(PackHeader::read(&bad), None, "octet {octet} bit {bit}");
        }
        assert_eq!(
            PackHeader::read(&hex("000001ba 21 00 01 00 01 80 00 01 00 00")),
            None,
            "MPEG-1"
        );
    }

    #[test]
    fn system_headers_are_checked_to_the_last_stream() {
        assert!(is_system_header(&hex(
            "000001bb 0009 80ccf5 00 e1 7f e0e190"
        )));
        assert!(is_system_header(&hex(
            "000001bb 000c 80ccf5 04 e1 7f e0e190 c0c020"
        )));
        assert!(!is_system_header(&hex(
            "000001bb 0009 00ccf5 00 e1 7f e0e190"
        )));
        assert!(!is_system_header(&hex(
            "000001bb 0009 80ccf5 00 e1 7f e02190"
        )));
        assert!(!is_system_header(&hex(
            "000001bb 0008 80ccf5 00 e1 7f e0e1"
        )));
    }

    #[test]
    fn a_map_lists_its_streams_and_its_crc_is_checked() {
        let octets = hex("000001bc 0012 e0ff 0000 0008 1be00000 90c00000 fedfb1d7");
        let map = ProgramMap::read(&octets).unwrap();
        assert!(map.is_current() && map.is_crc_right());
        assert_eq!(
            map.streams().collect::<Vec<_>>(),
            [(0xE0, 0x1B), (0xC0, 0x90)]
        );
        assert_eq!(map.stream_type(0xE0), Some(0x1B));
        let h265 = hex("000001bc 0012 e0ff 0000 0008 24e00000 90c00000 5e5f92c2");
        assert!(ProgramMap::read(&h265).unwrap().is_crc_right());
        let mut broken = octets;
        broken[12] ^= 1;
        assert!(!ProgramMap::read(&broken).unwrap().is_crc_right());
    }

    #[test]
    fn descriptors_of_a_map_are_skipped_and_wrong_lengths_refused() {
        let with_descriptors = hex("000001bc 0014 e1ff 0002 0500 0008 1be00004 2a020102 00000000");
        let map = ProgramMap::read(&with_descriptors).unwrap();
        assert_eq!(map.streams().collect::<Vec<_>>(), [(0xE0, 0x1B)]);
        assert_eq!(map.version, 1);
        assert_eq!(
            ProgramMap::read(&hex("000001bc 000e e0ff 0000 0008 1be00000 f4dcbd45")),
            None
        );
        assert_eq!(
            ProgramMap::read(&hex("000001bc 000e e0fe 0000 0004 1be00000 f4dcbd45")),
            None
        );
    }

    #[test]
    fn time_stamps_are_read_with_their_marker_bits() {
        let pes = |text: &str| PesHeader::read(&hex(text));
        let (header, fault) = pes("000001e0 0010 80 80 05 21 00 05 bf 21").unwrap();
        assert_eq!((header.pts, header.dts, fault), (Some(90_000), None, None));
        let (header, fault) = pes("000001e0 0010 80 c0 0a 31 00 05 bf 21 11 00 05 bf 21").unwrap();
        assert_eq!(
            (header.pts, header.dts, fault),
            (Some(90_000), Some(90_000), None)
        );
        let (header, _) = pes("000001e0 0010 80 80 05 2f ff ff ff ff").unwrap();
        assert_eq!(header.pts, Some(0x1_FFFF_FFFF));
        for wrong in [
            "000001e0 0010 80 80 05 31 00 05 bf 21",
            "000001e0 0010 80 80 05 20 00 05 bf 21",
            "000001e0 0010 80 80 05 21 00 04 bf 21",
            "000001e0 0010 80 80 04 21 00 05 bf",
            "000001e0 0010 80 40 05 21 00 05 bf 21",
        ] {
            let (header, fault) = pes(wrong).unwrap();
            assert_eq!(
                (header.pts, fault),
                (None, Some(Fault::PesHeader)),
                "{wrong}"
            );
        }
        assert_eq!(
            pes("000001e0 0010 0f 80 05 21 00 05 bf 21"),
            Err(Fault::PesHeader)
        );
    }
}
