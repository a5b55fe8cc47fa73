//! Answers to digest challenges, MD5 (RFC 2617 §3.2 as RFC 3261 §22 uses it): computed, written and
//! read.

use md5::{Digest as _, Md5};
use rsip::Method;

use super::challenge::{Challenge, DigestError, Parameters};
use super::quoting::quote;
use super::style::{AuthParam, AuthorizationStyle, QopUse};

/// A user and their password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user's name; of a device, its ID unless configured otherwise.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// The protection parameters of an answer with `qop=auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protection {
    /// The nonce count as written: eight hexadecimal digits.
    pub nc: String,
    /// The client's nonce.
    pub cnonce: String,
}

/// An `Authorization` or `Proxy-Authorization` value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// Who answers.
    pub username: String,
    /// The challenge's realm.
    pub realm: String,
    /// The challenge's nonce.
    pub nonce: String,
    /// The Request-URI as the client wrote it.
    pub uri: String,
    /// The proof, 32 hexadecimal digits.
    pub response: String,
    /// The challenge's opaque text.
    pub opaque: Option<String>,
    /// nc and cnonce, when `qop=auth` is used.
    pub protection: Option<Protection>,
}

/// Answers `challenge` for a request `method uri`: with `qop=auth` and the `nc`-th use of the nonce
/// if the challenge offers it, else as in RFC 2069.
pub fn answer(
    challenge: &Challenge,
    credentials: &Credentials,
    method: Method,
    uri: &str,
    nc: u32,
    cnonce: &str,
) -> Authorization {
    let protection = challenge.auth.then(|| Protection {
        nc: format!("{nc:08x}"),
        cnonce: cnonce.to_owned(),
    });
    let mut authorization = Authorization {
        username: credentials.username.clone(),
        realm: challenge.realm.clone(),
        nonce: challenge.nonce.clone(),
        uri: uri.to_owned(),
        response: String::new(),
        opaque: challenge.opaque.clone(),
        protection,
    };
    authorization.response = authorization.proof(&credentials.password, method);
    authorization
}

impl Authorization {
    /// Reads an answer.
    pub fn parse(text: &str) -> Result<Authorization, DigestError> {
        let params = Parameters::parse(text)?;
        params.require_md5()?;
        let protection = match params.value("qop") {
            None => None,
            Some(qop) if qop.is_empty() => None,
            Some(qop) if qop.eq_ignore_ascii_case("auth") => Some(Protection {
                nc: params.required("nc")?,
                cnonce: params.required("cnonce")?,
            }),
            Some(qop) => return Err(DigestError::Qop(qop)),
        };
        Ok(Authorization {
            username: params.required("username")?,
            realm: params.required("realm")?,
            nonce: params.required("nonce")?,
            uri: params.required("uri")?,
            response: params.required("response")?,
            opaque: params.value("opaque"),
            protection,
        })
    }

    /// The response that proves `password` for a request with `method`.
    pub fn proof(&self, password: &str, method: Method) -> String {
        let ha1 = hash(&[&self.username, &self.realm, password]);
        let ha2 = hash(&[&method.to_string(), &self.uri]);
        match &self.protection {
            None => hash(&[&ha1, &self.nonce, &ha2]),
            Some(p) => hash(&[&ha1, &self.nonce, &p.nc, &p.cnonce, "auth", &ha2]),
        }
    }

    /// The header value, in a make's handwriting.
    pub fn write(&self, style: &AuthorizationStyle) -> String {
        use AuthParam::{Cnonce, Nc, Opaque, Qop};
        let needed = [Opaque, Qop, Nc, Cnonce];
        let unlisted = needed.iter().filter(|param| !style.order.contains(param));
        let mut text = String::from("Digest");
        let mut separator = " ";
        for param in style.order.iter().chain(unlisted) {
            let Some((name, value)) = self.param(*param) else {
                continue;
            };
            let value = match style.quoted.contains(param) {
                true => quote(value),
                false => value.to_owned(),
            };
            text.extend([separator, name, "=", &value]);
            separator = ", ";
        }
        text
    }

    fn param(&self, param: AuthParam) -> Option<(&'static str, &str)> {
        let protection = self.protection.as_ref();
        Some(match param {
            AuthParam::Username => ("username", &self.username),
            AuthParam::Realm => ("realm", &self.realm),
            AuthParam::Nonce => ("nonce", &self.nonce),
            AuthParam::Uri => ("uri", &self.uri),
            AuthParam::Response => ("response", &self.response),
            AuthParam::Algorithm => ("algorithm", "MD5"),
            AuthParam::Opaque => ("opaque", self.opaque.as_deref()?),
            AuthParam::Qop => ("qop", protection.map(|_| "auth")?),
            AuthParam::Nc => ("nc", &protection?.nc),
            AuthParam::Cnonce => ("cnonce", &protection?.cnonce),
        })
    }
}

impl AuthorizationStyle {
    /// The header value that answers `challenge` as this make answers. See [`answer`].
    pub fn answer(
        &self,
        challenge: &Challenge,
        credentials: &Credentials,
        method: Method,
        uri: &str,
        nc: u32,
        cnonce: &str,
    ) -> String {
        let mut challenge = challenge.clone();
        challenge.auth &= self.qop == QopUse::WhenOffered;
        answer(&challenge, credentials, method, uri, nc, cnonce).write(self)
    }
}

/// MD5 of the parts with colons between them, in lower-case hexadecimal digits.
fn hash(parts: &[&str]) -> String {
    let mut octets = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            octets.push(b':');
        }
        super::octets::put(&mut octets, part);
    }
    let digits = |b: &u8| [b >> 4, b & 15].map(|d| char::from_digit(d.into(), 16).unwrap_or('0'));
    Md5::digest(&octets).iter().flat_map(digits).collect()
}

