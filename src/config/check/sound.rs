//! What the microphones of a group hear.

use std::sync::Arc;

use super::files::Reading;
use super::text;
use crate::config::problem::Problems;
use crate::config::schema::Key;
use crate::media::{Cut, Track};

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
    let octets = reading.files.read(path);
    let octets = octets.map_err(|error| format!("sound {path} cannot be read: {error}"))?;
    let heard = Track::parse(path, octets.into()).and_then(|track| Cut::microphone(&track));
    heard.map_err(|error| format!("sound {path}: {error}"))
}
