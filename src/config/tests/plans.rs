//! What a fleet file plans.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::*;
use super::{Shelf, plan, plan_of};
use crate::gb28181::DeviceId;
use crate::media::FirstKeyFrame;
use crate::sip::Transport;

const CLIPS: fn() -> Shelf = || {
    Shelf::default()
        .with("a.h264", "aaa")
        .with("b.h264", "bb")
        .with("sub.h264", "s")
};

fn ids(plan: &Plan) -> Vec<String> {
    plan.cameras().map(|c| c.id().to_string()).collect()
}

#[test]
fn the_shortest_file_is_one_camera_of_the_default_make() {
    let plan = plan("[[cameras]]");
    let camera = plan.camera(0).unwrap();
    assert_eq!(plan.len(), 1);
    assert_eq!(camera.id().to_string(), "34020000001320000001");
    assert_eq!(camera.profile().name, "dahua-ipc");
    assert_eq!(camera.start(), Duration::ZERO);
    assert_eq!(camera.local(), Local { ip: None, port: 0 });
    let channel = camera.channels().next().unwrap();
    assert_eq!(channel.id.to_string(), "34020000001310000001");
    assert_eq!(plan.clip(channel.main).unwrap().source, MediaSource::Sample);
    assert_eq!(plan.platform.host, "127.0.0.1");
    assert_eq!(plan.platform.domain, "3402000000");
    assert_eq!(plan.end(), None);
}

#[test]
fn groups_without_ids_take_the_rows_that_are_free() {
    let plan = plan(
        "[[cameras]]\ncount = 3\n\
         [[cameras]]\ncount = 2\nfirst-id = '34020000001320000002'\n\
         [[cameras]]\ncount = 2\nchannels = 4\n",
    );
    let first: Vec<_> = plan
        .groups
        .iter()
        .map(|g| g.first_id().to_string())
        .collect();
    assert_eq!(
        first,
        [
            "34020000001320000004",
            "34020000001320000002",
            "34020000001180000007"
        ]
    );
    let nvr = plan.camera(6).unwrap();
    let channels: Vec<_> = nvr.channels().map(|c| c.id.to_string()).collect();
    assert_eq!(channels[0], "34020000001310000011");
    assert_eq!(channels.len(), 4);
}

#[test]
fn channels_show_their_files_in_turn_and_sub_streams_their_own() {
    let text = "[[cameras]]\nchannels = 3\nname = 'Gate {n}'\n\
                media = ['a.h264', 'b.h264']\nsub-media = 'sub.h264'\n";
    let plan = plan_of(text, &Run::default(), &CLIPS()).unwrap();
    let channels: Vec<_> = plan.camera(0).unwrap().channels().collect();
    let file = |id| plan.clip(id).unwrap().source.to_string();
    let mains: Vec<_> = channels.iter().map(|c| file(c.main)).collect();
    assert_eq!(mains, ["a.h264", "b.h264", "a.h264"]);
    assert!(channels.iter().all(|c| file(c.sub) == "sub.h264"));
    assert_eq!(channels[2].name, "Gate 1 3");
    assert_eq!(Needs::of(&plan).memory.clips, 6);
}

#[test]
fn a_group_is_heard_as_it_says_and_shares_clips_with_who_is_heard_alike() {
    let text = "[[cameras]]\naudio = 'tone'\n[[cameras]]\naudio = 'tone'\n\
                [[cameras]]\naudio = 'door.alaw'\n[[cameras]]\n";
    let files = CLIPS().with("door.alaw", "sound");
    let plan = plan_of(text, &Run::default(), &files).unwrap();
    let shown: Vec<_> = plan.groups.iter().map(|group| group.media()[0]).collect();
    assert_eq!(shown[0], shown[1]);
    let heard = |id| plan.clip(id).unwrap().audio.as_ref().map(|t| t.name());
    let heard: Vec<_> = shown.iter().map(|id| heard(*id)).collect();
    assert_eq!(heard, [Some("tone"), Some("tone"), Some("door.alaw"), None]);
}

