//! The platform's side of digest: nonces handed out, answers checked.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use rsip::Method;

use super::challenge::DigestError;
use super::digest::Authorization;
use super::quoting::quote;
use crate::time::Instant;

/// What a verifier asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierPolicy {
    /// The realm; of a platform, its SIP domain.
    pub realm: String,
    /// Whether `qop="auth"` is offered.
    pub auth: bool,
    /// Text that clients must repeat.
    pub opaque: Option<String>,
    /// How long a nonce is good.
    pub nonce_life: Duration,
}

impl VerifierPolicy {
    /// Offers `qop=auth`; a nonce is good for five minutes.
    pub fn new(realm: impl Into<String>) -> Self {
        VerifierPolicy {
            realm: realm.into(),
            auth: true,
            opaque: None,
            nonce_life: Duration::from_secs(300),
        }
    }
}

/// What became of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// It is who they say they are.
    Accepted {
        /// The user.
        username: String,
    },
    /// The password is right but the nonce is old, unknown, or was used before: challenge again
    /// with `stale`.
    Stale,
    /// It is not.
    Refused(Refusal),
}

/// Why an answer was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] DigestError),
    /// Nobody here has that name.
    #[error("unknown user {0:?}")]
    UnknownUser(String),
    /// It answers somebody else's challenge.
    #[error("realm or opaque is not ours")]
    NotOurs,
    /// Its uri is not the Request-URI.
    #[error("uri is not the Request-URI")]
    OtherUri,
    /// The proof is wrong.
    #[error("wrong password")]
    WrongPassword,
}

/// Hands out challenges and checks what comes back. Remembers a bounded number of nonces.
#[derive(Debug)]
pub struct Verifier {
    policy: VerifierPolicy,
    nonces: HashMap<String, Issued>,
    /// Nonces in the order they were handed out.
    oldest: VecDeque<String>,
}

#[derive(Debug)]
struct Issued {
    at: Instant,
    /// The highest nonce count seen.
    count: u32,
}

impl Verifier {
    /// Nonces remembered; beyond it the oldest is forgotten, and answered as stale.
    const NONCES: usize = 65_536;

    /// A verifier that has challenged nobody yet.
    pub fn new(policy: VerifierPolicy) -> Self {
        Verifier {
            policy,
            nonces: HashMap::new(),
            oldest: VecDeque::new(),
        }
    }

    /// The value of a `WWW-Authenticate` header with this new nonce.
    pub fn challenge(&mut self, now: Instant, nonce: &str, stale: bool) -> String {
        self.forget(now);
        let issued = Issued { at: now, count: 0 };
        if self.nonces.insert(nonce.to_owned(), issued).is_none() {
            self.oldest.push_back(nonce.to_owned());
        }
        let mut text = format!(
            "Digest realm={}, nonce={}",
            quote(&self.policy.realm),
            quote(nonce)
        );
        if let Some(opaque) = &self.policy.opaque {
            text.extend([", opaque=", &quote(opaque)]);
        }
        text.push_str(if stale {
            ", stale=true, algorithm=MD5"
        } else {
            ", algorithm=MD5"
        });
        if self.policy.auth {
            text.push_str(", qop=\"auth\"");
        }
        text
    }

    /// Checks the `Authorization` value of a request `method uri`. `password` knows the users.
    pub fn verify(
        &mut self,
        now: Instant,
        authorization: &str,
        method: Method,
        uri: &str,
        password: impl FnOnce(&str) -> Option<String>,
    ) -> Verified {
        match self.check(authorization, method, uri, password) {
            Err(refusal) => Verified::Refused(refusal),
            Ok(answer) if self.is_fresh(now, &answer) => Verified::Accepted {
                username: answer.username,
            },
            Ok(_) => Verified::Stale,
        }
    }

    fn check(
        &self,
        authorization: &str,
        method: Method,
        uri: &str,
        password: impl FnOnce(&str) -> Option<String>,
    ) -> Result<Authorization, Refusal> {
        let answer = Authorization::parse(authorization)?;
        let opaque_is_ours = self.policy.opaque.is_none() || self.policy.opaque == answer.opaque;
        if answer.realm != self.policy.realm || !opaque_is_ours {
            return Err(Refusal::NotOurs);
        }
        if answer.uri != uri {
            return Err(Refusal::OtherUri);
        }
        let Some(password) = password(&answer.username) else {
            return Err(Refusal::UnknownUser(answer.username));
        };
        match answer
            .proof(&password, method)
            .eq_ignore_ascii_case(&answer.response)
        {
            true => Ok(answer),
            false => Err(Refusal::WrongPassword),
        }
    }

    /// Whether the nonce is ours, young enough, and its count new. Counts the use.
    fn is_fresh(&mut self, now: Instant, answer: &Authorization) -> bool {
        let Some(issued) = self.nonces.get_mut(&answer.nonce) else {
            return false;
        };
        if now.since(issued.at) > self.policy.nonce_life {
            return false;
        }
        let Some(protection) = &answer.protection else {
            return true;
        };
        match u32::from_str_radix(&protection.nc, 16) {
            Ok(count) if count > issued.count => {
                issued.count = count;
                true
            }
            _ => false,
        }
    }

