//! The way to a pump: streams in, reports out.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hdrhistogram::Histogram;
use tokio::sync::{mpsc, oneshot};

use super::line::Socket;
use crate::media::{Counts, Loss, Reeled, SenderConfig, Steer};

/// The way to a pump.
#[derive(Clone, Debug)]
pub struct PumpHandle {
    orders: mpsc::UnboundedSender<ToPump>,
    load: Arc<AtomicU64>,
    keys: Arc<AtomicU64>,
}

/// A stream in a pump; dropping it ends the stream.
#[derive(Debug)]
pub struct Feed {
    pump: mpsc::UnboundedSender<ToPump>,
    key: u64,
    stopped: Cell<bool>,
}

/// What a pump tells the owner of a stream.
#[derive(Debug)]
pub enum FromPump {
    /// The first octets have left.
    Started,
    /// What a recording has to say.
    Reeled(Reeled),
    /// The stream is out of the pump because its socket failed.
    Lost(Loss, Counts),
    /// The stream is out of the pump because it was stopped.
    Stopped(Counts),
}

/// How a pump stands.
#[derive(Clone, Debug)]
pub struct PumpReport {
    /// How late frames have left, in microseconds.
    pub lateness: Histogram<u64>,
    /// What all its streams have sent, ended ones included.
    pub counts: Counts,
    /// Streams that it sends now.
    pub streams: usize,
}

/// Who is told about a stream.
pub(super) struct Owner(Box<dyn Fn(FromPump) + Send>);

#[derive(Debug)]
pub(super) enum ToPump {
    Add(Box<New>),
    KeyFrame(u64),
    Steer(u64, Steer),
    Stop(u64),
    Report(oneshot::Sender<PumpReport>),
}

#[derive(Debug)]
pub(super) struct New {
    pub(super) key: u64,
    pub(super) socket: Socket,
    pub(super) config: Arc<SenderConfig>,
    pub(super) owner: Owner,
}

impl PumpHandle {
    /// The way to a pump that takes its orders from `orders` and counts its bits in `load`.
    pub(super) fn new(orders: mpsc::UnboundedSender<ToPump>, load: Arc<AtomicU64>) -> Self {
        PumpHandle {
            orders,
            load,
            keys: Arc::default(),
        }
    }

    /// Bits per second that the pump's streams want to send.
    pub fn load(&self) -> u64 {
        self.load.load(Ordering::Relaxed)
    }

    /// How late frames have left, in microseconds; `None` when the pump has ended.
    pub async fn lateness(&self) -> Option<Histogram<u64>> {
        Some(self.report().await?.lateness)
    }

    /// How the pump stands; `None` when it has ended.
    pub async fn report(&self) -> Option<PumpReport> {
        let (answer, report) = oneshot::channel();
        self.orders.send(ToPump::Report(answer)).ok()?;
        report.await.ok()
    }

    /// Puts a stream into the pump; `None` when the pump has ended. `owner` is told what becomes
    /// of it, on the pump's thread, and must not block. The socket is connected and does not block.
    pub fn add(
        &self,
        socket: Socket,
        config: Arc<SenderConfig>,
        owner: impl Fn(FromPump) + Send + 'static,
    ) -> Option<Feed> {
        let key = self.keys.fetch_add(1, Ordering::Relaxed);
        let bit_rate = config.cut.bit_rate();
        let owner = Owner(Box::new(owner));
        // Counted first: the pump may take it off again before this goes on.
        self.load.fetch_add(bit_rate, Ordering::Relaxed);
        let new = Box::new(New {
            key,
            socket,
            config,
            owner,
        });
        if self.orders.send(ToPump::Add(new)).is_err() {
            self.load.fetch_sub(bit_rate, Ordering::Relaxed);
            return None;
        }
        Some(Feed {
            pump: self.orders.clone(),
            key,
            stopped: Cell::new(false),
        })
    }
}

impl Feed {
    /// The next frame shall be a key frame.
    pub fn key_frame(&self) {
        let _ = self.pump.send(ToPump::KeyFrame(self.key));
    }

    /// Moves on in a recording; [`FromPump::Reeled`] tells when it is done.
    pub fn steer(&self, steer: Steer) {
        let _ = self.pump.send(ToPump::Steer(self.key, steer));
    }

    /// Ends the stream after the frame that has begun; [`FromPump::Stopped`] follows, unless it
    /// has been lost before.
    pub fn stop(&self) {
        if !self.stopped.replace(true) {
            let _ = self.pump.send(ToPump::Stop(self.key));
        }
    }

    /// Whether [`Feed::stop`] was called.
    pub fn is_stopped(&self) -> bool {
        self.stopped.get()
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Owner {
    pub(super) fn tell(&self, word: FromPump) {
        (self.0)(word);
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Owner")
    }
}
