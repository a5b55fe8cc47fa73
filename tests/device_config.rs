//! The platform configures a device, and reads back what it has written
//! (GB/T 28181-2022 §9.3, annex A.2.1).

mod common;

use std::time::Duration;

use common::id;
use common::spoken::{Heard, Request};
use common::stage::{CHANNEL, DEVICE, Stage};
use vcam::camera::Event;
use vcam::gb28181::manscdp::ConfigType;

/// Before anything is repeated, and before new parameters take effect.
const SOON: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);

fn stage(make: &str) -> Stage {
    let mut stage = Stage::of(make, |_| {});
    stage.register();
    stage
}

fn configure(target: &str, blocks: &str) -> Request {
    Request::message(format!(
        "<Control><CmdType>DeviceConfig</CmdType><SN>23</SN>\
         <DeviceID>{target}</DeviceID>{blocks}</Control>"
    ))
}

fn download(target: &str, types: &str) -> Request {
    Request::message(format!(
        "<Query><CmdType>ConfigDownload</CmdType><SN>24</SN><DeviceID>{target}</DeviceID>\
         <ConfigType>{types}</ConfigType></Query>"
    ))
}

/// What a request is answered with behind its 200, if anything.
fn answer(stage: &mut Stage, request: Request) -> Option<Heard> {
    assert_eq!(stage.ask(request).status(), 200);
    let mut heard = stage.all_within(SOON);
    assert!(heard.len() <= 1, "{heard:?}");
    let answer = heard.pop()?;
    stage.answer(&answer, 200, "");
    Some(answer)
}

fn result(stage: &mut Stage, target: &str, blocks: &str) -> String {
    let answer = answer(stage, configure(target, blocks)).expect("a Response");
    assert_eq!(answer.element("CmdType").unwrap(), "DeviceConfig");
    assert_eq!(answer.element("SN").unwrap(), "23");
    assert_eq!(answer.element("DeviceID").unwrap(), target);
    answer.element("Result").unwrap()
}

/// What ConfigDownload says behind its Result, on one line.
fn read(stage: &mut Stage, target: &str, kind: &str) -> String {
    let answer = answer(stage, download(target, kind)).expect("a Response");
    let text: String = answer.text().lines().map(str::trim).collect();
    let (_, content) = text.split_once("<Result>").unwrap();
    let content = content.strip_suffix("</Response>").unwrap();
    content.replacen("OK</Result>", "", 1)
}

fn basic(fields: &str) -> String {
    format!("<BasicParam>{fields}</BasicParam>")
}

const WHOLE: &str = "<Name>North gate</Name><Expiration>7200</Expiration>\
                     <HeartBeatInterval>5</HeartBeatInterval><HeartBeatCount>2</HeartBeatCount>";

#[test]
fn basic_parameters_are_answered_in_these_octets_and_read_back() {
    let mut stage = stage("generic-2016");
    let answer = answer(&mut stage, configure(DEVICE, &basic(WHOLE))).unwrap();
    assert_eq!(
        answer.text(),
        format!(
            "<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Response>\n\
             <CmdType>DeviceConfig</CmdType>\n<SN>23</SN>\n<DeviceID>{DEVICE}</DeviceID>\n\
             <Result>OK</Result>\n</Response>\n"
        )
    );
    let told = read(&mut stage, DEVICE, "BasicParam");
    let position = "<PositionCapability>0</PositionCapability>";
    assert_eq!(told, basic(&format!("{WHOLE}{position}")));
    let info = self::answer(&mut stage, Request::query("DeviceInfo", DEVICE)).unwrap();
    assert_eq!(info.element("DeviceName").unwrap(), "North gate");
}

