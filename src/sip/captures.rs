//! The conversations of `tests/captures`, as they were on the wire. For tests.

use bytes::Bytes;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    Device,
    Platform,
}

pub(crate) const DAHUA_SD6C: &str = include_str!("../../tests/captures/dahua-sd6c.txt");
pub(crate) const GOSIP_DAHUA: &str = include_str!("../../tests/captures/gosip-dahua-invite.txt");
pub(crate) const HIKVISION: &str = include_str!("../../tests/captures/hikvision-nvr.txt");

/// Every message of every capture.
pub(crate) fn all() -> Vec<(Speaker, Bytes)> {
    [DAHUA_SD6C, GOSIP_DAHUA, HIKVISION]
        .into_iter()
        .flat_map(messages)
        .collect()
}

/// The messages of one capture.
pub(crate) fn messages(capture: &str) -> Vec<(Speaker, Bytes)> {
    let mut messages = Vec::new();
    let mut speaking: Option<(Speaker, Vec<&str>)> = None;
    for line in capture.lines().chain(["("]) {
        let next = match line {
            _ if line.starts_with(">>> device") => Some((Speaker::Device, Vec::new())),
            _ if line.starts_with("<<< platform") => Some((Speaker::Platform, Vec::new())),
            _ if line.starts_with('(') => None,
            _ => {
                if let Some((_, lines)) = &mut speaking {
                    lines.push(line);
                }
                continue;
            }
        };
        if let Some((speaker, lines)) = std::mem::replace(&mut speaking, next) {
            messages.push((speaker, on_the_wire(speaker, &lines)));
        }
    }
    messages
}

fn on_the_wire(speaker: Speaker, lines: &[&str]) -> Bytes {
    let text = lines.join("\n");
    let (head, body) = text
        .trim_end()
        .split_once("\n\n")
        .unwrap_or((text.trim_end(), ""));
    let body_end = match speaker {
        Speaker::Device if body.starts_with('<') => "\n",
        _ => "\r\n",
    };
    let mut wire = String::new();
    for line in head.lines().chain([""]) {
        wire.extend([line, "\r\n"]);
    }
    let head_end = wire.len();
    for line in body.lines() {
        wire.extend([line, body_end]);
    }
    if let Some(octets) = content_length(head) {
        wire.truncate(head_end + octets);
    }
    wire.into()
}

/// One playback offer has no end to its last line: its Content-Length is shorter by two.
fn content_length(head: &str) -> Option<usize> {
    let value = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length:"))?;
    value.trim().parse().ok()
}
