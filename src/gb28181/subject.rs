//! The `Subject` header of an INVITE (GB/T 28181-2022 annex L).

use std::fmt;

/// `sender:serial,receiver:serial`, each part opaque text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Who sends media: the channel.
    pub sender: Party,
    /// Who receives it: the platform. Empty if the header names one party only.
    pub receiver: Party,
}

/// An ID with the serial of one of its streams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Party {
    /// The ID.
    pub id: String,
    /// The stream's serial: an SSRC in decimal or hexadecimal, a 20-digit text, `0`.
    pub serial: String,
}

impl Subject {
    /// Takes a header apart; whatever is missing stays empty.
    pub fn parse(text: &str) -> Subject {
        let (sender, receiver) = text.split_once(',').unwrap_or((text, ""));
        Subject {
            sender: Party::parse(sender),
            receiver: Party::parse(receiver),
        }
    }

    /// The stream that this INVITE asks for. A later INVITE for the same stream replaces it
    /// (annex L); the serial `0`, or none, stands for no stream in particular.
    pub fn stream(&self) -> Option<&Party> {
        let is_unique = !matches!(self.sender.serial.as_str(), "" | "0");
        is_unique.then_some(&self.sender)
    }
}

impl Party {
    fn parse(text: &str) -> Party {
        let (id, serial) = text.split_once(':').unwrap_or((text, ""));
        Party {
            id: id.trim().to_owned(),
            serial: serial.trim().to_owned(),
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.id, self.serial)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.sender, self.receiver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_names_the_sender_and_the_receiver() {
        let text = "34020000001318000001:0BEBC201,34020000002000000001:0BEBC201";
        let subject = Subject::parse(text);
        assert_eq!(subject.sender.id, "34020000001318000001");
        assert_eq!(subject.receiver.serial, "0BEBC201");
        assert_eq!(subject.to_string(), text);
    }

    #[test]
    fn the_serial_0_stands_for_no_stream_in_particular() {
        assert_eq!(Subject::parse("3402:0,3402:0").stream(), None);
        assert_eq!(Subject::parse("").stream(), None);
        let again = Subject::parse(" 3402 : 7 ,x");
        assert_eq!(again.stream(), Subject::parse("3402:7").stream());
        assert!(again.stream().is_some());
    }
}
