//! Profiles: what a healthy device of one make and firmware does, as data with evidence.
//!
//! A profile is a TOML file. Those in `profiles/` are built into the binary; a user's own is read
//! from a file. Each table fills one policy type of the room that obeys it, so that an unknown
//! key or an impossible value is an error before anything starts.

mod behaviour;
mod builtin;
mod device;
mod error;
mod load;
mod settings;
mod tasks;
mod voice;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::gb28181::{ManscdpStyle, MansrtspStyle, SdpStyle};
use crate::media::{PsPolicy, RtpPolicy};
use crate::sip::Style;

pub use behaviour::{AlarmCarrier, Behaviour, StartMedia};
pub use device::Device;
pub use error::ProfileError;
pub use load::Setting;
pub use settings::{ConfigTypes, NewBasicParam, SettingsPolicy};
pub use tasks::{RebootPolicy, UploadPolicy};
pub use voice::{VoicePolicy, VoiceTransport};

/// What a healthy device of one make and firmware does.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Profile {
    /// What `--profile` calls it; of a file that does not say, the file's own name.
    #[serde(default)]
    pub name: String,
    /// The device in a few words.
    #[serde(default)]
    pub title: String,
    /// What it was modelled on.
    #[serde(default)]
    pub source: String,
    /// The built-in profile that this one changes.
    #[serde(default)]
    pub extends: Option<String>,
    /// What it is: the facts it tells about itself.
    #[serde(default)]
    pub device: Device,
    /// How it writes SIP; shared by all its cameras.
    #[serde(default)]
    pub sip: Arc<Style>,
    /// How it writes MANSCDP.
    #[serde(default)]
    pub manscdp: ManscdpStyle,
    /// How it answers what steers a recording.
    #[serde(default)]
    pub mansrtsp: MansrtspStyle,
    /// How it answers offers.
    #[serde(default)]
    pub sdp: SdpStyle,
    /// How it writes the program stream.
    #[serde(default)]
    pub ps: PsPolicy,
    /// How it writes RTP.
    #[serde(default)]
    pub rtp: RtpPolicy,
    /// How it behaves in calls.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// Where each setting was seen: dotted key (or the table above it) to words.
    #[serde(default)]
    pub evidence: BTreeMap<String, String>,
}

impl Profile {
    /// The profile that is played when none is named.
    pub const DEFAULT: &'static str = "dahua-ipc";

    /// The names of the profiles built in, in the order they are listed.
    pub fn names() -> impl Iterator<Item = &'static str> {
        builtin::ALL.iter().map(|(name, _)| *name)
    }

    /// A profile that is built in. The error lists those there are.
    pub fn builtin(name: &str) -> Result<Arc<Profile>, ProfileError> {
        let text = Profile::builtin_text(name)?;
        Profile::parse(&format!("{name}.toml"), text).map(Arc::new)
    }

    /// The TOML of a profile that is built in: a model for files of one's own.
    pub fn builtin_text(name: &str) -> Result<&'static str, ProfileError> {
        builtin::text(name).ok_or_else(|| ProfileError::unknown(name))
    }

    /// A profile from the text of a file; `file` names it in errors. With `extends = "NAME"` it
    /// is that built-in profile with the file's settings laid over it.
    pub fn parse(file: &str, text: &str) -> Result<Profile, ProfileError> {
        load::profile(file, text)
    }

    /// The settings of a profile's text that differ from the standard, each with its evidence.
    pub fn settings(file: &str, text: &str) -> Result<Vec<Setting>, ProfileError> {
        load::settings(file, text)
    }
}
