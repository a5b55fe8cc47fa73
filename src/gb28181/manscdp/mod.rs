//! MANSCDP: the XML bodies of MESSAGE (GB/T 28181-2022 annex A).
//!
//! [`Incoming`] reads any of them, on both sides. What a device writes is [`ManscdpStyle`]'s
//! business, one file per command; what a platform writes is [`query()`] and [`Control`].

mod alarm;
mod broadcast;
mod catalog;
mod catalog_change;
mod catalog_item;
mod catalog_times;
mod config_download;
mod config_rules;
mod config_type;
mod control;
mod device_config;
mod device_info;
mod device_status;
mod device_upgrade;
mod head;
mod incoming;
mod keepalive;
mod lists;
mod media_status;
mod mobile_position;
mod query;
mod record_info;
mod sd_card;
mod snapshot;
mod style;
mod topic;
mod video_upload;

pub use alarm::{Alarm, AlarmFilter};
pub use broadcast::Broadcast;
pub use catalog::CatalogPart;
pub use catalog_change::{CatalogChange, CatalogEvent};
pub use catalog_item::CatalogItem;
pub use catalog_times::CatalogTimes;
pub use config_download::{BasicParam, MAX_CONFIG_TYPES};
pub use config_rules::ConfigError;
pub use config_type::ConfigType;
pub use control::{Control, ControlError, Found, Precise, Tracking, Zone};
pub use device_config::{BasicSetting, ConfigBlock, Setting};
pub use device_info::DeviceInfo;
pub use device_status::{AlarmInput, DeviceStatus, Duty};
pub use device_upgrade::{DeviceUpgrade, UpgradeFailure, UpgradeResult, WrongElement};
pub use head::{CruisePoint, CruiseTrack, HomePosition, Preset, PtzPosition};
pub use incoming::{Incoming, IncomingError, Outcome, Root};
pub use keepalive::Keepalive;
pub use mobile_position::MobilePosition;
pub use query::query;
pub use record_info::{RecordItem, RecordKind, RecordPart, RecordQuery};
pub use sd_card::{SdCard, SdCardState};
pub use snapshot::{SnapShotConfig, SnapShotFinished};
pub use style::{Batch, ManscdpStyle};
pub use topic::Topic;
pub use video_upload::VideoUpload;
