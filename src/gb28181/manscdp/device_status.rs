//! DeviceStatus: how the device is (GB/T 28181-2022 annex A).

use std::borrow::Cow;
use std::fmt::Display;

use bytes::Bytes;

use super::incoming::{Incoming, Root};
use super::style::ManscdpStyle;
use crate::gb28181::element::Element;
use crate::gb28181::template::Facts;
use crate::gb28181::time;
use crate::time::Wall;

/// How a device is.
///
/// Placeholders: `{online}` (`ONLINE` or `OFFLINE`), `{status}` (`OK` or `ERROR`), `{reason}`,
/// `{time}` (local), `{encode}` and `{record}` (`ON` or `OFF`); the list `alarm` has `{alarm.id}`
/// and `{alarm.duty}` (`ONDUTY`, `OFFDUTY` or `ALARM`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceStatus {
    /// `Online`.
    pub online: bool,
    /// `Status`: whether it works properly.
    pub healthy: bool,
    /// `Reason`: why it does not.
    pub reason: Option<String>,
    /// `DeviceTime`: its clock.
    pub time: Option<Wall>,
    /// `Encode`: whether it encodes.
    pub encode: bool,
    /// `Record`: whether it records.
    pub record: bool,
    /// `Alarmstatus`: its alarm inputs.
    pub alarms: Vec<AlarmInput>,
}

/// One alarm input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmInput {
    /// Its ID (type 134).
    pub id: String,
    /// Whether it is armed.
    pub duty: Duty,
}

/// The state of an alarm input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duty {
    /// Armed.
    OnDuty,
    /// Not armed.
    #[default]
    OffDuty,
    /// An alarm is pending.
    Alarm,
}

impl Default for DeviceStatus {
    /// Online, well, encoding, not recording, no alarm inputs.
    fn default() -> Self {
        DeviceStatus {
            online: true,
            healthy: true,
            reason: None,
            time: None,
            encode: true,
            record: false,
            alarms: Vec::new(),
        }
    }
}

pub(super) const STANDARD: &[&str] = &[
    "Result=OK",
    "Online={online}",
    "Status={status}",
    "Reason={reason}",
    "Encode={encode}",
    "Record={record}",
    "DeviceTime={time}",
    "Alarmstatus@Num={alarm.count}",
    "Alarmstatus/Item[alarm]/DeviceID={alarm.id}",
    "Alarmstatus/Item[alarm]/DutyStatus={alarm.duty}",
];

impl Facts for DeviceStatus {
    const NAMES: &'static [&'static str] =
        &["online", "status", "reason", "time", "encode", "record"];
    const LISTS: &'static [(&'static str, &'static [&'static str])] = &[("alarm", &["id", "duty"])];

    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let word =
            |set, yes: &'static str, no: &'static str| Some(if set { yes } else { no }.into());
        match name {
            "online" => word(self.online, "ONLINE", "OFFLINE"),
            "status" => word(self.healthy, "OK", "ERROR"),
            "reason" => self.reason.as_deref().map(Cow::from),
            "time" => self.time.map(|wall| time::local(wall).into()),
            "encode" => word(self.encode, "ON", "OFF"),
            "record" => word(self.record, "ON", "OFF"),
            _ => None,
        }
    }

    fn count(&self, _list: &str) -> usize {
        self.alarms.len()
    }

    fn entry(&self, _list: &str, index: usize, name: &str) -> Option<Cow<'_, str>> {
        let alarm = self.alarms.get(index)?;
        match name {
            "id" => Some(alarm.id.as_str().into()),
            "duty" => Some(alarm.duty.as_str().into()),
            _ => None,
        }
    }
}

impl Duty {
    /// The word of the standard.
    pub const fn as_str(self) -> &'static str {
        match self {
            Duty::OnDuty => "ONDUTY",
            Duty::OffDuty => "OFFDUTY",
            Duty::Alarm => "ALARM",
        }
    }

    fn named(name: &str) -> Duty {
        let all = [Duty::OnDuty, Duty::Alarm];
        let found = all.into_iter().find(|duty| duty.as_str() == name);
        found.unwrap_or_default()
    }
}

impl ManscdpStyle {
    /// The answer to a DeviceStatus query.
    pub fn device_status(
        &self,
        sn: impl Display,
        device_id: impl Display,
        status: &DeviceStatus,
    ) -> Bytes {
        let rest = self.device_status.fill(status);
        self.write(Root::Response, "DeviceStatus", sn, device_id, rest)
    }
}

impl DeviceStatus {
    /// Reads an answer. What it does not say counts as offline, unwell, off.
    pub fn read(message: &Incoming) -> DeviceStatus {
        let body = &message.body;
        let is = |name, word| body.text_of(name) == Some(word);
        let alarms = body.child("Alarmstatus").or(body.child("AlarmStatus"));
        let items = alarms
            .into_iter()
            .flat_map(|list| list.children_named("Item"));
        DeviceStatus {
            online: is("Online", "ONLINE"),
            healthy: is("Status", "OK"),
            reason: body.text_of("Reason").map(str::to_owned),
            time: body.text_of("DeviceTime").and_then(time::parse),
            encode: is("Encode", "ON"),
            record: is("Record", "ON"),
            alarms: items.filter_map(AlarmInput::read).collect(),
        }
    }
}

impl AlarmInput {
    fn read(item: &Element) -> Option<AlarmInput> {
        Some(AlarmInput {
            id: item.text_of("DeviceID")?.to_owned(),
            duty: Duty::named(item.text_of("DutyStatus").unwrap_or_default()),
        })
    }
}
