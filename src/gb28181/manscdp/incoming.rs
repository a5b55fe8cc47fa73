//! Reading any MANSCDP body.

use crate::gb28181::element::{Element, XmlError};

/// A MANSCDP body with the fields that all of them share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// What kind of message it is.
    pub root: Root,
    /// `CmdType`.
    pub cmd_type: String,
    /// `SN`, as written, for echoing; empty if there is none.
    pub sn: String,
    /// `DeviceID`, as written; empty if there is none (a Broadcast has other IDs).
    pub device_id: String,
    /// The root element with everything in it.
    pub body: Element,
}

/// The four root elements (GB/T 28181-2022 annex A).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Root {
    /// A command of the platform.
    Control,
    /// A question of the platform.
    Query,
    /// News of the device.
    Notify,
    /// An answer, mostly of the device.
    Response,
}

/// What a `Result` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Done.
    #[default]
    Ok,
    /// Not done.
    Error,
}

/// Why a body is no MANSCDP message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IncomingError {
    /// It is not XML.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Its root is none of the four.
    #[error("<{0}> is none of Control, Query, Notify, Response")]
    Root(String),
    /// It does not say what it is about.
    #[error("no CmdType")]
    NoCmdType,
}

impl Incoming {
    /// Reads a body in any charset.
    pub fn parse(body: &[u8]) -> Result<Incoming, IncomingError> {
        let body = Element::parse(body)?;
        let root = Root::named(&body.name)
            .ok_or_else(|| IncomingError::Root(body.name.chars().take(40).collect()))?;
        let text = |name| body.text_of(name).unwrap_or_default().to_owned();
        let cmd_type = body.text_of("CmdType").ok_or(IncomingError::NoCmdType)?;
        Ok(Incoming {
            root,
            cmd_type: cmd_type.to_owned(),
            sn: text("SN"),
            device_id: text("DeviceID"),
            body,
        })
    }

    /// What its `Result` says, if it has one.
    pub fn result(&self) -> Option<Outcome> {
        self.body.text_of("Result").map(Outcome::named)
    }

    /// Whether it answers, or is, the command `cmd_type`.
    pub fn is(&self, root: Root, cmd_type: &str) -> bool {
        self.root == root && self.cmd_type == cmd_type
    }
}

impl Root {
    /// The element's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Root::Control => "Control",
            Root::Query => "Query",
            Root::Notify => "Notify",
            Root::Response => "Response",
        }
    }

    fn named(name: &str) -> Option<Root> {
        let all = [Root::Control, Root::Query, Root::Notify, Root::Response];
        all.into_iter().find(|root| root.as_str() == name)
    }
}

impl Outcome {
    /// `OK` in any case; everything else is an error.
    pub(super) fn named(text: &str) -> Outcome {
        match text.eq_ignore_ascii_case("OK") {
            true => Outcome::Ok,
            false => Outcome::Error,
        }
    }

    /// `OK` or `ERROR`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Ok => "OK",
            Outcome::Error => "ERROR",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_query_of_a_platform_is_read() {
        let body = b"<?xml version=\"1.0\"?>\r\n<Query>\r\n<CmdType>Catalog</CmdType>\r\n\
                     <SN>007</SN>\r\n<DeviceID>34020000001320000002</DeviceID>\r\n</Query>\r\n";
        let query = Incoming::parse(body).unwrap();
        assert!(query.is(Root::Query, "Catalog"));
        assert_eq!((query.sn.as_str(), query.result()), ("007", None));
        assert_eq!(query.device_id, "34020000001320000002");
    }

    #[test]
    fn what_a_message_lacks_is_empty_but_it_must_have_a_cmd_type() {
        let broadcast = b"<Notify><CmdType>Broadcast</CmdType><SourceID>1</SourceID></Notify>";
        let broadcast = Incoming::parse(broadcast).unwrap();
        assert_eq!(
            (broadcast.sn.as_str(), broadcast.device_id.as_str()),
            ("", "")
        );
        let without = Incoming::parse(b"<Notify><SN>1</SN></Notify>");
        assert_eq!(without, Err(IncomingError::NoCmdType));
        let other = Incoming::parse(b"<Hello><CmdType>Catalog</CmdType></Hello>");
        assert_eq!(other, Err(IncomingError::Root("Hello".into())));
        assert!(matches!(Incoming::parse(b"{}"), Err(IncomingError::Xml(_))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn any_octets_return(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Incoming::parse(&octets);
        }
    }
}
