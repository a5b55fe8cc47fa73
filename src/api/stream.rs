//! A call of the platform to a channel.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::board::{Board, Call};
use super::channel::Channel;
use super::error::Error;
use crate::gb28181::mansrtsp::{self, Command as Steering, Position, Range};
use crate::media::{MediaTransport, Verdict};
use crate::platform::{Answer, AskId, Command, PlayEnd, PlayId};

/// How much longer than its media a stream may take to be verified: the first key frame, a slow
/// machine.
const SLACK: Duration = Duration::from_secs(10);
/// The pause between two reports on a stream.
const REPORTS: Duration = Duration::from_secs(1);

/// A call that the device has accepted, from [`Platform::play`](super::Platform::play). Dropped,
/// it is ended with BYE.
#[derive(Debug)]
pub struct Stream {
    play: PlayId,
    channel: Channel,
    transport: MediaTransport,
    commands: mpsc::Sender<Command>,
    board: Arc<Board>,
    news: watch::Receiver<Call>,
}

/// What the device agreed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Where media comes from, as its SDP says.
    pub media: SocketAddr,
    /// The SSRC.
    pub ssrc: u32,
    /// From INVITE to 200.
    pub took: Duration,
}

/// What a device says to having been steered.
#[derive(Clone, Debug, PartialEq)]
pub struct Steered {
    /// The body of its 200; `None`: it had none.
    pub answer: Option<mansrtsp::Response>,
}

impl Steered {
    /// Whether it was done: nothing said means yes.
    pub fn is_ok(&self) -> bool {
        self.answer.as_ref().is_none_or(|a| a.status < 300)
    }
}

/// How a stream ended.
#[derive(Clone, Debug)]
pub struct StreamEnd {
    /// Who or what ended it.
    pub why: PlayEnd,
    /// The final judgement.
    pub verdict: Verdict,
    /// The program stream that came in, from the first packet on; empty unless
    /// [`Play::record`](super::Play::record) asked for it.
    pub recording: Bytes,
}

impl Stream {
    pub(super) fn new(
        play: PlayId,
        channel: Channel,
        transport: MediaTransport,
        commands: mpsc::Sender<Command>,
        board: Arc<Board>,
        news: watch::Receiver<Call>,
    ) -> Self {
        Stream {
            play,
            channel,
            transport,
            commands,
            board,
            news,
        }
    }

    /// Waits until the device has accepted.
    pub(super) async fn answered(mut self) -> Result<Stream, Error> {
        self.wait(|call| call.answered.is_some() || call.end.is_some())
            .await?;
        let refusal = match &self.news.borrow().end {
            Some(Err(why)) => Some(why.clone()),
            _ => None,
        };
        match refusal {
            None => Ok(self),
            Some(why) => Err(Error::Play {
                channel: self.channel.id,
                why,
            }),
        }
    }

    /// The channel called.
    pub fn channel(&self) -> &Channel {
        &self.channel
    }

    /// How media travels, as the camera sees it.
    pub fn transport(&self) -> MediaTransport {
        self.transport
    }

    /// What the device agreed to.
    pub fn agreed(&self) -> Option<Answered> {
        self.news.borrow().answered
    }

    /// The judgement so far; renewed about once a second.
    pub fn verdict(&self) -> Verdict {
        self.news.borrow().verdict.clone()
    }

    /// Waits for the first packet: the time from INVITE to it.
    pub async fn streaming(&mut self) -> Result<Duration, Error> {
        self.wait(|call| call.streaming.is_some() || call.end.is_some())
            .await?;
        let took = self.news.borrow().streaming;
        took.ok_or_else(|| self.failed("no media came"))
    }

    /// The next judgement; `None` when the stream is over.
    pub async fn progress(&mut self) -> Option<Verdict> {
        self.news.mark_unchanged();
        self.news.changed().await.ok()?;
        let call = self.news.borrow_and_update();
        call.end.is_none().then(|| call.verdict.clone())
    }

