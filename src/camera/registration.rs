//! Registration with the platform (GB/T 28181-2022 §9.1, RFC 3261 §10 and §22).

use std::time::Duration;

use crate::sip::{Method, Request, Response, TransactionId};
use crate::time::{Instant, Now};

use super::event::Event;
use super::granted::{granted, redirect_target, refresh_after, retry_after, seconds};
use super::line::{Line, Purpose, Timer, challenge};

/// Redirects followed from one platform to the next before the first is tried again.
const MAX_REDIRECTS: u32 = 5;
/// Answers of one round that ask for the same REGISTER in other words (401, 423) before we give
/// up until the retry timer.
const MAX_CORRECTIONS: u32 = 4;
/// What is told then.
const NEVER_CONTENT: &str = "the platform asks for the REGISTER in other words without end";
/// Refusals of credentials, in a row and not for staleness, that end a round (§9.1.2).
const MAX_REFUSALS: u32 = 2;

/// The registration of one device.
///
/// ```text
///            register()                 200
///  Idle ───────────────▶ Registering ─────────▶ Registered
///   ▲                    ▲  │  ▲  │ 401 423 302     │
///   │                    │  │  └──┘                 │ refresh timer
///   │       retry timer  │  │ anything else         │
///   │                    └──┴─ (Timer::Register) ◀──┘
///   │         200, failure
///   └──────────────────────── Unregistering ◀── unregister()
/// ```
pub(super) struct Registration {
    state: State,
    call_id: String,
    tag: String,
    cseq: u32,
    /// What we ask for; a 423 raises it for that platform.
    expires: Duration,
    round: Round,
    redirects: u32,
    /// Set while the platform has accepted us, refreshes included.
    registered: bool,
    /// The REGISTER whose answer counts; answers to earlier ones come too late.
    current: Option<TransactionId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    Registering,
    Registered,
    Unregistering,
}

/// One round: from the first REGISTER to its 200 or its failure.
#[derive(Default)]
struct Round {
    began: Instant,
    corrections: u32,
    refusals: u32,
    answered: bool,
}

/// What became of a REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The round goes on.
    Pending,
    /// The platform accepted; `fresh` when we were not registered before.
    Registered { fresh: bool },
    /// The platform sent us elsewhere: the flow may have to change.
    Redirected,
    /// The round failed. `lost` when we were registered before. `returns` when a platform we had
    /// been sent to failed us: the first one is tried at once. Otherwise the retry timer is set.
    Failed { lost: bool, returns: bool },
    /// Unregistration is over.
    Unregistered { confirmed: bool },
}

impl Registration {
    pub fn new(expires: Duration) -> Self {
        Registration {
            state: State::Idle,
            call_id: String::new(),
            tag: String::new(),
            cseq: 0,
            expires,
            round: Round::default(),
            redirects: 0,
            registered: false,
            current: None,
        }
    }

    /// Whether a REGISTER is the one whose answer counts.
    pub fn awaits(&self, transaction: TransactionId) -> bool {
        self.current == Some(transaction)
    }

    /// The Call-ID of its REGISTERs; empty before the first.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Whether the platform has accepted us.
    pub fn is_registered(&self) -> bool {
        self.registered
    }

    /// Whether a round is under way.
    pub fn is_busy(&self) -> bool {
        matches!(self.state, State::Registering | State::Unregistering)
    }

    /// Whether a first REGISTER is out that nobody has said a word to.
    pub fn is_unheard(&self) -> bool {
        self.state == State::Registering && !self.registered && !self.round.answered
    }

    /// Begins a round. A refresh keeps Call-ID and tag and counts CSeq on; a device that has just
    /// started takes new ones.
    pub fn register(&mut self, now: Now, line: &mut Line) {
        if self.call_id.is_empty() {
            self.call_id = line.call_id();
            self.tag = line.tag();
        }
        line.timers.cancel(&Timer::Register);
        self.state = State::Registering;
        self.begin(now.mono);
        self.send(now, line, self.expires, None);
    }

