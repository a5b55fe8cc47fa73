//! Compares received frames with the source's, in decoding order.
//!
//! Not locked: a key frame whose content is in the source locks on. Locked: the next frame of
//! the source is expected; a frame found elsewhere is a drop, a loss or a jump, depending on what
//! clock and sequence numbers say; a frame found nowhere is a mismatch of the frame that was due.

use std::sync::Arc;

use super::reference::{Reference, SourceFrame};
use super::units::{Mark, ParameterSets};
use super::{Difference, MISMATCHES, Mismatch, Verdict};

/// A whole frame that came in.
pub(in crate::media) struct ReceivedFrame<'a> {
    pub mark: Mark,
    /// The parameter sets in force after it.
    pub sets: &'a ParameterSets,
    /// How many frames are missing before it by the RTP clock.
    pub skipped: u64,
    /// Whether packets are missing since the last whole frame.
    pub gap: bool,
    /// Sequence number of its first packet.
    pub sequence: u16,
}

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::media) struct Ruling {
    /// The source frame it equals.
    pub source: Option<usize>,
    /// The clock ran on as if frames were missing, but none is.
    pub clock_ran_ahead: bool,
}

/// The comparing half of a verdict.
#[derive(Clone, Debug)]
pub(in crate::media) struct Judge {
    reference: Arc<Reference>,
    /// The frame that is due, when locked on.
    due: Option<usize>,
    /// Every frame of the current GOP was right so far.
    gop_right: bool,
}

impl Judge {
    pub fn new(reference: Arc<Reference>) -> Judge {
        Judge {
            reference,
            due: None,
            gop_right: false,
        }
    }

    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// A frame was cut: its GOP cannot be right any more.
    pub fn cut(&mut self) {
        self.gop_right = false;
    }

    /// The stream begins anew, anywhere.
    pub fn unlock(&mut self) {
        self.due = None;
        self.gop_right = false;
    }

    /// Judges one frame.
    pub fn frame(&mut self, frame: &ReceivedFrame<'_>, verdict: &mut Verdict) -> Ruling {
        match self.locate(frame) {
            Some(at) => self.found(at, frame, verdict),
            None => {
                self.not_found(frame, verdict);
                Ruling::default()
            }
        }
    }

    fn locate(&self, frame: &ReceivedFrame<'_>) -> Option<usize> {
        let keys = self.reference.keys(frame.mark.content);
        let Some(due) = self.due else {
            return keys.first().copied();
        };
        let by_clock = self.reference.after(due, frame.skipped);
        if let Some(at) = [by_clock, due].into_iter().find(|at| self.is(*at, frame)) {
            return Some(at);
        }
        let ahead = |at: &usize| self.reference.distance(due, *at);
        if let Some(at) = keys.iter().copied().min_by_key(ahead) {
            return Some(at);
        }
        self.same_gop(due)
            .filter(|at| self.is(*at, frame))
            .min_by_key(ahead)
            .or_else(|| self.twin(due, frame))
    }

    fn is(&self, at: usize, frame: &ReceivedFrame<'_>) -> bool {
        self.reference
            .frame(at)
            .is_some_and(|source| same(source, frame))
    }

    fn same_gop(&self, at: usize) -> impl Iterator<Item = usize> {
        let gop = self.reference.frame(at).map(|source| source.gop);
        let start = gop.unwrap_or(0);
        (start..self.reference.len())
            .take_while(move |at| self.reference.frame(*at).map(|source| source.gop) == gop)
    }

    /// Two GOPs may begin alike (a still picture). When the one locked on does not go on like
    /// this, another that begins the same may.
    fn twin(&self, due: usize, frame: &ReceivedFrame<'_>) -> Option<usize> {
        let start = self.reference.frame(due)?.gop;
        let content = self.reference.frame(start)?.mark.content;
        let length = due - start;
        self.reference
            .keys(content)
            .iter()
            .copied()
            .find_map(|other| {
                let alike = (0..length).all(|step| {
                    let mark = |at: usize| {
                        self.reference
                            .frame(at + step)
                            .map(|source| source.mark.content)
                    };
                    mark(start) == mark(other)
                });
                (alike && self.is(other + length, frame)).then_some(other + length)
            })
    }

