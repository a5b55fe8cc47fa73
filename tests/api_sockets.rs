//! What is dropped leaves nothing behind. Alone in its process, so that descriptors can be counted.
#![cfg(target_os = "linux")]

use std::time::Duration;

use vcam::{Camera, Clip, MediaTransport, Platform, Profile, Transport};

fn sockets() -> usize {
    let all = std::fs::read_dir("/proc/self/fd").unwrap();
    let targets = all.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    targets
        .filter(|target| target.to_string_lossy().starts_with("socket:"))
        .count()
}

async fn sockets_become(expected: usize) {
    for _ in 0..100 {
        if sockets() == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(sockets(), expected);
}

#[tokio::test]
async fn dropped_handles_leave_no_socket_even_in_the_middle_of_calls() {
    // A runtime has sockets of its own.
    let before = sockets();
    let clip = Clip::open(concat!(env!("CARGO_MANIFEST_DIR"), "/media/tiny.h264")).unwrap();
    for transport in [Transport::Udp, Transport::Tcp] {
        let platform = Platform::start().await.unwrap();
        let alone = sockets();
        let camera = Camera::builder(Profile::builtin("dahua-ipc").unwrap())
            .platform(platform.address())
            .media(clip.clone())
            .transport(transport)
            .start()
            .await
            .unwrap();
        camera.registered().await.unwrap();
        let mut streams = Vec::new();
        for media in [
            MediaTransport::Udp,
            MediaTransport::TcpActive,
            MediaTransport::TcpPassive,
        ] {
            let mut stream = platform.play(camera.channel(1)).over(media).await.unwrap();
            stream.streaming().await.unwrap();
            streams.push(stream);
        }
        // Signalling, and both ends of three streams.
        assert!(sockets() >= alone + 7);
        drop(camera);
        drop(platform);
        sockets_become(before).await;
        drop(streams);
    }
}
