//! A platform talks with cameras (Talk): camera and reference platform against each other in the
//! lab, and a camera against a platform that is played by hand.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use common::spoken::{Heard as Said, Leg, udp};
use common::stage::{CHANNEL, DEVICE, MEDIA, SERVER, Stage as Hand};
use common::{addr, config, id, ip, platform};
use vcam::camera::{self, Camera, Heard, VoiceEnd};
use vcam::lab::{Key, Lab};
use vcam::media::{Cut, MediaTransport, Verdict};
use vcam::platform::{Command, Config, Event, Passwords, Platform, PlayEnd, PlayId};
use vcam::profile::Profile;

const PLATFORM: &str = "192.0.2.9:5060";
const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(100);
const TRANSPORTS: [MediaTransport; 3] = [
    MediaTransport::Udp,
    MediaTransport::TcpActive,
    MediaTransport::TcpPassive,
];

/// What the platform says, and what the microphone hears.
fn said(n: u32) -> u8 {
    (n % 8000 % 251) as u8
}

fn heard(n: u32) -> u8 {
    (n % 1600 % 13) as u8 | 0x80
}

struct Stage {
    lab: Lab,
    platform: Key<Platform>,
    camera: Key<Camera>,
}

impl Stage {
    fn of(make: &str) -> Stage {
        Stage::with(make, |_| {})
    }

    fn with(make: &str, change: impl FnOnce(&mut camera::Config)) -> Stage {
        let mut lab = Lab::new(7);
        let mut ours = Config::new(id(SERVER), addr(PLATFORM));
        ours.passwords = Passwords::shared("12345678");
        let judge = lab.add(ip("192.0.2.9"), Platform::new(Arc::new(ours), 1));
        let platform = platform(SERVER, PLATFORM);
        let mut theirs = config(make, DEVICE, "192.0.2.1:5060", platform);
        theirs.keeps_voice = true;
        let samples: Vec<u8> = (0..1600).map(heard).collect();
        theirs.microphone = Some(Arc::new(Cut::voice("microphone", &samples)));
        change(&mut theirs);
        let camera = lab.add(ip("192.0.2.1"), Camera::new(Arc::new(theirs), 2));
        lab.run_for(Duration::from_millis(10));
        lab.command(camera, camera::Command::PowerOn);
        lab.run_for(Duration::from_millis(200));
        Stage {
            lab,
            platform: judge,
            camera,
        }
    }

    fn talk(&mut self, number: u64, transport: MediaTransport) {
        let samples: Vec<u8> = (0..8000).map(said).collect();
        let talk = Command::Talk {
            device: id(DEVICE),
            channel: id(CHANNEL),
            transport,
            voice: Arc::new(Cut::voice("talk", &samples)),
            record: true,
            play: PlayId(number),
        };
        self.lab.command(self.platform, talk);
        self.lab.run_for(MOMENT);
    }

    fn stop(&mut self, number: u64) {
        let play = PlayId(number);
        self.lab.command(self.platform, Command::Stop { play });
        self.lab.run_for(MOMENT);
    }

    /// How a talk ended on the platform's side: why, and what it heard.
    fn end(&self, number: u64) -> Option<(PlayEnd, Box<Verdict>, Vec<u8>)> {
        let mut events = self.lab.events(self.platform).iter();
        events.find_map(|(_, event)| match event {
            Event::PlayEnded {
                play,
                why,
                verdict,
                recording,
                ..
            } if play.0 == number => Some((*why, verdict.clone()?, recording.to_vec())),
            _ => None,
        })
    }

    fn refusal(&self, number: u64) -> Option<u16> {
        let mut events = self.lab.events(self.platform).iter();
        events.find_map(|(_, event)| match event {
            Event::PlayRefused { play, why } if play.0 == number => why.status(),
            _ => None,
        })
    }

    /// What the camera heard: how it ended, and the samples.
    fn heard(&mut self) -> (Vec<(VoiceEnd, Heard)>, Vec<u8>) {
        let events = self.lab.take_events(self.camera);
        let events: Vec<_> = events.into_iter().map(|(_, event)| event).collect();
        (ends(&events), samples(&events))
    }

    fn is_content(&self) {
        let judge = self.lab.node(self.platform);
        assert_eq!(judge.complaints().iter().collect::<Vec<_>>(), []);
    }
}

