//! Commands of the platform: obeyed, and answered where the standard wants it
//! (GB/T 28181-2022 §9.3).

mod common;

use std::time::Duration;

use bytes::Bytes;
use common::id;
use common::spoken::{Heard, Request, udp};
use common::stage::{CHANNEL, DEVICE, Stage};
use vcam::camera::Event;
use vcam::gb28181::manscdp::Control;

/// Before anything is repeated.
const SOON: Duration = Duration::from_millis(200);
const BROKEN_SUM: &str = "<PTZCmd>A50F0100000000B6</PTZCmd>";

fn control(target: &str, commands: &str) -> Request {
    Request::message(format!(
        "<Control><CmdType>DeviceControl</CmdType><SN>17</SN>\
         <DeviceID>{target}</DeviceID>{commands}</Control>"
    ))
}

/// What a command is answered with behind its 200, if anything.
fn answer(stage: &mut Stage, request: Request) -> Option<Heard> {
    let ok = stage.ask(request);
    assert_eq!((ok.status(), ok.body.len()), (200, 0));
    let mut heard = stage.all_within(SOON);
    assert!(heard.len() <= 1, "{heard:?}");
    let answer = heard.pop()?;
    stage.answer(&answer, 200, "");
    Some(answer)
}

fn result(stage: &mut Stage, target: &str, commands: &str) -> String {
    let answer = answer(stage, control(target, commands)).expect("a Response");
    assert_eq!(answer.element("CmdType").unwrap(), "DeviceControl");
    assert_eq!(answer.element("SN").unwrap(), "17");
    assert_eq!(answer.element("DeviceID").unwrap(), target);
    answer.element("Result").unwrap()
}

fn status(stage: &mut Stage, target: &str, element: &str) -> String {
    let status = answer(stage, Request::query("DeviceStatus", target)).unwrap();
    status.element(element).unwrap()
}

fn controlled(stage: &mut Stage) -> Vec<Control> {
    let events = stage.events().into_iter();
    let controls = events.filter_map(|event| match event {
        Event::Controlled { control, .. } => Some(control),
        _ => None,
    });
    controls.collect()
}

#[test]
fn a_command_that_wants_a_response_gets_these_octets() {
    let mut stage = Stage::of("generic-2016", |_| {});
    stage.register();
    let set = control(CHANNEL, "<RecordCmd>Record</RecordCmd>");
    let answer = answer(&mut stage, set).unwrap();
    assert_eq!(
        answer.text(),
        format!(
            "<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Response>\n\
             <CmdType>DeviceControl</CmdType>\n<SN>17</SN>\n<DeviceID>{CHANNEL}</DeviceID>\n\
             <Result>OK</Result>\n</Response>\n"
        )
    );
}

#[test]
fn commands_that_want_no_response_are_obeyed_in_silence() {
    let mut stage = Stage::registered();
    for command in [
        "<PTZCmd>A50F01029600004D</PTZCmd><Info><ControlPriority>5</ControlPriority></Info>",
        "<IFameCmd>Send</IFameCmd>",
        "<IFrameCmd>Send</IFrameCmd>",
    ] {
        assert!(answer(&mut stage, control(CHANNEL, command)).is_none());
        assert_eq!(controlled(&mut stage).len(), 1, "{command}");
    }
}

#[test]
fn what_is_broken_or_unknown_changes_nothing() {
    let mut stage = Stage::registered();
    let stranger = "34020000001320000099";
    for (target, commands) in [
        (CHANNEL, BROKEN_SUM),
        (CHANNEL, "<IFameCmd>Stop</IFameCmd>"),
        (CHANNEL, "<Dance>1</Dance>"),
        (CHANNEL, ""),
        (stranger, "<RecordCmd>Record</RecordCmd>"),
    ] {
        assert!(answer(&mut stage, control(target, commands)).is_none());
    }
    for wrong in [
        "<RecordCmd>Perhaps</RecordCmd>",
        "<GuardCmd></GuardCmd>",
        "<AlarmCmd>Ring</AlarmCmd>",
    ] {
        assert_eq!(result(&mut stage, CHANNEL, wrong), "ERROR");
    }
    let events = stage.events();
    let refused = |event: &&Event| matches!(event, Event::NotObeyed { .. });
    assert_eq!(
        events.iter().filter(refused).count(),
        8,
        "every one is told"
    );
    let obeyed = |event: &Event| matches!(event, Event::Controlled { .. });
    assert!(!events.iter().any(obeyed), "{events:?}");
}

#[test]
fn what_cannot_be_done_is_told_to_the_owner_with_the_reason_and_its_call_id() {
    let mut stage = Stage::registered();
    let input = id(DEVICE).with_type(134).to_string();
    let impossible = [
        (
            CHANNEL,
            "<PTZCmd>A50F01820004003B</PTZCmd>",
            "preset 4 is not set",
        ),
        (
            CHANNEL,
            "<PTZCmd>A50F018300090041</PTZCmd>",
            "preset 9 is not set",
        ),
        (
            CHANNEL,
            "<PTZCmd>A50F018807000044</PTZCmd>",
            "cruise 7 leads nowhere",
        ),
        (CHANNEL, BROKEN_SUM, "PTZCmd: "),
        (
            DEVICE,
            "<FormatSDCard>9</FormatSDCard>",
            "FormatSDCard: there is no card 9",
        ),
        (
            CHANNEL,
            "<Dance>1</Dance>",
            "DeviceControl: no command in it is known here",
        ),
        (
            "34020000001320000099",
            "<TeleBoot>Boot</TeleBoot>",
            "there is no \"34020000001320000099\" here",
        ),
        (
            &input,
            "<IFrameCmd>Send</IFrameCmd>",
            "an alarm input cannot do that",
        ),
    ];
    for (n, (target, command, reason)) in impossible.into_iter().enumerate() {
        let order = Request {
            call_id: format!("order-{n}"),
            ..control(target, command)
        };
        assert!(answer(&mut stage, order).is_none(), "{command}");
        let why = stage.events().into_iter().find_map(|event| match event {
            Event::NotObeyed { why, call_id, .. } => Some((why, call_id)),
            _ => None,
        });
        let (why, call_id) = why.unwrap_or_else(|| panic!("{command}: obeyed"));
        assert!(why.starts_with(reason), "{command}: {why}");
        assert_eq!(call_id, format!("order-{n}"));
    }
}

