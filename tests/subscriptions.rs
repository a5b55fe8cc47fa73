//! What a device tells of itself: subscriptions to its catalogue, its alarms and its position, and
//! alarms that nobody has subscribed to.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::spoken::Request;
use common::{addr, config, id, ip, platform, stage};
use vcam::camera::{self, Camera, Position, Tree};
use vcam::gb28181::Ptz;
use vcam::gb28181::manscdp::{
    Alarm, CatalogChange, CatalogEvent, CatalogItem, Control, Duty, Topic,
};
use vcam::gb28181::ptz::{Motion, Toward};
use vcam::lab::{Key, Lab};
use vcam::platform::{
    Answer, AskFailure, AskId, Command, Config, Event, Notice, Order, Passwords, Platform, Query,
};
use vcam::time::Wall;

const PLATFORM: &str = "192.0.2.9:5060";
const PLATFORM_ID: &str = "34020000002000000001";
const CAMERA_ID: &str = "34020000001320000001";
const CHANNEL: &str = "34020000001310000001";
const YARD: &str = "34020000001310000002";
const LENS: &str = "34020000001310000003";
const INPUT: &str = "34020000001340000001";
const RIGHT: Toward = Toward {
    forward: true,
    speed: 64,
};
const MINUTE: Duration = Duration::from_secs(60);

struct Stage {
    lab: Lab,
    platform: Key<Platform>,
    camera: Key<Camera>,
}

impl Stage {
    fn of(make: &str, change: impl FnOnce(&mut camera::Config)) -> Stage {
        let mut lab = Lab::new(7);
        let mut ours = Config::new(id(PLATFORM_ID), addr(PLATFORM));
        ours.passwords = Passwords::shared("12345678");
        let judge = lab.add(ip("192.0.2.9"), Platform::new(Arc::new(ours), 1));
        let platform = platform(PLATFORM_ID, PLATFORM);
        let mut theirs = config(make, CAMERA_ID, "192.0.2.1:5060", platform);
        change(&mut theirs);
        let camera = lab.add(ip("192.0.2.1"), Camera::new(Arc::new(theirs), 2));
        lab.run_for(Duration::from_millis(10));
        lab.command(camera, camera::Command::PowerOn);
        lab.run_for(Duration::from_millis(200));
        lab.take_events(judge);
        Stage {
            lab,
            platform: judge,
            camera,
        }
    }

    fn ask(&mut self, command: Command) -> Result<Answer, AskFailure> {
        self.lab.take_events(self.platform);
        self.lab.command(self.platform, command);
        let platform = self.platform;
        let mut found = None;
        self.lab.run_until(MINUTE, |lab| {
            let mut events = lab.events(platform).iter();
            found = events.find_map(|(_, event)| match event {
                Event::Answered { answer, .. } => Some(Ok(answer.clone())),
                Event::AskFailed { why, .. } => Some(Err(why.clone())),
                _ => None,
            });
            found.is_some()
        });
        found.expect("an answer")
    }

    fn subscribe(&mut self, about: &str, topic: Topic, seconds: u64) -> Result<Answer, AskFailure> {
        self.ask(Command::Subscribe {
            device: id(CAMERA_ID),
            about: id(about),
            topic,
            lifetime: Duration::from_secs(seconds),
            ask: AskId(1),
        })
    }

    /// What the camera has told since the last look.
    fn notices(&mut self, wait: Duration) -> Vec<Notice> {
        self.lab.run_for(wait);
        let events = self.lab.take_events(self.platform).into_iter();
        events
            .filter_map(|(_, event)| match event {
                Event::Notice { notice, .. } => Some(notice),
                _ => None,
            })
            .collect()
    }

    /// What the catalogue says of a channel, if it is in it.
    fn listed(&mut self, code: &str) -> Option<CatalogItem> {
        let (device, what, ask) = (id(CAMERA_ID), Query::Catalog, AskId(3));
        match self.ask(Command::Query { device, what, ask }) {
            Ok(Answer::Catalog(items)) => items.into_iter().find(|item| item.id == code),
            other => panic!("{other:?}"),
        }
    }

