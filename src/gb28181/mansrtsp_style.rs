//! A make's handwriting in MANSRTSP.

use serde::Deserialize;

use super::mansrtsp::Ending;

/// How a make answers an INFO. The default is what GB/T 28181-2022 annex B asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct MansrtspStyle {
    /// The `Content-Type` of the answer; `None`: that of the INFO.
    pub content_type: Option<String>,
    /// How its body ends.
    pub ending: Ending,
    /// Whether it tells the position with `Range`.
    pub range: bool,
    /// Whether it tells the first packet with `RTP-Info`.
    pub rtp_info: bool,
    /// Whether the 200 has a Contact.
    pub contact: bool,
}

impl Default for MansrtspStyle {
    fn default() -> Self {
        MansrtspStyle {
            content_type: None,
            ending: Ending::default(),
            range: true,
            rtp_info: true,
            contact: false,
        }
    }
}
