//! Judging an INVITE: which channel, which terms, or which refusal
//! (GB/T 28181-2022 §9.2, annexes D, G and L; RFC 3261 §13.3.1).

use std::net::SocketAddr;

use crate::gb28181::sdp::{Kind, Offer, SdpError, Session, Transport};
use crate::gb28181::{Ssrc, Subject};
use crate::media::MediaTransport;
use crate::sip::Request;

use super::call::Terms;
use super::config::{Channel, Config};
use super::talk;

/// The only body an INVITE may have.
const SDP: &str = "application/sdp";

/// Octets of the longest offer taken: real ones have some hundred, and a call remembers its own.
const MAX_OFFER: usize = 8 * 1024;

/// Why an INVITE is refused: a status and the words for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    pub why: String,
    /// What we would have understood, for 415.
    pub accept: Option<&'static str>,
    /// After how many seconds to try again, for 500.
    pub retry_after: Option<u32>,
}

impl Refusal {
    pub fn new(status: u16, why: impl Into<String>) -> Self {
        Refusal {
            status,
            why: why.into(),
            accept: None,
            retry_after: None,
        }
    }
}

/// The channel an INVITE is for: by the user part of the R-URI, else of To. Hosts do not count. A
/// channel named by either comes before the device, which stands for its first.
pub(super) fn channel<'c>(config: &'c Config, request: &Request) -> Result<&'c Channel, Refusal> {
    let to = request.headers.to().ok();
    let named = [request.uri_user(), to.as_ref().and_then(|to| to.user())];
    let users = || named.into_iter().flatten();
    let by_channel =
        users().find_map(|user| config.channels.iter().find(|c| c.id.as_str() == user));
    let by_device = || users().find_map(|user| config.channel(user));
    by_channel.or_else(by_device).ok_or_else(|| {
        let asked = request.uri_user().unwrap_or_default();
        Refusal::new(404, format!("no channel {asked}"))
    })
}

/// What the offer asks for, if we can grant it. `spare` is the SSRC we choose when it names none.
pub(super) fn terms(config: &Config, request: &Request, spare: Ssrc) -> Result<Terms, Refusal> {
    let offer = offer(request)?;
    let payload = match offer.session {
        Session::Talk => talk::payload(config, &offer),
        _ => picture(&offer),
    };
    let payload = payload.map_err(|why| Refusal::new(488, why))?;
    let transport = transport(&offer);
    Ok(Terms {
        transport,
        payload,
        remote: SocketAddr::new(offer.connection, offer.port),
        ssrc: offer.ssrc.clone().unwrap_or(spare),
        offer,
    })
}

/// The payload type of what a picture comes in, or why it cannot come.
fn picture(offer: &Offer) -> Result<u8, &'static str> {
    if offer.kind != Kind::Video {
        return Err("the offer is not for video");
    }
    let payload = offer.ps_payload().filter(|number| *number < 128);
    payload.ok_or("the offer has no program stream")
}

fn offer(request: &Request) -> Result<Offer, Refusal> {
    if request.body.is_empty() {
        return Err(Refusal::new(488, "an INVITE without an offer"));
    }
    if request.body.len() > MAX_OFFER {
        return Err(Refusal::new(413, "an offer of many times the usual size"));
    }
    let typed = request.headers.content_type();
    if let Some(other) = typed.filter(|_| !request.headers.is_content_type(SDP)) {
        return Err(Refusal {
            accept: Some(SDP),
            ..Refusal::new(415, format!("a body of type {other}"))
        });
    }
    Offer::parse(&request.body).map_err(|error| {
        let status = match error {
            SdpError::NoMedia | SdpError::NoPort => 488,
            _ => 400,
        };
        Refusal::new(status, error.to_string())
    })
}

fn transport(offer: &Offer) -> MediaTransport {
    match offer.device_transport() {
        Transport::Udp => MediaTransport::Udp,
        Transport::TcpActive => MediaTransport::TcpActive,
        Transport::TcpPassive => MediaTransport::TcpPassive,
    }
}

/// The INVITE's Subject. One that cannot be read is no reason to refuse.
pub(super) fn subject(request: &Request) -> Option<Subject> {
    request.headers.value("Subject").map(Subject::parse)
}
