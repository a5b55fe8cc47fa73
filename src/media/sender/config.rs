//! What a stream sends, and when it begins.

use std::sync::Arc;
use std::time::Duration;

use super::super::cut::{Cut, Times};
use super::super::recording::Recording;
use crate::time::Instant;

/// How far the DTS is ahead of the SCR: 40 ms at 90 kHz.
const DECODER_DELAY: u64 = 3600;

/// The clocks of the program stream count to here: 33 bits.
const CLOCK: u64 = 1 << 33;

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
    /// The payload type in the RTP header: the one the offer maps to PS.
    pub payload_type: u8,
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
    /// The recording that is played instead of the live clip.
    pub recording: Option<Arc<Recording>>,
}

impl SenderConfig {
    /// A stream as a camera just switched on sends it: the profile's payload type, sequence and timestamps from zero, a
    /// backlog of two seconds.
    pub fn new(cut: Arc<Cut>, ssrc: u32) -> SenderConfig {
        SenderConfig {
            payload_type: cut.payload_type(),
            cut,
            ssrc,
            sequence: 0,
            timestamp: 0,
            first_dts: DECODER_DELAY,
            first_frame: FirstKeyFrame::Immediate,
            backlog: Duration::from_secs(2),
            recording: None,
        }
    }

    /// When and with which frame of the clip a stream begins that is opened at `now`.
    pub(super) fn begin(&self, now: Instant) -> (Instant, usize) {
        let phase = match self.first_frame {
            FirstKeyFrame::Immediate => return (now, 0),
            FirstKeyFrame::OwnClock { phase } => phase,
            FirstKeyFrame::Aligned => Duration::ZERO,
        };
        let clip = self.cut.clip();
        let played = now.since(Instant::ZERO) + phase;
        let next = match played.checked_sub(Duration::from_nanos(1)) {
            Some(before) => clip.fps().events_until(before),
            None => 0,
        };
        let length = clip.frames().len().max(1);
        let index = usize::try_from(next % length as u64).unwrap_or(0);
        let distance = self.cut.distance_to_entry(index);
        let time = clip.fps().time(next + distance as u64);
        let start = Instant::ZERO + time.saturating_sub(phase);
        (start.max(now), (index + distance) % length)
    }

    /// The time stamps of the frame `number` of the stream, shown `reorder` frames later.
    pub(in crate::media) fn times(&self, number: u64, reorder: u32) -> Times {
        let ticks = |frames: u64| self.cut.clip().fps().ticks(frames, 90_000);
        self.stamps(ticks(number), ticks(number + u64::from(reorder)))
    }

    /// The time stamps of a frame, given when it is decoded and shown, counted from the stream's
    /// first.
    pub(super) fn stamps(&self, dts: u64, pts: u64) -> Times {
        let first = (self.first_dts % CLOCK).max(DECODER_DELAY);
        Times {
            scr: first + dts - DECODER_DELAY,
            dts: first + dts,
            pts: first + pts,
        }
    }
}
