//! The receiving end of a stream.

use std::sync::Arc;

use super::clip::Clip;

/// What a receiving stream is judged against.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    /// The only SSRC that belongs to the stream; `None` takes the first that comes.
    pub ssrc: Option<u32>,
    /// The source that the stream is compared with.
    pub reference: Option<Arc<Clip>>,
    /// Keep the program stream that came in.
    pub record: bool,
}
