//! `Control`: the commands of a DeviceControl, read and written (GB/T 28181-2022 §9.3, annex A.2.3).

use std::fmt::{self, Display};

use bytes::Bytes;

use super::head::HomePosition;
use super::incoming::{Incoming, Root};
use super::style::message;
use crate::gb28181::element::Element;
use crate::gb28181::ptz::{Ptz, PtzError};
use crate::gb28181::xml_style::XmlStyle;

/// One command of a DeviceControl.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// `PTZCmd`.
    Ptz(Ptz),
    /// `RecordCmd`: start recording, or stop.
    Record(bool),
    /// `GuardCmd`: arm the alarm inputs, or disarm them.
    Guard(bool),
    /// `FormatSDCard` (2022): format the storage card of this number, or all (0).
    FormatSdCard(u8),
    /// `AlarmCmd`: forget the pending alarms.
    ResetAlarm,
    /// `IFameCmd` (2016, spelled so) or `IFrameCmd` (2022): a key frame at once.
    KeyFrame,
    /// `TeleBoot`: start anew.
    Boot,
    /// `DragZoomIn` or `DragZoomOut`: a part of the picture fills it, or the other way round.
    Drag {
        /// Which part.
        zone: Zone,
        /// In, or out.
        into: bool,
    },
    /// `HomePosition`: where the head goes when nobody steers it.
    Home(HomePosition),
    /// `PTZPreciseCtrl` (2022): look exactly there.
    Precise(Precise),
    /// `TargetTrack` (2022): follow a target.
    Track(Tracking),
}

/// A part of the picture, in pixels of the window in which somebody drew it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    /// `Length`: how wide the window is.
    pub length: u32,
    /// `Width`: how high it is.
    pub width: u32,
    /// `MidPointX`: the middle of the part, from the left.
    pub mid_x: u32,
    /// `MidPointY`: from the top.
    pub mid_y: u32,
    /// `LengthX`: how wide the part is.
    pub length_x: u32,
    /// `LengthY`: how high it is.
    pub length_y: u32,
}

/// Where to look; what is not said stays.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Precise {
    /// Degrees clockwise, 0 to 360.
    pub pan: Option<f64>,
    /// Degrees, down positive.
    pub tilt: Option<f64>,
    /// How many times to magnify.
    pub zoom: Option<f64>,
}

/// Whether a target is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tracking {
    /// `Auto`: what the camera finds.
    Auto,
    /// `Manual`: what stands in the area that is told.
    Manual,
    /// `Stop`: nothing.
    Stop,
}

/// Why a command is not obeyed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// Its octets are broken.
    #[error("PTZCmd: {0}")]
    Ptz(#[from] PtzError),
    /// Its value is none of its words.
    #[error("{0}: no such value")]
    Value(&'static str),
}

/// A command as it was found: what it asks, and whether the device has to say how it went.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The command, or what is wrong with it.
    pub what: Result<Control, ControlError>,
    /// Whether a `Response` follows (GB/T 28181-2022 §9.3.1).
    pub wants_response: bool,
}

impl Control {
    /// The commands in a `Control` document, in their order; several in one are legal. Elements
    /// that are no command known here are passed over.
    pub fn read(document: &Incoming) -> Vec<Found> {
        if !document.is(Root::Control, CMD_TYPE) {
            return Vec::new();
        }
        document.body.children.iter().filter_map(found).collect()
    }

    /// Whether the device answers it with a `Response` (GB/T 28181-2022 §9.3.1).
    pub const fn wants_response(self) -> bool {
        matches!(
            self,
            Control::Record(_) | Control::Guard(_) | Control::ResetAlarm | Control::Home(_)
        )
    }

    /// The MESSAGE body that gives this command to a channel or device.
    pub fn write(self, style: &XmlStyle, sn: impl Display, device_id: impl Display) -> Bytes {
        let command = vec![self.element()];
        style.write(&message(Root::Control, CMD_TYPE, sn, device_id, command))
    }

    fn element(self) -> Element {
        let either = |is, yes: &'static str, no: &'static str| if is { yes } else { no };
        match self {
            Control::Ptz(ptz) => Element::leaf("PTZCmd", ptz.to_string()),
            Control::Record(on) => Element::leaf("RecordCmd", either(on, "Record", "StopRecord")),
            Control::Guard(on) => Element::leaf("GuardCmd", either(on, "SetGuard", "ResetGuard")),
            Control::FormatSdCard(card) => Element::leaf("FormatSDCard", card.to_string()),
            Control::ResetAlarm => Element::leaf("AlarmCmd", "ResetAlarm"),
            Control::KeyFrame => Element::leaf("IFameCmd", "Send"),
            Control::Boot => Element::leaf("TeleBoot", "Boot"),
            Control::Drag { zone, into } => zone.element(either(into, "DragZoomIn", "DragZoomOut")),
            Control::Home(home) => home.element(),
            Control::Precise(to) => to.element(),
            Control::Track(what) => Element::leaf("TargetTrack", what.as_str()),
        }
    }
}

