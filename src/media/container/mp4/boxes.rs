//! Boxes: a length, four letters, contents (ISO/IEC 14496-12 §4.2).

/// The contents of all boxes `kind` that stand directly in `octets`.
pub fn all<'a>(octets: &'a [u8], kind: &'static [u8; 4]) -> impl Iterator<Item = &'a [u8]> {
    Boxes(octets).filter_map(move |(found, contents)| (found == kind).then_some(contents))
}

/// The contents of the first of them.
pub fn first<'a>(octets: &'a [u8], kind: &'static [u8; 4]) -> Option<&'a [u8]> {
    all(octets, kind).next()
}

/// The first box of any kind, and its contents.
pub fn leading(octets: &[u8]) -> Option<(&[u8; 4], &[u8])> {
    Boxes(octets).next()
}

/// The contents of the first box at the end of a path.
pub fn child<'a>(octets: &'a [u8], path: &[&'static [u8; 4]]) -> Option<&'a [u8]> {
    path.iter()
        .try_fold(octets, |octets, kind| first(octets, kind))
}

struct Boxes<'a>(&'a [u8]);

impl<'a> Iterator for Boxes<'a> {
    type Item = (&'a [u8; 4], &'a [u8]);

    /// The next box; one that is cut off by the end of the file has what is there.
    fn next(&mut self) -> Option<Self::Item> {
        let whole = self.0;
        let mut header = Fields(whole);
        let short = header.u32()?;
        let kind = header.take(4)?.first_chunk()?;
        let size = match short {
            0 => whole.len() as u64,
            1 => header.u64()?,
            size => u64::from(size),
        };
        let begin = whole.len() - header.0.len();
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(whole.len());
        self.0 = whole.get(size..)?;
        Some((kind, whole.get(begin..size)?))
    }
}

/// Octets read from the front; `None` when there are too few.
#[derive(Clone, Copy)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// So many octets.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// Passes over so many octets.
    pub fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(|_| ())
    }

    fn number(&mut self, octets: usize) -> Option<u64> {
        let taken = self.take(octets)?;
        Some(
            taken
                .iter()
                .fold(0, |sum, octet| sum << 8 | u64::from(*octet)),
        )
    }

    /// One octet.
    pub fn u8(&mut self) -> Option<u8> {
        self.number(1).map(|number| number as u8)
    }

    /// Two octets, the higher first, as in all that follow.
    pub fn u16(&mut self) -> Option<u16> {
        self.number(2).map(|number| number as u16)
    }

    /// Four octets.
    pub fn u32(&mut self) -> Option<u32> {
        self.number(4).map(|number| number as u32)
    }

    /// Eight octets.
    pub fn u64(&mut self) -> Option<u64> {
        self.number(8)
    }

    /// Two octets of length and what they count.
    pub fn counted(&mut self) -> Option<&'a [u8]> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// A NAL unit behind its length of `octets` octets.
    pub fn unit(&mut self, octets: usize) -> Option<&'a [u8]> {
        let length = self.number(octets)?;
        self.take(usize::try_from(length).ok()?)
    }
}
