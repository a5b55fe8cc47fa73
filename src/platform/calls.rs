//! All calls: how they begin, how they are found, and how they are cleared away
//! (GB/T 28181-2022 §9.2 and annexes D, K, L).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::gb28181::DeviceId;
use crate::media::{Cut, Expected, MediaTransport, Order};
use crate::sip::{Headers, Request};
use crate::time::Now;

use super::call::{Call, State};
use super::complaint::Deviation;
use super::desk::{Desk, Route, Timer};
use super::devices::Devices;
use super::event::{Event, PlayEnd, PlayFailure, PlayId, Showing};
use super::ssrcs::Ssrcs;
use super::terms;

/// What the owner asks for with [`Command::Play`](super::Command::Play).
pub(super) struct Wish {
    pub device: DeviceId,
    pub channel: DeviceId,
    pub transport: MediaTransport,
    pub stream: u8,
    pub showing: Showing,
    pub expected: Arc<Expected>,
    /// What we say in a talk.
    pub voice: Option<Arc<Cut>>,
    pub play: PlayId,
}

/// The calls of a platform, found by number, Call-ID and device.
pub(super) struct Calls {
    pub(super) live: HashMap<PlayId, Call>,
    pub(super) by_call_id: HashMap<String, PlayId>,
    by_device: HashMap<DeviceId, BTreeSet<PlayId>>,
    ssrcs: Ssrcs,
}

impl Calls {
    pub fn new(platform: DeviceId) -> Self {
        Calls {
            live: HashMap::new(),
            by_call_id: HashMap::new(),
            by_device: HashMap::new(),
            ssrcs: Ssrcs::new(platform),
        }
    }

    /// How many calls are not wholly over.
    pub fn len(&self) -> usize {
        self.live.len()
    }

    /// The device of the call that a request belongs to by its Call-ID.
    pub fn with_call_id(&self, request: &Request) -> Option<DeviceId> {
        let play = self.by_call_id.get(request.headers.call_id()?)?;
        self.live.get(play).map(|call| call.device)
    }

    /// Begins a call: first a port for its media.
    pub fn play(&mut self, desk: &mut Desk, devices: &Devices, wish: Wish) {
        let play = wish.play;
        if self.live.contains_key(&play) {
            let why = PlayFailure::NumberInUse;
            return desk.tell(Event::PlayRefused { play, why });
        }
        let Some(there) = devices.online(&wish.device) else {
            let why = PlayFailure::NotRegistered;
            return desk.tell(Event::PlayRefused { play, why });
        };
        let Some((number, ssrc)) = self.ssrcs.take(wish.showing) else {
            let why = PlayFailure::NoSsrc;
            return desk.tell(Event::PlayRefused { play, why });
        };
        let Wish {
            device,
            channel,
            transport,
            stream: number_of_stream,
            showing,
            expected,
            voice,
            ..
        } = wish;
        let call = Call {
            play,
            device,
            channel,
            route: there.route,
            transport,
            number_of_stream,
            showing,
            steered: 0,
            number,
            ssrc,
            expected,
            voice,
            said: Vec::new(),
            state: State::Opening,
            invite: None,
            invited: Default::default(),
            cancelled: None,
            dialog: None,
            ack: None,
            terms: None,
            ended: None,
            bye_pending: false,
            media_end: None,
            failures: 0,
            streaming: false,
            reconnecting: false,
            ssrc_noticed: false,
        };
        desk.order(Order::Open {
            stream: call.stream(),
            transport: terms::our_part(transport),
            local: desk.media_ip(),
        });
        self.by_device.entry(device).or_default().insert(play);
        self.live.insert(play, call);
    }

    /// The owner wants no more of a call.
    pub fn stop(&mut self, now: Now, desk: &mut Desk, play: PlayId) {
        self.end(now, desk, play, PlayEnd::Stopped, PlayFailure::Cancelled);
    }

