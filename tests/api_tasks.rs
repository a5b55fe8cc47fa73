//! Long tasks on real sockets: firmware fetched and pictures delivered over HTTP, from the
//! platform's order to the device's last word.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use vcam::gb28181::manscdp::{
    DeviceUpgrade, SdCardState, SnapShotConfig, SnapShotFinished, UpgradeFailure, UpgradeResult,
};
use vcam::platform::{Event, Notice};
use vcam::{Camera, Clip, Platform, Profile};

const SESSION: &str = "5f1c0d9e8b7a46538291a0b1c2d3e4f5";
const PATIENCE: Duration = Duration::from_secs(20);

/// A web server, and the requests that came with a body.
struct Web {
    address: String,
    delivered: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Web {
    async fn start() -> Web {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (deliver, delivered) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, deliver.clone()));
            }
        });
        Web { address, delivered }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
}

async fn serve(mut stream: TcpStream, deliver: mpsc::UnboundedSender<Vec<u8>>) {
    let (mut request, mut buffer) = (Vec::new(), vec![0; 65_536]);
    let (head, length) = loop {
        let n = stream.read(&mut buffer).await.unwrap();
        assert_ne!(n, 0, "the request ends early");
        request.extend_from_slice(&buffer[..n]);
        let end = request.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end else { continue };
        let head = String::from_utf8(request[..end].to_vec()).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        if request.len() >= end + 4 + length {
            break (head, length);
        }
    };
    let path = head.split(' ').nth(1).unwrap();
    let answer = match path {
        "/firmware" => format!(
            "200 OK\r\nContent-Length: 100000\r\n\r\n{}",
            "x".repeat(100_000)
        ),
        "/short" => "200 OK\r\nContent-Length: 100000\r\n\r\nxxx".to_owned(),
        "/up" => "200 OK\r\nContent-Length: 2\r\n\r\nOK".to_owned(),
        "/full" => "500 Internal Server Error\r\nContent-Length: 0\r\n\r\n".to_owned(),
        _ => "404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
    };
    if length > 0 {
        deliver.send(request).unwrap();
    }
    stream
        .write_all(format!("HTTP/1.1 {answer}").as_bytes())
        .await
        .unwrap();
}

async fn registered(platform: &Platform) -> Camera {
    let profile = "extends = 'generic-2022'\n[behaviour.reboot]\nseconds = 1\n";
    let camera = Camera::builder(Profile::parse("quick.toml", profile).unwrap())
        .platform(platform.address())
        .name("Gate 7")
        .media(Clip::open(concat!(env!("CARGO_MANIFEST_DIR"), "/media/tiny.h264")).unwrap())
        .start()
        .await
        .unwrap();
    camera.registered().await.unwrap();
    camera
}

/// What the device tells next.
async fn notice(events: &mut vcam::Events<Event>) -> Notice {
    let found = async {
        loop {
            if let Event::Notice { notice, .. } = events.next().await.expect("an event") {
                return notice;
            }
        }
    };
    timeout(PATIENCE, found).await.expect("a notice in time")
}

fn upgrade(url: String) -> DeviceUpgrade {
    DeviceUpgrade {
        firmware: "V9".to_owned(),
        file_url: url,
        manufacturer: "vcam".to_owned(),
        session_id: SESSION.to_owned(),
    }
}

fn pictures(number: u8, url: String) -> SnapShotConfig {
    SnapShotConfig {
        number,
        interval: 1,
        upload_url: url,
        session_id: SESSION.to_owned(),
    }
}

#[tokio::test]
async fn a_device_fetches_firmware_starts_again_and_runs_it() {
    let (platform, web) = (Platform::start().await.unwrap(), Web::start().await);
    let camera = registered(&platform).await;
    let mut events = platform.events();
    let order = upgrade(web.url("/firmware"));
    assert!(platform.upgrade(camera.id(), order).await.unwrap());
    let expected = UpgradeResult {
        session_id: SESSION.to_owned(),
        firmware: "V9".to_owned(),
        failure: None,
    };
    assert_eq!(notice(&mut events).await, Notice::Upgraded(expected));
    let info = platform.device_info(camera.id()).await.unwrap();
    assert_eq!(info.firmware, "V9");
    assert!(
        platform.complaints().is_empty(),
        "{:?}",
        platform.complaints()
    );
}

