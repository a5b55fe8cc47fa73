//! A received elementary stream taken apart into NAL units, without keeping any of it: what
//! remains of a frame is a fingerprint.

use memchr::memmem;

use crate::media::codec::{Codec, Role};
use crate::media::{h264, h265};

/// A 64-bit digest that does not depend on how its input was cut.
///
/// Each step is a bijection of the state, so two inputs that differ in one 8-octet word only
/// always have different digests: no flipped bit goes unnoticed.
#[derive(Clone, Copy, Debug)]
pub(in crate::media) struct Digest {
    state: u64,
    word: [u8; 8],
    filled: usize,
    length: u64,
}

const START: u64 = 0x9E37_79B9_7F4A_7C15;
const ODD: u64 = 0xD6E8_FEB8_6659_FD93;

/// Folds `word` into `state`; a bijection of either for a fixed other.
fn fold(state: u64, word: u64) -> u64 {
    let mixed = (state ^ word).wrapping_mul(ODD);
    mixed ^ (mixed >> 32)
}

impl Default for Digest {
    fn default() -> Self {
        Digest {
            state: START,
            word: [0; 8],
            filled: 0,
            length: 0,
        }
    }
}

impl Digest {
    /// Takes the next octets.
    pub fn write(&mut self, mut octets: &[u8]) {
        self.length += octets.len() as u64;
        if self.filled > 0 {
            let take = octets.len().min(8 - self.filled);
            let (head, rest) = octets.split_at(take);
            self.fill(head);
            octets = rest;
        }
        let (words, tail) = octets.as_chunks::<8>();
        for word in words {
            self.state = fold(self.state, u64::from_le_bytes(*word));
        }
        self.fill(tail);
    }

    fn fill(&mut self, octets: &[u8]) {
        for octet in octets {
            if let Some(free) = self.word.get_mut(self.filled) {
                *free = *octet;
                self.filled += 1;
            }
        }
        if self.filled == 8 {
            self.state = fold(self.state, u64::from_le_bytes(self.word));
            self.filled = 0;
        }
    }

    fn zeros(&mut self, mut count: u64) {
        while count > 0 {
            let take = count.min(8);
            self.write(&[0; 8][..take as usize]);
            count -= take;
        }
    }

    /// Over all that was taken.
    pub fn finish(mut self) -> u64 {
        let length = self.length;
        if self.filled > 0 {
            self.zeros((8 - self.filled) as u64);
        }
        fold(self.state, length)
    }
}

/// One NAL unit that has ended: its first octets and its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::media) struct Unit {
    /// The first octets, as many as there are; the rest is 0. All 0 when no start code stood
    /// before it.
    pub head: [u8; 8],
    /// Over all octets without trailing zeros.
    pub digest: u64,
}

/// Finds the NAL units of an Annex B stream that arrives in arbitrary pieces (annex B of ITU-T
/// H.264 and of H.265).
/// Octets before the first start code, which must not be there, count as a unit.
#[derive(Clone, Debug, Default)]
pub(in crate::media) struct Splitter {
    open: bool,
    /// The open unit has no start code.
    stray: bool,
    zeros: u64,
    head: [u8; 8],
    digest: Digest,
}

impl Splitter {
    /// Takes the next piece; `ended` is called for each unit that a start code ends.
    pub fn push(&mut self, mut octets: &[u8], ended: &mut impl FnMut(Unit)) {
        while let Some(value) = octets.iter().position(|octet| *octet != 0) {
            let (zeros, rest) = octets.split_at(value);
            self.zeros += zeros.len() as u64;
            octets = match rest {
                [1, rest @ ..] if self.zeros >= 2 => {
                    self.end(ended);
                    self.open = true;
                    rest
                }
                _ => self.body(rest),
            };
        }
        self.zeros += octets.len() as u64;
    }

