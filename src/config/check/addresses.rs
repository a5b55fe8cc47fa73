//! `[addresses]`: whether there are enough for everybody.

use std::net::IpAddr;
use std::ops::Range;

use crate::config::address::{Addresses, IpRange, PortRange};
use crate::config::plan::Plan;
use crate::config::problem::Problems;
use crate::config::schema::{AddressesTable, ModeName, TextKey};
use crate::sip::Transport;

/// The port of SIP (RFC 3261 §19.1.2): with an address of its own a camera has it, as real ones.
const SIP_PORT: u16 = 5060;

pub(super) fn plan(table: &AddressesTable, plan: &mut Plan, problems: &mut Problems<'_>) {
    let mode = super::copied(&table.mode).unwrap_or_default();
    plan.addresses = match mode {
        ModeName::SharedSocket => Addresses::SharedSocket {
            ip: single(&table.ip, problems),
            port: only_port(&table.ports, 0, problems),
        },
        ModeName::OwnPort => Addresses::OwnPort {
            ip: single(&table.ip, problems),
            ports: enough_ports(&table.ports, plan, problems),
        },
        ModeName::OwnIp => own_ip(table, plan, problems),
    };
    plan.media_ip = media_ip(table, mode, problems);
    for key in [&table.ip, &table.media_ip] {
        same_family(key, plan, problems);
    }
}

fn own_ip(table: &AddressesTable, plan: &Plan, problems: &mut Problems<'_>) -> Addresses {
    let port = only_port(&table.ports, SIP_PORT, problems);
    let Some((ips, span)) = value(&table.ip) else {
        let span = table.mode.as_ref().map(|mode| mode.span());
        problems.at(
            span.unwrap_or_default(),
            "an address per camera needs the addresses: write ip = \"10.1.0.1-10.1.39.254\" \
             (or a network, \"10.1.0.0/16\") with addresses this machine has",
        );
        return Addresses::SharedSocket { ip: None, port };
    };
    let (has, needs) = (ips.count(), plan.fleet());
    if has < needs {
        let why = format!(
            "{ips} has room for {has} of {needs} cameras; widen the range by {}, or share: mode = \"own-port\"",
            needs - has
        );
        problems.at(span, why);
    }
    Addresses::OwnIp { ips, port }
}

fn enough_ports(
    key: &TextKey<PortRange>,
    plan: &Plan,
    problems: &mut Problems<'_>,
) -> Option<PortRange> {
    let (ports, span) = value(key)?;
    let (has, needs) = (ports.count(), plan.signalling(Transport::Udp));
    if has < needs {
        let why = format!(
            "{ports} has room for {has} of {needs} cameras; widen the range by {}, leave it out for any free \
             ports, or share one: mode = \"shared-socket\"",
            needs - has
        );
        problems.at(span, why);
    }
    Some(ports)
}

fn media_ip(table: &AddressesTable, mode: ModeName, problems: &mut Problems<'_>) -> Option<IpAddr> {
    if let (Some(key), ModeName::OwnIp) = (&table.media_ip, mode) {
        let why = "with an address per camera, media has that address too; leave media-ip out";
        problems.at(key.span(), why);
    }
    single(&table.media_ip, problems)
}

fn single(key: &TextKey<IpRange>, problems: &mut Problems<'_>) -> Option<IpAddr> {
    let (ips, span) = value(key)?;
    if ips.single().is_none() {
        let why = format!(
            "{ips} are {} addresses where one is used; write one, or mode = \"own-ip\" for one per camera",
            ips.count()
        );
        problems.at(span, why);
    }
    Some(ips.first())
}

fn only_port(key: &TextKey<PortRange>, default: u16, problems: &mut Problems<'_>) -> u16 {
    let Some((ports, span)) = value(key) else {
        return default;
    };
    if ports.count() > 1 {
        let why = format!(
            "{ports} are {} ports where all cameras use the same; write one, or mode = \"own-port\" for one per camera",
            ports.count()
        );
        problems.at(span, why);
    }
    ports.first()
}

fn same_family(key: &TextKey<IpRange>, plan: &Plan, problems: &mut Problems<'_>) {
    let (Some((ips, span)), Ok(platform)) = (value(key), plan.platform.host.parse::<IpAddr>())
    else {
        return;
    };
    if ips.first().is_ipv4() != platform.is_ipv4() {
        let why =
            format!("{ips} cannot reach the platform at {platform}: one is IPv4, the other IPv6");
        problems.at(span, why);
    }
}

fn value<T: Copy>(key: &TextKey<T>) -> Option<(T, Range<usize>)> {
    let key = key.as_ref()?;
    Some((key.get_ref().0, key.span()))
}
