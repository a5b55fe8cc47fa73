//! IDs: which group has which, so that no two things of a fleet have the same.
//!
//! Groups that say their codes come first; the others take the first row beside the platform's
//! own code that nobody has. Whole rows are compared, not codes one by one.

use std::collections::HashMap;
use std::ops::Range;

use super::groups::{Draft, code};
use crate::config::group::{ChannelIds, Group, Ids};
use crate::config::ids::{IdRun, IdSet};
use crate::config::problem::{Problem, Problems};
use crate::config::roster::Roster;
use crate::config::shard::Shard;
use crate::gb28181::DeviceId;
use crate::sip::Transport;

/// The codes of one group.
struct Claim {
    line: usize,
    devices: IdSet,
    channels: IdSet,
}

/// Gives every group its codes and its place in the fleet.
pub(super) fn assign(
    drafts: Vec<Draft<'_>>,
    platform: DeviceId,
    shard: Shard,
    problems: &mut Problems<'_>,
) -> Vec<Group> {
    let (mut groups, mut claims) = (Vec::new(), Vec::new());
    let drafts = drafts.into_iter().enumerate();
    let (said, silent): (Vec<_>, Vec<_>) = drafts.partition(|(_, draft)| draft.says_ids());
    for (place, draft) in said.into_iter().chain(silent) {
        let found = match draft.says_ids() {
            true => said_ids(&draft, problems),
            false => free_ids(&draft, platform, &claims, problems),
        };
        let Some((ids, channel_ids)) = found else {
            continue;
        };
        let claim = Claim::of(&draft.group, &ids, channel_ids);
        check(&draft, &claim, &claims, platform, problems);
        claims.push(claim);
        let group = Group {
            ids,
            channel_ids,
            ..draft.group
        };
        groups.push((place, group));
    }
    groups.sort_by_key(|(place, _)| *place);
    let mut groups: Vec<Group> = groups.into_iter().map(|(_, group)| group).collect();
    number(&mut groups, shard);
    groups
}

fn number(groups: &mut [Group], shard: Shard) {
    let (mut first, mut udp) = (0, 0);
    for group in groups {
        group.first = first;
        group.udp_before = udp;
        first += group.count;
        if group.transport == Transport::Udp {
            udp += shard.len_of(first) - shard.len_of(group.first);
        }
    }
}

/// The codes that a group says it has.
fn said_ids(draft: &Draft<'_>, problems: &mut Problems<'_>) -> Option<(Ids, ChannelIds)> {
    let (table, count) = (draft.table, draft.group.count);
    let ids = if let Some(roster) = &draft.roster {
        check_list(roster, draft, problems);
        Ids::Roster(roster.clone())
    } else if let Some(key) = &table.id_pattern {
        if table.first_id.is_some() {
            let why = "first-id and id-pattern both say which IDs there are; leave one of them out";
            problems.at(key.span(), why);
        }
        let run = IdRun::pattern(key.get_ref(), count);
        Ids::Run(run.map_err(|why| problems.at(key.span(), why)).ok()?)
    } else {
        let key = table.first_id.as_ref()?;
        let first = code(key, problems)?;
        Ids::Run(row(first, count, "cameras", key.span(), problems)?)
    };
    let channel_ids = channel_ids(draft, &ids, problems)?;
    Some((ids, channel_ids))
}

