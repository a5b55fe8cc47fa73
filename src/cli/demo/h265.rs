//! H.265, shown by a camera of its own.

use super::PASSWORD;
use super::features::{Seen, when, wrong};
use crate::api::{Camera, Clip, Platform};
use crate::profile::Profile;

const TINY: &[u8] = include_bytes!("../../../media/tiny.h265");
const ID: &str = "34020000001320000265";

/// A second of it.
pub(super) async fn live(platform: &Platform) -> Seen {
    let clip = Clip::parse("tiny.h265", TINY, None).map_err(wrong)?;
    let camera = Camera::builder(Profile::builtin("generic-2022").map_err(wrong)?)
        .platform(platform.address())
        .id(ID)
        .password(PASSWORD)
        .media(clip)
        .start();
    let camera = camera.await.map_err(wrong)?;
    camera.registered().await.map_err(wrong)?;
    let mut stream = platform.play(camera.channel(1)).await.map_err(wrong)?;
    let verdict = stream.verified_seconds(1.0).await.map_err(wrong)?;
    stream.stop().await.map_err(wrong)?;
    camera.power_off().await.map_err(wrong)?;
    when(
        verdict.is_clean(),
        format!("{} frames equal", verdict.matched),
    )
}
