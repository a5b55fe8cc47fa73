//! Offers and answers of real platforms and devices, and the bad ones.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::gb28181::ssrc::Ssrc;

fn offer(text: &str) -> Offer {
    Offer::parse(text.as_bytes()).unwrap()
}

fn error(text: &str) -> SdpError {
    Offer::parse(text.as_bytes()).unwrap_err()
}

/// A live offer with `lines` in place of its media section.
fn live(lines: &str) -> String {
    format!("v=0\r\no=1 0 0 IN IP4 192.0.2.1\r\ns=Play\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{lines}")
}

#[test]
fn a_gosip_platform_listens() {
    let offer = offer(
        "v=0\r\no=34020000002000000001 0 0 IN IP4 10.110.18.250\r\ns=Play\r\n\
         c=IN IP4 10.110.18.250\r\nt=0 0\r\nm=video 10000 TCP/RTP/AVP 96 98 97\r\na=recvonly\r\n\
         a=setup:passive\r\na=connection:new\r\na=rtpmap:96 PS/90000\r\n\
         a=rtpmap:98 H264/90000\r\na=rtpmap:97 MPEG4/90000\r\ny=0200000001\r\n",
    );
    assert_eq!(offer.session, Session::Play);
    assert_eq!(offer.origin, "34020000002000000001");
    assert_eq!(
        (offer.connection, offer.port),
        (IpAddr::from([10, 110, 18, 250]), 10000)
    );
    assert_eq!(offer.device_transport(), Transport::TcpActive);
    assert_eq!(
        (offer.ps_payload(), offer.ssrc),
        (Some(96), Ssrc::parse("0200000001"))
    );
    assert_eq!(
        (offer.stream, offer.range, offer.format),
        (None, None, None)
    );
    assert_eq!(offer.payloads.len(), 3);
}

#[test]
fn an_exosip_platform_takes_datagrams_and_sends_an_empty_f() {
    let offer = offer(
        "v=0\r\no=34020000002000000010 0 0 IN IP4 192.168.6.106\r\ns=Play\r\n\
         c=IN IP4 192.168.6.106\r\nt=0 0\r\nm=video 45056 RTP/AVP 96 98 97\r\na=recvonly\r\n\
         a=rtpmap:96 PS/90000\r\na=rtpmap:98 H264/90000\r\na=rtpmap:97 MPEG4/90000\r\n\
         y=0000001002\r\nf=\r\n",
    );
    assert_eq!(offer.device_transport(), Transport::Udp);
    assert_eq!((offer.format, offer.ssrc.unwrap().value()), (None, 1002));
}

#[test]
fn an_exosip_platform_asks_for_a_recording() {
    let offer = offer(
        "v=0\r\no=34020000002000000010 0 0 IN IP4 192.168.6.106\r\ns=Playback\r\n\
         u=34020000001310000001:3\r\nc=IN IP4 192.168.6.106\r\nt=1714804996 1714806986\r\n\
         m=video 45056 RTP/AVP 96 98 97\r\na=recvonly\r\na=rtpmap:96 PS/90000\r\n\
         y=0000002000\r\nf=\r\n",
    );
    assert_eq!(
        (&offer.session, offer.time.as_str()),
        (&Session::Playback, "1714804996 1714806986")
    );
    let range = offer.range.unwrap();
    assert_eq!((range.start, range.stop), (1_714_804_996, 1_714_806_986));
    let recording = offer.recording.unwrap();
    assert_eq!(
        (recording.id.as_str(), recording.kind),
        ("34020000001310000001", Some(3))
    );
}

#[test]
fn wvp_offers_many_payloads_and_a_stream() {
    let offer = offer(&live(
        "m=video 30000 TCP/RTP/AVP 96 97 98 99\r\na=recvonly\r\na=rtpmap:96 PS/90000\r\n\
         a=rtpmap:97 MPEG4/90000\r\na=rtpmap:98 H264/90000\r\na=rtpmap:99 H265/90000\r\n\
         a=setup:active\r\na=connection:new\r\na=stream:1\r\ny=0200000001\r\n",
    ));
    assert_eq!(offer.device_transport(), Transport::TcpPassive);
    assert_eq!((offer.stream, offer.ps_payload()), (Some(1), Some(96)));
    assert_eq!(offer.payloads[3].encoding.as_deref(), Some("H265"));
}

