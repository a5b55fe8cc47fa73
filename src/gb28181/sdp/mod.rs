//! SDP as GB/T 28181 uses it (annex G): with `y=` (SSRC), `f=` (media format) and `u=`
//! (recording), over UDP or TCP.
//!
//! [`Sdp`] keeps lines as they are; [`Offer`] is what a platform asks for, [`SdpStyle::answer`]
//! what a device answers, [`Answer`] what the platform reads.

mod answer;
mod format;
mod lines;
mod media;
mod offer;
#[cfg(test)]
mod seen;
mod talk;
mod voice;

pub use answer::{Answer, AnswerFacts, SdpStyle};
pub use format::{AudioFormat, Format, VideoFormat};
pub use lines::Sdp;
pub use media::{Kind, Payload, Proto, SdpError, Session, Setup, Transport};
pub use offer::{Offer, OfferFields, Recording, TimeRange};
pub use talk::{Direction, TalkOffer};
pub use voice::{PCMA, VoiceAnswer, VoiceFacts};
