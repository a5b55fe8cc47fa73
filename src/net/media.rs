//! Where the media of a process goes, and where it comes in.

use std::sync::Arc;

use super::clock::Clock;
use super::feed::PumpHandle;
use super::pump::Pump;
use super::sink::SinkHandle;

/// The pumps that nodes share. Receiving needs none; without one, sending fails.
#[derive(Clone, Debug, Default)]
pub struct Media {
    pumps: Arc<[PumpHandle]>,
    each_alone: bool,
    sink: Option<SinkHandle>,
}

impl Media {
    /// Media that goes to these pumps, which the caller runs.
    pub fn new(pumps: impl IntoIterator<Item = PumpHandle>) -> Self {
        Media {
            pumps: pumps.into_iter().collect(),
            each_alone: false,
            sink: None,
        }
    }

    /// Media of one pump, spawned on the runtime this is called on. It ends when the last copy of
    /// this is dropped.
    pub fn spawn(clock: Clock) -> Self {
        let (handle, pump) = Pump::new(clock);
        tokio::spawn(pump.run());
        Media::new([handle])
    }

    /// The same without segmentation offload: every datagram is handed to the system alone. It
    /// costs more, but a capture on this host then shows datagrams as they are on the wire, where
    /// it would show a batch as one.
    pub fn without_offload(self) -> Self {
        Media {
            each_alone: true,
            ..self
        }
    }

    /// The same with one port for everything that comes in. Nodes with it cannot send.
    pub fn received_by(self, sink: SinkHandle) -> Self {
        Media {
            sink: Some(sink),
            ..self
        }
    }

    /// The port that everything comes in at, if there is one.
    pub(super) fn sink(&self) -> Option<&SinkHandle> {
        self.sink.as_ref()
    }

    /// Whether datagrams are handed to the system one by one.
    pub(super) fn each_alone(&self) -> bool {
        self.each_alone
    }

    /// The pumps.
    pub fn pumps(&self) -> &[PumpHandle] {
        &self.pumps
    }

    /// The pump that has least to send.
    pub(super) fn least_loaded(&self) -> Option<&PumpHandle> {
        self.pumps.iter().min_by_key(|pump| pump.load())
    }
}
