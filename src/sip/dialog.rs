//! Dialogs (RFC 3261 §12): what two peers remember of each other between requests.

use super::{Headers, Method, NameAddr, Request, Response};

/// One end of a dialog.
///
/// Tolerant where GB/T 28181 platforms are careless: a peer without a tag is accepted, a missing
/// Contact is replaced by the peer's address, and an equal CSeq is not held against anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// The Call-ID.
    pub call_id: String,
    /// Who we are: our name and address without tag.
    pub local: NameAddr,
    /// Our tag.
    pub local_tag: String,
    /// Who the peer is: name and address without tag.
    pub remote: NameAddr,
    /// The peer's tag, if it gave one.
    pub remote_tag: Option<String>,
    /// Where our requests go: the peer's Contact.
    pub remote_target: String,
    /// The Route headers of our requests.
    pub route_set: Vec<NameAddr>,
    /// Our Contact, if our requests carry one.
    pub contact: Option<String>,
    /// The CSeq number of our last request; 0 before the first.
    pub local_cseq: u32,
    /// The highest CSeq number the peer has used; 0 before the first.
    pub remote_cseq: u32,
}

impl Dialog {
    /// The dialog of an INVITE or SUBSCRIBE that came to us and gets `local_tag` in its answer
    /// (§12.1.1). `None` when the request lacks From, To or Call-ID.
    pub fn from_uas(request: &Request, local_tag: &str, contact: Option<&str>) -> Option<Dialog> {
        let headers = &request.headers;
        let (remote, remote_tag) = named(headers.from().ok()?);
        Some(Dialog {
            call_id: headers.call_id()?.to_owned(),
            local: named(headers.to().ok()?).0,
            local_tag: local_tag.to_owned(),
            remote_target: target(headers).unwrap_or_else(|| remote.uri.to_string()),
            remote,
            remote_tag,
            route_set: headers.routes("Record-Route").collect(),
            contact: contact.map(str::to_owned),
            local_cseq: 0,
            remote_cseq: headers.cseq().map_or(0, |cseq| cseq.number),
        })
    }

    /// The dialog that `response` makes of a request of ours (§12.1.2). `None` when the messages
    /// lack From, To, Call-ID or our tag.
    pub fn from_uac(request: &Request, response: &Response) -> Option<Dialog> {
        let headers = &request.headers;
        let (local, local_tag) = named(headers.from().ok()?);
        let (remote, remote_tag) = named(response.headers.to().ok()?);
        let mut route_set: Vec<_> = response.headers.routes("Record-Route").collect();
        route_set.reverse();
        Some(Dialog {
            call_id: headers.call_id()?.to_owned(),
            local,
            local_tag: local_tag?,
            remote,
            remote_tag,
            remote_target: target(&response.headers).unwrap_or_else(|| request.uri().to_owned()),
            route_set,
            contact: headers.value("Contact").map(str::to_owned),
            local_cseq: headers.cseq().map_or(0, |cseq| cseq.number),
            remote_cseq: 0,
        })
    }

    /// A request of ours inside the dialog (§12.2.1.1), with the next CSeq number. Via, the rest of
    /// the common headers and the body are still to come. For an ACK use [`Dialog::ack`].
    pub fn request(&mut self, method: Method) -> Request {
        self.local_cseq = self.local_cseq.wrapping_add(1);
        self.build(method, self.local_cseq)
    }

    /// The ACK of a 2xx to the INVITE of ours that had CSeq number `cseq` (§13.2.2.4).
    pub fn ack(&self, cseq: u32) -> Request {
        self.build(Method::Ack, cseq)
    }

    /// Whether the request is of this dialog: Call-ID and both tags (§12.2.2). When one side never
    /// gave a tag (RFC 2543), it is not compared.
    pub fn matches(&self, request: &Request) -> bool {
        let headers = &request.headers;
        let ours = headers.to().ok();
        let theirs = headers.from().ok();
        self.same_call(request)
            && ours.and_then(|to| to.tag().map(|tag| tag == self.local_tag)) == Some(true)
            && match (&self.remote_tag, theirs.as_ref().and_then(NameAddr::tag)) {
                (Some(known), Some(tag)) => known == tag,
                _ => true,
            }
    }

