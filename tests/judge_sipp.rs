//! SIPp plays the platform: the camera registers with it, is called, called off and hung up on.
//!
//! A scenario is put together from the parts in `tests/sipp`. Whatever SIPp does not expect
//! fails it.
#![cfg(target_os = "linux")]

mod common;

use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use common::live::Live;
use common::process::{self, Running, Table};
use common::slow::Slow;
use vcam::camera::{CallEnd, Camera, Config, Event};
use vcam::net;
use vcam::sip::Transport;

const REGISTER: &str = include_str!("sipp/register.xml");
const INVITE: &str = include_str!("sipp/invite.xml");
const ANSWER: &str = include_str!("sipp/answer.xml");
const CANCEL: &str = include_str!("sipp/cancel.xml");
const TERMINATED: &str = include_str!("sipp/terminated.xml");
const TALK: &str = include_str!("sipp/talk.xml");
const UNREGISTER: &str = include_str!("sipp/unregister.xml");

const PLATFORM: &str = "34020000002000000001";
const DEVICE: &str = "34020000001320000001";
const CHANNEL: &str = "34020000001310000001";

/// Longer than any scenario takes.
const LIMIT: Duration = Duration::from_secs(20);

#[test]
#[ignore = "needs sipp (Debian package sip-tester)"]
fn sipp_calls_and_hangs_up_over_udp() {
    let ended = a_call(Transport::Udp);
    assert_eq!(ended, [CallEnd::Bye]);
}

#[test]
#[ignore = "needs sipp (Debian package sip-tester)"]
fn sipp_calls_and_hangs_up_over_tcp() {
    let ended = a_call(Transport::Tcp);
    assert_eq!(ended, [CallEnd::Bye]);
}

#[test]
#[ignore = "needs sipp (Debian package sip-tester)"]
fn sipp_cancels_too_late_over_udp_and_the_call_stands() {
    let ended = a_late_cancel(Transport::Udp);
    assert_eq!(ended, [CallEnd::Bye]);
}

#[test]
#[ignore = "needs sipp (Debian package sip-tester)"]
fn sipp_cancels_too_late_over_tcp_and_the_call_stands() {
    let ended = a_late_cancel(Transport::Tcp);
    assert_eq!(ended, [CallEnd::Bye]);
}

#[test]
#[ignore = "needs sipp (Debian package sip-tester)"]
fn sipp_cancels_in_time_over_udp_and_may_call_again() {
    let ended = a_cancel(Transport::Udp);
    assert_eq!(ended, [CallEnd::Cancelled, CallEnd::Bye]);
}

#[test]
#[ignore = "needs sipp (Debian package sip-tester)"]
fn sipp_cancels_in_time_over_tcp_and_may_call_again() {
    let ended = a_cancel(Transport::Tcp);
    assert_eq!(ended, [CallEnd::Cancelled, CallEnd::Bye]);
}

fn a_call(transport: Transport) -> Vec<CallEnd> {
    let scenario = Scenario::new(transport)
        .part(1, INVITE)
        .part(1, ANSWER)
        .part(1, TALK);
    scenario.play(Live::start)
}

fn a_late_cancel(transport: Transport) -> Vec<CallEnd> {
    let scenario = Scenario::new(transport)
        .part(1, INVITE)
        .part(1, ANSWER)
        .part(1, CANCEL)
        .part(1, TALK);
    scenario.play(Live::start)
}

/// A camera answers within a millisecond, so CANCEL is in time only when its media opens slowly.
fn a_cancel(transport: Transport) -> Vec<CallEnd> {
    let scenario = Scenario::new(transport)
        .part(1, INVITE)
        .part(1, CANCEL)
        .part(1, TERMINATED)
        .part(2, INVITE)
        .part(2, ANSWER)
        .part(2, TALK);
    scenario.play(|config| {
        let camera = Camera::new(Arc::new(config), 1);
        Live::run(
            Slow::new(camera, Duration::from_millis(500)),
            net::Media::spawn,
        )
    })
}

/// What SIPp does and expects between the camera's registration and its end.
struct Scenario {
    transport: Transport,
    xml: String,
}

impl Scenario {
    fn new(transport: Transport) -> Scenario {
        let xml = REGISTER.replace("{device}", DEVICE);
        Scenario { transport, xml }
    }

