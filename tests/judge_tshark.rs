//! tshark dissects whole calls, captured on the loopback interface between camera and platform:
//! nothing is malformed, SIP speaks in order, RTP runs unbroken.
//!
//! Datagrams are captured where they are sent, so they are sent without segmentation offload.
#![cfg(target_os = "linux")]

mod common;

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use common::process::{self, Finished, Running};
use vcam::api::{Camera, Platform};
use vcam::camera::Event;
use vcam::media::MediaTransport;
use vcam::net::{Clock, Media};
use vcam::profile::Profile;
use vcam::sip::Transport;

/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

/// Where the platform stands: a loopback address that nobody else uses, so that the capture holds
/// this call only.
const HERE: [u8; 4] = [127, 0, 77, 1];

/// What the kernel may need to hand the last frames to a capture.
const SETTLE: Duration = Duration::from_millis(700);

/// The camera's (C) and the platform's (P) messages of a registration, a call and the end.
const CONVERSATION: [&str; 17] = [
    "C REGISTER",
    "P 401 REGISTER",
    "C REGISTER",
    "P 200 REGISTER",
    "C MESSAGE",
    "P 200 MESSAGE",
    "P INVITE",
    "C 100 INVITE",
    "C 101 INVITE",
    "C 200 INVITE",
    "P ACK",
    "P BYE",
    "C 200 BYE",
    "C REGISTER",
    "P 401 REGISTER",
    "C REGISTER",
    "P 200 REGISTER",
];

/// What tshark calls wrong: anything malformed, and warnings where they are ours. (TCP warns of a
/// reset, which is how a media connection ends when the platform has closed it.)
const WRONG: &str = "_ws.malformed || _ws.expert.severity == \"Error\" \
                     || ((sip || sdp || rtp) && _ws.expert.severity == \"Warning\")";

#[test]
#[ignore = "needs tshark and dumpcap (Debian package tshark), and the right to capture"]
fn tshark_finds_nothing_wrong_with_a_call_over_udp() {
    judge(Transport::Udp, MediaTransport::Udp);
}

#[test]
#[ignore = "needs tshark and dumpcap (Debian package tshark), and the right to capture"]
fn tshark_finds_nothing_wrong_with_a_call_over_tcp_that_the_camera_connects() {
    judge(Transport::Tcp, MediaTransport::TcpActive);
}

#[test]
#[ignore = "needs tshark and dumpcap (Debian package tshark), and the right to capture"]
fn tshark_finds_nothing_wrong_with_a_call_over_tcp_that_the_platform_connects() {
    judge(Transport::Tcp, MediaTransport::TcpPassive);
}

fn judge(signalling: Transport, media: MediaTransport) {
    let platform = process::free_port();
    let captured = capture(|| call(platform, signalling, media));
    let sip = port(signalling == Transport::Tcp, platform);
    let mut shark = Shark::new(&captured);
    shark.take(&sip, "sip");
    assert_eq!(conversation(&shark, &sip, platform), CONVERSATION);

    let (receiver, ssrc) = agreed(&shark, &sip, media);
    let rtp = port(media != MediaTransport::Udp, receiver);
    shark.take(&rtp, "rtp");
    is_unbroken(&packets(&shark, &rtp), ssrc);
    let ours = format!("({sip} || {rtp}) && ({WRONG})");
    let wrong = shark.read(
        &ours,
        &["frame.number", "_ws.expert.message", "_ws.malformed"],
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What dumpcap captures while `happens` does.
fn capture(happens: impl FnOnce()) -> Finished {
    let mut dumpcap = Command::new("dumpcap");
    dumpcap.args(["-i", "lo", "-p", "-w", "call.pcapng", "-B", "32"]);
    dumpcap.args(["-f", &format!("host {}", Ipv4Addr::from(HERE))]);
    dumpcap.args(["-a", "duration:60", "-a", "filesize:500000"]);
    let mut capture = Running::start(&mut dumpcap, &[]);
    capture.until("capturing (has it the right to?)", LIMIT, |capture| {
        capture.said().contains("File:")
    });
    happens();
    std::thread::sleep(SETTLE);
    let captured = capture.interrupt();
    let said = &captured.stderr;
    assert!(captured.status.success(), "{said}");
    let (_, counts) = said.split_once("received/dropped").expect(said);
    let (_, dropped) = counts.split_once('/').expect(said);
    assert!(dropped.starts_with("0 "), "the capture has holes: {said}");
    captured
}

/// A camera registers with a platform, says that it lives, is called, and leaves.
fn call(port: u16, signalling: Transport, media: MediaTransport) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let platform = Platform::builder()
            .password("12345678")
            .listen((HERE, port).into())
            .start()
            .await
            .unwrap();
        let camera = Camera::builder(Profile::builtin("dahua-ipc").unwrap())
            .platform(platform.address())
            .password("12345678")
            .transport(signalling)
            .pumps(Media::spawn(Clock::start()).without_offload())
            .start()
            .await
            .unwrap();
        let mut events = camera.events();
        while !matches!(events.next().await.unwrap(), Event::Kept { .. }) {}
        let mut stream = platform.play(camera.channel(1)).over(media).await.unwrap();
        stream.verified_seconds(2.5).await.unwrap();
        stream.stop().await.unwrap();
        camera.power_off().await.unwrap();
        platform.shut_down().await.unwrap();
    });
}

/// A display filter for a port.
fn port(tcp: bool, port: u16) -> String {
    match tcp {
        true => format!("tcp.port=={port}"),
        false => format!("udp.port=={port}"),
    }
}

