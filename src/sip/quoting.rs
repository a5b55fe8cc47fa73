//! Structure characters of header values: those that stand outside quoted strings.

use std::str::CharIndices;

use super::octets;

/// The characters of `text` outside quoted strings, with their byte offsets.
///
/// A backslash inside quotes hides the next character, unless it is the second octet of a GBK
/// character (0x5C is one). A quote that never ends hides the rest.
pub(super) fn outside(text: &str) -> Outside<'_> {
    Outside {
        chars: text.char_indices(),
        quoted: false,
    }
}

/// See [`outside`].
pub(super) struct Outside<'a> {
    chars: CharIndices<'a>,
    quoted: bool,
}

impl Iterator for Outside<'_> {
    type Item = (usize, char);

    fn next(&mut self) -> Option<(usize, char)> {
        let mut trail = false;
        loop {
            let (at, c) = self.chars.next()?;
            match c {
                '"' => self.quoted = !self.quoted,
                '\\' if self.quoted && !trail => {
                    self.chars.next()?;
                }
                _ if !self.quoted => return Some((at, c)),
                _ => {}
            }
            trail = !trail && octets::carried(c).is_some();
        }
    }
}

/// The elements of a comma-separated value, trimmed; commas in quotes and in `<…>` do not separate.
pub(super) fn elements(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (element, after) = match comma(text) {
            Some(at) => (&text[..at], Some(&text[at + 1..])),
            None => (text, None),
        };
        rest = after;
        Some(element.trim())
    })
    .filter(|element| !element.is_empty())
}

fn comma(text: &str) -> Option<usize> {
    let mut bracketed = false;
    outside(text).find_map(|(at, c)| {
        match c {
            '<' => bracketed = true,
            '>' => bracketed = false,
            ',' if !bracketed => return Some(at),
            _ => {}
        }
        None
    })
}

/// `text` without the quotes around it and the backslashes in it; unquoted text as it is.
pub(super) fn unquote(text: &str) -> String {
    let text = text.trim();
    let Some(inner) = text.strip_prefix('"') else {
        return text.to_owned();
    };
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    let mut trail = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' if !trail => out.extend(chars.next()),
            _ => out.push(c),
        }
        trail = !trail && octets::carried(c).is_some();
    }
    out
}

/// `text` as a quoted string.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    let mut trail = false;
    for c in text.chars() {
        if !trail && matches!(c, '"' | '\\') {
            out.push('\\');
        }
        trail = !trail && octets::carried(c).is_some();
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_do_not_separate() {
        let list = r#" "a, \"b" <sip:x?y=1,2>;q=1 , <sip:c>,, sip:d"#;
        let elements: Vec<_> = elements(list).collect();
        assert_eq!(
            elements,
            [r#""a, \"b" <sip:x?y=1,2>;q=1"#, "<sip:c>", "sip:d"]
        );
    }

    #[test]
    fn the_second_octet_of_a_gbk_character_is_not_an_escape() {
        // 0x81 0x5C is one character; the quote after it ends the string.
        let text = octets::text(b"\"\x81\x5C\" <sip:1>");
        let outside: String = outside(&text).map(|(_, c)| c).collect();
        assert_eq!(outside, " <sip:1>");
    }

    proptest! {
        #[test]
        fn unquoting_what_was_quoted_gives_it_back(text in "[ -~]*") {
            prop_assert_eq!(unquote(&quote(&text)), text);
        }

        #[test]
        fn any_text_has_elements(text: String) {
            for element in elements(&text) {
                prop_assert!(!element.is_empty());
            }
        }
    }
}
