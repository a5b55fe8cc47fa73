//! What a make does when it starts again, and how it delivers pictures.

use std::time::Duration;

use serde::Deserialize;

/// How a make starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RebootPolicy {
    /// Whether it says BYE and unregisters first, instead of vanishing.
    pub unregister: bool,
    /// How long it is away, in seconds.
    pub seconds: u32,
}

impl Default for RebootPolicy {
    fn default() -> Self {
        RebootPolicy {
            unregister: true,
            seconds: 30,
        }
    }
}

impl RebootPolicy {
    /// How long it is away.
    pub const fn takes(self) -> Duration {
        Duration::from_secs(self.seconds as u64)
    }
}

/// How a make delivers its pictures, which GB/T 28181-2022 §9.14 leaves open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UploadPolicy {
    /// POST of a form with the parts `SessionID` and `file`, as Hikvision cameras do.
    #[default]
    PostForm,
    /// POST of the JPEG itself.
    Post,
    /// PUT of the JPEG itself, its name behind the address.
    Put,
}
