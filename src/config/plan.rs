//! What would run: the whole fleet, checked, and computed camera by camera when asked for.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::address::Addresses;
use super::camera_plan::CameraPlan;
use super::group::Group;
use super::media::{MediaId, MediaPlan};
use super::ramp::Ramp;
use super::shard::Shard;
use super::threshold::Thresholds;
use super::value::Password;
use crate::gb28181::DeviceId;
use crate::sip::Transport;
use std::net::IpAddr;

/// A fleet that can run as far as its files tell. It holds groups, not cameras: its size grows
/// with the file (and its lists of cameras), not with the fleet.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where all chance comes from.
    pub seed: u64,
    /// How long the run lasts from the first REGISTER; `None`: until somebody ends it.
    pub duration: Option<Duration>,
    /// Threads that send media, and threads that signal; `None`: one per core.
    pub workers: Option<NonZeroUsize>,
    /// Whether UDP streams hold an RTCP socket.
    pub rtcp: bool,
    /// The slice of the fleet that this process plays.
    pub shard: Shard,
    /// Whom the cameras register with.
    pub platform: PlatformPlan,
    /// Where they are seen from.
    pub addresses: Addresses,
    /// The local address for media; `None`: that of signalling.
    pub media_ip: Option<IpAddr>,
    /// How they come and go.
    pub ramp: Ramp,
    /// What decides the exit code.
    pub thresholds: Thresholds,
    /// What is written.
    pub report: Report,
    /// Every clip that is shown, each once.
    pub media: Vec<MediaPlan>,
    /// The groups, in the order of the file.
    pub groups: Vec<Group>,
}

/// Whom the cameras register with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformPlan {
    /// A host name or an IP address.
    pub host: String,
    /// Its SIP port.
    pub port: u16,
    /// Its 20-digit code.
    pub id: DeviceId,
    /// The SIP domain.
    pub domain: String,
    /// The password of cameras without one of their own.
    pub password: Password,
}

/// What is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// A file for the report as JSON.
    pub json: Option<String>,
    /// A file for the thresholds as JUnit tests.
    pub junit: Option<String>,
    /// From one status line to the next where output is no terminal.
    pub every: Duration,
}

impl Plan {
    /// How many cameras the whole fleet has.
    pub fn fleet(&self) -> usize {
        self.groups.last().map_or(0, |last| last.first + last.count)
    }

    /// How many this process plays.
    pub fn len(&self) -> usize {
        self.shard.len_of(self.fleet())
    }

    /// Whether this process has none to play: more shards than cameras.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Camera `n` of this process, from 0.
    pub fn camera(&self, n: usize) -> Option<CameraPlan<'_>> {
        let number = self.shard.number(n);
        let after = self.groups.partition_point(|group| group.first <= number);
        let group = self.groups.get(after.checked_sub(1)?)?;
        (number - group.first < group.count).then(|| CameraPlan::new(self, group, number))
    }

    /// The cameras of this process, in the order they are switched on (but for jitter).
    pub fn cameras(&self) -> impl Iterator<Item = CameraPlan<'_>> {
        (0..self.len()).filter_map(|n| self.camera(n))
    }

    /// A clip.
    pub fn clip(&self, id: MediaId) -> Option<&MediaPlan> {
        self.media.get(id.index())
    }

    /// When the last camera is switched on.
    pub fn ramp_up(&self) -> Duration {
        self.ramp.up(self.fleet())
    }

    /// When the fleet begins to be switched off: after `duration`, or when the whole fleet was
    /// held long enough, whichever is first. `None`: when somebody ends it.
    pub fn end(&self) -> Option<Duration> {
        let held = self.ramp.hold.map(|hold| self.ramp_up() + hold);
        match (self.duration, held) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// How many cameras of this process are in `group`.
    pub fn members(&self, group: &Group) -> usize {
        self.shard.len_of(group.first + group.count) - self.shard.len_of(group.first)
    }

    /// How many cameras of this process signal that way.
    pub fn signalling(&self, transport: Transport) -> usize {
        let groups = self.groups.iter().filter(|g| g.transport == transport);
        groups.map(|group| self.members(group)).sum()
    }

    /// How many video channels this process has: as many streams as the platform sees when it
    /// watches every channel once.
    pub fn channels(&self) -> usize {
        let of = |group: &Group| self.members(group) * group.channels;
        self.groups.iter().map(of).sum()
    }
}
