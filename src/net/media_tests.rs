//! Media over loopback sockets: pump, streams and receivers. Most run on a paused clock, which
//! the runtime moves whenever there is nothing else to do: seconds of media take milliseconds.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::media::Media;
use super::streams::Streams;
use super::{Clock, Pump};
use crate::media::receiver::Receiver;
use crate::media::{
    Clip, ClipOptions, Counts, Cut, Expected, Flowing, Framing, Loss, MediaTransport, Order,
    PsPolicy, Reference, Report, RtpPolicy, SenderConfig, StreamId, Verdict,
};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const STREAM: StreamId = StreamId(3);
const SECOND: Duration = Duration::from_secs(1);

static TINY: &[u8] = include_bytes!("../../media/tiny.h264");
static LARGE: &[u8] = include_bytes!("../../media/street-1080p25.h264");

fn clip(octets: &'static [u8]) -> Arc<Clip> {
    let clip = Clip::parse("clip", Bytes::from_static(octets), ClipOptions::default());
    Arc::new(clip.unwrap())
}

fn sending(clip: &Arc<Clip>) -> SenderConfig {
    let cut = Cut::new(clip.clone(), &PsPolicy::default(), &RtpPolicy::default());
    SenderConfig::new(Arc::new(cut), 7)
}

fn expected(clip: &Clip) -> Arc<Expected> {
    Arc::new(Expected {
        reference: Some(Arc::new(Reference::of(clip))),
        record: true,
        ..Expected::default()
    })
}

/// The streams of one node.
struct Node(Streams);

impl Node {
    fn new(clock: Clock, media: &Media) -> Self {
        Node(Streams::new(clock, media.clone()))
    }

    async fn hear(&mut self) -> Report {
        let report = tokio::time::timeout(60 * SECOND, self.0.next());
        report.await.expect("nothing is reported")
    }

    async fn open(&mut self, transport: MediaTransport) -> SocketAddr {
        self.0.order(Order::Open {
            stream: STREAM,
            transport,
            local: HERE,
        });
        match self.hear().await {
            Report::Opened { local, .. } => local,
            other => panic!("not opened: {other:?}"),
        }
    }

    fn start(&mut self, remote: SocketAddr, what: Flowing) {
        self.0.order(Order::Start {
            stream: STREAM,
            remote,
            what,
        });
    }

    async fn started(&mut self) {
        match self.hear().await {
            Report::Started { stream: STREAM } => {}
            other => panic!("not started: {other:?}"),
        }
    }

    async fn lost(&mut self) -> Loss {
        loop {
            if let Report::Lost { why, .. } = self.hear().await {
                return why;
            }
        }
    }

    async fn stop(&mut self) -> (Counts, Option<Verdict>, Bytes) {
        self.0.order(Order::Stop(STREAM));
        loop {
            if let Report::Ended {
                counts,
                verdict,
                recording,
                ..
            } = self.hear().await
            {
                return (counts, verdict.map(|verdict| *verdict), recording);
            }
        }
    }
}

/// Seconds of a call between two nodes on one thread.
async fn call(camera_is: MediaTransport, platform_is: MediaTransport) {
    let clock = Clock::start();
    let media = Media::spawn(clock);
    let (mut camera, mut platform) = (
        Node::new(clock, &media),
        Node::new(clock, &Media::default()),
    );
    let clip = clip(TINY);
    let camera_at = camera.open(camera_is).await;
    let platform_at = platform.open(platform_is).await;
    platform.start(camera_at, Flowing::In(expected(&clip)));
    camera.start(platform_at, Flowing::Out(Arc::new(sending(&clip))));
    camera.started().await;
    platform.started().await;
    tokio::time::sleep(3 * SECOND).await;
    assert!(media.pumps()[0].load() > 0);
    let (counts, verdict, _) = camera.stop().await;
    assert!(verdict.is_none());
    tokio::time::sleep(SECOND).await;
    let (_, verdict, recording) = platform.stop().await;
    let verdict = verdict.unwrap();
    assert!(verdict.is_clean(), "{verdict}");
    assert!(verdict.matched > 50, "{verdict}");
    assert_eq!(verdict.packets.received, counts.packets);
    assert_eq!(recording[..4], [0, 0, 1, 0xBA]);
    assert_eq!(media.pumps()[0].load(), 0);
    let lateness = media.pumps()[0].lateness().await.unwrap();
    assert_eq!(lateness.len(), counts.frames);
}

