//! The CRC of MPEG-2 tables (ISO/IEC 13818-1 annex A).

/// CRC-32 with polynomial 0x04C11DB7, all ones first, nothing reflected or inverted.
pub fn crc32(octets: &[u8]) -> u32 {
    octets.iter().fold(u32::MAX, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet) << 24, |crc, _| {
            let carry = crc >> 31;
            (crc << 1) ^ (carry * 0x04C1_1DB7)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_crc_32_mpeg_2_comes_out() {
        assert_eq!(crc32(b"123456789"), 0x0376_E6E7);
        assert_eq!(crc32(&[]), u32::MAX);
    }
}
