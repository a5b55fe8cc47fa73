//! The receiving end of a stream: RTP packets in, a verdict out.

use std::sync::Arc;

use super::verdict::Reference;

/// What a receiving stream is judged against.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The only SSRC that belongs to the stream; `None` takes the first that comes.
    pub ssrc: Option<u32>,
    /// The payload type agreed; 96 by default.
    pub payload_type: u8,
    /// The source. Without one only counts, sequence, syntax and clocks are judged, which is
    /// cheap: elementary-stream octets are hardly looked at.
    pub reference: Option<Arc<Reference>>,
    /// Keep the program stream that came in.
    pub record: bool,
}

impl Default for Expected {
    fn default() -> Self {
        Expected {
            ssrc: None,
            payload_type: 96,
            reference: None,
            record: false,
        }
    }
}
