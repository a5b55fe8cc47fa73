//! The sound in a program stream that is a file: G.711 and AAC, as cameras send it.

use bytes::Bytes;

use crate::media::audio::adts;
use crate::media::audio::law::Law;
use crate::media::audio::refusal::{AudioError, TO_G711};
use crate::media::audio::{AudioCodec, Track};
use crate::media::demux::{Demuxer, PsEvent, syntax::stream};

const KIND: &str = "MPEG program stream";

/// Ticks per second of the time stamps.
const CLOCK: i64 = 90_000;

/// Time stamps of sound and pictures that are further apart have nothing to do with each other.
const APART: i64 = 10 * CLOCK;

/// The first audio stream; `None` when there is none.
pub fn open(name: &str, bytes: &Bytes) -> Result<Option<Track>, AudioError> {
    let mut taken = Taken::default();
    let mut demuxer = Demuxer::new();
    demuxer.push(bytes, &mut |event| taken.take(event));
    demuxer.flush(&mut |event| taken.take(event));
    let Some(id) = taken.chosen else {
        return Ok(None);
    };
    let lead = taken.lead();
    let kind = taken.kind;
    let data = Bytes::from(taken.data);
    // Some makes call AAC what they call G.711 (stream_type 0x90).
    let track = if adts::is_one(&data) {
        adts::open(name, &data)?
    } else if kind == Some(AudioCodec::G711U.stream_type()) {
        Track::g711(name, Law::Mu, data)?
    } else if kind == Some(AudioCodec::G711A.stream_type()) {
        Track::g711(name, Law::A, data)?
    } else {
        return Err(refused(id, kind));
    };
    Ok(Some(track.shifted(lead, CLOCK as u32)))
}

/// The error of a stream of another kind.
fn refused(id: u8, kind: Option<u8>) -> AudioError {
    let what = match kind {
        Some(kind) => {
            format!("its stream_type is {kind:#04x}, not 0x90, 0x91 (G.711) or 0x0f (AAC)")
        }
        None => "no map says what it is, and it is no AAC".to_owned(),
    };
    AudioError::Refused {
        kind: KIND,
        place: format!("stream {id:#04x}"),
        what,
        way: TO_G711,
    }
}

#[derive(Default)]
struct Taken {
    data: Vec<u8>,
    /// The audio stream that is taken: the first one.
    chosen: Option<u8>,
    /// Its `stream_type`, by the last map that names it.
    kind: Option<u8>,
    /// The packet being read belongs to it.
    wanted: bool,
    /// The first time stamps of sound and of pictures.
    heard: Option<u64>,
    shown: Option<u64>,
}

impl Taken {
    fn take(&mut self, event: PsEvent<'_>) {
        match event {
            PsEvent::Map(map) => {
                let mut streams = map.streams();
                let named = streams.find(|(id, _)| match self.chosen {
                    Some(chosen) => *id == chosen,
                    None => stream::is_audio(*id),
                });
                if let Some((_, kind)) = named {
                    self.kind = Some(kind);
                }
            }
            PsEvent::Pes(pes) => {
                self.wanted = stream::is_audio(pes.stream)
                    && *self.chosen.get_or_insert(pes.stream) == pes.stream;
                if self.wanted {
                    self.heard = self.heard.or(pes.pts);
                } else if stream::is_video(pes.stream) {
                    self.shown = self.shown.or(pes.pts);
                }
            }
            PsEvent::Data(octets) if self.wanted => self.data.extend_from_slice(octets),
            _ => {}
        }
    }

    /// How much later than the first picture the sound begins, in ticks.
    fn lead(&self) -> i64 {
        let (Some(heard), Some(shown)) = (self.heard, self.shown) else {
            return 0;
        };
        let lead = heard as i64 - shown as i64;
        if lead.abs() < APART { lead } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Clip, ClipOptions};
    use proptest::prelude::*;

    const VIDEO: &[u8] = include_bytes!("../../../../tests/media/plain.h264");
    const ADTS: &[u8] = include_bytes!("../../../../tests/media/sounding.aac");
    const FFMPEG: &[u8] = include_bytes!("../../../../tests/media/ffmpeg.ps");

    /// A pack header, then a map of H.264 and G.711 A-law (GB/T 28181-2022 annex C).
    const BEGIN: [u8; 38] = [
        0, 0, 1, 0xBA, 0x44, 0, 4, 0, 4, 1, 0, 0x5F, 0x6B, 0xF8, //
        0, 0, 1, 0xBC, 0, 0x12, 0xE0, 0xFF, 0, 0, 0, 8, 0x1B, 0xE0, 0, 0, 0x90, 0xC0, 0, 0, 0xFE,
        0xDF, 0xB1, 0xD7,
    ];