    /// Takes what belongs to the unit up to the next start code or the end of the piece (zeros
    /// before either left over), and returns what remains.
    fn body<'a>(&mut self, octets: &'a [u8]) -> &'a [u8] {
        let next = memmem::find(octets, &[0, 0, 1]).unwrap_or(octets.len());
        let (unit, _) = octets.split_at(next);
        let end = unit.iter().rposition(|octet| *octet != 0);
        let (unit, rest) = octets.split_at(end.map_or(0, |last| last + 1));
        self.stray |= !self.open;
        self.open = true;
        self.digest.zeros(self.zeros);
        let filled = self.digest.length.min(8) as usize;
        for (free, octet) in self.head.iter_mut().skip(filled).zip(unit) {
            *free = *octet;
        }
        self.digest.write(unit);
        self.zeros = 0;
        rest
    }

    /// Ends the unit that is open, if any: the frame is over.
    pub fn end(&mut self, ended: &mut impl FnMut(Unit)) {
        if self.open && self.digest.length > 0 {
            ended(Unit {
                head: if self.stray { [0; 8] } else { self.head },
                digest: self.digest.finish(),
            });
        }
        *self = Splitter::default();
    }

    /// What the unit that is open is for, once its first octet has come.
    pub fn open_role(&self, codec: Codec) -> Option<Role> {
        let begun = self.open && !self.stray && self.digest.length > 0;
        begun.then(|| codec.role(&self.head))
    }
}

/// The parameter sets in force: which one each id stands for at the moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::media) struct ParameterSets(Vec<(u16, u64)>);

/// More different parameter sets than any encoder uses; a bound, not a rule.
const PARAMETER_SETS: usize = 64;

impl ParameterSets {
    /// Puts a parameter set in force, in place of the one with its type and id.
    pub fn put(&mut self, codec: Codec, unit: &Unit) {
        let key = match codec {
            Codec::H265 => key_of_h265(unit),
            Codec::H264 | Codec::Pcma => key_of_h264(unit),
        };
        if let Some((_, digest)) = self.0.iter_mut().find(|(known, _)| *known == key) {
            *digest = unit.digest;
        } else if self.0.len() < PARAMETER_SETS {
            self.0.push((key, unit.digest));
        }
    }

    /// Whether all of `needed` are in force here.
    pub fn include(&self, needed: &ParameterSets) -> bool {
        needed.0.iter().all(|entry| self.0.contains(entry))
    }
}

/// Type and id of a parameter set: the id is the first Exp-Golomb number behind the profile and
/// level of an SPS, and of the payload of the others (ITU-T H.264 §7.3.2.1, §7.3.2.2).
fn key_of_h264(unit: &Unit) -> u16 {
    let kind = h264::kind_of(&unit.head);
    let before = match kind {
        h264::kind::SPS | h264::kind::SUBSET_SPS => 32,
        _ => 8,
    };
    key(kind, golomb(unit, before))
}

/// Type and id of a parameter set of H.265: the id is the first number of a video parameter set
/// and of a picture parameter set. That of a sequence parameter set stands too far behind; there
/// is one at a time (ITU-T H.265 §7.3.2.1 to §7.3.2.3).
fn key_of_h265(unit: &Unit) -> u16 {
    let kind = h265::kind_of(&unit.head);
    let id = match kind {
        h265::kind::VPS => unit.head[2] >> 4,
        h265::kind::PPS => return key(kind, golomb(unit, 16)),
        _ => 0,
    };
    key(kind, u64::from(id))
}

/// The Exp-Golomb number behind so many bits.
fn golomb(unit: &Unit, before: u32) -> u64 {
    let bits = u64::from_be_bytes(unit.head) << before;
    let zeros = bits.leading_zeros().min(15);
    (bits << zeros >> (63 - zeros)).saturating_sub(1)
}

fn key(kind: u8, id: u64) -> u16 {
    u16::from(kind) << 10 | (id as u16 & 0x3FF)
}

/// What remains of a frame: enough to know it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::media) struct Mark {
    /// Over the digests of all units but delimiters and parameter sets; 0 when there are none.
    pub content: u64,
    /// How many units that are.
    pub units: u32,
    /// The access unit delimiter, if there is one.
    pub delimiter: Option<u64>,
    /// Whether the frame has parameter sets of its own.
    pub parameter_sets: bool,
    /// A picture that decoding can begin with: IDR, of H.265 every random access picture.
    pub idr: bool,
}

