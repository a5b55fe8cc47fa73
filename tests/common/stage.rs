//! A camera in a lab, and a platform that the test plays by hand, message by message.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use vcam::camera::{Camera, Command, Config, Event};
use vcam::lab::{Key, Lab, RawTcp};
use vcam::sip::{Tokens, Transport};

use super::spoken::{Heard, Leg, Request, answer};
use super::{addr, config, ip, platform};

pub const SERVER: &str = "34020000002000000001";
pub const DEVICE: &str = "34020000001320000001";
pub const CHANNEL: &str = "34020000001310000001";
pub const PLATFORM: &str = "10.0.0.1:5060";
pub const CAMERA: &str = "10.0.0.2:5060";
/// Where the platform receives media, over UDP and TCP.
pub const MEDIA: &str = "10.0.0.1:10000";
/// The challenge that [`Stage::register`] asks with.
pub const CHALLENGE: &str =
    "WWW-Authenticate: Digest realm=\"3402000000\", nonce=\"6fe9ba44a76be22a\"\r\n";

/// Longer than any answer in the lab takes, shorter than any timer.
const SOON: Duration = Duration::from_millis(50);

/// The scene: time, network, camera, and the platform's side of the wire.
pub struct Stage {
    pub lab: Lab,
    pub camera: Key<Camera>,
    /// Where the platform listens; a test may move it.
    pub platform: SocketAddr,
    /// Whether Keepalives are answered 200 and not shown.
    pub keeps_alive: bool,
    wire: Option<RawTcp>,
    unread: Vec<u8>,
    heard: VecDeque<Heard>,
    turn: u32,
}

/// A camera of the default make over UDP.
pub fn stage() -> Stage {
    Stage::with(|_| {})
}

impl Stage {
    /// As [`stage`], with its configuration changed.
    pub fn with(change: impl FnOnce(&mut Config)) -> Stage {
        Stage::of("dahua-ipc", change)
    }

    /// A camera of a make.
    pub fn of(make: &str, change: impl FnOnce(&mut Config)) -> Stage {
        Stage::scripted(make, Tokens::seeded(1), change)
    }

    /// A camera of a make whose random parts are given.
    pub fn scripted(make: &str, tokens: Tokens, change: impl FnOnce(&mut Config)) -> Stage {
        let mut config = config(make, DEVICE, CAMERA, platform(SERVER, PLATFORM));
        change(&mut config);
        let mut lab = Lab::new(7);
        lab.bind(addr(MEDIA));
        lab.listen(addr(MEDIA));
        match config.transport {
            Transport::Udp => lab.bind(addr(PLATFORM)),
            Transport::Tcp => lab.listen(addr(PLATFORM)),
        }
        let camera = lab.add(
            ip("10.0.0.2"),
            Camera::with_tokens(Arc::new(config), 1, tokens),
        );
        Stage {
            lab,
            camera,
            platform: addr(PLATFORM),
            keeps_alive: true,
            wire: None,
            unread: Vec::new(),
            heard: VecDeque::new(),
            turn: 0,
        }
    }

    /// As [`Stage::with`], registered already.
    pub fn registered_with(change: impl FnOnce(&mut Config)) -> Stage {
        let mut stage = Stage::with(change);
        stage.register();
        stage
    }

    /// As [`stage`], registered already.
    pub fn registered() -> Stage {
        Stage::registered_with(|_| {})
    }

    pub fn command(&mut self, command: Command) {
        self.lab.command(self.camera, command);
    }

    /// Power on, and the usual round: 401, credentials, 200.
    pub fn register(&mut self) {
        self.power_on();
        self.accept_registration();
        self.silence(SOON);
        assert!(self.camera().is_registered());
    }

    /// Power on; over TCP the camera's connection is taken.
    pub fn power_on(&mut self) {
        self.command(Command::PowerOn);
        if self.camera().config().transport == Transport::Tcp {
            self.accept(SOON);
        }
    }

    /// The usual round for a camera that is about to register.
    #[track_caller]
    pub fn accept_registration(&mut self) {
        self.accept_registration_within(SOON);
    }

