//! Keepalive: the device says that it is there (GB/T 28181-2022 annex A).

use std::borrow::Cow;
use std::fmt::Display;

use bytes::Bytes;

use super::incoming::{Incoming, Outcome, Root};
use super::style::ManscdpStyle;
use crate::gb28181::template::Facts;

/// What a keepalive says.
///
/// Placeholders: `{status}` is `OK` or `ERROR`; the list `faulty` has `{faulty.id}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keepalive {
    /// Whether the device is well.
    pub status: Outcome,
    /// The IDs of its parts that are not.
    pub faulty: Vec<String>,
}

pub(super) const STANDARD: &[&str] = &["Status={status}", "Info/DeviceID[faulty]={faulty.id}"];

impl Facts for Keepalive {
    const NAMES: &'static [&'static str] = &["status"];
    const LISTS: &'static [(&'static str, &'static [&'static str])] = &[("faulty", &["id"])];

    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        (name == "status").then(|| self.status.as_str().into())
    }

    fn count(&self, _list: &str) -> usize {
        self.faulty.len()
    }

    fn entry(&self, _list: &str, index: usize, _name: &str) -> Option<Cow<'_, str>> {
        self.faulty.get(index).map(|id| id.as_str().into())
    }
}

impl ManscdpStyle {
    /// A keepalive of the device.
    pub fn keepalive(&self, sn: impl Display, device_id: impl Display, says: &Keepalive) -> Bytes {
        let rest = self.keepalive.fill(says);
        self.write(Root::Notify, "Keepalive", sn, device_id, rest)
    }
}

impl Keepalive {
    /// Reads a `Notify`; a status that is not said is OK.
    pub fn read(message: &Incoming) -> Keepalive {
        let info = message.body.child("Info");
        let faulty = info
            .into_iter()
            .flat_map(|info| info.children_named("DeviceID"));
        let status = message.body.text_of("Status").map(Outcome::named);
        Keepalive {
            status: status.unwrap_or_default(),
            faulty: faulty.map(|id| id.text.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faulty_parts_are_named_and_read() {
        let says = Keepalive {
            status: Outcome::Error,
            faulty: vec!["34020000001310000001".into(), "34020000001310000002".into()],
        };
        let octets = ManscdpStyle::default().keepalive(1, "34020000001180000001", &says);
        let read = Incoming::parse(&octets).unwrap();
        assert!(read.is(Root::Notify, "Keepalive"));
        assert_eq!(Keepalive::read(&read), says);
    }

    #[test]
    fn a_well_device_has_no_info() {
        let octets = ManscdpStyle::default().keepalive(1, "3402", &Keepalive::default());
        let read = Incoming::parse(&octets).unwrap();
        assert_eq!(read.body.child("Info"), None);
        assert_eq!(Keepalive::read(&read), Keepalive::default());
    }
}
