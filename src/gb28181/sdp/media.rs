//! What offers and answers share: one media line with its connection and attributes.

use std::fmt;
use std::net::IpAddr;

use super::lines::Sdp;
use crate::gb28181::ssrc::Ssrc;

/// Why a body is no usable offer or answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SdpError {
    /// No line of it looks like SDP.
    #[error("not SDP")]
    NotSdp,
    /// No video or audio.
    #[error("no m= line with video or audio")]
    NoMedia,
    /// A media line that cannot be read.
    #[error("\"m={0}\" cannot be read")]
    Media(String),
    /// The media port is 0: media that is not wanted (RFC 3264 §5.1).
    #[error("the media port is 0")]
    NoPort,
    /// No `c=` line for the media.
    #[error("no c= line")]
    NoConnection,
    /// A `c=` line without an IP address.
    #[error("\"c={0}\" has no IP address")]
    Connection(String),
}

/// The `s=` line: what kind of session it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Session {
    /// Live.
    #[default]
    Play,
    /// Recorded, at its own pace.
    Playback,
    /// Recorded, faster.
    Download,
    /// Two-way audio (2016).
    Talk,
    /// Anything else, as written.
    Other(String),
}

/// The `m=` line's kind of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Video, or video and audio in one PS.
    Video,
    /// Audio alone.
    Audio,
}

/// The `m=` line's protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proto {
    /// `RTP/AVP`.
    Udp,
    /// `TCP/RTP/AVP`: RFC 4571 framing.
    Tcp,
}

/// `a=setup`: what its writer will do (RFC 4145).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Setup {
    /// Connect.
    Active,
    /// Listen.
    Passive,
    /// Either.
    ActPass,
}

/// How the one who writes an offer or an answer carries its media.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A TCP connection that it opens.
    TcpActive,
    /// A TCP connection that it waits for.
    TcpPassive,
}

/// A payload type with its `a=rtpmap`, if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The number.
    pub number: u8,
    /// The encoding's name, as written.
    pub encoding: Option<String>,
    /// The clock rate in Hz.
    pub clock: Option<u32>,
}

/// The media that is meant: the first video that can be read, else the first such audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Media {
    pub kind: Kind,
    pub port: u16,
    pub proto: Proto,
    pub setup: Option<Setup>,
    pub payloads: Vec<Payload>,
    pub connection: IpAddr,
    /// `a=` lines of the media, then of the session: name and value, trimmed.
    pub attributes: Vec<(String, String)>,
}

impl Session {
    /// Reads an `s=` line's text.
    pub fn parse(text: &str) -> Session {
        let all = [
            Session::Play,
            Session::Playback,
            Session::Download,
            Session::Talk,
        ];
        let mut all = all.into_iter();
        let found = all.find(|session| session.as_str().eq_ignore_ascii_case(text));
        found.unwrap_or_else(|| Session::Other(text.to_owned()))
    }

    /// The text of the `s=` line.
    pub fn as_str(&self) -> &str {
        match self {
            Session::Play => "Play",
            Session::Playback => "Playback",
            Session::Download => "Download",
            Session::Talk => "Talk",
            Session::Other(text) => text,
        }
    }
}

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Setup {
    fn parse(text: &str) -> Option<Setup> {
        match text.to_ascii_lowercase().as_str() {
            "active" => Some(Setup::Active),
            "passive" => Some(Setup::Passive),
            "actpass" => Some(Setup::ActPass),
            _ => None,
        }
    }
}

impl Proto {
    /// The text in the `m=` line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Proto::Udp => "RTP/AVP",
            Proto::Tcp => "TCP/RTP/AVP",
        }
    }
}

impl Setup {
    /// The text of `a=setup` in the answer to this one. Who may choose connects.
    pub const fn answered(self) -> &'static str {
        match self {
            Setup::Active => "passive",
            Setup::Passive | Setup::ActPass => "active",
        }
    }
}

impl Transport {
    /// The protocol of the `m=` line.
    pub const fn proto(self) -> Proto {
        match self {
            Transport::Udp => Proto::Udp,
            Transport::TcpActive | Transport::TcpPassive => Proto::Tcp,
        }
    }

    /// The text of `a=setup`, on TCP.
    pub const fn setup(self) -> Option<&'static str> {
        match self {
            Transport::Udp => None,
            Transport::TcpActive => Some("active"),
            Transport::TcpPassive => Some("passive"),
        }
    }

    /// What the other side does.
    pub const fn other_side(self) -> Transport {
        match self {
            Transport::Udp => Transport::Udp,
            Transport::TcpActive => Transport::TcpPassive,
            Transport::TcpPassive => Transport::TcpActive,
        }
    }
}

