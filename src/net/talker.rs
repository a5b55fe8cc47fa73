//! The sending half of a stream that goes both ways on one socket: a talk. It sends little and
//! needs no pump.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use super::clock::Clock;
use super::source::Source;
use crate::media::{Counts, Framing, Receiver, Sender, SenderConfig};

/// Says what is due.
#[derive(Debug)]
pub(super) struct Talker {
    sender: Sender,
    remote: SocketAddr,
    heads: Vec<u8>,
    /// What is on its way out: one datagram, or octets of a connection.
    left: Vec<u8>,
}

impl Talker {
    /// What is sent to `remote` from now on.
    pub fn new(
        config: Arc<SenderConfig>,
        framing: Framing,
        remote: SocketAddr,
        clock: Clock,
    ) -> Talker {
        Talker {
            sender: Sender::new(config, framing, clock.mono()),
            remote,
            heads: Vec::new(),
            left: Vec::new(),
        }
    }

    pub fn counts(&self) -> Counts {
        self.sender.counts()
    }

    /// Waits until something is due and can leave, and sends it. Nothing is lost when this is
    /// given up halfway.
    ///
    /// What `listener` heard and is to be said back stands in the place of its own words.
    pub async fn say(
        &mut self,
        listener: &mut Receiver,
        to: &Source,
        clock: Clock,
    ) -> io::Result<()> {
        while self.left.is_empty() {
            if let Some(due) = self.sender.next_due() {
                tokio::time::sleep_until(clock.deadline(due)).await;
            }
            self.take_due(listener, clock);
        }
        let sent = match to {
            Source::Udp(socket) => {
                socket.writable().await?;
                // A datagram that the system refuses is lost, as on the way.
                let _ = socket.try_send_to(&self.left, self.remote);
                Ok(self.left.len())
            }
            Source::Tcp(stream) => {
                stream.writable().await?;
                stream.try_write(&self.left)
            }
        };
        match sent {
            Ok(octets) => drop(self.left.drain(..octets)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Takes the next packet, if one is due.
    fn take_due(&mut self, listener: &mut Receiver, clock: Clock) {
        let now = clock.mono();
        let batch = self.sender.batch(now, &mut self.heads);
        let packet = batch.and_then(|batch| batch.packets().next());
        for part in packet.iter().flatten() {
            self.left.extend_from_slice(part);
        }
        let words = packet.map_or(0, |[_, words]| words.len());
        self.sender.wrote(now, self.left.len());
        let before = self.left.len() - words;
        let (_, words) = self.left.split_at_mut(before);
        listener.say_back(words);
    }
}
