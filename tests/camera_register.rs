//! Registration (GB/T 28181-2022 §9.1): challenges, refusals, redirection, refresh, leaving.

mod common;

use std::time::Duration;

use common::addr;
use common::spoken::{Heard, Request};
use common::stage::{CHALLENGE, DEVICE, PLATFORM, SERVER, Stage, stage};
use vcam::camera::{Command, Config, Event, Position};
use vcam::sip::Method;
use vcam::sip::digest::Authorization;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// The camera's first REGISTER.
fn first(stage: &mut Stage) -> Heard {
    stage.command(Command::PowerOn);
    stage.next()
}

fn proves(request: &Heard, password: &str) -> bool {
    let authorization = Authorization::parse(request.header("Authorization")).unwrap();
    authorization.proof(password, Method::Register) == authorization.response
}

/// Why the last registration failed, and the pause it announced.
fn failure(stage: &mut Stage) -> (String, Duration) {
    let mut failed = stage.events().into_iter().filter_map(|event| match event {
        Event::RegisterFailed { why, retry, .. } => Some((why, retry)),
        _ => None,
    });
    failed.next_back().expect("a failed registration")
}

fn registered_for(stage: &mut Stage) -> u64 {
    let mut lifetimes = stage.events().into_iter().filter_map(|event| match event {
        Event::Registered { expires, .. } => Some(expires.as_secs()),
        _ => None,
    });
    lifetimes.next_back().expect("a registration")
}

#[test]
fn a_challenge_is_answered_in_the_same_call_with_the_next_cseq_and_another_branch() {
    let mut stage = stage();
    let bare = first(&mut stage);
    assert!(!bare.has("Authorization"));
    assert_eq!((bare.cseq(), bare.header("Expires")), (1, "3600"));
    stage.answer(&bare, 401, CHALLENGE);
    let proved = stage.next();
    assert!(proves(&proved, "12345678"));
    assert_eq!(proved.param("Authorization", "uri").unwrap(), proved.uri());
    assert_eq!(proved.header("Call-ID"), bare.header("Call-ID"));
    assert_eq!(proved.header("From"), bare.header("From"));
    assert_eq!(proved.cseq(), 2);
    assert_ne!(proved.header("Via"), bare.header("Via"));
    stage.answer(&proved, 200, "Expires: 3600\r\n");
    stage.run(SECOND);
    assert!(stage.camera().is_registered());
}

#[test]
fn a_platform_without_a_password_accepts_at_once() {
    let mut stage = stage();
    let bare = first(&mut stage);
    stage.answer(&bare, 200, "");
    stage.run(SECOND);
    assert!(stage.camera().is_registered());
}

#[test]
fn qop_auth_is_chosen_and_opaque_comes_back() {
    let mut stage = stage();
    let bare = first(&mut stage);
    let challenge = "WWW-Authenticate: Digest realm=\"3402000000\",qop=\"auth,auth-int\",\
                     opaque=\"monibuca\",algorithm=md5,nonce=\"1\"\r\n";
    stage.answer(&bare, 401, challenge);
    let proved = stage.next();
    assert!(proves(&proved, "12345678"));
    let param = |name| proved.param("Authorization", name);
    assert_eq!(param(" qop").as_deref(), Some("auth"));
    assert_eq!(param(" nc").as_deref(), Some("00000001"));
    assert_eq!(param("opaque").as_deref(), Some("monibuca"));
}

#[test]
fn a_proxy_is_answered_with_proxy_authorization() {
    let mut stage = stage();
    let bare = first(&mut stage);
    let challenge = CHALLENGE.replace("WWW-Authenticate", "Proxy-Authenticate");
    stage.answer(&bare, 407, &challenge);
    let proved = stage.next();
    assert!(proved.has("Proxy-Authorization") && !proved.has("Authorization"));
}

