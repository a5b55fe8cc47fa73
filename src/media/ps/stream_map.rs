//! Program stream map (ISO/IEC 13818-1 §2.5.4.1).

use super::ElementaryStream;
use super::crc::crc32;

/// The fields of a program stream map that makes vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamMap<'a> {
    /// `program_stream_map_version`, 0 to 31.
    pub version: u8,
    /// Seven reserved bits and the marker bit.
    pub marker: u8,
    /// The streams of the program.
    pub streams: &'a [ElementaryStream],
}

/// Octets of a map with so many streams.
pub const fn length(streams: usize) -> usize {
    16 + 4 * streams
}

impl StreamMap<'_> {
    /// Writes the map, in force from now on, without descriptors.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let map = u16::try_from(4 * self.streams.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&[0, 0, 1, 0xBC]);
        out.extend_from_slice(&map.saturating_add(10).to_be_bytes());
        out.extend_from_slice(&[0xE0 | (self.version & 0x1F), self.marker, 0, 0]);
        out.extend_from_slice(&map.to_be_bytes());
        for stream in self.streams {
            out.extend_from_slice(&[stream.kind, stream.id, 0, 0]);
        }
        let crc = crc32(out.get(start..).unwrap_or_default());
        out.extend_from_slice(&crc.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::super::golden::{AUDIO_G711A, VIDEO_H264, VIDEO_H265};
    use super::*;

    fn written(streams: &[ElementaryStream]) -> Vec<u8> {
        let mut out = Vec::new();
        let map = StreamMap {
            version: 0,
            marker: 0xFF,
            streams,
        };
        map.write(&mut out);
        out
    }

    #[test]
    fn golden_program_stream_maps() {
        assert_eq!(
            written(&[VIDEO_H264]),
            [
                0, 0, 1, 0xBC, 0, 0xE, 0xE0, 0xFF, 0, 0, 0, 4, 0x1B, 0xE0, 0, 0, 0xF4, 0xDC, 0xBD,
                0x45
            ]
        );
        assert_eq!(
            written(&[VIDEO_H264, AUDIO_G711A]),
            [
                0, 0, 1, 0xBC, 0, 0x12, 0xE0, 0xFF, 0, 0, 0, 8, 0x1B, 0xE0, 0, 0, 0x90, 0xC0, 0, 0,
                0xFE, 0xDF, 0xB1, 0xD7
            ]
        );
        let h265 = written(&[VIDEO_H265, AUDIO_G711A]);
        assert_eq!(
            h265[12..],
            [0x24, 0xE0, 0, 0, 0x90, 0xC0, 0, 0, 0x5E, 0x5F, 0x92, 0xC2]
        );
    }
}