    /// Asks the platform to forget us. `false` when it does not know us.
    pub fn unregister(&mut self, now: Now, line: &mut Line) -> bool {
        line.timers.cancel(&Timer::Register);
        if !self.registered || !line.is_open() {
            return false;
        }
        self.state = State::Unregistering;
        self.begin(now.mono);
        self.send(now, line, Duration::ZERO, None);
        true
    }

    /// Forgets the registration without a word: the flow is gone, or the power.
    pub fn drop_silently(&mut self, line: &mut Line) -> bool {
        line.timers.cancel(&Timer::Register);
        self.state = State::Idle;
        self.current = None;
        std::mem::take(&mut self.registered)
    }

    /// Asks for another lifetime from the next registration on.
    pub fn ask_for(&mut self, expires: Duration) {
        self.expires = expires;
    }

    /// The next registration is one of a device that has just started.
    pub fn restart(&mut self) {
        self.call_id.clear();
        self.cseq = 0;
    }

    /// Returns to the platform of the configuration, if we were sent elsewhere.
    pub fn return_home(&mut self, line: &mut Line) -> bool {
        let away = line.platform != line.config.platform;
        if away {
            line.platform = line.config.platform.clone();
            self.expires = line.config.expires;
            self.restart();
        }
        away
    }

    fn begin(&mut self, now: Instant) {
        self.round = Round {
            began: now,
            ..Round::default()
        };
    }

    fn send(&mut self, now: Now, line: &mut Line, expires: Duration, auth: Option<Auth>) {
        self.cseq += 1;
        let device = line.config.device;
        let own = line.own_uri(&device);
        let uri = line.platform_uri();
        let mut request = Request::new(Method::Register, uri)
            .with_header("From", format!("<{own}>;tag={}", self.tag))
            .with_header("To", format!("<{own}>"))
            .with_header("Call-ID", self.call_id.clone())
            .with_header("CSeq", format!("{} REGISTER", self.cseq))
            .with_header("Contact", line.contact(&device))
            .with_header("Expires", expires.as_secs().to_string());
        if line.config.profile.sip.register_route {
            let route = format!("<sip:{device}@{};lr>", line.platform.address);
            request = request.with_header("Route", route);
        }
        let version = &line.config.profile.sip.gb_version;
        if !version.is_empty() {
            request = request.with_header("X-GB-Ver", version.as_str());
        }
        if let Some(Auth { header, value }) = auth {
            request = request.with_header(header, value);
        }
        let to = line.platform.address;
        self.current = Some(line.send(now.mono, Purpose::Register, to, request));
    }

    /// A response to the REGISTER that is under way.
    pub fn answered(&mut self, now: Now, line: &mut Line, response: &Response) -> Outcome {
        match response.status() {
            100..=199 => Outcome::Pending,
            200..=299 => self.accepted(now, line, response),
            401 | 407 => self.challenged(now, line, response),
            _ if self.state == State::Unregistering => self.unregistered(false),
            423 => self.too_brief(now, line, response),
            300..=399 => self.redirected(now, line, response),
            status => {
                let why = format!("{status} {}", response.reason());
                self.failed(now, line, why, retry_after(response))
            }
        }
    }

    /// No response came, or the flow broke under the request.
    pub fn unanswered(&mut self, now: Now, line: &mut Line, why: &str) -> Outcome {
        if self.state == State::Unregistering {
            return self.unregistered(false);
        }
        line.doubtful = true;
        self.failed(now, line, why.to_owned(), None)
    }

    fn accepted(&mut self, now: Now, line: &mut Line, response: &Response) -> Outcome {
        if self.state == State::Unregistering {
            return self.unregistered(true);
        }
        let granted = granted(response, &line.config.device).unwrap_or(self.expires);
        if granted.is_zero() {
            return self.failed(now, line, "200 with Expires: 0".to_owned(), None);
        }
        line.doubtful = false;
        let fresh = !self.registered;
        self.state = State::Registered;
        self.registered = true;
        self.redirects = 0;
        line.set(Timer::Register, now.mono + refresh_after(granted));
        line.tell(Event::Registered {
            expires: granted,
            took: now.mono - self.round.began,
        });
        Outcome::Registered { fresh }
    }

