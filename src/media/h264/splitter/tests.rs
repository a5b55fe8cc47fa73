//! Frames of streams written bit by bit.

use super::super::synthetic::{B, I, OrderType, P, Shape, Slice, Writer};
use super::*;
use crate::media::clip::{Clip, ClipOptions};

const IDR: Slice = Slice {
    kind: I,
    idr: Some(0),
    first: 0,
    disposable: false,
    number: 0,
    field: None,
    lsb: 0,
    redundant: 0,
    forgets: false,
};
const SLICE: Slice = Slice { idr: None, ..IDR };
const DELIMITER: [u8; 2] = [9, 0xF0];
const SEI: [u8; 5] = [6, 5, 1, 0xAA, 0x80];

fn clip(writer: &Writer) -> Clip {
    writer.clip(ClipOptions::default()).unwrap()
}

/// Kinds of the NAL units of each frame.
fn frames(clip: &Clip) -> Vec<Vec<u8>> {
    let kinds = |index| {
        let octets = clip.frame(index);
        nal::units(octets).map(|at| kind_of(&octets[at])).collect()
    };
    (0..clip.frames().len()).map(kinds).collect()
}

fn shown(clip: &Clip) -> Vec<usize> {
    let mut order: Vec<usize> = (0..clip.frames().len()).collect();
    order.sort_by_key(|index| index + clip.frames()[*index].reorder as usize);
    order
}

fn fields() -> Writer {
    Writer::new(Shape {
        fields: true,
        ..Shape::default()
    })
}

#[test]
fn two_fields_are_one_frame_whatever_stands_between_them() {
    let mut writer = fields();
    let (top, bottom) = (Some(0), Some(1));
    writer.slice(Slice { field: top, ..IDR });
    writer.slice(Slice {
        kind: P,
        field: bottom,
        lsb: 1,
        ..SLICE
    });
    writer.push(&DELIMITER).push(&SEI);
    writer.slice(Slice {
        kind: P,
        number: 1,
        field: top,
        lsb: 2,
        ..SLICE
    });
    writer.push(&DELIMITER).push(&SEI);
    writer.slice(Slice {
        kind: P,
        number: 1,
        field: bottom,
        lsb: 3,
        ..SLICE
    });
    writer.slice(Slice {
        kind: P,
        number: 2,
        lsb: 4,
        ..SLICE
    });
    let clip = clip(&writer);
    assert_eq!(
        frames(&clip),
        [vec![7, 8, 5, 1], vec![9, 6, 1, 9, 6, 1], vec![1]]
    );
    assert!(clip.frames()[0].key);
}

#[test]
fn fields_of_the_same_parity_or_of_other_frames_stay_apart() {
    let mut writer = fields();
    writer.slice(Slice {
        field: Some(0),
        ..IDR
    });
    writer.slice(Slice {
        kind: P,
        number: 1,
        field: Some(0),
        lsb: 2,
        ..SLICE
    });
    writer.slice(Slice {
        kind: P,
        number: 2,
        field: Some(1),
        lsb: 5,
        ..SLICE
    });
    assert_eq!(frames(&clip(&writer)).len(), 3);
}

#[test]
fn b_frames_coded_as_fields_are_put_in_order() {
    let mut writer = fields();
    let mut pair = |slice: Slice, lsb: u32| {
        writer.slice(Slice {
            field: Some(0),
            lsb,
            ..slice
        });
        let second = if slice.kind == I { P } else { slice.kind };
        writer.slice(Slice {
            kind: second,
            idr: None,
            field: Some(1),
            lsb: lsb + 1,
            ..slice
        });
    };
    pair(IDR, 0);
    for group in 0..4 {
        let number = 2 * group + 1;
        let at = 4 * group;
        pair(
            Slice {
                kind: P,
                number,
                ..SLICE
            },
            at + 4,
        );
        let b = Slice {
            kind: B,
            number: number + 1,
            disposable: true,
            ..SLICE
        };
        pair(b, at + 2);
    }
    assert_eq!(shown(&clip(&writer)), [0, 2, 1, 4, 3, 6, 5, 8, 7]);
}

#[test]
fn slices_redundant_and_auxiliary_pictures_belong_to_their_picture() {
    let mut writer = Writer::new(Shape {
        redundant: true,
        ..Shape::default()
    });
    writer.slice(IDR).slice(Slice { first: 8, ..IDR });
    writer.slice(Slice {
        redundant: 1,
        ..IDR
    });
    writer.push(&[0x13, 0x88, 0x84]).push(&[12, 0xFF, 0x80]);
    writer.slice(Slice {
        kind: P,
        number: 1,
        lsb: 2,
        ..SLICE
    });
    writer.slice(Slice {
        kind: P,
        number: 1,
        lsb: 2,
        redundant: 1,
        ..SLICE
    });
    writer.push(&[11]);
    assert_eq!(
        frames(&clip(&writer)),
        [vec![7, 8, 5, 5, 5, 19, 12], vec![1, 1, 11]]
    );
}

