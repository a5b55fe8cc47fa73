//! REGISTER: who may be here, and for how long (GB/T 28181-2022 §9.1, RFC 3261 §10.3 and §22).

use std::time::Duration;

use crate::gb28181::{self, DeviceId};
use crate::sip::{Method, NameAddr, Response, Verified, Verifier, VerifierPolicy};
use crate::time::Now;

use super::complaint::Deviation;
use super::config::Config;
use super::desk::{Desk, Incoming, Timer};
use super::devices::{Device, Devices, host_of, id_in, sender};
use super::event::Event;
use super::presence;

/// The registrar.
///
/// ```text
///  REGISTER ─▶ well-formed? ─▶ authorised? ─▶ CSeq rises? ─▶ Expires ─▶ 0: forget, 200
///                 │ 400          │ 401, 403       │ 500         ├──────▶ too short: 423
///                                                               └──────▶ bind, 200
/// ```
pub(super) struct Registrar {
    verifier: Verifier,
}

/// What a well-formed REGISTER asks for.
struct Wish {
    device: DeviceId,
    contact: NameAddr,
    host: String,
    expires: Duration,
}

/// What became of a REGISTER, as far as others must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing changed for the device's calls.
    Same,
    /// The device is where this REGISTER came from.
    Registered(DeviceId),
    /// The device is gone.
    Unregistered(DeviceId),
}

/// Why a REGISTER is refused.
struct Refusal {
    status: u16,
    why: String,
    blame: Option<Deviation>,
    header: Option<(&'static str, String)>,
}

impl Refusal {
    fn new(status: u16, why: impl Into<String>) -> Self {
        Refusal {
            status,
            why: why.into(),
            blame: None,
            header: None,
        }
    }

    fn blaming(what: Deviation, status: u16, why: impl Into<String>) -> Self {
        Refusal {
            blame: Some(what),
            ..Refusal::new(status, why)
        }
    }
}

impl Registrar {
    pub fn new(config: &Config) -> Self {
        let policy = VerifierPolicy {
            auth: config.registration.qop,
            nonce_life: config.registration.nonce_lifetime,
            ..VerifierPolicy::new(config.realm.as_str())
        };
        Registrar {
            verifier: Verifier::new(policy),
        }
    }

    /// A REGISTER came in.
    pub fn register(
        &mut self,
        now: Now,
        desk: &mut Desk,
        devices: &mut Devices,
        incoming: &Incoming,
    ) -> Outcome {
        let judged = wish(desk, incoming).and_then(|wish| {
            self.authorise(now, desk, incoming, &wish.device)?;
            in_order(devices, incoming, &wish)?;
            Ok(wish)
        });
        match judged {
            Ok(wish) if wish.expires.is_zero() => unregister(now, desk, devices, incoming, &wish),
            Ok(wish) => match bind(now, desk, devices, incoming, &wish) {
                Ok(()) => Outcome::Registered(wish.device),
                Err(refusal) => {
                    refuse(now, desk, incoming, refusal);
                    Outcome::Same
                }
            },
            Err(refusal) => {
                refuse(now, desk, incoming, refusal);
                Outcome::Same
            }
        }
    }

    /// The digest of a REGISTER, if passwords are asked for (RFC 3261 §22).
    fn authorise(
        &mut self,
        now: Now,
        desk: &mut Desk,
        incoming: &Incoming,
        device: &DeviceId,
    ) -> Result<(), Refusal> {
        if !desk.config.passwords.are_asked() {
            return Ok(());
        }
        let Some(password) = desk.config.passwords.of(device).map(str::to_owned) else {
            return Err(Refusal::new(403, "unknown device"));
        };
        let stale = match incoming.request.headers.value("Authorization") {
            None => false,
            Some(text) => match self.verify(now, text, incoming, device, password) {
                Verified::Accepted { .. } => return Ok(()),
                Verified::Stale => true,
                Verified::Refused(why) => return Err(Refusal::new(403, why.to_string())),
            },
        };
        let nonce = desk.endpoint.tokens_mut().nonce();
        let challenge = self.verifier.challenge(now.mono, &nonce, stale);
        Err(Refusal {
            header: Some(("WWW-Authenticate", challenge)),
            ..Refusal::new(401, "")
        })
    }