#[test]
fn a_list_says_id_password_name_media_and_make_line_by_line() {
    let list = "34020000001320000001,one,\"Gate, north\",a.h264,generic-2016\n\
                # not yet: 34020000001320000009\n\
                \n\
                34020000001320000005\n";
    let text =
        "[platform]\npassword = 'all'\n[[cameras]]\ncsv = 'list.csv'\nname = 'No {n} {id}'\n";
    let files = CLIPS().with("list.csv", list);
    let plan = plan_of(text, &Run::default(), &files).unwrap();
    let (first, second) = (plan.camera(0).unwrap(), plan.camera(1).unwrap());
    assert_eq!(plan.len(), 2);
    assert_eq!(
        (first.name().as_ref(), first.password().reveal()),
        ("Gate, north", "one")
    );
    assert_eq!(first.profile().name, "generic-2016");
    let shown = first.channels().next().unwrap().main;
    assert_eq!(plan.clip(shown).unwrap().source.to_string(), "a.h264");
    assert_eq!(second.name(), "No 2 34020000001320000005");
    assert_eq!(second.password().reveal(), "all");
    assert_eq!(second.profile().name, "dahua-ipc");
}

#[test]
fn a_list_may_name_its_columns_and_be_in_the_charset_of_a_chinese_spreadsheet() {
    let mut list = b"Name,ID\r\n".to_vec();
    list.extend([0xC9, 0xE3, 0xCF, 0xF1, 0xBB, 0xFA]); // 摄像机 in GBK
    list.extend(b",34020000001320000001\r\n");
    let files = Shelf::default().with("list.csv", list);
    let plan = plan_of("[[cameras]]\ncsv = 'list.csv'", &Run::default(), &files).unwrap();
    assert_eq!(plan.camera(0).unwrap().name(), "摄像机");
}

#[test]
fn a_profile_may_be_a_file() {
    let mine =
        "name = 'mine'\ntitle = 'x'\nsource = 'x'\nextends = 'dahua-ipc'\n[device]\nmodel = 'M1'\n";
    let files = Shelf::default().with("mine.toml", mine);
    let text = "[[cameras]]\nprofile = 'mine.toml'";
    let plan = plan_of(text, &Run::default(), &files).unwrap();
    assert_eq!(plan.camera(0).unwrap().name(), "M1");
}

#[test]
fn what_is_said_beside_the_file_goes_before_it() {
    let text = "seed = 1\nduration = '1m'\n[platform]\npassword = 'file'\n[[cameras]]";
    let run = Run {
        seed: Some(2),
        duration: Some(Duration::from_secs(5)),
        password: Some("environment".to_owned().into()),
        drawn: 3,
        ..Run::default()
    };
    let said = plan_of(text, &run, &Shelf::default()).unwrap();
    assert_eq!((said.seed, said.end()), (2, Some(Duration::from_secs(5))));
    assert_eq!(said.platform.password.reveal(), "environment");
    assert_eq!(plan(text).seed, 1);
    let drawn = Run {
        drawn: 3,
        ..Run::default()
    };
    assert_eq!(
        plan_of("[[cameras]]", &drawn, &Shelf::default())
            .unwrap()
            .seed,
        3
    );
}

#[test]
fn every_camera_has_its_port_or_its_address() {
    let ports = plan("[addresses]\nports = '20000-20002'\n[[cameras]]\ncount = 3");
    let used: Vec<_> = ports.cameras().map(|c| c.local().port).collect();
    assert_eq!(used, [20_000, 20_001, 20_002]);
    let ips =
        plan("[addresses]\nmode = 'own-ip'\nip = '127.0.0.254-127.0.1.9'\n[[cameras]]\ncount = 3");
    let third = ips.camera(2).unwrap().local();
    assert_eq!(third.ip, Some(IpAddr::from([127, 0, 1, 0])));
    assert_eq!(third.port, 5060);
    let shared = plan("[addresses]\nmode = 'shared-socket'\nports = 5070\n[[cameras]]\ncount = 3");
    assert!(shared.cameras().all(|c| c.local().port == 5070));
}

