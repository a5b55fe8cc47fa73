//! A camera in a test: starts a platform and a camera on loopback, calls the camera over each
//! transport and compares what comes with the file.
//!
//! ```text
//! cargo run --example camera_in_a_test
//! ```

use vcam::{Camera, Clip, MediaTransport, Platform, Profile, Transport};

#[tokio::main]
async fn main() -> Result<(), vcam::Error> {
    let platform = Platform::builder().password("12345678").start().await?;
    let camera = Camera::builder(Profile::builtin("dahua-ipc")?)
        .platform(platform.address())
        .password("12345678")
        .transport(Transport::Tcp)
        .channels(2)
        .media(Clip::sample())
        .start()
        .await?;
    camera.registered().await?;
    for item in platform.catalog(camera.id()).await? {
        println!("{}  {}", item.id, item.name);
    }
    for transport in [
        MediaTransport::Udp,
        MediaTransport::TcpActive,
        MediaTransport::TcpPassive,
    ] {
        let mut stream = platform.play(camera.channel(2)).over(transport).await?;
        let verdict = stream.verified_seconds(2.0).await?;
        println!("{transport}: {verdict}");
        stream.stop().await?;
    }
    camera.power_off().await?;
    platform.shut_down().await
}
