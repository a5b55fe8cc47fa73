//! DeviceUpgrade: the order to take new firmware, and what has come of it
//! (GB/T 28181-2022 §9.13, annex A.2.3.1, A.2.5).

use std::fmt::{self, Display};

use bytes::Bytes;

use super::incoming::{Incoming, Root};
use super::style::{ManscdpStyle, message};
use crate::gb28181::element::Element;
use crate::gb28181::xml_style::XmlStyle;

/// The order to take new firmware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceUpgrade {
    /// `Firmware`: its version.
    pub firmware: String,
    /// `FileURL`: where it is.
    pub file_url: String,
    /// `Manufacturer`: whose devices it is for.
    pub manufacturer: String,
    /// `SessionID`: 32 to 128 letters of ASCII, digits and `-`, which the result repeats.
    pub session_id: String,
}

/// An element of an order that is missing or impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}: missing or impossible")]
pub struct WrongElement(pub &'static str);

/// What has come of an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeResult {
    /// The session of the order.
    pub session_id: String,
    /// `Firmware`: what the device runs now.
    pub firmware: String,
    /// `UpgradeResult` and `UpgradeFailedReason`: why it has failed, if it has.
    pub failure: Option<UpgradeFailure>,
}

/// Why an upgrade has failed: `UpgradeFailedReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpgradeFailure {
    /// 01: the download took too long.
    DownloadTimeout,
    /// 02: the package is broken.
    BrokenPackage,
    /// 03: the system is at fault.
    System,
    /// 99: anything else.
    Other,
}

/// No element of an order is longer, in octets.
const LONGEST: usize = 1024;

impl DeviceUpgrade {
    /// The order in a `Control` document, if there is one.
    pub fn read(document: &Incoming) -> Option<Result<DeviceUpgrade, WrongElement>> {
        if !document.is(Root::Control, "DeviceControl") {
            return None;
        }
        document.body.child("DeviceUpgrade").map(Self::of)
    }

    fn of(order: &Element) -> Result<DeviceUpgrade, WrongElement> {
        let text = |name| {
            let text = order.text_of(name).filter(|text| text.len() <= LONGEST);
            text.map(str::to_owned).ok_or(WrongElement(name))
        };
        Ok(DeviceUpgrade {
            firmware: text("Firmware")?,
            file_url: text("FileURL")?,
            manufacturer: order.text_of("Manufacturer").unwrap_or_default().to_owned(),
            session_id: session_id(order)?,
        })
    }

    /// The MESSAGE body that gives the order.
    pub fn write(&self, style: &XmlStyle, sn: impl Display, device_id: impl Display) -> Bytes {
        let order = Element::new("DeviceUpgrade")
            .with(Element::leaf("Firmware", self.firmware.as_str()))
            .with(Element::leaf("FileURL", self.file_url.as_str()))
            .with(Element::leaf("Manufacturer", self.manufacturer.as_str()))
            .with(Element::leaf("SessionID", self.session_id.as_str()));
        let (root, cmd_type) = (Root::Control, "DeviceControl");
        style.write(&message(root, cmd_type, sn, device_id, vec![order]))
    }
}

/// The session of an order. Platforms write shorter ones than the standard's 32 characters.
pub(super) fn session_id(order: &Element) -> Result<String, WrongElement> {
    let fits =
        |id: &&str| id.len() <= 128 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let found = order.text_of("SessionID").filter(fits);
    found.map(str::to_owned).ok_or(WrongElement("SessionID"))
}

impl UpgradeResult {
    /// Reads what a device says. `None`: it does not say how it went.
    pub fn read(document: &Incoming) -> Option<UpgradeResult> {
        let body = &document.body;
        let failure = match body.text_of("UpgradeResult")? {
            "OK" => None,
            "ERROR" => Some(UpgradeFailure::read(body.text_of("UpgradeFailedReason"))),
            _ => return None,
        };
        Some(UpgradeResult {
            session_id: session_id(body).ok()?,
            firmware: body.text_of("Firmware").unwrap_or_default().to_owned(),
            failure,
        })
    }
}

