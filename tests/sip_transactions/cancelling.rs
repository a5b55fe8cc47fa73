//! CANCEL, both ways: RFC 3261 §9.

use vcam::sip::{Event, Method};

use crate::bench::{Bench, both, header, our, reply, start};

fn sent(bench: &mut Bench) -> Vec<String> {
    bench.starts().into_iter().map(|(_, start)| start).collect()
}

#[test]
fn a_cancel_before_the_final_answer_gets_200_and_the_invite_487() {
    for mut bench in both() {
        bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
        let (tx, request) = bench.asked();
        let response = bench.endpoint.answer_tagged(&request, 101, "ours");
        bench.respond(tx, response);
        bench.sent();
        let cancel = bench.text("CANCEL", "z9hG4bK1", 1);
        bench.receive(&cancel);
        let answers = bench.sent();
        let [(_, _, of_cancel), (_, _, of_invite)] = &answers[..] else {
            panic!("{answers:?}");
        };
        assert_eq!(start(of_cancel), "SIP/2.0 200");
        assert_eq!(header(of_cancel, "CSeq"), Some("1 CANCEL"));
        assert_eq!(start(of_invite), "SIP/2.0 487");
        assert_eq!(header(of_invite, "CSeq"), Some("1 INVITE"));
        let tagged = |text: &str| header(text, "To").unwrap().ends_with(";tag=ours");
        assert!(tagged(of_cancel) && tagged(of_invite));
        assert_eq!(bench.events(), [(0, Event::Cancelled { tx })]);
        bench.receive(&bench.text_inside("ACK", "z9hG4bK1", 1));
        bench.finish();
        assert_eq!((sent(&mut bench), bench.events()), (vec![], vec![]));
    }
}

#[test]
fn a_copy_of_a_cancel_gets_its_200_again_and_is_told_once() {
    let mut bench = Bench::udp();
    bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
    let (tx, _) = bench.asked();
    let cancel = bench.text("CANCEL", "z9hG4bK1", 1);
    bench.receive(&cancel);
    bench.sent();
    bench.receive(&cancel);
    assert_eq!(sent(&mut bench), ["SIP/2.0 200"]);
    assert_eq!(bench.events(), [(0, Event::Cancelled { tx })]);
    bench.finish();
}

#[test]
fn a_cancel_after_the_final_answer_gets_200_and_changes_nothing() {
    for status in [200, 486] {
        let mut bench = Bench::udp();
        bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
        bench.answer(status);
        bench.sent();
        bench.receive(&bench.text("CANCEL", "z9hG4bK1", 1));
        assert_eq!(sent(&mut bench), ["SIP/2.0 200"]);
        assert_eq!(bench.events(), []);
        bench.finish();
    }
}

#[test]
fn a_cancel_of_nothing_gets_481() {
    for mut bench in both() {
        bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
        bench.answer(200);
        bench.sent();
        bench.receive(&bench.text("CANCEL", "z9hG4bK2", 1));
        assert_eq!(sent(&mut bench), ["SIP/2.0 481"]);
        assert_eq!(bench.endpoint.counters().stray_cancels, 1);
        bench.finish();
    }
}

#[test]
fn a_cancel_without_the_cookie_finds_its_invite() {
    let mut bench = Bench::udp();
    bench.receive(&bench.text("INVITE", "z3hG9bK1", 1));
    let (tx, _) = bench.asked();
    bench.receive(&bench.text("CANCEL", "z3hG9bK1", 1));
    assert_eq!(sent(&mut bench), ["SIP/2.0 200", "SIP/2.0 487"]);
    assert_eq!(bench.events(), [(0, Event::Cancelled { tx })]);
}

#[test]
fn our_cancel_waits_for_a_provisional_answer_and_takes_the_branch_of_the_invite() {
    for mut bench in both() {
        let tx = bench.request(our(Method::Invite));
        let invite = bench.only();
        bench.endpoint.cancel(bench.now(), tx);
        bench.at(100);
        assert_eq!(sent(&mut bench), [] as [&str; 0]);
        bench.receive(&reply(&invite, 100));
        let cancel = bench.only();
        assert!(cancel.starts_with("CANCEL sip:34020000002000000001@10.110.18.12:15060 "));
        for name in ["Via", "From", "To", "Call-ID"] {
            assert_eq!(header(&cancel, name), header(&invite, name));
        }
        assert_eq!(header(&cancel, "CSeq"), Some("1 CANCEL"));
        bench.events();
        bench.receive(&reply(&cancel, 200));
        assert_eq!(
            bench.events(),
            [],
            "the answer of a CANCEL is nobody's business"
        );
        bench.receive(&reply(&invite, 487));
        assert_eq!(sent(&mut bench), ["ACK"]);
        let events = bench.events();
        assert!(matches!(&events[..], [(_, Event::Response { tx: of, .. })] if *of == tx));
        bench.finish();
    }
}

#[test]
fn a_cancelled_invite_that_never_ends_times_out() {
    let mut bench = Bench::udp();
    let tx = bench.request(our(Method::Invite));
    let invite = bench.only();
    bench.receive(&reply(&invite, 180));
    bench.events();
    bench.at(1000);
    bench.endpoint.cancel(bench.now(), tx);
    bench.finish();
    assert_eq!(bench.events(), [(33_000, Event::Timeout { tx })]);
}

#[test]
fn a_2xx_that_crosses_our_cancel_is_still_delivered() {
    let mut bench = Bench::udp();
    let tx = bench.request(our(Method::Invite));
    let invite = bench.only();
    bench.receive(&reply(&invite, 180));
    bench.endpoint.cancel(bench.now(), tx);
    bench.events();
    bench.receive(&reply(&invite, 200));
    let events = bench.events();
    assert!(
        matches!(&events[..], [(_, Event::Response { response, .. })] if response.is_success())
    );
    bench.finish();
}
