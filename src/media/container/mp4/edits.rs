//! When a track begins (edit list, ISO/IEC 14496-12 §8.6.6).

use super::boxes::{Fields, child, first};
use super::samples::Samples;
use super::timescale;

/// When the first sample of a track is presented in its movie, in parts of a second of which there
/// are `rate`. Of the edit list its beginning counts, what else it cuts does not.
pub fn begin(movie: &[u8], track: &[u8], samples: &Samples, rate: u32) -> Option<i64> {
    let clock = timescale(track)?;
    let first = samples.first?;
    let list = Edits::of(track).unwrap_or_default();
    let shown = i128::from(first.decoded) + i128::from(first.composed) - i128::from(list.skipped);
    let parts = |ticks: i128, clock: u32| (ticks * i128::from(rate)).checked_div(clock.into());
    let waited = match list.empty {
        0 => 0,
        empty => parts(empty.into(), movie_clock(movie)?)?,
    };
    i64::try_from(waited + parts(shown, clock)?).ok()
}

/// The beginning of an edit list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Edits {
    /// Ticks of the movie before the track begins.
    empty: u64,
    /// Ticks of the track that are not presented.
    skipped: i64,
}

impl Edits {
    fn of(track: &[u8]) -> Option<Edits> {
        let mut list = Fields(child(track, &[b"edts", b"elst"])?);
        let long = list.u32()? >> 24 == 1;
        let mut edits = Edits::default();
        for _ in 0..list.u32()? {
            let (length, begin) = match long {
                true => (list.u64()?, list.u64()? as i64),
                false => (list.u32()?.into(), i64::from(list.u32()? as i32)),
            };
            list.skip(4)?;
            if begin >= 0 {
                edits.skipped = begin;
                break;
            }
            edits.empty = edits.empty.saturating_add(length);
        }
        Some(edits)
    }
}

/// Ticks per second of the movie's clock (§8.2.2.2).
fn movie_clock(movie: &[u8]) -> Option<u32> {
    let mut header = Fields(first(movie, b"mvhd")?);
    let long = header.u32()? >> 24 == 1;
    header.skip(if long { 16 } else { 8 })?;
    header.u32()
}

#[cfg(test)]
mod tests {
    use super::super::samples::First;
    use super::*;

    fn boxed(kind: &[u8; 4], contents: &[u8]) -> Vec<u8> {
        let size = (contents.len() as u32 + 8).to_be_bytes();
        [&size[..], kind, contents].concat()
    }

    /// A clock of so many ticks, where a header of version 0 has it.
    fn clock(ticks: u32) -> Vec<u8> {
        [&[0; 12][..], &ticks.to_be_bytes()].concat()
    }

    /// When a track with this edit list begins whose first sample is shown at tick 500 of 1000, in
    /// 8000ths of a second; the movie's clock has 600 ticks.
    fn begun(list: &[u8]) -> Option<i64> {
        let movie = boxed(b"mvhd", &clock(600));
        let media = boxed(b"mdia", &boxed(b"mdhd", &clock(1000)));
        let track = [boxed(b"edts", &boxed(b"elst", list)), media].concat();
        let mut samples = Samples::default();
        samples.first = Some(First {
            decoded: 400,
            composed: 100,
            lasts: 40,
        });
        begin(&movie, &track, &samples, 8000)
    }

    #[test]
    fn empty_edits_delay_a_track_and_a_later_media_time_brings_it_forward() {
        assert_eq!(begun(&[]), Some(4000));
        let edit = |length: u32, begin: i32| {
            [
                &length.to_be_bytes()[..],
                &begin.to_be_bytes(),
                &[0, 1, 0, 0],
            ]
            .concat()
        };
        let list = |edits: &[Vec<u8>]| {
            let count = (edits.len() as u32).to_be_bytes();
            [&[0; 4][..], &count, &edits.concat()].concat()
        };
        assert_eq!(begun(&list(&[edit(9, 500)])), Some(0));
        assert_eq!(
            begun(&list(&[edit(300, -1), edit(300, -1), edit(9, 520)])),
            Some(7840)
        );
        let long = [
            &[1, 0, 0, 0, 0, 0, 0, 1][..],
            &[0; 8],
            &600_u64.to_be_bytes(),
            &[0; 4],
        ];
        assert_eq!(begun(&long.concat()), Some(-800));
    }
}
