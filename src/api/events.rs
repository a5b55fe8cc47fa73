//! What a node tells, for whoever wants to listen.

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

/// Events that a slow listener may lag behind before it misses the oldest.
const BACKLOG: usize = 512;

/// What a camera or a platform tells, in order. Whoever does not keep up misses the oldest, which
/// is logged; nobody else is held up.
#[derive(Debug)]
pub struct Events<E>(broadcast::Receiver<E>);

impl<E: Clone> Events<E> {
    /// The next event; `None` when the node is gone.
    pub async fn next(&mut self) -> Option<E> {
        loop {
            match self.0.recv().await {
                Ok(event) => return Some(event),
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "events missed"),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}

/// Where events come from. It holds no sender: when the node goes, listeners learn it.
#[derive(Debug)]
pub(super) struct Source<E> {
    sender: broadcast::WeakSender<E>,
    /// Begins with the first event of all.
    first: std::sync::Mutex<Option<broadcast::Receiver<E>>>,
}

impl<E: Clone> Source<E> {
    /// A source, and what the node tells its events to.
    pub fn new() -> (Self, broadcast::Sender<E>) {
        let (sender, first) = broadcast::channel(BACKLOG);
        let source = Source {
            sender: sender.downgrade(),
            first: std::sync::Mutex::new(Some(first)),
        };
        (source, sender)
    }

    /// The first listener hears everything from the beginning, later ones what happens from now
    /// on.
    pub fn listen(&self) -> Events<E> {
        let mut first = self.first.lock().unwrap_or_else(|e| e.into_inner());
        let receiver = first
            .take()
            .or_else(|| Some(self.sender.upgrade()?.subscribe()));
        Events(receiver.unwrap_or_else(|| broadcast::channel(1).1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_listener_hears_what_was_told_before_it_came_and_later_ones_do_not() {
        let (source, tell) = Source::new();
        tell.send(1).unwrap();
        let mut first = source.listen();
        let mut second = source.listen();
        tell.send(2).unwrap();
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
            tell.send(n).unwrap();
        }
        assert_eq!(slow.next().await, Some(BACKLOG * 2));
    }
}
