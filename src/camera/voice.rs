//! Hearing a platform: it announces that it wants to speak, and the device calls it for its voice
//! (GB/T 28181-2022 9.12; RFC 3261 §13 and §15, as caller).

use std::net::SocketAddr;
use std::sync::Arc;

use crate::gb28181::manscdp::{Broadcast, Incoming as Document, Outcome, WrongElement};
use crate::gb28181::sdp::{Answer, Kind, Transport, VoiceFacts};
use crate::gb28181::{DeviceId, Ssrc};
use crate::media::{Check, Expected, Flowing, MediaTransport, Order, Report, StreamId, Verdict};
use crate::profile::VoiceTransport;
use crate::sip::{Dialog, Method, Request, Response, TransactionId};
use crate::time::{Instant, Now};

use super::call::destination;
use super::calls::Incoming;
use super::config::Config;
use super::event::{Event, Heard, VoiceEnd};
use super::line::{Line, Purpose};

/// The number of its stream, far from those of calls. There is one voice at a time, and none
/// begins before the stream of the last one is gone.
const STREAM: StreamId = StreamId(1 << 63);

/// The voice that a device hears, if it hears one.
#[derive(Default)]
pub(super) struct Voice(Option<Box<Session>>);

/// One announcement, from the platform's word to the end of its voice.
///
/// ```text
///  Broadcast        port known            2xx: ACK            BYE either way
/// ──────────▶ Opening ───────▶ Calling ───────────▶ Hearing ───────────────▶ Ending
///                │ no port        │ 3xx-6xx, no answer, unusable 2xx            ▲
///                └────────────────┴─────────────────────────────────────────────┘
/// ```
/// It is forgotten when its stream has ended and its INVITE is answered.
struct Session {
    broadcast: Broadcast,
    transport: MediaTransport,
    ssrc: Ssrc,
    state: State,
    /// The INVITE while it waits for its final response.
    invite: Option<(TransactionId, Request)>,
    /// The INVITE that was accepted, and the ACK for each copy of its 2xx.
    ack: Option<(TransactionId, Request)>,
    dialog: Option<Dialog>,
    call_id: String,
    /// When the first packet came.
    began: Option<Instant>,
    heard: Heard,
    why: VoiceEnd,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The media plane is asked for a port.
    Opening,
    /// The INVITE waits for its final response.
    Calling,
    /// The dialog is there.
    Hearing,
    /// The stream is ordered to stop.
    Ending,
    /// The stream is gone; only the INVITE still waits.
    Ended,
}

impl Voice {
    /// Whether no stream of it is left.
    pub fn is_idle(&self) -> bool {
        let state = self.0.as_ref().map(|session| session.state);
        state.is_none_or(|state| state == State::Ended)
    }

    /// Whether a report is about its stream.
    pub fn owns(report: &Report) -> bool {
        report.stream() == STREAM
    }

    /// What it hears at the moment.
    pub fn heard(&self) -> Option<Heard> {
        let hears = |session: &&Session| session.state == State::Hearing;
        self.0.as_deref().filter(hears).map(|session| session.heard)
    }

    /// The platform wants to speak: whether it may. If so, a port is asked for, and the call
    /// follows when there is one.
    pub fn announced(
        &mut self,
        line: &mut Line,
        document: &Document,
        announced: Result<Broadcast, WrongElement>,
    ) -> bytes::Bytes {
        let target = document.body.text_of("TargetID").unwrap_or_default();
        let outcome = match self.begin(line, announced) {
            Ok(()) => Outcome::Ok,
            Err(why) => {
                line.tell(Event::VoiceRefused { why });
                Outcome::Error
            }
        };
        let style = &line.config.profile.manscdp;
        style.result("Broadcast", &document.sn, target, outcome)
    }

