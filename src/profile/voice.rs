//! How a make hears a platform.

use serde::Deserialize;

/// How a make calls for the voice of a platform (GB/T 28181-2022 9.12), and talks with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct VoicePolicy {
    /// Whether it has something to be heard from; without, every Broadcast is answered `ERROR`.
    pub output: bool,
    /// How the voice is to travel.
    pub transport: VoiceTransport,
    /// Whether it takes calls with `s=Talk`, in which both sides speak; else they are answered
    /// 488. GB/T 28181-2016 names them, the 2022 edition no longer.
    pub talk: bool,
}

impl Default for VoicePolicy {
    fn default() -> Self {
        VoicePolicy {
            output: true,
            transport: VoiceTransport::Udp,
            talk: false,
        }
    }
}

/// How a voice travels to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VoiceTransport {
    /// As datagrams.
    Udp,
    /// Over a connection that the device opens.
    TcpActive,
    /// Over a connection that the platform opens.
    TcpPassive,
}
