//! Which part of a catalogue a query asks for by time (GB/T 28181-2022 A.2.4.3).

use super::incoming::Incoming;
use crate::gb28181::time;
use crate::time::Wall;

/// When the things that are asked for were added, to the second and both ends included; `None`
/// leaves that side open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CatalogTimes {
    /// `StartTime`.
    pub start: Option<Wall>,
    /// `EndTime`.
    pub end: Option<Wall>,
}

impl CatalogTimes {
    /// Reads a Catalog query. Times that are not there, are empty or make no sense leave that side
    /// open.
    pub fn read(message: &Incoming) -> CatalogTimes {
        let time = |name| message.body.text_of(name).and_then(time::parse);
        CatalogTimes {
            start: time("StartTime"),
            end: time("EndTime"),
        }
    }

    /// Whether what was added at that time is asked for.
    pub fn cover(&self, added: Wall) -> bool {
        let second = |wall: Wall| wall.as_micros().div_euclid(1_000_000);
        let added = second(added);
        self.start.is_none_or(|start| second(start) <= added)
            && self.end.is_none_or(|end| added <= second(end))
    }

    /// The elements that follow the `DeviceID` of a query.
    pub fn elements(&self) -> Vec<(&'static str, String)> {
        let times = [("StartTime", self.start), ("EndTime", self.end)];
        let known = times.into_iter();
        known
            .filter_map(|(name, wall)| Some((name, time::local(wall?))))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(elements: &str) -> CatalogTimes {
        let text = format!(
            "<Query><CmdType>Catalog</CmdType><SN>1</SN><DeviceID>1</DeviceID>{elements}</Query>"
        );
        CatalogTimes::read(&Incoming::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn both_ends_are_included_to_the_second_and_either_may_be_open() {
        let noon = time::parse("2024-05-17T12:00:00").unwrap();
        let after = |seconds: i64| Wall::from_micros(noon.as_micros() + seconds * 1_000_000);
        let from = read("<StartTime>2024-05-17T12:00:00</StartTime><EndTime></EndTime>");
        assert_eq!(from.elements().len(), 1);
        assert!(from.cover(noon) && from.cover(after(1)) && !from.cover(after(-1)));
        let until = read("<EndTime>2024-05-17T12:00:00</EndTime><StartTime>soon</StartTime>");
        let late = Wall::from_micros(noon.as_micros() + 999_999);
        assert!(until.cover(late) && !until.cover(after(1)) && until.cover(after(-9)));
        assert_eq!(read(""), CatalogTimes::default());
    }
}
