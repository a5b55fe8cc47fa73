//! What the cameras of a fleet are: their make, their clips, their platform.

use std::net::{IpAddr, SocketAddr};

use crate::api::address::look_up_host;
use crate::api::clip::Clip;
use crate::api::error::Error;
use crate::api::folder::Folder;
use crate::camera::{Accept, Channel, Config, PlatformAddress, Tree};
use crate::config::{CameraPlan, ChannelPlan, Local, MediaId, Plan};
use crate::net::address::facing;
use crate::profile::Profile;
use crate::sip::Credentials;

/// Everything that is read or looked up once for all cameras.
#[derive(Debug)]
pub(super) struct Cast {
    platform: PlatformAddress,
    /// Our address as the platform sees it.
    facing: IpAddr,
    clips: Vec<Clip>,
}

impl Cast {
    /// Reads every clip and looks the platform up.
    pub async fn gather(plan: &Plan, folder: &Folder) -> Result<Cast, Error> {
        let address = look_up_host(&plan.platform.host, plan.platform.port).await?;
        let clips: Result<_, _> = plan.media.iter().map(|clip| folder.clip(clip)).collect();
        Ok(Cast {
            platform: PlatformAddress {
                id: plan.platform.id,
                domain: plan.platform.domain.clone(),
                address,
            },
            facing: facing(address),
            clips: clips?,
        })
    }

    /// Where a camera signals from.
    fn address(&self, local: Local) -> SocketAddr {
        SocketAddr::new(local.ip.unwrap_or(self.facing), local.port)
    }

    /// What one camera is told about itself.
    pub fn config(&self, plan: &Plan, camera: &CameraPlan<'_>) -> Config {
        let profile = camera.profile();
        let group = camera.group();
        let device = camera.id();
        let name = camera.name();
        Config {
            device,
            // The profile's own name needs no copy per camera.
            name: match *name == *profile.device.model {
                true => String::new(),
                false => name.into_owned(),
            },
            channels: camera
                .channels()
                .map(|channel| self.channel(profile, channel))
                .collect(),
            position: None,
            recordings: group.recordings.clone(),
            tree: Tree::of(device, &camera.name(), &group.organisations),
            profile: profile.clone(),
            platform: self.platform.clone(),
            credentials: Credentials {
                username: device.to_string(),
                password: camera.password().reveal().to_owned(),
            },
            transport: group.transport,
            local: self.address(camera.local()),
            media_ip: plan.media_ip,
            expires: group.expires,
            heartbeat: group.heartbeat,
            retry: group.retry,
            reconnect: group.reconnect,
            first_sn: 1,
            accept: Accept::Platform,
            first_frame: camera.first_frame(),
            backlog: group.backlog,
            microphone: group.microphone.clone(),
            echoes: false,
            keeps_voice: group.voice.is_some(),
        }
    }

    fn channel(&self, profile: &Profile, channel: ChannelPlan) -> Channel {
        // Cut once for all makes that send alike.
        let cut = |media: MediaId| {
            let clip = self.clips.get(media.index());
            clip.cloned().unwrap_or_else(Clip::sample).cut(profile)
        };
        let sub = (channel.sub != channel.main).then(|| cut(channel.sub));
        Channel {
            id: channel.id,
            name: channel.name,
            source: cut(channel.main),
            sub,
            part_of: None,
            added: None,
        }
    }
}
