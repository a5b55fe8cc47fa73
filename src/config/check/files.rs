//! The files that a fleet names.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::media::{MediaId, MediaPlan, MediaSource};
use crate::config::profiles::Profiles;
use crate::config::roster::Finder;
use crate::config::source::Files;
use crate::media::audio::law::Law;
use crate::media::{Rational, Track};
use crate::profile::Profile;

/// What makes clips differ: the file, the frame rate, and what the sound is called.
type ClipKey = (MediaSource, Option<Rational>, Option<String>);

/// How the clips of a group are played.
#[derive(Clone, Debug, Default)]
pub(super) struct Playing {
    /// Frames a second of files that do not say.
    pub fps: Option<Rational>,
    /// What is heard in place of the sound of the files.
    pub audio: Option<Arc<Track>>,
}

/// The files named so far, each asked for once.
pub(super) struct Reading<'f> {
    pub files: &'f dyn Files,
    pub profiles: Profiles<'f>,
    clips: HashMap<ClipKey, Result<MediaId, String>>,
    sounds: HashMap<String, Result<Arc<Track>, String>>,
    media: Vec<MediaPlan>,
}

impl<'f> Reading<'f> {
    pub fn new(files: &'f dyn Files) -> Self {
        Reading {
            files,
            profiles: Profiles::new(files),
            clips: HashMap::new(),
            sounds: HashMap::new(),
            media: Vec::new(),
        }
    }

    /// A clip: the file at `path`, or the one built in.
    pub fn clip(&mut self, path: Option<&str>, how: &Playing) -> Result<MediaId, String> {
        let source = match path {
            Some(path) => MediaSource::File(path.to_owned()),
            None => MediaSource::Sample,
        };
        let heard = how.audio.as_ref().map(|track| track.name().to_owned());
        let key = (source, path.and(how.fps), heard);
        if let Some(known) = self.clips.get(&key) {
            return known.clone();
        }
        let found = self.size(path).map(|octets| {
            self.media.push(MediaPlan {
                source: key.0.clone(),
                fps: key.1,
                audio: how.audio.clone(),
                octets,
            });
            MediaId(self.media.len() as u32 - 1)
        });
        self.clips.insert(key, found.clone());
        found
    }

    /// What is heard beside clips: the sound at `path`, or `tone`.
    pub fn sound(&mut self, path: &str) -> Result<Arc<Track>, String> {
        if let Some(known) = self.sounds.get(path) {
            return known.clone();
        }
        let heard = match path {
            "tone" => Ok(Track::tone(Law::A)),
            _ => self.track(path),
        };
        let heard = heard.map(Arc::new);
        self.sounds.insert(path.to_owned(), heard.clone());
        heard
    }

    /// The sound of a file.
    pub fn track(&self, path: &str) -> Result<Track, String> {
        let octets = self.files.read(path);
        let octets = octets.map_err(|error| format!("sound {path} cannot be read: {error}"))?;
        Track::parse(path, octets.into()).map_err(|error| format!("sound {path}: {error}"))
    }

    /// Every clip named.
    pub fn media(self) -> Vec<MediaPlan> {
        self.media
    }

    fn size(&self, path: Option<&str>) -> Result<u64, String> {
        let Some(path) = path else { return Ok(0) };
        match self.files.size(path) {
            Ok(0) => Err(format!("media {path} is empty")),
            Ok(octets) => Ok(octets),
            Err(error) => Err(format!("media {path} cannot be read: {error}")),
        }
    }
}

/// The same for lines of a list, whose clips are played as those of their group.
pub(super) struct OfGroup<'r, 'f> {
    pub reading: &'r mut Reading<'f>,
    pub how: &'r Playing,
}

impl Finder for OfGroup<'_, '_> {
    fn media(&mut self, path: &str) -> Result<MediaId, String> {
        self.reading.clip(Some(path), self.how)
    }

    fn profile(&mut self, name: &str) -> Result<Arc<Profile>, String> {
        self.reading.profiles.named(name)
    }
}
