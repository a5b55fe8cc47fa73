//! All calls: INVITE, ACK, CANCEL, BYE, and the media they order
//! (GB/T 28181-2022 §9.2 and annexes D, K, L; RFC 3261 §9, §12-§15).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::gb28181::DeviceId;
use crate::media::{Expected, MediaTransport, Order};
use crate::sip::{Dialog, Headers, Method, Request, Response};
use crate::time::Now;

use super::call::{Call, State};
use super::complaint::Deviation;
use super::desk::{Desk, Incoming, Purpose, Route, Timer, Waiting};
use super::devices::{Devices, sender};
use super::event::{Event, PlayEnd, PlayFailure, PlayId};
use super::ssrcs::Ssrcs;
use super::terms;

/// What the owner asks for with [`Command::Play`](super::Command::Play).
pub(super) struct Wish {
    pub device: DeviceId,
    pub channel: DeviceId,
    pub transport: MediaTransport,
    pub expected: Arc<Expected>,
    pub play: PlayId,
}

/// The calls of a platform, found by number, Call-ID and device.
pub(super) struct Calls {
    pub(super) live: HashMap<PlayId, Call>,
    by_call_id: HashMap<String, PlayId>,
    by_device: HashMap<DeviceId, BTreeSet<PlayId>>,
    ssrcs: Ssrcs,
}

impl Calls {
    pub fn new(platform: DeviceId) -> Self {
        Calls {
            live: HashMap::new(),
            by_call_id: HashMap::new(),
            by_device: HashMap::new(),
            ssrcs: Ssrcs::new(platform),
        }
    }

    /// How many calls are not wholly over.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// The device of the call that a request belongs to by its Call-ID.
    pub fn with_call_id(&self, request: &Request) -> Option<DeviceId> {
        let play = self.by_call_id.get(request.headers.call_id()?)?;
        self.live.get(play).map(|call| call.device)
    }

    /// Begins a call: first a port for its media.
    pub fn play(&mut self, desk: &mut Desk, devices: &Devices, wish: Wish) {
        let play = wish.play;
        if self.live.contains_key(&play) {
            let why = PlayFailure::NumberInUse;
            return desk.tell(Event::PlayRefused { play, why });
        }
        let Some(there) = devices.online(&wish.device) else {
            let why = PlayFailure::NotRegistered;
            return desk.tell(Event::PlayRefused { play, why });
        };
        let Some((number, ssrc)) = self.ssrcs.take() else {
            let why = PlayFailure::NoSsrc;
            return desk.tell(Event::PlayRefused { play, why });
        };
        let Wish {
            device,
            channel,
            transport,
            expected,
            ..
        } = wish;
        let call = Call {
            play,
            device,
            channel,
            route: there.route,
            transport,
            number,
            ssrc,
            expected,
            state: State::Opening,
            invite: None,
            invited: Default::default(),
            cancelled: None,
            dialog: None,
            ack: None,
            terms: None,
            ended: None,
            bye_pending: false,
            media_end: None,
            failures: 0,
            streaming: false,
            reconnecting: false,
            ssrc_noticed: false,
        };
        desk.order(Order::Open {
            stream: call.stream(),
            transport: terms::our_part(transport),
            local: desk.media_ip(),
        });
        self.by_device.entry(device).or_default().insert(play);
        self.live.insert(play, call);
    }

