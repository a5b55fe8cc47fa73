//! The SDP of two Dahua devices, and an offer of a GoSIP platform.

use std::net::IpAddr;

use super::{assert_octets, assert_text};
use crate::gb28181::sdp::{Answer, AnswerFacts, OfferFields, SdpStyle, Session, Transport};
use crate::gb28181::ssrc::Ssrc;

const DAHUA: &str = r#"
    play = [
        "v=0",
        "o={channel-id} 0 0 IN {address}",
        "s={session}",
        "i=VCam Live Video",
        "c=IN {address}",
        "t={time}",
        "m=video {port} {proto} {payload}",
        "a=sendonly",
        "a=rtpmap:{payload} PS/90000",
        "a=streamprofile:{stream}",
        "a=setup:{setup}",
        "a=connection:{connection}",
        "y={ssrc}",
        "f=v/0/0/0/0/0a/0/0/0",
    ]
"#;

fn dahua() -> SdpStyle {
    toml::from_str(DAHUA).unwrap()
}

fn facts(channel: &str, address: &str, port: u16, transport: Transport, y: &str) -> AnswerFacts {
    AnswerFacts {
        channel_id: channel.into(),
        device_id: "34020000001320000001".into(),
        address: address.parse().unwrap(),
        port,
        transport,
        session: Session::Play,
        time: "0 0".into(),
        direction: Default::default(),
        payload: 96,
        stream: 0,
        ssrc: Ssrc::parse(y).unwrap(),
        session_number: "0".to_owned(),
        offered_setup: None,
        file_size: None,
        range: None,
        password: String::new(),
    }
}

#[test]
fn a_dahua_answers_a_tcp_offer() {
    let facts = facts(
        "34020000001318000001",
        "10.110.18.75",
        9730,
        Transport::TcpActive,
        "0200000001",
    );
    let body = dahua().answer(&facts);
    assert_octets(
        &body,
        "v=0\r\n\
         o=34020000001318000001 0 0 IN IP4 10.110.18.75\r\n\
         s=Play\r\n\
         i=VCam Live Video\r\n\
         c=IN IP4 10.110.18.75\r\n\
         t=0 0\r\n\
         m=video 9730 TCP/RTP/AVP 96\r\n\
         a=sendonly\r\n\
         a=rtpmap:96 PS/90000\r\n\
         a=streamprofile:0\r\n\
         a=setup:active\r\n\
         a=connection:new\r\n\
         y=0200000001\r\n\
         f=v/0/0/0/0/0a/0/0/0\r\n",
        262,
    );
    let answer = Answer::parse(&body).unwrap();
    assert_eq!(
        answer.device_transport(Transport::TcpPassive),
        Transport::TcpActive
    );
    assert_eq!((answer.port, answer.ssrc), (9730, Some(facts.ssrc)));
}

#[test]
fn a_dahua_answers_a_udp_offer() {
    let facts = facts(
        "34020000001310000001",
        "192.168.6.71",
        9712,
        Transport::Udp,
        "0000001002",
    );
    let body = dahua().answer(&facts);
    assert_octets(
        &body,
        "v=0\r\n\
         o=34020000001310000001 0 0 IN IP4 192.168.6.71\r\n\
         s=Play\r\n\
         i=VCam Live Video\r\n\
         c=IN IP4 192.168.6.71\r\n\
         t=0 0\r\n\
         m=video 9712 RTP/AVP 96\r\n\
         a=sendonly\r\n\
         a=rtpmap:96 PS/90000\r\n\
         a=streamprofile:0\r\n\
         y=0000001002\r\n\
         f=v/0/0/0/0/0a/0/0/0\r\n",
        224,
    );
}

#[test]
fn the_plain_standard_has_neither_i_nor_streamprofile_nor_f() {
    let mut facts = facts(
        "34020000001310000001",
        "::1",
        9712,
        Transport::TcpPassive,
        "0000001002",
    );
    facts.ssrc = Ssrc::parse("123456789012345678901234567890").unwrap();
    assert_text(
        &SdpStyle::default().answer(&facts),
        "v=0\r\n\
         o=34020000001310000001 0 0 IN IP6 ::1\r\n\
         s=Play\r\n\
         c=IN IP6 ::1\r\n\
         t=0 0\r\n\
         m=video 9712 TCP/RTP/AVP 96\r\n\
         a=sendonly\r\n\
         a=rtpmap:96 PS/90000\r\n\
         a=setup:passive\r\n\
         a=connection:new\r\n\
         y=123456789012345678901234567890\r\n",
    );
}

#[test]
fn a_platform_offers_to_listen() {
    let offer = OfferFields::play(
        "34020000002000000001",
        IpAddr::from([10, 110, 18, 250]),
        10000,
        Transport::TcpPassive,
        Ssrc::parse("0200000001").unwrap(),
    );
    assert_octets(
        &offer.write(),
        "v=0\r\n\
         o=34020000002000000001 0 0 IN IP4 10.110.18.250\r\n\
         s=Play\r\n\
         c=IN IP4 10.110.18.250\r\n\
         t=0 0\r\n\
         m=video 10000 TCP/RTP/AVP 96 98 97\r\n\
         a=recvonly\r\n\
         a=setup:passive\r\n\
         a=connection:new\r\n\
         a=rtpmap:96 PS/90000\r\n\
         a=rtpmap:98 H264/90000\r\n\
         a=rtpmap:97 MPEG4/90000\r\n\
         y=0200000001\r\n",
        261,
    );
}

#[test]
fn an_answer_cannot_break_out_of_its_line() {
    let mut facts = facts(
        "34020000001310000001",
        "192.0.2.1",
        9712,
        Transport::Udp,
        "1",
    );
    facts.time = "0 0\r\nm=audio 1 RTP/AVP 8".into();
    facts.channel_id = "x\ny".into();
    let answer = Answer::parse(&dahua().answer(&facts)).unwrap();
    assert_eq!(answer.port, 9712);
    assert!(!String::from_utf8_lossy(&dahua().answer(&facts)).contains("\nm=audio"));
}
