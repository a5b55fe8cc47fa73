//! What a device did that the standard does not allow, and how often.

use std::fmt;
use std::net::SocketAddr;

use crate::gb28181::DeviceId;

/// One deviation, with what is needed to find it in a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The device, as far as it can be told.
    pub device: Option<DeviceId>,
    /// Where it is.
    pub from: SocketAddr,
    /// What was wrong.
    pub what: Deviation,
    /// In which way, in words for a person; may be empty.
    pub detail: String,
    /// The Call-ID of the message; empty if there is none.
    pub call_id: String,
    /// Its CSeq; empty if there is none.
    pub cseq: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.device {
            Some(device) => write!(f, "{device}: ")?,
            None => write!(f, "{}: ", self.from)?,
        }
        write!(f, "{} ({})", self.what, self.what.clause())?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        if !self.call_id.is_empty() {
            write!(f, " [Call-ID {}, CSeq {}]", self.call_id, self.cseq)?;
        }
        Ok(())
    }
}

macro_rules! deviations {
    ($( $(#[$doc:meta])* $name:ident = $text:literal, $clause:literal; )*) => {
        /// One kind of deviation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Deviation { $( $(#[$doc])* $name, )* }

        impl Deviation {
            /// Every kind there is.
            pub const ALL: &'static [Deviation] = &[$( Deviation::$name, )*];

            /// A few words for a person.
            pub const fn text(self) -> &'static str {
                match self { $( Deviation::$name => $text, )* }
            }

            /// The rule that was broken.
            pub const fn clause(self) -> &'static str {
                match self { $( Deviation::$name => $clause, )* }
            }
        }
    };
}

