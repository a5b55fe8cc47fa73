//! Many streams at one port. A paused clock, as with [`media_tests`](super::media_tests).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::media::Media;
use super::streams::Streams;
use super::{Clock, SinkConfig, SinkHandle, SinkTotals};
use crate::media::receiver::Check;
use crate::media::rtp::Header;
use crate::media::verdict::Packets;
use crate::media::{
    Clip, ClipOptions, Counts, Cut, Expected, Fault, Flowing, Loss, MediaTransport, Order,
    PsPolicy, Reference, Report, RtpPolicy, SenderConfig, StreamId, Verdict,
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const SECOND: Duration = Duration::from_secs(1);
const CAMERAS: u64 = 50;

fn clip() -> Arc<Clip> {
    static TINY: &[u8] = include_bytes!("../../media/tiny.h264");
    let clip = Clip::parse("clip", Bytes::from_static(TINY), ClipOptions::default());
    Arc::new(clip.unwrap())
}

fn ssrc(stream: StreamId) -> u32 {
    200_000_000 + stream.0 as u32
}

fn counted(stream: StreamId) -> Flowing {
    Flowing::In(Arc::new(Expected {
        ssrc: Some(ssrc(stream)),
        check: Check::Count,
        ..Expected::default()
    }))
}

/// A platform with a sink.
struct Platform {
    streams: Streams,
    sink: SinkHandle,
    started: Vec<StreamId>,
    lost: Vec<Loss>,
    ended: HashMap<StreamId, Option<Verdict>>,
}

impl Platform {
    fn new(change: impl FnOnce(&mut SinkConfig)) -> Self {
        let clock = Clock::start();
        let mut config = SinkConfig::new(HERE);
        change(&mut config);
        let sink = SinkHandle::spawn(config, clock).unwrap();
        let media = Media::default().received_by(sink.clone());
        Platform {
            streams: Streams::new(clock, media),
            sink,
            started: Vec::new(),
            lost: Vec::new(),
            ended: HashMap::new(),
        }
    }

    async fn open(&mut self, stream: StreamId, transport: MediaTransport) -> SocketAddr {
        self.streams.order(Order::Open {
            stream,
            transport,
            local: HERE,
        });
        match self.streams.next().await {
            Report::Opened { local, .. } => local,
            other => panic!("not opened: {other:?}"),
        }
    }

    fn start(&mut self, stream: StreamId, what: Flowing, remote: SocketAddr) {
        self.streams.order(Order::Start {
            stream,
            remote,
            what,
        });
    }

    /// Expects a stream and counts it.
    async fn expect(&mut self, stream: StreamId, transport: MediaTransport) -> SocketAddr {
        let at = self.open(stream, transport).await;
        self.start(stream, counted(stream), at);
        at
    }

    /// Takes reports in for so long.
    async fn listen(&mut self, time: Duration) {
        let until = tokio::time::Instant::now() + time;
        while let Ok(report) = tokio::time::timeout_at(until, self.streams.next()).await {
            match report {
                Report::Started { stream } => self.started.push(stream),
                Report::Lost { why, .. } => self.lost.push(why),
                Report::Ended {
                    stream, verdict, ..
                } => {
                    self.ended.insert(stream, verdict.map(|verdict| *verdict));
                }
                Report::Progress { stream, .. } => assert_eq!(stream.0, 1, "counting is quiet"),
                Report::Opened { .. }
                | Report::Steered { .. }
                | Report::Drained { .. }
                | Report::Voice { .. } => {}
            }
        }
    }

    async fn stop(&mut self, stream: StreamId) -> Verdict {
        self.streams.order(Order::Stop(stream));
        self.listen(SECOND / 10).await;
        self.ended.remove(&stream).flatten().expect("it was there")
    }

    async fn totals(&self) -> SinkTotals {
        self.sink.totals().await.unwrap()
    }
}

fn packet(ssrc: u32, sequence: u16) -> Vec<u8> {
    let header = Header {
        marker: false,
        payload_type: 96,
        sequence,
        timestamp: 0,
        ssrc,
    };
    let mut octets = header.octets().to_vec();
    octets.resize(100, 0x55);
    octets
}

fn framed(ssrc: u32, numbers: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let mut octets = Vec::new();
    for number in numbers {
        let packet = packet(ssrc, number);
        octets.extend((packet.len() as u16).to_be_bytes());
        octets.extend(packet);
    }
    octets
}

/// Fifty cameras send seconds of a clip to one port; the first of them is judged.
async fn fifty(camera_is: MediaTransport, platform_is: MediaTransport) {
    let clock = Clock::start();
    let media = Media::spawn(clock);
    let clip = clip();
    let cut = Cut::new(clip.clone(), &PsPolicy::default(), &RtpPolicy::default());
    let cut = Arc::new(cut);
    let reference = Arc::new(Reference::of(&clip));
    let mut platform = Platform::new(|_| {});
    let mut cameras = Vec::new();
    let mut ports = Vec::new();
    for number in 1..=CAMERAS {
        let stream = StreamId(number);
        let mut camera = Streams::new(clock, media.clone());
        camera.order(Order::Open {
            stream,
            transport: camera_is,
            local: HERE,
        });
        let Report::Opened { local, .. } = camera.next().await else {
            panic!("not opened");
        };
        let at = platform.open(stream, platform_is).await;
        ports.push(at.port());
        let what = match number {
            1 => Flowing::In(Arc::new(Expected {
                ssrc: Some(ssrc(stream)),
                reference: Some(reference.clone()),
                ..Expected::default()
            })),
            _ => counted(stream),
        };
        platform.start(stream, what, local);
        camera.order(Order::Start {
            stream,
            remote: at,
            what: Flowing::Out(Arc::new(SenderConfig::new(cut.clone(), ssrc(stream)))),
        });
        cameras.push(camera);
    }
    ports.dedup();
    assert_eq!(ports.len(), 1, "one port for all");
    platform.listen(2 * SECOND).await;
    let totals = platform.totals().await;
    assert_eq!((totals.streams, totals.flowing), (CAMERAS, CAMERAS));
    assert_eq!(platform.started.len() as u64, CAMERAS);
    let mut sent = HashMap::new();
    for (number, mut camera) in (1..).zip(cameras) {
        let stream = StreamId(number);
        camera.order(Order::Stop(stream));
        loop {
            if let Report::Ended { counts, .. } = camera.next().await {
                sent.insert(stream, counts);
                break;
            }
        }
    }
    platform.listen(SECOND / 2).await;
    let mut all = Counts::default();
    for (stream, counts) in &sent {
        let verdict = platform.stop(*stream).await;
        assert!(verdict.is_clean(), "{stream:?}: {verdict}");
        assert_eq!(verdict.counted, stream.0 != 1);
        assert_eq!(verdict.packets.received, counts.packets, "{stream:?}");
        if stream.0 == 1 {
            assert!(verdict.matched > 20, "{verdict}");
        }
        all.packets += counts.packets;
    }
    let totals = platform.totals().await;
    assert!(all.packets > 50 * CAMERAS);
    assert_eq!(totals.packets.received, all.packets);
    assert_eq!((totals.packets.lost, totals.faults), (0, 0));
    assert_eq!((totals.strangers, totals.silent, totals.stray), (0, 0, 0));
    assert_eq!((totals.streams, totals.flowing), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn fifty_cameras_that_connect_to_one_port_are_counted_apart() {
    fifty(MediaTransport::TcpActive, MediaTransport::TcpPassive).await;
}

#[tokio::test(start_paused = true)]
async fn fifty_cameras_that_send_datagrams_to_one_port_are_counted_apart() {
    fifty(MediaTransport::Udp, MediaTransport::Udp).await;
}

#[tokio::test(start_paused = true)]
async fn cameras_that_listen_are_connected_to() {
    fifty(MediaTransport::TcpPassive, MediaTransport::TcpActive).await;
}

#[tokio::test(start_paused = true)]
async fn a_gap_in_the_sequence_is_counted_on_its_stream_and_in_all() {
    let mut platform = Platform::new(|_| {});
    for (stream, transport) in [
        (StreamId(2), MediaTransport::TcpPassive),
        (StreamId(3), MediaTransport::Udp),
    ] {
        let at = platform.expect(stream, transport).await;
        let numbers = (0..10).chain(13..20);
        let mut connection = None;
        match transport {
            MediaTransport::Udp => {
                let camera = UdpSocket::bind((HERE, 0)).await.unwrap();
                for number in numbers {
                    let packet = packet(ssrc(stream), number);
                    camera.send_to(&packet, at).await.unwrap();
                }
            }
            _ => {
                let mut camera = TcpStream::connect(at).await.unwrap();
                let octets = framed(ssrc(stream), numbers);
                camera.write_all(&octets).await.unwrap();
                connection = Some(camera);
            }
        }
        platform.listen(SECOND).await;
        let verdict = platform.stop(stream).await;
        assert!(!verdict.is_clean());
        assert_eq!(verdict.packets.received, 17, "{transport}");
        assert_eq!((verdict.packets.lost, verdict.packets.gaps), (3, 1));
        drop(connection);
    }
    let totals = platform.totals().await;
    assert_eq!(
        totals.packets,
        Packets {
            received: 34,
            octets: 34 * 88,
            lost: 6,
            gaps: 2,
            ..Packets::default()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn strangers_are_counted_and_closed() {
    let mut platform = Platform::new(|config| config.patience = 3 * SECOND);
    let at = platform
        .expect(StreamId(2), MediaTransport::TcpPassive)
        .await;
    let mut garbage = TcpStream::connect(at).await.unwrap();
    garbage.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut unknown = TcpStream::connect(at).await.unwrap();
    unknown.write_all(&framed(4711, 0..3)).await.unwrap();
    let silent = TcpStream::connect(at).await.unwrap();
    platform.listen(SECOND).await;
    assert_eq!(garbage.read(&mut [0; 8]).await.unwrap_or(0), 0);
    let totals = platform.totals().await;
    assert_eq!((totals.strangers, totals.unclaimed), (1, 2));
    platform.listen(4 * SECOND).await;
    let totals = platform.totals().await;
    assert_eq!((totals.strangers, totals.silent), (2, 1));
    assert_eq!((totals.connections, totals.unclaimed), (0, 0));
    assert_eq!(unknown.read(&mut [0; 8]).await.unwrap_or(0), 0);
    drop(silent);

    let camera = UdpSocket::bind((HERE, 0)).await.unwrap();
    let to = platform.sink.udp();
    camera.send_to(b"garbage", to).await.unwrap();
    camera.send_to(&packet(4711, 1), to).await.unwrap();
    platform.listen(SECOND).await;
    let totals = platform.totals().await;
    assert_eq!((totals.stray, totals.packets.received), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn connections_that_never_send_are_bounded_and_keep_nobody_out() {
    let mut platform = Platform::new(|config| config.unclaimed = 4);
    let stream = StreamId(2);
    let at = platform.expect(stream, MediaTransport::TcpPassive).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(at).await.unwrap());
    }
    let mut camera = TcpStream::connect(at).await.unwrap();
    camera.write_all(&framed(ssrc(stream), 0..5)).await.unwrap();
    platform.listen(SECOND / 2).await;
    let totals = platform.totals().await;
    assert_eq!(totals.accepted, 21);
    assert!(totals.connections <= 5, "{totals:?}");
    assert!(totals.silent >= 16, "{totals:?}");
    assert_eq!(totals.packets.received, 5);
}

#[tokio::test(start_paused = true)]
async fn a_camera_that_sends_before_it_is_expected_waits_and_loses_nothing() {
    let mut platform = Platform::new(|_| {});
    let stream = StreamId(2);
    let at = platform.open(stream, MediaTransport::TcpPassive).await;
    let mut camera = TcpStream::connect(at).await.unwrap();
    camera.write_all(&framed(ssrc(stream), 0..9)).await.unwrap();
    platform.listen(SECOND).await;
    assert_eq!(platform.totals().await.unclaimed, 1);
    platform.start(stream, counted(stream), at);
    platform.listen(SECOND).await;
    assert_eq!(platform.started, [stream]);
    let verdict = platform.stop(stream).await;
    assert_eq!(verdict.packets.received, 9);
    assert!(verdict.is_clean(), "{verdict}");
}

#[tokio::test(start_paused = true)]
async fn a_broken_connection_is_told_and_the_next_one_goes_on() {
    let mut platform = Platform::new(|_| {});
    let stream = StreamId(2);
    let at = platform.expect(stream, MediaTransport::TcpPassive).await;
    for first in [0, 700] {
        let mut camera = TcpStream::connect(at).await.unwrap();
        let octets = framed(ssrc(stream), first..first + 10);
        camera.write_all(&octets).await.unwrap();
        platform.listen(SECOND).await;
        drop(camera);
        platform.listen(SECOND).await;
        platform.start(stream, counted(stream), at);
    }
    assert_eq!(platform.started, [stream, stream]);
    assert_eq!(platform.lost, [Loss::Closed, Loss::Closed]);
    let verdict = platform.stop(stream).await;
    assert_eq!((verdict.packets.received, verdict.packets.gaps), (20, 0));
}

#[tokio::test(start_paused = true)]
async fn another_ssrc_in_a_connection_and_lost_framing_are_faults_of_its_stream() {
    let mut platform = Platform::new(|_| {});
    let stream = StreamId(2);
    let at = platform.expect(stream, MediaTransport::TcpPassive).await;
    let mut camera = TcpStream::connect(at).await.unwrap();
    let mut octets = framed(ssrc(stream), 0..4);
    octets.extend(framed(99, 0..2));
    octets.extend(b"\0\x20no packet begins like this");
    camera.write_all(&octets).await.unwrap();
    platform.listen(SECOND).await;
    assert_eq!(camera.read(&mut [0; 8]).await.unwrap_or(0), 0);
    assert_eq!(platform.lost, [Loss::Closed]);
    let totals = platform.totals().await;
    assert_eq!((totals.unframed, totals.faults), (1, 3));
    let verdict = platform.stop(stream).await;
    assert_eq!(verdict.faults.of(Fault::Ssrc), 2);
    assert_eq!(verdict.faults.of(Fault::Desynchronised), 1);
}

#[tokio::test(start_paused = true)]
async fn what_comes_after_the_end_of_its_stream_is_no_strangers() {
    let mut platform = Platform::new(|_| {});
    let stream = StreamId(2);
    let at = platform.expect(stream, MediaTransport::TcpPassive).await;
    let mut camera = TcpStream::connect(at).await.unwrap();
    camera.write_all(&framed(ssrc(stream), 0..4)).await.unwrap();
    platform.listen(SECOND).await;
    platform.stop(stream).await;
    camera.write_all(&framed(ssrc(stream), 4..9)).await.unwrap();
    platform.listen(SECOND).await;
    let datagrams = UdpSocket::bind((HERE, 0)).await.unwrap();
    let late = packet(ssrc(stream), 9);
    datagrams.send_to(&late, platform.sink.udp()).await.unwrap();
    platform.listen(SECOND).await;
    let totals = platform.totals().await;
    assert_eq!((totals.packets.received, totals.tail), (4, 1));
    assert_eq!((totals.strangers, totals.stray), (0, 0));
    assert_eq!(totals.connections, 1, "the camera may hang up itself");
    platform.listen(6 * SECOND).await;
    assert_eq!(platform.totals().await.connections, 0);
}
