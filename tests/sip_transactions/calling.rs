//! The client machines: RFC 3261 §17.1.1 and §17.1.2.

use vcam::sip::{Event, Method};

use crate::bench::{Bench, both, header, our, reply, times};

const E: [u64; 11] = [
    0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
];
const A: [u64; 7] = [0, 500, 1500, 3500, 7500, 15_500, 31_500];

fn statuses(bench: &mut Bench) -> Vec<(u64, u16)> {
    let events = bench.events();
    let status = |event: &Event| match event {
        Event::Response { response, .. } => response.status(),
        other => panic!("{other:?}"),
    };
    events.iter().map(|(at, e)| (*at, status(e))).collect()
}

#[test]
fn a_request_nobody_answers_is_repeated_on_udp_only_and_times_out() {
    for (mut bench, expected) in both().into_iter().zip([&E[..], &[0]]) {
        let tx = bench.request(our(Method::Register));
        bench.finish();
        assert_eq!(times(&bench.starts(), "REGISTER"), expected);
        assert_eq!(bench.events(), [(32_000, Event::Timeout { tx })]);
    }
}

#[test]
fn an_invite_nobody_answers_is_repeated_on_udp_only_and_times_out() {
    for (mut bench, expected) in both().into_iter().zip([&A[..], &[0]]) {
        let tx = bench.request(our(Method::Invite));
        bench.finish();
        assert_eq!(times(&bench.starts(), "INVITE"), expected);
        assert_eq!(bench.events(), [(32_000, Event::Timeout { tx })]);
    }
}

#[test]
fn repetitions_are_the_same_octet_for_octet() {
    let mut bench = Bench::udp();
    bench.request(our(Method::Register));
    bench.at(4000);
    let sent = bench.sent();
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|(_, _, text)| *text == sent[0].2));
}

#[test]
fn a_provisional_answer_slows_a_request_and_stops_an_invite() {
    let mut register = Bench::udp();
    register.request(our(Method::Register));
    let sent = register.only();
    register.at(100);
    register.receive(&reply(&sent, 100));
    register.at(31_000);
    let slowed = [500, 4500, 8500, 12_500, 16_500, 20_500, 24_500, 28_500];
    assert_eq!(times(&register.starts(), "REGISTER"), slowed);

    let mut invite = Bench::udp();
    invite.request(our(Method::Invite));
    let sent = invite.only();
    invite.at(100);
    invite.receive(&reply(&sent, 100));
    invite.at(100_000);
    assert_eq!(invite.starts(), []);
}

#[test]
fn every_class_of_answer_reaches_the_owner_once() {
    for status in [200, 302, 401, 404, 503, 603] {
        for mut bench in both() {
            bench.request(our(Method::Message));
            let sent = bench.only();
            bench.receive(&reply(&sent, 100));
            bench.receive(&reply(&sent, status));
            bench.receive(&reply(&sent, status));
            assert_eq!(statuses(&mut bench), [(0, 100), (0, status)]);
            bench.finish();
            assert_eq!(bench.starts(), []);
        }
    }
}

#[test]
fn the_wait_for_copies_of_an_answer_is_t4_on_udp_and_nothing_on_tcp() {
    for (mut bench, absorbed) in both().into_iter().zip([1, 0]) {
        bench.request(our(Method::Message));
        let sent = bench.only();
        bench.receive(&reply(&sent, 200));
        bench.at(4999);
        bench.receive(&reply(&sent, 200));
        bench.at(5001);
        bench.receive(&reply(&sent, 200));
        assert_eq!(statuses(&mut bench), [(0, 200)]);
        let counters = bench.endpoint.counters();
        assert_eq!(counters.repeated_responses, absorbed);
        assert_eq!(counters.stray_responses, 2 - absorbed);
        bench.finish();
    }
}

#[test]
fn a_refused_invite_is_acknowledged_on_its_own_branch_as_often_as_it_is_refused() {
    for (mut bench, acks) in both().into_iter().zip([2, 1]) {
        bench.request(our(Method::Invite).with_header("Route", "<sip:proxy;lr>"));
        let invite = bench.only();
        let refusal = reply(&invite, 486);
        bench.receive(&refusal);
        bench.at(500);
        bench.receive(&refusal);
        let sent = bench.sent();
        assert_eq!(sent.len(), acks);
        for (_, _, ack) in &sent {
            assert!(ack.starts_with("ACK sip:34020000002000000001@10.110.18.12:15060 SIP/2.0"));
            for name in ["Via", "From", "Call-ID", "Route"] {
                assert_eq!(header(ack, name), header(&invite, name));
            }
            assert_eq!(header(ack, "To"), header(&refusal, "To"));
            assert_eq!(header(ack, "CSeq"), Some("1 ACK"));
        }
        assert_eq!(statuses(&mut bench), [(0, 486)]);
        bench.finish();
    }
}

#[test]
fn the_wait_for_copies_of_a_refusal_is_32_seconds_on_udp() {
    let mut bench = Bench::udp();
    bench.request(our(Method::Invite));
    let refusal = reply(&bench.only(), 603);
    bench.receive(&refusal);
    bench.at(31_999);
    bench.receive(&refusal);
    assert_eq!(times(&bench.starts(), "ACK"), [0, 31_999]);
    bench.at(32_001);
    bench.receive(&refusal);
    assert_eq!(bench.starts(), []);
    bench.finish();
}

#[test]
fn every_copy_of_a_2xx_reaches_the_owner_who_acknowledges_it() {
    for mut bench in both() {
        bench.request(our(Method::Invite));
        let invite = bench.only();
        let accepted = reply(&invite, 200);
        bench.receive(&accepted);
        bench.at(500);
        bench.receive(&accepted);
        assert_eq!(statuses(&mut bench), [(0, 200), (500, 200)]);
        assert_eq!(bench.starts(), [], "the ACK of a 2xx is the owner's");
        let ack = our(Method::Ack);
        bench
            .endpoint
            .ack(crate::bench::FLOW, crate::bench::peer(), ack);
        bench.at(501);
        let ack = bench.only();
        assert!(ack.starts_with("ACK "));
        assert_ne!(header(&ack, "Via"), header(&invite, "Via"));
        bench.at(31_999);
        bench.receive(&accepted);
        assert_eq!(statuses(&mut bench), [(31_999, 200)]);
        bench.finish();
    }
}

#[test]
fn an_answer_to_nothing_is_counted() {
    let mut bench = Bench::udp();
    bench.request(our(Method::Message));
    let sent = bench.only();
    bench.receive(&reply(&sent, 200).replace("z9hG4bK", "z9hG4bKother"));
    bench.receive(&reply(&sent, 200).replace("1 MESSAGE", "1 BYE"));
    assert_eq!(bench.events(), []);
    assert_eq!(bench.endpoint.counters().stray_responses, 2);
    bench.finish();
}
