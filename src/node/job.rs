//! Jobs: what a node has done for it that takes a while and is no signalling, a file fetched or
//! delivered over HTTP (GB/T 28181-2022 §9.13, §9.14).

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::media::Still;

/// A job, numbered by its node; no two that run at once share a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub u64);

/// One HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What is done.
    pub method: HttpMethod,
    /// `http://host[:port]/path`, as it came from the network. Anything else is
    /// [`JobFailure::Url`].
    pub url: String,
    /// What is sent, and the `Content-Type` it has.
    pub body: Option<(String, JobBody)>,
    /// How many octets the answer may have.
    pub limit: u64,
    /// How long all of it may take, from the moment that it begins.
    pub patience: Duration,
}

/// The methods that jobs use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    /// Fetch.
    Get,
    /// Deliver.
    Post,
    /// Deliver.
    Put,
}

/// What a request carries: octets around a picture, which is drawn when it is sent, where it
/// keeps no node waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobBody {
    /// Before the picture.
    pub head: Bytes,
    /// The picture, as a JPEG.
    pub picture: Still,
    /// Behind the picture.
    pub tail: Bytes,
}

/// What has come of a job.
pub type JobOutcome = Result<Fetched, JobFailure>;

/// An answer that came whole. What it holds is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The HTTP status.
    pub status: u16,
    /// The octets of its body.
    pub octets: u64,
}

/// Why there is no whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobFailure {
    /// The address is none that can be asked.
    Url,
    /// Nobody can be reached there.
    Unreachable(String),
    /// It took too long.
    Timeout,
    /// The answer is larger than it may be.
    TooLarge,
    /// The connection broke, or what came is no HTTP.
    Broken(String),
}

impl fmt::Display for JobFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JobFailure::Url => f.write_str("no address that can be asked over HTTP"),
            JobFailure::Unreachable(why) => write!(f, "cannot be reached: {why}"),
            JobFailure::Timeout => f.write_str("it took too long"),
            JobFailure::TooLarge => f.write_str("the answer is too large"),
            JobFailure::Broken(why) => write!(f, "broke off: {why}"),
        }
    }
}

impl JobBody {
    /// The octets, with the picture drawn.
    pub fn octets(&self) -> Bytes {
        let picture = self.picture.jpeg();
        Bytes::from([&self.head, &picture[..], &self.tail].concat())
    }
}