#[test]
fn a_stale_nonce_is_no_refusal_but_nobody_is_stale_for_ever() {
    let mut stage = stage();
    let bare = first(&mut stage);
    stage.answer(&bare, 401, CHALLENGE);
    for nonce in 1..=3 {
        let proved = stage.next();
        let stale = format!(
            "WWW-Authenticate: Digest realm=\"3402000000\", nonce=\"{nonce}\", stale=TRUE\r\n"
        );
        stage.answer(&proved, 401, &stale);
    }
    let proved = stage.next();
    assert_eq!(proved.param("Authorization", "nonce").unwrap(), "3");
    let stale = "WWW-Authenticate: Digest realm=\"3402000000\", nonce=\"4\", stale=true\r\n";
    stage.answer(&proved, 401, stale);
    stage.silence(SECOND);
    let (why, _) = failure(&mut stage);
    assert!(why.contains("in other words"), "{why}");
}

#[test]
fn a_password_refused_twice_waits_for_the_retry_timer() {
    let mut stage = stage();
    let bare = first(&mut stage);
    stage.answer(&bare, 401, CHALLENGE);
    for _ in 0..2 {
        let proved = stage.next();
        stage.answer(&proved, 401, CHALLENGE);
    }
    stage.run(SECOND);
    let (why, retry) = failure(&mut stage);
    assert!(why.contains("password"), "{why}");
    assert!(retry >= MINUTE && retry < MINUTE * 3 / 2, "{retry:?}");
    stage.silence(MINUTE - SECOND * 2);
    assert_eq!(stage.next_within(MINUTE).method(), "REGISTER");
}

#[test]
fn the_pause_before_a_retry_is_partly_chance() {
    let pause = |seed: u8| {
        let mut stage = Stage::with(|config| config.local.set_port(5060 + u16::from(seed)));
        stage.lab = vcam::lab::Lab::new(u64::from(seed));
        stage.lab.bind(addr(PLATFORM));
        let config = common::config(
            "dahua-ipc",
            DEVICE,
            "10.0.0.2:5060",
            common::platform(SERVER, PLATFORM),
        );
        let camera = vcam::camera::Camera::new(std::sync::Arc::new(config), u64::from(seed));
        stage.camera = stage.lab.add(common::ip("10.0.0.2"), camera);
        let bare = first(&mut stage);
        stage.answer(&bare, 403, "");
        stage.run(SECOND);
        failure(&mut stage).1
    };
    assert_ne!(pause(1), pause(2));
}

#[test]
fn every_other_refusal_is_tried_again_after_the_pause() {
    for status in [400, 403, 404, 500, 503, 600] {
        let mut stage = stage();
        let bare = first(&mut stage);
        stage.answer(&bare, status, "");
        stage.silence(MINUTE - SECOND);
        let (why, _) = failure(&mut stage);
        assert!(why.starts_with(&status.to_string()), "{why}");
        let again = stage.next_within(MINUTE);
        assert_eq!(again.header("Call-ID"), bare.header("Call-ID"));
        assert!(again.cseq() > bare.cseq());
    }
}

#[test]
fn an_unknown_digest_is_a_failure_and_no_loop() {
    let mut stage = stage();
    let bare = first(&mut stage);
    let sm3 = "WWW-Authenticate: Digest realm=\"3402000000\", nonce=\"1\", algorithm=SM3\r\n";
    stage.answer(&bare, 401, sm3);
    stage.silence(MINUTE - SECOND);
    assert!(failure(&mut stage).0.contains("digest"));
}

#[test]
fn retry_after_is_honoured_when_it_is_longer() {
    let mut stage = stage();
    let bare = first(&mut stage);
    stage.answer(&bare, 503, "Retry-After: 300 (busy);duration=60\r\n");
    stage.silence(MINUTE * 5 - SECOND);
    assert_eq!(stage.next_within(SECOND * 2).method(), "REGISTER");
}