#[test]
fn monibuca_4_puts_u_into_a_live_offer_and_y_before_setup() {
    let offer = offer(
        "v=0\no=34020000001310000001 0 0 IN IP4 192.0.2.1\ns=Play\nu=34020000001310000001:0\n\
         c=IN IP4 192.0.2.1\nt=0 0\nm=video 9000 TCP/RTP/AVP 96\na=recvonly\n\
         a=rtpmap:96 PS/90000\ny=0200000003\na=setup:passive\na=connection:new",
    );
    assert_eq!(offer.setup, Some(Setup::Passive));
    assert_eq!(offer.ssrc, Ssrc::parse("0200000003"));
    assert_eq!(offer.recording.unwrap().kind, Some(0));
}

#[test]
fn monibuca_5_ends_without_a_newline_and_srs_has_no_setup() {
    let monibuca = offer(&live(
        "m=video 9000 RTP/AVP 96\r\na=recvonly\r\na=rtpmap:96 PS/90000\r\n\
         a=streamnumber:0\r\ny=0200000003",
    ));
    assert_eq!(
        (monibuca.stream, monibuca.ssrc.unwrap().value()),
        (Some(0), 200_000_003)
    );
    let srs = offer(&live(
        "m=video 9000 TCP/RTP/AVP 96\r\na=recvonly\r\na=rtpmap:96 PS/90000\r\ny=0200008765\r\n",
    ));
    assert_eq!(
        (srs.setup, srs.device_transport()),
        (None, Transport::TcpActive)
    );
}

#[test]
fn a_download_has_a_speed_and_ntp_times_are_converted() {
    let offer = offer(
        "v=0\r\ns=Download\r\nu=http://192.0.2.1:80/x\r\nc=IN IP4 192.0.2.1\r\n\
         t=3923793796 3923795786\r\nm=video 45056 RTP/AVP 96\r\na=downloadspeed:4\r\n\
         y=1200000001\r\nf=v/2/6/25/1/4096a/1/8/1\r\n",
    );
    assert_eq!(
        (&offer.session, offer.download_speed),
        (&Session::Download, Some(4))
    );
    assert_eq!(offer.range.unwrap().start, 3_923_793_796 - 2_208_988_800);
    assert_eq!(offer.recording.unwrap().kind, None);
    assert_eq!(offer.format.unwrap().audio.codec, Some(1));
}

#[test]
fn talk_is_audio() {
    let offer = offer(
        "v=0\r\no=1 0 0 IN IP4 192.0.2.1\r\ns=Talk\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
         m=audio 30000 TCP/RTP/AVP 8\r\na=setup:passive\r\na=sendrecv\r\n\
         a=rtpmap:8 PCMA/8000\r\ny=0200000001\r\nf=v/////a/1/8/1\r\n",
    );
    assert_eq!((&offer.session, offer.kind), (&Session::Talk, Kind::Audio));
    assert_eq!(
        (offer.ps_payload(), offer.payloads[0].clock),
        (None, Some(8000))
    );
}

#[test]
fn every_stream_selector_is_understood() {
    for (line, stream) in [
        ("a=streamprofile:0", Some(0)),
        ("a=StreamNumber:2", Some(2)),
        ("a=stream:1", Some(1)),
        ("a=streamMode:MAIN", Some(0)),
        ("a=streamMode:sub", Some(1)),
        ("a=streamprofile:", None),
        ("a=nothing", None),
    ] {
        let offer = offer(&live(&format!("m=video 9 RTP/AVP 96\r\n{line}\r\n")));
        assert_eq!(offer.stream, stream, "{line}");
    }
}

#[test]
fn y_of_any_length_is_kept() {
    for y in ["123", "0200000001", "123456789012345678901234567890"] {
        let offer = offer(&live(&format!("m=video 9 RTP/AVP 96\r\ny={y}\r\n")));
        assert_eq!(offer.ssrc.unwrap().as_str(), y);
    }
    assert_eq!(offer(&live("m=video 9 RTP/AVP 96\r\ny=\r\n")).ssrc, None);
}

