//! The receiver's half of media, through the public API: a program stream somebody else made, and
//! the clips that are shipped.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use vcam::media::demux::{Demuxer, PsEvent};
use vcam::media::{
    Clip, ClipOptions, Cut, Expected, Fault, Framing, PsPolicy, Receiver, Reference, RtpPolicy,
    Sender, SenderConfig, Verdict,
};
use vcam::time::Instant;

fn read(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn clip(path: &str) -> Clip {
    Clip::parse(path, read(path).into(), ClipOptions::default()).unwrap()
}

#[test]
fn ffmpegs_program_stream_gives_the_elementary_stream_ffmpeg_put_in() {
    let stream = read("tests/media/ffmpeg.ps");
    let mut demuxer = Demuxer::new();
    let mut video: Vec<u8> = Vec::new();
    let (mut stamps, mut packs, mut faults) = (Vec::new(), 0, Vec::new());
    let mut is_video = false;
    // As RTP would bring it.
    for piece in stream.chunks(1400) {
        demuxer.push(piece, &mut |event| match event {
            PsEvent::Pack(_) => packs += 1,
            PsEvent::Pes(pes) => {
                is_video = pes.stream == 0xE2;
                if is_video && pes.pts.is_some() {
                    stamps.push((pes.pts, pes.dts));
                }
            }
            PsEvent::Data(octets) if is_video => video.extend(octets),
            PsEvent::Fault { fault, offset } => faults.push((fault, offset)),
            _ => {}
        });
    }
    assert_eq!(faults, []);
    assert_eq!(packs, 3);
    assert_eq!(video, read("tests/media/ffmpeg_ps.h264"));
    assert_eq!(
        stamps,
        [(Some(52_200), Some(45_000)), (Some(84_600), Some(70_200))]
    );
}

#[test]
fn the_shipped_clips_are_what_their_names_say() {
    let facts = |path: &str| {
        let clip = clip(path);
        let reordered = clip.frames().iter().any(|frame| frame.reorder > 0);
        let size = (clip.width(), clip.height());
        (
            size,
            clip.fps().to_string(),
            clip.frames().len(),
            clip.gop(),
            reordered,
        )
    };
    let rate = || "25".to_owned();
    assert_eq!(
        facts("media/street-720p25.h264"),
        ((1280, 720), rate(), 100, (50, 50), false)
    );
    assert_eq!(
        facts("media/street-1080p25.h264"),
        ((1920, 1080), rate(), 100, (25, 25), true)
    );
    assert_eq!(
        facts("media/tiny.h264"),
        ((176, 144), rate(), 50, (25, 25), false)
    );
}

#[test]
fn the_shipped_clips_are_small_and_have_real_bit_rates() {
    let names = ["street-720p25", "street-1080p25", "tiny"];
    let sizes = names.map(|name| read(&format!("media/{name}.h264")).len());
    assert!(sizes.iter().sum::<usize>() < 4_000_000, "{sizes:?}");
    assert!((1_800_000..2_200_000).contains(&clip("media/street-720p25.h264").bit_rate()));
    assert!((3_600_000..4_400_000).contains(&clip("media/street-1080p25.h264").bit_rate()));
}

#[test]
fn a_clip_is_indexed_frame_by_frame() {
    let clip = clip("media/tiny.h264");
    let reference = Reference::of(&clip);
    assert_eq!((reference.len(), reference.fps()), (50, clip.fps()));
    assert_eq!(reference.name(), "media/tiny.h264");
}

const SSRC: u32 = 200_000_001;

/// A camera and a platform with a wire between them that nothing is lost on.
struct Call {
    sender: Sender,
    receiver: Receiver,
    framing: Framing,
    heads: Vec<u8>,
}

impl Call {
    fn new(clip: &Arc<Clip>, framing: Framing, policy: &PsPolicy) -> Call {
        let cut = Cut::new(clip.clone(), policy, &RtpPolicy::default());
        let config = SenderConfig {
            sequence: 65_000,
            timestamp: u32::MAX - 90_000,
            first_dts: (1 << 33) - 100_000,
            ..SenderConfig::new(Arc::new(cut), SSRC)
        };
        let expected = Expected {
            ssrc: Some(SSRC),
            reference: Some(Arc::new(Reference::of(clip))),
            ..Expected::default()
        };
        Call {
            sender: Sender::new(Arc::new(config), framing, Instant::ZERO),
            receiver: Receiver::new(Arc::new(expected), framing),
            framing,
            heads: Vec::new(),
        }
    }

    /// Carries what is due at `now`; `false` when nothing is.
    fn carry(&mut self, now: Instant) -> bool {
        let Some(batch) = self.sender.batch(now, &mut self.heads) else {
            return false;
        };
        match self.framing {
            Framing::Datagram => {
                for packet in batch.packets() {
                    let datagram = packet.map(|part| part.to_vec()).concat();
                    self.receiver.datagram(now, &datagram);
                }
            }
            Framing::Stream => {
                for segment in batch.slices() {
                    self.receiver.octets(now, &segment);
                }
            }
        }
        let octets = batch.len();
        self.sender.wrote(now, octets);
        true
    }

    /// Plays until `frames` have left, each when it is due.
    fn play(&mut self, frames: u64) -> Verdict {
        while self.sender.counts().frames < frames {
            let due = self
                .sender
                .next_due()
                .expect("a looping clip has a next frame");
            assert!(self.carry(due));
        }
        self.receiver.verdict()
    }
}

#[test]
fn the_shipped_clips_arrive_unchanged_loop_after_loop() {
    for path in [
        "media/street-720p25.h264",
        "media/street-1080p25.h264",
        "media/tiny.h264",
        "media/street-720p25.h265",
    ] {
        let clip = Arc::new(clip(path));
        for framing in [Framing::Stream, Framing::Datagram] {
            let frames = clip.frames().len() as u64 * 3;
            let verdict = Call::new(&clip, framing, &PsPolicy::default()).play(frames);
            assert!(verdict.is_clean(), "{path} {framing:?}: {verdict}");
            assert_eq!((verdict.frames, verdict.matched), (frames, frames));
            assert_eq!(verdict.gops, frames / clip.gop().0 as u64);
            assert_eq!(verdict.verified, clip.duration() * 3);
        }
    }
}

#[test]
fn a_map_that_calls_the_video_something_else_is_noticed() {
    let (sent, source) = (
        clip("tests/media/plain.h265"),
        clip("tests/media/plain.h264"),
    );
    let mut call = Call::new(&Arc::new(sent), Framing::Datagram, &PsPolicy::default());
    let expected = Expected {
        ssrc: Some(SSRC),
        reference: Some(Arc::new(Reference::of(&source))),
        ..Expected::default()
    };
    call.receiver = Receiver::new(Arc::new(expected), Framing::Datagram);
    let verdict = call.play(20);
    assert_eq!(verdict.faults.of(Fault::StreamType), 2, "{verdict}");
}

#[test]
fn every_way_of_coding_arrives_unchanged() {
    for name in [
        "plain.h264",
        "pyramid.h264",
        "open_gop.h264",
        "slices_aud.h264",
        "interlaced.h264",
        "refresh.h264",
        "plain.h265",
        "pyramid.h265",
        "open_gop.h265",
        "slices_aud.h265",
        "layers.h265",
        "refresh.h265",
    ] {
        let clip = Arc::new(clip(&format!("tests/media/{name}")));
        let frames = clip.frames().len() as u64 * 3;
        let verdict = Call::new(&clip, Framing::Datagram, &PsPolicy::default()).play(frames);
        assert!(verdict.is_clean(), "{name}: {verdict}");
        assert_eq!(verdict.matched, frames, "{name}");
    }
}

#[test]
fn what_makes_write_differently_is_clean_too() {
    let clip = Arc::new(clip("media/street-1080p25.h264"));
    let policy: PsPolicy = toml::from_str(
        "pack-stuffing = 6\nsystem-header = 'all'\nstream-map = 'all'\nstream-map-marker = 1\n\
         pes-payload-max = 5000\ndts = 'always'\naccess-unit-delimiter = true",
    )
    .unwrap();
    let verdict = Call::new(&clip, Framing::Stream, &policy).play(150);
    assert!(verdict.is_clean(), "{verdict}");
}

#[test]
fn what_a_sender_drops_is_counted_as_dropped() {
    let clip = Arc::new(clip("media/tiny.h264"));
    let mut call = Call::new(&clip, Framing::Stream, &PsPolicy::default());
    call.play(40);
    // The platform does not read for five seconds.
    let mut now = Instant::ZERO + Duration::from_millis(40 * 40 + 5000);
    while call.carry(now) {}
    for _ in 0..60 {
        now += Duration::from_millis(40);
        while call.carry(now) {}
    }
    let (verdict, counts) = (call.receiver.verdict(), call.sender.counts());
    assert!(counts.dropped > 0);
    assert_eq!(
        (verdict.matched, verdict.dropped),
        (counts.frames, counts.dropped),
        "{verdict}"
    );
    assert_eq!(
        (verdict.jumps, verdict.mismatched, verdict.faults.total()),
        (0, 0, 0),
        "{verdict}"
    );
    assert_eq!(verdict.packets.lost, 0);
}

#[test]
fn a_key_frame_asked_for_is_a_jump_and_nothing_else() {
    for path in ["media/tiny.h264", "media/street-1080p25.h264"] {
        let clip = Arc::new(clip(path));
        let mut call = Call::new(&clip, Framing::Stream, &PsPolicy::default());
        call.play(10);
        call.sender.key_frame();
        let verdict = call.play(100);
        assert_eq!(
            verdict.to_string(),
            "not clean: 1 jumps in the source",
            "{path}"
        );
        assert_eq!(verdict.matched, 100);
    }
}
