//! DeviceConfig: the platform configures the device (GB/T 28181-2022 §9.3, annex A.2.3.2).

use std::fmt::Display;

use bytes::Bytes;

use super::config_rules::{ConfigError, checked};
use super::config_type::ConfigType;
use super::incoming::{Incoming, Root};
use super::style::message;
use crate::gb28181::element::Element;
use crate::gb28181::xml_style::XmlStyle;

const CMD_TYPE: &str = "DeviceConfig";
/// The longest name, in characters.
const LONGEST_NAME: usize = 255;

/// What a DeviceConfig sets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// BasicParam.
    Basic(BasicSetting),
    /// Any other block.
    Block(ConfigBlock),
}

/// A change of the basic parameters: what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasicSetting {
    /// `Name`.
    pub name: Option<String>,
    /// `Expiration` of the registration, in seconds: at least 60, at most 30 days.
    pub expiration: Option<u32>,
    /// `HeartBeatInterval` in seconds: 1 to 3,600.
    pub heart_beat_interval: Option<u32>,
    /// `HeartBeatCount`: 1 to 255.
    pub heart_beat_count: Option<u32>,
}

/// A block of configuration that keeps the rules of its type, elements in the standard's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigBlock {
    kind: ConfigType,
    content: Element,
}

impl ConfigBlock {
    /// A block from its element; the error says which of its values is not allowed.
    pub fn new(kind: ConfigType, content: &Element) -> Result<ConfigBlock, ConfigError> {
        let content = checked(kind, content)?;
        Ok(ConfigBlock { kind, content })
    }

    /// Of which type it is.
    pub fn kind(&self) -> ConfigType {
        self.kind
    }

    /// Its element, named like its type.
    pub fn content(&self) -> &Element {
        &self.content
    }

    /// The block of an answer to ConfigDownload, if it has one: the first element that is named
    /// like a type.
    pub fn read(message: &Incoming) -> Option<Result<ConfigBlock, ConfigError>> {
        let blocks = message.body.children.iter();
        let mut blocks = blocks.filter_map(|element| {
            let kind = ConfigType::named(&element.name);
            Some((
                kind.filter(|kind| *kind != ConfigType::BasicParam)?,
                element,
            ))
        });
        let (kind, element) = blocks.next()?;
        Some(ConfigBlock::new(kind, element))
    }
}

impl Setting {
    /// What a `Control` document sets, in its order; several blocks in one are legal. Elements
    /// that are no block are passed over.
    pub fn read(document: &Incoming) -> Vec<(ConfigType, Result<Setting, ConfigError>)> {
        if !document.is(Root::Control, CMD_TYPE) {
            return Vec::new();
        }
        let blocks = document.body.children.iter().filter_map(|element| {
            let kind = ConfigType::named(&element.name)?;
            Some((kind, setting(kind, element)))
        });
        blocks.collect()
    }

    /// Of which type it is.
    pub fn kind(&self) -> ConfigType {
        match self {
            Setting::Basic(_) => ConfigType::BasicParam,
            Setting::Block(block) => block.kind,
        }
    }

    /// The MESSAGE body that sets this.
    pub fn write(&self, style: &XmlStyle, sn: impl Display, device_id: impl Display) -> Bytes {
        let block = vec![self.element()];
        style.write(&message(Root::Control, CMD_TYPE, sn, device_id, block))
    }

    fn element(&self) -> Element {
        match self {
            Setting::Basic(basic) => basic.element(),
            Setting::Block(block) => block.content.clone(),
        }
    }
}

fn setting(kind: ConfigType, element: &Element) -> Result<Setting, ConfigError> {
    match kind {
        ConfigType::BasicParam => BasicSetting::read(element).map(Setting::Basic),
        ConfigType::VideoParamOpt => Err(ConfigError::ReadOnly(kind)),
        _ => ConfigBlock::new(kind, element).map(Setting::Block),
    }
}

impl BasicSetting {
    /// What is wrong with it, if anything.
    pub fn check(&self) -> Result<(), ConfigError> {
        let name = self.name.as_ref().map(|name| name.chars().count());
        if name.is_some_and(|long| long > LONGEST_NAME) {
            return Err(ConfigError::Value("Name"));
        }
        let ranges = [
            ("Expiration", self.expiration, 60..=2_592_000),
            ("HeartBeatInterval", self.heart_beat_interval, 1..=3_600),
            ("HeartBeatCount", self.heart_beat_count, 1..=255),
        ];
        for (name, value, range) in ranges {
            if value.is_some_and(|value| !range.contains(&value)) {
                return Err(ConfigError::Value(name));
            }
        }
        Ok(())
    }

    fn read(block: &Element) -> Result<BasicSetting, ConfigError> {
        let number = |name| match block.text_of(name) {
            None => Ok(None),
            Some(text) => text.parse().map(Some).map_err(|_| ConfigError::Value(name)),
        };
        let basic = BasicSetting {
            name: block.text_of("Name").map(str::to_owned),
            expiration: number("Expiration")?,
            heart_beat_interval: number("HeartBeatInterval")?,
            heart_beat_count: number("HeartBeatCount")?,
        };
        basic.check().map(|()| basic)
    }

    fn element(&self) -> Element {
        let numbers = [
            ("Expiration", self.expiration),
            ("HeartBeatInterval", self.heart_beat_interval),
            ("HeartBeatCount", self.heart_beat_count),
        ];
        let name = self
            .name
            .iter()
            .map(|name| Element::leaf("Name", name.as_str()));
        let numbers = numbers
            .into_iter()
            .filter_map(|(name, number)| Some(Element::leaf(name, number?.to_string())));
        let mut block = Element::new("BasicParam");
        block.children = name.chain(numbers).collect();
        block
    }
}
