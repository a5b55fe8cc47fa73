//! Start line and headers, read from octets with every tolerance that real peers need.

use std::borrow::Cow;

use rsip::Method;
use tracing::debug;

use super::fault::Fault;
use super::headers::Headers;
use super::limits;
use super::names::{long, same};
use super::octets;
use super::uri::Uri;

/// What could be read of a message's head. A fault does not end the reading: whatever else can be
/// read may be needed to answer.
#[derive(Debug)]
pub(super) struct Head {
    pub start: Start,
    pub headers: Headers,
    pub length: Length,
    pub fault: Option<Fault>,
    /// Octets of the head with its empty line, and with what stood before the start line.
    pub octets: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Start {
    Request {
        method: Method,
        uri: Uri,
    },
    /// A request that names a method or version we do not know, or has no readable URI.
    OddRequest {
        ack: bool,
    },
    Response {
        status: u16,
        reason: String,
    },
    Garbage,
}

/// What `Content-Length` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Absent,
    Octets(usize),
    Bad,
}

impl Head {
    /// Reads the head at the beginning of `bytes`, to its empty line or as far as there is one.
    pub fn read(bytes: &[u8]) -> Head {
        let skipped = bytes
            .iter()
            .take_while(|b| matches!(b, b'\r' | b'\n'))
            .count();
        let mut lines = Lines {
            rest: &bytes[skipped..],
        };
        let (start, fault) = start_line(lines.next_line().unwrap_or_default());
        let mut head = Head {
            start,
            headers: Headers::default(),
            length: Length::Absent,
            fault,
            octets: 0,
        };
        if head.start != Start::Garbage {
            head.read_headers(&mut lines);
        }
        head.octets = bytes.len() - lines.rest.len();
        head
    }

    fn read_headers(&mut self, lines: &mut Lines<'_>) {
        let mut count = 0;
        loop {
            match lines.next_field() {
                None => return self.blame(Fault::Truncated),
                Some(line) if line.is_empty() => return,
                Some(_) if count == limits::HEADERS => self.blame(Fault::HeadTooLarge),
                Some(line) if line.len() > limits::LINE => self.blame(Fault::HeadTooLarge),
                Some(line) => self.read_header(&line),
            }
            count = (count + 1).min(limits::HEADERS);
        }
    }

    fn read_header(&mut self, line: &[u8]) {
        let Some((name, value)) = name_and_value(line) else {
            debug!(
                octets = line.len(),
                "a line that is no header is passed over"
            );
            return;
        };
        if !same(name, "Content-Length") {
            self.headers.push(long(name), octets::text(value));
        } else if self.length == Length::Absent {
            self.length = content_length(value);
        }
    }

    /// Notes a fault; the first one counts.
    pub fn blame(&mut self, fault: Fault) {
        self.fault.get_or_insert(fault);
    }
}

/// Physical lines, ended by CRLF or LF.
struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    /// The next line without its end; `None` when no line end follows.
    fn next_line(&mut self) -> Option<&'a [u8]> {
        let end = memchr::memchr(b'\n', self.rest)?;
        let line = &self.rest[..end];
        self.rest = &self.rest[end + 1..];
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The next line with its folded continuations (RFC 3261 §7.3.1), each fold one space. What is
    /// far beyond the limit of a line is cut.
    fn next_field(&mut self) -> Option<Cow<'a, [u8]>> {
        let mut field = Cow::Borrowed(self.next_line()?);
        if field.is_empty() {
            return Some(field);
        }
        while matches!(self.rest.first(), Some(b' ' | b'\t')) {
            let more = self.next_line()?.trim_ascii();
            if field.len() <= limits::LINE {
                let field = field.to_mut();
                field.truncate(field.trim_ascii_end().len());
                field.push(b' ');
                field.extend_from_slice(more);
            }
        }
        Some(field)
    }
}

/// Where the head that begins `bytes` ends, behind its empty line. Searching begins at `from`.
pub(super) fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let tail = bytes.get(from..)?;
    memchr::memchr_iter(b'\n', tail).find_map(|at| match tail.get(at + 1..)? {
        [b'\n', ..] => Some(from + at + 2),
        [b'\r', b'\n', ..] => Some(from + at + 3),
        _ => None,
    })
}

fn name_and_value(line: &[u8]) -> Option<(&str, &[u8])> {
    let colon = memchr::memchr(b':', line)?;
    let name = std::str::from_utf8(line[..colon].trim_ascii()).ok()?;
    let legal = !name.is_empty() && name.bytes().all(is_token);
    legal.then_some((name, line[colon + 1..].trim_ascii()))
}

/// RFC 3261 §25.1, `token`.
pub(super) fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b)
}

fn content_length(value: &[u8]) -> Length {
    let text = std::str::from_utf8(value).unwrap_or_default();
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        _ if !digits => Length::Bad,
        Ok(octets) => Length::Octets(octets),
        Err(_) => Length::Octets(usize::MAX),
    }
}

fn start_line(line: &[u8]) -> (Start, Option<Fault>) {
    let garbage = (Start::Garbage, Some(Fault::NotSip));
    if line.len() > limits::LINE {
        return (Start::Garbage, Some(Fault::HeadTooLarge));
    }
    let line = line.trim_ascii();
    if let Some((version, rest)) = split_at_space(line)
        && version.eq_ignore_ascii_case(b"SIP/2.0")
    {
        return status_line(rest).unwrap_or(garbage);
    }
    request_line(line).unwrap_or(garbage)
}

fn status_line(rest: &[u8]) -> Option<(Start, Option<Fault>)> {
    let (status, reason) = split_at_space(rest).unwrap_or((rest, b""));
    let status: u16 = std::str::from_utf8(status).ok()?.parse().ok()?;
    let reason = octets::text(reason);
    let start = Start::Response { status, reason };
    (100..700).contains(&status).then_some((start, None))
}

