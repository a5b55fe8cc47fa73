//! Alarm: something happened (GB/T 28181-2022 A.2.5.3), and which of it a platform wants to hear
//! (A.2.4.9).

use std::borrow::Cow;
use std::fmt::Display;

use bytes::Bytes;

use super::incoming::{Incoming, Root};
use super::style::ManscdpStyle;
use crate::gb28181::DeviceId;
use crate::gb28181::template::Facts;
use crate::gb28181::time;
use crate::time::Wall;

pub(super) const CMD_TYPE: &str = "Alarm";

/// Something that happened.
///
/// Placeholders: `{priority}`, `{method}`, `{time}` (local), `{description}`, `{longitude}`,
/// `{latitude}`, `{kind}`, `{event}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// `DeviceID`: the channel or alarm input where it happened.
    pub at: DeviceId,
    /// `AlarmPriority`: 1 the most urgent, to 4.
    pub priority: u8,
    /// `AlarmMethod`: 1 telephone, 2 device, 3 short message, 4 GPS, 5 video, 6 device fault,
    /// 7 other.
    pub method: u8,
    /// `AlarmTime`.
    pub time: Wall,
    /// `AlarmDescription`.
    pub description: Option<String>,
    /// `Longitude`, in degrees.
    pub longitude: Option<f64>,
    /// `Latitude`, in degrees.
    pub latitude: Option<f64>,
    /// `AlarmType`, which depends on the method; of video: 2 motion, 5 tripwire, 6 intrusion.
    pub kind: Option<u8>,
    /// `EventType` of an intrusion: 1 enters, 2 leaves.
    pub event: Option<u8>,
}

impl Alarm {
    /// A video alarm: somebody moves (method 5, type 2).
    pub fn motion(at: DeviceId, time: Wall) -> Alarm {
        Alarm {
            at,
            priority: 4,
            method: 5,
            time,
            description: None,
            longitude: None,
            latitude: None,
            kind: Some(2),
            event: None,
        }
    }

    /// An alarm input is closed (method 2).
    pub fn input(at: DeviceId, time: Wall) -> Alarm {
        Alarm {
            priority: 1,
            method: 2,
            kind: None,
            ..Alarm::motion(at, time)
        }
    }

    /// Reads a notification. `None`: it does not say where, when and what.
    pub fn read(message: &Incoming) -> Option<Alarm> {
        let body = &message.body;
        let info = body.child("Info");
        let param = info.and_then(|info| info.child("AlarmTypeParam"));
        Some(Alarm {
            at: message.device_id.parse().ok()?,
            priority: body.text_of("AlarmPriority")?.trim().parse().ok()?,
            method: body.text_of("AlarmMethod")?.trim().parse().ok()?,
            time: time::parse(body.text_of("AlarmTime")?)?,
            description: body.text_of("AlarmDescription").map(str::to_owned),
            longitude: body.text_of("Longitude").and_then(|n| n.parse().ok()),
            latitude: body.text_of("Latitude").and_then(|n| n.parse().ok()),
            kind: info.and_then(|info| info.text_of("AlarmType")?.parse().ok()),
            event: param.and_then(|param| param.text_of("EventType")?.parse().ok()),
        })
    }
}

pub(super) const STANDARD: &[&str] = &[
    "AlarmPriority={priority}",
    "AlarmMethod={method}",
    "AlarmTime={time}",
    "AlarmDescription={description}",
    "Longitude={longitude}",
    "Latitude={latitude}",
    "Info/AlarmType={kind}",
    "Info/AlarmTypeParam/EventType={event}",
];

impl Facts for Alarm {
    const NAMES: &'static [&'static str] = &[
        "priority",
        "method",
        "time",
        "description",
        "longitude",
        "latitude",
        "kind",
        "event",
    ];

    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "priority" => Some(self.priority.to_string().into()),
            "method" => Some(self.method.to_string().into()),
            "time" => Some(time::local(self.time).into()),
            "description" => self.description.as_deref().map(Cow::from),
            "longitude" => self.longitude.map(|degrees| degrees.to_string().into()),
            "latitude" => self.latitude.map(|degrees| degrees.to_string().into()),
            "kind" => self.kind.map(|kind| kind.to_string().into()),
            "event" => self.event.map(|event| event.to_string().into()),
            _ => None,
        }
    }
}

impl ManscdpStyle {
    /// The notification of an alarm.
    pub fn alarm(&self, sn: impl Display, alarm: &Alarm) -> Bytes {
        let rest = self.alarm.fill(alarm);
        self.write(Root::Notify, CMD_TYPE, sn, alarm.at, rest)
    }
}

