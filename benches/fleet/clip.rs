//! What the cameras show: the small clip, brought to a bit rate by filler data.

use std::io::Write;

use tempfile::TempPath;
use vcam::{Clip, media};

const TINY: &[u8] = include_bytes!("../../media/tiny.h264");

/// Octets of a second of 200 kbit/s.
const SECOND: usize = 200_000 / 8;

/// Frames of a second.
const FPS: usize = 25;

/// The clip as the platform knows it.
pub fn clip() -> Result<Clip, Box<dyn std::error::Error>> {
    Ok(Clip::open(file()?)?)
}

/// The clip as a file, always the same; it goes with its path.
pub fn file() -> Result<TempPath, Box<dyn std::error::Error>> {
    let mut file = tempfile::Builder::new().suffix(".h264").tempfile()?;
    file.write_all(&padded()?)?;
    Ok(file.into_temp_path())
}

/// Frames that are shorter than their share of the bit rate get a filler data NAL unit
/// (ITU-T H.264 §7.3.2.7) at their end, which decoders skip.
fn padded() -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let tiny = media::Clip::parse("tiny.h264", TINY.into(), media::ClipOptions::default())?;
    let missing = (SECOND * tiny.frames().len() / FPS).saturating_sub(TINY.len());
    let each = missing / tiny.frames().len();
    let mut out = Vec::with_capacity(TINY.len() + missing);
    for index in 0..tiny.frames().len() {
        out.extend_from_slice(tiny.frame(index));
        out.extend_from_slice(&[0, 0, 0, 1, 0x0C]);
        out.resize(out.len() + each.saturating_sub(6), 0xFF);
        out.push(0x80);
    }
    Ok(out)
}
