//! `vcam check`.

mod summary;

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::failure::Failure;
use super::fleet_file::Beside;
use super::screen::Screen;
use crate::api::{Clip, Folder};
use crate::config::{Group, MediaPlan, Needs, Plan};
use summary::Summary;

/// Is a fleet file right, and what would run?
///
/// Reads the file and everything it names, and uses no network. What cannot work is refused with
/// file, line and the way out.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vcam check fleet.toml                  is it right, and what would run?
  vcam check fleet.toml --shard 0/4      what the first of four would run
  vcam check fleet.toml --json           the same for machines

Exit codes: 0 it can run, 2 it cannot.")]
pub(super) struct Arguments {
    /// The fleet file (examples/fleet.toml shows every key)
    #[arg(value_name = "FLEET.toml")]
    file: PathBuf,
    #[command(flatten)]
    beside: Beside,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Prints what would run.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (plan, folder) = arguments.beside.plan(&arguments.file, None)?;
    let clips = clips(&plan, &folder)?;
    let screen = Screen::new();
    if arguments.json {
        screen.line(format_args!("{:#}", as_json(&plan, &clips)));
        return Ok(());
    }
    let file = arguments.file.display();
    screen.line(format_args!("{} {file} can run\n", screen.good("✓")));
    for line in Summary::new(screen, &plan, &clips).lines() {
        screen.line(line);
    }
    Ok(())
}

/// Every clip of a plan, read: one that cannot be played is found here.
fn clips(plan: &Plan, folder: &Folder) -> Result<Vec<Clip>, Failure> {
    let read = |clip: &MediaPlan| folder.clip(clip).map_err(Failure::from);
    plan.media.iter().map(read).collect()
}

/// What a plan needs, with the clips as large as they are in memory.
fn needs(plan: &Plan, clips: &[Clip]) -> Needs {
    let mut needs = Needs::of(plan);
    needs.memory.clips = clips.iter().map(|clip| clip.data().len() as u64).sum();
    needs
}

/// Bits in a second when the platform watches the main stream of every channel once.
fn bit_rate(plan: &Plan, clips: &[Clip]) -> u64 {
    let channels = plan.cameras().flat_map(|camera| camera.channels());
    let rates = channels.filter_map(|channel| clips.get(channel.main.index()));
    rates.map(|clip| clip.bit_rate()).sum()
}

fn as_json(plan: &Plan, clips: &[Clip]) -> Value {
    let needs = needs(plan, clips);
    let group = |group: &Group| {
        json!({
            "line": group.line,
            "cameras": group.count,
            "here": plan.members(group),
            "profile": group.profile.name,
            "transport": group.transport.to_string(),
            "channels": group.channels,
            "first_id": group.first_id().to_string(),
            "last_id": group.last_id().to_string(),
        })
    };
    let media = |(planned, clip): (&MediaPlan, &Clip)| {
        json!({
            "source": planned.source.to_string(),
            "width": clip.width(),
            "height": clip.height(),
            "fps": clip.fps().as_f64(),
            "bits_per_second": clip.bit_rate(),
        })
    };
    json!({
        "seed": plan.seed,
        "shard": plan.shard.to_string(),
        "fleet": plan.fleet(),
        "cameras": plan.len(),
        "channels": plan.channels(),
        "bits_per_second": bit_rate(plan, clips),
        "ramp_seconds": plan.ramp_up().as_secs_f64(),
        "end_seconds": plan.end().map(|end| end.as_secs_f64()),
        "groups": plan.groups.iter().map(group).collect::<Vec<_>>(),
        "media": plan.media.iter().zip(clips).map(media).collect::<Vec<_>>(),
        "needs": {
            "descriptors": needs.descriptors(),
            "sip_udp": needs.sip_udp,
            "sip_tcp": needs.sip_tcp,
            "media": needs.media,
            "rtcp": needs.rtcp,
            "addresses": needs.addresses,
            "memory_octets": needs.memory.total(),
        },
    })
}
