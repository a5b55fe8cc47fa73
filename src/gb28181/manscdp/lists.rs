//! Long lists in several messages (GB/T 28181-2022 annex M).

use std::borrow::Borrow;

use bytes::Bytes;

use super::style::{Batch, ManscdpStyle};
use crate::gb28181::element::Element;

impl ManscdpStyle {
    /// The messages that carry `items` in lists called `name`, as many in each as `batch` says;
    /// `part` writes one. Without items there is one message without a list.
    pub(super) fn in_lists(
        &self,
        name: &str,
        batch: Batch,
        items: Vec<Element>,
        part: impl Fn(Option<Element>) -> Bytes,
    ) -> Vec<Bytes> {
        let bare = part(None);
        if items.is_empty() {
            return vec![bare];
        }
        let batches = self.batches(name, batch, items, bare.len()).into_iter();
        batches.map(|items| part(Some(list(name, items)))).collect()
    }

    /// Cuts the items into lists. `bare` is how many octets a message has without its list.
    fn batches(
        &self,
        name: &str,
        batch: Batch,
        items: Vec<Element>,
        bare: usize,
    ) -> Vec<Vec<Element>> {
        let mut batches = Vec::new();
        let mut left = items.into_iter();
        while !left.as_slice().is_empty() {
            let first = self.first_batch(name, batch, left.as_slice(), bare);
            batches.push(left.by_ref().take(first).collect());
        }
        batches
    }

    /// How many of these items go into one list, the first of them in any case. No more are looked
    /// at than that, and one.
    pub(super) fn first_batch(
        &self,
        name: &str,
        batch: Batch,
        items: impl IntoIterator<Item: Borrow<Element>>,
        bare: usize,
    ) -> usize {
        let (most, limit) = match batch {
            Batch::One => (1, usize::MAX),
            Batch::Items(most) => (most.max(1), usize::MAX),
            Batch::Fit(octets) => (usize::MAX, octets),
        };
        let mut octets = bare;
        let mut count = 0;
        for item in items.into_iter().take(most) {
            octets += match count {
                0 => self.list_octets(name, item.borrow()),
                _ => self.xml.octets(item.borrow(), 2),
            };
            if count > 0 && octets > limit {
                break;
            }
            count += 1;
        }
        count
    }

    /// How many octets a list takes with this one item (and a count of up to five digits).
    fn list_octets(&self, name: &str, item: &Element) -> usize {
        self.xml.octets(&list(name, vec![item.clone()]), 1) + 4
    }
}

pub(super) fn list(name: &str, items: Vec<Element>) -> Element {
    Element {
        attributes: vec![("Num".to_owned(), items.len().to_string())],
        children: items,
        ..Element::new(name)
    }
}
