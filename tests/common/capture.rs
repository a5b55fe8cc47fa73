//! Conversations of `tests/captures`, octet for octet as they were on the wire.

use bytes::Bytes;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    Device,
    Platform,
}

/// One message of a capture.
#[derive(Clone, Debug)]
pub struct Spoken {
    pub by: Speaker,
    pub bytes: Bytes,
}

impl Spoken {
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.to_vec()).unwrap()
    }

    /// The start line.
    pub fn start(&self) -> String {
        self.text().lines().next().unwrap_or_default().to_owned()
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> String {
        let text = self.text();
        let mut lines = text.lines();
        let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found
            .unwrap_or_else(|| panic!("no {name} in {text}"))
            .to_owned()
    }

    /// What stands behind `before` in a header, up to the next delimiter.
    pub fn part(&self, name: &str, before: &str) -> String {
        let value = self.header(name);
        let (_, rest) = value.split_once(before).unwrap();
        let end = rest.find([';', '>', '"']).unwrap_or(rest.len());
        rest[..end].to_owned()
    }
}

/// The messages of a capture file, in order.
pub fn messages(file: &str) -> Vec<Spoken> {
    let mut messages = Vec::new();
    let mut open: Option<(Speaker, Vec<&str>)> = None;
    for line in file.lines() {
        let speaker = match line.get(..3) {
            Some(">>>") => Some(Speaker::Device),
            Some("<<<") => Some(Speaker::Platform),
            _ => None,
        };
        if speaker.is_some() || line.starts_with('(') {
            messages.extend(open.take().map(wire));
            open = speaker.map(|by| (by, Vec::new()));
        } else if let Some((_, lines)) = &mut open {
            lines.push(line);
        }
    }
    messages.extend(open.map(wire));
    messages
}

/// Header and SDP lines end in CRLF, the devices' XML lines in LF.
fn wire((by, mut lines): (Speaker, Vec<&str>)) -> Spoken {
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let blank = lines.iter().position(|line| line.is_empty());
    let (head, body) = lines.split_at(blank.unwrap_or(lines.len()));
    let mut text: String = head.iter().map(|line| format!("{line}\r\n")).collect();
    text.push_str("\r\n");
    let xml = body.get(1).is_some_and(|line| line.starts_with("<?xml"));
    let end = if xml && by == Speaker::Device {
        "\n"
    } else {
        "\r\n"
    };
    let head = text.len();
    for line in body.iter().skip(1) {
        text.push_str(line);
        text.push_str(end);
    }
    if by == Speaker::Platform {
        leave_out_last_end(&mut text, head);
    }
    Spoken {
        by,
        bytes: text.into(),
    }
}

/// Some platforms do not end the last line of a body: their Content-Length tells.
fn leave_out_last_end(text: &mut String, head: usize) {
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length:"));
    let length: Option<usize> = length.and_then(|length| length.trim().parse().ok());
    if length.is_some_and(|length| head + length + 2 == text.len()) {
        text.truncate(text.len() - 2);
    }
}

/// The message with each of `words` replaced in head and body, and its Content-Length, if it has
/// one, written anew in the same columns.
pub fn with_words(message: &Spoken, words: &[(&str, &str)]) -> Spoken {
    let mut text = message.text();
    for (old, new) in words {
        text = text.replace(old, new);
    }
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head: Vec<_> = head
        .lines()
        .map(|line| relength(line, body.len()))
        .collect();
    let text = format!("{}\r\n\r\n{body}", head.join("\r\n"));
    Spoken {
        by: message.by,
        bytes: text.into(),
    }
}

fn relength(line: &str, length: usize) -> String {
    match line.strip_prefix("Content-Length: ") {
        Some(value) if length > 0 => {
            format!("Content-Length: {length:>width$}", width = value.len())
        }
        _ => line.to_owned(),
    }
}
