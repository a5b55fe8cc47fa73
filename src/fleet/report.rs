//! What is told at the end: on the screen, as JSON and as JUnit.

mod junit;
mod screen;

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::ink::Ink;
use super::measure::{Measure, Percentiles};
use super::schedule::Ending;
use super::statistics::Statistics;
use super::verdict::{self, Check, judge};
use crate::config::{Group, Plan};
use crate::media::Counts;
use crate::time::Wall;

/// What a report says of the run beside what was counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The fleet file.
    pub file: String,
    /// When it began.
    pub began: Wall,
    /// How long it took, ramp down included.
    pub took: Duration,
    /// What ended it.
    pub ending: Ending,
}

/// The report of a run.
///
/// As JSON it has these fields. Names and meanings stay; further ones may be added.
///
/// | field | is |
/// |---|---|
/// | `vcam`, `fleet`, `platform` | the version, the fleet file, `ID@HOST:PORT` |
/// | `seed`, `shard` | what repeats the run; the slice `I/N` that this process played |
/// | `began`, `seconds`, `ended_by` | UTC; how long, ramp down included; `time` or `stopped` |
/// | `passed` | whether every threshold was kept: exit code 0, else 1 |
/// | `cameras` | `planned` here, `started`, `registered` at least once, `failed` (started and never registered), `registered_at_end` (when the ramp down began), `registrations` (refreshes included) |
/// | `calls` | INVITEs `accepted` and `refused`; calls `streamed` (their first packet left), `ended`, `cut_short` (by us, before their first packet); `streams_at_once`, looked at once a second |
/// | `keepalives` | `answered`, `lost` |
/// | `queries` | MANSCDP requests taken in |
/// | `media` | `frames`, `packets`, `octets` sent; frames `dropped` because the platform was too slow, `late` by more than a frame interval |
/// | `times` | `register`, `invite`, `ack`, `first_packet`, `keepalive`, `lateness`: each `count`, `p50`, `p90`, `p99`, `max` in milliseconds, or `null` |
/// | `errors` | the most frequent first: `kind`, `count`, and the first as `example` with `camera`, `call_id`, `at`, `why` |
/// | `groups` | in the order of the file: `profile`, `line`, `first_id`, `last_id`, `cameras`, `registered`, `calls`, `streamed`, `frames` and `dropped` of ended calls, `errors`, `passed` |
/// | `thresholds` | `name`, `limit`, `reached`, `passed` |
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The version of vcam.
    vcam: &'static str,
    /// The fleet file.
    fleet: String,
    /// Repeats the run.
    seed: u64,
    /// The slice of the fleet that this process played.
    shard: String,
    /// With whom its cameras registered.
    platform: String,
    /// When it began.
    began: String,
    /// How long it took, ramp down included.
    seconds: f64,
    /// `time` or `stopped`.
    ended_by: &'static str,
    /// Whether every threshold was kept: exit code 0, else 1.
    passed: bool,
    cameras: Cameras,
    calls: Calls,
    keepalives: Keepalives,
    /// MANSCDP requests taken in.
    queries: u64,
    media: Media,
    times: Times,
    /// The most frequent first.
    errors: Vec<Error>,
    /// In the order of the fleet file.
    groups: Vec<GroupReport>,
    thresholds: Vec<Check>,
}