    /// The order to add a channel that shows what the first does.
    fn channel(&self, code: &str, name: &str) -> camera::Command {
        let first = &self.lab.node(self.camera).config().channels[0];
        camera::Command::AddChannel(Box::new(camera::Channel {
            id: id(code),
            name: name.to_owned(),
            ..first.clone()
        }))
    }

    fn camera(&mut self, command: camera::Command) {
        self.lab.command(self.camera, command);
    }

    fn subscriptions(&self) -> (usize, usize) {
        let camera = self.lab.node(self.camera).subscriptions();
        (self.lab.node(self.platform).subscriptions(), camera)
    }

    fn is_content(&self) {
        let judge = self.lab.node(self.platform);
        assert_eq!(judge.complaints().iter().collect::<Vec<_>>(), []);
    }
}

fn granted(seconds: u64) -> Result<Answer, AskFailure> {
    Ok(Answer::Subscribed(Duration::from_secs(seconds)))
}

fn motion() -> Alarm {
    Alarm::motion(id(CHANNEL), Wall::from_seconds(1_700_000_000))
}

fn changes(notices: &[Notice]) -> Vec<(String, CatalogEvent)> {
    let all = notices.iter().flat_map(|notice| match notice {
        Notice::Catalog(changes) => changes.as_slice(),
        other => panic!("{other:?}"),
    });
    all.map(|change| (change.item.id.clone(), change.event))
        .collect()
}

#[test]
fn changes_of_the_catalogue_are_told_to_who_has_subscribed_to_it() {
    for make in ["generic-2016", "dahua-nvr", "hikvision-ipc", "generic-2022"] {
        let mut stage = Stage::of(make, |_| {});
        assert_eq!(
            stage.subscribe(CAMERA_ID, Topic::Catalog, 600),
            granted(600),
            "{make}"
        );
        assert_eq!(stage.notices(MINUTE), [], "{make}: everything is on-line");
        let channel = id(CHANNEL);
        let online = |online| camera::Command::Channel {
            id: channel,
            online,
        };
        stage.camera(online(false));
        let off = [(CHANNEL.to_owned(), CatalogEvent::Off)];
        assert_eq!(changes(&stage.notices(MINUTE)), off, "{make}");
        stage.camera(online(true));
        stage.camera(camera::Command::Changed {
            id: channel,
            event: CatalogEvent::VideoLost,
        });
        let events: Vec<_> = changes(&stage.notices(MINUTE))
            .into_iter()
            .map(|c| c.1)
            .collect();
        assert_eq!(
            events,
            [CatalogEvent::On, CatalogEvent::VideoLost],
            "{make}"
        );
        stage.is_content();
    }
}

#[test]
fn a_channel_that_is_new_or_changed_is_told_with_all_that_the_catalogue_says_of_it() {
    let mut stage = Stage::of("generic-2016", |_| {});
    let listed = stage.listed(CHANNEL).expect("the channel");
    assert!(!listed.name.is_empty());
    stage.subscribe(CAMERA_ID, Topic::Catalog, 600).unwrap();
    for event in [CatalogEvent::Add, CatalogEvent::Update] {
        let id = id(CHANNEL);
        stage.camera(camera::Command::Changed { id, event });
        let item = listed.clone();
        let told = vec![CatalogChange { item, event }];
        assert_eq!(stage.notices(MINUTE), [Notice::Catalog(told)]);
    }
    stage.is_content();
}

#[test]
fn a_channel_that_comes_is_told_and_listed_and_so_is_one_that_goes() {
    for make in ["generic-2016", "dahua-nvr", "hikvision-nvr"] {
        let mut stage = Stage::of(make, |_| {});
        stage.subscribe(CAMERA_ID, Topic::Catalog, 600).unwrap();
        let yard = stage.channel(YARD, "Yard");
        stage.camera(yard.clone());
        let told = stage.notices(MINUTE);
        let listed = stage.listed(YARD).expect("the channel");
        assert_eq!(listed.name, "Yard", "{make}");
        let (item, event) = (listed, CatalogEvent::Add);
        let added = vec![CatalogChange { item, event }];
        assert_eq!(told, [Notice::Catalog(added)], "{make}");
        stage.camera(yard);
        assert_eq!(stage.notices(MINUTE), [], "{make}: it is there already");

        stage.camera(camera::Command::RemoveChannel(id(YARD)));
        let gone = [(YARD.to_owned(), CatalogEvent::Delete)];
        assert_eq!(changes(&stage.notices(MINUTE)), gone, "{make}");
        assert_eq!(stage.listed(YARD), None, "{make}");
        for not_to_be_removed in [YARD, CHANNEL] {
            stage.camera(camera::Command::RemoveChannel(id(not_to_be_removed)));
        }
        assert_eq!(stage.notices(MINUTE), [], "{make}");
        assert!(
            stage.listed(CHANNEL).is_some(),
            "{make}: the last one stays"
        );
        stage.is_content();
    }
}

