//! Playback and download: a recording in place of the live picture, steered with INFO, and what
//! follows its end (GB/T 28181-2022 9.8, 9.9 and annex B).
//!
//! ```text
//!  INFO ──▶ Order::Steer ──▶ Report::Steered ──▶ 200 with where it goes on
//!  Report::Drained ──▶ MESSAGE MediaStatus 121 ──▶ BYE of the platform, or ours after 30 s
//! ```

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::gb28181::manscdp::RecordKind;
use crate::gb28181::mansrtsp::{self, Command, Position, Range, Response as Rtsp, RtpInfo};
use crate::gb28181::sdp::{Offer, Session, TimeRange};
use crate::media::{
    Course, Order, PlaybackPolicy, Recording, Scale, Segment, Steer, Steered, StreamId,
};
use crate::sip::{Method, Request, TransactionId};
use crate::time::{Now, Wall};

use super::call::{Call, State};
use super::calls::{Calls, Incoming};
use super::config::{Channel, Config};
use super::event::{CallEnd, CallNumber, Event};
use super::line::{Line, Purpose, Timer};
use super::offer::Refusal;
use super::recordings::File;

/// How long we wait for the platform's BYE after the end of a recording.
const FAREWELL: Duration = Duration::from_secs(30);

/// INFOs that may wait for the media plane; a platform that asks faster is told to wait.
const MAX_ASKED: usize = 16;

/// What a call has that plays a recording.
#[derive(Debug, Default)]
pub(super) struct Playback {
    /// How long the recording is.
    length: Duration,
    /// INFOs that wait for the media plane, the oldest first.
    asked: VecDeque<Asked>,
    /// What the last of them ask for that came before the media flowed.
    early: Vec<Steer>,
}

/// An INFO whose answer tells where the recording goes on.
#[derive(Debug)]
struct Asked {
    transaction: TransactionId,
    request: Request,
    cseq: u32,
    /// The speed that was granted, if one was asked for.
    scale: Option<f64>,
}

impl Playback {
    /// Of a call that plays `recording`.
    pub fn of(recording: Option<&Arc<Recording>>) -> Option<Box<Playback>> {
        recording.map(|recording| {
            Box::new(Playback {
                length: recording.length(),
                ..Playback::default()
            })
        })
    }

    /// The media flows: what was asked of it before is carried out.
    pub fn steer_early(call: &mut Call, line: &mut Line) {
        let stream = call.stream;
        let early = call.playback.as_mut().map(|p| std::mem::take(&mut p.early));
        for steer in early.unwrap_or_default() {
            line.order(Order::Steer { stream, steer });
        }
    }

    /// The call is over: INFOs that still wait for the media plane are for a call that is none.
    pub fn give_up(&self, now: Now, line: &mut Line) {
        for asked in &self.asked {
            line.reply(now.mono, asked.transaction, &asked.request, 481);
        }
    }
}

/// The recording that an offer asks for; `None`: it asks for the live picture.
pub(super) fn recording(
    config: &Config,
    now: Wall,
    channel: &Channel,
    offer: &Offer,
) -> Result<Option<Arc<Recording>>, Refusal> {
    let scale = match offer.session {
        Session::Playback => Scale::NORMAL,
        Session::Download => download_speed(offer),
        _ => return Ok(None),
    };
    let times = offer.range.filter(|range| range.start < range.stop);
    let times = times.ok_or_else(|| Refusal::new(400, "a recording is asked for without times"))?;
    let kind = offer.recording.as_ref().and_then(|of| of.kind);
    let files = files(config, now, times, kind);
    if files.is_empty() {
        return Err(Refusal::new(404, "nothing is recorded in that time"));
    }
    let policy = config.profile.behaviour.playback;
    let policy = match offer.session {
        // Somebody who downloads wants every frame.
        Session::Download => PlaybackPolicy {
            key_frames_from: None,
            ..policy
        },
        _ => policy,
    };
    Ok(Some(Arc::new(laid_out(
        channel, &files, times, scale, policy,
    ))))
}

/// `a=downloadspeed`, as fast as we can go.
fn download_speed(offer: &Offer) -> Scale {
    let asked = offer.download_speed.unwrap_or(1).max(1);
    Scale::new(f64::from(asked).min(Scale::FASTEST)).unwrap_or(Scale::NORMAL)
}

fn files(config: &Config, now: Wall, times: TimeRange, kind: Option<u8>) -> Vec<File> {
    let wanted = |file: &File| match kind {
        None | Some(0) => true,
        Some(kind) => file.kind.number() == kind,
    };
    let times = (wall(times.start), wall(times.stop));
    let all = config.recordings.iter();
    let found = all.flat_map(|all| all.overlapping(now, times, None::<RecordKind>));
    found.filter(wanted).collect()
}

/// Files on a line of time that begins with the earlier of the first file and the asked time.
fn laid_out(
    channel: &Channel,
    files: &[File],
    times: TimeRange,
    scale: Scale,
    policy: PlaybackPolicy,
) -> Recording {
    let (start, stop) = (wall(times.start), wall(times.stop));
    let origin = files.first().map_or(start, |file| file.start.min(start));
    let segments = files.iter().map(|file| {
        let shown = file.source.as_ref().unwrap_or(&channel.source);
        Segment::lasting(
            shown.clone(),
            between(origin, file.start),
            between(file.start, file.end),
        )
    });
    let segments: Vec<_> = segments.collect();
    let last = segments.last().map_or(Duration::ZERO, Segment::end);
    Recording {
        begin: between(origin, start),
        end: between(origin, stop).min(last),
        segments,
        scale,
        policy,
    }
}

/// A time of SDP: seconds since the Unix epoch.
fn wall(seconds: u64) -> Wall {
    Wall::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}

