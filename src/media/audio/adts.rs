//! AAC as a stream of ADTS frames (ISO/IEC 13818-7 §6.2, ISO/IEC 14496-3 §1.A.3.2).

use bytes::Bytes;

use super::Track;
use super::refusal::{AudioError, TO_AAC};

const KIND: &str = "ADTS stream";

/// `sampling_frequency` by its index, in Hz.
const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// Sample rates that GB/T 28181-2022 carries, in Hz (annex F).
const ALLOWED: std::ops::RangeInclusive<u32> = 8_000..=48_000;

/// The most octets of a frame, its header included.
pub const LARGEST: usize = 0x1FFF;

/// Octets of a header without a checksum.
pub const HEADER: usize = 7;

/// What stays the same in all headers of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// MPEG-2 rather than MPEG-4.
    pub mpeg2: bool,
    /// The audio object type less one: 1 is AAC-LC.
    pub profile: u8,
    /// `sampling_frequency_index`, below 13.
    pub rate: u8,
    /// `channel_configuration`, from 1 to 7.
    pub channels: u8,
}

impl Format {
    /// The index of a sample rate in Hz.
    pub fn rate_index(rate: u32) -> Option<u8> {
        RATES.iter().position(|own| *own == rate).map(|at| at as u8)
    }

    /// The sample rate of an index, in Hz.
    pub fn rate_of(index: u8) -> Option<u32> {
        RATES.get(usize::from(index)).copied()
    }

    /// Samples a second, in Hz.
    pub fn sample_rate(self) -> u32 {
        Format::rate_of(self.rate).unwrap_or(0)
    }

    /// Why a platform cannot be sent this, if it cannot.
    pub fn fault(self) -> Option<String> {
        if !ALLOWED.contains(&self.sample_rate()) {
            let rate = self.sample_rate();
            return Some(format!(
                "{rate} samples a second, 8000 to 48000 are wanted (GB/T 28181-2022)"
            ));
        }
        (self.channels == 0)
            .then(|| "channels as a program config element says, 1 or 2 are wanted".to_owned())
    }

    /// The header of an access unit of `octets` octets, without a checksum; `None` when it is too
    /// large for one.
    pub fn header(self, octets: usize) -> Option<[u8; HEADER]> {
        let length = octets.checked_add(HEADER).filter(|all| *all <= LARGEST)? as u32;
        let version = if self.mpeg2 { 0xF9 } else { 0xF1 };
        // A buffer fullness of all ones: a variable bit rate.
        let tail = length << 13 | 0x7FF << 2;
        let [_, high, middle, low] = (tail >> 8).to_be_bytes();
        Some([
            0xFF,
            version,
            self.profile << 6 | self.rate << 2 | self.channels >> 2,
            (self.channels & 3) << 6 | high,
            middle,
            low,
            tail as u8,
        ])
    }
}

/// The header of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// What all headers of a stream share.
    pub format: Format,
    /// Octets of the frame, this header included.
    pub length: usize,
    /// Raw data blocks in the frame, from 1 to 4.
    pub blocks: u8,
}

/// A place where no frame can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Fewer octets than a header has.
    Short,
    /// No sync word; what stands there instead.
    Sync([u8; 2]),
    /// A sample rate that does not exist.
    Rate(u8),
    /// A frame shorter than its header.
    Length(usize),
}

impl Header {
    /// The header at the beginning of `octets`.
    pub fn read(octets: &[u8]) -> Result<Header, Fault> {
        let Some(&[first, second, third, fourth, fifth, sixth, last]) = octets.first_chunk() else {
            return Err(Fault::Short);
        };
        if first != 0xFF || second & 0xF6 != 0xF0 {
            return Err(Fault::Sync([first, second]));
        }
        let rate = third >> 2 & 0xF;
        if usize::from(rate) >= RATES.len() {
            return Err(Fault::Rate(rate));
        }
        let high = usize::from(fourth & 3) << 11;
        let length = high | usize::from(fifth) << 3 | usize::from(sixth >> 5);
        let checksum = if second & 1 == 0 { 2 } else { 0 };
        if length <= HEADER + checksum {
            return Err(Fault::Length(length));
        }
        Ok(Header {
            format: Format {
                mpeg2: second & 8 != 0,
                profile: third >> 6,
                rate,
                channels: (third & 1) << 2 | fourth >> 6,
            },
            length,
            blocks: (last & 3) + 1,
        })
    }

