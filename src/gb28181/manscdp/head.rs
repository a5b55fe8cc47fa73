//! What a camera's head tells of itself: presets, home position, cruise tracks, where it looks
//! (GB/T 28181-2022 A.2.6.9 to A.2.6.13).

use std::fmt::Display;

use bytes::Bytes;

use super::incoming::{Incoming, Root};
use super::style::ManscdpStyle;
use crate::gb28181::element::Element;

/// A place that the head knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its number, 1-255.
    pub id: u8,
    /// Its name.
    pub name: String,
}

/// Where the head goes when nobody steers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HomePosition {
    /// Whether it does.
    pub enabled: bool,
    /// After so many seconds.
    pub reset_time: u32,
    /// To this preset.
    pub preset: u8,
}

/// A point of a cruise track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CruisePoint {
    /// The preset.
    pub preset: u8,
    /// For how many seconds.
    pub stay: u16,
    /// How fast it goes there: 1-15.
    pub speed: u8,
}

/// A cruise track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CruiseTrack {
    /// Its number.
    pub number: u8,
    /// Its name.
    pub name: String,
    /// Its points in their order.
    pub points: Vec<CruisePoint>,
}

/// Where the head looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PtzPosition {
    /// Degrees clockwise, 0 to 360.
    pub pan: f64,
    /// Degrees, down positive.
    pub tilt: f64,
    /// How many times it magnifies.
    pub zoom: f64,
}

impl ManscdpStyle {
    /// The answer to PresetQuery. The list is there even if it is empty.
    pub fn presets(&self, sn: impl Display, device_id: impl Display, presets: &[Preset]) -> Bytes {
        let items = presets.iter().map(|preset| {
            Element::new("Item")
                .with(Element::leaf("PresetID", preset.id.to_string()))
                .with(Element::leaf("PresetName", preset.name.as_str()))
        });
        let sum = self.preset_sum.then_some(presets.len());
        let rest = summed(sum, list("PresetList", items.collect()));
        self.write(Root::Response, "PresetQuery", sn, device_id, rest)
    }

    /// The answer to HomePositionQuery.
    pub fn home_position(
        &self,
        sn: impl Display,
        device_id: impl Display,
        home: HomePosition,
    ) -> Bytes {
        let (cmd_type, result) = match self.home_position_result {
            true => ("HomePosition", Some(Element::leaf("Result", "OK"))),
            false => ("HomePositionQuery", None),
        };
        let rest = result.into_iter().chain([home.element()]).collect();
        self.write(Root::Response, cmd_type, sn, device_id, rest)
    }

    /// The answer to CruiseTrackListQuery.
    pub fn cruise_tracks(
        &self,
        sn: impl Display,
        device_id: impl Display,
        tracks: &[CruiseTrack],
    ) -> Bytes {
        let items = tracks.iter().map(|track| {
            Element::new("CruiseTrack")
                .with(Element::leaf("Number", track.number.to_string()))
                .with(Element::leaf("Name", track.name.as_str()))
        });
        let rest = summed(Some(tracks.len()), list("CruiseTrackList", items.collect()));
        self.write(Root::Response, "CruiseTrackListQuery", sn, device_id, rest)
    }

    /// The answer to CruiseTrackQuery.
    pub fn cruise_track(
        &self,
        sn: impl Display,
        device_id: impl Display,
        track: &CruiseTrack,
    ) -> Bytes {
        let points = track.points.iter().map(|point| {
            Element::new("CruisePoint")
                .with(Element::leaf("PresetIndex", point.preset.to_string()))
                .with(Element::leaf("StayTime", point.stay.to_string()))
                .with(Element::leaf("Speed", point.speed.to_string()))
        });
        let mut rest = vec![
            Element::leaf("Number", track.number.to_string()),
            Element::leaf("Name", track.name.as_str()),
        ];
        let sum = Some(track.points.len());
        rest.extend(summed(sum, list("CruisePointList", points.collect())));
        self.write(Root::Response, "CruiseTrackQuery", sn, device_id, rest)
    }

    /// The answer to PTZPosition.
    pub fn ptz_position(
        &self,
        sn: impl Display,
        device_id: impl Display,
        at: PtzPosition,
    ) -> Bytes {
        self.ptz(Root::Response, sn, device_id, at)
    }

    /// Where the head looks, for those who have subscribed to it (GB/T 28181-2022 9.11).
    pub fn ptz_moved(&self, sn: impl Display, device_id: impl Display, at: PtzPosition) -> Bytes {
        self.ptz(Root::Notify, sn, device_id, at)
    }

    fn ptz(&self, root: Root, sn: impl Display, device_id: impl Display, at: PtzPosition) -> Bytes {
        let number = |name, value: f64| Element::leaf(name, format!("{value:.2}"));
        let rest = vec![
            number("Pan", at.pan),
            number("Tilt", at.tilt),
            number("Zoom", at.zoom),
        ];
        self.write(root, "PTZPosition", sn, device_id, rest)
    }
}

fn list(name: &str, items: Vec<Element>) -> Element {
    Element {
        attributes: vec![("Num".to_owned(), items.len().to_string())],
        children: items,
        ..Element::new(name)
    }
}

fn summed(sum: Option<usize>, list: Element) -> Vec<Element> {
    let sum = sum.map(|sum| Element::leaf("SumNum", sum.to_string()));
    sum.into_iter().chain([list]).collect()
}

fn number<T: std::str::FromStr>(element: &Element, name: &str) -> Option<T> {
    element.text_of(name)?.trim().parse().ok()
}

