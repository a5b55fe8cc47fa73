//! What can be wrong with a received stream, counted by kind.

use std::fmt;

/// How many examples a [`Faults`] keeps.
const EXAMPLES: usize = 8;

macro_rules! faults {
    ($( $(#[$doc:meta])* $name:ident = $layer:ident $text:literal, )*) => {
        /// One kind of fault. Each names the rule that was broken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault { $( $(#[$doc])* $name, )* }

        impl Fault {
            /// Every kind there is.
            pub const ALL: &'static [Fault] = &[$( Fault::$name, )*];

            /// Where the rule comes from.
            pub fn layer(self) -> Layer {
                match self { $( Fault::$name => Layer::$layer, )* }
            }

            /// A few words for a person.
            pub fn text(self) -> &'static str {
                match self { $( Fault::$name => $text, )* }
            }
        }
    };
}

faults! {
    /// The peer frames packets as RTSP does (`$`, channel, length) instead of RFC 4571. Read all the same.
    Interleaved = Framing "$-interleaved framing instead of RFC 4571",
    /// An RFC 4571 length of 0.
    EmptyFrame = Framing "frame of length 0",
    /// What the length delimits is not an RTP packet; the receiver searched for the next one.
    Desynchronised = Framing "framing lost",
    /// Shorter than its header says, or not RTP version 2 (RFC 3550 §5.1).
    RtpHeader = Rtp "malformed RTP header",
    /// A payload type other than the one agreed.
    PayloadType = Rtp "wrong payload type",
    /// Another SSRC than the one agreed, or than the stream's first packet.
    Ssrc = Rtp "wrong SSRC",
    /// An RTP packet without payload.
    EmptyPayload = Rtp "RTP packet without payload",
    /// The sequence numbers started anew somewhere else (RFC 3550 A.1).
    SequenceRestart = Rtp "sequence numbers restarted",
    /// The RTP timestamp changed inside a PS pack (GB/T 28181-2022 §4.3.6: one per pack).
    TimestampInsidePack = Rtp "RTP timestamp changed inside a pack",
    /// Two PS packs with video share one RTP timestamp.
    TimestampRepeated = Rtp "RTP timestamp repeated for another frame",
    /// The marker bit stands on a packet that does not end its pack.
    MarkerInsidePack = Rtp "marker bit inside a pack",
    /// No start code where one had to stand; everything up to the next pack header is lost.
    NoStartCode = Ps "no start code where one must stand",
    /// Not the pack header of ISO/IEC 13818-1 §2.5.3.3 (an MPEG-1 one, or wrong marker bits).
    PackHeader = Ps "malformed pack header",
    /// Stuffing of the pack header that is not FF.
    Stuffing = Ps "pack stuffing is not FF",
    /// `program_mux_rate` is 0, which is forbidden.
    MuxRateZero = Ps "program_mux_rate is 0",
    /// Not the system header of ISO/IEC 13818-1 §2.5.3.5.
    SystemHeader = Ps "malformed system header",
    /// A system header that does not follow a pack header directly.
    SystemHeaderMisplaced = Ps "system header away from its pack header",
    /// Not the program stream map of ISO/IEC 13818-1 §2.5.4.
    MapSyntax = Ps "malformed program stream map",
    /// The map's CRC_32 is wrong. The map is used all the same.
    MapCrc = Ps "wrong CRC of the program stream map",
    /// `current_next_indicator` is 0: a map not yet in force. It is ignored.
    MapNotCurrent = Ps "program stream map not in force",
    /// Not the PES header of ISO/IEC 13818-1 §2.4.3.6.
    PesHeader = Ps "malformed PES header",
    /// `PES_packet_length` 0, which a program stream must not have. Read up to the next start code.
    PesLengthZero = Ps "PES of length 0",
    /// A PES packet claims octets beyond its pack. What it takes for payload is not read.
    PesLength = Ps "PES packet longer than its pack",
    /// A PES whose stream the map does not list. Skipped.
    UnlistedStream = Ps "PES of a stream the map does not list",
    /// Video before any program stream map: a platform cannot know its codec.
    NoMap = Ps "video before the first program stream map",
    /// The map calls the video something else than what it is.
    StreamType = Ps "wrong stream_type of the video",
    /// A frame that does not start with a pack header.
    FrameWithoutPack = Ps "frame without a pack header",
    /// The system clock reference did not rise from one pack to the next.
    ScrNotRising = Timing "SCR does not rise",
    /// A frame arrives (SCR) after it had to be decoded (DTS).
    ScrAfterDts = Timing "SCR later than DTS",
    /// A frame without a time stamp.
    StampMissing = Timing "frame without PTS",
    /// DTS (or PTS where there is no DTS) did not rise from one frame to the next.
    DtsNotRising = Timing "DTS does not rise",
    /// A frame shown before it is decoded.
    PtsBeforeDts = Timing "PTS before DTS",
    /// PTS - DTS is not the source's: pictures would be shown in another order.
    PresentationOrder = Timing "PTS - DTS differs from the source",
    /// Frames are not equally spaced on the RTP clock.
    RtpSpacing = Timing "RTP timestamps unevenly spaced",
    /// The PTS of sound did not rise from one access unit to the next.
    SoundNotRising = Timing "PTS of sound does not rise",
    /// Sound that is the source's for this frame, but with a PTS that parts it from the picture.
    SoundOffPictures = Timing "sound and pictures out of step",
    /// RTP timestamp and DTS run apart.
    RtpOffDts = Timing "RTP timestamp and DTS run apart",
}

/// Where a rule comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// RFC 4571.
    Framing,
    /// RFC 3550 and GB/T 28181-2022 §4.3.6.
    Rtp,
    /// The syntax of ISO/IEC 13818-1.
    Ps,
    /// The clocks of both.
    Timing,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Where a fault was seen, in terms Wireshark shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// What was wrong.
    pub fault: Fault,
    /// The RTP sequence number of the packet.
    pub sequence: u16,
    /// The octet of that packet's payload where it was noticed.
    pub offset: usize,
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Example {
            fault,
            sequence,
            offset,
        } = self;
        write!(
            f,
            "{fault} (sequence number {sequence}, payload octet {offset})"
        )
    }
}

