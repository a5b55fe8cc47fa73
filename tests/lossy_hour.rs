//! Two hundred cameras on a network that loses a fifth of all datagrams, both ways, for an hour of
//! virtual time with calls coming and going.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::{config, id, ip, platform as platform_address};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use vcam::camera::{self, Camera};
use vcam::gb28181::DeviceId;
use vcam::lab::{Key, Lab, Link};
use vcam::media::{Expected, MediaTransport};
use vcam::platform::{self, Passwords, Platform, PlayId};

const CAMERAS: u32 = 200;
const PLATFORM: &str = "34020000002000000001";
/// Calls end in time for the last retransmission to be over.
const CALLS_END: Duration = Duration::from_secs(3480);
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn all_stay_registered_no_dialog_is_left_and_the_same_seed_tells_the_same_story() {
    let first = Hour::run(7);
    first.assert_all_is_well();
    let second = Hour::run(7);
    assert_eq!(first.lab.fingerprint(), second.lab.fingerprint());
    let other = Hour::run(8);
    other.assert_all_is_well();
    assert_ne!(first.lab.fingerprint(), other.lab.fingerprint());
}

struct Hour {
    lab: Lab,
    platform: Key<Platform>,
    cameras: Vec<(DeviceId, Key<Camera>)>,
    chance: StdRng,
    calls: u64,
    /// When each call that is up shall end.
    ends: BTreeMap<PlayId, Duration>,
}

impl Hour {
    fn run(seed: u64) -> Hour {
        let mut hour = Hour::set(seed);
        let mut now = Duration::ZERO;
        while now < HOUR {
            now += Duration::from_secs(1);
            hour.lab.run_for(Duration::from_secs(1));
            hour.hang_up(now);
            if now > Duration::from_secs(120) && now < CALLS_END && hour.chance.random_bool(0.1) {
                hour.call(now);
            }
        }
        hour
    }

    fn set(seed: u64) -> Hour {
        let mut lab = Lab::new(seed);
        lab.set_links(Link::lossy(0.2));
        let mut config = platform::Config::new(id(PLATFORM), "10.0.0.1:5060".parse().unwrap());
        config.passwords = Passwords::shared("12345678");
        let platform = lab.add(ip("10.0.0.1"), Platform::new(Arc::new(config), seed));
        let cameras = (0..CAMERAS)
            .map(|n| add_camera(&mut lab, seed, n))
            .collect();
        Hour {
            lab,
            platform,
            cameras,
            chance: StdRng::seed_from_u64(seed),
            calls: 0,
            ends: BTreeMap::new(),
        }
    }

    /// A call of a few seconds to a camera by chance.
    fn call(&mut self, now: Duration) {
        let (device, _) = self.cameras[self.chance.random_range(0..self.cameras.len())];
        self.calls += 1;
        let play = PlayId(self.calls);
        let length = Duration::from_secs(self.chance.random_range(2..6));
        self.ends.insert(play, now + length);
        let transport = match self.calls % 3 {
            0 => MediaTransport::Udp,
            1 => MediaTransport::TcpActive,
            _ => MediaTransport::TcpPassive,
        };
        let command = platform::Command::Play {
            device,
            channel: device.with_type(DeviceId::CHANNEL),
            transport,
            stream: 0,
            showing: vcam::platform::Showing::Live,
            expected: Arc::new(Expected::default()),
            play,
        };
        self.lab.command(self.platform, command);
    }

    fn hang_up(&mut self, now: Duration) {
        let later = self
            .ends
            .clone()
            .into_iter()
            .filter(|(_, end)| *end > now)
            .collect();
        let all = std::mem::replace(&mut self.ends, later);
        for (play, _) in all.into_iter().filter(|(_, end)| *end <= now) {
            let stop = platform::Command::Stop { play };
            self.lab.command(self.platform, stop);
        }
    }

    fn assert_all_is_well(&self) {
        for (device, key) in &self.cameras {
            let camera = self.lab.node(*key);
            assert!(camera.is_registered(), "{device} is not registered");
            assert_eq!(camera.calls(), 0, "{device} still has a call");
        }
        let platform = self.lab.node(self.platform);
        assert_eq!(platform.devices(), CAMERAS as usize);
        assert_eq!(platform.calls(), 0, "the platform still has a call");
        let events = self.lab.events(self.platform);
        let played = events
            .iter()
            .filter(|(_, event)| matches!(event, platform::Event::Streaming { .. }));
        let played = played.count() as u64;
        assert!(self.calls > 200, "only {} calls", self.calls);
        assert!(
            played * 10 >= self.calls * 9,
            "{played} of {} calls played",
            self.calls
        );
        let cameras = self
            .cameras
            .iter()
            .map(|(_, key)| self.lab.node(*key).counters());
        let repeats: u64 = cameras.map(|counters| counters.retransmissions).sum();
        assert!(
            repeats > 5000,
            "only {repeats} repeats: hardly anything was lost"
        );
    }
}

fn add_camera(lab: &mut Lab, seed: u64, n: u32) -> (DeviceId, Key<Camera>) {
    let device = id("34020000001320000000").with_serial(n + 1);
    let address = format!("10.1.{}.{}", n / 250, n % 250 + 1);
    let make = ["dahua-ipc", "dahua-sd6c", "dahua-nvr", "generic-2016"][n as usize % 4];
    let platform = platform_address(PLATFORM, "10.0.0.1:5060");
    let config = config(
        make,
        &device.to_string(),
        &format!("{address}:5060"),
        platform,
    );
    let camera = Camera::new(Arc::new(config), seed ^ u64::from(n));
    let key = lab.add(ip(&address), camera);
    lab.command(key, camera::Command::PowerOn);
    (device, key)
}