#[test]
fn an_interval_too_brief_is_raised_and_tried_at_once() {
    let mut stage = stage();
    let bare = first(&mut stage);
    stage.answer(&bare, 423, "Min-Expires: 7200\r\n");
    let raised = stage.next();
    assert_eq!(raised.header("Expires"), "7200");
    stage.answer(&raised, 401, CHALLENGE);
    let proved = stage.next();
    assert_eq!(proved.header("Expires"), "7200");
    stage.answer(&proved, 200, "");
    stage.run(SECOND);
    assert_eq!(registered_for(&mut stage), 7200);
}

#[test]
fn a_423_that_raises_nothing_is_a_failure() {
    for header in ["", "Min-Expires: 60\r\n", "Min-Expires: soon\r\n"] {
        let mut stage = stage();
        let bare = first(&mut stage);
        stage.answer(&bare, 423, header);
        stage.silence(MINUTE - SECOND);
        assert!(failure(&mut stage).0.contains("423"));
    }
}

#[test]
fn the_lifetime_is_expires_else_our_contacts_else_what_we_asked_for() {
    let other = "Contact: <sip:34020000001320000009@10.0.0.9:5060>;expires=50\r\n";
    let own = format!("Contact: <sip:{DEVICE}@10.0.0.2:5060>;expires=1200\r\n");
    for (headers, seconds) in [
        ("Expires: 600\r\n".to_owned(), 600),
        (own.clone(), 1200),
        (format!("Expires: 700\r\n{own}"), 700),
        (other.to_owned(), 3600),
        (String::new(), 3600),
    ] {
        let mut stage = stage();
        let bare = first(&mut stage);
        stage.answer(&bare, 200, &headers);
        stage.run(SECOND);
        assert_eq!(registered_for(&mut stage), seconds, "{headers}");
    }
}

#[test]
fn a_refresh_comes_before_the_end_and_counts_on_in_the_same_call() {
    for (lifetime, refresh) in [(3600, 3240), (200, 170), (100, 70), (40, 20)] {
        let mut stage = stage();
        let bare = first(&mut stage);
        stage.answer(&bare, 200, &format!("Expires: {lifetime}\r\n"));
        let (waited, again) = stage.wait_for_next(Duration::from_secs(lifetime));
        assert_eq!(waited.as_secs(), refresh, "of {lifetime}");
        assert_eq!(again.header("Call-ID"), bare.header("Call-ID"));
        assert_eq!(again.header("From"), bare.header("From"));
        assert_eq!(again.cseq(), 2);
    }
}

#[test]
fn a_refresh_sends_no_keepalive_of_its_own_and_is_challenged_again() {
    let mut stage = Stage::with(|config| config.heartbeat.interval = Duration::from_secs(86_400));
    stage.register();
    stage.keeps_alive = false;
    let again = stage.next_within(Duration::from_secs(3600));
    stage.answer(&again, 401, CHALLENGE);
    let proved = stage.next();
    assert!(proves(&proved, "12345678"));
    stage.answer(&proved, 200, "Expires: 3600\r\n");
    stage.silence(MINUTE);
    assert!(stage.camera().is_registered());
}

#[test]
fn a_refresh_that_fails_loses_the_registration() {
    let mut stage = Stage::registered_with(|config| config.expires = MINUTE * 2);
    stage.call(common::spoken::udp());
    let again = stage.next_within(MINUTE * 2);
    stage.answer(&again, 403, "");
    stage.run(SECOND);
    assert!(!stage.camera().is_registered());
    stage.nothing_is_left();
    stage.silence(MINUTE - SECOND * 2);
}

#[test]
fn nobody_answers_until_timer_f_and_then_the_retry_timer_runs() {
    let mut stage = stage();
    let bare = first(&mut stage);
    let repeats = stage.all_within(SECOND * 31);
    assert!(repeats.iter().all(|again| again.head == bare.head));
    assert!(stage.events().is_empty());
    stage.all_within(SECOND * 2);
    assert_eq!(failure(&mut stage).0, "no answer");
    let (_, again) = stage.wait_for_next(MINUTE * 2);
    assert_eq!(again.cseq(), 2);
}

