//! Supplemental enhancement information: the recovery point (H.264 §D.1.8), nothing else.

use h264_reader::nal::{Nal, RefNal};
use h264_reader::rbsp::{BitRead, BitReader};

use super::{kind, kind_of};

const RECOVERY_POINT: usize = 6;

/// `recovery_frame_cnt` of a SEI unit that holds a recovery point: how many frames later the
/// picture is whole when decoding begins here.
pub fn recovery_point(unit: &[u8]) -> Option<u32> {
    if kind_of(unit) != kind::SEI {
        return None;
    }
    let mut octets = Vec::with_capacity(unit.len());
    let mut rbsp = RefNal::new(unit, &[], true).rbsp_bytes();
    std::io::Read::read_to_end(&mut rbsp, &mut octets).ok()?;
    let payload = payload(&octets, RECOVERY_POINT)?;
    BitReader::new(payload).read_ue("recovery_frame_cnt").ok()
}

/// The payload of the first message of a kind, in SEI without its header and without the octets
/// that prevent start codes; H.265 writes messages alike.
pub fn payload(mut rest: &[u8], wanted: usize) -> Option<&[u8]> {
    loop {
        let message = variable(&mut rest)?;
        let length = variable(&mut rest)?;
        let (payload, behind) = rest.split_at_checked(length)?;
        if message == wanted {
            return Some(payload);
        }
        rest = behind;
    }
}

/// A number written as a sum of octets, all but the last 255.
fn variable(rest: &mut &[u8]) -> Option<usize> {
    let mut sum = 0;
    loop {
        let (octet, behind) = rest.split_first()?;
        *rest = behind;
        sum += usize::from(*octet);
        if *octet != 0xFF {
            return Some(sum);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_point_behind_another_message_is_found() {
        // user data of 2 octets, then recovery_frame_cnt 0, exact match, no broken link.
        let unit = [0x06, 5, 2, 0xAA, 0xBB, 6, 1, 0b1100_0100, 0x80];
        assert_eq!(recovery_point(&unit), Some(0));
        // recovery_frame_cnt 4 is 00101.
        assert_eq!(recovery_point(&[0x06, 6, 1, 0b0010_1100, 0x80]), Some(4));
    }

    #[test]
    fn a_damaged_or_other_unit_has_none() {
        assert_eq!(recovery_point(&[0x06, 5, 200, 1]), None);
        assert_eq!(recovery_point(&[0x06, 0xFF, 0xFF]), None);
        assert_eq!(recovery_point(&[0x67, 6, 1, 0xC4]), None);
        assert_eq!(recovery_point(&[]), None);
    }
}
