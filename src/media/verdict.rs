//! The receiver's verdict: what came in, and whether it is the source.
//!
//! Equal to the source means the same sequence of NAL units. Start-code length, trailing zeros,
//! repeated parameter sets and an added access unit delimiter do not count.

mod fault;
pub(super) mod judge;
pub(super) mod reference;
pub(super) mod units;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

pub use fault::{Example, Fault, Faults, Layer};
pub use reference::Reference;

/// How many mismatches a verdict describes; all are counted.
pub(super) const MISMATCHES: usize = 8;

/// What happened to the packets, by RTP sequence number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Packets {
    /// RTP packets of this stream taken in.
    pub received: u64,
    /// Octets of their payloads.
    pub octets: u64,
    /// Sequence numbers that never came, or came too late.
    pub lost: u64,
    /// Runs of lost sequence numbers.
    pub gaps: u64,
    /// Packets that came again.
    pub duplicates: u64,
    /// Packets that came after a later one but in time.
    pub reordered: u64,
    /// Packets that came after the receiver had given them up (they count as lost too).
    pub late: u64,
    /// RTCP packets on the RTP port, ignored.
    pub rtcp: u64,
}

impl Packets {
    /// Takes into a sum that the counts of one stream went from `before` to `now`. What was
    /// counted as lost may come after all, so counts may also fall.
    pub fn add_change(&mut self, before: Packets, now: Packets) {
        let add = |sum: &mut u64, before: u64, now: u64| {
            *sum = sum.wrapping_add(now.wrapping_sub(before));
        };
        add(&mut self.received, before.received, now.received);
        add(&mut self.octets, before.octets, now.octets);
        add(&mut self.lost, before.lost, now.lost);
        add(&mut self.gaps, before.gaps, now.gaps);
        add(&mut self.duplicates, before.duplicates, now.duplicates);
        add(&mut self.reordered, before.reordered, now.reordered);
        add(&mut self.late, before.late, now.late);
        add(&mut self.rtcp, before.rtcp, now.rtcp);
    }
}

/// What was heard beside the pictures, in access units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sounds {
    /// Received whole.
    pub units: u64,
    /// Their octets.
    pub octets: u64,
    /// Equal to those that the source has for the same frame.
    pub matched: u64,
    /// Others than the source has for the same frame.
    pub mismatched: u64,
    /// What the source has for a frame and did not come: a recording that is hurried through or
    /// runs backwards is not heard.
    pub missing: u64,
}

/// A frame that is not the source's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The frame of the source it was compared with (decode order, from 0); `None` for a key
    /// frame that is nowhere in the source.
    pub frame: Option<usize>,
    /// The key frame of the source that GOP starts with.
    pub gop: Option<usize>,
    /// The RTP sequence number of the frame's first packet.
    pub sequence: u16,
    /// What differs.
    pub what: Difference,
}

/// What differs between a received frame and the source's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The content of the NAL units.
    Content,
    /// The number of NAL units: received, in the source.
    UnitCount(u32, u32),
    /// Parameter sets the frame needs are missing or altered.
    ParameterSets,
    /// The source's access unit delimiter is missing or altered.
    Delimiter,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.frame, self.gop) {
            (Some(frame), Some(gop)) => write!(f, "frame {frame} of the source, GOP at {gop}: ")?,
            (Some(frame), None) => write!(f, "frame {frame} of the source: ")?,
            _ => f.write_str("a key frame that is not in the source: ")?,
        }
        match self.what {
            Difference::Content => f.write_str("content differs")?,
            Difference::UnitCount(got, source) => {
                write!(f, "{got} NAL units, source has {source}")?
            }
            Difference::ParameterSets => f.write_str("parameter sets missing or altered")?,
            Difference::Delimiter => f.write_str("access unit delimiter missing or altered")?,
        }
        write!(f, " (from sequence number {})", self.sequence)
    }
}

/// The judgement of one received stream, so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Whether there was a source to compare with. Without one only counts, sequence, PS and
    /// timing are judged.
    pub compared: bool,
    /// Whether packets were only counted ([`Check::Count`](super::receiver::Check)), or listened
    /// to: nothing is known of frames and clocks.
    pub counted: bool,
    /// Video frames received whole.
    pub frames: u64,
    /// Key frames among them.
    pub key_frames: u64,
    /// Video frames begun but cut by a sequence gap.
    pub damaged: u64,
    /// Frames equal to the source's.
    pub matched: u64,
    /// Frames that differ from the source's.
    pub mismatched: u64,
    /// Frames that could not be compared: no key frame of the source had come yet.
    pub unlocked: u64,
    /// Frames the sender left out: none of their packets is missing, the clock ran on.
    pub dropped: u64,
    /// Frames that are missing where packets are missing.
    pub lost: u64,
    /// Places where the stream went on elsewhere in the source without the clock saying so.
    pub jumps: u64,
    /// Whole GOPs in which every frame equals the source's.
    pub gops: u64,
    /// Media time of the frames that equal the source's.
    pub verified: Duration,
    /// RTP packets.
    pub packets: Packets,
    /// Octets of audio, of a voice that is listened to ([`Check::Voice`](super::receiver::Check)).
    pub audio: u64,
    /// What was heard beside the pictures.
    pub sounds: Sounds,
    /// Datagrams our own kernel dropped before we read them.
    pub kernel_drops: u64,
    /// Framing, RTP, PS and timing faults by kind.
    pub faults: Faults,
    /// The first frames that differ, eight at most.
    pub mismatches: Vec<Mismatch>,
}

