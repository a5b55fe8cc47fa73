//! The SSRCs of live calls: no two calls share one (GB/T 28181-2022 annex G).

use std::collections::VecDeque;

use crate::gb28181::{DeviceId, Ssrc};

use super::event::Showing;

/// How many SSRCs a SIP domain has: `y=` leaves four digits for the number.
const NUMBERS: u16 = 10_000;

/// The free numbers. One that was given back is used again last.
pub(super) struct Ssrcs {
    domain: DeviceId,
    free: VecDeque<u16>,
}

impl Ssrcs {
    /// All numbers of the domain of `platform` are free; the first is 1.
    pub fn new(platform: DeviceId) -> Self {
        Ssrcs {
            domain: platform,
            free: (1..NUMBERS).chain([0]).collect(),
        }
    }

    /// Takes a number and its SSRC, whose first digit tells a recording from the live picture;
    /// `None` when all are in use.
    pub fn take(&mut self, showing: Showing) -> Option<(u16, Ssrc)> {
        let number = self.free.pop_front()?;
        let ssrc = match showing {
            Showing::Live | Showing::Talk => Ssrc::live(&self.domain, number),
            Showing::Playback(_) | Showing::Download { .. } => Ssrc::history(&self.domain, number),
        };
        Some((number, ssrc))
    }

    /// Gives a number back.
    pub fn give_back(&mut self, number: u16) {
        self.free.push_back(number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_thousand_calls_have_different_ssrcs_and_then_there_is_none() {
        let mut ssrcs = Ssrcs::new("34020000002000000001".parse().unwrap());
        let mut all: Vec<_> = (0..NUMBERS)
            .filter_map(|_| ssrcs.take(Showing::Live))
            .collect();
        assert_eq!(all[0].1.as_str(), "0200000001");
        all.sort_by_key(|(number, _)| *number);
        all.dedup();
        assert_eq!(all.len(), usize::from(NUMBERS));
        assert_eq!(ssrcs.take(Showing::Live), None);
        ssrcs.give_back(7);
        assert_eq!(ssrcs.take(Showing::Live).map(|(number, _)| number), Some(7));
    }
}
