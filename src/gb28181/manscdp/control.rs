//! `Control`: the commands of a DeviceControl, read and written (GB/T 28181-2022 §9.3, annex A.2.3).

use std::fmt::{self, Display};

use bytes::Bytes;

use super::incoming::{Incoming, Root};
use super::style::message;
use crate::gb28181::element::Element;
use crate::gb28181::ptz::{Ptz, PtzError};
use crate::gb28181::xml_style::XmlStyle;

/// One command of a DeviceControl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
        !matches!(
            self,
            Control::Ptz(_) | Control::KeyFrame | Control::FormatSdCard(_)
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
        }
    }
}

impl fmt::Display for Control {
    /// The element and its value, as on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Element { name, text, .. } = self.element();
        write!(f, "{name} {text}")
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
