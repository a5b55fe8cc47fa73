//! Chance of a fleet: from one seed a number for every camera and purpose, in any order.

/// What a number is drawn for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Draw {
    /// The seed of the camera itself.
    Seed = 1,
    /// How much later than its turn it starts.
    Jitter = 2,
    /// Where in its clip it stands.
    Phase = 3,
}

/// The number of camera `camera` for `draw`: the same for the same seed whatever else is drawn.
pub(super) fn number(seed: u64, camera: usize, draw: Draw) -> u64 {
    let mixed = mix(seed ^ mix(camera as u64));
    mix(mixed.wrapping_add(draw as u64))
}

/// The same as a share from 0 to just below 1.
pub(super) fn share(seed: u64, camera: usize, draw: Draw) -> f64 {
    // 53 bits are what a float can tell apart.
    (number(seed, camera, draw) >> 11) as f64 / (1u64 << 53) as f64
}

/// One step of SplitMix64 (Steele, Lea and Flood 2014): a bijection that scatters neighbours.
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixer_is_splitmix64() {
        // First output of the reference implementation for the seed 1234567.
        assert_eq!(mix(1_234_567), 6_457_827_717_110_365_317);
    }

    #[test]
    fn shares_are_spread_evenly() {
        let all: Vec<f64> = (0..1000).map(|n| share(7, n, Draw::Phase)).collect();
        assert!(all.iter().all(|s| (0.0..1.0).contains(s)));
        let mean = all.iter().sum::<f64>() / 1000.0;
        assert!((0.45..0.55).contains(&mean), "{mean}");
    }
}
