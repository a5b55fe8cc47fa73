//! Speaking through devices: an announcement (Broadcast), upon which the device calls, and the
//! platform answers and speaks (GB/T 28181-2022 9.12; RFC 3261 §13 and §15, as callee).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::gb28181::sdp::{Kind, Offer, Transport, VoiceAnswer};
use crate::gb28181::{DeviceId, Ssrc, Subject};
use crate::media::{Counts, Cut, Flowing, MediaTransport, Order, Report, SenderConfig, StreamId};
use crate::node::Output;
use crate::sip::{Dialog, Method, Request, TransactionId};
use crate::time::Now;

use super::complaint::Deviation;
use super::desk::{Desk, Incoming, Purpose, Route, Timer};
use super::devices::sender;
use super::event::{AskId, Event, SpeechEnd};
use super::terms::{DISCARD, SDP};

/// Streams of speeches are numbered from here, those of calls below: owners number both below it.
const FIRST_STREAM: u64 = 1 << 63;
/// How long a device may take from its answer to its INVITE.
const PATIENCE: Duration = Duration::from_secs(10);

/// The speeches of a platform.
#[derive(Default)]
pub(super) struct Speeches {
    live: BTreeMap<AskId, Speech>,
}

/// What the owner asks for with [`Command::Speak`](super::Command::Speak).
pub(super) struct Wish {
    pub device: DeviceId,
    pub target: DeviceId,
    pub voice: Arc<Cut>,
    pub ask: AskId,
}

/// One speech.
///
/// ```text
///  Speak          INVITE          port known         ACK
/// ──────▶ Announced ────▶ Opening ─────────▶ Answered ───▶ Speaking ── BYE either way ──▶ Over
///              └─ declined, no call ─┴─ unusable ─┴─ cancelled, no ACK ─────────────────────▲
/// ```
/// It is forgotten when its stream has ended; one that was never called for has none.
struct Speech {
    device: DeviceId,
    target: DeviceId,
    voice: Arc<Cut>,
    state: State,
    /// The INVITE of the device.
    invite: Option<Incoming>,
    /// What the device offered, while a port is awaited.
    offer: Option<Offer>,
    dialog: Option<Dialog>,
    route: Option<Route>,
    why: SpeechEnd,
    /// What the stream has sent, once it has ended.
    ended: Option<Counts>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Announced,
    Opening,
    Answered,
    /// As before, but a BYE is to follow the ACK (RFC 3261 §15).
    Leaving,
    Speaking,
    Over,
}

impl Speeches {
    /// How many speeches are not wholly over.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// Whether a report is about the stream of a speech.
    pub fn own(report: &Report) -> bool {
        report.stream().0 >= FIRST_STREAM
    }

    /// A speech is announced: the device is expected to call.
    pub fn expect(&mut self, now: Now, desk: &mut Desk, wish: Wish) {
        let Wish {
            device,
            target,
            voice,
            ask,
        } = wish;
        if self.live.contains_key(&ask) {
            return tracing::warn!(?ask, "a number of a speech is used twice");
        }
        let speech = Speech {
            device,
            target,
            voice,
            state: State::Announced,
            invite: None,
            offer: None,
            dialog: None,
            route: None,
            why: SpeechEnd::Stopped,
            ended: None,
        };
        self.live.insert(ask, speech);
        desk.timers.set(Timer::Speech(ask), now.mono + PATIENCE);
    }

    /// A device has said that it cannot be spoken through.
    pub fn declined(&mut self, now: Now, desk: &mut Desk, device: &DeviceId, target: &str) {
        let announced = |speech: &Speech| {
            speech.state == State::Announced
                && speech.device == *device
                && speech.target.as_str() == target
        };
        if let Some(ask) = self.find(announced) {
            self.end(now, desk, ask, SpeechEnd::Declined);
        }
    }