#[test]
fn a_channel_that_goes_takes_its_parts_and_the_subscriptions_to_it() {
    let mut stage = Stage::of("generic-2022", |config| {
        let gate = config.channels[0].clone();
        for (code, part_of) in [(YARD, None), (LENS, Some(id(YARD)))] {
            let id = id(code);
            let channel = gate.clone();
            config.channels.push(camera::Channel {
                id,
                part_of,
                ..channel
            });
        }
    });
    for about in [CAMERA_ID, YARD, LENS, CHANNEL] {
        let answer = stage.subscribe(about, Topic::Catalog, 600);
        assert_eq!(answer, granted(600), "{about}");
    }
    stage.camera(camera::Command::RemoveChannel(id(YARD)));
    let [yard, lens] = [YARD, LENS].map(|code| (code.to_owned(), CatalogEvent::Delete));
    let told = stage.notices(MINUTE).into_iter();
    let (over, told): (Vec<_>, Vec<_>) = told.partition(|n| matches!(n, Notice::Ended { .. }));
    assert_eq!(changes(&told), [yard.clone(), lens.clone(), yard, lens]);
    assert_eq!(over.len(), 2, "{over:?}");
    assert_eq!(
        stage.subscriptions(),
        (2, 2),
        "the device's and the other's"
    );
    stage.is_content();
}

#[test]
fn many_changes_come_in_as_many_notifies_as_the_make_fills() {
    for (make, notifies) in [("dahua-nvr", 25), ("hikvision-ipc", 3), ("generic-2016", 3)] {
        let mut stage = Stage::of(make, |config| {
            let gate = config.channels[0].clone();
            let yard = config.channels[0].id.with_serial(100);
            let parts = (100..125).map(|n| camera::Channel {
                id: yard.with_serial(n),
                part_of: (n > 100).then_some(yard),
                ..gate.clone()
            });
            config.channels.extend(parts);
        });
        stage.subscribe(CAMERA_ID, Topic::Catalog, 600).unwrap();
        let yard = id(CHANNEL).with_serial(100);
        stage.camera(camera::Command::RemoveChannel(yard));
        let told = stage.notices(MINUTE);
        assert_eq!(told.len(), notifies, "{make}");
        let ids: Vec<_> = changes(&told).into_iter().map(|(id, _)| id).collect();
        let gone = (100..125).map(|n| yard.with_serial(n).to_string());
        assert_eq!(ids, gone.collect::<Vec<_>>(), "{make}");
        stage.is_content();
    }
}

#[test]
fn what_is_new_is_told_as_new_whatever_has_happened_to_it_before_it_was_told() {
    let mut stage = Stage::of("generic-2016", |_| {});
    stage.subscribe(CAMERA_ID, Topic::Catalog, 600).unwrap();
    // The first is on its way when the rest happens.
    let (yard, door) = (stage.channel(YARD, "Yard"), stage.channel(LENS, "Door"));
    let (of_door, online) = (id(LENS), false);
    let update = CatalogEvent::Update;
    for command in [
        yard,
        door,
        camera::Command::Changed {
            id: of_door,
            event: update,
        },
        camera::Command::Channel {
            id: of_door,
            online,
        },
    ] {
        stage.camera(command);
    }
    let told = changes(&stage.notices(MINUTE));
    let told: Vec<_> = told
        .iter()
        .map(|(id, event)| (id.as_str(), *event))
        .collect();
    let (add, off) = (CatalogEvent::Add, CatalogEvent::Off);
    assert_eq!(told, [(YARD, add), (LENS, add), (LENS, off)]);
    stage.is_content();
}