deviations! {
    /// A datagram that is no SIP message we can use.
    Unreadable = "an unreadable message", "RFC 3261 §7";
    /// A connection on which the place of the next message is lost; it is closed.
    Unframed = "a stream that cannot be framed", "RFC 3261 §18.3";
    /// Content-Length is not the length of the datagram's body.
    BodyLength = "a wrong Content-Length", "RFC 3261 §20.14";
    /// A request without Max-Forwards.
    NoMaxForwards = "no Max-Forwards", "RFC 3261 §8.1.1.6";
    /// A branch that does not begin with `z9hG4bK`.
    BranchCookie = "a branch without the cookie", "RFC 3261 §8.1.1.7";
    /// A Via whose transport is not the one it came by.
    ViaTransport = "a Via of another transport", "RFC 3261 §18.1.1";
    /// A request without From tag.
    NoFromTag = "no From tag", "RFC 3261 §8.1.1.3";
    /// A response other than 100 without To tag.
    NoToTag = "no To tag", "RFC 3261 §8.2.6.2";
    /// A response whose Call-ID or CSeq is not that of the request.
    Echo = "a response that does not repeat the request", "RFC 3261 §8.2.6.2";
    /// A REGISTER, or a 2xx to INVITE, without a usable Contact.
    NoContact = "no usable Contact", "RFC 3261 §8.1.1.8, §12.1.1";
    /// A REGISTER without a usable Expires.
    NoExpires = "no usable Expires", "GB/T 28181-2022 §9.1";
    /// A MESSAGE with a Contact.
    ContactInMessage = "Contact in a MESSAGE", "RFC 3428 §4";
    /// A body of a type that does not belong there.
    ContentType = "a wrong Content-Type", "GB/T 28181-2022 §9.3, RFC 3261 §20.15";
    /// A request to somebody else.
    RequestUri = "a Request-URI that does not name the platform", "GB/T 28181-2022 §6.1.2";
    /// A REGISTER by one device for another.
    ThirdParty = "From and To of a REGISTER differ", "RFC 3261 §10.2";
    /// A sender that is no 20-digit code.
    SenderId = "From is no 20-digit code", "GB/T 28181-2022 annex E";
    /// A CSeq number that does not rise where it must.
    CseqOrder = "CSeq does not rise", "RFC 3261 §10.2, §12.2.1.1";
    /// A method that a device must not send.
    Method = "a method that does not belong to a device", "GB/T 28181-2022 §9.2.3";
    /// A request of a device that is not registered.
    NotRegistered = "a request before registration", "GB/T 28181-2022 §9.1";
    /// A BYE or MESSAGE for a dialog that is none of ours.
    NoDialog = "a request in an unknown dialog", "RFC 3261 §12.2.2";
    /// An INVITE without a Broadcast before it.
    Uninvited = "an INVITE that nobody expects", "GB/T 28181-2022 §9.12";
    /// An INVITE whose Subject does not name the target of the Broadcast as its receiver.
    Subject = "a Subject that does not name the target", "GB/T 28181-2022 annex L";
    /// A body that is no MANSCDP.
    Manscdp = "a body that is no MANSCDP", "GB/T 28181-2022 annex A";
    /// A `SN` that is no integer above 0.
    SerialNumber = "no usable SN", "GB/T 28181-2022 A.2";
    /// A `DeviceID` other than the one it must be.
    BodyDeviceId = "a wrong DeviceID", "GB/T 28181-2022 A.1";
    /// The 200 of an INFO with a body that is no MANSRTSP, or for another request.
    Mansrtsp = "an INFO answered with no usable MANSRTSP", "GB/T 28181-2022 annex B";
    /// An answer that lacks what was asked for, without a `Result` of ERROR.
    Empty = "an answer without what was asked for", "GB/T 28181-2022 A.2.6";
    /// The 200 of a SUBSCRIBE does not say for how long.
    NoLifetime = "a SUBSCRIBE granted without Expires", "RFC 6665 §4.2.1.1";
    /// A NOTIFY with another `Event` than its SUBSCRIBE.
    NotifyEvent = "a NOTIFY with another Event than its SUBSCRIBE", "RFC 6665 §4.2.2";
    /// A NOTIFY without `Subscription-State`.
    SubscriptionState = "a NOTIFY without Subscription-State", "RFC 6665 §4.2.2";
    /// A NOTIFY about nothing that can be subscribed to, or without what it must say.
    Notice = "a NOTIFY that tells nothing usable", "GB/T 28181-2022 A.2.5";
    /// A Keepalive whose `Status` is neither OK nor ERROR.
    KeepaliveStatus = "no usable Status in a Keepalive", "GB/T 28181-2022 A.2.5.2";
    /// A Control or Query of a device.
    Root = "a command that only a platform gives", "GB/T 28181-2022 A.2";
    /// A Response that belongs to no open question: wrong SN, repeated, or too late.
    Unasked = "an answer to no open question", "GB/T 28181-2022 §9.5";
    /// A Response whose `CmdType` is not that of the question.
    OtherCommand = "an answer to another question", "GB/T 28181-2022 A.2";
    /// A Response without a mandatory `Result`.
    NoResult = "no Result", "GB/T 28181-2022 A.2.6";
    /// A block of configuration with a value that is not allowed.
    ConfigBlock = "a configuration out of its range", "GB/T 28181-2022 A.2.1";
    /// A catalogue that does not say how many items it has, or says different things.
    SumNum = "a wrong SumNum", "GB/T 28181-2022 annex M";
    /// A `Num` that is not the number of items.
    Num = "Num is not the number of items", "GB/T 28181-2022 annex M";
    /// A catalogue item without an ID of 2 to 20 digits.
    ItemId = "a catalogue item without a usable ID", "GB/T 28181-2022 A.2.1.2";
    /// A catalogue that has an ID twice.
    ItemRepeated = "a catalogue item repeated", "GB/T 28181-2022 annex M";
    /// An SDP answer that cannot be used.
    Sdp = "an unusable SDP answer", "GB/T 28181-2022 annex G";
    /// An answer with another transport, or the same connection role, as the offer.
    SdpTransport = "an answer that does not fit the offered transport", "GB/T 28181-2022 annex D";
    /// An answer that does not choose payload type 96.
    SdpPayload = "an answer without PS/90000, to a talk without PCMA", "GB/T 28181-2022 annex G";
    /// An answer without `a=sendonly`.
    SdpDirection = "an answer that is not sendonly, to a talk one that sends nothing", "RFC 3264 §6.1";
    /// An answer without `y=`.
    SsrcMissing = "no y= in the answer", "GB/T 28181-2022 annex G";
    /// An answer whose `y=` is not the offer's.
    SsrcDiffers = "another y= in the answer", "GB/T 28181-2022 annex G";
    /// Media with another SSRC than agreed.
    RtpSsrc = "RTP with another SSRC than agreed", "GB/T 28181-2022 annex G";
    /// A BYE of ours that was refused or not answered.
    Bye = "BYE was not accepted", "RFC 3261 §15.1.2";
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Deviations counted by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally([u64; Deviation::ALL.len()]);

impl Default for Tally {
    fn default() -> Self {
        Tally([0; Deviation::ALL.len()])
    }
}

impl Tally {
    pub(super) fn count(&mut self, what: Deviation) {
        if let Some(count) = self.0.get_mut(what as usize) {
            *count += 1;
        }
    }

    /// How often `what` happened.
    pub fn of(&self, what: Deviation) -> u64 {
        self.0.get(what as usize).copied().unwrap_or(0)
    }

    /// All together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Every kind that happened, with its count.
    pub fn iter(&self) -> impl Iterator<Item = (Deviation, u64)> {
        let all = Deviation::ALL.iter().map(|what| (*what, self.of(*what)));
        all.filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_says_who_what_and_where_it_stands_in_a_trace() {
        let complaint = Complaint {
            device: Some("34020000001320000001".parse().unwrap()),
            from: "192.0.2.1:5060".parse().unwrap(),
            what: Deviation::SsrcDiffers,
            detail: "0200000002".into(),
            call_id: "abc".into(),
            cseq: "1 INVITE".into(),
        };
        assert_eq!(
            complaint.to_string(),
            "34020000001320000001: another y= in the answer (GB/T 28181-2022 annex G): \
             0200000002 [Call-ID abc, CSeq 1 INVITE]"
        );
    }

    #[test]
    fn each_kind_is_counted_apart() {
        let mut tally = Tally::default();
        tally.count(Deviation::Bye);
        tally.count(Deviation::Bye);
        tally.count(Deviation::Unreadable);
        assert_eq!((tally.of(Deviation::Bye), tally.total()), (2, 3));
        let kinds: Vec<_> = tally.iter().collect();
        assert_eq!(kinds, [(Deviation::Unreadable, 1), (Deviation::Bye, 2)]);
    }
}
