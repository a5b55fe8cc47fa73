//! What a platform asks for in an INVITE.

use std::net::IpAddr;

use bytes::Bytes;

use super::format::Format;
use super::lines::Sdp;
use super::media::{self, Kind, Media, Payload, Proto, SdpError, Session, Setup, Transport};
use super::talk::Direction;
use crate::gb28181::ssrc::Ssrc;

/// Seconds between the epochs of NTP (1900) and Unix (1970).
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// An offer as a device reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// `s=`.
    pub session: Session,
    /// The user name in `o=`; empty if there is none.
    pub origin: String,
    /// Where the platform takes media: `c=`, the media's own before the session's.
    pub connection: IpAddr,
    /// The port in `m=`. It may be 0 if the platform connects.
    pub port: u16,
    /// The kind of media in `m=`.
    pub kind: Kind,
    /// The protocol in `m=`.
    pub proto: Proto,
    /// `a=setup`, as the platform wrote it.
    pub setup: Option<Setup>,
    /// Which way media is to flow.
    pub direction: Direction,
    /// The payload types in `m=`, in its order.
    pub payloads: Vec<Payload>,
    /// `y=`, wherever it stands.
    pub ssrc: Option<Ssrc>,
    /// Which stream is asked for, if that is said at all: 0 main, 1 sub, 2 second sub.
    pub stream: Option<u8>,
    /// `t=` as written, for echoing; `0 0` if there is none.
    pub time: String,
    /// The times in `t=`, if they are not `0 0`.
    pub range: Option<TimeRange>,
    /// `u=`.
    pub recording: Option<Recording>,
    /// `a=downloadspeed`.
    pub download_speed: Option<u8>,
    /// `f=`, if it is not empty.
    pub format: Option<Format>,
    /// How many lines were not SDP.
    pub junk: usize,
}

/// The times of a recording, in seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRange {
    /// From here.
    pub start: u64,
    /// To here.
    pub stop: u64,
}

/// The `u=` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The whole text: `ID:type`, or an HTTP address.
    pub text: String,
    /// The ID before the colon, or the address.
    pub id: String,
    /// The type after it: 0 all, 1 manual, 2 alarm, 3 time.
    pub kind: Option<u8>,
}

impl Offer {
    /// Reads the body of an INVITE.
    pub fn parse(body: &[u8]) -> Result<Offer, SdpError> {
        let sdp = Sdp::parse(body);
        let media = Media::find(&sdp)?;
        let time = sdp.value(b't').unwrap_or("0 0");
        let origin = sdp.value(b'o').unwrap_or_default();
        let speed = media.attribute("downloadspeed");
        Ok(Offer {
            session: Session::parse(sdp.value(b's').unwrap_or_default()),
            origin: origin
                .split_ascii_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned(),
            ssrc: media::ssrc(&sdp),
            stream: stream(&media),
            direction: Direction::of(&media),
            range: TimeRange::parse(time),
            time: time.to_owned(),
            recording: sdp.value(b'u').and_then(Recording::parse),
            download_speed: speed.and_then(|speed| speed.parse().ok()),
            format: sdp.value(b'f').and_then(Format::parse),
            junk: sdp.junk,
            connection: media.connection,
            port: media.port,
            kind: media.kind,
            proto: media.proto,
            setup: media.setup,
            payloads: media.payloads,
        })
    }

    /// What a device does about this offer: it connects unless the platform wants to
    /// (GB/T 28181-2022 annex D). With `RTP/AVP` a setup line does not count.
    pub fn device_transport(&self) -> Transport {
        match (self.proto, self.setup) {
            (Proto::Udp, _) => Transport::Udp,
            (Proto::Tcp, Some(Setup::Active)) => Transport::TcpPassive,
            (Proto::Tcp, _) => Transport::TcpActive,
        }
    }

    /// The payload type for PS: the one mapped to it, else 96 if it is listed without a map.
    pub fn ps_payload(&self) -> Option<u8> {
        let is_ps = |payload: &&Payload| {
            let encoding = payload.encoding.as_deref();
            encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case("PS"))
        };
        let unmapped = |payload: &&Payload| payload.number == 96 && payload.encoding.is_none();
        let mapped = self.payloads.iter().find(is_ps);
        let found = mapped.or_else(|| self.payloads.iter().find(unmapped));
        found.map(|payload| payload.number)
    }
}

/// The stream selectors of the makes, as numbers or words.
fn stream(media: &Media) -> Option<u8> {
    let names = ["streamprofile", "streamnumber", "stream", "streammode"];
    let value = names.iter().find_map(|name| media.attribute(name))?;
    match value.to_ascii_lowercase().as_str() {
        "main" => Some(0),
        "sub" | "sub1" => Some(1),
        "sub2" => Some(2),
        number => number.parse().ok(),
    }
}

