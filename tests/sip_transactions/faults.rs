//! Requests with something wrong that needs no knowledge of calls to tell.

use crate::bench::{Bench, both, header, start};

fn refused(bench: &mut Bench, text: &str, status: u16) -> String {
    bench.receive(text);
    let answer = bench.only();
    assert_eq!(start(&answer), format!("SIP/2.0 {status}"), "{text}");
    assert!(header(&answer, "To").unwrap().contains(";tag="));
    assert_eq!(bench.events(), []);
    assert_eq!(bench.endpoint.counters().faults_answered, 1);
    answer
}

#[test]
fn a_required_extension_is_refused_by_name() {
    for mut bench in both() {
        let text = bench.text("INVITE", "z9hG4bK1", 1);
        let text = text.replace("\nTo", "\nRequire: 100rel\nTo");
        let answer = refused(&mut bench, &text, 420);
        assert_eq!(header(&answer, "Unsupported"), Some("100rel"));
        bench.receive(&bench.text("ACK", "z9hG4bK1", 1));
        bench.finish();
        assert_eq!((bench.starts(), bench.events()), (vec![], vec![]));
    }
}

#[test]
fn a_refused_invite_that_is_never_acknowledged_bothers_nobody() {
    let mut bench = Bench::udp();
    let text = bench.text("INVITE", "z9hG4bK1", 1);
    refused(&mut bench, &text.replace("INVITE sip:", "INVITE tel:"), 416);
    bench.finish();
    assert_eq!(bench.starts().len(), 10, "timer G repeats it");
    assert_eq!(bench.events(), []);
}

#[test]
fn an_encoded_body_is_refused() {
    let mut bench = Bench::udp();
    let text = bench.text("MESSAGE", "z9hG4bK1", 20);
    let text = text.replace("\nTo", "\nContent-Encoding: gzip\nTo");
    refused(&mut bench, &text, 415);
}

#[test]
fn another_version_or_an_unknown_method_is_refused() {
    for mut bench in both() {
        let text = bench.text("MESSAGE", "z9hG4bK1", 20);
        refused(&mut bench, &text.replacen("SIP/2.0\n", "SIP/7.0\n", 1), 505);
        bench.finish();
    }
    for mut bench in both() {
        let text = bench.text("NOSUCH", "z9hG4bK1", 20);
        refused(&mut bench, &text, 501);
        bench.finish();
    }
}

#[test]
fn a_cseq_of_another_method_is_a_bad_request() {
    let mut bench = Bench::udp();
    let text = bench.text("MESSAGE", "z9hG4bK1", 20);
    let answer = refused(&mut bench, &text.replace("20 MESSAGE", "20 INVITE"), 400);
    let via = header(&answer, "Via").unwrap();
    assert!(via.contains(";rport=15060"), "{via}");
}

#[test]
fn a_datagram_cut_short_is_a_bad_request() {
    let mut bench = Bench::udp();
    let text = bench.text("MESSAGE", "z9hG4bK1", 20);
    refused(&mut bench, &text.replace("Length: 0", "Length: 400"), 400);
    bench.finish();
}

#[test]
fn what_cannot_be_answered_is_dropped_and_counted() {
    let mut bench = Bench::udp();
    bench.receive("MESSAGE sip:1@2 SIP/2.0\nCSeq: 1 MESSAGE\n\n");
    bench.receive("HELO there, this is no SIP at all");
    bench.receive("SIP/2.0 200 OK\n\n");
    bench.receive(&bench.text("ACK", "z9hG4bK1", 1).replace("1 ACK", "x"));
    assert_eq!((bench.starts(), bench.events()), (vec![], vec![]));
    assert_eq!(bench.endpoint.counters().malformed, 4);
    bench.finish();
}

#[test]
fn a_supported_extension_alone_demands_nothing() {
    let mut bench = Bench::udp();
    let text = bench.text("INVITE", "z9hG4bK1", 1);
    bench.receive(&text.replace("\nTo", "\nSupported: 100rel\nMax-Forwards: 0\nTo"));
    assert_eq!(bench.events().len(), 1);
}
