//! Storage cards: SDCardStatus and FormatSDCard (GB/T 28181-2022 §9.3, §9.5).

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::spoken::{Heard, Request};
use common::stage::{CHANNEL, DEVICE, Stage};
use vcam::camera::Event;
use vcam::profile::Profile;

const SOON: Duration = Duration::from_millis(200);

fn stage(cards: u8) -> Stage {
    let mut stage = Stage::of("generic-2022", |config| {
        let mut profile = Profile::clone(&config.profile);
        profile.device.sd_cards = cards;
        config.profile = Arc::new(profile);
    });
    stage.register();
    stage
}

fn cards(stage: &mut Stage) -> Heard {
    assert_eq!(
        stage.ask(Request::query("SDCardStatus", DEVICE)).status(),
        200
    );
    let answer = stage.next();
    stage.answer(&answer, 200, "");
    answer
}

/// Of every card: status, progress, and whether anything is free.
fn states(stage: &mut Stage) -> Vec<(String, String, bool)> {
    let text = cards(stage).text();
    let of = |item: &str, name: &str| {
        let (_, rest) = item.split_once(&format!("<{name}>")).unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    let items = text.split("<Item>").skip(1);
    let state = |item| {
        let free = of(item, "FreeSpace") != "0";
        (of(item, "Status"), of(item, "FormatProgress"), free)
    };
    items.map(state).collect()
}

fn format(stage: &mut Stage, target: &str, card: &str) {
    let order = Request::message(format!(
        "<Control><CmdType>DeviceControl</CmdType><SN>5</SN><DeviceID>{target}</DeviceID>\
         <FormatSDCard>{card}</FormatSDCard></Control>"
    ));
    assert_eq!(stage.ask(order).status(), 200);
    stage.silence(SOON);
}

fn ok() -> (String, String, bool) {
    ("ok".to_owned(), "100".to_owned(), true)
}

#[test]
fn a_card_that_is_formatted_says_how_far_it_is_and_is_empty_then() {
    let mut stage = stage(2);
    assert_eq!(cards(&mut stage).element("SumNum").unwrap(), "2");
    let used = cards(&mut stage).element("FreeSpace").unwrap();
    format(&mut stage, DEVICE, "1");
    stage.silence(Duration::from_millis(9_700));
    let [(state, progress, free), second] = &states(&mut stage)[..] else {
        panic!("not two cards");
    };
    assert_eq!(
        (state.as_str(), *free, second),
        ("formatting", false, &ok())
    );
    let progress: u8 = progress.parse().unwrap();
    assert!((49..=51).contains(&progress), "{progress}");
    stage.silence(Duration::from_secs(11));
    assert_eq!(states(&mut stage), [ok(), ok()]);
    let answer = cards(&mut stage);
    assert_eq!(answer.element("FreeSpace"), answer.element("Capacity"));
    assert_ne!(answer.element("FreeSpace").unwrap(), used);
}

#[test]
fn zero_formats_every_card_and_a_card_that_is_not_there_none() {
    let mut stage = stage(3);
    for wrong in ["4", "255", "256", "-1", "", "all"] {
        format(&mut stage, DEVICE, wrong);
        assert_eq!(states(&mut stage), [ok(), ok(), ok()], "{wrong}");
    }
    stage.events();
    format(&mut stage, CHANNEL, "0");
    assert!(
        states(&mut stage)
            .iter()
            .all(|(state, ..)| state == "formatting")
    );
    let events = stage.events();
    let controlled = |event: &&Event| matches!(event, Event::Controlled { .. });
    assert_eq!(events.iter().filter(controlled).count(), 1);
}

#[test]
fn a_device_without_cards_says_so() {
    let mut stage = stage(0);
    assert_eq!(cards(&mut stage).element("SumNum").unwrap(), "0");
    format(&mut stage, DEVICE, "0");
    assert_eq!(states(&mut stage), []);
}

#[test]
fn a_device_of_2016_knows_none_of_the_tasks_of_2022() {
    let mut stage = Stage::of("generic-2016", |_| {});
    stage.register();
    let session = "5f1c0d9e8b7a46538291a0b1c2d3e4f5";
    let (url, id) = ("http://10.0.0.1/", DEVICE);
    for (cmd_type, order) in [
        (
            "DeviceControl",
            format!(
                "<DeviceUpgrade><Firmware>2</Firmware><FileURL>{url}</FileURL>\
                 <SessionID>{session}</SessionID></DeviceUpgrade>"
            ),
        ),
        (
            "DeviceConfig",
            format!(
                "<SnapShotConfig><SnapNum>1</SnapNum><UploadURL>{url}</UploadURL>\
                 <SessionID>{session}</SessionID></SnapShotConfig>"
            ),
        ),
        ("DeviceControl", "<FormatSDCard>0</FormatSDCard>".to_owned()),
    ] {
        let order = Request::message(format!(
            "<Control><CmdType>{cmd_type}</CmdType><SN>5</SN><DeviceID>{id}</DeviceID>{order}\
             </Control>"
        ));
        assert_eq!(stage.ask(order).status(), 200);
        // Every DeviceConfig is answered; nothing else of this is known in 2016.
        if cmd_type == "DeviceConfig" {
            let answer = stage.next();
            assert_eq!(answer.element("Result").as_deref(), Some("ERROR"));
            stage.answer(&answer, 200, "");
        }
        stage.silence(SOON);
    }
    assert_eq!(
        stage.ask(Request::query("SDCardStatus", DEVICE)).status(),
        200
    );
    stage.silence(SOON);
    assert!(stage.lab.take_jobs(stage.camera).is_empty());
}
