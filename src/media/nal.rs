//! NAL units of a byte stream (annex B of ITU-T H.264 and of H.265).

use std::ops::Range;

use memchr::memmem::Finder;

/// What stands before every NAL unit that vcam writes.
pub const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// The NAL units of an Annex B byte stream, as ranges without start code and trailing zeros.
/// Empty units are left out; octets before the first start code are passed over.
pub fn units(stream: &[u8]) -> Units<'_> {
    Units {
        stream,
        finder: Finder::new(&[0, 0, 1]),
        next: 0,
        begun: false,
    }
}

/// Iterator of [`units`].
pub struct Units<'a> {
    stream: &'a [u8],
    finder: Finder<'static>,
    next: usize,
    begun: bool,
}

impl Units<'_> {
    /// The next start code at or behind `from`: where its three octets begin.
    fn start_code(&self, from: usize) -> Option<usize> {
        let rest = self.stream.get(from..)?;
        self.finder.find(rest).map(|at| from + at)
    }
}

impl Iterator for Units<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if !self.begun {
            self.begun = true;
            self.next = self.start_code(0).map_or(self.stream.len(), |at| at + 3);
        }
        while self.next < self.stream.len() {
            let start = self.next;
            let end = self.start_code(start).unwrap_or(self.stream.len());
            self.next = end.saturating_add(3);
            let unit = self.stream.get(start..end).unwrap_or_default();
            let trailing = unit.iter().rev().take_while(|octet| **octet == 0).count();
            if trailing < unit.len() {
                return Some(start..end - trailing);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(stream: &[u8]) -> Vec<&[u8]> {
        units(stream).map(|range| &stream[range]).collect()
    }

    #[test]
    fn start_codes_of_three_and_four_octets_and_trailing_zeros_are_understood() {
        let stream = [
            0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 0, 0, 0, 1, 0x65, 0, 4, 0, 0,
        ];
        assert_eq!(
            split(&stream),
            [&[0x67, 1, 2][..], &[0x68, 3], &[0x65, 0, 4]]
        );
    }

    #[test]
    fn empty_units_and_octets_before_the_first_start_code_are_passed_over() {
        assert_eq!(split(&[9, 9, 0, 0, 1, 0, 0, 1, 0x41]), [&[0x41][..]]);
        assert!(split(&[]).is_empty() && split(&[0, 0, 1]).is_empty());
        assert!(split(&[1, 2, 3]).is_empty());
    }

    proptest! {
        #[test]
        fn units_written_with_start_codes_are_found_again(
            written in prop::collection::vec((prop::collection::vec(1u8.., 1..40), 0usize..4), 0..20)
        ) {
            let mut stream = Vec::new();
            for (unit, zeros) in &written {
                stream.extend(std::iter::repeat_n(0, *zeros));
                stream.extend([0, 0, 1]);
                stream.extend(unit);
            }
            let expected: Vec<&[u8]> = written.iter().map(|(unit, _)| &unit[..]).collect();
            prop_assert_eq!(split(&stream), expected);
        }
    }
}
