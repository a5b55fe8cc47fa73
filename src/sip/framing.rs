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
    /// Whether the start line of the head at hand was seen to be one.
    started: bool,
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
        self.started = false;
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
        self.searched = self.buffer.len().saturating_sub(2);
        let fault = if !self.started && self.is_garbage() {
            Fault::NotSip
        } else if self.buffer.len() > limits::HEAD {
            Fault::HeadTooLarge
        } else {
            return None;
        };
        Some(reject(Head::read(&self.buffer), fault))
    }

    fn is_garbage(&mut self) -> bool {
        match memchr::memchr(b'\n', &self.buffer) {
            Some(end) => {
                self.started = Head::read(&self.buffer[..=end]).start != Start::Garbage;
                !self.started
            }
            None => {
                self.buffer.len() > limits::LINE || !self.buffer[..1].iter().copied().all(is_token)
            }
        }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::super::captures;
    use super::super::fault::Answer;
    use super::*;

    const HEADERS: &str = "Via: SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
        To: <sip:c@d>\r\nCall-ID: e\r\n";

    fn request(method: &str, headers: &str) -> String {
        format!("{method} sip:c@d SIP/2.0\r\n{HEADERS}CSeq: 1 {method}\r\n{headers}\r\n")
    }

    fn drain(framer: &mut Framer) -> Vec<Result<Framed, FrameError>> {
        std::iter::from_fn(|| framer.next()).collect()
    }

    fn framed(bytes: &[u8]) -> Vec<Result<Framed, FrameError>> {
        let mut framer = Framer::new();
        framer.push(bytes);
        drain(&mut framer)
    }

    /// The one error of a stream that is then closed, and the status answered.
    fn closed(bytes: &[u8]) -> (Fault, Option<u16>) {
        let mut framer = Framer::new();
        framer.push(bytes);
        let error = framer.next().unwrap().unwrap_err();
        assert!(error.close);
        framer.push(request("BYE", "").as_bytes());
        assert!(framer.next().is_none() && framer.buffer.is_empty());
        match error.error.answer {
            Answer::Drop => (error.error.fault, None),
            Answer::Status { status, .. } => (error.error.fault, Some(status)),
        }
    }

    fn whole_conversation() -> (Vec<u8>, Vec<Message>) {
        let messages = captures::all();
        let stream = messages
            .iter()
            .flat_map(|(_, octets)| octets.to_vec())
            .collect();
        let parse = |(_, octets)| Message::parse(octets).unwrap();
        (stream, messages.into_iter().map(parse).collect())
    }

    #[test]
    fn a_message_in_a_hundred_segments_is_one_message() {
        let (_, octets) = captures::messages(captures::GOSIP_DAHUA).swap_remove(0);
        let mut framer = Framer::new();
        let segments = octets.chunks(octets.len().div_ceil(100));
        let last = segments.len() - 1;
        for (n, segment) in segments.enumerate() {
            assert!(n == 0 || framer.next().is_none());
            framer.push(segment);
            assert!(n < last || matches!(framer.next(), Some(Ok(Framed::Message(_)))));
        }
        assert!(last > 90);
        assert!(framer.next().is_none() && framer.buffer.capacity() == 0);
    }

    #[test]
    fn several_messages_in_one_segment_come_out_in_order() {
        let (stream, messages) = whole_conversation();
        let expected: Vec<_> = messages
            .into_iter()
            .map(|m| Ok(Framed::Message(m)))
            .collect();
        assert_eq!(framed(&stream), expected);
    }

    #[test]
    fn a_double_line_end_between_messages_is_a_ping_and_a_single_one_is_nothing() {
        let bye = request("BYE", "");
        let stream = format!("\r\n{bye}\r\n\r\n\n{bye}\r\n\r\n\r\n");
        let kinds: Vec<_> = framed(stream.as_bytes())
            .into_iter()
            .map(|f| f.unwrap() == Framed::Ping)
            .collect();
        assert_eq!(kinds, [false, true, false, true]);
        let mut framer = Framer::new();
        framer.push(b"\r\n\r");
        assert_eq!(framer.next(), None);
        framer.push(b"\n");
        assert_eq!(framer.next(), Some(Ok(Framed::Ping)));
    }

    #[test]
    fn garbage_closes_as_soon_as_it_shows() {
        assert_eq!(closed(b"\x16\x03\x01"), (Fault::NotSip, None));
        assert_eq!(closed(b"GET / HTTP/1.1\r\n"), (Fault::NotSip, None));
        assert_eq!(closed(&vec![b'a'; limits::LINE + 1]), (Fault::NotSip, None));
        let mut framer = Framer::new();
        framer.push(b"GET / HT");
        assert_eq!(framer.next(), None);
        framer.push(b"TP/1.1\r\n");
        assert_eq!(
            framer.next().unwrap().unwrap_err().error.fault,
            Fault::NotSip
        );
    }

    #[test]
    fn a_length_that_cannot_be_trusted_is_answered_and_closes() {
        let length = |value: &str| {
            closed(request("MESSAGE", &format!("Content-Length: {value}\r\n")).as_bytes())
        };
        assert_eq!(length("-5"), (Fault::Bad("Content-Length"), Some(400)));
        assert_eq!(length("262145"), (Fault::BodyTooLarge, Some(413)));
        assert_eq!(
            length("99999999999999999999999"),
            (Fault::BodyTooLarge, Some(413))
        );
        assert_eq!(
            closed(request("MESSAGE", "").as_bytes()),
            (Fault::NoLength, Some(400))
        );
    }

    #[test]
    fn a_head_beyond_64_kb_is_answered_and_closes() {
        let line = format!("X: {}\r\n", "x".repeat(1000));
        let bye = request("BYE", "");
        let endless = format!("{}\r\n{}", bye.trim_end(), line.repeat(70));
        assert_eq!(closed(endless.as_bytes()), (Fault::HeadTooLarge, Some(513)));
        let ended = format!("{endless}\r\n");
        assert_eq!(closed(ended.as_bytes()), (Fault::HeadTooLarge, Some(513)));
    }

    #[test]
    fn methods_without_a_body_need_no_length() {
        for method in ["ACK", "BYE", "CANCEL", "OPTIONS", "REGISTER"] {
            assert!(matches!(
                framed(request(method, "").as_bytes())[..],
                [Ok(Framed::Message(_))]
            ));
        }
    }

    #[test]
    fn a_bad_message_of_known_length_does_not_end_the_stream() {
        let bad = request("MESSAGE", "l: 4\r\n").replace("CSeq: 1", "CSeq: x");
        let stream = format!("{bad}body{}", request("BYE", ""));
        match &framed(stream.as_bytes())[..] {
            [Err(error), Ok(Framed::Message(_))] => {
                assert!(!error.close);
                assert_eq!(error.error.fault, Fault::Bad("CSeq"));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn no_octet_of_a_large_head_is_searched_again_and_again() {
        let headers = format!("X: {}\r\n", "x".repeat(1000)).repeat(60);
        let message = request("MESSAGE", &format!("{headers}l: 9\r\n")) + "body body";
        let (last, octets) = message.as_bytes().split_last().unwrap();
        let mut framer = Framer::new();
        for octet in octets {
            framer.push(&[*octet]);
            assert_eq!(framer.next(), None);
            assert!(framer.waiting.is_some() || framer.searched + 2 >= framer.buffer.len());
        }
        framer.push(&[*last]);
        assert!(matches!(framer.next(), Some(Ok(Framed::Message(_)))));
    }

    proptest! {
        #[test]
        fn any_cut_of_a_stream_gives_the_same_messages(cuts in prop::collection::vec(1usize..700, 1..80)) {
            let (stream, messages) = whole_conversation();
            let mut framer = Framer::new();
            let mut out = Vec::new();
            let mut rest = &stream[..];
            for cut in cuts.iter().cycle() {
                let (segment, behind) = rest.split_at((*cut).min(rest.len()));
                framer.push(segment);
                out.extend(drain(&mut framer).into_iter().map(Result::unwrap));
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            let expected: Vec<_> = messages.into_iter().map(Framed::Message).collect();
            prop_assert_eq!(out, expected);
        }

        #[test]
        fn any_stream_ends_in_messages_or_an_error(segments: Vec<Vec<u8>>) {
            let mut framer = Framer::new();
            for segment in segments {
                framer.push(&segment);
                drain(&mut framer);
                prop_assert!(framer.buffer.len() <= limits::HEAD);
            }
        }

        #[test]
        fn a_damaged_stream_ends_in_messages_or_an_error(
            damage in prop::collection::vec((any::<Index>(), 0..3, any::<u8>()), 1..8),
        ) {
            let (stream, _) = whole_conversation();
            let mut framer = Framer::new();
            framer.push(&super::super::parse::tests::damaged(stream, damage));
            let count = drain(&mut framer).len();
            prop_assert!(count > 0);
        }
    }
}
