//! The `f=` line: `v/codec/resolution/fps/bitrateType/kbps a/codec/bitrate/samplerate`, written
//! without a blank before the `a` (GB/T 28181-2022 annex G).

use std::fmt;

/// A media format in the standard's numbers. An empty field has no value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Format {
    /// The part after `v`.
    pub video: VideoFormat,
    /// The part after `a`.
    pub audio: AudioFormat,
}

/// The video part of an `f=` line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VideoFormat {
    /// 1 MPEG-4, 2 H.264, 3 SVAC, 4 3GP, 5 H.265.
    pub codec: Option<u8>,
    /// 1 QCIF, 2 CIF, 3 4CIF, 4 D1, 5 720P, 6 1080P, or `1920x1080`.
    pub resolution: Option<String>,
    /// Frames per second.
    pub frame_rate: Option<u8>,
    /// 1 constant, 2 variable.
    pub bit_rate_type: Option<u8>,
    /// Kilobits per second.
    pub bit_rate: Option<u32>,
}

/// The audio part of an `f=` line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AudioFormat {
    /// 1 G.711, 2 G.723.1, 3 G.729, 4 G.722.1, 5 SVAC, 6 AAC.
    pub codec: Option<u8>,
    /// A code for the bit rate; 8 is 64 kbit/s.
    pub bit_rate: Option<u8>,
    /// A code for the sample rate; 1 is 8 kHz.
    pub sample_rate: Option<u8>,
}

impl Format {
    /// Reads an `f=` line's text; nothing if it is empty or starts otherwise.
    pub fn parse(text: &str) -> Option<Format> {
        let text = text.trim();
        let rest = text.strip_prefix(['v', 'V'])?.strip_prefix('/')?;
        let (video, audio) = rest.split_once(['a', 'A']).unwrap_or((rest, ""));
        let mut video = video.split('/').map(str::trim);
        let audio = audio.strip_prefix('/').unwrap_or(audio);
        let mut audio = audio.split('/').map(str::trim);
        Some(Format {
            video: VideoFormat {
                codec: number(video.next()),
                resolution: video.next().filter(|t| !t.is_empty()).map(str::to_owned),
                frame_rate: number(video.next()),
                bit_rate_type: number(video.next()),
                bit_rate: number(video.next()),
            },
            audio: AudioFormat {
                codec: number(audio.next()),
                bit_rate: number(audio.next()),
                sample_rate: number(audio.next()),
            },
        })
    }
}

fn number<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
    text?.parse().ok()
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn field(value: &Option<impl ToString>) -> String {
            value.as_ref().map(ToString::to_string).unwrap_or_default()
        }
        let (video, audio) = (&self.video, &self.audio);
        write!(f, "v/{}/{}", field(&video.codec), field(&video.resolution))?;
        write!(
            f,
            "/{}/{}",
            field(&video.frame_rate),
            field(&video.bit_rate_type)
        )?;
        write!(f, "/{}a/{}", field(&video.bit_rate), field(&audio.codec))?;
        write!(
            f,
            "/{}/{}",
            field(&audio.bit_rate),
            field(&audio.sample_rate)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_seen_are_read_and_written_again() {
        for text in [
            "v/2/6/25/1/4096a/1/8/1",
            "v/0/0/0/0/0a/0/0/0",
            "v/////a/1/8/1",
            "v/2/1920x1080/25/1/4096a///",
        ] {
            assert_eq!(Format::parse(text).unwrap().to_string(), text);
        }
        let video = Format::parse("v/2/6/25/1/4096 a/1/8/1").unwrap().video;
        assert_eq!((video.codec, video.bit_rate), (Some(2), Some(4096)));
        assert_eq!(video.resolution.as_deref(), Some("6"));
    }

    #[test]
    fn what_is_no_format_is_none_and_what_is_missing_has_no_value() {
        assert_eq!(Format::parse(""), None);
        assert_eq!(Format::parse("hello"), None);
        assert_eq!(Format::parse("v/2").unwrap().video.codec, Some(2));
        assert_eq!(Format::parse("v/999/").unwrap().video.codec, None);
    }
}
