//! Queries of the platform (GB/T 28181-2022 §9.3-§9.5) and every other MESSAGE.

mod common;

use std::time::Duration;

use common::spoken::{Heard, Request};
use common::stage::{CAMERA, CHALLENGE, CHANNEL, DEVICE, Stage};
use common::{addr, id, tiny_cut};
use vcam::camera::{Accept, Channel, Command, Config, Event};
use vcam::gb28181::manscdp::Batch;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// The one answer to a query: a MESSAGE behind the 200.
fn answer_to(stage: &mut Stage, query: Request) -> Heard {
    let ok = stage.ask(query);
    assert_eq!((ok.status(), ok.body.len()), (200, 0), "{ok:?}");
    let answer = stage.next();
    assert_eq!(answer.method(), "MESSAGE");
    stage.answer(&answer, 200, "");
    stage.silence(SECOND);
    answer
}

/// A recorder with many channels that writes catalogues in batches.
fn recorder(channels: u32, batch: Batch) -> impl FnOnce(&mut Config) {
    move |config| {
        let mut profile = (*config.profile).clone();
        profile.manscdp.items_per_message = batch;
        let source = tiny_cut(&profile);
        config.channels = (1..=channels)
            .map(|n| Channel {
                id: id(CHANNEL).with_serial(n),
                name: format!("Gate {n}"),
                source: source.clone(),
                sub: None,
                part_of: None,
                added: None,
            })
            .collect();
        config.profile = profile.into();
    }
}

/// All parts of a catalogue, each answered in its turn.
fn catalogue(stage: &mut Stage, query: Request) -> Vec<Heard> {
    assert_eq!(stage.ask(query).status(), 200);
    let mut parts = Vec::new();
    loop {
        let more = stage.all_within(Duration::from_millis(50));
        assert!(more.len() <= 1, "the next part waits: {more:?}");
        let Some(part) = more.into_iter().next() else {
            return parts;
        };
        stage.answer(&part, 200, "");
        parts.push(part);
    }
}

fn ids(parts: &[Heard]) -> Vec<String> {
    let texts = parts.iter().map(Heard::text);
    let items = texts.flat_map(|text| {
        let items = text.split("<Item>").skip(1).map(str::to_owned);
        items.collect::<Vec<_>>()
    });
    let item_ids = items.map(|item| {
        let (_, rest) = item.split_once("<DeviceID>").unwrap();
        rest[..20].to_owned()
    });
    item_ids.collect()
}

#[test]
fn the_device_lists_its_channel_and_the_channel_lists_itself() {
    for asked in [DEVICE, CHANNEL] {
        let mut stage = Stage::registered();
        let answer = answer_to(&mut stage, Request::query("Catalog", asked));
        assert_eq!(answer.element("DeviceID").unwrap(), asked);
        assert_eq!(answer.element("SN").unwrap(), "17");
        assert_eq!(answer.element("SumNum").unwrap(), "1");
        assert_eq!(ids(&[answer]), [CHANNEL]);
    }
}

#[test]
fn an_answer_is_a_message_of_its_own_outside_any_dialog() {
    let mut stage = Stage::registered();
    let query = Request::query("DeviceInfo", DEVICE);
    let answer = answer_to(&mut stage, query);
    assert!(!answer.header("Call-ID").contains("turn"));
    assert!(!answer.has("Contact") && !answer.header("To").contains("tag="));
    assert_eq!(answer.header("Content-Type"), "Application/MANSCDP+xml");
}

#[test]
fn every_batch_carries_every_channel_once_and_each_part_waits_for_the_answer_to_the_last() {
    for (batch, parts) in [
        (Batch::One, 30),
        (Batch::Items(7), 5),
        (Batch::Items(100), 1),
    ] {
        let mut stage = Stage::registered_with(recorder(30, batch));
        let heard = catalogue(&mut stage, Request::query("Catalog", DEVICE));
        assert_eq!(heard.len(), parts, "{batch:?}");
        let expected: Vec<_> = (1..=30)
            .map(|n| id(CHANNEL).with_serial(n).to_string())
            .collect();
        assert_eq!(ids(&heard), expected);
        assert!(heard.iter().all(|p| p.element("SumNum").unwrap() == "30"));
    }
}

