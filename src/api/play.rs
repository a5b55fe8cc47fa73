//! A call about to be made.

use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::mpsc;

use super::board::Board;
use super::channel::Channel;
use super::clip::Clip;
use super::error::Error;
use super::stream::Stream;
use crate::gb28181::sdp::TimeRange;
use crate::media::{Cut, Expected, MediaTransport};
use crate::platform::{Command, PlayId, Showing};

/// A call about to be made, from [`Platform::play`](super::Platform::play). Awaited, it sends the
/// INVITE and becomes a [`Stream`] when the device has accepted.
#[derive(Debug)]
#[must_use = "nothing is called before this is awaited"]
pub struct Play<'a> {
    commands: mpsc::Sender<Command>,
    board: &'a Arc<Board>,
    channel: Channel,
    transport: MediaTransport,
    stream: u8,
    showing: Showing,
    voice: Option<Arc<Cut>>,
    record: bool,
}

impl<'a> Play<'a> {
    pub(super) fn new(
        commands: mpsc::Sender<Command>,
        board: &'a Arc<Board>,
        channel: Channel,
    ) -> Self {
        Play {
            commands,
            board,
            channel,
            transport: MediaTransport::Udp,
            stream: 0,
            showing: Showing::Live,
            voice: None,
            record: false,
        }
    }

    /// How media travels, as the camera sees it: with `TcpActive` the camera connects, with
    /// `TcpPassive` it listens.
    pub fn over(mut self, transport: MediaTransport) -> Self {
        self.transport = transport;
        self
    }

    /// Its sub stream instead of its main stream (`a=streamnumber:1`).
    pub fn sub_stream(mut self) -> Self {
        self.stream = 1;
        self
    }

    /// What it recorded between two times, at its own speed, instead of the live picture
    /// (`s=Playback`). The call ends when the device has sent everything.
    pub fn playback(mut self, from: SystemTime, to: SystemTime) -> Self {
        self.showing = Showing::Playback(times(from, to));
        self
    }

    /// The same, `speed` times as fast (`s=Download`, `a=downloadspeed`).
    pub fn download(mut self, from: SystemTime, to: SystemTime, speed: u8) -> Self {
        let times = times(from, to);
        self.showing = Showing::Download { times, speed };
        self
    }

    /// No picture, but a talk (`s=Talk`): `samples` (G.711 A-law, 8,000 in a second) are said again
    /// and again, and the device's microphone is heard. A device that does not talk answers 488.
    pub fn talk(mut self, samples: &[u8]) -> Self {
        self.voice = Some(Arc::new(Cut::voice("talk", samples)));
        self
    }

    /// Keep the program stream that comes in, for [`StreamEnd::recording`](super::StreamEnd); in a
    /// talk, what the device says as G.711 A-law.
    pub fn record(mut self) -> Self {
        self.record = true;
        self
    }

    async fn call(self) -> Result<Stream, Error> {
        let expected = Expected {
            reference: self.channel.shown(self.stream).map(Clip::reference),
            record: self.record,
            ..Expected::default()
        };
        let room = self.commands.reserve().await;
        let room = room.map_err(|_| Error::Gone("the platform"))?;
        // Nothing is waited for between the board's entry and the command that ends it one day.
        let (play, news) = self.board.call();
        let (device, channel) = (self.channel.device, self.channel.id);
        let command = match self.voice {
            Some(voice) => Command::Talk {
                device,
                channel,
                transport: self.transport,
                voice,
                record: self.record,
                play: PlayId(play),
            },
            None => Command::Play {
                device,
                channel,
                transport: self.transport,
                stream: self.stream,
                showing: self.showing,
                expected: Arc::new(expected),
                play: PlayId(play),
            },
        };
        room.send(command);
        // From here on, dropping the stream ends the call.
        Stream::new(
            PlayId(play),
            self.channel,
            self.transport,
            self.commands,
            self.board.clone(),
            news,
        )
        .answered()
        .await
    }
}

/// Times before 1970 are 1970.
fn times(from: SystemTime, to: SystemTime) -> TimeRange {
    let seconds = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    };
    TimeRange {
        start: seconds(from),
        stop: seconds(to),
    }
}

impl<'a> IntoFuture for Play<'a> {
    type Output = Result<Stream, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.call())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gb28181::DeviceId;

    #[tokio::test]
    async fn a_call_given_up_before_the_platform_was_told_leaves_nothing_behind() {
        let (commands, _platform) = mpsc::channel(1);
        let busy = commands.clone();
        let _occupied = busy.reserve().await.unwrap();
        let board = Arc::new(Board::default());
        let device: DeviceId = "34020000001320000001".parse().unwrap();
        let play = Play::new(commands, &board, Channel::of(device, device));
        let call = tokio::time::timeout(std::time::Duration::from_millis(20), play);
        assert!(call.await.is_err());
        assert_eq!(board.calls(), 0);
    }
}