#[test]
fn new_basic_parameters_take_effect_with_a_registration_behind_the_answer() {
    let mut stage = stage("generic-2016");
    assert_eq!(result(&mut stage, DEVICE, &basic(WHOLE)), "OK");
    let register = stage.next_within(SECOND);
    assert_eq!(register.method(), "REGISTER");
    assert_eq!(register.header("Expires"), "7200");
    stage.answer(&register, 200, "Expires: 7200\r\n");
    stage.keeps_alive = false;
    let mut heard = Vec::new();
    while heard.len() < 3 {
        let (after, beat) = stage.wait_for_next(SECOND * 6);
        assert!(beat.is_keepalive(), "{beat:?}");
        stage.answer(&beat, 200, "");
        heard.push(after.as_millis());
    }
    assert!(
        heard[1..]
            .iter()
            .all(|after| (4_900..=5_100).contains(after)),
        "{heard:?}"
    );
}

#[test]
fn what_basic_parameters_do_not_say_stays_as_it_is() {
    let mut stage = stage("generic-2016");
    let before = stage.camera().config().heartbeat.count;
    let some = basic("<HeartBeatInterval>30</HeartBeatInterval>");
    assert_eq!(result(&mut stage, DEVICE, &some), "OK");
    let config = stage.camera().config();
    assert_eq!(config.heartbeat.interval, SECOND * 30);
    assert_eq!(
        (config.heartbeat.count, config.expires),
        (before, SECOND * 3600)
    );
}

#[test]
fn one_value_out_of_its_range_and_nothing_changes() {
    let mut stage = stage("generic-2022");
    let types = ConfigType::ALL.map(ConfigType::as_str);
    let state = |stage: &mut Stage| types.map(|kind| read(stage, CHANNEL, kind));
    let before = state(&mut stage);
    for wrong in [
        basic("<Name>x</Name><Expiration>59</Expiration>"),
        basic("<Name>x</Name><Expiration>-1</Expiration>"),
        basic("<Name>x</Name><HeartBeatInterval>0</HeartBeatInterval>"),
        basic("<Name>x</Name><HeartBeatInterval>many</HeartBeatInterval>"),
        basic("<Name>x</Name><HeartBeatCount>99999999999</HeartBeatCount>"),
        format!("{}<FrameMirror>4</FrameMirror>", basic("<Name>x</Name>")),
        "<FrameMirror>1</FrameMirror><FrameMirror>left</FrameMirror>".to_owned(),
        "<FrameMirror></FrameMirror>".to_owned(),
        "<AlarmReport><MotionDetection>1</MotionDetection></AlarmReport>".to_owned(),
        "<VideoParamOpt><Resolution>6</Resolution></VideoParamOpt>".to_owned(),
        "<PictureMask><On>1</On><SumNum>1</SumNum><RegionList Num=\"2\"><Item><Seq>1</Seq>\
         <Point>1,2,3,4</Point></Item></RegionList></PictureMask>"
            .to_owned(),
        "<PictureMask><On>1</On><SumNum>1</SumNum><RegionList Num=\"1\"><Item><Seq>1</Seq>\
         <Point>9,2,3,4</Point></Item></RegionList></PictureMask>"
            .to_owned(),
        "<VideoRecordPlan><RecordEnable>1</RecordEnable><RecordSchedule>\
         <WeekDayNum>8</WeekDayNum></RecordSchedule></VideoRecordPlan>"
            .to_owned(),
        "<OSDConfig><Length>1920</Length><Width>1080</Width><TimeX>0</TimeX><TimeY>0</TimeY>\
         <SumNum>2</SumNum></OSDConfig>"
            .to_owned(),
        "<SnapShotConfig><SnapNum>11</SnapNum></SnapShotConfig>".to_owned(),
        String::new(),
        "<Dance>1</Dance>".to_owned(),
    ] {
        assert_eq!(result(&mut stage, CHANNEL, &wrong), "ERROR", "{wrong}");
    }
    assert_eq!(state(&mut stage), before);
    let configured = |event: &Event| matches!(event, Event::Configured { .. });
    assert!(!stage.events().iter().any(configured));
    stage.silence(SECOND * 2);
}

