//! How a sink stands, for people and machines.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::net::SinkTotals;

/// How a sink stands.
#[derive(Clone, Debug, Default, Serialize)]
#[non_exhaustive]
pub struct SinkStatus {
    /// Devices registered now.
    pub registered: u64,
    /// Times that a device came that was not there.
    pub arrivals: u64,
    /// Registrations refused, challenges apart.
    pub refused: u64,
    /// Devices that fell silent or did not refresh their registration.
    pub silent: u64,
    /// Calls.
    pub calls: SinkCalls,
    /// From INVITE to 200.
    pub answer: SinkTimes,
    /// From INVITE to the first packet.
    pub first_packet: SinkTimes,
    /// All media together.
    pub media: SinkTotals,
    /// The streams that are judged, not only counted.
    pub verified: SinkVerified,
    /// Deviations from the standard, by kind. They are no shortfall.
    pub complaints: BTreeMap<String, u64>,
    /// The first things that went wrong, eight at most.
    pub examples: Vec<String>,
}

/// The calls of a sink.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SinkCalls {
    /// The most that were wanted at a time, if there was a limit.
    pub wanted: Option<u64>,
    /// Answered and not over.
    pub up: u64,
    /// Those of them that have brought a packet.
    pub streaming: u64,
    /// The most that were streaming at a time.
    pub most_streaming: u64,
    /// INVITEs sent, as often as a call was begun.
    pub invited: u64,
    /// Calls answered with 200.
    pub answered: u64,
    /// Calls answered and over.
    pub ended: u64,
    /// Calls that did not come about or broke, by reason.
    pub failed: BTreeMap<String, u64>,
    /// Times that media came back after its connection had broken.
    pub interrupted: u64,
}

/// How long something took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SinkTimes {
    /// How often it was measured.
    pub count: u64,
    /// Milliseconds that half of them took at most.
    pub p50: f64,
    /// Milliseconds that nine of ten took at most.
    pub p90: f64,
    /// Milliseconds that 99 of a hundred took at most.
    pub p99: f64,
    /// Milliseconds of the longest.
    pub max: f64,
}

/// What became of the streams that are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct SinkVerified {
    /// How many there were.
    pub streams: u64,
    /// How many of them nothing was wrong with.
    pub clean: u64,
    /// Seconds of media equal to the source.
    pub seconds: f64,
}

impl SinkTimes {
    /// Of a histogram of microseconds.
    pub(super) fn of(micros: &Histogram<u64>) -> Self {
        let ms = |micros: u64| micros as f64 / 1000.0;
        SinkTimes {
            count: micros.len(),
            p50: ms(micros.value_at_quantile(0.5)),
            p90: ms(micros.value_at_quantile(0.9)),
            p99: ms(micros.value_at_quantile(0.99)),
            max: ms(micros.max()),
        }
    }
}

impl SinkStatus {
    /// Bits of media per second between an earlier status and this one.
    pub fn bit_rate(&self, earlier: &SinkStatus, seconds: f64) -> f64 {
        let octets = |status: &SinkStatus| status.media.packets.octets;
        octets(self).saturating_sub(octets(earlier)) as f64 * 8.0 / seconds.max(1e-3)
    }

    /// In what it fell short: everything that was lost or failed. Empty: all is well.
    pub fn shortfalls(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.arrivals == 0 {
            all.push("nobody registered".to_owned());
        }
        let (calls, media) = (&self.calls, &self.media);
        if let Some(wanted) = calls.wanted
            && calls.most_streaming < wanted
        {
            all.push(format!(
                "{} of {wanted} calls brought media",
                calls.most_streaming
            ));
        }
        all.extend(
            calls
                .failed
                .iter()
                .map(|(why, n)| format!("{n} calls: {why}")),
        );
        let unclean = self.verified.streams - self.verified.clean.min(self.verified.streams);
        for (count, what) in [
            (self.refused, "registrations refused"),
            (self.silent, "devices fell silent"),
            (calls.interrupted, "interruptions of media"),
            (media.packets.lost, "packets lost"),
            (media.packets.gaps, "gaps in sequence numbers"),
            (media.packets.late, "packets behind their sequence"),
            (media.faults, "RTP faults"),
            (media.refused, "media connections not accepted"),
            (media.kernel_drops, "datagrams dropped by our own kernel"),
            (unclean, "verified streams not clean"),
        ] {
            if count > 0 {
                all.push(format!("{count} {what}"));
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> SinkStatus {
        SinkStatus {
            arrivals: 10,
            ..SinkStatus::default()
        }
    }

    #[test]
    fn whatever_was_lost_or_failed_is_a_shortfall_and_deviations_are_none() {
        let mut status = good();
        status.complaints.insert("no Max-Forwards".into(), 9);
        status.media.stray = 3;
        status.media.strangers = 3;
        assert!(status.shortfalls().is_empty());
        type Spoil = fn(&mut SinkStatus);
        let spoils: [(Spoil, &str); 7] = [
            (|s| s.arrivals = 0, "nobody registered"),
            (|s| s.calls.wanted = Some(2), "0 of 2 calls brought media"),
            (|s| s.media.packets.lost = 3, "3 packets lost"),
            (|s| s.media.packets.gaps = 1, "1 gaps in sequence numbers"),
            (|s| s.media.faults = 4, "4 RTP faults"),
            (|s| s.verified.streams = 5, "5 verified streams not clean"),
            (
                |s| *s.calls.failed.entry("486 Busy Here".into()).or_default() = 2,
                "2 calls: 486 Busy Here",
            ),
        ];
        for (spoil, words) in spoils {
            let mut status = good();
            spoil(&mut status);
            assert_eq!(status.shortfalls(), [words]);
        }
    }

    #[test]
    fn the_bit_rate_is_that_between_two_looks() {
        let (before, mut now) = (good(), good());
        now.media.packets.octets = 1_000_000;
        assert_eq!(now.bit_rate(&before, 2.0), 4e6);
    }
}
