//! Parameter sets written bit by bit, for what no encoder at hand writes.

use super::super::access_unit::Shape;
use super::parameter_sets::ParameterSets;
use super::sei::recovery_point;
use super::sequence::Sequence;
use super::*;
use crate::media::rational::Rational;

#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn u(mut self, width: u32, value: u32) -> Bits {
        let bits = (0..width).rev().map(|bit| value >> bit & 1 == 1);
        self.0.extend(bits);
        self
    }

    fn zeros(self, count: usize) -> Bits {
        (0..count).fold(self, |bits, _| bits.u(1, 0))
    }

    fn ue(self, value: u32) -> Bits {
        let width = 32 - (value + 1).leading_zeros();
        self.u(width - 1, 0).u(width, value + 1)
    }

    /// Without emulation prevention: no three zeros stand in what is written here but where a
    /// reader would not take them for one.
    fn unit(mut self, kind: u8) -> Vec<u8> {
        self.0.push(true);
        let octet = |bits: &[bool]| {
            let bits = bits.iter().enumerate();
            bits.fold(0, |sum, (at, bit)| sum | u8::from(*bit) << (7 - at))
        };
        let payload: Vec<u8> = self.0.chunks(8).map(octet).collect();
        let mut unit = vec![kind << 1, 1];
        for octet in payload {
            if octet <= 3 && unit.ends_with(&[0, 0]) {
                unit.push(3);
            }
            unit.push(octet);
        }
        unit
    }
}

/// A video parameter set with this timing.
fn video(units: u32, scale: u32) -> Vec<u8> {
    let begin = Bits::default().u(4, 0).u(2, 3).u(6, 0).u(3, 0).u(1, 1);
    let layers = begin.u(16, 0xFFFF).zeros(96).u(1, 1).ue(0).ue(0).ue(0);
    let timing = layers.u(6, 0).ue(0).u(1, 1).u(32, units).u(32, scale);
    timing.unit(kind::VPS)
}

/// A sequence parameter set without timing, of a picture of this size and coding blocks of 16.
fn sequence(id: u32, (width, height): (u32, u32)) -> Vec<u8> {
    let begin = Bits::default().u(4, 0).u(3, 0).u(1, 1).zeros(96).ue(id);
    let size = begin.ue(1).ue(width).ue(height).u(1, 0).ue(0).ue(0);
    let order = size.ue(4).u(1, 1).ue(0).ue(0).ue(0);
    let blocks = order.ue(0).ue(1).ue(0).ue(0).ue(0).ue(0);
    // No scaling lists, two flags, no PCM, no reference sets, no long-term ones, two flags, no VUI.
    let rest = blocks.u(1, 0).u(2, 0).u(1, 0).ue(0).u(1, 0).u(2, 0);
    rest.u(1, 0).unit(kind::SPS)
}

fn picture(id: u32, sequence: u32) -> Vec<u8> {
    let bits = Bits::default().ue(id).ue(sequence).u(1, 1).u(1, 0);
    bits.u(3, 2).unit(kind::PPS)
}

fn sets(units: &[Vec<u8>]) -> ParameterSets {
    let mut sets = ParameterSets::default();
    for unit in units {
        sets.take(unit, &(0..unit.len()));
    }
    sets
}

fn shape(sets: &ParameterSets) -> Shape {
    sets.shape(sets.any_sequence().unwrap())
}

#[test]
fn timing_of_the_video_parameter_set_counts_where_the_sequence_has_none() {
    let known = sets(&[video(1001, 30_000), sequence(0, (1920, 1088))]);
    assert_eq!(
        shape(&known),
        Shape {
            size: (1920, 1088),
            fps: Rational::new(30_000, 1001),
        }
    );
    let none = sets(&[video(0, 0), sequence(0, (1920, 1088))]);
    assert_eq!(shape(&none).fps, None);
}

