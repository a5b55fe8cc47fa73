//! A platform speaks through cameras (Broadcast): camera and reference platform against each
//! other in the lab, and a camera against a platform that is played by hand.

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use common::spoken::{Heard as Said, Request};
use common::stage::{CAMERA, CHANNEL, DEVICE, MEDIA, SERVER, Stage as Hand};
use common::{addr, config, id, ip, platform};
use vcam::camera::{self, Camera, Heard, VoiceEnd};
use vcam::gb28181::Ssrc;
use vcam::gb28181::manscdp::Outcome;
use vcam::gb28181::sdp::{self, VoiceFacts};
use vcam::lab::{Key, Lab};
use vcam::media::{Counts, Cut};
use vcam::platform::{
    Answer, AskFailure, AskId, Command, Config, Event, Passwords, Platform, SpeechEnd,
};
use vcam::profile::{Profile, VoiceTransport};

const PLATFORM: &str = "192.0.2.9:5060";
const OUTPUT: &str = "34020000001370000001";
const SECOND: Duration = Duration::from_secs(1);
const MOMENT: Duration = Duration::from_millis(100);

struct Stage {
    lab: Lab,
    platform: Key<Platform>,
    camera: Key<Camera>,
}

impl Stage {
    fn of(make: &str, change: impl FnOnce(&mut Profile)) -> Stage {
        let mut lab = Lab::new(7);
        let mut ours = Config::new(id(SERVER), addr(PLATFORM));
        ours.passwords = Passwords::shared("12345678");
        let judge = lab.add(ip("192.0.2.9"), Platform::new(Arc::new(ours), 1));
        let platform = platform(SERVER, PLATFORM);
        let mut theirs = config(make, DEVICE, "192.0.2.1:5060", platform);
        theirs.keeps_voice = true;
        change(Arc::make_mut(&mut theirs.profile));
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

    /// Wants to speak, and hears what the device says to that.
    fn speak(&mut self, number: u64, target: &str) -> Result<Outcome, AskFailure> {
        let samples: Vec<u8> = (0..8000u32).map(|n| (n % 251) as u8).collect();
        let speak = Command::Speak {
            device: id(DEVICE),
            target: id(target),
            voice: Arc::new(Cut::voice("voice", &samples)),
            ask: AskId(number),
        };
        self.lab.command(self.platform, speak);
        self.lab.run_for(MOMENT * 5);
        let events = self.lab.events(self.platform).iter();
        let mut answers = events.filter_map(|(_, event)| match event {
            Event::Answered { ask, answer, .. } if ask.0 == number => match answer {
                Answer::Ordered(Some(outcome)) => Some(Ok(*outcome)),
                other => panic!("{other:?}"),
            },
            Event::AskFailed { ask, why, .. } if ask.0 == number => Some(Err(why.clone())),
            _ => None,
        });
        answers.next().expect("an answer")
    }

    /// What the camera has told of the samples that it heard.
    fn samples(&self) -> Vec<u8> {
        let events = self.lab.events(self.camera).iter();
        let said = events.filter_map(|(_, event)| match event {
            camera::Event::VoiceSaid { samples } => Some(&samples[..]),
            _ => None,
        });
        said.collect::<Vec<_>>().concat()
    }

    fn hush(&mut self, number: u64) {
        let ask = AskId(number);
        self.lab.command(self.platform, Command::Hush { ask });
        self.lab.run_for(MOMENT);
    }

    /// How a speech ended, on the platform's side.
    fn end(&self, number: u64) -> Option<(SpeechEnd, Counts)> {
        let mut events = self.lab.events(self.platform).iter();
        events.find_map(|(_, event)| match event {
            Event::SpeechEnded {
                ask, why, counts, ..
            } if ask.0 == number => Some((why.clone(), *counts)),
            _ => None,
        })
    }

    /// How voices ended, on the camera's side.
    fn heard(&mut self) -> Vec<(VoiceEnd, Heard)> {
        let events = self.lab.take_events(self.camera);
        ends(events.into_iter().map(|(_, event)| event))
    }

    fn is_speaking(&self, number: u64) -> bool {
        let mut events = self.lab.events(self.platform).iter();
        events.any(|(_, event)| matches!(event, Event::Speaking { ask, .. } if ask.0 == number))
    }

    fn is_content(&self) {
        let judge = self.lab.node(self.platform);
        assert_eq!(judge.complaints().iter().collect::<Vec<_>>(), []);
    }
}

fn ends(events: impl Iterator<Item = camera::Event>) -> Vec<(VoiceEnd, Heard)> {
    let ends = events.filter_map(|event| match event {
        camera::Event::VoiceEnded { why, heard, .. } => Some((why, heard)),
        _ => None,
    });
    ends.collect()
}

#[test]
fn every_make_hears_all_that_the_platform_says() {
    for make in Profile::names() {
        let mut stage = Stage::of(make, |_| {});
        assert_eq!(stage.speak(1, CHANNEL), Ok(Outcome::Ok), "{make}");
        assert!(stage.is_speaking(1), "{make}");
        stage.lab.run_for(SECOND * 5);
        stage.hush(1);
        let (why, sent) = stage.end(1).expect("an end");
        assert_eq!(why, SpeechEnd::Stopped, "{make}");
        assert!((260..280).contains(&sent.packets), "{make}: {sent:?}");
        let said = stage.samples();
        assert_eq!(said.len() as u64, sent.packets * 160, "{make}");
        let again = (0..8000u32).map(|n| (n % 251) as u8).cycle();
        assert!(again.take(said.len()).eq(said), "{make}: not what was said");
        let [(VoiceEnd::Bye, heard)] = stage.heard()[..] else {
            panic!("{make}: no end");
        };
        assert_eq!((heard.packets, heard.lost), (sent.packets, 0), "{make}");
        assert_eq!(heard.octets, sent.packets * 160, "{make}");
        let milliseconds = heard.lasted.as_millis();
        assert!((5_200..5_700).contains(&milliseconds), "{make}: {heard:?}");
        stage.is_content();
    }
}

#[test]
fn a_voice_travels_over_tcp_whoever_connects() {
    for transport in [VoiceTransport::TcpActive, VoiceTransport::TcpPassive] {
        let mut stage = Stage::of("generic-2022", |profile| {
            profile.behaviour.voice.transport = transport;
        });
        assert_eq!(stage.speak(1, OUTPUT), Ok(Outcome::Ok));
        stage.lab.run_for(SECOND);
        assert!(stage.is_speaking(1), "{transport:?}");
        let hears = stage.lab.node(stage.camera).hears().expect("a voice");
        assert!(hears.packets > 0, "{transport:?}");
        stage.hush(1);
        let [(_, heard)] = stage.heard()[..] else {
            panic!("{transport:?}: no end");
        };
        assert!(
            (50..80).contains(&heard.packets),
            "{transport:?}: {heard:?}"
        );
        assert_eq!((heard.octets, heard.lost), (heard.packets * 160, 0));
        stage.is_content();
    }
}

#[test]
fn a_camera_may_hang_up() {
    let mut stage = Stage::of("generic-2022", |_| {});
    assert_eq!(stage.speak(1, CHANNEL), Ok(Outcome::Ok));
    stage.lab.command(stage.camera, camera::Command::HangUp);
    stage.lab.run_for(SECOND);
    assert!(matches!(stage.end(1), Some((SpeechEnd::ByDevice, _))));
    assert!(matches!(stage.heard()[..], [(VoiceEnd::HungUp, _)]));
    stage.is_content();
}

#[test]
fn one_voice_at_a_time_and_afterwards_the_next() {
    let mut stage = Stage::of("generic-2022", |_| {});
    assert_eq!(stage.speak(1, CHANNEL), Ok(Outcome::Ok));
    assert_eq!(stage.speak(2, CHANNEL), Ok(Outcome::Error));
    assert!(matches!(stage.end(2), Some((SpeechEnd::Declined, _))));
    assert_eq!(stage.end(1), None, "the first one goes on");
    stage.hush(1);
    assert_eq!(stage.speak(3, OUTPUT), Ok(Outcome::Ok));
    assert!(stage.is_speaking(3));
    stage.is_content();
}

#[test]
fn what_is_no_voice_output_is_answered_error() {
    let mut stage = Stage::of("generic-2022", |_| {});
    for stranger in ["34020000001320000009", "34020000001370000009"] {
        assert_eq!(stage.speak(1, stranger), Ok(Outcome::Error), "{stranger}");
        assert!(matches!(stage.end(1), Some((SpeechEnd::Declined, _))));
    }
    let mut mute = Stage::of("generic-2022", |profile| {
        profile.behaviour.voice.output = false;
    });
    assert_eq!(mute.speak(1, CHANNEL), Ok(Outcome::Error));
    mute.is_content();
}

#[test]
fn a_voice_ends_when_the_camera_is_switched_off() {
    let mut stage = Stage::of("generic-2022", |_| {});
    assert_eq!(stage.speak(1, CHANNEL), Ok(Outcome::Ok));
    stage.lab.command(stage.camera, camera::Command::PowerOff);
    stage.lab.run_for(SECOND);
    assert!(matches!(stage.end(1), Some((SpeechEnd::ByDevice, _))));
    let events = stage.lab.take_events(stage.camera);
    let off = |event: &camera::Event| matches!(event, camera::Event::Off { unregistered: true });
    assert!(events.iter().any(|(_, event)| off(event)));
    stage.is_content();
}

#[test]
fn shutting_down_ends_a_speech_first() {
    let mut stage = Stage::of("generic-2022", |_| {});
    assert_eq!(stage.speak(1, CHANNEL), Ok(Outcome::Ok));
    stage.lab.command(stage.platform, Command::Shutdown);
    stage.lab.run_for(SECOND);
    assert!(matches!(stage.end(1), Some((SpeechEnd::Stopped, _))));
    assert!(matches!(stage.heard()[..], [(VoiceEnd::Bye, _)]));
    let events = stage.lab.events(stage.platform);
    assert!(matches!(events.last(), Some((_, Event::Off))));
}

/// A camera of the standard that has been told of a voice: its INVITE.
fn called(stage: &mut Hand) -> Said {
    let told = Request::message(format!(
        "<?xml version=\"1.0\"?>\r\n<Notify>\r\n<CmdType>Broadcast</CmdType>\r\n<SN>992</SN>\r\n\
         <SourceID>{SERVER}</SourceID>\r\n<TargetID>{CHANNEL}</TargetID>\r\n</Notify>\r\n"
    ));
    assert_eq!(stage.ask(told).status(), 200);
    let answer = stage.next();
    assert_eq!(answer.element("Result").as_deref(), Some("OK"));
    assert_eq!(answer.element("DeviceID").as_deref(), Some(CHANNEL));
    assert_eq!(answer.element("SN").as_deref(), Some("992"));
    stage.answer(&answer, 200, "");
    stage.next()
}

fn hand() -> Hand {
    let mut stage = Hand::of("generic-2016", |_| {});
    stage.register();
    stage
}

fn accepted(media: &str) -> String {
    let address = addr(MEDIA);
    let body = format!(
        "v=0\r\no={SERVER} 0 0 IN IP4 10.0.0.1\r\ns=Play\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
         m=audio {} {media}\r\na=sendonly\r\ny=0200000333\r\n",
        address.port()
    );
    format!(
        "Contact: <sip:{SERVER}@10.0.0.1:5060>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Answers 200 with this media; what the camera says to that.
fn accept(stage: &mut Hand, invite: &Said, media: &str) -> Vec<Said> {
    let answer = common::spoken::answer(invite, 200, "");
    let head = answer.strip_suffix("Content-Length: 0\r\n\r\n").unwrap();
    stage.say(format!("{head}{}", accepted(media)));
    stage.all_within(MOMENT)
}

#[test]
fn the_call_for_a_voice_is_the_standards() {
    let mut stage = hand();
    let invite = called(&mut stage);
    assert_eq!(
        invite.start(),
        format!("INVITE sip:{SERVER}@3402000000 SIP/2.0")
    );
    let port = invite.line("m=audio ").unwrap();
    let port = port.split(' ').next().unwrap();
    let y = invite.line("y=").unwrap();
    assert!(y.len() == 10 && y.starts_with("020000"), "{y}");
    assert_eq!(
        invite.header("Subject"),
        format!("{SERVER}:{y},{CHANNEL}:0")
    );
    assert!(
        invite
            .header("From")
            .starts_with(&format!("<sip:{DEVICE}@"))
    );
    assert_eq!(invite.header("Contact"), format!("<sip:{DEVICE}@{CAMERA}>"));
    assert_eq!(
        invite.text(),
        format!(
            "v=0\r\no={DEVICE} 0 0 IN IP4 10.0.0.2\r\ns=Play\r\nc=IN IP4 10.0.0.2\r\nt=0 0\r\n\
             m=audio {port} RTP/AVP 8 96\r\na=recvonly\r\na=rtpmap:8 PCMA/8000\r\n\
             a=rtpmap:96 PS/90000\r\ny={y}\r\nf=v/////a/1/8/1\r\n"
        )
    );
}

#[test]
fn a_dahua_calls_for_a_voice_in_its_own_words() {
    let facts = VoiceFacts {
        device_id: DEVICE.to_owned(),
        address: ip("192.0.2.1"),
        port: 9776,
        transport: sdp::Transport::Udp,
        ssrc: Ssrc::parse("0022440333").unwrap(),
    };
    let body = Profile::builtin("dahua-ipc")
        .unwrap()
        .sdp
        .voice_offer(&facts);
    assert_eq!(
        std::str::from_utf8(&body).unwrap(),
        "v=0\r\no=34020000001320000001 0 0 IN IP4 192.0.2.1\r\ns=Play\r\n\
         i=VCam BroadCast Session\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
         m=audio 9776 RTP/AVP 8 96\r\na=recvonly\r\na=rtpmap:8 PCMA/8000/1\r\n\
         a=rtpmap:96 PS/90000\r\ny=0022440333\r\nf=v/0/0/0/0/0a/1/8/1\r\n"
    );
}

#[test]
fn a_200_is_acknowledged_each_time_it_comes_and_a_bye_answered() {
    let mut stage = hand();
    let invite = called(&mut stage);
    for _ in 0..3 {
        let heard = accept(&mut stage, &invite, "RTP/AVP 8");
        let [ack] = &heard[..] else {
            panic!("{heard:?}");
        };
        assert_eq!((ack.method(), ack.cseq()), ("ACK", 1));
        assert_eq!(ack.uri(), format!("sip:{SERVER}@10.0.0.1:5060"));
    }
    let bye = Request {
        uri: format!("sip:{DEVICE}@{CAMERA}"),
        from: format!("{};tag=7", invite.header("To")),
        to: invite.header("From").to_owned(),
        call_id: invite.header("Call-ID").to_owned(),
        ..Request::new("BYE")
    };
    assert_eq!(stage.ask(bye).status(), 200);
    stage.run(MOMENT);
    let ended = ends(stage.events().into_iter());
    assert_eq!(ended, [(VoiceEnd::Bye, Heard::default())]);
    stage.silence(SECOND * 33);
    assert_eq!(stage.camera().transactions(), 0);
}

/// The credentials that `header` carries, proven with another implementation of the digest.
fn prove(request: &Said, header: &str, challenge: &str) {
    let written = request.header(header);
    let mut prompt = digest_auth::parse(challenge).unwrap();
    let mut context = digest_auth::AuthContext::new(DEVICE, "12345678", request.uri());
    context.method = digest_auth::HttpMethod::from("INVITE");
    let cnonce = request.param(header, "cnonce");
    if let Some(cnonce) = cnonce {
        context.set_custom_cnonce(cnonce);
    }
    let expected = prompt.respond(&context).unwrap().response;
    assert!(written.contains(&expected), "{written}");
    assert_eq!(request.param(header, "uri").as_deref(), Some(request.uri()));
}

#[test]
fn a_platform_that_wants_credentials_gets_them_and_is_heard() {
    const ASKS: &str = "Digest realm=\"3402000000\", nonce=\"6fe9ba44a76be22a\"";
    for (status, asks, answers) in [
        (401, "WWW-Authenticate", "Authorization"),
        (407, "Proxy-Authenticate", "Proxy-Authorization"),
    ] {
        let mut stage = hand();
        let invite = called(&mut stage);
        stage.answer(&invite, status, &format!("{asks}: {ASKS}\r\n"));
        let said = stage.all_within(MOMENT);
        let [ack, again] = &said[..] else {
            panic!("{said:?}");
        };
        assert_eq!((ack.method(), ack.cseq()), ("ACK", 1));
        assert_eq!((again.method(), again.cseq()), ("INVITE", 2));
        for same in ["From", "To", "Call-ID", "Subject"] {
            assert_eq!(again.header(same), invite.header(same), "{same}");
        }
        assert_eq!(again.text(), invite.text(), "the same port");
        prove(again, answers, ASKS);
        let said = accept(&mut stage, again, "RTP/AVP 8");
        let [ack] = &said[..] else {
            panic!("{said:?}");
        };
        assert_eq!((ack.method(), ack.cseq()), ("ACK", 2));
        assert!(stage.camera().hears().is_some());
    }
}

#[test]
fn a_platform_that_does_not_believe_credentials_has_refused() {
    const ASKS: &str = "WWW-Authenticate: Digest realm=\"3402000000\", nonce=\"6f\"\r\n";
    for headers in [
        [ASKS, ASKS],
        [ASKS, ""],
        ["", ""],
        [
            "WWW-Authenticate: Digest realm=\"1\", nonce=\"2\", algorithm=SHA-256\r\n",
            "",
        ],
    ] {
        let mut stage = hand();
        let mut invite = called(&mut stage);
        let mut calls = 1;
        for headers in headers {
            stage.answer(&invite, 401, headers);
            let said = stage.all_within(MOMENT);
            let Some(again) = said.iter().find(|said| said.method() == "INVITE") else {
                break;
            };
            calls += 1;
            invite = again.clone();
        }
        assert_eq!(calls, if headers[0] == ASKS { 2 } else { 1 });
        let ended = ends(stage.events().into_iter());
        assert!(
            matches!(&ended[..], [(VoiceEnd::Refused(why), _)] if why.starts_with("401")),
            "{ended:?}"
        );
        stage.silence(SECOND);
    }
}

#[test]
fn hanging_up_while_credentials_are_asked_for_is_the_end() {
    let mut stage = hand();
    let invite = called(&mut stage);
    stage.command(camera::Command::HangUp);
    stage.run(MOMENT);
    stage.answer(
        &invite,
        401,
        &format!(
            "WWW-Authenticate: {}\r\n",
            "Digest realm=\"1\", nonce=\"2\""
        ),
    );
    let said = stage.all_within(MOMENT);
    assert!(said.iter().all(|said| said.method() == "ACK"), "{said:?}");
    let ended = ends(stage.events().into_iter());
    assert!(matches!(ended[..], [(VoiceEnd::HungUp, _)]), "{ended:?}");
}

#[test]
fn a_refusal_ends_it_quietly() {
    for status in [403, 410, 415, 486, 488, 500, 603] {
        let mut stage = hand();
        let invite = called(&mut stage);
        stage.answer(&invite, status, "");
        let ack = stage.next();
        assert_eq!(ack.method(), "ACK");
        stage.run(MOMENT);
        let ended = ends(stage.events().into_iter());
        assert!(
            matches!(ended[..], [(VoiceEnd::Refused(_), _)]),
            "{ended:?}"
        );
        // And the next one is taken.
        assert_eq!(called(&mut stage).method(), "INVITE", "{status}");
    }
}

#[test]
fn a_platform_that_never_answers_is_given_up_after_32_seconds() {
    let mut stage = hand();
    called(&mut stage);
    let again = stage.all_within(SECOND * 31);
    assert!(again.iter().all(|heard| heard.method() == "INVITE"));
    assert_eq!(ends(stage.events().into_iter()), []);
    stage.run(SECOND * 2);
    let ended = ends(stage.events().into_iter());
    assert!(
        matches!(ended[..], [(VoiceEnd::Refused(_), _)]),
        "{ended:?}"
    );
    assert_eq!(stage.camera().transactions(), 0);
}

#[test]
fn an_answer_that_cannot_be_used_is_acknowledged_and_ended() {
    let mut stage = hand();
    let invite = called(&mut stage);
    let heard = accept(&mut stage, &invite, "RTP/AVP 0");
    let methods: Vec<_> = heard.iter().map(Said::method).collect();
    assert_eq!(methods, ["ACK", "BYE"]);
    assert_eq!(heard[1].cseq(), 2);
    let ended = ends(stage.events().into_iter());
    assert!(
        matches!(ended[..], [(VoiceEnd::Refused(_), _)]),
        "{ended:?}"
    );
}

#[test]
fn hanging_up_before_the_answer_cancels_and_a_200_that_crosses_is_ended() {
    let mut stage = hand();
    let invite = called(&mut stage);
    stage.answer(&invite, 100, "");
    stage.command(camera::Command::HangUp);
    let cancel = stage.next();
    assert_eq!(cancel.method(), "CANCEL");
    stage.answer(&cancel, 200, "");
    let heard = accept(&mut stage, &invite, "RTP/AVP 8");
    let methods: Vec<_> = heard.iter().map(Said::method).collect();
    assert_eq!(methods, ["ACK", "BYE"]);
    let ended = ends(stage.events().into_iter());
    assert!(matches!(ended[..], [(VoiceEnd::HungUp, _)]), "{ended:?}");
}

#[test]
fn a_broken_announcement_is_answered_error() {
    let mut stage = hand();
    for ids in ["", "<SourceID>x</SourceID><TargetID>y</TargetID>"] {
        let told = Request::message(format!(
            "<Notify><CmdType>Broadcast</CmdType><SN>5</SN>{ids}</Notify>"
        ));
        assert_eq!(stage.ask(told).status(), 200);
        let answer = stage.next();
        assert_eq!(answer.element("Result").as_deref(), Some("ERROR"));
        stage.answer(&answer, 200, "");
        stage.silence(SECOND);
    }
}

/// RTP with a voice in a program stream, 20 ms in a packet, without a map, as some platforms send
/// it: pack header, then one PES packet with a time stamp.
fn packed(sequence: u8, samples: [u8; 160]) -> Vec<u8> {
    let rtp = [0x80, 96, 0, sequence, 0, 0, 7, 8, 0x0B, 0xEB, 0xC3, 0x4D];
    let pack = [
        0, 0, 1, 0xBA, 0x44, 0, 0x16, 0xFC, 0x84, 1, 0, 0x5F, 0x6B, 0xF8,
    ];
    let pes = [0, 0, 1, 0xC0, 0, 168, 0x80, 0x80, 5, 0x21, 0, 5, 0xBF, 0x21];
    [&rtp[..], &pack, &pes, &samples].concat()
}

#[test]
fn a_voice_in_a_program_stream_is_heard_over_udp_and_tcp() {
    for transport in [VoiceTransport::Udp, VoiceTransport::TcpActive] {
        let mut stage = Hand::of("generic-2016", |config| {
            config.keeps_voice = true;
            let profile = Arc::make_mut(&mut config.profile);
            profile.behaviour.voice.transport = transport;
        });
        stage.register();
        let invite = called(&mut stage);
        let port = invite.line("m=audio ").unwrap();
        let port = port.split(' ').next().unwrap().parse().unwrap();
        let (proto, setup) = match transport {
            VoiceTransport::Udp => ("RTP/AVP", ""),
            _ => ("TCP/RTP/AVP", "a=setup:passive\r\na=connection:new\r\n"),
        };
        let media = format!("{proto} 96\r\na=rtpmap:96 PS/90000\r\n{setup}");
        accept(&mut stage, &invite, media.trim_end());
        let wire = match transport {
            VoiceTransport::Udp => None,
            _ => Some(stage.media()),
        };
        for n in 1..=50 {
            let packet = packed(n, [n; 160]);
            let length = (packet.len() as u16).to_be_bytes();
            match wire {
                Some(wire) => stage.lab.write(wire, [&length[..], &packet].concat()),
                None => {
                    let to = SocketAddr::new(ip("10.0.0.2"), port);
                    stage.lab.send_datagram(addr(MEDIA), to, packet);
                }
            }
        }
        stage.run(SECOND * 2);
        let heard = stage.camera().hears().expect("a voice");
        assert_eq!((heard.packets, heard.octets), (50, 8_000), "{transport:?}");
        let events = stage.events();
        let said = events.iter().filter_map(|event| match event {
            camera::Event::VoiceSaid { samples } => Some(&samples[..]),
            _ => None,
        });
        let said = said.collect::<Vec<_>>().concat();
        let all: Vec<u8> = (1..=50).flat_map(|n| [n; 160]).collect();
        assert_eq!(said, all, "{transport:?}");
    }
}

/// On real sockets: what the handles of the library make of it.
#[tokio::test]
async fn a_platform_in_a_test_speaks_through_a_camera_into_a_wav_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("heard.wav");
    let clip = vcam::Clip::open(concat!(env!("CARGO_MANIFEST_DIR"), "/media/tiny.h264")).unwrap();
    let platform = vcam::Platform::start().await.unwrap();
    let camera = vcam::Camera::builder(Profile::builtin("dahua-ipc").unwrap())
        .platform(platform.address())
        .media(clip)
        .voice(&file)
        .start()
        .await
        .unwrap();
    camera.registered().await.unwrap();
    let mut events = camera.events();
    let target = camera.channel(1).id;
    let samples = [0x55; 8000];
    let mut speech = platform.speak(camera.id(), target, &samples).await.unwrap();
    speech.heard().await.unwrap();
    let second = platform.speak(camera.id(), target, &samples).await;
    let declined = SpeechEnd::Declined;
    assert!(matches!(second, Err(vcam::Error::Speech { why, .. }) if why == declined));
    loop {
        let event = events.next().await.expect("an event");
        if matches!(event, camera::Event::VoiceHeard { .. }) {
            break;
        }
    }
    let (why, sent) = speech.hush().await.unwrap();
    assert_eq!(why, SpeechEnd::Stopped);
    let heard = loop {
        if let camera::Event::VoiceEnded { heard, .. } = events.next().await.expect("an event") {
            break heard;
        }
    };
    assert!(
        heard.packets >= 1 && heard.packets <= sent.packets,
        "{heard:?} {sent:?}"
    );
    assert_eq!(heard.octets, heard.packets * 160);
    let file = std::fs::read(file).unwrap();
    let header = vcam::media::wav::header(heard.octets as u32);
    let samples = vec![0x55; heard.octets as usize];
    assert_eq!(file, [&header[..], &samples].concat());
    camera.power_off().await.unwrap();
    platform.shut_down().await.unwrap();
}
