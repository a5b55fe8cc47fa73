//! Kamailio as the registrar: it takes the camera's digest, keeps the registration, answers the
//! Keepalive of a registered camera only, and refuses a wrong password.
#![cfg(target_os = "linux")]

mod common;

use std::process::Command;
use std::time::Duration;

use common::live::Live;
use common::process::{self, Running, Table};
use vcam::camera::{Config, Event};
use vcam::sip::Transport;

const CONFIG: &str = include_str!("kamailio/kamailio.cfg");

const PLATFORM: &str = "34020000002000000001";
const DEVICE: &str = "34020000001320000001";

/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

#[test]
#[ignore = "needs kamailio (Debian package kamailio)"]
fn kamailio_registers_the_camera_over_udp_and_hears_it_live() {
    is_registered_and_kept(Transport::Udp, "udp");
}

#[test]
#[ignore = "needs kamailio (Debian package kamailio)"]
fn kamailio_registers_the_camera_over_tcp_and_hears_it_live() {
    is_registered_and_kept(Transport::Tcp, "tcp");
}

#[test]
#[ignore = "needs kamailio (Debian package kamailio)"]
fn kamailio_refuses_a_wrong_password_over_udp_as_often_as_it_is_tried() {
    is_refused(Transport::Udp);
}

#[test]
#[ignore = "needs kamailio (Debian package kamailio)"]
fn kamailio_refuses_a_wrong_password_over_tcp_as_often_as_it_is_tried() {
    is_refused(Transport::Tcp);
}

fn is_registered_and_kept(transport: Transport, name: &str) {
    let kamailio = Kamailio::start();
    let mut camera = Live::start(kamailio.camera(transport));
    // The registration, and two refreshes half-way through its four seconds.
    for time in ["registered", "refreshed", "refreshed again"] {
        camera.until(time, LIMIT, |e| matches!(e, Event::Registered { .. }));
    }
    camera.until("kept alive", LIMIT, |e| matches!(e, Event::Kept { .. }));
    let events = camera.off();

    let said = kamailio.running.interrupt().stderr;
    let count = |what: &str| said.matches(&format!("JUDGE {what}")).count();
    let saved = count(&format!("saved {DEVICE} over {name} for 4"));
    assert!(saved >= 3, "{said}");
    assert_eq!(count(&format!("saved {DEVICE} over {name} for 0")), 1);
    assert!(count(&format!("kept {DEVICE} over {name}")) >= 3, "{said}");
    assert_eq!(count("stranger"), 0, "{said}");
    let bad = |event: &&Event| {
        matches!(
            event,
            Event::RegisterFailed { .. } | Event::KeepaliveLost { .. } | Event::PlatformLost { .. }
        )
    };
    assert_eq!(events.iter().find(bad), None, "{events:#?}");
    assert!(events.contains(&Event::Off { unregistered: true }));
}

fn is_refused(transport: Transport) {
    let kamailio = Kamailio::start();
    let mut config = kamailio.camera(transport);
    config.credentials.password = "87654321".into();
    let mut camera = Live::start(config);
    for _ in 0..2 {
        camera.until("refused", LIMIT, |event| match event {
            Event::RegisterFailed { why, .. } => why.contains("password"),
            _ => false,
        });
    }
    let registered = |event: &Event| matches!(event, Event::Registered { .. });
    assert!(!camera.events().iter().any(registered));
    camera.off();

    let said = kamailio.running.interrupt().stderr;
    assert!(said.matches("JUDGE challenged").count() >= 4, "{said}");
    assert!(!said.contains("JUDGE saved"), "{said}");
}

struct Kamailio {
    running: Running,
    port: u16,
}

impl Kamailio {
    /// Kamailio in the foreground, with little memory, on a port of its own.
    fn start() -> Kamailio {
        let port = process::free_port();
        let config = CONFIG.replace("PORT", &port.to_string());
        let mut command = Command::new("kamailio");
        command.args(["-DD", "-E", "-f", "kamailio.cfg", "-m", "8", "-M", "2"]);
        command.args(["-Y", ".", "-P", "pid"]);
        let files = [("kamailio.cfg", config.as_bytes())];
        let mut running = Running::start(&mut command, &files);
        running.until("listening", LIMIT, |_| {
            process::is_bound(Table::Udp, port) && process::is_bound(Table::Tcp, port)
        });
        Kamailio { running, port }
    }

    /// A camera with the right password that does in seconds what takes others hours.
    fn camera(&self, transport: Transport) -> Config {
        let platform = common::platform(PLATFORM, &format!("127.0.0.1:{}", self.port));
        let mut config = common::config("dahua-ipc", DEVICE, "127.0.0.1:0", platform);
        config.transport = transport;
        config.expires = Duration::from_secs(4);
        config.heartbeat.interval = Duration::from_secs(1);
        config.retry = Duration::from_secs(1);
        config
    }
}
