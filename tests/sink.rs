//! A platform that takes everything in: calls everybody, counts at one port, judges a sample.

use std::time::Duration;

use vcam::{
    Camera, Clip, DeviceId, MediaTransport, Platform, Profile, Sink, SinkStatus, SinkWatch,
};

const PASSWORD: &str = "12345678";

fn tiny() -> Clip {
    Clip::open(concat!(env!("CARGO_MANIFEST_DIR"), "/media/tiny.h264")).unwrap()
}

async fn platform(sink: Sink) -> Platform {
    let platform = Platform::builder().password(PASSWORD).sink(sink);
    platform.start().await.unwrap()
}

async fn cameras(platform: &Platform, count: u32) -> Vec<Camera> {
    let first: DeviceId = "34020000001320000001".parse().unwrap();
    let clip = tiny();
    let mut cameras = Vec::new();
    for serial in 1..=count {
        let camera = Camera::builder(Profile::builtin("dahua-ipc").unwrap())
            .platform(platform.address())
            .id(first.with_serial(serial))
            .password(PASSWORD)
            .media(clip.clone());
        cameras.push(camera.start().await.unwrap());
    }
    cameras
}

/// Waits until it stands so.
async fn until(watch: &SinkWatch, what: impl Fn(&SinkStatus) -> bool) -> SinkStatus {
    let deadline = tokio::time::sleep(Duration::from_secs(20));
    tokio::pin!(deadline);
    loop {
        let status = watch.status().await;
        if what(&status) {
            return status;
        }
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
            () = &mut deadline => panic!("still {status:#?}"),
        }
    }
}

async fn everybody_is_called(transport: MediaTransport) {
    let sink = Sink::new().over(transport).verify_percent(10.0);
    let platform = platform(sink.source(tiny())).await;
    let watch = platform.sink().unwrap().clone();
    let cameras = cameras(&platform, 50).await;
    until(&watch, |status| status.calls.streaming == 50).await;
    let enough = |status: &SinkStatus| status.verified.seconds >= 5.0;
    let status = until(&watch, enough).await;
    assert_eq!(status.registered, 50);
    assert_eq!((status.calls.up, status.media.streams), (50, 50));
    assert_eq!((status.answer.count, status.first_packet.count), (50, 50));
    platform.shut_down().await.unwrap();
    let status = watch.status().await;
    assert_eq!(status.shortfalls(), [""; 0], "{status:#?}");
    assert_eq!((status.calls.ended, status.calls.up), (50, 0));
    assert_eq!((status.verified.streams, status.verified.clean), (5, 5));
    assert!(status.media.packets.received > 1000);
    drop(cameras);
}

#[tokio::test]
async fn everybody_who_registers_is_called_over_tcp_and_a_sample_verified() {
    everybody_is_called(MediaTransport::TcpActive).await;
}

#[tokio::test]
async fn calls_that_come_and_go_leave_nothing_behind_and_their_devices_are_called_again() {
    let lasting = Duration::from_millis(200)..=Duration::from_millis(600);
    let sink = Sink::new().lasting(lasting).verify_percent(50.0);
    let platform = platform(sink.source(tiny())).await;
    let watch = platform.sink().unwrap().clone();
    let cameras = cameras(&platform, 10).await;
    let status = until(&watch, |status| status.calls.ended >= 30).await;
    assert!(status.calls.up <= 10, "{status:#?}");
    platform.shut_down().await.unwrap();
    let status = watch.status().await;
    assert_eq!(status.shortfalls(), [""; 0], "{status:#?}");
    assert_eq!(status.calls.ended, status.calls.answered);
    assert_eq!(status.verified.clean, status.verified.streams);
    assert_eq!(status.media.streams, 0);
    drop(cameras);
}

#[tokio::test]
async fn everybody_who_registers_is_called_over_udp_and_a_sample_verified() {
    everybody_is_called(MediaTransport::Udp).await;
}

#[tokio::test]
async fn calls_are_limited_paced_and_go_to_the_channels_of_the_catalogue() {
    let sink = Sink::new().calls(3).rate(20.0).ask_catalog();
    let platform = platform(sink).await;
    let watch = platform.sink().unwrap().clone();
    let begun = tokio::time::Instant::now();
    let cameras = cameras(&platform, 5).await;
    let status = until(&watch, |status| status.calls.streaming == 3).await;
    assert!(begun.elapsed() >= Duration::from_millis(150));
    assert_eq!(status.calls.invited, 3);
    platform.shut_down().await.unwrap();
    let status = watch.status().await;
    assert_eq!((status.calls.invited, status.calls.up), (3, 0));
    assert!(status.shortfalls().is_empty(), "{status:#?}");
    drop(cameras);
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_starts() {
    let sink = Sink::new().rate(0.0);
    let error = Platform::builder().sink(sink).start().await.unwrap_err();
    assert!(error.to_string().contains("above 0"), "{error}");
}