#[test]
fn unregistering_is_challenged_too_and_keeps_the_real_contact() {
    let mut stage = Stage::registered();
    stage.command(Command::PowerOff);
    let bye = stage.next();
    assert_eq!((bye.method(), bye.header("Expires")), ("REGISTER", "0"));
    assert!(bye.header("Contact").contains(DEVICE));
    stage.answer(&bye, 401, CHALLENGE);
    let proved = stage.next();
    assert_eq!(proved.header("Expires"), "0");
    assert!(proves(&proved, "12345678"));
    stage.answer(&proved, 200, "");
    stage.silence(MINUTE * 3);
    assert_eq!(
        stage.events().last(),
        Some(&Event::Off { unregistered: true })
    );
}

#[test]
fn a_platform_that_refuses_or_ignores_the_farewell_does_not_hold_the_camera() {
    for status in [None, Some(403), Some(500)] {
        let mut stage = Stage::registered();
        stage.command(Command::PowerOff);
        let farewell = stage.next();
        if let Some(status) = status {
            stage.answer(&farewell, status, "");
        }
        stage.run(SECOND * 33);
        let off = Event::Off {
            unregistered: false,
        };
        assert_eq!(stage.events().last(), Some(&off), "{status:?}");
    }
}

#[test]
fn a_platform_that_has_never_answered_is_not_waited_for_when_switched_off() {
    let mut stage = stage();
    first(&mut stage);
    stage.run(SECOND);
    stage.command(Command::PowerOff);
    stage.run(SECOND * 3);
    let off = Event::Off {
        unregistered: false,
    };
    assert_eq!(stage.events().last(), Some(&off));
}

#[test]
fn a_camera_switched_off_while_it_registers_leaves_no_registration_behind() {
    let mut stage = stage();
    let bare = first(&mut stage);
    stage.command(Command::PowerOff);
    stage.answer(&bare, 200, "");
    let farewell = stage.next();
    assert_eq!(farewell.header("Expires"), "0");
    stage.answer(&farewell, 200, "");
    stage.silence(MINUTE * 2);
    assert_eq!(
        stage.events().last(),
        Some(&Event::Off { unregistered: true })
    );
}

#[test]
fn a_restarted_camera_begins_a_new_call() {
    let mut stage = Stage::registered();
    stage.command(Command::PowerOff);
    let farewell = stage.next();
    stage.answer(&farewell, 200, "");
    stage.run(SECOND);
    let bare = first(&mut stage);
    assert_ne!(bare.header("Call-ID"), farewell.header("Call-ID"));
    assert_eq!(bare.cseq(), 1);
}

#[test]
fn a_camera_called_back_while_it_leaves_comes_up_once_it_is_off() {
    let mut stage = Stage::registered();
    stage.command(Command::PowerOff);
    let farewell = stage.next();
    stage.command(Command::PowerOn);
    stage.events();
    stage.answer(&farewell, 200, "");
    let bare = stage.next();
    assert_eq!(
        (bare.method(), bare.header("Expires")),
        ("REGISTER", "3600")
    );
    assert_ne!(bare.header("Call-ID"), farewell.header("Call-ID"));
    assert_eq!(stage.events(), [Event::Off { unregistered: true }]);
    stage.answer(&bare, 200, "");
    stage.run(SECOND);
    assert!(stage.camera().is_registered());
}

#[test]
fn a_camera_called_back_and_sent_off_again_stays_off() {
    let mut stage = Stage::registered();
    stage.command(Command::PowerOff);
    let farewell = stage.next();
    stage.command(Command::PowerOn);
    stage.command(Command::PowerOff);
    stage.answer(&farewell, 200, "");
    stage.silence(MINUTE * 3);
    assert_eq!(
        stage.events().last(),
        Some(&Event::Off { unregistered: true })
    );
}

