//! What cameras show: each file once, however many show it.

use std::sync::Arc;

use crate::media::{Rational, Track};

/// One entry of [`Plan::media`](super::Plan::media).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaId(pub(super) u32);

impl MediaId {
    /// Its place in [`Plan::media`](super::Plan::media).
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A clip that at least one channel shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaPlan {
    /// Where it comes from.
    pub source: MediaSource,
    /// Frames a second of a file that does not say.
    pub fps: Option<Rational>,
    /// What is heard in place of its own sound.
    pub audio: Option<Arc<Track>>,
    /// How large the file is, in octets; 0 for the clip built in.
    pub octets: u64,
}

/// Where a clip comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MediaSource {
    /// The clip built in.
    Sample,
    /// A file, named as in the fleet file.
    File(String),
}

impl std::fmt::Display for MediaSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            MediaSource::Sample => "the clip built in",
            MediaSource::File(path) => path,
        })
    }
}
