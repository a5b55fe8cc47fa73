//! RecordInfo: what is recorded (GB/T 28181-2022 A.2.4.5 and A.2.6.5).

use std::borrow::Cow;
use std::fmt::{self, Display};

use bytes::Bytes;
use serde::Deserialize;

use super::incoming::{Incoming, Root};
use super::style::ManscdpStyle;
use crate::gb28181::element::Element;
use crate::gb28181::template::Facts;
use crate::gb28181::time;
use crate::time::Wall;

pub(super) const CMD_TYPE: &str = "RecordInfo";

/// Why something was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordKind {
    /// `time`: it always records then.
    #[default]
    Time,
    /// `alarm`: something happened.
    Alarm,
    /// `manual`: somebody asked for it.
    Manual,
}

impl RecordKind {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            RecordKind::Time => "time",
            RecordKind::Alarm => "alarm",
            RecordKind::Manual => "manual",
        }
    }

    /// The number behind the colon of an offer's `u=`.
    pub const fn number(self) -> u8 {
        match self {
            RecordKind::Manual => 1,
            RecordKind::Alarm => 2,
            RecordKind::Time => 3,
        }
    }

    fn parse(text: &str) -> Option<RecordKind> {
        let all = [RecordKind::Time, RecordKind::Alarm, RecordKind::Manual];
        all.into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a RecordInfo query asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordQuery {
    /// `StartTime`.
    pub start: Wall,
    /// `EndTime`.
    pub end: Wall,
    /// `Type`; `None`: `all`, or nothing said.
    pub kind: Option<RecordKind>,
}

impl RecordQuery {
    /// Reads a query. Times that are not there or make no sense leave that side open. A `Type`
    /// that does not exist is no kind at all: `None` for the whole query.
    pub fn read(message: &Incoming) -> Option<RecordQuery> {
        let body = &message.body;
        let time = |name| body.text_of(name).and_then(time::parse);
        let kind = match body.text_of("Type").map(str::trim) {
            None | Some("" | "all" | "All" | "ALL") => None,
            Some(kind) => Some(RecordKind::parse(kind)?),
        };
        Some(RecordQuery {
            start: time("StartTime").unwrap_or(Wall::from_seconds(0)),
            end: time("EndTime").unwrap_or(Wall::from_micros(i64::MAX)),
            kind,
        })
    }

    /// The elements that follow the `DeviceID` of a query.
    pub fn elements(&self) -> Vec<(&'static str, String)> {
        vec![
            ("StartTime", time::local(self.start)),
            ("EndTime", time::local(self.end)),
            ("Secrecy", "0".to_owned()),
            (
                "Type",
                self.kind.map_or("all", RecordKind::as_str).to_owned(),
            ),
        ]
    }
}

/// One recorded file. Empty texts and `None` are not known, and not written.
///
/// Placeholders: `{id}`, `{name}`, `{start}` and `{end}` (local times), `{start-unix}` and
/// `{end-unix}` (seconds), `{file-path}`, `{address}`, `{secrecy}` (0 or 1), `{type}`,
/// `{recorder-id}`, `{file-size}` (octets).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordItem {
    /// `DeviceID`: the channel.
    pub id: String,
    /// `Name`: the channel's.
    pub name: String,
    /// `FilePath`.
    pub file_path: String,
    /// `Address`.
    pub address: String,
    /// `StartTime`.
    pub start: Wall,
    /// `EndTime`.
    pub end: Wall,
    /// `Secrecy`.
    pub secrecy: bool,
    /// `Type`.
    pub kind: RecordKind,
    /// `RecorderID`: who recorded it.
    pub recorder_id: String,
    /// `FileSize`, in octets.
    pub file_size: Option<u64>,
}

pub(super) const STANDARD: &[&str] = &[
    "DeviceID={id}",
    "Name={name}",
    "FilePath={file-path}",
    "Address={address}",
    "StartTime={start}",
    "EndTime={end}",
    "Secrecy={secrecy}",
    "Type={type}",
    "RecorderID={recorder-id}",
    "FileSize={file-size}",
];

impl Facts for RecordItem {
    const NAMES: &'static [&'static str] = &[
        "id",
        "name",
        "file-path",
        "address",
        "start",
        "end",
        "start-unix",
        "end-unix",
        "secrecy",
        "type",
        "recorder-id",
        "file-size",
    ];

    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "id" => Some(self.id.as_str().into()),
            "name" => Some(self.name.as_str().into()),
            "file-path" => Some(self.file_path.as_str().into()),
            "address" => Some(self.address.as_str().into()),
            "start" => Some(time::local(self.start).into()),
            "end" => Some(time::local(self.end).into()),
            "start-unix" => Some(self.start.as_seconds().to_string().into()),
            "end-unix" => Some(self.end.as_seconds().to_string().into()),
            "secrecy" => Some(if self.secrecy { "1" } else { "0" }.into()),
            "type" => Some(self.kind.as_str().into()),
            "recorder-id" => Some(self.recorder_id.as_str().into()),
            "file-size" => self.file_size.map(|octets| octets.to_string().into()),
            _ => None,
        }
    }
}