#[test]
fn a_slice_is_read_with_the_sets_that_it_names() {
    let known = sets(&[sequence(3, (64, 48)), picture(5, 3)]);
    let (picture, sequence) = known.of_picture(5).unwrap();
    assert!(picture.dependent_segments && picture.extra_bits == 2);
    // 64 x 48 in blocks of 16: 12 of them, numbered with 4 bits.
    assert_eq!((sequence.address_bits, sequence.order_bits), (4, 8));
    assert_eq!(known.of_picture(0), None);

    let first = Bits::default().u(1, 1).ue(5).u(2, 0).ue(1).u(8, 0x2A);
    let first = slice::SliceHeader::read(&first.unit(1), &known).unwrap();
    assert!(first.first && !first.is_idr() && first.counts());
    assert_eq!((first.intra, first.order_lsb), (Some(false), 0x2A));

    let later = Bits::default().u(1, 0).ue(5).u(1, 0).u(4, 7).u(2, 0);
    let later = later.ue(2).u(8, 0x2B).unit(1);
    let later = slice::SliceHeader::read(&later, &known).unwrap();
    assert_eq!((later.first, later.intra), (false, Some(true)));
    assert_eq!(later.order_lsb, 0x2B);

    let dependent = Bits::default().u(1, 0).ue(5).u(1, 1).u(4, 7).unit(1);
    let dependent = slice::SliceHeader::read(&dependent, &known).unwrap();
    assert_eq!((dependent.first, dependent.intra), (false, None));
}

#[test]
fn sets_with_impossible_numbers_or_sizes_are_told_of_and_not_used() {
    for (unit, why) in [
        (sequence(16, (64, 48)), "sequence parameter set: number 16"),
        (
            sequence(0, (0, 48)),
            "sequence parameter set: a picture of 0x48",
        ),
        (picture(64, 0), "picture parameter set: number 64"),
        (
            vec![kind::PPS << 1, 1],
            "picture parameter set: ReaderError",
        ),
    ] {
        let none = sets(&[unit]);
        let told = none.rejected().unwrap();
        assert!(told.starts_with(why), "{told}");
        assert_eq!(none.stored().count(), 0);
    }
    let large = sets(&[vec![kind::SPS << 1; 5000]]);
    assert_eq!(large.rejected(), Some("a parameter set of 5000 octets"));
}

#[test]
fn pictures_are_counted_on_from_those_of_the_lowest_layer_that_others_refer_to() {
    let sequence = Sequence {
        order_bits: 4,
        ..Sequence::default()
    };
    let mut order = picture_order::PictureOrder::default();
    let mut place = |kind, temporal, order_lsb| {
        let slice = slice::SliceHeader {
            kind,
            temporal,
            first: true,
            pps: 0,
            intra: None,
            order_lsb,
        };
        let place = order.place(&slice, &sequence);
        (place.group, place.count)
    };
    assert_eq!(place(kind::IDR, 0, 0), (1, 0));
    assert_eq!(place(1, 0, 10), (1, -6), "nearer behind than before");
    assert_eq!(place(kind::IDR, 0, 0), (2, 0));
    assert_eq!(place(1, 0, 7), (2, 7));
    assert_eq!(
        place(0, 0, 15),
        (2, 15),
        "not referred to: not counted from"
    );
    assert_eq!(
        place(1, 1, 14),
        (2, 14),
        "of a higher layer: not counted from"
    );
    assert_eq!(place(1, 0, 12), (2, 12));
    assert_eq!(place(1, 0, 2), (2, 18), "the number has wrapped");
    assert_eq!(place(kind::CRA, 0, 8), (2, 24), "goes on counting");
    assert_eq!(place(kind::BLA, 0, 8), (3, 8));
    order.end_of_sequence();
    let slice = slice::SliceHeader {
        kind: kind::CRA,
        temporal: 0,
        first: true,
        pps: 0,
        intra: Some(true),
        order_lsb: 3,
    };
    let place = order.place(&slice, &sequence);
    assert_eq!((place.group, place.count), (4, 3));
}

#[test]
fn a_recovery_point_is_found_behind_the_header_of_two_octets() {
    // recovery_poc_cnt 2 is 00100.
    assert_eq!(recovery_point(&[0x4E, 1, 6, 1, 0b0010_0100, 0x80]), Some(2));
    assert_eq!(recovery_point(&[0x4E, 1, 5, 1, 0]), None);
    assert_eq!(recovery_point(&[0x4E]), None);
}
