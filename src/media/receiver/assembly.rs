//! From what the demultiplexer finds to judged frames. No frame is kept: its NAL units are
//! fingerprinted as they pass.
//!
//! A frame ends at the next pack header, at another RTP timestamp, or at the marker bit.

use crate::media::codec::{Codec, Role};
use crate::media::demux::syntax::{PesHeader, ProgramMap, stream};
use crate::media::demux::{Demuxer, Position, PsEvent};
use crate::media::verdict::judge::{Judge, ReceivedFrame};
use crate::media::verdict::units::{Mark, ParameterSets, Splitter};
use crate::media::verdict::{Example, Fault, Faults, Verdict};

use super::Expected;
use super::clocks::{Clocks, Stamps};
use super::packet::Packet;
use super::sound::Sound;

/// `pack_start_code`.
const PACK_START: [u8; 4] = [0, 0, 1, stream::PACK];

/// The frame that is coming in.
#[derive(Clone, Copy, Debug)]
struct Frame {
    stamps: Stamps,
    sequence: u16,
    mark: Mark,
    /// Its first slice was seen: without a source the rest need not be looked at.
    sliced: bool,
    /// The changed timestamp inside it was reported.
    reported: bool,
}

/// Everything between the program stream and the verdict.
#[derive(Debug)]
pub(super) struct Assembly {
    pub verdict: Verdict,
    judge: Option<Judge>,
    clocks: Clocks,
    splitter: Splitter,
    sets: ParameterSets,
    frame: Option<Frame>,
    sound: Sound,
    /// SCR and RTP timestamp of a pack whose first video PES has not come.
    pack: Option<(u64, u32)>,
    video: bool,
    mapped: bool,
    /// What the map in force says of the video.
    codec: Codec,
    gap: bool,
    /// Sequence number and timestamp of the packet being read.
    sequence: u16,
    timestamp: u32,
}

impl Assembly {
    pub fn new(expected: &Expected) -> Assembly {
        let reference = expected.reference.clone();
        let codec = reference.as_ref().map(|reference| reference.codec());
        Assembly {
            verdict: Verdict {
                compared: reference.is_some(),
                ..Verdict::default()
            },
            clocks: Clocks::new(reference.as_ref().map(|reference| reference.fps())),
            judge: reference.map(Judge::new),
            splitter: Splitter::default(),
            sets: ParameterSets::default(),
            frame: None,
            sound: Sound::default(),
            pack: None,
            video: false,
            mapped: false,
            codec: codec.unwrap_or_default(),
            gap: false,
            sequence: 0,
            timestamp: 0,
        }
    }

    /// Takes the payload of the next packet in order.
    pub fn packet(&mut self, packet: &Packet<'_>, demuxer: &mut Demuxer) {
        self.sequence = packet.sequence;
        self.timestamp = packet.timestamp;
        self.check_timestamp(packet.payload, demuxer);
        demuxer.push(packet.payload, &mut |event| self.event(event));
        if packet.marker {
            self.end_at_boundary(demuxer, Fault::MarkerInsidePack);
        }
    }

    /// A packet of another time belongs to another frame.
    fn check_timestamp(&mut self, payload: &[u8], demuxer: &mut Demuxer) {
        let Some(frame) = &mut self.frame else {
            return;
        };
        if frame.stamps.rtp == self.timestamp {
            return;
        }
        let inside = demuxer.position() == Position::Inside;
        if inside && payload.starts_with(&PACK_START) {
            // No stream GB/T 28181 carries has these octets at the start of another frame.
            demuxer.lost();
            self.fault(Fault::PesLength, 0);
        } else if !frame.reported {
            frame.reported = inside;
            self.end_at_boundary(demuxer, Fault::TimestampInsidePack);
        }
    }

    fn end_at_boundary(&mut self, demuxer: &mut Demuxer, otherwise: Fault) {
        match demuxer.position() {
            Position::Inside => self.fault(otherwise, 0),
            Position::Searching => {}
            Position::Boundary | Position::Unbounded => {
                demuxer.flush(&mut |event| self.event(event));
                self.finish();
            }
        }
    }

    /// Counts a fault of the packet being read.
    pub fn fault(&mut self, fault: Fault, offset: usize) {
        let sequence = self.sequence;
        self.verdict.faults.count(Example {
            fault,
            sequence,
            offset,
        });
    }

    /// Packets are missing here.
    pub fn cut(&mut self) {
        if self.frame.take().is_some() {
            self.verdict.damaged += 1;
        }
        self.splitter = Splitter::default();
        self.sound.cut();
        self.pack = None;
        self.video = false;
        self.gap = true;
        if let Some(judge) = &mut self.judge {
            judge.cut();
        }
    }

    /// The stream begins anew.
    pub fn restart(&mut self) {
        self.cut();
        self.gap = false;
        self.clocks.restart();
        self.sound.restart();
        if let Some(judge) = &mut self.judge {
            judge.unlock();
        }
    }

    fn event(&mut self, event: PsEvent<'_>) {
        match event {
            PsEvent::Pack(pack) => {
                self.finish();
                let Assembly {
                    clocks,
                    verdict,
                    sequence,
                    ..
                } = self;
                clocks.pack(pack.scr, &mut counter(&mut verdict.faults, *sequence));
                self.pack = Some((pack.scr, self.timestamp));
            }
            PsEvent::Pes(pes) => self.pes(&pes),
            PsEvent::Data(octets) if self.video => self.data(octets),
            PsEvent::Data(octets) => self.sound.data(octets),
            PsEvent::Map(map) => self.map(map),
            PsEvent::Fault { fault, offset } => self.fault(fault, offset),
            PsEvent::SystemHeader | PsEvent::End => {}
        }
    }

