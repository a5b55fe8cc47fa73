//! Pack header (ISO/IEC 13818-1 §2.5.3.3).

/// Where in the header the system clock reference stands.
pub const SCR_AT: usize = 4;

/// Writes a pack header: SCR in 90 kHz (its lower 33 bits), mux rate in units of 50 octets per
/// second (22 bits), 0 to 7 stuffing octets.
pub fn write(out: &mut Vec<u8>, scr: u64, mux_rate: u32, stuffing: u8) {
    let rate = (mux_rate << 2 | 3).to_be_bytes();
    let stuffing = stuffing & 7;
    out.extend_from_slice(&[0, 0, 1, 0xBA]);
    out.extend_from_slice(&scr_field(scr));
    out.extend_from_slice(&rate[1..]);
    out.push(0xF8 | stuffing);
    out.extend(std::iter::repeat_n(0xFF, usize::from(stuffing)));
}

/// The system clock reference with its marker bits, extension 0.
pub fn scr_field(scr: u64) -> [u8; 6] {
    let high = scr >> 30 & 0x7;
    let middle = scr >> 15 & 0x7FFF;
    let low = scr & 0x7FFF;
    // 01 high 1 middle 1 low 1 extension(9) 1
    let field = 1 << 46 | high << 43 | 1 << 42 | middle << 27 | 1 << 26 | low << 11 | 1 << 10 | 1;
    let [_, _, octets @ ..] = u64::to_be_bytes(field);
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(scr: u64, mux_rate: u32, stuffing: u8) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, scr, mux_rate, stuffing);
        out
    }

    #[test]
    fn golden_pack_headers() {
        assert_eq!(
            written(90_000, 6106, 0),
            [
                0, 0, 1, 0xBA, 0x44, 0x00, 0x16, 0xFC, 0x84, 0x01, 0x00, 0x5F, 0x6B, 0xF8
            ]
        );
        assert_eq!(
            written(0, 6106, 0),
            [
                0, 0, 1, 0xBA, 0x44, 0x00, 0x04, 0x00, 0x04, 0x01, 0x00, 0x5F, 0x6B, 0xF8
            ]
        );
    }

    #[test]
    fn stuffing_lengthens_the_header_by_as_many_octets_of_ones() {
        let header = written(0, 6106, 6);
        assert_eq!(header.len(), 20);
        assert_eq!(header[13..], [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
    }

    #[test]
    fn the_clock_reference_wraps_at_33_bits() {
        assert_eq!(written(1 << 33, 1, 0), written(0, 1, 0));
        assert_ne!(written((1 << 33) - 1, 1, 0), written(0, 1, 0));
    }
}
