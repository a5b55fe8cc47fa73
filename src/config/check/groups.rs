//! `[[cameras]]`: what a group has in common. Codes come later, when all groups are known.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::files::{OfGroup, Playing, Reading};
use super::sound;
use super::{copied, count, length, some_time, text};
use crate::camera::Heartbeat;
use crate::config::group::{ChannelIds, Group, Ids};
use crate::config::ids::IdRun;
use crate::config::media::MediaId;
use crate::config::problem::Problems;
use crate::config::roster::Roster;
use crate::config::schema::{CamerasTable, Key, OneOrMany, TextKey, Top, TransportName};
use crate::config::source::Source;
use crate::config::value::Length;
use crate::gb28181::DeviceId;
use crate::profile::Profile;
use crate::sip::Transport;

/// The most cameras of a group: what fits into a serial number.
const MOST_CAMERAS: usize = 1_000_000;
/// What is counted there.
const CAMERAS: (&str, &str) = ("a group has", "cameras");
/// The most channels of a device.
const MOST_CHANNELS: usize = 10_000;

/// The most organisations of one device.
const MOST_ORGANISATIONS: usize = 500;

/// A group without codes, and what it says about them.
pub(super) struct Draft<'t> {
    pub group: Group,
    pub table: &'t CamerasTable,
    pub span: Range<usize>,
    pub roster: Option<Roster>,
}

pub(super) fn drafts<'t>(
    source: &Source,
    top: &'t Top,
    reading: &mut Reading<'_>,
    problems: &mut Problems<'_>,
) -> Vec<Draft<'t>> {
    if top.cameras.is_empty() {
        problems.of(
            "there is no camera: write a [[cameras]] table, as in\n\n  [[cameras]]\n  count = 10",
        );
    }
    let transport = copied(&top.platform.transport).unwrap_or_default();
    let draft = |table: &'t Spanned<CamerasTable>| {
        let line = source.place(table.span()).line;
        draft(line, table, transport, reading, problems)
    };
    top.cameras.iter().filter_map(draft).collect()
}

/// `None` when its make or its list cannot be read, which is told.
fn draft<'t>(
    line: usize,
    spanned: &'t Spanned<CamerasTable>,
    transport: TransportName,
    reading: &mut Reading<'_>,
    problems: &mut Problems<'_>,
) -> Option<Draft<'t>> {
    let table = spanned.get_ref();
    let how = Playing {
        fps: table.fps.as_ref().map(|key| key.get_ref().0),
        audio: sound::audio(&table.audio, reading, problems),
    };
    let (main, sub) = shown(table, &how, reading, problems);
    let roster = roster(table, OfGroup { reading, how: &how }, problems);
    let profile = profile(&table.profile, reading, problems);
    let channels = ("a device has", "channels");
    let group = Group {
        line,
        count: size(table, roster.as_ref(), problems),
        profile: profile?,
        channels: count(&table.channels, 1, MOST_CHANNELS, channels, problems),
        organisations: organisations(&table.organisations, problems),
        recordings: length(&table.recordings)
            .map(|kept| Arc::new(crate::camera::Recordings::kept(kept))),
        microphone: sound::microphone(&table.microphone, reading, problems),
        voice: text(&table.voice).map(|key| key.get_ref().clone()),
        transport: match copied(&table.transport).unwrap_or(transport) {
            TransportName::Udp => Transport::Udp,
            TransportName::Tcp => Transport::Tcp,
        },
        expires: whole_seconds(&table.expires, 3600, problems),
        heartbeat: heartbeat(table, problems),
        retry: pause(&table.retry, 60, problems),
        reconnect: pause(&table.reconnect, 5, problems),
        backlog: length(&table.backlog).unwrap_or(Duration::from_secs(2)),
        first: 0,
        udp_before: 0,
        ids: Ids::Run(IdRun::NONE),
        channel_ids: ChannelIds::OfDevice,
        name: name(&table.name, problems),
        main,
        sub,
        first_frame: copied(&table.first_frame).unwrap_or_default(),
    };
    let readable = table.csv.is_none() || roster.is_some();
    readable.then_some(Draft {
        group,
        table,
        span: spanned.span(),
        roster,
    })
}

/// The names of organisations: some hundred at most, none empty.
fn organisations(key: &Key<Vec<String>>, problems: &mut Problems<'_>) -> Vec<String> {
    let Some(key) = key else {
        return Vec::new();
    };
    let names = key.get_ref();
    if names.len() > MOST_ORGANISATIONS || names.iter().any(|name| name.trim().is_empty()) {
        let why = format!("organisations are up to {MOST_ORGANISATIONS} names, none empty");
        problems.at(key.span(), why);
    }
    names.clone()
}

/// What main and sub streams show.
fn shown(
    table: &CamerasTable,
    how: &Playing,
    reading: &mut Reading<'_>,
    problems: &mut Problems<'_>,
) -> (Vec<MediaId>, Vec<MediaId>) {
    let main = match &table.media {
        Some(key) => media(key, how, reading, problems),
        None => reading.clip(None, how).into_iter().collect(),
    };
    let sub = table.sub_media.as_ref();
    let sub = sub.map(|key| media(key, how, reading, problems));
    (main, sub.unwrap_or_default())
}

