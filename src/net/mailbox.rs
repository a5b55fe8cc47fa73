//! Letters for one node, from any thread: an empty one costs a few words, not a block of a
//! channel, and ten thousand nodes have one each.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Closed for good, or full.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused;

#[derive(Debug)]
pub(super) struct Mailbox<T> {
    inside: Mutex<Inside<T>>,
    limit: usize,
}

#[derive(Debug)]
struct Inside<T> {
    letters: VecDeque<T>,
    closed: bool,
    reader: Option<Waker>,
}

impl<T> Mailbox<T> {
    /// An open mailbox in which `limit` letters may wait.
    pub(super) fn new(limit: usize) -> Self {
        Mailbox {
            inside: Mutex::new(Inside {
                letters: VecDeque::new(),
                closed: false,
                reader: None,
            }),
            limit,
        }
    }

    pub(super) fn send(&self, letter: T) -> Result<(), Refused> {
        let mut inside = self.inside();
        if inside.closed || inside.letters.len() >= self.limit {
            return Err(Refused);
        }
        inside.letters.push_back(letter);
        wake(inside);
        Ok(())
    }

    pub(super) fn is_closed(&self) -> bool {
        self.inside().closed
    }

    /// No more letters: the reader gets those that wait, then the end.
    pub(super) fn close(&self) {
        let mut inside = self.inside();
        inside.closed = true;
        wake(inside);
    }

    /// Closes it and throws away what waits: how many letters.
    pub(super) fn drain(&self) -> usize {
        let mut inside = self.inside();
        inside.closed = true;
        std::mem::take(&mut inside.letters).len()
    }

    /// The next letter; `None` at the end.
    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut inside = self.inside();
        if let Some(letter) = inside.letters.pop_front() {
            return Poll::Ready(Some(letter));
        }
        inside.letters = VecDeque::new();
        if inside.closed {
            return Poll::Ready(None);
        }
        match &mut inside.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            reader => *reader = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn inside(&self) -> MutexGuard<'_, Inside<T>> {
        // Nothing in here panics half-way.
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The only writer of a mailbox without limit: with it the letters end.
#[derive(Debug)]
pub(super) struct Writer<T>(Arc<Mailbox<T>>);

/// The only reader of a mailbox without limit: nothing is kept for one that is gone.
#[derive(Debug)]
pub(super) struct Reader<T>(Arc<Mailbox<T>>);

/// The two ends of a mailbox without limit.
pub(super) fn mailbox<T>() -> (Writer<T>, Reader<T>) {
    let mailbox = Arc::new(Mailbox::new(usize::MAX));
    (Writer(mailbox.clone()), Reader(mailbox))
}

impl<T> Writer<T> {
    pub(super) fn send(&self, letter: T) -> Result<(), Refused> {
        self.0.send(letter)
    }
}

impl<T> Drop for Writer<T> {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl<T> Reader<T> {
    /// The next letter; `None` when the writer is gone.
    pub(super) async fn recv(&mut self) -> Option<T> {
        poll_fn(|cx| self.0.poll(cx)).await
    }
}

impl<T> Drop for Reader<T> {
    fn drop(&mut self) {
        self.0.drain();
    }
}

/// Wakes the reader after the lock is given back.
fn wake<T>(mut inside: MutexGuard<'_, Inside<T>>) {
    let reader = inside.reader.take();
    drop(inside);
    if let Some(reader) = reader {
        reader.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn letters_end_with_their_writer_and_are_refused_without_a_reader() {
        let (writer, mut reader) = mailbox();
        assert_eq!(writer.send(1), Ok(()));
        drop(writer);
        assert_eq!((reader.recv().await, reader.recv().await), (Some(1), None));
        let (writer, reader) = mailbox();
        drop(reader);
        assert_eq!(writer.send(1), Err(Refused));
    }

    #[tokio::test]
    async fn letters_come_in_their_order_and_then_the_end() {
        let mailbox = Arc::new(Mailbox::new(3));
        let writer = mailbox.clone();
        let written = std::thread::spawn(move || {
            for letter in 0..3 {
                writer.send(letter).unwrap();
            }
            writer.close();
        });
        let mut read = Vec::new();
        while let Some(letter) = poll_fn(|cx| mailbox.poll(cx)).await {
            read.push(letter);
        }
        written.join().unwrap();
        assert_eq!(read, [0, 1, 2]);
        assert_eq!(mailbox.send(3), Err(Refused));
    }

    #[test]
    fn a_full_mailbox_refuses() {
        let mailbox = Mailbox::new(1);
        assert_eq!(mailbox.send(1), Ok(()));
        assert_eq!(mailbox.send(2), Err(Refused));
    }
}