#[test]
fn idr_pictures_that_all_carry_the_same_number_are_told_apart() {
    let mut writer = Writer::new(Shape::default());
    for _ in 0..4 {
        writer.slice(IDR).slice(Slice { first: 8, ..IDR });
    }
    let clip = clip(&writer);
    assert_eq!(clip.frames().len(), 4);
    assert!(clip.frames().iter().all(|frame| frame.key));
    assert_eq!(frames(&clip)[3], [7, 8, 5, 5]);
}

#[test]
fn picture_order_type_0_goes_on_when_its_few_bits_wrap() {
    let mut writer = Writer::new(Shape::default());
    writer.slice(IDR);
    for group in 0..20 {
        let (number, lsb) = (group + 1, 4 * group);
        writer.slice(Slice {
            kind: P,
            number,
            lsb: lsb + 4,
            ..SLICE
        });
        let b = Slice {
            kind: B,
            number: number + 1,
            disposable: true,
            ..SLICE
        };
        writer.slice(Slice { lsb: lsb + 2, ..b });
    }
    let pairs = (0..20).flat_map(|group| [2 * group + 2, 2 * group + 1]);
    let expected: Vec<usize> = [0].into_iter().chain(pairs).collect();
    assert_eq!(shown(&clip(&writer)), expected);
}

#[test]
fn picture_order_type_1_expects_and_type_2_follows_decoding() {
    let mut writer = Writer::new(Shape {
        order: OrderType::Expected(4, -2),
        ..Shape::default()
    });
    writer.slice(IDR);
    for number in 1..30 {
        writer.slice(Slice {
            kind: P,
            number,
            ..SLICE
        });
        writer.slice(Slice {
            kind: B,
            number: number + 1,
            disposable: true,
            ..SLICE
        });
    }
    let order = shown(&clip(&writer));
    assert_eq!(order[..7], [0, 2, 1, 4, 3, 6, 5]);
    assert_eq!(order[55..], [56, 55, 58, 57]);

    let mut writer = Writer::new(Shape {
        order: OrderType::Decoding,
        ..Shape::default()
    });
    writer.slice(IDR);
    for number in 1..40 {
        writer.slice(Slice {
            kind: P,
            number,
            ..SLICE
        });
    }
    assert_eq!(shown(&clip(&writer)), (0..40).collect::<Vec<_>>());
}

#[test]
fn a_picture_that_forgets_all_others_begins_a_new_order() {
    let mut writer = Writer::new(Shape::default());
    writer.slice(IDR);
    writer.slice(Slice {
        kind: P,
        number: 1,
        lsb: 2,
        ..SLICE
    });
    writer.slice(Slice {
        kind: P,
        number: 2,
        lsb: 4,
        forgets: true,
        ..SLICE
    });
    writer.slice(Slice {
        kind: P,
        number: 1,
        lsb: 4,
        ..SLICE
    });
    writer.slice(Slice {
        kind: B,
        number: 2,
        lsb: 2,
        disposable: true,
        ..SLICE
    });
    assert_eq!(shown(&clip(&writer)), [0, 1, 2, 4, 3]);
}

#[test]
fn nothing_decoded_after_an_idr_picture_is_shown_before_it() {
    let mut writer = Writer::new(Shape::default());
    writer.slice(IDR);
    for number in 1..30 {
        writer.slice(Slice {
            kind: P,
            number,
            lsb: 32 - number,
            ..SLICE
        });
    }
    let clip = clip(&writer);
    assert_eq!(shown(&clip), (0..30).collect::<Vec<_>>());
    assert_eq!(clip.entries(), [0]);
}

#[test]
fn without_idr_pictures_recovery_points_and_then_i_pictures_are_key_frames() {
    let recovery = [6, 6, 1, 0xC4, 0x80];
    let mut writer = Writer::new(Shape::default());
    for number in 0..6 {
        if number % 3 == 1 {
            writer.push(&recovery);
        }
        let kind = if number % 3 == 0 || number == 1 { I } else { P };
        writer.slice(Slice {
            kind,
            number,
            lsb: 2 * number,
            ..SLICE
        });
    }
    // Number 4 has a recovery point but is no I picture; number 0 and 3 have none.
    let keys = |clip: &Clip| {
        clip.frames()
            .iter()
            .map(|frame| frame.key)
            .collect::<Vec<_>>()
    };
    let with_recovery = clip(&writer);
    assert_eq!(keys(&with_recovery), [true, false, false, false, false]);
    let mut writer = Writer::new(Shape::default());
    for number in 0..4 {
        let kind = if number % 2 == 1 { I } else { P };
        writer.slice(Slice {
            kind,
            number,
            lsb: 2 * number,
            ..SLICE
        });
    }
    assert_eq!(keys(&clip(&writer)), [true, false, true]);
}
