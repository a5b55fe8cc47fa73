//! A sound for cameras that have no file.

use super::law::Law;
use super::{G711_UNIT, RATE, Track};

/// One period of a kilohertz at 8000 samples a second, 18 dB below full scale.
const PERIOD: [i16; 8] = [1567, 3784, 3784, 1567, -1567, -3784, -3784, -1567];

/// How long it sounds in each second: five access units, 200 ms.
const SOUNDING: usize = 5 * G711_UNIT;

impl Track {
    /// A tone of a kilohertz, 200 ms in every second: whoever listens hears time pass.
    pub fn tone(law: Law) -> Track {
        let wave = PERIOD.iter().cycle().map(|sample| law.compress(*sample));
        let mut samples: Vec<u8> = wave.take(SOUNDING).collect();
        samples.resize(RATE as usize, law.silence());
        let track = Track::g711("tone", law, samples.into());
        track.expect("a second of samples is not empty")
    }
}
