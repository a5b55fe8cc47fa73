//! Whole fleets on real sockets, against our own platform.

use std::time::Duration;

use serde_json::Value;
use vcam::config::{FleetFile, Run};
use vcam::fleet::{Phase, Report};
use vcam::{Fleet, Folder, MediaTransport, Platform, Sink};

const PASSWORD: &str = "12345678";

/// Fifty cameras of all makes, in two transports, among them recorders with two channels.
fn fleet(platform: &Platform, mode: &str) -> String {
    let address = platform.address().address;
    format!(
        r#"
seed = 7
[platform]
address = "{address}"
password = "{PASSWORD}"
[addresses]
mode = "{mode}"
[ramp]
cameras-per-second = 100
jitter = "100ms"
hold = "2s"
down-per-second = 100
[[cameras]]
profile = "dahua-ipc"
media = "tiny.h264"
count = 20
[[cameras]]
profile = "dahua-sd6c"
media = "tiny.h264"
count = 10
[[cameras]]
profile = "generic-2016"
media = "tiny.h264"
transport = "tcp"
first-frame = "own-clock"
count = 10
[[cameras]]
profile = "dahua-nvr"
media = ["tiny.h264", "tiny.h264"]
channels = 2
count = 10
[thresholds]
registered-at-end = "100 %"
calls-streamed = "100 %"
keepalives-answered = "100 %"
streams-at-once = 50
errors = 0
"#
    )
}

async fn prepared(text: &str) -> Fleet {
    let folder = Folder::of(concat!(env!("CARGO_MANIFEST_DIR"), "/media/fleet.toml"));
    let file = FleetFile::read("fleet.toml", text).unwrap_or_else(|error| panic!("{error}"));
    let plan = file.plan(&Run::default(), &folder);
    let plan = plan.unwrap_or_else(|error| panic!("{error}"));
    Fleet::prepare("fleet.toml", plan, &folder).await.unwrap()
}

fn json(report: &Report) -> Value {
    serde_json::from_str(&report.json()).unwrap()
}

/// A platform that calls the first channel of everybody, media travelling so.
async fn platform(media: MediaTransport) -> Platform {
    let sink = Sink::new().over(media).ask_catalog();
    let platform = Platform::builder().password(PASSWORD).sink(sink);
    platform.start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_cameras_of_all_makes_come_stream_and_go_without_an_error() {
    for (mode, media) in [
        ("shared-socket", MediaTransport::TcpActive),
        ("own-port", MediaTransport::Udp),
    ] {
        let platform = platform(media).await;
        let fleet = prepared(&fleet(&platform, mode)).await;
        assert_eq!(fleet.plan().len(), 50);
        let mut seen = Vec::new();
        let report = fleet
            .run(std::future::pending(), |view| seen.push(view.phase))
            .await
            .unwrap();
        let text = report.json();
        assert!(report.passed(), "{mode}: {text}");
        let said = json(&report);
        assert_eq!(said["seed"], 7);
        assert_eq!(said["ended_by"], "time");
        assert_eq!(said["cameras"]["registered"], 50);
        assert_eq!(said["cameras"]["registered_at_end"], 50);
        assert_eq!(said["calls"]["streamed"], said["calls"]["ended"], "{text}");
        assert!(
            said["media"]["frames"].as_u64().unwrap() > 50 * 20,
            "{text}"
        );
        assert_eq!(said["queries"], 50);
        assert_eq!(said["media"]["dropped"], 0);
        for time in ["register", "invite", "ack", "first_packet", "keepalive"] {
            let count = said["times"][time]["count"].as_u64();
            assert!(count.unwrap() >= 50, "{time}: {text}");
        }
        assert_eq!(said["times"]["lateness"]["count"], said["media"]["frames"]);
        let groups = said["groups"].as_array().unwrap();
        assert_eq!(groups.len(), 4);
        let frames: u64 = groups.iter().filter_map(|g| g["frames"].as_u64()).sum();
        assert_eq!(said["media"]["frames"], frames, "{text}");
        assert!(seen.contains(&Phase::Holding), "{seen:?}");
        platform.shut_down().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_that_is_refused_says_so_with_an_example() {
    let platform = Platform::builder().password("another").start();
    let platform = platform.await.unwrap();
    let address = platform.address().address;
    let text = format!(
        "[platform]\naddress = \"{address}\"\npassword = \"{PASSWORD}\"\n[[cameras]]\ncount = 3\n\
         [ramp]\nhold = \"1s\"\n"
    );
    let fleet = prepared(&text).await;
    let ids: Vec<_> = fleet.plan().cameras().map(|c| c.id().to_string()).collect();
    let report = fleet.run(std::future::pending(), |_| {}).await.unwrap();
    assert!(!report.passed());
    let said = json(&report);
    assert_eq!(said["cameras"]["failed"], 3);
    let error = &said["errors"][0];
    assert_eq!(error["count"], 3, "{said:#}");
    let camera = error["example"]["camera"].as_str().unwrap();
    assert!(ids.iter().any(|id| id == camera), "{said:#}");
    assert!(!error["example"]["call_id"].as_str().unwrap().is_empty());
    let xml = report.junit();
    assert_eq!(xml.matches("<failure").count(), 2, "{xml}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_stopped_on_its_way_up_says_goodbye_to_those_that_came() {
    let platform = platform(MediaTransport::TcpActive).await;
    let text =
        fleet(&platform, "own-port").replace("per-second = 100\njitter", "per-second = 10\njitter");
    let fleet = prepared(&text).await;
    let stop = tokio::time::sleep(Duration::from_millis(1500));
    let report = fleet.run(stop, |_| {}).await.unwrap();
    let said = json(&report);
    assert_eq!(said["ended_by"], "stopped");
    let started = said["cameras"]["started"].as_u64().unwrap();
    assert!((5..50).contains(&started), "{said:#}");
    let registered = &said["thresholds"][0];
    assert_eq!(registered["name"], "registered");
    assert_eq!(registered["passed"], true, "{said:#}");
    assert!(platform.devices().is_empty(), "{:?}", platform.devices());
}

/// All of 127.0.0.0/8 is there on Linux only.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cameras_with_an_address_of_their_own_are_seen_at_it() {
    let platform = platform(MediaTransport::TcpActive).await;
    let free = std::net::UdpSocket::bind("127.0.3.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let text = format!(
        "[platform]\naddress = \"{}\"\npassword = \"{PASSWORD}\"\n\
         [addresses]\nmode = \"own-ip\"\nip = \"127.0.3.1-127.0.3.5\"\nports = \"{port}\"\n\
         [ramp]\nhold = \"2s\"\n[[cameras]]\ncount = 5\nmedia = \"tiny.h264\"\n",
        platform.address().address
    );
    let fleet = prepared(&text).await;
    let ids: Vec<_> = fleet.plan().cameras().map(|camera| camera.id()).collect();
    let run = tokio::spawn(fleet.run(std::future::pending(), |_| {}));
    for (n, id) in ids.into_iter().enumerate() {
        let patience = Duration::from_secs(10);
        let there = platform.registered(id, patience).await.unwrap();
        let expected = format!("127.0.3.{}:{port}", n + 1);
        assert_eq!(there.at.to_string(), expected, "{id}");
    }
    let report = run.await.unwrap().unwrap();
    assert!(report.passed(), "{}", report.json());
    assert_eq!(json(&report)["calls"]["streamed"], 5);
}