    /// Samples of each channel in the frame.
    pub fn samples(self) -> u32 {
        1024 * u32::from(self.blocks)
    }
}

/// Whether a file begins like ADTS, a tag before it included: with two headers, or with all of
/// one frame.
pub fn is_one(bytes: &[u8]) -> bool {
    let stream = bytes.get(tag(bytes)..).unwrap_or_default();
    let Ok(header) = Header::read(stream) else {
        return false;
    };
    let next = stream.get(header.length..).unwrap_or_default();
    next.len() < HEADER || Header::read(next).is_ok()
}

/// The frames of a stream. Tags before and behind it are passed over, and so is a last frame that
/// was cut off.
pub fn open(name: &str, bytes: &Bytes) -> Result<Track, AudioError> {
    let begin = tag(bytes);
    let mut at = begin;
    let mut marks = vec![0];
    let mut first = None;
    while let Some(rest) = bytes.get(at..).filter(|rest| !is_end(rest)) {
        let header = Header::read(rest).map_err(|fault| refused(at, told(fault)))?;
        let leader = *first.get_or_insert(header);
        check(header, leader).map_err(|what| refused(at, what))?;
        if header.length > rest.len() {
            break;
        }
        at += header.length;
        marks.push(at - begin);
    }
    let first = first.ok_or(AudioError::Empty)?;
    Track::aac(name, first, bytes.slice(begin..at), marks)
}

/// Nothing more: what is left is no header, or a tag of ID3 version 1.
fn is_end(rest: &[u8]) -> bool {
    rest.len() < HEADER || (rest.len() == 128 && rest.starts_with(b"TAG"))
}

/// Where the stream begins: behind a tag of ID3 version 2 (its §3.1).
fn tag(bytes: &[u8]) -> usize {
    match bytes.first_chunk() {
        Some(&[b'I', b'D', b'3', _, _, flags, a, b, c, d]) => {
            let digits = [a, b, c, d].map(|octet| usize::from(octet & 0x7F));
            let size = digits.iter().fold(0, |sum, digit| sum << 7 | digit);
            let footer = if flags & 0x10 != 0 { 10 } else { 0 };
            (10 + size + footer).min(bytes.len())
        }
        _ => 0,
    }
}

/// What is wrong with a frame of a stream that began with `first`.
fn check(header: Header, first: Header) -> Result<(), String> {
    if let Some(fault) = header.format.fault() {
        return Err(fault);
    }
    if (header.format, header.blocks) != (first.format, first.blocks) {
        return Err(format!(
            "a frame of {}, after frames of {}",
            words(header),
            words(first)
        ));
    }
    Ok(())
}

fn words(header: Header) -> String {
    let format = header.format;
    format!(
        "profile {}, {} Hz, {} channels, {} samples",
        format.profile,
        format.sample_rate(),
        format.channels,
        header.samples()
    )
}

fn told(fault: Fault) -> String {
    match fault {
        Fault::Short => "the file ends in a header".to_owned(),
        Fault::Sync([first, second]) => {
            format!("a frame should begin with FF F1 or FF F9, here are {first:02X} {second:02X}")
        }
        Fault::Rate(index) => format!("the sample rate has the index {index}, 12 is the last"),
        Fault::Length(length) => {
            format!("the frame is {length} octets long, which is less than its header")
        }
    }
}

fn refused(at: usize, what: String) -> AudioError {
    AudioError::at(KIND, at, what, TO_AAC)
}

#[cfg(test)]
mod tests;
