//! What one camera is: its identity, its channels, its platform and its make.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::gb28181::DeviceId;
use crate::media::{Cut, FirstKeyFrame};
use crate::profile::Profile;
use crate::sip::{Credentials, Transport};
use crate::time::Wall;

use super::event::Position;
use super::recordings::Recordings;

/// Everything a [`Camera`](super::Camera) is told about itself. Plain data, read only.
#[derive(Clone, Debug)]
pub struct Config {
    /// The device's own 20-digit code.
    pub device: DeviceId,
    /// What it calls itself in DeviceInfo; empty: the profile's model.
    pub name: String,
    /// Its video channels, at least one. An INVITE to the device itself plays the first.
    pub channels: Vec<Channel>,
    /// The groups its channels hang in besides the device itself; `None`: in none.
    pub tree: Option<Arc<Tree>>,
    /// Where it is when it is switched on; `None`: it does not know.
    pub position: Option<Position>,
    /// What its channels have recorded; `None`: nothing.
    pub recordings: Option<Arc<Recordings>>,
    /// The make it plays.
    pub profile: Arc<Profile>,
    /// Whom it registers with.
    pub platform: PlatformAddress,
    /// The digest user (the device code, unless the platform wants another) and its password.
    pub credentials: Credentials,
    /// How its signalling travels.
    pub transport: Transport,
    /// The address to bind for signalling; port 0: any.
    pub local: SocketAddr,
    /// The address named in SDP and bound for media; `None`: that of the signalling flow.
    pub media_ip: Option<IpAddr>,
    /// The registration lifetime asked for (GB/T 28181-2016 §9.1: 86,400 s; makes ask 3,600).
    pub expires: Duration,
    /// Keepalive timing.
    pub heartbeat: Heartbeat,
    /// The shortest pause after a failed registration; up to half of it is added at random
    /// (GB/T 28181-2022 §9.1.1: not shorter than 60 s).
    pub retry: Duration,
    /// The pause before a broken signalling flow is opened again; up to half of it is added.
    pub reconnect: Duration,
    /// The serial number (`SN`) of its first MANSCDP message; a device that has been running for a
    /// while is further on.
    pub first_sn: u32,
    /// Who may send requests to it.
    pub accept: Accept,
    /// Where in the clip a new stream begins.
    pub first_frame: FirstKeyFrame,
    /// How much unsent media may wait for a slow peer before whole groups of pictures are dropped.
    pub backlog: Duration,
    /// What it says in a talk, again and again: a [`Cut::voice`]; `None`: a tone.
    pub microphone: Option<Arc<Cut>>,
    /// Whether it says back in a talk what it hears, in place of its own.
    pub echoes: bool,
    /// Whether what it hears of a platform is told ([`Event::VoiceSaid`](super::Event::VoiceSaid))
    /// and not only counted.
    pub keeps_voice: bool,
}

/// One video channel. Two are equal only if they show the very same cuts.
#[derive(Clone, Debug)]
pub struct Channel {
    /// Its 20-digit code.
    pub id: DeviceId,
    /// Its name in the catalogue.
    pub name: String,
    /// What it shows.
    pub source: Arc<Cut>,
    /// What its sub streams show, which platforms ask for in small pictures; `None`: the same.
    pub sub: Option<Arc<Cut>>,
    /// The channel it is a part of, as a lens is of a camera with several; `None`: of the device.
    pub part_of: Option<DeviceId>,
    /// When it was added, for platforms that ask for what is new; `None`: when the device was
    /// switched on for the first time.
    pub added: Option<Wall>,
}

/// A business group and its organisations, in which platforms show the channels as a tree
/// (GB/T 28181-2016 annex O, 2022 annex J). Channels hang in the organisations in their order, as
/// evenly as they can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree {
    /// Its root: a code of type 215 and a name.
    pub group: (DeviceId, String),
    /// Its branches: codes of type 216 and names.
    pub organisations: Vec<(DeviceId, String)>,
}

