//! A ring of slots in time: which places are to be served in which. Putting one in and taking a
//! slot's out costs the same however many there are.

/// Slots that the ring reaches ahead; what lies further off is looked at again at its end.
const SLOTS: u64 = 320;

/// Places, each under the number of a coming slot.
#[derive(Debug)]
pub(super) struct Wheel {
    slots: Vec<Vec<u32>>,
    /// The slot that it was turned to last.
    now: u64,
}

impl Default for Wheel {
    fn default() -> Self {
        Wheel {
            slots: vec![Vec::new(); SLOTS as usize],
            now: 0,
        }
    }
}

impl Wheel {
    /// The slot that it was turned to last.
    pub(super) fn slot(&self) -> u64 {
        self.now
    }

    /// Puts `place` under `slot`, or under the nearest one that is still to come and that the ring
    /// reaches: that one.
    pub(super) fn put(&mut self, place: u32, slot: u64) -> u64 {
        let slot = slot.clamp(self.now + 1, self.now + SLOTS - 1);
        if let Some(places) = self.slots.get_mut((slot % SLOTS) as usize) {
            places.push(place);
        }
        slot
    }

    /// Goes on to slot `now`. What stands under it and the slots before is moved into `places`, the
    /// earliest first.
    pub(super) fn turn(&mut self, now: u64, places: &mut Vec<u32>) {
        let behind = now.saturating_sub(self.now).min(SLOTS);
        for slot in self.now + 1..=self.now + behind {
            if let Some(due) = self.slots.get_mut((slot % SLOTS) as usize) {
                places.append(due);
            }
        }
        self.now = self.now.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(wheel: &mut Wheel, now: u64) -> Vec<u32> {
        let mut places = Vec::new();
        wheel.turn(now, &mut places);
        places
    }

    #[test]
    fn places_come_out_when_their_slot_does_in_the_order_they_went_in() {
        let mut wheel = Wheel::default();
        for (place, slot) in [(1, 5), (2, 3), (3, 5), (4, 63)] {
            assert_eq!(wheel.put(place, slot), slot);
        }
        assert!(turn(&mut wheel, 2).is_empty());
        assert_eq!(turn(&mut wheel, 4), [2]);
        assert!(turn(&mut wheel, 4).is_empty());
        assert_eq!(turn(&mut wheel, 62), [1, 3]);
        assert_eq!(turn(&mut wheel, 63), [4]);
        assert!(turn(&mut wheel, 1000).is_empty());
    }

    #[test]
    fn slots_that_were_missed_are_made_up_for_in_their_order() {
        let mut wheel = Wheel::default();
        turn(&mut wheel, 40);
        for place in [70, 45, 103, 64] {
            wheel.put(place, place.into());
        }
        assert_eq!(turn(&mut wheel, 1_000_000), [45, 64, 70, 103]);
        assert_eq!(wheel.slot(), 1_000_000);
    }

    #[test]
    fn what_is_overdue_comes_next_and_what_is_far_off_at_the_end_of_the_ring() {
        let mut wheel = Wheel::default();
        turn(&mut wheel, 1000);
        assert_eq!(wheel.put(1, 7), 1001);
        assert_eq!(wheel.put(2, u64::MAX), 1319);
        assert_eq!(turn(&mut wheel, 1318), [1]);
        assert_eq!(turn(&mut wheel, 1319), [2]);
    }
}
