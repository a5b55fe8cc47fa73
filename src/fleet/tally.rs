//! What one worker counts of its cameras.

use std::ops::AddAssign;
use std::sync::Arc;

use super::measure::{Measure, Times};
use super::seat::{Seat, Standing};
use super::trouble::{Example, Kind, Troubles};
use crate::camera::{CallEnd, Event};
use crate::media::Counts;
use crate::time::Wall;

/// Counts what the cameras of one worker tell. It belongs to that worker; what it has counted
/// since the last time is moved to the [`Statistics`](super::Statistics) once in a while.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The group of every camera of the process.
    groups: Arc<[u16]>,
    /// Every camera of the process; those of other workers stay as they are.
    seats: Vec<Seat>,
    pub(super) counted: Counted,
}

/// What was counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub all: Counters,
    pub by_group: Vec<Counters>,
    pub times: Times,
    pub troubles: Troubles,
}

/// Counters of a group or of the whole fleet. Those that can fall are counted up and down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Cameras that were registered at least once.
    pub arrived: i64,
    /// Cameras registered now.
    pub registered: i64,
    /// Cameras that were refused, unanswered or thrown out, and try again.
    pub failed: i64,
    /// Cameras that are off again.
    pub off: i64,
    /// Cameras of which at least one stream flows.
    pub streaming: i64,
    /// Streams that flow.
    pub streams: i64,
    /// Registrations and refreshes that were accepted.
    pub registrations: u64,
    /// Keepalives answered with 200.
    pub kept: u64,
    /// Keepalives lost or refused.
    pub missed: u64,
    /// MANSCDP requests taken in.
    pub asked: u64,
    /// INVITEs accepted, those inside dialogs apart.
    pub invited: u64,
    /// INVITEs refused.
    pub refused: u64,
    /// Calls whose first packet left.
    pub streamed: u64,
    /// Calls that are over.
    pub ended: u64,
    /// Those of them that we ended before their first packet: cameras on their way out.
    pub cut_short: u64,
    /// Errors of all kinds.
    pub errors: u64,
    /// What calls that are over had sent.
    pub sent: Counts,
}

impl AddAssign<&Counters> for Counters {
    fn add_assign(&mut self, more: &Counters) {
        self.arrived += more.arrived;
        self.registered += more.registered;
        self.failed += more.failed;
        self.off += more.off;
        self.streaming += more.streaming;
        self.streams += more.streams;
        self.registrations += more.registrations;
        self.kept += more.kept;
        self.missed += more.missed;
        self.asked += more.asked;
        self.invited += more.invited;
        self.refused += more.refused;
        self.streamed += more.streamed;
        self.ended += more.ended;
        self.cut_short += more.cut_short;
        self.errors += more.errors;
        self.sent.add(more.sent);
    }
}

impl Tally {
    /// Nothing counted yet. `groups` says of every camera of the process which group it is in.
    pub fn new(groups: Arc<[u16]>) -> Tally {
        Tally {
            groups,
            seats: Vec::new(),
            counted: Counted::default(),
        }
    }

    /// Takes in what camera `camera` of this process tells. `now` is asked for when an error is
    /// the first of its kind.
    pub fn note(&mut self, camera: usize, event: &Event, now: impl FnOnce() -> Wall) {
        self.make_room(camera);
        let (change, wrong) = self.counted.times.note(&mut self.seats[camera], event);
        self.count(camera, &change, wrong, now);
    }

    /// A camera is no more: a fault of ours, which the log describes.
    pub fn crashed(&mut self, camera: usize, now: impl FnOnce() -> Wall) {
        self.make_room(camera);
        let seat = &mut self.seats[camera];
        let mut change = Counters {
            streaming: -i64::from(seat.is_streaming()),
            streams: -seat.stop_all(),
            errors: 1,
            ..Counters::default()
        };
        stand(seat, Standing::Off, &mut change);
        let why = || "see the log".to_owned();
        self.count(camera, &change, wrong(Kind::Crashed, "", why), now);
    }

