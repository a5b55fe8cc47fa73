//! Where the text comes from that problems point into.

use std::io;
use std::ops::Range;

/// The files a fleet file names. Paths are as written there; whoever reads them takes them as
/// relative to the fleet file.
pub trait Files {
    /// The octets of a small file: a profile, a list of cameras.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// How many octets a file has, without reading it: a clip.
    fn size(&self, path: &str) -> io::Result<u64>;
}

/// A text with the name that problems give it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub name: String,
    pub text: String,
}

/// A place in a text, as people count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// The whole line.
    pub text: String,
    /// How many characters of the line are meant, at least one.
    pub width: usize,
}

impl Source {
    pub fn new(name: &str, text: &str) -> Source {
        Source {
            name: name.to_owned(),
            text: text.to_owned(),
        }
    }

    /// Where the octets `span` stand.
    pub fn place(&self, span: Range<usize>) -> Place {
        let start = span.start.min(self.text.len());
        let before = self.text.get(..start).unwrap_or_default();
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = self.text.get(begin..).unwrap_or_default();
        let line = rest.lines().next().unwrap_or_default();
        let meant = self.text.get(start..span.end.max(start));
        let meant = meant.unwrap_or_default().lines().next().unwrap_or_default();
        Place {
            line: before.matches('\n').count() + 1,
            column: self
                .text
                .get(begin..start)
                .unwrap_or_default()
                .chars()
                .count()
                + 1,
            text: line.to_owned(),
            width: meant.chars().count().max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let source = Source::new("x", "# 摄像机\ncount = 0\n");
        let at = source.text.find('0').unwrap();
        let place = source.place(at..at + 1);
        assert_eq!((place.line, place.column, place.width), (2, 9, 1));
        assert_eq!(place.text, "count = 0");
    }

    #[test]
    fn a_place_beyond_the_end_is_the_end() {
        let place = Source::new("x", "a\nb").place(90..99);
        assert_eq!(
            (place.line, place.column, place.text),
            (2, 2, "b".to_owned())
        );
    }
}
