//! The types of configuration that a platform reads with ConfigDownload and writes with
//! DeviceConfig (GB/T 28181-2022 annex A.2.1).

use std::fmt;

/// A type of configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigType {
    /// Name, lifetime of the registration, heartbeat.
    BasicParam,
    /// Which speeds and picture sizes there are; it cannot be written.
    VideoParamOpt,
    /// How an SVAC encoder works.
    SvacEncodeConfig,
    /// How an SVAC decoder works.
    SvacDecodeConfig,
    /// How each stream is encoded (2022).
    VideoParamAttribute,
    /// When it records (2022).
    VideoRecordPlan,
    /// Whether alarms begin a recording (2022).
    VideoAlarmRecord,
    /// Which parts of the picture are hidden (2022).
    PictureMask,
    /// Whether the picture is turned over (2022).
    FrameMirror,
    /// Which detections raise alarms (2022).
    AlarmReport,
    /// What is written into the picture (2022).
    OsdConfig,
    /// The order to take pictures (2022).
    SnapShotConfig,
}

impl ConfigType {
    /// All of them, those of 2016 first.
    pub const ALL: [ConfigType; 12] = [
        ConfigType::BasicParam,
        ConfigType::VideoParamOpt,
        ConfigType::SvacEncodeConfig,
        ConfigType::SvacDecodeConfig,
        ConfigType::VideoParamAttribute,
        ConfigType::VideoRecordPlan,
        ConfigType::VideoAlarmRecord,
        ConfigType::PictureMask,
        ConfigType::FrameMirror,
        ConfigType::AlarmReport,
        ConfigType::OsdConfig,
        ConfigType::SnapShotConfig,
    ];

    /// Its name on the wire: of the `ConfigType`, and of the element.
    pub const fn as_str(self) -> &'static str {
        match self {
            ConfigType::BasicParam => "BasicParam",
            ConfigType::VideoParamOpt => "VideoParamOpt",
            ConfigType::SvacEncodeConfig => "SVACEncodeConfig",
            ConfigType::SvacDecodeConfig => "SVACDecodeConfig",
            ConfigType::VideoParamAttribute => "VideoParamAttribute",
            ConfigType::VideoRecordPlan => "VideoRecordPlan",
            ConfigType::VideoAlarmRecord => "VideoAlarmRecord",
            ConfigType::PictureMask => "PictureMask",
            ConfigType::FrameMirror => "FrameMirror",
            ConfigType::AlarmReport => "AlarmReport",
            ConfigType::OsdConfig => "OSDConfig",
            ConfigType::SnapShotConfig => "SnapShotConfig",
        }
    }

    /// The type of this name. Drafts of 2022 call one element `SnapShot`.
    pub fn named(name: &str) -> Option<ConfigType> {
        if name == "SnapShot" {
            return Some(ConfigType::SnapShotConfig);
        }
        let mut all = Self::ALL.into_iter();
        all.find(|kind| kind.as_str() == name)
    }

    /// Whether the edition of 2016 has it already.
    pub fn is_of_2016(self) -> bool {
        self <= ConfigType::SvacDecodeConfig
    }
}

impl fmt::Display for ConfigType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
