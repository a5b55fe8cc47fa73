//! Messages to octets, in a make's handwriting.

use std::borrow::Cow;

use bytes::Bytes;

use super::header_order::HeaderOrder;
use super::headers::Headers;
use super::message::{Message, Request, Response};
use super::names::same;
use super::octets::put;
use super::style::{ContentLength, Style};

impl Message {
    /// The message as it goes on the wire.
    pub fn write(&self, style: &Style) -> Bytes {
        match self {
            Message::Request(request) => request.write(style),
            Message::Response(response) => response.write(style),
        }
    }
}

impl Request {
    /// The request as it goes on the wire.
    pub fn write(&self, style: &Style) -> Bytes {
        let start = format!("{} {} SIP/2.0", self.method(), self.uri());
        assemble(
            &start,
            &self.headers,
            &self.body,
            &style.request_order,
            style,
        )
    }
}

impl Response {
    /// The response as it goes on the wire.
    pub fn write(&self, style: &Style) -> Bytes {
        let start = format!("SIP/2.0 {} {}", self.status(), self.reason());
        assemble(
            &start,
            &self.headers,
            &self.body,
            &style.response_order,
            style,
        )
    }
}

fn assemble(
    start: &str,
    headers: &Headers,
    body: &[u8],
    order: &HeaderOrder,
    style: &Style,
) -> Bytes {
    let mut lines: Vec<(&str, Cow<'_, str>)> = headers
        .iter()
        .map(|(name, value)| (name, Cow::Borrowed(value)))
        .collect();
    if !headers.has("Content-Length") {
        lines.push((
            "Content-Length",
            Cow::Owned(length(body.len(), style.content_length)),
        ));
    }
    let mut out = Vec::with_capacity(512 + body.len());
    put(&mut out, start);
    out.extend_from_slice(b"\r\n");
    for (name, value) in arranged(lines, order) {
        put(&mut out, name);
        out.push(b':');
        if !value.is_empty() {
            out.push(b' ');
            put(&mut out, &value);
        }
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out.into()
}

fn length(octets: usize, style: ContentLength) -> String {
    match style {
        ContentLength::PaddedToFive if octets > 0 => format!("{octets:>5}"),
        _ => octets.to_string(),
    }
}

type Line<'a> = (&'a str, Cow<'a, str>);

/// The lines in the make's order, names in its spelling.
fn arranged<'a>(mut lines: Vec<Line<'a>>, order: &'a HeaderOrder) -> Vec<Line<'a>> {
    let names = match order {
        HeaderOrder::Alphabetical => {
            lines.sort_by_cached_key(|(name, _)| name.to_ascii_lowercase());
            return lines;
        }
        HeaderOrder::Listed(names) => names,
    };
    let others = names
        .iter()
        .position(|name| name == "*")
        .unwrap_or(names.len());
    let mut placed: Vec<(usize, Line<'a>)> = Vec::with_capacity(lines.len());
    for (name, value) in lines {
        placed.push(match names.iter().position(|listed| same(listed, name)) {
            Some(at) => (at, (names[at].as_str(), value)),
            None => (others, (name, value)),
        });
    }
    placed.sort_by_key(|(at, _)| *at);
    placed.into_iter().map(|(_, line)| line).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rsip::Method;

    use super::super::captures::{self, Speaker};
    use super::super::octets;
    use super::super::style::tests::{DAHUA_OSIP, HIKVISION, style};
    use super::*;

    /// Takes a message of a device apart, forgets the order of its headers, and writes it again.
    fn rewritten(octets: Bytes, style: &Style) -> Bytes {
        let mut message = Message::parse(octets).unwrap();
        let headers = match &mut message {
            Message::Request(request) => &mut request.headers,
            Message::Response(response) => &mut response.headers,
        };
        let mut reversed = Headers::default();
        let list: Vec<_> = headers.iter().collect();
        for (name, value) in list.into_iter().rev() {
            reversed.push(name, value);
        }
        *headers = reversed;
        message.write(style)
    }

    fn writes_like_the_device(capture: &str, style: &Style) {
        let spoken = captures::messages(capture);
        let device = spoken
            .into_iter()
            .filter(|(speaker, _)| *speaker == Speaker::Device);
        for (_, octets) in device {
            let ours = rewritten(octets.clone(), style);
            let text = |octets: &Bytes| String::from_utf8(octets.to_vec()).unwrap();
            assert_eq!(text(&ours), text(&octets));
        }
    }

    #[test]
    fn every_message_of_the_captured_dahua_cameras_is_written_octet_for_octet() {
        writes_like_the_device(captures::DAHUA_SD6C, &style(DAHUA_OSIP));
        writes_like_the_device(captures::GOSIP_DAHUA, &style(DAHUA_OSIP));
    }

    #[test]
    fn every_message_of_the_captured_hikvision_recorder_is_written_octet_for_octet() {
        writes_like_the_device(captures::HIKVISION, &style(HIKVISION));
    }

    fn answer() -> Response {
        Response::new(200, "OK")
            .with_header("Via", "v")
            .with_header("X-Own", "x")
            .with_header("From", "f")
            .with_header("CSeq", "c")
            .with_header("Contact", "m")
            .with_header("Call-ID", "i")
            .with_body("application/sdp", "v=0\r\n")
    }

    fn names(octets: &Bytes) -> Vec<String> {
        let text = String::from_utf8(octets.to_vec()).unwrap();
        let lines = text.lines().skip(1).take_while(|line| !line.is_empty());
        lines
            .map(|line| line.split(':').next().unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn recorders_write_their_headers_by_name() {
        let style = Style {
            response_order: HeaderOrder::Alphabetical,
            ..Style::default()
        };
        assert_eq!(
            names(&answer().write(&style)),
            [
                "Call-ID",
                "Contact",
                "Content-Length",
                "Content-Type",
                "CSeq",
                "From",
                "Via",
                "X-Own"
            ]
        );
    }

    #[test]
    fn a_list_of_names_says_their_spelling_and_where_the_others_go() {
        let style = Style {
            response_order: HeaderOrder::Listed(["f", "*", "VIA", "l"].map(String::from).into()),
            ..Style::default()
        };
        assert_eq!(
            names(&answer().write(&style)),
            [
                "f",
                "X-Own",
                "CSeq",
                "Contact",
                "Call-ID",
                "Content-Type",
                "VIA",
                "l"
            ]
        );
    }

    #[test]
    fn an_explicit_content_length_is_written_even_if_it_is_wrong() {
        let octets = answer()
            .with_header("Content-Length", "0")
            .write(&Style::default());
        let text = String::from_utf8(octets.to_vec()).unwrap();
        assert!(text.ends_with("Content-Length: 0\r\n\r\nv=0\r\n"), "{text}");
    }

    fn as_added() -> Style {
        let order = HeaderOrder::Listed(vec!["*".into()]);
        Style {
            request_order: order.clone(),
            response_order: order,
            ..Style::default()
        }
    }

    /// Any value that a header line can hold.
    fn value() -> impl Strategy<Value = String> {
        prop::collection::vec(any::<u8>(), 0..60).prop_map(|mut octets| {
            octets.retain(|b| !matches!(b, b'\r' | b'\n'));
            octets::text(octets.trim_ascii())
        })
    }

    fn headers(method: Method) -> impl Strategy<Value = Headers> {
        let mandatory = [
            (
                "Via".to_owned(),
                "SIP/2.0/UDP 10.0.0.1:5060;rport;branch=z9hG4bK1".to_owned(),
            ),
            ("From".to_owned(), "<sip:a@b>;tag=1".to_owned()),
            ("To".to_owned(), "\"x\" <sip:c@d>".to_owned()),
            ("Call-ID".to_owned(), "1@10.0.0.1".to_owned()),
            ("CSeq".to_owned(), format!("20 {method}")),
        ];
        let names = "(Subject|Contact|Event|Route|Date|X-[A-Za-z0-9-]{1,12})";
        let others = prop::collection::vec((names, value()), 0..20);
        let all = others.prop_map(move |others| [mandatory.to_vec(), others].concat());
        all.prop_shuffle().prop_map(|list| {
            let mut headers = Headers::default();
            for (name, value) in list {
                headers.push(&name, value);
            }
            headers
        })
    }

    fn method() -> impl Strategy<Value = Method> {
        prop::sample::select(Method::all())
    }

    proptest! {
        #[test]
        fn a_request_that_is_written_is_read_as_it_was(
            (method, headers) in method().prop_flat_map(|m| (Just(m), headers(m))),
            uri in "[!-~]{1,60}",
            body: Vec<u8>,
        ) {
            let mut request = Request::new(method, uri);
            request.headers = headers;
            request.body = body.into();
            let message = Message::Request(request);
            prop_assert_eq!(Message::parse(message.write(&as_added())), Ok(message));
        }

        #[test]
        fn a_response_that_is_written_is_read_as_it_was(
            headers in headers(Method::Invite),
            status in 100u16..700,
            reason in value(),
            body: Vec<u8>,
        ) {
            let mut response = Response::new(status, &reason);
            response.headers = headers;
            response.body = body.into();
            let message = Message::Response(response);
            prop_assert_eq!(Message::parse(message.write(&as_added())), Ok(message));
        }
    }
}
