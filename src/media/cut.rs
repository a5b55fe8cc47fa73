//! The cut: a clip's frames divided into RTP packets, computed once per clip and policy.

use std::sync::Arc;

use super::clip::Clip;

/// How every frame of a clip leaves: shared by all streams that send the clip the same way.
#[derive(Debug)]
pub struct Cut {
    clip: Arc<Clip>,
}

impl Cut {
    /// The clip that was cut.
    pub fn clip(&self) -> &Arc<Clip> {
        &self.clip
    }
}
