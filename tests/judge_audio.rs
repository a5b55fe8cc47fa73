//! ffmpeg writes sound in every kind of file; what is read of it has to be the very sound that
//! ffmpeg finds in it, at the same time.

use std::path::Path;
use std::process::Command;

use vcam::media::audio::law::Law;
use vcam::media::{AudioCodec, Track};

/// Runs a tool of ffmpeg in `folder`: what it writes to standard output.
fn run(folder: &Path, tool: &str, arguments: &[&str]) -> Vec<u8> {
    let done = Command::new(tool)
        .current_dir(folder)
        .args(["-v", "error"])
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        done.stderr.is_empty() && done.status.success(),
        "{tool} {arguments:?}: {done:?}"
    );
    done.stdout
}

/// Has ffmpeg write `file` out of 1.2 s of a rising tone and a second of pictures.
fn written(folder: &Path, file: &str, how: &[&str]) -> Track {
    const TONE: &str = "aevalsrc=0.3*sin(600*t*t*6.28):d=1.2:s=48000";
    const PICTURES: &str = "testsrc2=size=64x48:rate=25:d=1";
    let sources = [
        "-y", "-f", "lavfi", "-i", TONE, "-f", "lavfi", "-i", PICTURES,
    ];
    run(folder, "ffmpeg", &[&sources, how, &[file]].concat());
    let octets = std::fs::read(folder.join(file)).unwrap();
    Track::parse(file, octets.into()).unwrap_or_else(|why| panic!("{file}: {why}"))
}

/// All octets of a track.
fn stream(track: &Track) -> Vec<u8> {
    (0..track.count() as u64)
        .flat_map(|n| track.octets(n).to_vec())
        .collect()
}

/// The samples that ffmpeg decodes of a file.
fn decoded(folder: &Path, how: &[&str]) -> Vec<i16> {
    let out = run(
        folder,
        "ffmpeg",
        &[how, &["-vn", "-f", "s16le", "-"]].concat(),
    );
    let pairs = out.chunks_exact(2);
    pairs
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn every_file_of_g711_gives_the_octets_that_ffmpeg_finds_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (file, codec, how) in [
        ("a.wav", AudioCodec::G711A, &["-c:a", "pcm_alaw"][..]),
        ("u.wav", AudioCodec::G711U, &["-c:a", "pcm_mulaw"]),
        ("x.alaw", AudioCodec::G711A, &["-f", "alaw"]),
        ("x.ulaw", AudioCodec::G711U, &["-f", "mulaw"]),
        (
            "a.mov",
            AudioCodec::G711A,
            &["-c:a", "pcm_alaw", "-c:v", "libx264"],
        ),
        (
            "u.mov",
            AudioCodec::G711U,
            &["-c:a", "pcm_mulaw", "-c:v", "libx264"],
        ),
        (
            "fragmented.mov",
            AudioCodec::G711A,
            &[
                "-c:a",
                "pcm_alaw",
                "-c:v",
                "libx264",
                "-movflags",
                "frag_keyframe+empty_moov",
            ],
        ),
    ] {
        let track = written(folder, file, &[how, &["-ar", "8000", "-ac", "1"]].concat());
        let format = match codec {
            AudioCodec::G711A => "alaw",
            _ => "mulaw",
        };
        let input: &[&str] = match file.split_once('.') {
            Some((_, "alaw" | "ulaw")) => &["-f", format, "-ar", "8000", "-i", file],
            _ => &["-i", file],
        };
        let copy = ["-vn", "-c:a", "copy", "-f", format, "-"];
        let expected = run(folder, "ffmpeg", &[input, &copy].concat());
        assert_eq!((track.codec(), expected.len()), (codec, 9600), "{file}");
        // What sounds before the first picture is shown is left out.
        let shown = match file.ends_with(".mov") {
            true => packets(folder, file, "v")[0].0 - packets(folder, file, "a")[0].0,
            false => 0,
        };
        let begin = shown as usize * 8000 / 90_000;
        assert_eq!(stream(&track), expected[begin..], "{file}");
    }
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn every_sample_is_coded_so_that_ffmpeg_decodes_it_to_the_nearest_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for (law, format) in [(Law::A, "alaw"), (Law::Mu, "mulaw")] {
        let coded: Vec<u8> = (i16::MIN..=i16::MAX).map(|s| law.compress(s)).collect();
        std::fs::write(folder.join("all.raw"), &coded).unwrap();
        let heard = decoded(folder, &["-f", format, "-ar", "8000", "-i", "all.raw"]);
        assert_eq!(heard.len(), 65_536);
        for (sample, heard) in (i16::MIN..=i16::MAX).zip(heard) {
            let (sample, heard) = (i32::from(sample), i32::from(heard));
            // A step is a 16th of its segment, 16 of A-law near zero; half of it may be lost, and
            // all that is louder than 8159/8192 of full scale.
            let most = (sample.abs() / 32 + 9).max(if sample.abs() > 32_256 { 644 } else { 0 });
            assert!((sample - heard).abs() <= most, "{format} {sample}: {heard}");
        }
    }
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn pcm_sounds_in_a_law_as_it_did() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let track = written(
        folder,
        "p.wav",
        &["-ar", "8000", "-ac", "1", "-c:a", "pcm_s16le"],
    );
    std::fs::write(folder.join("ours.raw"), stream(&track)).unwrap();
    let ours = decoded(folder, &["-f", "alaw", "-ar", "8000", "-i", "ours.raw"]);
    let source = decoded(folder, &["-i", "p.wav"]);
    assert_eq!(ours.len(), source.len());
    for (ours, source) in ours.iter().zip(&source) {
        let most = i32::from(*source).abs() / 32 + 9;
        assert!((i32::from(*ours) - i32::from(*source)).abs() <= most);
    }
}

