//! A video file in the hands of a user.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, Weak};

use bytes::Bytes;

use super::audio::Audio;
use super::error::Error;
use crate::media::{self, ClipOptions, Cut, PsPolicy, Rational, Reference, RtpPolicy};
use crate::profile::Profile;

/// The clip that is played when none is given.
const SAMPLE: &[u8] = include_bytes!("../../media/street-720p25.h264");

/// A video file, read once and shared by every camera that plays it. Copies are cheap.
#[derive(Clone)]
pub struct Clip(Arc<Inner>);

struct Inner {
    media: Arc<media::Clip>,
    reference: OnceLock<Arc<Reference>>,
    cuts: Mutex<HashMap<(PsPolicy, RtpPolicy), Arc<Cut>>>,
    /// The same clip with other sounds, while anybody has it.
    sounding: Mutex<Vec<(Audio, Weak<Inner>)>>,
}

impl Clip {
    /// Reads a file: H.264 or H.265 as a byte stream (Annex B), in MP4, whole or fragmented, or in a program
    /// stream. The frame rate is the file's own, or 25.
    pub fn open(path: impl AsRef<Path>) -> Result<Clip, Error> {
        Clip::open_at(path, None)
    }

    /// As [`open`](Self::open), with the frame rate of a file that does not say its own.
    pub fn open_at(path: impl AsRef<Path>, fps: Option<Rational>) -> Result<Clip, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::File {
            path: path.to_owned(),
            source,
        })?;
        Clip::parse(&path.display().to_string(), bytes, fps)
    }

    /// Reads octets that are no file; `name` stands for them in reports and errors.
    pub fn parse(
        name: &str,
        bytes: impl Into<Bytes>,
        fps: Option<Rational>,
    ) -> Result<Clip, Error> {
        let clip = media::Clip::parse(name, bytes.into(), ClipOptions { fps });
        clip.map(Clip::from).map_err(|source| Error::Clip {
            file: name.to_owned(),
            source,
        })
    }

    /// The clip built in: a street, 1280x720, 25 frames per second, four seconds, 2 Mbit/s.
    /// Read once per process.
    pub fn sample() -> Clip {
        static READ: LazyLock<Clip> = LazyLock::new(|| {
            Clip::parse("street-720p25.h264", SAMPLE, None).expect("the clip built in is a clip")
        });
        READ.clone()
    }

    /// The clip with this sound in place of its own, from its first picture that is shown and again
    /// with every loop: cut off where the clip ends, said again where it is shorter. The same for
    /// everybody who asks.
    pub fn with_audio(&self, audio: &Audio) -> Clip {
        let mut sounding = self.0.sounding.lock().unwrap_or_else(|e| e.into_inner());
        sounding.retain(|(_, clip)| clip.strong_count() > 0);
        let same = |(own, _): &&(Audio, _)| Arc::ptr_eq(own.track(), audio.track());
        let found = sounding.iter().find(same);
        if let Some(clip) = found.and_then(|(_, clip)| clip.upgrade()) {
            return Clip(clip);
        }
        let clip = Clip::from(self.0.media.with_audio(audio.track().clone()));
        sounding.push((audio.clone(), Arc::downgrade(&clip.0)));
        clip
    }

    /// The clip as the media room knows it.
    pub fn media(&self) -> &Arc<media::Clip> {
        &self.0.media
    }

    /// What received streams are compared with. Computed once.
    pub fn reference(&self) -> Arc<Reference> {
        let of = || Arc::new(Reference::of(&self.0.media));
        self.0.reference.get_or_init(of).clone()
    }

    /// The clip as cameras of a make send it. Computed once for all makes that do it alike.
    pub fn cut(&self, profile: &Profile) -> Arc<Cut> {
        let mut cuts = self.0.cuts.lock().unwrap_or_else(|e| e.into_inner());
        let policies = (profile.ps.clone(), profile.rtp.clone());
        let new = || Cut::new(self.0.media.clone(), &profile.ps, &profile.rtp);
        cuts.entry(policies)
            .or_insert_with(|| Arc::new(new()))
            .clone()
    }
}

impl From<media::Clip> for Clip {
    fn from(media: media::Clip) -> Self {
        Clip(Arc::new(Inner {
            media: Arc::new(media),
            reference: OnceLock::new(),
            cuts: Mutex::default(),
            sounding: Mutex::default(),
        }))
    }
}

impl Deref for Clip {
    type Target = media::Clip;

    fn deref(&self) -> &media::Clip {
        &self.0.media
    }
}

impl fmt::Debug for Clip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clip({:?})", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_what_its_text_says() {
        let clip = Clip::sample();
        assert_eq!((clip.width(), clip.height()), (1280, 720));
        assert_eq!(
            (clip.fps(), clip.frames().len()),
            (Rational::whole(25), 100)
        );
    }

    #[test]
    fn a_make_is_cut_once_and_makes_that_send_alike_share_it() {
        let clip = Clip::sample();
        let profile = Profile::builtin("generic-2016").unwrap();
        assert!(Arc::ptr_eq(
            &clip.cut(&profile),
            &clip.clone().cut(&profile)
        ));
        assert!(Arc::ptr_eq(&clip.reference(), &clip.clone().reference()));
    }

    #[test]
    fn a_file_that_is_missing_or_no_clip_is_named() {
        let error = Clip::open("no/such.h264").unwrap_err().to_string();
        assert!(error.starts_with("no/such.h264: "), "{error}");
        let error = Clip::parse("x.mp4", &b"\0\0\0\x20ftypisom"[..], None).unwrap_err();
        assert!(
            error.to_string().starts_with("x.mp4: this is an MP4 file"),
            "{error}"
        );
    }
}
