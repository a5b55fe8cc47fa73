//! ACKs of a 2xx as platforms send them. RFC 3261 §13.2.2.4 says: a branch of its own, the CSeq
//! number of the INVITE.

use vcam::sip::Event;

use crate::bench::{Bench, both, header};

const INVITE: &str = "\
INVITE sip:34020000001318000001@3402000000 SIP/2.0
Supported:
Allow: INVITE, ACK, CANCEL, MESSAGE, REGISTER
Via: SIP/2.0/UDP 10.110.18.12:15060;branch=z9hG4bKlJokE2WBziHPvUlfeWPlw6WCwjStRKkA;rport
CSeq: 1 INVITE
From: \"SipServer\" <sip:34020000002000000001@3402000000>;tag=FHO5ndkKpblM1wu8Vy6j
To: <sip:34020000001318000001@3402000000>
Call-ID: VqjJJAvkxIICQz2yDSdjkswI87nPvu5e
Contact: \"SipServer\" <sip:34020000002000000001@3402000000>;tag=FHO5ndkKpblM1wu8Vy6j
Max-Forwards: 70
User-Agent: GoSIP
Content-Length: 0

";

fn inside(start: &str, branch: &str, cseq: &str) -> String {
    format!(
        "{start} SIP/2.0
Via: SIP/2.0/UDP 10.110.18.12:15060;branch={branch};rport=15060
From: \"SipServer\" <sip:34020000002000000001@3402000000>;tag=FHO5ndkKpblM1wu8Vy6j
To: <sip:34020000001318000001@3402000000>;tag=668718229
Call-ID: VqjJJAvkxIICQz2yDSdjkswI87nPvu5e
CSeq: {cseq}

"
    )
}

fn accepted(mut bench: Bench) -> Bench {
    let invite = match bench.transport {
        vcam::sip::Transport::Udp => INVITE.to_owned(),
        vcam::sip::Transport::Tcp => INVITE.replace("SIP/2.0/UDP", "SIP/2.0/TCP"),
    };
    bench.receive(&invite);
    let (tx, request) = bench.asked();
    let response = bench.endpoint.answer_tagged(&request, 200, "668718229");
    bench.respond(tx, response);
    assert_eq!(bench.starts().len(), 1);
    bench
}

fn is_acknowledged(bench: &mut Bench) -> bool {
    let events = bench.events();
    matches!(&events[..], [(_, Event::Ack { call_id, .. })] if call_id == "VqjJJAvkxIICQz2yDSdjkswI87nPvu5e")
}

#[test]
fn the_ack_and_the_bye_of_the_seed_trace_end_its_call() {
    for bench in both() {
        let mut bench = accepted(bench);
        let uri = "sip:34020000001318000001@10.110.18.75:5060";
        let ack = inside(
            &format!("ACK {uri}"),
            "z9hG4bKdSi5wwjr14KQFYBOIZ4JAn7Q63XVHBFo",
            "2 ACK",
        );
        bench.at(100);
        bench.receive(&ack);
        assert!(is_acknowledged(&mut bench));
        let bye = inside(
            &format!("BYE {uri}"),
            "z9hG4bKwMrZwuIJCih38E169qQoCNavDwZpruyY",
            "3 BYE",
        );
        bench.receive(&bye);
        bench.answer(200);
        let answer = bench.only();
        assert!(answer.starts_with("SIP/2.0 200 OK\r\n"));
        assert_eq!(header(&answer, "CSeq"), Some("3 BYE"));
        let to = "<sip:34020000001318000001@3402000000>;tag=668718229";
        assert_eq!(header(&answer, "To"), Some(to));
        bench.finish();
        assert_eq!((bench.starts(), bench.events()), (vec![], vec![]));
    }
}

#[test]
fn an_ack_is_known_whatever_its_branch_cseq_and_request_uri() {
    let same_branch = "z9hG4bKlJokE2WBziHPvUlfeWPlw6WCwjStRKkA";
    for (start, branch, cseq) in [
        (
            "ACK sip:34020000001318000001@10.110.18.75:5060",
            "z9hG4bKx",
            "1 ACK",
        ),
        (
            "ACK sip:34020000001318000001@10.110.18.75:5060",
            "z9hG4bKx",
            "2 ACK",
        ),
        (
            "ACK sip:34020000001318000001@3402000000",
            same_branch,
            "1 ACK",
        ),
        (
            "ACK sip:34020000001318000001@3402000000",
            same_branch,
            "2 ACK",
        ),
        (
            "ACK sip:34020000001320000001@10.110.18.12:15060",
            "z3hG9bKx",
            "1 ACK",
        ),
        ("ACK sip:34020000002000000001@3402000000", "ab331a", "7 ACK"),
    ] {
        let mut bench = accepted(Bench::udp());
        bench.receive(&inside(start, branch, cseq));
        assert!(is_acknowledged(&mut bench), "{start} {branch} {cseq}");
        bench.finish();
        assert_eq!(bench.starts(), []);
    }
}

