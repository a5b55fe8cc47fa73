//! One TCP connection of a node: reads as fast as the node takes, writes as fast as the peer
//! reads, and keeps no more than a bounded amount in between.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Buf, Bytes};
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::{scratch, socket};
use crate::sip::FlowId;

/// What may wait for a peer that does not read, in octets; more ends the connection.
pub(super) const QUEUE_LIMIT: usize = 256 * 1024;

/// What a queued message costs beyond its octets.
const MESSAGE_COST: usize = 64;

/// How long a closed connection may take to hand over what is still queued.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// The way into a connection. Dropping it closes the connection after what is queued has left.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: mpsc::UnboundedSender<Bytes>,
    waiting: Arc<AtomicUsize>,
}

/// The connection's end of its outbox.
#[derive(Debug)]
pub(super) struct Outgoing {
    queue: mpsc::UnboundedReceiver<Bytes>,
    waiting: Arc<AtomicUsize>,
}

/// The peer does not read: so many octets wait for it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full(pub usize);

/// Which socket speaks: a flow's number may be used again, its serial never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) flow: FlowId,
    pub(super) serial: u64,
}

/// What the tasks of TCP sockets tell their node.
#[derive(Debug)]
pub(super) enum Heard {
    /// The connection was made.
    Connected(TcpStream),
    /// Somebody connected to a listener.
    Accepted(TcpStream, SocketAddr),
    /// The next octets.
    Bytes(Bytes),
    /// The socket is gone.
    End(String),
}

/// Where the tasks of a node's TCP sockets report.
pub(super) type Inbox = mpsc::Sender<(Tag, Heard)>;

/// A new outbox and the end that [`serve`] takes.
pub(super) fn outbox() -> (Outbox, Outgoing) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let outbox = Outbox {
        queue: sender,
        waiting: waiting.clone(),
    };
    let outgoing = Outgoing {
        queue: receiver,
        waiting,
    };
    (outbox, outgoing)
}

impl Outbox {
    /// Queues `bytes`. What comes after the connection's end goes nowhere.
    pub(super) fn push(&self, bytes: Bytes) -> Result<(), Full> {
        let cost = cost(&bytes);
        let waiting = self.waiting.fetch_add(cost, Ordering::Relaxed) + cost;
        if waiting > QUEUE_LIMIT {
            return Err(Full(waiting));
        }
        let _ = self.queue.send(bytes);
        Ok(())
    }
}

fn cost(bytes: &Bytes) -> usize {
    bytes.len() + MESSAGE_COST
}

/// Runs a connection until it ends or its outbox is dropped.
pub(super) async fn serve(stream: TcpStream, mut outgoing: Outgoing, tag: Tag, inbox: Inbox) {
    let mut unsent = Bytes::new();
    let mut held = 0;
    loop {
        tokio::select! {
            ready = stream.readable() => {
                let heard = match ready.and_then(|()| read(&stream)) {
                    Ok(bytes) if bytes.is_empty() => Heard::End("closed by the peer".into()),
                    Ok(bytes) => Heard::Bytes(bytes),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(error) => Heard::End(error.to_string()),
                };
                let ended = matches!(heard, Heard::End(_));
                if inbox.send((tag, heard)).await.is_err() {
                    break;
                }
                if ended {
                    return;
                }
            }
            ready = stream.writable(), if !unsent.is_empty() => {
                match ready.and_then(|()| stream.try_write(&unsent)) {
                    Ok(written) => unsent.advance(written),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(error) => {
                        let _ = inbox.send((tag, Heard::End(error.to_string()))).await;
                        return;
                    }
                }
                if unsent.is_empty() {
                    outgoing.waiting.fetch_sub(held, Ordering::Relaxed);
                }
            }
            next = outgoing.queue.recv(), if unsent.is_empty() => match next {
                Some(bytes) => {
                    held = cost(&bytes);
                    unsent = bytes;
                }
                None => break,
            },
        }
    }
    let farewell = finish(&stream, unsent, outgoing);
    if tokio::time::timeout(LINGER, farewell).await.is_err() {
        tracing::debug!("a closed connection did not take its last octets");
    }
}

/// Connects and reports the outcome.
pub(super) async fn connect(local: SocketAddr, remote: SocketAddr, tag: Tag, inbox: Inbox) {
    let heard = match socket::connect(local, remote).await {
        Ok(stream) => Heard::Connected(stream),
        Err(error) => Heard::End(error.to_string()),
    };
    let _ = inbox.send((tag, heard)).await;
}

/// Accepts until nobody wants more.
pub(super) async fn accept(listener: TcpListener, tag: Tag, inbox: Inbox) {
    loop {
        let (stream, from) = socket::accept(&listener).await;
        let heard = Heard::Accepted(stream, from);
        if inbox.send((tag, heard)).await.is_err() {
            return;
        }
    }
}

fn read(stream: &TcpStream) -> io::Result<Bytes> {
    scratch::with(|buffer| {
        let length = stream.try_read(buffer)?;
        Ok(Bytes::copy_from_slice(buffer.get(..length).unwrap_or(&[])))
    })
}

/// Writes what is left, says so, and waits for the peer's end: closing with octets unread would
/// reset the connection and could destroy what the peer has not read yet.
async fn finish(stream: &TcpStream, unsent: Bytes, mut outgoing: Outgoing) {
    outgoing.queue.close();
    let mut next = Some(unsent);
    while let Some(bytes) = next {
        if write_all(stream, bytes).await.is_err() {
            return;
        }
        next = outgoing.queue.try_recv().ok();
    }
    if SockRef::from(stream).shutdown(Shutdown::Write).is_err() {
        return;
    }
    while stream.readable().await.is_ok() {
        match read(stream) {
            Ok(bytes) if bytes.is_empty() => return,
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}

async fn write_all(stream: &TcpStream, mut bytes: Bytes) -> io::Result<()> {
    while !bytes.is_empty() {
        stream.writable().await?;
        match stream.try_write(&bytes) {
            Ok(written) => bytes.advance(written),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_refuses_more_than_its_limit() {
        let (outbox, _outgoing) = outbox();
        let half = Bytes::from(vec![0; QUEUE_LIMIT / 2]);
        assert_eq!(outbox.push(half.clone()), Ok(()));
        assert!(outbox.push(half).is_err());
    }

    #[test]
    fn small_messages_cost_more_than_their_octets() {
        let (outbox, _outgoing) = outbox();
        let full = (0..=QUEUE_LIMIT).find(|_| outbox.push(Bytes::from_static(b"x")).is_err());
        assert!(full.is_some_and(|at| at < QUEUE_LIMIT / MESSAGE_COST));
    }
}
