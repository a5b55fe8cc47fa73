//! Questions about a channel's head (GB/T 28181-2022 9.5.2 and A.2.4.8 to A.2.4.14).

use bytes::Bytes;

use crate::gb28181::manscdp::{CruiseTrack, Incoming as Document, Outcome};
use crate::time::Now;

use super::control::Controls;
use super::line::Line;

/// The answer, if it is such a question; the device stands for its first channel.
pub(super) fn answer(
    now: Now,
    line: &Line,
    controls: &Controls,
    document: &Document,
) -> Option<Bytes> {
    let channel = line.config.channel(&document.device_id)?;
    let head = controls.head(&channel.id);
    let style = &line.config.profile.manscdp;
    let (sn, id) = (&document.sn, &document.device_id);
    Some(match document.cmd_type.as_str() {
        "PresetQuery" => style.presets(sn, id, &head.presets()),
        "HomePositionQuery" => style.home_position(sn, id, head.home()),
        "CruiseTrackListQuery" => style.cruise_tracks(sn, id, &head.tracks()),
        "PTZPosition" => style.ptz_position(sn, id, head.position(now.mono)),
        "CruiseTrackQuery" => match asked(document, head.tracks()) {
            Some(track) => style.cruise_track(sn, id, &track),
            None => style.result("CruiseTrackQuery", sn, id, Outcome::Error),
        },
        _ => return None,
    })
}

/// The track whose `Number` is asked for.
fn asked(document: &Document, tracks: Vec<CruiseTrack>) -> Option<CruiseTrack> {
    let number: u8 = document.body.text_of("Number")?.trim().parse().ok()?;
    tracks.into_iter().find(|track| track.number == number)
}
