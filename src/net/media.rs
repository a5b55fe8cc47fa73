//! Where the media of a process goes, and where it comes in.

use std::sync::{Arc, OnceLock};

use tokio::runtime;

use super::clock::Clock;
use super::feed::PumpHandle;
use super::pump::Pump;
use super::sink::SinkHandle;

/// The pumps that nodes share. Receiving needs none; without one, sending fails.
#[derive(Clone, Debug, Default)]
pub struct Media {
    pumps: Arc<Pumps>,
    each_alone: bool,
    no_rtcp: bool,
    sink: Option<SinkHandle>,
}

/// Pumps that run, or one that will.
#[derive(Debug, Default)]
struct Pumps {
    running: OnceLock<Box<[PumpHandle]>>,
    /// Where the first stream starts one, if none runs.
    ground: Option<(runtime::Handle, Clock)>,
}

impl Media {
    /// Media that goes to these pumps, which the caller runs.
    pub fn new(pumps: impl IntoIterator<Item = PumpHandle>) -> Self {
        Media {
            pumps: Arc::new(Pumps {
                running: OnceLock::from(pumps.into_iter().collect::<Box<_>>()),
                ground: None,
            }),
            ..Media::default()
        }
    }

    /// Media of one pump, which the first stream starts on the runtime this is called on: who
    /// never sends has none. It ends when the last copy of this is dropped.
    pub fn spawn(clock: Clock) -> Self {
        Media {
            pumps: Arc::new(Pumps {
                running: OnceLock::new(),
                ground: Some((runtime::Handle::current(), clock)),
            }),
            ..Media::default()
        }
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

    /// The same without RTCP sockets: a descriptor less for each UDP stream. To what a platform
    /// sends to the port beside RTP, the system answers that nobody is there.
    pub fn without_rtcp(self) -> Self {
        Media {
            no_rtcp: true,
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

    /// Whether UDP streams hold an RTCP socket.
    pub(super) fn has_rtcp(&self) -> bool {
        !self.no_rtcp
    }

    /// The pumps that run.
    pub fn pumps(&self) -> &[PumpHandle] {
        self.pumps.running.get().map_or(&[], |pumps| pumps)
    }

    /// The pump that has least to send; started, if there is to be one.
    pub(super) fn least_loaded(&self) -> Option<&PumpHandle> {
        let pumps = self.pumps.running.get_or_init(|| self.pumps.start());
        pumps.iter().min_by_key(|pump| pump.load())
    }
}

impl Pumps {
    fn start(&self) -> Box<[PumpHandle]> {
        let ground = self.ground.iter();
        let pumps = ground.map(|(runtime, clock)| {
            let (handle, pump) = Pump::new(*clock);
            runtime.spawn(pump.run());
            handle
        });
        pumps.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pump_is_started_for_the_first_stream_and_shared_by_all_copies() {
        let media = Media::spawn(Clock::start());
        let copy = media.clone().without_offload();
        assert!(media.pumps().is_empty());
        assert!(copy.least_loaded().is_some() && media.least_loaded().is_some());
        assert_eq!((media.pumps().len(), copy.pumps().len()), (1, 1));
        assert!(media.pumps()[0].report().await.is_some());
        assert!(Media::default().least_loaded().is_none());
    }
}
