//! The server machines: RFC 3261 §17.2.1 and §17.2.2, RFC 6026.

use vcam::sip::Event;

use crate::bench::{Bench, both, times};

const G: [u64; 10] = [
    500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500,
];

#[test]
fn a_request_is_delivered_once_and_its_answer_repeated_for_every_copy() {
    let mut bench = Bench::udp();
    let message = bench.text("MESSAGE", "z9hG4bK1", 20);
    bench.receive(&message);
    bench.receive(&message);
    assert_eq!(bench.starts(), []);
    bench.answer(200);
    bench.at(500);
    bench.receive(&message);
    bench.at(31_999);
    bench.receive(&message);
    let sent = bench.sent();
    assert_eq!(sent.len(), 3);
    assert!(sent.iter().all(|(_, _, text)| *text == sent[0].2));
    assert_eq!(bench.events(), []);
    bench.finish();
    bench.receive(&message);
    assert_eq!(bench.events().len(), 1, "after J it is a new request");
}

#[test]
fn on_tcp_an_answered_request_is_forgotten_at_once() {
    let mut bench = Bench::tcp();
    bench.receive(&bench.text("MESSAGE", "z9hG4bK1", 20));
    bench.answer(200);
    assert_eq!(bench.endpoint.len(), 0);
    bench.finish();
}

#[test]
fn an_owner_that_hesitates_is_stood_in_for_by_a_100() {
    for mut bench in both() {
        bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
        bench.at(1000);
        let sent = bench.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].0, 200);
        assert!(sent[0].2.starts_with("SIP/2.0 100 Trying\r\n"));
        assert!(
            sent[0]
                .2
                .contains("\r\nTo: <sip:34020000001318000001@3402000000>\r\n")
        );
        bench.answer(200);
        assert_eq!(bench.starts(), [(1000, "SIP/2.0 200".to_owned())]);
    }
}

#[test]
fn a_copy_of_an_invite_gets_the_last_provisional_answer() {
    let mut bench = Bench::udp();
    let invite = bench.text("INVITE", "z9hG4bK1", 1);
    bench.receive(&invite);
    let (tx, request) = bench.asked();
    for status in [100, 101] {
        let response = bench.endpoint.answer_tagged(&request, status, "ours");
        bench.respond(tx, response);
    }
    let first = bench.sent();
    bench.at(500);
    bench.receive(&invite);
    assert_eq!(bench.only(), first[1].2);
    assert_eq!(bench.events(), []);
}

#[test]
fn a_2xx_is_repeated_until_its_ack_on_both_transports() {
    for mut bench in both() {
        bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
        let tx = bench.answer(200);
        bench.at(2000);
        assert_eq!(times(&bench.starts(), "SIP/2.0 200"), [0, 500, 1500]);
        bench.receive(&bench.text_inside("ACK", "z9hG4bK2", 1));
        let acks = bench.events();
        assert!(
            matches!(&acks[..], [(2000, Event::Ack { tx: of, call_id, .. })] if *of == tx && call_id == "call-1"),
            "{acks:?}"
        );
        bench.finish();
        assert_eq!(bench.starts(), []);
        assert_eq!(bench.events(), []);
    }
}

#[test]
fn a_2xx_that_is_never_acknowledged_is_reported_after_64_t1() {
    for mut bench in both() {
        bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
        let tx = bench.answer(200);
        bench.sent();
        bench.finish();
        assert_eq!(times(&bench.starts(), "SIP/2.0 200"), G);
        assert_eq!(bench.events(), [(32_000, Event::Unacknowledged { tx })]);
    }
}

#[test]
fn a_copy_of_an_accepted_invite_makes_no_second_call() {
    let mut bench = Bench::udp();
    let invite = bench.text("INVITE", "z9hG4bK1", 1);
    bench.receive(&invite);
    bench.answer(200);
    let accepted = bench.only();
    bench.at(400);
    bench.receive(&invite);
    assert_eq!(bench.only(), accepted);
    bench.receive(&bench.text_inside("ACK", "z9hG4bK2", 1));
    bench.events();
    bench.receive(&invite);
    assert_eq!(
        bench.starts(),
        [],
        "the peer has the 2xx: it acknowledged it"
    );
    assert_eq!(bench.events(), []);
    bench.finish();
}

#[test]
fn a_refusal_is_repeated_by_g_on_udp_only_and_given_up_by_h() {
    for status in [302, 488, 503, 603] {
        for (mut bench, repeats) in both().into_iter().zip([&G[..], &[]]) {
            bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
            let tx = bench.answer(status);
            bench.sent();
            bench.finish();
            assert_eq!(
                times(&bench.starts(), &format!("SIP/2.0 {status}")),
                repeats
            );
            assert_eq!(bench.events(), [(32_000, Event::Unacknowledged { tx })]);
        }
    }
}

#[test]
fn the_ack_of_a_refusal_is_absorbed_and_ends_the_repeats() {
    for mut bench in both() {
        let invite = bench.text("INVITE", "z9hG4bK1", 1);
        bench.receive(&invite);
        bench.answer(486);
        bench.sent();
        let ack = bench.text_inside("ACK", "z9hG4bK1", 1);
        bench.at(100);
        bench.receive(&ack);
        bench.receive(&ack);
        bench.finish();
        assert_eq!(bench.starts(), []);
        assert_eq!(bench.events(), []);
    }
}

#[test]
fn a_confirmed_refusal_absorbs_copies_for_t4_on_udp() {
    let mut bench = Bench::udp();
    let invite = bench.text("INVITE", "z9hG4bK1", 1);
    bench.receive(&invite);
    bench.answer(486);
    bench.receive(&bench.text_inside("ACK", "z9hG4bK1", 1));
    bench.sent();
    bench.at(4999);
    bench.receive(&invite);
    assert_eq!((bench.starts(), bench.events()), (vec![], vec![]));
    bench.at(5001);
    assert_eq!(bench.endpoint.len(), 0);
}

#[test]
fn an_answer_too_late_is_counted_and_not_sent() {
    let mut bench = Bench::udp();
    bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
    let (tx, request) = bench.asked();
    for status in [200, 486] {
        let response = bench.endpoint.answer(&request, status);
        bench.respond(tx, response);
    }
    assert_eq!(bench.starts(), [(0, "SIP/2.0 200".to_owned())]);
    assert_eq!(bench.endpoint.counters().late_answers, 1);
    bench.finish();
}

#[test]
fn requests_the_owner_never_answers_leave_nothing_behind() {
    for mut bench in both() {
        bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
        bench.receive(&bench.text("MESSAGE", "z9hG4bK2", 20));
        bench.finish();
        assert_eq!(bench.endpoint.counters().abandoned, 2);
    }
}
