//! Devices that do not do what they agreed to, each word a test's.

use super::super::testing::{Bench, Puppet, Said, config};
use super::*;
use crate::platform::Command;
use crate::sip::Response;

const ASK: AskId = AskId(3);

/// A device that has agreed to be spoken through.
fn announced(bench: &mut Bench) -> Puppet {
    let mut device = Puppet::new(1).registered(bench);
    let said = bench.command(Command::Speak {
        device: device.id,
        target: device.channel(),
        voice: Arc::new(Cut::voice("voice", &[1; 160])),
        ask: ASK,
    });
    let told = said.request(Method::Message).clone();
    let text = String::from_utf8_lossy(&told.body).into_owned();
    let (_, sn) = text.split_once("<SN>").unwrap();
    let (sn, _) = sn.split_once("</SN>").unwrap();
    let ok = device.answer(&told, 200);
    device.say(bench, ok);
    let agreed = device.response("Broadcast", sn, "<Result>OK</Result>");
    let target = device.channel().to_string();
    let body = String::from_utf8_lossy(&agreed.body).replace(device.id.as_str(), &target);
    let agreed = agreed.with_body("Application/MANSCDP+xml", body);
    device.say(bench, agreed);
    device
}

/// The INVITE of a device, with this media.
fn call(device: &mut Puppet, media: &str) -> Request {
    let (id, channel, at) = (device.id, device.channel(), device.at);
    let sdp = format!(
        "v=0\r\no={id} 0 0 IN IP4 192.0.2.1\r\ns=Play\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
         m=audio {media}\r\na=recvonly\r\ny=0200000333\r\n"
    );
    device
        .request(Method::Invite)
        .with_header("Contact", format!("<sip:{id}@{at}>"))
        .with_header("Subject", format!("34020000002000000001:0,{channel}:0"))
        .with_body("application/sdp", sdp)
}

fn end(said: &Said) -> Option<SpeechEnd> {
    said.events.iter().find_map(|event| match event {
        Event::SpeechEnded { ask, why, .. } if *ask == ASK => Some(why.clone()),
        _ => None,
    })
}

/// A device whose call was answered: its INVITE and our 200.
fn answered(bench: &mut Bench, device: &mut Puppet) -> (Request, Response) {
    let invite = call(device, "9776 RTP/AVP 8 96");
    assert_eq!(device.say(bench, invite.clone()).statuses(), [100]);
    let local = "192.0.2.9:10000".parse().unwrap();
    let said = bench.media(Report::Opened {
        stream: stream(ASK),
        local,
    });
    assert_eq!(said.response().status(), 200);
    (invite, said.response().clone())
}

fn media_end(bench: &mut Bench) -> Said {
    bench.media(Report::ended(stream(ASK)))
}

#[test]
fn a_device_that_agrees_and_never_calls_is_given_up_after_ten_seconds() {
    let mut bench = Bench::new(config());
    announced(&mut bench);
    assert_eq!(end(&bench.pass(9.9)), None);
    assert_eq!(end(&bench.pass(0.2)), Some(SpeechEnd::NoCall));
    assert_eq!(bench.platform.speeches.len(), 0);
}

#[test]
fn a_call_that_comes_too_late_was_not_announced() {
    let mut bench = Bench::new(config());
    let mut device = announced(&mut bench);
    bench.pass(10.1);
    let late = call(&mut device, "9776 RTP/AVP 8 96");
    let said = device.say(&mut bench, late);
    assert_eq!(said.statuses(), [403]);
    assert_eq!(said.complaints(), [Deviation::Uninvited]);
}

#[test]
fn an_offer_without_a_law_or_without_sdp_ends_the_speech() {
    let html = |request: Request| request.with_body("text/html", "<p>");
    let no_sdp = |request: Request| request.with_body(SDP, "hello");
    let same = |request: Request| request;
    type Change = fn(Request) -> Request;
    let wrong: [(&str, Change, u16); 5] = [
        ("9776 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000", same, 488),
        ("9776 RTP/AVP 96\r\na=rtpmap:96 PS/90000", same, 488),
        ("0 RTP/AVP 8", same, 400),
        ("9776 RTP/AVP 8", no_sdp, 400),
        ("9776 RTP/AVP 8", html, 415),
    ];
    for (media, change, status) in wrong {
        let mut bench = Bench::new(config());
        let mut device = announced(&mut bench);
        let invite = change(call(&mut device, media));
        let said = device.say(&mut bench, invite);
        assert_eq!(said.statuses(), [status], "{media}");
        assert_eq!(said.complaints(), [Deviation::Sdp], "{media}");
        assert!(
            matches!(end(&said), Some(SpeechEnd::BadOffer(_))),
            "{media}"
        );
        assert!(said.orders.is_empty(), "{media}");
        assert_eq!(bench.platform.speeches.len(), 0, "{media}");
    }
}

#[test]
fn an_answer_that_nobody_acknowledges_is_taken_back_with_bye() {
    let mut bench = Bench::new(config());
    let mut device = announced(&mut bench);
    answered(&mut bench, &mut device);
    let said = bench.pass(33.0);
    assert_eq!(said.methods().first(), Some(&Method::Bye));
    let stop = |order: &Order| matches!(order, Order::Stop(ours) if *ours == stream(ASK));
    assert!(said.orders.iter().any(stop), "{:?}", said.orders);
    let said = media_end(&mut bench);
    assert_eq!(end(&said), Some(SpeechEnd::Unacknowledged));
    assert_eq!(bench.platform.speeches.len(), 0);
}

#[test]
fn a_call_that_is_taken_back_before_its_answer_is_over() {
    let mut bench = Bench::new(config());
    let mut device = announced(&mut bench);
    let invite = call(&mut device, "9776 RTP/AVP 8");
    device.say(&mut bench, invite.clone());
    let mut cancel = Request::new(Method::Cancel, invite.uri());
    for name in ["Via", "From", "To", "Call-ID"] {
        cancel.headers.copy(name, &invite.headers);
    }
    let number = invite.headers.cseq().unwrap().number;
    let cancel = cancel.with_header("CSeq", format!("{number} CANCEL"));
    let said = device.say(&mut bench, cancel);
    assert_eq!(said.statuses(), [200, 487]);
    assert_eq!(end(&media_end(&mut bench)), Some(SpeechEnd::Cancelled));
}
