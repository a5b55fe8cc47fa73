//! One camera of a plan.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::address::Local;
use super::chance::{self, Draw};
use super::group::{Group, Ids};
use super::media::MediaId;
use super::plan::Plan;
use super::roster::Row;
use super::schema::FirstFrameName;
use super::value::Password;
use crate::gb28181::DeviceId;
use crate::media::FirstKeyFrame;
use crate::profile::Profile;
use crate::sip::Transport;

/// How far apart the clocks of cameras with a clock of their own may be.
const PHASES: Duration = Duration::from_secs(3600);

/// One camera of a plan: a place in it, from which everything is computed when asked for. The
/// same for the same file, seed and number, however the fleet is divided.
#[derive(Clone, Copy, Debug)]
pub struct CameraPlan<'p> {
    plan: &'p Plan,
    group: &'p Group,
    number: usize,
    rank: usize,
}

/// One video channel of a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelPlan {
    /// Its 20-digit code.
    pub id: DeviceId,
    /// Its name in the catalogue.
    pub name: String,
    /// What its main stream shows.
    pub main: MediaId,
    /// What its sub stream shows.
    pub sub: MediaId,
}

impl<'p> CameraPlan<'p> {
    pub(super) fn new(plan: &'p Plan, group: &'p Group, number: usize) -> Self {
        CameraPlan {
            plan,
            group,
            number,
            rank: number - group.first,
        }
    }

    /// Its number in the whole fleet, from 0.
    pub fn number(&self) -> usize {
        self.number
    }

    /// What it has in common with the others of its group.
    pub fn group(&self) -> &'p Group {
        self.group
    }

    /// Its 20-digit code.
    pub fn id(&self) -> DeviceId {
        self.group.id(self.rank)
    }

    /// The password it registers with.
    pub fn password(&self) -> &'p Password {
        let own = self.row().and_then(|row| row.password.as_ref());
        own.unwrap_or(&self.plan.platform.password)
    }

    /// The make it plays.
    pub fn profile(&self) -> &'p Arc<Profile> {
        let own = self.row().and_then(|row| row.profile.as_ref());
        own.unwrap_or(&self.group.profile)
    }

    /// What it calls itself.
    pub fn name(&self) -> Cow<'p, str> {
        if let Some(own) = self.row().and_then(|row| row.name.as_deref()) {
            return Cow::Borrowed(own);
        }
        let Some(name) = &self.group.name else {
            return Cow::Borrowed(&self.profile().device.model);
        };
        if !name.contains('{') {
            return Cow::Borrowed(name);
        }
        let number = (self.rank + 1).to_string();
        let name = name.replace("{n}", &number);
        Cow::Owned(name.replace("{id}", self.id().as_str()))
    }

    /// Its channels, at least one.
    pub fn channels(&self) -> impl ExactSizeIterator<Item = ChannelPlan> + use<'p> {
        let camera = *self;
        (0..self.group.channels).map(move |n| camera.channel(n))
    }

    /// Where it signals from.
    pub fn local(&self) -> Local {
        let shard = self.plan.shard;
        let before = shard.len_of(self.number) - shard.len_of(self.group.first);
        let position = self.group.udp_before + before;
        let local = self.plan.addresses.local(self.number, position);
        match self.group.transport {
            Transport::Udp => local,
            Transport::Tcp => Local { port: 0, ..local },
        }
    }

    /// When it is switched on, counted from the beginning of the run.
    pub fn start(&self) -> Duration {
        let share = chance::share(self.plan.seed, self.number, Draw::Jitter);
        self.plan.ramp.start(self.number, share)
    }

    /// Where its own chance comes from: tags, branches, sequence numbers.
    pub fn seed(&self) -> u64 {
        chance::number(self.plan.seed, self.number, Draw::Seed)
    }

    /// When and where in its clip a stream of it begins.
    pub fn first_frame(&self) -> FirstKeyFrame {
        match self.group.first_frame {
            FirstFrameName::Immediate => FirstKeyFrame::Immediate,
            FirstFrameName::Aligned => FirstKeyFrame::Aligned,
            FirstFrameName::OwnClock => {
                let share = chance::share(self.plan.seed, self.number, Draw::Phase);
                FirstKeyFrame::OwnClock {
                    phase: PHASES.mul_f64(share),
                }
            }
        }
    }

    fn channel(&self, n: usize) -> ChannelPlan {
        let name = self.name();
        let own = self.row().and_then(|row| row.media);
        let shown = |list: &[MediaId]| list.get(n % list.len().max(1)).copied();
        let main = own
            .or_else(|| shown(&self.group.main))
            .unwrap_or(MediaId(0));
        ChannelPlan {
            id: self.group.channel_id(self.rank, n),
            name: match self.group.channels {
                1 => name.into_owned(),
                _ => format!("{name} {}", n + 1),
            },
            main,
            sub: shown(&self.group.sub).unwrap_or(main),
        }
    }

    fn row(&self) -> Option<&'p Row> {
        match &self.group.ids {
            Ids::Run(_) => None,
            Ids::Roster(roster) => roster.row(self.rank),
        }
    }
}