    /// Waits until this many seconds of media equal to the source have come, 10 s longer at most,
    /// and gives the judgement then. Where the source is not known, that much of anything.
    ///
    /// The judgement may be bad all the same: a stream with lost packets has good seconds too.
    pub async fn verified_seconds(&mut self, seconds: f64) -> Result<Verdict, Error> {
        let media = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        if self.channel.clip.is_none() {
            return self.received(media).await;
        }
        let enough = |call: &Call| call.end.is_some() || call.verdict.verified >= media;
        let waited = timeout(media + SLACK, self.wait(enough)).await;
        if let Ok(failed) = waited {
            failed?;
        }
        let verdict = self.verdict();
        if verdict.verified >= media {
            return Ok(verdict);
        }
        let had = verdict.seconds_verified();
        let after = (media + SLACK).as_secs_f64();
        Err(self.failed(match self.end() {
            Some(why) => format!("over ({why}) with {had:.1} of {seconds:.1} s verified"),
            None => format!("{had:.1} of {seconds:.1} s verified in {after:.0} s"),
        }))
    }

    /// Waits until that much time has passed since the first packet, and the judgement after it.
    async fn received(&mut self, time: Duration) -> Result<Verdict, Error> {
        self.streaming().await?;
        let over = timeout(time + REPORTS, self.wait(|call| call.end.is_some())).await;
        match over {
            Ok(failed) => {
                failed?;
                Err(self.failed("over too early"))
            }
            Err(_) => Ok(self.verdict()),
        }
    }

    /// Holds a recording.
    pub async fn pause(&self) -> Result<Steered, Error> {
        self.steer(Steering::Pause).await
    }

    /// Lets a recording go on where it was held, as fast as before.
    pub async fn resume(&self) -> Result<Steered, Error> {
        let range = Some(Range {
            from: Position::Now,
            to: None,
        });
        self.steer(Steering::Play { scale: None, range }).await
    }

    /// Goes elsewhere in a recording: so far from the time that was asked for.
    pub async fn seek(&self, position: Duration) -> Result<Steered, Error> {
        let range = Some(Range {
            from: Position::At(position),
            to: None,
        });
        self.steer(Steering::Play { scale: None, range }).await
    }

    /// Plays a recording at another speed, negative for backwards.
    pub async fn speed(&self, scale: f64) -> Result<Steered, Error> {
        let (scale, range) = (Some(scale), None);
        self.steer(Steering::Play { scale, range }).await
    }

    /// Steers a recording with INFO (GB/T 28181-2022 annex B).
    pub async fn steer(&self, command: Steering) -> Result<Steered, Error> {
        let (ask, answer) = self.board.ask();
        let steer = Command::Steer {
            play: self.play,
            command,
            ask: AskId(ask),
        };
        let sent = self.commands.send(steer).await;
        sent.map_err(|_| Error::Gone("the platform"))?;
        let answer = answer.await.map_err(|_| Error::Gone("the platform"))?;
        match answer {
            Ok(Answer::Steered(answer)) => Ok(Steered { answer }),
            Ok(_) => Err(self.failed("an answer that is not to INFO")),
            Err(why) => Err(self.failed(format!("INFO: {why}"))),
        }
    }

    /// Waits until the stream ends by itself: BYE of the device, media that stays away.
    pub async fn ended(&mut self) -> Result<StreamEnd, Error> {
        self.wait(|call| call.end.is_some()).await?;
        let end = self.news.borrow().end.clone();
        match end {
            Some(Ok(end)) => Ok(end),
            _ => Err(self.failed("it did not come about")),
        }
    }

    /// Ends the call with BYE and waits for its answer.
    pub async fn stop(mut self) -> Result<StreamEnd, Error> {
        let stop = Command::Stop { play: self.play };
        let sent = self.commands.send(stop).await;
        sent.map_err(|_| Error::Gone("the platform"))?;
        self.ended().await
    }

    fn end(&self) -> Option<String> {
        let call = self.news.borrow();
        Some(match call.end.as_ref()? {
            Ok(end) => end.why.to_string(),
            Err(why) => why.to_string(),
        })
    }

    fn failed(&self, why: impl Into<String>) -> Error {
        Error::Stream {
            channel: self.channel.id,
            why: why.into(),
            verdict: Box::new(self.verdict()),
        }
    }

    async fn wait(&mut self, done: impl FnMut(&Call) -> bool) -> Result<(), Error> {
        let there = self.news.wait_for(done).await;
        there.map(drop).map_err(|_| Error::Gone("the platform"))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.news.borrow().end.is_none() {
            // A platform too busy to be told will end the call when it ends itself.
            let _ = self.commands.try_send(Command::Stop { play: self.play });
        }
    }
}
