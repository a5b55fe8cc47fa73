//! What a make tells about itself.

use serde::Deserialize;

/// The facts a device tells about itself. An empty text is not known, and not told.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Device {
    /// `Manufacturer`.
    pub manufacturer: String,
    /// `Model`; also the device's name when it is given none.
    pub model: String,
    /// `Firmware`.
    pub firmware: String,
    /// `DeviceType`, a word of the make (`IPC`, `SD`).
    pub device_type: String,
    /// `Owner` of a catalogue item (2016).
    pub owner: String,
    /// `Address` of a catalogue item: where the camera is mounted.
    pub address: String,
    /// `PTZType` of a catalogue item: 1 dome, 2 half dome, 3 fixed bullet, 4 bullet on a PTZ mount.
    pub ptz_type: u8,
    /// `MaxCamera` of DeviceInfo.
    pub max_camera: u32,
    /// How many alarm inputs it has.
    pub alarm_inputs: u32,
    /// How many voice outputs it has.
    pub voice_outputs: u32,
    /// How many storage cards it has, at most 8.
    pub sd_cards: u8,
}

impl Default for Device {
    fn default() -> Self {
        Device {
            manufacturer: "vcam".to_owned(),
            model: "vcam".to_owned(),
            firmware: env!("CARGO_PKG_VERSION").to_owned(),
            device_type: "IPC".to_owned(),
            owner: "Owner".to_owned(),
            address: "Address".to_owned(),
            ptz_type: 3,
            max_camera: 1,
            alarm_inputs: 0,
            voice_outputs: 0,
            sd_cards: 1,
        }
    }
}
