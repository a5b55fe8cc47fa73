//! Orders to devices: commands, and tasks that take longer than their answer
//! (GB/T 28181-2022 §9.3, §9.13, §9.14).

use bytes::Bytes;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{
    Broadcast, Control, DeviceUpgrade, Incoming as Document, Setting, SnapShotConfig,
    SnapShotFinished, UpgradeResult, VideoUpload,
};
use crate::gb28181::xml_style::XmlStyle;

use super::complaint::Deviation;
use super::desk::{Desk, Incoming};
use super::event::{Event, Notice};

/// What a device is ordered to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// One command of DeviceControl.
    Control(Control),
    /// Be configured otherwise (DeviceConfig).
    Configure(Setting),
    /// Take new firmware; [`Notice::Upgraded`] follows.
    Upgrade(DeviceUpgrade),
    /// Take pictures and deliver them; [`Notice::SnapshotsDelivered`] follows.
    Snapshots(SnapShotConfig),
    /// Expect to be spoken through; [`Command::Speak`](super::Command::Speak) gives this order
    /// and takes the call that follows.
    Broadcast(Broadcast),
}

impl Order {
    /// The `CmdType`.
    pub const fn cmd_type(&self) -> &'static str {
        match self {
            Order::Control(_) | Order::Upgrade(_) => "DeviceControl",
            Order::Configure(_) | Order::Snapshots(_) => "DeviceConfig",
            Order::Broadcast(_) => "Broadcast",
        }
    }

    /// Whether the device says how it went (GB/T 28181-2022 §9.3.1).
    pub const fn wants_response(&self) -> bool {
        match self {
            Order::Control(control) => control.wants_response(),
            Order::Configure(_) | Order::Upgrade(_) | Order::Snapshots(_) | Order::Broadcast(_) => {
                true
            }
        }
    }

    pub(super) fn write(&self, style: &XmlStyle, sn: u32, about: &DeviceId) -> Bytes {
        match self {
            Order::Control(control) => control.write(style, sn, about),
            Order::Configure(setting) => setting.write(style, sn, about),
            Order::Upgrade(order) => order.write(style, sn, about),
            Order::Snapshots(order) => order.write(style, sn, about),
            Order::Broadcast(broadcast) => broadcast.write(style, sn),
        }
    }
}

/// Takes the word that a task is over, or is to begin. Whether it was one.
pub(super) fn take_word(
    desk: &mut Desk,
    device: DeviceId,
    incoming: &Incoming,
    document: &Document,
) -> bool {
    let notice = match document.cmd_type.as_str() {
        "DeviceUpgradeResult" => UpgradeResult::read(document).map(Notice::Upgraded),
        "UploadSnapShotFinished" => {
            let finished = SnapShotFinished::read(document);
            finished.map(|finished| snapshots(desk, device, incoming, finished))
        }
        VideoUpload::CMD_TYPE => VideoUpload::read(document).map(Notice::VideoOffered),
        _ => return false,
    };
    match notice {
        Some(notice) => desk.tell(Event::Notice { device, notice }),
        None => {
            let detail = document.cmd_type.as_str();
            desk.object(Some(device), incoming, Deviation::Notice, detail);
        }
    }
    true
}

/// A picture is named by 41 digits: channel, kind, time, number.
fn snapshots(
    desk: &mut Desk,
    device: DeviceId,
    incoming: &Incoming,
    finished: SnapShotFinished,
) -> Notice {
    let named = |file: &&String| file.len() == 41 && file.bytes().all(|b| b.is_ascii_digit());
    if let Some(wrong) = finished.files.iter().find(|file| !named(file)) {
        let detail: String = wrong.chars().take(60).collect();
        desk.object(Some(device), incoming, Deviation::Notice, detail);
    }
    Notice::SnapshotsDelivered(finished)
}
