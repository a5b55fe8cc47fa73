//! What is heard of a group, and what its microphones hear.

use std::sync::Arc;

use super::files::Reading;
use super::text;
use crate::config::problem::Problems;
use crate::config::schema::Key;
use crate::media::{Cut, Track};

/// What is heard beside the clips; `None`: their own sound, or it cannot be read, which is told.
pub(super) fn audio(
    key: &Key<String>,
    reading: &mut Reading<'_>,
    problems: &mut Problems<'_>,
) -> Option<Arc<Track>> {
    let key = text(key)?;
    let heard = reading.sound(key.get_ref());
    heard.map_err(|why| problems.at(key.span(), why)).ok()
}

/// The sound of a file; `None` without one, or when it cannot be a voice, which is told.
pub(super) fn microphone(
    key: &Key<String>,
    reading: &Reading<'_>,
    problems: &mut Problems<'_>,
) -> Option<Arc<Cut>> {
    let key = text(key)?;
    let heard = read(key.get_ref(), reading);
    let heard = heard.map_err(|why| problems.at(key.span(), why)).ok()?;
    Some(Arc::new(heard))
}

fn read(path: &str, reading: &Reading<'_>) -> Result<Cut, String> {
    let track = reading.track(path)?;
    Cut::microphone(&track).map_err(|error| format!("sound {path}: {error}"))
}
