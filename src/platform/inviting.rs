//! INVITE of ours, and what is answered (RFC 3261 §13, as caller).

use std::net::SocketAddr;

use crate::sip::{Dialog, Method, Request, Response};
use crate::time::Now;

use super::call::{Call, State};
use super::calls::{Calls, notice};
use super::complaint::Deviation;
use super::desk::{Desk, Purpose, Timer};
use super::devices::{Device, Devices};
use super::event::{Event, PlayFailure, PlayId};
use super::leaving::say_bye;
use super::terms;

impl Calls {
    /// The media plane has a port: INVITE.
    pub(super) fn invite(
        &mut self,
        now: Now,
        desk: &mut Desk,
        devices: &Devices,
        play: PlayId,
        local: SocketAddr,
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
        let request = invitation(desk, call, there, local);
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
        let agreed = terms::read(
            response,
            (call.transport, call.showing),
            &call.ssrc,
            &mut noticed,
        );
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
}

/// The INVITE of a call whose media we take at `local` (GB/T 28181-2022 annexes G and L).
fn invitation(desk: &mut Desk, call: &Call, there: &Device, local: SocketAddr) -> Request {
    let (platform, flow) = (desk.config.id, there.route.flow);
    let subject = format!("{}:{},{platform}:0", call.channel, call.ssrc);
    let wanted = terms::Wanted {
        channel: &call.channel,
        transport: call.transport,
        stream: call.number_of_stream,
        showing: call.showing,
        ssrc: &call.ssrc,
        speaks: call.voice.is_some(),
    };
    let offer = terms::offer(&platform, local, &wanted);
    let contact = desk.contact(flow);
    desk.request(Method::Invite, &call.channel, &there.host, flow)
        .with_header("Contact", contact)
        .with_header("Subject", subject)
        .with_body(terms::SDP, offer)
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

#[cfg(test)]
mod tests {
    use super::super::Command;
    use super::super::testing::{Bench, config};
    use super::*;
    use crate::media::MediaTransport;

    #[test]
    fn an_invite_names_channel_ssrc_and_subject() {
        let mut bench = Bench::new(config());
        let (device, invite) = bench.invited(MediaTransport::Udp);
        let channel = device.channel();
        assert_eq!(invite.uri(), format!("sip:{channel}@192.0.2.1:5060"));
        let subject = format!("{channel}:0200000001,34020000002000000001:0");
        assert_eq!(invite.headers.value("Subject"), Some(subject.as_str()));
        let contact = "<sip:34020000002000000001@192.0.2.9:5060>";
        assert_eq!(invite.headers.value("Contact"), Some(contact));
    }

    #[test]
    fn a_2xx_that_comes_again_is_acknowledged_again_and_counted_once() {
        let mut bench = Bench::new(config());
        let (device, invite) = bench.up();
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
        let (device, invite) = bench.invited(MediaTransport::Udp);
        let busy = device.answer(&invite, 486);
        let said = device.say(&mut bench, busy);
        assert_eq!(said.refusal().and_then(PlayFailure::status), Some(486));
        assert_eq!(said.methods(), [Method::Ack]);
        assert!(said.stops());
        assert!(bench.media_end(1).events.is_empty());
        assert_eq!(bench.platform.calls(), 0);
    }

    #[test]
    fn a_call_that_nobody_answers_is_cancelled_after_a_provisional_response_only() {
        let mut bench = Bench::new(config());
        let (device, invite) = bench.invited(MediaTransport::Udp);
        let said = bench.command(Command::Stop { play: PlayId(1) });
        assert!(said.sent.is_empty());
        let trying = device.answer(&invite, 100);
        let said = device.say(&mut bench, trying);
        assert_eq!(said.methods(), [Method::Cancel]);
        let terminated = device.answer(&invite, 487);
        let said = device.say(&mut bench, terminated);
        assert_eq!(said.refusal(), Some(&PlayFailure::Cancelled));
        bench.media_end(1);
        assert_eq!(bench.platform.calls(), 0);
    }

    #[test]
    fn a_2xx_that_crosses_a_cancel_is_acknowledged_and_ended() {
        let mut bench = Bench::new(config());
        let (device, invite) = bench.invited(MediaTransport::Udp);
        bench.command(Command::Stop { play: PlayId(1) });
        let ok = device.accept(&invite, MediaTransport::Udp, "0200000001");
        let said = device.say(&mut bench, ok);
        assert_eq!(said.methods(), [Method::Ack, Method::Bye]);
        assert_eq!(said.refusal(), Some(&PlayFailure::Cancelled));
        bench.media_end(1);
        let ok = device.answer(said.request(Method::Bye), 200);
        device.say(&mut bench, ok);
        assert_eq!(bench.platform.calls(), 0);
    }

    #[test]
    fn without_any_answer_a_call_is_given_up() {
        let mut bench = Bench::new(config());
        bench.invited(MediaTransport::Udp);
        let said = bench.pass(70.0);
        assert!(matches!(said.refusal(), Some(PlayFailure::NoAnswer(_))));
        bench.media_end(1);
        assert_eq!(bench.platform.calls(), 0);
    }

    #[test]
    fn an_answer_that_cannot_be_used_is_acknowledged_and_ended() {
        let mut bench = Bench::new(config());
        let (device, invite) = bench.invited(MediaTransport::Udp);
        let ok = device.answer(&invite, 200);
        let said = device.say(&mut bench, ok);
        assert_eq!(said.methods(), [Method::Ack, Method::Bye]);
        assert!(matches!(said.refusal(), Some(PlayFailure::BadAnswer(_))));
        let complaints = [Deviation::NoContact, Deviation::ContentType, Deviation::Sdp];
        assert_eq!(said.complaints(), complaints);
    }

    #[test]
    fn an_answer_with_another_ssrc_is_noticed_and_believed() {
        let mut bench = Bench::new(config());
        let (device, invite) = bench.invited(MediaTransport::Udp);
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
}
