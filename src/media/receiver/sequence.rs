//! What an RTP sequence number says about its packet (RFC 3550 A.1).

/// A step ahead larger than this is another sequence, not a loss (RFC 3550 A.1 `MAX_DROPOUT`).
const AHEAD_MAX: u16 = 3000;

/// What a packet is by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// The next one.
    Next,
    /// So many numbers are missing before it.
    Ahead(u16),
    /// Taken before.
    Duplicate,
    /// Given up before.
    Late,
    /// Far from the sequence; a second one in a row makes it [`Arrival::Restart`].
    Stray,
    /// The first of another sequence.
    Restart,
}

/// Where a sequence stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Sequence {
    next: Option<u16>,
    /// Bit n: number `next - 1 - n` was taken.
    taken: u128,
    /// The number that would confirm another sequence.
    suspect: Option<u16>,
}

impl Sequence {
    /// Judges `number`. Transports that keep order need no second packet to believe a restart.
    pub fn arrival(&mut self, number: u16, ordered: bool) -> Arrival {
        let Some(next) = self.next else {
            return Arrival::Next;
        };
        let suspect = self.suspect.take();
        let ahead = number.wrapping_sub(next);
        let behind = next.wrapping_sub(number).wrapping_sub(1);
        if ahead == 0 {
            Arrival::Next
        } else if ahead <= AHEAD_MAX {
            Arrival::Ahead(ahead)
        } else if behind < 128 {
            match self.taken >> behind & 1 {
                1 => Arrival::Duplicate,
                _ => Arrival::Late,
            }
        } else if ordered || suspect == Some(number) {
            Arrival::Restart
        } else {
            self.suspect = Some(number.wrapping_add(1));
            Arrival::Stray
        }
    }

    /// Takes `number`; all before it that were not taken are given up.
    pub fn take(&mut self, number: u16) {
        let steps = self.next.map_or(0, |next| number.wrapping_sub(next));
        self.taken = self.taken.checked_shl(u32::from(steps) + 1).unwrap_or(0) | 1;
        self.next = Some(number.wrapping_add(1));
    }

    /// Takes `number`, which was given up a short while ago ([`Arrival::Late`]) and came after all.
    pub fn fill(&mut self, number: u16) {
        let behind = self
            .next
            .map_or(0, |next| next.wrapping_sub(number).wrapping_sub(1));
        self.taken |= 1u128.checked_shl(u32::from(behind)).unwrap_or(0);
    }

    /// Forgets the sequence.
    pub fn restart(&mut self) {
        *self = Sequence::default();
    }

    /// How far `number` is beyond the next one.
    pub fn ahead(&self, number: u16) -> u16 {
        self.next.map_or(0, |next| number.wrapping_sub(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(numbers: &[u16]) -> Sequence {
        let mut sequence = Sequence::default();
        for number in numbers {
            sequence.take(*number);
        }
        sequence
    }

    #[test]
    fn numbers_go_on_through_the_wrap() {
        let mut sequence = after(&[65_534, 65_535]);
        assert_eq!(sequence.arrival(0, false), Arrival::Next);
        assert_eq!(sequence.arrival(3, false), Arrival::Ahead(3));
        assert_eq!(sequence.arrival(65_535, false), Arrival::Duplicate);
    }

    #[test]
    fn a_number_given_up_is_late_and_one_taken_a_duplicate() {
        let mut sequence = after(&[10, 11, 14]);
        assert_eq!(sequence.arrival(12, false), Arrival::Late);
        assert_eq!(sequence.arrival(11, false), Arrival::Duplicate);
        assert_eq!(sequence.arrival(9, false), Arrival::Late);
    }

    #[test]
    fn another_sequence_needs_two_packets_in_a_row_unless_order_is_kept() {
        let mut sequence = after(&[10]);
        assert_eq!(sequence.arrival(30_000, false), Arrival::Stray);
        assert_eq!(sequence.arrival(11, false), Arrival::Next);
        assert_eq!(sequence.arrival(30_001, false), Arrival::Stray);
        assert_eq!(sequence.arrival(30_002, false), Arrival::Restart);
        assert_eq!(sequence.arrival(30_000, true), Arrival::Restart);
    }
}
