//! DeviceInfo: what the device is (GB/T 28181-2022 annex A).

use std::borrow::Cow;
use std::fmt::Display;

use bytes::Bytes;

use super::incoming::{Incoming, Root};
use super::style::ManscdpStyle;
use crate::gb28181::template::Facts;

/// What a device is. Empty texts and `None` are not known, and not written.
///
/// Placeholders: `{name}`, `{device-type}`, `{manufacturer}`, `{model}`, `{firmware}`,
/// `{channels}`, `{max-camera}`, `{max-alarm}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceInfo {
    /// `DeviceName`.
    pub name: String,
    /// `DeviceType`, a word of the make (`IPC`, `SD`).
    pub device_type: Option<String>,
    /// `Manufacturer`.
    pub manufacturer: String,
    /// `Model`.
    pub model: String,
    /// `Firmware`.
    pub firmware: String,
    /// `Channel`: how many video channels.
    pub channels: Option<u32>,
    /// `MaxCamera`: how many cameras could be there.
    pub max_camera: Option<u32>,
    /// `MaxAlarm`: how many alarm inputs.
    pub max_alarm: Option<u32>,
}

pub(super) const STANDARD: &[&str] = &[
    "DeviceName={name}",
    "Result=OK",
    "Manufacturer={manufacturer}",
    "Model={model}",
    "Firmware={firmware}",
    "Channel={channels}",
];

impl Facts for DeviceInfo {
    const NAMES: &'static [&'static str] = &[
        "name",
        "device-type",
        "manufacturer",
        "model",
        "firmware",
        "channels",
        "max-camera",
        "max-alarm",
    ];

    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let number = |number: Option<u32>| number.map(|number| number.to_string().into());
        match name {
            "name" => Some(self.name.as_str().into()),
            "device-type" => self.device_type.as_deref().map(Cow::from),
            "manufacturer" => Some(self.manufacturer.as_str().into()),
            "model" => Some(self.model.as_str().into()),
            "firmware" => Some(self.firmware.as_str().into()),
            "channels" => number(self.channels),
            "max-camera" => number(self.max_camera),
            "max-alarm" => number(self.max_alarm),
            _ => None,
        }
    }
}

impl ManscdpStyle {
    /// The answer to a DeviceInfo query.
    pub fn device_info(
        &self,
        sn: impl Display,
        device_id: impl Display,
        info: &DeviceInfo,
    ) -> Bytes {
        let rest = self.device_info.fill(info);
        self.write(Root::Response, "DeviceInfo", sn, device_id, rest)
    }
}

impl DeviceInfo {
    /// Reads an answer; what it does not say stays empty.
    pub fn read(message: &Incoming) -> DeviceInfo {
        let body = &message.body;
        let text = |name| body.text_of(name).unwrap_or_default().to_owned();
        let number = |name| body.text_of(name).and_then(|number| number.parse().ok());
        DeviceInfo {
            name: text("DeviceName"),
            device_type: body.text_of("DeviceType").map(str::to_owned),
            manufacturer: text("Manufacturer"),
            model: text("Model"),
            firmware: text("Firmware"),
            channels: number("Channel"),
            max_camera: number("MaxCamera"),
            max_alarm: number("MaxAlarm"),
        }
    }
}