impl Verdict {
    /// Media time of the frames that equal the source's, in seconds.
    pub fn seconds_verified(&self) -> f64 {
        self.verified.as_secs_f64()
    }

    /// Whether something came and nothing was wrong with it. Datagrams that were reordered or
    /// doubled on the way and put right here do not count.
    pub fn is_clean(&self) -> bool {
        self.complaints().is_empty()
    }

    /// Everything that is wrong, the most telling first.
    fn complaints(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.frames == 0 && !(self.counted && self.packets.received > 0) {
            all.push(match self.packets.received {
                0 => "nothing received".to_owned(),
                n => format!("no whole frame in {n} packets"),
            });
        } else if self.compared && self.matched == 0 {
            all.push("no frame equals the source's".to_owned());
        }
        for (count, what) in [
            (self.mismatched, "frames differ from the source"),
            (self.jumps, "jumps in the source"),
            (self.dropped, "frames left out by the sender"),
            (self.packets.lost, "packets lost"),
            (self.lost, "frames lost with them"),
            (self.damaged, "frames cut by packet loss"),
            (self.kernel_drops, "datagrams dropped by our own kernel"),
            (
                self.sounds.mismatched,
                "pieces of sound differ from the source",
            ),
        ] {
            if count > 0 {
                all.push(format!("{count} {what}"));
            }
        }
        if self.unlocked > 0 {
            all.push(format!("{} frames before a known key frame", self.unlocked));
        }
        all.extend(
            self.faults
                .iter()
                .map(|(fault, n)| format!("{n} x {fault}")),
        );
        all
    }
}

impl fmt::Display for Verdict {
    /// One line: clean or what is wrong, with the first example.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let complaints = self.complaints();
        if !complaints.is_empty() {
            write!(f, "not clean: {}", complaints.join(", "))?;
            return match (self.mismatches.first(), self.faults.examples().first()) {
                (Some(mismatch), _) => write!(f, "; first: {mismatch}"),
                (None, Some(example)) => write!(f, "; first: {example}"),
                (None, None) => Ok(()),
            };
        }
        if self.counted {
            return write!(f, "clean: {} packets, counted only", self.packets.received);
        }
        let (frames, keys) = (self.frames, self.key_frames);
        if self.compared {
            let (seconds, gops) = (self.seconds_verified(), self.gops);
            write!(
                f,
                "clean: {frames} frames ({keys} key), {seconds:.1} s equal to the source in {gops} whole GOPs"
            )?;
        } else {
            write!(
                f,
                "clean: {frames} frames ({keys} key), not compared with a source"
            )?;
        }
        match self.sounds.units {
            0 => Ok(()),
            units => write!(f, ", {units} access units of sound"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Verdict {
        Verdict {
            compared: true,
            frames: 50,
            key_frames: 2,
            matched: 50,
            gops: 1,
            verified: Duration::from_secs(2),
            ..Verdict::default()
        }
    }

    #[test]
    fn nothing_received_is_not_clean() {
        let verdict = Verdict::default();
        assert!(!verdict.is_clean());
        assert_eq!(verdict.to_string(), "not clean: nothing received");
    }

    #[test]
    fn a_clean_verdict_says_how_much_was_verified() {
        assert!(good().is_clean());
        assert_eq!(
            good().to_string(),
            "clean: 50 frames (2 key), 2.0 s equal to the source in 1 whole GOPs"
        );
    }

    #[test]
    fn every_defect_alone_makes_it_unclean_and_is_named() {
        type Spoil = fn(&mut Verdict);
        let spoils: [(Spoil, &str); 10] = [
            (|v| v.mismatched = 1, "1 frames differ from the source"),
            (|v| v.jumps = 2, "2 jumps in the source"),
            (|v| v.dropped = 3, "3 frames left out by the sender"),
            (|v| v.packets.lost = 4, "4 packets lost"),
            (|v| v.lost = 5, "5 frames lost with them"),
            (|v| v.damaged = 6, "6 frames cut by packet loss"),
            (
                |v| v.kernel_drops = 7,
                "7 datagrams dropped by our own kernel",
            ),
            (|v| v.unlocked = 8, "8 frames before a known key frame"),
            (
                |v| v.sounds.mismatched = 9,
                "9 pieces of sound differ from the source",
            ),
            (|v| v.matched = 0, "no frame equals the source's"),
        ];
        for (spoil, words) in spoils {
            let mut verdict = good();
            spoil(&mut verdict);
            assert!(!verdict.is_clean(), "{words}");
            assert!(verdict.to_string().contains(words), "{verdict}");
        }
    }

    #[test]
    fn a_fault_is_shown_with_its_coordinates() {
        let mut verdict = good();
        verdict.faults.count(Example {
            fault: Fault::MapCrc,
            sequence: 17,
            offset: 30,
        });
        assert_eq!(
            verdict.to_string(),
            "not clean: 1 x wrong CRC of the program stream map; first: wrong CRC of the program \
             stream map (sequence number 17, payload octet 30)"
        );
    }
}