    fn begin(
        &mut self,
        line: &mut Line,
        announced: Result<Broadcast, WrongElement>,
    ) -> Result<(), String> {
        let broadcast = announced.map_err(|error| error.to_string())?;
        if !line.config.is_heard_from(broadcast.target) {
            return Err(format!("{} is no voice output", broadcast.target));
        }
        if let Some(session) = &self.0 {
            return Err(format!("{} speaks already", session.broadcast.source));
        }
        let transport = match line.config.profile.behaviour.voice.transport {
            VoiceTransport::Udp => MediaTransport::Udp,
            VoiceTransport::TcpActive => MediaTransport::TcpActive,
            VoiceTransport::TcpPassive => MediaTransport::TcpPassive,
        };
        self.0 = Some(Box::new(Session {
            broadcast,
            transport,
            ssrc: line.spare_ssrc(),
            state: State::Opening,
            invite: None,
            ack: None,
            dialog: None,
            call_id: String::new(),
            began: None,
            heard: Heard::default(),
            why: VoiceEnd::HungUp,
        }));
        line.order(Order::Open {
            stream: STREAM,
            transport,
            local: line.media_ip(),
        });
        Ok(())
    }

    /// News from the media plane about its stream.
    pub fn report(&mut self, now: Now, line: &mut Line, report: Report) {
        let Some(session) = &mut self.0 else {
            return;
        };
        match report {
            Report::Opened { local, .. } => session.call(now, line, local),
            Report::Started { .. } => {
                session.began = Some(now.mono);
                line.tell(Event::VoiceHeard {
                    source: session.broadcast.source,
                    target: session.broadcast.target,
                });
            }
            Report::Progress { verdict, .. } => session.count(now, &verdict),
            Report::Voice { samples, .. } => line.tell(Event::VoiceSaid { samples }),
            Report::Lost { why, .. } => {
                session.hang_up(now, line, VoiceEnd::MediaFailed(why.to_string()));
            }
            Report::Ended { verdict, error, .. } => {
                if let Some(verdict) = verdict {
                    session.count(now, &verdict);
                }
                session.media_ended(now, line, error);
                self.forget();
            }
            Report::Steered { .. } | Report::Drained { .. } => {}
        }
    }

    /// A further copy of the 2xx that was acknowledged: its ACK was lost. Whether it was one.
    pub fn acknowledge_again(&self, line: &mut Line, transaction: TransactionId) -> bool {
        let session = self.0.as_ref();
        let Some((session, (_, ack))) = session
            .and_then(|session| session.ack.as_ref().map(|ack| (session, ack)))
            .filter(|(_, (accepted, _))| *accepted == transaction)
        else {
            return false;
        };
        line.ack(session.peer(line), ack.clone());
        true
    }

    /// The INVITE had its final response, or none.
    pub fn answered(
        &mut self,
        now: Now,
        line: &mut Line,
        transaction: TransactionId,
        answer: Result<&Response, &str>,
    ) {
        let Some(session) = &mut self.0 else {
            return;
        };
        let Some((_, invite)) = session.invite.take_if(|(asked, _)| *asked == transaction) else {
            return;
        };
        match answer {
            Ok(response) if response.is_success() => {
                session.accepted(now, line, (transaction, &invite), response);
            }
            Ok(response) if session.is_asked_to_authorize(now, line, &invite, response) => {}
            Ok(response) => {
                let (status, reason) = (response.status(), response.reason());
                session.end(line, VoiceEnd::Refused(format!("{status} {reason}")));
            }
            Err(why) => session.end(line, VoiceEnd::Refused(why.to_owned())),
        }
        self.forget();
    }

    /// BYE of the platform. Whether it was for the voice.
    pub fn bye(&mut self, now: Now, line: &mut Line, incoming: &Incoming) -> bool {
        let (transaction, request) = (incoming.transaction, &incoming.request);
        let Some((session, dialog)) = self.0.as_mut().and_then(|session| {
            let dialog = session.dialog.take_if(|dialog| dialog.same_call(request))?;
            Some((session, dialog))
        }) else {
            return false;
        };
        let in_order = session.dialog.insert(dialog).in_order(request);
        let status = if in_order { 200 } else { 500 };
        line.reply(now.mono, transaction, request, status);
        if in_order {
            session.end(line, VoiceEnd::Bye);
        }
        true
    }