/// A capture file as tshark understands it.
struct Shark {
    file: PathBuf,
    decode_as: Vec<String>,
}

impl Shark {
    fn new(captured: &Finished) -> Shark {
        Shark {
            file: captured.folder.path().join("call.pcapng"),
            decode_as: Vec::new(),
        }
    }

    /// From now on what goes through a port is taken for `protocol`.
    fn take(&mut self, port: &str, protocol: &str) {
        self.decode_as.push(format!("{port},{protocol}"));
    }

    /// These fields of every frame that `filter` lets pass; a field that a frame has several
    /// times has its values between commas. An ICMP answer repeats the datagram that came when
    /// the call was over, and counts for nothing.
    fn read(&self, filter: &str, fields: &[&str]) -> Vec<Vec<String>> {
        let filter = &format!("({filter}) && !icmp");
        let mut tshark = Command::new("tshark");
        tshark.args(["-n", "-Y", filter, "-T", "fields", "-E", "aggregator=,"]);
        tshark.arg("-r").arg(&self.file);
        for decode in &self.decode_as {
            tshark.args(["-d", decode]);
        }
        for field in fields {
            tshark.args(["-e", field]);
        }
        let read = process::run(&mut tshark, &[], LIMIT);
        assert!(read.status.success(), "{}", read.stderr);
        let lines = read.stdout.lines();
        lines
            .map(|line| line.split('\t').map(str::to_owned).collect())
            .collect()
    }
}

/// The SIP messages in short, as in [`CONVERSATION`].
fn conversation(shark: &Shark, sip: &str, platform: u16) -> Vec<String> {
    let fields = [
        "udp.srcport",
        "tcp.srcport",
        "sip.Method",
        "sip.Status-Code",
        "sip.CSeq.method",
    ];
    let messages = shark.read(&format!("sip && {sip}"), &fields);
    let short = messages.iter().map(|message| {
        let [udp, tcp, method, status, answered] = &message[..] else {
            panic!("not five fields: {message:?}");
        };
        let by = match *udp == platform.to_string() || *tcp == platform.to_string() {
            true => "P",
            false => "C",
        };
        match method.is_empty() {
            true => format!("{by} {status} {answered}"),
            false => format!("{by} {method}"),
        }
    });
    short.collect()
}

/// The port that media goes to and its SSRC, as the SDP of INVITE and 200 says.
fn agreed(shark: &Shark, sip: &str, media: MediaTransport) -> (u16, u32) {
    let fields = ["sip.Method", "sdp.media.port", "sdp.unknown"];
    let described = shark.read(&format!("sdp && {sip}"), &fields);
    let [offer, answer] = &described[..] else {
        panic!("not an offer and an answer: {described:?}");
    };
    assert_eq!((offer[0].as_str(), answer[0].as_str()), ("INVITE", ""));
    let listens = match media {
        MediaTransport::TcpPassive => answer,
        MediaTransport::Udp | MediaTransport::TcpActive => offer,
    };
    let ssrc = |described: &[String]| {
        let mut unknown = described[2].split(',');
        let ssrc = unknown.find_map(|line| line.strip_prefix("y="));
        ssrc.expect("y=").parse().expect("a number")
    };
    let number: u32 = ssrc(offer);
    assert_eq!(number, ssrc(answer));
    (listens[1].parse().unwrap(), number)
}

/// One RTP packet as tshark sees it.
#[derive(Debug)]
struct Packet {
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    marker: bool,
    payload_type: String,
}

fn packets(shark: &Shark, rtp: &str) -> Vec<Packet> {
    let fields = [
        "rtp.seq",
        "rtp.timestamp",
        "rtp.ssrc",
        "rtp.marker",
        "rtp.p_type",
    ];
    let frames = shark.read(&format!("rtp && {rtp}"), &fields);
    let mut all = Vec::new();
    for frame in frames {
        let mut values: Vec<_> = frame.iter().map(|field| field.split(',')).collect();
        while let Some(packet) = packet(&mut values) {
            all.push(packet);
        }
    }
    all
}

/// The next packet of a frame's columns.
fn packet<'a>(columns: &mut [impl Iterator<Item = &'a str>]) -> Option<Packet> {
    let values: Option<Vec<_>> = columns.iter_mut().map(Iterator::next).collect();
    let values = values?;
    Some(Packet {
        sequence: values[0].parse().unwrap(),
        timestamp: values[1].parse().unwrap(),
        ssrc: u32::from_str_radix(values[2].trim_start_matches("0x"), 16).unwrap(),
        marker: values[3] == "1",
        payload_type: values[4].to_owned(),
    })
}

/// One SSRC, no number missing, one time stamp per frame, the marker on its last packet, and
/// frames a twenty-fifth of a second apart.
fn is_unbroken(packets: &[Packet], ssrc: u32) {
    let frames = packets.iter().filter(|packet| packet.marker).count();
    assert!(frames >= 50, "{frames} frames in {} packets", packets.len());
    for packet in packets {
        assert_eq!((packet.ssrc, packet.payload_type.as_str()), (ssrc, "96"));
    }
    for pair in packets.windows(2) {
        let [before, after] = pair else { continue };
        assert_eq!(after.sequence, before.sequence.wrapping_add(1), "{pair:?}");
        let step = after.timestamp.wrapping_sub(before.timestamp);
        assert_eq!(step, if before.marker { 3600 } else { 0 }, "{pair:?}");
    }
}
