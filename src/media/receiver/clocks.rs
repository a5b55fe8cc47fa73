//! The clocks of a stream: SCR, DTS, PTS and the RTP timestamp, each against itself and the
//! others. RTP timestamps also tell how many frames are missing.

use crate::media::rational::Rational;
use crate::media::verdict::Fault;

/// 90 kHz.
const CLOCK: u32 = 90_000;
/// PTS and DTS have 33 bits.
pub(super) const STAMP_BITS: u32 = 33;

/// What the clocks said about one video frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamps {
    /// Timestamp of the frame's RTP packets.
    pub rtp: u32,
    /// SCR of its pack, if it had one: 27 MHz.
    pub scr: Option<u64>,
    /// 90 kHz.
    pub pts: Option<u64>,
    /// 90 kHz.
    pub dts: Option<u64>,
}

impl Stamps {
    /// When it is decoded: by the PTS where there is no DTS.
    pub fn decoding(&self) -> Option<u64> {
        self.dts.or(self.pts)
    }
}

/// `later - earlier` on a clock of `bits` bits, as the shorter way round.
pub(super) fn difference(later: u64, earlier: u64, bits: u32) -> i64 {
    let shift = 64 - bits;
    (later.wrapping_sub(earlier) << shift) as i64 >> shift
}

/// The clocks' state between frames.
#[derive(Clone, Debug, Default)]
pub(super) struct Clocks {
    rate: Option<Rational>,
    /// Ticks between frames, learned when no rate is known.
    step: Option<u32>,
    scr: Option<u64>,
    last: Option<Stamps>,
}

impl Clocks {
    /// `rate`: frames per second of the source, if there is one.
    pub fn new(rate: Option<Rational>) -> Clocks {
        Clocks {
            rate,
            ..Clocks::default()
        }
    }

    /// The stream begins anew: nothing relates to what was before.
    pub fn restart(&mut self) {
        self.scr = None;
        self.last = None;
    }

    /// Any pack, with or without video.
    pub fn pack(&mut self, scr: u64, fault: &mut impl FnMut(Fault)) {
        // The base wraps at 33 bits, so SCR does at 300 times that.
        const WRAP: u64 = 300 << STAMP_BITS;
        let last = self.scr.replace(scr);
        if last.is_some_and(|last| {
            !(1..WRAP / 2).contains(&((scr % WRAP + WRAP - last % WRAP) % WRAP))
        }) {
            fault(Fault::ScrNotRising);
        }
    }

    /// A whole video frame. Returns how many frames are missing before it by the RTP timestamp.
    pub fn frame(&mut self, now: Stamps, fault: &mut impl FnMut(Fault)) -> u64 {
        let Some(decoding) = now.decoding() else {
            fault(Fault::StampMissing);
            return self.skipped(now, fault);
        };
        if now
            .pts
            .is_some_and(|pts| difference(pts, decoding, STAMP_BITS) < 0)
        {
            fault(Fault::PtsBeforeDts);
        }
        let late = |scr: u64| difference(decoding, scr / 300, STAMP_BITS) < 0;
        if now.scr.is_some_and(late) {
            fault(Fault::ScrAfterDts);
        }
        if let Some((last, before)) = self.last.and_then(|last| Some((last, last.decoding()?))) {
            let step = difference(decoding, before, STAMP_BITS);
            if step <= 0 {
                fault(Fault::DtsNotRising);
            }
            if step as u32 != now.rtp.wrapping_sub(last.rtp) {
                fault(Fault::RtpOffDts);
            }
        }
        self.skipped(now, fault)
    }

    fn skipped(&mut self, now: Stamps, fault: &mut impl FnMut(Fault)) -> u64 {
        let Some(last) = self.last.replace(now) else {
            return 0;
        };
        let ticks = now.rtp.wrapping_sub(last.rtp);
        if ticks == 0 {
            fault(Fault::TimestampRepeated);
            return 0;
        }
        if ticks > u32::MAX / 2 {
            fault(Fault::RtpSpacing);
            return 0;
        }
        match self.rate {
            Some(rate) => steps_of(rate, ticks),
            None => self.steps_learned(ticks),
        }
        .map_or_else(
            || {
                fault(Fault::RtpSpacing);
                0
            },
            |steps| steps - 1,
        )
    }

    /// Without a rate the first step counts as one frame, until a shorter one comes that it is a
    /// multiple of.
    fn steps_learned(&mut self, ticks: u32) -> Option<u64> {
        let step = *self.step.get_or_insert(ticks);
        let multiple = |ticks: u32, step: u32| {
            let steps = (ticks + step / 2) / step;
            (steps > 0 && ticks.abs_diff(steps * step) <= steps + 1).then_some(u64::from(steps))
        };
        if let Some(steps) = multiple(ticks, step) {
            return Some(steps);
        }
        if ticks < step {
            self.step = Some(ticks);
            return multiple(step, ticks).map(|_| 1);
        }
        None
    }