impl Tree {
    /// The group of a device, which bears its name, and organisations of these names, with codes
    /// beside the device's own; `None` without any.
    pub fn of(device: DeviceId, name: &str, organisations: &[String]) -> Option<Arc<Tree>> {
        if organisations.is_empty() {
            return None;
        }
        // A device's serial number may be any: its organisations count on from a thousand times it.
        let first = device.with_type(DeviceId::ORGANISATION);
        let code = |n: u32| first.with_serial(device.serial().wrapping_mul(1000).wrapping_add(n));
        let named = organisations.iter().zip(1..);
        Some(Arc::new(Tree {
            group: (device.with_type(DeviceId::BUSINESS_GROUP), name.to_owned()),
            organisations: named.map(|(name, n)| (code(n), name.clone())).collect(),
        }))
    }
}

impl PartialEq for Channel {
    fn eq(&self, other: &Channel) -> bool {
        let shown = |channel: &Channel| {
            let cuts = [Some(&channel.source), channel.sub.as_ref()];
            cuts.map(|cut| cut.map(Arc::as_ptr))
        };
        let rest = |channel: &Channel| (channel.id, channel.part_of, channel.added);
        self.name == other.name && rest(self) == rest(other) && shown(self) == shown(other)
    }
}

impl Channel {
    /// Of these channels the one with this code and those that are parts of it, at any depth; none
    /// if it is not there. Channels stand before their parts.
    pub fn with_parts<'c>(
        all: impl IntoIterator<Item = &'c Channel>,
        id: DeviceId,
    ) -> Vec<DeviceId> {
        let mut found = Vec::new();
        for channel in all {
            let is_part = channel.part_of.is_some_and(|whole| found.contains(&whole));
            if channel.id == id || is_part {
                found.push(channel.id);
            }
        }
        found
    }

    /// What a stream shows: 0 is the main stream, anything else a sub stream
    /// (`a=streamnumber` of GB/T 28181-2022 annex G).
    pub fn shown(&self, stream: u8) -> &Arc<Cut> {
        match (stream, &self.sub) {
            (1.., Some(sub)) => sub,
            _ => &self.source,
        }
    }
}

/// The platform as the camera's owner typed it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformAddress {
    /// The platform's 20-digit code: the user part of its SIP URI.
    pub id: DeviceId,
    /// The SIP domain, usually the first ten digits of the code.
    pub domain: String,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Keepalive timing (GB/T 28181-2016 §9.6): BasicParam's HeartBeatInterval and HeartBeatCount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// From one Keepalive to the next.
    pub interval: Duration,
    /// How many in a row may be lost before the platform counts as off-line.
    pub count: u32,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Heartbeat {
            interval: Duration::from_secs(60),
            count: 3,
        }
    }
}

/// Whose requests a camera obeys; others are answered 403.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Accept {
    /// The platform's address, from any port.
    #[default]
    Platform,
    /// These addresses besides the platform's, as a Hikvision white list allows.
    Also(Vec<IpAddr>),
    /// Everybody, as most real devices do.
    Anyone,
}

impl Accept {
    /// Whether a request from `from` is obeyed, which may be a platform's.
    pub fn allows(&self, from: IpAddr, is_platform: bool) -> bool {
        match self {
            Accept::Anyone => true,
            Accept::Platform => is_platform,
            Accept::Also(list) => is_platform || list.contains(&from),
        }
    }
}

impl Config {
    /// What the device calls itself.
    pub fn name(&self) -> &str {
        match self.name.is_empty() {
            true => &self.profile.device.model,
            false => &self.name,
        }
    }

    /// The channel that a code names: its own, or the first for the device's.
    pub fn channel(&self, code: &str) -> Option<&Channel> {
        if code == self.device.as_str() {
            return self.channels.first();
        }
        self.channels.iter().find(|c| c.id.as_str() == code)
    }
}
