//! Which transaction a message belongs to (RFC 3261 §17.1.3, §17.2.3, §8.2.2.2).

use crate::sip::{Headers, Method, Request, Response, Via};

/// The name of a server transaction: what all copies of one request have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ServerKey {
    method: Kind,
    by: By,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum By {
    /// The branch has the cookie and is unique for its sender.
    Branch { branch: String, sent_by: String },
    /// The sender is of RFC 2543, or made its branch without the cookie (as one GB/T 28181 platform
    /// does that writes `z3hG9bK`): everything that tells requests apart is compared.
    Fields(Box<Fields>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Fields {
    uri: String,
    from_tag: String,
    /// Empty for INVITE, ACK and CANCEL: the ACK of a non-2xx carries the tag of our answer, and
    /// must still find the INVITE.
    to_tag: String,
    call_id: String,
    cseq: u32,
    via: String,
}

/// A method that can be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Kind(u8);

impl Kind {
    /// The method whose transaction a request belongs to: an ACK has none of its own.
    fn of(method: Method) -> Kind {
        match method {
            Method::Ack => Kind(Method::Invite as u8),
            method => Kind(method as u8),
        }
    }
}

impl ServerKey {
    /// The key of a received request; `via` is its topmost Via.
    pub fn of(request: &Request, via: &Via) -> ServerKey {
        let by = match via.branch().filter(|_| via.has_cookie()) {
            Some(branch) => By::Branch {
                branch: branch.to_owned(),
                sent_by: sent_by(via),
            },
            None => By::Fields(Box::new(Fields::of(request, via))),
        };
        ServerKey {
            method: Kind::of(request.method()),
            by,
        }
    }

    /// Of the key of a CANCEL, the key of the INVITE it wants to end (RFC 3261 §9.2).
    pub fn cancelled(&self) -> ServerKey {
        ServerKey {
            method: Kind::of(Method::Invite),
            by: self.by.clone(),
        }
    }
}

impl Fields {
    fn of(request: &Request, via: &Via) -> Fields {
        let headers = &request.headers;
        let to_tag = match request.method() {
            Method::Invite | Method::Ack | Method::Cancel => String::new(),
            _ => tag_of_to(headers),
        };
        Fields {
            uri: request.uri().to_owned(),
            from_tag: tag_of_from(headers),
            to_tag,
            call_id: headers.call_id().unwrap_or_default().to_owned(),
            cseq: headers.cseq().map_or(0, |cseq| cseq.number),
            via: format!("{};{}", sent_by(via), via.branch().unwrap_or_default()),
        }
    }
}

/// Host and port as sent, so that two senders with the same branch are kept apart.
fn sent_by(via: &Via) -> String {
    format!("{}:{}", via.host.to_ascii_lowercase(), via.answer_port())
}

/// What two copies of one request have in common that came by different ways (RFC 3261 §8.2.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MergeKey {
    method: Kind,
    call_id: String,
    from_tag: String,
    cseq: u32,
}

impl MergeKey {
    /// The key of a request that can be merged: only one outside of dialogs.
    pub fn of(request: &Request) -> Option<MergeKey> {
        let headers = &request.headers;
        let outside = headers.to().is_ok_and(|to| to.tag().is_none());
        let from_tag = tag_of_from(headers);
        if !outside || from_tag.is_empty() {
            return None;
        }
        Some(MergeKey {
            method: Kind::of(request.method()),
            call_id: headers.call_id()?.to_owned(),
            from_tag,
            cseq: headers.cseq().ok()?.number,
        })
    }
}

/// The name of a client transaction: our branch, and the method because a CANCEL shares the branch
/// of its INVITE.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientKey {
    branch: String,
    method: Kind,
}

impl ClientKey {
    /// The key of a request of ours.
    pub fn new(branch: &str, method: Method) -> ClientKey {
        ClientKey {
            branch: branch.to_owned(),
            method: Kind::of(method),
        }
    }

    /// The key of a received answer, if it names one.
    pub fn of(response: &Response) -> Option<ClientKey> {
        let via = response.headers.via().ok()?;
        let cseq = response.headers.cseq().ok()?;
        Some(ClientKey::new(via.branch()?, cseq.method))
    }
}