    /// Whether PTS - DTS is that of a source frame presented `reorder` frames after its decoding.
    pub fn is_presented_after(&self, stamps: &Stamps, reorder: u32) -> bool {
        let (Some(rate), Some(pts), Some(dts)) = (self.rate, stamps.pts, stamps.decoding()) else {
            return true;
        };
        let expected = rate.ticks(u64::from(reorder), CLOCK);
        difference(pts, dts, STAMP_BITS).abs_diff(expected as i64) <= 1
    }
}

/// How many frames `ticks` are, when it is a whole number of them (a tick of rounding allowed).
fn steps_of(rate: Rational, ticks: u32) -> Option<u64> {
    let frames = u64::from(ticks) * u64::from(rate.numerator());
    let per_frame = u64::from(CLOCK) * u64::from(rate.denominator());
    let steps = (frames + per_frame / 2) / per_frame;
    (steps > 0 && rate.ticks(steps, CLOCK).abs_diff(u64::from(ticks)) <= 1).then_some(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ticks: u64) -> Stamps {
        Stamps {
            rtp: (ticks as u32).wrapping_add(77),
            scr: Some(ticks * 300),
            pts: Some((ticks + 7200) % (1 << 33)),
            dts: Some((ticks + 3600) % (1 << 33)),
        }
    }

    /// Missing frames and faults of a stream at 25 frames per second.
    fn run(rate: Option<Rational>, frames: &[Stamps]) -> (Vec<u64>, Vec<Fault>) {
        let mut clocks = Clocks::new(rate);
        let mut faults = Vec::new();
        let mut fault = |fault| faults.push(fault);
        let mut skipped = Vec::new();
        for frame in frames {
            if let Some(scr) = frame.scr {
                clocks.pack(scr, &mut fault);
            }
            skipped.push(clocks.frame(*frame, &mut fault));
        }
        (skipped, faults)
    }

    #[test]
    fn all_clocks_run_on_through_their_wraps() {
        let start = (1 << 33) - 2 * 3600;
        let frames: Vec<_> = (0..4)
            .map(|n| Stamps {
                scr: Some((start + n * 3600) % (1 << 33) * 300),
                ..at(start + n * 3600)
            })
            .collect();
        assert_eq!(run(None, &frames), (vec![0; 4], vec![]));
        assert_eq!(
            run(Some(Rational::whole(25)), &frames),
            (vec![0; 4], vec![])
        );
    }

    #[test]
    fn missing_frames_are_told_by_the_rtp_clock() {
        let frames = [at(0), at(3600), at(4 * 3600), at(5 * 3600)];
        for rate in [None, Some(Rational::whole(25))] {
            assert_eq!(run(rate, &frames), (vec![0, 0, 2, 0], vec![]));
        }
        let ntsc = Rational::new(24_000, 1001).unwrap();
        let frames: Vec<_> = [0, 1, 2, 5].map(|n| at(ntsc.ticks(n, CLOCK))).to_vec();
        assert_eq!(run(Some(ntsc), &frames), (vec![0, 0, 0, 2], vec![]));
    }

    #[test]
    fn a_step_learned_too_long_is_corrected() {
        let frames = [at(0), at(7200), at(10_800), at(14_400), at(21_600)];
        assert_eq!(run(None, &frames), (vec![0, 0, 0, 0, 1], vec![]));
    }

    #[test]
    fn each_clock_fault_is_named() {
        let good = [at(3600), at(7200)];
        type Spoil = fn(&mut Stamps);
        let spoils: [(Spoil, &[Fault]); 8] = [
            (|s| s.scr = Some(3600 * 300), &[Fault::ScrNotRising]),
            (|s| s.scr = Some(10_801 * 300), &[Fault::ScrAfterDts]),
            (|s| (s.pts, s.dts) = (None, None), &[Fault::StampMissing]),
            (
                |s| s.dts = Some(7200),
                &[Fault::ScrAfterDts, Fault::DtsNotRising, Fault::RtpOffDts],
            ),
            (|s| s.pts = Some(10_799), &[Fault::PtsBeforeDts]),
            (|s| s.rtp += 5, &[Fault::RtpOffDts, Fault::RtpSpacing]),
            (
                |s| s.rtp -= 3600,
                &[Fault::RtpOffDts, Fault::TimestampRepeated],
            ),
            (|s| s.rtp -= 7200, &[Fault::RtpOffDts, Fault::RtpSpacing]),
        ];
        for (spoil, expected) in spoils {
            let mut frames = good;
            spoil(&mut frames[1]);
            if expected[0] == Fault::ScrAfterDts && expected.len() > 1 {
                frames[1].scr = Some(7201 * 300);
            }
            assert_eq!(run(Some(Rational::whole(25)), &frames).1, expected);
        }
    }

    #[test]
    fn presentation_is_compared_with_the_source() {
        let clocks = Clocks::new(Some(Rational::whole(25)));
        assert!(clocks.is_presented_after(&at(0), 1));
        assert!(!clocks.is_presented_after(&at(0), 0));
        assert!(!clocks.is_presented_after(&at(0), 2));
    }
}
