//! Media: from a file to RTP packets, and from RTP packets to a judgement.
//!
//! ```text
//! file -> container, if it is one -> nal -> access_unit (slice, picture_order, parameter_sets, sei) -> clip
//! clip -> cut (ps, rtp), once per policy -> sender, one per stream -> batches of octets
//! octets -> receiver -> demux -> verdict, against the clip
//! ```
//!
//! Signalling and media meet in [`order`]. Nothing here has a clock, a socket or a file.

mod access_unit;
pub mod audio;
pub mod clip;
mod container;
pub mod cut;
pub mod demux;
pub mod export;
pub mod g711;
pub mod nal;
pub mod order;
mod parameter_sets;
mod picture_order;
pub mod ps;
pub mod rational;
pub mod receiver;
pub mod recording;
pub mod rtp;
mod sei;
pub mod sender;
mod slice;
pub mod still;
#[cfg(test)]
mod synthetic;
pub mod verdict;
pub mod wav;

pub use audio::{AudioCodec, AudioError, Track};
pub use clip::{Clip, ClipError, ClipOptions, Codec, Frame};
pub use cut::Cut;
pub use export::export;
pub use order::{Counts, Flowing, Loss, MediaTransport, Order, Report, StreamId};
pub use ps::policy::PsPolicy;
pub use rational::Rational;
pub use receiver::{Check, Expected, Receiver};
pub use recording::{
    Course, PlaybackPolicy, Recording, Reeled, Scale, ScaledStamps, Segment, Steer, Steered,
};
pub use rtp::{Framing, RtpPolicy};
pub use sender::{Batch, FirstKeyFrame, Sender, SenderConfig, SliceList, Wrote};
pub use still::Still;
pub use verdict::{Fault, Reference, Verdict};
