//! Voice alone: G.711 A-law without a program stream around it, 20 ms in a packet
//! (RFC 3551 §4.5.14).

use std::sync::{Arc, LazyLock};

use bytes::Bytes;

use super::super::audio::law::Law;
use super::super::audio::refusal::TO_G711;
use super::super::audio::{AudioCodec, AudioError, Track};
use super::super::clip::{Clip, Frame};
use super::super::codec::Codec;
use super::super::g711::{PCMA, RATE, SILENCE};
use super::super::ps::pes::Stamps;
use super::super::rational::Rational;
use super::super::rtp::{self, Marker};
use super::{Cut, FrameCut, Packet};

/// Packets in a second.
const PACKETS: u32 = 50;
/// Octets in a packet.
const OCTETS: usize = (RATE / PACKETS) as usize;

impl Cut {
    /// What a microphone hears that nothing is said about: [`Track::tone`]. Made once.
    pub fn tone() -> Arc<Cut> {
        static TONE: LazyLock<Arc<Cut>> = LazyLock::new(|| {
            let track = Track::tone(Law::A);
            Arc::new(Cut::voice(track.name(), track.data()))
        });
        TONE.clone()
    }

    /// What a microphone hears: sound of a file, which must be G.711 A-law.
    pub fn microphone(track: &Track) -> Result<Cut, AudioError> {
        match track.codec() {
            AudioCodec::G711A => Ok(Cut::voice(track.name(), track.data())),
            other => Err(AudioError::Refused {
                kind: "file",
                place: "the sound".to_owned(),
                what: format!("{other}, and a voice is {}", AudioCodec::G711A),
                way: TO_G711,
            }),
        }
    }

    /// A voice of G.711 A-law samples, 8,000 in a second, that is said again and again. Silence
    /// fills its last 20 ms; without any sample it is silent altogether.
    pub fn voice(name: &str, samples: &[u8]) -> Cut {
        let count = samples.len().div_ceil(OCTETS).max(1);
        let mut data = samples.to_vec();
        data.resize(count * OCTETS, SILENCE);
        let frames = (0..count).map(|n| Frame {
            octets: n * OCTETS..(n + 1) * OCTETS,
            key: true,
            reorder: 0,
        });
        let clip = Clip {
            name: name.to_owned(),
            data: Bytes::from(data),
            codec: Codec::Pcma,
            size: (0, 0),
            fps: Rational::whole(PACKETS),
            frames: frames.collect(),
            entries: (0..u32::try_from(count).unwrap_or(u32::MAX)).collect(),
            sound: Ok(None),
        };
        let packet = Packet {
            head: 0,
            head_length: 0,
            data_length: OCTETS as u16,
            data: 0,
        };
        let alone = |n| FrameCut {
            packets: n..n + 1,
            video: 1,
            sounds: 0..0,
            map: None,
            stamps: Stamps::None,
            stamps_at: 0,
        };
        Cut {
            clip: Arc::new(clip),
            payload_type: PCMA,
            marker: Marker::Never,
            clock: RATE,
            packets: vec![packet; count],
            frames: (0..count).map(alone).collect(),
            heads: Vec::new(),
            sounds: Vec::new(),
            bit_rate: u64::from(PACKETS) * (OCTETS + rtp::HEADER) as u64 * 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::{Framing, Sender, SenderConfig};
    use super::*;
    use crate::time::Instant;

    /// The packets that leave within the first `milliseconds`.
    fn sent(samples: &[u8], milliseconds: u64) -> Vec<Vec<u8>> {
        let cut = Arc::new(Cut::voice("voice", samples));
        let config = SenderConfig::new(cut, 200_000_333);
        let mut sender = Sender::new(Arc::new(config), Framing::Datagram, Instant::ZERO);
        let end = Instant::from_nanos(milliseconds * 1_000_000);
        let (mut all, mut heads) = (Vec::new(), Vec::new());
        while let Some(due) = sender.next_due().filter(|due| *due < end) {
            let batch = sender.batch(due, &mut heads).unwrap();
            let packet: Vec<u8> = batch.slices().flat_map(|slice| slice.to_vec()).collect();
            sender.wrote(due, packet.len());
            all.push(packet);
        }
        all
    }

    #[test]
    fn a_packet_carries_20_ms_and_its_time_stamp_counts_samples() {
        let samples: Vec<u8> = (0..=255).cycle().take(480).collect();
        let packets = sent(&samples, 100);
        assert_eq!(
            packets.len(),
            5,
            "one every 20 ms, from the beginning again"
        );
        let stamp = |packet: &[u8]| u32::from_be_bytes(packet[4..8].try_into().unwrap());
        for (n, packet) in packets.iter().enumerate() {
            assert_eq!(
                &packet[..4],
                [0x80, 8, 0, n as u8],
                "no marker, payload type 8"
            );
            assert_eq!(&packet[8..12], [0x0B, 0xEB, 0xC3, 0x4D]);
            assert_eq!(packet[12..], samples[n % 3 * 160..][..160]);
            assert_eq!(stamp(packet) - stamp(&packets[0]), n as u32 * 160);
        }
    }

    #[test]
    fn a_microphone_hears_a_law_and_nothing_else() {
        let track = |law| Track::g711("sound", law, vec![1; 320].into()).unwrap();
        let cut = Cut::microphone(&track(Law::A)).unwrap();
        assert_eq!(cut.clip().data()[..], [1; 320]);
        let why = Cut::microphone(&track(Law::Mu)).unwrap_err().to_string();
        assert!(
            why.starts_with("the sound of this file: G.711 mu-law, and"),
            "{why}"
        );
        assert_eq!(Cut::tone().clip().data().len(), 8000);
    }

    #[test]
    fn silence_fills_what_is_missing() {
        let packets = sent(&[1, 2, 3], 20);
        assert_eq!(packets[0][12..15], [1, 2, 3]);
        assert!(packets[0][15..].iter().all(|octet| *octet == 0xD5));
        assert!(sent(&[], 20)[0][12..].iter().all(|octet| *octet == 0xD5));
    }
}
