//! What workers and shared sockets promise, shown with parrots on loopback sockets.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use bytes::Bytes;

use super::{Clock, Media, News, NodeNumber, Shared, Unheard, Workers};
use crate::lab::parrot::{Heard, Parrot, Say};
use crate::node::{Input, Node, Open, Output};
use crate::sip::{FlowId, Message, Method, Request, Style};
use crate::time::Now;

const FLOW: FlowId = FlowId(0);
const PATIENCE: Duration = Duration::from_secs(10);

fn any() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

struct Aviary {
    workers: Workers<Parrot>,
    /// The thread, the parrot, what it says; `None` when it comes back.
    news: Receiver<(usize, NodeNumber, Option<Heard>)>,
}

impl Aviary {
    fn new(threads: usize) -> Self {
        let (tell, news): (Sender<_>, _) = channel();
        let workers = Workers::start(threads, Clock::start(), &Media::default(), |worker| {
            let tell = tell.clone();
            move |number, news| {
                let heard = match news {
                    News::Event(heard) => Some(heard),
                    News::Gone(_) | News::Failed | News::Bell => None,
                };
                let _ = tell.send((worker, number, heard));
            }
        });
        Aviary {
            workers: workers.unwrap(),
            news,
        }
    }

    fn hear(&self) -> (usize, NodeNumber, Option<Heard>) {
        self.news.recv_timeout(PATIENCE).expect("nothing is heard")
    }

    fn heard(&self) -> Heard {
        self.hear().2.expect("it came back")
    }

    /// Opens the parrot's flow: where.
    fn open(&self, parrot: NodeNumber) -> SocketAddr {
        let open = Say::Open(FLOW, Open::Udp { local: any() });
        self.workers.command(parrot, open).unwrap();
        match self.heard() {
            Heard::Opened(FLOW, is) => is.local,
            other => panic!("not opened: {other:?}"),
        }
    }

    fn share(&self, nodes: u32) -> Shared {
        self.workers.share(any(), nodes, 1).unwrap()
    }

    fn seated(&mut self, shared: &Shared, users: &[&str]) -> NodeNumber {
        let parrot = |_| Parrot::silent();
        self.workers.add_shared(shared, users, parrot).unwrap()
    }
}

/// A platform that asks and hears on a socket of its own.
struct Asker(UdpSocket);

impl Asker {
    fn new() -> Self {
        let socket = UdpSocket::bind(any()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Asker(socket)
    }

    fn ask(&self, user: &str, at: SocketAddr) {
        let request = Request::new(Method::Options, format!("sip:{user}@{at}"))
            .with_header("Via", "SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK1")
            .with_header("From", "<sip:p@x>;tag=1")
            .with_header("To", format!("<sip:{user}@x>"))
            .with_header("Call-ID", "c")
            .with_header("CSeq", "1 OPTIONS");
        self.say(&request.write(&Style::default()), at);
    }

    fn say(&self, octets: &[u8], at: SocketAddr) {
        self.0.send_to(octets, at).unwrap();
    }

    fn status(&self) -> u16 {
        let mut buffer = [0; 2_000];
        let length = self.0.recv(&mut buffer).expect("no answer");
        let answer = Message::parse(buffer[..length].to_vec()).unwrap();
        answer.response().expect("no answer").status()
    }
}

#[test]
fn nodes_are_spread_over_the_threads_and_each_obeys_its_own_commands() {
    let mut aviary = Aviary::new(3);
    let parrots: Vec<_> = (0..9)
        .map(|_| aviary.workers.add(Parrot::silent()))
        .collect();
    assert_eq!(aviary.workers.len(), 9);
    let mut threads = [0; 3];
    for parrot in parrots {
        let wake = Say::WakeAt(Clock::start().mono());
        aviary.workers.command(parrot, wake).unwrap();
        let (thread, number, heard) = aviary.hear();
        assert!(matches!(heard, Some(Heard::Woken)));
        assert_eq!(number, parrot);
        threads[thread] += 1;
    }
    assert_eq!(threads, [3, 3, 3]);
}

#[test]
fn a_removed_node_comes_back_and_frees_its_socket() {
    let mut aviary = Aviary::new(1);
    let parrot = aviary.workers.add(Parrot::silent());
    let local = aviary.open(parrot);
    assert!(UdpSocket::bind(local).is_err());
    aviary.workers.remove(parrot);
    assert!(matches!(aviary.hear(), (_, number, None) if number == parrot));
    UdpSocket::bind(local).expect("the port is free again");
    let command = aviary.workers.command(parrot, Say::Close(FLOW));
    assert_eq!(command, Err(Unheard::Gone));
    assert!(aviary.workers.is_empty());
}

#[test]
fn the_end_brings_every_node_back() {
    let mut aviary = Aviary::new(2);
    for _ in 0..10 {
        aviary.workers.add(Parrot::silent());
    }
    aviary.workers.end();
    let back = aviary.news.iter().filter(|(_, _, heard)| heard.is_none());
    assert_eq!(back.count(), 10);
}

#[test]
fn workers_that_are_dropped_close_every_socket() {
    let mut aviary = Aviary::new(1);
    let parrot = aviary.workers.add(Parrot::silent());
    let local = aviary.open(parrot);
    drop(aviary.workers);
    // The thread is gone when nobody can tell news any more.
    while aviary.news.recv_timeout(PATIENCE).is_ok() {}
    UdpSocket::bind(local).expect("the port is free again");
}

#[test]
fn a_request_on_a_shared_socket_reaches_the_node_it_names_on_whatever_thread() {
    let mut aviary = Aviary::new(2);
    let shared = aviary.share(10);
    let camera = aviary.seated(&shared, &["34020000001320000001", "34020000001310000001"]);
    let other = aviary.seated(&shared, &["34020000001320000002"]);
    for parrot in [camera, other] {
        assert_eq!(aviary.open(parrot), shared.local());
    }
    let asker = Asker::new();
    for (user, expected) in [
        ("34020000001310000001", camera),
        ("34020000001320000002", other),
        ("34020000001320000001", camera),
    ] {
        asker.ask(user, shared.local());
        let (_, number, heard) = aviary.hear();
        assert_eq!(number, expected, "{user}");
        match heard {
            Some(Heard::Message(FLOW, from, message)) => {
                assert_eq!(from, asker.0.local_addr().unwrap());
                assert_eq!(message.request().unwrap().uri_user(), Some(user));
            }
            other => panic!("no message: {other:?}"),
        }
    }
}

#[test]
fn what_a_seated_node_sends_leaves_by_the_shared_socket() {
    let mut aviary = Aviary::new(1);
    let shared = aviary.share(10);
    let camera = aviary.seated(&shared, &["1"]);
    aviary.open(camera);
    let asker = Asker::new();
    let to = asker.0.local_addr().unwrap();
    let hello = Say::Send(FLOW, to, Bytes::from_static(b"hello"));
    aviary.workers.command(camera, hello).unwrap();
    let mut buffer = [0; 16];
    let (length, from) = asker.0.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from), (&b"hello"[..], shared.local()));
}

