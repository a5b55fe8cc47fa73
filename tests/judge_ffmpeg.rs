//! ffmpeg reads the program stream that a platform received: it must find nothing to complain
//! about, and decode the very pictures of the source.
#![cfg(target_os = "linux")]

mod common;

use std::process::Command;
use std::time::Duration;

use common::process;
use serde_json::Value;
use vcam::api::{Camera, Clip, Platform};
use vcam::media::MediaTransport;
use vcam::profile::Profile;

/// Longer than ffmpeg takes for any clip.
const LIMIT: Duration = Duration::from_secs(60);

/// What begins every pack (ISO/IEC 13818-1 §2.5.3.4). No NAL unit begins so.
const PACK: [u8; 4] = [0, 0, 1, 0xba];

/// A shipped clip and what ffprobe must find in it.
struct Shipped {
    file: &'static str,
    codec: &'static str,
    width: u64,
    height: u64,
    frames: usize,
}

const TINY: Shipped = Shipped {
    file: "tiny.h264",
    codec: "h264",
    width: 176,
    height: 144,
    frames: 50,
};

const STREET_720P: Shipped = Shipped {
    file: "street-720p25.h264",
    codec: "h264",
    width: 1280,
    height: 720,
    frames: 100,
};

const STREET_1080P: Shipped = Shipped {
    file: "street-1080p25.h264",
    codec: "h264",
    width: 1920,
    height: 1080,
    frames: 100,
};

const STREET_H265: Shipped = Shipped {
    file: "street-720p25.h265",
    codec: "hevc",
    ..STREET_720P
};

/// Each transport with a make of its own, so that the makes' program streams are judged as well.
const WAYS: [(MediaTransport, &str); 3] = [
    (MediaTransport::Udp, "dahua-ipc"),
    (MediaTransport::TcpActive, "generic-2016"),
    (MediaTransport::TcpPassive, "dahua-nvr"),
];

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn ffmpeg_decodes_what_was_received_of_the_tiny_clip() {
    judge(&TINY);
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn ffmpeg_decodes_what_was_received_of_the_720p_clip() {
    judge(&STREET_720P);
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn ffmpeg_decodes_what_was_received_of_the_1080p_clip_with_b_frames() {
    judge(&STREET_1080P);
}

#[test]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
fn ffmpeg_decodes_what_was_received_of_the_h265_clip() {
    judge(&STREET_H265);
}

fn judge(clip: &Shipped) {
    let file = format!("{}/media/{}", env!("CARGO_MANIFEST_DIR"), clip.file);
    let source = pictures(clip.file, &std::fs::read(&file).unwrap());
    assert_eq!(source.len(), clip.frames);
    let received = receive(&Clip::open(&file).unwrap());
    for ((transport, profile), recording) in WAYS.iter().zip(received) {
        let name = format!("{} over {transport} as {profile}", clip.file);
        let stream = one_loop(&recording, clip.frames);
        assert_eq!(pictures("received.ps", stream), source, "{name}");
        is_what_it_says(clip, stream, &name);
    }
}

/// What the platform received of one camera per transport, all at once.
fn receive(clip: &Clip) -> Vec<Vec<u8>> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let calls = WAYS.map(|(transport, profile)| {
            let clip = clip.clone();
            tokio::spawn(async move { recording(clip, transport, profile).await })
        });
        let mut all = Vec::new();
        for call in calls {
            all.push(call.await.unwrap());
        }
        all
    })
}

/// The payloads of one call that lasted a little longer than the clip.
async fn recording(clip: Clip, transport: MediaTransport, profile: &str) -> Vec<u8> {
    let platform = Platform::start().await.unwrap();
    let camera = Camera::builder(Profile::builtin(profile).unwrap())
        .platform(platform.address())
        .media(clip.clone())
        .start()
        .await
        .unwrap();
    camera.registered().await.unwrap();
    let call = platform.play(camera.channel(1)).over(transport).record();
    let mut stream = call.await.unwrap();
    let length = clip.media().duration().as_secs_f64();
    stream.verified_seconds(length + 0.5).await.unwrap();
    let end = stream.stop().await.unwrap();
    assert!(end.verdict.is_clean(), "{}", end.verdict);
    end.recording.to_vec()
}

/// The packs of the first `frames` frames: the clip once, from its first key frame on.
fn one_loop(recording: &[u8], frames: usize) -> &[u8] {
    let starts: Vec<_> = memchr::memmem::find_iter(recording, &PACK).collect();
    assert_eq!(starts.first(), Some(&0), "a stream begins with a pack");
    let end = starts.get(frames);
    let end = end.unwrap_or_else(|| panic!("{} packs and no whole loop", starts.len()));
    &recording[..*end]
}

/// The checksum of every picture that ffmpeg decodes, as long as it has nothing to say.
fn pictures(name: &str, octets: &[u8]) -> Vec<String> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-nostdin", "-v", "warning", "-i", name]);
    ffmpeg.args(["-map", "0:v", "-fps_mode", "passthrough"]);
    ffmpeg.args(["-f", "framemd5", "-"]);
    let text = process::run(&mut ffmpeg, &[(name, octets)], LIMIT).silent();
    let frames = text.lines().filter(|line| !line.starts_with('#'));
    let checksum = |line: &str| line.rsplit(',').next().map(|sum| sum.trim().to_owned());
    frames.filter_map(checksum).collect()
}

/// ffprobe finds the codec, the size, the frame rate, and time that runs forward evenly.
fn is_what_it_says(clip: &Shipped, stream: &[u8], name: &str) {
    let mut ffprobe = Command::new("ffprobe");
    ffprobe.args(["-v", "warning", "-of", "json", "-show_entries"]);
    ffprobe.arg("stream=codec_name,width,height,r_frame_rate:packet=pts,dts,flags");
    ffprobe.arg("received.ps");
    let text = process::run(&mut ffprobe, &[("received.ps", stream)], LIMIT).silent();
    let found: Value = serde_json::from_str(&text).unwrap();

    let streams = found["streams"].as_array().unwrap();
    assert_eq!(streams.len(), 1, "{name}: {streams:?}");
    assert_eq!(streams[0]["codec_name"], clip.codec, "{name}");
    assert_eq!(streams[0]["width"], clip.width, "{name}");
    assert_eq!(streams[0]["height"], clip.height, "{name}");
    assert_eq!(streams[0]["r_frame_rate"], "25/1", "{name}");

    let packets = found["packets"].as_array().unwrap();
    let stamps: Vec<_> = packets
        .iter()
        .map(|packet| {
            (
                packet["dts"].as_i64().unwrap(),
                packet["pts"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(stamps.len(), clip.frames, "{name}");
    let key = packets[0]["flags"].as_str().unwrap();
    assert!(
        key.starts_with('K'),
        "{name}: the first frame is no key frame"
    );
    let even = |pair: &[(i64, i64)]| pair[1].0 - pair[0].0 == 3600;
    assert!(stamps.windows(2).all(even), "{name}: {stamps:?}");
    assert!(
        stamps.iter().all(|(dts, pts)| pts >= dts),
        "{name}: {stamps:?}"
    );
}