fn ends(events: &[camera::Event]) -> Vec<(VoiceEnd, Heard)> {
    let ends = events.iter().filter_map(|event| match event {
        camera::Event::VoiceEnded { why, heard, .. } => Some((why.clone(), *heard)),
        _ => None,
    });
    ends.collect()
}

fn samples(events: &[camera::Event]) -> Vec<u8> {
    let said = events.iter().filter_map(|event| match event {
        camera::Event::VoiceSaid { samples } => Some(&samples[..]),
        _ => None,
    });
    said.collect::<Vec<_>>().concat()
}

#[test]
fn both_sides_hear_all_that_the_other_says_over_every_transport() {
    for make in ["generic-2016", "dahua-ipc", "dahua-nvr"] {
        for transport in TRANSPORTS {
            let what = format!("{make} over {transport}");
            let mut stage = Stage::of(make);
            stage.talk(1, transport);
            stage.lab.run_for(SECOND * 5);
            let hears = stage.lab.node(stage.camera).hears().expect("a voice");
            assert!(hears.packets > 200, "{what}: {hears:?}");
            stage.stop(1);
            let (why, verdict, recording) = stage.end(1).expect("an end");
            assert_eq!(why, PlayEnd::Stopped, "{what}");
            assert!((38_000..44_000).contains(&recording.len()), "{what}");
            assert_eq!(verdict.audio, recording.len() as u64, "{what}");
            assert_eq!((verdict.packets.lost, verdict.faults.total()), (0, 0));
            assert!(
                (0..).map(heard).zip(&recording).all(|(a, b)| a == *b),
                "{what}"
            );
            let (ends, samples) = stage.heard();
            let [(VoiceEnd::Bye, heard)] = ends[..] else {
                panic!("{what}: {ends:?}");
            };
            assert_eq!((heard.octets, heard.lost), (samples.len() as u64, 0));
            assert!((38_000..44_000).contains(&samples.len()), "{what}");
            // The platform may speak before the device, which waits for the ACK, listens.
            let from = |first: u32| (first..).map(said).zip(&samples).all(|(a, b)| a == *b);
            assert!(from(0) || from(160), "{what}");
            stage.is_content();
        }
    }
}

#[test]
fn an_echo_says_back_all_that_it_hears_over_every_transport() {
    for transport in TRANSPORTS {
        let mut stage = Stage::with("generic-2016", |camera| camera.echoes = true);
        stage.talk(1, transport);
        stage.lab.run_for(SECOND * 5);
        stage.stop(1);
        let (_, verdict, recording) = stage.end(1).expect("an end");
        assert_eq!((verdict.packets.lost, verdict.faults.total()), (0, 0));
        assert!((38_000..44_000).contains(&recording.len()), "{transport}");
        let (_, samples) = stage.heard();
        let begun = recording
            .windows(160)
            .position(|part| part == &samples[..160]);
        let begun = begun.expect("an echo");
        assert!(begun <= 1600, "{transport}: after {begun} samples");
        assert!(recording[..begun].iter().all(|octet| *octet == 0xD5));
        let back = &recording[begun..];
        let length = back.len().min(samples.len());
        assert!(length > 38_000 && back[..length] == samples[..length]);
        stage.is_content();
    }
}

#[test]
fn a_make_that_does_not_talk_answers_488() {
    for make in ["hikvision-ipc", "uniview-ipc", "generic-2022"] {
        let mut stage = Stage::of(make);
        stage.talk(1, MediaTransport::Udp);
        assert_eq!(stage.refusal(1), Some(488), "{make}");
        assert_eq!(stage.heard().0, [], "{make}");
    }
}

#[test]
fn one_talk_at_a_time_beside_the_picture_and_afterwards_the_next() {
    let mut stage = Stage::of("generic-2016");
    stage.lab.command(
        stage.platform,
        Command::Play {
            device: id(DEVICE),
            channel: id(CHANNEL),
            transport: MediaTransport::Udp,
            stream: 0,
            showing: Default::default(),
            expected: Default::default(),
            play: PlayId(1),
        },
    );
    stage.talk(2, MediaTransport::Udp);
    stage.talk(3, MediaTransport::Udp);
    assert_eq!((stage.refusal(2), stage.refusal(3)), (None, Some(486)));
    assert_eq!(stage.lab.node(stage.camera).calls(), 2);
    stage.stop(2);
    stage.talk(4, MediaTransport::TcpActive);
    assert_eq!(stage.refusal(4), None);
    stage.is_content();
}

