//! How a camera stands with its platform, gathered from its events.

use std::time::Duration;

use tokio::time::Instant;

use crate::camera::Event;

/// How a camera stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Standing {
    pub registered: bool,
    /// The latest trouble, until a registration succeeds.
    trouble: Option<Trouble>,
    /// Whether it is off, and meant to stay so.
    pub off: bool,
    /// How often it has gone off.
    pub departures: u64,
    /// Whether the platform confirmed the last unregistration.
    pub confirmed: bool,
    /// Whether it was told to go off and is not yet.
    leaving: bool,
    /// Whether it is to come up again once it is off.
    again: bool,
}

#[derive(Clone, Debug)]
struct Trouble {
    why: String,
    /// When it is tried again, if that is known.
    again: Option<Instant>,
}

impl Standing {
    /// It was told to switch off.
    pub fn leave(&mut self) {
        self.leaving = !self.off;
        self.again = false;
    }

    /// It was told to switch on: at once, or when it has gone off.
    pub fn come_back(&mut self) {
        self.off = false;
        self.again = self.leaving;
    }

    /// Takes in what the camera tells; `true` when that changed something.
    pub fn note(&mut self, event: &Event) -> bool {
        match event {
            Event::Registered { .. } => {
                self.registered = true;
                self.trouble = None;
            }
            Event::RegisterFailed { why, retry, .. } => self.fail(why, Some(*retry)),
            Event::PlatformLost { why } => self.fail(why, None),
            Event::Rebooting { away } => self.fail("it starts again", Some(*away)),
            Event::Off { unregistered } => {
                self.registered = false;
                self.departures += 1;
                self.confirmed = *unregistered;
                self.leaving = false;
                self.off = !std::mem::take(&mut self.again);
            }
            _ => return false,
        }
        true
    }

    fn fail(&mut self, why: &str, retry: Option<Duration>) {
        self.registered = false;
        self.trouble = Some(Trouble {
            why: why.to_owned(),
            again: retry.map(|retry| Instant::now() + retry),
        });
    }

    /// Whether nothing will have been tried again by `deadline`.
    pub fn is_hopeless_until(&self, deadline: Instant) -> bool {
        let again = self.trouble.as_ref().and_then(|trouble| trouble.again);
        again.is_some_and(|again| again > deadline)
    }

    /// Why it is not registered, in words for a person.
    pub fn why_not(&self) -> String {
        match &self.trouble {
            _ if self.off => "it is off".to_owned(),
            None => "no answer came; is the platform listening there?".to_owned(),
            Some(Trouble { why, again: None }) => explained(why),
            Some(Trouble {
                why,
                again: Some(again),
            }) => {
                let seconds = again.saturating_duration_since(Instant::now()).as_secs();
                format!("{}; it tries again in {seconds} s", explained(why))
            }
        }
    }
}

/// A failure of a registration, with what a person would look at first.
pub(crate) fn explained(why: &str) -> String {
    let advice = match why.get(..3) {
        Some("403") => "are ID and password right?",
        Some("404") => "does the platform know this ID?",
        Some("423") => "ask for a longer lifetime",
        _ => return why.to_owned(),
    };
    format!("{why} ({advice})")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_called_back_while_it_leaves_is_not_taken_for_off() {
        let gone = Event::Off { unregistered: true };
        let mut standing = Standing::default();
        standing.leave();
        standing.come_back();
        standing.note(&gone);
        assert!(!standing.off && standing.confirmed);
        assert_eq!(standing.departures, 1);
        standing.leave();
        standing.come_back();
        standing.leave();
        standing.note(&gone);
        assert!(standing.off, "the last wish counts");
        standing.leave();
        standing.come_back();
        standing.leave();
        standing.note(&gone);
        assert!(standing.off, "one that was off already was not leaving");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_has_no_use_when_the_next_attempt_comes_too_late() {
        let mut standing = Standing::default();
        let deadline = Instant::now() + Duration::from_secs(10);
        assert!(!standing.is_hopeless_until(deadline));
        standing.note(&Event::RegisterFailed {
            why: "403 Forbidden".into(),
            retry: Duration::from_secs(60),
            call_id: String::new(),
        });
        assert!(standing.is_hopeless_until(deadline));
        assert_eq!(
            standing.why_not(),
            "403 Forbidden (are ID and password right?); it tries again in 60 s"
        );
        standing.note(&Event::RegisterFailed {
            why: "503".into(),
            retry: Duration::from_secs(2),
            call_id: String::new(),
        });
        assert!(!standing.is_hopeless_until(deadline));
    }
}
