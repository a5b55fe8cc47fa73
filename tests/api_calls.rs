//! The public handles: cameras and platforms in one process, on real sockets.

use std::time::Duration;

use tokio::time::timeout;
use vcam::camera::Event;
use vcam::gb28181::manscdp::{CatalogEvent, Topic};
use vcam::platform::{self, Absence, Notice, PlayEnd};
use vcam::{Camera, Clip, DeviceId, Error, MediaTransport, Platform, Profile, Transport};

fn tiny() -> Clip {
    Clip::open(concat!(env!("CARGO_MANIFEST_DIR"), "/media/tiny.h264")).unwrap()
}

async fn camera(platform: &Platform, profile: &str, transport: Transport) -> Camera {
    let camera = Camera::builder(Profile::builtin(profile).unwrap())
        .platform(platform.address())
        .media(tiny())
        .transport(transport)
        .start()
        .await
        .unwrap();
    camera.registered().await.unwrap();
    camera
}

#[tokio::test]
async fn a_camera_streams_its_clip_over_each_media_transport_at_once() {
    let platform = Platform::start().await.unwrap();
    let camera = camera(&platform, "dahua-ipc", Transport::Tcp).await;
    let mut streams = Vec::new();
    for transport in [
        MediaTransport::Udp,
        MediaTransport::TcpActive,
        MediaTransport::TcpPassive,
    ] {
        let play = platform.play(camera.channel(1)).over(transport).record();
        streams.push(play.await.unwrap());
    }
    for mut stream in streams {
        let verdict = stream.verified_seconds(1.0).await.unwrap();
        assert!(verdict.is_clean(), "{}: {verdict}", stream.transport());
        let end = stream.stop().await.unwrap();
        assert_eq!(end.why, PlayEnd::Stopped);
        assert!(end.verdict.is_clean(), "{}", end.verdict);
        assert_eq!(end.recording[..4], [0, 0, 1, 0xBA]);
    }
    camera.power_off().await.unwrap();
    assert!(platform.devices().is_empty());
    platform.shut_down().await.unwrap();
}

#[tokio::test]
async fn a_channel_plugged_in_streams_and_one_pulled_out_hangs_up() {
    let platform = Platform::start().await.unwrap();
    let camera = camera(&platform, "dahua-nvr", Transport::Udp).await;
    let mut changes = platform.events();
    let lifetime = Duration::from_secs(60);
    platform
        .subscribe(camera.id(), camera.id(), Topic::Catalog, lifetime)
        .await
        .unwrap();
    let yard = camera.channel(1).id.with_serial(7);
    let yard = camera.add_channel(yard, "Yard", tiny()).await.unwrap();
    assert_eq!(told(&mut changes).await, (yard.id, CatalogEvent::Add));
    assert_eq!(camera.channels().len(), 2);
    let again = camera.add_channel(yard.id, "Yard", tiny()).await;
    assert!(matches!(again, Err(Error::Setting { .. })), "{again:?}");

    let mut stream = platform.play(yard.clone()).await.unwrap();
    assert!(stream.verified_seconds(0.5).await.unwrap().is_clean());
    camera.remove_channel(&yard).await.unwrap();
    assert_eq!(told(&mut changes).await, (yard.id, CatalogEvent::Delete));
    let end = stream.ended().await.unwrap();
    assert_eq!(end.why, PlayEnd::ByDevice);
    assert_eq!(camera.channels().len(), 1);
    for gone_or_last in [yard, camera.channel(1)] {
        let refused = camera.remove_channel(&gone_or_last).await;
        assert!(matches!(refused, Err(Error::Setting { .. })), "{refused:?}");
    }
    assert!(platform.complaints().is_empty());
}

