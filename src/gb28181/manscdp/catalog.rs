//! Catalog: the list of a device's channels (GB/T 28181-2022 A.2.4.3, A.2.6.3, annex M).

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Display;

use bytes::Bytes;

use super::incoming::{Incoming, Root};
use super::style::{Batch, ManscdpStyle};
use crate::gb28181::element::Element;
use crate::gb28181::template::Facts;

/// One entry of a catalogue. Empty texts and `None` are not known, and not written.
///
/// Placeholders: `{id}`, `{name}`, `{manufacturer}`, `{model}`, `{owner}`, `{civil-code}`,
/// `{block}`, `{address}`, `{parental}` (0 or 1), `{parent-id}`, `{register-way}`, `{secrecy}`
/// (0 or 1), `{ip-address}`, `{port}`, `{status}` (`ON` or `OFF`), `{longitude}`, `{latitude}`,
/// `{ptz-type}`.
#[derive(Clone, Debug, PartialEq)]
pub struct CatalogItem {
    /// `DeviceID`: 20 digits, or 2 to 8 for a region.
    pub id: String,
    /// `Name`.
    pub name: String,
    /// `Manufacturer`.
    pub manufacturer: String,
    /// `Model`.
    pub model: String,
    /// `Owner` (2016).
    pub owner: Option<String>,
    /// `CivilCode`: the administrative region, 2 to 8 digits.
    pub civil_code: String,
    /// `Block`: the police area.
    pub block: Option<String>,
    /// `Address`: where it is mounted.
    pub address: String,
    /// `Parental`: whether it has children.
    pub parental: bool,
    /// `ParentID`.
    pub parent_id: String,
    /// `RegisterWay`: 1 is IETF SIP digest.
    pub register_way: u8,
    /// `Secrecy`: whether it is secret.
    pub secrecy: bool,
    /// `IPAddress`.
    pub ip_address: Option<String>,
    /// `Port`.
    pub port: Option<u16>,
    /// `Status`: whether it works.
    pub online: bool,
    /// `Longitude`, in degrees.
    pub longitude: Option<f64>,
    /// `Latitude`, in degrees.
    pub latitude: Option<f64>,
    /// `PTZType`: 1 dome, 2 half dome, 3 fixed bullet, 4 bullet on a PTZ mount.
    pub ptz_type: Option<u8>,
}

impl Default for CatalogItem {
    /// A channel that works, registered by digest, of which nothing else is known.
    fn default() -> Self {
        CatalogItem {
            id: String::new(),
            name: String::new(),
            manufacturer: String::new(),
            model: String::new(),
            owner: None,
            civil_code: String::new(),
            block: None,
            address: String::new(),
            parental: false,
            parent_id: String::new(),
            register_way: 1,
            secrecy: false,
            ip_address: None,
            port: None,
            online: true,
            longitude: None,
            latitude: None,
            ptz_type: None,
        }
    }
}

/// The order of GB/T 28181-2016 A.2.1.9.
pub(super) const STANDARD: &[&str] = &[
    "DeviceID={id}",
    "Name={name}",
    "Manufacturer={manufacturer}",
    "Model={model}",
    "Owner={owner}",
    "CivilCode={civil-code}",
    "Block={block}",
    "Address={address}",
    "Parental={parental}",
    "ParentID={parent-id}",
    "SafetyWay=0",
    "RegisterWay={register-way}",
    "Secrecy={secrecy}",
    "IPAddress={ip-address}",
    "Port={port}",
    "Status={status}",
    "Longitude={longitude}",
    "Latitude={latitude}",
    "Info/PTZType={ptz-type}",
];

