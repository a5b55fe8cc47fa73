//! ffmpeg reads the stills that snapshots are made of, and finds in them what was drawn.

use std::process::Command;

use vcam::media::Still;

/// A channel of a pixel: JPEG is not exact.
fn close(found: u8, drawn: u8) -> bool {
    found.abs_diff(drawn) <= 8
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn a_still_is_decoded_without_complaint_to_the_colours_that_were_drawn() {
    let (width, height) = (700_u16, 360_u16);
    let still = Still {
        width,
        height,
        lines: vec!["34020000001310000001".to_owned()],
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("still.jpg");
    std::fs::write(&path, still.jpeg()).unwrap();
    let decoded = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(&path)
        .args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-"])
        .output()
        .unwrap();
    assert!(decoded.stderr.is_empty(), "{decoded:?}");
    let (width, height) = (usize::from(width), usize::from(height));
    assert_eq!(decoded.stdout.len(), width * height * 3);
    let bars = [[191, 191, 191], [191, 191, 0], [0, 191, 191], [0, 191, 0]];
    for (bar, n) in bars.into_iter().zip(0..) {
        let at = (50 * width + n * 100 + 50) * 3;
        let found = &decoded.stdout[at..at + 3];
        let same = found
            .iter()
            .zip(bar)
            .all(|(found, drawn)| close(*found, drawn));
        assert!(same, "{found:?} instead of {bar:?}");
    }
    let below = &decoded.stdout[(height - 40) * width * 3..];
    assert!(below.iter().any(|octet| *octet > 220), "no text");
}