#[test]
fn a_batch_that_fits_stays_below_its_octets() {
    for (octets, parts) in [(1200, 21..=30), (2400, 8..=20), (100, 30..=30)] {
        let mut stage = Stage::registered_with(recorder(30, Batch::Fit(octets)));
        let heard = catalogue(&mut stage, Request::query("Catalog", DEVICE));
        assert!(parts.contains(&heard.len()), "{}", heard.len());
        let longest = heard.iter().map(|part| part.body.len()).max();
        assert!(longest.unwrap() <= octets || parts == (30..=30));
    }
}

#[test]
fn one_channel_of_many_is_asked_for_alone() {
    let mut stage = Stage::registered_with(recorder(30, Batch::One));
    let third = id(CHANNEL).with_serial(3).to_string();
    let heard = catalogue(&mut stage, Request::query("Catalog", &third));
    assert_eq!(ids(&heard), [third]);
}

#[test]
fn a_part_that_is_lost_or_refused_does_not_hold_the_others() {
    for refused in [true, false] {
        let mut stage = Stage::registered_with(recorder(3, Batch::One));
        stage.ask(Request::query("Catalog", DEVICE));
        let first = stage.next();
        if refused {
            stage.answer(&first, 500, "");
        } else {
            stage.all_within(SECOND * 31);
            stage.run(SECOND);
        }
        let mut heard = stage.next_within(SECOND);
        while heard.head == first.head {
            heard = stage.next_within(SECOND);
        }
        assert_ne!(heard.text(), first.text());
    }
}

#[test]
fn a_long_catalogue_keeps_no_other_answer_waiting() {
    let mut stage = Stage::registered_with(recorder(30, Batch::One));
    stage.ask(Request::query("Catalog", DEVICE));
    let part = stage.next();
    assert_eq!(part.element("CmdType").unwrap(), "Catalog");
    stage.ask(Request::query("DeviceInfo", DEVICE));
    let info = stage.next();
    assert_eq!(info.element("CmdType").unwrap(), "DeviceInfo");
}

#[test]
fn a_platform_that_is_lost_gets_no_further_parts() {
    let mut stage = Stage::registered_with(|config| {
        recorder(3, Batch::One)(config);
        config.heartbeat.interval = SECOND * 5;
        config.heartbeat.count = 1;
    });
    stage.keeps_alive = false;
    stage.ask(Request::query("Catalog", DEVICE));
    let first = stage.next();
    let mut heard = first.clone();
    while !heard.is_keepalive() {
        heard = stage.next_within(SECOND * 10);
    }
    stage.answer(&heard, 500, "");
    assert_eq!(stage.next().method(), "REGISTER");
    stage.answer(&first, 200, "");
    let after = stage.all_within(SECOND);
    assert!(
        after.iter().all(|heard| heard.method() == "REGISTER"),
        "{after:?}"
    );
}

#[test]
fn a_challenged_answer_is_repeated_with_credentials_once() {
    let mut stage = Stage::registered_with(recorder(2, Batch::One));
    stage.ask(Request::query("Catalog", DEVICE));
    let first = stage.next();
    stage.answer(&first, 401, CHALLENGE);
    let proved = stage.next();
    assert!(proved.has("Authorization"));
    assert_eq!(proved.text(), first.text());
    stage.answer(&proved, 401, CHALLENGE);
    let second = stage.next();
    assert_ne!(second.text(), first.text(), "the next part follows");
}

#[test]
fn an_offline_channel_is_off_in_the_catalogue_and_in_the_status() {
    let mut stage = Stage::registered();
    let channel = id(CHANNEL);
    for (online, word) in [(false, "OFF"), (true, "ON")] {
        let id = channel;
        stage.command(Command::Channel { id, online });
        let catalog = answer_to(&mut stage, Request::query("Catalog", DEVICE));
        assert_eq!(catalog.element("Status").unwrap(), word);
        let status = answer_to(&mut stage, Request::query("DeviceStatus", CHANNEL));
        assert_eq!(status.element("Online").unwrap(), format!("{word}LINE"));
    }
}

#[test]
fn device_info_tells_the_profile_and_the_number_of_channels() {
    let mut stage = Stage::registered_with(recorder(12, Batch::One));
    let info = answer_to(&mut stage, Request::query("DeviceInfo", DEVICE));
    assert_eq!(info.element("Manufacturer").unwrap(), "Dahua");
    assert_eq!(info.element("Channel").unwrap(), "12");
    assert_eq!(info.element("Result").unwrap(), "OK");
}