impl TimeRange {
    /// Reads `start stop`. NTP times, as RFC 4566 has them, are converted.
    fn parse(text: &str) -> Option<TimeRange> {
        let mut words = text.split_ascii_whitespace();
        let mut unix = || {
            let seconds: u64 = words.next()?.parse().ok()?;
            Some(seconds.checked_sub(NTP_TO_UNIX).unwrap_or(seconds))
        };
        let (start, stop) = (unix()?, unix()?);
        ((start, stop) != (0, 0)).then_some(TimeRange { start, stop })
    }
}

impl Recording {
    fn parse(text: &str) -> Option<Recording> {
        if text.is_empty() {
            return None;
        }
        let (id, kind) = match text.rsplit_once(':') {
            Some((id, kind)) if !text.contains("//") => (id, kind.trim().parse().ok()),
            _ => (text, None),
        };
        Some(Recording {
            text: text.to_owned(),
            id: id.to_owned(),
            kind,
        })
    }
}

/// What goes into an offer that a platform writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferFields {
    /// The user name in `o=`.
    pub origin: String,
    /// `s=`.
    pub session: Session,
    /// Where the platform takes media.
    pub address: IpAddr,
    /// At which port.
    pub port: u16,
    /// What the platform does: send and take datagrams, connect, or listen.
    pub transport: Transport,
    /// The payload types, in order of preference.
    pub payloads: Vec<Payload>,
    /// `y=`.
    pub ssrc: Option<Ssrc>,
    /// `u=`.
    pub recording: Option<String>,
    /// `t=`; `None` is `0 0`.
    pub range: Option<TimeRange>,
    /// `a=downloadspeed`.
    pub download_speed: Option<u8>,
    /// `a=streamnumber`, if not the main stream, 0 (GB/T 28181-2022 annex G).
    pub stream: u8,
    /// `f=`.
    pub format: Option<Format>,
}

impl OfferFields {
    /// An offer to take a live stream: PS, H.264 or MPEG-4 like the standard's example.
    pub fn play(
        origin: impl Into<String>,
        address: IpAddr,
        port: u16,
        transport: Transport,
        ssrc: Ssrc,
    ) -> OfferFields {
        let payload = |number, encoding: &str| Payload {
            number,
            encoding: Some(encoding.to_owned()),
            clock: Some(90_000),
        };
        OfferFields {
            origin: origin.into(),
            session: Session::Play,
            address,
            port,
            transport,
            payloads: vec![payload(96, "PS"), payload(98, "H264"), payload(97, "MPEG4")],
            ssrc: Some(ssrc),
            recording: None,
            range: None,
            download_speed: None,
            stream: 0,
            format: None,
        }
    }

    /// The body of the INVITE.
    pub fn write(&self) -> Bytes {
        let address = media::address(self.address);
        let mut lines = vec![
            "v=0".to_owned(),
            format!("o={} 0 0 IN {address}", self.origin),
            format!("s={}", self.session),
        ];
        lines.extend(self.recording.as_ref().map(|text| format!("u={text}")));
        lines.push(format!("c=IN {address}"));
        lines.push(match self.range {
            Some(TimeRange { start, stop }) => format!("t={start} {stop}"),
            None => "t=0 0".to_owned(),
        });
        lines.push(self.media_line());
        lines.push("a=recvonly".to_owned());
        if let Some(setup) = self.transport.setup() {
            lines.push(format!("a=setup:{setup}"));
            lines.push("a=connection:new".to_owned());
        }
        lines.extend(self.payloads.iter().filter_map(rtpmap_line));
        lines.extend(
            self.download_speed
                .map(|speed| format!("a=downloadspeed:{speed}")),
        );
        if self.stream > 0 {
            lines.push(format!("a=streamnumber:{}", self.stream));
        }
        lines.extend(self.ssrc.as_ref().map(|ssrc| format!("y={ssrc}")));
        lines.extend(self.format.as_ref().map(|format| format!("f={format}")));
        lines.into_iter().collect::<Sdp>().write()
    }

    fn media_line(&self) -> String {
        let numbers = self
            .payloads
            .iter()
            .map(|payload| payload.number.to_string());
        let numbers = numbers.collect::<Vec<_>>().join(" ");
        let proto = self.transport.proto().as_str();
        format!("m=video {} {proto} {numbers}", self.port)
    }
}

fn rtpmap_line(payload: &Payload) -> Option<String> {
    let encoding = payload.encoding.as_deref()?;
    let clock = payload.clock.unwrap_or(90_000);
    Some(format!("a=rtpmap:{} {encoding}/{clock}", payload.number))
}