/// Faults counted by kind, with the first examples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    counts: [u64; Fault::ALL.len()],
    examples: Vec<Example>,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            counts: [0; Fault::ALL.len()],
            examples: Vec::new(),
        }
    }
}

impl Faults {
    /// Counts one, and keeps it as an example if it is the first of its kind and there is room.
    pub fn count(&mut self, example: Example) {
        self.count_many(example, 1);
    }

    /// As [`count`](Self::count), `times` times.
    pub fn count_many(&mut self, example: Example, times: u64) {
        let Some(count) = self.counts.get_mut(example.fault as usize) else {
            return;
        };
        let is_first = *count == 0 && times > 0;
        *count += times;
        if is_first && self.examples.len() < EXAMPLES {
            self.examples.push(example);
        }
    }

    /// How often `fault` was seen.
    pub fn of(&self, fault: Fault) -> u64 {
        self.counts.get(fault as usize).copied().unwrap_or(0)
    }

    /// How often faults of `layer` were seen.
    pub fn in_layer(&self, layer: Layer) -> u64 {
        self.iter()
            .filter(|(fault, _)| fault.layer() == layer)
            .map(|(_, count)| count)
            .sum()
    }

    /// All faults together.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Every kind that was seen, with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Fault, u64)> {
        Fault::ALL
            .iter()
            .map(|fault| (*fault, self.of(*fault)))
            .filter(|(_, count)| *count > 0)
    }

    /// The first example of each kind, in order of appearance, eight at most.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(fault: Fault, sequence: u16) -> Example {
        Example {
            fault,
            sequence,
            offset: 0,
        }
    }

    #[test]
    fn each_kind_is_counted_apart_and_its_first_example_kept() {
        let mut faults = Faults::default();
        faults.count(example(Fault::MapCrc, 7));
        faults.count(example(Fault::MapCrc, 8));
        faults.count(example(Fault::Ssrc, 9));
        assert_eq!(faults.of(Fault::MapCrc), 2);
        assert_eq!(faults.in_layer(Layer::Rtp), 1);
        assert_eq!(faults.total(), 3);
        assert_eq!(
            faults.examples(),
            [example(Fault::MapCrc, 7), example(Fault::Ssrc, 9)]
        );
    }

    #[test]
    fn examples_are_bounded_whatever_arrives() {
        let mut faults = Faults::default();
        for fault in Fault::ALL {
            faults.count(example(*fault, 1));
        }
        assert_eq!(faults.examples().len(), EXAMPLES);
        assert_eq!(faults.total(), Fault::ALL.len() as u64);
    }
}
