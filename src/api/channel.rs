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
    /// What its sub stream shows, if that is something else.
    pub sub: Option<Clip>,
}

impl Channel {
    /// A channel of any device. What it shows is not known: its streams are judged by sequence,
    /// syntax and clocks only.
    pub fn of(device: DeviceId, id: DeviceId) -> Self {
        Channel {
            device,
            id,
            clip: None,
            sub: None,
        }
    }

    /// What stream `number` shows, if that is known: 0 is the main stream.
    pub(super) fn shown(&self, number: u8) -> Option<&Clip> {
        let sub = self.sub.as_ref().filter(|_| number > 0);
        sub.or(self.clip.as_ref())
    }

    /// The same channel, showing `clip` in its sub stream.
    pub fn showing_in_sub(self, clip: Clip) -> Self {
        Channel {
            sub: Some(clip),
            ..self
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
