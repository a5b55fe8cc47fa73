//! MediaStatus: a recording has been sent to its end (GB/T 28181-2022 9.8 and A.2.5.6).

use std::fmt::Display;

use bytes::Bytes;

use super::incoming::Root;
use super::style::ManscdpStyle;
use crate::gb28181::element::Element;

/// `NotifyType`: the historical media file is sent.
const SENT: &str = "121";

impl ManscdpStyle {
    /// The notification that everything of a recording is sent.
    pub fn media_status(&self, sn: impl Display, device_id: impl Display) -> Bytes {
        let rest = vec![Element::leaf("NotifyType", SENT)];
        self.write(Root::Notify, "MediaStatus", sn, device_id, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_recording_is_121() {
        let body = ManscdpStyle::default().media_status(5, "34020000001310000001");
        assert_eq!(
            &body[..],
            b"<?xml version=\"1.0\" encoding=\"GB2312\"?>\n<Notify>\n\
              <CmdType>MediaStatus</CmdType>\n<SN>5</SN>\n\
              <DeviceID>34020000001310000001</DeviceID>\n<NotifyType>121</NotifyType>\n\
              </Notify>\n"
                .as_slice()
        );
    }
}
