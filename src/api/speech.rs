//! A platform that speaks through a device.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::board::{Board, Spoken};
use super::error::Error;
use crate::gb28181::DeviceId;
use crate::media::Counts;
use crate::platform::{AskId, Command, SpeechEnd};

/// A speech through a device, from [`Platform::speak`](super::Platform::speak). Dropped, it ends.
#[derive(Debug)]
pub struct Speech {
    device: DeviceId,
    ask: AskId,
    commands: mpsc::Sender<Command>,
    /// What keeps the news coming.
    _board: Arc<Board>,
    news: watch::Receiver<Spoken>,
}

impl Speech {
    pub(super) fn new(
        device: DeviceId,
        ask: AskId,
        commands: mpsc::Sender<Command>,
        board: Arc<Board>,
        news: watch::Receiver<Spoken>,
    ) -> Self {
        Speech {
            device,
            ask,
            commands,
            _board: board,
            news,
        }
    }

    /// The device that is spoken through.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Waits for the first packet to leave: the device has called, and was answered. The error
    /// says why that did not come about.
    pub async fn heard(&mut self) -> Result<(), Error> {
        let device = self.device;
        let known = |spoken: &Spoken| spoken.speaking || spoken.end.is_some();
        let spoken = self.news.wait_for(known).await;
        let spoken = spoken.map_err(|_| Error::Gone("the platform"))?;
        match (&spoken.end, spoken.speaking) {
            (Some((why, _)), false) => Err(Error::Speech {
                device,
                why: why.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Waits until it is over: who or what ended it, and what was sent.
    pub async fn ended(mut self) -> Result<(SpeechEnd, Counts), Error> {
        let over = self.news.wait_for(|spoken| spoken.end.is_some()).await;
        let end = over.ok().and_then(|spoken| spoken.end.clone());
        end.ok_or(Error::Gone("the platform"))
    }

    /// Ends it with BYE.
    pub async fn hush(self) -> Result<(SpeechEnd, Counts), Error> {
        let hush = Command::Hush { ask: self.ask };
        let sent = self.commands.send(hush).await;
        sent.map_err(|_| Error::Gone("the platform"))?;
        self.ended().await
    }
}

impl Drop for Speech {
    fn drop(&mut self) {
        if self.news.borrow().end.is_none() {
            let hush = Command::Hush { ask: self.ask };
            // A platform that is busy or gone ends it in its own time.
            let _ = self.commands.try_send(hush);
        }
    }
}
