//! What is heard while a clip is shown. It begins with the first picture that is shown, and again
//! with every loop of the clip, so that the two never part.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::Clip;
use crate::media::audio::{AudioError, Track};
use crate::media::container;

/// Ticks per second of the time stamps in a program stream.
const CLOCK: u32 = 90_000;

/// A track, as far as it is heard in one loop of a clip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    track: Arc<Track>,
    units: u64,
}

/// The sound of a clip: some, none, or that of its file, which cannot be played.
pub(in crate::media) type Heard = Result<Option<Sound>, AudioError>;

impl Sound {
    /// What is heard.
    pub fn track(&self) -> &Arc<Track> {
        &self.track
    }

    /// How many access units are heard in one loop of the clip: those that are over before it is.
    /// A track that is longer is cut off, one that is shorter is said again.
    pub fn units(&self) -> u64 {
        self.units
    }

    /// All of `track` that fits into one loop of `clip`.
    fn along(track: Arc<Track>, clip: &Clip) -> Sound {
        let units = track.whole_within(clip.frames.len() as u64, clip.fps);
        Sound { track, units }
    }

    /// The same, said once in a loop: what a file says beside its own pictures.
    fn once(self) -> Sound {
        let units = self.units.min(self.track.count() as u64);
        Sound { units, ..self }
    }
}

impl Clip {
    /// Takes in the sound of the file that the clip was read from, but for what is heard with the
    /// `late` frames before the first key frame.
    pub(super) fn hearing(mut self, bytes: &Bytes, late: usize) -> Clip {
        let own = container::sound(&self.name, bytes);
        let late = self.fps.ticks(late as u64, CLOCK);
        let late = i64::try_from(late).unwrap_or(i64::MAX);
        self.sound = own.map(|track| {
            let track = track?.shifted(late.saturating_neg(), CLOCK);
            Some(Sound::along(Arc::new(track), &self).once())
        });
        self
    }

    /// The clip with this sound in place of its own. The pictures stay what they are.
    pub fn with_audio(&self, track: Arc<Track>) -> Clip {
        let sound = Ok(Some(Sound::along(track, self)));
        Clip {
            sound,
            ..self.clone()
        }
    }

    /// The clip without sound.
    pub fn without_audio(&self) -> Clip {
        Clip {
            sound: Ok(None),
            ..self.clone()
        }
    }

    /// What is heard while it is shown; that of its file, if it has any that can be played.
    pub fn sound(&self) -> Option<&Sound> {
        self.sound.as_ref().ok()?.as_ref()
    }

    /// Why the sound of its file cannot be played, if it has some that cannot.
    pub fn unheard(&self) -> Option<&AudioError> {
        self.sound.as_ref().err()
    }

    /// The access units that leave with frame `index` of the clip, in each loop: those that begin
    /// in its time. Together the frames of a loop have all [`Sound::units`], each once.
    pub fn sound_with(&self, index: usize) -> Range<u64> {
        let Some(sound) = self.sound() else {
            return 0..0;
        };
        let first = |frames: usize| {
            let begins = sound.track.first_after(frames as u64, self.fps);
            begins.min(sound.units)
        };
        match index < self.frames.len() {
            true => first(index)..first(index + 1),
            false => 0..0,
        }
    }

