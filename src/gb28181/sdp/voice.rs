//! Voice of a platform: what a device offers that calls for it, and what the platform answers
//! (GB/T 28181-2022 9.12, annexes D and G).

use std::borrow::Cow;
use std::net::IpAddr;

use bytes::Bytes;

use super::answer::{Answer, SdpStyle};
use super::lines::Sdp;
use super::media::{self, Payload, Transport};
use super::offer::Offer;
use crate::gb28181::ssrc::Ssrc;
use crate::gb28181::template::Facts;

/// The payload type of G.711 A-law (RFC 3551).
pub const PCMA: u8 = 8;

/// The standard's form of the offer: G.711 A-law alone, or in a program stream.
pub(super) const STANDARD: &[&str] = &[
    "v=0",
    "o={device-id} 0 0 IN {address}",
    "s=Play",
    "c=IN {address}",
    "t=0 0",
    "m=audio {port} {proto} 8 96",
    "a=recvonly",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:96 PS/90000",
    "a=setup:{setup}",
    "a=connection:{connection}",
    "y={ssrc}",
    "f=v/////a/1/8/1",
];

/// What the offer of a device that wants to hear a platform is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceFacts {
    /// The code of the device.
    pub device_id: String,
    /// Where it listens.
    pub address: IpAddr,
    /// At which port.
    pub port: u16,
    /// What the device does.
    pub transport: Transport,
    /// The SSRC that it wishes.
    pub ssrc: Ssrc,
}

impl Facts for VoiceFacts {
    const NAMES: &'static [&'static str] = &[
        "device-id",
        "address",
        "port",
        "proto",
        "ssrc",
        "setup",
        "connection",
    ];

    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "device-id" => Some(self.device_id.as_str().into()),
            "address" => Some(media::address(self.address).into()),
            "port" => Some(self.port.to_string().into()),
            "proto" => Some(self.transport.proto().as_str().into()),
            "ssrc" => Some(self.ssrc.as_str().into()),
            "setup" => self.transport.setup().map(Cow::from),
            "connection" => self.transport.setup().map(|_| "new".into()),
            _ => None,
        }
    }
}

impl SdpStyle {
    /// The body of the INVITE with which a device calls for the voice of a platform.
    pub fn voice_offer(&self, facts: &VoiceFacts) -> Bytes {
        self.voice.fill(facts).into_iter().collect::<Sdp>().write()
    }
}

/// What a platform answers a device that wants to hear it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VoiceAnswer {
    /// The code of the platform.
    pub platform_id: String,
    /// From where it speaks.
    pub address: IpAddr,
    /// From which port.
    pub port: u16,
    /// What the platform does.
    pub transport: Transport,
    /// The SSRC of its voice.
    pub ssrc: Ssrc,
}

impl VoiceAnswer {
    /// The body of the 200: G.711 A-law alone.
    pub fn write(&self) -> Bytes {
        let address = media::address(self.address);
        let proto = self.transport.proto().as_str();
        let mut lines = vec![
            "v=0".to_owned(),
            format!("o={} 0 0 IN {address}", self.platform_id),
            "s=Play".to_owned(),
            format!("c=IN {address}"),
            "t=0 0".to_owned(),
            format!("m=audio {} {proto} {PCMA}", self.port),
            "a=sendonly".to_owned(),
            format!("a=rtpmap:{PCMA} PCMA/8000"),
        ];
        if let Some(setup) = self.transport.setup() {
            lines.push(format!("a=setup:{setup}"));
            lines.push("a=connection:new".to_owned());
        }
        lines.push(format!("y={}", self.ssrc));
        lines.push("f=v/////a/1/8/1".to_owned());
        lines.into_iter().collect::<Sdp>().write()
    }
}

impl Offer {
    /// Whether G.711 A-law may be sent to whoever offers this.
    pub fn takes_pcma(&self) -> bool {
        self.payloads.iter().any(is_pcma)
    }
}

