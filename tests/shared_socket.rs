//! Cameras of every make that share one UDP socket, against the reference platform on real
//! sockets: each registers, answers its own catalogue and keeps itself alive.

mod common;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use common::{config, id};
use tokio::sync::mpsc;
use tokio::time::timeout;
use vcam::camera::{self, Camera, PlatformAddress};
use vcam::gb28181::DeviceId;
use vcam::net::{Clock, Driver, Media, News, Workers};
use vcam::platform::{Answer, AskId, Command, Config, Event, Passwords, Platform, Query};
use vcam::sip::Tokens;

const PLATFORM_ID: &str = "34020000002000000001";
const PROFILES: [&str; 9] = [
    "generic-2016",
    "generic-2022",
    "dahua-ipc",
    "dahua-ipc-2022",
    "dahua-nvr",
    "dahua-sd6c",
    "hikvision-ipc",
    "hikvision-nvr",
    "uniview-ipc",
];
const PATIENCE: Duration = Duration::from_secs(20);

/// Camera `n`, and its make.
fn device(n: u32) -> (DeviceId, &'static str) {
    let first = id("34020000001320000001");
    let make = PROFILES[n as usize % PROFILES.len()];
    (first.with_serial(first.serial() + n), make)
}

#[tokio::test(flavor = "multi_thread")]
async fn cameras_of_every_make_on_one_socket_register_and_answer_for_themselves() {
    const CAMERAS: u32 = 40;
    let mut ours = Config::new(id(PLATFORM_ID), "127.0.0.1:0".parse().unwrap());
    ours.passwords = Passwords::shared("12345678");
    let clock = Clock::start();
    let platform = Platform::new(Arc::new(ours), 1);
    let (driver, platform) = Driver::new(platform, clock, &Media::default());
    let (tell, mut told) = mpsc::unbounded_channel();
    tokio::spawn(driver.run(move |event| {
        let _ = tell.send(event);
    }));
    let Some(Event::Listening { udp, .. }) = told.recv().await else {
        panic!("the platform does not listen");
    };
    let mut workers =
        Workers::start(2, clock, &Media::default(), |_| |_, _: News<Camera>| {}).unwrap();
    let shared = workers
        .share("127.0.0.1:0".parse().unwrap(), CAMERAS, 5)
        .unwrap();
    for n in 0..CAMERAS {
        let (device, make) = device(n);
        let address = PlatformAddress {
            id: id(PLATFORM_ID),
            domain: "3402000000".into(),
            address: udp,
        };
        let config = config(make, device.as_str(), "127.0.0.1:0", address);
        let users = [config.device, config.channels[0].id].map(|id| id.to_string());
        let camera = workers.add_shared(&shared, users, |mark| {
            let tokens = Tokens::seeded(n.into()).marked(mark);
            Camera::with_tokens(Arc::new(config), n.into(), tokens)
        });
        workers
            .command(camera.unwrap(), camera::Command::PowerOn)
            .unwrap();
    }

    let mut asked = HashMap::new();
    let mut catalogues = 0;
    while catalogues < CAMERAS {
        let event = timeout(PATIENCE, told.recv())
            .await
            .expect("nothing comes any more");
        match event.unwrap() {
            Event::Kept { device, healthy } => {
                assert!(healthy);
                let ask = AskId(asked.len() as u64);
                asked.insert(ask, device);
                let what = Query::Catalog;
                platform
                    .send(Command::Query { device, what, ask })
                    .await
                    .unwrap();
            }
            Event::Registered { at, .. } => assert_eq!(at, shared.local()),
            Event::Answered {
                ask,
                device,
                answer,
                ..
            } => {
                let Answer::Catalog(items) = answer else {
                    panic!("no catalogue: {answer:?}");
                };
                assert_eq!(asked[&ask], device);
                assert_eq!(items.iter().filter(|item| item.shows_video()).count(), 1);
                assert_eq!(items[0].id, device.with_type(DeviceId::CHANNEL).to_string());
                catalogues += 1;
            }
            Event::Complaint(complaint) => panic!("{complaint:?}"),
            Event::Refused { why, .. } => panic!("{why}"),
            other => panic!("not expected: {other:?}"),
        }
    }
    let strays = shared.strays();
    let lost = [
        strays.unknown_requests(),
        strays.unknown_responses(),
        strays.overflow(),
    ];
    assert_eq!(lost, [0; 3]);
    tokio::task::spawn_blocking(|| workers.end()).await.unwrap();
}
