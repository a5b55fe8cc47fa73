//! The streams of calls: opened, started, lost, brought back and ended, as the media plane reports
//! it (GB/T 28181-2022 annex D).

use std::net::SocketAddr;

use crate::media::{Counts, Loss, Order, Report, StreamId, Verdict};
use crate::profile::StartMedia;
use crate::time::Now;

use super::call::{Call, Pending, State, Terms};
use super::calls::Calls;
use super::event::{CallEnd, CallNumber, Event};
use super::invite;
use super::line::{Line, Timer};
use super::offer::Refusal;
use super::playback::Playback;
use super::talk::Talk;

/// A stream on its way out.
pub(super) enum Closing {
    /// Its call is over.
    Over(Over),
    /// An INVITE inside the dialog replaced it; the call goes on.
    Renegotiated(CallNumber),
}

/// A call that is over but for the last word of its stream.
pub(super) struct Over {
    pub call: CallNumber,
    pub why: CallEnd,
    /// What earlier streams of it had sent.
    pub sent: Counts,
    pub talk: Option<Box<Talk>>,
    pub call_id: String,
}

impl Calls {
    /// News from the media plane.
    pub fn report(&mut self, now: Now, line: &mut Line, report: Report) {
        match report {
            Report::Opened { stream, local } => self.opened(now, line, stream, local),
            Report::Started { stream } => self.started(now, line, stream),
            Report::Lost { stream, why } => self.lost(now, line, stream, why),
            Report::Ended {
                stream,
                counts,
                verdict,
                error,
                ..
            } => self.ended(now, line, stream, (counts, verdict), error),
            Report::Steered { stream, at } => self.steered(now, line, stream, at),
            Report::Drained { stream } => self.drained(now, line, stream),
            Report::Progress { stream, verdict } => self.talked(now, line, stream, &verdict),
            Report::Voice { samples, .. } => line.tell(Event::VoiceSaid { samples }),
        }
    }

    /// The next stream's number, ordered open.
    pub(super) fn open_stream(&mut self, line: &mut Line, terms: &Terms) -> StreamId {
        self.last_stream += 1;
        let stream = StreamId(self.last_stream);
        line.order(Order::Open {
            stream,
            transport: terms.transport,
            local: line.media_ip(),
        });
        stream
    }

    fn opened(&mut self, now: Now, line: &mut Line, stream: StreamId, local: SocketAddr) {
        let waits = |call: &&mut Box<Call>| {
            let pending = call.pending.as_ref();
            pending.is_some_and(|p| p.stream == stream && p.answered.is_none())
        };
        let Some(call) = self.live.values_mut().find(waits) else {
            return;
        };
        invite::answer(now, line, call, local);
        if call.state == State::Opening {
            call.state = State::Answered;
            if line.config.profile.behaviour.start_media == StartMedia::After200 {
                line.order(call.start());
            }
        }
    }

    fn started(&mut self, now: Now, line: &mut Line, stream: StreamId) {
        if let Some(call) = self.playing(stream) {
            let (took, number) = (call.started(now.mono), call.number);
            line.tell(Event::Streaming { call: number, took });
            Playback::steer_early(call, line);
        }
    }

    fn lost(&mut self, now: Now, line: &mut Line, stream: StreamId, why: Loss) {
        let Some(call) = self.playing(stream) else {
            return;
        };
        let (number, again) = (call.number, call.lost(&why));
        // A recording that broke off would begin anew.
        let again = again.filter(|_| call.playback.is_none() || !call.streamed);
        let call_id = call.dialog.call_id.clone();
        line.tell(Event::MediaLost {
            call: number,
            why,
            call_id,
        });
        match again {
            Some(pause) => line.set(Timer::Media(number), now.mono + pause),
            None => self.hang_up(now, line, number, CallEnd::MediaFailed),
        }
    }

    /// The pause after a broken connection is over.
    pub fn retry_media(&mut self, line: &mut Line, number: CallNumber) {
        if let Some(call) = self.live.get_mut(&number) {
            line.order(call.start());
        }
    }

    fn ended(
        &mut self,
        now: Now,
        line: &mut Line,
        stream: StreamId,
        (counts, verdict): (Counts, Option<Box<Verdict>>),
        error: Option<String>,
    ) {
        match self.closing.remove(&stream) {
            Some(Closing::Over(mut over)) => {
                over.sent.add(counts);
                if let Some(talk) = over.talk {
                    talk.end(line, (now, verdict.as_deref()), over.why, &over.call_id);
                }
                line.tell(Event::Ended {
                    call: over.call,
                    why: over.why,
                    counts: over.sent,
                    call_id: over.call_id,
                });
            }
            Some(Closing::Renegotiated(number)) => self.add_counts(number, counts),
            None => self.died(now, line, stream, error),
        }
    }

    /// Octets that an earlier stream of the call had sent.
    fn add_counts(&mut self, number: CallNumber, counts: Counts) {
        if let Some(call) = self.live.get_mut(&number) {
            call.sent.add(counts);
        }
        for closing in self.closing.values_mut() {
            if let Closing::Over(over) = closing
                && over.call == number
            {
                over.sent.add(counts);
            }
        }
    }

    /// A stream that nobody stopped is gone: it could not be opened, or the media plane gave up.
    fn died(&mut self, now: Now, line: &mut Line, stream: StreamId, error: Option<String>) {
        let opening = self.live.values_mut().find_map(|call| {
            let pending = call
                .pending
                .take_if(|p| p.stream == stream && p.answered.is_none())?;
            Some((call.number, pending))
        });
        let why = error.unwrap_or_else(|| "the stream ended".to_owned());
        if let Some((number, pending)) = opening {
            let refusal = Refusal::new(500, why);
            invite::refuse(now, line, pending.transaction, &pending.request, refusal);
            if self.live.get(&number).is_some_and(|c| !c.established)
                && let Some(call) = self.live.remove(&number)
            {
                line.tell(Event::Ended {
                    call: number,
                    why: CallEnd::MediaFailed,
                    counts: Counts::default(),
                    call_id: call.dialog.call_id,
                });
            }
        } else if let Some(call) = self.playing(stream) {
            let number = call.number;
            line.tell(Event::MediaLost {
                call: number,
                why: Loss::Failed(why),
                call_id: call.dialog.call_id.clone(),
            });
            self.hang_up(now, line, number, CallEnd::MediaFailed);
        }
    }

    pub(super) fn playing(&mut self, stream: StreamId) -> Option<&mut Call> {
        let mut calls = self.live.values_mut().map(Box::as_mut);
        calls.find(|call| call.stream == stream)
    }

    /// Frees the stream that a renegotiation had opened and that nobody will use.
    pub(super) fn abandon(&mut self, line: &mut Line, number: CallNumber, pending: &Pending) {
        let call = self.live.get(&number);
        if call.is_some_and(|call| call.stream != pending.stream) {
            self.stop(line, pending.stream, Closing::Renegotiated(number));
        }
    }

    /// Orders a stream to stop; what its last report is for is remembered.
    pub(super) fn stop(&mut self, line: &mut Line, stream: StreamId, closing: Closing) {
        line.order(Order::Stop(stream));
        self.closing.insert(stream, closing);
    }
}
