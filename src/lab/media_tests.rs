//! Media in virtual time: real senders, real receivers, parrots who give the orders.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::parrot::{Heard, Parrot, Say};
use super::{Key, Lab, Link};
use crate::media::{
    Clip, ClipOptions, Counts, Cut, Expected, Flowing, Loss, MediaTransport, Order, PsPolicy,
    Reference, Report, RtpPolicy, SenderConfig, StreamId, Verdict,
};

const CAMERA: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const PLATFORM: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));
const STREAM: StreamId = StreamId(0);
const SECOND: Duration = Duration::from_secs(1);

/// One call between two parrots.
struct Call {
    lab: Lab,
    camera: Key<Parrot>,
    platform: Key<Parrot>,
    camera_at: SocketAddr,
    platform_at: SocketAddr,
    clip: Arc<Clip>,
}

impl Call {
    fn new(camera_is: MediaTransport, link: Link) -> Call {
        let octets = Bytes::from_static(include_bytes!("../../media/tiny.h264"));
        let clip = Clip::parse("tiny", octets, ClipOptions::default()).unwrap();
        let mut lab = Lab::new(11);
        lab.set_links(link);
        let camera = lab.add(CAMERA, Parrot::silent());
        let platform = lab.add(PLATFORM, Parrot::silent());
        let platform_is = match camera_is {
            MediaTransport::Udp => MediaTransport::Udp,
            MediaTransport::TcpActive => MediaTransport::TcpPassive,
            MediaTransport::TcpPassive => MediaTransport::TcpActive,
        };
        let mut open = |key, transport| {
            let local = "0.0.0.0".parse().unwrap();
            let order = Order::Open {
                stream: STREAM,
                transport,
                local,
            };
            lab.command(key, Say::Media(order));
            lab.run_for(Duration::ZERO);
            match lab.take_events(key).pop() {
                Some((_, Heard::Media(Report::Opened { local, .. }))) => local,
                other => panic!("not opened: {other:?}"),
            }
        };
        let camera_at = open(camera, camera_is);
        let platform_at = open(platform, platform_is);
        Call {
            lab,
            camera,
            platform,
            camera_at,
            platform_at,
            clip: Arc::new(clip),
        }
    }

    fn start(&mut self) {
        let expected = Expected {
            ssrc: Some(7),
            reference: Some(Arc::new(Reference::of(&self.clip))),
            record: true,
            ..Expected::default()
        };
        let cut = Cut::new(
            self.clip.clone(),
            &PsPolicy::default(),
            &RtpPolicy::default(),
        );
        let config = SenderConfig::new(Arc::new(cut), 7);
        self.command_start(
            self.platform,
            self.camera_at,
            Flowing::In(Arc::new(expected)),
        );
        self.command_start(
            self.camera,
            self.platform_at,
            Flowing::Out(Arc::new(config)),
        );
    }

    fn command_start(&mut self, key: Key<Parrot>, remote: SocketAddr, what: Flowing) {
        let order = Order::Start {
            stream: STREAM,
            remote,
            what,
        };
        self.lab.command(key, Say::Media(order));
    }

    fn losses(&self, key: Key<Parrot>) -> Vec<Loss> {
        let losses = self.lab.events(key).iter().filter_map(|(_, heard)| {
            let Heard::Media(Report::Lost { why, .. }) = heard else {
                return None;
            };
            Some(why.clone())
        });
        losses.collect()
    }

    /// Stops both ends, the camera first.
    fn stop(mut self) -> (Counts, Verdict, Bytes) {
        self.lab
            .command(self.camera, Say::Media(Order::Stop(STREAM)));
        self.lab.run_for(SECOND);
        self.lab
            .command(self.platform, Say::Media(Order::Stop(STREAM)));
        self.lab.run_for(SECOND);
        let last = |lab: &mut Lab, key| match lab.take_events(key).pop() {
            Some((
                _,
                Heard::Media(Report::Ended {
                    counts,
                    verdict,
                    recording,
                    ..
                }),
            )) => (counts, verdict, recording),
            other => panic!("not ended: {other:?}"),
        };
        let (counts, ..) = last(&mut self.lab, self.camera);
        let (_, verdict, recording) = last(&mut self.lab, self.platform);
        (counts, *verdict.expect("a verdict"), recording)
    }
}

