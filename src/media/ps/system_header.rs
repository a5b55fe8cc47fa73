//! System header (ISO/IEC 13818-1 §2.5.3.5).

use super::{ElementaryStream, buffer_field};

/// The fields of a system header that makes vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemHeader<'a> {
    /// `rate_bound`, in units of 50 octets per second.
    pub rate_bound: u32,
    /// `audio_bound`, 0 to 32.
    pub audio_bound: u8,
    /// `fixed_flag`.
    pub fixed: bool,
    /// The streams whose buffers are stated; one video stream is promised.
    pub streams: &'a [ElementaryStream],
}

/// Octets of a header with so many streams.
pub const fn length(streams: usize) -> usize {
    12 + 3 * streams
}

impl SystemHeader<'_> {
    /// Writes the header. Audio and video are locked to the system clock.
    pub fn write(&self, out: &mut Vec<u8>) {
        let length = u16::try_from(6 + 3 * self.streams.len()).unwrap_or(u16::MAX);
        let rate = (1 << 23 | (self.rate_bound & 0x3F_FFFF) << 1 | 1).to_be_bytes();
        out.extend_from_slice(&[0, 0, 1, 0xBB]);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(&rate[1..]);
        out.push(self.audio_bound << 2 | u8::from(self.fixed) << 1);
        out.extend_from_slice(&[0xE1, 0x7F]);
        for stream in self.streams {
            out.push(stream.id);
            out.extend_from_slice(&buffer_field(stream.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{AUDIO_G711A, VIDEO_H264};
    use super::*;

    fn written(audio_bound: u8, streams: &[ElementaryStream]) -> Vec<u8> {
        let header = SystemHeader {
            rate_bound: 26_234,
            audio_bound,
            fixed: false,
            streams,
        };
        let mut out = Vec::new();
        header.write(&mut out);
        out
    }

    #[test]
    fn golden_system_headers() {
        assert_eq!(
            written(0, &[VIDEO_H264]),
            [
                0, 0, 1, 0xBB, 0, 9, 0x80, 0xCC, 0xF5, 0x00, 0xE1, 0x7F, 0xE0, 0xE1, 0x90
            ]
        );
        assert_eq!(
            written(1, &[VIDEO_H264, AUDIO_G711A]),
            [
                0, 0, 1, 0xBB, 0, 0xC, 0x80, 0xCC, 0xF5, 0x04, 0xE1, 0x7F, 0xE0, 0xE1, 0x90, 0xC0,
                0xC0, 0x20
            ]
        );
    }
}
