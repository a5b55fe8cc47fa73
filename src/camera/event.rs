//! What a camera is asked to do, and what it tells.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{Alarm, CatalogEvent, ConfigType, Control, Topic, UpgradeResult};
use crate::media::{Counts, Loss, MediaTransport, Verdict};
use crate::time::{Instant, Now};

use super::config::Channel;

/// What the owner of a camera asks of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Power on: open the flow and register.
    PowerOn,
    /// Power off: BYE every call, unregister, then [`Event::Off`].
    PowerOff,
    /// A channel loses or gets back its picture: catalogue status, 480, BYE of its calls. One that
    /// the device does not have changes nothing.
    Channel {
        /// Which.
        id: DeviceId,
        /// Whether it works.
        online: bool,
    },
    /// A channel more: it can be called, and whoever has subscribed to the catalogue is told
    /// (`ADD`). It counts as added now, unless it says otherwise. One with a code that the device
    /// has already changes nothing.
    AddChannel(Box<Channel>),
    /// A channel less, with those that are parts of it: their calls end with BYE, and whoever has
    /// subscribed to the catalogue is told (`DEL`). What is not there changes nothing, and a
    /// device keeps its last channel.
    RemoveChannel(DeviceId),
    /// Something else happens to a channel: whoever has subscribed to the catalogue is told.
    Changed {
        /// Which.
        id: DeviceId,
        /// What.
        event: CatalogEvent,
    },
    /// Something happens: an alarm. An alarm input that is disarmed keeps it to itself.
    Alarm(Alarm),
    /// The device is somewhere else.
    Move(Position),
    /// Ask the platform to call a channel, or the device itself (VideoUploadNotify, 2022): somebody
    /// with a body camera presses its button. A camera that is not registered keeps it to itself.
    OfferVideo(DeviceId),
    /// BYE every call, as a device does that runs out of something.
    HangUp,
}

/// Where a device is: WGS 84.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// Degrees, east positive.
    pub longitude: f64,
    /// Degrees, north positive.
    pub latitude: f64,
    /// Kilometres per hour.
    pub speed: Option<f64>,
    /// Degrees clockwise from north.
    pub direction: Option<f64>,
    /// Metres.
    pub altitude: Option<f64>,
}

impl Position {
    /// A place where something stands.
    pub const fn at(longitude: f64, latitude: f64) -> Position {
        Position {
            longitude,
            latitude,
            speed: None,
            direction: None,
            altitude: None,
        }
    }
}

/// One call of a camera, numbered from 1 in the order of their INVITEs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallNumber(pub u64);

/// What happened to a camera.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The platform accepted the registration (again).
    Registered {
        /// For how long.
        expires: Duration,
        /// From the first REGISTER of this round to its 200.
        took: Duration,
    },
    /// A registration round failed.
    RegisterFailed {
        /// What was wrong, in words for a person.
        why: String,
        /// When it is tried again.
        retry: Duration,
        /// The Call-ID of its REGISTERs; empty when none was sent.
        call_id: String,
    },
    /// The platform stopped answering, or the signalling connection broke.
    PlatformLost {
        /// What was wrong.
        why: String,
    },
    /// A Keepalive was answered with 200.
    Kept {
        /// From MESSAGE to 200.
        took: Duration,
    },
    /// A Keepalive was lost or refused.
    KeepaliveLost {
        /// How many in a row.
        in_a_row: u32,
        /// The Call-ID of its MESSAGE.
        call_id: String,
    },
    /// A MANSCDP request was taken in.
    Asked {
        /// Its CmdType.
        cmd_type: String,
        /// Whether this device answers it with a message of its own.
        answered: bool,
    },
    /// A command of the platform was obeyed.
    Controlled {
        /// Whom it was for: the device, a channel or an alarm input.
        id: DeviceId,
        /// The command.
        control: Control,
    },
    /// The platform configured the device.
    Configured {
        /// The device, or the channel that it is about.
        id: DeviceId,
        /// What has been set.
        kind: ConfigType,
    },
    /// A command of the platform was not obeyed: it is broken, or nothing here can do it.
    NotObeyed {
        /// Whom it was for; the device, if it was for nobody here.
        id: DeviceId,
        /// What is wrong with it, in words for a person.
        why: String,
        /// The Call-ID of its MESSAGE.
        call_id: String,
    },
    /// The platform subscribed to something, prolonged that, or ended it.
    Subscribed {
        /// To what.
        topic: Topic,
        /// The device, or one of its channels.
        about: DeviceId,
        /// For how long; zero: it ended.
        lifetime: Duration,
    },
    /// The platform was asked to call (VideoUploadNotify).
    VideoOffered {
        /// Whom: the device, or one of its channels.
        id: DeviceId,
    },
    /// An alarm was told.
    Alarmed {
        /// Where it happened.
        at: DeviceId,
    },
    /// It starts again, and is away for a while.
    Rebooting {
        /// How long, once it has left.
        away: Duration,
    },
    /// An upgrade has come to this; the platform is told as soon as it can hear it.
    Upgraded(UpgradeResult),
    /// Every picture of an order has arrived or is lost; the platform is told.
    SnapshotsDelivered {
        /// Of which channel.
        channel: DeviceId,
        /// How many were taken.
        taken: u8,
        /// The names of those that arrived.
        delivered: Vec<String>,
    },
    /// An INVITE was accepted.
    Invited {
        /// The call.
        call: CallNumber,
        /// The channel it plays.
        channel: DeviceId,
        /// How media will travel.
        transport: MediaTransport,
    },
    /// An INVITE was refused.
    Refused {
        /// The SIP status.
        status: u16,
        /// Why, in words for a person.
        why: String,
        /// The Call-ID of the INVITE.
        call_id: String,
    },
    /// The 200 of an INVITE was sent, the first of a call or one inside it.
    Answered {
        /// The call.
        call: CallNumber,
        /// From the INVITE to its 200.
        took: Duration,
    },
    /// The ACK of such a 200 came.
    Acknowledged {
        /// The call.
        call: CallNumber,
        /// From the first 200 to the ACK.
        took: Duration,
    },
    /// The first packet of a call left, or the first one after its media had broken or changed.
    Streaming {
        /// The call.
        call: CallNumber,
        /// From the INVITE to the call's first packet; `None` for media that is back.
        took: Option<Duration>,
    },
    /// The media of a call broke; it is tried again unless the call ends.
    MediaLost {
        /// The call.
        call: CallNumber,
        /// What happened.
        why: Loss,
        /// The Call-ID of its dialog.
        call_id: String,
    },
    /// The platform has steered a recording.
    Steered {
        /// The call.
        call: CallNumber,
        /// Where it goes on, counted from the time that the INVITE asked for.
        position: Duration,
    },
    /// A recording is sent to its end, and the platform is told.
    Played {
        /// The call.
        call: CallNumber,
    },
    /// A call is over.
    Ended {
        /// The call.
        call: CallNumber,
        /// Who or what ended it.
        why: CallEnd,
        /// What was sent.
        counts: Counts,
        /// The Call-ID of its dialog.
        call_id: String,
    },
    /// The platform wanted to speak (Broadcast) and was told that it cannot.
    VoiceRefused {
        /// Why, in words for a person.
        why: String,
    },
    /// The first packet of the platform's voice has come; in a talk, in the last second.
    VoiceHeard {
        /// Who speaks.
        source: DeviceId,
        /// Where it is heard: the device, a channel or a voice output.
        target: DeviceId,
    },
    /// What the platform's voice has said since the last such word, about once a second and
    /// before its end, if it is kept ([`Config::keeps_voice`](super::Config::keeps_voice)).
    VoiceSaid {
        /// G.711 A-law: 8,000 samples in a second, each an octet.
        samples: Bytes,
    },
    /// A voice that had been announced is over, or did not come about; or that of a talk is over
    /// in which something was heard.
    VoiceEnded {
        /// Who spoke.
        source: DeviceId,
        /// Where it was heard.
        target: DeviceId,
        /// Who or what ended it.
        why: VoiceEnd,
        /// What was heard.
        heard: Heard,
        /// The Call-ID of its INVITE, in a talk of the platform's; empty when none was sent.
        call_id: String,
    },
    /// The camera is off: nothing is open any more.
    Off {
        /// Whether the platform confirmed the unregistration.
        unregistered: bool,
    },
}

