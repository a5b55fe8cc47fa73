//! A make's handwriting in SIP, as plain data.
//!
//! [`Style::default`] writes what RFC 3261 shows. Every other value is there because a device does
//! it; the doc comment of the value names the device. What a make writes is decided by data read
//! from its profile, never by asking which make it is.

use serde::Deserialize;

use super::header_order::HeaderOrder;
use super::reason;

/// How one make writes its messages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Style {
    /// The `User-Agent` of requests and responses; empty: the header is left out.
    pub user_agent: String,
    /// The order of headers in requests.
    pub request_order: HeaderOrder,
    /// The order of headers in responses.
    pub response_order: HeaderOrder,
    /// How `Content-Length` is written.
    pub content_length: ContentLength,
    /// The parameters of our own Via, in this order. Without `rport` answers come to sent-by.
    pub via: Vec<ViaParam>,
    /// Whether the answer fills in the `rport` that a Via asks for (RFC 3581). All known makes do.
    pub fill_rport: bool,
    /// When and where the answer adds `received` to the topmost Via.
    pub received: Received,
    /// The form of a new Call-ID.
    pub call_id: CallIdStyle,
    /// The form of From and To tags.
    pub tag: TokenStyle,
    /// The form of a branch behind its cookie.
    pub branch: TokenStyle,
    /// The CSeq number of MESSAGE requests outside dialogs.
    pub message_cseq: CseqStyle,
    /// What stands behind the `@` of our own address and of the platform's.
    pub uri_host: UriHost,
    /// What is said between an INVITE and its final answer.
    pub provisional: Provisional,
    /// The reason phrase of 101. The osip-based Dahua firmwares misspell it as written here.
    pub dialog_phrase: String,
    /// Whether REGISTER carries `Route: <sip:{device}@{server};lr>`: the device's ID at the server's
    /// address. Dahua SD-6C (`SIP UAS V3.0.0.675168`) does.
    pub register_route: bool,
    /// The `X-GB-Ver` of REGISTER and of the answers to it (GB/T 28181-2022 annex I): `3.0` for the
    /// edition of 2022, which introduced it; empty: the header is left out.
    pub gb_version: String,
    /// How credentials are written.
    pub authorization: AuthorizationStyle,
    /// Whose ID the Contact of an INVITE's answer names.
    pub contact_user: ContactUser,
    /// What the Contact says about the transport.
    pub contact_transport: ContactTransport,
    /// The `Max-Forwards` of requests.
    pub max_forwards: u8,
    /// What becomes of a BYE whose CSeq counts another method.
    pub odd_bye: OddBye,
}

impl Default for Style {
    fn default() -> Self {
        Style {
            user_agent: "vcam".into(),
            request_order: HeaderOrder::default(),
            response_order: HeaderOrder::default(),
            content_length: ContentLength::default(),
            via: vec![ViaParam::Branch, ViaParam::Rport],
            fill_rport: true,
            received: Received::default(),
            call_id: CallIdStyle::default(),
            tag: TokenStyle::default(),
            branch: TokenStyle::default(),
            message_cseq: CseqStyle::default(),
            uri_host: UriHost::default(),
            provisional: Provisional::default(),
            dialog_phrase: "Dialog Establishement".into(),
            register_route: false,
            gb_version: String::new(),
            authorization: AuthorizationStyle::default(),
            contact_user: ContactUser::default(),
            contact_transport: ContactTransport::default(),
            max_forwards: 70,
            odd_bye: OddBye::default(),
        }
    }
}

impl Style {
    /// The reason phrase this make writes for `status`.
    pub fn phrase(&self, status: u16) -> &str {
        match status {
            101 => &self.dialog_phrase,
            _ => reason::phrase(status),
        }
    }
}

/// What becomes of a BYE whose CSeq counts another method, which RFC 3261 §8.1.1.5 forbids. The
/// platform VAG.Node ends calls that it has steered so: `CSeq: 7 Info`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OddBye {
    /// It ends the call that it belongs to; one that belongs to none is answered 400.
    #[default]
    Take,
    /// It is answered 400: the call goes on.
    Refuse,
    /// It is passed over in silence, as the transaction layer of osip does.
    Ignore,
}

