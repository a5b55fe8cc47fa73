//! Both laws of G.711: a sample of 16 bits in one octet (ITU-T G.711; computed as in ITU-T G.191).

use super::AudioCodec;
use crate::media::g711;

/// How a sample becomes an octet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Law {
    /// A-law (table 1), with even bits inverted, as it is transmitted; what GB/T 28181 asks for.
    #[default]
    A,
    /// mu-law (table 2).
    Mu,
}

impl Law {
    /// The octet of a sample.
    pub fn compress(self, sample: i16) -> u8 {
        match self {
            Law::A => g711::encode(sample),
            Law::Mu => mu(sample),
        }
    }

    /// The octet of no sound.
    pub const fn silence(self) -> u8 {
        match self {
            Law::A => g711::SILENCE,
            Law::Mu => 0xFF,
        }
    }

    /// What it is called in a track.
    pub const fn codec(self) -> AudioCodec {
        match self {
            Law::A => AudioCodec::G711A,
            Law::Mu => AudioCodec::G711U,
        }
    }
}

fn mu(sample: i16) -> u8 {
    // Of negative numbers the one's complement is the magnitude.
    let (sign, magnitude) = match sample < 0 {
        true => (0, !sample as u16),
        false => (0x80, sample as u16),
    };
    // Thirteen bits, moved so that segments end at powers of two.
    let value = ((magnitude >> 2) + 33).min(0x1FFF);
    let shift = 11 - value.leading_zeros() as u16;
    let code = (shift - 1) << 4 | value >> shift & 0xF;
    sign | !(code as u8) & 0x7F
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What a decoder makes of an octet, in 16 bits: the middle of its interval (G.711, column 7).
    pub fn expand(law: Law, octet: u8) -> i32 {
        if law == Law::A {
            return g711::decode(octet).into();
        }
        let (segment, step) = (!octet >> 4 & 7, i32::from(!octet & 0xF));
        let value = (((2 * step + 33) << segment) - 33) << 2;
        if octet & 0x80 == 0 { -value } else { value }
    }

    /// Where segments begin in table 1a of G.711 (4096 is full), and the octet from there on.
    const A_SEGMENTS: [(i16, u8); 9] = [
        (0, 0b1000_0000),
        (32, 0b1001_0000),
        (64, 0b1010_0000),
        (128, 0b1011_0000),
        (256, 0b1100_0000),
        (512, 0b1101_0000),
        (1024, 0b1110_0000),
        (2048, 0b1111_0000),
        (3968, 0b1111_1111),
    ];

    /// Decision values of table 2a of G.711 (8159 is full), and the octet from there on.
    const MU_SEGMENTS: [(i16, u8); 9] = [
        (0, 0b1111_1111),
        (31, 0b1110_1111),
        (95, 0b1101_1111),
        (223, 0b1100_1111),
        (479, 0b1011_1111),
        (991, 0b1010_1111),
        (2015, 0b1001_1111),
        (4063, 0b1000_1111),
        (7903, 0b1000_0000),
    ];

    #[test]
    fn a_law_has_the_decision_values_of_table_1() {
        for (value, octet) in A_SEGMENTS {
            let octet = octet ^ 0x55;
            assert_eq!(Law::A.compress(value * 8), octet, "{value}");
            assert_eq!(Law::A.compress(-1 - value * 8), octet ^ 0x80, "-{value}");
            if value > 0 {
                assert_ne!(Law::A.compress(value * 8 - 1), octet, "below {value}");
            }
        }
        assert_eq!(Law::A.compress(i16::MAX), 0xAA);
        assert_eq!(Law::A.compress(i16::MIN), 0x2A);
    }

    #[test]
    fn mu_law_has_the_decision_values_of_table_2() {
        for (value, octet) in MU_SEGMENTS {
            assert_eq!(Law::Mu.compress(value * 4), octet, "{value}");
            assert_eq!(Law::Mu.compress(-1 - value * 4), octet ^ 0x80, "-{value}");
            if value > 0 {
                assert_ne!(Law::Mu.compress(value * 4 - 1), octet, "below {value}");
            }
        }
        assert_eq!(Law::Mu.compress(i16::MAX), 0x80);
        assert_eq!(Law::Mu.compress(i16::MIN), 0x00);
    }

    #[test]
    fn a_kilohertz_at_0_dbm0_is_the_sequence_of_tables_5_and_6() {
        // Full scale is 3.14 dBm0 of A-law, 3.17 of mu-law (G.711 §4); samples stand at odd
        // multiples of 22.5 degrees.
        let octets = |law: Law, full: f64, hundredths: u16| -> Vec<u8> {
            let peak = full / 10_f64.powf(f64::from(hundredths) / 2000.0);
            let angle = |n: u32| std::f64::consts::PI * f64::from(2 * n + 1) / 8.0;
            let sample = |n| (peak * angle(n).sin()) as i16;
            (0..8).map(|n| law.compress(sample(n))).collect()
        };
        assert_eq!(
            octets(Law::A, 4096.0 * 8.0, 314),
            [0xB4, 0xA1, 0xA1, 0xB4, 0x34, 0x21, 0x21, 0x34]
        );
        assert_eq!(
            octets(Law::Mu, 8159.0 * 4.0, 317),
            [0x9E, 0x8B, 0x8B, 0x9E, 0x1E, 0x0B, 0x0B, 0x1E]
        );
    }

    #[test]
    fn every_octet_survives_a_decoder_and_louder_samples_are_never_softer() {
        for law in [Law::A, Law::Mu] {
            for octet in 0..=u8::MAX {
                // Two octets of mu-law mean zero.
                let again = law.compress(expand(law, octet) as i16);
                let same = again == octet || (law == Law::Mu && octet == 0x7F && again == 0xFF);
                assert!(same, "{law:?} {octet:#04x} -> {again:#04x}");
            }
            let heard = |sample: i16| expand(law, law.compress(sample));
            for sample in i16::MIN..i16::MAX {
                assert!(heard(sample) <= heard(sample + 1), "{law:?} {sample}");
            }
        }
    }

    #[test]
    fn silence_is_what_zero_becomes() {
        for law in [Law::A, Law::Mu] {
            assert_eq!(law.compress(0), law.silence());
        }
    }
}
