//! What the driver promises, shown with parrots on loopback sockets.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Clock, Driver, Media};
use crate::lab::parrot::{Heard, Parrot, Say};
use crate::node::Open;
use crate::sip::{Flow, FlowId};

const FLOW: FlowId = FlowId(0);

/// A parrot on real sockets.
struct Cage {
    say: mpsc::Sender<Say>,
    heard: mpsc::UnboundedReceiver<Heard>,
    task: JoinHandle<Parrot>,
}

impl Cage {
    fn new(parrot: Parrot) -> Self {
        let (driver, say) = Driver::new(parrot, Clock::start(), &Media::default());
        let (tell, heard) = mpsc::unbounded_channel();
        let task = tokio::spawn(driver.run(move |event| {
            let _ = tell.send(event);
        }));
        Cage { say, heard, task }
    }

    async fn open(parrot: Parrot, how: Open) -> (Self, Flow) {
        let mut cage = Cage::new(parrot);
        cage.say(Say::Open(FLOW, how)).await;
        let is = match cage.hear().await {
            Heard::Opened(_, is) => is,
            other => panic!("not opened: {other:?}"),
        };
        (cage, is)
    }

    async fn say(&self, say: Say) {
        self.say.send(say).await.unwrap();
    }

    async fn hear(&mut self) -> Heard {
        let heard = tokio::time::timeout(Duration::from_secs(10), self.heard.recv());
        heard.await.expect("nothing is heard").unwrap()
    }

    async fn octets(&mut self, count: usize) -> Vec<u8> {
        let mut all = Vec::new();
        while all.len() < count {
            match self.hear().await {
                Heard::Received(_, _, bytes) => all.extend_from_slice(&bytes),
                other => panic!("not octets: {other:?}"),
            }
        }
        all
    }

    async fn closed(&mut self) -> String {
        loop {
            if let Heard::Closed(_, why) = self.hear().await {
                return why;
            }
        }
    }
}

fn any() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn connect(remote: SocketAddr) -> Open {
    let local = any();
    Open::Connect { local, remote }
}

