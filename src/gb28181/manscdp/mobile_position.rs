//! MobilePosition: where a device is (GB/T 28181-2016 A.2.5.5; a list in 2022).

use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

use bytes::Bytes;

use super::incoming::{Incoming, Root};
use super::style::ManscdpStyle;
use crate::gb28181::element::Element;
use crate::gb28181::template::Facts;
use crate::gb28181::time;
use crate::time::Wall;

pub(super) const CMD_TYPE: &str = "MobilePosition";

/// From one notification to the next, when the subscriber does not say.
const INTERVAL: Duration = Duration::from_secs(5);

/// Where something is: WGS 84.
///
/// Placeholders: `{time}` (local), `{longitude}`, `{latitude}`, `{speed}`, `{direction}`,
/// `{altitude}`, `{id}`.
#[derive(Clone, Debug, PartialEq)]
pub struct MobilePosition {
    /// `DeviceID`: what is there.
    pub id: String,
    /// `Time`: when it was there.
    pub time: Wall,
    /// `Longitude`, in degrees, east positive.
    pub longitude: f64,
    /// `Latitude`, in degrees, north positive.
    pub latitude: f64,
    /// `Speed`, in kilometres per hour.
    pub speed: Option<f64>,
    /// `Direction`, in degrees clockwise from north.
    pub direction: Option<f64>,
    /// `Altitude`, in metres.
    pub altitude: Option<f64>,
}

pub(super) const STANDARD: &[&str] = &[
    "Time={time}",
    "Longitude={longitude}",
    "Latitude={latitude}",
    "Speed={speed}",
    "Direction={direction}",
    "Altitude={altitude}",
];

impl Facts for MobilePosition {
    const NAMES: &'static [&'static str] = &[
        "id",
        "time",
        "longitude",
        "latitude",
        "speed",
        "direction",
        "altitude",
    ];

    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        let number = |value: Option<f64>| value.map(|value| value.to_string().into());
        match name {
            "id" => Some(self.id.as_str().into()),
            "time" => Some(time::local(self.time).into()),
            "longitude" => number(Some(self.longitude)),
            "latitude" => number(Some(self.latitude)),
            "speed" => number(self.speed),
            "direction" => number(self.direction),
            "altitude" => number(self.altitude),
            _ => None,
        }
    }
}

impl ManscdpStyle {
    /// The notification of a position.
    pub fn mobile_position(&self, sn: impl Display, position: &MobilePosition) -> Bytes {
        let rest = self.mobile_position.fill(position);
        self.write(Root::Notify, CMD_TYPE, sn, &position.id, rest)
    }
}

impl MobilePosition {
    /// How often the body of a SUBSCRIBE asks for it: `Interval`, at least a second.
    pub fn interval(message: &Incoming) -> Duration {
        let text = message.body.text_of("Interval");
        let seconds = text.and_then(|text| text.trim().parse().ok());
        seconds.map_or(INTERVAL, |seconds: u32| {
            Duration::from_secs(u64::from(seconds.clamp(1, 86_400)))
        })
    }

    /// Reads a notification: its flat elements (2016), or else the first item of its list (2022).
    pub fn read(message: &Incoming) -> Option<MobilePosition> {
        let body = &message.body;
        let list = body.child("DeviceList");
        let item = list.and_then(|list| list.children_named("Item").next());
        let flat = body.text_of("Longitude").map(|_| body);
        let source: &Element = flat.or(item)?;
        let number = |name| {
            source
                .text_of(name)
                .and_then(|text| text.trim().parse().ok())
        };
        let when = source
            .text_of("Time")
            .or_else(|| source.text_of("CaptureTime"))
            .or_else(|| body.text_of("Time"));
        Some(MobilePosition {
            id: source
                .text_of("DeviceID")
                .unwrap_or(&message.device_id)
                .to_owned(),
            time: time::parse(when?)?,
            longitude: number("Longitude")?,
            latitude: number("Latitude")?,
            speed: number("Speed"),
            direction: number("Direction"),
            altitude: number("Altitude"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position() -> MobilePosition {
        MobilePosition {
            id: "34020000001320000001".into(),
            time: time::parse("2024-05-17T14:07:33").unwrap(),
            longitude: 116.397_128,
            latitude: 39.916_527,
            speed: Some(36.5),
            direction: Some(270.0),
            altitude: None,
        }
    }

    #[test]
    fn a_position_is_flat_in_2016() {
        let body = ManscdpStyle::default().mobile_position(12, &position());
        assert_eq!(
            String::from_utf8_lossy(&body),
            "<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Notify>\n\
             <CmdType>MobilePosition</CmdType>\n<SN>12</SN>\n\
             <DeviceID>34020000001320000001</DeviceID>\n<Time>2024-05-17T14:07:33</Time>\n\
             <Longitude>116.397128</Longitude>\n<Latitude>39.916527</Latitude>\n\
             <Speed>36.5</Speed>\n<Direction>270</Direction>\n</Notify>\n"
        );
        let read = MobilePosition::read(&Incoming::parse(&body).unwrap());
        assert_eq!(read, Some(position()));
    }

    #[test]
    fn a_list_of_2022_is_read_and_may_stand_beside_the_flat_form() {
        let style: ManscdpStyle = toml::from_str(
            "mobile-position = ['SumNum=1', 'DeviceList@Num=1', 'DeviceList/Item/DeviceID={id}', \
             'DeviceList/Item/CaptureTime={time}', 'DeviceList/Item/Longitude={longitude}', \
             'DeviceList/Item/Latitude={latitude}']",
        )
        .unwrap();
        let body = style.mobile_position(12, &position());
        let read = MobilePosition::read(&Incoming::parse(&body).unwrap()).unwrap();
        assert_eq!((read.longitude, read.latitude), (116.397_128, 39.916_527));
        assert_eq!(read.time, position().time);
    }

    #[test]
    fn an_interval_that_makes_no_sense_is_the_default() {
        let of = |text: &str| {
            let text = format!(
                "<Query><CmdType>MobilePosition</CmdType><Interval>{text}</Interval></Query>"
            );
            MobilePosition::interval(&Incoming::parse(text.as_bytes()).unwrap())
        };
        assert_eq!(of("10"), Duration::from_secs(10));
        assert_eq!((of("0"), of("soon")), (Duration::from_secs(1), INTERVAL));
    }
}
