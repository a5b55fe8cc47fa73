//! The tables of the file into a plan: defaults filled in, what cannot work refused.

mod addresses;
mod codes;
mod files;
mod groups;
mod platform;
mod run;
mod sound;

use std::time::Duration;

use toml::Spanned;

use super::address::Addresses;
use super::file::Run;
use super::plan::Plan;
use super::problem::{ConfigError, Problems};
use super::schema::{Key, TextKey, Top};
use super::source::{Files, Source};
use super::value::Length;
use files::Reading;

/// Checks the whole file and tells everything that is wrong with it at once.
pub(super) fn plan(
    source: &Source,
    top: &Top,
    run: &Run,
    files: &dyn Files,
) -> Result<Plan, ConfigError> {
    let mut problems = Problems::new(source);
    let mut reading = Reading::new(files);
    let platform = platform::plan(&top.platform, run, &mut problems);
    let drafts = groups::drafts(source, top, &mut reading, &mut problems);
    let groups = codes::assign(drafts, platform.id, run.shard, &mut problems);
    let mut plan = Plan {
        seed: run.seed.or(copied(&top.seed)).unwrap_or(run.drawn),
        duration: run.duration.or(length(&top.duration)),
        workers: run::workers(top, &mut problems),
        rtcp: copied(&top.rtcp).unwrap_or(false),
        shard: run.shard,
        platform,
        addresses: Addresses::SharedSocket { ip: None, port: 0 },
        media_ip: None,
        ramp: run::ramp(&top.ramp),
        thresholds: run::thresholds(&top.thresholds, &mut problems),
        report: run::report(&top.report, &mut problems),
        media: reading.media(),
        groups,
    };
    addresses::plan(&top.addresses, &mut plan, &mut problems);
    run::lengths(top, &plan, &mut problems);
    problems.or(plan)
}

/// The value of a key.
fn copied<T: Copy>(key: &Key<T>) -> Option<T> {
    key.as_ref().map(|value| *value.get_ref())
}

/// The length of time of a key.
fn length(key: &TextKey<Length>) -> Option<Duration> {
    key.as_ref().map(|value| value.get_ref().0.0)
}

/// The length of time of a key, not zero.
fn some_time(
    key: &TextKey<Length>,
    default: Duration,
    why: &str,
    problems: &mut Problems<'_>,
) -> Duration {
    let read = length(key).unwrap_or(default);
    if let (Some(key), true) = (key, read.is_zero()) {
        problems.at(key.span(), why);
    }
    read
}

/// The count of a key, from 1 to `most`; 1 when it is not.
fn count(
    key: &Key<usize>,
    default: usize,
    most: usize,
    (whose, what): (&str, &str),
    problems: &mut Problems<'_>,
) -> usize {
    let Some(key) = key else {
        return default;
    };
    let count = *key.get_ref();
    if (1..=most).contains(&count) {
        return count;
    }
    problems.at(
        key.span(),
        format!("{whose} 1 to {most} {what}, not {count}"),
    );
    1
}

/// The text of a key.
fn text(key: &Key<String>) -> Option<&Spanned<String>> {
    key.as_ref()
}
