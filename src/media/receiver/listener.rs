//! Listening instead of watching: a voice of G.711 A-law, alone (RFC 3551 §4.5.14) or within a
//! program stream (GB/T 28181-2022 annex C).

use std::collections::VecDeque;

use bytes::Bytes;

use crate::media::demux::syntax::stream;
use crate::media::demux::{Demuxer, PsEvent};
use crate::media::g711::{PCMA, SILENCE};
use crate::media::verdict::{Example, Verdict};

use super::packet::Packet;
use super::{Expected, RECORDING_MAX};

/// `stream_type` of G.711 A-law in a program stream map (GB/T 28181-2022 annex C).
const A_LAW: u8 = 0x90;
/// The most packets in a row whose place silence takes: 2 s of the usual ones.
const LONGEST_GAP: usize = 100;

/// The most samples that wait to be said back: a second. Of what comes faster the oldest is
/// forgotten.
const LONGEST_ECHO: usize = 8000;

/// What a voice says.
#[derive(Debug)]
pub(super) struct Listener {
    alone: bool,
    /// Whether what it says is kept.
    keeps: bool,
    samples: Vec<u8>,
    /// What waits to be said back, if anything is.
    echo: Option<VecDeque<u8>>,
    /// Packets that are missing before the next.
    missing: usize,
    /// What the PES packet that is being read carries.
    carries: Carries,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Carries {
    /// G.711 A-law, or audio of which no map says anything else.
    Voice,
    /// Audio that nobody here understands.
    OtherAudio,
    NoAudio,
}

impl Listener {
    pub fn new(expected: &Expected) -> Listener {
        Listener {
            alone: expected.payload_type == PCMA,
            keeps: expected.record,
            samples: Vec::new(),
            echo: expected.echo.then(VecDeque::new),
            missing: 0,
            carries: Carries::NoAudio,
        }
    }

    /// Takes the payload of the next packet in order.
    pub fn packet(&mut self, packet: &Packet<'_>, demuxer: &mut Demuxer, verdict: &mut Verdict) {
        let missing = std::mem::take(&mut self.missing);
        if self.alone {
            verdict.audio += packet.payload.len() as u64;
            let silence = missing.min(LONGEST_GAP) * packet.payload.len();
            self.keep_silence(silence);
            return self.keep(packet.payload);
        }
        let map = demuxer.map().copied();
        let mut mapped = map;
        demuxer.push(packet.payload, &mut |event| match event {
            PsEvent::Map(map) => mapped = Some(*map),
            PsEvent::Pes(pes) => {
                let listed = mapped.and_then(|map| map.stream_type(pes.stream));
                self.carries = Carries::of(pes.stream, listed);
            }
            PsEvent::Data(octets) => self.data(octets, verdict),
            PsEvent::Fault { fault, offset } => verdict.faults.count(Example {
                fault,
                sequence: packet.sequence,
                offset,
            }),
            PsEvent::Pack(_) | PsEvent::SystemHeader | PsEvent::End => {}
        });
    }

    fn data(&mut self, octets: &[u8], verdict: &mut Verdict) {
        if self.carries != Carries::NoAudio {
            verdict.audio += octets.len() as u64;
        }
        if self.carries == Carries::Voice {
            self.keep(octets);
        }
    }

    /// Packets are missing before the next. How much they said is known only of a voice alone.
    pub fn lost(&mut self, missing: u16) {
        self.missing += usize::from(missing);
    }

    fn keep(&mut self, octets: &[u8]) {
        if let Some(echo) = &mut self.echo {
            echo.extend(octets);
            let late = echo.len().saturating_sub(LONGEST_ECHO);
            echo.drain(..late);
        }
        if self.keeps && self.samples.len() + octets.len() <= RECORDING_MAX {
            self.samples.extend_from_slice(octets);
        }
    }

    fn keep_silence(&mut self, octets: usize) {
        let length = self.samples.len() + octets;
        if self.keeps && length <= RECORDING_MAX {
            self.samples.resize(length, SILENCE);
        }
    }

    /// Puts what it has said in the place of `said`, if it is to be said back.
    pub fn say_back(&mut self, said: &mut [u8]) {
        if let Some(echo) = &mut self.echo {
            said.fill_with(|| echo.pop_front().unwrap_or(SILENCE));
        }
    }

