//! Power: on, off, and the way from one to the other, on which the platform is told goodbye.

use std::time::Duration;

use crate::time::{Now, Wall};

use super::Camera;
use super::event::Event;
use super::line::{Purpose, Timer};

/// How long a camera that is switched off waits for a platform that has never answered: there is
/// most likely nobody to say goodbye to.
const LEAVE_PATIENCE: Duration = Duration::from_secs(2);

/// Where a device stands on that way ([`Camera`] shows it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Power {
    Off,
    On,
    Leaving {
        unregistered: bool,
        /// Whether it is to come up again once it is off.
        again: Again,
    },
    /// Away for a while, to start again.
    Booting,
}

/// What follows once it is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    No,
    AtOnce,
    Booted,
}

impl Camera {
    /// Its owner switches it on, the first time or again.
    pub(super) fn switch_on(&mut self, now: Now) {
        if self.messages.installed == Wall::default() {
            self.messages.installed = now.wall;
        }
        self.power_on();
    }

    /// Comes up, or does so as soon as it is off.
    pub(super) fn power_on(&mut self) {
        match &mut self.power {
            Power::On | Power::Booting => {}
            Power::Leaving { again, .. } if *again == Again::Booted => {}
            Power::Leaving { again, .. } => *again = Again::AtOnce,
            Power::Off => {
                self.power = Power::On;
                self.registration.return_home(&mut self.line);
                self.registration.restart();
                self.line.reopen();
            }
        }
    }

    /// Says goodbye: BYE to every call, then the unregistration.
    pub(super) fn power_off(&mut self, now: Now) {
        if let Power::Leaving { again, .. } = &mut self.power {
            *again = Again::No;
        }
        if self.power == Power::Booting {
            self.line.timers.cancel(&Timer::Boot);
            self.power = Power::Off;
            self.line.tell(Event::Off { unregistered: true });
        }
        if self.power != Power::On {
            return;
        }
        self.beat.stop(&mut self.line);
        self.messages.clear();
        self.messages.tasks.stop(&mut self.line);
        self.notices.clear(&mut self.line);
        self.hang_up_all(now);
        self.line.timers.cancel(&Timer::Reopen);
        self.registration.unregister(now, &mut self.line);
        if self.registration.is_unheard() {
            self.line.set(Timer::Leave, now.mono + LEAVE_PATIENCE);
        }
        self.power = Power::Leaving {
            unregistered: false,
            again: Again::No,
        };
    }

    /// Off, once every BYE and the unregistration are over and all media is gone.
    pub(super) fn try_off(&mut self, now: Now) {
        let Power::Leaving {
            unregistered,
            again,
        } = self.power
        else {
            return;
        };
        let busy = self.registration.is_busy() || self.line.is_waiting_for(Purpose::Bye);
        if busy || !self.calls.is_idle() || !self.messages.voice.is_idle() {
            return;
        }
        self.power = Power::Off;
        self.line.timers.cancel(&Timer::Leave);
        self.registration.drop_silently(&mut self.line);
        self.line.close();
        if again == Again::Booted {
            return self.boot(now);
        }
        self.line.tell(Event::Off { unregistered });
        if again == Again::AtOnce {
            self.power_on();
        }
    }
}
