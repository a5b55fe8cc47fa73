//! Two endpoints and a wire that loses what a test says.

use vcam::sip::{Dialog, Event, Message, Method, Request, Response, TransactionId};

use crate::bench::{Bench, FLOW, our, peer, start};

/// Which end of the wire.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Caller,
    Callee,
}

/// A caller, a callee, and what each of their owners has seen.
struct Wire {
    caller: Bench,
    callee: Bench,
    /// Start lines still to be lost, each once.
    lost: Vec<(End, &'static str)>,
    heard: Vec<(u64, &'static str)>,
    dialog: Option<Dialog>,
    now: u64,
}

impl Wire {
    fn losing(lost: &[(End, &'static str)]) -> Wire {
        Wire {
            caller: Bench::udp(),
            callee: Bench::udp(),
            lost: lost.to_vec(),
            heard: Vec::new(),
            dialog: None,
            now: 0,
        }
    }

    /// Lets time pass, carries messages and plays both owners.
    fn at(&mut self, millis: u64) {
        loop {
            while self.carry() {}
            let next = self
                .caller
                .next()
                .into_iter()
                .chain(self.callee.next())
                .min();
            let Some(next) = next.filter(|next| *next <= millis) else {
                break;
            };
            self.pass(next);
        }
        self.pass(millis);
    }

    fn pass(&mut self, millis: u64) {
        self.now = millis;
        self.caller.at(millis);
        self.callee.at(millis);
    }

    /// Whether anything was carried or heard.
    fn carry(&mut self) -> bool {
        let out = self.caller.sent();
        let back = self.callee.sent();
        let busy = out.len() + back.len();
        for (_, _, text) in out {
            if !self.loses(End::Caller, &text) {
                self.callee.receive(&text);
            }
        }
        for (_, _, text) in back {
            if !self.loses(End::Callee, &text) {
                self.caller.receive(&text);
            }
        }
        busy + self.play() > 0
    }

    fn loses(&mut self, end: End, text: &str) -> bool {
        let start = start(text);
        let lost = |(of, what): &(End, &str)| *of == end && *what == start;
        match self.lost.iter().position(lost) {
            Some(at) => {
                self.lost.remove(at);
                true
            }
            None => false,
        }
    }

    fn play(&mut self) -> usize {
        let (caller, callee) = (self.caller.events(), self.callee.events());
        let heard = caller.len() + callee.len();
        for (_, event) in callee {
            match event {
                Event::Request { tx, request, .. } => self.serve(tx, &request),
                Event::Ack { .. } => self.hear("ack"),
                Event::Unacknowledged { .. } => self.hear("unacknowledged"),
                other => panic!("{other:?}"),
            }
        }
        for (_, event) in caller {
            match event {
                Event::Response { response, .. } => self.answered(&response),
                Event::Timeout { .. } => self.hear("timeout"),
                other => panic!("{other:?}"),
            }
        }
        heard
    }

    fn serve(&mut self, tx: TransactionId, request: &Request) {
        self.hear(match request.method() {
            Method::Invite => "invite",
            _ => "bye",
        });
        let response = self.callee.endpoint.answer_tagged(request, 200, "callee");
        self.callee.respond(tx, response);
    }

    fn answered(&mut self, response: &Response) {
        if response.headers.cseq().unwrap().method == Method::Bye {
            return self.hear("200 of bye");
        }
        self.hear("200 of invite");
        let dialog = Dialog::from_uac(&our(Method::Invite), response).unwrap();
        self.caller.endpoint.ack(FLOW, peer(), dialog.ack(1));
        let now = self.now;
        self.caller.at(now);
        self.dialog = Some(dialog);
    }

    fn call(&mut self) {
        self.caller.request(our(Method::Invite));
    }

    fn hang_up(&mut self) {
        let mut dialog = self.dialog.take().expect("a call");
        let bye = dialog.request(Method::Bye);
        self.caller.request(bye);
    }

    fn hear(&mut self, what: &'static str) {
        self.heard.push((self.now, what));
    }

    fn finish(&mut self) -> Vec<(u64, &'static str)> {
        self.at(100_000);
        self.caller.finish();
        self.callee.finish();
        std::mem::take(&mut self.heard)
    }
}

#[test]
fn without_loss_everything_is_heard_once() {
    let mut wire = Wire::losing(&[]);
    wire.call();
    wire.at(1000);
    wire.hang_up();
    let heard = [
        (0, "invite"),
        (0, "200 of invite"),
        (0, "ack"),
        (1000, "bye"),
        (1000, "200 of bye"),
    ];
    assert_eq!(wire.finish(), heard);
}

#[test]
fn a_lost_invite_is_sent_again() {
    let mut wire = Wire::losing(&[(End::Caller, "INVITE"), (End::Caller, "INVITE")]);
    wire.call();
    let heard = [(1500, "invite"), (1500, "200 of invite"), (1500, "ack")];
    assert_eq!(wire.finish(), heard);
}

#[test]
fn a_lost_2xx_is_sent_again_and_the_invite_delivered_once() {
    let mut wire = Wire::losing(&[(End::Callee, "SIP/2.0 200"); 3]);
    wire.call();
    let heard = wire.finish();
    let count = |what| heard.iter().filter(|(_, heard)| *heard == what).count();
    assert_eq!(heard[0], (0, "invite"));
    assert_eq!(count("invite"), 1);
    assert_eq!(count("ack"), 1);
    assert!(count("200 of invite") >= 1);
    assert_eq!(count("unacknowledged"), 0);
}

#[test]
fn a_lost_ack_is_sent_again_for_the_next_copy_of_the_2xx() {
    let mut wire = Wire::losing(&[(End::Caller, "ACK"), (End::Caller, "ACK")]);
    wire.call();
    let heard = [
        (0, "invite"),
        (0, "200 of invite"),
        (500, "200 of invite"),
        (1500, "200 of invite"),
        (1500, "ack"),
    ];
    assert_eq!(wire.finish(), heard);
}

#[test]
fn when_every_ack_is_lost_the_callee_is_told() {
    let mut wire = Wire::losing(&[(End::Caller, "ACK"); 20]);
    wire.call();
    let heard = wire.finish();
    assert_eq!(heard.last(), Some(&(32_000, "unacknowledged")));
}

#[test]
fn a_lost_200_of_bye_is_repeated_and_the_bye_delivered_once() {
    let mut wire = Wire::losing(&[]);
    wire.call();
    wire.at(1000);
    wire.lost = vec![(End::Callee, "SIP/2.0 200"), (End::Callee, "SIP/2.0 200")];
    wire.hang_up();
    let heard = wire.finish();
    assert_eq!(heard[3..], [(1000, "bye"), (2500, "200 of bye")]);
}

#[test]
fn a_refusal_and_its_ack_survive_loss() {
    let mut callee = Bench::udp();
    let mut caller = Bench::udp();
    caller.request(our(Method::Invite));
    callee.receive(&caller.only());
    callee.answer(486);
    callee.sent();
    callee.at(500);
    caller.at(400);
    caller.receive(&callee.only());
    assert_eq!(start(&caller.only()), "ACK", "the first ACK is lost");
    callee.at(1500);
    caller.receive(&callee.only());
    callee.receive(&caller.only());
    callee.finish();
    caller.finish();
    assert_eq!((callee.starts(), callee.events()), (vec![], vec![]));
    assert_eq!(caller.events().len(), 1);
}

#[test]
fn what_we_write_the_other_end_can_read() {
    let mut bench = Bench::udp();
    bench.request(our(Method::Invite));
    let message = Message::parse(bench.only()).unwrap();
    assert!(
        message
            .request()
            .is_some_and(|r| r.headers.via().unwrap().has_cookie())
    );
}
