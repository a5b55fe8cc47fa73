//! MESSAGE of a device: keepalives, answers, news (GB/T 28181-2022 §9.3-§9.6, annex A).

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{Incoming as Document, Outcome, Root};
use crate::time::Now;

use super::calls::Calls;
use super::complaint::Deviation;
use super::desk::{Desk, Incoming, MANSCDP};
use super::devices::{Devices, sender};
use super::event::Event;
use super::orders;
use super::presence;
use super::queries::Queries;
use super::speeches::Speeches;
use super::subscriptions;

/// Takes a MESSAGE: the SIP answer first, then what it means.
pub(super) fn receive(
    now: Now,
    desk: &mut Desk,
    devices: &mut Devices,
    queries: &mut Queries,
    calls: &mut Calls,
    speeches: &mut Speeches,
    incoming: &Incoming,
) {
    let in_call = calls.with_call_id(&incoming.request);
    let device = in_call.or_else(|| sender(&incoming.request));
    let Some(device) = known(now, desk, devices, device, incoming) else {
        return;
    };
    let Some(document) = read(now, desk, device, incoming) else {
        return;
    };
    if incoming
        .request
        .headers
        .to()
        .is_ok_and(|to| to.tag().is_some())
        && in_call.is_none()
    {
        desk.object(
            Some(device),
            incoming,
            Deviation::NoDialog,
            "MESSAGE with a To tag",
        );
    }
    check(desk, device, in_call.is_some(), incoming, &document);
    match (document.root, document.cmd_type.as_str()) {
        (Root::Notify, "Keepalive") => {
            presence::kept(now, desk, devices, device, incoming, &document);
            calls.moved(&device, incoming.route);
        }
        (Root::Notify, "MediaStatus") => calls.media_status(now, desk, &incoming.request),
        (Root::Notify, cmd_type) => {
            if orders::take_word(desk, device, incoming, &document) {
                return;
            }
            if let Some(notice) = subscriptions::notice(&document) {
                return desk.tell(Event::Notice { device, notice });
            }
            let cmd_type = cmd_type.to_owned();
            desk.tell(Event::Notified { device, cmd_type });
        }
        (Root::Response, "Broadcast") => {
            queries.response(now, desk, device, incoming, &document);
            if document.result() != Some(Outcome::Ok) {
                speeches.declined(now, desk, &device, &document.device_id);
            }
        }
        (Root::Response, _) => queries.response(now, desk, device, incoming, &document),
        (Root::Query | Root::Control, cmd_type) => {
            let detail = format!("{} {cmd_type}", document.root.as_str());
            desk.object(Some(device), incoming, Deviation::Root, detail);
        }
    }
}

/// The registered device that speaks; anybody else is told 403 and has to register first.
fn known(
    now: Now,
    desk: &mut Desk,
    devices: &Devices,
    device: Option<DeviceId>,
    incoming: &Incoming,
) -> Option<DeviceId> {
    let registered = device.filter(|id| devices.device(id).is_some());
    if registered.is_none() {
        let what = match device {
            Some(_) => Deviation::NotRegistered,
            None => Deviation::SenderId,
        };
        let from = incoming.request.headers.value("From").unwrap_or_default();
        desk.reply(now.mono, incoming, 403);
        desk.object(device, incoming, what, from);
    }
    registered
}

/// The body of a MESSAGE, which is answered: 415 and 400 for what is no MANSCDP, else 200.
fn read(now: Now, desk: &mut Desk, device: DeviceId, incoming: &Incoming) -> Option<Document> {
    let request = &incoming.request;
    if !request.headers.is_content_type(MANSCDP) {
        let ours = request.headers.content_type().unwrap_or("none");
        let response = desk
            .endpoint
            .answer(request, 415)
            .with_header("Accept", MANSCDP);
        desk.respond(now.mono, incoming, response);
        desk.object(Some(device), incoming, Deviation::ContentType, ours);
        return None;
    }
    match Document::parse(&request.body) {
        Ok(document) => {
            let platform_word = matches!(document.root, Root::Query | Root::Control);
            desk.reply(now.mono, incoming, if platform_word { 400 } else { 200 });
            Some(document)
        }
        Err(error) => {
            desk.reply(now.mono, incoming, 400);
            desk.object(
                Some(device),
                incoming,
                Deviation::Manscdp,
                error.to_string(),
            );
            None
        }
    }
}

