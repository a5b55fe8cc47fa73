//! The end of a call: BYE either way, and MediaStatus (RFC 3261 §15, GB/T 28181-2022 §9.8).

use crate::sip::{Dialog, Headers, Method, Request, Response};
use crate::time::Now;

use super::call::{Call, State};
use super::calls::{Calls, notice};
use super::complaint::Deviation;
use super::desk::{Desk, Incoming, Purpose, Waiting};
use super::devices::sender;
use super::event::{PlayEnd, PlayId};

impl Calls {
    /// BYE.
    pub(super) fn hang_up(&mut self, now: Now, desk: &mut Desk, play: PlayId, why: PlayEnd) {
        if let Some(call) = self.live.get_mut(&play) {
            say_bye(now, desk, call);
        }
        self.over(desk, play, why);
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
}

pub(super) fn say_bye(now: Now, desk: &mut Desk, call: &mut Call) {
    if let Some(dialog) = &mut call.dialog {
        let bye = dialog.request(Method::Bye);
        let purpose = Purpose::Bye(call.play);
        desk.send(now.mono, purpose, call.device, call.route, bye);
        call.bye_pending = true;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Command;
    use super::super::testing::{Bench, config};
    use super::*;

    #[test]
    fn a_device_may_hang_up_and_its_copies_of_bye_do_no_harm() {
        let mut bench = Bench::new(config());
        let (mut device, invite) = bench.up();
        let bye = device.bye(&invite);
        let said = device.say(&mut bench, bye.clone());
        assert_eq!((said.statuses(), said.complaints()), (vec![200], vec![]));
        assert!(said.stops());
        assert_eq!(device.say(&mut bench, bye).statuses(), [200]);
        assert_eq!(bench.media_end(1).end(), Some(PlayEnd::ByDevice));
    }

    #[test]
    fn a_bye_that_counts_as_another_method_is_refused_and_noticed() {
        let mut bench = Bench::new(config());
        let (mut device, invite) = bench.up();
        let mut bye = device.bye(&invite);
        bye.headers.set("CSeq", "9 Info");
        let said = device.say(&mut bench, bye);
        assert_eq!(said.statuses(), [400]);
        assert_eq!(said.complaints(), [Deviation::Unreadable]);
        assert_eq!(bench.platform.calls(), 1);
    }

    #[test]
    fn a_bye_for_another_dialog_is_481_and_noticed() {
        let mut bench = Bench::new(config());
        let (mut device, invite) = bench.up();
        let mut wrong = device.bye(&invite);
        wrong.headers.set("From", "<sip:x@y>;tag=other");
        let said = device.say(&mut bench, wrong);
        assert_eq!(said.statuses(), [481]);
        assert_eq!(said.complaints(), [Deviation::NoDialog]);
        assert_eq!(bench.platform.calls(), 1);
    }

    #[test]
    fn media_status_ends_the_call_with_bye() {
        let mut bench = Bench::new(config());
        let (mut device, invite) = bench.up();
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
        assert_eq!(device.say(&mut bench, ok).end(), Some(PlayEnd::MediaStatus));
    }

    #[test]
    fn a_bye_of_ours_that_is_refused_or_lost_is_noticed() {
        for status in [Some(500), None] {
            let mut bench = Bench::new(config());
            let (device, _) = bench.up();
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
            assert_eq!(said.end(), Some(PlayEnd::Stopped));
        }
    }
}