#[test]
fn a_channel_that_hangs_elsewhere_because_another_has_come_is_told_too() {
    let mut stage = Stage::of("generic-2016", |config| {
        let names = ["North", "South"].map(str::to_owned);
        config.tree = Tree::of(config.device, "Site", &names);
        let (id, gate) = (id(YARD), config.channels[0].clone());
        config.channels.push(camera::Channel { id, ..gate });
    });
    stage.subscribe(CAMERA_ID, Topic::Catalog, 600).unwrap();
    let lens = stage.channel(LENS, "Door");
    stage.camera(lens);
    let moved = (YARD.to_owned(), CatalogEvent::Update);
    let added = (LENS.to_owned(), CatalogEvent::Add);
    assert_eq!(changes(&stage.notices(MINUTE)), [moved, added]);
    stage.is_content();
}

#[test]
fn what_is_off_line_already_is_told_at_once() {
    let mut stage = Stage::of("generic-2016", |_| {});
    let (id, online) = (id(CHANNEL), false);
    stage.camera(camera::Command::Channel { id, online });
    stage.subscribe(CAMERA_ID, Topic::Catalog, 600).unwrap();
    let told = changes(&stage.notices(Duration::from_secs(1)));
    assert_eq!(told, [(CHANNEL.to_owned(), CatalogEvent::Off)]);
    stage.is_content();
}

#[test]
fn an_alarm_travels_as_the_make_sends_it_subscribed_to_or_not() {
    for make in ["generic-2016", "dahua-ipc", "hikvision-nvr"] {
        let mut stage = Stage::of(make, |_| {});
        stage.camera(camera::Command::Alarm(motion()));
        let told = stage.notices(MINUTE);
        assert_eq!(
            told,
            [Notice::Alarm(motion())],
            "{make}: without a subscription"
        );
        stage.subscribe(CAMERA_ID, Topic::Alarm, 600).unwrap();
        stage.camera(camera::Command::Alarm(motion()));
        let told = stage.notices(MINUTE);
        assert_eq!(told, [Notice::Alarm(motion())], "{make}: once, with one");
        stage.is_content();
    }
}

#[test]
fn a_camera_that_wants_to_be_called_says_so_when_it_can_be_heard() {
    for (make, at) in [
        ("generic-2022", Some((116.397, 39.916))),
        ("dahua-ipc-2022", None),
    ] {
        let mut stage = Stage::of(make, |config| {
            config.position = at.map(|(east, north)| Position::at(east, north));
        });
        stage.camera(camera::Command::OfferVideo(id(CHANNEL)));
        let told = stage.notices(MINUTE);
        let [Notice::VideoOffered(upload)] = told.as_slice() else {
            panic!("{make}: {told:?}");
        };
        assert_eq!((upload.id.as_str(), upload.place), (CHANNEL, at), "{make}");
        stage.camera(camera::Command::OfferVideo(id(YARD)));
        assert_eq!(stage.notices(MINUTE), [], "{make}: it has no such channel");
        stage.camera(camera::Command::PowerOff);
        stage.camera(camera::Command::OfferVideo(id(CHANNEL)));
        assert_eq!(stage.notices(MINUTE), [], "{make}: it is off");
        stage.is_content();
    }
}

#[test]
fn many_alarms_at_once_all_arrive_one_notify_at_a_time() {
    let mut stage = Stage::of("generic-2016", |_| {});
    stage.subscribe(CAMERA_ID, Topic::Alarm, 600).unwrap();
    for n in 0..20 {
        let time = Wall::from_seconds(1_700_000_000 + n);
        stage.camera(camera::Command::Alarm(Alarm { time, ..motion() }));
    }
    assert_eq!(stage.notices(MINUTE).len(), 20);
    stage.is_content();
}

#[test]
fn a_position_is_told_at_once_and_again_in_its_interval() {
    let mut stage = Stage::of("generic-2016", |config| {
        config.position = Some(Position::at(116.397, 39.916));
    });
    stage
        .subscribe(CAMERA_ID, Topic::MobilePosition, 600)
        .unwrap();
    let longitudes = |notices: Vec<Notice>| -> Vec<f64> {
        let positions = notices.into_iter().map(|notice| match notice {
            Notice::Position(position) => position.longitude,
            other => panic!("{other:?}"),
        });
        positions.collect()
    };
    let first = longitudes(stage.notices(Duration::from_secs(11)));
    assert_eq!(first, [116.397; 3], "at once, after 5 and after 10 seconds");
    stage.camera(camera::Command::Move(Position::at(116.5, 39.9)));
    assert_eq!(longitudes(stage.notices(Duration::from_secs(5))), [116.5]);
    stage.is_content();
}

