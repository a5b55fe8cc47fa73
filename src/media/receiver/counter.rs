//! Counting without judging: a stream that costs a look at twelve octets per packet and keeps a
//! few hundred octets of state, whatever arrives.

use crate::media::verdict::{Example, Fault, Packets, Verdict};

use super::sequence::{Arrival, Sequence};
use super::skim::{Skim, Skimmed};
use super::{Expected, packet};

/// The kinds of fault that can be told from an RTP header and its framing.
const KINDS: [Fault; 7] = [
    Fault::EmptyFrame,
    Fault::Desynchronised,
    Fault::RtpHeader,
    Fault::PayloadType,
    Fault::Ssrc,
    Fault::EmptyPayload,
    Fault::SequenceRestart,
];

/// Counts the packets of one stream.
///
/// A datagram that comes after a later one counts as lost until it comes; nothing waits for it.
/// Header extensions and padding count as payload.
#[derive(Clone, Debug)]
pub(super) struct Counter {
    ssrc: Option<u32>,
    payload_type: u8,
    sequence: Sequence,
    packets: Packets,
    faults: [u32; KINDS.len()],
    skim: Skim,
}

impl Counter {
    pub fn new(expected: &Expected) -> Counter {
        Counter {
            ssrc: expected.ssrc,
            payload_type: expected.payload_type,
            sequence: Sequence::default(),
            packets: Packets::default(),
            faults: [0; KINDS.len()],
            skim: Skim::default(),
        }
    }

    pub fn datagram(&mut self, octets: &[u8]) {
        if packet::is_rtcp(octets) {
            self.packets.rtcp += 1;
            return;
        }
        match octets.first_chunk() {
            Some(header) if header[0] >> 6 == 2 => self.take(header, octets.len(), false),
            _ => self.fault(Fault::RtpHeader),
        }
    }

    pub fn octets(&mut self, mut octets: &[u8]) {
        while let Some(found) = self.skim.next(&mut octets) {
            match found {
                Skimmed::Packet { header, length } => self.take(&header, length, true),
                Skimmed::Rtcp => self.packets.rtcp += 1,
                Skimmed::Fault(fault) => self.fault(fault),
            }
        }
    }

    /// Counts the packet of `length` octets that begins with `header`.
    fn take(&mut self, header: &[u8; packet::HEADER], length: usize, ordered: bool) {
        let [first, second, s0, s1, _, _, _, _, r0, r1, r2, r3] = *header;
        let ssrc = u32::from_be_bytes([r0, r1, r2, r3]);
        if *self.ssrc.get_or_insert(ssrc) != ssrc {
            return self.fault(Fault::Ssrc);
        }
        if second & 0x7F != self.payload_type {
            return self.fault(Fault::PayloadType);
        }
        let sources = usize::from(first & 0x0F) * 4;
        let payload = length.saturating_sub(packet::HEADER + sources);
        if payload == 0 {
            self.fault(Fault::EmptyPayload);
        }
        let number = u16::from_be_bytes([s0, s1]);
        if self.place(number, ordered) {
            self.packets.received += 1;
            self.packets.octets += payload as u64;
        }
    }

    /// Finds the place of `number` in the sequence; whether it counts.
    fn place(&mut self, number: u16, ordered: bool) -> bool {
        match self.sequence.arrival(number, ordered) {
            Arrival::Next => self.sequence.take(number),
            Arrival::Ahead(missing) => {
                self.packets.lost += u64::from(missing);
                self.packets.gaps += 1;
                self.sequence.take(number);
            }
            Arrival::Late if !ordered => {
                self.packets.lost = self.packets.lost.saturating_sub(1);
                self.packets.reordered += 1;
                self.sequence.fill(number);
            }
            Arrival::Late => {
                self.packets.late += 1;
                return false;
            }
            Arrival::Duplicate => {
                self.packets.duplicates += 1;
                return false;
            }
            Arrival::Stray => {
                self.fault(Fault::SequenceRestart);
                return false;
            }
            Arrival::Restart => {
                if ordered {
                    // Elsewhere the packet before this one was reported.
                    self.fault(Fault::SequenceRestart);
                }
                self.sequence.restart();
                self.sequence.take(number);
            }
        }
        true
    }

    fn fault(&mut self, fault: Fault) {
        let kind = KINDS.iter().position(|kind| *kind == fault);
        if let Some(count) = kind.and_then(|kind| self.faults.get_mut(kind)) {
            *count = count.saturating_add(1);
        }
    }

    pub fn reconnected(&mut self) {
        self.skim = Skim::default();
        self.sequence.restart();
    }

    pub fn packets(&self) -> Packets {
        self.packets
    }

    pub fn faults(&self) -> u64 {
        self.faults.iter().copied().map(u64::from).sum()
    }

    /// Whether nothing more can be told from what comes: the framing is lost.
    pub fn is_lost(&self) -> bool {
        self.skim.is_lost()
    }

