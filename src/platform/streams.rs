//! What the media plane reports, and what runs out of time in a call
//! (GB/T 28181-2022 annex D).

use std::net::SocketAddr;

use crate::media::receiver::RECORDING_MAX;
use crate::media::{Loss, MediaTransport, Report, Verdict, verdict::Fault};
use crate::time::Now;

use super::call::{Call, MediaEnd, RECONNECT_PAUSE, RECONNECT_TRIES, State};
use super::calls::{Calls, notice};
use super::complaint::Deviation;
use super::desk::{Desk, Timer};
use super::devices::Devices;
use super::event::{Event, PlayEnd, PlayFailure, PlayId, Showing};

impl Calls {
    /// News from the media plane.
    pub fn report(&mut self, now: Now, desk: &mut Desk, devices: &Devices, report: Report) {
        match report {
            Report::Opened { stream, local } => {
                let local = named(desk, local);
                self.invite(now, desk, devices, PlayId(stream.0), local);
            }
            Report::Started { stream } => self.started(now, desk, PlayId(stream.0)),
            Report::Voice { stream, samples } => {
                let call = self.live.get_mut(&PlayId(stream.0));
                let room = |call: &&mut Call| call.said.len() + samples.len() <= RECORDING_MAX;
                if let Some(call) = call.filter(room) {
                    call.said.extend_from_slice(&samples);
                }
            }
            // We send no recordings.
            Report::Steered { .. } | Report::Drained { .. } => {}
            Report::Lost { stream, why } => self.lost(now, desk, PlayId(stream.0), why),
            Report::Progress { stream, verdict } => {
                self.progress(desk, PlayId(stream.0), verdict);
            }
            Report::Ended {
                stream,
                counts,
                verdict,
                recording,
                error,
            } => {
                let end = MediaEnd {
                    counts,
                    verdict,
                    recording,
                };
                self.media_ended(now, desk, PlayId(stream.0), end, error);
            }
        }
    }

    fn started(&mut self, now: Now, desk: &mut Desk, play: PlayId) {
        let up = |call: &&mut Call| call.state == State::Up;
        let Some(call) = self.live.get_mut(&play).filter(up) else {
            return;
        };
        call.streaming = true;
        call.failures = 0;
        desk.timers.cancel(&Timer::Call(play));
        let took = now.mono - call.invited;
        desk.tell(Event::Streaming { play, took });
    }

    /// The connection broke. A device that connects is waited for, one that listens is connected
    /// to again, as annex D has it.
    fn lost(&mut self, now: Now, desk: &mut Desk, play: PlayId, why: Loss) {
        let up = |call: &&mut Call| call.state == State::Up;
        let Some(call) = self.live.get_mut(&play).filter(up) else {
            return;
        };
        desk.tell(Event::MediaLost { play, why });
        call.streaming = false;
        call.failures += 1;
        if call.failures > RECONNECT_TRIES || call.transport == MediaTransport::Udp {
            return self.hang_up(now, desk, play, PlayEnd::MediaFailed);
        }
        call.reconnecting = call.transport == MediaTransport::TcpPassive;
        if call.reconnecting {
            desk.timers
                .set(Timer::Call(play), now.mono + RECONNECT_PAUSE);
        } else {
            self.start_again(now, desk, play);
        }
    }

    fn start_again(&mut self, now: Now, desk: &mut Desk, play: PlayId) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        call.reconnecting = false;
        if let Some(order) = call.start() {
            desk.order(order);
        }
        let patience = desk.config.media_timeout;
        desk.timers.set(Timer::Call(play), now.mono + patience);
    }

    fn progress(&mut self, desk: &mut Desk, play: PlayId, verdict: Box<Verdict>) {
        self.judge_ssrc(desk, play, &verdict);
        if self.live.contains_key(&play) {
            desk.tell(Event::Progress { play, verdict });
        }
    }

    /// The first packet of another SSRC than agreed is complained about; the verdict counts them.
    fn judge_ssrc(&mut self, desk: &mut Desk, play: PlayId, verdict: &Verdict) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        let strangers = verdict.faults.of(Fault::Ssrc);
        if strangers > 0 && !call.ssrc_noticed {
            call.ssrc_noticed = true;
            let headers = call
                .invite
                .as_ref()
                .map(|(_, invite)| invite.headers.clone());
            let agreed = call
                .terms
                .as_ref()
                .map_or(call.ssrc.value(), |terms| terms.ssrc);
            let detail = format!("{strangers} packets; agreed is {agreed}");
            notice(
                desk,
                call,
                &headers.unwrap_or_default(),
                Deviation::RtpSsrc,
                &detail,
            );
        }
    }

    fn media_ended(
        &mut self,
        now: Now,
        desk: &mut Desk,
        play: PlayId,
        mut end: MediaEnd,
        error: Option<String>,
    ) {
        if let Some(verdict) = &end.verdict {
            self.judge_ssrc(desk, play, verdict);
        }
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        if call.showing == Showing::Talk {
            end.recording = std::mem::take(&mut call.said).into();
        }
        call.media_end = Some(end);
        if call.state == State::Over {
            return self.try_forget(desk, play);
        }
        let why = error.unwrap_or_else(|| "the stream ended".to_owned());
        self.end(
            now,
            desk,
            play,
            PlayEnd::MediaFailed,
            PlayFailure::NoMedia(why),
        );
    }

    /// A call has stood as it stands for too long.
    pub fn timeout(&mut self, now: Now, desk: &mut Desk, play: PlayId) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        let late = || PlayFailure::NoAnswer("no final response in time".to_owned());
        match call.state {
            State::Inviting => self.end(now, desk, play, PlayEnd::NoMedia, late()),
            State::Cancelling => {
                let why = call.cancelled.take().unwrap_or_else(late);
                self.refuse(desk, play, why);
            }
            State::Up if call.reconnecting => self.start_again(now, desk, play),
            State::Up if !call.streaming => self.hang_up(now, desk, play, PlayEnd::NoMedia),
            State::Up | State::Opening | State::Over => {}
        }
    }
}

