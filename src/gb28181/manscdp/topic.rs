//! What can be subscribed to (GB/T 28181-2022 9.11).

use std::fmt;

/// What can be subscribed to: the `CmdType` of a SUBSCRIBE's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// `Catalog`: changes of the catalogue.
    Catalog,
    /// `Alarm`: alarms.
    Alarm,
    /// `MobilePosition`: where the device is.
    MobilePosition,
    /// `PTZPosition`: where the head looks (GB/T 28181-2022).
    PtzPosition,
}

impl Topic {
    /// The topic of a `CmdType`, if there is one.
    pub fn of(cmd_type: &str) -> Option<Topic> {
        let all = [
            Topic::Catalog,
            Topic::Alarm,
            Topic::MobilePosition,
            Topic::PtzPosition,
        ];
        all.into_iter().find(|topic| topic.as_str() == cmd_type)
    }

    /// Its `CmdType`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Topic::Catalog => "Catalog",
            Topic::Alarm => "Alarm",
            Topic::MobilePosition => "MobilePosition",
            Topic::PtzPosition => "PTZPosition",
        }
    }

    /// The event package that a platform names for it: `Catalog` for catalogues, `presence` for
    /// everything else.
    pub const fn package(self) -> &'static str {
        match self {
            Topic::Catalog => "Catalog",
            Topic::Alarm | Topic::MobilePosition | Topic::PtzPosition => "presence",
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
