//! One UDP socket for the signalling of thousands of nodes, as behind a NAT or where ten thousand
//! ports are too many. Each datagram is parsed once, to know whose it is, and handed over parsed.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::net::UdpSocket;

use super::flows::Happened;
use super::mailbox::Mailbox;
use super::{scratch, socket};
use crate::sip::route::{self, Routes};
use crate::sip::{Answer, Fault, FlowId, Mark, Marks, Message, Response, Style};

/// Datagrams read before the nodes they are for get their turn.
const BATCH: usize = 256;

/// What may wait for one node; beyond it the node is frozen, and its datagrams are lost.
const PER_NODE: usize = 256;

/// What may wait for all nodes together.
const ALL: usize = 65_536;

/// A shared socket. It closes when its nodes and every copy of this are gone and its worker ends.
#[derive(Clone, Debug)]
pub struct Shared {
    hub: Arc<Hub>,
}

/// What came for nobody, or could not be handed over.
#[derive(Debug, Default)]
pub struct Strays {
    keepalives: AtomicU64,
    malformed: AtomicU64,
    unknown_requests: AtomicU64,
    unknown_responses: AtomicU64,
    overflow: AtomicU64,
    unread: AtomicU64,
}

/// No more nodes can share the socket: it was made for so many.
#[derive(Debug, thiserror::Error)]
#[error("the shared socket was made for {0} cameras, and they are all there")]
pub struct Crowded(pub u32);

type Letter = (SocketAddr, Parcel);

/// A message, or octets that are none but whose node can be told: it answers in its own style.
#[derive(Debug)]
enum Parcel {
    Message(Message),
    Octets(Bytes),
}

#[derive(Debug)]
struct Hub {
    socket: UdpSocket,
    local: SocketAddr,
    style: Style,
    table: Mutex<Table>,
    waiting: AtomicUsize,
    strays: Strays,
}

#[derive(Debug)]
struct Table {
    routes: Routes,
    seats: Vec<Option<Arc<Mailbox<Letter>>>>,
    free: VecDeque<u32>,
}

/// One node's place at a shared socket. Dropped, its datagrams are nobody's.
#[derive(Debug)]
pub(super) struct Seat {
    hub: Arc<Hub>,
    number: u32,
    users: Box<[Box<str>]>,
    letters: Arc<Mailbox<Letter>>,
    flow: Option<FlowId>,
}

impl Shared {
    /// A socket on `local` for at most `nodes` nodes, registered with the runtime this is called
    /// on. It is read by [`Shared::serve`].
    pub(super) fn bind(local: SocketAddr, nodes: u32, seed: u64) -> io::Result<Shared> {
        let socket = socket::udp(local, None)?;
        socket::expect_much(&socket);
        let local = socket.local_addr()?;
        let hub = Hub {
            socket: UdpSocket::from_std(socket)?,
            local,
            style: Style {
                user_agent: String::new(),
                ..Style::default()
            },
            table: Mutex::new(Table {
                routes: Routes::new(Marks::new(seed, nodes)),
                seats: Vec::new(),
                free: VecDeque::new(),
            }),
            waiting: AtomicUsize::new(0),
            strays: Strays::default(),
        };
        Ok(Shared { hub: Arc::new(hub) })
    }

    /// The address it is bound to.
    pub fn local(&self) -> SocketAddr {
        self.hub.local
    }

    /// What came for nobody.
    pub fn strays(&self) -> &Strays {
        &self.hub.strays
    }

    /// Reads the socket for ever.
    pub(super) async fn serve(self) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.hub.socket.readable().await.is_ok() {
            self.hub.read(&mut batch);
            self.hub.deliver_all(&mut batch);
            tokio::task::yield_now().await;
        }
    }

    /// A place for the node that is reached by `users`, and the mark of its tokens.
    pub(super) fn seat(
        &self,
        users: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(Seat, Mark), Crowded> {
        let letters = Arc::new(Mailbox::new(PER_NODE));
        let mut table = self.hub.table();
        let marks = *table.routes.marks();
        let next = u32::try_from(table.seats.len()).unwrap_or(u32::MAX);
        let (number, mark) = match marks.of(next) {
            Some(mark) => {
                table.seats.push(None);
                (next, mark)
            }
            None => {
                let free = table.free.pop_front();
                let free = free.and_then(|number| Some((number, marks.of(number)?)));
                free.ok_or(Crowded(marks.nodes()))?
            }
        };
        if let Some(seat) = table.seats.get_mut(number as usize) {
            *seat = Some(letters.clone());
        }
        let users: Box<[Box<str>]> = users.into_iter().map(|user| user.as_ref().into()).collect();
        for user in &users {
            if table.routes.add(user, number).is_some() {
                tracing::warn!(%user, "two cameras on one socket have the same ID");
            }
        }
        drop(table);
        let seat = Seat {
            hub: self.hub.clone(),
            number,
            users,
            letters,
            flow: None,
        };
        Ok((seat, mark))
    }
}