impl Mark {
    /// Adds a unit of the frame; parameter sets go to `sets`.
    pub fn add(&mut self, codec: Codec, unit: &Unit, sets: &mut ParameterSets) {
        match codec.role(&unit.head) {
            Role::ParameterSet => {
                self.parameter_sets = true;
                sets.put(codec, unit);
            }
            Role::Delimiter => self.delimiter = Some(unit.digest),
            other => {
                self.idr |= other == Role::Slice { key: true };
                self.content = fold(self.content, unit.digest);
                self.units += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn units(pieces: &[&[u8]]) -> Vec<Unit> {
        let mut found = Vec::new();
        let mut splitter = Splitter::default();
        for piece in pieces {
            splitter.push(piece, &mut |unit| found.push(unit));
        }
        splitter.end(&mut |unit| found.push(unit));
        found
    }

    fn unit(octets: &[u8]) -> Unit {
        let mut digest = Digest::default();
        digest.write(octets);
        let mut head = [0; 8];
        for (to, from) in head.iter_mut().zip(octets) {
            *to = *from;
        }
        Unit {
            head,
            digest: digest.finish(),
        }
    }

    #[test]
    fn start_code_length_and_trailing_zeros_do_not_count() {
        let expected = [unit(&[0x67, 1, 0, 2]), unit(&[0x65, 0, 0, 3, 1])];
        let short = [0, 0, 1, 0x67, 1, 0, 2, 0, 0, 1, 0x65, 0, 0, 3, 1];
        let long = [
            0, 0, 0, 0, 1, 0x67, 1, 0, 2, 0, 0, 0, 0, 0, 1, 0x65, 0, 0, 3, 1, 0, 0,
        ];
        assert_eq!(units(&[&short]), expected);
        assert_eq!(units(&[&long]), expected);
    }

    #[test]
    fn octets_before_the_first_start_code_are_not_passed_over() {
        let stray = Unit {
            head: [0; 8],
            ..unit(&[9, 9])
        };
        assert_eq!(
            units(&[&[9, 9, 0, 0, 1, 0x41, 5]]),
            [stray, unit(&[0x41, 5])]
        );
        assert_eq!(units(&[&[0, 0, 0, 0]]), []);
    }

    #[test]
    fn parameter_sets_are_told_apart_by_type_and_id() {
        let sps = unit(&[0x67, 0x64, 0, 0x1F, 0b1010_0000]);
        let other = unit(&[0x67, 0x64, 0, 0x1F, 0b0101_0000]);
        let pps = unit(&[0x68, 0b1110_0000]);
        let mut sets = ParameterSets::default();
        sets.put(Codec::H264, &sps);
        sets.put(Codec::H264, &pps);
        let needed = sets.clone();
        sets.put(Codec::H264, &other);
        assert!(sets.include(&needed));
        sets.put(Codec::H264, &unit(&[0x67, 0x64, 0, 0x28, 0b1010_0000]));
        assert!(!sets.include(&needed), "SPS 0 was replaced");
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(octets in prop::collection::vec(prop_oneof![Just(0u8), Just(1), any::<u8>()], 0..200),
                              at in prop::collection::vec(0usize..200, 0..4)) {
            let mut at: Vec<_> = at.into_iter().map(|at| at.min(octets.len())).collect();
            at.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for to in at {
                pieces.push(&octets[from..to]);
                from = to;
            }
            pieces.push(&octets[from..]);
            prop_assert_eq!(units(&pieces), units(&[&octets]));
        }

        #[test]
        fn any_flipped_bit_changes_the_digest(octets in prop::collection::vec(any::<u8>(), 1..100), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut other = octets.clone();
            other[at.index(octets.len())] ^= 1 << bit;
            prop_assert_ne!(unit(&octets).digest, unit(&other).digest);
        }
    }
}
