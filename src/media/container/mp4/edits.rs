//! When a track begins (edit list, ISO/IEC 14496-12 §8.6.6).

use super::boxes::{Fields, child, first};

/// The beginning of a track's edit list; what else it cuts is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Samples of sound before the movie's first: there to begin decoding with.
    pub skipped: u64,
    /// Samples of silence before the track begins.
    pub delay: u32,
}

impl Edits {
    /// Those of a sound track of `rate` samples a second whose clock has `clock` ticks a second.
    pub fn of(movie: &[u8], track: &[u8], clock: u32, rate: u32) -> Edits {
        read(movie, track, clock, rate).unwrap_or_default()
    }
}

fn read(movie: &[u8], track: &[u8], clock: u32, rate: u32) -> Option<Edits> {
    let mut list = Fields(child(track, &[b"edts", b"elst"])?);
    let long = list.u32()? >> 24 == 1;
    let count = list.u32()?;
    let movie_clock = movie_clock(movie)?;
    let mut edits = Edits::default();
    for _ in 0..count {
        let (length, begin) = match long {
            true => (list.u64()?, list.u64()? as i64),
            false => (list.u32()?.into(), i64::from(list.u32()? as i32)),
        };
        list.skip(4)?;
        if let Ok(begin) = u64::try_from(begin) {
            edits.skipped = samples(begin, clock, rate)?;
            break;
        }
        let empty = samples(length, movie_clock, rate)?;
        edits.delay = edits.delay.saturating_add(u32::try_from(empty).ok()?);
    }
    Some(edits)
}

/// Samples in so many ticks.
fn samples(ticks: u64, clock: u32, rate: u32) -> Option<u64> {
    let samples = u128::from(ticks) * u128::from(rate);
    u64::try_from(samples.checked_div(clock.into())?).ok()
}

/// Ticks per second of the movie's clock (§8.2.2.2).
fn movie_clock(movie: &[u8]) -> Option<u32> {
    let mut header = Fields(first(movie, b"mvhd")?);
    let long = header.u32()? >> 24 == 1;
    header.skip(if long { 16 } else { 8 })?;
    header.u32()
}
