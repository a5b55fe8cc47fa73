//! What is offered in an INVITE, and whether the answer fits (GB/T 28181-2022 annexes D and G).

use std::net::SocketAddr;

use bytes::Bytes;

use crate::gb28181::sdp::{Answer, OfferFields, Sdp, Session, Transport};
use crate::gb28181::{DeviceId, Ssrc};
use crate::media::MediaTransport;
use crate::sip::Response;

use super::complaint::Deviation;
use super::event::Showing;
use super::talk;

/// The payload type of PS.
const PS: u8 = 96;
/// The port that one names who connects himself (RFC 4145 §4.1).
pub(super) const DISCARD: u16 = 9;
/// The type of an SDP body.
pub(super) const SDP: &str = "application/sdp";

/// What an answer agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// Where media comes from, or where the device listens.
    pub media: SocketAddr,
    /// The SSRC that media will have.
    pub ssrc: u32,
}

/// What we do where the camera does `camera`.
pub(super) fn our_part(camera: MediaTransport) -> MediaTransport {
    match camera {
        MediaTransport::Udp => MediaTransport::Udp,
        MediaTransport::TcpActive => MediaTransport::TcpPassive,
        MediaTransport::TcpPassive => MediaTransport::TcpActive,
    }
}

fn in_sdp(transport: MediaTransport) -> Transport {
    match transport {
        MediaTransport::Udp => Transport::Udp,
        MediaTransport::TcpActive => Transport::TcpActive,
        MediaTransport::TcpPassive => Transport::TcpPassive,
    }
}

/// What a call asks for.
pub(super) struct Wanted<'c> {
    pub channel: &'c DeviceId,
    /// What the camera does.
    pub transport: MediaTransport,
    /// 0 main, 1 sub.
    pub stream: u8,
    pub showing: Showing,
    pub ssrc: &'c Ssrc,
    /// Whether we speak, in a talk.
    pub speaks: bool,
}

/// The body of an INVITE: we take media at `local`.
pub(super) fn offer(platform: &DeviceId, local: SocketAddr, wanted: &Wanted<'_>) -> Bytes {
    let port = match local.port() {
        0 => DISCARD,
        port => port,
    };
    let ours = in_sdp(our_part(wanted.transport));
    let ssrc = wanted.ssrc.clone();
    if wanted.showing == Showing::Talk {
        let local = SocketAddr::new(local.ip(), port);
        return talk::offer(platform, local, ours, &ssrc, wanted.speaks);
    }
    let live = OfferFields {
        stream: wanted.stream,
        ..OfferFields::play(platform.to_string(), local.ip(), port, ours, ssrc)
    };
    // `:0`: of whatever kind.
    let recorded = |session, times| OfferFields {
        session,
        recording: Some(format!("{}:0", wanted.channel)),
        range: Some(times),
        ..live.clone()
    };
    let offer = match wanted.showing {
        Showing::Live | Showing::Talk => live,
        Showing::Playback(times) => recorded(Session::Playback, times),
        Showing::Download { times, speed } => OfferFields {
            download_speed: Some(speed),
            ..recorded(Session::Download, times)
        },
    };
    offer.write()
}

/// Reads the answer in a 2xx. What it does not do as it should is noticed; `None`: it cannot be
/// used at all.
pub(super) fn read(
    response: &Response,
    (camera, showing): (MediaTransport, Showing),
    ssrc: &Ssrc,
    noticed: &mut Vec<(Deviation, String)>,
) -> Result<Terms, String> {
    if !response.headers.is_content_type(SDP) {
        let other = response.headers.content_type().unwrap_or("none");
        noticed.push((Deviation::ContentType, other.to_owned()));
    }
    let answer = Answer::parse(&response.body).map_err(|error| {
        noticed.push((Deviation::Sdp, error.to_string()));
        error.to_string()
    })?;
    if showing == Showing::Talk {
        talk::check(&answer, &response.body, noticed);
    } else {
        check_payload(&answer, noticed);
        check_direction(&response.body, noticed);
    }
    check_transport(&answer, camera, noticed)?;
    Ok(Terms {
        media: SocketAddr::new(answer.connection, answer.port),
        ssrc: agreed_ssrc(&answer, ssrc, noticed),
    })
}

