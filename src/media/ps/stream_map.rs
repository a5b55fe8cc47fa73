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

/// Makes a written map a later one: its version counts `changes` on (modulo 32), by which a
/// receiver knows that the program is another than before.
pub fn revise(map: &mut [u8], changes: u8) {
    const VERSION_AT: usize = 6;
    const VERSION: u8 = 0x1F;
    if let Some(octet) = map.get_mut(VERSION_AT) {
        let version = (*octet & VERSION).wrapping_add(changes) & VERSION;
        *octet = *octet & !VERSION | version;
    }
    if let Some((body, crc)) = map.split_last_chunk_mut::<4>() {
        *crc = crc32(body).to_be_bytes();
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
    fn a_revised_map_is_one_that_was_written_with_a_later_version() {
        let at_version = |version| {
            let mut out = Vec::new();
            let map = StreamMap {
                version,
                marker: 1,
                streams: &[VIDEO_H264, AUDIO_G711A],
            };
            map.write(&mut out);
            out
        };
        for (before, changes, after) in [(0, 1, 1), (30, 3, 1), (5, 0, 5), (5, 255, 4)] {
            let mut map = at_version(before);
            revise(&mut map, changes);
            assert_eq!(map, at_version(after));
        }
        revise(&mut [0; 3], 1);
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