/// What was heard of a voice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// RTP packets.
    pub packets: u64,
    /// Packets that never came.
    pub lost: u64,
    /// Octets of audio in them.
    pub octets: u64,
    /// Since the first packet.
    pub lasted: Duration,
}

impl Heard {
    /// What a stream has brought whose first packet came at `began`.
    pub(super) fn of(verdict: &Verdict, began: Option<Instant>, now: Now) -> Heard {
        Heard {
            packets: verdict.packets.received,
            lost: verdict.packets.lost,
            octets: verdict.audio,
            lasted: began.map_or(Duration::ZERO, |began| now.mono - began),
        }
    }

    /// Adds the packets of an earlier stream. Both have lasted since the first packet.
    pub(super) fn add(&mut self, earlier: Heard) {
        self.packets += earlier.packets;
        self.lost += earlier.lost;
        self.octets += earlier.octets;
    }
}

/// Why a voice is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VoiceEnd {
    /// The platform sent BYE.
    Bye,
    /// Its owner ended it.
    HungUp,
    /// The platform did not take our call, or its answer cannot be used: in words for a person.
    Refused(String),
    /// Media could not be opened, or broke.
    MediaFailed(String),
    /// The registration was lost, and the voice with it.
    PlatformLost,
}

impl fmt::Display for VoiceEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VoiceEnd::Bye => f.write_str("the platform said BYE"),
            VoiceEnd::HungUp => f.write_str("we hung up"),
            VoiceEnd::Refused(why) => write!(f, "the platform did not take our call: {why}"),
            VoiceEnd::MediaFailed(why) => write!(f, "media failed: {why}"),
            VoiceEnd::PlatformLost => f.write_str("the platform is lost"),
        }
    }
}

/// Why a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The platform sent BYE.
    Bye,
    /// The platform sent CANCEL before we had answered.
    Cancelled,
    /// A new INVITE with the same Subject replaced it (GB/T 28181-2022 annex L).
    Replaced,
    /// Nobody acknowledged our 200.
    Unacknowledged,
    /// Media could not be opened, or not be brought back.
    MediaFailed,
    /// The registration was lost, and media with it (annex K).
    PlatformLost,
    /// Its owner or its channel ended it.
    HungUp,
    /// Its recording was over, and the platform did not hang up.
    Played,
}

impl fmt::Display for CallEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CallEnd::Bye => "the platform said BYE",
            CallEnd::Cancelled => "the platform cancelled it",
            CallEnd::Replaced => "a new INVITE replaced it",
            CallEnd::Unacknowledged => "nobody acknowledged our answer",
            CallEnd::MediaFailed => "media could not be sent",
            CallEnd::PlatformLost => "the platform is lost",
            CallEnd::HungUp => "we hung up",
            CallEnd::Played => "its recording was over",
        })
    }
}
