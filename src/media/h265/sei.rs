//! Supplemental enhancement information: the recovery point (H.265 §D.2.8), nothing else.

use h264_reader::rbsp::{BitRead, BitReader, ByteReader};
use std::io::Read;

use super::super::h264::sei::payload;
use super::HEADER;

const RECOVERY_POINT: usize = 6;

/// `recovery_poc_cnt` of a SEI unit that holds a recovery point: how many pictures later the
/// picture is whole when decoding begins here.
pub fn recovery_point(unit: &[u8]) -> Option<u32> {
    let mut octets = Vec::with_capacity(unit.len());
    let mut rbsp = ByteReader::without_skip(unit.get(HEADER..)?);
    rbsp.read_to_end(&mut octets).ok()?;
    let payload = payload(&octets, RECOVERY_POINT)?;
    let count = BitReader::new(payload).read_se("recovery_poc_cnt").ok()?;
    Some(count.max(0).unsigned_abs())
}