    fn found(&mut self, at: usize, frame: &ReceivedFrame<'_>, verdict: &mut Verdict) -> Ruling {
        let clock_ran_ahead = self.account_for_missing(at, frame, verdict);
        let reference = Arc::clone(&self.reference);
        let Some(source) = reference.frame(at) else {
            return Ruling::default();
        };
        self.due = Some(reference.after(at, 1));
        self.gop_right |= source.key;
        if let Some(what) = beside_content(source, frame) {
            self.mismatch(Some(at), what, frame, verdict);
        } else {
            verdict.matched += 1;
            verdict.verified = reference.time(verdict.matched);
        }
        let last = reference
            .frame(reference.after(at, 1))
            .is_some_and(|next| next.key);
        if last && self.gop_right {
            verdict.gops += 1;
        }
        Ruling {
            source: Some(at),
            clock_ran_ahead,
        }
    }

    /// Counts what lies between the frame due and the one that came; `true` when the clock says
    /// that frames are missing which are not.
    fn account_for_missing(
        &mut self,
        at: usize,
        frame: &ReceivedFrame<'_>,
        verdict: &mut Verdict,
    ) -> bool {
        let Some(due) = self.due else {
            return false;
        };
        let missing = self.reference.distance(due, at);
        let by_clock = self.reference.after(due, frame.skipped) == at;
        if missing == 0 && (frame.skipped == 0 || !by_clock) {
            return frame.skipped > 0;
        }
        self.gop_right = false;
        match (by_clock, frame.gap) {
            (true, true) => verdict.lost += frame.skipped,
            (true, false) => verdict.dropped += frame.skipped,
            (false, true) => {
                verdict.lost += frame.skipped;
                verdict.jumps += 1;
            }
            (false, false) => verdict.jumps += 1,
        }
        false
    }

    fn not_found(&mut self, frame: &ReceivedFrame<'_>, verdict: &mut Verdict) {
        let Some(due) = self.due else {
            if frame.mark.idr {
                self.mismatch(None, Difference::Content, frame, verdict);
            } else {
                verdict.unlocked += 1;
            }
            return;
        };
        match frame.gap {
            true => verdict.lost += frame.skipped,
            false => verdict.dropped += frame.skipped,
        }
        let at = self.reference.after(due, frame.skipped);
        let units = self
            .reference
            .frame(at)
            .map_or(0, |source| source.mark.units);
        let what = match frame.mark.units == units {
            true => Difference::Content,
            false => Difference::UnitCount(frame.mark.units, units),
        };
        self.mismatch(Some(at), what, frame, verdict);
        self.due = Some(self.reference.after(at, 1));
    }

    fn mismatch(
        &mut self,
        at: Option<usize>,
        what: Difference,
        frame: &ReceivedFrame<'_>,
        verdict: &mut Verdict,
    ) {
        self.gop_right = false;
        verdict.mismatched += 1;
        if verdict.mismatches.len() < MISMATCHES {
            verdict.mismatches.push(Mismatch {
                frame: at,
                gop: at
                    .and_then(|at| self.reference.frame(at))
                    .map(|source| source.gop),
                sequence: frame.sequence,
                what,
            });
        }
    }
}

fn same(source: &SourceFrame, frame: &ReceivedFrame<'_>) -> bool {
    source.mark.content == frame.mark.content && source.mark.units == frame.mark.units
}

/// What is wrong with a frame whose content is right.
fn beside_content(source: &SourceFrame, frame: &ReceivedFrame<'_>) -> Option<Difference> {
    if !frame.sets.include(&source.sets) {
        return Some(Difference::ParameterSets);
    }
    let delimiter = source.mark.delimiter;
    (delimiter.is_some() && delimiter != frame.mark.delimiter).then_some(Difference::Delimiter)
}
