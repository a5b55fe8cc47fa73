//! What a make does with calls.

use serde::Deserialize;

use super::settings::SettingsPolicy;
use super::tasks::{RebootPolicy, UploadPolicy};
use super::voice::VoicePolicy;
use crate::media::PlaybackPolicy;

/// How a make behaves in calls, where the standard leaves it room.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Behaviour {
    /// When media begins.
    pub start_media: StartMedia,
    /// How many streams of one channel may run at once; one more is answered 486.
    pub streams_per_channel: usize,
    /// The first port that answers name when the device connects itself. Later calls count up in
    /// steps of two.
    pub first_media_port: u16,
    /// Questions of the standard (by `CmdType`) that the make takes in silence.
    pub unanswered: Vec<String>,
    /// How alarms travel.
    pub alarms: AlarmCarrier,
    /// How recordings are played.
    pub playback: PlaybackPolicy,
    /// Whether it knows the tasks that came with GB/T 28181-2022: upgrades, pictures, the
    /// formatting of storage cards.
    pub tasks: bool,
    /// How it starts again.
    pub reboot: RebootPolicy,
    /// How it delivers pictures.
    pub upload: UploadPolicy,
    /// How it lets itself be configured.
    pub settings: SettingsPolicy,
    /// How it hears a platform.
    pub voice: VoicePolicy,
}

impl Default for Behaviour {
    fn default() -> Self {
        Behaviour {
            start_media: StartMedia::AfterAck,
            streams_per_channel: 8,
            first_media_port: 30_000,
            unanswered: Vec::new(),
            alarms: AlarmCarrier::default(),
            playback: PlaybackPolicy::default(),
            tasks: true,
            reboot: RebootPolicy::default(),
            upload: UploadPolicy::default(),
            settings: SettingsPolicy::default(),
            voice: VoicePolicy::default(),
        }
    }
}

/// How alarms travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmCarrier {
    /// As a NOTIFY for whoever has subscribed (GB/T 28181-2022 9.11.2), else as a MESSAGE.
    #[default]
    Subscription,
    /// As a MESSAGE, whoever has subscribed: Hikvision cameras.
    Message,
}

/// When media of a call begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartMedia {
    /// When the ACK has come (GB/T 28181-2022 §9.2.2).
    AfterAck,
    /// Right after the 200: some Dahua firmware.
    After200,
}
