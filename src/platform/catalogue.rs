//! One catalogue put together from its parts, in whatever order they come
//! (GB/T 28181-2022 A.2.6.3, annex M).

use std::collections::HashSet;

use crate::gb28181::manscdp::{CatalogItem, CatalogPart, Incoming as Document};

use super::complaint::Deviation;

/// The most items that are believed and kept.
const MAX_ITEMS: usize = 100_000;

/// What has come of a catalogue. It is complete with as many different IDs as it says it has.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    sum: Option<usize>,
    items: Vec<CatalogItem>,
    ids: HashSet<String>,
}

impl Catalogue {
    /// Takes one message in, noticing what is wrong with it.
    pub fn take(&mut self, document: &Document, noticed: &mut Vec<(Deviation, String)>) {
        self.take_sum(document, noticed);
        let part = CatalogPart::read(document);
        check_list(document, part.items.len(), noticed);
        for item in part.items {
            if !is_id(&item.id) {
                noticed.push((Deviation::ItemId, item.id.chars().take(40).collect()));
            }
            if !self.ids.insert(item.id.clone()) {
                noticed.push((Deviation::ItemRepeated, item.id));
            } else if self.items.len() < MAX_ITEMS {
                self.items.push(item);
            }
        }
        if self.sum.is_some_and(|sum| self.items.len() > sum) {
            let detail = format!("{} items of {:?}", self.items.len(), self.sum);
            noticed.push((Deviation::SumNum, detail));
        }
    }

    fn take_sum(&mut self, document: &Document, noticed: &mut Vec<(Deviation, String)>) {
        let text = document.body.text_of("SumNum");
        let sum: Option<usize> = text.and_then(|sum| sum.trim().parse().ok());
        match (sum, self.sum) {
            (None, _) => noticed.push((Deviation::SumNum, text.unwrap_or("none").to_owned())),
            (Some(sum), None) => self.sum = Some(sum.min(MAX_ITEMS)),
            (Some(sum), Some(before)) if sum.min(MAX_ITEMS) != before => {
                noticed.push((Deviation::SumNum, format!("{sum} after {before}")));
            }
            _ => {}
        }
    }

    /// Whether everything is here. One that does not say how much there is never is.
    pub fn is_complete(&self) -> bool {
        self.sum.is_some_and(|sum| self.items.len() >= sum)
    }

    /// How many items have come.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// How many there should be.
    pub fn sum(&self) -> Option<usize> {
        self.sum
    }

    /// Hands the items over, in the order they came.
    pub fn items(&mut self) -> Vec<CatalogItem> {
        std::mem::take(&mut self.items)
    }
}

/// A notification of changes counts its own items, and says of each what happened to it
/// (GB/T 28181-2022 A.2.5.7). `readable` of them do.
pub(super) fn check_changes(
    document: &Document,
    readable: usize,
    noticed: &mut Vec<(Deviation, String)>,
) {
    let list = document.body.child("DeviceList");
    let items = list.map_or(0, |list| list.children_named("Item").count());
    let num = list.and_then(|list| list.attribute("Num"));
    let counts = [
        (Deviation::SumNum, document.body.text_of("SumNum")),
        (Deviation::Num, num),
    ];
    for (what, count) in counts {
        let count = count.unwrap_or("none");
        if count.trim().parse() != Ok(items) {
            noticed.push((what, format!("{count} for {items} changes")));
        }
    }
    if readable < items {
        let detail = format!("{} changes without ID or event", items - readable);
        noticed.push((Deviation::Notice, detail));
    }
}

/// `Num` and the items it counts. `readable` items have an ID.
fn check_list(document: &Document, readable: usize, noticed: &mut Vec<(Deviation, String)>) {
    let Some(list) = document.body.child("DeviceList") else {
        return;
    };
    let items = list.children_named("Item").count();
    let num = list.attribute("Num").unwrap_or("none");
    if num.trim().parse() != Ok(items) {
        noticed.push((Deviation::Num, format!("{num} for {items} items")));
    }
    if readable < items {
        let detail = format!("{} items without one", items - readable);
        noticed.push((Deviation::ItemId, detail));
    }
}