    /// The INVITE of a device that wants to hear.
    pub fn invited(&mut self, now: Now, desk: &mut Desk, incoming: Incoming) {
        let device = sender(&incoming.request);
        let Some(ask) = device.and_then(|device| self.called(desk, device, &incoming)) else {
            desk.reply(now.mono, &incoming, 403);
            return desk.object(device, &incoming, Deviation::Uninvited, "");
        };
        let Some(speech) = self.live.get_mut(&ask) else {
            return;
        };
        match offer(&incoming.request) {
            Err((status, why)) => {
                desk.reply(now.mono, &incoming, status);
                desk.object(device, &incoming, Deviation::Sdp, why.as_str());
                self.end(now, desk, ask, SpeechEnd::BadOffer(why));
            }
            Ok(mut offer) => {
                desk.reply(now.mono, &incoming, 100);
                if incoming.request.headers.contact().is_err() {
                    desk.object(device, &incoming, Deviation::NoContact, "");
                }
                if offer.ssrc.is_none() {
                    desk.object(device, &incoming, Deviation::SsrcMissing, "");
                    offer.ssrc = Some(Ssrc::live(&desk.config.id, 0));
                }
                desk.timers.cancel(&Timer::Speech(ask));
                speech.state = State::Opening;
                speech.route = Some(incoming.route);
                desk.order(Order::Open {
                    stream: stream(ask),
                    transport: in_media(offer.device_transport()),
                    local: desk.media_ip(),
                });
                speech.offer = Some(offer);
                speech.invite = Some(incoming);
            }
        }
    }

    /// The announced speech that a device calls for: the one whose target its Subject names as
    /// the receiver, else the only one of the device, which is noticed.
    fn called(&self, desk: &mut Desk, device: DeviceId, incoming: &Incoming) -> Option<AskId> {
        let announced =
            |speech: &&Speech| speech.state == State::Announced && speech.device == device;
        let subject = incoming
            .request
            .headers
            .value("Subject")
            .map(Subject::parse);
        let named = subject
            .map(|subject| subject.receiver.id)
            .unwrap_or_default();
        let exact = |speech: &Speech| announced(&speech) && speech.target.as_str() == named;
        self.find(exact).or_else(|| {
            let mut all = self.live.iter().filter(|(_, speech)| announced(speech));
            let (ask, _) = all.next()?;
            desk.object(Some(device), incoming, Deviation::Subject, named.as_str());
            all.next().is_none().then_some(*ask)
        })
    }

    fn find(&self, which: impl Fn(&Speech) -> bool) -> Option<AskId> {
        let found = self.live.iter().find(|(_, speech)| which(speech));
        found.map(|(ask, _)| *ask)
    }

    fn of(&self, transaction: TransactionId) -> Option<AskId> {
        self.find(|speech| {
            let invite = speech.invite.as_ref();
            invite.is_some_and(|invite| invite.transaction == transaction)
        })
    }

    /// News from the media plane.
    pub fn report(&mut self, now: Now, desk: &mut Desk, report: Report) {
        let ask = AskId(report.stream().0 - FIRST_STREAM);
        let Some(speech) = self.live.get_mut(&ask) else {
            return;
        };
        match report {
            Report::Opened { local, .. } => speech.answer(now, desk, local),
            Report::Started { .. } => {
                let device = speech.device;
                desk.tell(Event::Speaking { ask, device });
            }
            Report::Lost { why, .. } => {
                let why = SpeechEnd::MediaFailed(why.to_string());
                self.end(now, desk, ask, why);
            }
            Report::Ended { counts, error, .. } => {
                if let Some(error) = error {
                    self.end(now, desk, ask, SpeechEnd::MediaFailed(error));
                }
                if let Some(speech) = self.live.get_mut(&ask) {
                    speech.ended = Some(counts);
                }
                self.try_forget(desk, ask);
            }
            Report::Progress { .. }
            | Report::Steered { .. }
            | Report::Drained { .. }
            | Report::Voice { .. } => {}
        }
    }

