//! The fleet file: what a user writes (TOML) turned into a checked plan of every camera.
//!
//! ```text
//!  text ──▶ FleetFile ──▶ Plan ──▶ CameraPlan, one at a time
//!         known keys,   ids, addresses, files,    Needs: descriptors, ports, addresses, memory
//!         sane values   shard, ramp, thresholds
//! ```
//!
//! Nothing here reads a file or opens a socket: files come through [`Files`], chance is a seed.
//! Everything that cannot work is refused before anything starts, all of it at once, with file,
//! line, value and way out.

mod address;
mod camera_plan;
mod chance;
mod check;
mod document;
mod file;
mod group;
mod ids;
mod keys;
mod media;
mod needs;
mod plan;
mod problem;
mod profiles;
mod ramp;
mod roster;
mod schema;
mod shard;
mod source;
#[cfg(test)]
mod tests;
mod threshold;
mod value;

pub use address::{Addresses, IpRange, Local, PortRange};
pub use camera_plan::{CameraPlan, ChannelPlan};
pub use file::{FleetFile, Run};
pub use group::Group;
pub use media::{MediaId, MediaPlan, MediaSource};
pub use needs::{Memory, Needs, Saving};
pub use plan::{Plan, PlatformPlan, Report};
pub use problem::{ConfigError, Problem};
pub use ramp::Ramp;
pub use shard::Shard;
pub use source::Files;
pub use threshold::{Limits, Thresholds};
pub use value::{Password, Share, length};
