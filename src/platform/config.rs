//! What the reference platform is: its identity, its passwords, its patience.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::gb28181::{DeviceId, XmlStyle};
use crate::sip::{OddBye, Style};

/// Everything a [`Platform`](super::Platform) is told about itself. Plain data, read only.
#[derive(Clone, Debug)]
pub struct Config {
    /// Its 20-digit code: the user part of its SIP URI.
    pub id: DeviceId,
    /// Its SIP domain.
    pub domain: String,
    /// The realm of its digest challenges.
    pub realm: String,
    /// Who may register.
    pub passwords: Passwords,
    /// Where it listens for datagrams; port 0: any.
    pub udp: SocketAddr,
    /// Where it listens for connections, if it does; port 0: any.
    pub tcp: Option<SocketAddr>,
    /// The address bound for media and named in SDP. It also stands in Via and Contact where a
    /// socket is bound to no address in particular.
    pub media_ip: IpAddr,
    /// How it treats registrations.
    pub registration: RegistrationPolicy,
    /// When a device counts as off-line.
    pub heartbeat: Heartbeat,
    /// How long an answer to a query may take after the question or its last part (devices answer
    /// within milliseconds; a catalogue of thousands of parts takes longer).
    pub answer_timeout: Duration,
    /// How long an INVITE may stay without a final response before it is cancelled.
    pub invite_timeout: Duration,
    /// How long an established call may stay without media before it is ended.
    pub media_timeout: Duration,
    /// How many devices may be registered, and how many connections open, at a time. Beyond it
    /// REGISTER is answered 503 and new connections are closed.
    pub capacity: usize,
    /// The `SN` of its first query.
    pub first_sn: u32,
    /// How it writes SIP.
    pub style: Style,
    /// How it writes XML.
    pub xml: XmlStyle,
}

impl Config {
    /// A platform on `udp`, and on TCP at the same address, that lets everybody register. Its
    /// domain and realm are the first ten digits of its code.
    pub fn new(id: DeviceId, udp: SocketAddr) -> Self {
        Config {
            id,
            domain: id.domain10().to_owned(),
            realm: id.domain10().to_owned(),
            passwords: Passwords::default(),
            udp,
            tcp: Some(udp),
            media_ip: udp.ip(),
            registration: RegistrationPolicy::default(),
            heartbeat: Heartbeat::default(),
            answer_timeout: Duration::from_secs(10),
            invite_timeout: Duration::from_secs(32),
            media_timeout: Duration::from_secs(10),
            capacity: 100_000,
            first_sn: 1,
            style: Style {
                // It judges devices: what no device may say is refused.
                odd_bye: OddBye::Refuse,
                user_agent: "vcam platform".to_owned(),
                gb_version: "3.0".to_owned(),
                ..Style::default()
            },
            xml: XmlStyle::default(),
        }
    }
}

/// The passwords of devices. With none at all, nobody is asked for one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passwords {
    /// The password of every device that has none of its own.
    pub shared: Option<String>,
    /// Passwords of single devices. Without a shared one, only these may register.
    pub own: HashMap<DeviceId, String>,
}

impl Passwords {
    /// One password for all.
    pub fn shared(password: impl Into<String>) -> Self {
        Passwords {
            shared: Some(password.into()),
            own: HashMap::new(),
        }
    }

    /// Whether devices are asked for a password.
    pub fn are_asked(&self) -> bool {
        self.shared.is_some() || !self.own.is_empty()
    }

    /// The password of `device`; `None`: it may not register.
    pub fn of(&self, device: &DeviceId) -> Option<&str> {
        let own = self.own.get(device).or(self.shared.as_ref());
        own.map(String::as_str)
    }
}

/// How registrations are treated (GB/T 28181-2022 §9.1, RFC 3261 §10.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrationPolicy {
    /// Whether challenges offer `qop="auth"` (RFC 2617); without it devices answer with the digest
    /// of RFC 2069.
    pub qop: bool,
    /// The shortest lifetime granted; less is answered 423.
    pub min_expires: Duration,
    /// The longest lifetime granted; more is cut to it.
    pub max_expires: Duration,
    /// How long a nonce may be used; after that a challenge with `stale=true` replaces it.
    pub nonce_lifetime: Duration,
}

impl Default for RegistrationPolicy {
    fn default() -> Self {
        RegistrationPolicy {
            qop: true,
            min_expires: Duration::from_secs(60),
            max_expires: Duration::from_secs(86_400),
            nonce_lifetime: Duration::from_secs(300),
        }
    }
}

/// When a device counts as off-line: `count` times `interval` without a Keepalive
/// (GB/T 28181-2022 §9.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// From one Keepalive to the next.
    pub interval: Duration,
    /// How many in a row may be lost.
    pub count: u32,
}

impl Heartbeat {
    /// The longest silence of a device that is there.
    pub fn patience(&self) -> Duration {
        self.interval.saturating_mul(self.count)
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Heartbeat {
            interval: Duration::from_secs(60),
            count: 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_of_its_own_goes_before_the_shared_one_and_none_means_no_entry() {
        let id: DeviceId = "34020000001320000001".parse().unwrap();
        let other = id.with_serial(2);
        let mut passwords = Passwords::default();
        assert!(!passwords.are_asked());
        passwords.own.insert(id, "own".into());
        assert_eq!(
            (passwords.of(&id), passwords.of(&other)),
            (Some("own"), None)
        );
        passwords.shared = Some("all".into());
        assert_eq!(passwords.of(&id), Some("own"));
        assert_eq!(passwords.of(&other), Some("all"));
    }
}
