//! INFO of ours: a playback is steered (GB/T 28181-2022 9.8.2 and annex B).

use crate::gb28181::mansrtsp::{self, Ending};
use crate::sip::{Headers, Method, Response};
use crate::time::Now;

use super::call::State;
use super::calls::Calls;
use super::complaint::Deviation;
use super::desk::{Desk, Purpose, Waiting};
use super::event::{AskId, Event, PlayId};
use super::questions::{Answer, AskFailure};

const MANSRTSP: &str = "Application/MANSRTSP";

impl Calls {
    /// Asks a device to pause, to go on, to go elsewhere or at another speed. Only a call that is
    /// up can be steered.
    pub fn steer(
        &mut self,
        now: Now,
        desk: &mut Desk,
        play: PlayId,
        command: mansrtsp::Command,
        ask: AskId,
    ) {
        let Some(call) = self.live.get_mut(&play).filter(|c| c.state == State::Up) else {
            let device = self.live.get(&play).map(|call| call.device);
            let device = device.unwrap_or(desk.config.id);
            let why = AskFailure::NoCall;
            return desk.tell(Event::AskFailed { ask, device, why });
        };
        call.steered = call.steered.wrapping_add(1);
        let request = mansrtsp::Request {
            cseq: call.steered,
            command,
        };
        let Some(dialog) = &mut call.dialog else {
            return;
        };
        let body = request.write(Ending::BlankLine);
        let info = dialog.request(Method::Info).with_body(MANSRTSP, body);
        let cseq = request.cseq;
        desk.send(
            now.mono,
            Purpose::Info { ask, cseq },
            call.device,
            call.route,
            info,
        );
    }
}

/// What a device has answered to an INFO.
pub(super) fn answered(
    now: Now,
    desk: &mut Desk,
    waiting: &Waiting,
    (ask, cseq): (AskId, u32),
    response: &Response,
) {
    let device = waiting.device;
    if response.status() >= 300 {
        let why = AskFailure::Refused(response.status());
        return desk.tell(Event::AskFailed { ask, device, why });
    }
    let answer = match response.body.is_empty() {
        true => None,
        false => match mansrtsp::Response::parse(&response.body) {
            Ok(answer) if answer.cseq == cseq => Some(answer),
            Ok(answer) => {
                let detail = format!("CSeq {} for {cseq}", answer.cseq);
                object(desk, waiting, &response.headers, detail);
                Some(answer)
            }
            Err(error) => {
                object(desk, waiting, &response.headers, error.to_string());
                None
            }
        },
    };
    desk.tell(Event::Answered {
        ask,
        device,
        answer: Answer::Steered(answer),
        took: now.mono - waiting.since,
    });
}

fn object(desk: &mut Desk, waiting: &Waiting, headers: &Headers, detail: String) {
    let (device, what) = (Some(waiting.device), Deviation::Mansrtsp);
    desk.complain(device, waiting.to, headers, what, detail);
}