    /// Whether the request has this dialog's Call-ID: the second chance for platforms that lose
    /// tags. Good enough only when no other dialog has it.
    pub fn same_call(&self, request: &Request) -> bool {
        request.headers.call_id() == Some(self.call_id.as_str())
    }

    /// Takes note of the CSeq number of a request of the peer. `false`: it is lower than one seen
    /// before, and the request deserves a 500 (§12.2.2). Equal ones pass.
    #[must_use]
    pub fn in_order(&mut self, request: &Request) -> bool {
        let Ok(cseq) = request.headers.cseq() else {
            return false;
        };
        if cseq.number < self.remote_cseq {
            return false;
        }
        self.remote_cseq = cseq.number;
        true
    }

    /// Takes the peer's new Contact from a re-INVITE or from the 2xx to ours (§12.2).
    pub fn retarget(&mut self, headers: &Headers) {
        if let Some(contact) = target(headers) {
            self.remote_target = contact;
        }
    }

    fn build(&self, method: Method, cseq: u32) -> Request {
        let from = self.local.clone().with_tag(&self.local_tag);
        let to = match &self.remote_tag {
            Some(tag) => self.remote.clone().with_tag(tag),
            None => self.remote.clone(),
        };
        let mut request = Request::new(method, self.remote_target.as_str());
        for route in &self.route_set {
            request.headers.push("Route", route.to_string());
        }
        request.headers.push("From", from.to_string());
        request.headers.push("To", to.to_string());
        request.headers.push("Call-ID", self.call_id.as_str());
        request.headers.push("CSeq", format!("{cseq} {method}"));
        if let Some(contact) = self.contact.as_ref().filter(|_| refreshes(method)) {
            request.headers.push("Contact", contact.as_str());
        }
        request
    }
}

/// The methods whose Contact tells the peer where to send its own requests.
fn refreshes(method: Method) -> bool {
    matches!(
        method,
        Method::Invite | Method::Subscribe | Method::Notify | Method::Update
    )
}

fn named(mut address: NameAddr) -> (NameAddr, Option<String>) {
    let tag = address.tag().map(str::to_owned);
    address.params.remove("tag");
    (address, tag)
}

