//! The folder that a fleet file lies in.

use std::io;
use std::path::{Path, PathBuf};

use super::clip::Clip;
use super::error::Error;
use crate::config::{Files, MediaPlan, MediaSource};

/// The files that a fleet file names, which are looked for beside it.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder that the file at `path` lies in.
    pub fn of(path: impl AsRef<Path>) -> Folder {
        let parent = path.as_ref().parent().unwrap_or(Path::new(""));
        Folder(parent.to_owned())
    }

    /// Where a file is that a fleet file calls `path`.
    pub fn path(&self, path: &str) -> PathBuf {
        self.0.join(path)
    }

    /// Reads a clip of a plan.
    pub fn clip(&self, clip: &MediaPlan) -> Result<Clip, Error> {
        let pictures = match &clip.source {
            MediaSource::Sample => Clip::sample(),
            MediaSource::File(path) => Clip::open_at(self.path(path), clip.fps)?,
        };
        Ok(match &clip.audio {
            Some(track) => pictures.with_audio(&track.clone().into()),
            None => pictures,
        })
    }
}

impl Files for Folder {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.path(path))
    }

    fn size(&self, path: &str) -> io::Result<u64> {
        let about = std::fs::metadata(self.path(path))?;
        match about.is_dir() {
            true => Err(io::ErrorKind::IsADirectory.into()),
            false => Ok(about.len()),
        }
    }
}
