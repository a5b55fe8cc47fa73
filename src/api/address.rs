//! Addresses as people type them, and which of our own fits.

use std::net::{IpAddr, SocketAddr};

use super::error::Error;
use crate::camera::PlatformAddress;
use crate::net;
use crate::sip::Transport;

/// The port of SIP (RFC 3261 §19.1.2).
const SIP_PORT: u16 = 5060;

/// Reads `sip:ID@HOST:PORT` (the scheme and the port may be left out) and looks the host up. The
/// domain is the first ten digits of the ID.
pub async fn resolve(text: &str) -> Result<PlatformAddress, Error> {
    let wrong = |why: String| Error::Address {
        text: text.to_owned(),
        why,
    };
    let rest = text.trim();
    let rest = rest.strip_prefix("sip:").unwrap_or(rest);
    let rest = rest.split(';').next().unwrap_or(rest);
    let Some((id, host)) = rest.split_once('@') else {
        return Err(wrong("there is no @ between ID and host".to_owned()));
    };
    let id: crate::gb28181::DeviceId = id.parse().map_err(|e| wrong(format!("{e}")))?;
    let address = look_up(host).await.map_err(wrong)?;
    Ok(PlatformAddress {
        id,
        domain: id.domain10().to_owned(),
        address,
    })
}

async fn look_up(host: &str) -> Result<SocketAddr, String> {
    let (name, port) = split(host)?;
    if name.is_empty() {
        return Err("the host is missing".to_owned());
    }
    look_up_name(name, port).await
}

/// The address of a host that is known by name or by address.
pub(super) async fn look_up_host(name: &str, port: u16) -> Result<SocketAddr, Error> {
    let found = look_up_name(name, port).await;
    found.map_err(|why| Error::Setting {
        what: "the platform's address",
        why,
    })
}

async fn look_up_name(name: &str, port: u16) -> Result<SocketAddr, String> {
    if let Ok(ip) = name.parse::<IpAddr>() {
        return Ok(SocketAddr::new(ip, port));
    }
    let found = tokio::net::lookup_host((name, port)).await;
    let mut found = found.map_err(|e| format!("host {name} is not known ({e})"))?;
    found
        .next()
        .ok_or_else(|| format!("host {name} has no address"))
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`.
fn split(host: &str) -> Result<(&str, u16), String> {
    let number = |port: &str| match port.parse() {
        Ok(0) | Err(_) => Err(format!("{port:?} is no port from 1 to 65535")),
        Ok(port) => Ok(port),
    };
    if let Some((name, rest)) = host.strip_prefix('[').and_then(|h| h.split_once(']')) {
        return match rest.strip_prefix(':') {
            Some(port) => Ok((name, number(port)?)),
            None if rest.is_empty() => Ok((name, SIP_PORT)),
            None => Err(format!("{rest:?} stands behind the host")),
        };
    }
    match host.rsplit_once(':') {
        Some((name, _)) if name.contains(':') => Ok((host, SIP_PORT)),
        Some((name, port)) => Ok((name, number(port)?)),
        None => Ok((host, SIP_PORT)),
    }
}

/// Whether an address can be bound: an error now rather than silent attempts later.
pub(super) fn check_free(transport: Transport, address: SocketAddr) -> Result<(), Error> {
    net::address::check_free(transport, address).map_err(|error| Error::Bind {
        transport,
        address,
        why: error.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_read_as_people_write_it() {
        for (text, address) in [
            ("sip:34020000002000000001@192.0.2.1:5061", "192.0.2.1:5061"),
            ("34020000002000000001@192.0.2.1", "192.0.2.1:5060"),
            (
                "sip:34020000002000000001@[2001:db8::1]:5062",
                "[2001:db8::1]:5062",
            ),
            ("sip:34020000002000000001@2001:db8::1", "[2001:db8::1]:5060"),
            (
                "sip:34020000002000000001@192.0.2.1:5060;transport=tcp",
                "192.0.2.1:5060",
            ),
        ] {
            let platform = resolve(text).await.unwrap();
            assert_eq!(platform.address, address.parse().unwrap(), "{text}");
            assert_eq!(platform.domain, "3402000000");
        }
        let named = resolve("sip:34020000002000000001@localhost:5060")
            .await
            .unwrap();
        assert!(named.address.ip().is_loopback());
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_answered_with_how_to_write_one() {
        for (text, why) in [
            ("192.0.2.1:5060", "no @"),
            ("sip:3402000000200000001@192.0.2.1", "20 digits"),
            ("sip:34020000002000000001@", "host is missing"),
            ("sip:34020000002000000001@192.0.2.1:sip", "no port"),
            ("sip:34020000002000000001@192.0.2.1:0", "no port"),
            ("sip:34020000002000000001@nowhere.invalid", "not known"),
        ] {
            let error = resolve(text).await.unwrap_err().to_string();
            assert!(
                error.contains(why) && error.contains("sip:ID@HOST:PORT"),
                "{error}"
            );
            assert!(error.contains(text), "{error}");
        }
    }

    #[test]
    fn the_address_that_faces_loopback_is_loopback() {
        assert!(net::address::facing("127.0.0.1:5060".parse().unwrap()).is_loopback());
    }

    #[test]
    fn a_busy_port_is_named() {
        let held = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let busy = held.local_addr().unwrap();
        let error = check_free(Transport::Udp, busy).unwrap_err().to_string();
        assert!(
            error.contains(&busy.to_string()) && error.contains("Port 0"),
            "{error}"
        );
        drop(held);
        assert!(check_free(Transport::Udp, busy).is_ok());
    }
}
