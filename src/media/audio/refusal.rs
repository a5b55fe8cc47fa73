//! Sound that cannot be played, and what to tell its owner.

/// Makes sound of any kind into what every camera sends.
pub const TO_G711: &str =
    "`ffmpeg -i FILE -vn -ac 1 -ar 8000 -c:a pcm_alaw out.wav` makes G.711 of it";

/// Makes AAC into AAC that a camera sends.
pub const TO_AAC: &str =
    "`ffmpeg -i FILE -vn -ac 1 -ar 16000 -c:a aac out.aac` makes AAC of it that can be played";

/// Why sound cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AudioError {
    /// No octets, or no samples.
    #[error("there is no sound in the file: it is empty")]
    Empty,
    /// Nothing that can be read: what it looks like.
    #[error(
        "this is {0}, not sound that can be read (WAV, AAC as ADTS or in MP4; G.711 as *.g711a or \
         *.g711u); {TO_G711}"
    )]
    NotAudio(&'static str),
    /// A file of a known kind with something in it that cannot be played.
    #[error("{place} of this {kind}: {what}; {way}")]
    Refused {
        /// The kind of file.
        kind: &'static str,
        /// Where in the file.
        place: String,
        /// What stands there, and what should.
        what: String,
        /// What to do about it.
        way: &'static str,
    },
}

impl AudioError {
    /// The error of what stands at an octet.
    pub fn at(kind: &'static str, octet: usize, what: String, way: &'static str) -> AudioError {
        AudioError::Refused {
            kind,
            place: format!("octet {octet}"),
            what,
            way,
        }
    }
}

/// The error of a file of no known kind.
pub fn unknown(bytes: &[u8]) -> AudioError {
    const SIGNS: [(usize, &[u8], &str); 12] = [
        (0, b"RIFF", "a RIFF file without sound (AVI, WebP)"),
        (0, b"RF64", "an RF64 file"),
        (0, b"OggS", "an Ogg file"),
        (0, b"fLaC", "a FLAC file"),
        (0, b"FORM", "an AIFF file"),
        (0, b".snd", "a Sun .au file"),
        (0, b"#!AMR", "an AMR file"),
        (0, b"ID3", "an MP3 file"),
        (0, b"FLV", "an FLV file"),
        (0, &[0x1A, 0x45, 0xDF, 0xA3], "a Matroska or WebM file"),
        (0, &[0, 0, 1, 0xBA], "an MPEG program stream without sound"),
        (4, b"ftyp", "an MP4 file without a sound track"),
    ];
    let sign = |(at, sign, _): &&(usize, &[u8], &str)| {
        bytes.get(*at..).is_some_and(|rest| rest.starts_with(sign))
    };
    let known = SIGNS.iter().find(sign).map(|(_, _, what)| *what);
    AudioError::NotAudio(known.unwrap_or(match bytes {
        // The sync word of MPEG audio, of a layer that is not 0.
        [0xFF, second, ..] if second & 0xE0 == 0xE0 && second & 6 != 0 => "an MP3 file",
        _ => "something unknown",
    }))
}
