//! All calls of one device: taking INVITEs, following dialogs, ordering media
//! (GB/T 28181-2022 §9.2 and annexes D, K, L; RFC 3261 §12-§15).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::gb28181::DeviceId;
use crate::media::{Order, StreamId};
use crate::sip::{Dialog, Method, Request, TransactionId};
use crate::time::Now;

use super::call::{Call, Pending, State};
use super::event::{CallEnd, CallNumber, Event};
use super::line::{Line, Purpose, Timer};
use super::streams::{Closing, Over};

/// A request that begins a dialog or belongs to one, as it came in.
pub(super) struct Incoming {
    pub transaction: TransactionId,
    pub from: SocketAddr,
    pub request: Request,
}

/// The calls of one device.
#[derive(Default)]
pub(super) struct Calls {
    /// Each in a box: a map keeps room for eleven wherever it has one.
    pub(super) live: BTreeMap<CallNumber, Box<Call>>,
    /// Streams ordered to stop whose last report has not come yet.
    pub(super) closing: BTreeMap<StreamId, Closing>,
    /// Dialogs we have left whose last 200 is not acknowledged, each by that INVITE: BYE must wait
    /// for the ACK or for the end of the transaction (RFC 3261 §15).
    farewells: BTreeMap<TransactionId, Farewell>,
    /// Channels without a picture.
    offline: Vec<DeviceId>,
    pub(super) last_number: u64,
    pub(super) last_stream: u64,
    pub(super) nominal_ports: u16,
}

/// The BYE of a call that is over.
struct Farewell {
    dialog: Dialog,
    to: SocketAddr,
}

impl Calls {
    /// Whether no call is up, no stream is left and no BYE is still to be sent.
    pub fn is_idle(&self) -> bool {
        self.live.is_empty() && self.closing.is_empty() && self.farewells.is_empty()
    }

    /// How many calls are up.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// How many streams are open: one per call, one more for each INVITE that renegotiates, and
    /// those whose last report has not come.
    pub fn streams(&self) -> usize {
        let more = |call: &&Call| {
            let pending = call.pending.as_ref();
            pending.is_some_and(|pending| pending.stream != call.stream)
        };
        self.live.len()
            + self.live.values().map(Box::as_ref).filter(more).count()
            + self.closing.len()
    }

    pub fn is_offline(&self, channel: &DeviceId) -> bool {
        self.offline.contains(channel)
    }

    /// A channel's picture is gone or back. Its calls end with it (§7.12).
    pub fn set_online(&mut self, now: Now, line: &mut Line, channel: DeviceId, online: bool) {
        self.offline.retain(|c| *c != channel);
        if online {
            return;
        }
        self.offline.push(channel);
        for number in self.numbers(|call| call.channel == channel) {
            self.hang_up(now, line, number, CallEnd::HungUp);
        }
    }

    /// A channel is no more: its calls end with BYE.
    pub fn remove_channel(&mut self, now: Now, line: &mut Line, channel: DeviceId) {
        self.set_online(now, line, channel, false);
        self.offline.retain(|c| *c != channel);
    }

    /// The next frame of every running stream of a channel shall be a key frame (IFameCmd).
    pub fn key_frame(&self, line: &mut Line, channel: DeviceId) {
        let running = |call: &&Call| matches!(call.state, State::Starting | State::Streaming);
        let calls = self.live.values().map(Box::as_ref).filter(running);
        for call in calls.filter(|call| call.channel == channel) {
            line.order(Order::KeyFrame(call.stream));
        }
    }

    /// BYE to every call.
    pub fn hang_up_all(&mut self, now: Now, line: &mut Line) {
        for number in self.numbers(|_| true) {
            self.hang_up(now, line, number, CallEnd::HungUp);
        }
    }

