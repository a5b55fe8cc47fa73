//! Talk: a call in which both sides speak, if the make takes such calls (`s=Talk` of
//! GB/T 28181-2016).

use std::sync::Arc;

use crate::gb28181::DeviceId;
use crate::gb28181::sdp::{Kind, Offer, PCMA, Session};
use crate::media::{Check, Cut, Expected, Flowing, SenderConfig, StreamId, Verdict};
use crate::time::{Instant, Now};

use super::call::{Call, Terms};
use super::calls::Calls;
use super::config::Config;
use super::event::{CallEnd, Event, Heard, VoiceEnd};
use super::line::Line;
use super::offer::Refusal;

/// What a talk is besides a call: what is heard in it.
#[derive(Debug)]
pub(super) struct Talk {
    source: DeviceId,
    target: DeviceId,
    expected: Arc<Expected>,
    /// When the first packet was known to have come.
    began: Option<Instant>,
    /// What was heard in streams that INVITEs in the dialog have replaced.
    earlier: Heard,
    heard: Heard,
}

/// The payload type of a talk, or why it cannot be.
pub(super) fn payload(config: &Config, offer: &Offer) -> Result<u8, &'static str> {
    if !config.profile.behaviour.voice.talk {
        return Err("this make does not talk");
    }
    if offer.kind != Kind::Audio || !offer.takes_pcma() {
        return Err("the offer has no G.711 A-law");
    }
    match offer.direction.sends() || offer.direction.receives() {
        true => Ok(PCMA),
        false => Err("nobody is to speak"),
    }
}

/// What the device says.
pub(super) fn microphone(config: &Config) -> Arc<Cut> {
    config.microphone.clone().unwrap_or_else(Cut::tone)
}

impl Terms {
    pub fn is_talk(&self) -> bool {
        self.offer.session == Session::Talk
    }
}

impl Talk {
    pub fn of(line: &Line, channel: DeviceId, terms: &Terms) -> Option<Box<Talk>> {
        let talk = || Talk {
            source: line.platform.id,
            target: channel,
            expected: Arc::new(Expected {
                payload_type: terms.payload,
                check: Check::Voice,
                record: line.config.keeps_voice,
                echo: line.config.echoes,
                ..Expected::default()
            }),
            began: None,
            earlier: Heard::default(),
            heard: Heard::default(),
        };
        terms.is_talk().then(|| Box::new(talk()))
    }

    /// What flows which way, as the platform wants it.
    pub fn flowing(&self, terms: &Terms, sender: &Arc<SenderConfig>) -> Flowing {
        let platform = terms.offer.direction;
        match (platform.receives(), platform.sends()) {
            (true, true) => Flowing::Both(sender.clone(), self.expected.clone()),
            (true, false) => Flowing::Out(sender.clone()),
            (false, _) => Flowing::In(self.expected.clone()),
        }
    }

    /// How the stream that flows now stands.
    pub fn hear(&mut self, now: Now, line: &mut Line, verdict: &Verdict) {
        if verdict.packets.received > 0 && self.began.is_none() {
            self.began = Some(now.mono);
            line.tell(Event::VoiceHeard {
                source: self.source,
                target: self.target,
            });
        }
        self.heard = Heard::of(verdict, self.began, now);
        self.heard.add(self.earlier);
    }

    /// Another stream takes over from the one that flowed.
    pub fn renegotiated(&mut self) {
        self.earlier = self.heard;
    }

    /// The talk is over. Of one in which nothing was heard nothing is told.
    pub fn end(mut self, line: &mut Line, last: (Now, Option<&Verdict>), why: CallEnd, call: &str) {
        if let (now, Some(verdict)) = last {
            self.hear(now, line, verdict);
        }
        if self.began.is_some() {
            line.tell(Event::VoiceEnded {
                source: self.source,
                target: self.target,
                why: why.of_voice(),
                heard: self.heard,
                call_id: call.to_owned(),
            });
        }
    }
}

impl CallEnd {
    /// The same, said of the voice in a talk.
    fn of_voice(self) -> VoiceEnd {
        match self {
            CallEnd::Bye => VoiceEnd::Bye,
            CallEnd::HungUp => VoiceEnd::HungUp,
            CallEnd::PlatformLost => VoiceEnd::PlatformLost,
            CallEnd::MediaFailed => VoiceEnd::MediaFailed(self.to_string()),
            CallEnd::Cancelled | CallEnd::Replaced | CallEnd::Unacknowledged | CallEnd::Played => {
                VoiceEnd::Refused(self.to_string())
            }
        }
    }
}

impl Calls {
    /// A device talks with one at a time.
    pub(super) fn make_room_to_talk(&self, terms: &Terms) -> Result<(), Refusal> {
        let mut calls = self.live.values();
        match terms.is_talk() && calls.any(|call| call.talk.is_some()) {
            true => Err(Refusal::new(486, "it talks already")),
            false => Ok(()),
        }
    }

    /// How a stream that brings something stands.
    pub(super) fn talked(&mut self, now: Now, line: &mut Line, stream: StreamId, so_far: &Verdict) {
        let call = self.playing(stream);
        if let Some(talk) = call.and_then(|call| call.talk.as_mut()) {
            talk.hear(now, line, so_far);
        }
    }

    /// What is heard in the talk that is up.
    pub fn heard(&self) -> Option<Heard> {
        let mut talks = self.live.values().filter_map(|call| call.talk.as_ref());
        talks.next().map(|talk| talk.heard)
    }
}

impl Call {
    /// Why an INVITE in the dialog cannot be, if it would make a picture a talk or a talk a
    /// picture.
    pub fn check_stays(&self, terms: &Terms) -> Result<(), Refusal> {
        match terms.is_talk() == self.talk.is_some() {
            true => Ok(()),
            false => Err(Refusal::new(
                488,
                "a talk and a picture are different calls",
            )),
        }
    }
}