/// The next change of a catalogue that the platform hears of.
async fn told(events: &mut vcam::Events<platform::Event>) -> (DeviceId, CatalogEvent) {
    let notice = async {
        loop {
            let event = events.next().await.expect("a platform");
            if let platform::Event::Notice { notice, .. } = event {
                return notice;
            }
        }
    };
    match timeout(Duration::from_secs(10), notice).await {
        Ok(Notice::Catalog(changes)) => (changes[0].item.id.parse().unwrap(), changes[0].event),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_make_registers_with_a_password_and_answers_what_it_is_asked() {
    let platform = Platform::builder()
        .password("12345678")
        .start()
        .await
        .unwrap();
    for name in Profile::names() {
        let profile = Profile::builtin(name).unwrap();
        let camera = Camera::builder(profile.clone())
            .platform(platform.address())
            .password("12345678")
            .channels(3)
            .media(tiny())
            .start()
            .await
            .unwrap();
        camera.registered().await.unwrap();
        let catalog = platform.catalog(camera.id()).await.unwrap();
        let video = catalog.iter().filter(|item| item.shows_video());
        let ids: Vec<_> = video.map(|item| item.id.clone()).collect();
        let own: Vec<_> = camera.channels().map(|c| c.id.to_string()).collect();
        assert_eq!(ids, own, "{name}");
        let info = platform.device_info(camera.id()).await.unwrap();
        assert_eq!(info.manufacturer, profile.device.manufacturer, "{name}");
        platform.device_status(camera.id()).await.unwrap();
        platform.basic_param(camera.id()).await.unwrap();
        assert_eq!(platform.ping(camera.id()).await.unwrap(), 200, "{name}");
        camera.power_off().await.unwrap();
    }
}

#[tokio::test]
async fn many_cameras_stream_side_by_side() {
    let platform = Platform::start().await.unwrap();
    let first: vcam::DeviceId = "34020000001320000001".parse().unwrap();
    let mut cameras = Vec::new();
    for n in 1..=8 {
        let camera = Camera::builder(Profile::builtin("generic-2016").unwrap())
            .platform(platform.address())
            .id(first.with_serial(n))
            .media(tiny())
            .start();
        cameras.push(camera.await.unwrap());
    }
    let mut streams = Vec::new();
    for camera in &cameras {
        camera.registered().await.unwrap();
        streams.push(platform.play(camera.channel(1)).await.unwrap());
    }
    for mut stream in streams {
        let verdict = stream.verified_seconds(1.0).await.unwrap();
        assert!(verdict.is_clean(), "{verdict}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_at_once_and_in_words() {
    let platform = Platform::builder().password("right").start().await.unwrap();
    let camera = Camera::builder(Profile::builtin("dahua-ipc").unwrap())
        .platform(platform.address())
        .password("wrong")
        .media(tiny())
        .start()
        .await
        .unwrap();
    let began = std::time::Instant::now();
    let error = camera.registered().await.unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(matches!(error, Error::NotRegistered { .. }));
    let text = error.to_string();
    assert!(
        text.contains("password") && text.contains("34020000001320000001"),
        "{text}"
    );
    assert!(!text.contains("wrong"), "a password in an error: {text}");
}

#[tokio::test]
async fn a_platform_that_is_not_there_is_told_in_words() {
    let nobody = {
        let platform = Platform::start().await.unwrap();
        platform.address()
    };
    for (transport, why) in [(Transport::Tcp, "refused"), (Transport::Udp, "no answer")] {
        let camera = Camera::builder(Profile::builtin("generic-2016").unwrap())
            .platform(nobody.clone())
            .media(tiny())
            .transport(transport)
            .start()
            .await
            .unwrap();
        let waited = camera.registered_within(Duration::from_secs(1)).await;
        let text = waited.unwrap_err().to_string();
        assert!(text.contains(why), "{text}");
        assert!(text.contains(&nobody.address.to_string()), "{text}");
    }
}

#[tokio::test]
async fn a_call_to_nobody_and_a_refused_call_say_why() {
    let platform = Platform::start().await.unwrap();
    let camera = camera(&platform, "generic-2016", Transport::Udp).await;
    camera.set_online(&camera.channel(1), false).await.unwrap();
    let refused = platform.play(camera.channel(1)).await.unwrap_err();
    assert!(refused.to_string().contains("480"), "{refused}");
    let stranger = camera.id().with_serial(99);
    let nobody = vcam::Channel::of(stranger, stranger);
    let nobody = platform.play(nobody).await.unwrap_err();
    assert!(nobody.to_string().contains("not registered"), "{nobody}");
    let absent = platform
        .registered(stranger, Duration::from_millis(50))
        .await;
    let absent = absent.unwrap_err().to_string();
    assert!(
        absent.contains(&format!("only {}", camera.id())),
        "{absent}"
    );
}

#[tokio::test]
async fn a_stream_of_something_else_is_not_taken_for_the_source() {
    let platform = Platform::start().await.unwrap();
    let camera = camera(&platform, "generic-2016", Transport::Udp).await;
    let other = camera.channel(1).showing(Clip::sample());
    let mut stream = platform.play(other).await.unwrap();
    let end = loop {
        let verdict = stream.progress().await.unwrap();
        if verdict.frames > 0 {
            break verdict;
        }
    };
    assert!(!end.is_clean());
    assert_eq!(end.matched, 0);
}

#[tokio::test]
async fn a_camera_that_hangs_up_ends_the_stream_and_tells() {
    let platform = Platform::start().await.unwrap();
    let camera = camera(&platform, "dahua-ipc", Transport::Udp).await;
    let mut events = camera.events();
    let mut stream = platform.play(camera.channel(1)).await.unwrap();
    stream.streaming().await.unwrap();
    camera.hang_up().await.unwrap();
    assert_eq!(stream.ended().await.unwrap().why, PlayEnd::ByDevice);
    let mut told = Vec::new();
    loop {
        match events.next().await.unwrap() {
            Event::Registered { .. } => told.push("registered"),
            Event::Invited { .. } => told.push("invited"),
            Event::Streaming { .. } => told.push("streaming"),
            Event::Ended { counts, .. } => {
                assert!(counts.packets > 0);
                break;
            }
            _ => {}
        }
    }
    assert_eq!(told, ["registered", "invited", "streaming"]);
}

#[tokio::test]
async fn a_stream_let_go_is_ended_with_bye() {
    let platform = Platform::start().await.unwrap();
    let camera = camera(&platform, "dahua-ipc", Transport::Udp).await;
    let mut events = camera.events();
    let stream = platform.play(camera.channel(1)).await.unwrap();
    drop(stream);
    loop {
        if let Event::Ended { why, .. } = events.next().await.unwrap() {
            assert_eq!(why.to_string(), "the platform said BYE");
            break;
        }
    }
}

#[tokio::test]
async fn a_camera_can_be_switched_off_and_on_again() {
    let platform = Platform::start().await.unwrap();
    let camera = camera(&platform, "dahua-ipc", Transport::Tcp).await;
    camera.power_off().await.unwrap();
    assert!(!camera.is_registered() && platform.devices().is_empty());
    camera.power_on().await.unwrap();
    camera.registered().await.unwrap();
    let mut stream = platform.play(camera.channel(1)).await.unwrap();
    stream.streaming().await.unwrap();
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_with_a_way_out() {
    let platform = Platform::start().await.unwrap();
    let builder = || Camera::builder(Profile::builtin("generic-2016").unwrap());
    let error = builder().start().await.unwrap_err().to_string();
    assert!(error.contains("CameraBuilder::platform"), "{error}");
    let there = || builder().platform(platform.address());
    let error = there().id("3402").start().await.unwrap_err().to_string();
    assert!(
        error.contains("20 digits") && error.contains("3402"),
        "{error}"
    );
    let error = there().channels(0).start().await.unwrap_err().to_string();
    assert!(error.contains("from 1"), "{error}");
    let busy = there().local(platform.address().address);
    let error = busy.start().await.unwrap_err().to_string();
    assert!(
        error.contains("in use") && error.contains("Port 0"),
        "{error}"
    );
    let busy = Platform::builder().listen(platform.address().address);
    let error = busy.start().await.unwrap_err().to_string();
    assert!(
        error.contains("in use") && error.contains("Port 0"),
        "{error}"
    );
}

#[tokio::test]
async fn a_device_that_is_silent_for_a_while_stays_registered() {
    use vcam::platform::Event as Told;
    let builder = Platform::builder().heartbeat(Duration::from_millis(200), 1);
    let platform = builder.start().await.unwrap();
    let mut told = platform.events();
    let camera = Camera::builder(Profile::builtin("generic-2016").unwrap())
        .platform(platform.address())
        .media(tiny())
        .keepalive(Duration::from_secs(1), 3)
        .start()
        .await
        .unwrap();
    for back in [false, true] {
        loop {
            match told.next().await.unwrap() {
                Told::Offline { why, .. } if !back => break assert_eq!(why, Absence::Silent),
                Told::Back { .. } if back => break,
                _ => {}
            }
        }
        assert!(platform.devices().contains_key(&camera.id()), "{back}");
        let registered = platform.registered(camera.id(), Duration::ZERO);
        registered.await.unwrap();
    }
}