#[test]
fn every_block_is_read_back_as_it_was_written() {
    let mut stage = stage("generic-2022");
    for block in [
        "<SVACEncodeConfig><ROIParam><ROIFlag>1</ROIFlag><ROINumber>1</ROINumber><Item>\
         <ROISeq>1</ROISeq><TopLeft>5</TopLeft><BottomRight>9</BottomRight><ROIQP>2</ROIQP></Item>\
         </ROIParam><SurveillanceParam><TimeFlag>1</TimeFlag></SurveillanceParam>\
         </SVACEncodeConfig>",
        "<SVACDecodeConfig><SVCParam><SVCSTMMode>1</SVCSTMMode></SVCParam></SVACDecodeConfig>",
        "<VideoParamAttribute Num=\"1\"><Item><StreamNumber>0</StreamNumber>\
         <VideoFormat>5</VideoFormat><Resolution>1920x1080</Resolution><FrameRate>25</FrameRate>\
         <BitRateType>1</BitRateType><VideoBitRate>4096</VideoBitRate></Item>\
         </VideoParamAttribute>",
        "<VideoRecordPlan><RecordEnable>1</RecordEnable>\
         <RecordScheduleSumNum>1</RecordScheduleSumNum><RecordSchedule><WeekDayNum>7</WeekDayNum>\
         <TimeSegmentSumNum>1</TimeSegmentSumNum><TimeSegment><StartHour>8</StartHour>\
         <StartMin>0</StartMin><StartSec>0</StartSec><StopHour>23</StopHour><StopMin>59</StopMin>\
         <StopSec>59</StopSec></TimeSegment></RecordSchedule><StreamNumber>1</StreamNumber>\
         </VideoRecordPlan>",
        "<VideoAlarmRecord><RecordEnable>1</RecordEnable><RecordTime>60</RecordTime>\
         <PreRecordTime>5</PreRecordTime><StreamNumber>0</StreamNumber></VideoAlarmRecord>",
        "<PictureMask><On>1</On><SumNum>1</SumNum><RegionList Num=\"1\"><Item><Seq>4</Seq>\
         <Point>10,20,300,400</Point></Item></RegionList></PictureMask>",
        "<FrameMirror>3</FrameMirror>",
        "<AlarmReport><MotionDetection>0</MotionDetection><FieldDetection>1</FieldDetection>\
         </AlarmReport>",
        "<OSDConfig><Length>1920</Length><Width>1080</Width><TimeX>10</TimeX><TimeY>20</TimeY>\
         <TimeEnable>1</TimeEnable><TimeType>1</TimeType><TextEnable>1</TextEnable>\
         <SumNum>1</SumNum><Item><Text>北门</Text><X>5</X><Y>6</Y></Item></OSDConfig>",
    ] {
        let block = block.replace("\n", "");
        assert_eq!(result(&mut stage, CHANNEL, &block), "OK", "{block}");
        let kind = block[1..].split(['>', ' ']).next().unwrap();
        assert_eq!(read(&mut stage, CHANNEL, kind), block);
        assert_eq!(read(&mut stage, DEVICE, kind), block);
        let kind = ConfigType::named(kind).unwrap();
        assert!(stage.camera().written(id(CHANNEL), kind).is_some());
    }
}

#[test]
fn elements_are_put_into_the_standards_order_and_unknown_ones_left_out() {
    let mut stage = stage("generic-2022");
    let written = "<AlarmReport><Dance>1</Dance><FieldDetection>01</FieldDetection>\
                   <MotionDetection> 0 </MotionDetection></AlarmReport>";
    assert_eq!(result(&mut stage, DEVICE, written), "OK");
    assert_eq!(
        read(&mut stage, CHANNEL, "AlarmReport"),
        "<AlarmReport><MotionDetection>0</MotionDetection><FieldDetection>1</FieldDetection>\
         </AlarmReport>"
    );
}

#[test]
fn a_camera_that_nobody_has_configured_has_every_block_of_its_edition() {
    for (make, has) in [("generic-2016", 4), ("generic-2022", 12)] {
        let mut stage = stage(make);
        for (n, kind) in ConfigType::ALL.into_iter().enumerate() {
            let told = read(&mut stage, CHANNEL, kind.as_str());
            match n < has {
                true => assert!(told.starts_with(&format!("<{kind}")), "{told}"),
                false => assert_eq!(told, "ERROR</Result>"),
            }
        }
    }
    let mut stage = stage("generic-2022");
    let told = read(&mut stage, CHANNEL, "VideoParamAttribute");
    let clip = common::tiny();
    let fps = format!("<FrameRate>{:.0}</FrameRate>", clip.fps().as_f64());
    assert!(
        told.contains(&fps) && told.contains("<VideoFormat>2<"),
        "{told}"
    );
}

