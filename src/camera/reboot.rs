//! Starting again: the device leaves, is away for as long as its make takes, and registers as one
//! that was just switched on (GB/T 28181-2022 §9.3, §9.13).

use crate::time::Now;

use super::Camera;
use super::event::{CallEnd, Event};
use super::line::Timer;
use super::power::{Again, Power};

impl Camera {
    /// Starts again. Whether it does: one that is off, or on its way there, does not.
    pub(super) fn reboot(&mut self, now: Now) -> bool {
        if self.power != Power::On {
            return false;
        }
        let policy = self.line.config.profile.behaviour.reboot;
        let away = policy.takes();
        self.line.tell(Event::Rebooting { away });
        if !policy.unregister {
            let line = &mut self.line;
            self.calls.drop_all(now, line, CallEnd::HungUp);
            self.messages.voice.abandon(now, line);
            self.registration.drop_silently(line);
        }
        self.power_off(now);
        // What commands have changed was never written down.
        self.messages.controls = Default::default();
        if let Power::Leaving { again, .. } = &mut self.power {
            *again = Again::Booted;
        }
        true
    }

    /// It has left, and is away for a while.
    pub(super) fn boot(&mut self, now: Now) {
        let takes = self.line.config.profile.behaviour.reboot.takes();
        self.power = Power::Booting;
        self.line.set(Timer::Boot, now.mono + takes);
    }

    /// The while is over.
    pub(super) fn booted(&mut self) {
        if self.power == Power::Booting {
            self.power = Power::Off;
            self.power_on();
        }
    }
}