    /// The same, for one that waits before it does.
    #[track_caller]
    pub fn accept_registration_within(&mut self, limit: Duration) {
        let first = self.next_within(limit);
        assert_eq!(first.method(), "REGISTER");
        self.answer(&first, 401, CHALLENGE);
        let second = self.next();
        assert!(second.has("Authorization"), "{second:?}");
        let expires = format!("Expires: {}\r\n", second.header("Expires"));
        self.answer(&second, 200, &expires);
    }

    pub fn camera(&self) -> &Camera {
        self.lab.node(self.camera)
    }

    /// What the camera has told its owner since the last time.
    pub fn events(&mut self) -> Vec<Event> {
        let events = self.lab.take_events(self.camera);
        events.into_iter().map(|(_, event)| event).collect()
    }

    pub fn run(&mut self, time: Duration) {
        self.lab.run_for(time);
        self.gather();
    }

    /// The next message of the camera, which comes at once.
    pub fn next(&mut self) -> Heard {
        self.next_within(SOON)
    }

    /// The next message of the camera, which comes in time.
    #[track_caller]
    pub fn next_within(&mut self, limit: Duration) -> Heard {
        let end = self.lab.now().after(limit).mono;
        loop {
            if let Some(heard) = self.heard.pop_front() {
                return heard;
            }
            let left = end.since(self.lab.now().mono);
            assert!(!left.is_zero(), "nothing heard in {limit:?}");
            self.wait(left);
        }
    }

    /// How long the camera is silent before its next message, which is returned too.
    #[track_caller]
    pub fn wait_for_next(&mut self, limit: Duration) -> (Duration, Heard) {
        let since = self.lab.now().mono;
        let heard = self.next_within(limit);
        (self.lab.now().mono - since, heard)
    }

    /// All that the camera says in some time.
    pub fn all_within(&mut self, time: Duration) -> Vec<Heard> {
        let end = self.lab.now().after(time).mono;
        while self.lab.now().mono < end {
            let left = end.since(self.lab.now().mono);
            self.wait(left);
        }
        self.heard.drain(..).collect()
    }

    #[track_caller]
    pub fn silence(&mut self, time: Duration) {
        let heard = self.all_within(time);
        assert!(heard.is_empty(), "{heard:?}");
    }

    /// Says something octet for octet.
    pub fn say(&mut self, bytes: impl Into<Bytes>) {
        match self.wire {
            Some(wire) => self.lab.write(wire, bytes),
            None => self
                .lab
                .send_datagram(self.platform, addr(CAMERA), bytes.into()),
        }
    }

    /// Answers a request of the camera; `headers` are whole lines.
    pub fn answer(&mut self, request: &Heard, status: u16, headers: &str) {
        let answer = answer(request, status, headers);
        self.say(answer);
    }

    /// Asks something outside dialogs, and hears the answer.
    #[track_caller]
    pub fn ask(&mut self, request: Request) -> Heard {
        let text = self.write(&request);
        self.say(text);
        self.next()
    }

    /// The text of a request, with a branch of its own and, outside dialogs, a Call-ID.
    pub fn write(&mut self, request: &Request) -> Bytes {
        self.turn += 1;
        let transport = if self.wire.is_some() { "TCP" } else { "UDP" };
        request.write(transport, self.platform, self.turn)
    }

    /// INVITE for channel 1, and its final answer; provisional ones are skipped.
    #[track_caller]
    pub fn invite(&mut self, offer: impl Into<Bytes>) -> (Leg, Heard) {
        self.turn += 1;
        let leg = Leg::new(self.turn);
        let invite = leg.invite(offer);
        self.dial(leg, invite)
    }

    /// Sends an INVITE of a leg; its final answer.
    #[track_caller]
    pub fn dial(&mut self, mut leg: Leg, invite: Request) -> (Leg, Heard) {
        let mut heard = self.ask(invite);
        while heard.status() < 200 {
            heard = self.next();
        }
        leg.answered(&heard);
        if heard.status() >= 300 {
            // On the same branch, as RFC 3261 §17.1.1.3 has it.
            let ack = leg.ack_of_refusal(&heard);
            self.say(ack);
            self.run(Duration::from_millis(2));
        }
        (leg, heard)
    }