impl Facts for CatalogItem {
    const NAMES: &'static [&'static str] = &[
        "id",
        "name",
        "manufacturer",
        "model",
        "owner",
        "civil-code",
        "block",
        "address",
        "parental",
        "parent-id",
        "register-way",
        "secrecy",
        "ip-address",
        "port",
        "status",
        "longitude",
        "latitude",
        "ptz-type",
    ];

    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let bit = |set| Some(if set { "1".into() } else { "0".into() });
        match name {
            "id" => Some(self.id.as_str().into()),
            "name" => Some(self.name.as_str().into()),
            "manufacturer" => Some(self.manufacturer.as_str().into()),
            "model" => Some(self.model.as_str().into()),
            "owner" => self.owner.as_deref().map(Cow::from),
            "civil-code" => Some(self.civil_code.as_str().into()),
            "block" => self.block.as_deref().map(Cow::from),
            "address" => Some(self.address.as_str().into()),
            "parental" => bit(self.parental),
            "parent-id" => Some(self.parent_id.as_str().into()),
            "register-way" => Some(self.register_way.to_string().into()),
            "secrecy" => bit(self.secrecy),
            "ip-address" => self.ip_address.as_deref().map(Cow::from),
            "port" => self.port.map(|port| port.to_string().into()),
            "status" => Some(if self.online {
                "ON".into()
            } else {
                "OFF".into()
            }),
            "longitude" => self.longitude.map(|degrees| degrees.to_string().into()),
            "latitude" => self.latitude.map(|degrees| degrees.to_string().into()),
            "ptz-type" => self.ptz_type.map(|kind| kind.to_string().into()),
            _ => None,
        }
    }
}

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
        let part = |items| self.catalog_part(&sn, &device_id, sum, items);
        if items.is_empty() {
            return vec![part(items)];
        }
        self.batches(items, part(Vec::new()).len())
            .into_iter()
            .map(part)
            .collect()
    }

    fn catalog_item(&self, item: &CatalogItem) -> Element {
        Element {
            children: self.catalog_item.fill(item),
            ..Element::new("Item")
        }
    }

    fn catalog_part(&self, sn: &str, device_id: &str, sum: usize, items: Vec<Element>) -> Bytes {
        let mut rest = vec![Element::leaf("SumNum", sum.to_string())];
        if !items.is_empty() {
            rest.push(list(items));
        }
        self.write(Root::Response, "Catalog", sn, device_id, rest)
    }

    /// Cuts the items into lists. `bare` is how many octets a message has without its list.
    fn batches(&self, items: Vec<Element>, bare: usize) -> Vec<Vec<Element>> {
        let (most, limit) = match self.items_per_message {
            Batch::One => (1, usize::MAX),
            Batch::Items(most) => (most.max(1), usize::MAX),
            Batch::Fit(octets) => (usize::MAX, octets),
        };
        let mut batches = Vec::new();
        let mut batch = Vec::new();
        let mut octets = 0;
        for item in items {
            let more = self.xml.octets(&item, 2);
            if batch.is_empty() {
                octets = bare + self.list_octets(&item);
            } else if batch.len() >= most || octets + more > limit {
                batches.push(std::mem::take(&mut batch));
                octets = bare + self.list_octets(&item);
            } else {
                octets += more;
            }
            batch.push(item);
        }
        batches.push(batch);
        batches
    }

    /// How many octets a list takes with this one item (and a count of up to three digits).
    fn list_octets(&self, item: &Element) -> usize {
        self.xml.octets(&list(vec![item.clone()]), 1) + 2
    }
}

fn list(items: Vec<Element>) -> Element {
    Element {
        attributes: vec![("Num".to_owned(), items.len().to_string())],
        children: items,
        ..Element::new("DeviceList")
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

impl CatalogItem {
    fn read(item: &Element) -> Option<CatalogItem> {
        let text = |name| item.text_of(name).unwrap_or_default().to_owned();
        let optional = |name| item.text_of(name).map(str::to_owned);
        let info = item.child("Info");
        let ptz_type = info.and_then(|info| info.text_of("PTZType"));
        Some(CatalogItem {
            id: item.text_of("DeviceID")?.to_owned(),
            name: text("Name"),
            manufacturer: text("Manufacturer"),
            model: text("Model"),
            owner: optional("Owner"),
            civil_code: text("CivilCode"),
            block: optional("Block"),
            address: text("Address"),
            parental: item.text_of("Parental") == Some("1"),
            parent_id: text("ParentID"),
            register_way: number(item, "RegisterWay").unwrap_or(1),
            secrecy: item.text_of("Secrecy") == Some("1"),
            ip_address: optional("IPAddress"),
            port: number(item, "Port"),
            online: item.text_of("Status").is_none_or(is_on),
            longitude: number(item, "Longitude"),
            latitude: number(item, "Latitude"),
            ptz_type: ptz_type.and_then(|kind| kind.parse().ok()),
        })
    }
}

fn number<T: std::str::FromStr>(item: &Element, name: &str) -> Option<T> {
    item.text_of(name)?.parse().ok()
}

/// `ON`, and what careless devices write for it.
fn is_on(status: &str) -> bool {
    let status = status.to_ascii_uppercase();
    matches!(status.as_str(), "ON" | "OK" | "ONLINE")
}

#[cfg(test)]
mod tests {
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
        assert!(smallest_but_last.unwrap() > 1200 - item - 4);
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
