//! Media: from a file to RTP packets, and from RTP packets to a judgement.
//!
//! ```text
//! file -> container, if it is one -> nal -> access_unit (h264, h265) -> clip
//! file -> container, if it is one -> audio, beside the clip
//! clip -> cut (ps, rtp), once per policy -> sender, one per stream -> batches of octets
//! octets -> receiver -> demux -> verdict, against the clip
//! ```
//!
//! Signalling and media meet in [`order`]. Nothing here has a clock, a socket or a file.

mod access_unit;
pub mod audio;
pub mod clip;
pub mod codec;
mod container;
pub mod cut;
pub mod demux;
pub mod export;
pub mod g711;
pub mod h264;
pub mod h265;
pub mod nal;
pub mod order;
mod place;
pub mod ps;
pub mod rational;
pub mod receiver;
pub mod recording;
pub mod rtp;
pub mod sender;
pub mod still;
pub mod verdict;
pub mod wav;

pub use audio::{AudioCodec, AudioError, Track};
pub use clip::{Clip, ClipError, ClipOptions, Frame, Sound};
pub use codec::Codec;
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
