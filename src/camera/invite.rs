//! Taking an INVITE: provisional answers, the 200 with its SDP, or a refusal
//! (GB/T 28181-2022 §9.2.2, RFC 3261 §13.3 and §14.2).

use std::net::SocketAddr;
use std::sync::Arc;

use rand::RngExt;

use crate::gb28181::sdp::AnswerFacts;
use crate::media::{Counts, MediaTransport, Recording, SenderConfig};
use crate::sip::{ContactUser, Dialog, Provisional, Request, Response, TransactionId};
use crate::time::Now;

use super::call::{Call, Pending, State, Terms};
use super::calls::{Calls, Incoming};
use super::config::Channel;
use super::event::{CallEnd, CallNumber, Event};
use super::line::Line;
use super::offer::{self, Refusal};
use super::playback::{self, Playback};
use super::talk::{self, Talk};

impl Calls {
    /// An INVITE: the first of a dialog, or one inside it.
    pub fn invite(&mut self, now: Now, line: &mut Line, incoming: Incoming) {
        let in_dialog = incoming
            .request
            .headers
            .to()
            .is_ok_and(|to| to.tag().is_some());
        let judged = match in_dialog {
            true => self.judge_again(now, line, &incoming),
            false => self.judge(now, line, &incoming),
        };
        if let Err(refusal) = judged {
            let Incoming {
                transaction,
                request,
                ..
            } = incoming;
            refuse(now, line, transaction, &request, refusal);
        }
    }

    /// A first INVITE: judged wholly before anything is answered, then 100 and 101 at once.
    fn judge(&mut self, now: Now, line: &mut Line, incoming: &Incoming) -> Result<(), Refusal> {
        let config = line.config.clone();
        let request = &incoming.request;
        let channel = offer::channel(&config, request)?;
        let terms = offer::terms(&config, request, line.spare_ssrc())?;
        let recording = playback::recording(&config, now.wall, channel, &terms.offer)?;
        // What was recorded is there even if the picture is gone.
        if recording.is_none() && self.is_offline(&channel.id) {
            return Err(Refusal::new(
                480,
                format!("channel {} is off-line", channel.id),
            ));
        }
        self.make_room(now, line, channel, request)?;
        self.make_room_to_talk(&terms)?;
        let call = self.begin(now, line, channel, (terms, recording), incoming);
        let call =
            call.ok_or_else(|| Refusal::new(400, "an INVITE without From, To or Call-ID"))?;
        line.tell(Event::Invited {
            call: call.number,
            channel: channel.id,
            transport: call.terms.transport,
        });
        self.live.insert(call.number, Box::new(call));
        Ok(())
    }

    /// A receiver that restarted replaces its stream (annex L); beyond the limit it is 486.
    fn make_room(
        &mut self,
        now: Now,
        line: &mut Line,
        channel: &Channel,
        request: &Request,
    ) -> Result<(), Refusal> {
        if let Some(subject) = offer::subject(request) {
            let restarted = self.live.values().find(|c| c.is_replaced_by(&subject));
            if let Some(number) = restarted.map(|call| call.number) {
                self.end(now, line, number, CallEnd::Replaced);
            }
        }
        let limit = line.config.profile.behaviour.streams_per_channel;
        let pictures = self.live.values().filter(|call| call.talk.is_none());
        let streams = pictures.filter(|call| call.channel == channel.id);
        match streams.count() < limit {
            true => Ok(()),
            false => Err(Refusal::new(486, format!("{limit} streams already"))),
        }
    }