impl Answer {
    /// The payload type of a voice that a device understands: the first of G.711 A-law alone and
    /// program stream. With the latter nobody says what is inside.
    pub fn voice_payload(&self) -> Option<u8> {
        let understood = |payload: &&Payload| is_pcma(payload) || is_ps(payload);
        self.payloads.iter().find(understood).map(|p| p.number)
    }
}

fn is_pcma(payload: &Payload) -> bool {
    payload.number == PCMA && is_named(payload, "PCMA", true)
}

fn is_ps(payload: &Payload) -> bool {
    is_named(payload, "PS", payload.number == 96)
}

fn is_named(payload: &Payload, encoding: &str, unnamed: bool) -> bool {
    let named = payload.encoding.as_deref();
    named.map_or(unnamed, |name| name.eq_ignore_ascii_case(encoding))
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Session};
    use super::*;
    use crate::gb28181::template::LineTemplate;

    fn facts(transport: Transport) -> VoiceFacts {
        VoiceFacts {
            device_id: "34020000001320000001".to_owned(),
            address: IpAddr::from([192, 0, 2, 1]),
            port: 9776,
            transport,
            ssrc: Ssrc::parse("0200000333").unwrap(),
        }
    }

    fn answer(transport: Transport) -> VoiceAnswer {
        VoiceAnswer {
            platform_id: "34020000002000000001".to_owned(),
            address: IpAddr::from([192, 0, 2, 9]),
            port: 10_000,
            transport,
            ssrc: Ssrc::parse("0200000333").unwrap(),
        }
    }

    #[test]
    fn the_standard_offer_has_no_mistakes_and_is_an_offer() {
        assert!(LineTemplate::<VoiceFacts>::parse(STANDARD).is_ok());
        let body = SdpStyle::default().voice_offer(&facts(Transport::Udp));
        assert_eq!(
            std::str::from_utf8(&body).unwrap(),
            "v=0\r\no=34020000001320000001 0 0 IN IP4 192.0.2.1\r\ns=Play\r\n\
             c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 9776 RTP/AVP 8 96\r\na=recvonly\r\n\
             a=rtpmap:8 PCMA/8000\r\na=rtpmap:96 PS/90000\r\ny=0200000333\r\n\
             f=v/////a/1/8/1\r\n"
        );
        let offer = Offer::parse(&body).unwrap();
        assert_eq!(offer.kind, Kind::Audio);
        assert_eq!(offer.session.clone(), Session::Play);
        assert!(offer.takes_pcma());
    }

    #[test]
    fn over_tcp_both_say_who_connects() {
        let body = SdpStyle::default().voice_offer(&facts(Transport::TcpActive));
        let text = std::str::from_utf8(&body).unwrap();
        assert!(text.contains("m=audio 9776 TCP/RTP/AVP 8 96\r\n"));
        assert!(text.contains("a=setup:active\r\na=connection:new\r\n"));
        let body = answer(Transport::TcpPassive).write();
        let text = std::str::from_utf8(&body).unwrap();
        assert!(text.contains("m=audio 10000 TCP/RTP/AVP 8\r\n"));
        assert!(text.contains("a=setup:passive\r\na=connection:new\r\n"));
    }

    #[test]
    fn an_answer_is_read_and_says_what_will_come() {
        let read = Answer::parse(&answer(Transport::Udp).write()).unwrap();
        assert_eq!((read.port, read.voice_payload()), (10_000, Some(8)));
        let of = |media: &str| {
            let body = format!("v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 1 RTP/AVP {media}\r\n");
            Answer::parse(body.as_bytes()).unwrap().voice_payload()
        };
        assert_eq!(of("8"), Some(8));
        assert_eq!(of("96\r\na=rtpmap:96 PS/90000"), Some(96));
        assert_eq!(of("98 8"), Some(8));
        assert_eq!(of("0\r\na=rtpmap:0 PCMU/8000"), None);
    }
}
