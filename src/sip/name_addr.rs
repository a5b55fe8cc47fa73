//! From, To, Contact, Route: an address with an optional name before and parameters behind.

use std::fmt;

use super::params::Params;
use super::quoting::{outside, quote, unquote};
use super::uri::Uri;
use super::value::ValueError;

/// `"name" <uri>;params`, or `uri;params`, whose parameters then belong to the header
/// (RFC 3261 §20).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameAddr {
    /// The name, without quotes.
    pub display: Option<String>,
    /// The address; `*` in the Contact that unregisters everything.
    pub uri: Uri,
    /// What follows the address.
    pub params: Params,
}

impl NameAddr {
    /// The address alone.
    pub fn new(uri: impl Into<Uri>) -> Self {
        NameAddr {
            uri: uri.into(),
            ..NameAddr::default()
        }
    }

    /// The same with a tag.
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", Some(tag));
        self
    }

    /// The tag; an empty one counts as none.
    pub fn tag(&self) -> Option<&str> {
        self.params.value("tag").filter(|tag| !tag.is_empty())
    }

    /// The user part of the address.
    pub fn user(&self) -> Option<&str> {
        self.uri.user()
    }

    /// The host of the address.
    pub fn host(&self) -> Option<&str> {
        self.uri.host()
    }

    /// The port of the address.
    pub fn port(&self) -> Option<u16> {
        self.uri.port()
    }

    /// Reads one element of a header value.
    pub(super) fn parse(header: &'static str, text: &str) -> Result<NameAddr, ValueError> {
        let parsed = match bracket(text) {
            Some(open) => bracketed(text, open),
            None => bare(text),
        };
        if parsed.uri.as_str().is_empty() {
            return Err(ValueError::new(header, "has no address", text));
        }
        Ok(parsed)
    }
}

/// Where `<` stands. One that a broken quote hides is believed all the same.
fn bracket(text: &str) -> Option<usize> {
    outside(text)
        .find(|(_, c)| *c == '<')
        .map(|(at, _)| at)
        .or_else(|| text.find('<'))
}

fn bracketed(text: &str, open: usize) -> NameAddr {
    let inside = &text[open + 1..];
    let (uri, behind) = match inside.find('>') {
        Some(close) => (&inside[..close], open + 1 + close + 1),
        None => (inside, text.len()),
    };
    let display = unquote(&text[..open]);
    NameAddr {
        display: (!display.is_empty()).then_some(display),
        uri: Uri::new(uri.trim()),
        params: Params::parse(text, behind),
    }
}

fn bare(text: &str) -> NameAddr {
    let end = text.find([';', ',']).unwrap_or(text.len());
    NameAddr {
        display: None,
        uri: Uri::new(text[..end].trim()),
        params: Params::parse(text, end),
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", quote(display))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> NameAddr {
        NameAddr::parse("From", text).unwrap()
    }

    #[test]
    fn a_quoted_name_an_address_and_a_tag() {
        let text = r#""SipServer" <sip:34020000002000000001@3402000000>;tag=FHO5ndkKpblM1wu8Vy6j"#;
        let from = parse(text);
        assert_eq!(from.display.as_deref(), Some("SipServer"));
        assert_eq!(from.user(), Some("34020000002000000001"));
        assert_eq!(from.host(), Some("3402000000"));
        assert_eq!(from.tag(), Some("FHO5ndkKpblM1wu8Vy6j"));
        assert_eq!(from.to_string(), text);
    }

    #[test]
    fn without_brackets_the_parameters_belong_to_the_header() {
        let from = parse("sip:x@10.0.0.1:5060;tag=t");
        assert_eq!(from.uri.as_str(), "sip:x@10.0.0.1:5060");
        assert_eq!(from.tag(), Some("t"));
    }

    #[test]
    fn a_semicolon_or_bracket_in_the_name_is_part_of_the_name() {
        let from = parse(r#""a;b <c> \"d\"" <sip:x@y;lr> ; tag = 7"#);
        assert_eq!(from.display.as_deref(), Some(r#"a;b <c> "d""#));
        assert_eq!(from.uri.as_str(), "sip:x@y;lr");
        assert_eq!(from.tag(), Some("7"));
    }

    #[test]
    fn a_quote_that_never_ends_hides_no_address() {
        assert_eq!(parse(r#""oops <sip:x@y>;tag=1"#).uri.as_str(), "sip:x@y");
    }

    #[test]
    fn a_star_is_an_address_and_nothing_is_none() {
        assert_eq!(parse("*").uri.as_str(), "*");
        assert!(NameAddr::parse("To", " ;tag=1").is_err());
        assert!(NameAddr::parse("To", "<>").is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_an_address_or_an_error(text: String) {
            let _ = NameAddr::parse("To", &text);
        }
    }
}
