//! SnapShotConfig: the order to take pictures and deliver them, and the word that they are
//! delivered (GB/T 28181-2022 §9.14, annex A.2.1, A.2.5).

use std::fmt::Display;

use bytes::Bytes;

use super::device_upgrade::{WrongElement, session_id};
use super::incoming::{Incoming, Root};
use super::style::{ManscdpStyle, message};
use crate::gb28181::element::Element;
use crate::gb28181::xml_style::XmlStyle;
use crate::gb28181::{DeviceId, time};
use crate::time::Wall;

/// The order to take pictures and deliver them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapShotConfig {
    /// `SnapNum`: how many, 1 to 10.
    pub number: u8,
    /// `Interval`: seconds from one to the next, at least 1; 1 when it is not said.
    pub interval: u32,
    /// `UploadURL`: where they go.
    pub upload_url: String,
    /// `SessionID`, as in [`DeviceUpgrade`](super::DeviceUpgrade).
    pub session_id: String,
}

/// The word that the pictures of an order are delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapShotFinished {
    /// The session of the order.
    pub session_id: String,
    /// The pictures that arrived; those that are missing have failed.
    pub files: Vec<String>,
}

/// The most pictures of one order.
const MOST: u8 = 10;
/// The longest interval taken, in seconds.
const LONGEST_INTERVAL: u32 = 3600;

impl SnapShotConfig {
    /// The order in a `Control` document, if there is one. Drafts of the standard call the
    /// element `SnapShot`.
    pub fn read(document: &Incoming) -> Option<Result<SnapShotConfig, WrongElement>> {
        if !document.is(Root::Control, "DeviceConfig") {
            return None;
        }
        let body = &document.body;
        let order = body.child("SnapShotConfig").or(body.child("SnapShot"));
        order.map(Self::of)
    }

    fn of(order: &Element) -> Result<SnapShotConfig, WrongElement> {
        let number = order.text_of("SnapNum").and_then(|text| text.parse().ok());
        let interval = match order.text_of("Interval") {
            None => Some(1),
            Some(text) => text.parse().ok(),
        };
        let url = order.text_of("UploadURL").filter(|url| url.len() <= 1024);
        Ok(SnapShotConfig {
            number: number
                .filter(|number| (1..=MOST).contains(number))
                .ok_or(WrongElement("SnapNum"))?,
            interval: interval
                .filter(|seconds| (1..=LONGEST_INTERVAL).contains(seconds))
                .ok_or(WrongElement("Interval"))?,
            upload_url: url.ok_or(WrongElement("UploadURL"))?.to_owned(),
            session_id: session_id(order)?,
        })
    }

    /// The MESSAGE body that gives the order.
    pub fn write(&self, style: &XmlStyle, sn: impl Display, device_id: impl Display) -> Bytes {
        let order = Element::new("SnapShotConfig")
            .with(Element::leaf("SnapNum", self.number.to_string()))
            .with(Element::leaf("Interval", self.interval.to_string()))
            .with(Element::leaf("UploadURL", self.upload_url.as_str()))
            .with(Element::leaf("SessionID", self.session_id.as_str()));
        let (root, cmd_type) = (Root::Control, "DeviceConfig");
        style.write(&message(root, cmd_type, sn, device_id, vec![order]))
    }
}

impl SnapShotFinished {
    /// Reads what a device says. `None`: it does not say of which session.
    pub fn read(document: &Incoming) -> Option<SnapShotFinished> {
        let body = &document.body;
        let list = body.child("SnapShotList");
        let files = list
            .into_iter()
            .flat_map(|list| list.children_named("SnapShotFileID"));
        Some(SnapShotFinished {
            session_id: session_id(body).ok()?,
            files: files.map(|file| file.text.clone()).collect(),
        })
    }

    /// The name of a picture: the channel, `02`, its time to the millisecond, two digits.
    pub fn file_id(channel: &DeviceId, taken: Wall, serial: u8) -> String {
        let time = time::local_millis(taken);
        let digits: String = time.chars().filter(char::is_ascii_digit).collect();
        format!("{channel}02{digits}{:02}", serial % 100)
    }
}

