//! A sending stream: which octets leave when.

use std::sync::Arc;
use std::time::Duration;

use super::cut::Cut;

/// Where in the clip a stream begins, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstKeyFrame {
    /// At once, with the clip's first key frame.
    #[default]
    Immediate,
    /// As a real encoder: the camera has been playing since `phase` before the clock's origin, and
    /// the stream waits for its next key frame.
    OwnClock {
        /// The camera's place in time.
        phase: Duration,
    },
    /// All cameras of a clip send their key frames at the same moment, on purpose.
    Aligned,
}

/// What a sending stream sends.
#[derive(Clone, Debug)]
pub struct SenderConfig {
    /// The clip, cut into packets.
    pub cut: Arc<Cut>,
    /// The stream's number, `y=` of the session description.
    pub ssrc: u32,
    /// Sequence number of the first RTP packet.
    pub sequence: u16,
    /// What RTP timestamps are ahead of the DTS.
    pub timestamp: u32,
    /// DTS of the first frame, 90 kHz. Below 3600 it is taken as 3600, so that the SCR, which
    /// stands 3600 before it, starts at zero or later.
    pub first_dts: u64,
    /// How the stream begins.
    pub first_frame: FirstKeyFrame,
    /// How much media may wait when the peer does not keep up.
    pub backlog: Duration,
}

impl SenderConfig {
    /// A stream as a camera just switched on sends it: sequence and timestamps from zero, a
    /// backlog of two seconds.
    pub fn new(cut: Arc<Cut>, ssrc: u32) -> SenderConfig {
        SenderConfig {
            cut,
            ssrc,
            sequence: 0,
            timestamp: 0,
            first_dts: 3600,
            first_frame: FirstKeyFrame::Immediate,
            backlog: Duration::from_secs(2),
        }
    }
}
