//! The process with the cameras: registers them all, lets them idle, and says what that cost.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use vcam::camera::{Accept, Camera, Channel, Command, Config, Event, Heartbeat, PlatformAddress};
use vcam::gb28181::DeviceId;
use vcam::media::{Clip, ClipOptions, Cut, FirstKeyFrame};
use vcam::net::{Clock, Media, News, Workers, make_room_for_sockets};
use vcam::profile::Profile;
use vcam::sip::{Credentials, Tokens, Transport};

use super::measure::{Cpu, resident};

pub const PLATFORM: &str = "34020000002000000001";
pub const PASSWORD: &str = "12345678";
const FIRST: &str = "34020000001320000001";
const CLIP: &[u8] = include_bytes!("../../media/tiny.h264");

/// How many cameras register at the same time: enough to keep both sides busy, few enough that
/// nothing is lost and sent again.
const AT_ONCE: usize = 64;

/// Longer than any transaction lives that a registration leaves behind (timer K, 5 s).
const SETTLE: Duration = Duration::from_secs(7);

/// How the cameras are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sockets {
    /// A UDP socket each.
    Own,
    /// One UDP socket for all.
    Shared,
}

/// One round.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub cameras: u32,
    pub sockets: Sockets,
    pub watch: Duration,
    pub interval: Duration,
    pub platform: Option<SocketAddr>,
}

/// What a round showed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// CPU from the first REGISTER until all were registered and had sent their first Keepalive.
    pub registering: f64,
    /// The part of it in user mode.
    pub registering_user: f64,
    /// Octets per idle camera.
    pub memory: f64,
    /// CPU while idle, per second.
    pub idle: f64,
    /// Keepalives answered in that time.
    pub kept: u64,
    /// Registrations and Keepalives that failed.
    pub failed: u64,
}

pub fn run(plan: Plan) -> Result<(), Box<dyn std::error::Error>> {
    make_room_for_sockets(plan.cameras.into())?;
    println!("{}", watch(plan)?);
    Ok(())
}

fn watch(plan: Plan) -> Result<Seen, Box<dyn std::error::Error>> {
    let profile = Profile::builtin(Profile::DEFAULT)?;
    let clip = Clip::parse("tiny.h264", CLIP.into(), ClipOptions::default())?;
    let cut = Arc::new(Cut::new(Arc::new(clip), &profile.ps, &profile.rtp));
    let (tell, told) = mpsc::channel();
    let mut workers = Workers::start(1, Clock::start(), &Media::default(), |_| {
        let tell = tell.clone();
        move |_, news| {
            if let News::Event(event) = news {
                let _ = tell.send(event);
            }
        }
    })?;
    let memory = resident();
    let shared = match plan.sockets {
        Sockets::Own => None,
        Sockets::Shared => Some(workers.share(here(), plan.cameras, 1)?),
    };
    let mut cameras = Vec::with_capacity(plan.cameras as usize);
    for n in 0..plan.cameras {
        let config = Arc::new(config(&plan, n, &profile, &cut));
        cameras.push(match &shared {
            None => workers.add(Camera::new(config, n.into())),
            Some(shared) => {
                let users = [config.device, config.channels[0].id].map(|id| id.to_string());
                workers.add_shared(shared, users, |mark| {
                    let tokens = Tokens::seeded(n.into()).marked(mark);
                    Camera::with_tokens(config, n.into(), tokens)
                })?
            }
        });
    }
    let mut seen = Seen::default();
    let mut off = cameras.iter();
    for camera in off.by_ref().take(AT_ONCE) {
        workers.command(*camera, Command::PowerOn)?;
    }
    let started = Cpu::now();
    let mut kept = 0;
    while kept < plan.cameras {
        let event = told.recv()?;
        seen.note(&event);
        if matches!(event, Event::Kept { .. }) {
            kept += 1;
            if let Some(camera) = off.next() {
                workers.command(*camera, Command::PowerOn)?;
            }
        }
    }
    let registered = Cpu::now().since(started);
    seen.registering = registered.seconds();
    seen.registering_user = registered.user.as_secs_f64();
    std::thread::sleep(SETTLE);
    seen.memory = resident().saturating_sub(memory) as f64 / f64::from(plan.cameras);
    seen.kept = 0;
    while told.try_recv().is_ok() {}
    let idle = Cpu::now();
    std::thread::sleep(plan.watch);
    seen.idle = Cpu::now().since(idle).seconds() / plan.watch.as_secs_f64();
    told.try_iter().for_each(|event| seen.note(&event));
    Ok(seen)
}