    /// The device wants to hear no more.
    pub fn hang_up(&mut self, now: Now, line: &mut Line) {
        if let Some(session) = &mut self.0 {
            session.hang_up(now, line, VoiceEnd::HungUp);
        }
    }

    /// The platform is gone: nobody is told.
    pub fn abandon(&mut self, now: Now, line: &mut Line) {
        if let Some(session) = &mut self.0 {
            session.cancel(now, line);
            session.end(line, VoiceEnd::PlatformLost);
        }
    }

    fn forget(&mut self) {
        self.0
            .take_if(|session| session.state == State::Ended && session.invite.is_none());
    }
}

impl Session {
    /// There is a port: the device calls.
    fn call(&mut self, now: Now, line: &mut Line, local: SocketAddr) {
        if self.state != State::Opening {
            return;
        }
        let request = self.invitation(line, local);
        self.call_id = request.headers.call_id().unwrap_or_default().to_owned();
        let to = line.platform.address;
        let transaction = line.send(now.mono, Purpose::Voice, to, request.clone());
        self.invite = Some((transaction, request));
        self.state = State::Calling;
    }

    fn invitation(&self, line: &mut Line, local: SocketAddr) -> Request {
        let Broadcast { source, target } = self.broadcast;
        let device = line.config.device;
        let (tag, call_id) = (line.tag(), line.call_id());
        let uri = line.uri_at_platform(&source);
        let facts = VoiceFacts {
            device_id: device.to_string(),
            address: local.ip(),
            // Of who connects the port does not matter, but 0 would mean that no media is wanted.
            port: match local.port() {
                0 => line.config.profile.behaviour.first_media_port,
                port => port,
            },
            transport: in_sdp(self.transport),
            ssrc: self.ssrc.clone(),
        };
        let sdp = &line.config.profile.sdp;
        Request::new(Method::Invite, uri.as_str())
            .with_header("From", format!("<{}>;tag={tag}", line.own_uri(&device)))
            .with_header("To", format!("<{uri}>"))
            .with_header("Call-ID", call_id)
            .with_header("CSeq", "1 INVITE")
            .with_header("Contact", line.contact(&device))
            .with_header("Subject", format!("{source}:{},{target}:0", self.ssrc))
            .with_body(&sdp.content_type, sdp.voice_offer(&facts))
    }

    /// The platform wants credentials (RFC 3261 §22): whether it was called again with them.
    fn is_asked_to_authorize(
        &mut self,
        now: Now,
        line: &mut Line,
        invite: &Request,
        response: &Response,
    ) -> bool {
        let wanted = self.state == State::Calling;
        let again = wanted.then(|| line.authorized(invite, response)).flatten();
        let Some(again) = again else {
            return false;
        };
        let to = line.platform.address;
        let transaction = line.send(now.mono, Purpose::Voice, to, again.clone());
        self.invite = Some((transaction, again));
        true
    }

    /// There is a dialog, and it must be acknowledged whatever it says.
    fn accepted(
        &mut self,
        now: Now,
        line: &mut Line,
        (transaction, invite): (TransactionId, &Request),
        response: &Response,
    ) {
        let Some(dialog) = Dialog::from_uac(invite, response) else {
            return self.end(line, VoiceEnd::Refused("a 200 without To".to_owned()));
        };
        let cseq = invite.headers.cseq().map_or(1, |cseq| cseq.number);
        let ack = dialog.ack(cseq);
        self.dialog = Some(dialog);
        line.ack(self.peer(line), ack.clone());
        self.ack = Some((transaction, ack));
        if self.state != State::Calling {
            return self.say_bye(now, line);
        }
        self.state = State::Hearing;
        match agreed(response, self.transport) {
            Ok((remote, payload_type)) => line.order(Order::Start {
                stream: STREAM,
                remote,
                what: Flowing::In(Arc::new(Expected {
                    payload_type,
                    check: Check::Voice,
                    record: line.config.keeps_voice,
                    ..Expected::default()
                })),
            }),
            Err(why) => self.hang_up(now, line, VoiceEnd::Refused(why)),
        }
    }

