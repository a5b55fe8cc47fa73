//! Main and sub stream: which one a platform gets is for its offer to say
//! (GB/T 28181-2022 annex G, and what makes and platforms say instead).

mod common;

use std::sync::Arc;
use std::time::Duration;

use vcam::config::{FleetFile, Run};
use vcam::media::{self, ClipOptions, Cut, nal};
use vcam::{Camera, Channel, Clip, DeviceId, Fleet, Folder, MediaTransport, Platform, Profile};

use common::TINY;
use common::spoken::udp;
use common::stage::Stage;

const MAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/media/tiny.h264");
const SUB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/media/plain.h264");

#[tokio::test]
async fn a_platform_gets_the_stream_that_it_asks_for() {
    let platform = Platform::start().await.unwrap();
    let camera = Camera::builder(Profile::builtin("dahua-ipc").unwrap())
        .platform(platform.address())
        .media(Clip::open(MAIN).unwrap())
        .sub_media(Clip::open(SUB).unwrap());
    let camera = camera.start().await.unwrap();
    camera.registered().await.unwrap();
    let both = || {
        platform
            .play(camera.channel(1))
            .over(MediaTransport::TcpActive)
    };
    for play in [both(), both().sub_stream()] {
        let mut stream = play.await.unwrap();
        let verdict = stream.verified_seconds(0.5).await.unwrap();
        assert!(verdict.is_clean(), "{verdict}");
        stream.stop().await.unwrap();
    }
    camera.power_off().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cameras_of_a_fleet_show_its_sub_media() {
    let platform = Platform::start().await.unwrap();
    let text = format!(
        "[platform]\naddress = \"{}\"\n[[cameras]]\nmedia = {MAIN:?}\nsub-media = {SUB:?}\n",
        platform.address().address
    );
    let folder = Folder::of("fleet.toml");
    let file = FleetFile::read("fleet.toml", &text).unwrap();
    let plan = file.plan(&Run::default(), &folder).unwrap();
    let device: DeviceId = plan.cameras().next().unwrap().id();
    let fleet = Fleet::prepare("fleet.toml", plan, &folder).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let run = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        fleet.run(stopped, |_| {}).await.unwrap()
    });
    platform
        .registered(device, Duration::from_secs(10))
        .await
        .unwrap();
    let channel = Channel::of(device, device.with_type(DeviceId::CHANNEL));
    let channel = channel.showing_in_sub(Clip::open(SUB).unwrap());
    let mut stream = platform.play(channel).sub_stream().await.unwrap();
    let verdict = stream.verified_seconds(0.5).await.unwrap();
    assert!(verdict.is_clean(), "{verdict}");
    stream.stop().await.unwrap();
    stop.send(()).unwrap();
    assert!(run.await.unwrap().passed());
}

#[test]
fn every_way_of_asking_for_the_sub_stream_is_understood() {
    for main in [
        "a=x:y",
        "a=streamprofile:0",
        "a=stream:0",
        "a=streamMode:MAIN",
    ] {
        assert!(!gets_sub(main), "{main}");
    }
    for sub in [
        "a=streamprofile:1",
        "a=streamnumber:1",
        "a=streamnumber:2",
        "a=stream:1",
        "a=streamMode:SUB",
        "a=streammode:sub",
    ] {
        assert!(gets_sub(sub), "{sub}");
    }
}

/// Whether the camera plays its sub stream when the offer has this line.
fn gets_sub(selector: &str) -> bool {
    let sub = std::fs::read(SUB).unwrap();
    let clip = media::Clip::parse("plain.h264", sub.clone().into(), ClipOptions::default());
    let clip = Arc::new(clip.unwrap());
    let mut stage = Stage::registered_with(|config| {
        let cut = Cut::new(clip, &config.profile.ps, &config.profile.rtp);
        config.channels[0].sub = Some(Arc::new(cut));
    });
    let offer = udp().replace("a=recvonly", &format!("a=recvonly\r\n{selector}"));
    let (leg, ok) = stage.invite(offer);
    assert_eq!(ok.status(), 200, "{selector}");
    stage.acknowledge(&leg);
    stage.run(Duration::from_millis(300));
    let sent = stage.datagrams();
    let holds = |set: &[u8]| {
        let mut packets = sent.iter().map(|(_, packet)| packet);
        packets.any(|packet| packet.windows(set.len()).any(|part| part == set))
    };
    let (is_main, is_sub) = (holds(sps(TINY)), holds(sps(&sub)));
    assert!(
        is_main != is_sub,
        "{selector}: main {is_main}, sub {is_sub}"
    );
    is_sub
}

/// The sequence parameter set of a clip.
fn sps(clip: &[u8]) -> &[u8] {
    let mut units = nal::units(clip).map(|at| &clip[at]);
    units.find(|unit| unit[0] & 0x1f == 7).unwrap()
}
