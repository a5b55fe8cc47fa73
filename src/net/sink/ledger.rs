//! Who is expected at a sink, by SSRC, and what came.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::super::reporter::Reporter;
use super::SinkTotals;
use super::guests::GuestId;
use crate::media::receiver::Receiver;
use crate::media::{Counts, Loss, Report, StreamId};
use crate::time::Instant;

/// How long the SSRC of a stream that has ended is remembered: what still comes is no stranger's.
const MEMORY: Duration = Duration::from_secs(10);

/// A stream that is expected or comes in.
#[derive(Debug)]
pub(super) struct Stream {
    pub key: u64,
    pub id: StreamId,
    pub reports: Reporter,
    pub receiver: Receiver,
    /// The connection that brings it.
    pub guest: Option<GuestId>,
    started: bool,
}

/// All streams.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    by_ssrc: HashMap<u32, Stream>,
    ssrcs: HashMap<u64, u32>,
    /// Ended not long ago.
    ended: HashMap<u32, Instant>,
    endings: VecDeque<(Instant, u32)>,
    pub totals: SinkTotals,
}

impl Stream {
    pub fn new(key: u64, id: StreamId, reports: Reporter, receiver: Receiver) -> Self {
        Stream {
            key,
            id,
            reports,
            receiver,
            guest: None,
            started: false,
        }
    }

    /// Tells its owner.
    pub fn report(&self, report: Report) {
        self.reports.tell(report);
    }
}

impl Ledger {
    /// Expects a stream of `ssrc`; `false` when it is expected already.
    pub fn expect(&mut self, ssrc: u32, stream: Stream) -> bool {
        if self.by_ssrc.contains_key(&ssrc) {
            return false;
        }
        self.ended.remove(&ssrc);
        self.ssrcs.insert(stream.key, ssrc);
        self.by_ssrc.insert(ssrc, stream);
        true
    }

    pub fn stream(&mut self, ssrc: u32) -> Option<&mut Stream> {
        self.by_ssrc.get_mut(&ssrc)
    }

    /// The SSRC of the stream with this key.
    pub fn ssrc(&self, key: u64) -> Option<u32> {
        self.ssrcs.get(&key).copied()
    }

    /// Whether a stream of `ssrc` has ended not long ago.
    pub fn has_ended(&self, ssrc: u32) -> bool {
        self.ended.contains_key(&ssrc)
    }

    /// The streams that are judged, not only counted, as they stand.
    pub fn progress(&self, judged: &[u64]) {
        let streams = judged.iter().filter_map(|key| self.ssrcs.get(key));
        for stream in streams.filter_map(|ssrc| self.by_ssrc.get(ssrc)) {
            stream.report(Report::Progress {
                stream: stream.id,
                verdict: Box::new(stream.receiver.verdict()),
            });
        }
    }

    /// Gives what came of `ssrc` to its receiver; `false` when nobody expects it.
    pub fn take(&mut self, ssrc: u32, hand: impl FnOnce(&mut Receiver)) -> bool {
        let Some(stream) = self.by_ssrc.get_mut(&ssrc) else {
            return false;
        };
        let receiver = &mut stream.receiver;
        let (packets, faults) = (receiver.packets(), receiver.faults());
        hand(receiver);
        let now = receiver.packets();
        self.totals.packets.add_change(packets, now);
        self.totals.faults += receiver.faults() - faults;
        if !stream.started && now.received > packets.received {
            stream.started = true;
            self.totals.flowing += 1;
            let stream = stream.id;
            if let Some(this) = self.by_ssrc.get(&ssrc) {
                this.report(Report::Started { stream });
            }
        }
        true
    }

    /// The connection of a stream has ended.
    pub fn broken(&mut self, ssrc: u32, guest: GuestId) {
        let Some(stream) = self.by_ssrc.get_mut(&ssrc) else {
            return;
        };
        if stream.guest == Some(guest) {
            stream.guest = None;
            self.totals.flowing -= u64::from(std::mem::take(&mut stream.started));
            stream.report(Report::Lost {
                stream: stream.id,
                why: Loss::Closed,
            });
        }
    }

    /// Ends the stream with this key, with its last report; the connection that brought it.
    pub fn end(&mut self, now: Instant, key: u64) -> Option<(u32, Option<GuestId>)> {
        let ssrc = self.ssrcs.remove(&key)?;
        let mut stream = self.by_ssrc.remove(&ssrc)?;
        self.ended.insert(ssrc, now);
        self.endings.push_back((now, ssrc));
        self.totals.flowing -= u64::from(stream.started);
        let before = stream.receiver.packets();
        stream.receiver.finish();
        self.totals
            .packets
            .add_change(before, stream.receiver.packets());
        let recording = stream.receiver.take_recording().into();
        stream.report(Report::Ended {
            stream: stream.id,
            counts: Counts::default(),
            verdict: Some(Box::new(stream.receiver.verdict())),
            recording,
            error: None,
        });
        Some((ssrc, stream.guest))
    }

    /// Forgets what ended long ago.
    pub fn forget(&mut self, now: Instant) {
        while let Some((at, ssrc)) = self.endings.front().copied()
            && now.since(at) > MEMORY
        {
            self.endings.pop_front();
            if self.ended.get(&ssrc) == Some(&at) {
                self.ended.remove(&ssrc);
            }
        }
    }

    /// The totals, with what there is now.
    pub fn totals(&self, connections: usize, unclaimed: usize) -> SinkTotals {
        SinkTotals {
            streams: self.by_ssrc.len() as u64,
            connections: connections as u64,
            unclaimed: unclaimed as u64,
            ..self.totals
        }
    }
}
