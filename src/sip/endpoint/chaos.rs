//! Whatever happens to an endpoint, in whatever order: it does not panic, and nothing outlives its
//! transaction.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;

use super::{Endpoint, EndpointOutput, Event};
use crate::sip::timing::{GIVE_UP, PROCEEDING};
use crate::sip::{
    Flow, FlowId, Message, Method, Request, Response, Style, Tokens, TransactionId, Transport,
};
use crate::time::Instant;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Happening {
    /// A request of the peer, made of small choices so that they meet again.
    Request {
        method: Method,
        branch: u8,
        cseq: u8,
        tags: u8,
        flow: u8,
    },
    /// An answer of the peer to something we sent.
    Answer {
        to: usize,
        status: u16,
    },
    /// Octets that are nothing.
    Garbage {
        octets: Vec<u8>,
        flow: u8,
    },
    /// Something we sent comes back.
    Echo {
        of: usize,
        flow: u8,
    },
    /// The owner asks.
    Ask {
        method: Method,
        flow: u8,
    },
    /// The owner answers.
    Respond {
        to: usize,
        status: u16,
    },
    /// The owner cancels.
    Cancel {
        of: usize,
    },
    /// The owner acknowledges.
    Ack {
        flow: u8,
    },
    /// Time passes, timer by timer, or in a leap that makes all timers late.
    Pass {
        millis: u64,
        leap: bool,
    },
    /// A flow opens or closes.
    Open {
        flow: u8,
    },
    Close {
        flow: u8,
    },
}

fn method() -> impl Strategy<Value = Method> {
    use Method::*;
    prop::sample::select(vec![
        Invite, Invite, Invite, Ack, Ack, Cancel, Bye, Message, Register, Info,
    ])
}

fn status() -> impl Strategy<Value = u16> {
    prop::sample::select(vec![
        100u16, 101, 180, 200, 202, 302, 401, 486, 487, 503, 603,
    ])
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    let request = (method(), 0..4u8, 1..4u8, 0..8u8, 0..3u8).prop_map(
        |(method, branch, cseq, tags, flow)| Request {
            method,
            branch,
            cseq,
            tags,
            flow,
        },
    );
    let garbage = (vec(any::<u8>(), 0..40), 0..3u8);
    prop_oneof![
        8 => request,
        6 => (0..64usize, status()).prop_map(|(to, status)| Answer { to, status }),
        1 => garbage.prop_map(|(octets, flow)| Garbage { octets, flow }),
        1 => (0..64usize, 0..3u8).prop_map(|(of, flow)| Echo { of, flow }),
        4 => (method(), 0..3u8).prop_map(|(method, flow)| Ask { method, flow }),
        6 => (0..64usize, status()).prop_map(|(to, status)| Respond { to, status }),
        2 => (0..64usize).prop_map(|of| Cancel { of }),
        1 => (0..3u8).prop_map(|flow| Ack { flow }),
        5 => (0..40_000u64, any::<bool>()).prop_map(|(millis, leap)| Pass { millis, leap }),
        1 => (0..3u8).prop_map(|flow| Open { flow }),
        1 => (0..3u8).prop_map(|flow| Close { flow }),
    ]
}

/// An endpoint, its owner and its peer.
struct Chaos {
    endpoint: Endpoint,
    now: Instant,
    sent: Vec<Bytes>,
    asked: Vec<(TransactionId, Request)>,
    ours: Vec<TransactionId>,
    tokens: u64,
}

fn peer() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 5060))
}

impl Chaos {
    fn new() -> Chaos {
        let endpoint = Endpoint::new(Arc::new(Style::default()), Tokens::seeded(1));
        let mut chaos = Chaos {
            endpoint: endpoint.limited_to(24),
            now: Instant::ZERO,
            sent: Vec::new(),
            asked: Vec::new(),
            ours: Vec::new(),
            tokens: 0,
        };
        (0..3).for_each(|flow| chaos.open(flow));
        chaos
    }