    pub fn verdict(&self) -> Verdict {
        let mut verdict = Verdict {
            counted: true,
            packets: self.packets,
            ..Verdict::default()
        };
        for (fault, count) in KINDS.into_iter().zip(self.faults) {
            let example = Example {
                fault,
                sequence: 0,
                offset: 0,
            };
            verdict.faults.count_many(example, count.into());
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::rtp::Header;

    fn packet(sequence: u16, payload: usize) -> Vec<u8> {
        let header = Header {
            marker: false,
            payload_type: 96,
            sequence,
            timestamp: 1,
            ssrc: 7,
        };
        let mut octets = header.octets().to_vec();
        octets.resize(octets.len() + payload, 0xAB);
        octets
    }

    fn framed(packets: &[Vec<u8>]) -> Vec<u8> {
        let framed = packets.iter().flat_map(|packet| {
            let length = u16::try_from(packet.len()).unwrap().to_be_bytes();
            length.into_iter().chain(packet.iter().copied())
        });
        framed.collect()
    }

    fn counter() -> Counter {
        Counter::new(&Expected {
            ssrc: Some(7),
            ..Expected::default()
        })
    }

    #[test]
    fn a_stream_cut_anywhere_is_counted_the_same() {
        let mut packets: Vec<_> = (65_530..65_536)
            .chain(0..20)
            .map(|n| (n as u16, 100))
            .collect();
        packets.remove(9);
        let packets: Vec<_> = packets.iter().map(|(n, size)| packet(*n, *size)).collect();
        let mut octets = framed(&packets);
        octets.splice(0..0, [0, 8, 0x80, 200, 0, 1, 0, 0, 0, 7]); // RTCP
        for piece in [1, 2, 3, 13, 14, 15, 113, 114, 500, 100_000] {
            let mut counter = counter();
            octets
                .chunks(piece)
                .for_each(|octets| counter.octets(octets));
            let expected = Packets {
                received: 25,
                octets: 2500,
                lost: 1,
                gaps: 1,
                rtcp: 1,
                ..Packets::default()
            };
            assert_eq!(counter.packets(), expected, "pieces of {piece}");
            assert_eq!(counter.faults(), 0);
        }
    }

    #[test]
    fn a_packet_counts_when_it_is_whole() {
        let octets = framed(&[packet(1, 50)]);
        let mut counter = counter();
        let (most, last) = octets.split_at(octets.len() - 1);
        counter.octets(most);
        assert_eq!(counter.packets().received, 0);
        counter.octets(last);
        assert_eq!(counter.packets().received, 1);
    }

    #[test]
    fn a_datagram_that_comes_late_is_lost_only_until_then_and_never_counted_twice() {
        let mut counter = counter();
        for number in [10, 11, 14, 12, 12, 15] {
            counter.datagram(&packet(number, 10));
        }
        let packets = counter.packets();
        assert_eq!((packets.received, packets.lost), (5, 1));
        assert_eq!((packets.reordered, packets.duplicates), (1, 1));
        assert_eq!(packets.gaps, 1);
    }

    #[test]
    fn what_does_not_belong_to_the_stream_is_a_fault_of_its_own_kind() {
        let mut counter = counter();
        counter.datagram(&packet(1, 10));
        let mut other = packet(2, 10);
        other[11] = 8;
        counter.datagram(&other);
        let mut other = packet(2, 10);
        other[1] = 97;
        counter.datagram(&other);
        counter.datagram(b"garbage, no RTP");
        counter.datagram(&[]);
        let verdict = counter.verdict();
        assert_eq!(verdict.packets.received, 1);
        assert_eq!(verdict.faults.of(Fault::Ssrc), 1);
        assert_eq!(verdict.faults.of(Fault::PayloadType), 1);
        assert_eq!(verdict.faults.of(Fault::RtpHeader), 2);
        assert_eq!(counter.faults(), 4);
        assert!(!verdict.is_clean());
    }

    #[test]
    fn lost_framing_is_told_once_and_the_rest_is_not_looked_at() {
        let mut counter = counter();
        counter.octets(&framed(&[packet(1, 10)]));
        counter.octets(b"GET / HTTP/1.1\r\n\r\n and more and more");
        counter.octets(&framed(&[packet(2, 10)]));
        assert!(counter.is_lost());
        assert_eq!((counter.packets().received, counter.faults()), (1, 1));
        counter.reconnected();
        counter.octets(&framed(&[packet(900, 10)]));
        assert_eq!((counter.packets().received, counter.packets().gaps), (2, 0));
    }

    #[test]
    fn a_clean_count_is_a_clean_verdict_that_says_what_it_is() {
        let mut counter = counter();
        assert!(!counter.verdict().is_clean());
        (0..5).for_each(|number| counter.datagram(&packet(number, 10)));
        let verdict = counter.verdict();
        assert!(verdict.is_clean(), "{verdict}");
        assert_eq!(verdict.to_string(), "clean: 5 packets, counted only");
    }

    #[test]
    fn its_state_is_a_few_hundred_octets() {
        assert!(size_of::<Counter>() <= 192, "{}", size_of::<Counter>());
    }
}
