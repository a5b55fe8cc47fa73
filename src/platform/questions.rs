//! Questions to devices and what comes of them.

use std::fmt;
use std::time::Duration;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{
    BasicParam, CatalogItem, CatalogTimes, ConfigBlock, CruiseTrack, DeviceInfo, DeviceStatus,
    HomePosition, Outcome, Preset, PtzPosition, RecordItem, RecordQuery, SdCard,
};
use crate::gb28181::mansrtsp;

/// A question (GB/T 28181-2022 §9.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// The channels.
    Catalog,
    /// One part of the catalogue: a channel, an organisation or business group, a region
    /// (GB/T 28181-2022 annex J).
    CatalogOf(String),
    /// What was added between two times.
    CatalogAdded(CatalogTimes),
    /// What the device is.
    DeviceInfo,
    /// How the device is.
    DeviceStatus,
    /// How its storage cards are (2022).
    SdCardStatus,
    /// How it is configured: types joined by `/`, such as `BasicParam`. One answer each.
    ConfigDownload(String),
    /// How one of its channels is configured.
    ConfigOf {
        /// The channel.
        channel: DeviceId,
        /// Types joined by `/`.
        types: String,
    },
    /// The places that a channel's head knows.
    Presets(DeviceId),
    /// Where it goes when nobody steers it (2022).
    HomePosition(DeviceId),
    /// Its cruise tracks, without their points (2022).
    CruiseTracks(DeviceId),
    /// One cruise track (2022).
    CruiseTrack {
        /// The channel.
        channel: DeviceId,
        /// The track's number.
        number: u8,
    },
    /// Where it looks (2022).
    PtzPosition(DeviceId),
    /// What a channel has recorded.
    RecordInfo {
        /// The channel.
        channel: DeviceId,
        /// When and of which kind.
        what: RecordQuery,
    },
}

impl Query {
    /// The `CmdType`.
    pub fn cmd_type(&self) -> &'static str {
        match self {
            Query::Catalog | Query::CatalogOf(_) | Query::CatalogAdded(_) => "Catalog",
            Query::DeviceInfo => "DeviceInfo",
            Query::DeviceStatus => "DeviceStatus",
            Query::SdCardStatus => "SDCardStatus",
            Query::ConfigDownload(_) | Query::ConfigOf { .. } => "ConfigDownload",
            Query::Presets(_) => "PresetQuery",
            Query::HomePosition(_) => "HomePositionQuery",
            Query::CruiseTracks(_) => "CruiseTrackListQuery",
            Query::CruiseTrack { .. } => "CruiseTrackQuery",
            Query::PtzPosition(_) => "PTZPosition",
            Query::RecordInfo { .. } => "RecordInfo",
        }
    }

    /// Whom it is about, if not the device itself: the `DeviceID` in its body.
    pub fn target(&self) -> Option<&str> {
        match self {
            Query::CatalogOf(code) => Some(code),
            Query::RecordInfo { channel, .. }
            | Query::ConfigOf { channel, .. }
            | Query::CruiseTrack { channel, .. }
            | Query::Presets(channel)
            | Query::HomePosition(channel)
            | Query::CruiseTracks(channel)
            | Query::PtzPosition(channel) => Some(channel.as_str()),
            _ => None,
        }
    }

    /// The elements behind its `DeviceID`.
    pub(super) fn elements(&self) -> Vec<(&'static str, String)> {
        match self {
            Query::ConfigDownload(types) | Query::ConfigOf { types, .. } => {
                vec![("ConfigType", types.clone())]
            }
            Query::RecordInfo { what, .. } => what.elements(),
            Query::CatalogAdded(times) => times.elements(),
            Query::CruiseTrack { number, .. } => vec![("Number", number.to_string())],
            _ => Vec::new(),
        }
    }
}

/// A complete answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Every channel, in the order they came.
    Catalog(Vec<CatalogItem>),
    /// What the device is.
    DeviceInfo(DeviceInfo),
    /// How the device is.
    DeviceStatus(DeviceStatus),
    /// One entry per configuration type asked for, in the order they came.
    Config(Vec<ConfigAnswer>),
    /// The places that a head knows.
    Presets(Vec<Preset>),
    /// Where it goes when nobody steers it.
    HomePosition(HomePosition),
    /// Its cruise tracks, without their points.
    CruiseTracks(Vec<CruiseTrack>),
    /// One cruise track.
    CruiseTrack(CruiseTrack),
    /// Where it looks.
    PtzPosition(PtzPosition),
    /// The device says that it cannot answer.
    Unable,
    /// Every recorded file, in the order they came.
    Records(Vec<RecordItem>),
    /// What the device says to having been steered, if it says anything.
    Steered(Option<mansrtsp::Response>),
    /// Its storage cards, in the order they came.
    SdCards(Vec<SdCard>),
    /// An order has arrived, and how it went, if the device says that of such orders.
    Ordered(Option<Outcome>),
    /// For how long the device has granted a subscription.
    Subscribed(Duration),
    /// The status that answered OPTIONS.
    Pong(u16),
}

/// The answer for one configuration type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigAnswer {
    /// Its `Result`.
    pub result: Outcome,
    /// The basic parameters, if it has them.
    pub basic: Option<BasicParam>,
    /// The block of any other type, if it has one that keeps the rules.
    pub block: Option<ConfigBlock>,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskFailure {
    /// The device is not registered, or off-line.
    NotRegistered,
    /// The call that was to be steered is not up.
    NoCall,
    /// The device refused the request with this SIP status.
    Refused(u16),
    /// The request was not even acknowledged.
    Unreachable(String),
    /// Acknowledged, but the answer did not come, or not all of it.
    Timeout {
        /// Parts that came: catalogue items or configuration types.
        got: usize,
        /// How many there should be, if the device said so.
        of: Option<usize>,
    },
}

impl fmt::Display for AskFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AskFailure::NotRegistered => f.write_str("the device is not registered"),
            AskFailure::NoCall => f.write_str("the call is not up"),
            AskFailure::Refused(status) => write!(f, "refused with {status}"),
            AskFailure::Unreachable(why) => f.write_str(why),
            AskFailure::Timeout { got: 0, .. } => f.write_str("no answer in time"),
            AskFailure::Timeout { got, of: Some(of) } => write!(f, "{got} of {of} parts in time"),
            AskFailure::Timeout { got, of: None } => write!(f, "{got} parts in time, not all"),
        }
    }
}
