//! A still picture, drawn and written as a JPEG: what a snapshot of a channel shows.

mod font;

use jpeg_encoder::{ColorType, Encoder};

/// What a picture shows: colour bars, and lines of text on a dark band below them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Still {
    /// In pixels; drawn at least 64 and at most 4096 wide.
    pub width: u16,
    /// In pixels; drawn at least 64 and at most 4096 high.
    pub height: u16,
    /// Letters and digits of ASCII and a few signs; others are left blank.
    pub lines: Vec<String>,
}

/// White, yellow, cyan, green, magenta, red, blue: the bars of a test card at 75 %.
const BARS: [[u8; 3]; 7] = [
    [191, 191, 191],
    [191, 191, 0],
    [0, 191, 191],
    [0, 191, 0],
    [191, 0, 191],
    [191, 0, 0],
    [0, 0, 191],
];
const BAND: [u8; 3] = [16, 16, 16];
const INK: [u8; 3] = [235, 235, 235];
const QUALITY: u8 = 80;

impl Still {
    /// The picture as a baseline JPEG.
    pub fn jpeg(&self) -> Vec<u8> {
        let canvas = self.drawn();
        let mut octets = Vec::new();
        let (width, height) = (canvas.width as u16, canvas.height as u16);
        let encoder = Encoder::new(&mut octets, QUALITY);
        // Its sides are in range, and a Vec takes all that is written.
        if let Err(error) = encoder.encode(&canvas.pixels, width, height, ColorType::Rgb) {
            tracing::error!(%error, "a still picture was not written");
        }
        octets
    }

    fn drawn(&self) -> Canvas {
        let side = |length: u16| usize::from(length.clamp(64, 4096));
        let mut canvas = Canvas::bars(side(self.width), side(self.height));
        let longest = self.lines.iter().map(|line| line.chars().count()).max();
        let longest = longest.unwrap_or_default().max(1);
        let scale = (canvas.width / (longest * font::ADVANCE + 2)).clamp(1, canvas.height / 64);
        for (line, n) in self.lines.iter().zip(0..) {
            let below = self.lines.len() - n;
            let top = canvas
                .height
                .checked_sub(below * (font::HEIGHT + 3) * scale);
            if let Some(top) = top {
                canvas.write(line, top, scale);
            }
        }
        canvas
    }
}

struct Canvas {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    fn bars(width: usize, height: usize) -> Canvas {
        let row = (0..width).flat_map(|x| BARS.get(x * BARS.len() / width).copied().unwrap_or(INK));
        let row: Vec<u8> = row.collect();
        Canvas {
            width,
            height,
            pixels: row.repeat(height),
        }
    }

    fn write(&mut self, line: &str, top: usize, scale: usize) {
        let band = top.saturating_sub(2 * scale)..top + (font::HEIGHT + 1) * scale;
        for y in band {
            (0..self.width).for_each(|x| self.dot(x, y, BAND));
        }
        for (letter, n) in line.chars().zip(0..) {
            let left = (n * font::ADVANCE + 1) * scale;
            for (x, y) in font::dots(letter) {
                self.square(left + x * scale, top + y * scale, scale);
            }
        }
    }

    fn square(&mut self, left: usize, top: usize, side: usize) {
        for y in top..top + side {
            (left..left + side).for_each(|x| self.dot(x, y, INK));
        }
    }

    fn dot(&mut self, x: usize, y: usize, colour: [u8; 3]) {
        if x < self.width {
            let at = (y * self.width + x) * 3;
            if let Some(pixel) = self.pixels.get_mut(at..at + 3) {
                pixel.copy_from_slice(&colour);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn still(lines: &[&str]) -> Still {
        Still {
            width: 640,
            height: 360,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    #[test]
    fn a_still_is_a_whole_jpeg_of_its_size() {
        let octets = still(&["34020000001310000001", "2026-01-01T08:00:00"]).jpeg();
        assert_eq!(
            (&octets[..2], &octets[octets.len() - 2..]),
            (&[0xFF, 0xD8][..], &[0xFF, 0xD9][..])
        );
        let frame = octets
            .windows(2)
            .position(|marker| marker == [0xFF, 0xC0])
            .unwrap();
        let side = |at: usize| u16::from_be_bytes([octets[frame + at], octets[frame + at + 1]]);
        assert_eq!((side(7), side(5)), (640, 360));
    }

    #[test]
    fn what_it_shows_is_seen_in_its_pixels() {
        let ink = |lines: &[&str]| {
            let canvas = still(lines).drawn();
            canvas
                .pixels
                .chunks(3)
                .filter(|pixel| *pixel == INK)
                .count()
        };
        assert_eq!(ink(&[]), 0);
        assert!(ink(&["8"]) > ink(&["1"]) && ink(&["1"]) > 0);
        assert_eq!(ink(&["\u{95e8}"]), 0);
    }

    #[test]
    fn impossible_sizes_and_endless_lines_are_drawn_as_far_as_they_go() {
        let endless = "8".repeat(10_000);
        let many = vec![endless; 100];
        for (width, height) in [(0, 0), (64, 4096), (u16::MAX, 64)] {
            let lines = many.clone();
            assert!(
                !Still {
                    width,
                    height,
                    lines
                }
                .jpeg()
                .is_empty()
            );
        }
    }
}
