//! What can go wrong in the hands of a user, said so that they can help themselves.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

use crate::gb28181::{DeviceId, DeviceIdError};
use crate::media::{AudioError, ClipError, Verdict};
use crate::platform::{AskFailure, PlayFailure, SpeechEnd};
use crate::profile::ProfileError;
use crate::sip::Transport;

/// Why something asked for did not happen: what, with which value, and the way out.
#[derive(Debug, Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is no clip.
    #[error("{file}: {source}")]
    Clip {
        /// Which.
        file: String,
        /// What is wrong with it.
        source: ClipError,
    },
    /// A file is no sound that a camera sends.
    #[error("{file}: {source}")]
    Audio {
        /// Which.
        file: String,
        /// What is wrong with it.
        source: AudioError,
    },
    /// A profile cannot be used.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A 20-digit code is none.
    #[error("{what}: {source}")]
    Id {
        /// Whose code it was meant to be.
        what: &'static str,
        /// What is wrong with it.
        source: DeviceIdError,
    },
    /// A platform's address is none, or its name is unknown.
    #[error(
        "{text:?} is no platform: {why}; write sip:ID@HOST:PORT, such as sip:34020000002000000001@192.0.2.10:5060"
    )]
    Address {
        /// What was given.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// A setting that cannot be.
    #[error("{what}: {why}")]
    Setting {
        /// Which.
        what: &'static str,
        /// Why it cannot be, and what can.
        why: String,
    },
    /// An address cannot be bound.
    #[error("cannot use {transport} {address}: {why}{}", hint(*address))]
    Bind {
        /// For what.
        transport: Transport,
        /// Which.
        address: SocketAddr,
        /// Why.
        why: String,
    },
    /// A device could not be spoken through.
    #[error("cannot speak through {device}: {why}")]
    Speech {
        /// Which.
        device: DeviceId,
        /// Why.
        why: SpeechEnd,
    },
    /// A camera is not registered.
    #[error("camera {device} is not registered with {platform} over {transport}: {why}")]
    NotRegistered {
        /// Which.
        device: DeviceId,
        /// With whom.
        platform: SocketAddr,
        /// How its signalling travels.
        transport: Transport,
        /// What happened so far.
        why: String,
    },
    /// A camera switched off, and the platform did not confirm that it is forgotten.
    #[error("camera {0} is off, but the platform did not confirm its unregistration")]
    NotUnregistered(DeviceId),
    /// A device did not register with the platform in time.
    #[error("device {device} did not register within {} s{}", waited.as_secs_f32(), those(seen))]
    Absent {
        /// Which.
        device: DeviceId,
        /// How long it was waited for.
        waited: Duration,
        /// Who is registered.
        seen: Vec<DeviceId>,
    },
    /// A question to a device has no answer.
    #[error("{cmd_type} of device {device}: {why}")]
    Ask {
        /// Whom.
        device: DeviceId,
        /// What was asked.
        cmd_type: &'static str,
        /// Why.
        why: AskFailure,
    },
    /// A device has answered a question, but not with what was asked for.
    #[error("{cmd_type} of device {device}: it answered without what was asked for")]
    Unfit {
        /// Whom.
        device: DeviceId,
        /// What was asked.
        cmd_type: &'static str,
    },
    /// A call did not come about.
    #[error("no stream of channel {channel}: {why}")]
    Play {
        /// The channel called.
        channel: DeviceId,
        /// Why.
        why: PlayFailure,
    },
    /// A stream did not bring what was waited for.
    #[error("stream of channel {channel}: {why}; {verdict}")]
    Stream {
        /// The channel called.
        channel: DeviceId,
        /// What was waited for, and what came instead.
        why: String,
        /// The judgement so far.
        verdict: Box<Verdict>,
    },
    /// The other half of a handle is gone: its task failed or its runtime ended.
    #[error("{0} is not running any more")]
    Gone(&'static str),
}

fn hint(address: SocketAddr) -> String {
    match address.port() {
        0 => String::new(),
        port => format!("; is something else using port {port}? Port 0 takes any free one"),
    }
}

fn those(seen: &[DeviceId]) -> String {
    match seen {
        [] => "; nobody is registered".to_owned(),
        [only] => format!("; only {only} is registered"),
        [first, ..] => format!("; {} others are registered, {first} among them", seen.len()),
    }
}
