//! Values of flags that several commands take.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use clap::ValueEnum;

use super::failure::Failure;
use super::{screen, words};
use crate::api::{Audio, Clip, Error};
use crate::media::{MediaTransport, Rational};
use crate::profile::{Profile, ProfileError};
use crate::sip::Transport;

/// An address with its port.
pub(super) fn endpoint(text: &str) -> Result<SocketAddr, String> {
    let wrong = |_| "write IP:PORT, such as 127.0.0.1:5060 or [::1]:5060".to_owned();
    text.parse().map_err(wrong)
}

/// How signalling travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Signalling {
    /// Datagrams
    Udp,
    /// One connection, opened by the camera
    Tcp,
}

impl From<Signalling> for Transport {
    fn from(signalling: Signalling) -> Self {
        match signalling {
            Signalling::Udp => Transport::Udp,
            Signalling::Tcp => Transport::Tcp,
        }
    }
}

/// How media travels, as the camera sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Media {
    /// Datagrams
    Udp,
    /// The camera listens, the platform connects
    TcpPassive,
    /// The camera connects
    TcpActive,
}

impl From<Media> for MediaTransport {
    fn from(media: Media) -> Self {
        match media {
            Media::Udp => MediaTransport::Udp,
            Media::TcpPassive => MediaTransport::TcpPassive,
            Media::TcpActive => MediaTransport::TcpActive,
        }
    }
}

/// The text of a profile and what errors call it: one that is built in, or a file ending in .toml.
pub(super) fn profile_text(name: &str) -> Result<(String, String), Failure> {
    if !name.ends_with(".toml") {
        let text = Profile::builtin_text(name)?;
        return Ok((format!("{name}.toml"), text.to_owned()));
    }
    let text = std::fs::read_to_string(name).map_err(|source| Error::File {
        path: name.into(),
        source,
    })?;
    Ok((name.to_owned(), text))
}

/// A profile that is built in, or from a file ending in .toml.
pub(super) fn profile(name: &str) -> Result<Arc<Profile>, Failure> {
    let (file, text) = profile_text(name)?;
    let read: Result<Profile, ProfileError> = Profile::parse(&file, &text);
    Ok(Arc::new(read?))
}

/// A clip from a file, or the one built in. Says so if `fps` is given for nothing.
pub(super) fn clip(file: Option<&Path>, fps: Option<Rational>) -> Result<Clip, Failure> {
    match file {
        Some(file) => {
            let clip = Clip::open_at(file, fps)?;
            if let Some(fps) = fps.filter(|fps| *fps != clip.fps()) {
                note_rate(file, fps, clip.fps());
            }
            Ok(clip)
        }
        None => Ok(Clip::sample()),
    }
}

/// The sound of a file, or of one that needs none: `tone`.
pub(super) fn audio(file: &Path) -> Result<Audio, Failure> {
    match file.to_str() {
        Some("tone") => Ok(Audio::tone()),
        _ => Ok(Audio::open(file)?),
    }
}

fn note_rate(file: &Path, given: Rational, own: Rational) {
    screen::note(&format!(
        "{}: --fps {} is not used: the file says its own rate, {} frames per second",
        file.display(),
        words::frame_rate(given),
        words::frame_rate(own),
    ));
}