/// The presentation times of a file's sound (`a`) or pictures (`v`), in 90 kHz ticks, and the sizes.
fn packets(folder: &Path, file: &str, kind: &str) -> Vec<(i64, usize)> {
    let what = ["-select_streams", kind, "-show_entries"];
    let how = ["packet=pts_time,size", "-of", "csv=p=0", file];
    let out = run(folder, "ffprobe", &[&what[..], &how].concat());
    let text = String::from_utf8(out).unwrap();
    // Side data make empty lines, and empty fields behind the size.
    let lines = text.lines().filter(|line| !line.is_empty()).map(|line| {
        let mut fields = line.split(',');
        let time: f64 = fields.next().unwrap().parse().unwrap();
        let size = fields.next().unwrap().parse().unwrap();
        ((time * 90_000.0).round() as i64, size)
    });
    lines.collect()
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn aac_of_every_file_decodes_without_a_word_and_has_ffmpegs_times() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let fragmented = "frag_keyframe+delay_moov+default_base_moof";
    let unedited = "frag_keyframe+empty_moov+default_base_moof";
    let delayed = "adelay=160:all=1,atrim=start=0.16,asetpts=PTS+0.16/TB";
    for (file, rate, how) in [
        ("plain.aac", "8000", &["-vn"][..]),
        ("stereo.aac", "44100", &["-vn", "-ac", "2"]),
        (
            "tagged.aac",
            "16000",
            &["-vn", "-write_id3v2", "1", "-metadata", "title=x"],
        ),
        ("whole.mp4", "48000", &["-c:v", "libx264"]),
        (
            "first.mp4",
            "44100",
            &["-c:v", "libx264", "-movflags", "+faststart"],
        ),
        ("alone.m4a", "16000", &["-vn"]),
        ("late.mp4", "16000", &["-c:v", "libx264", "-af", delayed]),
        (
            "fragmented.mp4",
            "32000",
            &["-c:v", "libx264", "-movflags", fragmented],
        ),
        (
            "unedited.mp4",
            "32000",
            &["-c:v", "libx264", "-movflags", unedited],
        ),
        (
            "in_order.mp4",
            "32000",
            &["-c:v", "libx264", "-bf", "0", "-movflags", unedited],
        ),
        (
            "dash.mp4",
            "48000",
            &["-c:v", "libx264", "-movflags", "dash"],
        ),
        ("quick.mov", "22050", &["-c:v", "libx264"]),
    ] {
        let track = written(folder, file, &[&["-c:a", "aac", "-ar", rate], how].concat());
        assert_eq!(track.sample_rate().to_string(), rate, "{file}");

        // Units that begin with the first picture, or later.
        let all = packets(folder, file, "a");
        let begin = all.len() - track.count();
        assert!(begin <= 2, "{file}: {begin} units are missing");
        let shown = packets(folder, file, "v")
            .first()
            .map_or(0, |first| first.0);
        let header = if file.ends_with(".aac") { 0 } else { 7 };
        for (n, (pts, size)) in all.iter().skip(begin).enumerate() {
            let n = n as u64;
            assert_eq!(track.octets(n).len(), size + header, "{file} {n}");
            if !file.ends_with(".aac") {
                let off = track.pts(n) as i64 - (pts - shown);
                assert!(off.abs() <= 2, "{file} {n}: {off} ticks off");
            }
        }

        let ours = stream(&track);
        std::fs::write(folder.join("ours.aac"), &ours).unwrap();
        let heard = decoded(folder, &["-xerror", "-i", "ours.aac"]);
        let units = track.count() * track.channels() as usize;
        assert_eq!(heard.len(), units * track.samples() as usize, "{file}");
    }
}
