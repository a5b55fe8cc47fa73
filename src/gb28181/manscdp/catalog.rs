//! Catalog: the list of a device's channels (GB/T 28181-2022 annex A; in several messages: annex M).

use std::collections::HashSet;
use std::fmt::Display;

use bytes::Bytes;

use super::catalog_item::CatalogItem;
use super::incoming::{Incoming, Root};
use super::style::ManscdpStyle;
use crate::gb28181::DeviceId;
use crate::gb28181::element::Element;
use crate::gb28181::template::XmlTemplate;

impl ManscdpStyle {
    /// The answer to a Catalog query, in as many messages as
    /// [`items_per_message`](ManscdpStyle::items_per_message) asks for.
    ///
    /// `SumNum` is the number of distinct IDs, since platforms wait for that many: of items with
    /// one ID only the first is written. Without items there is one message without a list.
    pub fn catalog(
        &self,
        sn: impl Display,
        device_id: impl Display,
        items: &[CatalogItem],
    ) -> Vec<Bytes> {
        let (sn, device_id) = (sn.to_string(), device_id.to_string());
        let mut seen = HashSet::new();
        let distinct = items.iter().filter(|item| seen.insert(item.id.as_str()));
        let items: Vec<Element> = distinct.map(|item| self.catalog_item(item)).collect();
        let sum = items.len();
        let part = |list| self.catalog_part(&sn, &device_id, sum, list);
        self.in_lists("DeviceList", self.items_per_message, items, part)
    }

    fn catalog_item(&self, item: &CatalogItem) -> Element {
        Element {
            children: self.catalog_template(item).fill(item),
            ..Element::new("Item")
        }
    }

    /// What kind of thing an item is decides how a make writes it.
    pub(super) fn catalog_template(&self, item: &CatalogItem) -> &XmlTemplate<CatalogItem> {
        let special = match item.type_code() {
            None | Some(DeviceId::BUSINESS_GROUP | DeviceId::ORGANISATION) => {
                return &self.catalog_node;
            }
            Some(DeviceId::ALARM_INPUT) => &self.alarm_input_item,
            Some(DeviceId::VOICE_OUTPUT) => &self.voice_output_item,
            Some(_) => &None,
        };
        special.as_ref().unwrap_or(&self.catalog_item)
    }

    fn catalog_part(&self, sn: &str, device_id: &str, sum: usize, list: Option<Element>) -> Bytes {
        let mut rest = vec![Element::leaf("SumNum", sum.to_string())];
        rest.extend(list);
        self.write(Root::Response, "Catalog", sn, device_id, rest)
    }
}

/// One message of a catalogue, as a platform reads it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CatalogPart {
    /// How many items the catalogue has in all its messages.
    pub sum: usize,
    /// The items in this message.
    pub items: Vec<CatalogItem>,
}

impl CatalogPart {
    /// Reads a `Response` or `Notify` with a `DeviceList`. Items without an ID are skipped; what
    /// cannot be read is as good as absent.
    pub fn read(message: &Incoming) -> CatalogPart {
        let list = message.body.child("DeviceList");
        let items = list
            .into_iter()
            .flat_map(|list| list.children_named("Item"));
        let items: Vec<_> = items.filter_map(CatalogItem::read).collect();
        let sum = message
            .body
            .text_of("SumNum")
            .and_then(|sum| sum.parse().ok());
        CatalogPart {
            sum: sum.unwrap_or(items.len()),
            items,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::style::Batch;
    use super::*;
    use crate::gb28181::charset;

    fn channels(count: u32) -> Vec<CatalogItem> {
        let named = |n| CatalogItem {
            id: format!("34020000001310{n:06}"),
            name: format!("大门 {n}"),
            manufacturer: "Dahua".into(),
            longitude: Some(113.25),
            ptz_type: Some(3),
            ..CatalogItem::default()
        };
        (1..=count).map(named).collect()
    }

    fn parts(style: &ManscdpStyle, items: &[CatalogItem]) -> Vec<CatalogPart> {
        let messages = style.catalog(7, "34020000001180000001", items);
        let read = messages.iter().map(|body| {
            let message = Incoming::parse(body).unwrap();
            assert!(message.is(Root::Response, "Catalog"));
            assert_eq!((message.sn.as_str(), message.device_id.len()), ("7", 20));
            CatalogPart::read(&message)
        });
        read.collect()
    }

    fn batched(batch: Batch) -> ManscdpStyle {
        ManscdpStyle {
            items_per_message: batch,
            ..ManscdpStyle::default()
        }
    }

    #[test]
    fn every_batching_carries_every_item_once_and_the_same_sum() {
        let items = channels(9);
        for (batch, messages) in [
            (Batch::One, 9),
            (Batch::Items(0), 9),
            (Batch::Items(4), 3),
            (Batch::Items(100), 1),
            (Batch::Fit(0), 9),
            (Batch::Fit(1_000_000), 1),
        ] {
            let parts = parts(&batched(batch), &items);
            assert_eq!(parts.len(), messages, "{batch:?}");
            assert!(parts.iter().all(|part| part.sum == 9));
            let read: Vec<_> = parts.into_iter().flat_map(|part| part.items).collect();
            assert_eq!(read, items, "{batch:?}");
        }
    }

    #[test]
    fn bodies_are_filled_up_to_the_limit_and_never_beyond() {
        let style = batched(Batch::Fit(1200));
        let bodies = style.catalog(7, "34020000001180000001", &channels(30));
        let smallest_but_last = bodies.iter().rev().skip(1).map(Bytes::len).min();
        assert!(bodies.iter().all(|body| body.len() <= 1200));
        let item = style.xml.octets(&style.catalog_item(&channels(1)[0]), 2);
        assert!(smallest_but_last.unwrap() > 1200 - item - 8);
    }

    #[test]
    fn an_empty_catalogue_has_no_list() {
        let bodies = ManscdpStyle::default().catalog(7, "34020000001320000002", &[]);
        let text = charset::decode(&bodies[0]);
        assert_eq!(bodies.len(), 1);
        assert!(
            text.contains("<SumNum>0</SumNum>") && !text.contains("DeviceList"),
            "{text}"
        );
    }

    #[test]
    fn an_id_is_never_repeated() {
        let mut items = channels(3);
        items[2].id = items[0].id.clone();
        let parts = parts(&batched(Batch::One), &items);
        assert_eq!((parts.len(), parts[0].sum), (2, 2));
    }

    #[test]
    fn a_sloppy_item_is_read_as_far_as_it_goes() {
        let body = b"<Response><CmdType>Catalog</CmdType><SumNum>x</SumNum><DeviceList Num='3'>\
                     <Item><Name>no ID</Name></Item><Item><DeviceID>1</DeviceID><Port></Port>\
                     <Status>off</Status></Item></DeviceList></Response>";
        let part = CatalogPart::read(&Incoming::parse(body).unwrap());
        assert_eq!((part.sum, part.items.len()), (1, 1));
        assert_eq!((part.items[0].port, part.items[0].online), (None, false));
    }
}
