//! The row of `vcam demo --all` in which the platform speaks.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::api::{Camera, Channel, Events, Platform};
use crate::camera::Event;
use crate::media::Track;
use crate::media::audio::law::Law;

/// How long it speaks.
const SPEECH: Duration = Duration::from_secs(1);
/// How long it may take until the camera says what it has heard.
const PATIENCE: Duration = Duration::from_secs(5);

/// The platform speaks through a channel for a second: what the camera heard of it.
pub(super) async fn speak(
    platform: &Platform,
    camera: &Camera,
    through: &Channel,
) -> Result<String, String> {
    let mut events = camera.events();
    let tone = Track::tone(Law::A);
    let speech = platform.speak(camera.id(), through.id, tone.data()).await;
    let mut speech = speech.map_err(|error| error.to_string())?;
    speech.heard().await.map_err(|error| error.to_string())?;
    sleep(SPEECH).await;
    let (_, sent) = speech.hush().await.map_err(|error| error.to_string())?;
    let heard = timeout(PATIENCE, heard(&mut events)).await;
    let heard = heard.ok().flatten().ok_or("the camera heard nothing")?;
    let seen = format!("{heard} of {} packets heard", sent.packets);
    match heard > 0 {
        true => Ok(seen),
        false => Err(seen),
    }
}

/// How many packets a voice had, once it is over.
async fn heard(events: &mut Events<Event>) -> Option<u64> {
    loop {
        if let Event::VoiceEnded { heard, .. } = events.next().await? {
            return Some(heard.packets);
        }
    }
}