    /// The user must be the device itself.
    fn verify(
        &mut self,
        now: Now,
        authorization: &str,
        incoming: &Incoming,
        device: &DeviceId,
        password: String,
    ) -> Verified {
        let of = |user: &str| (user == device.as_str()).then_some(password);
        let uri = incoming.request.uri();
        let method = Method::Register;
        self.verifier
            .verify(now.mono, authorization, method, uri, of)
    }
}

/// What a REGISTER asks for, if it has what it must have.
fn wish(desk: &mut Desk, incoming: &Incoming) -> Result<Wish, Refusal> {
    let headers = &incoming.request.headers;
    let to = headers.to().ok();
    let Some(device) = to.as_ref().and_then(id_in) else {
        let why = "To is no 20-digit code";
        return Err(Refusal::blaming(Deviation::SenderId, 400, why));
    };
    if sender(&incoming.request) != Some(device) {
        let from = headers.value("From").unwrap_or_default().to_owned();
        desk.object(Some(device), incoming, Deviation::ThirdParty, from);
    }
    let Some(expires) = headers.expires() else {
        let why = "no usable Expires";
        return Err(Refusal::blaming(Deviation::NoExpires, 400, why));
    };
    let contact = headers.contact().ok().and_then(|contact| {
        let everything = contact.uri.as_str() == "*" && expires == 0;
        let host = host_of(&contact.uri).filter(|host| everything || host != "*")?;
        Some((contact, host))
    });
    let Some((contact, host)) = contact else {
        let why = "no usable Contact";
        return Err(Refusal::blaming(Deviation::NoContact, 400, why));
    };
    Ok(Wish {
        device,
        contact,
        host,
        expires: Duration::from_secs(u64::from(expires)),
    })
}

/// Under one Call-ID CSeq rises from one REGISTER to the next (RFC 3261 §10.3 step 7).
fn in_order(devices: &Devices, incoming: &Incoming, wish: &Wish) -> Result<(), Refusal> {
    let headers = &incoming.request.headers;
    let Some(before) = devices.device(&wish.device) else {
        return Ok(());
    };
    let cseq = headers.cseq().map_or(0, |cseq| cseq.number);
    if headers.call_id() == Some(before.call_id.as_str()) && cseq <= before.cseq {
        let why = format!("CSeq {cseq} after {}", before.cseq);
        return Err(Refusal::blaming(Deviation::CseqOrder, 500, why));
    }
    Ok(())
}

fn unregister(
    now: Now,
    desk: &mut Desk,
    devices: &mut Devices,
    incoming: &Incoming,
    wish: &Wish,
) -> Outcome {
    let device = wish.device;
    let response = accepted(now, desk, incoming, Duration::ZERO);
    desk.respond(now.mono, incoming, response);
    presence::forget(desk, devices, device);
    desk.tell(Event::Unregistered { device });
    Outcome::Unregistered(device)
}

/// Registers a device for as long as the policy lets it.
fn bind(
    now: Now,
    desk: &mut Desk,
    devices: &mut Devices,
    incoming: &Incoming,
    wish: &Wish,
) -> Result<(), Refusal> {
    let policy = desk.config.registration;
    if wish.expires < policy.min_expires {
        let least = policy.min_expires.as_secs();
        return Err(Refusal {
            header: Some(("Min-Expires", least.to_string())),
            ..Refusal::new(423, format!("{} s are too short", wish.expires.as_secs()))
        });
    }
    let device = wish.device;
    if devices.device(&device).is_none() && devices.len() >= desk.config.capacity {
        return Err(Refusal::new(503, "too many devices"));
    }
    let expires = wish.expires.min(policy.max_expires);
    let contact = format!("<{}>;expires={}", wish.contact.uri, expires.as_secs());
    let response = accepted(now, desk, incoming, expires).with_header("Contact", contact);
    desk.respond(now.mono, incoming, response);
    let refresh = devices.bind(device, entry(incoming, wish));
    desk.timers.set(Timer::Expiry(device), now.mono + expires);
    presence::expect(now, desk, device);
    desk.tell(Event::Registered {
        device,
        at: incoming.route.to,
        transport: desk.transport(incoming.route.flow),
        expires,
        refresh,
    });
    Ok(())
}

fn entry(incoming: &Incoming, wish: &Wish) -> Device {
    let headers = &incoming.request.headers;
    Device {
        route: incoming.route,
        host: wish.host.clone(),
        call_id: headers.call_id().unwrap_or_default().to_owned(),
        cseq: headers.cseq().map_or(0, |cseq| cseq.number),
        online: true,
    }
}

/// The 200, which also sets the device's clock (GB/T 28181-2022 §9.10.3).
fn accepted(now: Now, desk: &mut Desk, incoming: &Incoming, expires: Duration) -> Response {
    let date = gb28181::time::local_millis(now.wall);
    versioned(desk, incoming, 200)
        .with_header("Date", date)
        .with_header("Expires", expires.as_secs().to_string())
}

/// Every answer to a REGISTER says which edition we speak (GB/T 28181-2022 annex I).
fn versioned(desk: &mut Desk, incoming: &Incoming, status: u16) -> Response {
    let response = desk.endpoint.answer(&incoming.request, status);
    match desk.config.style.gb_version.as_str() {
        "" => response,
        version => response.with_header("X-GB-Ver", version),
    }
}

fn refuse(now: Now, desk: &mut Desk, incoming: &Incoming, refusal: Refusal) {
    let Refusal {
        status,
        why,
        blame,
        header,
    } = refusal;
    let mut response = versioned(desk, incoming, status);
    if let Some((name, value)) = header {
        response = response.with_header(name, value);
    }
    desk.respond(now.mono, incoming, response);
    let device = incoming.request.headers.to().ok().and_then(|to| id_in(&to));
    if let Some(what) = blame {
        desk.object(device, incoming, what, why.as_str());
    }
    if status != 401 {
        desk.tell(Event::Refused {
            device,
            from: incoming.route.to,
            status,
            why,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, PASSWORD, Puppet, config};
    use super::super::{Config, Event, Passwords};
    use super::*;

    fn guarded() -> Config {
        Config {
            passwords: Passwords::shared(PASSWORD),
            ..config()
        }
    }

    fn is_registered(event: &Event) -> bool {
        matches!(event, Event::Registered { .. })
    }

    #[test]
    fn without_passwords_a_device_is_in_at_once_and_told_the_time() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1);
        let register = device.register("3600");
        let said = device.say(&mut bench, register);
        let headers = &said.response().headers;
        assert_eq!(said.response().status(), 200);
        assert_eq!(headers.value("Date"), Some("2024-05-17T14:07:33.263"));
        assert_eq!(headers.value("Expires"), Some("3600"));
        assert!(headers.value("Contact").unwrap().ends_with(";expires=3600"));
        assert!(said.told(is_registered));
        assert_eq!(said.complaints(), []);
        assert_eq!(bench.platform.devices(), 1);
    }

    #[test]
    fn every_answer_to_a_register_says_which_edition_the_platform_speaks() {
        let mut bench = Bench::new(guarded());
        let mut device = Puppet::new(1);
        let register = device.register("3600");
        let said = device.say(&mut bench, register);
        let asked = said.response();
        assert_eq!(asked.status(), 401);
        assert_eq!(asked.headers.value("X-GB-Ver"), Some("3.0"));
    }

    #[test]
    fn a_password_is_asked_for_with_and_without_qop() {
        for qop in [false, true] {
            let mut config = guarded();
            config.registration.qop = qop;
            let mut bench = Bench::new(config);
            let mut device = Puppet::new(1);
            let register = device.register("3600");
            let said = device.say(&mut bench, register);
            let challenge = said.response().headers.value("WWW-Authenticate").unwrap();
            assert_eq!(challenge.contains("qop=\"auth\""), qop);
            assert!(said.events.is_empty());
            let register = device.authorised(said.response(), PASSWORD);
            let said = device.say(&mut bench, register);
            assert_eq!(said.statuses(), [200]);
            assert!(said.told(is_registered));
        }
    }

    #[test]
    fn a_wrong_password_and_a_stranger_are_refused() {
        let mut config = guarded();
        config
            .passwords
            .own
            .insert(Puppet::new(2).id, "other".into());
        let mut bench = Bench::new(config.clone());
        for serial in [1, 2] {
            let mut device = Puppet::new(serial);
            let register = device.register("3600");
            let challenge = device.say(&mut bench, register);
            let wrong = if serial == 1 { "wrong" } else { PASSWORD };
            let register = device.authorised(challenge.response(), wrong);
            let said = device.say(&mut bench, register);
            assert_eq!(said.statuses(), [403]);
            assert!(said.told(|event| matches!(event, Event::Refused { status: 403, .. })));
        }
        config.passwords.shared = None;
        let mut bench = Bench::new(config);
        let mut stranger = Puppet::new(3);
        let register = stranger.register("3600");
        assert_eq!(stranger.say(&mut bench, register).statuses(), [403]);
        assert_eq!(bench.platform.devices(), 0);
    }

    #[test]
    fn an_old_nonce_is_stale_and_a_new_one_works() {
        let mut bench = Bench::new(guarded());
        let mut device = Puppet::new(1);
        let register = device.register("3600");
        let challenge = device.say(&mut bench, register);
        bench.pass(301.0);
        let register = device.authorised(challenge.response(), PASSWORD);
        let said = device.say(&mut bench, register);
        assert_eq!(said.statuses(), [401]);
        let again = said.response().headers.value("WWW-Authenticate").unwrap();
        assert!(again.contains("stale=true"), "{again}");
        let register = device.authorised(said.response(), PASSWORD);
        assert_eq!(device.say(&mut bench, register).statuses(), [200]);
    }

    #[test]
    fn a_short_lifetime_is_423_with_the_shortest_and_a_long_one_is_cut() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1);
        let register = device.register("30");
        let said = device.say(&mut bench, register);
        assert_eq!(said.statuses(), [423]);
        assert_eq!(said.response().headers.value("Min-Expires"), Some("60"));
        let register = device.register("999999");
        let said = device.say(&mut bench, register);
        assert_eq!(said.response().headers.value("Expires"), Some("86400"));
    }

    #[test]
    fn without_usable_expires_contact_or_code_it_is_400() {
        let mut bench = Bench::new(config());
        type Spoil = fn(&mut crate::sip::Request);
        let spoils: [(Deviation, Spoil); 5] = [
            (Deviation::NoExpires, |r| r.headers.remove("Expires")),
            (Deviation::NoExpires, |r| r.headers.set("Expires", "soon")),
            (Deviation::NoContact, |r| r.headers.remove("Contact")),
            (Deviation::NoContact, |r| r.headers.set("Contact", "*")),
            (Deviation::SenderId, |r| {
                r.headers.set("To", "<sip:camera@x>")
            }),
        ];
        let mut device = Puppet::new(1);
        for (what, spoil) in spoils {
            let mut register = device.register("3600");
            spoil(&mut register);
            let said = device.say(&mut bench, register);
            assert_eq!(said.statuses(), [400], "{what}");
            assert_eq!(said.complaints(), [what]);
        }
        assert_eq!(bench.platform.devices(), 0);
    }

    #[test]
    fn a_refresh_keeps_the_device_and_cseq_must_rise() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1);
        let old = device.register("3600");
        let register = device.register("3600");
        device.say(&mut bench, register);
        bench.pass(100.0);
        let register = device.register("3600");
        let said = device.say(&mut bench, register);
        assert!(said.told(|event| matches!(event, Event::Registered { refresh: true, .. })));
        let said = device.say(&mut bench, old);
        assert_eq!(said.statuses(), [500]);
        assert_eq!(said.complaints(), [Deviation::CseqOrder]);
        assert_eq!(bench.platform.devices(), 1);
    }

    #[test]
    fn expires_0_unregisters() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1).registered(&mut bench);
        let register = device.register("0");
        let said = device.say(&mut bench, register);
        assert_eq!(said.statuses(), [200]);
        assert!(said.told(|event| matches!(event, Event::Unregistered { .. })));
        assert_eq!(bench.platform.devices(), 0);
        assert!(bench.pass(100_000.0).events.is_empty());
    }

    #[test]
    fn beyond_its_capacity_a_platform_registers_nobody_else() {
        let mut config = config();
        config.capacity = 2;
        let mut bench = Bench::new(config);
        let mut first = Puppet::new(1).registered(&mut bench);
        Puppet::new(2).registered(&mut bench);
        let mut third = Puppet::new(3);
        let register = third.register("3600");
        assert_eq!(third.say(&mut bench, register).statuses(), [503]);
        let register = first.register("3600");
        assert_eq!(first.say(&mut bench, register).statuses(), [200]);
    }
}