#[derive(Clone, Debug, Serialize)]
struct Cameras {
    /// In this process.
    planned: u64,
    /// Switched on.
    started: u64,
    /// Registered at least once.
    registered: u64,
    /// Switched on and never registered.
    failed: u64,
    /// Registered when the ramp down began.
    registered_at_end: u64,
    /// Registrations and refreshes that were accepted.
    registrations: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Calls {
    accepted: u64,
    refused: u64,
    /// Their first packet left.
    streamed: u64,
    ended: u64,
    /// Ended by us before their first packet: they came while cameras were leaving.
    cut_short: u64,
    /// The most at once, looked at once a second.
    streams_at_once: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Keepalives {
    answered: u64,
    lost: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Media {
    frames: u64,
    packets: u64,
    /// RTP, headers included.
    octets: u64,
    /// Frames dropped because the platform was too slow.
    dropped: u64,
    /// Frames more than one frame interval late.
    late: u64,
}

/// `null` where nothing was measured.
#[derive(Clone, Debug, Serialize)]
struct Times {
    register: Option<Percentiles>,
    invite: Option<Percentiles>,
    ack: Option<Percentiles>,
    first_packet: Option<Percentiles>,
    keepalive: Option<Percentiles>,
    lateness: Option<Percentiles>,
}

#[derive(Clone, Debug, Serialize)]
struct Error {
    kind: String,
    count: u64,
    /// The first one, to be found in a trace.
    example: Example,
}

#[derive(Clone, Debug, Serialize)]
struct Example {
    camera: String,
    /// Empty when no message is concerned.
    call_id: String,
    at: String,
    why: String,
}

#[derive(Clone, Debug, Serialize)]
struct GroupReport {
    profile: String,
    /// Where it stands in the fleet file.
    line: usize,
    first_id: String,
    last_id: String,
    /// In this process.
    cameras: u64,
    registered: u64,
    calls: u64,
    streamed: u64,
    /// Sent in calls that are over.
    frames: u64,
    dropped: u64,
    errors: u64,
    /// Enough of its cameras registered, or enough of the fleet's.
    passed: bool,
}

impl Report {
    /// The report of a run of `plan`.
    pub fn of(plan: &Plan, facts: &Facts, statistics: &Statistics) -> Report {
        let planned = plan.len() as u64;
        // Who ends a run early does not ask for those that had no time to come.
        let expected = match facts.ending {
            Ending::Time => planned,
            Ending::Stopped => statistics.started(),
        };
        let thresholds = judge(plan, expected, statistics);
        let platform = &plan.platform;
        Report {
            vcam: env!("CARGO_PKG_VERSION"),
            fleet: facts.file.clone(),
            seed: plan.seed,
            shard: plan.shard.to_string(),
            platform: format!("{}@{}:{}", platform.id, platform.host, platform.port),
            began: time_of(facts.began),
            seconds: facts.took.as_millis() as f64 / 1e3,
            ended_by: match facts.ending {
                Ending::Time => "time",
                Ending::Stopped => "stopped",
            },
            passed: thresholds.iter().all(|check| check.passed),
            cameras: Cameras {
                planned,
                started: statistics.started(),
                registered: statistics.arrived(),
                failed: statistics.started().saturating_sub(statistics.arrived()),
                registered_at_end: statistics.registered_at_end(),
                registrations: statistics.all().registrations,
            },
            calls: Calls::of(statistics),
            keepalives: Keepalives {
                answered: statistics.all().kept,
                lost: statistics.all().missed,
            },
            queries: statistics.all().asked,
            media: Media::of(statistics.sent()),
            times: Times::of(statistics),
            errors: errors(plan, statistics),
            groups: groups(plan, &thresholds, statistics),
            thresholds,
        }
    }

    /// Whether every threshold was kept.
    pub fn passed(&self) -> bool {
        self.passed
    }

    /// What was not, for a last line.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.thresholds.iter().filter(|check| !check.passed)
    }

    /// For the screen.
    pub fn screen(&self, ink: Ink) -> Vec<String> {
        screen::lines(self, ink)
    }

    /// As JSON, with a line break at its end.
    pub fn json(&self) -> String {
        // Strings and numbers: nothing that JSON cannot say.
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        text + "\n"
    }

    /// As JUnit XML: a test case for each threshold and for each group of cameras.
    pub fn junit(&self) -> String {
        junit::document(self)
    }
}

impl Calls {
    fn of(statistics: &Statistics) -> Calls {
        let all = statistics.all();
        Calls {
            accepted: all.invited,
            refused: all.refused,
            streamed: all.streamed,
            ended: all.ended,
            cut_short: all.cut_short,
            streams_at_once: statistics.streams_at_once(),
        }
    }
}

impl Media {
    fn of(sent: Counts) -> Media {
        Media {
            frames: sent.frames,
            packets: sent.packets,
            octets: sent.octets,
            dropped: sent.dropped,
            late: sent.late,
        }
    }
}

impl Times {
    fn of(statistics: &Statistics) -> Times {
        let of = |measure| statistics.times().percentiles(measure);
        Times {
            register: of(Measure::Register),
            invite: of(Measure::Invite),
            ack: of(Measure::Ack),
            first_packet: of(Measure::FirstPacket),
            keepalive: of(Measure::Keepalive),
            lateness: of(Measure::Lateness),
        }
    }

    fn named(&self) -> [(Measure, Option<Percentiles>); 6] {
        [
            (Measure::Register, self.register),
            (Measure::Invite, self.invite),
            (Measure::Ack, self.ack),
            (Measure::FirstPacket, self.first_packet),
            (Measure::Keepalive, self.keepalive),
            (Measure::Lateness, self.lateness),
        ]
    }
}

fn errors(plan: &Plan, statistics: &Statistics) -> Vec<Error> {
    let error = |(kind, trouble): (super::Kind, &super::Trouble)| {
        let super::Example {
            camera,
            call_id,
            at,
            why,
        } = trouble.example.clone();
        let camera = plan.camera(camera);
        Error {
            kind: kind.to_string(),
            count: trouble.count,
            example: Example {
                camera: camera.map(|c| c.id().to_string()).unwrap_or_default(),
                call_id,
                at: time_of(at),
                why,
            },
        }
    };
    statistics.troubles().into_iter().map(error).collect()
}

/// A group fails only where the fleet does: with it goes the exit code.
fn groups(plan: &Plan, thresholds: &[Check], statistics: &Statistics) -> Vec<GroupReport> {
    let fleet_passed = thresholds
        .iter()
        .all(|c| c.name != "registered" || c.passed);
    let group = |(place, group): (usize, &Group)| {
        let counted = statistics.group(place);
        let cameras = plan.members(group) as u64;
        let registered = u64::try_from(counted.arrived).unwrap_or(0);
        let least = plan.thresholds.registered;
        GroupReport {
            profile: group.profile.name.clone(),
            line: group.line,
            first_id: group.first_id().to_string(),
            last_id: group.last_id().to_string(),
            cameras,
            registered,
            calls: counted.invited,
            streamed: counted.streamed,
            frames: counted.sent.frames,
            dropped: counted.sent.dropped,
            errors: counted.errors,
            passed: fleet_passed || verdict::reaches(registered, cameras, least),
        }
    };
    plan.groups.iter().enumerate().map(group).collect()
}

/// `2026-01-02T03:04:05.678Z`.
fn time_of(wall: Wall) -> String {
    let time = Timestamp::from_microsecond(wall.as_micros()).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