/// The first row of codes that nobody has, in the centre of the platform.
fn free_ids(
    draft: &Draft<'_>,
    platform: DeviceId,
    claims: &[Claim],
    problems: &mut Problems<'_>,
) -> Option<(Ids, ChannelIds)> {
    let device = match draft.group.channels {
        1 => DeviceId::IPC,
        _ => DeviceId::NVR,
    };
    let mut first = platform.with_type(device).with_serial(1);
    loop {
        let span = draft.span.clone();
        let run = row(first, draft.group.count, "cameras", span, problems)?;
        let ids = Ids::Run(run);
        let channel_ids = channel_ids(draft, &ids, problems)?;
        let claim = Claim::of(&draft.group, &ids, channel_ids);
        let claim = match draft.table.first_channel_id {
            // These do not move with the devices; whether they are free is checked later.
            Some(_) => Claim {
                channels: IdSet::Run(IdRun::NONE),
                ..claim
            },
            None => claim,
        };
        let Some(taken) = claims
            .iter()
            .filter_map(|other| claim.taken_until(other))
            .max()
        else {
            return Some((ids, channel_ids));
        };
        if taken + 1 >= IdRun::SERIALS as u32 {
            let why = "there is no free row of IDs for this group beside those of the others; give it a first-id";
            problems.at(draft.span.clone(), why);
            return None;
        }
        first = first.with_serial(taken + 1);
    }
}

fn channel_ids(draft: &Draft<'_>, ids: &Ids, problems: &mut Problems<'_>) -> Option<ChannelIds> {
    let channels = draft.group.channels;
    let (first, span) = match &draft.table.first_channel_id {
        Some(key) => (code(key, problems)?, key.span()),
        None if channels == 1 => return Some(ChannelIds::OfDevice),
        None => (
            first_of(ids).with_type(DeviceId::CHANNEL),
            draft.span.clone(),
        ),
    };
    let count = draft.group.count.saturating_mul(channels);
    row(first, count, "channels", span, problems).map(ChannelIds::Run)
}

fn first_of(ids: &Ids) -> DeviceId {
    match ids {
        Ids::Run(run) => run.nth(0),
        Ids::Roster(roster) => roster.id(0),
    }
}

fn row(
    first: DeviceId,
    count: usize,
    what: &str,
    span: Range<usize>,
    problems: &mut Problems<'_>,
) -> Option<IdRun> {
    let run = IdRun::serial(first, count);
    let tell = |fit| {
        problems.at(
            span,
            format!(
                "from {first} on there are IDs for {fit} of {count} {what}: the serial number has six \
                 digits; begin lower, or divide the group"
            ),
        );
    };
    run.map_err(tell).ok()
}

impl Draft<'_> {
    fn says_ids(&self) -> bool {
        let table = self.table;
        self.roster.is_some() || table.first_id.is_some() || table.id_pattern.is_some()
    }

    /// Where its codes come from.
    fn id_span(&self) -> Range<usize> {
        let table = self.table;
        let keys = [&table.first_id, &table.id_pattern, &table.csv];
        let key = keys.into_iter().flatten().next();
        key.map_or(self.span.clone(), |key| key.span())
    }

    fn channel_span(&self) -> Range<usize> {
        let key = &self.table.first_channel_id;
        key.as_ref().map_or(self.id_span(), |key| key.span())
    }
}

impl Claim {
    fn of(group: &Group, ids: &Ids, channel_ids: ChannelIds) -> Claim {
        let listed = |roster: &Roster| {
            roster
                .rows()
                .iter()
                .take(group.count)
                .map(|row| row.id)
                .collect()
        };
        let devices = match ids {
            Ids::Run(run) => IdSet::Run(*run),
            Ids::Roster(roster) => IdSet::list(listed(roster)),
        };
        let channels = match (channel_ids, ids) {
            (ChannelIds::Run(run), _) => IdSet::Run(run),
            (ChannelIds::OfDevice, Ids::Run(run)) => IdSet::Run(run.with_type(DeviceId::CHANNEL)),
            (ChannelIds::OfDevice, Ids::Roster(roster)) => {
                let own: Vec<DeviceId> = listed(roster);
                let own = own.into_iter().map(|id| id.with_type(DeviceId::CHANNEL));
                IdSet::list(own.collect())
            }
        };
        Claim {
            line: group.line,
            devices,
            channels,
        }
    }

    /// A code that is a device here and anything there.
    fn devices_meet(&self, other: &Claim) -> Option<DeviceId> {
        let met = self.devices.meets(&other.devices);
        met.or_else(|| self.devices.meets(&other.channels))
    }

