//! DeviceUpgrade: firmware fetched, the device started again, the result told
//! (GB/T 28181-2022 §9.13).

mod common;

use std::time::Duration;

use common::spoken::{Heard, Request};
use common::stage::{CHANNEL, DEVICE, Stage};
use vcam::camera::Event;
use vcam::node::{Fetched, HttpMethod, Job, JobFailure, JobId, JobOutcome};

const SESSION: &str = "5f1c0d9e8b7a46538291a0b1c2d3e4f5";
const URL: &str = "http://10.0.0.1:8080/fw/v2.bin";
const SOON: Duration = Duration::from_millis(200);
/// Longer than a device takes to start again.
const BOOT: Duration = Duration::from_secs(40);

fn stage() -> Stage {
    let mut stage = Stage::of("generic-2022", |_| {});
    stage.register();
    stage
}

fn order(target: &str, url: &str, session: &str) -> Request {
    Request::message(format!(
        "<Control><CmdType>DeviceControl</CmdType><SN>17</SN><DeviceID>{target}</DeviceID>\
         <DeviceUpgrade><Firmware>V2.0</Firmware><FileURL>{url}</FileURL>\
         <Manufacturer>vcam</Manufacturer><SessionID>{session}</SessionID></DeviceUpgrade>\
         </Control>"
    ))
}

/// The Result of the Response that follows the 200.
fn ordered(stage: &mut Stage, request: Request) -> String {
    assert_eq!(stage.ask(request).status(), 200);
    let answer = stage.next();
    assert_eq!(answer.element("CmdType").unwrap(), "DeviceControl");
    assert_eq!(answer.element("SN").unwrap(), "17");
    stage.answer(&answer, 200, "");
    answer.element("Result").unwrap()
}

fn begun(stage: &mut Stage) -> (JobId, Job) {
    assert_eq!(ordered(stage, order(DEVICE, URL, SESSION)), "OK");
    let mut jobs = stage.lab.take_jobs(stage.camera);
    assert_eq!(jobs.len(), 1);
    jobs.remove(0)
}

fn fetched(status: u16, octets: u64) -> JobOutcome {
    Ok(Fetched { status, octets })
}

fn finish(stage: &mut Stage, id: JobId, outcome: JobOutcome) {
    stage.lab.answer_job(stage.camera, id, outcome);
}

/// Leaves, stays away and registers again.
fn rebooted(stage: &mut Stage) {
    let leave = stage.next();
    assert_eq!((leave.method(), leave.header("Expires")), ("REGISTER", "0"));
    stage.answer(&leave, 200, "");
    stage.silence(Duration::from_secs(29));
    stage.accept_registration_within(BOOT);
}

fn result(stage: &mut Stage) -> Heard {
    let all = stage.all_within(SOON);
    let found = all.into_iter().find(|heard| !heard.is_keepalive());
    let result = found.expect("a result");
    assert_eq!(result.element("CmdType").unwrap(), "DeviceUpgradeResult");
    assert_eq!(result.element("SessionID").unwrap(), SESSION);
    assert_eq!(result.element("DeviceID").unwrap(), DEVICE);
    stage.answer(&result, 200, "");
    result
}

fn firmware(stage: &mut Stage) -> String {
    assert_eq!(
        stage.ask(Request::query("DeviceInfo", DEVICE)).status(),
        200
    );
    let info = stage.next();
    stage.answer(&info, 200, "");
    info.element("Firmware").unwrap()
}

#[test]
fn firmware_is_fetched_then_the_device_starts_again_and_tells_that_it_runs() {
    let mut stage = stage();
    let before = firmware(&mut stage);
    let (id, job) = begun(&mut stage);
    assert_eq!(
        (job.method, job.url.as_str(), job.body),
        (HttpMethod::Get, URL, None)
    );
    stage.silence(SOON);
    finish(&mut stage, id, fetched(200, 1_000_000));
    rebooted(&mut stage);
    let result = result(&mut stage);
    assert_eq!(result.element("UpgradeResult").unwrap(), "OK");
    assert_eq!(result.element("Firmware").unwrap(), "V2.0");
    assert_ne!(before, "V2.0");
    assert_eq!(firmware(&mut stage), "V2.0");
    let events = stage.events();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Rebooting { .. }))
    );
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, Event::Off { .. }))
    );
}

#[test]
fn what_goes_wrong_is_told_with_its_code_and_nothing_starts_again() {
    for (outcome, code) in [
        (fetched(404, 9), "99"),
        (fetched(500, 0), "99"),
        (fetched(200, 0), "02"),
        (Err(JobFailure::Timeout), "01"),
        (Err(JobFailure::Broken("early end".into())), "02"),
        (Err(JobFailure::TooLarge), "02"),
        (Err(JobFailure::Url), "99"),
        (Err(JobFailure::Unreachable("refused".into())), "99"),
    ] {
        let mut stage = stage();
        let before = firmware(&mut stage);
        let (id, _) = begun(&mut stage);
        finish(&mut stage, id, outcome);
        let result = result(&mut stage);
        assert_eq!(result.element("UpgradeResult").unwrap(), "ERROR");
        assert_eq!(result.element("UpgradeFailedReason").unwrap(), code);
        assert_eq!(result.element("Firmware").unwrap(), before);
        stage.silence(Duration::from_secs(20));
        assert!(stage.camera().is_registered());
        assert_eq!(firmware(&mut stage), before);
    }
}

#[test]
fn impossible_orders_are_refused_and_begin_nothing() {
    let mut stage = stage();
    for request in [
        order(DEVICE, "", SESSION),
        order(DEVICE, URL, ""),
        order(CHANNEL, URL, "not a session"),
        order(DEVICE, &"x".repeat(2_000), SESSION),
    ] {
        assert_eq!(ordered(&mut stage, request), "ERROR");
    }
    let stranger = order("34020000001320000099", URL, SESSION);
    assert_eq!(stage.ask(stranger).status(), 200);
    stage.silence(SOON);
    assert!(stage.lab.take_jobs(stage.camera).is_empty());
}

#[test]
fn one_upgrade_at_a_time_and_late_news_of_jobs_is_nobodys() {
    let mut stage = stage();
    let (id, _) = begun(&mut stage);
    assert_eq!(ordered(&mut stage, order(DEVICE, URL, SESSION)), "ERROR");
    finish(&mut stage, JobId(id.0 + 7), fetched(200, 1));
    stage.silence(SOON);
    finish(&mut stage, id, fetched(404, 0));
    result(&mut stage);
    finish(&mut stage, id, fetched(200, 1));
    stage.silence(SOON);
    let (next, _) = begun(&mut stage);
    assert_ne!(next, id);
}

#[test]
fn a_device_switched_off_while_it_starts_again_stays_off() {
    use vcam::camera::Command;
    let mut stage = stage();
    let (id, _) = begun(&mut stage);
    finish(&mut stage, id, fetched(200, 1));
    let leave = stage.next();
    stage.answer(&leave, 200, "");
    stage.run(Duration::from_secs(5));
    stage.command(Command::PowerOff);
    stage.silence(Duration::from_secs(120));
    let off = |event: &Event| matches!(event, Event::Off { .. });
    assert_eq!(stage.events().iter().filter(|event| off(event)).count(), 1);
    stage.power_on();
    stage.accept_registration();
    assert_eq!(result(&mut stage).element("UpgradeResult").unwrap(), "OK");
}