#[test]
fn a_camera_may_end_a_talk() {
    let mut stage = Stage::of("generic-2016");
    stage.talk(1, MediaTransport::TcpPassive);
    stage.lab.run_for(SECOND);
    stage.lab.command(stage.camera, camera::Command::HangUp);
    stage.lab.run_for(MOMENT);
    let (why, ..) = stage.end(1).expect("an end");
    assert_eq!(why, PlayEnd::ByDevice);
    assert!(matches!(stage.heard().0[..], [(VoiceEnd::HungUp, _)]));
    stage.is_content();
}

/// An offer to talk: how media travels, and its direction.
fn offer(how: &str, direction: &str) -> String {
    let (proto, setup) = match how {
        "udp" => ("RTP/AVP", String::new()),
        setup => (
            "TCP/RTP/AVP",
            format!("a=setup:{setup}\r\na=connection:new\r\n"),
        ),
    };
    format!(
        "v=0\r\no={SERVER} 0 0 IN IP4 10.0.0.1\r\ns=Talk\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
         m=audio 10000 {proto} 8\r\n{setup}a={direction}\r\na=rtpmap:8 PCMA/8000\r\n\
         y=0200000333\r\nf=v/////a/1/8/1\r\n"
    )
}

fn hand(make: &str) -> Hand {
    let mut stage = Hand::of(make, |config| config.keeps_voice = true);
    stage.register();
    stage
}

fn port(answer: &Said) -> u16 {
    let line = answer.line("m=audio ").unwrap();
    line.split(' ').next().unwrap().parse().unwrap()
}

/// An RTP packet of 20 ms.
fn packet(sequence: u8, octet: u8) -> Vec<u8> {
    let rtp = [0x80, 8, 0, sequence, 0, 0, 0, 0, 0x0B, 0xEB, 0xC3, 0x4D];
    [&rtp[..], &[octet; 160]].concat()
}

#[test]
fn the_answer_is_the_standards() {
    let mut stage = hand("generic-2016");
    let (_, answer) = stage.invite(offer("passive", "sendrecv"));
    let port = port(&answer);
    assert_eq!(
        answer.text(),
        format!(
            "v=0\r\no={CHANNEL} 0 0 IN IP4 10.0.0.2\r\ns=Talk\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n\
             m=audio {port} TCP/RTP/AVP 8\r\na=sendrecv\r\na=rtpmap:8 PCMA/8000\r\n\
             a=setup:active\r\na=connection:new\r\ny=0200000333\r\nf=v/////a/1/8/1\r\n"
        )
    );
}

#[test]
fn a_dahua_answers_with_a_media_for_each_direction() {
    let mut stage = hand("dahua-ipc");
    let (_, answer) = stage.invite(offer("passive", "sendrecv"));
    let media = format!("m=audio {} TCP/RTP/AVP 8\r\n", port(&answer));
    let rest = "a=rtpmap:8 PCMA/8000/1\r\na=setup:active\r\na=connection:new\r\n";
    assert_eq!(
        answer.text(),
        format!(
            "v=0\r\no={CHANNEL} 0 0 IN IP4 10.0.0.2\r\ns=Talk\r\ni=VCam Talk Session\r\n\
             c=IN IP4 10.0.0.2\r\nt=0 0\r\n{media}a=recvonly\r\n{rest}{media}a=sendonly\r\n\
             {rest}y=0200000333\r\nf=v/0/0/0/0/0a/1/8/1\r\n"
        )
    );
}

#[test]
fn who_speaks_is_as_the_platform_wants_it() {
    for (offered, answered, speaks, hears) in [
        ("sendrecv", "sendrecv", true, true),
        ("recvonly", "sendonly", true, false),
        ("sendonly", "recvonly", false, true),
    ] {
        let mut stage = hand("generic-2016");
        let (leg, answer) = stage.invite(offer("udp", offered));
        assert_eq!(answer.line("a=").as_deref(), Some(answered));
        stage.acknowledge(&leg);
        let to = SocketAddr::new(ip("10.0.0.2"), port(&answer));
        for n in 0..10 {
            stage.lab.send_datagram(addr(MEDIA), to, packet(n, n));
        }
        stage.run(SECOND * 2);
        let packets = stage.datagrams();
        assert_eq!(packets.len() > 90, speaks, "{offered}");
        for (from, packet) in &packets {
            assert_eq!((*from, packet.len()), (to, 172), "from where it is sent to");
            assert_eq!(packet[..2], [0x80, 8]);
            assert_eq!(packet[8..12], [0x0B, 0xEB, 0xC3, 0x4D], "y=0200000333");
        }
        let all: Vec<u8> = (0..10).flat_map(|n| [n; 160]).collect();
        let events = stage.events();
        assert_eq!(samples(&events) == all, hears, "{offered}");
    }
}

