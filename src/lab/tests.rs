//! What the lab promises, shown with parrots and with peers played by hand.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;

use super::parrot::{Heard, Parrot, Say};
use super::{Key, Lab, Link, RawState};
use crate::node::Open;
use crate::sip::FlowId;
use crate::time::Instant;

const FLOW: FlowId = FlowId(0);
const SECOND: Duration = Duration::from_secs(1);

fn ip(last: u8) -> IpAddr {
    IpAddr::from([10, 110, 18, last])
}

fn at(last: u8, port: u16) -> SocketAddr {
    SocketAddr::new(ip(last), port)
}

fn udp(lab: &mut Lab, last: u8, parrot: Parrot) -> Key<Parrot> {
    let key = lab.add(ip(last), parrot);
    let local = at(last, 5060);
    lab.command(key, Say::Open(FLOW, Open::Udp { local }));
    key
}

fn listening(lab: &mut Lab, last: u8, parrot: Parrot) -> Key<Parrot> {
    let key = lab.add(ip(last), parrot);
    let local = at(last, 5060);
    lab.command(key, Say::Open(FLOW, Open::Listen { local }));
    key
}

fn connecting(lab: &mut Lab, last: u8, to: SocketAddr) -> Key<Parrot> {
    let key = lab.add(ip(last), Parrot::silent());
    let open = Open::Connect {
        local: "0.0.0.0:0".parse().unwrap(),
        remote: to,
    };
    lab.command(key, Say::Open(FLOW, open));
    key
}

fn octets(lab: &Lab, key: Key<Parrot>) -> Vec<u8> {
    let mut all = Vec::new();
    for (_, heard) in lab.events(key) {
        if let Heard::Received(_, _, bytes) = heard {
            all.extend_from_slice(bytes);
        }
    }
    all
}

fn closed(lab: &Lab, key: Key<Parrot>) -> Option<String> {
    lab.events(key).iter().find_map(|(_, heard)| match heard {
        Heard::Closed(_, why) => Some(why.clone()),
        _ => None,
    })
}

/// Two parrots chatter over a bad link.
fn chatter(seed: u64) -> Lab {
    let mut lab = Lab::new(seed);
    lab.keep_log();
    lab.set_links(Link {
        jitter: Duration::from_millis(20),
        duplicate: 0.1,
        ..Link::lossy(0.2)
    });
    let talker = udp(&mut lab, 1, Parrot::silent());
    udp(&mut lab, 2, Parrot::repeating());
    for n in 0..200u8 {
        lab.command(talker, Say::Send(FLOW, at(2, 5060), Bytes::from(vec![n])));
        lab.run_for(Duration::from_millis(10));
    }
    lab.run_for(SECOND);
    lab
}

#[test]
fn the_same_seed_gives_the_same_log_and_another_seed_another() {
    let (one, same, other) = (chatter(7), chatter(7), chatter(8));
    assert_eq!(one.log(), same.log());
    assert_eq!(one.fingerprint(), same.fingerprint());
    assert_ne!(one.fingerprint(), other.fingerprint());
}

#[test]
fn a_datagram_takes_the_latency_of_each_direction() {
    let mut lab = Lab::new(1);
    lab.set_link(
        ip(1),
        ip(2),
        Link {
            latency: Duration::from_millis(30),
            ..Link::default()
        },
    );
    udp(&mut lab, 2, Parrot::repeating());
    lab.bind(at(1, 9));
    lab.send_datagram(at(1, 9), at(2, 5060), "hello");
    assert!(lab.run_until(SECOND, |lab| !lab.datagrams_at(at(1, 9)).is_empty()));
    assert_eq!(lab.now().mono, Instant::from_nanos(31_000_000));
}

#[test]
fn what_nobody_is_bound_to_take_is_on_the_wire_and_arrives_nowhere() {
    let mut lab = Lab::new(1);
    lab.sniff();
    lab.send_datagram(at(1, 9), at(2, 5060), "hello");
    lab.run_for(SECOND);
    let [packet] = lab.packets() else {
        panic!("one packet: {:?}", lab.packets());
    };
    assert_eq!((packet.copies, &packet.bytes[..]), (0, &b"hello"[..]));
}

#[test]
fn a_busy_address_and_a_refused_connection_close_the_flow() {
    let mut lab = Lab::new(1);
    udp(&mut lab, 1, Parrot::silent());
    let late = udp(&mut lab, 1, Parrot::silent());
    let lonely = connecting(&mut lab, 2, at(1, 5060));
    lab.run_for(SECOND);
    assert!(closed(&lab, late).unwrap().contains("in use"));
    assert!(closed(&lab, lonely).unwrap().contains("refused"));
}

#[test]
fn a_stream_arrives_whole_and_in_order_however_much_it_jitters() {
    let mut lab = Lab::new(5);
    lab.set_links(Link {
        jitter: Duration::from_millis(50),
        ..Link::lossy(0.5)
    });
    let reader = listening(&mut lab, 2, Parrot::silent());
    let writer = connecting(&mut lab, 1, at(2, 5060));
    lab.run_for(SECOND);
    let sent: Vec<u8> = (0..=255).collect();
    for octet in &sent {
        let bytes = Bytes::from(vec![*octet]);
        lab.command(writer, Say::Send(FLOW, at(2, 5060), bytes));
        lab.run_for(Duration::from_millis(3));
    }
    lab.run_for(SECOND);
    assert_eq!(octets(&lab, reader), sent);
}