fn target(headers: &Headers) -> Option<String> {
    let contact = headers.contact().ok()?;
    Some(contact.uri.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invite() -> Request {
        Request::new(Method::Invite, "sip:34020000001318000001@3402000000")
            .with_header(
                "Via",
                "SIP/2.0/UDP 10.110.18.12:15060;branch=z9hG4bK1;rport",
            )
            .with_header("Record-Route", "<sip:p1;lr>, <sip:p2;lr>")
            .with_header(
                "From",
                r#""SipServer" <sip:34020000002000000001@3402000000>;tag=FHO5"#,
            )
            .with_header("To", "<sip:34020000001318000001@3402000000>")
            .with_header("Call-ID", "VqjJ")
            .with_header("CSeq", "1 INVITE")
            .with_header(
                "Contact",
                r#""SipServer" <sip:34020000002000000001@10.110.18.12:15060>;tag=FHO5"#,
            )
    }

    fn callee() -> Dialog {
        Dialog::from_uas(&invite(), "668718229", None).unwrap()
    }

    fn from_peer(method: Method, cseq: u32, from_tag: &str, to_tag: &str) -> Request {
        Request::new(method, "sip:34020000001318000001@10.110.18.75:5060")
            .with_header("From", format!("<sip:somebody@else>{from_tag}"))
            .with_header("To", format!("<sip:x@y>{to_tag}"))
            .with_header("Call-ID", "VqjJ")
            .with_header("CSeq", format!("{cseq} {method}"))
    }

    #[test]
    fn our_bye_as_callee_goes_to_the_contact_with_our_own_cseq_from_1() {
        let bye = callee().request(Method::Bye);
        let header = |name| bye.headers.value(name);
        assert_eq!(bye.uri(), "sip:34020000002000000001@10.110.18.12:15060");
        assert_eq!(
            header("From"),
            Some("<sip:34020000001318000001@3402000000>;tag=668718229")
        );
        assert_eq!(
            header("To"),
            Some(r#""SipServer" <sip:34020000002000000001@3402000000>;tag=FHO5"#)
        );
        assert_eq!(header("CSeq"), Some("1 BYE"));
        let routes: Vec<_> = bye.headers.values("Route").collect();
        assert_eq!(routes, ["<sip:p1;lr>", "<sip:p2;lr>"]);
    }

    #[test]
    fn as_caller_the_route_is_reversed_and_the_ack_keeps_the_cseq_of_its_invite() {
        let answer = Response::new(200, "OK")
            .with_header("Record-Route", "<sip:p1;lr>, <sip:p2;lr>")
            .with_header("To", "<sip:34020000001318000001@3402000000>;tag=9")
            .with_header("Contact", "<sip:34020000001318000001@10.110.18.75:5060>");
        let mut dialog = Dialog::from_uac(&invite(), &answer).unwrap();
        let ack = dialog.ack(1);
        assert_eq!(ack.uri(), "sip:34020000001318000001@10.110.18.75:5060");
        assert_eq!(ack.headers.value("CSeq"), Some("1 ACK"));
        let routes: Vec<_> = ack.headers.values("Route").collect();
        assert_eq!(routes, ["<sip:p2;lr>", "<sip:p1;lr>"]);
        let bye = dialog.request(Method::Bye);
        assert_eq!(bye.headers.value("CSeq"), Some("2 BYE"));
        assert!(bye.headers.value("From").unwrap().ends_with(";tag=FHO5"));
    }

    #[test]
    fn call_id_and_tags_decide_and_addresses_do_not() {
        let dialog = callee();
        let bye = |from, to| from_peer(Method::Bye, 3, from, to);
        assert!(dialog.matches(&bye(";tag=FHO5", ";tag=668718229")));
        assert!(!dialog.matches(&bye(";tag=FHO5", ";tag=1")));
        assert!(!dialog.matches(&bye(";tag=other", ";tag=668718229")));
        assert!(!dialog.matches(&bye(";tag=FHO5", "")));
        assert!(dialog.same_call(&bye("", "")));
    }

    #[test]
    fn a_peer_without_a_tag_is_known_by_ours() {
        let dialog = callee();
        assert!(dialog.matches(&from_peer(Method::Bye, 3, "", ";tag=668718229")));
    }

    #[test]
    fn a_lower_cseq_is_out_of_order_and_an_equal_one_is_not() {
        let mut dialog = callee();
        let mut order = |cseq| dialog.in_order(&from_peer(Method::Info, cseq, "", ""));
        assert!(order(1));
        assert!(order(5));
        assert!(order(5));
        assert!(!order(4));
    }

    #[test]
    fn without_a_contact_requests_go_to_the_address_of_the_peer() {
        let mut bare = invite();
        bare.headers.remove("Contact");
        let dialog = Dialog::from_uas(&bare, "1", None).unwrap();
        assert_eq!(dialog.remote_target, "sip:34020000002000000001@3402000000");
    }

    #[test]
    fn a_new_contact_moves_the_target() {
        let mut dialog = callee();
        dialog.retarget(&Headers::default());
        let moved =
            Request::new(Method::Invite, "sip:a").with_header("Contact", "<sip:p@10.0.0.9>");
        dialog.retarget(&moved.headers);
        assert_eq!(dialog.remote_target, "sip:p@10.0.0.9");
    }

    #[test]
    fn a_request_without_from_makes_no_dialog() {
        let mut bare = invite();
        bare.headers.remove("From");
        assert_eq!(Dialog::from_uas(&bare, "1", None), None);
    }
}