    fn map(&mut self, map: &ProgramMap) {
        self.mapped = true;
        let Some(kind) = map.video() else {
            return;
        };
        let source = self.judge.as_ref().map(|judge| judge.reference().codec());
        if source.is_some_and(|source| source.stream_type() != kind) {
            self.fault(Fault::StreamType, 0);
        }
        self.codec = source.or(Codec::of_stream_type(kind)).unwrap_or_default();
    }

    fn pes(&mut self, pes: &PesHeader) {
        self.end_sound();
        self.video = stream::is_video(pes.stream);
        if !self.video {
            if stream::is_audio(pes.stream) {
                self.sound.begin(pes.pts);
            }
            return;
        }
        let another = |frame: &Frame| {
            pes.pts.is_some() && (frame.stamps.pts, frame.stamps.dts) != (pes.pts, pes.dts)
        };
        if self.frame.as_ref().is_some_and(another) {
            self.finish();
        }
        if self.frame.is_none() {
            self.begin(pes);
        }
    }

    fn begin(&mut self, pes: &PesHeader) {
        if !self.mapped {
            self.fault(Fault::NoMap, 0);
        }
        let pack = self.pack.take();
        match pack {
            None => self.fault(Fault::FrameWithoutPack, 0),
            Some((_, timestamp)) if timestamp != self.timestamp => {
                self.fault(Fault::TimestampInsidePack, 0)
            }
            Some(_) => {}
        }
        self.frame = Some(Frame {
            stamps: Stamps {
                rtp: self.timestamp,
                scr: pack.map(|(scr, _)| scr),
                pts: pes.pts,
                dts: pes.dts,
            },
            sequence: self.sequence,
            mark: Mark::default(),
            sliced: false,
            reported: false,
        });
    }

    fn data(&mut self, octets: &[u8]) {
        let Some(frame) = &mut self.frame else {
            return;
        };
        if self.judge.is_none() && frame.sliced {
            return;
        }
        let (codec, sets) = (self.codec, &mut self.sets);
        self.splitter
            .push(octets, &mut |unit| frame.mark.add(codec, &unit, sets));
        if let Some(Role::Slice { key }) = self.splitter.open_role(codec) {
            frame.sliced = true;
            frame.mark.idr |= key;
        }
    }

    /// The frame is whole, and its pack over.
    fn finish(&mut self) {
        self.end_sound();
        let Some(frame) = self.frame.take() else {
            return self.judge_sound(None, None);
        };
        let source = self.judge_frame(frame);
        self.judge_sound(source, Some(frame));
    }

    /// Judges a whole frame. Returns the frame of the source that it is.
    fn judge_frame(&mut self, mut frame: Frame) -> Option<usize> {
        let Assembly {
            verdict,
            judge,
            clocks,
            splitter,
            sets,
            codec,
            ..
        } = self;
        splitter.end(&mut |unit| frame.mark.add(*codec, &unit, sets));
        verdict.frames += 1;
        verdict.key_frames += u64::from(frame.mark.idr);
        let skipped = {
            let mut fault = counter(&mut verdict.faults, frame.sequence);
            clocks.frame(frame.stamps, &mut fault)
        };
        let gap = std::mem::take(&mut self.gap);
        let Some(judge) = judge else {
            match gap {
                true => verdict.lost += skipped,
                false => verdict.dropped += skipped,
            }
            return None;
        };
        let received = ReceivedFrame {
            mark: frame.mark,
            sets,
            skipped,
            gap,
            sequence: frame.sequence,
        };
        let ruling = judge.frame(&received, verdict);
        let source = ruling.source.and_then(|at| judge.reference().frame(at));
        // A source may have key frames that are no IDR pictures.
        let key = !frame.mark.idr && source.is_some_and(|source| source.key);
        verdict.key_frames += u64::from(key);
        let mut fault = counter(&mut verdict.faults, frame.sequence);
        if ruling.clock_ran_ahead {
            fault(Fault::RtpSpacing);
        }
        if source.is_some_and(|source| !clocks.is_presented_after(&frame.stamps, source.reorder)) {
            fault(Fault::PresentationOrder);
        }
        ruling.source
    }

    /// A PES packet of sound is over, if one was open.
    fn end_sound(&mut self) {
        let mut fault = counter(&mut self.verdict.faults, self.sequence);
        self.sound.end(&mut self.verdict.sounds, &mut fault);
    }

    /// Judges what was heard with frame `source` of the source, which came as `frame`.
    fn judge_sound(&mut self, source: Option<usize>, frame: Option<Frame>) {
        let reference = self.judge.as_ref().map(Judge::reference);
        let said = reference.zip(source).and_then(|(reference, at)| {
            let stamps = frame?.stamps;
            let shown_at_once = reference.frame(at)?.reorder == 0;
            let dts = stamps.dts.or(stamps.pts.filter(|_| shown_at_once));
            Some((reference.sounds(at)?, dts))
        });
        let mut fault = counter(&mut self.verdict.faults, self.sequence);
        self.sound.judge(said, &mut self.verdict.sounds, &mut fault);
    }
}

fn counter(faults: &mut Faults, sequence: u16) -> impl FnMut(Fault) {
    move |fault| {
        faults.count(Example {
            fault,
            sequence,
            offset: 0,
        })
    }
}