    /// Where requests in its dialog go.
    fn peer(&self, line: &Line) -> SocketAddr {
        let platform = line.platform.address;
        let dialog = self.dialog.as_ref();
        dialog.map_or(platform, |dialog| destination(dialog, platform))
    }

    fn count(&mut self, now: Now, verdict: &Verdict) {
        self.heard = Heard::of(verdict, self.began, now);
    }

    /// Ends it from our side, however far it has come.
    fn hang_up(&mut self, now: Now, line: &mut Line, why: VoiceEnd) {
        match self.state {
            State::Opening => {}
            State::Calling => self.cancel(now, line),
            State::Hearing => self.say_bye(now, line),
            State::Ending | State::Ended => return,
        }
        self.end(line, why);
    }

    /// CANCEL, as soon as it may be sent (RFC 3261 §9.1).
    fn cancel(&self, now: Now, line: &mut Line) {
        if let Some((transaction, _)) = &self.invite {
            line.endpoint.cancel(now.mono, *transaction);
        }
    }

    fn say_bye(&mut self, now: Now, line: &mut Line) {
        let to = self.peer(line);
        if let Some(dialog) = &mut self.dialog {
            let bye = dialog.request(Method::Bye);
            line.send(now.mono, Purpose::Bye, to, bye);
        }
    }

    /// Nothing is left but the last word of its stream.
    fn end(&mut self, line: &mut Line, why: VoiceEnd) {
        if matches!(self.state, State::Ending | State::Ended) {
            return;
        }
        self.state = State::Ending;
        self.why = why;
        line.order(Order::Stop(STREAM));
    }

    /// The stream is gone, as ordered or by itself.
    fn media_ended(&mut self, now: Now, line: &mut Line, error: Option<String>) {
        if self.state != State::Ending {
            match self.state {
                State::Hearing => self.say_bye(now, line),
                _ => self.cancel(now, line),
            }
            let why = error.unwrap_or_else(|| "the stream ended".to_owned());
            self.why = VoiceEnd::MediaFailed(why);
        }
        self.state = State::Ended;
        line.tell(Event::VoiceEnded {
            source: self.broadcast.source,
            target: self.broadcast.target,
            why: self.why.clone(),
            heard: self.heard,
            call_id: self.call_id.clone(),
        });
    }
}

/// From where the platform speaks, and as which payload type.
fn agreed(response: &Response, ours: MediaTransport) -> Result<(SocketAddr, u8), String> {
    let answer = Answer::parse(&response.body).map_err(|error| error.to_string())?;
    let payload = answer.voice_payload();
    let payload = payload.ok_or("the answer has no G.711 A-law")?;
    if answer.kind != Kind::Audio {
        return Err("the answer is not for audio".to_owned());
    }
    if answer.proto != in_sdp(ours).proto() {
        return Err(format!("the answer is not for {ours}"));
    }
    Ok((SocketAddr::new(answer.connection, answer.port), payload))
}

fn in_sdp(transport: MediaTransport) -> Transport {
    match transport {
        MediaTransport::Udp => Transport::Udp,
        MediaTransport::TcpActive => Transport::TcpActive,
        MediaTransport::TcpPassive => Transport::TcpPassive,
    }
}

impl Config {
    /// Whether a platform can be heard from what has this code: the device, a channel of it, or
    /// one of its voice outputs.
    fn is_heard_from(&self, code: DeviceId) -> bool {
        let outputs = 1..=self.profile.device.voice_outputs.max(1);
        let output = self.device.with_type(DeviceId::VOICE_OUTPUT);
        let is_output = || outputs.into_iter().any(|n| output.with_serial(n) == code);
        self.profile.behaviour.voice.output
            && (self.channel(code.as_str()).is_some() || is_output())
    }
}
