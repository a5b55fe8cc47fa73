//! What a platform tells, added up: who is there, which calls are up, how they went.

mod calls;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use hdrhistogram::Histogram;

use super::status::{SinkCalls, SinkStatus, SinkTimes, SinkVerified};
use crate::gb28181::DeviceId;
use crate::media::Verdict;
use crate::platform::{Absence, Answer, AskFailure, Complaint, Deviation, Event, PlayId};

/// How many examples of what went wrong are kept.
const EXAMPLES: usize = 8;
/// How many reasons are told apart; beyond it they are "other reasons".
const REASONS: usize = 32;
/// The longest time told apart, in microseconds.
const LONGEST: u64 = 120_000_000;

/// What the caller may want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Hint {
    /// A device is there that has no call.
    Arrived(DeviceId),
    /// The first channel in the catalogue of a device.
    Channel { device: DeviceId, channel: DeviceId },
    /// A call is over, so that there is room for another.
    Over(PlayId),
}

/// The running sums.
#[derive(Debug)]
pub(in crate::api) struct Score(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    devices: HashMap<DeviceId, Device>,
    live: HashMap<PlayId, Call>,
    /// How often a device was new.
    arrivals: u64,
    registered: u64,
    refused: u64,
    silent: u64,
    calls: SinkCalls,
    answer: Histogram<u64>,
    first_packet: Histogram<u64>,
    verified: SinkVerified,
    complaints: BTreeMap<Deviation, u64>,
    examples: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Device {
    is_registered: bool,
    is_called: bool,
}

#[derive(Debug)]
struct Call {
    device: DeviceId,
    is_up: bool,
    is_streaming: bool,
    /// Media had come, and its connection broke.
    is_broken: bool,
    /// Of a stream that is judged.
    verdict: Option<Box<Verdict>>,
}

impl Score {
    /// Nothing has happened; no more than `wanted` calls at a time are.
    pub fn new(wanted: Option<u64>) -> Self {
        let micros = || {
            Histogram::new_with_bounds(1, LONGEST, 3)
                .or_else(|_| Histogram::new(3))
                .expect("three significant digits are allowed")
        };
        Score(Mutex::new(Inner {
            devices: HashMap::new(),
            live: HashMap::new(),
            arrivals: 0,
            registered: 0,
            refused: 0,
            silent: 0,
            calls: SinkCalls {
                wanted,
                ..SinkCalls::default()
            },
            answer: micros(),
            first_packet: micros(),
            verified: SinkVerified::default(),
            complaints: BTreeMap::new(),
            examples: Vec::new(),
        }))
    }

    /// Takes in what the platform tells.
    pub fn note(&self, event: &Event) -> Option<Hint> {
        let mut inner = self.inner();
        match event {
            Event::Registered { device, .. } | Event::Back { device } => inner.came(*device),
            Event::Unregistered { device } => inner.left(*device),
            Event::Offline { device, why } => {
                if *why != Absence::Disconnected {
                    inner.silent += 1;
                    inner.example(|| format!("{device}: {why}"));
                }
                inner.left(*device)
            }
            Event::Refused {
                from, status, why, ..
            } => {
                inner.refused += 1;
                inner.example(|| format!("{from}: registration refused with {status} {why}"));
                None
            }
            Event::Answered {
                device,
                answer: Answer::Catalog(items),
                ..
            } => {
                let video = items.iter().filter(|item| item.shows_video());
                let mut ids = video.filter_map(|item| item.id.parse().ok());
                let device = *device;
                match ids.find(|id: &DeviceId| *id != device) {
                    Some(channel) => Some(Hint::Channel { device, channel }),
                    None => inner.uncalled(device, "no channel in its catalogue"),
                }
            }
            Event::AskFailed { device, why, .. } => inner.unasked(*device, why),
            Event::Complaint(complaint) => inner.complain(complaint),
            _ => inner.note_call(event),
        }
    }

    /// Whether one more call may be begun.
    pub fn has_room(&self) -> bool {
        let inner = self.inner();
        let live = inner.live.len() as u64;
        inner.calls.wanted.is_none_or(|most| live < most)
    }

    /// A call is begun, if the device is still there and has none: how many there were before.
    pub fn begin(&self, device: DeviceId, play: impl FnOnce(u64) -> PlayId) -> Option<u64> {
        let mut inner = self.inner();
        let known = inner.devices.get_mut(&device)?;
        if !known.is_registered || known.is_called {
            return None;
        }
        known.is_called = true;
        let number = inner.calls.invited;
        inner.calls.invited += 1;
        let call = Call {
            device,
            is_up: false,
            is_streaming: false,
            is_broken: false,
            verdict: None,
        };
        inner.live.insert(play(number), call);
        Some(number)
    }

    /// How it stands, the media apart.
    pub fn status(&self) -> SinkStatus {
        let inner = self.inner();
        let mut verified = inner.verified;
        for verdict in inner.live.values().filter_map(|call| call.verdict.as_ref()) {
            verified.add(verdict);
        }
        let complaints = inner.complaints.iter();
        SinkStatus {
            registered: inner.registered,
            arrivals: inner.arrivals,
            refused: inner.refused,
            silent: inner.silent,
            calls: inner.calls.clone(),
            answer: SinkTimes::of(&inner.answer),
            first_packet: SinkTimes::of(&inner.first_packet),
            media: Default::default(),
            verified,
            complaints: complaints
                .map(|(what, n)| (what.text().to_owned(), *n))
                .collect(),
            examples: inner.examples.clone(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl SinkVerified {
    fn add(&mut self, verdict: &Verdict) {
        self.streams += 1;
        self.clean += u64::from(verdict.is_clean());
        self.seconds += verdict.seconds_verified();
    }
}

impl Inner {
    fn came(&mut self, device: DeviceId) -> Option<Hint> {
        if !self.devices.contains_key(&device) {
            self.arrivals += 1;
        }
        let known = self.devices.entry(device).or_default();
        let is_new = !std::mem::replace(&mut known.is_registered, true);
        self.registered += u64::from(is_new);
        (is_new && !known.is_called).then_some(Hint::Arrived(device))
    }

    fn left(&mut self, device: DeviceId) -> Option<Hint> {
        let known = self.devices.get_mut(&device)?;
        self.registered -= u64::from(std::mem::take(&mut known.is_registered));
        self.forget(device);
        None
    }

    /// A device that is neither registered nor called is unknown.
    fn forget(&mut self, device: DeviceId) {
        let known = self.devices.get(&device);
        if known.is_some_and(|known| !known.is_registered && !known.is_called) {
            self.devices.remove(&device);
        }
    }

    fn uncalled(&mut self, device: DeviceId, why: &str) -> Option<Hint> {
        self.fail(device, why);
        None
    }

    fn unasked(&mut self, device: DeviceId, why: &AskFailure) -> Option<Hint> {
        match why {
            AskFailure::NotRegistered => None,
            why => self.uncalled(device, &format!("no catalogue: {why}")),
        }
    }

    fn complain(&mut self, complaint: &Complaint) -> Option<Hint> {
        *self.complaints.entry(complaint.what).or_default() += 1;
        None
    }

    fn example(&mut self, text: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES {
            self.examples.push(text());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Counts;
    use crate::platform::PlayEnd;
    use crate::sip::Transport;
    use std::time::Duration;

    const DEVICE: &str = "34020000001320000001";

    fn device() -> DeviceId {
        DEVICE.parse().unwrap()
    }

    fn registered() -> Event {
        Event::Registered {
            device: device(),
            at: "192.0.2.1:5060".parse().unwrap(),
            transport: Transport::Udp,
            expires: Duration::from_secs(60),
            refresh: false,
        }
    }

    fn ended(play: PlayId, why: PlayEnd) -> Event {
        Event::PlayEnded {
            play,
            why,
            counts: Counts::default(),
            verdict: None,
            recording: Default::default(),
        }
    }

    /// A device that was called and answered.
    fn up(score: &Score) -> PlayId {
        assert_eq!(score.note(&registered()), Some(Hint::Arrived(device())));
        assert_eq!(score.begin(device(), PlayId), Some(0));
        let (play, took) = (PlayId(0), Duration::from_millis(20));
        score.note(&Event::PlayAnswered {
            play,
            media: "192.0.2.1:9".parse().unwrap(),
            ssrc: 1,
            took,
        });
        score.note(&Event::Streaming { play, took });
        play
    }

    #[test]
    fn a_device_is_called_once_and_again_when_it_comes_anew() {
        let score = Score::new(None);
        let play = up(&score);
        assert_eq!(score.note(&registered()), None, "a refresh");
        assert_eq!(score.begin(device(), PlayId), None);
        let status = score.status();
        assert_eq!((status.calls.up, status.calls.streaming), (1, 1));
        assert_eq!(status.answer.count, 1);
        let gone = Event::Unregistered { device: device() };
        score.note(&gone);
        assert_eq!(
            score.note(&ended(play, PlayEnd::DeviceGone)),
            Some(Hint::Over(play))
        );
        assert!(score.inner().devices.is_empty() && score.inner().live.is_empty());
        assert_eq!(score.note(&registered()), Some(Hint::Arrived(device())));
        let status = score.status();
        assert_eq!((status.arrivals, status.calls.up), (2, 0));
        assert!(status.calls.failed.is_empty());
    }

    #[test]
    fn no_media_a_refusal_and_an_interruption_are_failures_with_an_example() {
        let score = Score::new(None);
        let play = up(&score);
        let why = crate::media::Loss::Closed;
        score.note(&Event::MediaLost { play, why });
        assert_eq!(score.status().calls.streaming, 0);
        let took = Duration::from_secs(1);
        score.note(&Event::Streaming { play, took });
        score.note(&ended(play, PlayEnd::NoMedia));
        let status = score.status();
        assert_eq!(status.calls.interrupted, 1);
        assert_eq!(status.calls.failed["no media came"], 1);
        assert_eq!(status.first_packet.count, 1);
        assert!(status.examples[0].starts_with(DEVICE));
    }

    #[test]
    fn there_is_room_for_no_more_calls_than_are_wanted() {
        let score = Score::new(Some(1));
        assert!(score.has_room());
        let play = up(&score);
        assert!(!score.has_room());
        score.note(&ended(play, PlayEnd::ByDevice));
        assert!(score.has_room());
    }

    #[test]
    fn reasons_and_examples_are_bounded_whatever_devices_say() {
        let score = Score::new(None);
        for n in 0..1000 {
            score.inner().fail(device(), &format!("4{n:02} reason"));
        }
        let status = score.status();
        assert_eq!(status.calls.failed.len(), REASONS + 1);
        assert_eq!(status.calls.failed.values().sum::<u64>(), 1000);
        assert_eq!(status.examples.len(), EXAMPLES);
    }
}