#[test]
fn a_head_that_is_watched_tells_where_it_looks_while_it_moves() {
    let mut stage = Stage::of("generic-2022", |_| {});
    let looks = |notices: Vec<Notice>| -> Vec<f64> {
        let positions = notices.into_iter().map(|notice| match notice {
            Notice::Looks { channel, at } if channel == CHANNEL => at.pan,
            other => panic!("{other:?}"),
        });
        positions.collect()
    };
    let steer = |stage: &mut Stage, pan| {
        let (device, about, ask) = (id(CAMERA_ID), Some(id(CHANNEL)), AskId(2));
        let motion = Motion {
            pan,
            ..Motion::default()
        };
        let what = Order::Control(Control::Ptz(Ptz::Move(motion)));
        stage.lab.command(
            stage.platform,
            Command::Order {
                device,
                about,
                what,
                ask,
            },
        );
    };
    let answer = stage.subscribe(CHANNEL, Topic::PtzPosition, 600);
    assert_eq!(answer, granted(600));
    let first = looks(stage.notices(MINUTE));
    assert_eq!(first.len(), 1, "at once, and not again while it rests");
    steer(&mut stage, Some(RIGHT));
    let moving = looks(stage.notices(Duration::from_secs(4)));
    assert!((3..=5).contains(&moving.len()), "once a second: {moving:?}");
    assert!(moving.windows(2).all(|two| two[0] < two[1]), "{moving:?}");
    steer(&mut stage, None);
    let rest = looks(stage.notices(MINUTE));
    assert!(rest.len() <= 1, "where it came to rest: {rest:?}");
    let now = stage.lab.now();
    let camera = stage.lab.node(stage.camera);
    let truth = camera.looks_at(now, &id(CHANNEL)).pan;
    let last = rest.last().or(moving.last()).copied().unwrap();
    assert!((last - truth).abs() < 0.01, "{last} and {truth}");
    let answer = stage.subscribe(CHANNEL, Topic::PtzPosition, 0);
    assert_eq!(answer, granted(0));
    steer(&mut stage, Some(RIGHT));
    let ended = stage.notices(MINUTE);
    assert!(!ended.iter().any(|n| matches!(n, Notice::Looks { .. })));
    stage.is_content();
}

#[test]
fn a_device_that_does_not_know_where_it_is_says_nothing() {
    let mut stage = Stage::of("generic-2016", |_| {});
    assert_eq!(
        stage.subscribe(CAMERA_ID, Topic::MobilePosition, 600),
        granted(600)
    );
    assert_eq!(stage.notices(MINUTE), []);
}

#[test]
fn a_subscription_is_refreshed_as_long_as_it_is_wanted_and_ends_when_it_is_not() {
    let mut stage = Stage::of("dahua-ipc", |_| {});
    stage.subscribe(CAMERA_ID, Topic::Catalog, 60).unwrap();
    stage.notices(MINUTE * 30);
    assert_eq!(stage.subscriptions(), (1, 1), "refreshed for half an hour");
    assert_eq!(stage.subscribe(CAMERA_ID, Topic::Catalog, 0), granted(0));
    stage.notices(MINUTE);
    assert_eq!(stage.subscriptions(), (0, 0));
    let (id, online) = (id(CHANNEL), false);
    stage.camera(camera::Command::Channel { id, online });
    assert_eq!(stage.notices(MINUTE), [], "nobody is told any more");
    stage.is_content();
}

#[test]
fn a_device_that_is_switched_off_forgets_its_subscriptions_and_so_does_its_platform() {
    let mut stage = Stage::of("generic-2016", |_| {});
    stage.subscribe(CAMERA_ID, Topic::Alarm, 600).unwrap();
    stage.subscribe(CHANNEL, Topic::Catalog, 600).unwrap();
    assert_eq!(stage.subscriptions(), (2, 2));
    stage.camera(camera::Command::PowerOff);
    stage.notices(MINUTE);
    assert_eq!(stage.subscriptions(), (0, 0));
    stage.is_content();
}

