//! Who is there: keepalives, silence, the end of registrations (GB/T 28181-2022 §9.6).
//!
//! ```text
//!              REGISTER 200                 silence
//!  unknown ────────────────▶ on-line ──────────────────▶ off-line
//!     ▲                        ▲  Keepalive                 │ │
//!     │                        └────────────────────────────┘ │
//!     └──── Expires over, Expires: 0, connection closed ──────┘
//! ```

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::Incoming as Document;
use crate::sip::FlowId;
use crate::time::Now;

use super::complaint::Deviation;
use super::desk::{Desk, Incoming, Timer};
use super::devices::Devices;
use super::event::{Absence, Event};

/// A device was heard and is not missed for as long as the heartbeat allows.
pub(super) fn expect(now: Now, desk: &mut Desk, device: DeviceId) {
    let patience = desk.config.heartbeat.patience();
    desk.timers.set(Timer::Silence(device), now.mono + patience);
}

/// A Keepalive of a registered device. It moves the device to where it came from, as an address
/// behind a NAT moves.
pub(super) fn kept(
    now: Now,
    desk: &mut Desk,
    devices: &mut Devices,
    device: DeviceId,
    incoming: &Incoming,
    document: &Document,
) {
    let status = document.body.text_of("Status");
    if !matches!(status, Some("OK" | "ERROR")) {
        let detail = status.unwrap_or_default();
        desk.object(Some(device), incoming, Deviation::KeepaliveStatus, detail);
    }
    let was_online = devices.online(&device).is_some();
    devices.heard(&device, incoming.route);
    devices.set_online(&device, true);
    expect(now, desk, device);
    if !was_online {
        desk.tell(Event::Back { device });
    }
    let healthy = status == Some("OK");
    desk.tell(Event::Kept { device, healthy });
}

/// A device has been silent for too long. It stays registered.
pub(super) fn silent(desk: &mut Desk, devices: &mut Devices, device: DeviceId) {
    devices.set_online(&device, false);
    let why = Absence::Silent;
    desk.tell(Event::Offline { device, why });
}

/// A registration was not refreshed.
pub(super) fn expired(desk: &mut Desk, devices: &mut Devices, device: DeviceId) {
    forget(desk, devices, device);
    let why = Absence::Expired;
    desk.tell(Event::Offline { device, why });
}

/// A connection is gone, and with it everybody who registered over it (GB/T 28181-2022 §9.1.1 f).
/// Who that was.
pub(super) fn disconnected(desk: &mut Desk, devices: &mut Devices, flow: FlowId) -> Vec<DeviceId> {
    let gone = devices.remove_flow(flow);
    for device in &gone {
        cancel_timers(desk, *device);
        desk.tell(Event::Offline {
            device: *device,
            why: Absence::Disconnected,
        });
    }
    gone.into_iter().collect()
}

/// A device is not registered any more.
pub(super) fn forget(desk: &mut Desk, devices: &mut Devices, device: DeviceId) {
    devices.remove(&device);
    cancel_timers(desk, device);
}

fn cancel_timers(desk: &mut Desk, device: DeviceId) {
    desk.timers.cancel(&Timer::Expiry(device));
    desk.timers.cancel(&Timer::Silence(device));
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, Puppet, config};
    use super::super::{Absence, Deviation, Event};

    fn offline(event: &Event, wanted: Absence) -> bool {
        matches!(event, Event::Offline { why, .. } if *why == wanted)
    }

    #[test]
    fn a_silent_device_is_off_line_and_a_keepalive_brings_it_back() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1).registered(&mut bench);
        assert!(bench.pass(179.0).events.is_empty());
        let keepalive = device.keepalive();
        let said = device.say(&mut bench, keepalive);
        assert_eq!(said.statuses(), [200]);
        assert!(said.told(|event| matches!(event, Event::Kept { healthy: true, .. })));
        assert_eq!(said.complaints(), []);
        assert!(bench.pass(179.0).events.is_empty());
        assert!(
            bench
                .pass(1.0)
                .told(|event| offline(event, Absence::Silent))
        );
        let keepalive = device.keepalive();
        let said = device.say(&mut bench, keepalive);
        assert!(said.told(|event| matches!(event, Event::Back { .. })));
        assert_eq!(bench.platform.devices(), 1);
    }

    #[test]
    fn a_registration_that_is_not_refreshed_ends_in_spite_of_keepalives() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1);
        let register = device.register("100");
        device.say(&mut bench, register);
        bench.pass(60.0);
        let keepalive = device.keepalive();
        device.say(&mut bench, keepalive);
        assert!(
            bench
                .pass(40.0)
                .told(|event| offline(event, Absence::Expired))
        );
        let keepalive = device.keepalive();
        let said = device.say(&mut bench, keepalive);
        assert_eq!(said.statuses(), [403]);
        assert_eq!(said.complaints(), [Deviation::NotRegistered]);
    }

    #[test]
    fn a_keepalive_moves_a_device_to_where_it_came_from() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1).registered(&mut bench);
        device.at = "192.0.2.1:6060".parse().unwrap();
        let keepalive = device.keepalive();
        device.say(&mut bench, keepalive);
        let said = bench.ask(&device, super::super::Query::DeviceInfo, 1);
        assert_eq!(said.sent[0].1, device.at);
    }

    #[test]
    fn a_keepalive_that_is_not_well_or_not_well_formed_is_noticed() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1).registered(&mut bench);
        let mut keep = |rest: &str, sn: &str| {
            let body = format!(
                "<Notify><CmdType>Keepalive</CmdType><SN>{sn}</SN>\
                 <DeviceID>34020000001320000001</DeviceID>{rest}</Notify>"
            );
            let message = device.message(body);
            device.say(&mut bench, message)
        };
        let said = keep("<Status>ERROR</Status>", "1");
        assert!(said.told(|event| matches!(event, Event::Kept { healthy: false, .. })));
        assert_eq!(said.complaints(), []);
        assert_eq!(keep("", "1").complaints(), [Deviation::KeepaliveStatus]);
        assert_eq!(
            keep("<Status>OK</Status>", "0").complaints(),
            [Deviation::SerialNumber]
        );
        let other = device.id.with_serial(9);
        let text = String::from_utf8(device.keepalive().body.to_vec()).unwrap();
        let message = device.message(text.replace(device.id.as_str(), other.as_str()));
        assert_eq!(
            device.say(&mut bench, message).complaints(),
            [Deviation::BodyDeviceId]
        );
    }

    #[test]
    fn two_devices_on_one_listener_are_reached_on_their_own_connections() {
        let mut bench = Bench::new(config());
        let flows = [
            bench.accept(1, "192.0.2.1:40001"),
            bench.accept(2, "192.0.2.2:40002"),
        ];
        let first = Puppet::new(1)
            .on(flows[0], "192.0.2.1:40001")
            .registered(&mut bench);
        let second = Puppet::new(2)
            .on(flows[1], "192.0.2.2:40002")
            .registered(&mut bench);
        for (device, flow) in [(&first, flows[0]), (&second, flows[1])] {
            let said = bench.ask(device, super::super::Query::DeviceInfo, 1);
            assert_eq!((said.sent[0].0, said.sent[0].1), (flow, device.at));
        }
        let gone = bench.handle(crate::node::Input::Closed {
            flow: flows[0],
            why: "reset".into(),
        });
        assert!(gone.told(|event| offline(event, Absence::Disconnected)));
        assert_eq!(bench.platform.devices(), 1);
        assert!(
            bench
                .ask(&second, super::super::Query::DeviceInfo, 2)
                .sent
                .len()
                == 1
        );
    }
}