    fn forget(&mut self, now: Instant) {
        while let Some(nonce) = self.oldest.front() {
            let old = |issued: &Issued| now.since(issued.at) > self.policy.nonce_life;
            let expired = self.nonces.get(nonce).is_none_or(old);
            if !expired && self.oldest.len() < Self::NONCES {
                return;
            }
            self.nonces.remove(nonce);
            self.oldest.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::challenge::Challenge;
    use super::super::digest::{Credentials, answer};
    use super::*;

    const URI: &str = "sip:34020000002000000001@3402000000";
    const START: Instant = Instant::ZERO;

    fn camera() -> Credentials {
        Credentials {
            username: "34020000001320000001".into(),
            password: "12345678".into(),
        }
    }

    fn password(user: &str) -> Option<String> {
        (user == camera().username).then(|| camera().password)
    }

    /// What a camera with these credentials answers to `challenge`, the `nc`-th time.
    fn answered(challenge: &str, credentials: &Credentials, nc: u32) -> String {
        let challenge = Challenge::parse(challenge).unwrap();
        let answer = answer(
            &challenge,
            credentials,
            Method::Register,
            URI,
            nc,
            "0a4f113b",
        );
        answer.write(&Default::default())
    }

    fn verify(verifier: &mut Verifier, now: Instant, text: &str) -> Verified {
        verifier.verify(now, text, Method::Register, URI, password)
    }

    fn accepted() -> Verified {
        Verified::Accepted {
            username: camera().username,
        }
    }

    fn verifier(auth: bool) -> Verifier {
        Verifier::new(VerifierPolicy {
            auth,
            opaque: Some("o\"1".into()),
            ..VerifierPolicy::new("3402000000")
        })
    }

    #[test]
    fn the_right_password_is_accepted_with_and_without_qop() {
        for auth in [false, true] {
            let mut verifier = verifier(auth);
            let challenge = verifier.challenge(START, "n1", false);
            assert_eq!(challenge.contains("qop"), auth);
            let text = answered(&challenge, &camera(), 1);
            assert_eq!(verify(&mut verifier, START, &text), accepted());
        }
    }

    #[test]
    fn a_wrong_password_an_unknown_user_and_another_uri_are_refused() {
        let mut verifier = verifier(true);
        let challenge = verifier.challenge(START, "n1", false);
        let wrong = Credentials {
            password: "1".into(),
            ..camera()
        };
        let text = answered(&challenge, &wrong, 1);
        assert_eq!(
            verify(&mut verifier, START, &text),
            Verified::Refused(Refusal::WrongPassword)
        );
        let unknown = Credentials {
            username: "x".into(),
            ..camera()
        };
        let text = answered(&challenge, &unknown, 1);
        assert_eq!(
            verify(&mut verifier, START, &text),
            Verified::Refused(Refusal::UnknownUser("x".into()))
        );
        let text = answered(&challenge, &camera(), 1);
        let other = verifier.verify(START, &text, Method::Register, "sip:a", password);
        assert_eq!(other, Verified::Refused(Refusal::OtherUri));
        let text = text.replace("3402000000\", nonce", "x\", nonce");
        assert_eq!(
            verify(&mut verifier, START, &text),
            Verified::Refused(Refusal::NotOurs)
        );
        assert!(matches!(
            verify(&mut verifier, START, "Basic x"),
            Verified::Refused(Refusal::Unreadable(_))
        ));
    }

    #[test]
    fn an_old_or_foreign_nonce_is_stale_if_the_password_is_right() {
        let mut verifier = verifier(false);
        let challenge = verifier.challenge(START, "n1", false);
        let text = answered(&challenge, &camera(), 1);
        let late = START + Duration::from_secs(301);
        assert_eq!(verify(&mut verifier, late, &text), Verified::Stale);
        let again = verifier.challenge(late, "n2", true);
        assert!(Challenge::parse(&again).unwrap().stale);
        let text = answered(&again, &camera(), 1);
        assert_eq!(verify(&mut verifier, late, &text), accepted());
        let foreign = answered(&again.replace("n2", "n3"), &camera(), 1);
        assert_eq!(verify(&mut verifier, late, &foreign), Verified::Stale);
    }

    #[test]
    fn a_nonce_count_must_rise() {
        let mut verifier = verifier(true);
        let challenge = verifier.challenge(START, "n1", false);
        let mut used = |nc| verify(&mut verifier, START, &answered(&challenge, &camera(), nc));
        assert_eq!(used(1), accepted());
        assert_eq!(used(1), Verified::Stale);
        assert_eq!(used(16), accepted());
        assert_eq!(used(2), Verified::Stale);
    }

    #[test]
    fn nonces_are_forgotten_when_there_are_too_many() {
        let mut verifier = verifier(false);
        for n in 0..Verifier::NONCES + 10 {
            verifier.challenge(START, &n.to_string(), false);
        }
        assert_eq!(verifier.nonces.len(), Verifier::NONCES);
        assert!(!verifier.nonces.contains_key("0"));
    }
}
