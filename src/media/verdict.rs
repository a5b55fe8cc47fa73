//! The judgement of a received stream.

/// What was received and what was wrong with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Frames received.
    pub frames: u64,
    /// Key frames among them.
    pub key_frames: u64,
}
