//! What goes wrong, by kind, each with the first example.

use std::collections::BTreeMap;
use std::fmt;

use crate::time::Wall;

/// A kind of error: as many as there are SIP statuses, whatever a platform says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A registration was refused with this status.
    RegistrationRefused(u16),
    /// A registration got no usable answer.
    RegistrationFailed,
    /// The platform stopped answering, or the connection broke.
    PlatformLost,
    /// A Keepalive was lost or refused.
    KeepaliveLost,
    /// We refused an INVITE with this status.
    InviteRefused(u16),
    /// Nobody acknowledged our 200.
    NoAck,
    /// The media of a call broke; it may have come back.
    MediaLost,
    /// Media could not be sent, and the call ended for it.
    MediaFailed,
    /// A command of the platform was not obeyed: broken, or impossible here.
    NotObeyed,
    /// The platform did not confirm that a camera left.
    NotUnregistered,
    /// A camera of ours failed: a fault in vcam.
    Crashed,
}

impl Kind {
    /// The kind of a registration's failure, from its words: `403 Forbidden`.
    pub(super) fn of_registration(why: &str) -> Kind {
        let status = why.split_whitespace().next().and_then(|w| w.parse().ok());
        match status {
            Some(status @ 200..=699) => Kind::RegistrationRefused(status),
            _ => Kind::RegistrationFailed,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::RegistrationRefused(status) => write!(f, "registration refused with {status}"),
            Kind::RegistrationFailed => f.write_str("registration failed"),
            Kind::PlatformLost => f.write_str("platform lost"),
            Kind::KeepaliveLost => f.write_str("keepalive not answered"),
            Kind::InviteRefused(status) => write!(f, "INVITE refused with {status}"),
            Kind::NoAck => f.write_str("200 to INVITE not acknowledged"),
            Kind::MediaLost => f.write_str("media broke"),
            Kind::MediaFailed => f.write_str("call ended without media"),
            Kind::NotObeyed => f.write_str("command not obeyed"),
            Kind::NotUnregistered => f.write_str("unregistration not confirmed"),
            Kind::Crashed => f.write_str("camera crashed, a fault in vcam"),
        }
    }
}

/// How often it happened, and where the first one is found in a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// How often.
    pub count: u64,
    /// The first one.
    pub example: Example,
}

/// One error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The camera, counted in this process.
    pub camera: usize,
    /// The Call-ID of the messages concerned; empty when there are none.
    pub call_id: String,
    /// When it was noticed.
    pub at: Wall,
    /// What exactly was wrong.
    pub why: String,
}

/// All errors so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Troubles {
    all: BTreeMap<Kind, Trouble>,
}

impl Troubles {
    /// Counts one; `example` is asked only for the first of its kind.
    pub fn note(&mut self, kind: Kind, example: impl FnOnce() -> Example) {
        match self.all.get_mut(&kind) {
            Some(trouble) => trouble.count += 1,
            None => {
                let example = example();
                self.all.insert(kind, Trouble { count: 1, example });
            }
        }
    }

    /// Moves everything from `other` to here; the earlier example stays.
    pub fn take(&mut self, other: &mut Troubles) {
        for (kind, more) in std::mem::take(&mut other.all) {
            match self.all.get_mut(&kind) {
                None => drop(self.all.insert(kind, more)),
                Some(trouble) => {
                    trouble.count += more.count;
                    if more.example.at < trouble.example.at {
                        trouble.example = more.example;
                    }
                }
            }
        }
    }

    pub fn total(&self) -> u64 {
        self.all.values().map(|trouble| trouble.count).sum()
    }

    /// The most frequent first.
    pub fn sorted(&self) -> Vec<(Kind, &Trouble)> {
        let mut sorted: Vec<_> = self.all.iter().map(|(kind, t)| (*kind, t)).collect();
        sorted.sort_by_key(|(_, trouble)| std::cmp::Reverse(trouble.count));
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(camera: usize, at: i64) -> Example {
        Example {
            camera,
            call_id: format!("call-{camera}"),
            at: Wall::from_seconds(at),
            why: String::new(),
        }
    }

    #[test]
    fn the_example_is_the_earliest_of_all_workers() {
        let (mut a, mut b) = (Troubles::default(), Troubles::default());
        a.note(Kind::KeepaliveLost, || example(1, 20));
        b.note(Kind::KeepaliveLost, || example(2, 10));
        b.note(Kind::KeepaliveLost, || unreachable!("there is one already"));
        b.note(Kind::NoAck, || example(3, 30));
        a.take(&mut b);
        let [(Kind::KeepaliveLost, lost), (Kind::NoAck, _)] = a.sorted()[..] else {
            panic!("{a:?}");
        };
        assert_eq!((lost.count, lost.example.camera), (3, 2));
        assert_eq!((a.total(), b.total()), (4, 0));
    }

    #[test]
    fn a_refused_registration_is_told_by_its_status() {
        let of = Kind::of_registration;
        assert_eq!(of("403 Forbidden"), Kind::RegistrationRefused(403));
        assert_eq!(of("200 with Expires: 0"), Kind::RegistrationRefused(200));
        assert_eq!(of("no answer"), Kind::RegistrationFailed);
        assert_eq!(of("5 lives"), Kind::RegistrationFailed);
        assert_eq!(of(""), Kind::RegistrationFailed);
    }
}