    /// Every call ends without a word: the platform cannot hear us.
    pub fn drop_all(&mut self, now: Now, line: &mut Line, why: CallEnd) {
        for number in self.numbers(|_| true) {
            self.end(now, line, number, why);
        }
        self.farewells.clear();
    }

    fn numbers(&self, which: impl Fn(&Call) -> bool) -> Vec<CallNumber> {
        let chosen = self.live.values().filter(|call| which(call));
        chosen.map(|call| call.number).collect()
    }

    /// The call a request in a dialog belongs to: by Call-ID and tags, else by a Call-ID that only
    /// one call has (platforms garble tags and URIs).
    pub(super) fn of(&self, request: &Request) -> Option<CallNumber> {
        let by_tags = self.live.values().find(|call| call.dialog.matches(request));
        by_tags.map(|call| call.number).or_else(|| {
            let mut same = self.live.values().filter(|c| c.dialog.same_call(request));
            let call = same.next()?;
            same.next().is_none().then_some(call.number)
        })
    }

    /// ACK of a 200: what it agreed to takes effect.
    pub fn acknowledged(&mut self, now: Now, line: &mut Line, transaction: TransactionId) {
        self.say_farewell(now, line, transaction, Purpose::Bye);
        let Some((number, pending)) = self.take_pending(transaction) else {
            return;
        };
        let Some(call) = self.live.get_mut(&number) else {
            return;
        };
        if let Some(answered) = pending.answered {
            line.tell(Event::Acknowledged {
                call: number,
                took: now.mono - answered,
            });
        }
        if pending.stream != call.stream {
            self.renegotiated(line, number, pending);
        } else if call.state == State::Answered {
            line.order(call.start());
        }
    }

    /// The offer of an INVITE inside the dialog replaces what was agreed before.
    fn renegotiated(&mut self, line: &mut Line, number: CallNumber, pending: Pending) {
        let Some(call) = self.live.get_mut(&number) else {
            return;
        };
        let replaced = std::mem::replace(&mut call.stream, pending.stream);
        call.sender = pending.sender;
        call.terms = pending.terms;
        call.failures = 0;
        if let Some(talk) = &mut call.talk {
            talk.renegotiated();
        }
        let start = call.start();
        line.timers.cancel(&Timer::Media(number));
        self.stop(line, replaced, Closing::Renegotiated(number));
        line.order(start);
    }

    /// BYE (RFC 3261 §15.1.2). An INVITE that still waits for its answer gets 487. One whose CSeq
    /// counts another method is not held to the order of the dialog either.
    pub fn bye(&mut self, now: Now, line: &mut Line, incoming: &Incoming) {
        let Some(number) = self.of(&incoming.request) else {
            let status = match self.forget_farewell(&incoming.request) {
                true => 200,
                false if incoming.request.is_miscounted() => 400,
                false => 481,
            };
            return line.reply(now.mono, incoming.transaction, &incoming.request, status);
        };
        if !incoming.request.is_miscounted()
            && let Some(status) = self.out_of_order(number, &incoming.request)
        {
            return line.reply(now.mono, incoming.transaction, &incoming.request, status);
        }
        line.reply(now.mono, incoming.transaction, &incoming.request, 200);
        self.end(now, line, number, CallEnd::Bye);
    }

    /// INFO: a recording is steered. Its CSeq may be any: there are platforms that number every
    /// INFO by chance, and devices that take them.
    pub fn info(&mut self, now: Now, line: &mut Line, incoming: &Incoming) {
        match self.of(&incoming.request) {
            Some(number) => self.steer(now, line, number, incoming),
            None => line.reply(now.mono, incoming.transaction, &incoming.request, 481),
        }
    }

    /// 500 for a request whose CSeq is lower than the last one's (RFC 3261 §12.2.2).
    pub(super) fn out_of_order(&mut self, number: CallNumber, request: &Request) -> Option<u16> {
        let call = self.live.get_mut(&number)?;
        let in_order = call.dialog.in_order(request);
        (!in_order).then_some(500)
    }

