//! How a make lets itself be configured.

use serde::Deserialize;

use crate::gb28181::manscdp::ConfigType;

/// How a make lets itself be configured (GB/T 28181-2022 §9.3, annex A.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SettingsPolicy {
    /// Which types of configuration it has.
    pub types: ConfigTypes,
    /// Whether it keeps silent to a DeviceConfig of a type that it does not have, as Dahua cameras
    /// do, instead of answering ERROR.
    pub silent_about_others: bool,
    /// Whether it takes BasicParam for its own code only, as Dahua cameras do, and not for a
    /// channel's.
    pub basic_param_of_device: bool,
    /// What it does with new basic parameters.
    pub basic_param: NewBasicParam,
}

impl SettingsPolicy {
    /// Whether it has this type of configuration.
    pub fn has(&self, kind: ConfigType) -> bool {
        self.types == ConfigTypes::Of2022 || kind.is_of_2016()
    }
}

/// Which types of configuration a device has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigTypes {
    /// Those of GB/T 28181-2016: BasicParam, VideoParamOpt and both of SVAC.
    #[default]
    #[serde(rename = "2016")]
    Of2016,
    /// Those of GB/T 28181-2022 as well.
    #[serde(rename = "2022")]
    Of2022,
}

/// What a device does with new basic parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NewBasicParam {
    /// Answers, then registers again.
    #[default]
    Answer,
    /// Says nothing, unregisters and registers anew: Uniview cameras.
    Restart,
}
