//! What an answer to REGISTER says: for how long, from when on, and where instead
//! (RFC 3261 §10.2.4 and §21, GB/T 28181-2022 §9.1 and §9.10).

use std::time::Duration;

use crate::gb28181::{self, DeviceId};
use crate::sip::Response;
use crate::time::Now;

use super::config::PlatformAddress;
use super::line::socket_addr;

/// The longest `Retry-After` that is honoured.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// When to refresh: before the end by 30 s or a tenth, whichever is more; half-way through a
/// lifetime too short for that.
pub(super) fn refresh_after(lifetime: Duration) -> Duration {
    let margin = (lifetime / 10).max(Duration::from_secs(30));
    lifetime
        .checked_sub(margin)
        .unwrap_or_default()
        .max(lifetime / 2)
}

/// The lifetime a 200 grants: Expires, else our own Contact's `expires` (RFC 3261 §10.2.4).
pub(super) fn granted(response: &Response, device: &DeviceId) -> Option<Duration> {
    seconds(response.headers.value("Expires")).or_else(|| {
        response.headers.routes("Contact").find_map(|contact| {
            let ours = contact.user() == Some(device.as_str());
            seconds(contact.params.value("expires").filter(|_| ours))
        })
    })
}

pub(super) fn seconds(value: Option<&str>) -> Option<Duration> {
    let number: u32 = value?.trim().parse().ok()?;
    Some(Duration::from_secs(number.into()))
}

/// `Retry-After: 120 (busy);duration=60`: its first number.
pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    let value = response.headers.value("Retry-After")?;
    let digits = value.split(|c: char| !c.is_ascii_digit()).next();
    seconds(digits).map(|after| after.min(MAX_RETRY_AFTER))
}

pub(super) fn redirect_target(response: &Response) -> Option<PlatformAddress> {
    let contact = response.headers.contact().ok()?;
    let id: DeviceId = contact.user()?.parse().ok()?;
    Some(PlatformAddress {
        id,
        domain: id.domain10().to_owned(),
        address: socket_addr(&contact.uri)?,
    })
}

/// The device's clock as the platform sets it (GB/T 28181-2022 §9.10): how far its wall time lies
/// from ours, in microseconds.
pub(super) fn clock_offset(now: Now, response: &Response) -> Option<i64> {
    let date = gb28181::time::parse_sip_date(response.headers.value("Date")?)?;
    Some(date.as_micros() - now.wall.as_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_lifetime_is_refreshed_a_tenth_before_its_end_and_a_short_one_half_way() {
        let after = |s| refresh_after(Duration::from_secs(s)).as_secs();
        assert_eq!(after(3600), 3240);
        assert_eq!(after(200), 170);
        assert_eq!(after(60), 30);
        assert_eq!(after(20), 10);
    }
}
