//! Requests of the platform: who may ask, and who in the camera answers (RFC 3261 §8.2).

use crate::sip::{Method, Request, TransactionId};
use crate::time::Now;

use super::calls::Incoming;
use super::{Camera, Power};

/// The methods a device takes (GB/T 28181-2022 §9.2.3, RFC 3261 §20.5).
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, MESSAGE, SUBSCRIBE";
/// The bodies it understands.
const ACCEPT: &str = "application/sdp, Application/MANSCDP+xml, Application/MANSRTSP";

impl Camera {
    pub(super) fn request(&mut self, now: Now, incoming: Incoming) {
        let Incoming {
            transaction,
            from,
            request,
            ..
        } = &incoming;
        let line = &mut self.line;
        let platforms = [&line.platform, &line.config.platform];
        let is_platform = platforms.iter().any(|p| p.address.ip() == from.ip());
        if !line.config.accept.allows(from.ip(), is_platform) {
            tracing::debug!(%from, "a request from a stranger");
            return line.reply(now.mono, *transaction, request, 403);
        }
        let by_its_clock = self.messages.by_its_clock(now);
        match request.method() {
            Method::Invite if self.power == Power::On => {
                self.calls.invite(by_its_clock, line, incoming)
            }
            Method::Invite => line.reply(now.mono, *transaction, request, 480),
            Method::Bye if self.messages.voice.bye(now, line, &incoming) => {}
            Method::Bye => self.calls.bye(now, line, &incoming),
            Method::Info => self.calls.info(now, line, &incoming),
            Method::Message => {
                let rest = (&self.calls, &self.notices);
                self.messages.receive(now, line, rest, incoming);
                if std::mem::take(&mut self.messages.controls.boot) {
                    self.reboot(now);
                }
            }
            Method::Subscribe if self.power == Power::On => {
                self.notices
                    .subscribe(by_its_clock, line, &self.calls, &incoming);
            }
            Method::Subscribe => line.reply(now.mono, *transaction, request, 480),
            Method::Options => self.options(now, *transaction, request),
            _ => {
                let refusal = line.endpoint.answer(request, 405);
                line.respond(now.mono, *transaction, refusal.with_header("Allow", ALLOW));
            }
        }
    }

    /// OPTIONS (RFC 3261 §11): some platforms use it as a ping.
    fn options(&mut self, now: Now, transaction: TransactionId, request: &Request) {
        let line = &mut self.line;
        let contact = line.contact(&line.config.device);
        let response = line
            .endpoint
            .answer(request, 200)
            .with_header("Contact", contact)
            .with_header("Allow", ALLOW)
            .with_header("Accept", ACCEPT);
        line.respond(now.mono, transaction, response);
    }
}
