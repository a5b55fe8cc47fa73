//! Digest challenges, and the parameters that challenges and answers are made of.

use thiserror::Error;

use super::quoting::{elements, unquote};

/// Why digest text is of no use.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DigestError {
    /// Another scheme than Digest.
    #[error("not a Digest challenge")]
    Scheme,
    /// A parameter that must be there is not.
    #[error("no {0} in the digest")]
    Missing(&'static str),
    /// An algorithm that is not MD5, such as the SM3 of GB 35114.
    #[error("digest algorithm {0:?} is not MD5")]
    Algorithm(String),
    /// Only qop values that are not `auth`.
    #[error("digest qop {0:?} does not offer auth")]
    Qop(String),
}

/// A `WWW-Authenticate` or `Proxy-Authenticate` value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// Who asks.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// Text to repeat.
    pub opaque: Option<String>,
    /// Whether only the nonce was too old: the password is not in doubt.
    pub stale: bool,
    /// Whether `qop=auth` is offered; when no qop is, the answer is that of RFC 2069.
    pub auth: bool,
}

impl Challenge {
    /// Reads a challenge: parameters in any order, with or without space or quotes.
    pub fn parse(text: &str) -> Result<Challenge, DigestError> {
        let params = Parameters::parse(text)?;
        params.require_md5()?;
        let qop = params.value("qop");
        let auth = qop.as_deref().is_some_and(offers_auth);
        match qop {
            Some(qop) if !auth && !qop.trim().is_empty() => return Err(DigestError::Qop(qop)),
            _ => {}
        }
        Ok(Challenge {
            realm: params.required("realm")?,
            nonce: params.required("nonce")?,
            opaque: params.value("opaque"),
            stale: params
                .value("stale")
                .is_some_and(|s| s.eq_ignore_ascii_case("true")),
            auth,
        })
    }
}

fn offers_auth(qop: &str) -> bool {
    qop.split(',')
        .any(|word| word.trim().eq_ignore_ascii_case("auth"))
}

/// `name=value` pairs behind the word `Digest`.
pub(super) struct Parameters<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Parameters<'a> {
    pub fn parse(text: &'a str) -> Result<Self, DigestError> {
        let text = text.trim_start();
        let scheme = text.get(..6).filter(|s| s.eq_ignore_ascii_case("Digest"));
        let behind = text
            .get(6..)
            .filter(|b| b.starts_with(|c: char| c.is_ascii_whitespace()));
        let (Some(_), Some(list)) = (scheme, behind) else {
            return Err(DigestError::Scheme);
        };
        let pair = |element: &'a str| {
            let (name, value) = element.split_once('=')?;
            Some((name.trim(), value.trim()))
        };
        Ok(Parameters(elements(list).filter_map(pair).collect()))
    }

    pub fn value(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(unquote(value))
    }

    pub fn required(&self, name: &'static str) -> Result<String, DigestError> {
        self.value(name).ok_or(DigestError::Missing(name))
    }

    pub fn require_md5(&self) -> Result<(), DigestError> {
        match self.value("algorithm") {
            Some(algorithm) if !algorithm.eq_ignore_ascii_case("MD5") => {
                Err(DigestError::Algorithm(algorithm.chars().take(32).collect()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_read_in_any_dress() {
        let challenge = Challenge::parse(
            " digest\tSTALE = TRUE , nonce = n,, algorithm=\"md5\" ,realm=\"a\\\"b,c\"",
        );
        let challenge = challenge.unwrap();
        assert_eq!(
            (challenge.realm.as_str(), challenge.nonce.as_str()),
            ("a\"b,c", "n")
        );
        assert!(challenge.stale && !challenge.auth && challenge.opaque.is_none());
    }

    #[test]
    fn a_challenge_of_no_use_says_why() {
        let error = |text: &str| Challenge::parse(text).unwrap_err();
        assert_eq!(error("Basic realm=\"x\""), DigestError::Scheme);
        assert_eq!(error("Digest"), DigestError::Scheme);
        assert_eq!(error("Digest nonce=\"n\""), DigestError::Missing("realm"));
        assert_eq!(error("Digest realm=\"r\""), DigestError::Missing("nonce"));
        assert_eq!(
            error("Digest realm=r, nonce=n, algorithm=SM3"),
            DigestError::Algorithm("SM3".into())
        );
        assert_eq!(
            error("Digest realm=r, nonce=n, qop=\"auth-int\""),
            DigestError::Qop("auth-int".into())
        );
    }
}