#[test]
fn an_offer_that_cannot_be_a_talk_is_488() {
    let talk = offer("udp", "sendrecv");
    for wrong in [
        talk.replace("AVP 8", "AVP 0").replace("8 PCMA", "0 PCMU"),
        talk.replace("m=audio", "m=video"),
        talk.replace("sendrecv", "inactive"),
        udp().replace("s=Play", "s=Talk"),
    ] {
        assert_eq!(hand("generic-2016").refused(wrong.clone()), 488, "{wrong}");
    }
}

#[test]
fn inside_a_talk_the_direction_may_change_but_a_picture_it_cannot_become() {
    let mut stage = hand("generic-2016");
    let mut leg = stage.call(offer("udp", "sendrecv"));
    stage.run(SECOND);
    assert!(stage.datagrams().len() > 40);
    let again = |stage: &mut Hand, leg: &mut Leg, offer: String| {
        leg.cseq += 1;
        let invite = leg.invite(offer);
        let (_, answer) = stage.dial(leg.clone(), invite);
        if answer.status() == 200 {
            stage.acknowledge(leg);
        }
        answer.status()
    };
    assert_eq!(again(&mut stage, &mut leg, udp()), 488);
    assert_eq!(again(&mut stage, &mut leg, offer("udp", "sendonly")), 200);
    stage.datagrams();
    stage.run(SECOND);
    assert_eq!(stage.datagrams().len(), 0, "it was told to be silent");
    assert_eq!(stage.bye(&mut leg), 200);
    stage.nothing_is_left_soon();
}

#[test]
fn a_connection_that_breaks_is_made_again_and_both_voices_go_on() {
    let mut stage = hand("generic-2016");
    let mut leg = stage.call(offer("passive", "sendrecv"));
    let mut said = 0;
    for turn in 1..=2u8 {
        let wire = stage.media();
        for n in 0..5 {
            let packet = packet(n, turn);
            stage.lab.write(wire, [&[0, 172][..], &packet].concat());
            said += 160;
        }
        stage.run(SECOND);
        assert!(stage.lab.read(wire).len() > 40 * 174);
        stage.lab.hang_up(wire);
        stage.run(SECOND * 2);
    }
    assert_eq!(stage.bye(&mut leg), 200);
    stage.nothing_is_left_soon();
    let events = stage.events();
    assert_eq!(samples(&events).len(), said);
    let ends = ends(&events);
    let [(VoiceEnd::Bye, heard)] = ends[..] else {
        panic!("{ends:?}");
    };
    assert_eq!((heard.packets, heard.octets), (10, 1_600));
}

#[test]
fn a_talk_in_which_nothing_was_heard_ends_without_a_voice() {
    let mut stage = hand("generic-2016");
    let mut leg = stage.call(offer("udp", "sendrecv"));
    stage.run(SECOND);
    assert_eq!(stage.bye(&mut leg), 200);
    stage.nothing_is_left_soon();
    let events = stage.events();
    assert_eq!(ends(&events), []);
    let over = |event: &camera::Event| matches!(event, camera::Event::Ended { counts, .. } if counts.packets > 40);
    assert!(events.iter().any(over), "{events:?}");
}

/// The samples of a WAV file, whose end may be silence that fills up 40 ms; none while there is
/// no file.
fn read(file: &std::path::Path) -> Vec<u8> {
    let octets = std::fs::read(file).unwrap_or_default();
    let track = vcam::media::Track::parse("heard.wav", octets.into());
    track.map_or_else(|_| Vec::new(), |track| track.data().to_vec())
}

/// Waits until something is so, on a machine that may be busy.
async fn soon(is_so: impl Fn() -> bool) {
    let waited = tokio::time::timeout(SECOND * 30, async {
        while !is_so() {
            tokio::time::sleep(MOMENT / 5).await;
        }
    });
    waited.await.expect("it never came");
}