#[test]
fn the_platforms_clock_is_the_cameras_clock() {
    let mut stage = stage();
    let bare = first(&mut stage);
    stage.answer(&bare, 200, "Date: 2024-05-17T14:07:33.263\r\n");
    stage.run(SECOND);
    stage.ask(common::spoken::Request::query("DeviceStatus", DEVICE));
    let status = stage.next();
    assert_eq!(
        status.element("DeviceTime").as_deref(),
        Some("2024-05-17T14:07:34")
    );
}

/// A subscription of the platform to something of the device.
fn subscribe(stage: &mut Stage, cmd_type: &str) {
    let subscribe = Request {
        method: "SUBSCRIBE".into(),
        ..Request::query(cmd_type, DEVICE)
    };
    let contact = format!("Contact: <sip:{SERVER}@{PLATFORM}>");
    let subscribe = subscribe.with("Event: presence").with("Expires: 3600");
    let granted = stage.ask(subscribe.with(&contact));
    assert_eq!(granted.status(), 200);
    assert_eq!(stage.camera().subscriptions(), 1);
}

#[test]
fn a_position_is_dated_by_the_platforms_clock() {
    let mut stage = Stage::with(|config| config.position = Some(Position::at(116.4, 39.9)));
    let bare = first(&mut stage);
    stage.answer(&bare, 200, "Date: 2024-05-17T14:07:33.263\r\n");
    stage.run(SECOND);
    subscribe(&mut stage, "MobilePosition");
    let notify = stage.next();
    let time = notify.element("Time");
    assert_eq!(time.as_deref(), Some("2024-05-17T14:07:34"));
}

#[test]
fn a_platform_that_throws_a_camera_out_is_told_nothing_more() {
    let mut stage = Stage::registered_with(|config| config.expires = MINUTE);
    subscribe(&mut stage, "Catalog");
    let refresh = stage.next_within(MINUTE);
    assert_eq!(refresh.method(), "REGISTER");
    stage.answer(&refresh, 403, "");
    stage.run(SECOND);
    assert_eq!(stage.camera().subscriptions(), 0);
    let (id, online) = (stage.camera().config().channels[0].id, false);
    stage.command(Command::Channel { id, online });
    stage.silence(SECOND * 30);
}

const SECOND_SERVER: &str = "10.0.0.3:5060";
const REDIRECT: &str = "Contact: <sip:34020000002000000002@10.0.0.3:5060>\r\nExpires: 3600\r\n";

/// A camera redirected to a second server, and its REGISTER there.
fn redirected(change: impl FnOnce(&mut Config)) -> (Stage, Heard) {
    let mut stage = Stage::with(change);
    stage.lab.bind(addr(SECOND_SERVER));
    let bare = first(&mut stage);
    stage.answer(&bare, 302, REDIRECT);
    stage.run(Duration::from_millis(5));
    stage.platform = addr(SECOND_SERVER);
    let there = stage.next();
    assert_ne!(there.header("Call-ID"), bare.header("Call-ID"));
    (stage, there)
}

#[test]
fn a_302_is_followed_in_a_new_call_and_challenged_there() {
    let (mut stage, there) = redirected(|_| {});
    assert_eq!(there.uri(), "sip:34020000002000000002@10.0.0.3:5060");
    assert_eq!(there.cseq(), 1);
    stage.answer(&there, 401, CHALLENGE);
    let proved = stage.next();
    assert_eq!(proved.param("Authorization", "uri").unwrap(), proved.uri());
    stage.answer(&proved, 200, "");
    stage.run(SECOND);
    assert!(stage.camera().is_registered());
    let answer = stage.ask(common::spoken::Request::new("OPTIONS"));
    assert_eq!(answer.status(), 200, "the second platform is obeyed");
}

