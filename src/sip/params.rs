//! `;name=value` parameters of Via, From, To, Contact and of URIs.

use std::fmt;
use std::ops::Range;

use super::quoting::outside;

/// One parameter where it stands in a header value.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Param<'a> {
    pub name: &'a str,
    pub value: Option<&'a str>,
    /// From the `;` to the end of name or value, without space after it.
    pub span: Range<usize>,
}

/// The parameters in `text` from `from` on, up to a comma outside quotes. What stands before the
/// first `;` is passed over, and so are empty parameters.
pub(super) fn params(text: &str, from: usize) -> impl Iterator<Item = Param<'_>> {
    let end = end_of_element(text, from);
    let mut semicolons = outside(text.get(from..end).unwrap_or_default())
        .filter(|(_, c)| *c == ';')
        .map(move |(at, _)| from + at)
        .chain(std::iter::once(end));
    let mut start = semicolons.next();
    std::iter::from_fn(move || {
        let next = semicolons.next()?;
        let span = start.replace(next)?..next;
        Some(param(text, span))
    })
    .filter(|param| !param.name.is_empty())
}

fn end_of_element(text: &str, from: usize) -> usize {
    let tail = text.get(from..).unwrap_or_default();
    outside(tail)
        .find(|(_, c)| *c == ',')
        .map_or(text.len(), |(at, _)| from + at)
}

fn param(text: &str, span: Range<usize>) -> Param<'_> {
    let whole = text[span.clone()].trim_end();
    let body = whole.strip_prefix(';').unwrap_or(whole);
    let (name, value) = match body.split_once('=') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (body.trim(), None),
    };
    Param {
        name,
        value,
        span: span.start..span.start + whole.len(),
    }
}

/// Parameters in their order. Names compare without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, Option<String>)>);

impl Params {
    /// Reads the parameters in `text` from `from` on, to the end of the list element.
    pub(super) fn parse(text: &str, from: usize) -> Params {
        let owned = |p: Param<'_>| (p.name.to_owned(), p.value.map(str::to_owned));
        Params(params(text, from).map(owned).collect())
    }

    /// The value of the first parameter `name`; `None` when it is absent or has no value.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.find(name)?.1.as_deref()
    }

    /// Whether there is a parameter `name`, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Sets the first parameter `name`, or adds it at the end.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let value = value.map(str::to_owned);
        match self.0.iter_mut().find(|p| p.0.eq_ignore_ascii_case(name)) {
            Some(param) => param.1 = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// Removes every parameter `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|p| !p.0.eq_ignore_ascii_case(name));
    }

    /// Names and values in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
    }

    fn find(&self, name: &str) -> Option<&(String, Option<String>)> {
        self.0.iter().find(|p| p.0.eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.iter() {
            match value {
                Some(value) => write!(f, ";{name}={value}")?,
                None => write!(f, ";{name}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spaces_around_semicolons_and_equal_signs_do_not_count() {
        let params = Params::parse("<sip:a> ; Tag = 12 ;lr;; x=\"a;b,c\" , <sip:b>;tag=3", 7);
        assert_eq!(params.to_string(), ";Tag=12;lr;x=\"a;b,c\"");
        assert_eq!(params.value("tag"), Some("12"));
        assert!(params.has("LR"));
        assert_eq!(params.value("lr"), None);
    }

    #[test]
    fn a_span_covers_the_parameter_and_nothing_after_it() {
        let text = "UDP a;rport ;branch=z, UDP b;rport";
        let spans: Vec<_> = params(text, 0).map(|p| &text[p.span]).collect();
        assert_eq!(spans, [";rport", ";branch=z"]);
    }

    proptest! {
        #[test]
        fn any_text_has_parameters(text: String, from in 0usize..40) {
            let from = (0..=from).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            for param in params(&text, from.min(text.len())) {
                prop_assert!(text.get(param.span).is_some());
            }
        }
    }
}
