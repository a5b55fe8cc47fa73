//! Requests that come again, by the same way or by another (RFC 3261 §8.2.2.2, §17.2.3).

use std::sync::Arc;

use vcam::sip::{Endpoint, Style, Tokens, Transport};

use crate::bench::{Bench, header};

#[test]
fn a_merged_request_gets_the_answer_of_the_first_with_its_own_via() {
    let mut bench = Bench::udp();
    bench.receive(&bench.text("MESSAGE", "z9hG4bK1", 20));
    bench.answer(200);
    let first = bench.only();
    bench.at(3000);
    bench.receive(&bench.text("MESSAGE", "z9hG4bK2", 20));
    let second = bench.only();
    assert_eq!(second, first.replace("z9hG4bK1", "z9hG4bK2"));
    assert_eq!(bench.events(), []);
    assert_eq!(bench.endpoint.counters().merged_requests, 1);
    bench.finish();
}

#[test]
fn a_merged_request_before_the_answer_is_absorbed() {
    let mut bench = Bench::udp();
    bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
    bench.receive(&bench.text("INVITE", "z9hG4bK2", 1));
    bench.answer(200);
    assert_eq!(bench.starts().len(), 1);
    bench.finish();
}

#[test]
fn another_cseq_or_a_to_tag_makes_another_request() {
    let mut bench = Bench::udp();
    bench.receive(&bench.text("INFO", "z9hG4bK1", 20));
    bench.receive(&bench.text("INFO", "z9hG4bK2", 21));
    bench.receive(&bench.text_inside("INFO", "z9hG4bK3", 20));
    bench.receive(&bench.text_inside("INFO", "z9hG4bK4", 20));
    assert_eq!(bench.events().len(), 4);
}

#[test]
fn credentials_without_a_new_cseq_are_no_merged_request() {
    let mut bench = Bench::udp();
    bench.receive(&bench.text("REGISTER", "z9hG4bK1", 1));
    bench.answer(401);
    bench.receive(&bench.text("REGISTER", "z9hG4bK2", 1));
    bench.answer(200);
    bench.finish();
}

#[test]
fn without_the_cookie_copies_are_known_by_their_fields() {
    for branch in ["z3hG9bK1", "ab331a"] {
        let mut bench = Bench::udp();
        let message = bench.text("MESSAGE", branch, 20);
        bench.receive(&message);
        bench.answer(200);
        bench.receive(&message);
        assert_eq!(bench.starts().len(), 2);
        bench.receive(&bench.text("MESSAGE", branch, 21));
        bench.answer(200);
        bench.finish();
    }
}

#[test]
fn the_ack_of_a_refusal_without_the_cookie_finds_its_invite() {
    let mut bench = Bench::udp();
    bench.receive(&bench.text("INVITE", "z3hG9bK1", 1));
    bench.answer(486);
    bench.sent();
    bench.receive(&bench.text_inside("ACK", "z3hG9bK1", 1));
    bench.finish();
    assert_eq!((bench.starts(), bench.events()), (vec![], vec![]));
}

#[test]
fn beyond_the_limit_requests_get_503_and_cost_a_counter() {
    let endpoint = Endpoint::new(Arc::new(Style::default()), Tokens::seeded(1)).limited_to(3);
    let mut bench = Bench::of(endpoint, Transport::Udp);
    for n in 0..1000 {
        bench.receive(&bench.text("MESSAGE", &format!("z9hG4bK{n}"), n));
    }
    assert_eq!(bench.endpoint.len(), 3);
    assert_eq!(bench.endpoint.counters().overload, 997);
    assert_eq!(bench.events().len(), 3);
    let sent = bench.sent();
    assert_eq!(sent.len(), 997);
    assert!(
        sent.iter()
            .all(|(_, _, text)| text.starts_with("SIP/2.0 503 "))
    );
    bench.finish();
}

#[test]
fn one_call_cannot_open_invites_without_end() {
    let mut bench = Bench::udp();
    for n in 1..100 {
        bench.receive(&bench.text("INVITE", &format!("z9hG4bK{n}"), n));
    }
    assert_eq!(bench.events().len(), 16);
    assert_eq!(bench.endpoint.counters().overload, 83);
    bench.receive(&bench.text_inside("BYE", "z9hG4bKbye", 100));
    assert_eq!(bench.events().len(), 1, "but it can be ended");
    bench.finish();
}

#[test]
fn every_via_is_repeated_and_only_the_first_is_filled_in() {
    let mut bench = Bench::udp();
    let text = bench.text("MESSAGE", "z9hG4bK1", 20);
    let two = text.replace(
        "\nFrom",
        "\nVia: SIP/2.0/UDP inner;branch=z9hG4bK0;rport\nFrom",
    );
    bench.receive(&two);
    bench.answer(200);
    let answer = bench.only();
    let vias: Vec<_> = answer
        .lines()
        .filter(|line| line.starts_with("Via"))
        .collect();
    assert_eq!(
        vias,
        [
            "Via: SIP/2.0/UDP 10.110.18.12:15060;branch=z9hG4bK1;rport=15060;received=10.110.18.12",
            "Via: SIP/2.0/UDP inner;branch=z9hG4bK0;rport",
        ]
    );
    assert_eq!(header(&answer, "CSeq"), Some("20 MESSAGE"));
}
