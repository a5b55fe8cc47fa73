//! Recordings: a platform asks a camera what it has kept, plays a piece of it, plays faster, seeks,
//! and downloads ten seconds.
//!
//! ```text
//! cargo run --example recordings
//! ```

use std::time::{Duration, SystemTime};

use vcam::{Camera, Platform, Profile, Recordings};

#[tokio::main]
async fn main() -> Result<(), vcam::Error> {
    let platform = Platform::start().await?;
    let camera = Camera::builder(Profile::builtin("hikvision-nvr")?)
        .platform(platform.address())
        .recordings(Recordings::THREE_DAYS)
        .start()
        .await?;
    camera.registered().await?;
    let channel = camera.channel(1);
    let now = SystemTime::now();
    let ago = |seconds| now - Duration::from_secs(seconds);

    let files = platform.records(&channel, ago(7200), now).await?;
    println!("{} files of the last two hours", files.len());

    let play = platform.play(channel.clone());
    let mut stream = play.playback(ago(3600), ago(1800)).await?;
    println!("played: {}", stream.verified_seconds(2.0).await?);
    stream.speed(4.0).await?;
    let verdict = stream.verified_seconds(8.0).await?;
    println!("and on, four times as fast: {verdict}");
    // The verdict counts a leap as a jump in the source: from here on it is not clean.
    let leap = stream.seek(Duration::from_secs(600)).await?;
    println!("ten minutes in: {}", leap.is_ok());
    stream.stop().await?;

    let load = platform.play(channel);
    let mut loaded = load.download(ago(3600), ago(3590), 8).await?;
    println!("downloaded: {}", loaded.ended().await?.verdict);
    camera.power_off().await?;
    platform.shut_down().await
}