#[test]
fn an_alarm_input_alarms_until_it_is_reset_and_is_silent_while_disarmed() {
    let mut stage = Stage::of("hikvision-ipc", |_| {});
    let duty = |stage: &mut Stage| {
        stage.lab.take_events(stage.platform);
        let (device, ask) = (id(CAMERA_ID), AskId(3));
        let what = Query::DeviceStatus;
        match stage.ask(Command::Query { device, what, ask }) {
            Ok(Answer::DeviceStatus(status)) => status.alarms[0].duty,
            other => panic!("{other:?}"),
        }
    };
    let control = |stage: &mut Stage, command: &str| {
        let body = format!(
            "<Control><CmdType>DeviceControl</CmdType><SN>5</SN><DeviceID>{INPUT}</DeviceID>\
             {command}</Control>"
        );
        let message = Request::message(body);
        let octets = message.write("UDP", addr(PLATFORM), u32::from(command.as_bytes()[1]));
        stage
            .lab
            .send_datagram(addr(PLATFORM), addr("192.0.2.1:5060"), octets);
        stage.notices(Duration::from_secs(1));
    };
    assert_eq!(duty(&mut stage), Duty::OnDuty);
    let input = Alarm::input(id(INPUT), Wall::from_seconds(1_700_000_000));
    stage.camera(camera::Command::Alarm(input.clone()));
    assert_eq!(stage.notices(MINUTE).len(), 1);
    assert_eq!(duty(&mut stage), Duty::Alarm);
    control(&mut stage, "<AlarmCmd>ResetAlarm</AlarmCmd>");
    assert_eq!(duty(&mut stage), Duty::OnDuty);
    control(&mut stage, "<GuardCmd>ResetGuard</GuardCmd>");
    assert_eq!(duty(&mut stage), Duty::OffDuty);
    stage.camera(camera::Command::Alarm(input));
    assert_eq!(stage.notices(MINUTE), [], "disarmed");
}

/// What a puppet of a platform says, and what it hears.
mod by_hand {
    use super::*;
    use common::spoken::Heard;

    fn subscribe(stage: &mut stage::Stage, cmd_type: &str, headers: &str, to_tag: &str) -> Heard {
        let body = format!(
            "<?xml version=\"1.0\"?><Query><CmdType>{cmd_type}</CmdType><SN>1</SN>\
             <DeviceID>{}</DeviceID></Query>",
            stage::DEVICE
        );
        let text = format!(
            "SUBSCRIBE sip:{device}@{camera} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {platform};rport;branch=z9hG4bK{branch}\r\n\
             From: <sip:34020000002000000001@3402000000>;tag=plat\r\n\
             To: <sip:{device}@3402000000>{to_tag}\r\nCall-ID: sub-1\r\nCSeq: 7 SUBSCRIBE\r\n\
             Contact: <sip:34020000002000000001@{platform}>\r\nMax-Forwards: 70\r\n{headers}\
             Content-Type: Application/MANSCDP+xml\r\nContent-Length: {length}\r\n\r\n{body}",
            device = stage::DEVICE,
            camera = stage::CAMERA,
            platform = stage.platform,
            branch = cmd_type.len() + headers.len() * 100 + to_tag.len() * 10_000,
            length = body.len(),
        );
        stage.say(text);
        stage.next()
    }

    #[test]
    fn the_answer_echoes_event_and_expires_and_a_notify_repeats_the_event_letter_for_letter() {
        let mut stage = stage::Stage::registered();
        let headers = "Event: Catalog;id=1894\r\nExpires: 90\r\n";
        let ok = subscribe(&mut stage, "Catalog", headers, "");
        assert_eq!((ok.status(), ok.header("Expires")), (200, "90"));
        assert_eq!(ok.header("Event"), "Catalog;id=1894");
        assert!(ok.body.is_empty() && ok.header("Contact").contains(stage::DEVICE));
        let (id, online) = (id(stage::CHANNEL), false);
        stage.command(camera::Command::Channel { id, online });
        let notify = stage.next();
        assert_eq!(notify.method(), "NOTIFY");
        assert_eq!(notify.header("Event"), "Catalog;id=1894");
        assert!(
            notify
                .header("Subscription-State")
                .starts_with("active;expires=")
        );
        assert_eq!(notify.header("Call-ID"), "sub-1");
        assert_eq!(notify.param("To", "tag").as_deref(), Some("plat"));
        assert_eq!(notify.param("From", "tag"), ok.param("To", "tag"));
    }

