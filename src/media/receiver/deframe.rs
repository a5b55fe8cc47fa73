//! RTP packets out of a TCP stream: RFC 4571, and what some peers do instead.

use crate::media::verdict::Fault;

use super::packet::HEADER;

/// Octets of the `$`, channel, length prefix (RFC 2326 §10.12).
const INTERLEAVED: usize = 4;
/// Octets of the RFC 4571 length.
const PLAIN: usize = 2;

/// What came out of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Deframed<'a> {
    /// What one length delimits.
    Packet(&'a [u8]),
    /// Something is wrong.
    Fault(Fault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The first octets decide between the framings.
    Undecided,
    /// In step.
    Framed,
    /// Looking for octets that can be a length and an RTP header of this stream.
    Lost,
}

/// Finds packets in a stream that arrives in arbitrary segments. It keeps one incomplete packet
/// at most; whole ones are handed out where they lie.
#[derive(Clone, Debug)]
pub(super) struct Deframer {
    state: State,
    prefix: usize,
    partial: Vec<u8>,
    handed_out: bool,
}

impl Default for Deframer {
    fn default() -> Self {
        Deframer {
            state: State::Undecided,
            prefix: PLAIN,
            partial: Vec::new(),
            handed_out: false,
        }
    }
}

impl Deframer {
    /// The next packet or fault; `None` when `octets` are used up. `ssrc` is what the stream is
    /// known by, to get back in step.
    pub fn next<'s, 'o: 's>(
        &'s mut self,
        octets: &mut &'o [u8],
        ssrc: Option<u32>,
    ) -> Option<Deframed<'s>> {
        if std::mem::take(&mut self.handed_out) {
            self.partial.clear();
        }
        if self.state == State::Lost && !self.search(octets, ssrc) {
            return None;
        }
        if self.state == State::Undecided {
            if !self.collect(octets, INTERLEAVED + 1) {
                return None;
            }
            self.state = State::Framed;
            if is_interleaved(&self.partial) {
                self.prefix = INTERLEAVED;
                return Some(Deframed::Fault(Fault::Interleaved));
            }
        }
        self.framed(octets)
    }

    fn framed<'s, 'o: 's>(&'s mut self, octets: &mut &'o [u8]) -> Option<Deframed<'s>> {
        if self.partial.is_empty()
            && let Some(packet) = self.whole(octets)
        {
            return Some(Deframed::Packet(packet));
        }
        if !self.collect(octets, self.prefix) {
            return None;
        }
        let length = self.length(&self.partial);
        if length == 0 {
            self.partial.drain(..self.prefix);
            return Some(Deframed::Fault(Fault::EmptyFrame));
        }
        if !self.collect(octets, self.prefix + 1) {
            return None;
        }
        if !self.is_in_step(&self.partial) {
            self.state = State::Lost;
            return Some(Deframed::Fault(Fault::Desynchronised));
        }
        if !self.collect(octets, self.prefix + length) {
            return None;
        }
        self.handed_out = true;
        self.partial.get(self.prefix..).map(Deframed::Packet)
    }

    /// A packet that lies whole in `octets`.
    fn whole<'a>(&self, octets: &mut &'a [u8]) -> Option<&'a [u8]> {
        let end = self.prefix + self.length(octets);
        let packet = octets
            .get(self.prefix..end)
            .filter(|_| self.is_in_step(octets))?;
        *octets = octets.get(end..).unwrap_or_default();
        Some(packet)
    }

    /// Fills `partial` up to `need` octets.
    fn collect(&mut self, octets: &mut &[u8], need: usize) -> bool {
        let take = need.saturating_sub(self.partial.len()).min(octets.len());
        let (head, rest) = octets.split_at(take);
        self.partial.extend_from_slice(head);
        *octets = rest;
        self.partial.len() >= need
    }

    fn length(&self, framed: &[u8]) -> usize {
        match framed.get(self.prefix - 2..self.prefix) {
            Some([high, low]) => usize::from(u16::from_be_bytes([*high, *low])),
            _ => 0,
        }
    }

    /// Whether these octets can be a prefix and the first octet of RTP or RTCP version 2.
    fn is_in_step(&self, framed: &[u8]) -> bool {
        let version = framed.get(self.prefix).map(|octet| octet >> 6);
        let marked = self.prefix == PLAIN || framed.first() == Some(&b'$');
        version == Some(2) && marked && self.length(framed) >= 4
    }

    /// Shifts octets through a window of prefix and RTP header until they fit this stream.
    fn search(&mut self, octets: &mut &[u8], ssrc: Option<u32>) -> bool {
        let window = self.prefix + HEADER;
        loop {
            if self.partial.len() >= window {
                if self.fits(ssrc) {
                    self.state = State::Framed;
                    return true;
                }
                self.partial.remove(0);
            } else if !self.collect(octets, self.partial.len() + 1) {
                return false;
            }
        }
    }

    fn fits(&self, ssrc: Option<u32>) -> bool {
        let sender = self
            .partial
            .last_chunk::<4>()
            .copied()
            .map(u32::from_be_bytes);
        let same = ssrc.is_none_or(|ssrc| sender == Some(ssrc));
        same && self.is_in_step(&self.partial) && self.length(&self.partial) > HEADER
    }
}