#[test]
fn device_status_tells_the_local_time() {
    let mut stage = Stage::registered();
    let status = answer_to(&mut stage, Request::query("DeviceStatus", DEVICE));
    let time = status.element("DeviceTime").unwrap();
    assert!(time.starts_with("2026-01-01T08:00:0"), "{time}: UTC+8");
    assert_eq!(status.element("Online").unwrap(), "ONLINE");
}

fn download(types: &str) -> Request {
    Request::message(format!(
        "<Query><CmdType>ConfigDownload</CmdType><SN>3</SN><DeviceID>{DEVICE}</DeviceID>\
         <ConfigType>{types}</ConfigType></Query>"
    ))
}

#[test]
fn basic_param_tells_the_timing_in_force() {
    let mut stage = Stage::registered_with(|config| config.heartbeat.interval = SECOND * 25);
    let config = answer_to(&mut stage, download("BasicParam"));
    assert_eq!(config.element("Result").unwrap(), "OK");
    assert_eq!(config.element("Expiration").unwrap(), "3600");
    assert_eq!(config.element("HeartBeatInterval").unwrap(), "25");
    assert_eq!(config.element("HeartBeatCount").unwrap(), "3");
}

#[test]
fn an_unknown_type_of_configuration_is_an_error_and_two_types_are_two_answers() {
    let mut stage = Stage::registered();
    let unknown = answer_to(&mut stage, download("SnapShotConfig"));
    assert_eq!(unknown.element("Result").unwrap(), "ERROR");
    let both = catalogue(&mut stage, download("BasicParam/SnapShotConfig"));
    let results: Vec<_> = both
        .iter()
        .map(|part| part.element("Result").unwrap())
        .collect();
    assert_eq!(results, ["OK", "ERROR"]);
}

#[test]
fn what_a_device_does_not_know_gets_a_200_and_silence() {
    let mut stage = Stage::registered();
    let control = format!(
        "<Control><CmdType>DeviceControl</CmdType><SN>1</SN><DeviceID>{CHANNEL}</DeviceID>\
         <PTZCmd>A50F01021F0000D6</PTZCmd></Control>"
    );
    for query in [
        Request::query("CruiseTrackListQuery", DEVICE),
        Request::query("Catalog", "34020000001320000099"),
        Request::query("Catalog", "not an ID"),
        Request::message(control),
        Request::message("<Notify><CmdType>Wishes</CmdType><SN>1</SN></Notify>"),
        Request::message("<Response><CmdType>Keepalive</CmdType><SN>1</SN></Response>"),
    ] {
        assert_eq!(stage.ask(query).status(), 200);
        stage.silence(SECOND);
    }
    let events = stage.events();
    let unanswered = |e: &&Event| {
        matches!(
            e,
            Event::Asked {
                answered: false,
                ..
            }
        )
    };
    assert_eq!(events.iter().filter(unanswered).count(), 6);
}

#[test]
fn a_body_that_is_no_manscdp_is_refused_and_costs_nothing_more() {
    let mut stage = Stage::registered();
    for body in [
        "",
        "hello",
        "<Query><CmdType>Catalog</CmdType>",
        "<Query></Query>",
        "<Html><CmdType>Catalog</CmdType></Html>",
        "\0\0\0",
    ] {
        assert_eq!(stage.ask(Request::message(body)).status(), 400, "{body:?}");
    }
    let mut text = Request::query("Catalog", DEVICE);
    text.headers = "Content-Type: text/plain\r\n".into();
    let refused = stage.ask(text);
    assert_eq!(refused.status(), 415);
    assert_eq!(refused.header("Accept"), "Application/MANSCDP+xml");
    stage.silence(SECOND);
}

#[test]
fn the_content_type_may_be_written_in_any_way_or_be_missing() {
    for headers in [
        "Content-Type: Application/MANSCDP+XML\r\n",
        "c: application/manscdp+xml;charset=GB2312\r\n",
        "",
    ] {
        let mut stage = Stage::registered();
        let mut query = Request::query("DeviceInfo", DEVICE);
        query.headers = headers.into();
        answer_to(&mut stage, query);
    }
}