#[test]
fn both_ends_of_a_connection_know_each_other() {
    let mut lab = Lab::new(1);
    let server = listening(&mut lab, 2, Parrot::silent());
    let client = connecting(&mut lab, 1, at(2, 5060));
    lab.run_for(SECOND);
    let flow = |key| {
        lab.events(key)
            .iter()
            .rev()
            .find_map(|(_, heard)| match heard {
                Heard::Opened(id, is) => Some((*id, *is)),
                _ => None,
            })
    };
    let (accepted, here) = flow(server).unwrap();
    let (_, there) = flow(client).unwrap();
    assert!(accepted.is_accepted());
    assert_eq!(here.remote, Some(there.local));
    assert_eq!(there.remote, Some(here.local));
    assert_eq!(there.local.ip(), ip(1));
}

#[test]
fn a_frozen_reader_stalls_its_writer_and_loses_nothing_when_it_thaws() {
    let mut lab = Lab::new(1);
    let capacity = 1000;
    lab.set_links(Link {
        capacity,
        ..Link::default()
    });
    lab.listen(at(2, 5060));
    let writer = connecting(&mut lab, 1, at(2, 5060));
    lab.run_for(SECOND);
    let peer = lab.accept_at(at(2, 5060)).unwrap();
    lab.freeze(peer);
    let sent: Vec<u8> = (0..5000u32).map(|n| n as u8).collect();
    lab.command(writer, Say::Send(FLOW, at(2, 5060), sent.clone().into()));
    lab.run_for(SECOND);
    assert_eq!(lab.read(peer).len(), 0);
    lab.thaw(peer);
    assert_eq!(lab.read(peer), sent[..capacity]);
    lab.run_for(SECOND);
    assert_eq!(lab.read(peer), sent[capacity..]);
    assert_eq!(closed(&lab, writer), None);
}

#[test]
fn a_peer_that_never_reads_costs_its_own_flow_and_no_more() {
    let mut lab = Lab::new(1);
    lab.listen(at(2, 5060));
    let writer = connecting(&mut lab, 1, at(2, 5060));
    lab.run_for(SECOND);
    let peer = lab.accept_at(at(2, 5060)).unwrap();
    lab.freeze(peer);
    for _ in 0..20 {
        let flood = Bytes::from(vec![0; 100_000]);
        lab.command(writer, Say::Send(FLOW, at(2, 5060), flood));
    }
    lab.run_for(SECOND);
    assert!(closed(&lab, writer).unwrap().contains("does not read"));
}

#[test]
fn what_was_written_before_hanging_up_still_arrives() {
    let mut lab = Lab::new(1);
    let reader = listening(&mut lab, 2, Parrot::silent());
    let peer = lab.dial(at(1, 0), at(2, 5060));
    assert_eq!(lab.state(peer), RawState::Dialling);
    lab.run_for(SECOND);
    assert_eq!(lab.state(peer), RawState::Open);
    lab.write(peer, "last words");
    lab.hang_up(peer);
    lab.run_for(SECOND);
    assert_eq!(octets(&lab, reader), b"last words");
    assert_eq!(closed(&lab, reader).unwrap(), "closed by the peer");
}

#[test]
fn a_closed_flow_says_nothing_more_and_its_number_serves_again() {
    let mut lab = Lab::new(1);
    let key = udp(&mut lab, 1, Parrot::silent());
    lab.command(key, Say::Close(FLOW));
    let local = at(1, 5062);
    lab.command(key, Say::Open(FLOW, Open::Udp { local }));
    lab.send_datagram(at(9, 9), at(1, 5060), "old address");
    lab.send_datagram(at(9, 9), local, "new address");
    lab.run_for(SECOND);
    assert_eq!(octets(&lab, key), b"new address");
    let opened = lab.events(key).iter();
    let opened = opened.filter(|(_, heard)| matches!(heard, Heard::Opened(..)));
    assert_eq!(opened.count(), 1);
}

#[test]
fn a_node_without_power_neither_answers_nor_says_goodbye() {
    let mut lab = Lab::new(1);
    let dead = listening(&mut lab, 2, Parrot::repeating());
    let peer = lab.dial(at(1, 0), at(2, 5060));
    lab.run_for(SECOND);
    lab.cut_power(dead);
    lab.write(peer, "anybody?");
    let second = lab.dial(at(1, 0), at(2, 5060));
    lab.run_for(SECOND);
    assert_eq!(lab.state(peer), RawState::Open);
    assert_eq!(lab.read(peer).len(), 0);
    assert_eq!(lab.state(second), RawState::Refused);
}

#[test]
fn a_node_is_woken_at_the_time_it_asked_for() {
    let mut lab = Lab::new(1);
    let key = lab.add(ip(1), Parrot::silent());
    let hour = Instant::from_nanos(3_600_000_000_000);
    lab.command(key, Say::WakeAt(hour));
    lab.run_for(Duration::from_secs(3599));
    assert!(lab.events(key).is_empty());
    lab.run_for(Duration::from_secs(2));
    let [(when, Heard::Woken)] = lab.events(key) else {
        panic!("one wake-up: {:?}", lab.events(key));
    };
    assert_eq!(when.mono, hour);
}

#[test]
fn an_hour_of_two_hundred_nodes_is_nothing_but_what_happens_in_it() {
    let mut lab = Lab::new(1);
    lab.set_links(Link::lossy(0.2));
    let server = udp(&mut lab, 200, Parrot::repeating());
    let clients: Vec<_> = (0..200)
        .map(|last| udp(&mut lab, last, Parrot::silent()))
        .collect();
    for minute in 0..60u8 {
        for client in &clients {
            let ping = Bytes::from(vec![minute; 400]);
            lab.command(*client, Say::Send(FLOW, at(200, 5060), ping));
        }
        lab.run_for(60 * SECOND);
    }
    assert_eq!(lab.now().mono, Instant::from_nanos(3_600_000_000_000));
    let pings = octets(&lab, server).len() / 400;
    assert!((9_300..9_900).contains(&pings), "{pings} of 12000 arrived");
}
