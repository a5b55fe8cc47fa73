//! The source as a receiver needs it: a mark per frame, and where each key frame stands.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::media::clip::Clip;
use crate::media::codec::Codec;
use crate::media::rational::Rational;

use super::units::{Digest, Mark, ParameterSets, Splitter};

/// Ticks per second of the time stamps in a program stream.
const CLOCK: u32 = 90_000;

/// One frame of the source.
#[derive(Clone, Debug)]
pub(in crate::media) struct SourceFrame {
    pub mark: Mark,
    /// A receiver can lock on here.
    pub key: bool,
    /// The key frame its GOP starts with.
    pub gop: usize,
    /// PTS - DTS in frames.
    pub reorder: u32,
    /// What has to be in force to decode it.
    pub sets: Arc<ParameterSets>,
}

/// One access unit of the source's sound.
#[derive(Clone, Copy, Debug)]
pub(in crate::media) struct SourceSound {
    pub digest: u64,
    /// How much later it is heard than its frame is decoded, in 90 kHz.
    pub later: u64,
}

/// What a received stream is compared with. Computed once per clip and shared.
pub struct Reference {
    name: String,
    codec: Codec,
    fps: Rational,
    frames: Vec<SourceFrame>,
    keys: HashMap<u64, Vec<usize>>,
    sounds: Vec<SourceSound>,
    /// Where in them those of each frame stand; empty for a source without sound.
    heard: Vec<Range<usize>>,
}

impl Reference {
    /// Indexes `clip`.
    pub fn of(clip: &Clip) -> Reference {
        let octets = (0..clip.frames().len()).map(|index| clip.frame(index));
        let facts = clip.frames().iter().map(|frame| (frame.key, frame.reorder));
        let mut reference =
            Reference::index(clip.name(), clip.codec(), clip.fps(), octets.zip(facts));
        reference.hear(clip);
        reference
    }

    /// Indexes what is heard with each frame.
    fn hear(&mut self, clip: &Clip) {
        let Some(sound) = clip.sound() else {
            return;
        };
        for index in 0..clip.frames().len() {
            let begun = self.sounds.len();
            let decoded = clip.fps().ticks(index as u64, CLOCK);
            let units = clip.sound_with(index);
            self.sounds.extend(units.map(|unit| {
                let mut digest = Digest::default();
                digest.write(sound.track().octets(unit));
                SourceSound {
                    digest: digest.finish(),
                    later: clip.sound_pts(unit).saturating_sub(decoded),
                }
            }));
            self.heard.push(begun..self.sounds.len());
        }
    }

    /// Indexes frames in decoding order: their octets, whether they are key frames, PTS - DTS.
    pub(in crate::media) fn index<'a>(
        name: &str,
        codec: Codec,
        fps: Rational,
        frames: impl Iterator<Item = (&'a [u8], (bool, u32))>,
    ) -> Reference {
        let mut reference = Reference {
            name: name.to_owned(),
            codec,
            fps,
            frames: Vec::new(),
            keys: HashMap::new(),
            sounds: Vec::new(),
            heard: Vec::new(),
        };
        let mut sets = Arc::new(ParameterSets::default());
        for (octets, (key, reorder)) in frames {
            let mark = mark_of(codec, octets, &mut sets);
            reference.add(mark, key, reorder, Arc::clone(&sets));
        }
        reference
    }

    fn add(&mut self, mark: Mark, key: bool, reorder: u32, sets: Arc<ParameterSets>) {
        let index = self.frames.len();
        let gop = match self.frames.last() {
            Some(last) if !key => last.gop,
            _ => index,
        };
        if key {
            self.keys.entry(mark.content).or_default().push(index);
        }
        self.frames.push(SourceFrame {
            mark,
            key,
            gop,
            reorder,
            sets,
        });
    }

    /// What the source is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is coded.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// Frames per second.
    pub fn fps(&self) -> Rational {
        self.fps
    }

    /// How many frames it has.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// How long `frames` frames are.
    pub(in crate::media) fn time(&self, frames: u64) -> Duration {
        self.fps.time(frames)
    }

    pub(in crate::media) fn frame(&self, index: usize) -> Option<&SourceFrame> {
        self.frames.get(index)
    }

    /// What is heard with a frame; `None` when there is no sound at all.
    pub(in crate::media) fn sounds(&self, index: usize) -> Option<&[SourceSound]> {
        self.sounds.get(self.heard.get(index)?.clone())
    }

    /// The key frames with this content, in order.
    pub(in crate::media) fn keys(&self, content: u64) -> &[usize] {
        self.keys.get(&content).map_or(&[], Vec::as_slice)
    }

    /// The frame `steps` after `index`, going round.
    pub(in crate::media) fn after(&self, index: usize, steps: u64) -> usize {
        let len = self.frames.len().max(1) as u64;
        ((index as u64 + steps % len) % len) as usize
    }

    /// How many frames lie from `from` on to `to`, going round.
    pub(in crate::media) fn distance(&self, from: usize, to: usize) -> u64 {
        let len = self.frames.len().max(1);
        ((to + len - from % len) % len) as u64
    }
}

pub(super) fn mark_of(codec: Codec, octets: &[u8], sets: &mut Arc<ParameterSets>) -> Mark {
    let mut mark = Mark::default();
    let mut now = ParameterSets::clone(sets);
    let mut splitter = Splitter::default();
    let mut add = |unit| mark.add(codec, &unit, &mut now);
    splitter.push(octets, &mut add);
    splitter.end(&mut add);
    if now != **sets {
        *sets = Arc::new(now);
    }
    mark
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Reference({:?}, {} frames)",
            self.name,
            self.frames.len()
        )
    }
}
