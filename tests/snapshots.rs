//! SnapShotConfig: pictures taken, delivered over HTTP, and told about
//! (GB/T 28181-2022 §9.14).

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::spoken::{Heard, Request};
use common::stage::{CHANNEL, DEVICE, Stage};
use vcam::camera::{Command, Event};
use vcam::node::{Fetched, HttpMethod, Job, JobFailure, JobId, JobOutcome};
use vcam::profile::{Profile, UploadPolicy};

const SESSION: &str = "5f1c0d9e8b7a46538291a0b1c2d3e4f5";
const URL: &str = "http://10.0.0.1:8080/up";
const SOON: Duration = Duration::from_millis(200);
const OK: JobOutcome = Ok(Fetched {
    status: 200,
    octets: 2,
});

fn stage() -> Stage {
    let mut stage = Stage::of("generic-2022", |_| {});
    stage.register();
    stage
}

fn uploading(policy: UploadPolicy) -> Stage {
    let mut stage = Stage::of("generic-2022", |config| {
        let mut profile = Profile::clone(&config.profile);
        profile.behaviour.upload = policy;
        config.profile = Arc::new(profile);
    });
    stage.register();
    stage
}

fn order(target: &str, number: &str, interval: &str) -> Request {
    Request::message(format!(
        "<Control><CmdType>DeviceConfig</CmdType><SN>23</SN><DeviceID>{target}</DeviceID>\
         <SnapShotConfig><SnapNum>{number}</SnapNum><Interval>{interval}</Interval>\
         <UploadURL>{URL}</UploadURL><SessionID>{SESSION}</SessionID></SnapShotConfig></Control>"
    ))
}

fn ordered(stage: &mut Stage, request: Request) -> String {
    assert_eq!(stage.ask(request).status(), 200);
    let answer = stage.next();
    assert_eq!(answer.element("CmdType").unwrap(), "DeviceConfig");
    assert_eq!(answer.element("SN").unwrap(), "23");
    stage.answer(&answer, 200, "");
    answer.element("Result").unwrap()
}

fn jobs(stage: &mut Stage) -> Vec<(JobId, Job)> {
    stage.lab.take_jobs(stage.camera)
}

fn answer(stage: &mut Stage, id: JobId, outcome: JobOutcome) {
    stage.lab.answer_job(stage.camera, id, outcome);
}

fn finished(stage: &mut Stage) -> (Heard, Vec<String>) {
    let word = stage.next_within(SOON);
    assert_eq!(word.element("CmdType").unwrap(), "UploadSnapShotFinished");
    assert_eq!(word.element("SessionID").unwrap(), SESSION);
    assert_eq!(word.element("SN").unwrap(), "23");
    stage.answer(&word, 200, "");
    let text = word.text();
    let files = text.split("<SnapShotFileID>").skip(1);
    let files = files.map(|rest| rest.split('<').next().unwrap().to_owned());
    let files = files.collect();
    (word, files)
}

#[test]
fn pictures_are_taken_at_their_interval_and_told_about_when_the_last_has_arrived() {
    let mut stage = stage();
    assert_eq!(ordered(&mut stage, order(CHANNEL, "3", "2")), "OK");
    let mut all = jobs(&mut stage);
    assert_eq!(all.len(), 1);
    stage.silence(Duration::from_millis(1_800));
    assert_eq!(jobs(&mut stage).len(), 0);
    stage.silence(Duration::from_millis(400));
    all.extend(jobs(&mut stage));
    assert_eq!(all.len(), 2);
    stage.silence(Duration::from_secs(2));
    all.extend(jobs(&mut stage));
    assert_eq!(all.len(), 3);
    for (id, job) in all.iter().rev() {
        assert_eq!((job.method, job.url.as_str()), (HttpMethod::Post, URL));
        stage.silence(SOON);
        answer(&mut stage, *id, OK);
    }
    let (word, files) = finished(&mut stage);
    assert_eq!(word.element("DeviceID").unwrap(), CHANNEL);
    assert_eq!(files.len(), 3);
    for (file, n) in files.iter().zip(1..) {
        assert_eq!(file.len(), 41);
        assert!(
            file.starts_with(&format!("{CHANNEL}0220260101080")),
            "{file}"
        );
        assert!(file.ends_with(&format!("0{n}")), "{file}");
    }
    stage.silence(Duration::from_secs(20));
    let (_, job) = &all[0];
    let (content_type, body) = job.body.as_ref().unwrap();
    let octets = body.octets();
    let (text, file) = (String::from_utf8_lossy(&octets), &files[0]);
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=");
    let boundary = format!("--{}", boundary.unwrap());
    let parts: Vec<_> = text.split(&boundary).collect();
    assert_eq!((parts.len(), parts[0], parts[3]), (4, "", "--\r\n"));
    assert_eq!(
        parts[1],
        format!("\r\nContent-Disposition: form-data; name=\"SessionID\"\r\n\r\n{SESSION}\r\n")
    );
    assert!(parts[2].starts_with(&format!(
        "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{file}.jpg\"\r\n\
         Content-Type: image/jpeg\r\n\r\n"
    )));
    assert!(body.picture.lines.iter().any(|line| line == CHANNEL));
    assert!(
        body.picture
            .lines
            .iter()
            .any(|line| line.starts_with("2026-01-01T08:00"))
    );
}

