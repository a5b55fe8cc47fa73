//! The process with the platform: it says where it listens and ends when nobody reads it any more.

use std::io::Read;
use std::sync::Arc;

use vcam::net::{Clock, Driver, Media};
use vcam::platform::{Config, Event, Passwords, Platform};

use super::cameras::{PASSWORD, PLATFORM};

pub fn run() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut config = Config::new(PLATFORM.parse()?, "127.0.0.1:0".parse()?);
    config.passwords = Passwords::shared(PASSWORD);
    config.tcp = None;
    let platform = Platform::new(Arc::new(config), 1);
    runtime.block_on(async {
        let (driver, commands) = Driver::new(platform, Clock::start(), &Media::default());
        let driver = driver.run(|event| {
            if let Event::Listening { udp, .. } = event {
                println!("{udp}");
            }
        });
        let parent = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        tokio::select! {
            _ = driver => {}
            _ = parent => drop(commands),
        }
    });
    Ok(())
}