/// On real sockets, with files on both sides.
#[tokio::test]
async fn a_platform_in_a_test_talks_with_a_camera() {
    let folder = tempfile::tempdir().unwrap();
    let [ears, mouth] = ["heard.wav", "said.wav"].map(|name| folder.path().join(name));
    let says: Vec<u8> = (0..1600).map(heard).collect();
    let wav = [&vcam::media::wav::header(1600)[..], &says].concat();
    std::fs::write(&mouth, wav).unwrap();
    let platform = vcam::Platform::start().await.unwrap();
    let camera = vcam::Camera::builder(Profile::builtin("dahua-ipc").unwrap())
        .platform(platform.address())
        .voice(&ears)
        .microphone(vcam::Audio::open(&mouth).unwrap())
        .start()
        .await
        .unwrap();
    camera.registered().await.unwrap();
    let mut events = camera.events();
    for (turn, transport) in (1..).zip(TRANSPORTS) {
        let talk = platform.play(camera.channel(1)).over(transport);
        let stream = talk.talk(&[turn; 8000]).record().await.unwrap();
        soon(|| stream.verdict().audio > 0 && read(&ears).contains(&turn)).await;
        let end = stream.stop().await.unwrap();
        let recording = end.recording;
        assert!((0..).map(heard).zip(&recording).all(|(a, b)| a == *b));
        assert_eq!(end.verdict.audio, recording.len() as u64);
        loop {
            let event = events.next().await.expect("an event");
            if let camera::Event::VoiceEnded { heard, .. } = event {
                assert!(heard.packets >= 1, "{transport}: {heard:?}");
                break;
            }
        }
        let file = read(&ears);
        let these = file.iter().filter(|octet| **octet == turn).count();
        assert!(these >= 160 && these % 160 == 0, "{transport}: {these}");
    }
    camera.power_off().await.unwrap();
    platform.shut_down().await.unwrap();
}

/// The cameras of a fleet, in which each has a file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cameras_of_a_fleet_say_its_sound_and_write_down_what_each_hears() {
    let home = tempfile::tempdir().unwrap();
    let says: Vec<u8> = (0..1600).map(heard).collect();
    std::fs::write(home.path().join("says.g711a"), &says).unwrap();
    let platform = vcam::Platform::start().await.unwrap();
    let text = format!(
        "[platform]\naddress = \"{}\"\n\
         [[cameras]]\ncount = 2\nmicrophone = \"says.g711a\"\nvoice = \"heard\"\n",
        platform.address().address
    );
    let name = home.path().join("fleet.toml");
    let folder = vcam::Folder::of(&name);
    let file = vcam::config::FleetFile::read("fleet.toml", &text).unwrap();
    let plan = file.plan(&Default::default(), &folder).unwrap();
    let devices: Vec<vcam::DeviceId> = plan.cameras().map(|camera| camera.id()).collect();
    let fleet = vcam::Fleet::prepare("fleet.toml", plan, &folder)
        .await
        .unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let run = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        fleet.run(stopped, |_| {}).await.unwrap()
    });
    for device in &devices {
        platform.registered(*device, SECOND * 10).await.unwrap();
    }
    for (device, turn) in devices.iter().zip(1..) {
        for more in [0, 10] {
            let channel = vcam::Channel::of(*device, device.with_type(131));
            let talk = platform.play(channel).talk(&[turn + more; 8000]);
            let talk = talk.record().await.unwrap();
            let file = home.path().join(format!("heard/{device}.wav"));
            let heard_us = || read(&file).contains(&(turn + more));
            soon(|| talk.verdict().audio > 0 && heard_us()).await;
            let recording = talk.stop().await.unwrap().recording;
            assert!((0..).map(heard).zip(&recording).all(|(a, b)| a == *b));
        }
    }
    stop.send(()).unwrap();
    assert!(run.await.unwrap().passed());
    for (device, turn) in devices.iter().zip(1..) {
        let samples = read(&home.path().join(format!("heard/{device}.wav")));
        let (one, other) = (turn, turn + 10);
        let first = samples.iter().take_while(|octet| **octet == one).count();
        let second = samples.iter().filter(|octet| **octet == other).count();
        assert!(first >= 160 && second >= 160, "{device}: {first}, {second}");
    }
}