#[test]
fn an_ack_without_tags_is_known_while_its_call_has_one_invite() {
    let mut bench = accepted(Bench::udp());
    let ack = inside("ACK sip:x@y", "z9hG4bKx", "1 ACK").replace(";tag=668718229", "");
    bench.receive(&ack);
    assert!(is_acknowledged(&mut bench));
}

#[test]
fn an_ack_that_comes_again_is_absorbed() {
    let mut bench = accepted(Bench::udp());
    let ack = inside("ACK sip:x@y", "z9hG4bKx", "2 ACK");
    bench.receive(&ack);
    assert!(is_acknowledged(&mut bench));
    bench.receive(&ack);
    bench.at(20_000);
    bench.receive(&ack);
    assert_eq!((bench.starts(), bench.events()), (vec![], vec![]));
    bench.finish();
}

#[test]
fn an_ack_for_no_call_is_dropped_and_counted() {
    let mut bench = accepted(Bench::udp());
    bench.receive(&inside("ACK sip:x@y", "z9hG4bKx", "1 ACK").replace("VqjJ", "other"));
    assert_eq!((bench.starts(), bench.events()), (vec![], vec![]));
    assert_eq!(bench.endpoint.counters().stray_acks, 1);
}

/// Two INVITEs with these CSeq numbers are accepted, then one ACK comes: which one does it end?
fn ended_by(first: u32, second: u32, ack: u32) -> usize {
    let mut bench = Bench::udp();
    bench.receive(&bench.text("INVITE", "z9hG4bK1", first));
    let first = bench.answer(200);
    bench.receive(&bench.text_inside("INVITE", "z9hG4bK2", second));
    let second = bench.answer(200);
    bench.receive(&bench.text_inside("ACK", "z9hG4bK3", ack));
    let events = bench.events();
    let [(_, Event::Ack { tx, .. })] = &events[..] else {
        panic!("{events:?}");
    };
    [first, second].iter().position(|of| of == tx).unwrap()
}

#[test]
fn of_two_invites_in_one_call_the_cseq_tells_which_is_acknowledged() {
    assert_eq!(ended_by(1, 2, 1), 0);
    assert_eq!(ended_by(1, 2, 2), 1);
    assert_eq!(ended_by(1, 5, 2), 0, "one too high, as in the seed trace");
    assert_eq!(ended_by(1, 3, 4), 1);
    assert_eq!(ended_by(1, 3, 9), 1, "no number fits: the newest");
}

#[test]
fn two_calls_with_one_call_id_are_told_apart_by_their_tags() {
    let other = |text: String| text.replace("tag=theirs", "tag=other");
    let mut bench = Bench::udp();
    bench.receive(&bench.text("INVITE", "z9hG4bK1", 1));
    let first = bench.answer(200);
    bench.receive(&other(bench.text("INVITE", "z9hG4bK2", 1)));
    let second = bench.answer(200);
    for (text, tx) in [
        (bench.text_inside("ACK", "z9hG4bK3", 1), first),
        (other(bench.text_inside("ACK", "z9hG4bK4", 1)), second),
    ] {
        bench.receive(&text);
        let events = bench.events();
        let is_it = matches!(&events[..], [(_, Event::Ack { tx: of, .. })] if *of == tx);
        assert!(is_it, "{events:?}");
    }
}

#[test]
fn an_ack_with_a_strange_tag_is_nobodys_in_a_call_of_two_invites() {
    let mut bench = Bench::udp();
    for (branch, cseq) in [("z9hG4bK1", 1), ("z9hG4bK2", 2)] {
        bench.receive(&bench.text("INVITE", branch, cseq));
        bench.answer(200);
    }
    bench.receive(&bench.text_to("ACK", "z9hG4bK3", 1, ";tag=strange"));
    assert_eq!(bench.events(), []);
    assert_eq!(bench.endpoint.counters().stray_acks, 1);
}