    /// As [`stop`](Self::stop), for all calls.
    pub fn stop_all(&mut self, now: Now, desk: &mut Desk) {
        let mut plays: Vec<_> = self.live.keys().copied().collect();
        plays.sort_unstable();
        for play in plays {
            self.stop(now, desk, play);
        }
    }

    /// A device is reached by another way, and so are its calls.
    pub fn moved(&mut self, device: &DeviceId, route: Route) {
        for play in self.by_device.get(device).into_iter().flatten() {
            if let Some(call) = self.live.get_mut(play) {
                call.route = route;
            }
        }
    }

    /// A device is gone: its calls end, without BYE, for nobody would hear it.
    pub fn device_gone(&mut self, now: Now, desk: &mut Desk, device: &DeviceId) {
        let plays = self.by_device.get(device).cloned().unwrap_or_default();
        for play in plays {
            match self.live.get(&play).map(|call| call.state) {
                Some(State::Up) => self.over(desk, play, PlayEnd::DeviceGone),
                _ => self.end(
                    now,
                    desk,
                    play,
                    PlayEnd::DeviceGone,
                    PlayFailure::DeviceGone,
                ),
            }
        }
    }

    /// Ends a call from our side, however far it has come.
    pub(super) fn end(
        &mut self,
        now: Now,
        desk: &mut Desk,
        play: PlayId,
        up: PlayEnd,
        before: PlayFailure,
    ) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        match call.state {
            State::Opening => self.refuse(desk, play, before),
            State::Inviting => {
                call.state = State::Cancelling;
                call.cancelled = Some(before);
                if let Some((transaction, _)) = &call.invite {
                    desk.endpoint.cancel(now.mono, *transaction);
                }
                let patience = desk.config.invite_timeout;
                desk.timers.set(Timer::Call(play), now.mono + patience);
            }
            State::Up => self.hang_up(now, desk, play, up),
            State::Cancelling | State::Over => {}
        }
    }

    /// A call that was answered is over but for its media and its BYE.
    pub(super) fn over(&mut self, desk: &mut Desk, play: PlayId, why: PlayEnd) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        if call.state == State::Over {
            return;
        }
        call.state = State::Over;
        call.ended = Some(why);
        desk.timers.cancel(&Timer::Call(play));
        if call.media_end.is_none() {
            desk.order(Order::Stop(call.stream()));
        }
        self.try_forget(desk, play);
    }

    /// A call that did not come about: told at once, its media cleared away.
    pub(super) fn refuse(&mut self, desk: &mut Desk, play: PlayId, why: PlayFailure) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        if call.state == State::Over {
            return;
        }
        call.state = State::Over;
        desk.timers.cancel(&Timer::Call(play));
        desk.tell(Event::PlayRefused { play, why });
        if call.media_end.is_none() {
            desk.order(Order::Stop(call.stream()));
        }
        self.try_forget(desk, play);
    }

    /// Forgets a call that has nothing left to wait for.
    pub(super) fn try_forget(&mut self, desk: &mut Desk, play: PlayId) {
        if !self.live.get(&play).is_some_and(Call::is_finished) {
            return;
        }
        let Some(call) = self.live.remove(&play) else {
            return;
        };
        self.ssrcs.give_back(call.number);
        if let Some((transaction, invite)) = &call.invite {
            desk.finished(*transaction);
            self.by_call_id
                .remove(invite.headers.call_id().unwrap_or_default());
        }
        if let Some(plays) = self.by_device.get_mut(&call.device) {
            plays.remove(&play);
            if plays.is_empty() {
                self.by_device.remove(&call.device);
            }
        }
        if let (Some(why), Some(end)) = (call.ended, call.media_end) {
            desk.tell(Event::PlayEnded {
                play,
                why,
                counts: end.counts,
                verdict: end.verdict,
                recording: end.recording,
            });
        }
    }
}

/// A complaint about the device of a call.
pub(super) fn notice(
    desk: &mut Desk,
    call: &Call,
    headers: &Headers,
    what: Deviation,
    detail: &str,
) {
    desk.complain(Some(call.device), call.peer(), headers, what, detail);
}