#[test]
fn recording_is_seen_in_the_status_of_the_channel_and_of_its_device() {
    let mut stage = Stage::registered_with(|config| {
        let mut second = config.channels[0].clone();
        second.id = id(CHANNEL).with_serial(2);
        config.channels.push(second);
    });
    let second = id(CHANNEL).with_serial(2).to_string();
    assert_eq!(status(&mut stage, DEVICE, "Record"), "OFF");
    for (word, on, seen) in [("Record", true, "ON"), ("StopRecord", false, "OFF")] {
        let command = format!("<RecordCmd>{word}</RecordCmd>");
        assert_eq!(result(&mut stage, &second, &command), "OK");
        assert_eq!(stage.camera().is_recording(&id(&second)), on);
        assert!(!stage.camera().is_recording(&id(CHANNEL)));
        assert_eq!(status(&mut stage, &second, "Record"), seen);
        assert_eq!(status(&mut stage, DEVICE, "Record"), seen);
        assert_eq!(status(&mut stage, CHANNEL, "Record"), "OFF");
    }
    let all = "<RecordCmd>Record</RecordCmd>";
    assert_eq!(result(&mut stage, DEVICE, all), "OK");
    assert!(stage.camera().is_recording(&id(CHANNEL)));
}

#[test]
fn a_guard_arms_and_disarms_one_input_or_all() {
    let mut stage = Stage::registered_with(|config| {
        let mut profile = (*config.profile).clone();
        profile.device.alarm_inputs = 2;
        config.profile = profile.into();
    });
    let input = id(DEVICE).with_type(134).with_serial(2).to_string();
    let mut duties = |target: &str, word: &str| {
        let command = format!("<GuardCmd>{word}</GuardCmd>");
        assert_eq!(result(&mut stage, target, &command), "OK");
        let status = answer(&mut stage, Request::query("DeviceStatus", DEVICE)).unwrap();
        let text = status.text();
        let words = text.split("<DutyStatus>").skip(1);
        let duties = words.map(|rest| rest.split('<').next().unwrap().to_owned());
        duties.collect::<Vec<_>>()
    };
    assert_eq!(duties(DEVICE, "SetGuard"), ["ONDUTY", "ONDUTY"]);
    assert_eq!(duties(&input, "ResetGuard"), ["ONDUTY", "OFFDUTY"]);
    assert_eq!(duties(DEVICE, "ResetGuard"), ["OFFDUTY", "OFFDUTY"]);
    assert_eq!(duties(&input, "SetGuard"), ["OFFDUTY", "ONDUTY"]);
}

#[test]
fn several_commands_in_one_document_are_all_obeyed_and_answered_once() {
    let mut stage = Stage::registered();
    let good = "<RecordCmd>Record</RecordCmd><AlarmCmd>ResetAlarm</AlarmCmd>";
    assert_eq!(result(&mut stage, CHANNEL, good), "OK");
    let expected = [Control::Record(true), Control::ResetAlarm];
    assert_eq!(controlled(&mut stage), expected);
    let one_wrong = "<GuardCmd>Perhaps</GuardCmd><RecordCmd>StopRecord</RecordCmd>";
    assert_eq!(result(&mut stage, CHANNEL, one_wrong), "ERROR");
    assert_eq!(controlled(&mut stage), [Control::Record(false)]);
}

#[test]
fn a_command_that_comes_again_is_obeyed_once() {
    let mut stage = Stage::registered();
    let command = stage.write(&control(CHANNEL, "<IFameCmd>Send</IFameCmd>"));
    for _ in 0..3 {
        stage.say(command.clone());
        assert_eq!(stage.next().status(), 200);
    }
    assert_eq!(controlled(&mut stage), [Control::KeyFrame]);
}

/// How many key frames a call gets within two seconds, each of ten stretches of them begun with
/// these commands.
fn key_frames(commands: &str) -> usize {
    let mut stage = Stage::registered();
    let mut leg = stage.call(udp());
    let mut media = Vec::new();
    for _ in 0..10 {
        assert!(answer(&mut stage, control(CHANNEL, commands)).is_none());
        let datagrams = stage.datagrams();
        media.extend(datagrams.into_iter().map(|(_, bytes)| bytes));
    }
    assert!(media.len() > 10, "{}", media.len());
    stage.bye(&mut leg);
    let system_header = [0, 0, 1, 0xBB];
    let has = |bytes: &&Bytes| bytes.windows(4).any(|window| window == system_header);
    media.iter().filter(has).count()
}

#[test]
fn a_key_frame_comes_at_once_when_it_is_ordered() {
    let (seldom, often) = (key_frames(""), key_frames("<IFameCmd>Send</IFameCmd>"));
    assert!(seldom < 5 && often >= 9, "{seldom} {often}");
}