#[cfg(test)]
mod tests {
    use digest_auth::{AuthContext, HttpMethod};
    use proptest::prelude::*;

    use super::super::captures;
    use super::super::message::Message;
    use super::super::style::tests::{DAHUA_OSIP, style};
    use super::*;

    const URI: &str = "sip:34020000002000000001@3402000000";

    fn camera() -> Credentials {
        Credentials {
            username: "34020000001320000001".into(),
            password: "12345678".into(),
        }
    }

    fn challenge(rest: &str) -> Challenge {
        let text = format!("Digest realm=\"3402000000\", nonce=\"6fe9ba44a76be22a\"{rest}");
        Challenge::parse(&text).unwrap()
    }

    #[test]
    fn without_qop_the_answer_is_what_a_real_camera_sent() {
        let answer = answer(
            &challenge(""),
            &camera(),
            Method::Register,
            URI,
            1,
            "0a4f113b",
        );
        assert_eq!(answer.response, "6a2143ae65b119e276a75f0a4a8992b7");
        assert_eq!(answer.protection, None);
    }

    #[test]
    fn with_qop_auth_count_and_cnonce_are_hashed() {
        for qop in [
            "\"auth\"",
            "auth",
            "\"auth,auth-int\"",
            "\"auth-int, AUTH\"",
        ] {
            let challenge = challenge(&format!(",qop={qop},opaque=\"monibuca\""));
            let answer = answer(&challenge, &camera(), Method::Register, URI, 1, "0a4f113b");
            assert_eq!(answer.response, "fb6d2f768312116118c121c2608cf961");
            let text = answer.write(&AuthorizationStyle::default());
            assert!(
                text.ends_with("cnonce=\"0a4f113b\", opaque=\"monibuca\", qop=auth, nc=00000001"),
                "{text}"
            );
        }
    }

    #[test]
    fn the_nonce_count_is_eight_hexadecimal_digits() {
        let challenge = challenge(",qop=auth");
        let answer = answer(&challenge, &camera(), Method::Register, URI, 300, "c");
        assert_eq!(answer.protection.unwrap().nc, "0000012c");
    }

    #[test]
    fn a_make_that_ignores_qop_answers_without() {
        let ignoring = AuthorizationStyle {
            qop: QopUse::Never,
            ..Default::default()
        };
        let text = ignoring.answer(
            &challenge(",qop=auth"),
            &camera(),
            Method::Register,
            URI,
            1,
            "c",
        );
        assert!(text.contains("response=\"6a2143ae65b119e276a75f0a4a8992b7\""));
        assert!(!text.contains("qop") && !text.contains("cnonce"));
    }

    #[test]
    fn the_captured_camera_writes_its_parameters_in_this_order() {
        let messages: Vec<_> = captures::messages(captures::DAHUA_SD6C);
        let header = |n: usize, name: &str| {
            let (_, octets): &(_, bytes::Bytes) = &messages[n];
            Message::parse(octets.clone())
                .unwrap()
                .headers()
                .value(name)
                .unwrap()
                .to_owned()
        };
        let challenge = Challenge::parse(&header(1, "WWW-Authenticate")).unwrap();
        assert_eq!(
            (challenge.realm.as_str(), challenge.nonce.as_str()),
            ("34020000", "1715926053")
        );
        assert!(!challenge.auth && !challenge.stale);
        let written = header(2, "Authorization");
        let answer = Authorization::parse(&written).unwrap();
        assert_eq!(answer.write(&style(DAHUA_OSIP).authorization), written);
    }

    #[test]
    fn parameters_a_make_does_not_list_follow_if_they_are_needed() {
        let style = style(DAHUA_OSIP).authorization;
        let text = style.answer(
            &challenge(",qop=auth,opaque=o"),
            &camera(),
            Method::Register,
            URI,
            1,
            "c",
        );
        assert!(
            text.ends_with("algorithm=MD5, opaque=\"o\", qop=auth, nc=00000001, cnonce=\"c\""),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn another_implementation_computes_the_same_answer(
            password in "[ -~]{0,20}",
            nonce in "[0-9a-f]{1,32}",
            cnonce in "[0-9a-f]{8}",
            auth: bool,
        ) {
            let qop = if auth { ", qop=\"auth,auth-int\"" } else { "" };
            let text = format!("Digest realm=\"3402000000\", nonce=\"{nonce}\", opaque=\"o\"{qop}");
            let credentials = Credentials { password, ..camera() };
            let challenge = Challenge::parse(&text).unwrap();
            let ours = answer(&challenge, &credentials, Method::Register, URI, 1, &cnonce);

            let mut context = AuthContext::new_with_method(
                &credentials.username, &credentials.password, URI, None::<&[u8]>,
                HttpMethod::from("REGISTER"),
            );
            context.set_custom_cnonce(cnonce);
            let mut prompt = digest_auth::parse(&text).unwrap();
            let theirs = prompt.respond(&context).unwrap();
            prop_assert_eq!(&ours.response, &theirs.response);
            let read = Authorization::parse(&theirs.to_header_string()).unwrap();
            prop_assert_eq!(&read, &ours);
            let reread = Authorization::parse(&ours.write(&AuthorizationStyle::default()));
            prop_assert_eq!(reread, Ok(ours));
        }

        #[test]
        fn any_text_is_a_challenge_or_an_error(text: String) {
            let _ = (Challenge::parse(&text), Authorization::parse(&text));
            let behind = format!("Digest {text}");
            let _ = (Challenge::parse(&behind), Authorization::parse(&behind));
        }
    }
}
