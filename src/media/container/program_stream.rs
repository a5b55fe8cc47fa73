//! Video out of a program stream that is a file, for instance one that was recorded.

pub mod sound;

use super::super::demux::{Demuxer, PsEvent, syntax::stream};
use super::super::rational::Rational;
use super::{Contents, rate};

/// Ticks per second of the time stamps.
const CLOCK: u64 = 90_000;

/// Whether a file begins with a pack header.
pub fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0, 0, 1, stream::PACK])
}

/// The first video stream. What the demultiplexer cannot read is passed over.
pub fn open(bytes: &[u8]) -> Result<Contents, &'static str> {
    let mut taken = Taken::default();
    let mut demuxer = Demuxer::new();
    demuxer.push(bytes, &mut |event| taken.take(event));
    demuxer.flush(&mut |event| taken.take(event));
    if taken.video.is_empty() {
        return Err("without video");
    }
    Ok(Contents {
        fps: taken.fps(),
        counted: taken.stamps,
        video: taken.video.into(),
    })
}

#[derive(Default)]
struct Taken {
    video: Vec<u8>,
    /// The video stream that is taken: the first one.
    chosen: Option<u8>,
    /// The packet being read belongs to it.
    wanted: bool,
    /// How many time stamps it had, the earliest and the latest.
    stamps: u64,
    span: Option<(u64, u64)>,
}

impl Taken {
    fn take(&mut self, event: PsEvent<'_>) {
        match event {
            PsEvent::Pes(pes) => {
                self.wanted = stream::is_video(pes.stream)
                    && *self.chosen.get_or_insert(pes.stream) == pes.stream;
                if let Some(at) = pes.pts.filter(|_| self.wanted) {
                    let (first, last) = self.span.unwrap_or((at, at));
                    self.span = Some((first.min(at), last.max(at)));
                    self.stamps += 1;
                }
            }
            PsEvent::Data(octets) if self.wanted => self.video.extend_from_slice(octets),
            _ => {}
        }
    }

    /// Frames per second, when every frame has a time stamp.
    fn fps(&self) -> Option<Rational> {
        let (first, last) = self.span?;
        rate(self.stamps.checked_sub(1)?, last.checked_sub(first)?, CLOCK)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::clip::{Clip, ClipError, ClipOptions};
    use super::*;
    use proptest::prelude::*;

    const FFMPEG: &[u8] = include_bytes!("../../../tests/media/ffmpeg.ps");
    const VIDEO: &[u8] = include_bytes!("../../../tests/media/ffmpeg_ps.h264");

    #[test]
    fn the_video_of_somebody_elses_program_stream_is_a_clip() {
        let plain = Clip::parse("x", VIDEO.into(), ClipOptions::default()).unwrap();
        let taken = Clip::parse("x", FFMPEG.into(), ClipOptions::default()).unwrap();
        assert_eq!(taken.data(), plain.data());
        assert_eq!(taken.frames(), plain.frames());
        assert_eq!(taken.fps(), plain.fps());
    }

    #[test]
    fn what_a_camera_sends_can_be_played_by_the_next() {
        use crate::media::{Cut, PsPolicy, RtpPolicy, export};
        let source: &[u8] = include_bytes!("../../../media/tiny.h264");
        let clip = Clip::parse("x", source.into(), ClipOptions::default()).unwrap();
        let cut = Cut::new(
            clip.clone().into(),
            &PsPolicy::default(),
            &RtpPolicy::default(),
        );
        let again =
            Clip::parse("x", export(&cut.into(), 1).into(), ClipOptions::default()).unwrap();
        assert_eq!(again.data(), clip.data());
        assert_eq!(again.fps(), clip.fps());
    }

    #[test]
    fn a_program_stream_without_video_is_refused() {
        let pack = [0, 0, 1, 0xBA, 0x44, 0, 4, 0, 4, 1, 0, 0x5F, 0x6B, 0xF8];
        let refused = Clip::parse("x", pack.to_vec().into(), ClipOptions::default()).unwrap_err();
        assert_eq!(
            refused,
            ClipError::Container("an MPEG program stream", "without video")
        );
    }

    proptest! {
        #[test]
        fn spoilt_program_streams_never_panic(
            spoils in prop::collection::vec((0..FFMPEG.len(), any::<u8>()), 0..40), end in 4..FFMPEG.len()
        ) {
            let mut bytes = FFMPEG.to_vec();
            for (at, value) in spoils {
                bytes[at] = value;
            }
            bytes.truncate(end);
            if let Ok(contents) = open(&bytes) {
                prop_assert!(contents.video.len() <= bytes.len());
            }
            let _ = Clip::parse("x", bytes.into(), ClipOptions::default());
        }
    }
}
