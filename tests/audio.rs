//! Sound beside the pictures, through the public handles.

use std::sync::Arc;
use std::time::Duration;

use vcam::config::{FleetFile, Run};
use vcam::media::AudioCodec;
use vcam::{Audio, Camera, Channel, Clip, DeviceId, Fleet, Folder, Platform, Profile};

fn file(name: &str) -> String {
    format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[tokio::test]
async fn a_camera_with_a_sound_streams_the_same_pictures_in_every_channel() {
    let platform = Platform::start().await.unwrap();
    let clip = Clip::open(file("media/tiny.h264")).unwrap();
    let audio = Audio::open(file("tests/media/sounding.alaw")).unwrap();
    let camera = Camera::builder(Profile::builtin("generic-2016").unwrap())
        .platform(platform.address())
        .media(clip.clone())
        .sub_media(clip.clone())
        .channels(2)
        .audio(audio.clone())
        .start()
        .await
        .unwrap();
    for channel in camera.channels() {
        let shown = channel.clip.as_ref().unwrap();
        assert!(Arc::ptr_eq(shown.sound().unwrap().track(), audio.track()));
        assert!(Arc::ptr_eq(shown.media(), clip.with_audio(&audio).media()));
        assert!(Arc::ptr_eq(
            shown.media(),
            channel.sub.as_ref().unwrap().media()
        ));
        assert_eq!(shown.data(), clip.data());
    }
    camera.registered().await.unwrap();
    let mut stream = platform.play(camera.channel(2)).await.unwrap();
    let verdict = stream.verified_seconds(1.0).await.unwrap();
    assert!(verdict.is_clean(), "{verdict}");
    assert!(verdict.sounds.matched > 0, "{verdict}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cameras_of_a_fleet_are_heard_as_its_file_says() {
    let platform = Platform::start().await.unwrap();
    let text = format!(
        "[platform]\naddress = \"{}\"\n[[cameras]]\nmedia = {:?}\naudio = \"tone\"\n",
        platform.address().address,
        file("media/tiny.h264"),
    );
    let folder = Folder::of("fleet.toml");
    let plan = FleetFile::read("fleet.toml", &text).unwrap();
    let plan = plan.plan(&Run::default(), &folder).unwrap();
    let device: DeviceId = plan.cameras().next().unwrap().id();
    let fleet = Fleet::prepare("fleet.toml", plan, &folder).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let run = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        fleet.run(stopped, |_| {}).await.unwrap()
    });
    let patience = Duration::from_secs(10);
    platform.registered(device, patience).await.unwrap();
    let clip = Clip::open(file("media/tiny.h264")).unwrap();
    let channel = Channel::of(device, device.with_type(DeviceId::CHANNEL));
    let channel = channel.showing(clip.with_audio(&Audio::tone()));
    let mut stream = platform.play(channel).await.unwrap();
    let verdict = stream.verified_seconds(1.0).await.unwrap();
    assert!(verdict.is_clean(), "{verdict}");
    assert!(verdict.sounds.matched >= 24, "{verdict}");
    assert_eq!(verdict.sounds.missing, 0, "{verdict}");
    stream.stop().await.unwrap();
    stop.send(()).unwrap();
    assert!(run.await.unwrap().passed());
}

#[test]
fn an_mp4_file_brings_its_own_sound_and_another_takes_its_place() {
    let clip = Clip::open(file("tests/media/sounding.mp4")).unwrap();
    assert_eq!(clip.sound().unwrap().track().codec(), AudioCodec::Aac);
    let other = clip.with_audio(&Audio::tone());
    assert_eq!(other.sound().unwrap().track().codec(), AudioCodec::G711A);
    assert_eq!(other.frames(), clip.frames());
}

#[test]
fn a_sound_that_cannot_be_played_is_refused_with_file_place_value_and_way_out() {
    let octets = std::fs::read(file("tests/media/sounding.mp4")).unwrap();
    let spoilt = octets.iter().copied().rev().collect::<Vec<_>>();
    let told = |name, octets: Vec<u8>| Audio::parse(name, octets).unwrap_err().to_string();
    assert_eq!(
        told("door.wav", spoilt),
        "door.wav: this is something unknown, not sound that can be read (WAV, AAC as ADTS or in \
         MP4; G.711 as *.g711a or *.g711u); `ffmpeg -i FILE -vn -ac 1 -ar 8000 -c:a pcm_alaw \
         out.wav` makes G.711 of it"
    );
    let stereo = b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x02\0\x40\x1F\0\0\0\x7D\0\0\x04\0\x10\0";
    assert_eq!(
        told("door.wav", stereo.to_vec()),
        "door.wav: octet 22 of this WAV file: 2 channels, one is wanted; `ffmpeg -i FILE -vn -ac 1 \
         -ar 8000 -c:a pcm_alaw out.wav` makes G.711 of it"
    );
}
