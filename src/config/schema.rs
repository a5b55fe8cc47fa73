//! Every key of the fleet file, as it is written. `examples/fleet.toml` says the same to users;
//! a test holds the two together.

use serde::Deserialize;
use toml::Spanned;

use super::address::{IpRange, PortRange};
use super::value::{Length, Password, Rate, Share, Written};

/// A key that may be left out, and where it stands.
pub(super) type Key<T> = Option<Spanned<T>>;
/// A key whose value is a text with a form of its own.
pub(super) type TextKey<T> = Key<Written<T>>;

/// The top of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Top {
    /// Where all chance comes from. Set it to repeat a run. Default: another each time, reported.
    pub seed: Key<u64>,
    /// How long the run lasts, counted from the first REGISTER. Set it where nobody presses
    /// Ctrl-C. Default: until Ctrl-C.
    pub duration: TextKey<Length>,
    /// Threads that send media, and threads that signal. Fewer leave cores to a platform on the
    /// same machine. Default: one per core.
    pub workers: Key<usize>,
    /// Whether UDP streams hold an RTCP socket. For platforms that send RTCP and mind when nobody
    /// listens; costs a descriptor a stream. Default: false.
    pub rtcp: Key<bool>,
    pub platform: PlatformTable,
    pub addresses: AddressesTable,
    pub cameras: Vec<Spanned<CamerasTable>>,
    pub ramp: RampTable,
    pub thresholds: ThresholdsTable,
    pub report: ReportTable,
}

/// `[platform]`: whom the cameras register with.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct PlatformTable {
    /// Host and port. Default: 127.0.0.1:5060, where `vcam platform` listens.
    pub address: Key<String>,
    /// Its 20-digit code. Default: 34020000002000000001, that of `vcam platform`.
    pub id: Key<String>,
    /// The digest password of every camera without one of its own; VCAM_PASSWORD goes before it.
    /// Default: none.
    pub password: Key<Password>,
    /// The SIP domain. Default: the first ten digits of the ID, as the standard has it.
    pub domain: Key<String>,
    /// How signalling travels, unless a group says otherwise. Default: udp.
    pub transport: Key<TransportName>,
}

/// `[addresses]`: where the cameras are seen from.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct AddressesTable {
    /// What each camera has to itself. Default: own-port.
    pub mode: Key<ModeName>,
    /// The local address to signal and stream from. Default: the one that faces the platform.
    pub ip: TextKey<IpRange>,
    /// The local UDP port of signalling, or a range of them. Default: any free ones; 5060 with
    /// an IP per camera.
    pub ports: TextKey<PortRange>,
    /// Another local address for media. Default: that of signalling.
    pub media_ip: TextKey<IpRange>,
}

/// What each camera has to itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ModeName {
    /// Nothing: all signal through one UDP socket.
    SharedSocket,
    /// A UDP port on a common address.
    #[default]
    OwnPort,
    /// An IP address.
    OwnIp,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TransportName {
    #[default]
    Udp,
    Tcp,
}

