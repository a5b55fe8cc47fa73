//! The headers of a message: rsip's list, with names and values as text.

use rsip::Header;

use super::cseq::CSeq;
use super::name_addr::NameAddr;
use super::names::{header, parts, same};
use super::quoting::elements;
use super::value::ValueError;
use super::via::Via;

/// Headers in their order. Names compare without regard to case, compact forms count as the long
/// ones, and of a header that may stand only once but comes twice, the first counts.
///
/// A received `Content-Length` is not among them: the body knows its length. One that is pushed is
/// written as it is, right or wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(rsip::Headers);

impl Headers {
    /// The first value of `name`.
    pub fn value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.iter().find(|(n, _)| same(n, name))?;
        Some(value)
    }

    /// Every value of `name`, one per header line.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.iter()
            .filter(move |(n, _)| same(n, name))
            .map(|(_, value)| value)
    }

    /// Every element of the comma-separated values of `name`.
    pub fn elements<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.values(name).flat_map(elements)
    }

    /// Whether there is a header `name`.
    pub fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// Adds a header at the end.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push(header(name, value.into()));
    }

    /// Replaces the first `name` where it stands and removes the others, or adds it at the end.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let mut new = Some(header(name, value.into()));
        let replaced = |old: Header| match same(parts(&old).0, name) {
            true => new.take(),
            false => Some(old),
        };
        let old = std::mem::take(&mut self.0);
        let mut headers: Vec<Header> = old.into_iter().filter_map(replaced).collect();
        headers.extend(new);
        self.0 = headers.into();
    }

    /// Removes every `name`.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|header| !same(parts(header).0, name));
    }

    /// Names and values in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(parts)
    }

    /// The topmost Via.
    pub fn via(&self) -> Result<Via, ValueError> {
        Via::parse(self.required("Via")?)
    }

    /// The From header.
    pub fn from(&self) -> Result<NameAddr, ValueError> {
        NameAddr::parse("From", self.required("From")?)
    }

    /// The To header.
    pub fn to(&self) -> Result<NameAddr, ValueError> {
        NameAddr::parse("To", self.required("To")?)
    }

    /// The first Contact.
    pub fn contact(&self) -> Result<NameAddr, ValueError> {
        let first = self.elements("Contact").next();
        NameAddr::parse("Contact", first.ok_or(ValueError::missing("Contact"))?)
    }

    /// The addresses of `Record-Route` or `Route`, in their order; unreadable ones are passed over.
    pub fn routes<'a>(&'a self, name: &'static str) -> impl Iterator<Item = NameAddr> + 'a {
        self.elements(name)
            .filter_map(move |text| NameAddr::parse(name, text).ok())
    }

    /// The CSeq header.
    pub fn cseq(&self) -> Result<CSeq, ValueError> {
        CSeq::parse(self.required("CSeq")?)
    }

    /// The Call-ID.
    pub fn call_id(&self) -> Option<&str> {
        self.value("Call-ID")
    }

    /// The `Expires` header in seconds; a number too large for it is the largest.
    pub fn expires(&self) -> Option<u32> {
        seconds(self.value("Expires")?)
    }

    /// The media type as written, without its parameters.
    pub fn content_type(&self) -> Option<&str> {
        let value = self.value("Content-Type")?;
        Some(value.split(';').next().unwrap_or(value).trim())
    }

    /// Whether the body is of this media type; case does not count.
    pub fn is_content_type(&self, media_type: &str) -> bool {
        self.content_type()
            .is_some_and(|ours| ours.eq_ignore_ascii_case(media_type))
    }

    /// Adds the headers of `other` called `name`, octet for octet.
    pub fn copy(&mut self, name: &str, other: &Headers) {
        for value in other.values(name) {
            self.push(name, value);
        }
    }

    fn required(&self, name: &'static str) -> Result<&str, ValueError> {
        self.value(name).ok_or(ValueError::missing(name))
    }
}

fn seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    match &text[..digits] {
        "" => None,
        digits => Some(digits.parse().unwrap_or(u32::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::default();
        for (name, value) in list {
            headers.push(name, *value);
        }
        headers
    }

    #[test]
    fn names_compare_without_case_and_compact_forms_count() {
        let headers = headers(&[("i", "1"), ("x-gb-ver", "3.0"), ("VIA", "SIP/2.0/UDP a")]);
        assert_eq!(headers.call_id(), Some("1"));
        assert_eq!(headers.value("X-GB-Ver"), Some("3.0"));
        assert_eq!(headers.value("v"), Some("SIP/2.0/UDP a"));
    }

    #[test]
    fn of_a_header_that_comes_twice_the_first_counts() {
        let headers = headers(&[("User-Agent", "a"), ("User-Agent", "b")]);
        assert_eq!(headers.value("User-Agent"), Some("a"));
        assert_eq!(headers.values("user-agent").count(), 2);
    }

    #[test]
    fn set_replaces_in_place_and_leaves_one() {
        let mut headers = headers(&[("Via", "1"), ("To", "2"), ("Via", "3"), ("From", "4")]);
        headers.set("v", "5");
        headers.set("Expires", "6");
        let list: Vec<_> = headers.iter().collect();
        assert_eq!(
            list,
            [("Via", "5"), ("To", "2"), ("From", "4"), ("Expires", "6")]
        );
        headers.remove("TO");
        assert!(!headers.has("To"));
    }

    #[test]
    fn elements_run_over_lines_and_commas() {
        let headers = headers(&[
            ("Record-Route", "<sip:a;lr>, <sip:b>"),
            ("Record-Route", "<sip:c>"),
        ]);
        let routes: Vec<_> = headers
            .routes("Record-Route")
            .map(|r| r.uri.to_string())
            .collect();
        assert_eq!(routes, ["sip:a;lr", "sip:b", "sip:c"]);
    }

    #[test]
    fn a_media_type_is_compared_without_case_and_parameters() {
        let headers = headers(&[("c", "Application/MANSCDP+xml ; charset=GB2312")]);
        assert_eq!(headers.content_type(), Some("Application/MANSCDP+xml"));
        assert!(headers.is_content_type("application/manscdp+xml"));
    }

    #[test]
    fn expires_is_a_number_of_seconds_or_nothing() {
        for (text, seconds) in [
            ("3600", Some(3600)),
            (" 60 ;x", Some(60)),
            ("99999999999", Some(u32::MAX)),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(headers(&[("Expires", text)]).expires(), seconds, "{text}");
        }
    }

    #[test]
    fn a_missing_header_says_its_name() {
        let error = Headers::default().cseq().unwrap_err();
        assert_eq!(error.to_string(), "CSeq is missing");
    }
}
