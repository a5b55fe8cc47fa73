//! What the endpoint adds to the messages of its owner (RFC 3261 §8.1.1, §8.2.6).

use std::sync::Arc;

use vcam::sip::{Endpoint, Method, Style, Token, Tokens, Transport};

use crate::bench::{Bench, header, our};

#[test]
fn a_request_of_ours_gets_via_max_forwards_user_agent_and_length() {
    let mut tokens = Tokens::seeded(1);
    tokens.script(Token::Branch, "z9hG4bK1251336551");
    let endpoint = Endpoint::new(Arc::new(Style::default()), tokens);
    let mut bench = Bench::of(endpoint, Transport::Tcp);
    bench.request(our(Method::Register));
    let text = bench.only();
    let via = "SIP/2.0/TCP 10.110.18.75:5060;branch=z9hG4bK1251336551;rport";
    assert_eq!(header(&text, "Via"), Some(via));
    assert_eq!(header(&text, "Max-Forwards"), Some("70"));
    assert_eq!(header(&text, "User-Agent"), Some("vcam"));
    assert_eq!(header(&text, "Content-Length"), Some("0"));
}

#[test]
fn what_the_owner_wrote_stays() {
    let mut bench = Bench::udp();
    let request = our(Method::Register)
        .with_header("Max-Forwards", "5")
        .with_header("User-Agent", "other");
    bench.request(request);
    let text = bench.only();
    assert_eq!(text.matches("Max-Forwards").count(), 1);
    assert_eq!(header(&text, "Max-Forwards"), Some("5"));
    assert_eq!(header(&text, "User-Agent"), Some("other"));
}

#[test]
fn two_requests_never_share_a_branch_while_both_live() {
    let mut tokens = Tokens::seeded(1);
    for _ in 0..3 {
        tokens.script(Token::Branch, "z9hG4bK1");
    }
    let endpoint = Endpoint::new(Arc::new(Style::default()), tokens);
    let mut bench = Bench::of(endpoint, Transport::Udp);
    bench.request(our(Method::Message));
    bench.request(our(Method::Message));
    let sent = bench.sent();
    assert_ne!(header(&sent[0].2, "Via"), header(&sent[1].2, "Via"));
    assert_eq!(bench.endpoint.len(), 2);
}

#[test]
fn answers_that_make_a_dialog_repeat_the_record_route() {
    for (status, expected) in [(100, 0), (101, 2), (200, 2), (486, 0)] {
        let mut bench = Bench::udp();
        let text = bench.text("INVITE", "z9hG4bK1", 1);
        let routes = "\nRecord-Route: <sip:a;lr>\nRecord-Route: <sip:b;lr>\nFrom";
        bench.receive(&text.replace("\nFrom", routes));
        bench.answer(status);
        let count = bench.only().matches("Record-Route").count();
        assert_eq!(count, expected, "{status}");
    }
}

#[test]
fn a_to_tag_is_added_once_and_never_to_a_100() {
    let mut bench = Bench::udp();
    bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
    let (_, outside) = bench.asked();
    let trying = bench.endpoint.answer(&outside, 100);
    assert_eq!(trying.headers.to().unwrap().tag(), None);
    let first = bench.endpoint.answer(&outside, 486);
    let second = bench.endpoint.answer(&outside, 486);
    assert_ne!(first.headers.to(), second.headers.to(), "fresh each time");
    bench.receive(&bench.text_inside("INFO", "z9hG4bK2", 2));
    let (_, inside) = bench.asked();
    let answer = bench.endpoint.answer_tagged(&inside, 200, "another");
    assert_eq!(answer.headers.to().unwrap().tag(), Some("ours"));
}

#[test]
fn a_100_repeats_the_timestamp() {
    let mut bench = Bench::udp();
    let text = bench.text("INVITE", "z9hG4bK1", 1);
    bench.receive(&text.replace("\nFrom", "\nTimestamp: 54\nFrom"));
    let (_, request) = bench.asked();
    let stamp = |status| {
        let answer = bench.endpoint.answer(&request, status);
        answer.headers.value("Timestamp").map(str::to_owned)
    };
    assert_eq!([100, 200].map(stamp), [Some("54".to_owned()), None]);
}