impl fmt::Display for Control {
    /// The element and its value, as on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Element {
            name,
            text,
            children,
            ..
        } = self.element();
        write!(f, "{name}")?;
        match children.is_empty() {
            true => write!(f, " {text}"),
            false => children
                .iter()
                .try_for_each(|c| write!(f, " {} {}", c.name, c.text)),
        }
    }
}

const CMD_TYPE: &str = "DeviceControl";

fn found(element: &Element) -> Option<Found> {
    let word = |text: &str| element.text.eq_ignore_ascii_case(text);
    let (what, wants_response) = match element.name.as_str() {
        "PTZCmd" => (ptz(&element.text), false),
        "IFameCmd" | "IFrameCmd" if word("Send") => (Ok(Control::KeyFrame), false),
        "IFameCmd" | "IFrameCmd" => (Err(ControlError::Value("IFrameCmd")), false),
        "RecordCmd" if word("Record") => (Ok(Control::Record(true)), true),
        "RecordCmd" if word("StopRecord") => (Ok(Control::Record(false)), true),
        "RecordCmd" => (Err(ControlError::Value("RecordCmd")), true),
        "GuardCmd" if word("SetGuard") => (Ok(Control::Guard(true)), true),
        "GuardCmd" if word("ResetGuard") => (Ok(Control::Guard(false)), true),
        "GuardCmd" => (Err(ControlError::Value("GuardCmd")), true),
        "FormatSDCard" => (sd_card(&element.text), false),
        "AlarmCmd" if word("ResetAlarm") => (Ok(Control::ResetAlarm), true),
        "AlarmCmd" => (Err(ControlError::Value("AlarmCmd")), true),
        "TeleBoot" if word("Boot") => (Ok(Control::Boot), false),
        "TeleBoot" => (Err(ControlError::Value("TeleBoot")), false),
        "DragZoomIn" | "DragZoomOut" => {
            let zone = Zone::of(element).ok_or(ControlError::Value("DragZoom"));
            let into = element.name == "DragZoomIn";
            (zone.map(|zone| Control::Drag { zone, into }), false)
        }
        "HomePosition" => {
            let home = HomePosition::of(element).ok_or(ControlError::Value("HomePosition"));
            (home.map(Control::Home), true)
        }
        "PTZPreciseCtrl" => {
            let to = Precise::of(element).ok_or(ControlError::Value("PTZPreciseCtrl"));
            (to.map(Control::Precise), false)
        }
        "TargetTrack" => {
            let what = Tracking::of(&element.text).ok_or(ControlError::Value("TargetTrack"));
            (what.map(Control::Track), false)
        }
        _ => return None,
    };
    Some(Found {
        what,
        wants_response,
    })
}

fn sd_card(text: &str) -> Result<Control, ControlError> {
    let card = text
        .parse()
        .map_err(|_| ControlError::Value("FormatSDCard"))?;
    Ok(Control::FormatSdCard(card))
}

fn ptz(text: &str) -> Result<Control, ControlError> {
    Ok(Control::Ptz(Ptz::parse(text)?))
}

fn number<T: std::str::FromStr>(element: &Element, name: &str) -> Option<T> {
    let same = |child: &&Element| child.name.eq_ignore_ascii_case(name);
    element.children.iter().find(same)?.text.trim().parse().ok()
}

impl Zone {
    const NAMES: [&str; 6] = [
        "Length",
        "Width",
        "MidPointX",
        "MidPointY",
        "LengthX",
        "LengthY",
    ];

    fn of(element: &Element) -> Option<Zone> {
        let [length, width, mid_x, mid_y, length_x, length_y] =
            Zone::NAMES.map(|name| number(element, name));
        Some(Zone {
            length: length?,
            width: width?,
            mid_x: mid_x?,
            mid_y: mid_y?,
            length_x: length_x?,
            length_y: length_y?,
        })
    }

    fn element(self, name: &str) -> Element {
        let Zone {
            length,
            width,
            mid_x,
            mid_y,
            length_x,
            length_y,
        } = self;
        let values = [length, width, mid_x, mid_y, length_x, length_y];
        let named = Zone::NAMES.into_iter().zip(values);
        named.fold(Element::new(name), |whole, (name, value)| {
            whole.with(Element::leaf(name, value.to_string()))
        })
    }
}

