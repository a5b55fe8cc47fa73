//! One list of recorded files put together from its parts (GB/T 28181-2022 A.2.6.5, annex M).

use std::collections::HashSet;

use crate::gb28181::manscdp::{Incoming as Document, RecordItem, RecordPart};
use crate::time::Wall;

use super::complaint::Deviation;

/// The most files that are believed and kept.
const MAX_FILES: usize = 100_000;

/// What has come of a list. It is complete with as many files as it says it has.
#[derive(Debug, Default)]
pub(super) struct RecordList {
    sum: Option<usize>,
    items: Vec<RecordItem>,
    times: HashSet<(Wall, Wall)>,
}

impl RecordList {
    /// Takes one message in, noticing what is wrong with it.
    pub fn take(&mut self, document: &Document, noticed: &mut Vec<(Deviation, String)>) {
        let part = RecordPart::read(document);
        match (part.sum, self.sum) {
            (None, _) => noticed.push((Deviation::SumNum, "none".to_owned())),
            (Some(sum), None) => self.sum = Some(sum.min(MAX_FILES)),
            (Some(sum), Some(before)) if sum.min(MAX_FILES) != before => {
                noticed.push((Deviation::SumNum, format!("{sum} after {before}")));
            }
            _ => {}
        }
        if let Some((num, count)) = &part.num
            && num.trim().parse() != Ok(*count)
        {
            noticed.push((Deviation::Num, format!("{num} for {count} items")));
        }
        for item in part.items {
            // Platforms tell files apart by their times.
            if !self.times.insert((item.start, item.end)) {
                noticed.push((Deviation::ItemRepeated, item.file_path));
            } else if self.items.len() < MAX_FILES {
                self.items.push(item);
            }
        }
    }

    /// Whether everything is here. One that does not say how much there is never is.
    pub fn is_complete(&self) -> bool {
        self.sum.is_some_and(|sum| self.items.len() >= sum)
    }

    /// How many files have come, and how many there should be.
    pub fn progress(&self) -> (usize, Option<usize>) {
        (self.items.len(), self.sum)
    }

    /// Hands the files over, in the order they came.
    pub fn items(&mut self) -> Vec<RecordItem> {
        std::mem::take(&mut self.items)
    }
}
