//! ffmpeg writes MP4 files and program streams; what is played of them has to be the very video
//! that ffmpeg finds in them.

use std::path::Path;
use std::process::Command;

use vcam::media::{Clip, ClipOptions};

/// Has ffmpeg write `file` in `folder` out of a byte stream.
fn written(folder: &Path, source: &str, file: &str, how: &[&str]) -> Vec<u8> {
    let path = folder.join(file);
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-r", "25", "-i", source])
        .args(["-c:v", "copy"])
        .args(how)
        .arg(&path)
        .status()
        .unwrap();
    assert!(done.success(), "{file}");
    std::fs::read(path).unwrap()
}

/// The MD5 of every decoded frame, by ffmpeg.
fn decoded(folder: &Path, octets: &[u8]) -> Vec<String> {
    let path = folder.join("judged");
    std::fs::write(&path, octets).unwrap();
    let done = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-i"])
        .arg(&path)
        .args(["-f", "framemd5", "-"])
        .output()
        .unwrap();
    assert!(done.stderr.is_empty() && done.status.success(), "{done:?}");
    let text = String::from_utf8(done.stdout).unwrap();
    let hashes = text.lines().filter(|line| !line.starts_with('#'));
    hashes
        .map(|line| line.rsplit(',').next().unwrap().trim().to_owned())
        .collect()
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn every_container_of_ffmpeg_gives_the_pictures_of_the_byte_stream() {
    for source in ["street-720p25.h264", "street-720p25.h265"] {
        containers_of(source);
    }
}

fn containers_of(source: &str) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let source = format!("{}/media/{source}", env!("CARGO_MANIFEST_DIR"));
    let octets = std::fs::read(&source).unwrap();
    let plain = Clip::parse("plain", octets.into(), ClipOptions::default()).unwrap();
    let expected = decoded(folder, plain.data());
    assert_eq!(expected.len(), plain.frames().len());
    let fragmented = "frag_keyframe+empty_moov+default_base_moof";
    for (file, how) in [
        ("index_last.mp4", &[][..]),
        ("index_first.mp4", &["-movflags", "+faststart"]),
        ("fragmented.mp4", &["-movflags", fragmented]),
        ("own_offsets.mp4", &["-movflags", "frag_keyframe"]),
        ("small_fragments.mp4", &["-movflags", "frag_every_frame"]),
        (
            "dash.mp4",
            &["-movflags", "dash+frag_keyframe", "-f", "mp4"],
        ),
        ("quick.mov", &["-f", "mov"]),
        ("stream.ps", &["-f", "vob"]),
    ] {
        let clip = Clip::parse(
            file,
            written(folder, &source, file, how).into(),
            ClipOptions::default(),
        );
        let clip = clip.unwrap_or_else(|why| panic!("{file}: {why}"));
        assert_eq!(decoded(folder, clip.data()), expected, "{source} {file}");
        assert_eq!(clip.fps(), plain.fps(), "{file}");
        let keys = |clip: &Clip| -> Vec<bool> { clip.frames().iter().map(|f| f.key).collect() };
        assert_eq!(keys(&clip), keys(&plain), "{file}");
    }
}
