//! What happened, as text for people and as one number for comparing two runs.

use std::collections::hash_map::DefaultHasher;
use std::fmt::{self, Write};
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;

use bytes::Bytes;

use crate::sip::Transport;
use crate::time::Now;

/// A message that was put on the wire: a datagram, or a piece of a TCP stream.
#[derive(Clone, Debug)]
pub struct Packet {
    /// When it left.
    pub at: Now,
    /// From where.
    pub from: SocketAddr,
    /// To where.
    pub to: SocketAddr,
    /// How.
    pub transport: Transport,
    /// What.
    pub bytes: Bytes,
    /// How many copies were let through: 0 when it was lost.
    pub copies: usize,
}

/// The log of one lab.
#[derive(Debug)]
pub(super) struct Log {
    hasher: DefaultHasher,
    lines: Option<Vec<String>>,
    packets: Option<Vec<Packet>>,
    line: String,
}

impl Log {
    pub(super) fn new() -> Self {
        Log {
            hasher: DefaultHasher::new(),
            lines: None,
            packets: None,
            line: String::new(),
        }
    }

    pub(super) fn keep_lines(&mut self) {
        self.lines.get_or_insert_default();
    }

    pub(super) fn keep_packets(&mut self) {
        self.packets.get_or_insert_default();
    }

    pub(super) fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }

    pub(super) fn packets(&self) -> &[Packet] {
        self.packets.as_deref().unwrap_or_default()
    }

    pub(super) fn fingerprint(&self) -> u64 {
        self.hasher.finish()
    }

    /// Writes one line.
    pub(super) fn write(&mut self, now: Now, what: fmt::Arguments<'_>) {
        self.line.clear();
        let micros = now.mono.as_nanos() / 1000;
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        // Writing to a String cannot fail.
        let _ = write!(self.line, "{seconds:>6}.{micros:06} {what}");
        self.line.hash(&mut self.hasher);
        if let Some(lines) = &mut self.lines {
            lines.push(self.line.clone());
        }
    }

    /// Notes a signalling message on the wire: its first line in the text, all of it in the
    /// fingerprint.
    pub(super) fn packet(&mut self, packet: Packet) {
        let Packet {
            at,
            from,
            to,
            transport,
            ref bytes,
            copies,
        } = packet;
        bytes.hash(&mut self.hasher);
        let head = FirstLine(bytes);
        let octets = bytes.len();
        self.write(
            at,
            format_args!("{transport} {from} -> {to} x{copies} {octets} octets: {head}"),
        );
        if let Some(packets) = &mut self.packets {
            packets.push(packet);
        }
    }

    /// Notes media on the wire, in the fingerprint only.
    pub(super) fn media(&mut self, now: Now, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        /// Enough to see RTP and PS headers.
        const HEAD: usize = 40;
        let head = bytes.get(..HEAD).unwrap_or(bytes);
        (now.mono, from, to, bytes.len(), head).hash(&mut self.hasher);
    }
}

struct FirstLine<'a>(&'a [u8]);

impl fmt::Display for FirstLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONGEST: usize = 80;
        let line = self.0.split(|octet| matches!(octet, b'\r' | b'\n')).next();
        let line = line.unwrap_or_default();
        let line = line.get(..LONGEST).unwrap_or(line);
        write!(f, "{}", line.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_does_not_depend_on_whether_text_is_kept() {
        let (mut terse, mut wordy) = (Log::new(), Log::new());
        wordy.keep_lines();
        for log in [&mut terse, &mut wordy] {
            log.write(Now::default(), format_args!("one thing"));
        }
        assert_eq!(terse.fingerprint(), wordy.fingerprint());
        assert_eq!(terse.lines().len(), 0);
        assert_eq!(wordy.lines(), ["     0.000000 one thing"]);
    }

    #[test]
    fn two_messages_that_differ_late_have_different_fingerprints() {
        let address: SocketAddr = "10.0.0.1:5060".parse().unwrap();
        let fingerprint = |body: &'static str| {
            let mut log = Log::new();
            log.packet(Packet {
                at: Now::default(),
                from: address,
                to: address,
                transport: Transport::Udp,
                bytes: Bytes::from_static(body.as_bytes()),
                copies: 1,
            });
            log.fingerprint()
        };
        assert_ne!(fingerprint("OPTIONS\r\na"), fingerprint("OPTIONS\r\nb"));
    }
}