    /// A code that is a channel here and anything there.
    fn channels_meet(&self, other: &Claim) -> Option<DeviceId> {
        let met = self.channels.meets(&other.channels);
        met.or_else(|| self.channels.meets(&other.devices))
    }

    /// The serial number up to which `other` has what is claimed here, if it has any of it.
    fn taken_until(&self, other: &Claim) -> Option<u32> {
        let met = [self.devices_meet(other), self.channels_meet(other)];
        let ends = met.into_iter().flatten().flat_map(|id| {
            [&other.devices, &other.channels]
                .into_iter()
                .filter(move |set| set.contains(id))
                .map(move |set| set.end_of_row(id).serial())
        });
        ends.max()
    }
}

/// Tells which codes of a group something else has.
fn check(
    draft: &Draft<'_>,
    claim: &Claim,
    others: &[Claim],
    platform: DeviceId,
    problems: &mut Problems<'_>,
) {
    if claim.devices.contains(platform) || claim.channels.contains(platform) {
        let why = format!("{platform} is the ID of the platform; give the cameras others");
        problems.at(draft.id_span(), why);
    }
    check_within(draft, claim, problems);
    for other in others {
        let line = other.line;
        if let Some(id) = claim.devices_meet(other) {
            let why = format!(
                "the cameras of line {line} have the ID {id} too; begin elsewhere, or leave the IDs to be chosen"
            );
            problems.at(draft.id_span(), why);
        } else if let Some(id) = claim.channels_meet(other) {
            let why = format!(
                "the cameras of line {line} have the ID {id} too, which is a channel here; \
                 set first-channel-id to begin elsewhere"
            );
            problems.at(draft.channel_span(), why);
        }
    }
}

/// A camera of one channel may have one code for both; otherwise devices and channels differ.
fn check_within(draft: &Draft<'_>, claim: &Claim, problems: &mut Problems<'_>) {
    let own_channels = draft.table.first_channel_id.is_some() || draft.group.channels > 1;
    if !own_channels || (draft.group.channels == 1 && claim.devices == claim.channels) {
        return;
    }
    if let Some(id) = claim.devices.meets(&claim.channels) {
        let why = format!(
            "{id} would be both a camera and a channel; give cameras the type 132 or 118 in digits 11 to 13, \
             or set first-channel-id to begin elsewhere"
        );
        problems.at(draft.channel_span(), why);
    }
}

/// Tells which lines of a list have the same code, or channels with the same.
fn check_list(roster: &Roster, draft: &Draft<'_>, problems: &mut Problems<'_>) {
    let rows = roster.rows().get(..draft.group.count).unwrap_or_default();
    if let Some((first, second, id)) = roster.twice() {
        let why = format!("{id} is the ID of line {first} already; cameras need one each");
        problems.push(Problem::in_list(roster.file(), second, why));
        return;
    }
    if draft.group.channels > 1 || draft.table.first_channel_id.is_some() {
        return;
    }
    let mut channels = HashMap::with_capacity(rows.len());
    for row in rows {
        if let Some(line) = channels.insert(row.id.with_type(DeviceId::CHANNEL), row.line) {
            same_channel(roster, line, row.line, row.id, problems);
            return;
        }
    }
    for row in rows {
        if let Some(line) = channels.get(&row.id).filter(|line| **line != row.line) {
            same_channel(roster, *line, row.line, row.id, problems);
            return;
        }
    }
}

fn same_channel(
    roster: &Roster,
    first: u64,
    second: u64,
    id: DeviceId,
    problems: &mut Problems<'_>,
) {
    let why = format!(
        "the channel of {id} would have the ID {} of line {first}: the two differ only in the type; \
         set first-channel-id in the group",
        id.with_type(DeviceId::CHANNEL)
    );
    problems.push(Problem::in_list(roster.file(), second, why));
}