    /// When access unit `n` is to be heard, in 90 kHz ticks from the decoding of the clip's first
    /// frame in the same loop: as much later than that frame is shown as the track says.
    pub fn sound_pts(&self, n: u64) -> u64 {
        let shown = self.frames.first().map_or(0, |frame| frame.reorder);
        let shown = self.fps.ticks(shown.into(), CLOCK);
        let heard = self.sound().map_or(0, |sound| sound.track.pts(n));
        shown.saturating_add(heard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::audio::law::Law;
    use crate::media::{ClipOptions, Rational};

    const PLAIN: &[u8] = include_bytes!("../../../tests/media/plain.h264");
    const SOUNDING: &[u8] = include_bytes!("../../../tests/media/sounding.mp4");

    fn clip(octets: &[u8]) -> Clip {
        Clip::parse("x", octets.to_vec().into(), ClipOptions::default()).unwrap()
    }

    /// The file with sound, one box or field in it called something else.
    fn renamed(from: &[u8; 4], to: &[u8; 4]) -> Vec<u8> {
        let mut file = SOUNDING.to_vec();
        let at = file.windows(4).rposition(|part| part == from).unwrap();
        file[at..at + 4].copy_from_slice(to);
        file
    }

    /// The access units of all frames, one after the other.
    fn all(clip: &Clip) -> Vec<u64> {
        let frames = 0..clip.frames().len() + 3;
        frames.flat_map(|index| clip.sound_with(index)).collect()
    }

    #[test]
    fn a_file_with_sound_is_heard_and_its_pictures_are_those_of_one_without() {
        let silent = clip(&renamed(b"soun", b"meta"));
        let sounding = clip(SOUNDING);
        assert_eq!(silent.sound(), None);
        assert_eq!(
            (sounding.data(), sounding.frames()),
            (silent.data(), silent.frames())
        );
        let sound = sounding.sound().unwrap();
        assert_eq!((sound.units(), sound.track().count()), (7, 7));
        assert_eq!(all(&sounding), (0..7).collect::<Vec<_>>());
        assert_eq!(sounding.without_audio().sound(), None);
    }

    #[test]
    fn it_begins_with_the_first_picture_that_is_shown() {
        let clip = clip(SOUNDING);
        assert_eq!(clip.frames()[0].reorder, 1);
        // 40 ms, and 64 ms for every unit before.
        let pts: Vec<u64> = (0..3).map(|n| clip.sound_pts(n)).collect();
        assert_eq!(pts, [3600, 9360, 15_120]);
        // Units begin at 0, 64, 128, 192 ms: with frames of 40 ms the first, second, fourth, fifth.
        let with: Vec<_> = (0..5).map(|index| clip.sound_with(index)).collect();
        assert_eq!(with, [0..1, 1..2, 2..2, 2..3, 3..4]);
    }

    #[test]
    fn what_is_heard_with_frames_that_are_left_out_is_left_out_too() {
        let silent = clip(SOUNDING).without_audio();
        // Three frames are 120 ms, in which two units of 64 ms begin; the third does 8 ms later.
        let late = silent.hearing(&Bytes::from_static(SOUNDING), 3);
        assert_eq!(late.sound().unwrap().units(), 5);
        assert_eq!(
            (late.sound_pts(0), late.sound_pts(1)),
            (3600 + 720, 3600 + 720 + 5760)
        );
        let whole = clip(SOUNDING);
        let heard = |clip: &Clip, n| clip.sound().unwrap().track().octets(n).to_vec();
        assert_eq!(heard(&late, 0), heard(&whole, 2));
    }

    #[test]
    fn a_short_track_is_said_again_and_a_long_one_ends_with_the_clip() {
        let plain = clip(PLAIN);
        assert_eq!(
            (plain.fps(), plain.frames().len()),
            (Rational::whole(25), 20)
        );
        let short = Track::g711("short", Law::A, vec![1; 700].into()).unwrap();
        let short = plain.with_audio(Arc::new(short));
        assert_eq!(all(&short), (0..20).collect::<Vec<_>>());
        let long = plain.with_audio(Arc::new(Track::tone(Law::Mu)));
        assert_eq!(long.sound().unwrap().track().count(), 25);
        assert_eq!(all(&long), (0..20).collect::<Vec<_>>());
        assert_eq!((long.data(), long.frames()), (plain.data(), plain.frames()));
    }

    #[test]
    fn sound_that_cannot_be_played_leaves_the_pictures_and_is_told() {
        let clip = clip(&renamed(b"mp4a", b"Opus"));
        assert_eq!(clip.sound(), None);
        let why = clip.unheard().unwrap().to_string();
        assert!(why.contains("the codec is `Opus`, not AAC"), "{why}");
        assert_eq!(clip.frames().len(), 30);
    }
}
