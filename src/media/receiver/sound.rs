//! What is heard beside the pictures: access units of sound, counted, and compared with those that
//! the source has for the same frame.

use crate::media::verdict::reference::SourceSound;
use crate::media::verdict::units::Digest;
use crate::media::verdict::{Fault, Sounds};

use super::clocks::{STAMP_BITS, difference};

/// Access units that are kept until their frame is known; more of them are counted only.
const KEPT: usize = 16;
/// How far sound and pictures may be apart, in 90 kHz: what rounding makes.
const ROUNDING: u64 = 2;

/// One access unit.
#[derive(Clone, Copy, Debug, Default)]
struct Unit {
    pts: Option<u64>,
    octets: u64,
    digest: Digest,
}

/// The sound of one stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Sound {
    /// The access unit that is coming in.
    open: Option<Unit>,
    /// Those of the pack that is coming in.
    units: [Unit; KEPT],
    count: usize,
    /// When the last one was to be heard.
    last: Option<u64>,
}

impl Sound {
    /// A PES packet of sound begins: an access unit.
    pub fn begin(&mut self, pts: Option<u64>) {
        self.open = Some(Unit {
            pts,
            ..Unit::default()
        });
    }

    /// Octets of the packet that began last, if that was one of sound.
    pub fn data(&mut self, octets: &[u8]) {
        if let Some(unit) = &mut self.open {
            unit.octets += octets.len() as u64;
            unit.digest.write(octets);
        }
    }

    /// Another packet begins, or the pack is over.
    pub fn end(&mut self, sounds: &mut Sounds, fault: &mut impl FnMut(Fault)) {
        let Some(unit) = self.open.take() else {
            return;
        };
        sounds.units += 1;
        sounds.octets += unit.octets;
        if let Some(pts) = unit.pts {
            let last = self.last.replace(pts);
            if last.is_some_and(|last| difference(pts, last, STAMP_BITS) <= 0) {
                fault(Fault::SoundNotRising);
            }
        }
        if let Some(free) = self.units.get_mut(self.count) {
            *free = unit;
            self.count += 1;
        }
    }

    /// The pack is over: its access units are those of a frame of the source, decoded at `dts`, if
    /// it is known.
    pub fn judge(
        &mut self,
        source: Option<(&[SourceSound], Option<u64>)>,
        sounds: &mut Sounds,
        fault: &mut impl FnMut(Fault),
    ) {
        let heard = self.units.get(..self.count).unwrap_or_default();
        self.count = 0;
        let Some((source, dts)) = source else {
            return;
        };
        for (unit, said) in heard.iter().zip(source) {
            if unit.digest.finish() != said.digest {
                sounds.mismatched += 1;
                continue;
            }
            sounds.matched += 1;
            let (Some(pts), Some(dts)) = (unit.pts, dts) else {
                continue;
            };
            let due = dts.wrapping_add(said.later);
            if difference(pts, due, STAMP_BITS).unsigned_abs() > ROUNDING {
                fault(Fault::SoundOffPictures);
            }
        }
        sounds.mismatched += heard.len().saturating_sub(source.len()) as u64;
        sounds.missing += source.len().saturating_sub(heard.len()) as u64;
    }

    /// Packets are missing here.
    pub fn cut(&mut self) {
        self.open = None;
        self.count = 0;
    }

    /// The stream begins anew.
    pub fn restart(&mut self) {
        *self = Sound::default();
    }
}