    /// Appends a part that belongs to INVITE number `n`.
    fn part(mut self, n: u32, part: &str) -> Scenario {
        let (proto, setup) = match self.transport {
            Transport::Udp => ("RTP/AVP", ""),
            Transport::Tcp => ("TCP/RTP/AVP", "a=setup:passive\na=connection:new\n"),
        };
        let part = part.replace("{n}", &n.to_string());
        let part = part.replace("{channel}", CHANNEL);
        let part = part.replace("{proto}", proto);
        self.xml += &part.replace("{setup}", setup);
        self
    }

    /// Has SIPp play it with the camera that `start` starts: how the camera's calls ended.
    fn play(self, start: impl FnOnce(Config) -> Live) -> Vec<CallEnd> {
        let port = process::free_port();
        let media = Media::listen(self.transport);
        let table = match self.transport {
            Transport::Udp => Table::Udp,
            Transport::Tcp => Table::Tcp,
        };
        let mut sipp = self.sipp(port, media.port());
        sipp.until("listening", LIMIT, |_| process::is_bound(table, port));

        let mut camera = start(self.camera(port));
        let bye = |event: &Event| matches!(event, Event::Ended { why, .. } if *why == CallEnd::Bye);
        let called = camera.saw(LIMIT, bye);
        let events = match called {
            true => camera.off(),
            false => camera.events().to_vec(),
        };
        let finished = sipp.finish(2 * LIMIT);
        assert!(
            finished.status.success() && called,
            "SIPp is not content ({}); the camera: {events:#?}\n{}{}{}",
            finished.status,
            finished.stderr,
            finished.files("errors"),
            finished.files("messages"),
        );
        assert!(media.heard(), "no media has come");
        assert!(events.contains(&Event::Off { unregistered: true }));
        let ends = events.into_iter().filter_map(|event| match event {
            Event::Ended { why, .. } => Some(why),
            _ => None,
        });
        ends.collect()
    }

    fn camera(&self, port: u16) -> Config {
        let platform = common::platform(PLATFORM, &format!("127.0.0.1:{port}"));
        let mut config = common::config("dahua-ipc", DEVICE, "127.0.0.1:0", platform);
        config.transport = self.transport;
        config
    }

    /// SIPp, listening for two calls: the Keepalive and everything else.
    fn sipp(&self, port: u16, media: u16) -> Running {
        let mode = match self.transport {
            Transport::Udp => "u1",
            Transport::Tcp => "t1",
        };
        let (port, media) = (port.to_string(), media.to_string());
        let mut command = Command::new("sipp");
        command.args(["-sf", "scenario.xml", "-m", "2", "-t", mode]);
        command.args(["-i", "127.0.0.1", "-p", &port, "-nostdin"]);
        command.args(["-timeout", "30s", "-timeout_error"]);
        command.args(["-trace_err", "-error_file", "errors"]);
        command.args(["-trace_msg", "-message_file", "messages"]);
        command.args(["-key", "platform", PLATFORM, "-key", "device", DEVICE]);
        command.args(["-key", "channel", CHANNEL, "-key", "media", &media]);
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<scenario name=\"platform\">\n{}{UNREGISTER}\
             <Reference variables=\"x\"/>\n</scenario>\n",
            self.xml
        );
        Running::start(&mut command, &[("scenario.xml", xml.as_bytes())])
    }
}

/// Where the platform wants media.
enum Media {
    Udp(UdpSocket),
    Tcp(TcpListener),
}

impl Media {
    fn listen(transport: Transport) -> Media {
        let any = (Ipv4Addr::LOCALHOST, 0);
        match transport {
            Transport::Udp => Media::Udp(UdpSocket::bind(any).unwrap()),
            Transport::Tcp => Media::Tcp(TcpListener::bind(any).unwrap()),
        }
    }

    fn port(&self) -> u16 {
        let address = match self {
            Media::Udp(socket) => socket.local_addr(),
            Media::Tcp(listener) => listener.local_addr(),
        };
        address.unwrap().port()
    }

    /// Whether RTP has come by now.
    fn heard(&self) -> bool {
        let mut octets = [0; 4];
        match self {
            Media::Udp(socket) => {
                socket.set_nonblocking(true).unwrap();
                socket.recv(&mut octets).is_ok() && octets[..2] == RTP
            }
            Media::Tcp(listener) => {
                listener.set_nonblocking(true).unwrap();
                let Ok((mut stream, _)) = listener.accept() else {
                    return false;
                };
                stream.read_exact(&mut octets).is_ok() && octets[2..] == RTP
            }
        }
    }
}

/// The first octets of a program stream's RTP packet without marker.
const RTP: [u8; 2] = [0x80, 96];
