//! Who waits for what a platform tells: questions, calls and registrations.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::{oneshot, watch};

use super::stream::{Answered, StreamEnd};
use crate::gb28181::DeviceId;
use crate::media::{Counts, Loss, Verdict};
use crate::platform::{Absence, Answer, AskFailure, Complaint, Event, PlayFailure, SpeechEnd};
use crate::sip::Transport;

/// The most complaints kept; all are counted.
const COMPLAINTS: usize = 1000;

/// A device that is registered. It stays so while it is silent: a Keepalive brings it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Where it is.
    pub at: SocketAddr,
    /// How its signalling travels.
    pub transport: Transport,
    /// For how long it registered.
    pub expires: Duration,
}

/// What is known of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Call {
    pub answered: Option<Answered>,
    /// From INVITE to the first packet.
    pub streaming: Option<Duration>,
    pub lost: Option<Loss>,
    pub verdict: Verdict,
    pub end: Option<Result<StreamEnd, PlayFailure>>,
}

/// What is known of a speech.
#[derive(Clone, Debug, Default)]
pub(super) struct Spoken {
    /// The first packet has left.
    pub speaking: bool,
    pub end: Option<(SpeechEnd, Counts)>,
}

type Asked = oneshot::Sender<Result<Answer, AskFailure>>;

/// The board that a platform's events are pinned to.
#[derive(Debug, Default)]
pub(super) struct Board {
    open: Mutex<Open>,
    /// The sockets, or why there are none.
    pub listening: watch::Sender<Option<Result<SocketAddr, (Transport, String)>>>,
    pub devices: watch::Sender<BTreeMap<DeviceId, Registered>>,
    pub off: watch::Sender<bool>,
}

#[derive(Debug, Default)]
struct Open {
    number: u64,
    asks: HashMap<u64, Asked>,
    calls: HashMap<u64, watch::Sender<Call>>,
    speeches: HashMap<u64, watch::Sender<Spoken>>,
    complaints: Vec<Complaint>,
}

impl Board {
    /// A number for a question, and its answer.
    pub fn ask(&self) -> (u64, oneshot::Receiver<Result<Answer, AskFailure>>) {
        let (sender, receiver) = oneshot::channel();
        let mut open = self.open();
        // Nobody waits for these any more.
        open.asks.retain(|_, asked| !asked.is_closed());
        open.number += 1;
        let number = open.number;
        open.asks.insert(number, sender);
        (number, receiver)
    }

    /// A number for a call, and how it goes.
    pub fn call(&self) -> (u64, watch::Receiver<Call>) {
        let (sender, receiver) = watch::channel(Call::default());
        let mut open = self.open();
        open.number += 1;
        let number = open.number;
        open.calls.insert(number, sender);
        (number, receiver)
    }

    /// How the speech goes that has the number of a question.
    pub fn speech(&self, ask: u64) -> watch::Receiver<Spoken> {
        let (sender, receiver) = watch::channel(Spoken::default());
        let mut open = self.open();
        open.speeches.retain(|_, speech| !speech.is_closed());
        open.speeches.insert(ask, sender);
        receiver
    }

    /// How many calls are open.
    #[cfg(test)]
    pub fn calls(&self) -> usize {
        self.open().calls.len()
    }

    /// The first complaints.
    pub fn complaints(&self) -> Vec<Complaint> {
        self.open().complaints.clone()
    }

    /// Takes in what the platform tells.
    pub fn note(&self, event: &Event) {
        match event {
            Event::Listening { udp, tcp } => {
                let address = tcp.unwrap_or(*udp);
                self.listening.send_replace(Some(Ok(address)));
            }
            Event::NotListening { transport, why } => {
                let failed = (*transport, why.clone());
                self.listening.send_replace(Some(Err(failed)));
            }
            Event::Answered { ask, answer, .. } => self.answered(ask.0, Ok(answer.clone())),
            Event::AskFailed { ask, why, .. } => self.answered(ask.0, Err(why.clone())),
            Event::Complaint(complaint) => self.complain(complaint),
            Event::Off => {
                self.off.send_replace(true);
            }
            _ => {
                self.note_device(event);
                self.note_call(event);
                self.note_speech(event);
            }
        }
    }

    fn note_device(&self, event: &Event) {
        self.devices.send_if_modified(|devices| match event {
            Event::Registered {
                device,
                at,
                transport,
                expires,
                ..
            } => {
                let (at, transport, expires) = (*at, *transport, *expires);
                let known = Registered {
                    at,
                    transport,
                    expires,
                };
                devices.insert(*device, known) != Some(known)
            }
            Event::Offline {
                why: Absence::Silent,
                ..
            } => false,
            Event::Unregistered { device } | Event::Offline { device, .. } => {
                devices.remove(device).is_some()
            }
            _ => false,
        });
    }

    fn note_speech(&self, event: &Event) {
        match event {
            Event::Speaking { ask, .. } => {
                if let Some(speech) = self.open().speeches.get(&ask.0) {
                    speech.send_modify(|spoken| spoken.speaking = true);
                }
            }
            Event::SpeechEnded {
                ask, why, counts, ..
            } => {
                if let Some(speech) = self.open().speeches.remove(&ask.0) {
                    speech.send_modify(|spoken| spoken.end = Some((why.clone(), *counts)));
                }
            }
            _ => {}
        }
    }

    fn note_call(&self, event: &Event) {
        match event {
            Event::PlayAnswered {
                play,
                media,
                ssrc,
                took,
            } => {
                let (media, ssrc, took) = (*media, *ssrc, *took);
                let answered = Answered { media, ssrc, took };
                self.change(play.0, |call| call.answered = Some(answered));
            }
            Event::Streaming { play, took } => self.change(play.0, |call| {
                call.streaming.get_or_insert(*took);
                call.lost = None;
            }),
            Event::MediaLost { play, why } => {
                self.change(play.0, |call| call.lost = Some(why.clone()));
            }
            Event::Progress { play, verdict } => {
                self.change(play.0, |call| call.verdict.clone_from(verdict));
            }
            Event::PlayEnded { .. } | Event::PlayRefused { .. } => self.note_end(event),
            _ => {}
        }
    }

    fn note_end(&self, event: &Event) {
        match event {
            Event::PlayRefused { play, why } => {
                let end = Err(why.clone());
                self.change(play.0, |call| call.end = Some(end));
                self.open().calls.remove(&play.0);
            }
            Event::PlayEnded {
                play,
                why,
                verdict,
                recording,
                ..
            } => {
                self.change(play.0, |call| {
                    if let Some(verdict) = verdict {
                        call.verdict.clone_from(verdict);
                    }
                    call.end = Some(Ok(StreamEnd {
                        why: *why,
                        verdict: call.verdict.clone(),
                        recording: recording.clone(),
                    }));
                });
                self.open().calls.remove(&play.0);
            }
            _ => {}
        }
    }

    fn answered(&self, ask: u64, answer: Result<Answer, AskFailure>) {
        if let Some(asked) = self.open().asks.remove(&ask) {
            // Whoever asked may have stopped waiting.
            let _ = asked.send(answer);
        }
    }

    fn change(&self, call: u64, how: impl FnOnce(&mut Call)) {
        if let Some(call) = self.open().calls.get(&call) {
            call.send_modify(how);
        }
    }

    fn complain(&self, complaint: &Complaint) {
        let complaints = &mut self.open().complaints;
        if complaints.len() < COMPLAINTS {
            complaints.push(complaint.clone());
        }
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(|e| e.into_inner())
    }
}