impl Media {
    pub(super) fn find(sdp: &Sdp) -> Result<Media, SdpError> {
        if sdp.lines.is_empty() {
            return Err(SdpError::NotSdp);
        }
        let mut sections = sections(sdp);
        let head = sections.next().unwrap_or_default();
        let media: Vec<&[(u8, String)]> = sections.collect();
        let of_kind = |kind: &'static str| {
            let all = media.iter().copied();
            all.filter(move |lines| first(lines, b'm').starts_with(kind))
        };
        let mut why = SdpError::NoMedia;
        for lines in of_kind("video").chain(of_kind("audio")) {
            match Media::read(head, lines) {
                Ok(media) => return Ok(media),
                Err(error) if why == SdpError::NoMedia => why = error,
                Err(_) => {}
            }
        }
        Err(why)
    }

    fn read(head: &[(u8, String)], lines: &[(u8, String)]) -> Result<Media, SdpError> {
        let line = first(lines, b'm');
        let fault = || SdpError::Media(line.chars().take(80).collect());
        let mut words = line.split_ascii_whitespace();
        let kind = match words.next() {
            Some("video") => Kind::Video,
            Some("audio") => Kind::Audio,
            _ => return Err(fault()),
        };
        let port = words.next().ok_or_else(fault)?;
        let port = port.split('/').next().unwrap_or_default();
        let port = port.parse().map_err(|_| fault())?;
        let proto = words.next().ok_or_else(fault)?.to_ascii_uppercase();
        if !proto.contains("RTP") {
            return Err(fault());
        }
        let proto = match proto.contains("TCP") {
            true => Proto::Tcp,
            false => Proto::Udp,
        };
        let attributes: Vec<_> = attributes(lines).chain(attributes(head)).collect();
        let setup = value(&attributes, "setup").and_then(Setup::parse);
        let numbers = words.filter_map(|word| word.parse().ok());
        let media = Media {
            kind,
            port,
            proto,
            setup,
            payloads: payloads(numbers, &attributes),
            connection: connection(head, lines)?,
            attributes,
        };
        match media.port == 0 && !media.connects() {
            true => Err(SdpError::NoPort),
            false => Ok(media),
        }
    }

    /// Whether its writer connects, so that its port does not matter.
    fn connects(&self) -> bool {
        self.proto == Proto::Tcp && self.setup == Some(Setup::Active)
    }

    /// The value of the first attribute of this name, in any case.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        value(&self.attributes, name)
    }
}

/// The session's lines, then those of each media; a media section starts with its `m=`.
fn sections(sdp: &Sdp) -> impl Iterator<Item = &[(u8, String)]> {
    let mut rest = sdp.lines.as_slice();
    let mut at_head = true;
    std::iter::from_fn(move || {
        if rest.is_empty() && !at_head {
            return None;
        }
        let skipped = usize::from(!at_head);
        at_head = false;
        let next = rest.iter().skip(skipped).position(|(key, _)| *key == b'm');
        let end = next.map_or(rest.len(), |next| next + skipped);
        let (section, tail) = rest.split_at_checked(end)?;
        rest = tail;
        Some(section)
    })
}

fn first(lines: &[(u8, String)], key: u8) -> &str {
    let mut lines = lines.iter();
    let found = lines.find(|(k, _)| *k == key);
    found.map(|(_, text)| text.trim()).unwrap_or_default()
}

fn attributes(lines: &[(u8, String)]) -> impl Iterator<Item = (String, String)> {
    let lines = lines.iter().filter(|(key, _)| *key == b'a');
    lines.map(|(_, text)| {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        (name.trim().to_owned(), value.trim().to_owned())
    })
}

fn value<'a>(attributes: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut all = attributes.iter();
    let found = all.find(|(n, _)| n.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

fn payloads(numbers: impl Iterator<Item = u8>, attributes: &[(String, String)]) -> Vec<Payload> {
    let maps: Vec<Payload> = attributes
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("rtpmap"))
        .filter_map(|(_, value)| rtpmap(value))
        .collect();
    let mut payloads: Vec<Payload> = Vec::new();
    for number in numbers.take(128) {
        let bare = || Payload {
            number,
            encoding: None,
            clock: None,
        };
        let map = maps.iter().find(|map| map.number == number);
        if payloads.iter().all(|payload| payload.number != number) {
            payloads.push(map.cloned().unwrap_or_else(bare));
        }
    }
    payloads
}

/// Reads `96 PS/90000`.
fn rtpmap(text: &str) -> Option<Payload> {
    let (number, encoding) = text.split_once([' ', '\t'])?;
    let mut parts = encoding.trim().split('/');
    let name = parts.next()?.trim();
    Some(Payload {
        number: number.parse().ok()?,
        encoding: (!name.is_empty()).then(|| name.to_owned()),
        clock: parts.next().and_then(|clock| clock.trim().parse().ok()),
    })
}

/// The media's own `c=`, else the session's.
fn connection(head: &[(u8, String)], lines: &[(u8, String)]) -> Result<IpAddr, SdpError> {
    let own = first(lines, b'c');
    let text = if own.is_empty() {
        first(head, b'c')
    } else {
        own
    };
    if text.is_empty() {
        return Err(SdpError::NoConnection);
    }
    let fault = || SdpError::Connection(text.chars().take(80).collect());
    let address = text
        .split_ascii_whitespace()
        .next_back()
        .ok_or_else(fault)?;
    let address = address.split('/').next().unwrap_or_default();
    let address = address.trim_start_matches('[').trim_end_matches(']');
    address.parse().map_err(|_| fault())
}

/// The SSRC: the first `y=` line, wherever it stands, that is not empty.
pub(super) fn ssrc(sdp: &Sdp) -> Option<Ssrc> {
    sdp.value(b'y').and_then(Ssrc::parse)
}

/// `IP4` or `IP6` with the address.
pub(super) fn address(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("IP4 {address}"),
        IpAddr::V6(address) => format!("IP6 {address}"),
    }
}