/// How `Content-Length` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContentLength {
    /// The number.
    #[default]
    Plain,
    /// A number above zero right-aligned in five columns: `Content-Length:   262`, but
    /// `Content-Length: 0`. An eXosip habit: Dahua SD-6C and the device of the seed trace, newer
    /// Hikvision recorders.
    PaddedToFive,
}

/// A parameter of our own Via.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ViaParam {
    /// `;branch=…`. First in RFC 3261's examples.
    Branch,
    /// `;rport`. Before the branch in Dahua's and Hikvision's requests.
    Rport,
}

/// When and where an answer says which address the request came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Received {
    /// When.
    pub when: When,
    /// Where.
    pub place: Place,
}

/// When `received` is added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// The sender asked with `rport` (RFC 3581 §4), or its sent-by host is not the address it sent
    /// from (RFC 3261 §18.2.1).
    #[default]
    AskedOrDifferent,
    /// Only if the sent-by host is not the source address: Dahua, asked or not.
    WhenDifferent,
    /// Never: old firmwares that fill in `rport` alone.
    Never,
}

/// Where `received` goes. A place that is not there means the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Behind the last parameter.
    #[default]
    Last,
    /// Behind the branch: osip-based Dahua.
    AfterBranch,
    /// Before `rport`: Dahua recorders.
    BeforeRport,
    /// Behind `rport`.
    AfterRport,
}

/// The form of a new Call-ID.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallIdStyle {
    /// 32 hexadecimal digits: Dahua recorders.
    #[default]
    Hex32,
    /// `1881196343@192.168.6.71`: nine or ten digits and our IP address. Dahua SD-6C.
    DigitsAtIp,
    /// Nine or ten digits: Hikvision.
    Digits,
}

/// The form of a tag or a branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenStyle {
    /// 32 hexadecimal digits: Dahua recorders.
    #[default]
    Hex32,
    /// Nine or ten decimal digits, osip's random number: Dahua SD-6C, the device of the seed trace,
    /// Hikvision.
    Decimal,
}

/// The CSeq number of MESSAGE requests outside dialogs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CseqStyle {
    /// One counter for all of them, from 1: Dahua recorders.
    #[default]
    Increasing,
    /// The same number each time, for each has a Call-ID of its own; eXosip's is 20. Dahua SD-6C,
    /// Hikvision.
    Always(u32),
}

/// What stands behind the `@` of our own address and of the platform's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UriHost {
    /// The SIP domain, as the standard asks; Hikvision does.
    #[default]
    Domain,
    /// Address and port, ours or the platform's: Dahua.
    Address,
}

/// What is said between an INVITE and its final answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provisional {
    /// 100 Trying.
    #[default]
    TryingOnly,
    /// 100, and at once 101 with a To tag and a Contact: Dahua SD-6C and the device of the seed
    /// trace.
    TryingAndDialog,
    /// Nothing: Hikvision recorders.
    None,
}

/// Whose ID the Contact of an INVITE's answer names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContactUser {
    /// The channel that was called: Dahua cameras.
    #[default]
    Called,
    /// The device, whichever of its channels was called: Dahua recorders, Hikvision cameras.
    Device,
}

/// What the Contact says about the transport when it is not UDP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContactTransport {
    /// `;transport=tcp`.
    #[default]
    LowerCase,
    /// `;transport=TCP`: Hikvision.
    UpperCase,
    /// Nothing.
    Silent,
}

/// How credentials are written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AuthorizationStyle {
    /// The parameters in their order. `algorithm` is written only if listed; `opaque` and the four
    /// of a qop follow behind if they are needed and not listed.
    pub order: Vec<AuthParam>,
    /// The parameters that stand in quotes.
    pub quoted: Vec<AuthParam>,
    /// Whether an offered `qop` is taken up.
    pub qop: QopUse,
}

impl Default for AuthorizationStyle {
    fn default() -> Self {
        use AuthParam::*;
        AuthorizationStyle {
            order: vec![
                Username, Realm, Nonce, Uri, Response, Algorithm, Cnonce, Opaque, Qop, Nc,
            ],
            quoted: vec![Username, Realm, Nonce, Uri, Response, Cnonce, Opaque],
            qop: QopUse::default(),
        }
    }
}

