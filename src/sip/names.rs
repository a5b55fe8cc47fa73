//! Header names: compact forms, and the one place where a name meets rsip's header model.

use rsip::Header;
use rsip::headers::UntypedHeader;

/// Writes the two directions between a header's name and rsip's variant for it from one table.
macro_rules! known_headers {
    ($($variant:ident $name:literal)*) => {
        /// The header `name: value` in the model. A name that rsip does not know keeps its spelling.
        pub(super) fn header(name: &str, value: String) -> Header {
            let name = long(name);
            $(if name.eq_ignore_ascii_case($name) {
                return Header::$variant(value.into());
            })*
            Header::Other(name.to_owned(), value)
        }

        /// Name and value of a header of the model.
        pub(super) fn parts(header: &Header) -> (&str, &str) {
            match header {
                $(Header::$variant(header) => ($name, header.value()),)*
                Header::Other(name, value) => (name, value),
            }
        }

        #[cfg(test)]
        pub(super) const KNOWN: &[&str] = &[$($name),*];
    };
}

// The commonest come first: this order is the order of comparison.
known_headers! {
    Via "Via" From "From" To "To" CallId "Call-ID" CSeq "CSeq" Contact "Contact"
    MaxForwards "Max-Forwards" UserAgent "User-Agent" ContentType "Content-Type"
    ContentLength "Content-Length" Expires "Expires" Subject "Subject" Date "Date"
    Authorization "Authorization" WwwAuthenticate "WWW-Authenticate" Route "Route"
    RecordRoute "Record-Route" Event "Event" SubscriptionState "Subscription-State"
    Allow "Allow" Supported "Supported" Require "Require" Accept "Accept"
    AcceptEncoding "Accept-Encoding" AcceptLanguage "Accept-Language" AlertInfo "Alert-Info"
    AuthenticationInfo "Authentication-Info" CallInfo "Call-Info"
    ContentDisposition "Content-Disposition" ContentEncoding "Content-Encoding"
    ContentLanguage "Content-Language" ErrorInfo "Error-Info" InReplyTo "In-Reply-To"
    MimeVersion "MIME-Version" MinExpires "Min-Expires" Organization "Organization"
    Priority "Priority" ProxyAuthenticate "Proxy-Authenticate"
    ProxyAuthorization "Proxy-Authorization" ProxyRequire "Proxy-Require" ReplyTo "Reply-To"
    RetryAfter "Retry-After" Server "Server" Timestamp "Timestamp" Unsupported "Unsupported"
    Warning "Warning"
}

/// The long form of a compact header name (RFC 3261 §7.3.3 and the registry of later ones).
pub(super) fn long(name: &str) -> &str {
    let [letter] = name.as_bytes() else {
        return name;
    };
    match letter.to_ascii_lowercase() {
        b'a' => "Accept-Contact",
        b'b' => "Referred-By",
        b'c' => "Content-Type",
        b'd' => "Request-Disposition",
        b'e' => "Content-Encoding",
        b'f' => "From",
        b'i' => "Call-ID",
        b'k' => "Supported",
        b'l' => "Content-Length",
        b'm' => "Contact",
        b'o' => "Event",
        b'r' => "Refer-To",
        b's' => "Subject",
        b't' => "To",
        b'u' => "Allow-Events",
        b'v' => "Via",
        b'x' => "Session-Expires",
        _ => name,
    }
}

/// Whether two header names mean the same header.
pub(super) fn same(a: &str, b: &str) -> bool {
    long(a).eq_ignore_ascii_case(long(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_survives_the_model() {
        for name in KNOWN {
            let header = header(&name.to_uppercase(), "v".into());
            assert_eq!(parts(&header), (*name, "v"));
            assert!(!matches!(header, Header::Other(..)), "{name}");
        }
    }

    #[test]
    fn an_unknown_name_keeps_its_spelling() {
        let header = header("X-GB-Ver", "3.0".into());
        assert_eq!(parts(&header), ("X-GB-Ver", "3.0"));
    }

    #[test]
    fn compact_names_are_their_long_forms() {
        for (compact, name) in [
            ("v", "Via"),
            ("I", "call-id"),
            ("o", "EVENT"),
            ("x", "session-expires"),
        ] {
            assert!(same(compact, name), "{compact}");
        }
        assert!(!same("v", "To"));
    }
}