    #[test]
    fn an_unknown_package_topic_or_dialog_is_refused() {
        let refused = |cmd_type: &str, headers: &str, tag: &str| {
            let mut stage = stage::Stage::registered();
            subscribe(&mut stage, cmd_type, headers, tag).status()
        };
        assert_eq!(
            refused("Catalog", "Event: dialog\r\nExpires: 90\r\n", ""),
            489
        );
        assert_eq!(
            refused("Weather", "Event: presence\r\nExpires: 90\r\n", ""),
            489
        );
        assert_eq!(refused("Catalog", "Expires: 90\r\n", ";tag=nobody"), 481);
        assert_eq!(refused("Catalog", "Expires: 0\r\n", ";tag=nobody"), 200);
        assert_eq!(refused("Alarm", "", ""), 200, "neither Event nor Expires");
    }

    #[test]
    fn what_is_told_goes_to_where_the_last_subscribe_came_from() {
        let mut stage = stage::Stage::registered();
        let headers = "Event: presence\r\nExpires: 600\r\n";
        let ok = subscribe(&mut stage, "Catalog", headers, "");
        let tag = format!(";tag={}", ok.param("To", "tag").unwrap());
        stage.platform = addr("10.0.0.1:5070");
        stage.lab.bind(stage.platform);
        assert_eq!(
            subscribe(&mut stage, "Catalog", headers, &tag).status(),
            200
        );
        let (id, online) = (id(stage::CHANNEL), false);
        stage.command(camera::Command::Channel { id, online });
        assert_eq!(stage.next().method(), "NOTIFY");
    }

    #[test]
    fn a_channel_that_is_not_there_cannot_lose_its_picture() {
        let mut stage = stage::Stage::registered();
        subscribe(&mut stage, "Catalog", "Expires: 600\r\n", "");
        let yard = id(YARD);
        let online = false;
        stage.command(camera::Command::Channel { id: yard, online });
        stage.silence(Duration::from_secs(1));
        let gate = stage.camera().config().channels[0].clone();
        let added = camera::Channel { id: yard, ..gate };
        stage.command(camera::Command::AddChannel(Box::new(added)));
        let notify = stage.next();
        assert_eq!(notify.element("Event").as_deref(), Some("ADD"));
        assert_eq!(notify.element("Status").as_deref(), Some("ON"));
    }

    #[test]
    fn a_notify_that_is_refused_ends_its_subscription() {
        let mut stage = stage::Stage::registered();
        let headers = "Event: presence\r\nExpires: 600\r\n";
        assert_eq!(subscribe(&mut stage, "Alarm", headers, "").status(), 200);
        let alarm = Alarm::motion(id(stage::CHANNEL), Wall::from_seconds(1_700_000_000));
        stage.command(camera::Command::Alarm(alarm.clone()));
        let notify = stage.next();
        stage.answer(&notify, 481, "");
        stage.silence(Duration::from_secs(1));
        stage.command(camera::Command::Alarm(alarm));
        let again = stage.next();
        assert_eq!(again.method(), "MESSAGE", "nobody has subscribed any more");
        stage.answer(&again, 200, "");
    }

    #[test]
    fn a_subscription_that_nobody_prolongs_ends_with_a_last_word() {
        let mut stage = stage::Stage::registered();
        let headers = "Event: presence\r\nExpires: 90\r\n";
        assert_eq!(subscribe(&mut stage, "Alarm", headers, "").status(), 200);
        let heard = stage.all_within(Duration::from_secs(91));
        let mut notifies = heard
            .iter()
            .filter(|heard| heard.start().starts_with("NOTIFY"));
        let last = notifies.next().expect("a NOTIFY");
        assert_eq!(
            last.header("Subscription-State"),
            "terminated;reason=timeout"
        );
        assert!(last.body.is_empty());
    }
}