#[test]
fn the_connection_of_the_media_wins_and_may_be_ipv6() {
    let own = offer(&live("m=video 9 RTP/AVP 96\r\nc=IN IP6 2001:db8::7\r\n"));
    assert_eq!(own.connection, "2001:db8::7".parse::<IpAddr>().unwrap());
    let later = offer(&live(
        "m=video 0 RTP/AVP 96\r\nc=IN IP4 192.0.2.8\r\nm=video 7 RTP/AVP 96\r\n",
    ));
    assert_eq!(
        (later.connection, later.port),
        (IpAddr::from([192, 0, 2, 1]), 7)
    );
}

#[test]
fn setup_roles_follow_the_standard() {
    for (proto, setup, device) in [
        ("TCP/RTP/AVP", "a=setup:passive", Transport::TcpActive),
        ("TCP/RTP/AVP", "a=setup:ACTIVE", Transport::TcpPassive),
        ("TCP/RTP/AVP", "a=setup:actpass", Transport::TcpActive),
        ("TCP/RTP/AVP", "a=recvonly", Transport::TcpActive),
        ("tcp/rtp/avp", "a=setup:passive", Transport::TcpActive),
        ("RTP/AVP", "a=setup:active", Transport::Udp),
    ] {
        let offer = offer(&live(&format!("m=video 9 {proto} 96\r\n{setup}\r\n")));
        assert_eq!(offer.device_transport(), device, "{proto} {setup}");
    }
    let session_level =
        offer("s=Play\nc=IN IP4 192.0.2.1\na=setup:active\nm=video 0 TCP/RTP/AVP 96\n");
    assert_eq!(session_level.device_transport(), Transport::TcpPassive);
}

#[test]
fn ps_is_found_by_its_map_or_by_96_without_one() {
    for (lines, ps) in [
        (
            "m=video 9 RTP/AVP 98 105\r\na=rtpmap:105 ps/90000\r\n",
            Some(105),
        ),
        ("m=video 9 RTP/AVP 96\r\n", Some(96)),
        ("m=video 9 RTP/AVP 96\r\na=rtpmap:96 DAHUA/90000\r\n", None),
        ("m=video 9 RTP/AVP 98\r\na=rtpmap:98 H264/90000\r\n", None),
    ] {
        assert_eq!(offer(&live(lines)).ps_payload(), ps, "{lines}");
    }
}

#[test]
fn unknown_lines_and_junk_do_no_harm() {
    let offer = offer(
        "\r\nv=0\r\nhello\r\nx=1\r\n=2\r\ns=Play\r\nc=IN IP4 192.0.2.1\r\n\
         m=application 5 UDP x\r\nm=video 9/2 RTP/AVP 96 abc 999\r\na=rtpmap:\r\na=\r\n",
    );
    assert_eq!((offer.junk, offer.port, offer.payloads.len()), (2, 9, 1));
    assert_eq!((offer.time.as_str(), offer.origin.as_str()), ("0 0", ""));
}

#[test]
fn what_cannot_be_served_is_an_error_that_says_why() {
    assert_eq!(error(""), SdpError::NotSdp);
    assert_eq!(error("hello"), SdpError::NotSdp);
    assert_eq!(error(&live("")), SdpError::NoMedia);
    assert_eq!(
        error("v=0\r\nm=video 9 RTP/AVP 96\r\n"),
        SdpError::NoConnection
    );
    let host = error("c=IN IP4 example.org\r\nm=video 9 RTP/AVP 96\r\n");
    assert_eq!(host, SdpError::Connection("IN IP4 example.org".into()));
    let unwanted = error(&live("m=video 0 RTP/AVP 96\r\n"));
    assert_eq!(unwanted, SdpError::NoPort);
    for media in ["video", "video 9", "video 99999 RTP/AVP 96", "video 9 x 96"] {
        assert_eq!(
            error(&live(&format!("m={media}\r\n"))),
            SdpError::Media(media.into())
        );
    }
}