fn between(from: Wall, to: Wall) -> Duration {
    let micros = to.as_micros().saturating_sub(from.as_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

impl Calls {
    /// INFO in a live dialog. A live picture cannot be steered: 200, and no more.
    pub(super) fn steer(&mut self, now: Now, line: &mut Line, number: CallNumber, info: &Incoming) {
        let Some(call) = self.live.get_mut(&number) else {
            return;
        };
        if call.playback.is_none() || info.request.body.is_empty() {
            return line.reply(now.mono, info.transaction, &info.request, 200);
        }
        match read(call, info) {
            Ok((asked, steer)) => {
                let Some(playback) = &mut call.playback else {
                    return;
                };
                playback.asked.push_back(asked);
                match call.state {
                    State::Streaming => line.order(Order::Steer {
                        stream: call.stream,
                        steer,
                    }),
                    _ => playback.early.push(steer),
                }
            }
            Err(refusal) => {
                respond(now, line, call, info.transaction, &info.request, &refusal);
            }
        }
    }

    /// The media plane has carried out what the oldest INFO asked for.
    pub(super) fn steered(&mut self, now: Now, line: &mut Line, stream: StreamId, at: Steered) {
        let Some(call) = self.playing(stream) else {
            return;
        };
        let asked = call.playback.as_mut().and_then(|p| p.asked.pop_front());
        let Some(asked) = asked else {
            return;
        };
        line.timers.cancel(&Timer::Drained(call.number));
        let style = &line.config.profile.mansrtsp;
        let (tells_range, tells_rtp) = (style.range, style.rtp_info);
        let range = Range {
            from: Position::At(at.position),
            to: None,
        };
        let answer = Rtsp {
            scale: asked.scale,
            range: tells_range.then_some(range),
            rtp_info: tells_rtp.then_some(RtpInfo {
                seq: u32::from(at.sequence),
                rtptime: at.timestamp,
            }),
            ..Rtsp::ok(asked.cseq)
        };
        line.tell(Event::Steered {
            call: call.number,
            position: at.position,
        });
        respond(now, line, call, asked.transaction, &asked.request, &answer);
    }

    /// Everything of a recording has left: the platform is told, and has time to say BYE.
    pub(super) fn drained(&mut self, now: Now, line: &mut Line, stream: StreamId) {
        let Some(call) = self.playing(stream) else {
            return;
        };
        let number = call.number;
        line.tell(Event::Played { call: number });
        let sn = line.next_sn();
        let body = line.config.profile.manscdp.media_status(sn, call.channel);
        let content_type = line.config.profile.manscdp.content_type.clone();
        let message = call.dialog.request(Method::Message);
        let message = message.with_body(&content_type, body);
        let to = call.destination();
        line.send(now.mono, Purpose::MediaStatus, to, message);
        line.set(Timer::Drained(number), now.mono + FAREWELL);
    }

    /// The platform has not said BYE after the end of a recording.
    pub(super) fn outstayed(&mut self, now: Now, line: &mut Line, number: CallNumber) {
        self.hang_up(now, line, number, CallEnd::Played);
    }
}

/// What an INFO asks of a recording, or what it is refused with.
fn read(call: &Call, info: &Incoming) -> Result<(Asked, Steer), Rtsp> {
    let asked = mansrtsp::Request::parse(&info.request.body).map_err(|error| {
        tracing::debug!(%error, "an INFO that is not MANSRTSP");
        Rtsp::error(400, "Bad Request", 0)
    })?;
    let refused = |status, reason| Err(Rtsp::error(status, reason, asked.cseq));
    let playback = call.playback.as_deref();
    let waiting = playback.map_or(0, |playback| playback.asked.len());
    if waiting >= MAX_ASKED {
        return refused(503, "Service Unavailable");
    }
    let (steer, scale) = match asked.command {
        // What follows a TEARDOWN is the platform's BYE.
        Command::Pause | Command::Teardown => (Steer::Pause, None),
        Command::Play { scale, range } => {
            let from = match range.map(|range| range.from) {
                None | Some(Position::Now) => None,
                Some(Position::At(from)) => Some(from),
            };
            if from.is_some_and(|from| from > playback.map_or(Duration::ZERO, |p| p.length)) {
                return refused(457, "Invalid Range");
            }
            let scale = scale.map(granted);
            let course = Course {
                from,
                until: range.and_then(|range| range.to),
                scale,
            };
            (Steer::Play(course), scale.map(Scale::get))
        }
    };
    let asked = Asked {
        transaction: info.transaction,
        request: info.request.clone(),
        cseq: asked.cseq,
        scale,
    };
    Ok((asked, steer))
}

/// The speed nearest to the asked one that we can go: RTSP answers with that.
fn granted(scale: f64) -> Scale {
    let speed = scale.abs().clamp(Scale::SLOWEST, Scale::FASTEST);
    Scale::new(speed.copysign(scale)).unwrap_or(Scale::NORMAL)
}

/// 200 with an answer of RTSP, right or wrong (annex B).
fn respond(
    now: Now,
    line: &mut Line,
    call: &Call,
    transaction: TransactionId,
    request: &Request,
    answer: &Rtsp,
) {
    let style = line.config.profile.mansrtsp.clone();
    let asked = request
        .headers
        .content_type()
        .unwrap_or("Application/MANSRTSP");
    let content_type = style.content_type.as_deref().unwrap_or(asked).to_owned();
    let response = line.endpoint.answer(request, 200);
    let response = match call.dialog.contact.as_ref().filter(|_| style.contact) {
        Some(contact) => response.with_header("Contact", contact.clone()),
        None => response,
    };
    let body = answer.write(style.ending);
    line.respond(
        now.mono,
        transaction,
        response.with_body(&content_type, body),
    );
}
