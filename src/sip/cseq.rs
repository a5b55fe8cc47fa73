//! The CSeq header: a number and the method it counts.

use std::fmt;

use rsip::Method;

use super::value::ValueError;

/// `CSeq: 20 MESSAGE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// The sequence number.
    pub number: u32,
    /// The request's method.
    pub method: Method,
}

impl CSeq {
    pub(super) fn parse(text: &str) -> Result<CSeq, ValueError> {
        let error = |problem| ValueError::new("CSeq", problem, text);
        let mut words = text.split_ascii_whitespace();
        let number = words.next().and_then(|word| word.parse().ok());
        let method = words.next().and_then(|word| word.parse().ok());
        Ok(CSeq {
            number: number.ok_or_else(|| error("has no number"))?,
            method: method.ok_or_else(|| error("has no method we know"))?,
        })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_of_any_kind_separates_number_and_method() {
        let cseq = CSeq::parse(" 0020 \t MESSAGE ").unwrap();
        assert_eq!((cseq.number, cseq.method), (20, Method::Message));
        assert_eq!(cseq.to_string(), "20 MESSAGE");
    }

    #[test]
    fn a_number_that_does_not_fit_or_a_missing_method_is_an_error() {
        for text in ["", "20", "-1 BYE", "4294967296 BYE", "1 NOSUCH", "BYE 1"] {
            assert!(CSeq::parse(text).is_err(), "{text}");
        }
    }
}