impl ManscdpStyle {
    /// The message that says which pictures are delivered.
    pub fn snapshot_finished(
        &self,
        sn: impl Display,
        device_id: impl Display,
        finished: &SnapShotFinished,
    ) -> Bytes {
        let files = finished.files.iter();
        let list = files.fold(Element::new("SnapShotList"), |list, file| {
            list.with(Element::leaf("SnapShotFileID", file.as_str()))
        });
        let session = Element::leaf("SessionID", finished.session_id.as_str());
        let rest = vec![session, list];
        self.write(Root::Notify, "UploadSnapShotFinished", sn, device_id, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: &str = "34020000001310000001";
    const SESSION: &str = "0123456789abcdef0123456789ABCDE-";

    fn read(rest: &str) -> Option<Result<SnapShotConfig, WrongElement>> {
        let body = format!(
            "<Control><CmdType>DeviceConfig</CmdType><SN>1</SN><DeviceID>{CHANNEL}</DeviceID>\
             <SnapShotConfig>{rest}</SnapShotConfig></Control>"
        );
        SnapShotConfig::read(&Incoming::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn an_order_is_read_as_it_was_written_and_its_interval_may_be_missing() {
        let order = SnapShotConfig {
            number: 3,
            interval: 1,
            upload_url: "http://192.0.2.9/up?x=1&y=2".to_owned(),
            session_id: SESSION.to_owned(),
        };
        let octets = order.write(&XmlStyle::default(), 5, CHANNEL);
        let document = Incoming::parse(&octets).unwrap();
        assert_eq!(SnapShotConfig::read(&document), Some(Ok(order.clone())));
        let rest = format!(
            "<SnapNum>3</SnapNum><UploadURL>http://192.0.2.9/up?x=1&amp;y=2</UploadURL>\
             <SessionID>{SESSION}</SessionID>"
        );
        assert_eq!(read(&rest), Some(Ok(order)));
    }

    #[test]
    fn impossible_orders_say_what_is_wrong() {
        for (number, interval, wrong) in [
            ("0", "1", "SnapNum"),
            ("11", "1", "SnapNum"),
            ("many", "1", "SnapNum"),
            ("1", "0", "Interval"),
            ("1", "-1", "Interval"),
            ("1", "3601", "Interval"),
            ("1", "1", "UploadURL"),
        ] {
            let rest = format!("<SnapNum>{number}</SnapNum><Interval>{interval}</Interval>");
            assert_eq!(read(&rest), Some(Err(WrongElement(wrong))));
        }
    }

    #[test]
    fn a_file_is_named_by_41_digits() {
        let taken = Wall::from_micros(1_715_926_053_263_000);
        let id = SnapShotFinished::file_id(&CHANNEL.parse().unwrap(), taken, 1);
        assert_eq!(id, "34020000001310000001022024051714073326301");
        assert_eq!(id.len(), 41);
    }

    #[test]
    fn the_word_that_all_is_delivered_is_these_octets_and_reads_back() {
        let finished = SnapShotFinished {
            session_id: SESSION.to_owned(),
            files: vec!["34020000001310000001022024051714073326301".to_owned()],
        };
        let octets = ManscdpStyle::default().snapshot_finished(17, CHANNEL, &finished);
        assert_eq!(
            String::from_utf8_lossy(&octets),
            format!(
                "<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Notify>\n\
                 <CmdType>UploadSnapShotFinished</CmdType>\n<SN>17</SN>\n\
                 <DeviceID>{CHANNEL}</DeviceID>\n<SessionID>{SESSION}</SessionID>\n\
                 <SnapShotList>\n\
                 <SnapShotFileID>34020000001310000001022024051714073326301</SnapShotFileID>\n\
                 </SnapShotList>\n</Notify>\n"
            )
        );
        let document = Incoming::parse(&octets).unwrap();
        assert_eq!(SnapShotFinished::read(&document), Some(finished));
    }
}