    fn open(&mut self, flow: u8) {
        let transport = match flow {
            0 => Transport::Udp,
            _ => Transport::Tcp,
        };
        let is = Flow {
            transport,
            local: SocketAddr::from(([10, 0, 0, 2], 5060)),
            remote: None,
        };
        self.endpoint.opened(FlowId(flow.into()), is);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Request {
                method,
                branch,
                cseq,
                tags,
                flow,
            } => self.receive(flow, request(method, branch, cseq, tags)),
            Happening::Answer { to, status } => self.answer_ours(to, status),
            Happening::Garbage { octets, flow } => self.receive(flow, octets.into()),
            Happening::Echo { of, flow } => {
                if let Some(bytes) = pick(&self.sent, of) {
                    self.receive(flow, bytes);
                }
            }
            Happening::Ask { method, flow } => self.ask(method, flow),
            Happening::Respond { to, status } => self.respond(to, status),
            Happening::Cancel { of } => {
                if let Some(tx) = pick(&self.ours, of) {
                    self.endpoint.cancel(self.now, tx);
                }
            }
            Happening::Ack { flow } => {
                let ack = self.our(Method::Ack);
                self.endpoint.ack(FlowId(flow.into()), peer(), ack);
            }
            Happening::Pass { millis, leap } => {
                let time = Duration::from_millis(millis);
                match leap {
                    true => self.now += time,
                    false => self.pass(time),
                }
            }
            Happening::Open { flow } => self.open(flow),
            Happening::Close { flow } => self.endpoint.closed(FlowId(flow.into())),
        }
        self.drain();
    }

    fn receive(&mut self, flow: u8, bytes: Bytes) {
        let flow = FlowId(flow.into());
        self.endpoint.received(self.now, flow, peer(), bytes);
    }

    fn answer_ours(&mut self, to: usize, status: u16) {
        let Some(bytes) = pick(&self.sent, to) else {
            return;
        };
        if let Ok(Message::Request(request)) = Message::parse(bytes) {
            let response = Response::answering(&request.headers, status, "x");
            self.receive(0, response.write(&Style::default()));
        }
    }

    fn our(&mut self, method: Method) -> Request {
        self.tokens += 1;
        Request::new(method, "sip:1@10.0.0.1")
            .with_header("From", "<sip:2@10.0.0.2>;tag=a")
            .with_header("To", "<sip:1@10.0.0.1>")
            .with_header("Call-ID", format!("ours-{}", self.tokens))
            .with_header("CSeq", format!("1 {method}"))
    }

    fn ask(&mut self, method: Method, flow: u8) {
        if !matches!(method, Method::Ack | Method::Cancel) {
            let request = self.our(method);
            let flow = FlowId(flow.into());
            let tx = self.endpoint.request(self.now, flow, peer(), request);
            self.ours.push(tx);
        }
    }

    fn respond(&mut self, to: usize, status: u16) {
        if let Some((tx, request)) = pick(&self.asked, to) {
            let response = self.endpoint.answer(&request, status);
            self.endpoint.respond(self.now, tx, response);
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.endpoint.poll(self.now) {
            match output {
                EndpointOutput::Send { bytes, .. } => self.sent.push(bytes),
                EndpointOutput::Event(Event::Request { tx, request, .. }) => {
                    self.asked.push((tx, request));
                }
                EndpointOutput::Close(_) | EndpointOutput::Event(_) => {}
            }
        }
        assert!(self.endpoint.is_sound());
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(at) = self.endpoint.deadline().filter(|at| *at <= until) {
            assert!(at > self.now, "a timer that never ends");
            self.now = at;
            self.drain();
        }
        self.now = until;
    }

    /// The owner settles what is open, and 64*T1 pass twice: for what is cancelled, and for nothing.
    fn settle(&mut self) {
        for (tx, request) in std::mem::take(&mut self.asked) {
            let response = self.endpoint.answer(&request, 200);
            self.endpoint.respond(self.now, tx, response);
        }
        for tx in std::mem::take(&mut self.ours) {
            self.endpoint.cancel(self.now, tx);
        }
        self.drain();
        self.pass(GIVE_UP);
    }

    fn assert_empty(&self) {
        assert_eq!(self.endpoint.len(), 0);
        assert_eq!(self.endpoint.deadline(), None);
        assert!(self.endpoint.is_sound());
    }
}

fn pick<T: Clone>(list: &[T], at: usize) -> Option<T> {
    list.iter().rev().nth(at % list.len().max(1)).cloned()
}

fn request(method: Method, branch: u8, cseq: u8, tags: u8) -> Bytes {
    let cookie = if branch == 3 { "z3hG9bK" } else { "z9hG4bK" };
    let to = ["", ";tag=x"][usize::from(tags & 1)];
    let from = ["a", "b"][usize::from(tags >> 1 & 1)];
    let call = tags >> 2;
    Bytes::from(format!(
        "{method} sip:2@10.0.0.2 SIP/2.0\r\n\
         Via: SIP/2.0/UDP 10.0.0.1:5060;branch={cookie}{branch}\r\n\
         From: <sip:1@10.0.0.1>;tag={from}\r\n\
         To: <sip:2@10.0.0.2>{to}\r\n\
         Call-ID: call-{call}\r\n\
         CSeq: {cseq} {method}\r\n\
         Content-Length: 0\r\n\r\n"
    ))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn once_its_owner_has_settled_everything_64_t1_empty_an_endpoint(
        happenings in vec(happening(), 0..80),
    ) {
        let mut chaos = Chaos::new();
        for happening in happenings {
            chaos.happen(happening);
        }
        chaos.settle();
        chaos.assert_empty();
    }

    #[test]
    fn an_owner_that_settles_nothing_leaks_nothing_either(
        happenings in vec(happening(), 0..80),
    ) {
        let mut chaos = Chaos::new();
        for happening in happenings {
            chaos.happen(happening);
        }
        chaos.pass(PROCEEDING + GIVE_UP);
        chaos.assert_empty();
    }
}