    /// The refusal of an INVITE for channel 1.
    #[track_caller]
    pub fn refused(&mut self, offer: impl Into<Bytes>) -> u16 {
        let (_, answer) = self.invite(offer);
        answer.status()
    }

    /// A call of channel 1 that is up.
    #[track_caller]
    pub fn call(&mut self, offer: impl Into<Bytes>) -> Leg {
        let (leg, answer) = self.invite(offer);
        assert_eq!(answer.status(), 200, "{answer:?}");
        self.acknowledge(&leg);
        leg
    }

    pub fn acknowledge(&mut self, leg: &Leg) {
        let ack = self.write(&leg.request("ACK", leg.cseq));
        self.say(ack);
        self.run(Duration::from_millis(20));
    }

    /// BYE with the next CSeq; its status.
    #[track_caller]
    pub fn bye(&mut self, leg: &mut Leg) -> u16 {
        leg.cseq += 1;
        let bye = leg.request("BYE", leg.cseq);
        self.ask(bye).status()
    }

    /// RTP packets that came over UDP since the last time.
    pub fn datagrams(&mut self) -> Vec<(SocketAddr, Bytes)> {
        self.lab.datagrams_at(addr(MEDIA))
    }

    /// The connection the camera made for media.
    #[track_caller]
    pub fn media(&mut self) -> RawTcp {
        self.lab.accept_at(addr(MEDIA)).expect("a media connection")
    }

    /// Takes the next signalling connection that the camera makes.
    #[track_caller]
    pub fn accept(&mut self, limit: Duration) -> RawTcp {
        let at = self.platform;
        let mut taken = None;
        self.lab.run_until(limit, |lab| {
            taken = lab.accept_at(at);
            taken.is_some()
        });
        let wire = taken.expect("a signalling connection");
        self.wire = Some(wire);
        self.unread.clear();
        wire
    }

    /// The platform's end of the signalling connection.
    pub fn wire(&self) -> RawTcp {
        self.wire.expect("a signalling connection")
    }

    /// As [`Stage::nothing_is_left`], a moment later.
    #[track_caller]
    pub fn nothing_is_left_soon(&mut self) {
        self.lab.run_for(SOON);
        self.nothing_is_left();
    }

    /// No call and no stream is left.
    #[track_caller]
    pub fn nothing_is_left(&mut self) {
        assert_eq!(self.camera().calls(), 0);
        assert_eq!(self.camera().streams(), 0, "streams are left");
    }

    /// Lets time pass until something arrives.
    fn wait(&mut self, limit: Duration) {
        let (wire, at) = (self.wire, self.platform);
        let mut arrived = Vec::new();
        self.lab.run_until(limit, |lab| {
            arrived = take(lab, wire, at);
            !arrived.is_empty()
        });
        self.take_in(arrived);
    }

    fn gather(&mut self) {
        let arrived = take(&mut self.lab, self.wire, self.platform);
        self.take_in(arrived);
    }

    fn take_in(&mut self, arrived: Vec<Bytes>) {
        for octets in arrived {
            match self.wire {
                Some(_) => self.unread.extend_from_slice(&octets),
                None => self.hear(Heard::parse(&octets).0),
            }
        }
        while self.unread.windows(4).any(|four| four == b"\r\n\r\n") {
            let (heard, length) = Heard::parse(&self.unread);
            self.unread.drain(..length);
            self.hear(heard);
        }
    }

    fn hear(&mut self, heard: Heard) {
        match self.keeps_alive && heard.is_keepalive() {
            true => self.answer(&heard, 200, ""),
            false => self.heard.push_back(heard),
        }
    }

    /// Octets from the camera that are no message: pongs.
    pub fn unread(&mut self) -> Vec<u8> {
        self.gather();
        std::mem::take(&mut self.unread)
    }
}

/// What has arrived at the platform: datagrams, or octets of its connection.
fn take(lab: &mut Lab, wire: Option<RawTcp>, at: SocketAddr) -> Vec<Bytes> {
    match wire {
        Some(wire) => Some(lab.read(wire))
            .filter(|o| !o.is_empty())
            .into_iter()
            .collect(),
        None => lab
            .datagrams_at(at)
            .into_iter()
            .map(|(_, bytes)| bytes)
            .collect(),
    }
}
