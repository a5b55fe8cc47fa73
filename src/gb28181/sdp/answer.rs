//! What a device answers to an INVITE.

use std::borrow::Cow;
use std::net::IpAddr;

use bytes::Bytes;
use serde::Deserialize;

use super::lines::Sdp;
use super::media::{self, Kind, Media, Payload, Proto, SdpError, Session, Setup, Transport};
use super::offer::TimeRange;
use super::talk::{self, Direction};
use super::voice::{self, VoiceFacts};
use crate::gb28181::ssrc::Ssrc;
use crate::gb28181::template::{Facts, LineTemplate};

/// How a make writes its SDP. The default is the plain text of GB/T 28181-2016.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SdpStyle {
    /// The `Content-Type` of the answer.
    pub content_type: String,
    /// The answer to `s=Play`; see [`AnswerFacts`] for the placeholders.
    pub play: LineTemplate<AnswerFacts>,
    /// The answer to `s=Playback` and `s=Download`.
    pub recorded: LineTemplate<AnswerFacts>,
    /// The answer to `s=Talk`.
    pub talk: LineTemplate<AnswerFacts>,
    /// The offer with which a device calls for the voice of a platform.
    pub voice: LineTemplate<VoiceFacts>,
}

const STANDARD: &[&str] = &[
    "v=0",
    "o={channel-id} 0 0 IN {address}",
    "s={session}",
    "c=IN {address}",
    "t={time}",
    "m=video {port} {proto} {payload}",
    "a=sendonly",
    "a=rtpmap:{payload} PS/90000",
    "a=setup:{setup}",
    "a=connection:{connection}",
    "y={ssrc}",
];

const RECORDED: &[&str] = &[
    "v=0",
    "o={channel-id} 0 0 IN {address}",
    "s={session}",
    "c=IN {address}",
    "t={time}",
    "m=video {port} {proto} {payload}",
    "a=sendonly",
    "a=rtpmap:{payload} PS/90000",
    "a=filesize:{file-size}",
    "a=setup:{setup}",
    "a=connection:{connection}",
    "y={ssrc}",
];

impl Default for SdpStyle {
    fn default() -> Self {
        SdpStyle {
            content_type: "application/sdp".to_owned(),
            play: LineTemplate::parse(STANDARD).unwrap_or_default(),
            recorded: LineTemplate::parse(RECORDED).unwrap_or_default(),
            talk: LineTemplate::parse(talk::STANDARD).unwrap_or_default(),
            voice: LineTemplate::parse(voice::STANDARD).unwrap_or_default(),
        }
    }
}

/// What goes into an answer.
///
/// Placeholders: `{channel-id}`, `{device-id}`, `{address}` (`IP4 192.0.2.1`), `{port}`,
/// `{session}`, `{session-number}`, `{time}`, `{proto}` (`RTP/AVP` or `TCP/RTP/AVP`), `{payload}`,
/// `{stream}`, `{ssrc}`; on TCP only `{setup}` (`active` or `passive`) and `{connection}` (`new`);
/// and `{mirrored-setup}`, on UDP too if the offer has a setup line, as Hikvision answers. Of a
/// recording: `{file-size}` in octets and `{time-local}`, the offer's times taken for local ones.
/// Of a talk: `{direction}` (`sendrecv`, `sendonly` or `recvonly`), as the device sees it.
/// `{password}` is the one the device registers with, which some makes tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerFacts {
    /// The channel that was called.
    pub channel_id: String,
    /// The device it belongs to.
    pub device_id: String,
    /// From where media comes.
    pub address: IpAddr,
    /// From which port; for a device that connects, the one its make names.
    pub port: u16,
    /// What the device does.
    pub transport: Transport,
    /// The offer's session.
    pub session: Session,
    /// The offer's `t=`.
    pub time: String,
    /// Which way media flows, as the device sees it.
    pub direction: Direction,
    /// The payload type of PS; of a talk, of G.711 A-law.
    pub payload: u8,
    /// Which stream is sent: 0 main.
    pub stream: u8,
    /// The SSRC of the stream: the offer's, or one of our own.
    pub ssrc: Ssrc,
    /// A number by chance for `o=`.
    pub session_number: String,
    /// The offer's `a=setup`, whatever its transport.
    pub offered_setup: Option<Setup>,
    /// How much there is of a recording, in octets of program stream.
    pub file_size: Option<u64>,
    /// The times of the offer's `t=`.
    pub range: Option<TimeRange>,
    /// The password that the device registers with.
    pub password: String,
}

