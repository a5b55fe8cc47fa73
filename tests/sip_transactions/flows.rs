//! Where answers go, streams, and flows that come and go.

use std::net::SocketAddr;

use bytes::Bytes;
use vcam::sip::{Event, Failure, FlowId, Method, Transport};

use crate::bench::{Bench, FLOW, both, flow, our, peer, reply};

fn answer_goes_to(bench: &mut Bench, from: &str, via: &str) -> SocketAddr {
    let text = bench.text("MESSAGE", "z9hG4bK1", 20);
    let own = text.lines().find(|line| line.starts_with("Via")).unwrap();
    bench.receive_from(from.parse().unwrap(), &text.replace(own, via));
    bench.answer(200);
    let sent = bench.sent();
    sent[0].1
}

#[test]
fn a_datagram_is_answered_to_its_source_or_to_the_port_of_sent_by() {
    for (via, to) in [
        (
            "Via: SIP/2.0/UDP 192.168.1.9:5066;rport;branch=z9hG4bK1",
            "10.0.0.1:40000",
        ),
        (
            "Via: SIP/2.0/UDP 192.168.1.9:5066;branch=z9hG4bK1;rport=7",
            "10.0.0.1:40000",
        ),
        (
            "Via: SIP/2.0/UDP 192.168.1.9:5066;branch=z9hG4bK1",
            "10.0.0.1:5066",
        ),
        (
            "Via: SIP/2.0/UDP 192.168.1.9;branch=z9hG4bK1",
            "10.0.0.1:5060",
        ),
    ] {
        let mut bench = Bench::udp();
        let sent_to = answer_goes_to(&mut bench, "10.0.0.1:40000", via);
        assert_eq!(sent_to, to.parse().unwrap(), "{via}");
    }
}

#[test]
fn on_a_connection_the_answer_goes_back_on_it() {
    let mut bench = Bench::tcp();
    let via = "Via: SIP/2.0/TCP 192.168.1.9:5066;branch=z9hG4bK1";
    let sent_to = answer_goes_to(&mut bench, "10.0.0.1:40000", via);
    assert_eq!(sent_to, "10.0.0.1:40000".parse().unwrap());
}

#[test]
fn a_closed_flow_fails_what_waits_for_an_answer_on_it_and_nothing_else() {
    for mut bench in both() {
        bench.endpoint.opened(FlowId(1), flow(Transport::Udp));
        let register = bench.request(our(Method::Register));
        let invite = bench.request(our(Method::Invite));
        let answered = bench.request(our(Method::Message));
        let now = bench.now();
        let elsewhere = bench
            .endpoint
            .request(now, FlowId(1), peer(), our(Method::Options));
        bench.at(10);
        let message = bench
            .sent()
            .into_iter()
            .find(|(_, _, text)| text.starts_with("MESSAGE"));
        bench.receive(&reply(&message.unwrap().2, 200));
        bench.events();
        bench.endpoint.closed(FLOW);
        bench.at(11);
        let why = Failure::FlowClosed;
        let failed = |tx| (10, Event::Failed { tx, why });
        let expected = [failed(register), failed(invite)];
        assert_eq!(bench.events(), expected);
        assert!(answered > invite);
        bench.finish();
        assert_eq!(bench.events(), [(32_000, Event::Timeout { tx: elsewhere })]);
    }
}

#[test]
fn a_flow_number_that_is_opened_again_ends_what_hung_on_the_old_flow() {
    let mut bench = Bench::tcp();
    let tx = bench.request(our(Method::Register));
    bench.endpoint.opened(FLOW, flow(Transport::Tcp));
    bench.at(1);
    let why = Failure::FlowClosed;
    assert_eq!(bench.events(), [(0, Event::Failed { tx, why })]);
    bench.finish();
}

#[test]
fn a_request_on_no_flow_fails_at_once() {
    let mut bench = Bench::udp();
    let now = bench.now();
    let tx = bench
        .endpoint
        .request(now, FlowId(9), peer(), our(Method::Register));
    bench.endpoint.ack(FlowId(9), peer(), our(Method::Ack));
    bench.at(1);
    let why = Failure::NoFlow;
    assert_eq!(bench.events(), [(0, Event::Failed { tx, why })]);
    assert_eq!(bench.endpoint.counters().unsent, 1);
    bench.finish();
}

#[test]
fn a_call_whose_connection_breaks_can_still_be_acknowledged_on_the_next() {
    let mut bench = Bench::tcp();
    bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
    let tx = bench.answer(200);
    bench.endpoint.closed(FLOW);
    bench.sent();
    bench.at(1000);
    bench.endpoint.opened(FLOW, flow(Transport::Tcp));
    bench.at(2000);
    assert_eq!(
        bench.starts(),
        [],
        "nothing of the old connection goes to the new one"
    );
    bench.receive(&bench.text_inside("ACK", "z9hG4bK2", 1));
    let events = bench.events();
    assert!(matches!(&events[..], [(2000, Event::Ack { tx: of, .. })] if *of == tx));
    bench.finish();
}

#[test]
fn a_ping_on_a_stream_is_answered() {
    let mut bench = Bench::tcp();
    bench.receive("\n\n");
    assert_eq!(bench.only(), "\r\n");
    assert_eq!(bench.endpoint.counters().pings, 1);
}

#[test]
fn garbage_closes_a_stream_and_fails_what_waited_on_it() {
    let mut bench = Bench::tcp();
    let tx = bench.request(our(Method::Register));
    bench.receive("GET / HTTP/1.1\nHost: x\n\n");
    assert!(bench.has_closed());
    let why = Failure::FlowClosed;
    assert_eq!(bench.events(), [(0, Event::Failed { tx, why })]);
    assert_eq!(bench.endpoint.counters().broken_streams, 1);
    bench.receive("\n\n");
    assert_eq!(bench.endpoint.counters().unknown_flow, 1);
    bench.finish();
}

#[test]
fn messages_are_cut_out_of_a_stream_however_it_is_cut() {
    let mut bench = Bench::tcp();
    let both = bench.text("MESSAGE", "z9hG4bK1", 20) + &bench.text("MESSAGE", "z9hG4bK2", 21);
    bench.receive(&both);
    assert_eq!(bench.events().len(), 2);
    let third = bench.text("MESSAGE", "z9hG4bK3", 22).replace('\n', "\r\n");
    for octet in third.as_bytes() {
        let now = bench.now();
        let bytes = Bytes::copy_from_slice(&[*octet]);
        bench.endpoint.received(now, FLOW, peer(), bytes);
    }
    bench.at(0);
    assert_eq!(bench.events().len(), 1);
}

#[test]
fn keepalive_datagrams_are_dropped_and_counted() {
    let mut bench = Bench::udp();
    for datagram in ["\r\n\r\n", "\0\0\0\0\0\0\0\0", "jaK", ""] {
        let now = bench.now();
        bench
            .endpoint
            .received(now, FLOW, peer(), Bytes::from(datagram));
    }
    bench.at(1);
    assert_eq!((bench.starts(), bench.events()), (vec![], vec![]));
    assert_eq!(bench.endpoint.counters().keepalives, 4);
    assert_eq!(bench.endpoint.counters().malformed, 0);
}
