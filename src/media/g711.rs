//! G.711 A-law: the voice of GB/T 28181 (annex C), 8,000 samples in a second, each an octet.

/// The static payload type (RFC 3551).
pub const PCMA: u8 = 8;
/// Samples in a second, each an octet; also the clock of RTP time stamps.
pub const RATE: u32 = 8_000;
/// Silence.
pub const SILENCE: u8 = 0xD5;

/// Every other bit is inverted on the line (ITU-T G.711).
const EVEN_BITS: u8 = 0x55;

/// The octet for a linear sample.
pub fn encode(sample: i16) -> u8 {
    let sign = if sample >= 0 { 0x80 } else { 0 };
    // Twelve bits and a sign; of negative numbers the one's complement is the magnitude.
    let magnitude = (if sample >= 0 { sample } else { !sample } as u16) >> 4;
    let segment = (16 - magnitude.leading_zeros()).saturating_sub(4);
    let step = match segment {
        0 => magnitude,
        segment => magnitude >> (segment - 1),
    };
    (sign | (segment as u8) << 4 | (step as u8 & 0x0F)) ^ EVEN_BITS
}

/// The linear sample in the middle of what an octet stands for.
pub fn decode(octet: u8) -> i16 {
    let octet = octet ^ EVEN_BITS;
    let step = i16::from(octet & 0x0F) << 4;
    let magnitude = match octet >> 4 & 7 {
        0 => step + 8,
        segment => (step + 0x108) << (segment - 1),
    };
    if octet & 0x80 != 0 {
        magnitude
    } else {
        -magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_values_of_the_standards_table() {
        // ITU-T G.711 tables 1a and 1b, whose values count in sixteenths of ours.
        assert_eq!((encode(0), decode(0xD5)), (SILENCE, 8));
        assert_eq!((encode(-1), decode(0x55)), (0x55, -8));
        assert_eq!((encode(i16::MAX), decode(0xAA)), (0xAA, 32_256));
        assert_eq!((encode(i16::MIN), decode(0x2A)), (0x2A, -32_256));
    }

    #[test]
    fn what_is_decoded_encodes_to_the_same_octet() {
        for octet in 0..=255 {
            assert_eq!(encode(decode(octet)), octet, "{octet:#04x}");
        }
    }

    #[test]
    fn a_sample_comes_back_within_half_a_step() {
        for sample in i16::MIN..=i16::MAX {
            let error = i32::from(decode(encode(sample))) - i32::from(sample);
            let step = (i32::from(sample).abs() >> 4).max(16);
            assert!(error.abs() <= step, "{sample}: {error}");
        }
    }
}