    /// CANCEL came before the answer; the endpoint has sent the 487.
    pub fn cancelled(&mut self, now: Now, line: &mut Line, transaction: TransactionId) {
        let Some((number, pending)) = self.take_pending(transaction) else {
            return;
        };
        self.abandon(line, number, &pending);
        if self.live.get(&number).is_some_and(|c| !c.established) {
            self.end(now, line, number, CallEnd::Cancelled);
        }
    }

    /// Nobody acknowledged our 200: the dialog exists, so it is ended with BYE (RFC 3261
    /// §13.3.1.4).
    pub fn unacknowledged(&mut self, now: Now, line: &mut Line, transaction: TransactionId) {
        self.say_farewell(now, line, transaction, Purpose::Farewell);
        if let Some((number, pending)) = self.take_pending(transaction) {
            self.abandon(line, number, &pending);
            self.hang_up(now, line, number, CallEnd::Unacknowledged);
        }
    }

    /// The BYE that waited for the end of an INVITE.
    fn say_farewell(
        &mut self,
        now: Now,
        line: &mut Line,
        transaction: TransactionId,
        purpose: Purpose,
    ) {
        if let Some(mut farewell) = self.farewells.remove(&transaction) {
            let bye = farewell.dialog.request(Method::Bye);
            line.send(now.mono, purpose, farewell.to, bye);
        }
    }

    /// The platform's own BYE makes ours needless. Whether there was one to be sent.
    fn forget_farewell(&mut self, request: &Request) -> bool {
        let waiting = self.farewells.len();
        self.farewells.retain(|_, f| !f.dialog.matches(request));
        self.farewells.len() < waiting
    }

    fn take_pending(&mut self, transaction: TransactionId) -> Option<(CallNumber, Pending)> {
        self.live.values_mut().find_map(|call| {
            let ours = |pending: &mut Pending| pending.transaction == transaction;
            Some((call.number, call.pending.take_if(ours)?))
        })
    }

    /// Ends a call from our side: BYE when the platform holds the dialog, but not before it has
    /// acknowledged our last 200.
    pub(super) fn hang_up(&mut self, now: Now, line: &mut Line, number: CallNumber, why: CallEnd) {
        let Some(call) = self.live.get_mut(&number) else {
            return;
        };
        if call.established {
            let to = call.destination();
            let answered = call.pending.as_ref().filter(|p| p.answered.is_some());
            match answered.map(|pending| pending.transaction) {
                Some(unacknowledged) => {
                    let dialog = call.dialog.clone();
                    let farewell = Farewell { dialog, to };
                    self.farewells.insert(unacknowledged, farewell);
                }
                None => {
                    let bye = call.dialog.request(Method::Bye);
                    line.send(now.mono, Purpose::Bye, to, bye);
                }
            }
        }
        self.end(now, line, number, why);
    }

    /// Forgets a call, refuses an INVITE of it that still waits, and stops its media. Its counts
    /// arrive with the stream's last report.
    pub(super) fn end(&mut self, now: Now, line: &mut Line, number: CallNumber, why: CallEnd) {
        let Some(call) = self.live.remove(&number) else {
            return;
        };
        line.timers.cancel(&Timer::Media(number));
        line.timers.cancel(&Timer::Drained(number));
        if let Some(playback) = call.playback {
            playback.give_up(now, line);
        }
        if let Some(pending) = call.pending {
            if pending.answered.is_none() {
                let status = why.refusal();
                line.reply(now.mono, pending.transaction, &pending.request, status);
            }
            if pending.stream != call.stream {
                self.stop(line, pending.stream, Closing::Renegotiated(number));
            }
        }
        let over = Over {
            call: number,
            why,
            sent: call.sent,
            talk: call.talk,
            call_id: call.dialog.call_id,
        };
        self.stop(line, call.stream, Closing::Over(over));
    }
}
