//! A platform that takes everything in: it calls every device that registers, counts what comes
//! and judges a sample, cheaply enough to calibrate a load generator against.

pub(super) mod caller;
pub(super) mod score;
mod status;
mod turnover;

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::clip::Clip;
use super::error::Error;
use crate::media::receiver::Check;
use crate::media::{Expected, MediaTransport};
use crate::net::{Clock, SinkConfig, SinkHandle};
use crate::sip::Transport;
use score::Score;

pub use status::{SinkCalls, SinkStatus, SinkTimes, SinkVerified};

/// What a platform does that takes everything in:
/// `Platform::builder().sink(Sink::new().rate(200.0))`.
///
/// Every device that registers is called once, over connections that it makes, unless this says
/// otherwise. All media comes in at one port. A device that ends its call is called again when
/// it registers anew, or at once if calls come and go ([`lasting`](Sink::lasting)).
#[derive(Clone, Debug)]
#[must_use = "it belongs into `PlatformBuilder::sink`"]
pub struct Sink {
    transport: MediaTransport,
    most: Option<u64>,
    rate: Option<f64>,
    sample: Sample,
    clip: Option<Clip>,
    port: u16,
    asks: bool,
    lasting: Option<RangeInclusive<Duration>>,
}

/// Which streams are judged, not only counted.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sample {
    First(u64),
    Percent(f64),
}

impl Default for Sink {
    fn default() -> Self {
        Sink::new()
    }
}

impl Sink {
    /// Calls everybody at once and counts what comes.
    pub fn new() -> Self {
        Sink {
            transport: MediaTransport::TcpActive,
            most: None,
            rate: None,
            sample: Sample::First(0),
            clip: None,
            port: 0,
            asks: false,
            lasting: None,
        }
    }

    /// How media travels, as the camera sees it. Default: the camera connects.
    pub fn over(mut self, transport: MediaTransport) -> Self {
        self.transport = transport;
        self
    }

    /// No more than so many calls at a time; 0 only takes registrations. Default: all.
    pub fn calls(mut self, most: u64) -> Self {
        self.most = Some(most);
        self
    }

    /// No more than so many INVITEs per second. Default: as fast as devices register.
    pub fn rate(mut self, per_second: f64) -> Self {
        self.rate = Some(per_second);
        self
    }

    /// Judges the first `streams` calls, not only counts them: syntax, clocks, and every frame
    /// if there is a [`source`](Self::source).
    pub fn verify(mut self, streams: u64) -> Self {
        self.sample = Sample::First(streams);
        self
    }

    /// As [`verify`](Self::verify), for so many calls of a hundred, evenly spread.
    pub fn verify_percent(mut self, percent: f64) -> Self {
        self.sample = Sample::Percent(percent);
        self
    }

    /// What the cameras show; streams that are judged are compared with it.
    pub fn source(mut self, clip: Clip) -> Self {
        self.clip = Some(clip);
        self
    }

    /// The port for all media, connections and datagrams. Default: any that is free.
    pub fn media_port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Asks every device for its catalogue and calls the first channel in it. Otherwise the
    /// channel is the device's code with type 131.
    pub fn ask_catalog(mut self) -> Self {
        self.asks = true;
        self
    }

    /// Ends each call after a time of its own within `bounds`, and calls the device again: calls
    /// come and go. Default: they last.
    pub fn lasting(mut self, bounds: RangeInclusive<Duration>) -> Self {
        self.lasting = Some(bounds);
        self
    }

    /// Refuses what cannot be.
    pub(super) fn check(&self) -> Result<(), Error> {
        let setting = |what, why: &str| {
            let why = why.to_owned();
            Err(Error::Setting { what, why })
        };
        if self.rate.is_some_and(|rate| !(rate > 0.0 && rate <= 1e6)) {
            return setting("the sink's rate", "give calls per second, above 0");
        }
        if matches!(self.sample, Sample::Percent(percent) if !(0.0..=100.0).contains(&percent)) {
            return setting("the sink's sample", "give a percentage from 0 to 100");
        }
        if self
            .lasting
            .as_ref()
            .is_some_and(|bounds| bounds.is_empty())
        {
            return setting("how long calls last", "give the shorter time first");
        }
        Ok(())
    }

    /// From one INVITE to the next.
    pub(super) fn pause(&self) -> Option<Duration> {
        let pause = self.rate.map(|rate| Duration::from_secs_f64(1.0 / rate));
        pause.filter(|pause| !pause.is_zero())
    }

    /// Whether call `number`, counted from 0, is judged.
    fn is_judged(&self, number: u64) -> bool {
        match self.sample {
            Sample::First(streams) => number < streams,
            Sample::Percent(percent) => {
                let before = |number: u64| (number as f64 * percent / 100.0 + 1e-9).floor();
                before(number + 1) > before(number)
            }
        }
    }

    /// What is expected of call `number`.
    pub(super) fn expected(&self, number: u64) -> Expected {
        if !self.is_judged(number) {
            return Expected {
                check: Check::Count,
                ..Expected::default()
            };
        }
        Expected {
            reference: self.clip.as_ref().map(Clip::reference),
            ..Expected::default()
        }
    }

    /// Opens the port, and says who watches it.
    pub(super) fn open(&self, ip: IpAddr, clock: Clock) -> Result<SinkWatch, Error> {
        let config = SinkConfig {
            port: self.port,
            ..SinkConfig::new(ip)
        };
        let sink = SinkHandle::spawn(config, clock).map_err(|error| Error::Bind {
            transport: Transport::Tcp,
            address: (ip, self.port).into(),
            why: error.to_string(),
        })?;
        let score = Arc::new(Score::new(self.most));
        Ok(SinkWatch { sink, score })
    }
}

/// What a platform with a [`Sink`] has taken in. A copy may outlive the platform, for the last
/// word.
#[derive(Clone, Debug)]
pub struct SinkWatch {
    pub(super) sink: SinkHandle,
    pub(super) score: Arc<Score>,
}

impl SinkWatch {
    /// How it stands.
    pub async fn status(&self) -> SinkStatus {
        let mut status = self.score.status();
        status.media = self.sink.totals().await.unwrap_or_default();
        status
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(sink: &Sink, calls: u64) -> u64 {
        (0..calls).filter(|call| sink.is_judged(*call)).count() as u64
    }

    #[test]
    fn a_sample_is_the_first_calls_or_a_share_of_all() {
        assert_eq!(judged(&Sink::new(), 100), 0);
        assert_eq!(judged(&Sink::new().verify(7), 100), 7);
        for (percent, of_thousand) in [(0.0, 0), (0.1, 1), (1.0, 10), (33.3, 333), (100.0, 1000)] {
            let sink = Sink::new().verify_percent(percent);
            assert_eq!(judged(&sink, 1000), of_thousand, "{percent} %");
        }
        assert_eq!(Sink::new().expected(0).check, Check::Count);
        assert_eq!(Sink::new().verify(1).expected(0).check, Check::Full);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        assert!(Sink::new().rate(0.5).verify_percent(100.0).check().is_ok());
        for sink in [
            Sink::new().rate(0.0),
            Sink::new().rate(-1.0),
            Sink::new().rate(f64::NAN),
            Sink::new().verify_percent(101.0),
            Sink::new().verify_percent(f64::NAN),
            Sink::new().lasting(Duration::from_secs(2)..=Duration::from_secs(1)),
        ] {
            assert!(sink.check().is_err(), "{sink:?}");
        }
    }
}
