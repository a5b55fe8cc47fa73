//! A reference platform described step by step.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::error::Error;
use super::platform::Platform;
use super::sink::Sink;
use crate::gb28181::DeviceId;
use crate::net::address::{free_port, outward};
use crate::platform::{Config, Heartbeat, RegistrationPolicy};
use crate::sip::Transport;

/// The code of a platform that is given none.
const ID: &str = "34020000002000000001";
/// How often another port is tried when somebody else was quicker.
const ATTEMPTS: usize = 16;

/// What a platform shall be. Everything has a default.
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `start`"]
pub struct PlatformBuilder {
    id: String,
    domain: Option<String>,
    password: Option<String>,
    passwords: Vec<(String, String)>,
    listen: SocketAddr,
    tcp: bool,
    media_ip: Option<IpAddr>,
    registration: RegistrationPolicy,
    heartbeat: Heartbeat,
    answer_timeout: Option<Duration>,
    media_timeout: Option<Duration>,
    seed: Option<u64>,
    sink: Option<Sink>,
}

impl PlatformBuilder {
    pub(super) fn new() -> Self {
        PlatformBuilder {
            id: ID.to_owned(),
            domain: None,
            password: None,
            passwords: Vec::new(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tcp: true,
            media_ip: None,
            registration: RegistrationPolicy::default(),
            heartbeat: Heartbeat::default(),
            answer_timeout: None,
            media_timeout: None,
            seed: None,
            sink: None,
        }
    }

    /// Its 20-digit code. Default: 34020000002000000001.
    pub fn id(mut self, id: impl ToString) -> Self {
        self.id = id.to_string();
        self
    }

    /// Its SIP domain and realm. Default: the first ten digits of its code.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// The password of every device that has none of its own. Without any password, nobody is
    /// asked for one.
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// The password of one device. Without a common one, only these may register.
    pub fn password_of(mut self, device: impl ToString, password: impl Into<String>) -> Self {
        self.passwords.push((device.to_string(), password.into()));
        self
    }

    /// Where it listens, for datagrams and connections alike; port 0: any that is free for both.
    /// Default: 127.0.0.1:0.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Listen for datagrams only.
    pub fn udp_only(mut self) -> Self {
        self.tcp = false;
        self
    }

    /// The address it takes media at. Default: where it listens, or our address as the world sees
    /// it when it listens everywhere.
    pub fn media_ip(mut self, ip: IpAddr) -> Self {
        self.media_ip = Some(ip);
        self
    }

    /// How it treats registrations.
    pub fn registration(mut self, policy: RegistrationPolicy) -> Self {
        self.registration = policy;
        self
    }

    /// When a silent device counts as off-line. Default: after 3 x 60 s.
    pub fn heartbeat(mut self, interval: Duration, count: u32) -> Self {
        self.heartbeat = Heartbeat { interval, count };
        self
    }

    /// How long the answer to a query may take. Default: 10 s.
    pub fn answer_timeout(mut self, patience: Duration) -> Self {
        self.answer_timeout = Some(patience);
        self
    }

    /// How long a call may stay without media. Default: 10 s.
    pub fn media_timeout(mut self, patience: Duration) -> Self {
        self.media_timeout = Some(patience);
        self
    }

    /// Where its chance comes from: tags, branches, nonces. Default: another each time.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Call everybody who registers, and take all media in at one port:
    /// [`Platform::sink`](super::Platform::sink) tells how that goes.
    pub fn sink(mut self, sink: Sink) -> Self {
        self.sink = Some(sink);
        self
    }

    /// Starts it; it listens when this returns.
    pub async fn start(self) -> Result<Platform, Error> {
        let seed = self.seed.unwrap_or_else(rand::random);
        self.sink.as_ref().map(Sink::check).transpose()?;
        let sink = self.sink.as_ref();
        if self.listen.port() != 0 {
            return Platform::spawn(self.config(self.listen)?, seed, sink).await;
        }
        let mut tried = 1;
        loop {
            let address = self.free_port()?;
            match Platform::spawn(self.config(address)?, seed, sink).await {
                Err(Error::Bind { .. }) if tried < ATTEMPTS => tried += 1,
                done => return done,
            }
        }
    }

    fn free_port(&self) -> Result<SocketAddr, Error> {
        free_port(self.listen.ip()).map_err(|error| Error::Bind {
            transport: Transport::Udp,
            address: self.listen,
            why: error.to_string(),
        })
    }

    fn config(&self, address: SocketAddr) -> Result<Config, Error> {
        let mut config = Config::new(code("the platform's ID", &self.id)?, address);
        if let Some(domain) = &self.domain {
            config.domain.clone_from(domain);
            config.realm.clone_from(domain);
        }
        config.passwords.shared.clone_from(&self.password);
        for (device, password) in &self.passwords {
            let device = code("password_of", device)?;
            config.passwords.own.insert(device, password.clone());
        }
        config.tcp = config.tcp.filter(|_| self.tcp);
        config.media_ip = match (self.media_ip, address.ip()) {
            (Some(ip), _) => ip,
            (None, ip) if ip.is_unspecified() => outward(),
            (None, ip) => ip,
        };
        config.registration = self.registration;
        config.heartbeat = self.heartbeat;
        config.answer_timeout = self.answer_timeout.unwrap_or(config.answer_timeout);
        config.media_timeout = self.media_timeout.unwrap_or(config.media_timeout);
        Ok(config)
    }
}

fn code(what: &'static str, text: &str) -> Result<DeviceId, Error> {
    text.parse().map_err(|source| Error::Id { what, source })
}