#[tokio::test(start_paused = true)]
async fn a_call_over_udp_is_received_as_it_was_sent() {
    call(MediaTransport::Udp, MediaTransport::Udp).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_over_tcp_that_the_camera_connects_is_received_as_it_was_sent() {
    call(MediaTransport::TcpActive, MediaTransport::TcpPassive).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_over_tcp_that_the_platform_connects_is_received_as_it_was_sent() {
    call(MediaTransport::TcpPassive, MediaTransport::TcpActive).await;
}

#[tokio::test(start_paused = true)]
async fn large_frames_as_datagrams_are_received_as_they_were_sent() {
    let clock = Clock::start();
    let mut camera = Node::new(clock, &Media::spawn(clock));
    let mut platform = Node::new(clock, &Media::default());
    let clip = clip(LARGE);
    let camera_at = camera.open(MediaTransport::Udp).await;
    let platform_at = platform.open(MediaTransport::Udp).await;
    platform.start(camera_at, Flowing::In(expected(&clip)));
    camera.start(platform_at, Flowing::Out(Arc::new(sending(&clip))));
    tokio::time::sleep(3 * SECOND).await;
    camera.stop().await;
    let (_, verdict, _) = platform.stop().await;
    let verdict = verdict.unwrap();
    assert_eq!(verdict.mismatched, 0, "{verdict}");
    assert!(verdict.matched > 50, "{verdict}");
}

#[tokio::test(start_paused = true)]
async fn a_frozen_peer_costs_whole_frames_and_never_the_framing() {
    let clock = Clock::start();
    let mut camera = Node::new(clock, &Media::spawn(clock));
    let clip = clip(LARGE);
    let listener = TcpListener::bind((HERE, 0)).await.unwrap();
    // A small window, so that the pipe is full soon.
    let small = socket2::SockRef::from(&listener).set_recv_buffer_size(16 * 1024);
    small.unwrap();
    camera.open(MediaTransport::TcpActive).await;
    let config = Arc::new(sending(&clip));
    camera.start(listener.local_addr().unwrap(), Flowing::Out(config));
    let (peer, _) = listener.accept().await.unwrap();
    tokio::time::sleep(60 * SECOND).await;

    let mut receiver = Receiver::new(expected(&clip), Framing::Stream);
    let thawed = tokio::time::Instant::now();
    let mut buffer = vec![0; 65_536];
    while thawed.elapsed() < 5 * SECOND {
        let _ = tokio::time::timeout(SECOND, peer.readable()).await;
        match peer.try_read(&mut buffer) {
            Ok(0) => panic!("the camera has hung up"),
            Ok(octets) => receiver.octets(clock.mono(), &buffer[..octets]),
            Err(_) => {}
        }
    }
    let (counts, ..) = camera.stop().await;
    let verdict = receiver.verdict();
    assert!(counts.dropped > 1000, "{counts:?}");
    assert!(verdict.dropped > 0, "{verdict}");
    assert_eq!(verdict.packets.gaps, 0, "{verdict}");
    assert_eq!((verdict.mismatched, verdict.damaged), (0, 0), "{verdict}");
    assert!(verdict.matched > 50, "{verdict}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_closes_is_lost_and_the_next_start_begins_anew() {
    let clock = Clock::start();
    let mut camera = Node::new(clock, &Media::spawn(clock));
    let clip = clip(TINY);
    let at = camera.open(MediaTransport::TcpPassive).await;
    for _ in 0..2 {
        let peer = TcpStream::connect(at).await.unwrap();
        camera.start(at, Flowing::Out(Arc::new(sending(&clip))));
        camera.started().await;
        drop(peer);
        assert_eq!(camera.lost().await, Loss::Closed);
    }
    let (counts, ..) = camera.stop().await;
    assert!(counts.frames > 0);
    TcpListener::bind(at).await.expect("the port is free again");
}

#[tokio::test(start_paused = true)]
async fn a_start_replaces_what_flows() {
    let clock = Clock::start();
    let mut camera = Node::new(clock, &Media::spawn(clock));
    let clip = clip(TINY);
    camera.open(MediaTransport::Udp).await;
    for _ in 0..2 {
        let platform = UdpSocket::bind((HERE, 0)).await.unwrap();
        let at = platform.local_addr().unwrap();
        camera.start(at, Flowing::Out(Arc::new(sending(&clip))));
        camera.started().await;
        let mut buffer = [0; 1500];
        platform.recv(&mut buffer).await.unwrap();
        assert_eq!(buffer[0], 0x80);
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_at_the_other_end_is_reported_and_a_wait_can_be_stopped() {
    let clock = Clock::start();
    let mut camera = Node::new(clock, &Media::spawn(clock));
    let clip = clip(TINY);
    let free = TcpListener::bind((HERE, 0)).await.unwrap();
    let nobody = free.local_addr().unwrap();
    drop(free);
    camera.open(MediaTransport::TcpActive).await;
    camera.start(nobody, Flowing::Out(Arc::new(sending(&clip))));
    assert!(matches!(camera.lost().await, Loss::NotConnected(_)));
    camera.stop().await;

    camera.open(MediaTransport::TcpPassive).await;
    camera.start(nobody, Flowing::Out(Arc::new(sending(&clip))));
    let (counts, ..) = camera.stop().await;
    assert_eq!(counts, Counts::default());
}

#[tokio::test(start_paused = true)]
async fn what_comes_back_is_read_counted_and_ignored() {
    let clock = Clock::start();
    let mut camera = Node::new(clock, &Media::spawn(clock));
    let clip = clip(TINY);
    let camera_at = camera.open(MediaTransport::Udp).await;
    let platform = UdpSocket::bind((HERE, 0)).await.unwrap();
    let remote = platform.local_addr().unwrap();
    camera.start(remote, Flowing::Out(Arc::new(sending(&clip))));
    camera.started().await;
    platform.send_to(b"garbage", camera_at).await.unwrap();
    platform.send_to(&[], camera_at).await.unwrap();
    tokio::time::sleep(3 * SECOND).await;
    let (counts, ..) = camera.stop().await;
    assert_eq!(counts.returned, 2);
    assert!(counts.frames > 50);
}

#[tokio::test]
async fn without_a_pump_sending_is_a_loss_and_stopping_twice_an_answer() {
    let clock = Clock::start();
    let mut camera = Node::new(clock, &Media::default());
    camera.open(MediaTransport::Udp).await;
    let remote = SocketAddr::new(HERE, 9);
    camera.start(remote, Flowing::Out(Arc::new(sending(&clip(TINY)))));
    assert!(matches!(camera.lost().await, Loss::Failed(_)));
    camera.stop().await;
    camera.stop().await;
}

#[tokio::test]
async fn a_pump_on_its_own_thread_sends_and_ends_with_its_last_handle() {
    let clock = Clock::start();
    let pump = Pump::on_thread(clock, "pump").unwrap();
    let mut camera = Node::new(clock, &Media::new([pump.clone()]));
    camera.open(MediaTransport::Udp).await;
    let platform = UdpSocket::bind((HERE, 0)).await.unwrap();
    let remote = platform.local_addr().unwrap();
    camera.start(remote, Flowing::Out(Arc::new(sending(&clip(TINY)))));
    camera.started().await;
    let (counts, ..) = camera.stop().await;
    assert!(counts.packets > 0);
    assert!(pump.lateness().await.is_some());
}
