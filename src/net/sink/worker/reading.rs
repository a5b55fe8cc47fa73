//! What connections and datagrams bring, handed to the streams it belongs to.

use std::io;

use tokio::io::Interest;

use super::Sink;
use crate::media::receiver::{Receiver, Sender};
use crate::net::bell::Bell;
use crate::net::sink::guests::{GuestId, Introduction, Is};
use crate::net::socket;
use crate::time::Instant;

/// How often one connection is read in one round.
const READS: usize = 4;
/// How many receptions of datagrams go before others have their turn.
const BATCH: usize = 32;

impl Sink {
    /// Serves every connection that has knocked.
    pub(super) fn round(&mut self, bell: &Bell) {
        self.catch_up();
        let mut list = std::mem::take(&mut self.list);
        bell.answer(&mut list);
        let now = self.clock.mono();
        for place in list.drain(..) {
            self.serve(now, place);
        }
        self.list = list;
    }

    fn serve(&mut self, now: Instant, place: u32) {
        let Some((id, guest)) = self.guests.at(place) else {
            return;
        };
        guest.heard();
        match guest.is {
            Is::Unknown => self.introduce(now, id),
            Is::Waiting(_) => {}
            Is::Of(ssrc) => self.read(now, id, Some(ssrc)),
            Is::Leaving => self.read(now, id, None),
        }
    }

    fn introduce(&mut self, now: Instant, id: GuestId) {
        let Some(guest) = self.guests.guest(id) else {
            return;
        };
        match guest.introduce() {
            Introduction::More => {}
            Introduction::Ssrc(ssrc) if self.ledger.stream(ssrc).is_some() => {
                self.adopt(now, id, ssrc);
            }
            Introduction::Ssrc(ssrc) if self.ledger.has_ended(ssrc) => {
                self.guests.close(id);
            }
            Introduction::Ssrc(ssrc) => {
                self.guests.claim(id, Is::Waiting(ssrc));
                if let Some(before) = self.waiting.insert(ssrc, id)
                    && self.guests.close(before).is_some()
                {
                    self.ledger.totals.strangers += 1;
                }
            }
            Introduction::Stranger => {
                self.ledger.totals.strangers += 1;
                self.guests.close(id);
            }
            Introduction::Gone => {
                self.ledger.totals.silent += 1;
                self.guests.close(id);
            }
        }
    }

    /// Gives a connection to its stream. One that brought it before is closed.
    pub(super) fn adopt(&mut self, now: Instant, id: GuestId, ssrc: u32) {
        let Some(stream) = self.ledger.stream(ssrc) else {
            return;
        };
        stream.receiver.reconnected();
        if let Some(before) = stream.guest.replace(id) {
            self.guests.close(before);
        }
        self.guests.claim(id, Is::Of(ssrc));
        let Some(guest) = self.guests.guest(id) else {
            return;
        };
        let mut head = [0; Sender::SUFFICE];
        let have = guest.head().len();
        head[..have].copy_from_slice(guest.head());
        let head = &head[..have];
        self.ledger
            .take(ssrc, |receiver| receiver.octets(now, head));
        self.read(now, id, Some(ssrc));
    }

    /// Reads what a connection has brought, for the stream of `ssrc` or for nobody.
    fn read(&mut self, now: Instant, id: GuestId, ssrc: Option<u32>) {
        for _ in 0..READS {
            let Some(guest) = self.guests.guest(id) else {
                return;
            };
            let octets = match guest.read(&mut self.buffer) {
                None => return,
                Some(Ok(octets)) if octets > 0 => octets,
                Some(_) => return self.broken(id, ssrc),
            };
            let Some(ssrc) = ssrc else {
                continue;
            };
            let octets = self.buffer.get(..octets).unwrap_or_default();
            let mut is_lost = false;
            self.ledger.take(ssrc, |receiver| {
                receiver.octets(now, octets);
                is_lost = receiver.is_lost();
            });
            if is_lost {
                self.ledger.totals.unframed += 1;
                return self.broken(id, Some(ssrc));
            }
        }
        if let Some(guest) = self.guests.guest(id) {
            guest.ring();
        }
    }

    fn broken(&mut self, id: GuestId, ssrc: Option<u32>) {
        self.guests.close(id);
        if let Some(ssrc) = ssrc {
            self.ledger.broken(ssrc, id);
        }
    }

    pub(super) fn read_datagrams(&mut self) {
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..BATCH {
            let receive = || socket::receive(&self.udp, &mut buffer);
            match self.udp.try_io(Interest::READABLE, receive) {
                Ok(received) => {
                    if let Some(drops) = received.dropped {
                        self.ledger.totals.kernel_drops = drops.into();
                    }
                    let now = self.clock.mono();
                    let octets = buffer.get(..received.octets).unwrap_or_default();
                    for datagram in octets.chunks(received.segment.max(1)) {
                        self.datagram(now, datagram);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    tracing::debug!(%error, "datagrams could not be received");
                    break;
                }
            }
        }
        self.buffer = buffer;
    }

    fn datagram(&mut self, now: Instant, octets: &[u8]) {
        let Sender::Ssrc(ssrc) = Sender::of_packet(octets) else {
            self.ledger.totals.stray += 1;
            return;
        };
        let hand = |receiver: &mut Receiver| receiver.datagram(now, octets);
        if self.ledger.take(ssrc, hand) {
            return;
        }
        // Whoever expects it may have said so just now.
        self.catch_up();
        if !self.ledger.take(ssrc, hand) {
            let has_ended = self.ledger.has_ended(ssrc);
            let totals = &mut self.ledger.totals;
            totals.tail += u64::from(has_ended);
            totals.stray += u64::from(!has_ended);
        }
    }
}