#[test]
fn pictures_show_the_text_that_a_platform_has_set() {
    let mut stage = stage();
    let osd = format!(
        "<Control><CmdType>DeviceConfig</CmdType><SN>23</SN><DeviceID>{CHANNEL}</DeviceID>\
         <OSDConfig><Length>1920</Length><Width>1080</Width><TimeX>0</TimeX><TimeY>0</TimeY>\
         <TextEnable>1</TextEnable><SumNum>1</SumNum><Item><Text>North gate</Text><X>5</X>\
         <Y>6</Y></Item></OSDConfig></Control>"
    );
    assert_eq!(ordered(&mut stage, Request::message(osd)), "OK");
    assert_eq!(ordered(&mut stage, order(CHANNEL, "1", "1")), "OK");
    let (_, job) = &jobs(&mut stage)[0];
    let (_, body) = job.body.as_ref().unwrap();
    assert!(body.picture.lines.iter().any(|line| line == "North gate"));
}

#[test]
fn a_picture_that_fails_is_sent_again_twice_and_then_missing_from_the_list() {
    let mut stage = stage();
    assert_eq!(ordered(&mut stage, order(DEVICE, "2", "1")), "OK");
    stage.silence(Duration::from_millis(1_200));
    let all = jobs(&mut stage);
    let [(first, _), (second, _)] = all[..] else {
        panic!("{} jobs", all.len());
    };
    answer(&mut stage, second, OK);
    let mut id = first;
    let server_error = Ok(Fetched {
        status: 500,
        octets: 0,
    });
    for outcome in [server_error, Err(JobFailure::Timeout)] {
        answer(&mut stage, id, outcome);
        let again = jobs(&mut stage);
        assert_eq!(again.len(), 1);
        id = again[0].0;
    }
    stage.silence(SOON);
    answer(&mut stage, id, Err(JobFailure::Broken("gone".into())));
    assert_eq!(jobs(&mut stage).len(), 0);
    let (word, files) = finished(&mut stage);
    assert_eq!(word.element("DeviceID").unwrap(), DEVICE);
    assert_eq!(files.len(), 1);
    assert!(files[0].ends_with("02"));
    let told = stage.events().into_iter().find_map(|event| match event {
        Event::SnapshotsDelivered {
            taken, delivered, ..
        } => Some((taken, delivered)),
        _ => None,
    });
    assert_eq!(told, Some((2, files)));
}

#[test]
fn pictures_travel_as_the_make_delivers_them() {
    for (policy, method) in [
        (UploadPolicy::Post, HttpMethod::Post),
        (UploadPolicy::Put, HttpMethod::Put),
    ] {
        let mut stage = uploading(policy);
        assert_eq!(ordered(&mut stage, order(CHANNEL, "1", "1")), "OK");
        let (id, job) = jobs(&mut stage).remove(0);
        let (content_type, body) = job.body.unwrap();
        assert_eq!((job.method, content_type.as_str()), (method, "image/jpeg"));
        let octets = body.octets();
        assert!(octets.starts_with(&[0xFF, 0xD8]) && octets.ends_with(&[0xFF, 0xD9]));
        answer(&mut stage, id, OK);
        let (_, files) = finished(&mut stage);
        let url = match policy {
            UploadPolicy::Put => format!("{URL}/{}.jpg", files[0]),
            _ => URL.to_owned(),
        };
        assert_eq!(job.url, url);
    }
}

#[test]
fn impossible_orders_are_refused_and_too_many_at_once_too() {
    let mut stage = stage();
    for (number, interval) in [
        ("0", "1"),
        ("11", "1"),
        ("1", "0"),
        ("x", "1"),
        ("1", "9999999"),
    ] {
        assert_eq!(
            ordered(&mut stage, order(CHANNEL, number, interval)),
            "ERROR"
        );
    }
    assert_eq!(jobs(&mut stage).len(), 0);
    for _ in 0..16 {
        assert_eq!(ordered(&mut stage, order(CHANNEL, "1", "1")), "OK");
    }
    assert_eq!(ordered(&mut stage, order(CHANNEL, "1", "1")), "ERROR");
}

#[test]
fn a_device_switched_off_takes_no_more_pictures() {
    let mut stage = stage();
    assert_eq!(ordered(&mut stage, order(CHANNEL, "5", "1")), "OK");
    let (id, _) = jobs(&mut stage).remove(0);
    stage.command(Command::PowerOff);
    let leave = stage.next();
    stage.answer(&leave, 200, "");
    stage.silence(Duration::from_secs(10));
    answer(&mut stage, id, OK);
    stage.silence(Duration::from_secs(1));
    assert_eq!(jobs(&mut stage).len(), 0);
}