#[cfg(test)]
mod tests {
    use super::super::Command;
    use super::super::testing::{Bench, Puppet, config};
    use super::*;
    use crate::media::{Flowing, StreamId};
    use crate::sip::Method;

    #[test]
    fn a_call_over_each_transport_is_answered_acknowledged_and_ended() {
        for transport in [
            MediaTransport::Udp,
            MediaTransport::TcpActive,
            MediaTransport::TcpPassive,
        ] {
            let mut bench = Bench::new(config());
            let (device, invite) = bench.invited(transport);
            for status in [100, 101] {
                let trying = device.answer(&invite, status);
                assert!(device.say(&mut bench, trying).events.is_empty());
            }
            let ok = device.accept(&invite, transport, "0200000001");
            let said = device.say(&mut bench, ok);
            let ack = said.request(Method::Ack);
            assert_eq!(ack.headers.value("CSeq"), Some("1 ACK"));
            assert!(ack.headers.value("To").unwrap().ends_with(";tag=device"));
            assert_eq!(said.complaints(), []);
            let Some(Order::Start {
                remote,
                what: Flowing::In(expected),
                ..
            }) = said.orders.first()
            else {
                panic!("no start in {:?}", said.orders);
            };
            assert_eq!((remote.port(), expected.ssrc), (9730, Some(200_000_001)));
            let said = bench.command(Command::Stop { play: PlayId(1) });
            assert!(said.stops());
            let bye = said.request(Method::Bye);
            assert_eq!(bye.headers.value("CSeq"), Some("2 BYE"));
            assert_eq!(bench.media_end(1).end(), None);
            let ok = device.answer(bye, 200);
            let said = device.say(&mut bench, ok);
            assert_eq!(said.end(), Some(PlayEnd::Stopped), "{transport}");
            assert_eq!((bench.platform.calls(), said.complaints()), (0, vec![]));
        }
    }

    #[test]
    fn a_call_follows_its_device_to_another_address() {
        let mut bench = Bench::new(config());
        let (mut device, _) = bench.up();
        device.at = "192.0.2.1:6060".parse().unwrap();
        let keepalive = device.keepalive();
        device.say(&mut bench, keepalive);
        let said = bench.command(Command::Stop { play: PlayId(1) });
        assert_eq!(said.methods(), [Method::Bye]);
        assert_eq!(said.sent[0].1, device.at);
    }

    #[test]
    fn a_call_ends_with_its_device() {
        let mut bench = Bench::new(config());
        let (mut device, _) = bench.up();
        let register = device.register("0");
        let said = device.say(&mut bench, register);
        assert!(said.stops() && said.methods().is_empty());
        assert_eq!(bench.media_end(1).end(), Some(PlayEnd::DeviceGone));
    }

    #[test]
    fn a_call_that_cannot_begin_is_refused_at_once() {
        let mut bench = Bench::new(config());
        let said = bench.play(&Puppet::new(1), MediaTransport::Udp, 1);
        assert_eq!(said.refusal(), Some(&PlayFailure::NotRegistered));
        let (device, _) = bench.invited(MediaTransport::Udp);
        let said = bench.play(&device, MediaTransport::Udp, 1);
        assert_eq!(said.refusal(), Some(&PlayFailure::NumberInUse));
        bench.play(&device, MediaTransport::Udp, 2);
        let said = bench.media(crate::media::Report::Ended {
            stream: StreamId(2),
            counts: Default::default(),
            verdict: None,
            recording: Default::default(),
            error: Some("no port".into()),
        });
        assert_eq!(
            said.refusal(),
            Some(&PlayFailure::NoMedia("no port".into()))
        );
        assert_eq!(bench.platform.calls(), 1);
    }

    #[test]
    fn a_call_without_media_is_given_up() {
        let patience = config().media_timeout.as_secs_f64();
        let mut bench = Bench::new(config());
        bench.up();
        assert!(bench.pass(patience - 0.1).methods().is_empty());
        assert_eq!(bench.pass(0.2).request(Method::Bye).method(), Method::Bye);
    }
}
