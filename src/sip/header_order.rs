//! The order and the spelling of a message's headers.

use std::fmt;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// The order, and the spelling, of header names.
///
/// In TOML: `"alphabetical"`, or a list of names. A listed name is written as the list spells it
/// (`"Call-Id"`, or compact `"i"`); `"*"` is the place of the headers not listed, in the order they
/// were added, and stands at the end if it is not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderOrder {
    /// As listed: osip-based Dahua, Hikvision, and everybody else.
    Listed(Vec<String>),
    /// By name, without regard to case: Dahua recorders (`SIP UAS V3.0.0.1208500`).
    Alphabetical,
}

impl Default for HeaderOrder {
    /// The order of the examples in RFC 3261 §24.
    fn default() -> Self {
        let names = [
            "Via",
            "Route",
            "Record-Route",
            "Max-Forwards",
            "From",
            "To",
            "Call-ID",
            "CSeq",
            "Contact",
            "Authorization",
            "Expires",
            "User-Agent",
            "*",
            "Content-Type",
            "Content-Length",
        ];
        HeaderOrder::Listed(names.map(String::from).into())
    }
}

impl<'de> Deserialize<'de> for HeaderOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Order;
        impl<'de> Visitor<'de> for Order {
            type Value = HeaderOrder;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of header names, or \"alphabetical\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<HeaderOrder, E> {
                match text {
                    "alphabetical" => Ok(HeaderOrder::Alphabetical),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<HeaderOrder, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = seq.next_element()? {
                    names.push(name);
                }
                Ok(HeaderOrder::Listed(names))
            }
        }
        deserializer.deserialize_any(Order)
    }
}
