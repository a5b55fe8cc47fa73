//! Keepalive: the device says that it is there (GB/T 28181-2022 A.2.5.2).

use std::borrow::Cow;
use std::fmt::Display;

use bytes::Bytes;

use super::incoming::{Outcome, Root};
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
