//! Where the samples of a track stand in the file.

use std::ops::Range;

use super::boxes::{Fields, all, child, first};

/// The samples of a track in decoding order.
#[derive(Debug, Default)]
pub struct Samples {
    /// Where they stand; together never more octets than the file has.
    pub ranges: Vec<Range<usize>>,
    /// How long they last, in ticks of the track.
    pub ticks: u64,
    /// The first of them; `None` as long as there is none.
    pub first: Option<First>,
    /// How many octets of the file they may still be.
    left: usize,
    /// Samples that touch are one.
    joined: bool,
}

/// How the first sample stands in time, in ticks of the track.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct First {
    /// When it is decoded.
    pub decoded: u64,
    /// How much later it is shown.
    pub composed: i32,
    /// How long it lasts.
    pub lasts: u32,
}

/// What a fragment's sample has when it does not say (track extends box).
#[derive(Clone, Copy, Debug, Default)]
struct Usual {
    duration: u32,
    size: u32,
}

impl Samples {
    /// Those of the tables, and those of all fragments; `None` when a table is broken.
    pub fn of(bytes: &[u8], movie: &[u8], track: &[u8]) -> Option<Samples> {
        Samples::read(false, bytes, movie, track)
    }

    /// As [`of`](Self::of), for samples that may be of one octet each: those that touch are one.
    pub fn joined(bytes: &[u8], movie: &[u8], track: &[u8]) -> Option<Samples> {
        Samples::read(true, bytes, movie, track)
    }

    fn read(joined: bool, bytes: &[u8], movie: &[u8], track: &[u8]) -> Option<Samples> {
        let mut samples = Samples {
            left: bytes.len(),
            joined,
            ..Samples::default()
        };
        samples.take_tables(child(track, &[b"mdia", b"minf", b"stbl"])?)?;
        if let Some(extends) = first(movie, b"mvex") {
            let id = track_id(track)?;
            let usual = all(extends, b"trex").find_map(|octets| usual(octets, id));
            samples.take_fragments(bytes, id, usual.unwrap_or_default());
        }
        Some(samples)
    }

    /// Remembers the first sample, once there is one.
    fn note(&mut self, first: impl FnOnce() -> First) {
        if self.first.is_none() && !self.ranges.is_empty() {
            self.first = Some(first());
        }
    }

    /// Takes a sample in; those that are empty or not in the file are left out. False when there
    /// are more than can be.
    fn add(&mut self, at: u64, size: u32) -> bool {
        let size = size as usize;
        let Some(left) = self.left.checked_sub(size) else {
            return false;
        };
        if let Some(range) = usize::try_from(at)
            .ok()
            .and_then(|at| Some(at..at.checked_add(size)?))
            && size > 0
        {
            self.left = left;
            match self.ranges.last_mut() {
                Some(last) if self.joined && last.end == range.start => last.end = range.end,
                _ => self.ranges.push(range),
            }
        }
        true
    }

    /// The sample tables (§8.6.1.2, §8.7).
    fn take_tables(&mut self, tables: &[u8]) -> Option<()> {
        let mut times = Fields(first(tables, b"stts")?.get(8..)?);
        while let (Some(count), Some(delta)) = (times.u32(), times.u32()) {
            self.ticks = self
                .ticks
                .saturating_add(u64::from(count) * u64::from(delta));
        }
        let mut sizes = Sizes::of(first(tables, b"stsz")?)?;
        let mut runs = Fields(first(tables, b"stsc")?.get(8..)?);
        let mut run = Run::next(&mut runs);
        let mut following = Run::next(&mut runs);
        for (number, at) in (1..).zip(offsets(tables)?) {
            while following.is_some_and(|following| following.first <= number) {
                run = following;
                following = Run::next(&mut runs);
            }
            let mut at = at;
            for _ in 0..run?.samples {
                let Some(size) = sizes.next() else {
                    return Some(());
                };
                if !self.add(at, size) {
                    return Some(());
                }
                self.note(|| First::of(tables));
                at = at.saturating_add(size.into());
            }
        }
        Some(())
    }

    /// The fragments of track `id` (§8.8). What is broken ends its fragment.
    fn take_fragments(&mut self, bytes: &[u8], id: u32, usual: Usual) {
        let whole = bytes.as_ptr() as usize;
        for moof in all(bytes, b"moof") {
            // The box's own header counts too: eight octets, in files of any tool.
            let start = (moof.as_ptr() as usize - whole).saturating_sub(8) as u64;
            for traf in all(moof, b"traf") {
                let head = first(traf, b"tfhd").and_then(|head| Head::of(head, start, usual));
                let Some(mut head) = head else {
                    continue;
                };
                head.decoded = decoded(traf).unwrap_or(0);
                if head.track != id {
                    continue;
                }
                let mut at = head.base;
                for run in all(traf, b"trun") {
                    let Some(end) = self.take_run(Fields(run), &head, at) else {
                        break;
                    };
                    at = end;
                }
            }
        }
    }

