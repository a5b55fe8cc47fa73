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

/// A second of a tone, 12 dB below the loudest, and a second of silence.
pub fn tone(hertz: f64) -> impl Iterator<Item = u8> {
    let turn = std::f64::consts::TAU * hertz / f64::from(RATE);
    let sample = move |n: u32| (f64::from(n) * turn).sin() * 8192.0;
    let tone = (0..RATE).map(move |n| encode(sample(n) as i16));
    tone.chain(std::iter::repeat_n(SILENCE, RATE as usize))
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
    fn a_tone_swings_as_often_as_it_says_and_then_there_is_silence() {
        let samples: Vec<u8> = tone(440.0).collect();
        assert_eq!(samples.len(), 16_000);
        let (tone, silence) = samples.split_at(8000);
        let linear: Vec<i16> = tone.iter().copied().map(decode).collect();
        let rises = linear.windows(2).filter(|two| two[0] < 0 && two[1] > 0);
        assert_eq!(rises.count(), 439, "the first begins at zero");
        let loudest = linear.iter().max().copied().unwrap();
        assert!((7_900..8_500).contains(&loudest), "{loudest}");
        assert!(silence.iter().all(|octet| *octet == SILENCE));
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
