//! SIP URIs, kept as the text they came in: digest and dialogs need every octet of it.

use std::fmt;

use super::params::Params;

/// A SIP URI as text, with views of its parts. Any text is a `Uri`; the parts may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Uri(String);

impl Uri {
    /// The URI with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Uri(text.into())
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the first colon: `sip`.
    pub fn scheme(&self) -> Option<&str> {
        let (scheme, _) = self.0.split_once(':')?;
        let legal = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        (!scheme.is_empty() && scheme.chars().all(legal)).then_some(scheme)
    }

    /// The user part, without a password.
    pub fn user(&self) -> Option<&str> {
        self.userinfo_and_rest().0?.split(':').next()
    }

    /// The host; an IPv6 address without its brackets.
    pub fn host(&self) -> Option<&str> {
        let (host, _) = split_host(self.hostport())?;
        Some(host)
    }

    /// The port, if one is written and legal.
    pub fn port(&self) -> Option<u16> {
        split_host(self.hostport())?.1?.parse().ok()
    }

    /// The URI's own parameters (`;transport=tcp`, `;lr`).
    pub fn params(&self) -> Params {
        let after_user = self.userinfo_and_rest().1;
        let end = after_user.find('?').unwrap_or(after_user.len());
        Params::parse(&after_user[..end], 0)
    }

    fn userinfo_and_rest(&self) -> (Option<&str>, &str) {
        let rest = match self.scheme() {
            Some(scheme) => &self.0[scheme.len() + 1..],
            None => &self.0,
        };
        match rest.split_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        }
    }

    fn hostport(&self) -> &str {
        let rest = self.userinfo_and_rest().1;
        let end = rest.find([';', '?']).unwrap_or(rest.len());
        rest[..end].trim()
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Uri {
    fn from(text: &str) -> Self {
        Uri::new(text)
    }
}

impl From<String> for Uri {
    fn from(text: String) -> Self {
        Uri(text)
    }
}

/// Host and port text of `host:port`, `[v6]:port` or either without a port. Space is tolerated.
pub(super) fn split_host(text: &str) -> Option<(&str, Option<&str>)> {
    let text = text.trim();
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.trim_start().strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let host = host.trim();
    (!host.is_empty()).then_some((host, port.map(str::trim)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_parts_of_a_device_uri() {
        let uri = Uri::new("sip:34020000001320000001@10.110.18.75:5060;transport=TCP");
        assert_eq!(uri.scheme(), Some("sip"));
        assert_eq!(uri.user(), Some("34020000001320000001"));
        assert_eq!(uri.host(), Some("10.110.18.75"));
        assert_eq!(uri.port(), Some(5060));
        assert_eq!(uri.params().value("transport"), Some("TCP"));
    }

    #[test]
    fn parts_that_are_not_there_are_none() {
        let uri = Uri::new("sip:3402000000");
        assert_eq!(
            (uri.user(), uri.host(), uri.port()),
            (None, Some("3402000000"), None)
        );
        assert_eq!(Uri::new("sip:a@b:99999").port(), None);
        assert_eq!(Uri::new("").host(), None);
    }

    #[test]
    fn an_ipv6_host_and_a_password_are_understood() {
        let uri = Uri::new("sip:1:secret@[2001:db8::1]:5062?Subject=x");
        assert_eq!(
            (uri.user(), uri.host(), uri.port()),
            (Some("1"), Some("2001:db8::1"), Some(5062))
        );
    }

    proptest! {
        #[test]
        fn any_text_can_be_asked_for_its_parts(text: String) {
            let uri = Uri::new(text);
            let _ = (uri.scheme(), uri.user(), uri.host(), uri.port(), uri.params());
        }
    }
}