impl Preset {
    /// Reads the answer to PresetQuery; `None`: it has no list.
    pub fn read(message: &Incoming) -> Option<Vec<Preset>> {
        let list = message.body.child("PresetList")?;
        let items = list.children_named("Item").filter_map(|item| {
            Some(Preset {
                id: number(item, "PresetID")?,
                name: item.text_of("PresetName").unwrap_or_default().to_owned(),
            })
        });
        Some(items.collect())
    }
}

impl HomePosition {
    /// As an element of an answer or a command.
    pub(super) fn element(self) -> Element {
        Element::new("HomePosition")
            .with(Element::leaf("Enabled", u8::from(self.enabled).to_string()))
            .with(Element::leaf("ResetTime", self.reset_time.to_string()))
            .with(Element::leaf("PresetIndex", self.preset.to_string()))
    }

    /// Reads that element: who enables it must say when and where to.
    pub(super) fn of(element: &Element) -> Option<HomePosition> {
        let enabled = number::<u8>(element, "Enabled")? != 0;
        let home = HomePosition {
            enabled,
            reset_time: number(element, "ResetTime").unwrap_or_default(),
            preset: number(element, "PresetIndex").unwrap_or_default(),
        };
        (!enabled || home.preset > 0).then_some(home)
    }

    /// Reads the answer to HomePositionQuery.
    pub fn read(message: &Incoming) -> Option<HomePosition> {
        let element = message.body.child("HomePosition")?;
        Some(HomePosition {
            enabled: number::<u8>(element, "Enabled")? != 0,
            reset_time: number(element, "ResetTime").unwrap_or_default(),
            preset: number(element, "PresetIndex").unwrap_or_default(),
        })
    }
}

impl CruiseTrack {
    /// Reads the answer to CruiseTrackListQuery: tracks without their points.
    pub fn read_list(message: &Incoming) -> Option<Vec<CruiseTrack>> {
        let list = message.body.child("CruiseTrackList")?;
        let tracks = list.children_named("CruiseTrack").filter_map(|track| {
            Some(CruiseTrack {
                number: number(track, "Number")?,
                name: track.text_of("Name").unwrap_or_default().to_owned(),
                points: Vec::new(),
            })
        });
        Some(tracks.collect())
    }

    /// Reads the answer to CruiseTrackQuery.
    pub fn read(message: &Incoming) -> Option<CruiseTrack> {
        let list = message.body.child("CruisePointList")?;
        let points = list.children_named("CruisePoint").filter_map(|point| {
            Some(CruisePoint {
                preset: number(point, "PresetIndex")?,
                stay: number(point, "StayTime")?,
                speed: number(point, "Speed")?,
            })
        });
        Some(CruiseTrack {
            number: number(&message.body, "Number")?,
            name: message.body.text_of("Name").unwrap_or_default().to_owned(),
            points: points.collect(),
        })
    }
}

impl PtzPosition {
    /// Reads the answer to PTZPosition, and the notification of it.
    pub fn read(message: &Incoming) -> Option<PtzPosition> {
        Some(PtzPosition {
            pan: number(&message.body, "Pan")?,
            tilt: number(&message.body, "Tilt")?,
            zoom: number(&message.body, "Zoom")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_told_as_a_hikvision_camera_tells_them() {
        let style: ManscdpStyle = toml::from_str("preset-sum = false").unwrap();
        let preset = Preset {
            id: 1,
            name: "预置点 1".into(),
        };
        let body = style.presets(10024, "34020000001310000001", std::slice::from_ref(&preset));
        assert_eq!(body.len(), 258, "its Content-Length");
        let read = Preset::read(&Incoming::parse(&body).unwrap());
        assert_eq!(read, Some(vec![preset]));
    }

    #[test]
    fn an_empty_list_is_a_list() {
        let body = ManscdpStyle::default().presets(1, "3402", &[]);
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(
            text.contains("<SumNum>0</SumNum>\n<PresetList Num=\"0\">"),
            "{text}"
        );
        assert_eq!(Preset::read(&Incoming::parse(&body).unwrap()), Some(vec![]));
    }

    #[test]
    fn a_home_position_may_be_answered_as_an_order_is() {
        let style = ManscdpStyle {
            home_position_result: true,
            ..ManscdpStyle::default()
        };
        let body = style.home_position(7, "3402", HomePosition::default());
        let text = String::from_utf8(body.to_vec()).unwrap();
        let expected = "<CmdType>HomePosition</CmdType>\n<SN>7</SN>\n<DeviceID>3402</DeviceID>\n\
             <Result>OK</Result>\n<HomePosition>\n<Enabled>0</Enabled>";
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn everything_else_is_read_as_it_was_written() {
        let style = ManscdpStyle::default();
        let home = HomePosition {
            enabled: true,
            reset_time: 60,
            preset: 3,
        };
        let body = style.home_position(1, "3402", home);
        assert_eq!(
            HomePosition::read(&Incoming::parse(&body).unwrap()),
            Some(home)
        );
        let track = CruiseTrack {
            number: 2,
            name: "round".into(),
            points: vec![CruisePoint {
                preset: 3,
                stay: 10,
                speed: 7,
            }],
        };
        let body = style.cruise_track(1, "3402", &track);
        assert_eq!(
            CruiseTrack::read(&Incoming::parse(&body).unwrap()),
            Some(track.clone())
        );
        let body = style.cruise_tracks(1, "3402", std::slice::from_ref(&track));
        let listed = CruiseTrack::read_list(&Incoming::parse(&body).unwrap()).unwrap();
        assert_eq!((listed.len(), listed[0].number), (1, 2));
        let at = PtzPosition {
            pan: 123.45,
            tilt: -12.5,
            zoom: 4.0,
        };
        let body = style.ptz_position(1, "3402", at);
        assert_eq!(
            PtzPosition::read(&Incoming::parse(&body).unwrap()),
            Some(at)
        );
    }
}