    fn make_room(&mut self, camera: usize) {
        if self.seats.len() <= camera {
            self.seats.resize(camera + 1, Seat::default());
        }
    }

    fn count(
        &mut self,
        camera: usize,
        change: &Counters,
        wrong: Option<Wrong<'_>>,
        now: impl FnOnce() -> Wall,
    ) {
        let group = usize::from(self.groups.get(camera).copied().unwrap_or_default());
        self.counted.all += change;
        if self.counted.by_group.len() <= group {
            self.counted.by_group.resize(group + 1, Counters::default());
        }
        self.counted.by_group[group] += change;
        if let Some(Wrong { kind, call_id, why }) = wrong {
            self.counted.troubles.note(kind, || Example {
                camera,
                call_id: call_id.to_owned(),
                at: now(),
                why: why(),
            });
        }
    }
}

/// An error, with words that are made only when somebody wants them.
struct Wrong<'e> {
    kind: Kind,
    call_id: &'e str,
    why: Box<dyn FnOnce() -> String + 'e>,
}

impl Times {
    /// What an event changes.
    fn note<'e>(&mut self, seat: &mut Seat, event: &'e Event) -> (Counters, Option<Wrong<'e>>) {
        let mut change = Counters::default();
        let wrong = match event {
            Event::Registered { took, .. } => {
                self.record(Measure::Register, *took);
                change.registrations = 1;
                change.arrived = i64::from(!std::mem::replace(&mut seat.arrived, true));
                stand(seat, Standing::Registered, &mut change);
                None
            }
            Event::RegisterFailed { why, call_id, .. } => {
                stand(seat, Standing::Failed, &mut change);
                wrong(Kind::of_registration(why), call_id, || why.clone())
            }
            Event::PlatformLost { why } => {
                stand(seat, Standing::Failed, &mut change);
                wrong(Kind::PlatformLost, "", || why.clone())
            }
            Event::Kept { took } => {
                self.record(Measure::Keepalive, *took);
                change.kept = 1;
                None
            }
            Event::KeepaliveLost { in_a_row, call_id } => {
                change.missed = 1;
                let why = move || format!("{in_a_row} in a row");
                wrong(Kind::KeepaliveLost, call_id, why)
            }
            Event::Asked { .. } => {
                change.asked = 1;
                None
            }
            Event::NotObeyed { why, call_id, .. } => {
                wrong(Kind::NotObeyed, call_id, || why.clone())
            }
            Event::Rebooting { .. } => {
                stand(seat, Standing::Coming, &mut change);
                None
            }
            Event::Off { unregistered } => {
                let was_registered = seat.standing == Standing::Registered;
                stand(seat, Standing::Off, &mut change);
                let why = || "no 200 to REGISTER with Expires: 0".to_owned();
                match was_registered && !unregistered {
                    true => wrong(Kind::NotUnregistered, "", why),
                    false => None,
                }
            }
            _ => self.note_call(seat, event, &mut change),
        };
        change.errors = u64::from(wrong.is_some());
        (change, wrong)
    }

    fn note_call<'e>(
        &mut self,
        seat: &mut Seat,
        event: &'e Event,
        change: &mut Counters,
    ) -> Option<Wrong<'e>> {
        let flowed = seat.is_streaming();
        let mut trouble = None;
        match event {
            Event::Invited { .. } => change.invited = 1,
            Event::Refused {
                status,
                why,
                call_id,
            } => {
                change.refused = 1;
                trouble = wrong(Kind::InviteRefused(*status), call_id, || why.clone());
            }
            Event::Answered { took, .. } => self.record(Measure::Invite, *took),
            Event::Acknowledged { took, .. } => self.record(Measure::Ack, *took),
            Event::Streaming { call, took } => {
                if let Some(took) = took {
                    self.record(Measure::FirstPacket, *took);
                    change.streamed = 1;
                }
                change.streams = i64::from(seat.start(*call));
            }
            Event::MediaLost { call, why, call_id } => {
                change.streams = -i64::from(seat.stop(*call));
                trouble = wrong(Kind::MediaLost, call_id, || why.to_string());
            }
            Event::Ended {
                call,
                why,
                counts,
                call_id,
            } => {
                change.streams = -i64::from(seat.stop(*call));
                change.ended = 1;
                change.cut_short = u64::from(*why == CallEnd::HungUp && counts.packets == 0);
                change.sent = *counts;
                trouble = ended(*why).and_then(|kind| wrong(kind, call_id, || why.to_string()));
            }
            _ => {}
        }
        change.streaming = i64::from(seat.is_streaming()) - i64::from(flowed);
        trouble
    }
}

