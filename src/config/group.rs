//! A group of cameras that are alike.

use std::sync::Arc;
use std::time::Duration;

use super::ids::IdRun;
use super::media::MediaId;
use super::roster::Roster;
use super::schema::FirstFrameName;
use crate::camera::{Heartbeat, Recordings};
use crate::gb28181::DeviceId;
use crate::media::Cut;
use crate::profile::Profile;
use crate::sip::Transport;

/// What the cameras of one `[[cameras]]` table have in common.
#[derive(Clone, Debug)]
pub struct Group {
    /// The line of the fleet file where it begins, for people.
    pub line: usize,
    /// How many cameras it has in the whole fleet.
    pub count: usize,
    /// The make, unless a camera's line names another.
    pub profile: Arc<Profile>,
    /// Video channels per device.
    pub channels: usize,
    /// The names of the organisations in which a device's channels hang.
    pub organisations: Vec<String>,
    /// What their channels have recorded.
    pub recordings: Option<Arc<Recordings>>,
    /// What their microphones hear; `None`: a tone.
    pub microphone: Option<Arc<Cut>>,
    /// The folder for what they hear, as the fleet file names it.
    pub voice: Option<String>,
    /// How signalling travels.
    pub transport: Transport,
    /// The registration lifetime asked for.
    pub expires: Duration,
    /// Keepalive timing.
    pub heartbeat: Heartbeat,
    /// The shortest pause after a failed registration.
    pub retry: Duration,
    /// The shortest pause before a broken connection is made again.
    pub reconnect: Duration,
    /// How much media waits for a slow platform.
    pub backlog: Duration,
    /// The number in the fleet of its first camera.
    pub(super) first: usize,
    /// How many cameras of this process in earlier groups signal over UDP.
    pub(super) udp_before: usize,
    pub(super) ids: Ids,
    pub(super) channel_ids: ChannelIds,
    pub(super) name: Option<String>,
    pub(super) main: Vec<MediaId>,
    pub(super) sub: Vec<MediaId>,
    pub(super) first_frame: FirstFrameName,
}

/// Where the codes of its devices come from.
#[derive(Clone, Debug)]
pub(super) enum Ids {
    Run(IdRun),
    Roster(Roster),
}

/// Where the codes of its channels come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChannelIds {
    /// The device's with type 131; for one channel only.
    OfDevice,
    /// Counted up, device by device.
    Run(IdRun),
}

impl Group {
    /// The code of its first device.
    pub fn first_id(&self) -> DeviceId {
        self.id(0)
    }

    /// The code of its last device.
    pub fn last_id(&self) -> DeviceId {
        self.id(self.count.saturating_sub(1))
    }

    /// Where its list of cameras comes from, if it has one.
    pub fn list(&self) -> Option<&str> {
        match &self.ids {
            Ids::Run(_) => None,
            Ids::Roster(roster) => Some(roster.file()),
        }
    }

    /// Whether its cameras are those of a list, which may say of each what it is and shows.
    pub fn is_listed(&self) -> bool {
        matches!(self.ids, Ids::Roster(_))
    }

    /// What its channels show, in turn.
    pub fn media(&self) -> &[MediaId] {
        &self.main
    }

    /// What the sub streams of its channels show, in turn; empty: the same.
    pub fn sub_media(&self) -> &[MediaId] {
        &self.sub
    }

    /// The code of camera `rank`, from 0.
    pub(super) fn id(&self, rank: usize) -> DeviceId {
        match &self.ids {
            Ids::Run(run) => run.nth(rank),
            Ids::Roster(roster) => roster.id(rank),
        }
    }

    /// The code of channel `n` of camera `rank`, both from 0.
    pub(super) fn channel_id(&self, rank: usize, n: usize) -> DeviceId {
        match &self.channel_ids {
            ChannelIds::OfDevice => self.id(rank).with_type(DeviceId::CHANNEL),
            ChannelIds::Run(run) => run.nth(rank * self.channels + n),
        }
    }
}
