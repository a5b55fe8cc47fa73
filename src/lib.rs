//! vcam plays the part of GB/T 28181 cameras and recorders (SIP, MPEG-PS over RTP) so exactly
//! that a video platform cannot tell, and brings the small, strict platform that proves it.
//!
//! A camera in a test, on real sockets, with nothing installed:
//!
//! ```
//! use vcam::{Camera, Clip, MediaTransport, Platform, Profile};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), vcam::Error> {
//! let platform = Platform::start().await?; // loopback, any port
//! let camera = Camera::builder(Profile::builtin("dahua-ipc")?)
//!     .platform(platform.address())
//!     .media(Clip::open("media/tiny.h264")?)
//!     .start()
//!     .await?;
//! camera.registered().await?;
//! let mut stream = platform.play(camera.channel(1)).over(MediaTransport::TcpActive).await?;
//! assert!(stream.verified_seconds(1.0).await?.is_clean()); // equal to the file, frame by frame
//! stream.stop().await?; // BYE
//! camera.power_off().await?; // unregisters
//! # Ok(())
//! # }
//! ```
//!
//! # The map
//!
//! Signalling is pure state machines ([`node::Node`]): time, chance and sockets are arguments.
//! Media is files cut into packets once and sent by pumps. The rooms, lower ones first; a room
//! sees only those above it in this table, and those of one line do not see each other.
//!
//! | room | what is in it |
//! |---|---|
//! | [`time`] | instants, wall time, the timer table |
//! | [`sip`] | messages, handwriting, framing, digest, transactions, dialogs |
//! | [`gb28181`] | IDs, charsets, MANSCDP, SDP with `y=` and `f=` |
//! | [`media`] | clips, access units, PS, RTP, senders, receivers, the verdict |
//! | [`profile`] | `profiles/*.toml` read into the policies of the three rooms above |
//! | [`node`] | the contract: told what happens, asked what to do |
//! | [`camera`], [`platform`] | the device, and the reference platform |
//! | [`lab`], [`net`] | nodes in virtual time, and nodes on real sockets |
//! | [`config`] | the fleet file: a checked plan of every camera, or file, line and way out |
//! | [`fleet`] | who comes and goes when, what all count together, the report |
//! | [`api`] | the handles re-exported here |
//! | [`cli`] | one file per sub-command |

#![warn(missing_docs)]

/// The README's example is compiled as it stands there.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod api;
pub mod camera;
pub mod cli;
pub mod config;
pub mod fleet;
pub mod gb28181;
pub mod lab;
pub mod media;
pub mod net;
pub mod node;
pub mod platform;
pub mod profile;
pub mod sip;
pub mod time;

pub use api::{
    Audio, Camera, CameraBuilder, Channel, Clip, Error, Events, Fleet, FleetView, Folder, Platform,
    PlatformBuilder, Play, Sink, SinkStatus, SinkWatch, Speech, Steered, Stream, StreamEnd,
    resolve,
};
pub use camera::{PlatformAddress, Recordings};
pub use gb28181::DeviceId;
pub use media::{MediaTransport, Rational, Verdict};
pub use profile::{Profile, ProfileError};
pub use sip::Transport;