/// A parameter of an Authorization header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names of RFC 2617 §3.2.2")]
pub enum AuthParam {
    Username,
    Realm,
    Nonce,
    Uri,
    Response,
    Algorithm,
    Cnonce,
    Opaque,
    Qop,
    Nc,
}

/// Whether an offered `qop` is taken up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QopUse {
    /// `qop=auth` if the challenge offers it.
    #[default]
    WhenOffered,
    /// The old digest of RFC 2069 whatever is offered, which every known platform accepts.
    Never,
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::sip) const DAHUA_OSIP: &str = r#"
        user-agent = "SIP UAS V3.0.0.675168"
        request-order = ["Via", "Route", "From", "To", "Call-ID", "CSeq", "Contact", "Authorization",
            "Max-Forwards", "User-Agent", "Expires", "*", "Content-Type", "Content-Length"]
        response-order = ["Via", "From", "To", "Call-ID", "CSeq", "Contact", "User-Agent", "*",
            "Content-Type", "Content-Length"]
        content-length = "padded-to-five"
        via = ["rport", "branch"]
        received = { when = "when-different", place = "after-branch" }
        call-id = "digits-at-ip"
        tag = "decimal"
        branch = "decimal"
        message-cseq = { always = 20 }
        uri-host = "address"
        provisional = "trying-and-dialog"
        dialog-phrase = "Dialog Establishement"
        register-route = true
        authorization = { order = ["username", "realm", "nonce", "uri", "response", "algorithm"] }
        contact-user = "called"
    "#;

    pub(in crate::sip) const DAHUA_RECORDER: &str = r#"
        user-agent = "SIP UAS V3.0.0.1208500"
        request-order = "alphabetical"
        response-order = "alphabetical"
        via = ["rport", "branch"]
        received = { when = "when-different", place = "before-rport" }
        call-id = "hex32"
        tag = "hex32"
        branch = "hex32"
        message-cseq = "increasing"
        uri-host = "address"
        provisional = "trying-only"
        contact-user = "device"
    "#;

    pub(in crate::sip) const HIKVISION: &str = r#"
        user-agent = "Embedded Net DVR/NVR/DVS"
        request-order = ["Via", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Type",
            "Max-Forwards", "User-Agent", "*", "Content-Length"]
        response-order = ["Via", "From", "To", "Call-ID", "CSeq", "Contact", "Content-Type",
            "User-Agent", "*", "Content-Length"]
        content-length = "padded-to-five"
        via = ["rport", "branch"]
        received = { when = "never" }
        call-id = "digits"
        tag = "decimal"
        branch = "decimal"
        message-cseq = { always = 20 }
        uri-host = "domain"
        provisional = "none"
        contact-transport = "upper-case"
    "#;

    pub(in crate::sip) fn style(toml: &str) -> Style {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn every_known_handwriting_can_be_said() {
        let osip = style(DAHUA_OSIP);
        assert_eq!(osip.message_cseq, CseqStyle::Always(20));
        assert_eq!(osip.phrase(101), "Dialog Establishement");
        assert_eq!(osip.phrase(404), "Not Found");
        let recorder = style(DAHUA_RECORDER);
        assert_eq!(recorder.request_order, HeaderOrder::Alphabetical);
        assert_eq!(recorder.received.place, Place::BeforeRport);
        assert_eq!(
            style(HIKVISION).contact_transport,
            ContactTransport::UpperCase
        );
    }

    #[test]
    fn nothing_said_is_the_standard() {
        assert_eq!(style(""), Style::default());
        assert_eq!(style("received = {}").received, Received::default());
    }

    #[test]
    fn an_unknown_key_or_value_is_an_error_that_names_it() {
        let error = |toml: &str| toml::from_str::<Style>(toml).unwrap_err().to_string();
        assert!(error("user-agnet = \"x\"").contains("user-agnet"));
        assert!(error("request-order = \"reversed\"").contains("alphabetical"));
        assert!(error("authorization = { ordre = [] }").contains("ordre"));
        assert!(error("tag = \"octal\"").contains("octal"));
    }
}