    /// The media plane has a port: INVITE.
    pub(super) fn invite(
        &mut self,
        now: Now,
        desk: &mut Desk,
        devices: &Devices,
        play: PlayId,
        local: std::net::SocketAddr,
    ) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        if call.state != State::Opening {
            return;
        }
        let Some(there) = devices.online(&call.device) else {
            return self.refuse(desk, play, PlayFailure::DeviceGone);
        };
        call.route = there.route;
        let platform = desk.config.id;
        let contact = desk.contact(call.route.flow);
        let request = desk
            .request(Method::Invite, &call.channel, &there.host, call.route.flow)
            .with_header("Contact", contact)
            .with_header(
                "Subject",
                format!("{}:{},{platform}:0", call.channel, call.ssrc),
            )
            .with_body(
                terms::SDP,
                terms::offer(&platform, local, call.transport, &call.ssrc),
            );
        let call_id = request.headers.call_id().unwrap_or_default().to_owned();
        self.by_call_id.insert(call_id, play);
        let transaction = desk.send(
            now.mono,
            Purpose::Invite(play),
            call.device,
            call.route,
            request.clone(),
        );
        call.invite = Some((transaction, request));
        call.invited = now.mono;
        call.state = State::Inviting;
        let patience = desk.config.invite_timeout;
        desk.timers.set(Timer::Call(play), now.mono + patience);
    }

    /// A response to an INVITE of ours.
    pub fn invite_answered(
        &mut self,
        now: Now,
        desk: &mut Desk,
        play: PlayId,
        response: &Response,
    ) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        match response.status() {
            100..=199 => {}
            200..=299 if call.ack.is_some() => acknowledge(desk, call),
            200..=299 => self.accepted(now, desk, play, response),
            status => {
                let reason = response.reason().to_owned();
                let refused = PlayFailure::Refused { status, reason };
                let why = call.cancelled.take().unwrap_or(refused);
                self.refuse(desk, play, why);
            }
        }
    }

    /// The INVITE had no final response, or its flow broke.
    pub fn invite_failed(&mut self, desk: &mut Desk, play: PlayId, why: &str) {
        let cancelled = self
            .live
            .get_mut(&play)
            .and_then(|call| call.cancelled.take());
        let why = cancelled.unwrap_or(PlayFailure::NoAnswer(why.to_owned()));
        self.refuse(desk, play, why);
    }

    /// The first 2xx: there is a dialog, and it must be acknowledged whatever it says.
    fn accepted(&mut self, now: Now, desk: &mut Desk, play: PlayId, response: &Response) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        let Some((_, invite)) = &call.invite else {
            return;
        };
        let Some(dialog) = Dialog::from_uac(invite, response) else {
            return;
        };
        let cseq = invite.headers.cseq().map_or(1, |cseq| cseq.number);
        call.ack = Some(dialog.ack(cseq));
        call.dialog = Some(dialog);
        acknowledge(desk, call);
        if response.headers.contact().is_err() {
            notice(desk, call, &response.headers, Deviation::NoContact, "");
        }
        if call.state != State::Inviting {
            say_bye(now, desk, call);
            let why = call.cancelled.take().unwrap_or(PlayFailure::Cancelled);
            return self.refuse(desk, play, why);
        }
        let mut noticed = Vec::new();
        let agreed = terms::read(response, call.transport, &call.ssrc, &mut noticed);
        for (what, detail) in noticed {
            notice(desk, call, &response.headers, what, &detail);
        }
        match agreed {
            Ok(terms) => up(now, desk, call, terms),
            Err(why) => {
                say_bye(now, desk, call);
                self.refuse(desk, play, PlayFailure::BadAnswer(why));
            }
        }
    }

    /// The owner wants no more of a call.
    pub fn stop(&mut self, now: Now, desk: &mut Desk, play: PlayId) {
        self.end(now, desk, play, PlayEnd::Stopped, PlayFailure::Cancelled);
    }

    /// As [`stop`](Self::stop), for all calls.
    pub fn stop_all(&mut self, now: Now, desk: &mut Desk) {
        let mut plays: Vec<_> = self.live.keys().copied().collect();
        plays.sort_unstable();
        for play in plays {
            self.stop(now, desk, play);
        }
    }

    /// A device is reached by another way, and so are its calls.
    pub fn moved(&mut self, device: &DeviceId, route: Route) {
        for play in self.by_device.get(device).into_iter().flatten() {
            if let Some(call) = self.live.get_mut(play) {
                call.route = route;
            }
        }
    }

    /// A device is gone: its calls end, without BYE, for nobody would hear it.
    pub fn device_gone(&mut self, now: Now, desk: &mut Desk, device: &DeviceId) {
        let plays = self.by_device.get(device).cloned().unwrap_or_default();
        for play in plays {
            match self.live.get(&play).map(|call| call.state) {
                Some(State::Up) => self.over(desk, play, PlayEnd::DeviceGone),
                _ => self.end(
                    now,
                    desk,
                    play,
                    PlayEnd::DeviceGone,
                    PlayFailure::DeviceGone,
                ),
            }
        }
    }

    /// Ends a call from our side, however far it has come.
    pub(super) fn end(
        &mut self,
        now: Now,
        desk: &mut Desk,
        play: PlayId,
        up: PlayEnd,
        before: PlayFailure,
    ) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        match call.state {
            State::Opening => self.refuse(desk, play, before),
            State::Inviting => {
                call.state = State::Cancelling;
                call.cancelled = Some(before);
                if let Some((transaction, _)) = &call.invite {
                    desk.endpoint.cancel(now.mono, *transaction);
                }
                let patience = desk.config.invite_timeout;
                desk.timers.set(Timer::Call(play), now.mono + patience);
            }
            State::Up => self.hang_up(now, desk, play, up),
            State::Cancelling | State::Over => {}
        }
    }

    /// BYE.
    pub(super) fn hang_up(&mut self, now: Now, desk: &mut Desk, play: PlayId, why: PlayEnd) {
        if let Some(call) = self.live.get_mut(&play) {
            say_bye(now, desk, call);
        }
        self.over(desk, play, why);
    }

    /// A call that was answered is over but for its media and its BYE.
    pub(super) fn over(&mut self, desk: &mut Desk, play: PlayId, why: PlayEnd) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        if call.state == State::Over {
            return;
        }
        call.state = State::Over;
        call.ended = Some(why);
        desk.timers.cancel(&Timer::Call(play));
        if call.media_end.is_none() {
            desk.order(Order::Stop(call.stream()));
        }
        self.try_forget(desk, play);
    }

    /// A call that did not come about: told at once, its media cleared away.
    pub(super) fn refuse(&mut self, desk: &mut Desk, play: PlayId, why: PlayFailure) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        if call.state == State::Over {
            return;
        }
        call.state = State::Over;
        desk.timers.cancel(&Timer::Call(play));
        desk.tell(Event::PlayRefused { play, why });
        if call.media_end.is_none() {
            desk.order(Order::Stop(call.stream()));
        }
        self.try_forget(desk, play);
    }

    /// A BYE of ours was answered, or not.
    pub fn bye_answered(
        &mut self,
        desk: &mut Desk,
        waiting: &Waiting,
        play: PlayId,
        answer: Result<&Response, &str>,
    ) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        call.bye_pending = false;
        let crossed = call.ended == Some(PlayEnd::ByDevice);
        let (headers, detail) = match answer {
            Ok(response) if response.is_success() || crossed => (None, String::new()),
            Ok(response) => (
                Some(response.headers.clone()),
                response.status().to_string(),
            ),
            Err(why) => (Some(Headers::default()), why.to_owned()),
        };
        if let Some(mut headers) = headers {
            headers.set("Call-ID", waiting.sent.call_id.as_str());
            notice(desk, call, &headers, Deviation::Bye, &detail);
        }
        self.try_forget(desk, play);
    }

    /// BYE of a device (RFC 3261 §15.1.2).
    pub fn bye(&mut self, now: Now, desk: &mut Desk, incoming: &Incoming) {
        let request = &incoming.request;
        let call_id = request.headers.call_id().unwrap_or_default();
        let play = self.by_call_id.get(call_id).copied();
        let call = play.and_then(|play| self.live.get_mut(&play));
        let of_dialog =
            |dialog: &mut Dialog| dialog.matches(request).then(|| dialog.in_order(request));
        let known = call.and_then(|call| {
            let in_order = call.dialog.as_mut().and_then(of_dialog)?;
            Some((call.play, call.device, in_order))
        });
        let Some((play, device, in_order)) = known else {
            desk.reply(now.mono, incoming, 481);
            let device = self.with_call_id(request).or_else(|| sender(request));
            return desk.object(device, incoming, Deviation::NoDialog, "BYE");
        };
        if !in_order {
            desk.reply(now.mono, incoming, 500);
            return desk.object(Some(device), incoming, Deviation::CseqOrder, "BYE");
        }
        desk.reply(now.mono, incoming, 200);
        self.over(desk, play, PlayEnd::ByDevice);
    }

    /// MediaStatus 121: the device has sent everything. The platform ends the call
    /// (GB/T 28181-2022 §9.8).
    pub fn media_status(&mut self, now: Now, desk: &mut Desk, request: &Request) {
        let call_id = request.headers.call_id().unwrap_or_default();
        let Some(play) = self.by_call_id.get(call_id).copied() else {
            return;
        };
        if self
            .live
            .get(&play)
            .is_some_and(|call| call.state == State::Up)
        {
            self.hang_up(now, desk, play, PlayEnd::MediaStatus);
        }
    }

    /// Forgets a call that has nothing left to wait for.
    pub(super) fn try_forget(&mut self, desk: &mut Desk, play: PlayId) {
        if !self.live.get(&play).is_some_and(Call::is_finished) {
            return;
        }
        let Some(call) = self.live.remove(&play) else {
            return;
        };
        self.ssrcs.give_back(call.number);
        if let Some((transaction, invite)) = &call.invite {
            desk.finished(*transaction);
            self.by_call_id
                .remove(invite.headers.call_id().unwrap_or_default());
        }
        if let Some(plays) = self.by_device.get_mut(&call.device) {
            plays.remove(&play);
            if plays.is_empty() {
                self.by_device.remove(&call.device);
            }
        }
        if let (Some(why), Some(end)) = (call.ended, call.media_end) {
            desk.tell(Event::PlayEnded {
                play,
                why,
                counts: end.counts,
                verdict: end.verdict,
                recording: end.recording,
            });
        }
    }
}

