//! What becomes of calls.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::{Call, Hint, Inner, REASONS};
use crate::gb28181::DeviceId;
use crate::media::Verdict;
use crate::platform::{Event, PlayEnd, PlayFailure, PlayId};

impl Inner {
    pub(super) fn note_call(&mut self, event: &Event) -> Option<Hint> {
        match event {
            Event::PlayAnswered { play, took, .. } => {
                self.live.get_mut(play)?.is_up = true;
                self.calls.answered += 1;
                self.calls.up += 1;
                record(&mut self.answer, *took);
            }
            Event::Streaming { play, took } => self.streaming(*play, *took),
            Event::MediaLost { play, .. } => {
                let call = self.live.get_mut(play)?;
                call.is_broken |= call.is_streaming;
                self.calls.streaming -= u64::from(std::mem::take(&mut call.is_streaming));
            }
            Event::Progress { play, verdict } => {
                self.live.get_mut(play)?.verdict = Some(verdict.clone());
            }
            Event::PlayRefused { play, why } => return self.play_refused(*play, why),
            Event::PlayEnded {
                play, why, verdict, ..
            } => return self.play_ended(*play, *why, verdict.as_deref()),
            _ => {}
        }
        None
    }

    fn streaming(&mut self, play: PlayId, took: Duration) {
        let Some(call) = self.live.get_mut(&play) else {
            return;
        };
        let was_broken = std::mem::take(&mut call.is_broken);
        let is_new = !std::mem::replace(&mut call.is_streaming, true);
        let calls = &mut self.calls;
        calls.streaming += u64::from(is_new);
        calls.most_streaming = calls.most_streaming.max(calls.streaming);
        calls.interrupted += u64::from(was_broken);
        if !was_broken {
            record(&mut self.first_packet, took);
        }
    }

    fn play_refused(&mut self, play: PlayId, why: &PlayFailure) -> Option<Hint> {
        let call = self.over(play)?;
        let is_fault = !matches!(
            why,
            PlayFailure::Cancelled
                | PlayFailure::ShuttingDown
                | PlayFailure::DeviceGone
                | PlayFailure::NotRegistered
        );
        if is_fault {
            self.fail(call.device, &why.to_string());
        }
        Some(Hint::Over(play))
    }

    fn play_ended(
        &mut self,
        play: PlayId,
        why: PlayEnd,
        verdict: Option<&Verdict>,
    ) -> Option<Hint> {
        let call = self.over(play)?;
        self.calls.ended += 1;
        if matches!(why, PlayEnd::NoMedia | PlayEnd::MediaFailed) {
            self.fail(call.device, &why.to_string());
        }
        // Of a call that ended before its first packet there is nothing to judge.
        let had_media = call.is_streaming || call.is_broken;
        if let Some(verdict) = verdict.filter(|_| had_media) {
            if !verdict.counted {
                self.verified.add(verdict);
            }
            if !verdict.is_clean() {
                self.example(|| format!("{}: {verdict}", call.device));
            }
        }
        Some(Hint::Over(play))
    }

    /// Takes a call out of the books.
    fn over(&mut self, play: PlayId) -> Option<Call> {
        let call = self.live.remove(&play)?;
        self.calls.up -= u64::from(call.is_up);
        self.calls.streaming -= u64::from(call.is_streaming);
        if let Some(device) = self.devices.get_mut(&call.device) {
            device.is_called = false;
        }
        self.forget(call.device);
        Some(call)
    }

    pub(super) fn fail(&mut self, device: DeviceId, why: &str) {
        let failed = &mut self.calls.failed;
        let known = failed.contains_key(why) || failed.len() < REASONS;
        let reason = if known { why } else { "other reasons" };
        *failed.entry(reason.to_owned()).or_default() += 1;
        self.example(|| format!("{device}: {why}"));
    }
}

fn record(micros: &mut Histogram<u64>, took: Duration) {
    micros.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
}