#[test]
fn a_block_of_one_channel_is_not_anothers() {
    let mut stage = Stage::of("generic-2022", |config| {
        let mut second = config.channels[0].clone();
        second.id = id(CHANNEL).with_serial(2);
        config.channels.push(second);
    });
    stage.register();
    let second = id(CHANNEL).with_serial(2).to_string();
    assert_eq!(
        result(&mut stage, &second, "<FrameMirror>2</FrameMirror>"),
        "OK"
    );
    assert_eq!(
        read(&mut stage, &second, "FrameMirror"),
        "<FrameMirror>2</FrameMirror>"
    );
    assert_eq!(
        read(&mut stage, CHANNEL, "FrameMirror"),
        "<FrameMirror>0</FrameMirror>"
    );
    assert_eq!(
        result(&mut stage, DEVICE, "<FrameMirror>1</FrameMirror>"),
        "OK"
    );
    assert_eq!(
        read(&mut stage, &second, "FrameMirror"),
        "<FrameMirror>1</FrameMirror>"
    );
}

#[test]
fn a_dahua_takes_basic_parameters_for_its_own_code_only_and_is_silent_about_the_rest() {
    let mut stage = stage("dahua-ipc");
    let rename = basic("<Name>Hall</Name>");
    for (target, blocks) in [
        (CHANNEL, rename.as_str()),
        (CHANNEL, "<FrameMirror>1</FrameMirror>"),
    ] {
        assert!(answer(&mut stage, configure(target, blocks)).is_none());
    }
    assert_ne!(stage.camera().config().name(), "Hall");
    assert_eq!(result(&mut stage, DEVICE, &rename), "OK");
    assert_eq!(stage.camera().config().name(), "Hall");
}

#[test]
fn a_uniview_says_nothing_to_basic_parameters_and_registers_anew() {
    let mut stage = stage("uniview-ipc");
    let longer = basic("<Expiration>7200</Expiration>");
    assert!(answer(&mut stage, configure(DEVICE, &longer)).is_none());
    let leaves = stage.next_within(SECOND);
    assert_eq!(
        (leaves.method(), leaves.header("Expires")),
        ("REGISTER", "0")
    );
    stage.answer(&leaves, 200, "");
    let comes = stage.next_within(SECOND);
    assert_eq!(
        (comes.method(), comes.header("Expires")),
        ("REGISTER", "7200")
    );
    assert_ne!(comes.header("Call-ID"), leaves.header("Call-ID"));
}

#[test]
fn what_was_configured_survives_a_reboot() {
    let mut stage = stage("generic-2022");
    assert_eq!(
        result(&mut stage, DEVICE, &basic("<Name>Hall</Name>")),
        "OK"
    );
    let settled = stage.next_within(SECOND);
    stage.answer(&settled, 200, "Expires: 3600\r\n");
    assert_eq!(
        result(&mut stage, DEVICE, "<FrameMirror>1</FrameMirror>"),
        "OK"
    );
    let boot = Request::message(format!(
        "<Control><CmdType>DeviceControl</CmdType><SN>1</SN><DeviceID>{DEVICE}</DeviceID>\
         <TeleBoot>Boot</TeleBoot></Control>"
    ));
    assert_eq!(stage.ask(boot).status(), 200);
    let leaves = stage.next_within(SECOND);
    assert_eq!(
        (leaves.method(), leaves.header("Expires")),
        ("REGISTER", "0")
    );
    stage.answer(&leaves, 200, "");
    stage.silence(SECOND * 29);
    stage.accept_registration_within(SECOND * 2);
    stage.all_within(SECOND);
    assert_eq!(stage.camera().config().name(), "Hall");
    assert_eq!(
        read(&mut stage, CHANNEL, "FrameMirror"),
        "<FrameMirror>1</FrameMirror>"
    );
}