fn roster(
    table: &CamerasTable,
    mut finder: OfGroup<'_, '_>,
    problems: &mut Problems<'_>,
) -> Option<Roster> {
    let key = text(&table.csv)?;
    for (other, name) in [
        (&table.first_id, "first-id"),
        (&table.id_pattern, "id-pattern"),
    ] {
        if let Some(other) = other {
            let why = format!("the list of `csv` has the IDs already; leave {name} out");
            problems.at(other.span(), why);
        }
    }
    let file = key.get_ref();
    let octets = match finder.reading.files.read(file) {
        Ok(octets) => octets,
        Err(error) => {
            problems.at(key.span(), format!("list {file} cannot be read: {error}"));
            return None;
        }
    };
    match Roster::read(file, &octets, &mut finder) {
        Ok(roster) => Some(roster),
        Err(wrong) => {
            wrong.into_iter().for_each(|problem| problems.push(problem));
            None
        }
    }
}

fn size(table: &CamerasTable, roster: Option<&Roster>, problems: &mut Problems<'_>) -> usize {
    let Some(roster) = roster else {
        return count(&table.count, 1, MOST_CAMERAS, CAMERAS, problems);
    };
    let (lines, file) = (roster.count(), roster.file());
    let first = count(&table.count, lines, MOST_CAMERAS, CAMERAS, problems);
    match &table.count {
        Some(key) if first > lines => {
            let why = format!(
                "{file} has fewer cameras than {first}: {lines}; leave count out for all of them"
            );
            problems.at(key.span(), why);
            lines
        }
        _ => first,
    }
}

fn profile(
    key: &Key<String>,
    reading: &mut Reading<'_>,
    problems: &mut Problems<'_>,
) -> Option<Arc<Profile>> {
    let named = text(key).map_or(Profile::DEFAULT, |key| key.get_ref());
    let read = reading.profiles.named(named);
    let tell = |why| match key {
        Some(key) => problems.at(key.span(), why),
        None => problems.of(why),
    };
    read.map_err(tell).ok()
}

fn media(
    key: &Spanned<OneOrMany>,
    how: &Playing,
    reading: &mut Reading<'_>,
    problems: &mut Problems<'_>,
) -> Vec<MediaId> {
    let paths = key.get_ref().all();
    if paths.is_empty() {
        problems.at(
            key.span(),
            "the list names no file; leave the key out for the default",
        );
    }
    let clips = paths.iter().map(|path| reading.clip(Some(path), how));
    let clips: Result<_, String> = clips.collect();
    clips.unwrap_or_else(|why| {
        problems.at(key.span(), why);
        Vec::new()
    })
}

fn name(key: &Key<String>, problems: &mut Problems<'_>) -> Option<String> {
    let key = text(key)?;
    let rest = key.get_ref().replace("{n}", "").replace("{id}", "");
    if rest.contains(['{', '}']) {
        let why = "a name has {n} for the number of the camera and {id} for its code, and no other braces";
        problems.at(key.span(), why);
    }
    if key.get_ref().is_empty() {
        problems.at(
            key.span(),
            "a name has letters; leave the key out for the model of the profile",
        );
    }
    Some(key.get_ref().clone())
}

fn heartbeat(table: &CamerasTable, problems: &mut Problems<'_>) -> Heartbeat {
    let default = Heartbeat::default();
    let seconds = default.interval.as_secs();
    let count = copied(&table.keepalive_count).unwrap_or(default.count);
    if let (Some(key), 0) = (&table.keepalive_count, count) {
        problems.at(
            key.span(),
            "at least one Keepalive must be lost before a camera registers anew",
        );
    }
    Heartbeat {
        interval: whole_seconds(&table.keepalive, seconds, problems),
        count,
    }
}

/// What goes over the wire in whole seconds: at least one.
fn whole_seconds(key: &TextKey<Length>, default: u64, problems: &mut Problems<'_>) -> Duration {
    let read = length(key).unwrap_or(Duration::from_secs(default));
    let fits = read.as_secs() >= 1 && read.subsec_nanos() == 0 && read.as_secs() <= u32::MAX.into();
    match key {
        Some(key) if !fits => {
            let why = format!(
                "the protocol counts it in whole seconds, from \"1s\"; the default is \"{default}s\""
            );
            problems.at(key.span(), why);
        }
        _ => {}
    }
    read
}

fn pause(key: &TextKey<Length>, default: u64, problems: &mut Problems<'_>) -> Duration {
    let why = format!(
        "without a pause, attempts follow each other without end: write \"1s\" or more, or leave it out for \"{default}s\""
    );
    some_time(key, Duration::from_secs(default), &why, problems)
}

/// A code that a key gives.
pub(super) fn code(key: &Spanned<String>, problems: &mut Problems<'_>) -> Option<DeviceId> {
    let read = key.get_ref().parse();
    read.map_err(|error| problems.at(key.span(), format!("{error}")))
        .ok()
}
