//! A make's handwriting in MANSCDP bodies.

use std::fmt::Display;

use bytes::Bytes;
use serde::Deserialize;

use super::alarm::{self, Alarm};
use super::catalog_item::{self, CatalogItem};
use super::config_download::{self, BasicParam};
use super::device_info::{self, DeviceInfo};
use super::device_status::{self, DeviceStatus};
use super::incoming::{Outcome, Root};
use super::keepalive::{self, Keepalive};
use super::mobile_position::{self, MobilePosition};
use super::record_info::{self, RecordItem};
use crate::gb28181::element::Element;
use crate::gb28181::template::{Facts, XmlTemplate};
use crate::gb28181::xml_style::XmlStyle;

/// How a make writes what it says in MANSCDP. The default is the plain text of GB/T 28181-2016.
///
/// Each template holds the lines that follow `CmdType`, `SN` and `DeviceID` (in a catalogue:
/// those of one `Item`); see [`crate::gb28181::template`] for their grammar.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ManscdpStyle {
    /// The `Content-Type` of the MESSAGE.
    pub content_type: String,
    /// Prolog, layout and charset.
    pub xml: XmlStyle,
    /// How many catalogue items a message carries.
    pub items_per_message: Batch,
    /// How many recorded files a message carries, if that is not as many as catalogue items.
    pub records_per_message: Option<Batch>,
    /// Whether the answer to PresetQuery counts its presets in `SumNum`.
    pub preset_sum: bool,
    /// Whether the answer to HomePositionQuery is written as one to HomePosition: with that
    /// CmdType, and a Result.
    pub home_position_result: bool,
    /// Keepalive.
    pub keepalive: XmlTemplate<Keepalive>,
    /// One item of a catalogue.
    pub catalog_item: XmlTemplate<CatalogItem>,
    /// An item that is no device: a region, a business group, an organisation.
    pub catalog_node: XmlTemplate<CatalogItem>,
    /// An alarm input's item; `None`: the make does not list its alarm inputs.
    pub alarm_input_item: Option<XmlTemplate<CatalogItem>>,
    /// A voice output's item; `None`: the make does not list its voice outputs.
    pub voice_output_item: Option<XmlTemplate<CatalogItem>>,
    /// One recorded file.
    pub record_item: XmlTemplate<RecordItem>,
    /// An alarm.
    pub alarm: XmlTemplate<Alarm>,
    /// A position.
    pub mobile_position: XmlTemplate<MobilePosition>,
    /// The answer to DeviceInfo.
    pub device_info: XmlTemplate<DeviceInfo>,
    /// The answer to DeviceStatus.
    pub device_status: XmlTemplate<DeviceStatus>,
    /// The answer to ConfigDownload BasicParam.
    pub basic_param: XmlTemplate<BasicParam>,
}

impl Default for ManscdpStyle {
    fn default() -> Self {
        ManscdpStyle {
            content_type: "Application/MANSCDP+xml".to_owned(),
            xml: XmlStyle::default(),
            items_per_message: Batch::default(),
            records_per_message: None,
            preset_sum: true,
            home_position_result: false,
            keepalive: standard(keepalive::STANDARD),
            catalog_item: standard(catalog_item::STANDARD),
            catalog_node: standard(catalog_item::NODE),
            alarm_input_item: None,
            voice_output_item: None,
            record_item: standard(record_info::STANDARD),
            alarm: standard(alarm::STANDARD),
            mobile_position: standard(mobile_position::STANDARD),
            device_info: standard(device_info::STANDARD),
            device_status: standard(device_status::STANDARD),
            basic_param: standard(config_download::STANDARD),
        }
    }
}

/// Our own lines; a test holds them to be free of mistakes.
fn standard<F: Facts>(lines: &[&str]) -> XmlTemplate<F> {
    XmlTemplate::parse(lines).unwrap_or_default()
}