#[test]
fn a_request_to_nobody_is_answered_404_and_counted() {
    let mut aviary = Aviary::new(1);
    let shared = aviary.share(10);
    aviary.seated(&shared, &["1"]);
    let asker = Asker::new();
    asker.say(b"\r\n\r\n", shared.local());
    asker.say(b"nonsense that is no SIP\r\n\r\n", shared.local());
    asker.ask("2", shared.local());
    assert_eq!(asker.status(), 404);
    let strays = shared.strays();
    let counted = (
        strays.unknown_requests(),
        strays.malformed(),
        strays.keepalives(),
    );
    assert_eq!(counted, (1, 1, 1));
}

#[test]
fn octets_that_are_no_message_go_to_the_node_whose_they_are_to_be_answered_by_it() {
    let mut aviary = Aviary::new(1);
    let shared = aviary.share(10);
    let camera = aviary.seated(&shared, &["1"]);
    aviary.open(camera);
    let broken = "OPTIONS sip:1@x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\n\
        From: <sip:p@x>;tag=1\r\nTo: <sip:1@x>\r\nCall-ID: c\r\nCSeq: x\r\n\r\n";
    Asker::new().say(broken.as_bytes(), shared.local());
    assert!(matches!(aviary.heard(), Heard::Received(FLOW, _, bytes) if bytes == broken));
}

#[test]
fn a_node_that_is_gone_is_nobody_and_its_place_is_free() {
    let mut aviary = Aviary::new(1);
    let shared = aviary.share(1);
    let first = aviary.seated(&shared, &["1"]);
    let crowded = aviary
        .workers
        .add_shared(&shared, ["2"], |_| Parrot::silent());
    assert!(crowded.unwrap_err().to_string().contains("made for 1"));
    aviary.workers.remove(first);
    assert!(aviary.hear().2.is_none());
    let asker = Asker::new();
    asker.ask("1", shared.local());
    assert_eq!(asker.status(), 404);
    let second = aviary.seated(&shared, &["2"]);
    aviary.open(second);
    asker.ask("2", shared.local());
    assert!(matches!(aviary.heard(), Heard::Message(..)));
}

#[test]
fn every_thread_hears_the_bell() {
    let aviary = Aviary::new(3);
    aviary.workers.ring();
    let mut heard: Vec<_> = (0..3).map(|_| aviary.hear().0).collect();
    heard.sort_unstable();
    assert_eq!(heard, [0, 1, 2]);
}

/// A node that panics when it is told to, and otherwise says that it is there.
struct Fuse(bool);

impl Node for Fuse {
    type Command = bool;
    type Event = ();

    fn handle(&mut self, _: Now, input: Input<bool>) {
        match input {
            Input::Command(true) => panic!("it was told to"),
            _ => self.0 = true,
        }
    }

    fn poll(&mut self, _: Now) -> Output<()> {
        match std::mem::take(&mut self.0) {
            true => Output::Event(()),
            false => Output::Wait(None),
        }
    }
}

#[test]
fn a_node_that_panics_is_told_and_costs_no_other() {
    let (tell, news) = channel();
    let mut workers = Workers::start(1, Clock::start(), &Media::default(), |_| {
        let tell = tell.clone();
        move |number, news| {
            let _ = tell.send((number, news));
        }
    })
    .unwrap();
    let nodes = [(); 2].map(|()| workers.add(Fuse(false)));
    workers.command(nodes[0], true).unwrap();
    let (number, told) = news.recv_timeout(PATIENCE).unwrap();
    assert!(number == nodes[0] && matches!(told, News::Failed));
    assert_eq!(workers.len(), 1);
    assert_eq!(workers.command(nodes[0], false), Err(Unheard::Gone));
    workers.command(nodes[1], false).unwrap();
    let (number, told) = news.recv_timeout(PATIENCE).unwrap();
    assert!(number == nodes[1] && matches!(told, News::Event(())));
}