fn request_line(line: &[u8]) -> Option<(Start, Option<Fault>)> {
    let (method, rest) = split_at_space(line)?;
    let version_at = rest
        .iter()
        .rposition(u8::is_ascii_whitespace)
        .map_or(0, |at| at + 1);
    let (uri, version) = rest.split_at(version_at);
    let uri = uri.trim_ascii();
    let sip = version
        .get(..4)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"SIP/"));
    if !sip || method.is_empty() || !method.iter().copied().all(is_token) {
        return None;
    }
    let name = std::str::from_utf8(method).ok()?;
    let odd = Start::OddRequest {
        ack: name.eq_ignore_ascii_case("ACK"),
    };
    if !version.eq_ignore_ascii_case(b"SIP/2.0") {
        return Some((odd, Some(Fault::Version)));
    }
    let Ok(method) = name.parse() else {
        let shown = name.chars().take(32).collect();
        return Some((odd, Some(Fault::Method(shown))));
    };
    if uri.is_empty() || uri.iter().any(u8::is_ascii_whitespace) {
        return Some((odd, Some(Fault::Bad("Request-URI"))));
    }
    let uri = Uri::new(octets::text(uri));
    Some((Start::Request { method, uri }, None))
}

fn split_at_space(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = text.iter().position(u8::is_ascii_whitespace)?;
    Some((&text[..space], text[space..].trim_ascii_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYE: &str = "BYE sip:1@a SIP/2.0\r\n";

    fn read(headers: &str) -> Head {
        Head::read(format!("{BYE}{headers}\r\n").as_bytes())
    }

    #[test]
    fn folds_compact_names_and_loose_colons_are_read() {
        let head = read("v : SIP/2.0/UDP a\r\n ;branch=1\r\n\t;rport\r\nSupported:\r\nTO:x\r\n");
        let headers: Vec<_> = head.headers.iter().collect();
        assert_eq!(
            headers,
            [
                ("Via", "SIP/2.0/UDP a ;branch=1 ;rport"),
                ("Supported", ""),
                ("To", "x")
            ]
        );
        assert_eq!(head.fault, None);
    }

    #[test]
    fn a_line_that_is_no_header_is_passed_over() {
        let head = read("no colon here\r\nbad name: x\r\n: y\r\nFrom: z\r\n");
        assert_eq!(head.headers.iter().collect::<Vec<_>>(), [("From", "z")]);
        assert_eq!(head.fault, None);
    }

    #[test]
    fn lines_may_end_in_a_bare_line_feed() {
        let bytes = b"\r\n\nSIP/2.0 200\nFrom: a\n\nbody";
        let head = Head::read(bytes);
        assert_eq!(
            head.start,
            Start::Response {
                status: 200,
                reason: String::new()
            }
        );
        assert_eq!(&bytes[head.octets..], b"body");
        assert_eq!(end(bytes, 3), Some(head.octets));
    }

    #[test]
    fn the_first_content_length_counts_and_stays_out_of_the_headers() {
        let head = read("l:   262 \r\nContent-Length: 3\r\n");
        assert_eq!(head.length, Length::Octets(262));
        assert!(!head.headers.has("Content-Length"));
        for bad in ["-1", "", "0x10", "1 2", "+5"] {
            assert_eq!(
                read(&format!("Content-Length: {bad}\r\n")).length,
                Length::Bad,
                "{bad}"
            );
        }
        let endless = read("Content-Length: 99999999999999999999\r\n");
        assert_eq!(endless.length, Length::Octets(usize::MAX));
    }

    #[test]
    fn a_head_without_end_or_beyond_the_limits_is_blamed_and_still_read() {
        let truncated = Head::read(format!("{BYE}Via: a\r\nFrom: b").as_bytes());
        assert_eq!(
            (truncated.fault, truncated.headers.value("Via")),
            (Some(Fault::Truncated), Some("a"))
        );
        let long = read(&format!(
            "Via: a\r\nX: {}\r\nTo: b\r\n",
            "x".repeat(limits::LINE)
        ));
        assert_eq!(
            (long.fault, long.headers.value("To")),
            (Some(Fault::HeadTooLarge), Some("b"))
        );
        let many = read(&"X: y\r\n".repeat(limits::HEADERS + 1));
        assert_eq!(
            (many.fault, many.headers.iter().count()),
            (Some(Fault::HeadTooLarge), limits::HEADERS)
        );
        let folded = read(&format!("X: y\r\n{}", " z\r\n".repeat(limits::LINE)));
        assert_eq!(folded.fault, Some(Fault::HeadTooLarge));
    }

    #[test]
    fn start_lines_that_are_not_ours_say_why() {
        let fault = |line: &str| start_line(line.as_bytes()).1;
        assert_eq!(fault("BYE sip:a SIP/3.0"), Some(Fault::Version));
        assert_eq!(
            fault("FOO sip:a SIP/2.0"),
            Some(Fault::Method("FOO".into()))
        );
        assert_eq!(
            fault("BYE sip:a b SIP/2.0"),
            Some(Fault::Bad("Request-URI"))
        );
        assert_eq!(fault("BYE SIP/2.0"), Some(Fault::Bad("Request-URI")));
        for garbage in [
            "",
            "BYE",
            "GET / HTTP/1.1",
            "SIP/2.0",
            "SIP/2.0 99 x",
            "SIP/2.0 abc",
            "\u{1}\u{2} a SIP/2.0",
        ] {
            assert_eq!(fault(garbage), Some(Fault::NotSip), "{garbage}");
        }
        assert_eq!(fault("bye tel:+1 sip/2.0"), None);
    }
}
