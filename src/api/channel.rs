//! What a platform can call.

use super::clip::Clip;
use crate::gb28181::DeviceId;

/// One channel of a device, as [`Platform::play`](super::Platform::play) takes it.
#[derive(Clone, Debug)]
pub struct Channel {
    /// The device that is registered.
    pub device: DeviceId,
    /// The channel's own code.
    pub id: DeviceId,
    /// What it shows, if that is known; the stream is compared with it.
    pub clip: Option<Clip>,
}

impl Channel {
    /// A channel of any device. What it shows is not known: its streams are judged by sequence,
    /// syntax and clocks only.
    pub fn of(device: DeviceId, id: DeviceId) -> Self {
        Channel {
            device,
            id,
            clip: None,
        }
    }

    /// The same channel, showing `clip`.
    pub fn showing(self, clip: Clip) -> Self {
        Channel {
            clip: Some(clip),
            ..self
        }
    }
}
