use super::*;
use proptest::prelude::*;

const ADTS: &[u8] = include_bytes!("../../../tests/media/sounding.aac");

/// A track of this file.
fn track(name: &str, octets: &[u8]) -> Result<Track, AudioError> {
    Track::parse(name, octets.to_vec().into())
}

#[test]
fn g711_is_told_by_its_name_and_comes_40_ms_at_a_time() {
    let samples: Vec<u8> = (0..=255).cycle().take(900).collect();
    for (name, codec, kind, silence) in [
        ("a.g711a", AudioCodec::G711A, 0x90, 0xD5),
        ("talk/b.ALAW", AudioCodec::G711A, 0x90, 0xD5),
        ("c.g711u", AudioCodec::G711U, 0x91, 0xFF),
        ("d.ulaw", AudioCodec::G711U, 0x91, 0xFF),
    ] {
        let track = track(name, &samples).unwrap();
        assert_eq!(
            (track.codec(), codec.stream_type()),
            (codec, kind),
            "{name}"
        );
        assert_eq!((track.name(), track.count()), (name, 3));
        assert_eq!((track.sample_rate(), track.samples()), (8000, 320));
        assert_eq!(track.octets(0), &samples[..320]);
        assert_eq!(track.octets(2)[..260], samples[640..]);
        assert!(track.octets(2)[260..].iter().all(|octet| *octet == silence));
        assert_eq!(track.bit_rate(), 64_000);
        assert_eq!(track.duration(), Duration::from_millis(120));
    }
}

#[test]
fn behind_the_last_unit_the_first_comes_again_and_time_goes_on() {
    let track = track("a.alaw", &[1; 700]).unwrap();
    assert_eq!(track.unit(5), track.unit(2));
    assert_eq!(track.octets(3_000_000_001), track.octets(1));
    let pts: Vec<u64> = (0..5).map(|n| track.pts(n)).collect();
    assert_eq!(pts, [0, 3600, 7200, 10_800, 14_400]);
    assert_eq!(track.ticks(3, 8000), 960);
}

#[test]
fn units_of_aac_do_not_drift_in_a_year() {
    let first = Track::parse("x.aac", ADTS.into()).unwrap();
    assert_eq!(
        (first.codec(), first.codec().stream_type()),
        (AudioCodec::Aac, 0x0F)
    );
    assert_eq!(
        (first.sample_rate(), first.channels(), first.samples()),
        (16_000, 1, 1024)
    );
    assert_eq!(first.rate(), Rational::new(125, 8).unwrap());
    let year = 125 * 3_942_000;
    assert_eq!(first.pts(year), 90_000 * 31_536_000);
    assert_eq!(first.delayed(16_000).pts(year), 90_000 * 31_536_001);
}

#[test]
fn units_are_found_by_the_pictures_they_sound_with() {
    let fps = Rational::whole(25);
    let even = track("a.alaw", &[1; 320]).unwrap();
    assert_eq!((even.first_after(0, fps), even.first_after(7, fps)), (0, 7));
    assert_eq!(
        (even.whole_within(50, fps), even.whole_within(0, fps)),
        (50, 0)
    );
    // 64 ms each: beginning at 0, 64, 128, 192 ms.
    let aac = Track::parse("x.aac", ADTS.into()).unwrap();
    let first: Vec<u64> = (0..6).map(|frames| aac.first_after(frames, fps)).collect();
    assert_eq!(first, [0, 1, 2, 2, 3, 4]);
    assert_eq!((aac.whole_within(5, fps), aac.whole_within(8, fps)), (3, 5));
    // 100 ms later.
    let late = aac.delayed(1600);
    assert_eq!((late.first_after(2, fps), late.first_after(3, fps)), (0, 1));
    assert_eq!(
        (late.whole_within(4, fps), late.whole_within(5, fps)),
        (0, 1)
    );
}

#[test]
fn a_tone_sounds_for_a_fifth_of_every_second() {
    for law in [Law::A, Law::Mu] {
        let tone = Track::tone(law);
        assert_eq!((tone.count(), tone.codec()), (25, law.codec()));
        let silent = |n: u64| tone.octets(n).iter().all(|octet| *octet == law.silence());
        assert!((0..25).all(|n| silent(n) == (n >= 5)));
        let values = tone.octets(4).iter().map(|o| law::tests::expand(law, *o));
        assert_eq!(values.clone().sum::<i32>(), 0);
        assert!((3500..4000).contains(&values.max().unwrap()));
    }
}