#[test]
fn cameras_that_signal_over_tcp_need_no_port() {
    let plan = plan(
        "[addresses]\nports = '20000-20001'\n\
         [[cameras]]\ntransport = 'tcp'\ncount = 5\n[[cameras]]\ncount = 2",
    );
    let used: Vec<_> = plan.cameras().map(|c| c.local().port).collect();
    assert_eq!(used, [0, 0, 0, 0, 0, 20_000, 20_001]);
    assert_eq!(plan.signalling(Transport::Tcp), 5);
}

#[test]
fn the_ramp_and_its_hold_end_the_run_unless_the_duration_does_before() {
    let held = plan("[ramp]\ncameras-per-second = 10\nhold = '30s'\n[[cameras]]\ncount = 101");
    assert_eq!(held.end(), Some(Duration::from_secs(40)));
    let short =
        "duration = '20s'\n[ramp]\ncameras-per-second = 10\nhold = '30s'\n[[cameras]]\ncount = 101";
    assert_eq!(plan(short).end(), Some(Duration::from_secs(20)));
    let jitter = plan("[ramp]\njitter = '1s'\n[[cameras]]\ncount = 50");
    let late: HashSet<_> = jitter
        .cameras()
        .map(|c| c.start() - jitter.ramp.start(c.number(), 0.0))
        .collect();
    assert!(late.len() > 40 && late.iter().all(|late| *late < Duration::from_secs(1)));
}