/// How many catalogue items go into one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Batch {
    /// One: Dahua recorders.
    One,
    /// Up to this many (0 counts as 1).
    Items(usize),
    /// As many as fit into a body of this many octets, at least one.
    Fit(usize),
}

impl Default for Batch {
    fn default() -> Self {
        Batch::Fit(1200)
    }
}

impl ManscdpStyle {
    /// A `Response` with nothing but a `Result`, for commands that ask for no more.
    pub fn result(
        &self,
        cmd_type: &str,
        sn: impl Display,
        device_id: impl Display,
        outcome: Outcome,
    ) -> Bytes {
        let result = vec![Element::leaf("Result", outcome.as_str())];
        self.write(Root::Response, cmd_type, sn, device_id, result)
    }

    pub(super) fn write(
        &self,
        root: Root,
        cmd_type: &str,
        sn: impl Display,
        device_id: impl Display,
        rest: Vec<Element>,
    ) -> Bytes {
        self.xml
            .write(&message(root, cmd_type, sn, device_id, rest))
    }
}

/// The tree of a message: `CmdType`, `SN`, `DeviceID`, then the rest.
pub(super) fn message(
    root: Root,
    cmd_type: &str,
    sn: impl Display,
    device_id: impl Display,
    rest: Vec<Element>,
) -> Element {
    let mut message = Element::new(root.as_str())
        .with(Element::leaf("CmdType", cmd_type))
        .with(Element::leaf("SN", sn.to_string()))
        .with(Element::leaf("DeviceID", device_id.to_string()));
    message.children.extend(rest);
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_templates_have_no_mistakes() {
        assert!(XmlTemplate::<Keepalive>::parse(keepalive::STANDARD).is_ok());
        assert!(XmlTemplate::<CatalogItem>::parse(catalog_item::STANDARD).is_ok());
        assert!(XmlTemplate::<CatalogItem>::parse(catalog_item::NODE).is_ok());
        assert!(XmlTemplate::<RecordItem>::parse(record_info::STANDARD).is_ok());
        assert!(XmlTemplate::<Alarm>::parse(alarm::STANDARD).is_ok());
        assert!(XmlTemplate::<MobilePosition>::parse(mobile_position::STANDARD).is_ok());
        assert!(XmlTemplate::<DeviceInfo>::parse(device_info::STANDARD).is_ok());
        assert!(XmlTemplate::<DeviceStatus>::parse(device_status::STANDARD).is_ok());
        assert!(XmlTemplate::<BasicParam>::parse(config_download::STANDARD).is_ok());
    }

    #[test]
    fn a_result_names_the_command_it_answers() {
        let octets = ManscdpStyle::default().result("DeviceControl", 17, "3402", Outcome::Error);
        assert_eq!(
            &octets[..],
            b"<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Response>\n\
              <CmdType>DeviceControl</CmdType>\n<SN>17</SN>\n<DeviceID>3402</DeviceID>\n\
              <Result>ERROR</Result>\n</Response>\n"
                .as_slice()
        );
    }

    #[test]
    fn a_profile_fills_only_what_differs_and_misspellings_are_errors() {
        let style: ManscdpStyle = toml::from_str(
            "content-type = 'application/manscdp+xml'\n\
             items-per-message = 'one'\n\
             keepalive = ['Status={status}', \"Info=\\n\"]",
        )
        .unwrap();
        assert_eq!(style.items_per_message, Batch::One);
        assert_eq!(style.device_info, ManscdpStyle::default().device_info);
        for wrong in [
            "catalogitem = []",
            "keepalive = ['Status={stauts}']",
            "items-per-message = { fits = 3 }",
            "[xml]\ncolour = 'red'",
        ] {
            assert!(toml::from_str::<ManscdpStyle>(wrong).is_err(), "{wrong}");
        }
        let batches: ManscdpStyle = toml::from_str("items-per-message = { fit = 900 }").unwrap();
        assert_eq!(batches.items_per_message, Batch::Fit(900));
    }
}