    /// The device has acknowledged our 200.
    pub fn acknowledged(&mut self, now: Now, desk: &mut Desk, transaction: TransactionId) {
        let Some(ask) = self.of(transaction) else {
            return;
        };
        let Some(speech) = self.live.get_mut(&ask) else {
            return;
        };
        match speech.state {
            State::Answered => {
                speech.state = State::Speaking;
                desk.outbox.extend(speech.start(ask).map(Output::Media));
            }
            State::Leaving => {
                speech.state = State::Over;
                speech.say_bye(now, desk);
                self.try_forget(desk, ask);
            }
            _ => {}
        }
    }

    /// The device takes its call back, or never acknowledges our 200.
    pub fn given_up(
        &mut self,
        now: Now,
        desk: &mut Desk,
        transaction: TransactionId,
        why: SpeechEnd,
    ) {
        let Some(ask) = self.of(transaction) else {
            return;
        };
        let Some(speech) = self.live.get_mut(&ask) else {
            return;
        };
        if why == SpeechEnd::Unacknowledged {
            speech.say_bye(now, desk);
        }
        // Nobody waits for its answer any more, or for our BYE.
        if let State::Opening | State::Answered | State::Leaving = speech.state {
            speech.stop(desk, ask, why);
            self.try_forget(desk, ask);
        }
    }

    /// BYE of a device. Whether it was for a speech.
    pub fn bye(&mut self, now: Now, desk: &mut Desk, incoming: &Incoming) -> bool {
        let request = &incoming.request;
        let of_dialog = |speech: &Speech| {
            let dialog = speech.dialog.as_ref();
            dialog.is_some_and(|dialog| dialog.matches(request))
        };
        let Some(ask) = self.find(of_dialog) else {
            return false;
        };
        let Some(speech) = self.live.get_mut(&ask) else {
            return false;
        };
        let in_order = speech.dialog.as_mut().is_some_and(|d| d.in_order(request));
        desk.reply(now.mono, incoming, if in_order { 200 } else { 500 });
        if in_order {
            speech.stop(desk, ask, SpeechEnd::ByDevice);
            self.try_forget(desk, ask);
        } else {
            desk.object(Some(speech.device), incoming, Deviation::CseqOrder, "BYE");
        }
        true
    }

    /// The device took too long to call.
    pub fn timeout(&mut self, now: Now, desk: &mut Desk, ask: AskId) {
        self.end(now, desk, ask, SpeechEnd::NoCall);
    }

    /// The owner has said enough.
    pub fn hush(&mut self, now: Now, desk: &mut Desk, ask: AskId) {
        self.end(now, desk, ask, SpeechEnd::Stopped);
    }

    /// As [`hush`](Self::hush), of all speeches.
    pub fn hush_all(&mut self, now: Now, desk: &mut Desk) {
        for ask in self.live.keys().copied().collect::<Vec<_>>() {
            self.hush(now, desk, ask);
        }
    }

    /// A device is gone, and its speeches with it.
    pub fn device_gone(&mut self, desk: &mut Desk, device: &DeviceId) {
        let of_device = self.live.iter().filter(|(_, s)| s.device == *device);
        for ask in of_device.map(|(ask, _)| *ask).collect::<Vec<_>>() {
            match self.live.get_mut(&ask) {
                Some(speech) if speech.state != State::Announced => {
                    speech.stop(desk, ask, SpeechEnd::DeviceGone);
                }
                Some(speech) => speech.call_off(SpeechEnd::DeviceGone),
                None => {}
            }
            self.try_forget(desk, ask);
        }
    }

    /// Ends a speech from our side, however far it has come.
    fn end(&mut self, now: Now, desk: &mut Desk, ask: AskId, why: SpeechEnd) {
        let Some(speech) = self.live.get_mut(&ask) else {
            return;
        };
        match speech.state {
            State::Announced => speech.call_off(why),
            State::Opening => {
                if let Some(invite) = &speech.invite {
                    desk.reply(now.mono, invite, 480);
                }
                speech.stop(desk, ask, why);
            }
            State::Answered => {
                speech.stop(desk, ask, why);
                speech.state = State::Leaving;
            }
            State::Speaking => {
                speech.say_bye(now, desk);
                speech.stop(desk, ask, why);
            }
            State::Leaving | State::Over => {}
        }
        self.try_forget(desk, ask);
    }