#[test]
fn a_server_we_were_sent_to_that_refuses_sends_us_back_at_once() {
    for status in [403, 500] {
        let (mut stage, there) = redirected(|_| {});
        stage.answer(&there, status, "");
        stage.run(Duration::from_millis(5));
        stage.platform = addr(PLATFORM);
        let home = stage.next();
        assert!(home.uri().contains(SERVER), "{home:?}");
        stage.answer(&home, 200, "");
        stage.run(SECOND);
        assert!(stage.camera().is_registered());
    }
}

#[test]
fn a_server_we_were_sent_to_that_is_silent_sends_us_back() {
    let (mut stage, _) = redirected(|_| {});
    stage.all_within(SECOND * 33);
    stage.platform = addr(PLATFORM);
    assert!(stage.next().uri().contains(SERVER));
}

#[test]
fn keepalives_lost_at_a_server_we_were_sent_to_send_us_back() {
    let (mut stage, there) = redirected(|config| config.heartbeat.count = 1);
    stage.keeps_alive = false;
    stage.answer(&there, 200, "");
    let keepalive = stage.next();
    stage.answer(&keepalive, 500, "");
    stage.run(Duration::from_millis(5));
    stage.platform = addr(PLATFORM);
    assert!(stage.next().uri().contains(SERVER));
}

#[test]
fn a_platform_we_are_sent_to_hears_no_keepalive_before_it_has_accepted() {
    let mut stage = Stage::registered_with(|config| {
        config.expires = MINUTE * 2;
        config.heartbeat.interval = SECOND * 10;
    });
    stage.lab.bind(addr(SECOND_SERVER));
    let refresh = stage.next_within(MINUTE * 2);
    stage.answer(&refresh, 302, REDIRECT);
    stage.run(Duration::from_millis(5));
    stage.platform = addr(SECOND_SERVER);
    stage.keeps_alive = false;
    let there = stage.next();
    let heard = stage.all_within(SECOND * 30);
    assert!(heard.iter().all(|h| h.head == there.head), "{heard:?}");
    stage.answer(&there, 200, "");
    assert!(stage.next().is_keepalive());
}

#[test]
fn a_lifetime_that_one_platform_raised_is_not_asked_of_the_next() {
    let mut stage = stage();
    stage.lab.bind(addr(SECOND_SERVER));
    let bare = first(&mut stage);
    stage.answer(&bare, 423, "Min-Expires: 7200\r\n");
    let raised = stage.next();
    stage.answer(&raised, 302, REDIRECT);
    stage.run(Duration::from_millis(5));
    stage.platform = addr(SECOND_SERVER);
    assert_eq!(stage.next().header("Expires"), "3600");
}

#[test]
fn five_redirections_are_followed_and_the_sixth_is_a_failure() {
    for _ in 0..2 {
        let mut stage = stage();
        let mut asked = first(&mut stage);
        for _ in 0..5 {
            let own = format!("Contact: <sip:{SERVER}@{PLATFORM}>\r\n");
            stage.answer(&asked, 302, &own);
            asked = stage.next();
        }
        stage.answer(&asked, 302, REDIRECT);
        stage.silence(MINUTE - SECOND);
        assert!(failure(&mut stage).0.contains("too often"));
        let fresh = stage.next_within(MINUTE);
        stage.answer(
            &fresh,
            302,
            &format!("Contact: <sip:{SERVER}@{PLATFORM}>\r\n"),
        );
        assert_eq!(stage.next().method(), "REGISTER", "counted anew");
    }
}

#[test]
fn a_302_without_an_address_is_a_failure() {
    for contact in [
        "",
        "Contact: <sip:34020000002000000002@example.com>\r\n",
        "Contact: *\r\n",
    ] {
        let mut stage = stage();
        let bare = first(&mut stage);
        stage.answer(&bare, 302, contact);
        stage.silence(SECOND);
        assert!(failure(&mut stage).0.contains("302"));
    }
}