/// An answer that can be used: media may flow.
fn up(now: Now, desk: &mut Desk, call: &mut Call, terms: terms::Terms) {
    call.state = State::Up;
    desk.tell(Event::PlayAnswered {
        play: call.play,
        media: terms.media,
        ssrc: terms.ssrc,
        took: now.mono - call.invited,
    });
    call.terms = Some(terms);
    if let Some(order) = call.start() {
        desk.order(order);
    }
    let patience = desk.config.media_timeout;
    desk.timers.set(Timer::Call(call.play), now.mono + patience);
}

/// ACK of a 2xx, the first as well as every repeated one (RFC 3261 §13.2.2.4).
fn acknowledge(desk: &mut Desk, call: &Call) {
    if let Some(ack) = &call.ack {
        let route = call.route;
        desk.endpoint.ack(route.flow, route.to, ack.clone());
    }
}

fn say_bye(now: Now, desk: &mut Desk, call: &mut Call) {
    if let Some(dialog) = &mut call.dialog {
        let bye = dialog.request(Method::Bye);
        let purpose = Purpose::Bye(call.play);
        desk.send(now.mono, purpose, call.device, call.route, bye);
        call.bye_pending = true;
    }
}

/// A complaint about the device of a call.
pub(super) fn notice(
    desk: &mut Desk,
    call: &Call,
    headers: &Headers,
    what: Deviation,
    detail: &str,
) {
    desk.complain(Some(call.device), call.peer(), headers, what, detail);
}

