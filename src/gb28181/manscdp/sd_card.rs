//! SDCardStatus: the storage cards of a device (GB/T 28181-2022 §9.5, annex A).

use std::fmt::Display;

use bytes::Bytes;

use super::incoming::{Incoming, Root};
use super::style::ManscdpStyle;
use crate::gb28181::element::Element;

/// A storage card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdCard {
    /// `ID`: its number, from 1.
    pub id: u8,
    /// `HddName`.
    pub name: String,
    /// `Status`.
    pub state: SdCardState,
    /// `FormatProgress`: per cent.
    pub progress: u8,
    /// `Capacity` in megabytes.
    pub capacity: u32,
    /// `FreeSpace` in megabytes.
    pub free: u32,
}

/// The state of a storage card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SdCardState {
    /// In use.
    Ok,
    /// Being formatted.
    Formatting,
    /// Not formatted.
    Unformatted,
    /// Not in use.
    Idle,
    /// Broken.
    Error,
}

impl SdCardState {
    const ALL: [SdCardState; 5] = [
        SdCardState::Ok,
        SdCardState::Formatting,
        SdCardState::Unformatted,
        SdCardState::Idle,
        SdCardState::Error,
    ];

    /// The word of the standard.
    pub const fn as_str(self) -> &'static str {
        match self {
            SdCardState::Ok => "ok",
            SdCardState::Formatting => "formatting",
            SdCardState::Unformatted => "unformatted",
            SdCardState::Idle => "idle",
            SdCardState::Error => "error",
        }
    }
}

impl ManscdpStyle {
    /// The answer to an SDCardStatus query.
    pub fn sd_card_status(
        &self,
        sn: impl Display,
        device_id: impl Display,
        cards: &[SdCard],
    ) -> Bytes {
        let count = cards.len().to_string();
        let mut list = Element::new("SDCardStatusInfo");
        list.attributes.push(("Num".to_owned(), count.clone()));
        list.children.extend(cards.iter().map(SdCard::element));
        let rest = vec![Element::leaf("SumNum", count), list];
        self.write(Root::Response, "SDCardStatus", sn, device_id, rest)
    }
}

impl SdCard {
    fn element(&self) -> Element {
        Element::new("Item")
            .with(Element::leaf("ID", self.id.to_string()))
            .with(Element::leaf("HddName", self.name.as_str()))
            .with(Element::leaf("Status", self.state.as_str()))
            .with(Element::leaf("FormatProgress", self.progress.to_string()))
            .with(Element::leaf("Capacity", self.capacity.to_string()))
            .with(Element::leaf("FreeSpace", self.free.to_string()))
    }

    /// Reads an answer: the cards that are told rightly.
    pub fn read(document: &Incoming) -> Vec<SdCard> {
        let list = document.body.child("SDCardStatusInfo");
        let items = list
            .into_iter()
            .flat_map(|list| list.children_named("Item"));
        items.filter_map(SdCard::of).collect()
    }

    fn of(item: &Element) -> Option<SdCard> {
        let word = item.text_of("Status")?;
        let mut states = SdCardState::ALL.into_iter();
        Some(SdCard {
            id: item.text_of("ID")?.parse().ok()?,
            name: item.text_of("HddName").unwrap_or_default().to_owned(),
            state: states.find(|state| state.as_str() == word)?,
            progress: item
                .text_of("FormatProgress")
                .map_or(Some(0), |text| text.parse().ok())?,
            capacity: item.text_of("Capacity")?.parse().ok()?,
            free: item.text_of("FreeSpace")?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_are_these_octets_and_read_back() {
        let card = SdCard {
            id: 1,
            name: "sd1".to_owned(),
            state: SdCardState::Formatting,
            progress: 40,
            capacity: 60_906,
            free: 0,
        };
        let style = ManscdpStyle::default();
        let octets = style.sd_card_status(3, "34020000001320000001", std::slice::from_ref(&card));
        assert_eq!(
            String::from_utf8_lossy(&octets),
            "<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Response>\n\
             <CmdType>SDCardStatus</CmdType>\n<SN>3</SN>\n\
             <DeviceID>34020000001320000001</DeviceID>\n<SumNum>1</SumNum>\n\
             <SDCardStatusInfo Num=\"1\">\n<Item>\n<ID>1</ID>\n<HddName>sd1</HddName>\n\
             <Status>formatting</Status>\n<FormatProgress>40</FormatProgress>\n\
             <Capacity>60906</Capacity>\n<FreeSpace>0</FreeSpace>\n</Item>\n\
             </SDCardStatusInfo>\n</Response>\n"
        );
        assert_eq!(SdCard::read(&Incoming::parse(&octets).unwrap()), [card]);
    }

    #[test]
    fn what_is_told_wrongly_is_no_card() {
        let none = style_of("<Item><ID>1</ID><Status>dancing</Status></Item>");
        assert_eq!(SdCard::read(&none), []);
    }

    fn style_of(items: &str) -> Incoming {
        let body = format!(
            "<Response><CmdType>SDCardStatus</CmdType><SN>1</SN><DeviceID>1</DeviceID>\
             <SDCardStatusInfo>{items}</SDCardStatusInfo></Response>"
        );
        Incoming::parse(body.as_bytes()).unwrap()
    }
}
