//! Events for tests.

use std::time::Duration;

use crate::camera::{CallEnd, CallNumber, Event};
use crate::config::{Files, FleetFile, Plan, Run};
use crate::media::Counts;

/// A plan that names no files.
pub fn plan(text: &str) -> Plan {
    struct None;
    impl Files for None {
        fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
            panic!("{path} is read")
        }
        fn size(&self, path: &str) -> std::io::Result<u64> {
            panic!("{path} is looked for")
        }
    }
    let file = FleetFile::read("fleet.toml", text).unwrap_or_else(|error| panic!("{error}"));
    let plan = file.plan(&Run::default(), &None);
    plan.unwrap_or_else(|error| panic!("{error}"))
}

pub fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

pub fn registered(after: u64) -> Event {
    Event::Registered {
        expires: Duration::from_secs(3600),
        took: millis(after),
    }
}

pub fn failed(why: &str) -> Event {
    Event::RegisterFailed {
        why: why.to_owned(),
        retry: Duration::from_secs(60),
        call_id: "314159265@192.0.2.20".to_owned(),
    }
}

pub fn streaming(call: u64, after: u64) -> Event {
    Event::Streaming {
        call: CallNumber(call),
        took: Some(millis(after)),
    }
}

pub fn ended(call: u64, why: CallEnd) -> Event {
    Event::Ended {
        call: CallNumber(call),
        why,
        counts: Counts {
            frames: 100,
            packets: 700,
            octets: 980_000,
            ..Counts::default()
        },
        call_id: "271828@192.0.2.10".to_owned(),
    }
}