/// What every MANSCDP message must have. Only a Keepalive must name the device itself: the rest
/// may come from a channel or an alarm input.
fn check(
    desk: &mut Desk,
    device: DeviceId,
    in_call: bool,
    incoming: &Incoming,
    document: &Document,
) {
    if !document.sn.parse::<u32>().is_ok_and(|sn| sn >= 1) {
        let sn = document.sn.chars().take(40).collect::<String>();
        desk.object(Some(device), incoming, Deviation::SerialNumber, sn);
    }
    let named: Option<DeviceId> = document.device_id.parse().ok();
    // What hangs in a region is asked for by the region's own short code.
    let region =
        document.cmd_type == "Catalog" && matches!(document.device_id.len(), 2 | 4 | 6 | 8);
    if region {
        return;
    }
    let must_be_own = document.cmd_type == "Keepalive" && !in_call;
    if named.is_none() || must_be_own && named != Some(device) {
        let id = document.device_id.chars().take(40).collect::<String>();
        desk.object(Some(device), incoming, Deviation::BodyDeviceId, id);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Bench, Puppet, config};
    use super::*;
    use crate::sip::Method;

    #[test]
    fn nobody_speaks_before_registering() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1);
        let keepalive = device.keepalive();
        let said = device.say(&mut bench, keepalive);
        assert_eq!(said.statuses(), [403]);
        assert_eq!(said.complaints(), [Deviation::NotRegistered]);
    }

    #[test]
    fn what_is_no_manscdp_is_refused_and_noticed() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1).registered(&mut bench);
        let mut say = |content_type: &str, body: &str| {
            let request = device.request(Method::Message);
            let request = request.with_body(content_type, body.to_owned());
            let said = device.say(&mut bench, request);
            (said.statuses(), said.complaints())
        };
        let xml = "Application/MANSCDP+xml";
        assert_eq!(
            say("text/plain", "hi"),
            (vec![415], vec![Deviation::ContentType])
        );
        assert_eq!(
            say(xml, "<Notify><CmdType>"),
            (vec![400], vec![Deviation::Manscdp])
        );
        assert_eq!(say(xml, "<Hello/>"), (vec![400], vec![Deviation::Manscdp]));
        let query = "<Query><CmdType>Catalog</CmdType><SN>1</SN>\
                     <DeviceID>34020000001320000001</DeviceID></Query>";
        assert_eq!(say(xml, query), (vec![400], vec![Deviation::Root]));
    }

    #[test]
    fn an_alarm_is_passed_on_and_may_come_from_an_alarm_input() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1).registered(&mut bench);
        let alarm = device.message(
            "<Notify><CmdType>Alarm</CmdType><SN>1</SN>\
             <DeviceID>34020000001340000001</DeviceID></Notify>",
        );
        let said = device.say(&mut bench, alarm);
        assert_eq!((said.statuses(), said.complaints()), (vec![200], vec![]));
        assert!(said.told(
            |event| matches!(event, Event::Notified { cmd_type, .. } if cmd_type == "Alarm")
        ));
    }

    #[test]
    fn a_message_that_comes_again_is_answered_again_and_taken_once() {
        let mut bench = Bench::new(config());
        let mut device = Puppet::new(1).registered(&mut bench);
        let keepalive = device.keepalive();
        assert_eq!(device.say(&mut bench, keepalive.clone()).events.len(), 1);
        let said = device.say(&mut bench, keepalive);
        assert_eq!((said.statuses(), said.events.len()), (vec![200], 0));
    }
}