#[cfg(test)]
mod tests {
    use super::super::Command;
    use super::super::testing::{Bench, Puppet, Said, config};
    use super::*;
    use crate::media::{Flowing, StreamId};

    fn refusal(said: &Said) -> Option<&PlayFailure> {
        said.events.iter().find_map(|event| match event {
            Event::PlayRefused { why, .. } => Some(why),
            _ => None,
        })
    }

    fn end(said: &Said) -> Option<PlayEnd> {
        said.events.iter().find_map(|event| match event {
            Event::PlayEnded { why, .. } => Some(*why),
            _ => None,
        })
    }

    fn stops(said: &Said) -> bool {
        said.orders
            .iter()
            .any(|order| matches!(order, Order::Stop(StreamId(1))))
    }

    /// A registered device and the INVITE it gets for call 1.
    fn invited(bench: &mut Bench, transport: MediaTransport) -> (Puppet, Request) {
        let device = Puppet::new(1).registered(bench);
        let said = bench.play(&device, transport, 1);
        assert!(matches!(
            said.orders[..],
            [Order::Open { transport: ours, .. }] if ours == terms::our_part(transport)
        ));
        let port = if transport == MediaTransport::TcpPassive {
            0
        } else {
            10_000
        };
        let said = bench.media_open(1, port);
        (device, said.request(Method::Invite).clone())
    }