#[test]
fn what_is_no_sound_is_named_with_a_way_out() {
    let told = |name: &str, octets: &[u8]| track(name, octets).unwrap_err().to_string();
    for (octets, what) in [
        (&b"OggS\0\x02"[..], "this is an Ogg file, not sound"),
        (b"fLaC\0\0\0\x22", "this is a FLAC file, not sound"),
        (
            b"\xFF\xFB\x90\x44\0\0\0\0",
            "this is an MP3 file, not sound",
        ),
        (
            b"RIFF\x24\0\0\0AVI LIST",
            "this is a RIFF file without sound",
        ),
        (
            b"\0\0\0\x08ftyp",
            "this is an MP4 file without a sound track",
        ),
        (b"some words", "this is something unknown, not sound"),
    ] {
        let told = told("x.bin", octets);
        assert!(told.starts_with(what), "{told}");
        assert!(told.ends_with(
            "`ffmpeg -i FILE -vn -ac 1 -ar 8000 -c:a pcm_alaw out.wav` makes G.711 of it"
        ));
    }
    for name in ["x.alaw", "x.wav", "x"] {
        assert_eq!(
            told(name, &[]),
            "there is no sound in the file: it is empty"
        );
    }
}

proptest! {
    #[test]
    fn every_file_is_a_track_of_whole_units_or_an_error(
        name in "x\\.(alaw|ulaw|wav|aac|mp4)",
        begin in prop::sample::select(vec![&b""[..], b"RIFF\0\0\0\0WAVE", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0", &[0xFF, 0xF1], b"ID3"]),
        octets in prop::collection::vec(any::<u8>(), 0..700)
    ) {
        if let Ok(track) = track(&name, &[begin, &octets].concat()) {
            let total: usize = (0..track.count() as u64).map(|n| track.octets(n).len()).sum();
            prop_assert_eq!(total, track.data().len());
            prop_assert!((0..track.count() as u64).all(|n| !track.octets(n).is_empty()));
            prop_assert!(track.pts(1) > track.pts(0));
        }
    }

    #[test]
    fn a_track_that_is_shifted_keeps_the_time_of_every_unit_it_keeps(
        ticks in -60_000i64..60_000, aac: bool, delay in 0u32..5000
    ) {
        let track = match aac {
            true => Track::parse("x.aac", ADTS.into()).unwrap(),
            false => track("x.alaw", &(0..=255).cycle().take(3200).collect::<Vec<_>>()).unwrap(),
        };
        let track = track.delayed(delay);
        let shifted = track.clone().shifted(ticks, CLOCK);
        let left_out = track.count() - shifted.count();
        for n in 0..shifted.count() as u64 {
            prop_assert_eq!(shifted.octets(n), track.octets(n + left_out as u64));
            let off = shifted.pts(n) as i64 - (track.pts(n + left_out as u64) as i64 + ticks);
            // A sample of 8 kHz are 11.25 ticks. The last unit is kept even when it is too early.
            prop_assert!(off.abs() <= 13 || shifted.count() == 1, "{}", off);
        }
    }

    #[test]
    fn a_unit_begins_in_exactly_one_picture(
        frames in 0u64..100_000, numerator in 1u32..120_000, denominator in 1u32..2000, delay in 0u32..100_000
    ) {
        let fps = Rational::new(numerator, denominator).unwrap();
        let track = Track::parse("x.aac", ADTS.into()).unwrap().delayed(delay);
        let n = track.first_after(frames, fps);
        // Times as fractions of 16000 * numerator.
        let begins = |n: u64| (u128::from(n) * 1024 + u128::from(delay)) * u128::from(fps.numerator());
        let now = u128::from(frames) * u128::from(fps.denominator()) * 16_000;
        prop_assert!(begins(n) >= now);
        prop_assert!(n == 0 || begins(n - 1) < now);
        let over = track.whole_within(frames, fps);
        prop_assert!(over == 0 || begins(over) <= now);
        prop_assert!(begins(over + 1) > now);
    }
}
