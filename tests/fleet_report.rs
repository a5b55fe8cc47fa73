//! The report of a fleet, letter for letter: on the screen, as JSON, as JUnit. Run with
//! `VCAM_WRITE_GOLDEN=1` to write the texts in `tests/golden` anew, and read what changed.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vcam::camera::{CallEnd, CallNumber, Event};
use vcam::config::{Files, FleetFile, Plan, Run};
use vcam::fleet::{Ending, Facts, Ink, Measure, Report, Statistics, Tally, Times};
use vcam::media::{Counts, Loss, MediaTransport};
use vcam::time::Wall;

const FLEET: &str = r#"
seed = 42
duration = "1m"

[platform]
address = "192.0.2.10:5060"

[[cameras]]
profile = "dahua-ipc"
count = 3

[[cameras]]
profile = "dahua-nvr"

[thresholds]
registered = "90 %"
errors = 10
register.p99 = "100ms"
lateness.p99 = "20ms"
"#;

/// 2026-01-02 03:04:05 UTC.
const BEGAN: Wall = Wall::from_seconds(1_767_323_045);

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        panic!("{path} is read")
    }
    fn size(&self, path: &str) -> io::Result<u64> {
        panic!("{path} is looked for")
    }
}

fn plan() -> Plan {
    let file = FleetFile::read("fleet.toml", FLEET).unwrap();
    file.plan(&Run::default(), &NoFiles).unwrap()
}

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn registered(after: u64) -> Event {
    Event::Registered {
        expires: Duration::from_secs(3600),
        took: millis(after),
    }
}

/// A call from INVITE to BYE whose media broke once.
fn call(number: u64) -> Vec<Event> {
    let call = CallNumber(number);
    let call_id = format!("{number}@192.0.2.10");
    vec![
        Event::Invited {
            call,
            channel: "34020000001310000001".parse().unwrap(),
            transport: MediaTransport::Udp,
        },
        Event::Answered {
            call,
            took: millis(2),
        },
        Event::Acknowledged {
            call,
            took: millis(5),
        },
        Event::Streaming {
            call,
            took: Some(millis(9)),
        },
        Event::MediaLost {
            call,
            why: Loss::Closed,
            call_id: call_id.clone(),
        },
        Event::Streaming { call, took: None },
        Event::Ended {
            call,
            why: CallEnd::Bye,
            counts: Counts {
                frames: 250,
                packets: 1750,
                octets: 2_400_000,
                dropped: 2,
                late: 1,
                returned: 0,
            },
            call_id,
        },
    ]
}

fn statistics() -> Statistics {
    let mut tally = Tally::new(Arc::from([0, 0, 0, 1]));
    let mut note = |camera: usize, event: &Event| {
        tally.note(camera, event, || BEGAN);
    };
    for (camera, after) in [(0, 12), (1, 40), (3, 250)] {
        note(camera, &registered(after));
        note(camera, &Event::Kept { took: millis(3) });
    }
    let refused = Event::RegisterFailed {
        why: "403 Forbidden & \"sorry\"".into(),
        retry: Duration::from_secs(60),
        call_id: "668718229@192.0.2.20".into(),
    };
    note(2, &refused);
    for event in call(1).iter().chain(&call(2)) {
        note(0, event);
    }
    let mut statistics = Statistics::default();
    (0..4).for_each(|_| statistics.switched_on());
    statistics.take(&mut tally);
    let mut times = Times::default();
    for late in 0..1000 {
        times.record(Measure::Lateness, Duration::from_micros(late * 5));
    }
    let sent = Counts {
        frames: 500,
        packets: 3500,
        octets: 4_800_000,
        dropped: 4,
        late: 2,
        returned: 0,
    };
    statistics.pumped(sent, times.histogram(Measure::Lateness).clone());
    statistics.complete();
    statistics.end();
    statistics
}

fn report(ending: Ending) -> Report {
    let facts = Facts {
        file: "fleet.toml".into(),
        began: BEGAN,
        took: Duration::from_millis(61_250),
        ending,
    };
    Report::of(&plan(), &facts, &statistics())
}

#[track_caller]
fn golden(name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    let said = said.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    if std::env::var_os("VCAM_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, &said).unwrap();
    }
    let wanted = std::fs::read_to_string(&path).unwrap();
    assert_eq!(said, wanted, "{name}");
}

#[test]
fn the_screen_says_it_at_a_glance() {
    let lines = report(Ending::Time).screen(Ink::PLAIN);
    assert!(lines.iter().all(|line| line.chars().count() <= 110));
    golden("fleet-report.txt", &(lines.join("\n") + "\n"));
}

#[test]
fn json_says_all_of_it() {
    golden("fleet-report.json", &report(Ending::Time).json());
}

#[test]
fn junit_has_a_case_for_each_threshold_and_group() {
    golden("fleet-report.xml", &report(Ending::Time).junit());
}

#[test]
fn a_missed_threshold_fails_the_run_and_the_group_that_missed_it() {
    let report = report(Ending::Time);
    assert!(!report.passed());
    let failed: Vec<_> = report.failures().map(|check| check.name.as_str()).collect();
    assert_eq!(failed, ["registered", "register.p99"]);
    let xml = report.junit();
    assert_eq!(xml.matches("<failure").count(), 3, "{xml}");
}

#[test]
fn colours_change_nothing_but_colours() {
    let report = report(Ending::Time);
    let coloured = report.screen(Ink::new(true)).join("\n");
    let mut plain = String::new();
    let mut escaped = false;
    for character in coloured.chars() {
        match character {
            '\x1b' => escaped = true,
            'm' if escaped => escaped = false,
            _ if escaped => {}
            _ => plain.push(character),
        }
    }
    assert_ne!(coloured, plain);
    assert_eq!(plain, report.screen(Ink::PLAIN).join("\n"));
}