#[test]
fn the_request_uri_does_not_matter_and_the_document_does() {
    let mut stage = Stage::registered();
    let mut query = Request::query("Catalog", CHANNEL);
    query.uri = "sip:34020000001320000077@somewhere".into();
    query.to = "<sip:nobody@nowhere>;tag=stray".into();
    answer_to(&mut stage, query);
}

#[test]
fn a_chinese_name_goes_out_in_gbk() {
    let mut stage = Stage::registered_with(|config| config.channels[0].name = "大门".into());
    let answer = answer_to(&mut stage, Request::query("Catalog", DEVICE));
    let gbk = b"<Name>\xB4\xF3\xC3\xC5</Name>";
    assert!(answer.body.windows(gbk.len()).any(|window| window == gbk));
    assert!(answer.text().contains("encoding=\"GB2312\""));
}

#[test]
fn markup_in_a_name_is_escaped() {
    let mut stage = Stage::registered_with(|config| config.channels[0].name = "<&>".into());
    let answer = answer_to(&mut stage, Request::query("Catalog", DEVICE));
    assert_eq!(answer.element("Name").unwrap(), "&lt;&amp;&gt;");
}

#[test]
fn a_query_that_comes_again_gets_its_200_again_and_no_second_answer() {
    let mut stage = Stage::registered();
    let query = stage.write(&Request::query("DeviceInfo", DEVICE));
    stage.say(query.clone());
    let (ok, answer) = (stage.next(), stage.next());
    stage.answer(&answer, 200, "");
    for _ in 0..5 {
        stage.run(SECOND * 4);
        stage.say(query.clone());
        assert_eq!(stage.next().head, ok.head);
        stage.silence(SECOND);
    }
}

#[test]
fn a_query_before_the_200_of_the_registration_is_answered() {
    let mut stage = Stage::with(|_| {});
    stage.power_on();
    stage.next();
    let ok = stage.ask(Request::query("DeviceInfo", DEVICE));
    assert_eq!(ok.status(), 200);
    assert_eq!(stage.next().element("CmdType").unwrap(), "DeviceInfo");
}

/// What a third host gets for a query.
fn strangers_answer(accept: Accept) -> u16 {
    let mut stage = Stage::registered_with(|config| config.accept = accept);
    let stranger = addr("10.0.0.66:5060");
    stage.lab.bind(stranger);
    let query = Request::query("DeviceInfo", DEVICE).write("UDP", stranger, 999);
    stage.lab.send_datagram(stranger, addr(CAMERA), query);
    stage.lab.run_for(SECOND);
    let (_, bytes) = stage.lab.datagrams_at(stranger).remove(0);
    Heard::parse(&bytes).0.status()
}

#[test]
fn a_stranger_is_refused_unless_the_camera_is_told_otherwise() {
    assert_eq!(strangers_answer(Accept::Platform), 403);
    assert_eq!(
        strangers_answer(Accept::Also(vec![common::ip("10.0.0.66")])),
        200
    );
    assert_eq!(
        strangers_answer(Accept::Also(vec![common::ip("10.0.0.67")])),
        403
    );
    assert_eq!(strangers_answer(Accept::Anyone), 200);
}

#[test]
fn the_platform_may_ask_from_another_port() {
    let mut stage = Stage::registered();
    let other = addr("10.0.0.1:40000");
    stage.lab.bind(other);
    let query = Request::query("DeviceInfo", DEVICE).write("UDP", other, 998);
    stage.lab.send_datagram(other, addr(CAMERA), query);
    assert_eq!(
        stage.next_within(MINUTE).method(),
        "MESSAGE",
        "to its own port"
    );
    let (_, ok) = stage.lab.datagrams_at(other).remove(0);
    assert!(ok.starts_with(b"SIP/2.0 200"));
}

#[test]
fn a_platform_that_acknowledges_nothing_does_not_fill_the_memory() {
    let mut stage = Stage::registered_with(recorder(100, Batch::One));
    for _ in 0..60 {
        let query = stage.write(&Request::query("Catalog", DEVICE));
        stage.say(query);
    }
    let heard = stage.all_within(Duration::from_millis(100));
    let answered = heard.iter().filter(|heard| heard.status() == 200);
    assert_eq!(answered.count(), 60);
    let begun = heard.iter().filter(|heard| heard.method() == "MESSAGE");
    assert_eq!(begun.count(), 41, "4,096 parts wait, and no more");
}
