//! The program stream as a file, for players and judges.

use super::cut::Cut;
use super::sender::SenderConfig;

/// The program stream of `loops` times the clip, octet for octet as a stream with the default
/// start carries it.
pub fn export(cut: &std::sync::Arc<Cut>, loops: u32) -> Vec<u8> {
    let config = SenderConfig::new(cut.clone(), 0);
    let frames = cut.clip().frames();
    let mut out = Vec::with_capacity(cut.clip().data().len() + 64 * frames.len());
    let mut number = 0;
    for _ in 0..loops {
        for (index, frame) in frames.iter().enumerate() {
            let times = config.times(number, frame.reorder);
            for (place, packet) in cut.packets(index).iter().enumerate() {
                cut.write_head(&mut out, index, place, times);
                out.extend_from_slice(cut.data(index, packet));
            }
            number += 1;
        }
    }
    out
}