/// The address that an offer names for a bound one.
fn named(desk: &Desk, mut local: SocketAddr) -> SocketAddr {
    if local.ip().is_unspecified() {
        local.set_ip(desk.media_ip());
    }
    local
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, Puppet, Said, config};
    use super::*;
    use crate::media::{Counts, Order, StreamId};
    use crate::sip::Method;

    /// A call 1 over `transport` whose media flows.
    fn streaming(bench: &mut Bench, transport: MediaTransport) -> Puppet {
        let device = Puppet::new(1).registered(bench);
        bench.play(&device, transport, 1);
        let said = bench.media_open(1, 10_000);
        let ok = device.accept(said.request(Method::Invite), transport, "0200000001");
        device.say(bench, ok);
        let stream = StreamId(1);
        let said = bench.media(Report::Started { stream });
        assert!(said.told(|event| matches!(event, Event::Streaming { .. })));
        device
    }

    fn lose(bench: &mut Bench) -> Said {
        let (stream, why) = (StreamId(1), Loss::Closed);
        bench.media(Report::Lost { stream, why })
    }

    fn starts(said: &Said) -> usize {
        let start = |order: &&Order| matches!(order, Order::Start { .. });
        said.orders.iter().filter(start).count()
    }

    #[test]
    fn a_stream_that_flows_is_left_alone_and_its_progress_is_told() {
        let mut bench = Bench::new(config());
        streaming(&mut bench, MediaTransport::Udp);
        assert!(bench.pass(60.0).methods().is_empty());
        let said = bench.media(Report::Progress {
            stream: StreamId(1),
            verdict: Box::default(),
        });
        assert!(said.told(|event| matches!(event, Event::Progress { .. })));
        assert_eq!(said.complaints(), []);
    }

    #[test]
    fn a_camera_that_connects_is_waited_for_again() {
        let mut bench = Bench::new(config());
        streaming(&mut bench, MediaTransport::TcpActive);
        let said = lose(&mut bench);
        assert_eq!(starts(&said), 1);
        bench.media(Report::Started {
            stream: StreamId(1),
        });
        assert!(bench.pass(30.0).methods().is_empty());
        lose(&mut bench);
        assert_eq!(bench.pass(10.0).methods(), [Method::Bye]);
    }

    #[test]
    fn a_camera_that_listens_is_connected_to_three_more_times() {
        let mut bench = Bench::new(config());
        streaming(&mut bench, MediaTransport::TcpPassive);
        for _ in 0..3 {
            assert_eq!(starts(&lose(&mut bench)), 0);
            assert_eq!(starts(&bench.pass(0.9)), 0);
            assert_eq!(starts(&bench.pass(0.1)), 1);
        }
        let said = lose(&mut bench);
        assert_eq!(said.methods(), [Method::Bye]);
    }

    #[test]
    fn media_with_a_foreign_ssrc_is_complained_about_once() {
        let mut bench = Bench::new(config());
        streaming(&mut bench, MediaTransport::Udp);
        let mut verdict = Box::<Verdict>::default();
        verdict.faults.count(crate::media::verdict::Example {
            fault: Fault::Ssrc,
            sequence: 1,
            offset: 0,
        });
        let stream = StreamId(1);
        let mut report = || {
            let verdict = verdict.clone();
            bench
                .media(Report::Progress { stream, verdict })
                .complaints()
        };
        assert_eq!(report(), [Deviation::RtpSsrc]);
        assert_eq!(report(), []);
    }

    #[test]
    fn a_stream_that_dies_by_itself_ends_its_call() {
        let mut bench = Bench::new(config());
        let device = streaming(&mut bench, MediaTransport::Udp);
        let said = bench.media(Report::Ended {
            stream: StreamId(1),
            counts: Counts::default(),
            verdict: Some(Box::default()),
            recording: Default::default(),
            error: Some("out of sockets".into()),
        });
        let ok = device.answer(said.request(Method::Bye), 200);
        let said = device.say(&mut bench, ok);
        assert!(said.told(|event| matches!(
            event,
            Event::PlayEnded {
                why: PlayEnd::MediaFailed,
                verdict: Some(_),
                ..
            }
        )));
    }
}
