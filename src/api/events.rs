//! What a node tells, for whoever wants to listen.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Events that a slow listener may lag behind before it misses the oldest.
const BACKLOG: usize = 512;

/// What a camera or a platform tells, in order. Whoever does not keep up misses the oldest, which
/// is logged; nobody else is held up.
#[derive(Debug)]
pub struct Events<E> {
    /// What was told before anybody listened.
    early: VecDeque<E>,
    /// What is told from then on, unless the node was gone by then.
    later: Option<broadcast::Receiver<E>>,
}

impl<E: Clone> Events<E> {
    /// The next event; `None` when the node is gone.
    pub async fn next(&mut self) -> Option<E> {
        if let Some(event) = self.early.pop_front() {
            return Some(event);
        }
        // No listener keeps the room for what it has heard.
        self.early = VecDeque::new();
        let later = self.later.as_mut()?;
        loop {
            match later.recv().await {
                Ok(event) => return Some(event),
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "events missed"),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// Where events come from. The queue of those who listen is made with the first of them: most
/// cameras have none.
#[derive(Debug)]
pub(super) struct Source<E>(Arc<Mutex<Stage<E>>>);

/// What a node tells its events to. Dropped when the node goes: listeners learn it.
#[derive(Debug)]
pub(super) struct Tell<E>(Arc<Mutex<Stage<E>>>);

#[derive(Debug)]
enum Stage<E> {
    /// Nobody has listened yet: the events since the beginning, and how many of them are missing.
    Unheard(VecDeque<E>, u64),
    Heard(broadcast::Sender<E>),
    /// The node is gone. What nobody has heard is left.
    Gone(VecDeque<E>),
}

impl<E: Clone> Source<E> {
    /// A source, and what the node tells its events to.
    pub fn new() -> (Self, Tell<E>) {
        let stage = Arc::new(Mutex::new(Stage::Unheard(VecDeque::new(), 0)));
        (Source(stage.clone()), Tell(stage))
    }

    /// The first listener hears everything from the beginning, later ones what happens from now
    /// on.
    pub fn listen(&self) -> Events<E> {
        let mut stage = lock(&self.0);
        let (early, later) = match &mut *stage {
            Stage::Unheard(early, missed) => {
                if *missed > 0 {
                    tracing::warn!(missed, "events missed");
                }
                let early = std::mem::take(early);
                let (sender, later) = broadcast::channel(BACKLOG);
                *stage = Stage::Heard(sender);
                (early, Some(later))
            }
            Stage::Heard(sender) => (VecDeque::new(), Some(sender.subscribe())),
            Stage::Gone(early) => (std::mem::take(early), None),
        };
        Events { early, later }
    }
}

impl<E> Tell<E> {
    /// Tells an event to all who listen, or keeps it for the first.
    pub fn tell(&self, event: E) {
        match &mut *lock(&self.0) {
            Stage::Unheard(early, missed) => {
                if early.len() >= BACKLOG {
                    early.pop_front();
                    *missed += 1;
                }
                early.push_back(event);
            }
            // That nobody listens any more is no failure.
            Stage::Heard(sender) => drop(sender.send(event)),
            Stage::Gone(_) => {}
        }
    }
}

impl<E> Drop for Tell<E> {
    fn drop(&mut self) {
        let mut stage = lock(&self.0);
        let unheard = match &mut *stage {
            Stage::Unheard(early, _) => std::mem::take(early),
            Stage::Heard(_) | Stage::Gone(_) => VecDeque::new(),
        };
        *stage = Stage::Gone(unheard);
    }
}

fn lock<E>(stage: &Mutex<Stage<E>>) -> MutexGuard<'_, Stage<E>> {
    stage.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_listener_hears_what_was_told_before_it_came_and_later_ones_do_not() {
        let (source, tell) = Source::new();
        tell.tell(1);
        let mut first = source.listen();
        let mut second = source.listen();
        tell.tell(2);
        drop(tell);
        assert_eq!((first.next().await, first.next().await), (Some(1), Some(2)));
        assert_eq!((first.next().await, second.next().await), (None, Some(2)));
        assert_eq!(source.listen().next().await, None);
    }

    #[tokio::test]
    async fn who_does_not_listen_holds_nobody_up_and_goes_on_with_the_latest() {
        let (source, tell) = Source::new();
        let mut slow = source.listen();
        for n in 0..BACKLOG * 3 {
            tell.tell(n);
        }
        assert_eq!(slow.next().await, Some(BACKLOG * 2));
    }

    #[tokio::test]
    async fn who_comes_late_hears_the_latest_and_who_comes_when_all_is_over_hears_it_too() {
        let (source, tell) = Source::new();
        for n in 0..BACKLOG + 2 {
            tell.tell(n);
        }
        drop(tell);
        let mut late = source.listen();
        for n in 2..BACKLOG + 2 {
            assert_eq!(late.next().await, Some(n));
        }
        assert_eq!((late.next().await, late.next().await), (None, None));
    }
}
