//! Notifications of what changed in a catalogue (GB/T 28181-2022 A.2.5.7 and annex P of 2016).

use std::fmt::{self, Display};

use bytes::Bytes;

use super::catalog_item::CatalogItem;
use super::incoming::{Incoming, Root};
use super::lists;
use super::style::ManscdpStyle;
use crate::gb28181::element::Element;

/// The most changes of one notification (GB/T 28181-2022 9.11).
const MOST_CHANGES: usize = 100;
const LIST: &str = "DeviceList";

/// What happened to an item of a catalogue: `Event`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CatalogEvent {
    /// `ON`: it is on-line.
    On,
    /// `OFF`: it is off-line.
    Off,
    /// `VLOST`: its picture is lost.
    VideoLost,
    /// `DEFECT`: it is broken.
    Defect,
    /// `ADD`: it is new.
    Add,
    /// `DEL`: it is gone.
    Delete,
    /// `UPDATE`: it is called otherwise.
    Update,
}

impl CatalogEvent {
    const ALL: [CatalogEvent; 7] = [
        CatalogEvent::On,
        CatalogEvent::Off,
        CatalogEvent::VideoLost,
        CatalogEvent::Defect,
        CatalogEvent::Add,
        CatalogEvent::Delete,
        CatalogEvent::Update,
    ];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            CatalogEvent::On => "ON",
            CatalogEvent::Off => "OFF",
            CatalogEvent::VideoLost => "VLOST",
            CatalogEvent::Defect => "DEFECT",
            CatalogEvent::Add => "ADD",
            CatalogEvent::Delete => "DEL",
            CatalogEvent::Update => "UPDATE",
        }
    }

    fn parse(text: &str) -> Option<CatalogEvent> {
        CatalogEvent::ALL
            .into_iter()
            .find(|event| event.as_str().eq_ignore_ascii_case(text.trim()))
    }

    /// Whether the item is told with everything that is known of it.
    pub const fn is_whole(self) -> bool {
        matches!(self, CatalogEvent::Add | CatalogEvent::Update)
    }
}

impl fmt::Display for CatalogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogChange {
    /// What it happened to; of an item that is not new only the ID counts.
    pub item: CatalogItem,
    /// What happened.
    pub event: CatalogEvent,
}

impl ManscdpStyle {
    /// The notification of the first of these changes, and of how many of them: as many as
    /// [`items_per_message`](ManscdpStyle::items_per_message) asks for, and never more than a
    /// hundred (GB/T 28181-2022 A.2.5.7). The others need notifications of their own.
    ///
    /// Each notification is whole: its `SumNum` is the number of its own items.
    pub fn catalog_changes<'c>(
        &self,
        sn: impl Display,
        device_id: impl Display,
        changes: impl IntoIterator<Item = &'c CatalogChange>,
    ) -> (Bytes, usize) {
        let (sn, device_id) = (sn.to_string(), device_id.to_string());
        let write = |items: Vec<Element>| {
            let sum = Element::leaf("SumNum", items.len().to_string());
            let rest = vec![sum, lists::list(LIST, items)];
            self.write(Root::Notify, "Catalog", &sn, &device_id, rest)
        };
        let changes = changes.into_iter().take(MOST_CHANGES);
        let mut items: Vec<_> = changes.map(|change| self.catalog_change(change)).collect();
        let bare = write(Vec::new()).len();
        let count = self.first_batch(LIST, self.items_per_message, &items, bare);
        items.truncate(count);
        (write(items), count)
    }

    fn catalog_change(&self, change: &CatalogChange) -> Element {
        let mut children = match change.event.is_whole() {
            true => self.catalog_template(&change.item).fill(&change.item),
            false => vec![Element::leaf("DeviceID", change.item.id.as_str())],
        };
        children.insert(
            1.min(children.len()),
            Element::leaf("Event", change.event.as_str()),
        );
        Element {
            children,
            ..Element::new("Item")
        }
    }
}

impl CatalogChange {
    /// The change of an item of which only the ID is told.
    pub fn brief(id: impl Display, event: CatalogEvent) -> CatalogChange {
        let item = CatalogItem {
            id: id.to_string(),
            ..CatalogItem::default()
        };
        CatalogChange { item, event }
    }

