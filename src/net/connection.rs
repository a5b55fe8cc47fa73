//! One TCP connection of a node: reads as fast as the node takes, writes as fast as the peer
//! reads, and keeps no more than a bounded amount in between.

use std::collections::VecDeque;
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

/// Runs a connection until it ends or its outbox is dropped, which is noticed even while the peer
/// takes nothing.
pub(super) async fn serve(stream: TcpStream, mut outgoing: Outgoing, tag: Tag, inbox: Inbox) {
    let mut unsent = VecDeque::new();
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
                let written = ready.and_then(|()| write(&stream, &mut unsent, &outgoing));
                if let Err(error) = written {
                    let _ = inbox.send((tag, Heard::End(error.to_string()))).await;
                    return;
                }
            }
            next = outgoing.queue.recv() => match next {
                Some(bytes) => unsent.push_back(bytes),
                None => break,
            },
        }
    }
    // The node may have gone first, with messages still in the queue.
    outgoing.queue.close();
    unsent.extend(std::iter::from_fn(|| outgoing.queue.try_recv().ok()));
    let farewell = finish(&stream, unsent);
    if tokio::time::timeout(LINGER, farewell).await.is_err() {
        tracing::debug!("a closed connection did not take its last octets");
    }
}

/// Writes what the peer takes at once of the first message.
fn write(stream: &TcpStream, unsent: &mut VecDeque<Bytes>, outgoing: &Outgoing) -> io::Result<()> {
    let Some(first) = unsent.front_mut() else {
        return Ok(());
    };
    let written = match stream.try_write(first) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
        written => written?,
    };
    first.advance(written);
    let mut freed = written;
    if first.is_empty() {
        freed += MESSAGE_COST;
        unsent.pop_front();
    }
    outgoing.waiting.fetch_sub(freed, Ordering::Relaxed);
    if unsent.is_empty() {
        // An idle connection keeps no room for what may never come again.
        *unsent = VecDeque::new();
    }
    Ok(())
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
async fn finish(stream: &TcpStream, unsent: VecDeque<Bytes>) {
    for bytes in unsent {
        if write_all(stream, bytes).await.is_err() {
            return;
        }
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

    #[tokio::test(start_paused = true)]
    async fn a_connection_closed_while_its_peer_takes_nothing_ends_soon() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let small = SockRef::from(&listener).set_recv_buffer_size(4096);
        small.unwrap();
        let at = listener.local_addr().unwrap();
        let stream = TcpStream::connect(at).await.unwrap();
        SockRef::from(&stream).set_send_buffer_size(4096).unwrap();
        let (_peer, _) = listener.accept().await.unwrap();
        let (outbox, outgoing) = outbox();
        let (inbox, _heard) = mpsc::channel(1);
        let tag = Tag {
            flow: FlowId(0),
            serial: 1,
        };
        let serving = tokio::spawn(serve(stream, outgoing, tag, inbox));
        outbox.push(Bytes::from(vec![0; 200 * 1024])).unwrap();
        tokio::time::sleep(LINGER).await;
        let waiting = outbox.waiting.load(Ordering::Relaxed);
        assert!(waiting > 1024, "the peer has taken all but {waiting}");
        drop(outbox);
        let ended = tokio::time::timeout(2 * LINGER, serving).await;
        ended.expect("it goes on").unwrap();
    }
}