    fn unregistered(&mut self, confirmed: bool) -> Outcome {
        self.state = State::Idle;
        self.registered = false;
        Outcome::Unregistered { confirmed }
    }

    /// 401 or 407. A stale nonce is no refusal (RFC 2617 §3.2.1).
    fn challenged(&mut self, now: Now, line: &mut Line, response: &Response) -> Outcome {
        self.round.corrections += 1;
        let (asked, answer) = match response.status() {
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => ("WWW-Authenticate", "Authorization"),
        };
        let Some(challenge) = challenge(response, asked) else {
            return self.give_up(now, line, "a challenge that asks for no known digest");
        };
        if self.round.answered && !challenge.stale {
            self.round.refusals += 1;
        }
        if self.round.refusals >= MAX_REFUSALS {
            return self.give_up(now, line, "the platform refuses our password");
        }
        if self.round.corrections > MAX_CORRECTIONS {
            return self.give_up(now, line, NEVER_CONTENT);
        }
        self.round.answered = true;
        let expires = match self.state {
            State::Unregistering => Duration::ZERO,
            _ => self.expires,
        };
        let value = line.authorize(&challenge, Method::Register);
        let header = answer;
        self.send(now, line, expires, Some(Auth { header, value }));
        Outcome::Pending
    }

    fn give_up(&mut self, now: Now, line: &mut Line, why: &str) -> Outcome {
        if self.state == State::Unregistering {
            return self.unregistered(false);
        }
        self.failed(now, line, why.to_owned(), None)
    }

    /// 423 Interval Too Brief (RFC 3261 §10.2.8): ask for what the platform wants, at once.
    fn too_brief(&mut self, now: Now, line: &mut Line, response: &Response) -> Outcome {
        self.round.corrections += 1;
        let least = seconds(response.headers.value("Min-Expires"));
        match least {
            Some(least) if least > self.expires => {
                if self.round.corrections > MAX_CORRECTIONS {
                    return self.give_up(now, line, NEVER_CONTENT);
                }
                self.expires = least;
                self.round.answered = false;
                self.send(now, line, least, None);
                Outcome::Pending
            }
            _ => self.failed(
                now,
                line,
                "423 without a usable Min-Expires".to_owned(),
                None,
            ),
        }
    }

    /// 302 (GB/T 28181-2022 §9.1.2.3): register with the server it names.
    fn redirected(&mut self, now: Now, line: &mut Line, response: &Response) -> Outcome {
        self.redirects += 1;
        let Some(next) = redirect_target(response) else {
            let why = format!("{} without a usable Contact", response.status());
            return self.failed(now, line, why, None);
        };
        if self.redirects > MAX_REDIRECTS {
            return self.failed(now, line, "redirected too often".to_owned(), None);
        }
        line.platform = next;
        self.expires = line.config.expires;
        self.restart();
        self.state = State::Idle;
        Outcome::Redirected
    }

    fn failed(
        &mut self,
        now: Now,
        line: &mut Line,
        why: String,
        after: Option<Duration>,
    ) -> Outcome {
        self.state = State::Idle;
        let lost = std::mem::take(&mut self.registered);
        let call_id = self.call_id.clone();
        let returns = self.return_home(line);
        let mut retry = Duration::ZERO;
        if !returns {
            self.redirects = 0;
            let pause = line.jittered(line.config.retry);
            retry = pause.max(after.unwrap_or_default());
            line.set(Timer::Register, now.mono + retry);
        }
        line.tell(Event::RegisterFailed {
            why,
            retry,
            call_id,
        });
        Outcome::Failed { lost, returns }
    }
}

struct Auth {
    header: &'static str,
    value: String,
}