fn check_payload(answer: &Answer, noticed: &mut Vec<(Deviation, String)>) {
    let is_ps = |encoding: &str| encoding.eq_ignore_ascii_case("PS");
    let ps = answer.payloads.iter().find(|payload| payload.number == PS);
    if !ps.is_some_and(|ps| ps.encoding.as_deref().is_some_and(is_ps)) {
        let numbers: Vec<_> = answer.payloads.iter().map(|p| p.number).collect();
        noticed.push((Deviation::SdpPayload, format!("payload types {numbers:?}")));
    }
}

fn check_direction(body: &[u8], noticed: &mut Vec<(Deviation, String)>) {
    let sdp = Sdp::parse(body);
    let directions = ["sendonly", "recvonly", "sendrecv", "inactive"];
    let attributes = sdp.lines.iter().filter(|(key, _)| *key == b'a');
    let mut directions = attributes.filter_map(|(_, text)| {
        let text = text.trim();
        directions.contains(&text).then_some(text)
    });
    match directions.next() {
        Some("sendonly") => {}
        other => {
            let other = other.unwrap_or("no direction");
            noticed.push((Deviation::SdpDirection, other.to_owned()));
        }
    }
}

/// UDP must stay UDP and TCP TCP, and only one side connects. Where the roles cannot work
/// together the answer is of no use.
fn check_transport(
    answer: &Answer,
    camera: MediaTransport,
    noticed: &mut Vec<(Deviation, String)>,
) -> Result<(), String> {
    let (offered, expected) = (in_sdp(our_part(camera)), in_sdp(camera));
    if answer.proto != expected.proto() {
        let detail = format!(
            "{} for {}",
            answer.proto.as_str(),
            expected.proto().as_str()
        );
        noticed.push((Deviation::SdpTransport, detail.clone()));
        return Err(detail);
    }
    if expected.setup().is_some() && answer.setup.is_none() {
        noticed.push((Deviation::SdpTransport, "no a=setup".to_owned()));
    }
    if answer.device_transport(offered) != expected {
        let detail = format!("a=setup is not {}", expected.setup().unwrap_or_default());
        noticed.push((Deviation::SdpTransport, detail.clone()));
        return Err(detail);
    }
    Ok(())
}