    /// As [`invited`], accepted and acknowledged.
    fn up(bench: &mut Bench) -> (Puppet, Request) {
        let (device, invite) = invited(bench, MediaTransport::Udp);
        let ok = device.accept(&invite, MediaTransport::Udp, "0200000001");
        assert_eq!(device.say(bench, ok).methods(), [Method::Ack]);
        (device, invite)
    }

    /// A BYE of the device in the dialog of `invite`.
    fn bye(device: &mut Puppet, invite: &Request) -> Request {
        let mut bye = device.request(Method::Bye);
        let to = invite.headers.value("From").unwrap();
        let from = format!("{};tag=device", invite.headers.value("To").unwrap());
        bye.headers.set("From", from);
        bye.headers.set("To", to);
        bye.headers
            .set("Call-ID", invite.headers.call_id().unwrap());
        bye
    }

    #[test]
    fn an_invite_names_channel_ssrc_and_subject() {
        let mut bench = Bench::new(config());
        let (device, invite) = invited(&mut bench, MediaTransport::Udp);
        let channel = device.channel();
        assert_eq!(invite.uri(), format!("sip:{channel}@192.0.2.1:5060"));
        let subject = format!("{channel}:0200000001,34020000002000000001:0");
        assert_eq!(invite.headers.value("Subject"), Some(subject.as_str()));
        let contact = "<sip:34020000002000000001@192.0.2.9:5060>";
        assert_eq!(invite.headers.value("Contact"), Some(contact));
    }

    #[test]
    fn a_call_over_each_transport_is_answered_acknowledged_and_ended() {
        for transport in [
            MediaTransport::Udp,
            MediaTransport::TcpActive,
            MediaTransport::TcpPassive,
        ] {
            let mut bench = Bench::new(config());
            let (device, invite) = invited(&mut bench, transport);
            for status in [100, 101] {
                let trying = device.answer(&invite, status);
                assert!(device.say(&mut bench, trying).events.is_empty());
            }
            let ok = device.accept(&invite, transport, "0200000001");
            let said = device.say(&mut bench, ok);
            let ack = said.request(Method::Ack);
            assert_eq!(ack.headers.value("CSeq"), Some("1 ACK"));
            assert!(ack.headers.value("To").unwrap().ends_with(";tag=device"));
            assert_eq!(said.complaints(), []);
            let Some(Order::Start {
                remote,
                what: Flowing::In(expected),
                ..
            }) = said.orders.first()
            else {
                panic!("no start in {:?}", said.orders);
            };
            assert_eq!((remote.port(), expected.ssrc), (9730, Some(200_000_001)));
            let said = bench.command(Command::Stop { play: PlayId(1) });
            assert!(stops(&said));
            let bye = said.request(Method::Bye);
            assert_eq!(bye.headers.value("CSeq"), Some("2 BYE"));
            assert_eq!(end(&bench.media_end(1)), None);
            let ok = device.answer(bye, 200);
            let said = device.say(&mut bench, ok);
            assert_eq!(end(&said), Some(PlayEnd::Stopped), "{transport}");
            assert_eq!((bench.platform.calls(), said.complaints()), (0, vec![]));
        }
    }

    #[test]
    fn a_2xx_that_comes_again_is_acknowledged_again_and_counted_once() {
        let mut bench = Bench::new(config());
        let (device, invite) = up(&mut bench);
        for _ in 0..3 {
            let ok = device.accept(&invite, MediaTransport::Udp, "0200000001");
            let said = device.say(&mut bench, ok);
            assert_eq!(said.methods(), [Method::Ack]);
            assert!(said.events.is_empty() && said.orders.is_empty());
        }
    }

    #[test]
    fn a_refusal_is_told_with_its_status_and_frees_the_port() {
        let mut bench = Bench::new(config());
        let (device, invite) = invited(&mut bench, MediaTransport::Udp);
        let busy = device.answer(&invite, 486);
        let said = device.say(&mut bench, busy);
        assert_eq!(refusal(&said).and_then(PlayFailure::status), Some(486));
        assert_eq!(said.methods(), [Method::Ack]);
        assert!(stops(&said));
        assert!(bench.media_end(1).events.is_empty());
        assert_eq!(bench.platform.calls(), 0);
    }

