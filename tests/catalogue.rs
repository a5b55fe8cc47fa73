//! Catalogues of every size and shape, told by a camera and put together by the reference platform.

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{addr, config, id, ip, platform};
use vcam::camera::{self, Camera, Channel, Tree};
use vcam::gb28181::DeviceId;
use vcam::gb28181::manscdp::{Batch, CatalogItem, CatalogTimes};
use vcam::lab::{Key, Lab};
use vcam::platform::{Answer, AskId, Command, Config, Event, Passwords, Platform, Query};
use vcam::sip::Transport;
use vcam::time::Wall;

const PLATFORM: &str = "192.0.2.9:5060";
const PLATFORM_ID: &str = "34020000002000000001";
const RECORDER: &str = "34020000001180000001";

struct Stage {
    lab: Lab,
    platform: Key<Platform>,
}

impl Stage {
    /// A recorder of a make with this many channels, registered.
    fn of(make: &str, channels: u32, change: impl FnOnce(&mut camera::Config)) -> Stage {
        let mut lab = Lab::new(7);
        let mut ours = Config::new(id(PLATFORM_ID), addr(PLATFORM));
        ours.passwords = Passwords::shared("12345678");
        let judge = lab.add(ip("192.0.2.9"), Platform::new(Arc::new(ours), 1));
        let platform = platform(PLATFORM_ID, PLATFORM);
        let mut theirs = config(make, RECORDER, "192.0.2.1:5060", platform);
        let one = theirs.channels[0].clone();
        theirs.channels = (1..=channels).map(|n| numbered(&one, n)).collect();
        change(&mut theirs);
        let camera = lab.add(ip("192.0.2.1"), Camera::new(Arc::new(theirs), 2));
        lab.run_for(Duration::from_millis(10));
        lab.command(camera, camera::Command::PowerOn);
        lab.run_for(Duration::from_millis(200));
        let mut stage = Stage {
            lab,
            platform: judge,
        };
        stage.lab.take_events(judge);
        stage
    }

    /// The answer to a query; `None` when there is none.
    fn catalogue(&mut self, what: Query) -> Option<Vec<CatalogItem>> {
        let (device, ask) = (id(RECORDER), AskId(1));
        let query = Command::Query { device, what, ask };
        self.lab.command(self.platform, query);
        let judge = self.platform;
        let mut found = None;
        self.lab.run_until(Duration::from_secs(300), |lab| {
            found = lab.events(judge).iter().find_map(|(_, event)| match event {
                Event::Answered {
                    answer: Answer::Catalog(items),
                    ..
                } => Some(Some(items.clone())),
                Event::AskFailed { .. } => Some(None),
                _ => None,
            });
            found.is_some()
        });
        self.lab.take_events(judge);
        found.expect("an answer or a failure")
    }

    fn is_content(&self) {
        let judge = self.lab.node(self.platform);
        assert_eq!(judge.complaints().iter().collect::<Vec<_>>(), []);
    }
}

fn numbered(one: &Channel, n: u32) -> Channel {
    Channel {
        id: one.id.with_serial(n),
        name: format!("大门 {n}"),
        ..one.clone()
    }
}

fn codes(items: &[CatalogItem]) -> Vec<&str> {
    items.iter().map(|item| item.id.as_str()).collect()
}

#[test]
fn two_thousand_channels_arrive_complete_and_distinct_in_every_batching_style() {
    let styles = [
        Batch::One,
        Batch::Items(1),
        Batch::Items(10),
        Batch::Items(500),
        Batch::Fit(0),
        Batch::Fit(1200),
    ];
    for batch in styles {
        for transport in [Transport::Udp, Transport::Tcp] {
            // Hundreds of items in a message are not for datagrams.
            if batch == Batch::Items(500) && transport == Transport::Udp {
                continue;
            }
            let mut stage = Stage::of("dahua-nvr", 2_000, |config| {
                let mut profile = (*config.profile).clone();
                profile.manscdp.items_per_message = batch;
                config.profile = profile.into();
                config.transport = transport;
            });
            let items = stage.catalogue(Query::Catalog);
            let items = items.unwrap_or_else(|| panic!("{batch:?} over {transport:?}"));
            let expected: Vec<_> = (1..=2_000)
                .map(|n| format!("3402000000131{n:07}"))
                .collect();
            assert_eq!(codes(&items), expected, "{batch:?} over {transport:?}");
            assert_eq!(items[1_999].name, "大门 2000", "{batch:?}");
            stage.is_content();
        }
    }
}

