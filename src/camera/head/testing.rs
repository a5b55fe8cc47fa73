//! Heads to test with.

use std::time::Duration;

use crate::gb28181::Ptz;
use crate::gb28181::manscdp::Precise;
use crate::gb28181::ptz::{CruiseAct, Motion, PresetAct, Toward};
use crate::time::Instant;

use super::Head;

pub(super) fn at(seconds: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(seconds)
}

pub(super) fn ptz(text: &str) -> Ptz {
    Ptz::parse(text).unwrap()
}

pub(super) fn right(speed: u8) -> Ptz {
    let pan = Some(Toward {
        forward: true,
        speed,
    });
    Ptz::Move(Motion {
        pan,
        ..Motion::default()
    })
}

/// Places 1 at 10 degrees, 2 at 20 and so on; it looks at the last.
pub(super) fn knowing(places: u8) -> Head {
    let mut head = Head::default();
    for number in 1..=places {
        look(&mut head, at(0), f64::from(number) * 10.0);
        head.obey(at(0), Ptz::Preset(PresetAct::Set, number))
            .unwrap();
    }
    head
}

pub(super) fn look(head: &mut Head, now: Instant, pan: f64) {
    let to = Precise {
        pan: Some(pan),
        ..Precise::default()
    };
    head.precise(now, to);
}

pub(super) fn cruising(points: &[u8]) -> Head {
    let mut head = knowing(3);
    let acts = points.iter().map(|point| CruiseAct::Add(*point));
    for act in acts.chain([CruiseAct::Dwell(5), CruiseAct::Start]) {
        assert_eq!(head.obey(at(0), Ptz::Cruise { track: 1, act }), Ok(()));
    }
    head
}
