//! Files that cannot be played, and what to tell their owner.

use super::super::access_unit::Stream;

/// Why a file cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClipError {
    /// No octets.
    #[error("the file is empty")]
    Empty,
    /// No start code anywhere.
    #[error(
        "this is {0}, not an H.264 or H.265 byte stream (Annex B, usually *.h264 or *.h265); \
         `ffmpeg -i FILE -c:v copy -bsf:v h264_mp4toannexb -f h264 out.h264` takes the stream \
         out of a container"
    )]
    NotByteStream(&'static str),
    /// A container without video that can be taken out of it: what it is, and what is wrong.
    #[error("this is {0} {1}; `ffmpeg -i FILE` shows what is in it")]
    Container(&'static str, &'static str),
    /// Words: no tool makes a video of them.
    #[error(
        "this is text, not video: H.264 or H.265 is wanted, as a byte stream (Annex B, usually *.h264 \
         or *.h265), MP4 or program stream"
    )]
    Text,
    /// No sequence or no picture parameter set that can be used.
    #[error(
        "the stream has no usable {missing}{}; it cannot be decoded by anybody",
        why.as_deref().map(|why| format!(" ({why})")).unwrap_or_default()
    )]
    NoParameterSets {
        /// What there is none of.
        missing: &'static str,
        /// Why those that are there cannot be used.
        why: Option<String>,
    },
    /// Parameter sets but no picture.
    #[error("the stream has parameter sets but no pictures ({0} slices could not be read)")]
    NoPictures(u64),
    /// Pictures, but none to begin with.
    #[error(
        "none of the stream's {0} frames is a key frame (IDR, recovery point, or I slices only), \
         so that no decoder could begin"
    )]
    NoKeyFrame(usize),
    /// A file made to waste memory.
    #[error("the stream's parameter sets are larger than its pictures")]
    ParameterSetsTooLarge,
}

/// Refuses what cannot be a clip.
pub(super) fn refuse(bytes: &[u8], stream: &Stream) -> Result<(), ClipError> {
    if is_text(bytes) {
        return Err(ClipError::Text);
    }
    // A container may hold whole NAL units, between octets of its own that would be sent as video.
    let known = guess(bytes);
    if known != UNKNOWN {
        return Err(ClipError::NotByteStream(known));
    }
    if stream.units.is_empty() {
        return Err(ClipError::NotByteStream(UNKNOWN));
    }
    if stream.excessive {
        return Err(ClipError::ParameterSetsTooLarge);
    }
    if let Some(lacks) = stream.lacks {
        return Err(unusable(bytes, lacks, stream));
    }
    if stream.frames.is_empty() {
        return Err(ClipError::NoPictures(stream.unreadable));
    }
    Ok(())
}

/// What a stream without usable parameter sets is.
fn unusable(bytes: &[u8], lacks: &'static str, stream: &Stream) -> ClipError {
    // Three octets 00 00 01 stand somewhere in most files.
    let zeros = bytes.iter().take_while(|octet| **octet == 0).count();
    if zeros < 2 || bytes.get(zeros) != Some(&1) {
        return ClipError::NotByteStream(UNKNOWN);
    }
    ClipError::NoParameterSets {
        missing: lacks,
        why: stream.rejected.clone(),
    }
}

const UNKNOWN: &str = "something unknown";

/// Whether a file begins with readable text and nothing else.
fn is_text(bytes: &[u8]) -> bool {
    const LOOKED_AT: usize = 1024;
    let begin = &bytes[..bytes.len().min(LOOKED_AT)];
    let text = match std::str::from_utf8(begin) {
        Ok(text) => text,
        // The last character may be cut in two.
        Err(error) if error.error_len().is_none() && begin.len() < bytes.len() => {
            std::str::from_utf8(&begin[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let readable = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r' | '\x0c');
    !text.is_empty() && text.chars().all(readable)
}

/// What kind of file begins like this.
fn guess(bytes: &[u8]) -> &'static str {
    let at = |offset: usize, sign: &[u8]| {
        bytes
            .get(offset..)
            .is_some_and(|rest| rest.starts_with(sign))
    };
    if at(4, b"ftyp") || at(4, b"moov") || at(4, b"mdat") {
        "an MP4 file"
    } else if at(0, &[0x1A, 0x45, 0xDF, 0xA3]) {
        "a Matroska or WebM file"
    } else if at(0, b"FLV") {
        "an FLV file"
    } else if at(0, b"RIFF") {
        "an AVI or WAV file"
    } else if at(0, &[0, 0, 1, 0xBA]) {
        "an MPEG program stream"
    } else if at(0, &[0x47]) && at(188, &[0x47]) {
        "an MPEG transport stream"
    } else {
        UNKNOWN
    }
}