    /// What it has said since this was last called, if anything.
    pub fn take(&mut self) -> Option<Bytes> {
        let samples = std::mem::take(&mut self.samples);
        (!samples.is_empty()).then(|| samples.into())
    }
}

impl Carries {
    fn of(id: u8, listed: Option<u8>) -> Carries {
        match listed {
            _ if !stream::is_audio(id) => Carries::NoAudio,
            None | Some(A_LAW) => Carries::Voice,
            Some(_) => Carries::OtherAudio,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::media::rtp::{Framing, Header};
    use crate::media::verdict::Fault;
    use crate::media::{Check, Receiver};
    use crate::time::Instant;

    use super::super::tests::camera::{pack_header, pes};
    use super::*;

    /// The map of one G.711 A-law stream (ISO/IEC 13818-1 §2.5.4).
    const MAP: [u8; 20] = [
        0, 0, 1, 0xBC, 0, 0x0E, 0xE0, 0xFF, 0, 0, 0, 4, 0x90, 0xC0, 0, 0, 0xF0, 0xB2, 0x3A, 0xDC,
    ];

    fn receiver(payload_type: u8, framing: Framing) -> Receiver {
        let expected = Expected {
            payload_type,
            record: true,
            check: Check::Voice,
            ..Expected::default()
        };
        Receiver::new(expected.into(), framing)
    }

    fn packet(payload_type: u8, sequence: u16, payload: &[u8]) -> Vec<u8> {
        let header = Header {
            marker: false,
            payload_type,
            sequence,
            timestamp: u32::from(sequence) * 160,
            ssrc: 7,
        };
        [&header.octets()[..], payload].concat()
    }

    fn heard(packets: &[Vec<u8>], payload_type: u8) -> (Vec<u8>, Verdict) {
        let mut receiver = receiver(payload_type, Framing::Datagram);
        for packet in packets {
            receiver.datagram(Instant::ZERO, packet);
        }
        receiver.finish();
        let samples = receiver.take_voice().unwrap_or_default().to_vec();
        assert_eq!(receiver.take_voice(), None, "taken once");
        (samples, receiver.verdict())
    }

    #[test]
    fn samples_come_in_order_and_silence_takes_the_place_of_lost_packets() {
        let say = |n: u8| packet(8, n.into(), &[n; 3]);
        let (samples, verdict) = heard(&[say(1), say(3), say(2), say(6)], 8);
        assert_eq!(
            samples,
            [
                1, 1, 1, 2, 2, 2, 3, 3, 3, 0xD5, 0xD5, 0xD5, 0xD5, 0xD5, 0xD5, 6, 6, 6
            ]
        );
        assert_eq!((verdict.audio, verdict.packets.lost), (12, 2));
    }

    #[test]
    fn a_gap_without_end_is_not_filled_without_end() {
        let (samples, verdict) = heard(&[packet(8, 1, &[1]), packet(8, 1001, &[2])], 8);
        assert_eq!((samples.len(), verdict.packets.lost), (102, 999));
    }

    /// A pack with these octets of audio, divided into two packets.
    fn packets(first: u16, map: &[u8], audio: &[u8]) -> Vec<Vec<u8>> {
        let stamps = Some((3600, 3600));
        let video = pes(0xE0, stamps, &[9; 40]);
        let voice = pes(0xC0, stamps, audio);
        let pack = [&pack_header(3600), map, &video, &voice].concat();
        let (start, rest) = pack.split_at(pack.len() - 5);
        vec![packet(96, first, start), packet(96, first + 1, rest)]
    }

    #[test]
    fn of_a_program_stream_the_audio_is_heard_with_a_map_and_without() {
        for map in [&MAP[..], &[]] {
            let (samples, verdict) = heard(&packets(1, map, &[1; 160]), 96);
            assert_eq!((samples, verdict.audio), (vec![1; 160], 160), "{map:?}");
            let unlisted = verdict.faults.iter().map(|(fault, _)| fault);
            let expected: &[_] = match map {
                [] => &[],
                _ => &[Fault::UnlistedStream],
            };
            assert_eq!(unlisted.collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn audio_of_another_kind_is_counted_and_not_kept() {
        let mut aac = MAP;
        aac[12] = 0x0F;
        let (samples, verdict) = heard(&packets(1, &aac, &[1; 160]), 96);
        assert_eq!((samples, verdict.audio), (vec![], 160));
    }

    #[test]
    fn where_packets_are_missing_a_program_stream_goes_on_with_the_next_pack() {
        let mut all = packets(1, &MAP, &[1; 160]);
        all.extend(packets(3, &MAP, &[2; 160]));
        all.extend(packets(5, &MAP, &[3; 160]));
        all.remove(2);
        let (samples, verdict) = heard(&all, 96);
        assert_eq!(samples, [[1; 160], [3; 160]].concat());
        assert_eq!(verdict.packets.lost, 1);
    }

    #[test]
    fn over_tcp_both_framings_are_understood() {
        for prefix in [&b""[..], b"$\0"] {
            let mut receiver = receiver(8, Framing::Stream);
            for n in 1..4u8 {
                let packet = packet(8, n.into(), &[n; 160]);
                let length = (packet.len() as u16).to_be_bytes();
                receiver.octets(Instant::ZERO, &[prefix, &length, &packet].concat());
            }
            let samples = receiver.take_voice().unwrap();
            assert_eq!(samples[..], [[1; 160], [2; 160], [3; 160]].concat());
        }
    }

    #[test]
    fn nothing_is_kept_that_nobody_wants() {
        let expected = Expected {
            payload_type: 8,
            check: Check::Voice,
            ..Expected::default()
        };
        let mut receiver = Receiver::new(expected.into(), Framing::Datagram);
        receiver.datagram(Instant::ZERO, &packet(8, 1, &[1; 160]));
        assert_eq!(
            (receiver.take_voice(), receiver.verdict().audio),
            (None, 160)
        );
    }
}