impl Hub {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self, batch: &mut Vec<(SocketAddr, Bytes)>) {
        while batch.len() < BATCH {
            let received = scratch::with(|buffer| {
                let (length, from) = self.socket.try_recv_from(buffer)?;
                Ok((
                    from,
                    Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default()),
                ))
            });
            match received {
                Ok(received) => batch.push(received),
                Err(error) if io::Error::kind(&error) == io::ErrorKind::WouldBlock => return,
                // Another system's word for an ICMP answer to an earlier datagram.
                Err(_) => {
                    count(&self.strays.unread);
                    return;
                }
            }
        }
    }

    /// One lock for a whole batch, which nobody else wants unless nodes come or go.
    fn deliver_all(&self, batch: &mut Vec<(SocketAddr, Bytes)>) {
        let table = self.table();
        for (from, bytes) in batch.drain(..) {
            self.deliver(&table, from, bytes);
        }
    }

    fn deliver(&self, table: &Table, from: SocketAddr, bytes: Bytes) {
        let (node, parcel) = match Message::parse(bytes.clone()) {
            Ok(message) => (table.routes.of(&message), Parcel::Message(message)),
            Err(error) => {
                match error.fault {
                    Fault::Keepalive => return count(&self.strays.keepalives),
                    _ => count(&self.strays.malformed),
                }
                let Answer::Status { headers, .. } = error.answer else {
                    return;
                };
                (table.routes.of_headers(&headers), Parcel::Octets(bytes))
            }
        };
        let seat = node.and_then(|node| table.seats.get(node as usize)?.as_ref());
        match seat {
            Some(seat) => self.hand_over(seat, (from, parcel)),
            None => self.refuse(from, &parcel),
        }
    }

    fn hand_over(&self, seat: &Mailbox<Letter>, letter: Letter) {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed);
        if waiting >= ALL || seat.send(letter).is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            count(&self.strays.overflow);
        }
    }

    fn refuse(&self, from: SocketAddr, parcel: &Parcel) {
        let request = match parcel {
            Parcel::Octets(_) => return,
            Parcel::Message(Message::Response(response)) => {
                return self.stray_response(from, response);
            }
            Parcel::Message(Message::Request(request)) => request,
        };
        count(&self.strays.unknown_requests);
        tracing::debug!(%from, uri = request.uri(), "a request to no camera of this socket");
        if let Some((to, octets)) = route::refusal(request, from, &self.style) {
            let _ = socket::send_to(&self.socket, &octets, to);
        }
    }

    fn stray_response(&self, from: SocketAddr, response: &Response) {
        count(&self.strays.unknown_responses);
        let status = response.status();
        tracing::debug!(%from, status, "an answer to no camera of this socket");
    }
}

impl Seat {
    /// From now on datagrams come on `flow`; the address of the socket.
    pub(super) fn open(&mut self, flow: FlowId) -> SocketAddr {
        self.flow = Some(flow);
        self.hub.local
    }

    pub(super) fn close(&mut self, flow: FlowId) {
        self.flow.take_if(|open| *open == flow);
    }

    /// The socket, if `flow` is the open one.
    pub(super) fn socket(&self, flow: FlowId) -> Option<&UdpSocket> {
        (self.flow == Some(flow)).then_some(&self.hub.socket)
    }

    /// The next datagram. What comes while no flow is open is lost, as on a closed socket.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Happened> {
        while let Poll::Ready(Some((from, parcel))) = self.letters.poll(cx) {
            self.hub.waiting.fetch_sub(1, Ordering::Relaxed);
            let Some(flow) = self.flow else {
                continue;
            };
            return Poll::Ready(match parcel {
                Parcel::Message(message) => Happened::Message {
                    flow,
                    from,
                    message,
                },
                Parcel::Octets(bytes) => Happened::Received { flow, from, bytes },
            });
        }
        Poll::Pending
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.hub.table();
        for user in &self.users {
            table.routes.remove(user, self.number);
        }
        if let Some(seat) = table.seats.get_mut(self.number as usize) {
            *seat = None;
        }
        table.free.push_back(self.number);
        drop(table);
        let lost = self.letters.drain();
        self.hub.waiting.fetch_sub(lost, Ordering::Relaxed);
    }
}

impl Strays {
    /// Datagrams that only keep a NAT open.
    pub fn keepalives(&self) -> u64 {
        self.keepalives.load(Ordering::Relaxed)
    }

    /// Datagrams that are no message. Those whose camera can be told are answered by it.
    pub fn malformed(&self) -> u64 {
        self.malformed.load(Ordering::Relaxed)
    }

    /// Requests to nobody here; answered 404 or 481.
    pub fn unknown_requests(&self) -> u64 {
        self.unknown_requests.load(Ordering::Relaxed)
    }

    /// Answers to nobody here.
    pub fn unknown_responses(&self) -> u64 {
        self.unknown_responses.load(Ordering::Relaxed)
    }

    /// Datagrams for a camera that had too many waiting.
    pub fn overflow(&self) -> u64 {
        self.overflow.load(Ordering::Relaxed)
    }

    /// Receptions that failed.
    pub fn unread(&self) -> u64 {
        self.unread.load(Ordering::Relaxed)
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