/// A device, group or system has 20 digits, a region 2, 4, 6 or 8.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 2 | 4 | 6 | 8 | 20) && text.bytes().all(|octet| octet.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gb28181::manscdp::CatalogChange;

    fn part(sum: &str, num: &str, ids: &[&str]) -> Document {
        let item = |id: &&str| format!("<Item><DeviceID>{id}</DeviceID></Item>");
        let items: String = ids.iter().map(item).collect();
        let text = format!(
            "<Response><CmdType>Catalog</CmdType><SN>1</SN><DeviceID>1</DeviceID>{sum}\
             <DeviceList Num=\"{num}\">{items}</DeviceList></Response>"
        );
        Document::parse(text.as_bytes()).unwrap()
    }

    fn take(catalogue: &mut Catalogue, document: &Document) -> Vec<Deviation> {
        let mut noticed = Vec::new();
        catalogue.take(document, &mut noticed);
        noticed.into_iter().map(|(what, _)| what).collect()
    }

    const A: &str = "34020000001310000001";
    const B: &str = "34020000001310000002";
    const OF_2: &str = "<SumNum>2</SumNum>";

    #[test]
    fn a_catalogue_is_complete_with_as_many_different_ids_as_it_says() {
        let mut catalogue = Catalogue::default();
        assert_eq!(take(&mut catalogue, &part(OF_2, "1", &[B])), []);
        assert_eq!(
            take(&mut catalogue, &part(OF_2, "1", &[B])),
            [Deviation::ItemRepeated]
        );
        assert!(!catalogue.is_complete());
        assert_eq!(take(&mut catalogue, &part(OF_2, "1", &[A])), []);
        assert!(catalogue.is_complete());
        let ids: Vec<_> = catalogue.items().into_iter().map(|item| item.id).collect();
        assert_eq!(ids, [B, A]);
    }

    #[test]
    fn an_empty_catalogue_is_complete_at_once_and_one_without_a_sum_never() {
        let mut empty = Catalogue::default();
        let text = b"<Response><CmdType>Catalog</CmdType><SumNum>0</SumNum></Response>";
        assert_eq!(take(&mut empty, &Document::parse(text).unwrap()), []);
        assert!(empty.is_complete());
        let mut endless = Catalogue::default();
        assert_eq!(
            take(&mut endless, &part("", "1", &[A])),
            [Deviation::SumNum]
        );
        assert!(!endless.is_complete());
    }

    #[test]
    fn a_notification_counts_its_changes_and_says_what_they_are() {
        let noticed = |sum: &str, num: &str, event: &str| {
            let text = format!(
                "<Notify><CmdType>Catalog</CmdType><SumNum>{sum}</SumNum>\
                 <DeviceList Num=\"{num}\"><Item><DeviceID>{A}</DeviceID>{event}</Item>\
                 </DeviceList></Notify>"
            );
            let document = Document::parse(text.as_bytes()).unwrap();
            let mut noticed = Vec::new();
            let readable = CatalogChange::read(&document).len();
            check_changes(&document, readable, &mut noticed);
            noticed
                .into_iter()
                .map(|(what, _)| what)
                .collect::<Vec<_>>()
        };
        let off = "<Event>OFF</Event>";
        assert_eq!(noticed("1", "1", off), []);
        assert_eq!(noticed("2", "1", off), [Deviation::SumNum]);
        assert_eq!(noticed("1", "2", off), [Deviation::Num]);
        assert_eq!(noticed("1", "1", ""), [Deviation::Notice]);
    }

    #[test]
    fn what_is_wrong_with_a_part_is_noticed() {
        let noticed = |document| take(&mut Catalogue::default(), &document);
        assert_eq!(noticed(part(OF_2, "2", &[A])), [Deviation::Num]);
        assert_eq!(noticed(part(OF_2, "x", &[A])), [Deviation::Num]);
        assert_eq!(noticed(part(OF_2, "1", &["340"])), [Deviation::ItemId]);
        assert_eq!(noticed(part(OF_2, "1", &[""])), [Deviation::ItemId]);
        let one = "<SumNum>1</SumNum>";
        assert_eq!(noticed(part(one, "2", &[A, B])), [Deviation::SumNum]);
        let mut twice = Catalogue::default();
        take(&mut twice, &part(OF_2, "1", &[A]));
        assert_eq!(
            take(&mut twice, &part("<SumNum>3</SumNum>", "1", &[B])),
            [Deviation::SumNum]
        );
    }
}
