//! What the platform is asked to do, and what it tells.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{
    Alarm, CatalogChange, MobilePosition, PtzPosition, SnapShotFinished, Topic, UpgradeResult,
    VideoUpload,
};
use crate::gb28181::mansrtsp;
use crate::gb28181::sdp::TimeRange;
use crate::media::{Counts, Cut, Expected, Loss, MediaTransport, Verdict};
use crate::sip::Transport;

use super::complaint::Complaint;
use super::orders::Order;
use super::questions::{Answer, AskFailure, Query};

/// A question to a device, numbered by its owner below 2^63.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// A call to a device, numbered by its owner below 2^63. A number may be used again once its call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayId(pub u64);

/// What the owner of a platform asks of it.
#[derive(Clone, Debug)]
pub enum Command {
    /// Ask a device something; [`Event::Answered`] or [`Event::AskFailed`] follows.
    Query {
        /// Whom.
        device: DeviceId,
        /// What.
        what: Query,
        /// The number of the question.
        ask: AskId,
    },
    /// Order a device to do something; [`Answer::Ordered`] or [`Event::AskFailed`] follows.
    Order {
        /// Whom.
        device: DeviceId,
        /// Which of its channels or alarm inputs; `None`: the device itself.
        about: Option<DeviceId>,
        /// What.
        what: Order,
        /// The number of the question.
        ask: AskId,
    },
    /// Send OPTIONS to a device, which answers [`Answer::Pong`].
    Ping {
        /// Whom.
        device: DeviceId,
        /// The number of the question.
        ask: AskId,
    },
    /// INVITE a channel and judge what it sends.
    Play {
        /// The device that is registered.
        device: DeviceId,
        /// Its channel.
        channel: DeviceId,
        /// How media travels, as the camera sees it: with `TcpActive` the camera connects to us.
        transport: MediaTransport,
        /// Which of its streams: 0 the main stream, 1 the sub stream.
        stream: u8,
        /// The live picture, or a recording.
        showing: Showing,
        /// What the stream is compared with. Its SSRC is set by the call.
        expected: Arc<Expected>,
        /// The number of the call.
        play: PlayId,
    },
    /// Talk with a device: INVITE with `s=Talk`, both sides speak. What follows is as after
    /// [`Command::Play`].
    Talk {
        /// The device that is registered.
        device: DeviceId,
        /// Its channel, or the device.
        channel: DeviceId,
        /// How both voices travel, as the device sees it.
        transport: MediaTransport,
        /// What is said, again and again: a [`Cut::voice`].
        voice: Arc<Cut>,
        /// Whether what the device says is kept, as the recording of [`Event::PlayEnded`].
        record: bool,
        /// The number of the call.
        play: PlayId,
    },
    /// Speak through a device (Broadcast): [`Answer::Ordered`] or [`Event::AskFailed`] says
    /// whether it lets us; if so it calls, [`Event::Speaking`] follows, and in any case
    /// [`Event::SpeechEnded`].
    Speak {
        /// The device that is registered.
        device: DeviceId,
        /// Where it is to be heard: a voice output, a channel or the device.
        target: DeviceId,
        /// What is said, again and again: a [`Cut::voice`].
        voice: Arc<Cut>,
        /// The number of the question, and of the speech.
        ask: AskId,
    },
    /// End a speech.
    Hush {
        /// Which.
        ask: AskId,
    },
    /// Steer a recording with INFO; the device answers with [`Answer::Steered`].
    Steer {
        /// Its call.
        play: PlayId,
        /// What to do.
        command: mansrtsp::Command,
        /// The number of the question.
        ask: AskId,
    },
    /// Subscribe to something of a device; it answers with [`Answer::Subscribed`], and
    /// [`Event::Notice`]s follow. Subscribing again prolongs it, a lifetime of zero ends it. It is
    /// refreshed in time as long as the device is there.
    Subscribe {
        /// The device that is registered.
        device: DeviceId,
        /// The device itself, or one of its channels.
        about: DeviceId,
        /// To what.
        topic: Topic,
        /// For how long.
        lifetime: Duration,
        /// The number of the question.
        ask: AskId,
    },
    /// End a call: BYE, or CANCEL while it is not answered.
    Stop {
        /// Which.
        play: PlayId,
    },
    /// End all calls, then [`Event::Off`].
    Shutdown,
}

