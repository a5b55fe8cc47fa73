//! Broadcast: the platform wants to speak through a device, which then calls it for its voice
//! (GB/T 28181-2022 9.12 and annex A.2.5).

use std::fmt::Display;

use bytes::Bytes;

use super::device_upgrade::WrongElement;
use super::incoming::{Incoming, Root};
use crate::gb28181::device_id::DeviceId;
use crate::gb28181::element::Element;
use crate::gb28181::xml_style::XmlStyle;

/// `CmdType` of the notification and of its answer.
const BROADCAST: &str = "Broadcast";

/// Who wants to speak to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broadcast {
    /// `SourceID`: who speaks, the platform or a voice input of it. The device calls it.
    pub source: DeviceId,
    /// `TargetID`: who is to be heard from, a voice output, a channel or the device.
    pub target: DeviceId,
}

impl Broadcast {
    /// What a document announces, if it is such a notification: or which of the codes is missing
    /// or impossible.
    pub fn read(document: &Incoming) -> Option<Result<Broadcast, WrongElement>> {
        if !document.is(Root::Notify, BROADCAST) {
            return None;
        }
        let code = |name| {
            let text = document.body.text_of(name).unwrap_or_default();
            text.parse().map_err(|_| WrongElement(name))
        };
        let both = code("SourceID").and_then(|source| {
            let target = code("TargetID")?;
            Ok(Broadcast { source, target })
        });
        Some(both)
    }

    /// The MESSAGE body that announces it. It has no `DeviceID`.
    pub fn write(&self, style: &XmlStyle, sn: impl Display) -> Bytes {
        let leaf = |name, id: DeviceId| Element::leaf(name, id.to_string());
        let message = Element::new(Root::Notify.as_str())
            .with(Element::leaf("CmdType", BROADCAST))
            .with(Element::leaf("SN", sn.to_string()))
            .with(leaf("SourceID", self.source))
            .with(leaf("TargetID", self.target));
        style.write(&message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gb28181::manscdp::{ManscdpStyle, Outcome};

    const ANNOUNCED: &[u8] = b"<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Notify>\n\
        <CmdType>Broadcast</CmdType>\n<SN>992</SN>\n\
        <SourceID>34020000002000000001</SourceID>\n\
        <TargetID>34020000001370000001</TargetID>\n</Notify>\n";

    fn read(body: &[u8]) -> Option<Result<Broadcast, WrongElement>> {
        Broadcast::read(&Incoming::parse(body).unwrap())
    }

    #[test]
    fn an_announcement_is_read_as_it_is_written() {
        let broadcast = Broadcast {
            source: "34020000002000000001".parse().unwrap(),
            target: "34020000001370000001".parse().unwrap(),
        };
        assert_eq!(&broadcast.write(&XmlStyle::default(), 992)[..], ANNOUNCED);
        assert_eq!(read(ANNOUNCED), Some(Ok(broadcast)));
    }

    #[test]
    fn the_answer_names_the_target_as_its_device() {
        let style = ManscdpStyle::default();
        let target = "34020000001370000001";
        assert_eq!(
            &style.result(BROADCAST, 992, target, Outcome::Ok)[..],
            b"<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Response>\n\
              <CmdType>Broadcast</CmdType>\n<SN>992</SN>\n\
              <DeviceID>34020000001370000001</DeviceID>\n<Result>OK</Result>\n</Response>\n"
                .as_slice()
        );
    }

    #[test]
    fn codes_that_are_missing_or_broken_are_named() {
        let body = |source: &str, target: &str| {
            format!(
                "<Notify><CmdType>Broadcast</CmdType><SN>1</SN>\
                 <SourceID>{source}</SourceID>{target}</Notify>"
            )
        };
        let target = "<TargetID>34020000001370000001</TargetID>";
        let wrong = |source, target| read(body(source, target).as_bytes());
        assert_eq!(wrong("", target), Some(Err(WrongElement("SourceID"))));
        assert_eq!(wrong("alice", target), Some(Err(WrongElement("SourceID"))));
        let source = "34020000002000000001";
        assert_eq!(wrong(source, ""), Some(Err(WrongElement("TargetID"))));
        let query = b"<Query><CmdType>Broadcast</CmdType><SN>1</SN></Query>";
        assert_eq!(read(query), None);
    }
}
