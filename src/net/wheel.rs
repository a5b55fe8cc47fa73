//! A ring of ticks: which places are to be served in which. Putting one in and taking a tick's out
//! costs the same however many there are.

/// Ticks that the ring reaches ahead; what lies further off is looked at again at its end.
const SLOTS: u64 = 64;

/// Places, each under the number of a coming tick.
#[derive(Debug)]
pub(super) struct Wheel {
    slots: Vec<Vec<u32>>,
    /// The tick that it was turned to last.
    tick: u64,
}

impl Default for Wheel {
    fn default() -> Self {
        Wheel {
            slots: vec![Vec::new(); SLOTS as usize],
            tick: 0,
        }
    }
}

impl Wheel {
    /// The tick that it was turned to last.
    pub(super) fn tick(&self) -> u64 {
        self.tick
    }

    /// Puts `place` under `tick`, or under the nearest one that is still to come and that the ring
    /// reaches: that one.
    pub(super) fn put(&mut self, place: u32, tick: u64) -> u64 {
        let tick = tick.clamp(self.tick + 1, self.tick + SLOTS - 1);
        if let Some(slot) = self.slots.get_mut((tick % SLOTS) as usize) {
            slot.push(place);
        }
        tick
    }

    /// Goes on to tick `now`. What stands under it and the ticks before is moved into `places`, the
    /// earliest first.
    pub(super) fn turn(&mut self, now: u64, places: &mut Vec<u32>) {
        let behind = now.saturating_sub(self.tick).min(SLOTS);
        for tick in self.tick + 1..=self.tick + behind {
            if let Some(slot) = self.slots.get_mut((tick % SLOTS) as usize) {
                places.append(slot);
            }
        }
        self.tick = self.tick.max(now);
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
    fn places_come_out_when_their_tick_does_in_the_order_they_went_in() {
        let mut wheel = Wheel::default();
        for (place, tick) in [(1, 5), (2, 3), (3, 5), (4, 63)] {
            assert_eq!(wheel.put(place, tick), tick);
        }
        assert!(turn(&mut wheel, 2).is_empty());
        assert_eq!(turn(&mut wheel, 4), [2]);
        assert!(turn(&mut wheel, 4).is_empty());
        assert_eq!(turn(&mut wheel, 62), [1, 3]);
        assert_eq!(turn(&mut wheel, 63), [4]);
        assert!(turn(&mut wheel, 1000).is_empty());
    }

    #[test]
    fn ticks_that_were_missed_are_made_up_for_in_their_order() {
        let mut wheel = Wheel::default();
        turn(&mut wheel, 40);
        for place in [70, 45, 103, 64] {
            wheel.put(place, place.into());
        }
        assert_eq!(turn(&mut wheel, 1_000_000), [45, 64, 70, 103]);
        assert_eq!(wheel.tick(), 1_000_000);
    }

    #[test]
    fn what_is_overdue_comes_next_and_what_is_far_off_at_the_end_of_the_ring() {
        let mut wheel = Wheel::default();
        turn(&mut wheel, 1000);
        assert_eq!(wheel.put(1, 7), 1001);
        assert_eq!(wheel.put(2, u64::MAX), 1063);
        assert_eq!(turn(&mut wheel, 1062), [1]);
        assert_eq!(turn(&mut wheel, 1063), [2]);
    }
}