/// What a call shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Showing {
    /// The live picture: `s=Play`.
    #[default]
    Live,
    /// What was recorded between two times, at its own speed: `s=Playback`.
    Playback(TimeRange),
    /// The same, as fast as asked: `s=Download`.
    Download {
        /// Between which times.
        times: TimeRange,
        /// How many times as fast as it was recorded: `a=downloadspeed`.
        speed: u8,
    },
    /// No picture: the device's microphone (`s=Talk`). [`Command::Talk`] speaks too.
    Talk,
}

/// What a device tells of itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// Its catalogue changed.
    Catalog(Vec<CatalogChange>),
    /// Something happened.
    Alarm(Alarm),
    /// It is here.
    Position(MobilePosition),
    /// Its head looks there.
    Looks {
        /// The channel whose head it is.
        channel: String,
        /// Where it looks.
        at: PtzPosition,
    },
    /// What has come of an upgrade.
    Upgraded(UpgradeResult),
    /// The pictures that it has delivered.
    SnapshotsDelivered(SnapShotFinished),
    /// It asks to be called: [`Command::Play`] does.
    VideoOffered(VideoUpload),
    /// It tells no more of this.
    Ended(Topic),
}

/// What happened on a platform.
#[derive(Clone, Debug)]
pub enum Event {
    /// Its sockets are open.
    Listening {
        /// For datagrams.
        udp: SocketAddr,
        /// For connections.
        tcp: Option<SocketAddr>,
    },
    /// A socket cannot be opened, or is gone.
    NotListening {
        /// Which.
        transport: Transport,
        /// Why.
        why: String,
    },
    /// A device registered.
    Registered {
        /// Which.
        device: DeviceId,
        /// Where it is.
        at: SocketAddr,
        /// How it is reached.
        transport: Transport,
        /// For how long.
        expires: Duration,
        /// Whether it was registered before.
        refresh: bool,
    },
    /// A device unregistered.
    Unregistered {
        /// Which.
        device: DeviceId,
    },
    /// A registration was refused, challenges apart.
    Refused {
        /// Which device, as far as it can be told.
        device: Option<DeviceId>,
        /// From where.
        from: SocketAddr,
        /// The SIP status.
        status: u16,
        /// Why, in words for a person.
        why: String,
    },
    /// A Keepalive came.
    Kept {
        /// From which device.
        device: DeviceId,
        /// Whether it says that it is well.
        healthy: bool,
    },
    /// A device is not there any more. Its calls end.
    Offline {
        /// Which.
        device: DeviceId,
        /// How that was noticed.
        why: Absence,
    },
    /// A device that was silent for too long sent a Keepalive: it is there again.
    Back {
        /// Which.
        device: DeviceId,
    },
    /// A device told something of itself, in a NOTIFY or in a MESSAGE.
    Notice {
        /// Who.
        device: DeviceId,
        /// What.
        notice: Notice,
    },
    /// A device told something else.
    Notified {
        /// From which device.
        device: DeviceId,
        /// Its `CmdType`.
        cmd_type: String,
    },
    /// A question is answered.
    Answered {
        /// Which.
        ask: AskId,
        /// By whom.
        device: DeviceId,
        /// How.
        answer: Answer,
        /// From question to (the last part of the) answer.
        took: Duration,
    },
    /// A question is not answered.
    AskFailed {
        /// Which.
        ask: AskId,
        /// By whom.
        device: DeviceId,
        /// Why.
        why: AskFailure,
    },
    /// A device accepted an INVITE.
    PlayAnswered {
        /// The call.
        play: PlayId,
        /// Where media comes from, as its SDP says.
        media: SocketAddr,
        /// The SSRC agreed.
        ssrc: u32,
        /// From INVITE to 200.
        took: Duration,
    },
    /// The first packet came.
    Streaming {
        /// The call.
        play: PlayId,
        /// From INVITE to here.
        took: Duration,
    },
    /// The media connection broke, or could not be made. It is awaited or tried again.
    MediaLost {
        /// The call.
        play: PlayId,
        /// What happened.
        why: Loss,
    },
    /// The first packet of a speech has left.
    Speaking {
        /// Its number.
        ask: AskId,
        /// Through which device.
        device: DeviceId,
    },
    /// A speech is over, or did not come about.
    SpeechEnded {
        /// Its number.
        ask: AskId,
        /// Through which device.
        device: DeviceId,
        /// Who or what ended it.
        why: SpeechEnd,
        /// What was sent.
        counts: Counts,
    },
    /// How the stream stands, about once a second.
    Progress {
        /// The call.
        play: PlayId,
        /// The judgement so far.
        verdict: Box<Verdict>,
    },
    /// A call that was answered is over: BYE answered, media stopped.
    PlayEnded {
        /// The call.
        play: PlayId,
        /// Who or what ended it.
        why: PlayEnd,
        /// What went through.
        counts: Counts,
        /// The final judgement.
        verdict: Option<Box<Verdict>>,
        /// The program stream that came, if [`Expected::record`] asked for it.
        recording: Bytes,
    },
    /// A call did not come about.
    PlayRefused {
        /// The call.
        play: PlayId,
        /// Why.
        why: PlayFailure,
    },
    /// A device did what the standard does not allow.
    Complaint(Complaint),
    /// Everything is closed.
    Off,
}

