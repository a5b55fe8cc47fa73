//! What several test files need: captures, and cameras as they are configured.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod capture;
#[cfg(target_os = "linux")]
pub mod live;
#[cfg(target_os = "linux")]
pub mod process;
pub mod slow;
pub mod spoken;
pub mod stage;
pub mod trace;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use vcam::camera::{Accept, Channel, Config, Heartbeat, PlatformAddress};
use vcam::gb28181::DeviceId;
use vcam::media::{Clip, ClipOptions, Cut, FirstKeyFrame};
use vcam::profile::Profile;
use vcam::sip::{Credentials, Transport};

/// Two seconds of QCIF.
pub const TINY: &[u8] = include_bytes!("../../media/tiny.h264");

pub fn id(text: &str) -> DeviceId {
    text.parse().unwrap()
}

pub fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// The tiny clip.
pub fn tiny() -> Arc<Clip> {
    Arc::new(Clip::parse("tiny.h264", TINY.into(), ClipOptions::default()).unwrap())
}

/// The tiny clip, cut as a profile cuts.
pub fn tiny_cut(profile: &Profile) -> Arc<Cut> {
    Arc::new(Cut::new(tiny(), &profile.ps, &profile.rtp))
}

/// A camera of a make with one channel, at an address, for a platform.
pub fn config(profile: &str, device: &str, local: &str, platform: PlatformAddress) -> Config {
    let profile = Profile::builtin(profile).unwrap();
    let device = id(device);
    let channel = device.with_type(DeviceId::CHANNEL);
    Config {
        device,
        name: String::new(),
        channels: vec![Channel {
            id: channel,
            name: "Gate".into(),
            source: tiny_cut(&profile),
            sub: None,
            part_of: None,
            added: None,
        }],
        position: None,
        recordings: None,
        tree: None,
        platform,
        credentials: Credentials {
            username: device.to_string(),
            password: "12345678".into(),
        },
        transport: Transport::Udp,
        local: addr(local),
        media_ip: None,
        expires: Duration::from_secs(3600),
        heartbeat: Heartbeat::default(),
        retry: Duration::from_secs(60),
        reconnect: Duration::from_secs(5),
        first_sn: 1,
        accept: Accept::Platform,
        first_frame: FirstKeyFrame::Immediate,
        backlog: Duration::from_secs(2),
        microphone: None,
        echoes: false,
        keeps_voice: false,
        profile,
    }
}

/// A platform's address as a user types it in.
pub fn platform(id: &str, address: &str) -> PlatformAddress {
    let id = self::id(id);
    PlatformAddress {
        domain: id.domain10().to_owned(),
        id,
        address: addr(address),
    }
}
