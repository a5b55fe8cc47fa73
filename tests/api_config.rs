//! A platform configures a camera on real sockets, reads that back, and has it start again.

use std::time::Duration;

use tokio::time::timeout;
use vcam::gb28181::manscdp::{BasicSetting, ConfigBlock, ConfigType, Control, Precise, Setting};
use vcam::gb28181::ptz::PresetAct;
use vcam::gb28181::{Element, Ptz};
use vcam::platform::{Event, Order};
use vcam::{Camera, Clip, Platform, Profile};

const PATIENCE: Duration = Duration::from_secs(20);

async fn registered(platform: &Platform) -> Camera {
    let profile = "extends = 'generic-2022'\n[behaviour.reboot]\nseconds = 1\n";
    let clip = concat!(env!("CARGO_MANIFEST_DIR"), "/media/tiny.h264");
    let camera = Camera::builder(Profile::parse("quick.toml", profile).unwrap())
        .platform(platform.address())
        .media(Clip::open(clip).unwrap())
        .start()
        .await
        .unwrap();
    platform.registered(camera.id(), PATIENCE).await.unwrap();
    camera
}

#[tokio::test]
async fn basic_parameters_are_set_and_the_camera_registers_with_them() {
    let platform = Platform::start().await.unwrap();
    let camera = registered(&platform).await;
    let device = camera.id();
    let mut events = platform.events();
    let wanted = BasicSetting {
        name: Some("Hall".to_owned()),
        expiration: Some(7200),
        heart_beat_interval: Some(30),
        heart_beat_count: Some(5),
    };
    let setting = Setting::Basic(wanted.clone());
    assert!(platform.configure(device, None, setting).await.unwrap());
    let told = platform.basic_param(device).await.unwrap();
    assert_eq!((told.name.as_str(), told.expiration), ("Hall", 7200));
    assert_eq!((told.heart_beat_interval, told.heart_beat_count), (30, 5));
    let anew = async {
        loop {
            if let Some(Event::Registered {
                expires,
                refresh: true,
                ..
            }) = events.next().await
            {
                break expires;
            }
        }
    };
    let expires = timeout(PATIENCE, anew).await.unwrap();
    assert_eq!(expires.as_secs(), 7200);
    let absurd = BasicSetting {
        expiration: Some(1),
        name: Some("Cellar".to_owned()),
        ..BasicSetting::default()
    };
    let setting = Setting::Basic(absurd);
    assert!(!platform.configure(device, None, setting).await.unwrap());
    assert_eq!(platform.basic_param(device).await.unwrap().name, "Hall");
    let name = camera.look(|camera, _| camera.config().name().to_owned());
    assert_eq!(name.await.unwrap(), "Hall", "its owner sees it too");
    assert_eq!(platform.complaints(), []);
}

#[tokio::test]
async fn a_camera_tells_its_owner_where_it_looks_and_what_was_set() {
    let platform = Platform::start().await.unwrap();
    let camera = registered(&platform).await;
    let channel = camera.channel(1);
    assert_eq!(camera.presets(&channel).await.unwrap(), []);
    let to = Precise {
        pan: Some(30.0),
        ..Precise::default()
    };
    let look = Order::Control(Control::Precise(to));
    let ordered = platform.order(camera.id(), Some(channel.id), look);
    assert_eq!(ordered.await.unwrap(), None, "no Response follows");
    let set = Ptz::Preset(PresetAct::Set, 3);
    platform.ptz(&channel, set).await.unwrap();
    assert_eq!(camera.looks_at(&channel).await.unwrap().pan, 30.0);
    let presets = camera.presets(&channel).await.unwrap();
    assert_eq!(presets, platform.presets(&channel).await.unwrap());
    assert_eq!(presets.len(), 1);

    let kind = ConfigType::FrameMirror;
    assert_eq!(camera.written(&channel, kind).await.unwrap(), None);
    let mirror = Element::leaf(kind.as_str(), "3");
    let block = ConfigBlock::new(kind, &mirror).unwrap();
    let (device, about) = (camera.id(), Some(channel.id));
    let setting = Setting::Block(block);
    assert!(platform.configure(device, about, setting).await.unwrap());
    assert_eq!(camera.written(&channel, kind).await.unwrap(), Some(mirror));
}

#[tokio::test]
async fn a_block_is_written_and_every_block_read() {
    let platform = Platform::start().await.unwrap();
    let camera = registered(&platform).await;
    let (device, channel) = (camera.id(), camera.channel(1));
    let text = "<OSDConfig><Length>1920</Length><Width>1080</Width><TimeX>1</TimeX><TimeY>2</TimeY>\
                <SumNum>1</SumNum><Item><Text>北门</Text><X>3</X><Y>4</Y></Item></OSDConfig>";
    let element = Element::parse(text.as_bytes()).unwrap();
    let block = ConfigBlock::new(ConfigType::OsdConfig, &element).unwrap();
    let setting = Setting::Block(block.clone());
    assert!(
        platform
            .configure(device, Some(channel.id), setting)
            .await
            .unwrap()
    );
    let read = platform.config_block(&channel, ConfigType::OsdConfig).await;
    assert_eq!(read.unwrap(), block);
    for kind in ConfigType::ALL.into_iter().skip(1) {
        let read = platform.config_block(&channel, kind).await.unwrap();
        assert_eq!(read.kind(), kind);
    }
    assert_eq!(platform.complaints(), []);
}

#[tokio::test]
async fn a_camera_starts_again_when_it_is_told_to() {
    let platform = Platform::start().await.unwrap();
    let camera = registered(&platform).await;
    let mut events = platform.events();
    platform.reboot(camera.id()).await.unwrap();
    let mut gone = false;
    let back = async {
        loop {
            match events.next().await {
                Some(Event::Unregistered { .. }) => gone = true,
                Some(Event::Registered { refresh: false, .. }) if gone => break,
                _ => {}
            }
        }
    };
    timeout(PATIENCE, back).await.unwrap();
    assert!(platform.catalog(camera.id()).await.is_ok());
    assert_eq!(platform.complaints(), []);
}
