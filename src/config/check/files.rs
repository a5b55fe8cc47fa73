//! The files that a fleet names.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::media::{MediaId, MediaPlan, MediaSource};
use crate::config::profiles::Profiles;
use crate::config::roster::Finder;
use crate::config::source::Files;
use crate::media::Rational;
use crate::profile::Profile;

/// The files named so far, each asked for once.
pub(super) struct Reading<'f> {
    pub files: &'f dyn Files,
    pub profiles: Profiles<'f>,
    clips: HashMap<(MediaSource, Option<Rational>), Result<MediaId, String>>,
    media: Vec<MediaPlan>,
}

impl<'f> Reading<'f> {
    pub fn new(files: &'f dyn Files) -> Self {
        Reading {
            files,
            profiles: Profiles::new(files),
            clips: HashMap::new(),
            media: Vec::new(),
        }
    }

    /// A clip: the file at `path`, or the one built in.
    pub fn clip(&mut self, path: Option<&str>, fps: Option<Rational>) -> Result<MediaId, String> {
        let source = match path {
            Some(path) => MediaSource::File(path.to_owned()),
            None => MediaSource::Sample,
        };
        let key = (source, path.and(fps));
        if let Some(known) = self.clips.get(&key) {
            return known.clone();
        }
        let found = self.size(path).map(|octets| {
            self.media.push(MediaPlan {
                source: key.0.clone(),
                fps: key.1,
                octets,
            });
            MediaId(self.media.len() as u32 - 1)
        });
        self.clips.insert(key, found.clone());
        found
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

/// The same for lines of a list, whose clips have the frame rate of their group.
pub(super) struct OfGroup<'r, 'f> {
    pub reading: &'r mut Reading<'f>,
    pub fps: Option<Rational>,
}

impl Finder for OfGroup<'_, '_> {
    fn media(&mut self, path: &str) -> Result<MediaId, String> {
        self.reading.clip(Some(path), self.fps)
    }

    fn profile(&mut self, name: &str) -> Result<Arc<Profile>, String> {
        self.reading.profiles.named(name)
    }
}
