//! Talk: both sides speak in a call that the platform makes with `s=Talk` (GB/T 28181-2016;
//! gone from the 2022 edition, where a talk is a live call and a Broadcast: 9.12.2).

use std::fmt;
use std::net::IpAddr;

use bytes::Bytes;

use super::lines::Sdp;
use super::media::{self, Transport};
use super::voice::PCMA;
use crate::gb28181::ssrc::Ssrc;

/// The standard's form of the answer: G.711 A-law.
pub(super) const STANDARD: &[&str] = &[
    "v=0",
    "o={channel-id} 0 0 IN {address}",
    "s={session}",
    "c=IN {address}",
    "t={time}",
    "m=audio {port} {proto} {payload}",
    "a={direction}",
    "a=rtpmap:{payload} PCMA/8000",
    "a=setup:{setup}",
    "a=connection:{connection}",
    "y={ssrc}",
    "f=v/////a/1/8/1",
];

/// Which way media flows, as the one who writes it sees it (RFC 3264 §5.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways; also what nothing said means.
    #[default]
    SendRecv,
    /// From the writer.
    SendOnly,
    /// To the writer.
    RecvOnly,
    /// Not at all.
    Inactive,
}

impl Direction {
    const ALL: [Direction; 4] = [
        Direction::SendRecv,
        Direction::SendOnly,
        Direction::RecvOnly,
        Direction::Inactive,
    ];

    /// The name of the attribute.
    pub const fn as_str(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    /// The direction that is said first among the attributes of a media.
    pub(super) fn of(media: &media::Media) -> Direction {
        let said = |(name, _): &(String, String)| {
            let mut all = Direction::ALL.into_iter();
            all.find(|direction| direction.as_str().eq_ignore_ascii_case(name))
        };
        media.attributes.iter().find_map(said).unwrap_or_default()
    }

    /// The same as the other side sees it.
    pub const fn answered(self) -> Direction {
        match self {
            Direction::SendOnly => Direction::RecvOnly,
            Direction::RecvOnly => Direction::SendOnly,
            Direction::SendRecv | Direction::Inactive => self,
        }
    }

    /// Whether the writer sends.
    pub const fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the writer receives.
    pub const fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a platform offers that wants to talk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TalkOffer {
    /// The code of the platform.
    pub platform_id: String,
    /// Where it listens, and from where it speaks.
    pub address: IpAddr,
    /// At which port.
    pub port: u16,
    /// What the platform does.
    pub transport: Transport,
    /// Who speaks.
    pub direction: Direction,
    /// The SSRC of both voices.
    pub ssrc: Ssrc,
}

impl TalkOffer {
    /// The body of the INVITE: G.711 A-law alone.
    pub fn write(&self) -> Bytes {
        let address = media::address(self.address);
        let proto = self.transport.proto().as_str();
        let mut lines = vec![
            "v=0".to_owned(),
            format!("o={} 0 0 IN {address}", self.platform_id),
            "s=Talk".to_owned(),
            format!("c=IN {address}"),
            "t=0 0".to_owned(),
            format!("m=audio {} {proto} {PCMA}", self.port),
        ];
        if let Some(setup) = self.transport.setup() {
            lines.push(format!("a=setup:{setup}"));
            lines.push("a=connection:new".to_owned());
        }
        lines.push(format!("a={}", self.direction));
        lines.push(format!("a=rtpmap:{PCMA} PCMA/8000"));
        lines.push(format!("y={}", self.ssrc));
        lines.push("f=v/////a/1/8/1".to_owned());
        lines.into_iter().collect::<Sdp>().write()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Offer, Session};
    use super::*;

    fn talk(transport: Transport) -> TalkOffer {
        TalkOffer {
            platform_id: "34020000002000000001".to_owned(),
            address: IpAddr::from([192, 0, 2, 9]),
            port: 10_000,
            transport,
            direction: Direction::SendRecv,
            ssrc: Ssrc::parse("0200000333").unwrap(),
        }
    }

    #[test]
    fn the_offer_is_the_published_one_and_is_read() {
        let body = talk(Transport::TcpPassive).write();
        assert_eq!(
            std::str::from_utf8(&body).unwrap(),
            "v=0\r\no=34020000002000000001 0 0 IN IP4 192.0.2.9\r\ns=Talk\r\n\
             c=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 10000 TCP/RTP/AVP 8\r\na=setup:passive\r\n\
             a=connection:new\r\na=sendrecv\r\na=rtpmap:8 PCMA/8000\r\ny=0200000333\r\n\
             f=v/////a/1/8/1\r\n"
        );
        let offer = Offer::parse(&body).unwrap();
        assert_eq!(
            (offer.session.clone(), offer.kind),
            (Session::Talk, Kind::Audio)
        );
        assert_eq!(offer.direction, Direction::SendRecv);
        assert!(offer.takes_pcma());
        let datagrams = talk(Transport::Udp).write();
        assert!(!datagrams.windows(5).any(|five| five == b"setup"));
    }

    #[test]
    fn a_direction_is_read_wherever_it_stands_and_in_any_case() {
        let of = |head: &str, own: &str| {
            let body = format!("v=0\r\nc=IN IP4 192.0.2.9\r\n{head}m=audio 1 RTP/AVP 8\r\n{own}");
            Offer::parse(body.as_bytes()).unwrap().direction
        };
        assert_eq!(of("", ""), Direction::SendRecv);
        assert_eq!(of("", "a=RecvOnly\r\n"), Direction::RecvOnly);
        assert_eq!(of("a=sendonly\r\n", ""), Direction::SendOnly);
        assert_eq!(of("a=sendonly\r\n", "a=inactive\r\n"), Direction::Inactive);
    }

    #[test]
    fn who_sends_to_one_is_received_by_the_other() {
        for direction in Direction::ALL {
            let answer = direction.answered();
            assert_eq!(answer.sends(), direction.receives(), "{direction}");
            assert_eq!(answer.receives(), direction.sends(), "{direction}");
        }
    }
}