    #[test]
    fn a_call_that_nobody_answers_is_cancelled_after_a_provisional_response_only() {
        let mut bench = Bench::new(config());
        let (device, invite) = invited(&mut bench, MediaTransport::Udp);
        let said = bench.command(Command::Stop { play: PlayId(1) });
        assert!(said.sent.is_empty());
        let trying = device.answer(&invite, 100);
        let said = device.say(&mut bench, trying);
        assert_eq!(said.methods(), [Method::Cancel]);
        let terminated = device.answer(&invite, 487);
        let said = device.say(&mut bench, terminated);
        assert_eq!(refusal(&said), Some(&PlayFailure::Cancelled));
        bench.media_end(1);
        assert_eq!(bench.platform.calls(), 0);
    }

    #[test]
    fn a_2xx_that_crosses_a_cancel_is_acknowledged_and_ended() {
        let mut bench = Bench::new(config());
        let (device, invite) = invited(&mut bench, MediaTransport::Udp);
        bench.command(Command::Stop { play: PlayId(1) });
        let ok = device.accept(&invite, MediaTransport::Udp, "0200000001");
        let said = device.say(&mut bench, ok);
        assert_eq!(said.methods(), [Method::Ack, Method::Bye]);
        assert_eq!(refusal(&said), Some(&PlayFailure::Cancelled));
        bench.media_end(1);
        let ok = device.answer(said.request(Method::Bye), 200);
        device.say(&mut bench, ok);
        assert_eq!(bench.platform.calls(), 0);
    }

    #[test]
    fn without_any_answer_a_call_is_given_up() {
        let mut bench = Bench::new(config());
        invited(&mut bench, MediaTransport::Udp);
        let said = bench.pass(70.0);
        assert!(matches!(refusal(&said), Some(PlayFailure::NoAnswer(_))));
        bench.media_end(1);
        assert_eq!(bench.platform.calls(), 0);
    }

    #[test]
    fn an_answer_that_cannot_be_used_is_acknowledged_and_ended() {
        let mut bench = Bench::new(config());
        let (device, invite) = invited(&mut bench, MediaTransport::Udp);
        let ok = device.answer(&invite, 200);
        let said = device.say(&mut bench, ok);
        assert_eq!(said.methods(), [Method::Ack, Method::Bye]);
        assert!(matches!(refusal(&said), Some(PlayFailure::BadAnswer(_))));
        let complaints = [Deviation::NoContact, Deviation::ContentType, Deviation::Sdp];
        assert_eq!(said.complaints(), complaints);
    }

    #[test]
    fn an_answer_with_another_ssrc_is_noticed_and_believed() {
        let mut bench = Bench::new(config());
        let (device, invite) = invited(&mut bench, MediaTransport::Udp);
        let ok = device.accept(&invite, MediaTransport::Udp, "0200004711");
        let said = device.say(&mut bench, ok);
        assert_eq!(said.complaints(), [Deviation::SsrcDiffers]);
        assert!(said.told(|event| matches!(
            event,
            Event::PlayAnswered {
                ssrc: 200_004_711,
                ..
            }
        )));
    }

    #[test]
    fn a_device_may_hang_up_and_its_copies_of_bye_do_no_harm() {
        let mut bench = Bench::new(config());
        let (mut device, invite) = up(&mut bench);
        let bye = bye(&mut device, &invite);
        let said = device.say(&mut bench, bye.clone());
        assert_eq!((said.statuses(), said.complaints()), (vec![200], vec![]));
        assert!(stops(&said));
        assert_eq!(device.say(&mut bench, bye).statuses(), [200]);
        assert_eq!(end(&bench.media_end(1)), Some(PlayEnd::ByDevice));
    }

