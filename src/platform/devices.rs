//! Who is registered, and how each of them is reached.

use std::collections::{BTreeSet, HashMap};

use crate::gb28181::DeviceId;
use crate::sip::{FlowId, NameAddr, Request, Uri};

use super::desk::Route;

/// One registered device (a binding of RFC 3261 §10.3).
#[derive(Clone, Debug)]
pub(super) struct Device {
    /// Where its last REGISTER or Keepalive came from; requests to it go there.
    pub route: Route,
    /// `host:port` of its Contact, for the URIs of requests to it.
    pub host: String,
    /// The Call-ID of its registration.
    pub call_id: String,
    /// The last CSeq number under that Call-ID.
    pub cseq: u32,
    /// Set while it is not silent for too long.
    pub online: bool,
}

/// All registered devices, with an index by connection. Everything costs the same however many
/// there are.
#[derive(Default)]
pub(super) struct Devices {
    known: HashMap<DeviceId, Device>,
    by_flow: HashMap<FlowId, BTreeSet<DeviceId>>,
}

impl Devices {
    pub fn len(&self) -> usize {
        self.known.len()
    }

    pub fn device(&self, id: &DeviceId) -> Option<&Device> {
        self.known.get(id)
    }

    /// A device that is there now.
    pub fn online(&self, id: &DeviceId) -> Option<&Device> {
        self.known.get(id).filter(|device| device.online)
    }

    pub fn set_online(&mut self, id: &DeviceId, online: bool) {
        if let Some(device) = self.known.get_mut(id) {
            device.online = online;
        }
    }

    /// Puts a device in, or replaces what was known of it. `true`: it was known.
    pub fn bind(&mut self, id: DeviceId, device: Device) -> bool {
        let flow = device.route.flow;
        let before = self.known.insert(id, device);
        if let Some(before) = &before {
            self.unlist(before.route.flow, &id);
        }
        self.by_flow.entry(flow).or_default().insert(id);
        before.is_some()
    }

    /// A Keepalive came by `route`: the device is reached there from now on.
    pub fn heard(&mut self, id: &DeviceId, route: Route) {
        let Some(device) = self.known.get_mut(id) else {
            return;
        };
        let before = std::mem::replace(&mut device.route, route).flow;
        if before != route.flow {
            self.unlist(before, id);
            self.by_flow.entry(route.flow).or_default().insert(*id);
        }
    }

    /// Forgets a device.
    pub fn remove(&mut self, id: &DeviceId) -> Option<Device> {
        let device = self.known.remove(id)?;
        self.unlist(device.route.flow, id);
        Some(device)
    }

    /// Forgets every device that was reached by a flow.
    pub fn remove_flow(&mut self, flow: FlowId) -> BTreeSet<DeviceId> {
        let gone = self.by_flow.remove(&flow).unwrap_or_default();
        for id in &gone {
            self.known.remove(id);
        }
        gone
    }

    fn unlist(&mut self, flow: FlowId, id: &DeviceId) {
        if let Some(ids) = self.by_flow.get_mut(&flow) {
            ids.remove(id);
            if ids.is_empty() {
                self.by_flow.remove(&flow);
            }
        }
    }
}

/// The device that a request says it comes from.
pub(super) fn sender(request: &Request) -> Option<DeviceId> {
    id_in(&request.headers.from().ok()?)
}

/// The 20-digit code in an address.
pub(super) fn id_in(address: &NameAddr) -> Option<DeviceId> {
    address.user()?.parse().ok()
}

/// `host:port` of an address, as URIs write it.
pub(super) fn host_of(uri: &Uri) -> Option<String> {
    let host = uri.host()?;
    let host = match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    Some(match uri.port() {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(flow: u32) -> Device {
        Device {
            route: Route {
                flow: FlowId(flow),
                to: "192.0.2.1:5060".parse().unwrap(),
            },
            host: "192.0.2.1:5060".into(),
            call_id: "1".into(),
            cseq: 1,
            online: true,
        }
    }

    #[test]
    fn devices_leave_with_the_connection_they_are_on_and_only_those() {
        let ids = [1, 2, 3].map(|n| {
            let id: DeviceId = "34020000001320000000".parse().unwrap();
            id.with_serial(n)
        });
        let mut devices = Devices::default();
        assert!(!devices.bind(ids[0], at(7)));
        assert!(!devices.bind(ids[1], at(7)));
        assert!(!devices.bind(ids[2], at(8)));
        assert!(devices.bind(ids[1], at(8)));
        assert_eq!(devices.remove_flow(FlowId(7)), BTreeSet::from([ids[0]]));
        devices.heard(&ids[1], at(9).route);
        assert_eq!(devices.remove_flow(FlowId(8)), BTreeSet::from([ids[2]]));
        assert_eq!(devices.len(), 1);
        assert!(devices.remove(&ids[1]).is_some());
        assert!(devices.by_flow.is_empty());
    }

    #[test]
    fn the_host_of_a_contact_keeps_its_port_and_its_brackets() {
        let host = |uri: &str| host_of(&Uri::new(uri));
        assert_eq!(
            host("sip:1@192.0.2.1:5061").as_deref(),
            Some("192.0.2.1:5061")
        );
        assert_eq!(
            host("sip:1@[2001:db8::1]:5061").as_deref(),
            Some("[2001:db8::1]:5061")
        );
        assert_eq!(host("sip:1@cam").as_deref(), Some("cam"));
        assert_eq!(host("*").as_deref(), Some("*"));
    }
}