fn here() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)
}

fn config(plan: &Plan, n: u32, profile: &Arc<Profile>, cut: &Arc<Cut>) -> Config {
    let first: DeviceId = FIRST.parse().expect("twenty digits");
    let device = first.with_serial(first.serial() + n);
    let platform: DeviceId = PLATFORM.parse().expect("twenty digits");
    Config {
        device,
        name: String::new(),
        channels: vec![Channel {
            id: device.with_type(DeviceId::CHANNEL),
            name: "Gate".to_owned(),
            source: cut.clone(),
            sub: None,
            part_of: None,
            added: None,
        }],
        position: None,
        recordings: None,
        tree: None,
        profile: profile.clone(),
        platform: PlatformAddress {
            id: platform,
            domain: platform.domain10().to_owned(),
            address: plan.platform.expect("the parent says where it is"),
        },
        credentials: Credentials {
            username: device.to_string(),
            password: PASSWORD.to_owned(),
        },
        transport: Transport::Udp,
        local: here(),
        media_ip: None,
        expires: Duration::from_secs(3600),
        heartbeat: Heartbeat {
            interval: plan.interval,
            count: 3,
        },
        retry: Duration::from_secs(60),
        reconnect: Duration::from_secs(5),
        first_sn: 1,
        accept: Accept::Platform,
        first_frame: FirstKeyFrame::Immediate,
        backlog: Duration::from_secs(2),
        microphone: None,
        echoes: false,
        keeps_voice: false,
    }
}

impl Seen {
    fn note(&mut self, event: &Event) {
        match event {
            Event::Kept { .. } => self.kept += 1,
            Event::RegisterFailed { .. } | Event::KeepaliveLost { .. } => self.failed += 1,
            _ => {}
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = [
            self.registering,
            self.registering_user,
            self.memory,
            self.idle,
            self.kept as f64,
            self.failed as f64,
        ];
        numbers.iter().try_for_each(|number| write!(f, "{number} "))
    }
}

impl FromStr for Seen {
    type Err = String;

    fn from_str(line: &str) -> Result<Seen, String> {
        let numbers: Vec<f64> = line.split_whitespace().flat_map(str::parse).collect();
        match numbers[..] {
            [registering, registering_user, memory, idle, kept, failed] => Ok(Seen {
                registering,
                registering_user,
                memory,
                idle,
                kept: kept as u64,
                failed: failed as u64,
            }),
            _ => Err(format!("the cameras said {line:?}")),
        }
    }
}

impl Plan {
    /// The words that [`Plan::read`] understands.
    pub fn words(&self) -> Vec<String> {
        vec![
            self.cameras.to_string(),
            format!("{:?}", self.sockets),
            self.watch.as_secs().to_string(),
            self.interval.as_secs().to_string(),
            self.platform.map(|at| at.to_string()).unwrap_or_default(),
        ]
    }

    pub fn read(words: impl Iterator<Item = String>) -> Result<Plan, Box<dyn std::error::Error>> {
        let words: Vec<String> = words.collect();
        let [cameras, sockets, watch, interval, platform] = &words[..] else {
            return Err("five words are wanted".into());
        };
        Ok(Plan {
            cameras: cameras.parse()?,
            sockets: match sockets.as_str() {
                "Own" => Sockets::Own,
                "Shared" => Sockets::Shared,
                other => return Err(other.to_owned().into()),
            },
            watch: Duration::from_secs(watch.parse()?),
            interval: Duration::from_secs(interval.parse()?),
            platform: Some(platform.parse()?),
        })
    }
}
