//! ConfigDownload: how the device is configured (GB/T 28181-2022 annex A).

use std::borrow::Cow;
use std::fmt::Display;

use bytes::Bytes;

use super::config_type::ConfigType;
use super::incoming::{Incoming, Outcome, Root};
use super::style::ManscdpStyle;
use crate::gb28181::element::Element;
use crate::gb28181::template::Facts;

/// How many types of one query are answered; the rest of a longer list is ignored.
pub const MAX_CONFIG_TYPES: usize = 16;

const CMD_TYPE: &str = "ConfigDownload";

/// The basic parameters. Empty texts and `None` are not known, and not written.
///
/// Placeholders: `{name}`, `{device-id}`, `{expiration}`, `{heart-beat-interval}`,
/// `{heart-beat-count}`, `{position-capability}`, `{server-id}`, `{server-ip}`, `{server-port}`,
/// `{domain}`, `{password}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasicParam {
    /// `Name`.
    pub name: String,
    /// `DeviceID` inside the block (Hikvision).
    pub device_id: String,
    /// `Expiration` of the registration, in seconds.
    pub expiration: u32,
    /// `HeartBeatInterval`: between keepalives, in seconds.
    pub heart_beat_interval: u32,
    /// `HeartBeatCount`: how many lost keepalives mean a lost platform.
    pub heart_beat_count: u32,
    /// `PositionCapability` (2016): 0 none, 1 GPS, 2 BeiDou.
    pub position_capability: Option<u8>,
    /// `SIPServerID` (Hikvision).
    pub server_id: Option<String>,
    /// `SIPServerIP` (Hikvision).
    pub server_ip: Option<String>,
    /// `SIPServerPort` (Hikvision).
    pub server_port: Option<u16>,
    /// `DomainName` (Hikvision).
    pub domain: Option<String>,
    /// `Password` (Hikvision tells it).
    pub password: Option<String>,
}

pub(super) const STANDARD: &[&str] = &[
    "Result=OK",
    "BasicParam/Name={name}",
    "BasicParam/Expiration={expiration}",
    "BasicParam/HeartBeatInterval={heart-beat-interval}",
    "BasicParam/HeartBeatCount={heart-beat-count}",
    "BasicParam/PositionCapability={position-capability}",
];

impl Facts for BasicParam {
    const NAMES: &'static [&'static str] = &[
        "name",
        "device-id",
        "expiration",
        "heart-beat-interval",
        "heart-beat-count",
        "position-capability",
        "server-id",
        "server-ip",
        "server-port",
        "domain",
        "password",
    ];

    fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            "name" => Some(self.name.as_str().into()),
            "device-id" => Some(self.device_id.as_str().into()),
            "expiration" => Some(self.expiration.to_string().into()),
            "heart-beat-interval" => Some(self.heart_beat_interval.to_string().into()),
            "heart-beat-count" => Some(self.heart_beat_count.to_string().into()),
            "position-capability" => self.position_capability.map(|n| n.to_string().into()),
            "server-id" => self.server_id.as_deref().map(Cow::from),
            "server-ip" => self.server_ip.as_deref().map(Cow::from),
            "server-port" => self.server_port.map(|port| port.to_string().into()),
            "domain" => self.domain.as_deref().map(Cow::from),
            "password" => self.password.as_deref().map(Cow::from),
            _ => None,
        }
    }
}

impl ManscdpStyle {
    /// The answers to a ConfigDownload query, one per type it asks for (`A/B/C`), all with its
    /// SN. `block` has the content of each type but `BasicParam`; a type that it does not have,
    /// or nobody knows, is answered with an ERROR.
    pub fn config_download(
        &self,
        sn: impl Display,
        device_id: impl Display,
        config_type: &str,
        basic: &BasicParam,
        block: impl Fn(ConfigType) -> Option<Element>,
    ) -> Vec<Bytes> {
        let types = config_type.split('/').map(str::trim);
        let types = types.filter(|name| !name.is_empty()).take(MAX_CONFIG_TYPES);
        let answers = types.map(|name| {
            let content = match ConfigType::named(name) {
                Some(ConfigType::BasicParam) => Some(self.basic_param.fill(basic)),
                Some(kind) => block(kind)
                    .map(|block| vec![Element::leaf("Result", Outcome::Ok.as_str()), block]),
                None => None,
            };
            match content {
                Some(rest) => self.write(Root::Response, CMD_TYPE, &sn, &device_id, rest),
                None => self.result(CMD_TYPE, &sn, &device_id, Outcome::Error),
            }
        });
        let answers: Vec<_> = answers.collect();
        match answers.is_empty() {
            true => vec![self.result(CMD_TYPE, sn, device_id, Outcome::Error)],
            false => answers,
        }
    }
}

impl BasicParam {
    /// Reads an answer, if it has the basic parameters.
    pub fn read(message: &Incoming) -> Option<BasicParam> {
        let block = message.body.child("BasicParam")?;
        let text = |name| block.text_of(name).unwrap_or_default().to_owned();
        let optional = |name| block.text_of(name).map(str::to_owned);
        let number = |name| block.text_of(name)?.parse().ok();
        Some(BasicParam {
            name: text("Name"),
            device_id: text("DeviceID"),
            expiration: number("Expiration").unwrap_or_default(),
            heart_beat_interval: number("HeartBeatInterval").unwrap_or_default(),
            heart_beat_count: number("HeartBeatCount").unwrap_or_default(),
            position_capability: number("PositionCapability").and_then(|n| n.try_into().ok()),
            server_id: optional("SIPServerID"),
            server_ip: optional("SIPServerIP"),
            server_port: number("SIPServerPort").and_then(|n| n.try_into().ok()),
            domain: optional("DomainName"),
            password: optional("Password"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(config_type: &str, basic: &BasicParam) -> Vec<Incoming> {
        let style = ManscdpStyle::default();
        let bodies = style.config_download(3, "34020000001320000001", config_type, basic, |_| None);
        let read = bodies.iter().map(|body| Incoming::parse(body).unwrap());
        read.collect()
    }

    #[test]
    fn basic_parameters_are_written_and_read() {
        let basic = BasicParam {
            name: "大门".into(),
            expiration: 3600,
            heart_beat_interval: 60,
            heart_beat_count: 3,
            position_capability: Some(0),
            ..BasicParam::default()
        };
        let answers = answers("BasicParam", &basic);
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].result(), Some(Outcome::Ok));
        assert_eq!(BasicParam::read(&answers[0]), Some(basic));
    }

    #[test]
    fn every_type_asked_for_has_its_answer_and_an_unknown_one_an_error() {
        let answers = answers(" VideoParamOpt/BasicParam/", &BasicParam::default());
        assert_eq!(answers.len(), 2);
        assert_eq!(answers[0].result(), Some(Outcome::Error));
        assert_eq!(BasicParam::read(&answers[0]), None);
        assert!(
            answers
                .iter()
                .all(|answer| answer.sn == "3" && answer.cmd_type == CMD_TYPE)
        );
    }

    #[test]
    fn a_query_for_nothing_has_one_answer_and_a_query_for_thousands_few() {
        assert_eq!(answers("", &BasicParam::default()).len(), 1);
        let many = "BasicParam/".repeat(5000);
        assert_eq!(
            answers(&many, &BasicParam::default()).len(),
            MAX_CONFIG_TYPES
        );
    }
}