    /// A PES packet of this stream, presented at this tick.
    fn pes(stream: u8, pts: u32, data: &[u8]) -> Vec<u8> {
        let length = (data.len() as u16 + 8).to_be_bytes();
        let stamp = [
            0x21 | (pts >> 29 & 0xE) as u8,
            (pts >> 22) as u8,
            (pts >> 14) as u8 | 1,
            (pts >> 7) as u8,
            (pts << 1) as u8 | 1,
        ];
        [
            &[0, 0, 1, stream][..],
            &length,
            &[0x80, 0x80, 5],
            &stamp,
            data,
        ]
        .concat()
    }

    /// A program stream: pictures that begin at tick 9000, sound that begins at this one.
    fn file(begin: u32, sound: &[u8]) -> Vec<u8> {
        let (one, other) = sound.split_at(sound.len() / 2);
        [
            &BEGIN[..],
            &pes(0xE0, 9000, VIDEO),
            &pes(0xC0, begin, one),
            &pes(0xC0, begin + 3600, other),
        ]
        .concat()
    }

    fn read(octets: &[u8]) -> Result<Option<Track>, AudioError> {
        open("x.ps", &Bytes::copy_from_slice(octets))
    }

    #[test]
    fn g711_comes_out_as_the_map_calls_it_and_when_its_time_stamps_say() {
        let samples: Vec<u8> = (0..=255).cycle().take(1280).collect();
        let late = read(&file(10_800, &samples)).unwrap().unwrap();
        assert_eq!((late.codec(), late.count()), (AudioCodec::G711A, 4));
        assert_eq!(late.data(), &samples);
        assert_eq!((late.pts(0), late.pts(1)), (1800, 5400));
        // 60 ms early: two units are left out.
        let early = read(&file(3600, &samples)).unwrap().unwrap();
        assert_eq!(
            (early.data(), early.pts(0)),
            (&samples[640..].to_vec().into(), 1800)
        );
        let apart = read(&file(5_000_000, &samples)).unwrap().unwrap();
        assert_eq!((apart.data(), apart.pts(0)), (&samples.clone().into(), 0));
        let mut octets = file(9000, &samples);
        octets[30] = 0x91;
        assert_eq!(read(&octets).unwrap().unwrap().codec(), AudioCodec::G711U);
    }

    #[test]
    fn aac_that_is_called_g711_is_known_by_its_headers() {
        let track = read(&file(9000, ADTS)).unwrap().unwrap();
        assert_eq!((track.codec(), track.count()), (AudioCodec::Aac, 8));
        assert_eq!(track.data(), ADTS);
    }

    #[test]
    fn a_clip_of_it_is_heard_beside_its_pictures() {
        let octets = file(9000, &[0x55; 3200]);
        let clip = Clip::parse("x.ps", octets.into(), ClipOptions::default()).unwrap();
        assert_eq!(clip.sound().map(|sound| sound.units()), Some(10));
    }

    #[test]
    fn sound_that_no_camera_sends_is_told_with_its_stream() {
        let told = |octets: &[u8]| read(octets).unwrap_err().to_string();
        let mpeg = told(FFMPEG);
        assert!(
            mpeg.starts_with("stream 0xc0 of this MPEG program stream: no map says what it is"),
            "{mpeg}"
        );
        let mut octets = file(9000, &[1; 640]);
        octets[30] = 0x99;
        let g729 = told(&octets);
        assert!(
            g729.starts_with(
                "stream 0xc0 of this MPEG program stream: its stream_type is 0x99, not"
            ),
            "{g729}"
        );
        assert_eq!(
            read(&[&BEGIN[..], &pes(0xE0, 9000, VIDEO)].concat()),
            Ok(None)
        );
    }

    proptest! {
        #[test]
        fn spoilt_files_never_panic_and_never_grow(
            spoils in prop::collection::vec((any::<usize>(), any::<u8>()), 0..40)
        ) {
            let mut octets = file(12_345, ADTS);
            for (at, value) in spoils {
                let at = at % octets.len();
                octets[at] = value;
            }
            if let Ok(Some(track)) = read(&octets) {
                prop_assert!(track.data().len() <= octets.len() + 320);
            }
        }
    }
}