/// `[[cameras]]`: a group of cameras that are alike.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct CamerasTable {
    /// The make: a built-in profile, or a file ending in .toml. Default: dahua-ipc.
    pub profile: Key<String>,
    /// How many. Default: 1, or the lines of `csv`.
    pub count: Key<usize>,
    /// A CSV file with a camera a line: id, password, name, media, profile.
    pub csv: Key<String>,
    /// The code of the first; the others count up. Default: codes beside the platform's that no
    /// other group has.
    pub first_id: Key<String>,
    /// Codes with the number of the camera, from 1, in place of a run of `#`.
    pub id_pattern: Key<String>,
    /// The code of the first channel of the first; the others count up, device by device.
    /// Default: the device's with type 131.
    pub first_channel_id: Key<String>,
    /// What they call themselves, with {n} for the number in the group and {id} for the code.
    /// Default: the model of the profile.
    pub name: Key<String>,
    /// Video channels per device. Default: 1.
    pub channels: Key<usize>,
    /// The names of the organisations in which a device's channels hang. Default: none.
    pub organisations: Key<Vec<String>>,
    /// How far back recordings of every channel reach, in files of half an hour. Default: nothing
    /// is recorded.
    pub recordings: TextKey<Length>,
    /// What channels show: a file, or one for each channel in turn. Default: a clip built in.
    pub media: Key<OneOrMany>,
    /// The same for the sub stream. Default: as `media`.
    pub sub_media: Key<OneOrMany>,
    /// What is heard beside the pictures: a sound file, or "tone". Default: the sound of the clips.
    pub audio: Key<String>,
    /// What the microphones hear, for platforms that talk: a sound file of G.711 A-law. Default: a
    /// tone.
    pub microphone: Key<String>,
    /// A folder for what they hear of the platform: ID.wav for each. Default: it is only counted.
    pub voice: Key<String>,
    /// Frames a second of files that do not say. Default: 25.
    pub fps: TextKey<crate::media::Rational>,
    /// How their signalling travels. Default: as [platform] says.
    pub transport: Key<TransportName>,
    /// The registration lifetime they ask for. Default: 1h.
    pub expires: TextKey<Length>,
    /// From one Keepalive to the next. Default: 60s.
    pub keepalive: TextKey<Length>,
    /// Keepalives lost in a row before a camera registers anew. Default: 3.
    pub keepalive_count: Key<u32>,
    /// The shortest pause after a failed registration. Default: 60s.
    pub retry: TextKey<Length>,
    /// The shortest pause before a broken connection is made again. Default: 5s.
    pub reconnect: TextKey<Length>,
    /// When and where in the clip a stream begins. Default: immediate.
    pub first_frame: Key<FirstFrameName>,
    /// How much media waits for a slow platform before it is dropped. Default: 2s.
    pub backlog: TextKey<Length>,
}

/// Where in the clip a stream begins, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FirstFrameName {
    #[default]
    Immediate,
    OwnClock,
    Aligned,
}

/// A text, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a file name, or a list of them")]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    pub fn all(&self) -> &[String] {
        match self {
            OneOrMany::One(one) => std::slice::from_ref(one),
            OneOrMany::Many(many) => many,
        }
    }
}

/// `[ramp]`: how the fleet comes and goes.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct RampTable {
    /// Cameras switched on per second, the whole fleet's. Default: 100.
    pub cameras_per_second: Key<Rate>,
    /// How much later than its turn a camera may start. Default: 0s.
    pub jitter: TextKey<Length>,
    /// How long the whole fleet stays once the last camera was switched on. Default: until the
    /// end of `duration`, or Ctrl-C.
    pub hold: TextKey<Length>,
    /// Cameras switched off per second at the end. Default: 1000.
    pub down_per_second: Key<Rate>,
}

/// `[thresholds]`: what decides the exit code.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct ThresholdsTable {
    /// The least share of cameras that got registered. Default: 100 %.
    pub registered: TextKey<Share>,
    /// The least share registered when the ramp down begins. Default: not judged.
    pub registered_at_end: TextKey<Share>,
    /// The least share of Keepalives answered 200. Default: not judged.
    pub keepalives_answered: TextKey<Share>,
    /// The least share of INVITEs that led to a stream. Default: not judged.
    pub calls_streamed: TextKey<Share>,
    /// The least number of streams at once, the fleet's highest. Default: not judged.
    pub streams_at_once: Key<u64>,
    /// The largest share of frames dropped because the platform was too slow. Default: not
    /// judged.
    pub frames_dropped: TextKey<Share>,
    /// The most errors of all kinds. Default: not judged.
    pub errors: Key<u64>,
    /// REGISTER to its 200, challenge included.
    pub register: LimitsTable,
    /// INVITE to our 200.
    pub invite: LimitsTable,
    /// Our 200 to the ACK.
    pub ack: LimitsTable,
    /// INVITE to the first packet.
    pub first_packet: LimitsTable,
    /// Keepalive to its 200.
    pub keepalive: LimitsTable,
    /// How late frames left, against their time.
    pub lateness: LimitsTable,
}

/// The longest that a time may be, for shares of its measurements.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct LimitsTable {
    pub p50: TextKey<Length>,
    pub p90: TextKey<Length>,
    pub p99: TextKey<Length>,
    pub max: TextKey<Length>,
}

/// `[report]`: what is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct ReportTable {
    /// A file for the report as JSON. Default: none.
    pub json: Key<String>,
    /// A file for the thresholds as JUnit tests. Default: none.
    pub junit: Key<String>,
    /// From one status line to the next where output is no terminal. Default: 5s.
    pub every: TextKey<Length>,
}