    /// Reads a notification. Items without an ID or a known event are skipped.
    pub fn read(message: &Incoming) -> Vec<CatalogChange> {
        let list = message.body.child("DeviceList");
        let items = list
            .into_iter()
            .flat_map(|list| list.children_named("Item"));
        items
            .filter_map(|item| {
                Some(CatalogChange {
                    event: CatalogEvent::parse(item.text_of("Event")?)?,
                    item: CatalogItem::read(item)?,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::style::Batch;
    use super::*;

    #[test]
    fn what_goes_off_is_told_by_its_id_and_what_is_new_with_everything() {
        let item = CatalogItem {
            id: "34020000001310000001".into(),
            name: "Gate".into(),
            ..CatalogItem::default()
        };
        let change = |event| CatalogChange {
            item: item.clone(),
            event,
        };
        let changes = [change(CatalogEvent::Off), change(CatalogEvent::Add)];
        let style = ManscdpStyle::default();
        let (body, count) = style.catalog_changes(4, "34020000001320000001", &changes);
        assert_eq!(count, 2);
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(
            text.contains(
                "<SumNum>2</SumNum>\n<DeviceList Num=\"2\">\n<Item>\n\
                 <DeviceID>34020000001310000001</DeviceID>\n<Event>OFF</Event>\n</Item>\n<Item>\n\
                 <DeviceID>34020000001310000001</DeviceID>\n<Event>ADD</Event>\n\
                 <Name>Gate</Name>\n"
            ),
            "{text}"
        );
        let read = CatalogChange::read(&Incoming::parse(&body).unwrap());
        let events: Vec<_> = read.iter().map(|change| change.event).collect();
        assert_eq!(events, [CatalogEvent::Off, CatalogEvent::Add]);
        assert_eq!(
            (read[0].item.name.as_str(), read[1].item.name.as_str()),
            ("", "Gate")
        );
    }

    #[test]
    fn a_notification_carries_as_many_changes_as_the_make_puts_in_a_message() {
        let id = |n: u32| format!("34020000001310{n:06}");
        let off = |n| CatalogChange::brief(id(n), CatalogEvent::Off);
        let changes: Vec<_> = (1..=250).map(off).collect();
        for (batch, expected) in [
            (Batch::One, 1),
            (Batch::Items(0), 1),
            (Batch::Items(7), 7),
            (Batch::Items(1000), MOST_CHANGES),
            (Batch::Fit(0), 1),
            (Batch::Fit(1_000_000), MOST_CHANGES),
        ] {
            let style = ManscdpStyle {
                items_per_message: batch,
                ..ManscdpStyle::default()
            };
            let (body, count) = style.catalog_changes(4, "34020000001180000001", &changes);
            assert_eq!(count, expected, "{batch:?}");
            let message = Incoming::parse(&body).unwrap();
            let sum = message.body.text_of("SumNum").map(str::to_owned);
            assert_eq!(sum, Some(count.to_string()), "{batch:?}");
            assert_eq!(CatalogChange::read(&message), changes[..count], "{batch:?}");
        }
        let style = ManscdpStyle::default();
        let (body, count) = style.catalog_changes(4, "34020000001180000001", &changes);
        let (more, _) = style.catalog_changes(4, "34020000001180000001", &changes[..=count]);
        assert!(body.len() <= 1200 && count > 10, "{count}");
        assert_eq!(body, more, "one more does not fit");
    }

    #[test]
    fn items_without_a_known_event_are_skipped() {
        let text = "<Notify><CmdType>Catalog</CmdType><SN>1</SN><DeviceID>1</DeviceID>\
             <DeviceList Num=\"3\"><Item><DeviceID>1</DeviceID></Item>\
             <Item><DeviceID>2</DeviceID><Event>burnt</Event></Item>\
             <Item><DeviceID>3</DeviceID><Event>vlost</Event></Item></DeviceList></Notify>";
        let read = CatalogChange::read(&Incoming::parse(text.as_bytes()).unwrap());
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].event, CatalogEvent::VideoLost);
    }
}
