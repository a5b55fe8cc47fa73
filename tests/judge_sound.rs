//! ffmpeg reads program streams with sound that a platform received: it finds every codec, says
//! nothing, takes out the very octets of the source, and has sound and pictures in step.
#![cfg(target_os = "linux")]

mod common;

use std::process::Command;
use std::time::Duration;

use common::process::{self, Finished};
use serde_json::Value;
use vcam::media::MediaTransport;
use vcam::media::audio::law::Law;
use vcam::{Audio, Camera, Clip, Platform, Profile};

/// Longer than ffmpeg takes for any clip.
const LIMIT: Duration = Duration::from_secs(60);

const AAC: &[u8] = include_bytes!("media/sounding.aac");

/// How files of Hikvision's recorders begin: ffmpeg takes their stream types 0x90 and 0x91 for
/// G.711, those of other program streams for MPEG audio whatever their map says.
const RECORDER: &[u8] = b"IMKH\x01\x01\x01\x01";

/// What begins every pack.
const PACK: [u8; 4] = [0, 0, 1, 0xBA];

/// A kind of sound: ffmpeg's name for it, how it takes it out of a file as it is, and the kind of
/// file that makes.
struct Kind {
    audio: Audio,
    codec: &'static str,
    format: &'static str,
}

fn kinds() -> [Kind; 3] {
    let tone = |law, name: &str| {
        let track = vcam::media::Track::tone(law);
        Audio::parse(name, track.data().to_vec()).unwrap()
    };
    [
        Kind {
            audio: tone(Law::A, "tone.g711a"),
            codec: "pcm_alaw",
            format: "alaw",
        },
        Kind {
            audio: tone(Law::Mu, "tone.g711u"),
            codec: "pcm_mulaw",
            format: "mulaw",
        },
        Kind {
            audio: Audio::parse("sounding.aac", AAC).unwrap(),
            codec: "aac",
            format: "adts",
        },
    ]
}

/// The program stream of a call that lasted a little longer than the clip: one loop of it.
async fn received(clip: &Clip, transport: MediaTransport, make: &str) -> Vec<u8> {
    let platform = Platform::start().await.unwrap();
    let camera = Camera::builder(Profile::builtin(make).unwrap())
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
    assert!(end.verdict.sounds.matched > 0 && end.verdict.sounds.missing == 0);
    let starts: Vec<_> = memchr::memmem::find_iter(&end.recording, &PACK).collect();
    end.recording[..starts[clip.media().frames().len()]].to_vec()
}

/// ffmpeg finds nothing to complain about.
fn run(tool: &str, stream: &[u8], arguments: &[&str]) -> Finished {
    let mut command = Command::new(tool);
    command
        .args(["-v", "warning", "-f", "mpeg"])
        .args(arguments);
    let file = [RECORDER, stream].concat();
    let done = process::run(&mut command, &[("received.ps", &file)], LIMIT);
    let (status, said) = (done.status, &done.stderr);
    assert!(
        status.success() && said.is_empty(),
        "{arguments:?}: {status}: {said}"
    );
    done
}

fn judge(clip: &Clip, kind: &Kind, stream: &[u8], name: &str) {
    let entries = "stream=codec_name,codec_type:packet=codec_type,pts,dts";
    let show = ["-of", "json", "-show_entries", entries, "received.ps"];
    let found: Value = serde_json::from_str(&run("ffprobe", stream, &show).stdout).unwrap();
    let codecs: Vec<_> = found["streams"].as_array().unwrap().iter().collect();
    assert_eq!(codecs.len(), 2, "{name}: {codecs:?}");
    assert!(
        codecs.iter().any(|s| s["codec_name"] == kind.codec),
        "{name}"
    );

    let packets = found["packets"].as_array().unwrap();
    let times = |of: &str, which: &str| -> Vec<i64> {
        let own = packets.iter().filter(|packet| packet["codec_type"] == of);
        own.map(|packet| packet[which].as_i64().unwrap()).collect()
    };
    let media = clip.media();
    let sound = media.sound().unwrap();
    let decoded = times("video", "dts");
    assert_eq!(decoded.len(), media.frames().len(), "{name}");
    let due: Vec<i64> = (0..sound.units())
        .map(|unit| decoded[0] + media.sound_pts(unit) as i64)
        .collect();
    let heard = times("audio", "pts");
    let apart = heard
        .iter()
        .zip(&due)
        .map(|(heard, due)| (heard - due).abs());
    assert_eq!(heard.len(), due.len(), "{name}");
    assert!(apart.max() <= Some(1), "{name}: {heard:?}, not {due:?}");

    let take = [
        "-nostdin",
        "-i",
        "received.ps",
        "-map",
        "0:a",
        "-c",
        "copy",
        "-f",
        kind.format,
        "taken",
    ];
    let track = sound.track();
    let said: Vec<u8> = (0..sound.units())
        .flat_map(|unit| track.octets(unit).to_vec())
        .collect();
    let done = run("ffmpeg", stream, &take);
    let taken = std::fs::read(done.folder.path().join("taken")).unwrap();
    assert!(taken == said, "{name}: other octets");
    let decode = ["-i", "received.ps", "-f", "null", "-"];
    run("ffmpeg", stream, &decode);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ffmpeg and ffprobe (Debian package ffmpeg)"]
async fn every_codec_of_sound_beside_every_codec_of_pictures_is_what_ffmpeg_finds() {
    let ways = [
        ("tests/media/pyramid.h264", MediaTransport::Udp, "dahua-ipc"),
        (
            "media/street-720p25.h265",
            MediaTransport::TcpActive,
            "hikvision-ipc",
        ),
    ];
    for (file, transport, make) in ways {
        let file = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
        let silent = Clip::open(&file).unwrap();
        for kind in kinds() {
            let clip = silent.with_audio(&kind.audio);
            let stream = received(&clip, transport, make).await;
            let name = format!("{file} with {} as {make}", kind.codec);
            judge(&clip, &kind, &stream, &name);
        }
    }
}
