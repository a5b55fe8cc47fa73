//! The MPEG program stream, writing side (ISO/IEC 13818-1 §2.5; GB/T 28181-2022 annex C).

pub mod crc;
pub mod pack_header;
pub mod pes;
pub mod policy;
pub mod stream_map;
pub mod system_header;

/// An elementary stream in a program stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementaryStream {
    /// `stream_id`: 0xE0 for video, 0xC0 for audio.
    pub id: u8,
    /// `stream_type`: 0x1B H.264, 0x24 H.265, 0x90 G.711 A-law (GB/T 28181-2022 annex C).
    pub kind: u8,
    /// `P-STD_buffer_size_bound`.
    pub buffer: Buffer,
}

/// A decoder buffer as a system header states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffer {
    /// In units of 128 octets, for audio.
    Of128(u16),
    /// In units of 1024 octets, for video.
    Of1024(u16),
}

/// Stream id of the first video stream.
pub const VIDEO: u8 = 0xE0;

/// Stream id of the first audio stream.
pub const AUDIO: u8 = 0xC0;

/// `P-STD_buffer_size_bound` of the audio stream, in units of 128 octets.
pub const AUDIO_BUFFER: u16 = 32;

/// A 13-bit field with the three bits before it.
fn buffer_field(buffer: Buffer) -> [u8; 2] {
    let field = match buffer {
        Buffer::Of128(size) => 0xC000 | (size & 0x1FFF),
        Buffer::Of1024(size) => 0xE000 | (size & 0x1FFF),
    };
    field.to_be_bytes()
}

#[cfg(test)]
pub(crate) mod golden {
    //! The streams of the golden vectors.
    use super::*;

    pub const VIDEO_H264: ElementaryStream = ElementaryStream {
        id: VIDEO,
        kind: 0x1B,
        buffer: Buffer::Of1024(400),
    };
    pub const VIDEO_H265: ElementaryStream = ElementaryStream {
        kind: 0x24,
        ..VIDEO_H264
    };
    pub const AUDIO_G711A: ElementaryStream = ElementaryStream {
        id: AUDIO,
        kind: 0x90,
        buffer: Buffer::Of128(AUDIO_BUFFER),
    };
}