    #[test]
    fn a_bye_for_another_dialog_is_481_and_noticed() {
        let mut bench = Bench::new(config());
        let (mut device, invite) = up(&mut bench);
        let mut wrong = bye(&mut device, &invite);
        wrong.headers.set("From", "<sip:x@y>;tag=other");
        let said = device.say(&mut bench, wrong);
        assert_eq!(said.statuses(), [481]);
        assert_eq!(said.complaints(), [Deviation::NoDialog]);
        assert_eq!(bench.platform.calls(), 1);
    }

    #[test]
    fn media_status_ends_the_call_with_bye() {
        let mut bench = Bench::new(config());
        let (mut device, invite) = up(&mut bench);
        let channel = device.channel();
        let mut message = device.message(format!(
            "<Notify><CmdType>MediaStatus</CmdType><SN>5</SN><DeviceID>{channel}</DeviceID>\
             <NotifyType>121</NotifyType></Notify>"
        ));
        message
            .headers
            .set("Call-ID", invite.headers.call_id().unwrap());
        message
            .headers
            .set("From", format!("<sip:{channel}@x>;tag=device"));
        let said = device.say(&mut bench, message);
        assert_eq!((said.statuses(), said.complaints()), (vec![200], vec![]));
        assert_eq!(said.methods(), [Method::Bye]);
        bench.media_end(1);
        let ok = device.answer(said.request(Method::Bye), 200);
        assert_eq!(end(&device.say(&mut bench, ok)), Some(PlayEnd::MediaStatus));
    }

    #[test]
    fn a_bye_of_ours_that_is_refused_or_lost_is_noticed() {
        for status in [Some(500), None] {
            let mut bench = Bench::new(config());
            let (device, _) = up(&mut bench);
            let said = bench.command(Command::Stop { play: PlayId(1) });
            bench.media_end(1);
            let said = match status {
                Some(status) => {
                    let refusal = device.answer(said.request(Method::Bye), status);
                    device.say(&mut bench, refusal)
                }
                None => bench.pass(33.0),
            };
            assert_eq!(said.complaints(), [Deviation::Bye]);
            assert_eq!(end(&said), Some(PlayEnd::Stopped));
        }
    }

    #[test]
    fn a_call_follows_its_device_to_another_address() {
        let mut bench = Bench::new(config());
        let (mut device, _) = up(&mut bench);
        device.at = "192.0.2.1:6060".parse().unwrap();
        let keepalive = device.keepalive();
        device.say(&mut bench, keepalive);
        let said = bench.command(Command::Stop { play: PlayId(1) });
        assert_eq!(said.methods(), [Method::Bye]);
        assert_eq!(said.sent[0].1, device.at);
    }

    #[test]
    fn a_call_ends_with_its_device() {
        let mut bench = Bench::new(config());
        let (mut device, _) = up(&mut bench);
        let register = device.register("0");
        let said = device.say(&mut bench, register);
        assert!(stops(&said) && said.methods().is_empty());
        assert_eq!(end(&bench.media_end(1)), Some(PlayEnd::DeviceGone));
    }

    #[test]
    fn a_call_that_cannot_begin_is_refused_at_once() {
        let mut bench = Bench::new(config());
        let said = bench.play(&Puppet::new(1), MediaTransport::Udp, 1);
        assert_eq!(refusal(&said), Some(&PlayFailure::NotRegistered));
        let (device, _) = invited(&mut bench, MediaTransport::Udp);
        let said = bench.play(&device, MediaTransport::Udp, 1);
        assert_eq!(refusal(&said), Some(&PlayFailure::NumberInUse));
        bench.play(&device, MediaTransport::Udp, 2);
        let said = bench.media(crate::media::Report::Ended {
            stream: StreamId(2),
            counts: Default::default(),
            verdict: None,
            recording: Default::default(),
            error: Some("no port".into()),
        });
        assert_eq!(
            refusal(&said),
            Some(&PlayFailure::NoMedia("no port".into()))
        );
        assert_eq!(bench.platform.calls(), 1);
    }

    #[test]
    fn a_call_without_media_is_given_up() {
        let patience = config().media_timeout.as_secs_f64();
        let mut bench = Bench::new(config());
        up(&mut bench);
        assert!(bench.pass(patience - 0.1).methods().is_empty());
        assert_eq!(bench.pass(0.2).request(Method::Bye).method(), Method::Bye);
    }
}
