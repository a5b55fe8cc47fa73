//! SDP as an ordered list of lines.

use bytes::Bytes;

use crate::gb28181::charset;

/// How many lines are read; the rest of a longer text is ignored.
pub const MAX_LINES: usize = 1024;

/// Lines `x=text`, in their order, known or not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sdp {
    /// Each line's letter and what follows its `=`.
    pub lines: Vec<(u8, String)>,
    /// How many lines were not of that form, and are dropped.
    pub junk: usize,
}

impl Sdp {
    /// Reads lines that end in CR LF, LF or nothing, in any charset.
    pub fn parse(body: &[u8]) -> Sdp {
        let mut sdp = Sdp::default();
        for line in charset::decode(body).lines().take(MAX_LINES) {
            let line = line.strip_suffix('\r').unwrap_or(line);
            match key_and_text(line) {
                Some((key, text)) => sdp.lines.push((key, text.to_owned())),
                None if line.trim().is_empty() => {}
                None => sdp.junk += 1,
            }
        }
        sdp
    }

    /// The lines, each with CR LF.
    pub fn write(&self) -> Bytes {
        let mut text = String::new();
        for (key, value) in &self.lines {
            text.push(char::from(*key));
            text.extend(["=", value, "\r\n"]);
        }
        text.into()
    }

    /// What follows the first `key=`, trimmed.
    pub fn value(&self, key: u8) -> Option<&str> {
        let mut lines = self.lines.iter();
        lines.find(|(k, _)| *k == key).map(|(_, text)| text.trim())
    }
}

impl<S: Into<String>> FromIterator<S> for Sdp {
    fn from_iter<I: IntoIterator<Item = S>>(lines: I) -> Self {
        let mut sdp = Sdp::default();
        for line in lines {
            let line = line.into();
            match key_and_text(&line) {
                Some((key, text)) => sdp.lines.push((key, text.to_owned())),
                None => sdp.junk += 1,
            }
        }
        sdp
    }
}

fn key_and_text(line: &str) -> Option<(u8, &str)> {
    let (key, text) = line.trim_start().split_once('=')?;
    match key.trim_end().as_bytes() {
        [key] if key.is_ascii_alphabetic() => Some((*key, text)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn unknown_lines_are_kept_and_junk_is_counted() {
        let sdp = Sdp::parse(b"v=0\r\n\r\nhello\nz=1=2\ny=0200000001");
        let lines = [(b'v', "0"), (b'z', "1=2"), (b'y', "0200000001")];
        assert_eq!(sdp.lines, lines.map(|(key, text)| (key, text.to_owned())));
        assert_eq!((sdp.junk, sdp.value(b'z')), (1, Some("1=2")));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn what_is_written_is_read_back(
            lines in proptest::collection::vec(("[a-z]", "[ -~门大]{0,20}"), 0..20)
        ) {
            let lines = lines.into_iter().map(|(key, text)| (key.as_bytes()[0], text));
            let sdp = Sdp { lines: lines.collect(), junk: 0 };
            prop_assert_eq!(Sdp::parse(&sdp.write()), sdp);
        }

        #[test]
        fn any_octets_return(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Sdp::parse(&octets);
        }
    }
}
