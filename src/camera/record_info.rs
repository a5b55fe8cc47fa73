//! RecordInfo: which files a channel has (GB/T 28181-2022 9.7).

use std::time::Duration;

use bytes::Bytes;

use crate::gb28181::manscdp::{Incoming as Document, RecordItem, RecordQuery};
use crate::time::Wall;

use super::config::{Channel, Config};
use super::line::Line;
use super::recordings::File;

/// The answer to a RecordInfo query about a channel, or about the device, which stands for its
/// first. Nothing recorded, or nothing of that kind, is an answer too.
pub(super) fn answer(line: &Line, now: Wall, document: &Document) -> Vec<Bytes> {
    let config = &line.config;
    let Some(channel) = config.channel(&document.device_id) else {
        return Vec::new();
    };
    let query = RecordQuery::read(document);
    let files = query.map(|query| files(config, now, &query));
    let items: Vec<_> = files
        .unwrap_or_default()
        .iter()
        .map(|file| item(config, channel, file))
        .collect();
    let style = &config.profile.manscdp;
    style.record_info(&document.sn, &document.device_id, &channel.name, &items)
}

fn files(config: &Config, now: Wall, query: &RecordQuery) -> Vec<File> {
    let recordings = config.recordings.iter();
    let found = recordings.map(|all| all.overlapping(now, (query.start, query.end), query.kind));
    found.flatten().collect()
}

fn item(config: &Config, channel: &Channel, file: &File) -> RecordItem {
    RecordItem {
        id: channel.id.to_string(),
        name: channel.name.clone(),
        file_path: format!("/{}/{}", channel.id, file.start.as_seconds()),
        address: config.profile.device.address.clone(),
        start: file.start,
        end: file.end,
        secrecy: false,
        kind: file.kind,
        recorder_id: config.device.to_string(),
        file_size: Some(octets(channel, file)),
    }
}

/// How large a file is: at the mean rate of what it shows.
fn octets(channel: &Channel, file: &File) -> u64 {
    let shown = file.source.as_ref().unwrap_or(&channel.source);
    let micros = file.end.as_micros().saturating_sub(file.start.as_micros());
    let length = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
    (shown.bit_rate() as f64 / 8.0 * length.as_secs_f64()) as u64
}
