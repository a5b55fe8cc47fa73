//! The public handles: thin, async, over [`net`](crate::net).
//!
//! | handle | is |
//! |---|---|
//! | [`Camera`] | one camera or recorder on real sockets, from [`Camera::builder`] |
//! | [`Platform`] | the reference platform on real sockets, from [`Platform::start`] |
//! | [`Stream`] | one call of the platform to a channel, from [`Platform::play`] |
//! | [`Sink`] | what a platform does that takes thousands of streams in, for [`PlatformBuilder::sink`] |
//! | [`Channel`] | what can be called: a channel of a camera of ours, or of a real one |
//! | [`Clip`] | a video file, read once |
//! | [`Audio`] | a sound file, read once, for a clip |
//! | [`Fleet`] | thousands of cameras from one plan, and their report |
//! | [`Folder`] | the files that a fleet file names |
//! | [`Profile`](crate::profile::Profile) | the make a camera plays |
//!
//! A handle owns what it started: dropped, it closes its sockets at once, as a power cut does.
//! [`Camera::power_off`] and [`Platform::shut_down`] say goodbye first. Everything runs on the
//! runtime that `start` was called on; nothing is global, and port 0 is the default everywhere.

mod address;
mod audio;
mod board;
mod camera;
mod camera_builder;
mod channel;
mod clip;
mod error;
mod events;
mod fleet;
mod folder;
mod observed;
mod platform;
mod platform_builder;
mod play;
mod sink;
mod speech;
mod standing;
mod stream;
mod task;
mod voice_file;

pub use address::resolve;
pub use audio::Audio;
pub use camera::Camera;
pub use camera_builder::CameraBuilder;
pub use channel::Channel;
pub use clip::Clip;
pub use error::Error;
pub use events::Events;
pub use fleet::{Fleet, FleetView};
pub use folder::Folder;
pub use platform::{Platform, Registered};
pub use platform_builder::PlatformBuilder;
pub use play::Play;
pub use sink::{Sink, SinkCalls, SinkStatus, SinkTimes, SinkVerified, SinkWatch};
pub use speech::Speech;
pub(crate) use standing::explained;
pub use stream::{Answered, Steered, Stream, StreamEnd};