impl ManscdpStyle {
    /// The message that says what has come of an upgrade.
    pub fn upgrade_result(
        &self,
        sn: impl Display,
        device_id: impl Display,
        result: &UpgradeResult,
    ) -> Bytes {
        let word = if result.failure.is_none() {
            "OK"
        } else {
            "ERROR"
        };
        let mut rest = vec![
            Element::leaf("SessionID", result.session_id.as_str()),
            Element::leaf("UpgradeResult", word),
            Element::leaf("Firmware", result.firmware.as_str()),
        ];
        let reason = result.failure.map(UpgradeFailure::code);
        rest.extend(reason.map(|code| Element::leaf("UpgradeFailedReason", code)));
        self.write(Root::Notify, "DeviceUpgradeResult", sn, device_id, rest)
    }
}

impl UpgradeFailure {
    /// The code of the standard.
    pub const fn code(self) -> &'static str {
        match self {
            UpgradeFailure::DownloadTimeout => "01",
            UpgradeFailure::BrokenPackage => "02",
            UpgradeFailure::System => "03",
            UpgradeFailure::Other => "99",
        }
    }

    fn read(code: Option<&str>) -> UpgradeFailure {
        let known = [
            UpgradeFailure::DownloadTimeout,
            UpgradeFailure::BrokenPackage,
            UpgradeFailure::System,
        ];
        let found = known.into_iter().find(|why| Some(why.code()) == code);
        found.unwrap_or(UpgradeFailure::Other)
    }
}

impl fmt::Display for UpgradeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UpgradeFailure::DownloadTimeout => "the download took too long",
            UpgradeFailure::BrokenPackage => "the package is broken",
            UpgradeFailure::System => "the system is at fault",
            UpgradeFailure::Other => "something else",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &str = "0123456789abcdef0123456789ABCDE-";

    fn order() -> DeviceUpgrade {
        DeviceUpgrade {
            firmware: "V2.0".to_owned(),
            file_url: "http://192.0.2.9/fw.bin?a=1&b=2".to_owned(),
            manufacturer: "vcam".to_owned(),
            session_id: SESSION.to_owned(),
        }
    }

    #[test]
    fn an_order_is_read_as_it_was_written() {
        let octets = order().write(&XmlStyle::default(), 5, "34020000001320000001");
        let document = Incoming::parse(&octets).unwrap();
        assert_eq!(DeviceUpgrade::read(&document), Some(Ok(order())));
    }

    #[test]
    fn an_order_without_what_it_needs_is_wrong() {
        for (element, wrong) in [
            ("FileURL", String::new()),
            ("FileURL", "x".repeat(1025)),
            ("Firmware", String::new()),
            ("SessionID", "a b".to_owned()),
            ("SessionID", "a".repeat(129)),
        ] {
            let mut order = order();
            match element {
                "FileURL" => order.file_url = wrong,
                "Firmware" => order.firmware = wrong,
                _ => order.session_id = wrong,
            }
            let octets = order.write(&XmlStyle::default(), 5, "34020000001320000001");
            let document = Incoming::parse(&octets).unwrap();
            assert_eq!(
                DeviceUpgrade::read(&document),
                Some(Err(WrongElement(element)))
            );
        }
    }

    #[test]
    fn results_are_these_octets_and_read_back() {
        let style = ManscdpStyle::default();
        for (failure, reason) in [
            (None, ""),
            (
                Some(UpgradeFailure::BrokenPackage),
                "<UpgradeFailedReason>02</UpgradeFailedReason>\n",
            ),
        ] {
            let result = UpgradeResult {
                session_id: SESSION.to_owned(),
                firmware: "V2.0".to_owned(),
                failure,
            };
            let octets = style.upgrade_result(9, "34020000001320000001", &result);
            let word = if failure.is_some() { "ERROR" } else { "OK" };
            assert_eq!(
                String::from_utf8_lossy(&octets),
                format!(
                    "<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Notify>\n\
                     <CmdType>DeviceUpgradeResult</CmdType>\n<SN>9</SN>\n\
                     <DeviceID>34020000001320000001</DeviceID>\n\
                     <SessionID>{SESSION}</SessionID>\n<UpgradeResult>{word}</UpgradeResult>\n\
                     <Firmware>V2.0</Firmware>\n{reason}</Notify>\n"
                )
            );
            let document = Incoming::parse(&octets).unwrap();
            assert_eq!(UpgradeResult::read(&document), Some(result));
        }
    }
}