/// Which alarms a platform wants to hear. Nothing said means all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmFilter {
    /// `StartAlarmPriority`; 0: from the most urgent.
    pub from_priority: u8,
    /// `EndAlarmPriority`; 0: to the least urgent.
    pub to_priority: u8,
    /// `AlarmMethod`: one digit per method; empty or with a 0: all.
    pub methods: Vec<u8>,
    /// `StartAlarmTime`.
    pub since: Option<Wall>,
    /// `EndAlarmTime`.
    pub until: Option<Wall>,
}

impl AlarmFilter {
    /// Reads a query or the body of a SUBSCRIBE. What makes no sense is as good as absent; the
    /// misspelling `StartAlarmPrority`, which platforms write, is understood.
    pub fn read(message: &Incoming) -> AlarmFilter {
        let body = &message.body;
        let number = |name| body.text_of(name).and_then(|text| text.trim().parse().ok());
        let digits = body.text_of("AlarmMethod").unwrap_or_default();
        let digits = digits.bytes().filter(u8::is_ascii_digit);
        AlarmFilter {
            from_priority: number("StartAlarmPriority")
                .or_else(|| number("StartAlarmPrority"))
                .unwrap_or(0),
            to_priority: number("EndAlarmPriority").unwrap_or(0),
            methods: digits.map(|digit| digit - b'0').take(16).collect(),
            since: body.text_of("StartAlarmTime").and_then(time::parse),
            until: body.text_of("EndAlarmTime").and_then(time::parse),
        }
    }

    /// Whether it wants to hear of this alarm, whenever that was.
    pub fn wants(&self, alarm: &Alarm) -> bool {
        let last = match self.to_priority {
            0 => u8::MAX,
            last => last,
        };
        let method = self.methods.is_empty()
            || self.methods.contains(&0)
            || self.methods.contains(&alarm.method);
        method && (self.from_priority..=last).contains(&alarm.priority)
    }

    /// Whether it asks for an alarm of this time.
    pub fn covers(&self, time: Wall) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at() -> DeviceId {
        "34020000001310000001".parse().unwrap()
    }

    #[test]
    fn an_alarm_is_written_as_a_hikvision_camera_writes_it() {
        let alarm = Alarm::motion(at(), time::parse("2025-04-22T11:26:02").unwrap());
        let body = ManscdpStyle::default().alarm(99, &alarm);
        let expected = "<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Notify>\n\
             <CmdType>Alarm</CmdType>\n<SN>99</SN>\n<DeviceID>34020000001310000001</DeviceID>\n\
             <AlarmPriority>4</AlarmPriority>\n<AlarmMethod>5</AlarmMethod>\n\
             <AlarmTime>2025-04-22T11:26:02</AlarmTime>\n<Info>\n<AlarmType>2</AlarmType>\n\
             </Info>\n</Notify>\n";
        assert_eq!(String::from_utf8_lossy(&body), expected);
        assert_eq!(body.len(), 283, "its Content-Length");
        assert_eq!(Alarm::read(&Incoming::parse(&body).unwrap()), Some(alarm));
    }

    #[test]
    fn everything_that_is_said_is_read_back() {
        let alarm = Alarm {
            description: Some("视频动检".into()),
            longitude: Some(116.397),
            latitude: Some(39.908),
            kind: Some(6),
            event: Some(1),
            ..Alarm::input(at(), Wall::from_seconds(1_700_000_000))
        };
        let body = ManscdpStyle::default().alarm(1, &alarm);
        assert_eq!(Alarm::read(&Incoming::parse(&body).unwrap()), Some(alarm));
    }

    #[test]
    fn a_filter_knows_priorities_and_methods() {
        let filter = |more: &str| {
            let text = format!(
                "<Query><CmdType>Alarm</CmdType><SN>1</SN><DeviceID>1</DeviceID>{more}</Query>"
            );
            AlarmFilter::read(&Incoming::parse(text.as_bytes()).unwrap())
        };
        let motion = Alarm::motion(at(), Wall::from_seconds(0));
        let wants = |more: &str| filter(more).wants(&motion);
        assert!(wants("") && wants("<AlarmMethod>0</AlarmMethod><AlarmType>all</AlarmType>"));
        assert!(wants(
            "<StartAlarmPriority>0</StartAlarmPriority><EndAlarmPriority>0</EndAlarmPriority>"
        ));
        assert!(wants("<AlarmMethod>25</AlarmMethod>") && !wants("<AlarmMethod>12</AlarmMethod>"));
        assert!(!wants("<EndAlarmPriority>3</EndAlarmPriority>"));
        assert!(wants(
            "<StartAlarmPrority>4</StartAlarmPrority><EndAlarmPriority>4</EndAlarmPriority>"
        ));
        assert!(wants("<StartAlarmPriority>much</StartAlarmPriority>"));
        let day = filter("<StartAlarmTime>2025-04-22T00:00:00</StartAlarmTime>");
        assert!(
            !day.covers(Wall::from_seconds(0)) && day.covers(Wall::from_seconds(2_000_000_000))
        );
    }
}
