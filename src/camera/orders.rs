//! A command of the platform, and the word to the device's owner when it is not obeyed.

use std::fmt::Display;

use crate::gb28181::manscdp::Incoming as Document;

use super::control;
use super::event::Event;
use super::line::Line;

/// A `Control` document, and the MESSAGE it came in.
#[derive(Clone, Copy)]
pub(super) struct Order<'m> {
    pub document: &'m Document,
    pub call_id: &'m str,
}

impl Order<'_> {
    /// It is not obeyed, or not all of it. Whom it was for is the device itself when it names
    /// somebody whom the device does not know.
    pub fn not_obeyed(self, line: &mut Line, why: impl Display) {
        let config = &line.config;
        let id = control::named(config, &self.document.device_id).unwrap_or(config.device);
        line.tell(Event::NotObeyed {
            id,
            why: why.to_string(),
            call_id: self.call_id.to_owned(),
        });
    }

    /// It is for nobody here.
    pub fn misdirected(self, line: &mut Line) {
        let named: String = self.document.device_id.chars().take(40).collect();
        self.not_obeyed(line, format_args!("there is no {named:?} here"));
    }
}
