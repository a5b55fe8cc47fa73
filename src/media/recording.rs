//! Recordings as the media plane plays them: pieces of clips on a line of time, and how to move on
//! that line (GB/T 28181-2022 9.8, 9.9 and annex B).

use std::sync::Arc;
use std::time::Duration;

use super::cut::Cut;

/// A recording without a gap: a clip that was looped from its first frame on.
#[derive(Clone, Debug)]
pub struct Segment {
    /// What was recorded.
    pub cut: Arc<Cut>,
    /// Where it begins on the line of time.
    pub begin: Duration,
    /// How many frames it has; a clip shorter than that repeats.
    pub frames: u64,
}

impl Segment {
    /// A clip recorded from `begin` for as many whole frames as fit into `length`, at least one.
    pub fn lasting(cut: Arc<Cut>, begin: Duration, length: Duration) -> Segment {
        let frames = begun_before(&cut, length).max(1);
        Segment { cut, begin, frames }
    }

    /// Where it ends on the line of time.
    pub fn end(&self) -> Duration {
        self.begin + self.time(self.frames)
    }

    /// How long `frames` of its frames last.
    pub(super) fn time(&self, frames: u64) -> Duration {
        self.cut.clip().fps().time(frames)
    }

    /// The place in the clip of its frame `number`.
    pub(super) fn index(&self, number: u64) -> usize {
        let length = self.cut.clip().frames().len().max(1) as u64;
        usize::try_from(number % length).unwrap_or(0)
    }

    /// The first frame of the group of pictures that frame `number` belongs to.
    pub(super) fn group(&self, number: u64) -> u64 {
        let index = self.index(number);
        let within = index - self.cut.entry_before(index);
        number.saturating_sub(within as u64)
    }

    /// Octets of program stream of its frames from `first` up to, not including, `last`.
    pub fn octets(&self, first: u64, last: u64) -> u64 {
        let length = self.cut.clip().frames().len().max(1) as u64;
        let of = |range: std::ops::Range<u64>| -> u64 {
            let frames = range.map(|number| self.index(number));
            frames.map(|index| self.cut.octets(index)).sum()
        };
        let count = last.saturating_sub(first);
        let loops = count / length;
        let whole = if loops > 0 { of(0..length) } else { 0 };
        loops * whole + of(first..first + count % length)
    }
}

/// A recording as one session plays it. Positions are counted from `npt=0`, which is `begin`.
#[derive(Clone, Debug)]
pub struct Recording {
    /// What there is, in the order of time, without overlap.
    pub segments: Vec<Segment>,
    /// Where on the line of time position zero lies: `t=` of the offer.
    pub begin: Duration,
    /// Where it ends.
    pub end: Duration,
    /// How fast it is played at first.
    pub scale: Scale,
    /// How the make plays.
    pub policy: PlaybackPolicy,
}

/// How a make plays recordings.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlaybackPolicy {
    /// From this speed on key frames alone are sent, each at its own time; `None`: never.
    pub key_frames_from: Option<f64>,
    /// What time stamps do when a recording is not played at its own speed.
    pub stamps: ScaledStamps,
}

impl Default for PlaybackPolicy {
    fn default() -> Self {
        PlaybackPolicy {
            key_frames_from: Some(8.0),
            stamps: ScaledStamps::Media,
        }
    }
}

/// What time stamps do when a recording is not played at its own speed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScaledStamps {
    /// They keep the time of the recording: at double speed they run twice as fast as the clock.
    #[default]
    Media,
    /// They keep the time of the clock: at double speed frames stand half as far apart.
    Wall,
}

/// How fast, and in which direction: `Scale` of annex B.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Scale(f64);

impl Scale {
    /// The recording's own speed.
    pub const NORMAL: Scale = Scale(1.0);
    /// The slowest speed.
    pub const SLOWEST: f64 = 0.25;
    /// The fastest speed.
    pub const FASTEST: f64 = 32.0;

    /// A speed from 0.25 to 32, negative for backwards; `None` for any other.
    pub fn new(scale: f64) -> Option<Scale> {
        (Scale::SLOWEST..=Scale::FASTEST)
            .contains(&scale.abs())
            .then_some(Scale(scale))
    }

    /// As a number, negative for backwards.
    pub fn get(self) -> f64 {
        self.0
    }

    /// How fast in either direction.
    pub fn speed(self) -> f64 {
        self.0.abs()
    }

    /// Whether it goes backwards.
    pub fn is_reverse(self) -> bool {
        self.0 < 0.0
    }

    /// How long `media` takes at this speed.
    pub fn wall(self, media: Duration) -> Duration {
        media.div_f64(self.speed())
    }
}

/// What a platform asks of a recording that plays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Steer {
    /// Stand still behind the frame that has begun to leave. Sockets stay.
    Pause,
    /// Play on.
    Play(Course),
}

/// Where a recording goes on. What is `None` stays as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Course {
    /// From this position: the key frame at or before it.
    pub from: Option<Duration>,
    /// Up to this position.
    pub until: Option<Duration>,
    /// At this speed.
    pub scale: Option<Scale>,
}

/// What a recording that plays has to say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reeled {
    /// What was asked is done.
    Steered(Steered),
    /// Everything is sent. It may be steered on.
    Drained,
}

/// Where a recording stands after [`Steer`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steered {
    /// The position of the next frame.
    pub position: Duration,
    /// The RTP sequence number of its first packet.
    pub sequence: u16,
    /// Its RTP time stamp.
    pub timestamp: u32,
}

impl Recording {
    /// How much of it there is, gaps left out.
    pub fn octets(&self) -> u64 {
        let parts = self.segments.iter().filter(|s| s.begin < self.end);
        parts
            .map(|segment| {
                let first = begun_before(&segment.cut, self.begin.saturating_sub(segment.begin));
                let last = begun_before(&segment.cut, self.end - segment.begin);
                let last = last.min(segment.frames);
                segment.octets(segment.group(first.min(last)), last)
            })
            .sum()
    }

    /// How long it is from position zero.
    pub fn length(&self) -> Duration {
        self.end.saturating_sub(self.begin)
    }
}

/// How many frames of a clip have begun before `passed` is over.
fn begun_before(cut: &Cut, passed: Duration) -> u64 {
    match passed.checked_sub(Duration::from_nanos(1)) {
        Some(before) => cut.clip().fps().events_until(before),
        None => 0,
    }
}