#[test]
fn a_hikvision_answers_a_playback() {
    let answer = Answer::parse(
        b"v=0\r\no=34020000001110000001 0 0 IN IP4 192.168.6.60\r\ns=Network Video Recorder\r\n\
          c=IN IP4 192.168.6.60\r\nt=1714833796 1714835786\r\nm=video 62000 RTP/AVP 96\r\n\
          a=sendonly\r\na=rtpmap:96 PS/90000\r\na=username:34020000001110000001\r\n\
          a=password:12345678\r\na=filesize:2124794308\r\ny=0000002000\r\nf=\r\n",
    )
    .unwrap();
    assert_eq!(
        answer.session,
        Session::Other("Network Video Recorder".into())
    );
    assert_eq!(
        (answer.port, answer.file_size),
        (62000, Some(2_124_794_308))
    );
    assert_eq!(answer.device_transport(Transport::Udp), Transport::Udp);
}

#[test]
fn an_answer_without_setup_plays_the_other_part() {
    let answer = Answer::parse(live("m=video 9730 TCP/RTP/AVP 96\r\n").as_bytes()).unwrap();
    let device = answer.device_transport(Transport::TcpActive);
    assert_eq!((device, answer.setup), (Transport::TcpPassive, None));
}

fn transport() -> impl Strategy<Value = Transport> {
    prop_oneof![
        Just(Transport::Udp),
        Just(Transport::TcpActive),
        Just(Transport::TcpPassive)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn an_offer_is_read_as_it_was_written(
        address in any::<IpAddr>(),
        port in 1u16..,
        transport in transport(),
        y in "[0-9]{1,30}",
        range in proptest::option::of((1u64..2_000_000_000, 1u64..2_000_000_000)),
        speed in proptest::option::of(1u8..9),
    ) {
        let mut fields = OfferFields::play("3402", address, port, transport, Ssrc::parse(&y).unwrap());
        fields.range = range.map(|(start, stop)| TimeRange { start, stop });
        fields.download_speed = speed;
        let offer = Offer::parse(&fields.write()).unwrap();
        prop_assert_eq!(offer.device_transport(), transport.other_side());
        prop_assert_eq!((offer.connection, offer.port), (address, port));
        prop_assert_eq!((offer.ssrc, offer.range), (fields.ssrc, fields.range));
        prop_assert_eq!((offer.payloads, offer.download_speed), (fields.payloads, speed));
        prop_assert_eq!((offer.session, offer.junk), (Session::Play, 0));
    }

    #[test]
    fn an_answer_is_read_as_it_was_written(
        address in any::<IpAddr>(),
        port in 1u16..,
        transport in transport(),
        y in "[0-9]{1,30}",
        payload in 96u8..127,
    ) {
        let facts = AnswerFacts {
            channel_id: "3402".into(),
            device_id: "3402".into(),
            address,
            port,
            transport,
            session: Session::Play,
            time: "0 0".into(),
            direction: Default::default(),
            payload,
            stream: 0,
            ssrc: Ssrc::parse(&y).unwrap(),
        session_number: "0".to_owned(),
        offered_setup: None,
        file_size: None,
        range: None,
        password: String::new(),
        };
        let answer = Answer::parse(&SdpStyle::default().answer(&facts)).unwrap();
        prop_assert_eq!(answer.device_transport(transport.other_side()), transport);
        prop_assert_eq!((answer.connection, answer.port), (address, port));
        prop_assert_eq!((answer.ssrc, answer.payloads[0].number), (Some(facts.ssrc), payload));
    }

    #[test]
    fn any_octets_return(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Offer::parse(&octets);
        let _ = Answer::parse(&octets);
    }

    #[test]
    fn anything_that_looks_like_sdp_returns(
        text in "((m=|c=|a=|t=|u=|f=v/|y=|o=|s=)(video|audio|IN IP4|rtpmap:|96|/|:|0| |9|setup:){0,6}\r?\n){0,12}"
    ) {
        let _ = Offer::parse(text.as_bytes());
    }
}