#[test]
fn channels_hang_in_their_organisations_below_a_business_group() {
    for make in ["generic-2016", "generic-2022"] {
        let mut stage = Stage::of(make, 5, |config| {
            let names = ["North".to_owned(), "南".to_owned()];
            config.tree = Tree::of(config.device, "Site", &names);
        });
        let items = stage.catalogue(Query::Catalog).expect("a catalogue");
        let group = "34020000002150000001";
        let (north, south) = ("34020000002160001001", "34020000002160001002");
        assert_eq!(codes(&items)[..3], [group, north, south], "{make}");
        assert_eq!(items[0].parent_id, RECORDER);
        assert_eq!(
            (items[2].name.as_str(), items[2].parent_id.as_str()),
            ("南", group)
        );
        let in_tree = |item: &&CatalogItem| item.business_group_id.as_deref() == Some(group);
        assert_eq!(items.iter().filter(in_tree).count(), 7, "{make}");
        let parents: Vec<_> = items
            .iter()
            .skip(3)
            .map(|item| item.parent_id.clone())
            .collect();
        let (in_north, in_south) = (format!("{RECORDER}/{north}"), format!("{RECORDER}/{south}"));
        let expected = [&in_north, &in_north, &in_north, &in_south, &in_south];
        assert_eq!(parents[..5].iter().collect::<Vec<_>>(), expected, "{make}");
        stage.is_content();
    }
}

#[test]
fn of_a_catalogue_what_was_added_between_two_times_is_told_alone() {
    let year = |year: i64| Wall::from_seconds((year - 1970) * 31_557_600);
    let mut stage = Stage::of("generic-2016", 4, |config| {
        for (channel, added) in config.channels.iter_mut().zip([2001, 2004, 2007]) {
            channel.added = Some(year(added));
        }
    });
    let mut told = |start: Option<i64>, end: Option<i64>| {
        let (start, end) = (start.map(year), end.map(year));
        let asked = Query::CatalogAdded(CatalogTimes { start, end });
        let items = stage.catalogue(asked).expect("an answer");
        let serials = items.iter().map(|item| item.id[14..].parse().unwrap());
        serials.collect::<Vec<u32>>()
    };
    assert_eq!(told(None, None), [1, 2, 3, 4]);
    assert_eq!(told(Some(2004), Some(2007)), [2, 3]);
    assert_eq!(
        told(None, Some(2003)),
        [1],
        "the fourth came with the device"
    );
    assert_eq!(told(Some(2005), None), [3, 4]);
    assert_eq!(told(Some(1990), Some(1999)), [0; 0]);
}

#[test]
fn a_part_of_the_catalogue_is_told_by_the_code_of_its_root() {
    let mut stage = Stage::of("generic-2016", 4, |config| {
        let names = ["North".to_owned(), "South".to_owned()];
        config.tree = Tree::of(config.device, "Site", &names);
        config.channels[3].part_of = Some(config.channels[1].id);
    });
    let channel = |n: u32| format!("3402000000131{n:07}");
    let of = |stage: &mut Stage, code: &str| {
        let items = stage.catalogue(Query::CatalogOf(code.to_owned()));
        items.map(|items| items.into_iter().map(|item| item.id).collect::<Vec<_>>())
    };
    assert_eq!(of(&mut stage, &channel(1)), Some(vec![channel(1)]));
    assert_eq!(
        of(&mut stage, &channel(2)),
        Some(vec![channel(2), channel(4)])
    );
    let north = "34020000002160001001";
    assert_eq!(
        of(&mut stage, north),
        Some(vec![north.to_owned(), channel(1), channel(2), channel(4)])
    );
    assert_eq!(
        of(&mut stage, "34020000002150000001").map(|all| all.len()),
        Some(7)
    );
    let region = of(&mut stage, "3402").expect("the region of the device");
    assert_eq!((region.len(), region[0].as_str()), (8, "3402"));
    stage.is_content();
    assert_eq!(of(&mut stage, "11"), None, "another region");
    assert_eq!(of(&mut stage, &channel(9)), None, "no such channel");
}

#[test]
fn a_channel_with_sub_channels_says_so_and_they_name_it() {
    let mut stage = Stage::of("generic-2016", 3, |config| {
        config.channels[2].part_of = Some(config.channels[0].id);
    });
    let items = stage.catalogue(Query::Catalog).expect("a catalogue");
    let parental: Vec<_> = items.iter().map(|item| item.parental).collect();
    assert_eq!(parental, [true, false, false]);
    assert_eq!(items[2].parent_id, items[0].id);
    stage.is_content();
}

#[test]
fn what_else_a_make_has_is_listed_where_the_make_lists_it() {
    let kinds = |make| {
        let mut stage = Stage::of(make, 2, |_| {});
        let items = stage.catalogue(Query::Catalog).expect("a catalogue");
        stage.is_content();
        items
            .iter()
            .filter_map(CatalogItem::type_code)
            .collect::<Vec<_>>()
    };
    let video = DeviceId::CHANNEL;
    assert_eq!(
        kinds("dahua-nvr"),
        [video, video],
        "its two alarm inputs are in DeviceStatus only"
    );
    assert_eq!(
        kinds("hikvision-ipc"),
        [video, video, DeviceId::ALARM_INPUT]
    );
    assert_eq!(
        kinds("generic-2022"),
        [video, video, DeviceId::VOICE_OUTPUT]
    );
}