    /// A track run: returns where the next one begins if it does not say.
    fn take_run(&mut self, mut run: Fields<'_>, head: &Head, mut at: u64) -> Option<u64> {
        let flags = run.u32()?;
        let count = run.u32()?;
        if flags & 1 != 0 {
            at = head.base.checked_add_signed(i64::from(run.u32()? as i32))?;
        }
        if flags & 4 != 0 {
            run.skip(4)?;
        }
        for _ in 0..count {
            let mut own = |flag: u32, usual: u32| match flags & flag {
                0 => Some(usual),
                _ => run.u32(),
            };
            let duration = own(0x100, head.usual.duration)?;
            let size = own(0x200, head.usual.size)?;
            own(0x400, 0)?;
            let composed = own(0x800, 0)? as i32;
            if size == 0 || !self.add(at, size) {
                return None;
            }
            self.note(|| First {
                decoded: head.decoded,
                composed,
                lasts: duration,
            });
            self.ticks = self.ticks.saturating_add(duration.into());
            at = at.saturating_add(size.into());
        }
        Some(at)
    }
}

impl First {
    /// That of the sample tables (§8.6.1.2, §8.6.1.3).
    fn of(tables: &[u8]) -> First {
        let number = |kind| {
            let mut entries = Fields(first(tables, kind)?.get(12..)?);
            entries.u32()
        };
        First {
            decoded: 0,
            composed: number(b"ctts").unwrap_or(0) as i32,
            lasts: number(b"stts").unwrap_or(0),
        }
    }
}

/// Sizes of samples, one after the other (§8.7.3.2).
struct Sizes<'a> {
    same: u32,
    left: u32,
    table: Fields<'a>,
}

impl<'a> Sizes<'a> {
    fn of(octets: &'a [u8]) -> Option<Sizes<'a>> {
        let mut table = Fields(octets);
        table.skip(4)?;
        let (same, left) = (table.u32()?, table.u32()?);
        // Samples of no octets cannot be counted down by the size of the file.
        let left = if same == 0 {
            left.min((table.0.len() / 4) as u32)
        } else {
            left
        };
        Some(Sizes { same, left, table })
    }
}

impl Iterator for Sizes<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.left = self.left.checked_sub(1)?;
        if self.same > 0 {
            return Some(self.same);
        }
        self.table.u32()
    }
}

/// Chunks from `first` on have so many samples (§8.7.4.2).
#[derive(Clone, Copy)]
struct Run {
    first: u32,
    samples: u32,
}

impl Run {
    fn next(fields: &mut Fields<'_>) -> Option<Run> {
        let (first, samples) = (fields.u32()?, fields.u32()?);
        fields.skip(4)?;
        Some(Run { first, samples })
    }
}

/// Where the chunks begin (§8.7.5.2).
fn offsets(tables: &[u8]) -> Option<impl Iterator<Item = u64>> {
    let (table, long) = match first(tables, b"stco") {
        Some(table) => (table, false),
        None => (first(tables, b"co64")?, true),
    };
    let mut table = Fields(table.get(8..)?);
    Some(std::iter::from_fn(move || {
        if long {
            table.u64()
        } else {
            table.u32().map(u64::from)
        }
    }))
}

/// `track_ID` (§8.3.2.2).
fn track_id(track: &[u8]) -> Option<u32> {
    let mut header = Fields(first(track, b"tkhd")?);
    let long = header.u32()? >> 24 == 1;
    header.skip(if long { 16 } else { 8 })?;
    header.u32()
}

/// The track extends box (§8.8.3.2), if it is that of track `id`.
fn usual(octets: &[u8], id: u32) -> Option<Usual> {
    let mut fields = Fields(octets);
    fields.skip(4)?;
    if fields.u32()? != id {
        return None;
    }
    fields.skip(4)?;
    let (duration, size) = (fields.u32()?, fields.u32()?);
    Some(Usual { duration, size })
}

/// The track fragment header (§8.8.7.2).
struct Head {
    track: u32,
    base: u64,
    /// When its first sample is decoded.
    decoded: u64,
    usual: Usual,
}

impl Head {
    fn of(octets: &[u8], moof: u64, mut usual: Usual) -> Option<Head> {
        let mut fields = Fields(octets);
        let flags = fields.u32()?;
        let track = fields.u32()?;
        let base = if flags & 1 != 0 { fields.u64()? } else { moof };
        if flags & 2 != 0 {
            fields.skip(4)?;
        }
        if flags & 8 != 0 {
            usual.duration = fields.u32()?;
        }
        if flags & 0x10 != 0 {
            usual.size = fields.u32()?;
        }
        Some(Head {
            track,
            base,
            decoded: 0,
            usual,
        })
    }
}

/// `baseMediaDecodeTime` of a fragment (§8.8.12.2).
fn decoded(traf: &[u8]) -> Option<u64> {
    let mut fields = Fields(first(traf, b"tfdt")?);
    match fields.u32()? >> 24 {
        0 => fields.u32().map(u64::from),
        _ => fields.u64(),
    }
}