#[test]
fn a_call_over_each_transport_is_received_as_it_was_sent() {
    for transport in [
        MediaTransport::Udp,
        MediaTransport::TcpActive,
        MediaTransport::TcpPassive,
    ] {
        let mut call = Call::new(transport, Link::default());
        call.start();
        call.lab.run_for(5 * SECOND);
        let (counts, verdict, recording) = call.stop();
        assert!(verdict.is_clean(), "{transport}: {verdict}");
        assert!(
            (125..=126).contains(&counts.frames),
            "{transport}: {counts:?}"
        );
        assert_eq!(verdict.packets.received, counts.packets, "{transport}");
        assert_eq!(counts.dropped, 0, "{transport}");
        assert_eq!(recording[..4], [0, 0, 1, 0xBA], "{transport}");
    }
}

#[test]
fn lost_datagrams_are_seen_by_the_receiver_and_nothing_else_is() {
    let mut call = Call::new(MediaTransport::Udp, Link::lossy(0.05));
    call.start();
    call.lab.run_for(20 * SECOND);
    let (counts, verdict, _) = call.stop();
    assert!(verdict.packets.lost > 0);
    assert_eq!(verdict.mismatched, 0, "{verdict}");
    assert!(verdict.packets.received < counts.packets);
}

#[test]
fn a_pipe_too_small_for_its_reader_drops_whole_frames_and_never_breaks_framing() {
    let frozen = Link {
        capacity: 20_000,
        ..Link::default()
    };
    let mut call = Call::new(MediaTransport::TcpActive, frozen);
    let platform_at = call.platform_at;
    call.lab
        .command(call.platform, Say::Media(Order::Stop(STREAM)));
    call.lab.run_for(SECOND);
    call.lab.listen(platform_at);
    call.start();
    call.lab.run_for(SECOND);
    let peer = call
        .lab
        .accept_at(platform_at)
        .expect("the camera connects");
    call.lab.freeze(peer);
    call.lab.run_for(10 * SECOND);
    call.lab.thaw(peer);
    call.lab.run_for(5 * SECOND);
    let received = call.lab.read(peer);

    let reference = Some(Arc::new(Reference::of(&call.clip)));
    let expected = Expected {
        reference,
        ..Expected::default()
    };
    let framing = crate::media::Framing::Stream;
    let mut receiver = crate::media::receiver::Receiver::new(Arc::new(expected), framing);
    receiver.octets(call.lab.now().mono, &received);
    receiver.finish();
    let verdict = receiver.verdict();
    assert!(verdict.dropped > 0, "{verdict}");
    assert_eq!(verdict.packets.gaps, 0, "{verdict}");
    assert_eq!((verdict.mismatched, verdict.damaged), (0, 0), "{verdict}");
    assert_eq!(call.losses(call.camera), []);
}

#[test]
fn a_peer_that_closes_is_lost_and_can_be_reached_again() {
    let mut call = Call::new(MediaTransport::TcpPassive, Link::default());
    call.start();
    call.lab.run_for(2 * SECOND);
    call.lab
        .command(call.platform, Say::Media(Order::Stop(STREAM)));
    call.lab.run_for(SECOND);
    assert_eq!(call.losses(call.camera), [Loss::Closed]);

    let peer = call.lab.dial(SocketAddr::new(PLATFORM, 0), call.camera_at);
    call.lab.run_for(SECOND);
    assert_eq!(
        call.lab.read(peer).len(),
        0,
        "nothing flows before the next start"
    );
    let somewhere = call.platform_at;
    let cut = Cut::new(
        call.clip.clone(),
        &PsPolicy::default(),
        &RtpPolicy::default(),
    );
    let config = Arc::new(SenderConfig::new(Arc::new(cut), 7));
    call.command_start(call.camera, somewhere, Flowing::Out(config));
    call.lab.run_for(SECOND);
    assert!(call.lab.read(peer).len() > 1000);
}

#[test]
fn a_connection_that_nobody_accepts_is_reported() {
    let mut call = Call::new(MediaTransport::TcpActive, Link::default());
    call.lab
        .command(call.platform, Say::Media(Order::Stop(STREAM)));
    call.start();
    call.lab.run_for(SECOND);
    assert!(matches!(
        &call.losses(call.camera)[..],
        [Loss::NotConnected(_)]
    ));
}

#[test]
fn media_does_not_disturb_that_the_same_seed_gives_the_same_log() {
    let run = || {
        let mut call = Call::new(MediaTransport::Udp, Link::lossy(0.1));
        call.start();
        call.lab.run_for(3 * SECOND);
        call.lab.fingerprint()
    };
    assert_eq!(run(), run());
}