#[test]
fn cameras_with_a_clock_of_their_own_stand_at_different_places() {
    let plan = plan("[[cameras]]\ncount = 50\nfirst-frame = 'own-clock'");
    let phases: HashSet<_> = plan
        .cameras()
        .map(|c| match c.first_frame() {
            FirstKeyFrame::OwnClock { phase } => phase,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(phases.len() > 45);
}

#[test]
fn needs_are_counted_by_kind_and_say_what_would_need_fewer() {
    let plan = plan(
        "rtcp = true\n[[cameras]]\ncount = 100\nchannels = 2\n[[cameras]]\ncount = 10\ntransport = 'tcp'",
    );
    let needs = Needs::of(&plan);
    assert_eq!((needs.sip_udp, needs.sip_tcp), (100, 10));
    assert_eq!((needs.streams, needs.rtcp), (210, 210));
    assert_eq!(needs.memory.cameras, 110 * 7 * 1024);
    let savings = needs.savings();
    assert_eq!(savings[0].setting, "rtcp = false");
    assert_eq!(savings[1].descriptors, 99);
}

#[test]
fn the_same_seed_plans_the_same_and_another_something_else() {
    let text = |seed| format!("seed = {seed}\n[ramp]\njitter = '5s'\n[[cameras]]\ncount = 20");
    let drawn = |plan: Plan| -> Vec<_> { plan.cameras().map(|c| (c.seed(), c.start())).collect() };
    assert_eq!(drawn(plan(&text(1))), drawn(plan(&text(1))));
    assert_ne!(drawn(plan(&text(1))), drawn(plan(&text(2))));
}

#[test]
fn ten_thousand_cameras_are_planned_without_being_stored() {
    let began = Instant::now();
    let plan = plan("[[cameras]]\ncount = 10000\nchannels = 4");
    let cameras = plan
        .cameras()
        .map(|c| (c.id(), c.local(), c.start(), c.seed()));
    let ids: HashSet<DeviceId> = cameras.map(|(id, ..)| id).collect();
    assert_eq!(ids.len(), 10_000);
    println!("planned and walked in {:?}", began.elapsed());
}

prop_compose! {
    /// A group with IDs of some kind, small enough to count by hand, close enough to collide.
    fn group()(
        kind in 0..4,
        count in 1_usize..30,
        channels in 1_usize..4,
        first in 0_u32..60,
        own_channels in prop::option::of(0_u32..200),
        tcp in any::<bool>(),
    ) -> String {
        let ids = match kind {
            0 => format!("first-id = '340200000013200000{first:02}'"),
            1 => "id-pattern = '34020000001320####01'".to_owned(),
            2 => format!("first-id = '340200000013100000{first:02}'"),
            _ => String::new(),
        };
        let own = own_channels.map(|n| format!("first-channel-id = '34020000001310000{n:03}'"));
        let transport = if tcp { "tcp" } else { "udp" };
        format!(
            "[[cameras]]\ncount = {count}\nchannels = {channels}\ntransport = '{transport}'\n{ids}\n{}\n",
            own.unwrap_or_default()
        )
    }
}

/// The codes of a plan that two cameras have.
fn shared(plan: &Plan) -> Vec<DeviceId> {
    let mut seen = HashSet::new();
    let codes = plan.cameras().flat_map(|camera| {
        let own: HashSet<_> = camera
            .channels()
            .map(|c| c.id)
            .chain([camera.id()])
            .collect();
        own
    });
    codes.filter(|id| !seen.insert(*id)).collect()
}

/// Whether two channels of one camera have the same code.
fn doubled(plan: &Plan) -> bool {
    plan.cameras().any(|camera| {
        let all: HashSet<_> = camera.channels().map(|c| c.id).collect();
        all.len() != camera.channels().len()
    })
}

proptest! {
    #[test]
    fn no_two_cameras_of_an_accepted_fleet_have_the_same_code(
        groups in prop::collection::vec(group(), 1..5),
    ) {
        let text = groups.concat();
        match plan_of(&text, &Run::default(), &Shelf::default()) {
            Ok(plan) => {
                prop_assert_eq!(shared(&plan), []);
                prop_assert!(!doubled(&plan));
            }
            Err(error) => prop_assert!(error.to_string().contains("too") || error.to_string().contains("both a camera"), "{}", error),
        }
    }

    #[test]
    fn groups_that_say_no_ids_are_always_accepted(
        sizes in prop::collection::vec((1_usize..50, 1_usize..5), 1..6),
    ) {
        let group = |(count, channels): &(usize, usize)| {
            format!("[[cameras]]\ncount = {count}\nchannels = {channels}\n")
        };
        let plan = plan(&sizes.iter().map(group).collect::<String>());
        prop_assert_eq!(shared(&plan), []);
    }

    #[test]
    fn shards_are_disjoint_and_together_the_whole_fleet(
        groups in prop::collection::vec((1_usize..40, any::<bool>()), 1..4),
        of in 1_usize..9,
        seed in any::<u64>(),
    ) {
        let group = |(count, tcp): &(usize, bool)| {
            let transport = if *tcp { "tcp" } else { "udp" };
            format!("[[cameras]]\ncount = {count}\ntransport = '{transport}'\n")
        };
        let groups: String = groups.iter().map(group).collect();
        let text = format!("[addresses]\nports = '20000-29999'\n[ramp]\njitter = '9s'\n{groups}");
        let run = |shard| Run { shard, drawn: seed, ..Run::default() };
        let of_shard = |index| plan_of(&text, &run(Shard::new(index, of).unwrap()), &Shelf::default()).unwrap();
        let drawn = |plan: &Plan| -> Vec<_> {
            plan.cameras().map(|c| (c.number(), c.id(), c.seed(), c.start())).collect()
        };
        let whole = plan_of(&text, &run(Shard::WHOLE), &Shelf::default()).unwrap();
        let mut union = Vec::new();
        for index in 0..of {
            let plan = of_shard(index);
            prop_assert_eq!(plan.len(), plan.cameras().count());
            let ports: Vec<_> = plan.cameras().map(|c| c.local().port).filter(|p| *p != 0).collect();
            let expected: Vec<u16> = (20_000..).take(ports.len()).collect();
            prop_assert_eq!(ports.len(), plan.signalling(Transport::Udp));
            prop_assert_eq!(ports, expected);
            union.extend(drawn(&plan));
        }
        union.sort_unstable();
        prop_assert_eq!(union, drawn(&whole));
        prop_assert_eq!(ids(&whole).len(), whole.fleet());
    }
}