/// The SSRC of the answer, which must be the offer's. Platforms go by the answer's, so do we.
fn agreed_ssrc(answer: &Answer, offered: &Ssrc, noticed: &mut Vec<(Deviation, String)>) -> u32 {
    match &answer.ssrc {
        None => {
            noticed.push((Deviation::SsrcMissing, String::new()));
            offered.value()
        }
        Some(other) => {
            if other != offered {
                let detail = format!("{other} instead of {offered}");
                noticed.push((Deviation::SsrcDiffers, detail));
            }
            other.value()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UDP: &str = "v=0\r\no=34020000001310000001 0 0 IN IP4 192.168.6.71\r\ns=Play\r\n\
        i=VCam Live Video\r\nc=IN IP4 192.168.6.71\r\nt=0 0\r\nm=video 9712 RTP/AVP 96\r\n\
        a=sendonly\r\na=rtpmap:96 PS/90000\r\na=streamprofile:0\r\ny=0000001002\r\n\
        f=v/0/0/0/0/0a/0/0/0\r\n";

    fn judge(body: &str, camera: MediaTransport) -> (Result<Terms, String>, Vec<Deviation>) {
        let response = Response::new(200, "OK").with_body("application/SDP", body.to_owned());
        let ssrc = Ssrc::parse("0000001002").unwrap();
        let mut noticed = Vec::new();
        let terms = read(&response, (camera, Showing::Live), &ssrc, &mut noticed);
        (terms, noticed.into_iter().map(|(what, _)| what).collect())
    }

    #[test]
    fn the_answer_of_a_real_dahua_is_without_fault() {
        let (terms, noticed) = judge(UDP, MediaTransport::Udp);
        let media = "192.168.6.71:9712".parse().unwrap();
        assert_eq!(terms, Ok(Terms { media, ssrc: 1002 }));
        assert_eq!(noticed, []);
    }

    #[test]
    fn each_line_that_does_not_fit_the_offer_is_noticed() {
        use Deviation::{SdpDirection, SdpPayload, SsrcDiffers, SsrcMissing};
        for (from, to, what) in [
            ("a=sendonly", "a=recvonly", SdpDirection),
            ("a=sendonly\r\n", "", SdpDirection),
            ("PS/90000", "H264/90000", SdpPayload),
            ("AVP 96", "AVP 98", SdpPayload),
            ("y=0000001002\r\n", "", SsrcMissing),
            ("y=0000001002", "y=0000001003", SsrcDiffers),
        ] {
            let (terms, noticed) = judge(&UDP.replace(from, to), MediaTransport::Udp);
            assert_eq!(noticed, [what], "{to}");
            let ssrc = if what == SsrcDiffers { 1003 } else { 1002 };
            assert_eq!(terms.map(|terms| terms.ssrc), Ok(ssrc));
        }
        let (terms, noticed) = judge("hello", MediaTransport::Udp);
        assert!(terms.is_err());
        assert_eq!(noticed, [Deviation::Sdp]);
    }

    #[test]
    fn who_connects_must_have_been_agreed() {
        let tcp = |setup: &str| {
            UDP.replace("RTP/AVP", "TCP/RTP/AVP")
                .replace("y=", &format!("{setup}y="))
        };
        use MediaTransport::{TcpActive, TcpPassive, Udp};
        let wrong = vec![Deviation::SdpTransport];
        for (body, camera, usable, noticed) in [
            (tcp("a=setup:active\r\n"), TcpActive, true, vec![]),
            (tcp("a=setup:passive\r\n"), TcpPassive, true, vec![]),
            (tcp(""), TcpPassive, true, wrong.clone()),
            (tcp("a=setup:active\r\n"), TcpPassive, false, wrong.clone()),
            (tcp("a=setup:passive\r\n"), TcpActive, false, wrong.clone()),
            (tcp("a=setup:active\r\n"), Udp, false, wrong.clone()),
            (UDP.to_owned(), TcpActive, false, wrong),
        ] {
            let (terms, found) = judge(&body, camera);
            assert_eq!((terms.is_ok(), found), (usable, noticed), "{camera}");
        }
    }

    #[test]
    fn an_offer_names_who_connects_and_a_port_even_if_nobody_listens_there() {
        let platform = "34020000002000000001".parse().unwrap();
        let ssrc = Ssrc::parse("0200000001").unwrap();
        let write = |camera, local: &str| {
            let local = local.parse().unwrap();
            let body = offer(
                &platform,
                local,
                &Wanted {
                    channel: &platform,
                    transport: camera,
                    stream: 0,
                    showing: Showing::Live,
                    ssrc: &ssrc,
                    speaks: false,
                },
            );
            String::from_utf8(body.to_vec()).unwrap()
        };
        let udp = write(MediaTransport::Udp, "192.0.2.9:10000");
        assert!(
            udp.contains("m=video 10000 RTP/AVP 96 ") && !udp.contains("a=setup"),
            "{udp}"
        );
        assert!(
            udp.contains("y=0200000001\r\n") && udp.contains("a=recvonly\r\n"),
            "{udp}"
        );
        let listens = write(MediaTransport::TcpActive, "192.0.2.9:10000");
        assert!(
            listens.contains("m=video 10000 TCP/RTP/AVP 96 "),
            "{listens}"
        );
        assert!(listens.contains("a=setup:passive\r\n"), "{listens}");
        let connects = write(MediaTransport::TcpPassive, "192.0.2.9:0");
        assert!(connects.contains("m=video 9 TCP/RTP/AVP 96 "), "{connects}");
        assert!(connects.contains("a=setup:active\r\n"), "{connects}");
    }
}