async fn read_to_end(stream: &TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    let mut buffer = vec![0; 65_536];
    loop {
        stream.readable().await.unwrap();
        match stream.try_read(&mut buffer) {
            Ok(0) => return all,
            Ok(length) => all.extend_from_slice(&buffer[..length]),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
}

#[tokio::test]
async fn a_datagram_comes_back_from_a_node_that_repeats_it() {
    let udp = Open::Udp { local: any() };
    let (_server, there) = Cage::open(Parrot::repeating(), udp).await;
    let (mut client, here) = Cage::open(Parrot::silent(), udp).await;
    assert_ne!(here.local.port(), 0);
    let hello = Bytes::from_static(b"hello");
    client
        .say(Say::Send(FLOW, there.local, hello.clone()))
        .await;
    match client.hear().await {
        Heard::Received(FLOW, from, bytes) => assert_eq!((from, bytes), (there.local, hello)),
        other => panic!("not the datagram: {other:?}"),
    }
}

#[tokio::test]
async fn a_datagram_leaves_at_once_on_a_socket_that_was_opened_just_now() {
    let there = std::net::UdpSocket::bind(any()).unwrap();
    there.set_nonblocking(true).unwrap();
    let cage = Cage::new(Parrot::silent());
    let udp = Open::Udp { local: any() };
    let hello = Bytes::from_static(b"hello");
    // Both are said before the runtime has looked at the socket for the first time.
    cage.say(Say::Open(FLOW, udp)).await;
    let to = there.local_addr().unwrap();
    cage.say(Say::Send(FLOW, to, hello.clone())).await;
    let there = tokio::net::UdpSocket::from_std(there).unwrap();
    let mut buffer = [0; 16];
    let received = tokio::time::timeout(Duration::from_secs(10), there.recv(&mut buffer));
    let length = received.await.expect("it has not left").unwrap();
    assert_eq!(hello, buffer[..length]);
}

#[tokio::test]
async fn octets_come_back_over_a_connection_and_both_ends_know_each_other() {
    let listen = Open::Listen { local: any() };
    let (mut server, there) = Cage::open(Parrot::repeating(), listen).await;
    let (mut client, here) = Cage::open(Parrot::silent(), connect(there.local)).await;
    assert_eq!(here.remote, Some(there.local));
    match server.hear().await {
        Heard::Opened(flow, is) => {
            assert!(flow.is_accepted());
            assert_eq!(is.remote, Some(here.local));
        }
        other => panic!("not accepted: {other:?}"),
    }
    let sent: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
    client
        .say(Say::Send(FLOW, there.local, sent.clone().into()))
        .await;
    assert_eq!(client.octets(sent.len()).await, sent);
}

#[tokio::test]
async fn a_refused_connection_and_a_busy_port_close_the_flow() {
    let free = TcpListener::bind(any())
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let mut cage = Cage::new(Parrot::silent());
    cage.say(Say::Open(FLOW, connect(free))).await;
    assert!(cage.closed().await.contains("refused"));

    let busy = TcpListener::bind(any()).await.unwrap();
    let local = busy.local_addr().unwrap();
    cage.say(Say::Open(FLOW, Open::Listen { local })).await;
    assert!(cage.closed().await.contains("in use"));
}

#[tokio::test]
async fn a_peer_that_closes_closes_the_flow() {
    let listener = TcpListener::bind(any()).await.unwrap();
    let remote = listener.local_addr().unwrap();
    let mut cage = Cage::new(Parrot::silent());
    cage.say(Say::Open(FLOW, connect(remote))).await;
    let (stream, _) = listener.accept().await.unwrap();
    drop(stream);
    assert_eq!(cage.closed().await, "closed by the peer");
}

#[tokio::test]
async fn a_peer_that_never_reads_costs_its_flow_and_no_other() {
    let listen = Open::Listen { local: any() };
    let (mut cage, is) = Cage::open(Parrot::silent(), listen).await;
    let frozen = TcpStream::connect(is.local).await.unwrap();
    let Heard::Opened(frozen_flow, _) = cage.hear().await else {
        panic!("not accepted");
    };
    let healthy = TcpStream::connect(is.local).await.unwrap();
    let Heard::Opened(healthy_flow, _) = cage.hear().await else {
        panic!("not accepted");
    };
    let flood = Bytes::from(vec![0; 64 * 1024]);
    let to = frozen.local_addr().unwrap();
    let why = loop {
        cage.say(Say::Send(frozen_flow, to, flood.clone())).await;
        if let Ok(Heard::Closed(flow, why)) = cage.heard.try_recv() {
            assert_eq!(flow, frozen_flow);
            break why;
        }
    };
    assert!(why.contains("does not read"), "{why}");
    let to = healthy.local_addr().unwrap();
    cage.say(Say::Send(
        healthy_flow,
        to,
        Bytes::from_static(b"still here"),
    ))
    .await;
    drop(cage.say);
    assert_eq!(read_to_end(&healthy).await, b"still here");
}

#[tokio::test]
async fn a_flow_closed_right_after_an_answer_still_delivers_it() {
    let listen = Open::Listen { local: any() };
    let (mut cage, is) = Cage::open(Parrot::silent(), listen).await;
    let peer = TcpStream::connect(is.local).await.unwrap();
    let Heard::Opened(flow, _) = cage.hear().await else {
        panic!("not accepted");
    };
    // The peer has said more than is ever read.
    peer.ready(Interest::WRITABLE).await.unwrap();
    peer.try_write(&[b'?'; 10_000]).unwrap();
    let to = peer.local_addr().unwrap();
    cage.say(Say::Send(flow, to, Bytes::from(vec![b'!'; 200_000])))
        .await;
    cage.say(Say::Close(flow)).await;
    assert_eq!(read_to_end(&peer).await.len(), 200_000);
}

#[tokio::test]
async fn a_node_whose_owner_lets_go_hands_over_what_is_queued_and_ends() {
    let listen = Open::Listen { local: any() };
    let (mut cage, is) = Cage::open(Parrot::silent(), listen).await;
    let peer = TcpStream::connect(is.local).await.unwrap();
    let Heard::Opened(flow, _) = cage.hear().await else {
        panic!("not accepted");
    };
    let to = peer.local_addr().unwrap();
    cage.say(Say::Send(flow, to, Bytes::from_static(b"goodbye")))
        .await;
    drop(cage.say);
    assert_eq!(read_to_end(&peer).await, b"goodbye");
    drop(peer);
    cage.task.await.unwrap();
    TcpListener::bind(is.local)
        .await
        .expect("the port is free again");
}

#[tokio::test]
async fn a_datagram_the_system_refuses_is_counted_and_the_next_one_leaves() {
    let (driver, say) = Driver::new(Parrot::silent(), Clock::start(), &Media::default());
    let trouble = driver.trouble();
    let (tell, mut heard) = mpsc::unbounded_channel();
    tokio::spawn(driver.run(move |event| {
        let _ = tell.send(event);
    }));
    say.send(Say::Open(FLOW, Open::Udp { local: any() }))
        .await
        .unwrap();
    let Some(Heard::Opened(_, is)) = heard.recv().await else {
        panic!("not opened");
    };
    for octets in [70_000, 70] {
        let bytes = Bytes::from(vec![1; octets]);
        say.send(Say::Send(FLOW, is.local, bytes)).await.unwrap();
    }
    match heard.recv().await {
        Some(Heard::Received(_, _, bytes)) => assert_eq!(bytes.len(), 70),
        other => panic!("not received: {other:?}"),
    }
    assert_eq!((trouble.unsent(), trouble.unread()), (1, 0));
}

#[tokio::test]
async fn a_node_is_woken_when_it_asked_to_be() {
    let mut cage = Cage::new(Parrot::silent());
    cage.say(Say::WakeAt(Clock::start().mono())).await;
    assert!(matches!(cage.hear().await, Heard::Woken));
}
