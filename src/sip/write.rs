//! Messages to octets, in a make's handwriting.

use std::borrow::Cow;

use bytes::Bytes;

use super::headers::Headers;
use super::message::{Message, Request, Response};
use super::names::same;
use super::octets::put;
use super::style::{ContentLength, HeaderOrder, Style};

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