    /// Forgets a speech that has nothing left to wait for.
    fn try_forget(&mut self, desk: &mut Desk, ask: AskId) {
        let over = |speech: &&Speech| speech.state == State::Over;
        let Some(counts) = self.live.get(&ask).filter(over).and_then(|s| s.ended) else {
            return;
        };
        desk.timers.cancel(&Timer::Speech(ask));
        if let Some(speech) = self.live.remove(&ask) {
            desk.tell(Event::SpeechEnded {
                ask,
                device: speech.device,
                why: speech.why,
                counts,
            });
        }
    }
}

impl Speech {
    /// There is a port: the 200, and the voice, which the device is ready to take.
    fn answer(&mut self, now: Now, desk: &mut Desk, local: SocketAddr) {
        let (State::Opening, Some(invite), Some(offer)) = (self.state, &self.invite, &self.offer)
        else {
            return;
        };
        let flow = invite.route.flow;
        let style = desk.endpoint.style().clone();
        let tag = desk.endpoint.tokens_mut().tag(&style);
        let contact = desk.contact(flow);
        let Some(dialog) = Dialog::from_uas(&invite.request, &tag, Some(&contact)) else {
            return;
        };
        let Some(ssrc) = offer.ssrc.clone() else {
            return;
        };
        let answer = VoiceAnswer {
            platform_id: desk.config.id.to_string(),
            address: local.ip(),
            port: match local.port() {
                0 => DISCARD,
                port => port,
            },
            transport: offer.device_transport(),
            ssrc,
        };
        let response = desk
            .endpoint
            .answer_tagged(&invite.request, 200, &tag)
            .with_header("Contact", contact)
            .with_body(SDP, answer.write());
        desk.respond(now.mono, invite, response);
        self.state = State::Answered;
        self.dialog = Some(dialog);
    }

    /// The order that lets the voice flow.
    fn start(&self, ask: AskId) -> Option<Order> {
        let offer = self.offer.as_ref()?;
        let ssrc = offer.ssrc.as_ref().map_or(0, Ssrc::value);
        Some(Order::Start {
            stream: stream(ask),
            remote: SocketAddr::new(offer.connection, offer.port),
            what: Flowing::Out(Arc::new(SenderConfig::new(self.voice.clone(), ssrc))),
        })
    }

    fn say_bye(&mut self, now: Now, desk: &mut Desk) {
        if let (Some(dialog), Some(route)) = (&mut self.dialog, self.route) {
            let bye = dialog.request(Method::Bye);
            desk.send(now.mono, Purpose::Hush, self.device, route, bye);
        }
    }

    /// It was never called for: it has no stream.
    fn call_off(&mut self, why: SpeechEnd) {
        self.state = State::Over;
        self.why = why;
        self.ended = Some(Counts::default());
    }

    /// Nothing is left but the last word of its stream.
    fn stop(&mut self, desk: &mut Desk, ask: AskId, why: SpeechEnd) {
        if matches!(self.state, State::Over | State::Leaving) {
            self.state = State::Over;
            return;
        }
        self.state = State::Over;
        self.why = why;
        desk.order(Order::Stop(stream(ask)));
    }
}

fn stream(ask: AskId) -> StreamId {
    StreamId(FIRST_STREAM + ask.0)
}

/// What a device offers, or with which status it is refused, and why.
fn offer(request: &Request) -> Result<Offer, (u16, String)> {
    if !request.headers.is_content_type(SDP) {
        return Err((415, "no SDP".to_owned()));
    }
    let offer = Offer::parse(&request.body).map_err(|error| (400, error.to_string()))?;
    match offer.kind == Kind::Audio && offer.takes_pcma() {
        true => Ok(offer),
        false => Err((488, "no G.711 A-law is wanted".to_owned())),
    }
}

fn in_media(transport: Transport) -> MediaTransport {
    match transport {
        Transport::Udp => MediaTransport::Udp,
        Transport::TcpActive => MediaTransport::TcpActive,
        Transport::TcpPassive => MediaTransport::TcpPassive,
    }
}

#[cfg(test)]
mod tests;
