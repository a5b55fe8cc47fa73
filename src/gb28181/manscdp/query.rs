//! What a platform asks.

use std::fmt::Display;

use bytes::Bytes;

use super::incoming::Root;
use super::style::message;
use crate::gb28181::element::Element;
use crate::gb28181::xml_style::XmlStyle;

/// A query (`Catalog`, `DeviceInfo`, `DeviceStatus`, `ConfigDownload`) with the elements that
/// follow its `DeviceID`, such as `("ConfigType", "BasicParam")`.
pub fn query(
    style: &XmlStyle,
    cmd_type: &str,
    sn: impl Display,
    device_id: impl Display,
    more: &[(&str, &str)],
) -> Bytes {
    let more = more.iter().map(|(name, text)| Element::leaf(*name, *text));
    style.write(&message(
        Root::Query,
        cmd_type,
        sn,
        device_id,
        more.collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gb28181::manscdp::Incoming;

    #[test]
    fn a_query_is_read_as_it_was_written() {
        let more = [("ConfigType", "BasicParam")];
        let octets = query(&XmlStyle::default(), "ConfigDownload", 4, "3402", &more);
        let read = Incoming::parse(&octets).unwrap();
        assert!(read.is(Root::Query, "ConfigDownload"));
        assert_eq!((read.sn.as_str(), read.device_id.as_str()), ("4", "3402"));
        assert_eq!(read.body.text_of("ConfigType"), Some("BasicParam"));
    }
}
