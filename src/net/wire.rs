//! What is on the wire, for `-v`: start lines at level info, whole messages at level debug.

use std::borrow::Cow;
use std::net::SocketAddr;

use tracing::Level;

use super::flows::Happened;
use crate::sip::{FlowId, Style};

/// Logs octets that leave on a flow.
pub(super) fn sent(flow: FlowId, to: SocketAddr, bytes: &[u8]) {
    if tracing::enabled!(Level::INFO) {
        tell(flow, "to", to, bytes);
    }
}

/// Logs octets that came on a flow.
pub(super) fn received(happened: &Happened) {
    if !tracing::enabled!(Level::INFO) {
        return;
    }
    match happened {
        Happened::Received { flow, from, bytes } => tell(*flow, "from", *from, bytes),
        Happened::Message {
            flow,
            from,
            message,
        } => tell(*flow, "from", *from, &message.write(&Style::default())),
        Happened::Opened { .. } | Happened::Closed { .. } => {}
    }
}

fn tell(flow: FlowId, way: &str, peer: SocketAddr, bytes: &[u8]) {
    let text = readable(bytes);
    if tracing::enabled!(Level::DEBUG) {
        tracing::debug!("flow {} {way} {peer}:\n{}", flow.0, text.trim_end());
        return;
    }
    for line in text.lines().filter(|line| is_start_line(line)) {
        tracing::info!("flow {} {way} {peer}: {line}", flow.0);
    }
}

/// A connection's octets come in pieces: what stands in them tells where a message begins.
fn is_start_line(line: &str) -> bool {
    line.starts_with("SIP/2.0 ") || line.ends_with(" SIP/2.0")
}

/// Text that moves no cursor and sets no colour, whatever a peer sends.
fn readable(bytes: &[u8]) -> String {
    let text: Cow<'_, str> = String::from_utf8_lossy(bytes);
    let seen = text.chars().filter(|c| *c != '\r');
    seen.map(|c| match c {
        '\n' | '\t' => c,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn start_lines_are_told_from_headers_and_control_characters_are_not_printed() {
        let text = readable(b"BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c\r\n\r\n\x1b[2J");
        let lines: Vec<_> = text.lines().filter(|line| is_start_line(line)).collect();
        assert_eq!(lines, ["BYE sip:a@b SIP/2.0"]);
        assert!(is_start_line("SIP/2.0 200 OK") && !text.contains('\x1b'));
    }
}
