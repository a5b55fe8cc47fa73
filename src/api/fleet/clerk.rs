//! Who counts what the cameras of one worker tell, on that worker's thread.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::ears::Ears;
use crate::camera::Camera;
use crate::fleet::{Statistics, Tally};
use crate::net::{Clock, News, NodeNumber};

/// What all clerks together have handed over. Each locks it once a second.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(Arc<Mutex<Statistics>>);

impl Ledger {
    pub fn open(&self) -> MutexGuard<'_, Statistics> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts into a tally of its own, and hands it over when the bell rings: no lock per event.
pub(super) struct Clerk {
    pub tally: Tally,
    pub ledger: Ledger,
    /// The camera that each node is; nodes are numbered in the order they are switched on.
    pub cameras: Arc<[u32]>,
    /// Told whenever everything is handed over.
    pub done: mpsc::UnboundedSender<()>,
    pub clock: Clock,
    pub ears: Ears,
}

impl Clerk {
    pub fn hear(&mut self, number: NodeNumber, news: &News<Camera>) {
        match news {
            News::Event(event) => {
                let camera = self.camera(number);
                if self.ears.hear(camera, event) {
                    return;
                }
                self.tally.note(camera, event, || self.clock.now().wall);
            }
            News::Gone(_) => {}
            News::Failed => {
                let camera = self.camera(number);
                self.tally.crashed(camera, || self.clock.now().wall);
            }
            News::Bell => {
                self.ledger.open().take(&mut self.tally);
                let _ = self.done.send(());
            }
        }
    }

    fn camera(&self, number: NodeNumber) -> usize {
        let camera = self.cameras.get(number.0 as usize);
        *camera.unwrap_or(&number.0) as usize
    }
}
