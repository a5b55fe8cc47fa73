//! The connections of a sink: whose they are, and how long they may stay without saying so.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;

use crate::media::receiver::Sender;
use crate::net::bell::{Bell, Knock};
use crate::time::Instant;

/// How long a connection whose stream has ended may go on until the peer closes it. Its camera
/// hears BYE at about the same time, and need not find its connection broken before that.
const FAREWELL: Duration = Duration::from_secs(5);

/// The name of a connection; a place that is used again has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct GuestId {
    place: u32,
    visit: u32,
}

/// Whose a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    /// Its first packet has not come.
    Unknown,
    /// It has named an SSRC that is not expected yet. It is not read further.
    Waiting(u32),
    /// It brings this stream.
    Of(u32),
    /// Its stream has ended; what still comes is read and forgotten.
    Leaving,
}

#[derive(Debug)]
pub(super) struct Guest {
    socket: TcpStream,
    knock: Arc<Knock>,
    waker: Waker,
    visit: u32,
    pub is: Is,
    head: [u8; Sender::SUFFICE],
    have: u8,
}

/// All connections. Everything costs the same however many there are.
#[derive(Debug)]
pub(super) struct Guests {
    /// Where those knock who have to say whose they are.
    front: Arc<Bell>,
    /// Where those knock who belong to a stream.
    back: Arc<Bell>,
    places: Vec<Option<Guest>>,
    free: Vec<u32>,
    visits: u32,
    /// In the order they came, with the time they must have said whose they are.
    undecided: VecDeque<(Instant, GuestId)>,
    leaving: VecDeque<(Instant, GuestId)>,
    unclaimed: usize,
}

impl Guests {
    pub fn new(front: Arc<Bell>, back: Arc<Bell>) -> Self {
        Guests {
            front,
            back,
            places: Vec::new(),
            free: Vec::new(),
            visits: 0,
            undecided: VecDeque::new(),
            leaving: VecDeque::new(),
            unclaimed: 0,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// How many of them belong to no stream yet.
    pub fn unclaimed(&self) -> usize {
        self.unclaimed
    }

    /// Takes a connection in. It knocks at once, so that it is read for the first time.
    pub fn welcome(&mut self, socket: TcpStream, is: Is, until: Instant) -> GuestId {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            (self.places.len() - 1) as u32
        });
        self.visits = self.visits.wrapping_add(1);
        let id = GuestId {
            place,
            visit: self.visits,
        };
        let (knock, waker) = self.front.knock(place);
        waker.wake_by_ref();
        if let Some(room) = self.places.get_mut(place as usize) {
            *room = Some(Guest {
                socket,
                knock,
                waker,
                visit: id.visit,
                is,
                head: [0; Sender::SUFFICE],
                have: 0,
            });
        }
        if is == Is::Unknown {
            self.unclaimed += 1;
            self.undecided.push_back((until, id));
        }
        id
    }

    /// Who is at `place`.
    pub fn at(&mut self, place: u32) -> Option<(GuestId, &mut Guest)> {
        let guest = self.places.get_mut(place as usize)?.as_mut()?;
        let visit = guest.visit;
        Some((GuestId { place, visit }, guest))
    }

    pub fn guest(&mut self, id: GuestId) -> Option<&mut Guest> {
        let (found, guest) = self.at(id.place)?;
        (found == id).then_some(guest)
    }

    /// Says whose a connection is, and has it read.
    pub fn claim(&mut self, id: GuestId, is: Is) {
        let back = self.back.knock(id.place);
        let Some(guest) = self.guest(id) else {
            return;
        };
        let was_unclaimed = guest.is_unclaimed();
        guest.is = is;
        if matches!(is, Is::Of(_)) {
            (guest.knock, guest.waker) = back;
        }
        guest.ring();
        let is_unclaimed = guest.is_unclaimed();
        self.unclaimed -= usize::from(was_unclaimed && !is_unclaimed);
    }

    /// Lets a connection whose stream has ended go on for a little while.
    pub fn see_off(&mut self, now: Instant, id: GuestId) {
        self.claim(id, Is::Leaving);
        self.leaving.push_back((now + FAREWELL, id));
    }

    /// Closes a connection; whose it was.
    pub fn close(&mut self, id: GuestId) -> Option<Is> {
        self.guest(id)?;
        let guest = self.places.get_mut(id.place as usize)?.take()?;
        self.unclaimed -= usize::from(guest.is_unclaimed());
        self.free.push(id.place);
        Some(guest.is)
    }

    /// The next connection whose time to say whose it is is over, or for which there is no room
    /// because `most` others are undecided too.
    pub fn overdue(&mut self, now: Instant, most: usize) -> Option<GuestId> {
        while let Some((until, id)) = self.undecided.front().copied() {
            let is_undecided = self.guest(id).is_some_and(|guest| guest.is_unclaimed());
            if is_undecided && until > now && self.unclaimed <= most {
                return None;
            }
            self.undecided.pop_front();
            if is_undecided {
                return Some(id);
            }
        }
        None
    }

    /// The next connection that has had time enough to leave.
    pub fn overstaying(&mut self, now: Instant) -> Option<GuestId> {
        let (until, id) = self.leaving.front().copied()?;
        if until > now {
            return None;
        }
        self.leaving.pop_front();
        Some(id)
    }
}

impl Guest {
    /// Whether it belongs to no stream yet.
    pub fn is_unclaimed(&self) -> bool {
        matches!(self.is, Is::Unknown | Is::Waiting(_))
    }

    /// To be called before it is read.
    pub fn heard(&self) {
        self.knock.heard();
    }

    /// Has it served again.
    pub fn ring(&self) {
        self.waker.wake_by_ref();
    }

    /// Reads what has come into `buffer`: how much, 0 at the end. `None`: nothing, and it will
    /// knock when there is something.
    pub fn read(&mut self, buffer: &mut [u8]) -> Option<io::Result<usize>> {
        let mut context = Context::from_waker(&self.waker);
        let mut room = ReadBuf::new(buffer);
        match Pin::new(&mut self.socket).poll_read(&mut context, &mut room) {
            Poll::Ready(Ok(())) => Some(Ok(room.filled().len())),
            Poll::Ready(Err(error)) => Some(Err(error)),
            Poll::Pending => None,
        }
    }

    /// Reads no further than needed to tell whose it is.
    pub fn introduce(&mut self) -> Introduction {
        loop {
            match Sender::of_connection(self.head()) {
                Sender::Ssrc(ssrc) => return Introduction::Ssrc(ssrc),
                Sender::None => return Introduction::Stranger,
                Sender::More => {}
            }
            let have = usize::from(self.have);
            let mut head = self.head;
            let room = head.get_mut(have..).unwrap_or_default();
            match self.read(room) {
                None => return Introduction::More,
                Some(Ok(0)) | Some(Err(_)) => return Introduction::Gone,
                Some(Ok(octets)) => {
                    self.head = head;
                    self.have += octets as u8;
                }
            }
        }
    }

    /// What was read to tell whose it is.
    pub fn head(&self) -> &[u8] {
        self.head.get(..usize::from(self.have)).unwrap_or_default()
    }
}

/// What a connection has said about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Introduction {
    /// Not enough.
    More,
    /// The SSRC it brings.
    Ssrc(u32),
    /// It is no RTP.
    Stranger,
    /// It has ended.
    Gone,
}