/// Seconds that Beijing is ahead of UTC.
const BEIJING: u64 = 8 * 3600;

impl Facts for AnswerFacts {
    const NAMES: &'static [&'static str] = &[
        "channel-id",
        "device-id",
        "address",
        "port",
        "session",
        "time",
        "proto",
        "direction",
        "payload",
        "stream",
        "ssrc",
        "setup",
        "connection",
        "session-number",
        "mirrored-setup",
        "file-size",
        "time-local",
        "password",
    ];

    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "channel-id" => Some(self.channel_id.as_str().into()),
            "device-id" => Some(self.device_id.as_str().into()),
            "address" => Some(media::address(self.address).into()),
            "port" => Some(self.port.to_string().into()),
            "session" => Some(self.session.as_str().into()),
            "time" => Some(self.time.as_str().into()),
            "proto" => Some(self.transport.proto().as_str().into()),
            "direction" => Some(self.direction.as_str().into()),
            "payload" => Some(self.payload.to_string().into()),
            "stream" => Some(self.stream.to_string().into()),
            "ssrc" => Some(self.ssrc.as_str().into()),
            "setup" => self.transport.setup().map(Cow::from),
            "session-number" => Some(self.session_number.as_str().into()),
            "mirrored-setup" => {
                let mirrored = self.offered_setup.map(Setup::answered);
                self.transport.setup().or(mirrored).map(Cow::from)
            }
            "file-size" => self.file_size.map(|octets| octets.to_string().into()),
            "time-local" => self.range.map(|TimeRange { start, stop }| {
                format!("{} {}", start + BEIJING, stop + BEIJING).into()
            }),
            "password" => Some(self.password.as_str().into()),
            "connection" => self.transport.setup().map(|_| "new".into()),
            _ => None,
        }
    }
}

impl SdpStyle {
    /// The body of the 200 to an INVITE.
    pub fn answer(&self, facts: &AnswerFacts) -> Bytes {
        let template = match facts.session {
            Session::Playback | Session::Download => &self.recorded,
            Session::Talk => &self.talk,
            _ => &self.play,
        };
        template.fill(facts).into_iter().collect::<Sdp>().write()
    }
}

/// An answer as a platform reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// `s=`.
    pub session: Session,
    /// The kind of media in `m=`.
    pub kind: Kind,
    /// From where the device says that media comes.
    pub connection: IpAddr,
    /// From which port.
    pub port: u16,
    /// The protocol in `m=`.
    pub proto: Proto,
    /// `a=setup`, as the device wrote it.
    pub setup: Option<Setup>,
    /// The payload types it sends.
    pub payloads: Vec<Payload>,
    /// `y=`.
    pub ssrc: Option<Ssrc>,
    /// `a=filesize`, in octets.
    pub file_size: Option<u64>,
}

impl Answer {
    /// Reads the body of a 200 to an INVITE.
    pub fn parse(body: &[u8]) -> Result<Answer, SdpError> {
        let sdp = Sdp::parse(body);
        let media = Media::find(&sdp)?;
        let size = media.attribute("filesize");
        Ok(Answer {
            session: Session::parse(sdp.value(b's').unwrap_or_default()),
            ssrc: media::ssrc(&sdp),
            file_size: size.and_then(|size| size.parse().ok()),
            kind: media.kind,
            connection: media.connection,
            port: media.port,
            proto: media.proto,
            setup: media.setup,
            payloads: media.payloads,
        })
    }

    /// What the device does, given what the platform `offered` to do: without a setup line it
    /// plays the other part.
    pub fn device_transport(&self, offered: Transport) -> Transport {
        match (self.proto, self.setup) {
            (Proto::Udp, _) => Transport::Udp,
            (Proto::Tcp, Some(Setup::Active)) => Transport::TcpActive,
            (Proto::Tcp, Some(Setup::Passive)) => Transport::TcpPassive,
            (Proto::Tcp, _) => offered.other_side(),
        }
    }
}