    fn begin(
        &mut self,
        now: Now,
        line: &mut Line,
        channel: &Channel,
        (terms, recording): (Terms, Option<Arc<Recording>>),
        incoming: &Incoming,
    ) -> Option<Call> {
        self.last_number += 1;
        let Incoming {
            transaction,
            from,
            request,
        } = incoming;
        let tag = line.tag();
        let user = match line.config.profile.sip.contact_user {
            ContactUser::Called => channel.id,
            ContactUser::Device => line.config.device,
        };
        let contact = line.contact(&user);
        let dialog = Dialog::from_uas(request, &tag, Some(&contact))?;
        provisional(now, line, *transaction, request, &dialog);
        let stream = self.open_stream(line, &terms);
        let playback = Playback::of(recording.as_ref());
        let talk = Talk::of(line, channel.id, &terms);
        let sender = sender(line, channel, &terms, recording);
        Some(Call {
            number: CallNumber(self.last_number),
            invited: now.mono,
            channel: channel.id,
            peer: *from,
            dialog,
            subject: offer::subject(request),
            state: State::Opening,
            stream,
            pending: Some(Pending {
                transaction: *transaction,
                request: request.clone(),
                terms: terms.clone(),
                sender: sender.clone(),
                stream,
                since: now.mono,
                answered: None,
            }),
            nominal_port: self.nominal_port(line),
            answer: bytes::Bytes::new(),
            terms,
            sender,
            failures: 0,
            established: false,
            streamed: false,
            playback,
            talk,
            sent: Counts::default(),
        })
    }

    /// The port an answer names when we connect ourselves: even, counting up from the make's
    /// first, as its own port allocation would.
    fn nominal_port(&mut self, line: &Line) -> u16 {
        const PORTS: u16 = 64;
        let first = line.config.profile.behaviour.first_media_port;
        let step = 2 * (self.nominal_ports % PORTS);
        self.nominal_ports = self.nominal_ports.wrapping_add(1);
        first.saturating_add(step)
    }

    /// An INVITE inside a dialog (RFC 3261 §14.2): its offer replaces the old one once it is
    /// acknowledged; a refusal leaves everything as it was.
    fn judge_again(
        &mut self,
        now: Now,
        line: &mut Line,
        incoming: &Incoming,
    ) -> Result<(), Refusal> {
        let request = &incoming.request;
        let unknown = || Refusal::new(481, "an INVITE for an unknown dialog");
        let number = self.of(request).ok_or_else(unknown)?;
        if let Some(status) = self.out_of_order(number, request) {
            return Err(Refusal::new(status, "CSeq runs backwards"));
        }
        let call = self.live.get(&number).ok_or_else(unknown)?;
        if let Some(pending) = &call.pending {
            return Err(overtaking(line, pending));
        }
        let config = line.config.clone();
        let channel = config.channel(call.channel.as_str()).ok_or_else(unknown)?;
        let terms = offer::terms(&config, request, call.terms.ssrc.clone())?;
        call.check_stays(&terms)?;
        let recording = playback::recording(&config, now.wall, channel, &terms.offer)?;
        if config.profile.sip.provisional != Provisional::None {
            line.reply(now.mono, incoming.transaction, request, 100);
        }
        let unchanged = terms == call.terms;
        let stream = match unchanged {
            true => call.stream,
            false => self.open_stream(line, &terms),
        };
        let Some(call) = self.live.get_mut(&number) else {
            return Err(unknown());
        };
        call.pending = Some(Pending {
            transaction: incoming.transaction,
            request: request.clone(),
            sender: sender(line, channel, &terms, recording),
            terms,
            stream,
            since: now.mono,
            answered: None,
        });
        if unchanged {
            accept(now, line, call);
        }
        Ok(())
    }
}

/// An INVITE while an earlier one of the dialog is not over. Before our final answer that is 500
/// with a `Retry-After` by chance (RFC 3261 §14.2). Between our 200 and its ACK the RFC names no
/// status; we choose 491, which lets the platform try again soon.
fn overtaking(line: &mut Line, pending: &Pending) -> Refusal {
    match pending.answered {
        Some(_) => Refusal::new(491, "the last answer of this dialog is not acknowledged"),
        None => Refusal {
            retry_after: Some(line.rng.random_range(1..=10)),
            ..Refusal::new(500, "an INVITE of this dialog is still unanswered")
        },
    }
}

