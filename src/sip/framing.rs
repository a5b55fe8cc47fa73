//! Messages out of a byte stream (RFC 3261 §18.3, RFC 5626 §3.5.1).

use bytes::{Buf, BytesMut};
use rsip::Method;

use super::fault::{Fault, ParseError};
use super::head::{self, Head, Length, Start, is_token};
use super::limits;
use super::message::Message;
use super::parse::{finish, reject};

/// Cuts one stream into messages. Holds at most one message and what was pushed behind it.
#[derive(Debug, Default)]
pub struct Framer {
    buffer: BytesMut,
    /// How far the buffer was searched for the end of a head.
    searched: usize,
    /// A head whose body is not all here yet, with the body's length.
    waiting: Option<(Head, usize)>,
    broken: bool,
}

/// What a stream brought.
#[derive(Debug, PartialEq, Eq)]
pub enum Framed {
    /// A message.
    Message(Message),
    /// A double line end between messages: the peer wants a single one back.
    Ping,
}

/// What a stream should not have brought.
#[derive(Debug, PartialEq, Eq)]
pub struct FrameError {
    /// What is wrong, and what to answer.
    pub error: ParseError,
    /// Whether the place of the next message is lost: close the connection when the answer is sent.
    /// A closed framer gives nothing more.
    pub close: bool,
}

impl Framer {
    /// An empty stream.
    pub fn new() -> Self {
        Framer::default()
    }

    /// Takes the next bytes of the stream. Call [`Framer::next`] until it has nothing more.
    pub fn push(&mut self, bytes: &[u8]) {
        if !self.broken {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next thing that is complete.
    #[allow(clippy::should_implement_trait, reason = "more may come after None")]
    pub fn next(&mut self) -> Option<Result<Framed, FrameError>> {
        if self.broken {
            return None;
        }
        if self.waiting.is_none() {
            if self.take_line_ends() {
                return Some(Ok(Framed::Ping));
            }
            match self.take_head()? {
                Ok(waiting) => self.waiting = Some(waiting),
                Err(error) => return Some(Err(self.break_off(error))),
            }
        }
        self.take_body()
    }

    /// Drops line ends before a message; `true` if they were a ping. A single CRLF answers a ping of
    /// ours or is the careless end of a body.
    fn take_line_ends(&mut self) -> bool {
        loop {
            match self.buffer[..] {
                [b'\r', b'\n', b'\r', b'\n', ..] => {
                    self.buffer.advance(4);
                    return true;
                }
                // Half a ping perhaps: the rest may come.
                [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return false,
                [b'\r' | b'\n', ..] => self.buffer.advance(1),
                _ => return false,
            }
        }
    }

    /// The next head and the length of its body, or why there can be none.
    fn take_head(&mut self) -> Option<Result<(Head, usize), ParseError>> {
        if matches!(self.buffer.first(), None | Some(b'\r' | b'\n')) {
            self.give_back_memory();
            return None;
        }
        let Some(end) = head::end(&self.buffer, self.searched) else {
            return self.hopeless().map(Err);
        };
        self.searched = 0;
        let octets = self.buffer.split_to(end);
        let head = Head::read(&octets);
        Some(match body_length(&head, octets.len()) {
            Ok(length) => Ok((head, length)),
            Err(fault) => Err(reject(head, fault)),
        })
    }

    /// The body of the head that waits, once it is here.
    fn take_body(&mut self) -> Option<Result<Framed, FrameError>> {
        let (head, length) = self.waiting.take()?;
        if self.buffer.len() < length {
            self.waiting = Some((head, length));
            return None;
        }
        let body = self.buffer.split_to(length).freeze();
        self.give_back_memory();
        Some(match finish(head, body) {
            Ok(message) => Ok(Framed::Message(message)),
            Err(error) => Err(FrameError {
                error,
                close: false,
            }),
        })
    }

    /// Whether what is here cannot become a head, although it has no end yet.
    fn hopeless(&mut self) -> Option<ParseError> {
        let first_search = self.searched == 0;
        self.searched = self.buffer.len().saturating_sub(2);
        let line = memchr::memchr(b'\n', &self.buffer[..self.buffer.len().min(limits::LINE)]);
        let garbage = match line {
            Some(_) if !first_search && self.buffer.len() <= limits::HEAD => false,
            Some(end) => Head::read(&self.buffer[..=end]).start == Start::Garbage,
            None => {
                self.buffer.len() >= limits::LINE
                    || !self.buffer.first().copied().is_some_and(is_token)
            }
        };
        let fault = match garbage {
            true => Fault::NotSip,
            false if self.buffer.len() > limits::HEAD => Fault::HeadTooLarge,
            false => return None,
        };
        Some(reject(Head::read(&self.buffer), fault))
    }

    fn break_off(&mut self, error: ParseError) -> FrameError {
        self.broken = true;
        self.buffer = BytesMut::new();
        FrameError { error, close: true }
    }

    /// An idle connection holds no buffer.
    fn give_back_memory(&mut self) {
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
    }
}

/// How much body follows a head on a stream, or why that cannot be known.
fn body_length(head: &Head, octets: usize) -> Result<usize, Fault> {
    if head.start == Start::Garbage {
        return Err(Fault::NotSip);
    }
    if octets > limits::HEAD {
        return Err(Fault::HeadTooLarge);
    }
    match head.length {
        Length::Octets(length) if length > limits::BODY => Err(Fault::BodyTooLarge),
        Length::Octets(length) => Ok(length),
        Length::Bad => Err(Fault::Bad("Content-Length")),
        Length::Absent if has_no_body(head) => Ok(0),
        Length::Absent => Err(Fault::NoLength),
    }
}

/// Whether a message that does not say its length may be taken to have no body: the platform of the
/// seed trace leaves the length out of ACK and BYE.
fn has_no_body(head: &Head) -> bool {
    let bodiless = match head.start {
        Start::Request { method, .. } => !matches!(
            method,
            Method::Invite | Method::Message | Method::Info | Method::Notify | Method::Subscribe
        ),
        _ => true,
    };
    bodiless && !head.headers.has("Content-Type")
}