impl RecordItem {
    /// Reads an `Item`, if it has a channel and times.
    fn read(item: &Element) -> Option<RecordItem> {
        let text = |name| item.text_of(name).unwrap_or_default().to_owned();
        Some(RecordItem {
            id: item.text_of("DeviceID")?.to_owned(),
            name: text("Name"),
            file_path: text("FilePath"),
            address: text("Address"),
            start: time::parse(item.text_of("StartTime")?)?,
            end: time::parse(item.text_of("EndTime")?)?,
            secrecy: item.text_of("Secrecy") == Some("1"),
            kind: item
                .text_of("Type")
                .and_then(RecordKind::parse)
                .unwrap_or_default(),
            recorder_id: text("RecorderID"),
            file_size: item.text_of("FileSize").and_then(|size| size.parse().ok()),
        })
    }
}

impl ManscdpStyle {
    /// The answer to a RecordInfo query about a channel of this name, in as many messages as the
    /// make's batches ask for.
    pub fn record_info(
        &self,
        sn: impl Display,
        device_id: impl Display,
        name: &str,
        items: &[RecordItem],
    ) -> Vec<Bytes> {
        let elements = items.iter().map(|item| Element {
            children: self.record_item.fill(item),
            ..Element::new("Item")
        });
        let sum = items.len().to_string();
        let part = |list: Option<Element>| {
            let mut rest = vec![
                Element::leaf("Name", name),
                Element::leaf("SumNum", sum.as_str()),
            ];
            rest.extend(list);
            self.write(Root::Response, CMD_TYPE, &sn, &device_id, rest)
        };
        let batch = self.records_per_message.unwrap_or(self.items_per_message);
        self.in_lists("RecordList", batch, elements.collect(), part)
    }
}

/// One message of an answer, as a platform reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordPart {
    /// How many files the answer has in all its messages; `None`: it does not say.
    pub sum: Option<usize>,
    /// The files in this message.
    pub items: Vec<RecordItem>,
    /// `Num` of the list, and how many items there are in it, readable or not.
    pub num: Option<(String, usize)>,
}

impl RecordPart {
    /// Reads a `Response`. Items without channel and times are skipped.
    pub fn read(message: &Incoming) -> RecordPart {
        let list = message.body.child("RecordList");
        let items = || {
            list.into_iter()
                .flat_map(|list| list.children_named("Item"))
        };
        let sum = message.body.text_of("SumNum");
        RecordPart {
            sum: sum.and_then(|sum| sum.trim().parse().ok()),
            items: items().filter_map(RecordItem::read).collect(),
            num: list.map(|list| {
                let num = list.attribute("Num").unwrap_or("none");
                (num.to_owned(), items().count())
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(n: i64) -> RecordItem {
        RecordItem {
            id: "34020000001310000001".into(),
            name: "大门".into(),
            file_path: "/1".into(),
            address: "Address".into(),
            start: Wall::from_seconds(1_714_804_996 + n * 1000),
            end: Wall::from_seconds(1_714_805_996 + n * 1000),
            secrecy: false,
            kind: RecordKind::Alarm,
            recorder_id: "admin".into(),
            file_size: Some(2_124_794_308),
        }
    }

    #[test]
    fn an_answer_is_read_as_it_was_written_in_every_batch() {
        let items: Vec<_> = (0..250).map(item).collect();
        let parts = ManscdpStyle::default().record_info(7, "34020000001310000001", "大门", &items);
        assert!(parts.len() > 50, "{}", parts.len());
        let mut read = Vec::new();
        for part in &parts {
            let part = RecordPart::read(&Incoming::parse(part).unwrap());
            assert_eq!(part.sum, Some(250));
            assert_eq!(
                part.num.map(|(num, count)| num == count.to_string()),
                Some(true)
            );
            read.extend(part.items);
        }
        assert_eq!(read, items);
    }

    #[test]
    fn nothing_recorded_is_one_message_without_a_list() {
        let parts = ManscdpStyle::default().record_info(7, "3402", "Gate", &[]);
        assert_eq!(
            parts,
            ["<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Response>\n\
              <CmdType>RecordInfo</CmdType>\n<SN>7</SN>\n<DeviceID>3402</DeviceID>\n\
              <Name>Gate</Name>\n<SumNum>0</SumNum>\n</Response>\n"]
        );
        let read = RecordPart::read(&Incoming::parse(&parts[0]).unwrap());
        assert_eq!((read.sum, read.items, read.num), (Some(0), vec![], None));
    }

    #[test]
    fn a_query_is_read_with_empty_and_missing_elements() {
        let read = |more: &str| {
            let text = format!(
                "<Query><CmdType>RecordInfo</CmdType><SN>1</SN><DeviceID>1</DeviceID>{more}</Query>"
            );
            RecordQuery::read(&Incoming::parse(text.as_bytes()).unwrap())
        };
        let whole = read(
            "<StartTime>2024-05-01T00:00:00</StartTime><EndTime>2024-05-04T15:41:00</EndTime>\
             <FilePath></FilePath><Secrecy>0</Secrecy><Type>alarm</Type>",
        );
        let expected = RecordQuery {
            start: Wall::from_seconds(1_714_492_800),
            end: Wall::from_seconds(1_714_808_460),
            kind: Some(RecordKind::Alarm),
        };
        assert_eq!(whole, Some(expected));
        let open = read("<StartTime></StartTime><Type>all</Type>").unwrap();
        assert_eq!((open.start, open.kind), (Wall::from_seconds(0), None));
        assert_eq!(open.end, Wall::from_micros(i64::MAX));
        assert_eq!(read("<Type>everything</Type>"), None);
    }
}
