//! A camera against a platform of your own, and what it tells while it runs.
//!
//! ```text
//! cargo run --example my_own_platform -- sip:34020000002000000001@192.0.2.10:5060 12345678
//! ```

use std::time::Duration;

use vcam::{Camera, Profile};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(platform), Some(password)) = (arguments.next(), arguments.next()) else {
        return Err("give the platform (sip:ID@HOST:PORT) and the password".into());
    };
    let camera = Camera::builder(Profile::builtin("dahua-ipc")?)
        .platform(vcam::resolve(&platform).await?)
        .password(password)
        .start()
        .await?;
    let mut events = camera.events();
    camera.registered().await?;
    let minute = tokio::time::sleep(Duration::from_secs(60));
    tokio::pin!(minute);
    loop {
        tokio::select! {
            Some(event) = events.next() => println!("{event:?}"),
            () = &mut minute => break,
        }
    }
    Ok(camera.power_off().await?)
}
