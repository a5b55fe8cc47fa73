//! Which of many sockets are ready, without a task for each: a socket's waker writes its place on
//! a list and wakes the one task that serves them all.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use tokio::sync::Notify;

/// Where sockets knock. A place that knocks again before it is served is listed once.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rung: Mutex<Vec<u32>>,
    notify: Notify,
}

/// One socket's way to knock.
#[derive(Debug)]
pub(super) struct Knock {
    place: u32,
    is_listed: AtomicBool,
    bell: Arc<Bell>,
}

impl Bell {
    /// The way to knock for what lives at `place`, and its waker.
    pub(super) fn knock(self: &Arc<Self>, place: u32) -> (Arc<Knock>, Waker) {
        let knock = Arc::new(Knock {
            place,
            is_listed: AtomicBool::new(false),
            bell: self.clone(),
        });
        (knock.clone(), Waker::from(knock))
    }

    /// Waits until somebody knocks.
    pub(super) async fn rung(&self) {
        self.notify.notified().await;
    }

    /// Moves everybody who has knocked to `list`.
    pub(super) fn answer(&self, list: &mut Vec<u32>) {
        list.clear();
        let mut rung = self.rung.lock().unwrap_or_else(|e| e.into_inner());
        std::mem::swap(list, &mut rung);
    }
}

impl Knock {
    /// To be called before the socket is served: from now on it is listed again.
    pub(super) fn heard(&self) {
        self.is_listed.store(false, Ordering::Release);
    }
}

impl Wake for Knock {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.is_listed.swap(true, Ordering::AcqRel) {
            let mut rung = self.bell.rung.lock().unwrap_or_else(|e| e.into_inner());
            rung.push(self.place);
            drop(rung);
            self.bell.notify.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_knocks_twice_is_listed_once_until_it_is_heard() {
        let bell = Arc::new(Bell::default());
        let (knock, waker) = bell.knock(7);
        let (_, other) = bell.knock(8);
        waker.wake_by_ref();
        waker.wake_by_ref();
        other.wake();
        bell.rung().await;
        let mut list = vec![1];
        bell.answer(&mut list);
        assert_eq!(list, [7, 8]);
        waker.wake_by_ref();
        bell.answer(&mut list);
        assert!(list.is_empty());
        knock.heard();
        waker.wake();
        bell.answer(&mut list);
        assert_eq!(list, [7]);
    }
}