/// 100 and 101 as the make sends them. 101 carries To tag and Contact, so it makes the dialog.
fn provisional(
    now: Now,
    line: &mut Line,
    transaction: TransactionId,
    request: &Request,
    dialog: &Dialog,
) {
    let provisional = line.config.profile.sip.provisional;
    if provisional != Provisional::None {
        line.reply(now.mono, transaction, request, 100);
    }
    if provisional == Provisional::TryingAndDialog {
        let response = answer_in(line, request, 101, dialog);
        line.respond(now.mono, transaction, response);
    }
}

/// The media plane has told its address: send the 200.
pub(super) fn answer(now: Now, line: &mut Line, call: &mut Call, local: SocketAddr) {
    let Some(pending) = &call.pending else {
        return;
    };
    let terms = &pending.terms;
    let port = match terms.transport {
        MediaTransport::TcpActive => call.nominal_port,
        MediaTransport::Udp | MediaTransport::TcpPassive => local.port(),
    };
    let facts = AnswerFacts {
        channel_id: call.channel.to_string(),
        device_id: line.config.device.to_string(),
        address: line.media_ip(),
        port,
        transport: terms.offer.device_transport(),
        session: terms.offer.session.clone(),
        time: terms.offer.time.clone(),
        direction: terms.offer.direction.answered(),
        payload: terms.payload,
        stream: terms.offer.stream.unwrap_or(0),
        ssrc: terms.ssrc.clone(),
        session_number: line.endpoint.tokens_mut().session(),
        offered_setup: terms.offer.setup,
        file_size: pending
            .sender
            .recording
            .as_ref()
            .map(|recording| recording.octets()),
        range: terms.offer.range,
        password: line.config.credentials.password.clone(),
    };
    call.answer = line.config.profile.sdp.answer(&facts);
    accept(now, line, call);
}

/// 200 with the SDP at hand. Only now does the INVITE's Contact count: a refused one moves nothing
/// (RFC 3261 §12.2).
fn accept(now: Now, line: &mut Line, call: &mut Call) {
    let Some(pending) = &mut call.pending else {
        return;
    };
    let content_type = line.config.profile.sdp.content_type.clone();
    let response = answer_in(line, &pending.request, 200, &call.dialog)
        .with_body(&content_type, call.answer.clone());
    pending.answered = Some(now.mono);
    call.dialog.retarget(&pending.request.headers);
    call.established = true;
    line.respond(now.mono, pending.transaction, response);
    line.tell(Event::Answered {
        call: call.number,
        took: now.mono - pending.since,
    });
}

/// An answer that makes or keeps a dialog: with its tag and our Contact.
fn answer_in(line: &mut Line, request: &Request, status: u16, dialog: &Dialog) -> Response {
    let response = line
        .endpoint
        .answer_tagged(request, status, &dialog.local_tag);
    match &dialog.contact {
        Some(contact) => response.with_header("Contact", contact.clone()),
        None => response,
    }
}

/// A final refusal, counted and told.
pub(super) fn refuse(
    now: Now,
    line: &mut Line,
    transaction: TransactionId,
    request: &Request,
    refusal: Refusal,
) {
    let Refusal {
        status,
        why,
        accept,
        retry_after,
    } = refusal;
    let mut response = line.endpoint.answer(request, status);
    if let Some(types) = accept {
        response = response.with_header("Accept", types);
    }
    if let Some(seconds) = retry_after {
        response = response.with_header("Retry-After", seconds.to_string());
    }
    line.respond(now.mono, transaction, response);
    line.tell(Event::Refused {
        status,
        why,
        call_id: request.headers.call_id().unwrap_or_default().to_owned(),
    });
}

fn sender(
    line: &mut Line,
    channel: &Channel,
    terms: &Terms,
    recording: Option<Arc<Recording>>,
) -> Arc<SenderConfig> {
    let shown = match terms.is_talk() {
        true => talk::microphone(&line.config),
        false => channel.shown(terms.offer.stream.unwrap_or(0)).clone(),
    };
    Arc::new(SenderConfig {
        payload_type: terms.payload,
        sequence: line.rng.random(),
        timestamp: line.rng.random(),
        first_frame: line.config.first_frame,
        backlog: line.config.backlog,
        recording,
        ..SenderConfig::new(shown, terms.ssrc.value())
    })
}
