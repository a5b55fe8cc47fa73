//! How one camera stands, as its events tell.

use crate::camera::CallNumber;

/// Where a camera is between on and off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not switched on yet, or on its way to its first registration.
    #[default]
    Coming,
    Registered,
    /// Refused, unanswered or thrown out; it tries again.
    Failed,
    Off,
}

/// One camera.
#[derive(Clone, Debug, Default)]
pub(super) struct Seat {
    pub standing: Standing,
    /// Whether it has been registered at least once.
    pub arrived: bool,
    /// Calls whose media flows.
    streaming: Vec<CallNumber>,
}

impl Seat {
    /// Media of a call flows; `false` when it did before.
    pub fn start(&mut self, call: CallNumber) -> bool {
        let new = !self.streaming.contains(&call);
        if new {
            self.streaming.push(call);
        }
        new
    }

    /// Media flows no more: of how many calls it did.
    pub fn stop_all(&mut self) -> i64 {
        std::mem::take(&mut self.streaming).len() as i64
    }

    /// Media of a call flows no more; `false` when it did not before.
    pub fn stop(&mut self, call: CallNumber) -> bool {
        let place = self.streaming.iter().position(|c| *c == call);
        if let Some(place) = place {
            self.streaming.swap_remove(place);
        }
        if self.streaming.is_empty() {
            self.streaming = Vec::new();
        }
        place.is_some()
    }

    pub fn is_streaming(&self) -> bool {
        !self.streaming.is_empty()
    }
}