/// `$`, channel, length and an RTP header, where RFC 4571 would have no RTP header.
fn is_interleaved(first: &[u8]) -> bool {
    matches!(first, [b'$', _, third, _, fifth, ..] if third >> 6 != 2 && fifth >> 6 == 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SSRC: u32 = 0x0BEB_C201;

    fn packet(number: u8, length: usize) -> Vec<u8> {
        let mut octets = vec![0x80, 96, 0, number, 0, 0, 0, 1, 0x0B, 0xEB, 0xC2, 0x01];
        octets.resize(HEADER + length, number);
        octets
    }

    fn plain(packet: &[u8]) -> Vec<u8> {
        let length = u16::try_from(packet.len()).unwrap().to_be_bytes();
        [&length, packet].concat()
    }

    fn interleaved(packet: &[u8]) -> Vec<u8> {
        [&b"$\x00"[..], &plain(packet)].concat()
    }

    /// Packets and faults found when the stream arrives in segments of `sizes` octets, in turn.
    fn run(stream: &[u8], sizes: &[usize]) -> (Vec<Vec<u8>>, Vec<Fault>) {
        let mut deframer = Deframer::default();
        let (mut packets, mut faults) = (Vec::new(), Vec::new());
        let mut sizes = sizes.iter().cycle();
        let mut rest = stream;
        while !rest.is_empty() {
            let size = sizes.next().copied().unwrap_or(1).clamp(1, rest.len());
            let (mut segment, later) = rest.split_at(size);
            rest = later;
            while let Some(found) = deframer.next(&mut segment, Some(SSRC)) {
                match found {
                    Deframed::Packet(octets) => packets.push(octets.to_vec()),
                    Deframed::Fault(fault) => faults.push(fault),
                }
            }
        }
        (packets, faults)
    }

    #[test]
    fn packets_come_out_however_the_stream_is_cut() {
        let packets: Vec<_> = (0..4).map(|n| packet(n, usize::from(n) * 100)).collect();
        let stream: Vec<u8> = packets.iter().flat_map(|packet| plain(packet)).collect();
        for size in 1..stream.len() {
            assert_eq!(
                run(&stream, &[size]),
                (packets.clone(), vec![]),
                "segments of {size}"
            );
        }
    }

    #[test]
    fn interleaved_framing_is_read_and_reported_once() {
        let stream = [interleaved(&packet(1, 50)), interleaved(&packet(2, 50))].concat();
        for size in [1, 3, 5, 1000] {
            let (packets, faults) = run(&stream, &[size]);
            assert_eq!(packets, [packet(1, 50), packet(2, 50)]);
            assert_eq!(faults, [Fault::Interleaved]);
        }
    }

    #[test]
    fn a_length_that_begins_with_a_dollar_is_no_interleaving() {
        let long = packet(1, 0x2400 - HEADER);
        assert_eq!(run(&plain(&long), &[700]), (vec![long], vec![]));
    }

    #[test]
    fn a_length_of_zero_is_reported_and_passed_over() {
        let stream = [plain(&packet(1, 9)), vec![0, 0], plain(&packet(2, 9))].concat();
        let (packets, faults) = run(&stream, &[4]);
        assert_eq!(packets, [packet(1, 9), packet(2, 9)]);
        assert_eq!(faults, [Fault::EmptyFrame]);
    }

    #[test]
    fn after_octets_that_are_no_frame_it_gets_back_in_step() {
        let stream = [
            plain(&packet(1, 40)),
            vec![0xFF; 7],
            plain(&packet(2, 40)),
            plain(&packet(3, 1)),
        ]
        .concat();
        for size in [1, 11, 1000] {
            let (packets, faults) = run(&stream, &[size]);
            assert_eq!(packets, [packet(1, 40), packet(2, 40), packet(3, 1)]);
            assert_eq!(faults, [Fault::Desynchronised]);
        }
    }

    proptest! {
        #[test]
        fn any_octets_in_any_segments_use_bounded_memory(octets in prop::collection::vec(any::<u8>(), 0..4000), sizes in prop::collection::vec(1usize..300, 1..8)) {
            let mut deframer = Deframer::default();
            let mut sizes = sizes.iter().cycle();
            let mut rest = &octets[..];
            while !rest.is_empty() {
                let (mut segment, later) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
                rest = later;
                while deframer.next(&mut segment, None).is_some() {}
                prop_assert!(deframer.partial.len() <= INTERLEAVED + 65_535);
            }
        }
    }
}