fn tag_of_from(headers: &Headers) -> String {
    let from = headers.from().ok();
    from.and_then(|from| from.tag().map(str::to_owned))
        .unwrap_or_default()
}

fn tag_of_to(headers: &Headers) -> String {
    let to = headers.to().ok();
    to.and_then(|to| to.tag().map(str::to_owned))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, branch: &str, cseq: u32, to: &str) -> Request {
        Request::new(method, "sip:34020000001310000001@10.0.0.2")
            .with_header("Via", format!("SIP/2.0/UDP 10.0.0.1:5060;{branch}"))
            .with_header("From", "<sip:p@3402000000>;tag=f")
            .with_header("To", to)
            .with_header("Call-ID", "c")
            .with_header("CSeq", format!("{cseq} {method}"))
    }

    fn key(request: &Request) -> ServerKey {
        ServerKey::of(request, &request.headers.via().unwrap())
    }

    #[test]
    fn with_the_cookie_branch_sender_and_method_decide() {
        let one = request(Method::Bye, "branch=z9hG4bK1", 1, "<sip:a>;tag=t");
        let other_cseq = request(Method::Bye, "branch=z9hG4bK1", 2, "<sip:a>;tag=t");
        let other_branch = request(Method::Bye, "branch=z9hG4bK2", 1, "<sip:a>;tag=t");
        let other_method = request(Method::Info, "branch=z9hG4bK1", 1, "<sip:a>;tag=t");
        assert_eq!(key(&one), key(&other_cseq));
        assert_ne!(key(&one), key(&other_branch));
        assert_ne!(key(&one), key(&other_method));
    }

    #[test]
    fn two_senders_with_the_same_branch_are_kept_apart() {
        let one = request(Method::Bye, "branch=z9hG4bK1", 1, "<sip:a>");
        let mut two = one.clone();
        two.headers
            .set("Via", "SIP/2.0/UDP 10.0.0.9:5060;branch=z9hG4bK1");
        assert_ne!(key(&one), key(&two));
    }

    #[test]
    fn an_ack_and_a_cancel_find_the_invite() {
        for branch in ["branch=z9hG4bK1", "branch=z3hG9bK1", "rport"] {
            let invite = key(&request(Method::Invite, branch, 1, "<sip:a>"));
            let ack = key(&request(Method::Ack, branch, 1, "<sip:a>;tag=ours"));
            let cancel = key(&request(Method::Cancel, branch, 1, "<sip:a>"));
            assert_eq!(ack, invite, "{branch}");
            assert_ne!(cancel, invite, "{branch}");
            assert_eq!(cancel.cancelled(), invite, "{branch}");
        }
    }

    #[test]
    fn without_the_cookie_the_fields_decide() {
        let one = request(Method::Message, "branch=z3hG9bK7", 20, "<sip:a>");
        let next = request(Method::Message, "branch=z3hG9bK7", 21, "<sip:a>");
        assert_eq!(key(&one), key(&one.clone()));
        assert_ne!(key(&one), key(&next));
    }

    #[test]
    fn only_a_request_outside_of_dialogs_can_be_merged() {
        let one = request(Method::Message, "branch=z9hG4bK1", 20, "<sip:a>");
        let two = request(Method::Message, "branch=z9hG4bK2", 20, "<sip:a>");
        let inside = request(Method::Message, "branch=z9hG4bK1", 20, "<sip:a>;tag=t");
        assert!(MergeKey::of(&one).is_some());
        assert_eq!(MergeKey::of(&one), MergeKey::of(&two));
        assert_eq!(MergeKey::of(&inside), None);
    }

    #[test]
    fn an_answer_names_its_request_by_branch_and_method() {
        let answer = Response::new(200, "OK")
            .with_header(
                "Via",
                "SIP/2.0/UDP 10.0.0.2;branch=z9hG4bK5;received=1.2.3.4",
            )
            .with_header("CSeq", "1 CANCEL");
        let key = ClientKey::of(&answer);
        assert_eq!(key, Some(ClientKey::new("z9hG4bK5", Method::Cancel)));
        assert_ne!(key, Some(ClientKey::new("z9hG4bK5", Method::Invite)));
        assert_eq!(ClientKey::of(&Response::new(200, "OK")), None);
    }
}