fn wrong<'e>(kind: Kind, call_id: &'e str, why: impl FnOnce() -> String + 'e) -> Option<Wrong<'e>> {
    let why = Box::new(why);
    Some(Wrong { kind, call_id, why })
}

/// The error that an end of a call is, if it is one.
fn ended(why: CallEnd) -> Option<Kind> {
    match why {
        CallEnd::Unacknowledged => Some(Kind::NoAck),
        CallEnd::MediaFailed => Some(Kind::MediaFailed),
        // Told by its own event, or nothing wrong.
        CallEnd::PlatformLost
        | CallEnd::Bye
        | CallEnd::Cancelled
        | CallEnd::Replaced
        | CallEnd::HungUp
        | CallEnd::Played => None,
    }
}

/// Moves a camera from where it stands to `next`.
fn stand(seat: &mut Seat, next: Standing, change: &mut Counters) {
    let before = std::mem::replace(&mut seat.standing, next);
    let mut count = |standing, by| match standing {
        Standing::Coming => {}
        Standing::Registered => change.registered += by,
        Standing::Failed => change.failed += by,
        Standing::Off => change.off += by,
    };
    count(before, -1);
    count(next, 1);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::camera::CallNumber;
    use crate::fleet::testing::{ended, failed, registered, streaming};
    use crate::gb28181::DeviceId;
    use crate::gb28181::manscdp::Control;
    use crate::media::Loss;

    fn tally() -> Tally {
        Tally::new(Arc::from([0, 0, 1]))
    }

    fn note(tally: &mut Tally, camera: usize, events: &[Event]) {
        for event in events {
            tally.note(camera, event, || Wall::from_seconds(100));
        }
    }

    #[test]
    fn a_camera_is_counted_where_it_stands_and_once_as_arrived() {
        let mut tally = tally();
        note(
            &mut tally,
            0,
            &[registered(5), failed("503"), registered(7)],
        );
        note(&mut tally, 2, &[failed("no answer")]);
        let all = tally.counted.all;
        assert_eq!((all.arrived, all.registered, all.failed), (1, 1, 1));
        assert_eq!((all.registrations, all.errors), (2, 2));
        let groups = &tally.counted.by_group;
        assert_eq!((groups[0].registered, groups[1].failed), (1, 1));
        note(&mut tally, 0, &[Event::Off { unregistered: true }]);
        let all = tally.counted.all;
        assert_eq!((all.registered, all.off, all.errors), (0, 1, 2));
    }

    #[test]
    fn streams_and_the_cameras_that_have_them_are_counted_apart() {
        let mut tally = tally();
        let count = |tally: &Tally| (tally.counted.all.streaming, tally.counted.all.streams);
        note(&mut tally, 0, &[streaming(1, 9), streaming(2, 9)]);
        assert_eq!(count(&tally), (1, 2));
        let lost = Event::MediaLost {
            call: CallNumber(1),
            why: Loss::Closed,
            call_id: "a".into(),
        };
        note(&mut tally, 0, &[lost.clone(), lost]);
        assert_eq!(count(&tally), (1, 1));
        let back = Event::Streaming {
            call: CallNumber(1),
            took: None,
        };
        note(&mut tally, 0, &[back.clone(), back]);
        assert_eq!(count(&tally), (1, 2));
        note(
            &mut tally,
            0,
            &[ended(1, CallEnd::Bye), ended(2, CallEnd::Bye)],
        );
        assert_eq!(count(&tally), (0, 0));
        let all = tally.counted.all;
        assert_eq!((all.streamed, all.ended, all.errors), (2, 2, 2));
        assert_eq!(all.sent.frames, 200);
    }

    #[test]
    fn a_command_that_was_not_obeyed_is_an_error_and_one_that_was_is_none() {
        let id: DeviceId = "34020000001310000001".parse().unwrap();
        let not_obeyed = Event::NotObeyed {
            id,
            why: "preset 4 is not set".into(),
            call_id: "a".into(),
        };
        let control = Control::KeyFrame;
        let mut tally = tally();
        note(
            &mut tally,
            0,
            &[not_obeyed, Event::Controlled { id, control }],
        );
        let [(Kind::NotObeyed, trouble)] = tally.counted.troubles.sorted()[..] else {
            panic!("{:?}", tally.counted.troubles);
        };
        let example = &trouble.example;
        assert_eq!((trouble.count, tally.counted.all.errors), (1, 1));
        assert_eq!(
            (example.call_id.as_str(), example.why.as_str()),
            ("a", "preset 4 is not set")
        );
    }

    #[test]
    fn only_an_end_that_nobody_wanted_is_an_error() {
        for (why, errors) in [
            (CallEnd::Bye, 0),
            (CallEnd::HungUp, 0),
            (CallEnd::Replaced, 0),
            (CallEnd::PlatformLost, 0),
            (CallEnd::Unacknowledged, 1),
            (CallEnd::MediaFailed, 1),
        ] {
            let mut tally = tally();
            note(&mut tally, 1, &[ended(1, why)]);
            assert_eq!(tally.counted.all.errors, errors, "{why}");
        }
    }

    #[test]
    fn a_call_that_we_end_before_its_first_packet_is_cut_short() {
        let mut tally = tally();
        let unheard = |why| match ended(1, why) {
            Event::Ended {
                call, why, call_id, ..
            } => Event::Ended {
                call,
                why,
                call_id,
                counts: Counts::default(),
            },
            other => other,
        };
        let events = [
            unheard(CallEnd::HungUp),
            unheard(CallEnd::Bye),
            ended(1, CallEnd::HungUp),
        ];
        note(&mut tally, 0, &events);
        assert_eq!(tally.counted.all.cut_short, 1);
    }

    #[test]
    fn a_camera_off_without_confirmation_is_an_error_if_it_was_registered() {
        let off = || Event::Off {
            unregistered: false,
        };
        let mut tally = tally();
        note(&mut tally, 0, &[registered(1), off()]);
        note(&mut tally, 1, &[failed("403 Forbidden"), off()]);
        let troubles = tally.counted.troubles.sorted();
        let kinds: Vec<_> = troubles.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(
            kinds,
            [Kind::RegistrationRefused(403), Kind::NotUnregistered]
        );
    }

    #[test]
    fn a_camera_that_crashed_is_an_error_and_off() {
        let mut tally = tally();
        note(&mut tally, 0, &[registered(1), streaming(1, 9)]);
        tally.crashed(0, || Wall::from_seconds(100));
        let all = tally.counted.all;
        assert_eq!((all.registered, all.off, all.errors), (0, 1, 1));
        assert_eq!((all.streaming, all.streams), (0, 0));
        let (kind, trouble) = tally.counted.troubles.sorted()[0];
        assert_eq!((kind, trouble.count), (Kind::Crashed, 1));
    }

    #[test]
    fn keepalives_and_questions_are_counted_and_timed() {
        let mut tally = tally();
        let took = Duration::from_millis(3);
        let lost = Event::KeepaliveLost {
            in_a_row: 2,
            call_id: "k".into(),
        };
        let asked = Event::Asked {
            cmd_type: "Catalog".into(),
            answered: true,
        };
        note(&mut tally, 0, &[Event::Kept { took }, lost, asked]);
        let all = tally.counted.all;
        assert_eq!((all.kept, all.missed, all.asked), (1, 1, 1));
        let (kind, trouble) = tally.counted.troubles.sorted()[0];
        assert_eq!(kind, Kind::KeepaliveLost);
        assert_eq!(trouble.example.call_id, "k");
        assert_eq!(trouble.example.at, Wall::from_seconds(100));
    }
}