#[tokio::test]
async fn firmware_that_is_missing_or_broken_off_is_told_and_the_device_stays() {
    let (platform, web) = (Platform::start().await.unwrap(), Web::start().await);
    let camera = registered(&platform).await;
    let mut events = platform.events();
    for (path, failure) in [
        ("/nothing", UpgradeFailure::Other),
        ("/short", UpgradeFailure::BrokenPackage),
    ] {
        let order = upgrade(web.url(path));
        assert!(platform.upgrade(camera.id(), order).await.unwrap());
        let Notice::Upgraded(result) = notice(&mut events).await else {
            panic!("another notice");
        };
        assert_eq!(result.failure, Some(failure), "{path}");
        assert!(camera.is_registered());
    }
    let info = platform.device_info(camera.id()).await.unwrap();
    assert_ne!(info.firmware, "V9");
    assert!(
        platform.complaints().is_empty(),
        "{:?}",
        platform.complaints()
    );
}

#[tokio::test]
async fn pictures_arrive_as_jpegs_as_large_as_the_main_stream() {
    let (platform, mut web) = (Platform::start().await.unwrap(), Web::start().await);
    let camera = registered(&platform).await;
    let mut events = platform.events();
    let order = pictures(2, web.url("/up"));
    assert!(platform.snapshots(&camera.channel(1), order).await.unwrap());
    let Notice::SnapshotsDelivered(SnapShotFinished { session_id, files }) =
        notice(&mut events).await
    else {
        panic!("another notice");
    };
    assert_eq!((session_id.as_str(), files.len()), (SESSION, 2));
    for file in &files {
        let request = web.delivered.recv().await.unwrap();
        let find = |part: &[u8]| request.windows(part.len()).position(|found| found == part);
        assert!(find(format!("filename=\"{file}.jpg\"").as_bytes()).is_some());
        assert!(find(SESSION.as_bytes()).is_some());
        let (from, to) = (find(&[0xFF, 0xD8]).unwrap(), find(&[0xFF, 0xD9]).unwrap());
        let clip = &camera.config().channels[0].source;
        let (width, height) = size(&request[from..to]);
        let main = (clip.clip().width(), clip.clip().height());
        assert_eq!((u32::from(width), u32::from(height)), main);
    }
    assert!(
        platform.complaints().is_empty(),
        "{:?}",
        platform.complaints()
    );
}

/// Width and height, as the frame header of a baseline JPEG says (ITU-T T.81 B.2.2).
fn size(jpeg: &[u8]) -> (u16, u16) {
    let header = jpeg.windows(2).position(|marker| marker == [0xFF, 0xC0]);
    let header = &jpeg[header.expect("a frame header")..];
    let side = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    (side(7), side(5))
}

#[tokio::test]
async fn pictures_that_no_server_takes_are_missing_from_the_list() {
    let (platform, mut web) = (Platform::start().await.unwrap(), Web::start().await);
    let camera = registered(&platform).await;
    let mut events = platform.events();
    let order = pictures(1, web.url("/full"));
    assert!(platform.snapshots(&camera.channel(1), order).await.unwrap());
    let Notice::SnapshotsDelivered(finished) = notice(&mut events).await else {
        panic!("another notice");
    };
    assert!(finished.files.is_empty());
    let mut attempts = 0;
    while web.delivered.try_recv().is_ok() {
        attempts += 1;
    }
    assert_eq!(attempts, 3);
    let wrong = pictures(11, web.url("/up"));
    assert!(!platform.snapshots(&camera.channel(1), wrong).await.unwrap());
}

#[tokio::test]
async fn a_platform_sees_a_storage_card_being_formatted() {
    let platform = Platform::start().await.unwrap();
    let camera = registered(&platform).await;
    let states = |cards: Vec<vcam::gb28181::manscdp::SdCard>| {
        let states: Vec<_> = cards.into_iter().map(|card| card.state).collect();
        states
    };
    let before = platform.sd_cards(camera.id()).await.unwrap();
    assert_eq!(states(before), [SdCardState::Ok]);
    platform.format_sd_card(camera.id(), 1).await.unwrap();
    let now = platform.sd_cards(camera.id()).await.unwrap();
    assert_eq!(states(now), [SdCardState::Formatting]);
    assert!(
        platform.complaints().is_empty(),
        "{:?}",
        platform.complaints()
    );
}
