//! The call of the GoSIP trace, byte for byte: what the Dahua answered, vcam answers.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, UdpSocket};

use common::capture::{self, Speaker, Spoken};
use common::{addr, config, ip, platform};
use vcam::camera::{Camera, Command, Event};
use vcam::lab::Lab;
use vcam::net::{Clock, Driver, Media};
use vcam::sip::{Token, Tokens};

const TRACE: &str = include_str!("captures/gosip-dahua-invite.txt");

#[test]
fn the_seed_trace_comes_out_byte_for_byte() {
    let trace = capture::messages(TRACE);
    let [invite, trying, dialog, ok, ack, bye, bye_ok] = &trace[..] else {
        panic!("the trace has seven messages, not {}", trace.len());
    };
    let mut lab = Lab::new(1);
    let gosip = addr("10.110.18.12:15060");
    let dahua = addr("10.110.18.75:5060");
    lab.bind(gosip);
    lab.listen(addr("10.110.18.250:10000"));
    let camera = lab.add(ip("10.110.18.75"), camera("10.110.18.75:5060", gosip));
    lab.command(camera, Command::PowerOn);
    let say = |lab: &mut Lab, message: &Spoken| {
        lab.send_datagram(gosip, dahua, message.bytes.clone());
        lab.run_for(Duration::from_millis(100));
        answers(lab.datagrams_at(gosip))
    };
    assert_eq!(invite.by, Speaker::Platform);
    assert_same(&say(&mut lab, invite), &[trying, dialog, ok]);
    assert_same(&say(&mut lab, ack), &[]);
    let media = lab
        .accept_at(addr("10.110.18.250:10000"))
        .expect("the camera connects after ACK");
    lab.run_for(Duration::from_millis(200));
    let octets = lab.read(media);
    assert_eq!(octets[2..4], [0x80, 96], "RTP behind an RFC 4571 length");
    assert_eq!(
        octets[10..14],
        200_000_001u32.to_be_bytes(),
        "the SSRC of y="
    );
    assert_same(&say(&mut lab, bye), &[bye_ok]);
    lab.run_for(Duration::from_secs(1));
    let events = lab.events(camera);
    assert!(
        events
            .iter()
            .any(|(_, event)| matches!(event, Event::Ended { .. })),
        "{events:?}"
    );
}

/// The same call on real sockets: addresses, ports and lengths are those of this machine, on both
/// sides; every other octet is the trace's.
#[tokio::test]
async fn the_seed_trace_comes_out_on_a_real_socket_too() {
    let gosip = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let media = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let here = gosip.local_addr().unwrap();
    let clock = Clock::start();
    let node = camera("127.0.0.1:0", here);
    let (driver, commands) = Driver::new(node, clock, &Media::spawn(clock));
    let running = tokio::spawn(driver.run(|_| {}));
    commands.send(Command::PowerOn).await.unwrap();
    let mut buffer = [0; 4096];
    let (_, dahua) = gosip.recv_from(&mut buffer).await.unwrap();

    let words = [
        ("10.110.18.12:15060", here.to_string()),
        ("rport=15060", format!("rport={}", here.port())),
        ("10.110.18.75:5060", dahua.to_string()),
        ("10.110.18.75", "127.0.0.1".to_owned()),
        ("10.110.18.250", "127.0.0.1".to_owned()),
        (
            "video 10000",
            format!("video {}", media.local_addr().unwrap().port()),
        ),
    ];
    let words = words.each_ref().map(|(old, new)| (*old, new.as_str()));
    let trace = capture::messages(TRACE).into_iter();
    let trace: Vec<_> = trace.map(|m| capture::with_words(&m, &words)).collect();
    let [invite, trying, dialog, ok, ack, bye, bye_ok] = &trace[..] else {
        panic!("the trace has seven messages");
    };
    gosip.send_to(&invite.bytes, dahua).await.unwrap();
    for expected in [trying, dialog, ok] {
        assert_same(&[answer(&gosip).await], &[expected]);
    }
    gosip.send_to(&ack.bytes, dahua).await.unwrap();
    let (mut stream, _) = media.accept().await.unwrap();
    let mut first = [0; 14];
    stream.read_exact(&mut first).await.unwrap();
    assert_eq!(
        first[10..14],
        200_000_001u32.to_be_bytes(),
        "the SSRC of y="
    );
    gosip.send_to(&bye.bytes, dahua).await.unwrap();
    assert_same(&[answer(&gosip).await], &[bye_ok]);
    running.abort();
}

/// The next datagram besides REGISTER, which nobody answers here.
async fn answer(socket: &UdpSocket) -> Bytes {
    let mut buffer = vec![0; 4096];
    loop {
        let (length, _) = socket.recv_from(&mut buffer).await.unwrap();
        if buffer.starts_with(b"SIP/2.0") {
            return Bytes::copy_from_slice(&buffer[..length]);
        }
    }
}

/// The trace's camera, with the tags it gave: the first is its REGISTER's, which the trace lacks.
fn camera(local: &str, gosip: SocketAddr) -> Camera {
    let platform = platform("34020000002000000001", &gosip.to_string());
    let config = config("dahua-ipc", "34020000001328000001", local, platform);
    let mut tokens = Tokens::seeded(1);
    tokens.script(Token::Tag, "1");
    tokens.script(Token::Tag, "668718229");
    Camera::with_tokens(Arc::new(config), 1, tokens)
}

/// What came besides REGISTER, which nobody answers here.
fn answers(datagrams: Vec<(std::net::SocketAddr, Bytes)>) -> Vec<Bytes> {
    let all = datagrams.into_iter().map(|(_, bytes)| bytes);
    all.filter(|bytes| bytes.starts_with(b"SIP/2.0")).collect()
}

fn assert_same(heard: &[Bytes], expected: &[&Spoken]) {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    let heard: Vec<_> = heard.iter().map(text).collect();
    let expected: Vec<_> = expected.iter().map(|spoken| text(&spoken.bytes)).collect();
    assert_eq!(heard, expected);
}