/// How it was noticed that a device is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// No Keepalive for too long. A Keepalive brings it back.
    Silent,
    /// It did not refresh its registration. It has to register again.
    Expired,
    /// Its TCP connection is gone (GB/T 28181-2022 §9.1.1 f). It has to register again.
    Disconnected,
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Absence::Silent => "no Keepalive for too long",
            Absence::Expired => "its registration expired",
            Absence::Disconnected => "its connection is gone",
        })
    }
}

/// Why an answered call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlayEnd {
    /// Its owner ended it.
    Stopped,
    /// The device sent BYE.
    ByDevice,
    /// The device said with MediaStatus that it has sent everything.
    MediaStatus,
    /// No media came for too long.
    NoMedia,
    /// The media plane gave up, or the connection could not be made.
    MediaFailed,
    /// The device went off-line or unregistered.
    DeviceGone,
}

impl fmt::Display for PlayEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PlayEnd::Stopped => "we ended it",
            PlayEnd::ByDevice => "the device said BYE",
            PlayEnd::MediaStatus => "the device has sent everything",
            PlayEnd::NoMedia => "no media came",
            PlayEnd::MediaFailed => "media broke",
            PlayEnd::DeviceGone => "the device is gone",
        })
    }
}

/// Why a call did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlayFailure {
    /// The device is not registered, or off-line.
    NotRegistered,
    /// The number belongs to a call that is not over.
    NumberInUse,
    /// All 10,000 SSRCs of the domain are in use.
    NoSsrc,
    /// The platform is shutting down.
    ShuttingDown,
    /// Media could not be opened.
    NoMedia(String),
    /// The device refused with this SIP status.
    Refused {
        /// The status.
        status: u16,
        /// Its reason phrase.
        reason: String,
    },
    /// No final response in time, or the flow broke.
    NoAnswer(String),
    /// The device's SDP cannot be used. The call was acknowledged and ended with BYE.
    BadAnswer(String),
    /// Its owner ended it before it was answered.
    Cancelled,
    /// The device went off-line before it had answered.
    DeviceGone,
}

impl PlayFailure {
    /// The SIP status of a refusal by the device.
    pub fn status(&self) -> Option<u16> {
        match self {
            PlayFailure::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

impl fmt::Display for PlayFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PlayFailure::NotRegistered => "the device is not registered",
            PlayFailure::NumberInUse => "the call's number is in use",
            PlayFailure::NoSsrc => "no SSRC is free",
            PlayFailure::ShuttingDown => "the platform is shutting down",
            PlayFailure::Cancelled => "cancelled",
            PlayFailure::DeviceGone => "the device went off-line",
            PlayFailure::Refused { status, reason } => return write!(f, "{status} {reason}"),
            PlayFailure::NoMedia(why)
            | PlayFailure::NoAnswer(why)
            | PlayFailure::BadAnswer(why) => why,
        })
    }
}

/// Why a speech is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpeechEnd {
    /// Its owner has said enough.
    Stopped,
    /// The device sent BYE.
    ByDevice,
    /// The device is not there any more.
    DeviceGone,
    /// The device has answered that it cannot be spoken through.
    Declined,
    /// The device did not call.
    NoCall,
    /// The device does not want what we can say: in words for a person.
    BadOffer(String),
    /// The device took its call back.
    Cancelled,
    /// The device never acknowledged our answer.
    Unacknowledged,
    /// Media could not be opened, or broke.
    MediaFailed(String),
}

impl fmt::Display for SpeechEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SpeechEnd::Stopped => "we have said enough",
            SpeechEnd::ByDevice => "the device said BYE",
            SpeechEnd::DeviceGone => "the device is gone",
            SpeechEnd::Declined => "the device cannot be spoken through",
            SpeechEnd::NoCall => "the device did not call",
            SpeechEnd::BadOffer(why) => return write!(f, "an unusable offer: {why}"),
            SpeechEnd::Cancelled => "the device cancelled its call",
            SpeechEnd::Unacknowledged => "the device never acknowledged our answer",
            SpeechEnd::MediaFailed(why) => return write!(f, "media failed: {why}"),
        })
    }
}