impl Precise {
    /// Each may be left out; one that is there must be a number.
    fn of(element: &Element) -> Option<Precise> {
        let part = |name: &str| match element.text_of(name) {
            None => Some(None),
            Some(_) => number::<f64>(element, name)
                .filter(|number| number.is_finite())
                .map(Some),
        };
        Some(Precise {
            pan: part("Pan")?,
            tilt: part("Tilt")?,
            zoom: part("Zoom")?,
        })
    }

    fn element(self) -> Element {
        let named = [("Pan", self.pan), ("Tilt", self.tilt), ("Zoom", self.zoom)];
        let mut element = Element::new("PTZPreciseCtrl");
        element.children.extend(
            named.into_iter().filter_map(|(name, value)| {
                value.map(|value| Element::leaf(name, value.to_string()))
            }),
        );
        element
    }
}

impl Tracking {
    fn of(text: &str) -> Option<Tracking> {
        let all = [Tracking::Auto, Tracking::Manual, Tracking::Stop];
        all.into_iter()
            .find(|what| what.as_str().eq_ignore_ascii_case(text.trim()))
    }

    const fn as_str(self) -> &'static str {
        match self {
            Tracking::Auto => "Auto",
            Tracking::Manual => "Manual",
            Tracking::Stop => "Stop",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: &str = "34020000001320000001";

    fn read(commands: &str) -> Vec<Found> {
        let body = format!(
            "<Control><CmdType>DeviceControl</CmdType><SN>1</SN>\
             <DeviceID>{CHANNEL}</DeviceID>{commands}</Control>"
        );
        Control::read(&Incoming::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn every_command_is_read_as_it_was_written() {
        for command in [
            Control::Ptz(Ptz::STOP),
            Control::Record(true),
            Control::Record(false),
            Control::Guard(true),
            Control::Guard(false),
            Control::ResetAlarm,
            Control::FormatSdCard(0),
            Control::FormatSdCard(8),
            Control::KeyFrame,
            Control::Boot,
            Control::Drag {
                zone: Zone {
                    length: 1920,
                    width: 1080,
                    mid_x: 960,
                    mid_y: 540,
                    length_x: 480,
                    length_y: 270,
                },
                into: true,
            },
            Control::Home(HomePosition {
                enabled: true,
                reset_time: 60,
                preset: 3,
            }),
            Control::Precise(Precise {
                pan: Some(12.5),
                tilt: None,
                zoom: Some(4.0),
            }),
            Control::Track(Tracking::Auto),
        ] {
            let octets = command.write(&XmlStyle::default(), 5, CHANNEL);
            let document = Incoming::parse(&octets).unwrap();
            assert_eq!((document.sn.as_str(), document.device_id.len()), ("5", 20));
            let found = Found {
                what: Ok(command),
                wants_response: command.wants_response(),
            };
            assert_eq!(Control::read(&document), [found]);
        }
    }

    #[test]
    fn both_spellings_of_the_key_frame_and_any_case_are_taken() {
        for spelt in [
            "<IFameCmd>Send</IFameCmd>",
            "<IFrameCmd>Send</IFrameCmd>",
            "<IFrameCmd>send</IFrameCmd>",
        ] {
            assert_eq!(read(spelt)[0].what, Ok(Control::KeyFrame), "{spelt}");
        }
        let stop = read("<RecordCmd>stopRecord</RecordCmd>");
        assert_eq!(stop[0].what, Ok(Control::Record(false)));
    }

    #[test]
    fn several_commands_keep_their_order_and_what_is_unknown_is_passed_over() {
        let found = read(
            "<GuardCmd>SetGuard</GuardCmd><Info><ControlPriority>5</ControlPriority></Info>\
             <Dance>1</Dance><PTZCmd>A50F0100000000B6</PTZCmd><RecordCmd>Perhaps</RecordCmd>",
        );
        let wanting: Vec<_> = found.iter().map(|found| found.wants_response).collect();
        assert_eq!(wanting, [true, false, true]);
        assert_eq!(found[0].what, Ok(Control::Guard(true)));
        assert!(matches!(found[1].what, Err(ControlError::Ptz(_))));
        assert_eq!(found[2].what, Err(ControlError::Value("RecordCmd")));
    }

    #[test]
    fn a_query_holds_no_command() {
        let body = b"<Query><CmdType>DeviceControl</CmdType><RecordCmd>Record</RecordCmd></Query>";
        assert_eq!(Control::read(&Incoming::parse(body).unwrap()), []);
    }
}
