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

    /// The source frame that `frame` is; of several, the one that makes most sense.
    fn locate(&mut self, frame: &ReceivedFrame<'_>) -> Option<usize> {
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
        if let Some(at) = self.twin(due, frame) {
            self.due = Some(at);
            return Some(at);
        }
        let same_gop = self.same_gop(due).filter(|at| self.is(*at, frame));
        same_gop.min_by_key(ahead)
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

#[cfg(test)]
mod tests {
    use super::super::reference::mark_of;
    use super::*;
    use crate::media::codec::Codec;
    use crate::media::rational::Rational;

    /// A key frame (`K`, with parameter sets) or another, told apart by one octet.
    fn frame(kind: char, content: u8) -> Vec<u8> {
        match kind {
            'K' => [
                &[0, 0, 1, 0x67, 1, 2, 3, 0x80, 0, 0, 1, 0x68, 0x80][..],
                &[0, 0, 1, 0x65, content],
            ]
            .concat(),
            'A' => vec![0, 0, 1, 0x09, 0xF0, 0, 0, 1, 0x41, content],
            _ => vec![0, 0, 1, 0x41, content],
        }
    }

    /// The verdict on `received` (frame, frames missing by the clock), against `source`.
    fn judge(source: &[(char, u8)], received: &[(char, u8, u64)]) -> Verdict {
        let frames: Vec<_> = source
            .iter()
            .map(|(kind, content)| frame(*kind, *content))
            .collect();
        let facts = source.iter().map(|(kind, _)| (*kind == 'K', 0));
        let octets = frames.iter().map(Vec::as_slice);
        let reference =
            Reference::index("test", Codec::H264, Rational::whole(25), octets.zip(facts));
        let mut judge = Judge::new(Arc::new(reference));
        let mut verdict = Verdict::default();
        let mut sets = Arc::new(ParameterSets::default());
        for (kind, content, skipped) in received {
            let frame = ReceivedFrame {
                mark: mark_of(Codec::H264, &frame(*kind, *content), &mut sets),
                sets: &sets,
                skipped: *skipped,
                gap: false,
                sequence: 0,
            };
            judge.frame(&frame, &mut verdict);
        }
        verdict
    }

    /// Matched, mismatched, dropped, jumps, whole GOPs.
    fn counts(verdict: &Verdict) -> [u64; 5] {
        let Verdict {
            matched,
            mismatched,
            dropped,
            jumps,
            gops,
            ..
        } = verdict;
        [*matched, *mismatched, *dropped, *jumps, *gops]
    }

    #[test]
    fn gops_that_begin_alike_are_told_apart_by_how_they_go_on() {
        let source = [
            ('K', 1),
            ('P', 2),
            ('P', 3),
            ('K', 1),
            ('P', 2),
            ('P', 4),
            ('P', 5),
        ];
        let second = [
            ('K', 1, 0),
            ('P', 2, 0),
            ('P', 4, 0),
            ('P', 5, 0),
            ('K', 1, 0),
        ];
        assert_eq!(counts(&judge(&source, &second)), [5, 0, 0, 0, 1]);
    }

    #[test]
    fn a_repeated_frame_is_a_jump_back() {
        let source = [('K', 1), ('P', 2), ('P', 3)];
        let received = [('K', 1, 0), ('P', 2, 0), ('P', 2, 0), ('P', 3, 0)];
        assert_eq!(counts(&judge(&source, &received)), [4, 0, 0, 1, 0]);
    }

    #[test]
    fn a_frame_left_out_inside_a_gop_is_a_drop_only_when_the_clock_says_so() {
        let source = [('K', 1), ('P', 2), ('P', 3), ('P', 4)];
        let by_clock = [('K', 1, 0), ('P', 3, 1), ('P', 4, 0)];
        assert_eq!(counts(&judge(&source, &by_clock)), [3, 0, 1, 0, 0]);
        let against_clock = [('K', 1, 0), ('P', 3, 0), ('P', 4, 0)];
        assert_eq!(counts(&judge(&source, &against_clock)), [3, 0, 0, 1, 0]);
    }

    #[test]
    fn whole_loops_left_out_are_drops_too() {
        let source = [('K', 1), ('P', 2)];
        let received = [('K', 1, 0), ('P', 2, 4)];
        assert_eq!(counts(&judge(&source, &received)), [2, 0, 4, 0, 0]);
    }

    #[test]
    fn a_delimiter_may_be_added_but_not_lost() {
        let source = [('K', 1), ('A', 2), ('P', 3)];
        let added = [('K', 1, 0), ('A', 2, 0), ('A', 3, 0)];
        assert_eq!(counts(&judge(&source, &added)), [3, 0, 0, 0, 1]);
        let lost = judge(&source, &[('K', 1, 0), ('P', 2, 0), ('P', 3, 0)]);
        assert_eq!(counts(&lost), [2, 1, 0, 0, 0]);
        assert_eq!(lost.mismatches[0].what, Difference::Delimiter);
    }
}
