//! The channels of a camera, which may come and go while it runs.

use std::sync::{MutexGuard, PoisonError};

use super::super::camera_builder::{MOST_CHANNELS, code};
use super::super::channel::Channel;
use super::super::clip::Clip;
use super::super::error::Error;
use super::super::observed::Wish;
use super::Camera;
use crate::camera::{self, Command};
use crate::gb28181::DeviceId;

impl Camera {
    /// Its `n`-th channel, counted from 1 as devices do, with what it shows.
    ///
    /// # Panics
    ///
    /// When it has no such channel; [`channels`](Self::channels) lists those it has.
    pub fn channel(&self, n: usize) -> Channel {
        let mut channels = self.channels();
        let count = channels.len();
        let channel = n.checked_sub(1).and_then(|index| channels.nth(index));
        channel.unwrap_or_else(|| panic!("channel {n} of a camera with {count} (the first is 1)"))
    }

    /// Its channels at the moment, with what they show.
    pub fn channels(&self) -> impl ExactSizeIterator<Item = Channel> + use<> {
        let now = self.now();
        let shown = now
            .iter()
            .map(|(channel, clip)| self.shown(channel.id, clip));
        shown.collect::<Vec<_>>().into_iter()
    }

    /// A channel more, as when a camera is plugged into a recorder: it hangs in the device behind
    /// its other channels, and whoever has subscribed to the catalogue is told (`ADD`). `id` is
    /// its code, `clip` what it shows; sub streams show what those of the other channels do.
    ///
    /// Refused ([`Error::Id`], [`Error::Setting`]) when `id` is no code or that of another channel,
    /// or when the device has its 10,000 channels already.
    pub async fn add_channel(
        &self,
        id: impl ToString,
        name: impl Into<String>,
        clip: Clip,
    ) -> Result<Channel, Error> {
        let profile = &self.config.profile;
        let channel = camera::Channel {
            id: code("the channel's ID", &id.to_string())?,
            name: name.into(),
            source: clip.cut(profile),
            sub: self.sub.as_ref().map(|clip| clip.cut(profile)),
            part_of: None,
            added: None,
        };
        // Room first: what is listed and what is commanded must not differ.
        let room = self.task.reserve().await?;
        let mut now = self.now();
        may_be_added(&now, channel.id)?;
        let added = self.shown(channel.id, &clip);
        now.push((channel.clone(), clip));
        room.send(Wish::Command(Command::AddChannel(Box::new(channel))));
        Ok(added)
    }

    /// A channel less, as when a camera is pulled out of a recorder: its calls end with BYE, its
    /// settings are forgotten, and whoever has subscribed to the catalogue is told (`DEL`). Those
    /// that are parts of it go with it.
    ///
    /// Refused ([`Error::Setting`]) when the camera has no such channel, or none would be left.
    pub async fn remove_channel(&self, channel: &Channel) -> Result<(), Error> {
        let room = self.task.reserve().await?;
        let mut now = self.now();
        let gone = camera::Channel::with_parts(now.iter().map(|(c, _)| c), channel.id);
        let why = if gone.is_empty() {
            format!("{} is none of this camera's channels", channel.id)
        } else if gone.len() == now.len() {
            "a camera keeps its last channel".to_owned()
        } else {
            now.retain(|(c, _)| !gone.contains(&c.id));
            room.send(Wish::Command(Command::RemoveChannel(channel.id)));
            return Ok(());
        };
        let what = "remove_channel";
        Err(Error::Setting { what, why })
    }

    fn now(&self) -> MutexGuard<'_, Vec<(camera::Channel, Clip)>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A channel, and what it shows.
    fn shown(&self, id: DeviceId, clip: &Clip) -> Channel {
        Channel {
            clip: Some(clip.clone()),
            sub: self.sub.clone(),
            ..Channel::of(self.id(), id)
        }
    }
}

/// Whether a device with these channels can have one more with this code.
fn may_be_added(now: &[(camera::Channel, Clip)], id: DeviceId) -> Result<(), Error> {
    let why = if now.iter().any(|(c, _)| c.id == id) {
        format!("{id} is one of its channels already")
    } else if now.len() >= MOST_CHANNELS {
        format!("it has {MOST_CHANNELS} channels, and no more fit")
    } else {
        return Ok(());
    };
    let what = "add_channel";
    Err(Error::Setting { what, why })
}
