//! A sound file in the hands of a user.

use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use bytes::Bytes;

use super::error::Error;
use crate::media::Track;
use crate::media::audio::law::Law;

/// What is heard beside a clip: a sound file, read once and shared by every clip it goes with, see
/// [`Clip::with_audio`](super::Clip::with_audio). Copies are cheap.
#[derive(Clone)]
pub struct Audio(Arc<Track>);

impl Audio {
    /// Reads a file: WAV (G.711, or PCM of 16 bits; 8000 Hz, one channel), AAC (as ADTS, or in
    /// MP4), and raw G.711 whose name ends in `.g711a` or `.alaw`, `.g711u` or `.ulaw`.
    pub fn open(path: impl AsRef<Path>) -> Result<Audio, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        })?;
        Audio::parse(&path.display().to_string(), bytes)
    }

    /// Reads octets that are no file; `name` stands for them in reports and errors, and its ending
    /// tells what raw octets are.
    pub fn parse(name: &str, bytes: impl Into<Bytes>) -> Result<Audio, Error> {
        let track = Track::parse(name, bytes.into());
        track.map(Audio::from).map_err(|source| Error::Audio {
            file: name.to_owned(),
            source,
        })
    }

    /// A tone of a kilohertz in G.711 A-law, 200 ms in every second: whoever listens hears time
    /// pass.
    pub fn tone() -> Audio {
        static MADE: LazyLock<Audio> = LazyLock::new(|| Track::tone(Law::A).into());
        MADE.clone()
    }

    /// The sound as the media room knows it.
    pub fn track(&self) -> &Arc<Track> {
        &self.0
    }
}

impl From<Track> for Audio {
    fn from(track: Track) -> Self {
        Audio(Arc::new(track))
    }
}

impl From<Arc<Track>> for Audio {
    fn from(track: Arc<Track>) -> Self {
        Audio(track)
    }
}

impl Deref for Audio {
    type Target = Track;

    fn deref(&self) -> &Track {
        &self.0
    }
}

impl fmt::Debug for Audio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Audio({:?})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Clip;

    #[test]
    fn a_file_that_is_missing_or_no_sound_is_named() {
        let error = Audio::open("no/such.wav").unwrap_err().to_string();
        assert!(error.starts_with("no/such.wav: "), "{error}");
        let error = Audio::parse("x.mp3", &b"ID3\x04"[..]).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("x.mp3: this is an MP3 file, not sound"),
            "{error}"
        );
    }

    #[test]
    fn a_clip_with_a_sound_is_made_once_and_shared_by_all_who_ask_for_it() {
        let (clip, tone) = (Clip::sample(), Audio::tone());
        let one = clip.with_audio(&tone);
        assert!(Arc::ptr_eq(
            one.media(),
            clip.with_audio(&Audio::tone()).media()
        ));
        assert!(Arc::ptr_eq(one.sound().unwrap().track(), tone.track()));
        assert_eq!(one.sound().unwrap().units(), 100);
        let other = Audio::parse("x.alaw", vec![1; 8000]).unwrap();
        let other = clip.with_audio(&other);
        assert_eq!(other.sound().unwrap().track().name(), "x.alaw");
        assert_eq!(clip.sound(), None);
        assert_eq!(one.data(), clip.data());
    }
}
