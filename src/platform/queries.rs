//! Questions to devices, and the collecting of their answers (GB/T 28181-2022 §9.5, annex M).

use std::collections::HashMap;

use bytes::Bytes;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{
    self, BasicParam, ConfigBlock, CruiseTrack, DeviceInfo, DeviceStatus, HomePosition,
    Incoming as Document, Outcome, Preset, PtzPosition, SdCard,
};
use crate::sip::Method;
use crate::time::{Instant, Now};

use super::catalogue::Catalogue;
use super::complaint::Deviation;
use super::desk::{Desk, Incoming, Purpose, Timer, manscdp as with_manscdp};
use super::devices::{Device, Devices};
use super::event::{AskId, Event};
use super::orders::Order;
use super::questions::{Answer, AskFailure, ConfigAnswer, Query};
use super::record_list::RecordList;

/// The open questions, by SN, which no two of them share.
#[derive(Default)]
pub(super) struct Queries {
    open: HashMap<u32, Ask>,
}

/// One open question.
struct Ask {
    id: AskId,
    device: DeviceId,
    /// Whom it is about: the `DeviceID` that the answer must name too.
    about: String,
    cmd_type: &'static str,
    since: Instant,
    collected: Collected,
}

/// What has come of an answer.
enum Collected {
    Catalog(Catalogue),
    DeviceInfo,
    DeviceStatus,
    SdCards,
    /// How an order went.
    Ordered,
    /// Of such an order the device says nothing.
    Silence,
    Config {
        of: usize,
        parts: Vec<ConfigAnswer>,
    },
    Records(RecordList),
    /// An answer of one message, and how it is read.
    One(fn(&Document) -> Option<Answer>),
}

impl Queries {
    /// Asks a device that is there.
    pub fn ask(
        &mut self,
        now: Now,
        desk: &mut Desk,
        devices: &Devices,
        device: DeviceId,
        what: &Query,
        id: AskId,
    ) {
        let Some(there) = devices.online(&device) else {
            return not_registered(desk, device, id);
        };
        let sn = desk.next_sn();
        let more = what.elements();
        let more: Vec<_> = more
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        let about = what.target().unwrap_or(device.as_str()).to_owned();
        let body = manscdp::query(&desk.config.xml, what.cmd_type(), sn, &about, &more);
        send(now, desk, there, (device, sn), body);
        let ask = Ask {
            id,
            device,
            about,
            cmd_type: what.cmd_type(),
            since: now.mono,
            collected: Collected::nothing(what),
        };
        self.open.insert(sn, ask);
        wait(now, desk, sn);
    }

    /// Orders a device that is there to do something.
    pub fn order(
        &mut self,
        now: Now,
        desk: &mut Desk,
        devices: &Devices,
        device: DeviceId,
        (about, what): (DeviceId, &Order),
        id: AskId,
    ) {
        let Some(there) = devices.online(&device) else {
            return not_registered(desk, device, id);
        };
        let sn = desk.next_sn();
        let body = what.write(&desk.config.xml, sn, &about);
        send(now, desk, there, (device, sn), body);
        let ask = Ask {
            id,
            device,
            about: about.to_string(),
            cmd_type: what.cmd_type(),
            since: now.mono,
            collected: match what.wants_response() {
                true => Collected::Ordered,
                false => Collected::Silence,
            },
        };
        self.open.insert(sn, ask);
        wait(now, desk, sn);
    }

    /// The MESSAGE of a question had its SIP answer, or none.
    pub fn acknowledged(&mut self, now: Now, desk: &mut Desk, sn: u32, status: Result<u16, &str>) {
        let why = match status {
            Ok(200..=299) => {
                let ask = self.open.get(&sn);
                if ask.is_some_and(|ask| matches!(ask.collected, Collected::Silence)) {
                    self.answered(now, desk, sn, Answer::Ordered(None));
                }
                return;
            }
            Ok(status) => AskFailure::Refused(status),
            Err(why) => AskFailure::Unreachable(why.to_owned()),
        };
        self.fail(desk, sn, |_| why);
    }

    /// A `Response` came in.
    pub fn response(
        &mut self,
        now: Now,
        desk: &mut Desk,
        device: DeviceId,
        incoming: &Incoming,
        document: &Document,
    ) {
        let sn = document.sn.parse().unwrap_or(0);
        let ours = |ask: &&mut Ask| ask.device == device;
        let Some(ask) = self.open.get_mut(&sn).filter(ours) else {
            let detail = format!("{} SN {}", document.cmd_type, document.sn);
            return desk.object(Some(device), incoming, Deviation::Unasked, detail);
        };
        if document.cmd_type != ask.cmd_type {
            let detail = format!("{} instead of {}", document.cmd_type, ask.cmd_type);
            desk.object(Some(device), incoming, Deviation::OtherCommand, detail);
            if !is_known_variant(ask.cmd_type, &document.cmd_type) {
                return;
            }
        }
        if document.device_id != ask.about {
            let named = document.device_id.as_str();
            desk.object(Some(device), incoming, Deviation::BodyDeviceId, named);
        }
        let mut noticed = Vec::new();
        let answer = ask.collected.take(document, &mut noticed);
        for (what, detail) in noticed {
            desk.object(Some(device), incoming, what, detail);
        }
        match answer {
            Some(answer) => self.answered(now, desk, sn, answer),
            None => wait(now, desk, sn),
        }
    }

    fn answered(&mut self, now: Now, desk: &mut Desk, sn: u32, answer: Answer) {
        desk.timers.cancel(&Timer::Ask(sn));
        if let Some(ask) = self.open.remove(&sn) {
            desk.tell(Event::Answered {
                ask: ask.id,
                device: ask.device,
                answer,
                took: now.mono - ask.since,
            });
        }
    }

    /// The answer, or its next part, did not come in time.
    pub fn timeout(&mut self, desk: &mut Desk, sn: u32) {
        self.fail(desk, sn, Collected::timeout);
    }

    fn fail(&mut self, desk: &mut Desk, sn: u32, why: impl FnOnce(&Collected) -> AskFailure) {
        desk.timers.cancel(&Timer::Ask(sn));
        if let Some(ask) = self.open.remove(&sn) {
            desk.tell(Event::AskFailed {
                ask: ask.id,
                device: ask.device,
                why: why(&ask.collected),
            });
        }
    }
}

/// Sends the MESSAGE of a question.
fn send(now: Now, desk: &mut Desk, there: &Device, (device, sn): (DeviceId, u32), body: Bytes) {
    let request = desk.request(Method::Message, &device, &there.host, there.route.flow);
    let request = with_manscdp(request, body);
    desk.send(now.mono, Purpose::Query(sn), device, there.route, request);
}

/// Whether devices are known to answer a question like this, against the standard.
fn is_known_variant(asked: &str, answered: &str) -> bool {
    asked == "HomePositionQuery" && answered == "HomePosition"
}

/// The answer, or its next part, is waited for from now.
fn wait(now: Now, desk: &mut Desk, sn: u32) {
    let patience = desk.config.answer_timeout;
    desk.timers.set(Timer::Ask(sn), now.mono + patience);
}

/// OPTIONS as a ping (RFC 3261 §11).
pub(super) fn ping(now: Now, desk: &mut Desk, devices: &Devices, device: DeviceId, id: AskId) {
    let Some(there) = devices.online(&device) else {
        return not_registered(desk, device, id);
    };
    let flow = there.route.flow;
    let contact = desk.contact(flow);
    let request = desk
        .request(Method::Options, &device, &there.host, flow)
        .with_header("Contact", contact)
        .with_header("Accept", "application/sdp");
    desk.send(now.mono, Purpose::Ping(id), device, there.route, request);
}

fn not_registered(desk: &mut Desk, device: DeviceId, ask: AskId) {
    let why = AskFailure::NotRegistered;
    desk.tell(Event::AskFailed { ask, device, why });
}

type Noticed = Vec<(Deviation, String)>;

impl Collected {
    fn nothing(what: &Query) -> Self {
        match what {
            Query::Catalog | Query::CatalogOf(_) | Query::CatalogAdded(_) => {
                Collected::Catalog(Catalogue::default())
            }
            Query::DeviceInfo => Collected::DeviceInfo,
            Query::DeviceStatus => Collected::DeviceStatus,
            Query::SdCardStatus => Collected::SdCards,
            Query::RecordInfo { .. } => Collected::Records(RecordList::default()),
            Query::Presets(_) => Collected::One(|d| Preset::read(d).map(Answer::Presets)),
            Query::HomePosition(_) => {
                Collected::One(|d| HomePosition::read(d).map(Answer::HomePosition))
            }
            Query::CruiseTracks(_) => {
                Collected::One(|d| CruiseTrack::read_list(d).map(Answer::CruiseTracks))
            }
            Query::CruiseTrack { .. } => {
                Collected::One(|d| CruiseTrack::read(d).map(Answer::CruiseTrack))
            }
            Query::PtzPosition(_) => {
                Collected::One(|d| PtzPosition::read(d).map(Answer::PtzPosition))
            }
            Query::ConfigDownload(types) | Query::ConfigOf { types, .. } => {
                let types = types.split('/').filter(|name| !name.trim().is_empty());
                let of = types.count().clamp(1, manscdp::MAX_CONFIG_TYPES);
                Collected::Config {
                    of,
                    parts: Vec::new(),
                }
            }
        }
    }

    /// Takes one message in; the answer, once it is whole.
    fn take(&mut self, document: &Document, noticed: &mut Noticed) -> Option<Answer> {
        let result = document.result();
        let speaks_for_itself = matches!(
            self,
            Collected::Catalog(_) | Collected::Records(_) | Collected::One(_) | Collected::SdCards
        );
        if !speaks_for_itself && result.is_none() {
            noticed.push((Deviation::NoResult, document.cmd_type.clone()));
        }
        match self {
            Collected::Catalog(catalogue) => {
                catalogue.take(document, noticed);
                let items = catalogue.is_complete().then(|| catalogue.items())?;
                Some(Answer::Catalog(items))
            }
            Collected::One(read) => match (read(document), result) {
                (Some(answer), _) => Some(answer),
                (None, Some(Outcome::Error)) => Some(Answer::Unable),
                (None, _) => {
                    noticed.push((Deviation::Empty, document.cmd_type.clone()));
                    Some(Answer::Unable)
                }
            },
            Collected::Records(list) => {
                list.take(document, noticed);
                list.is_complete().then(|| Answer::Records(list.items()))
            }
            Collected::DeviceInfo => Some(Answer::DeviceInfo(DeviceInfo::read(document))),
            Collected::DeviceStatus => Some(Answer::DeviceStatus(DeviceStatus::read(document))),
            Collected::SdCards => Some(Answer::SdCards(SdCard::read(document))),
            Collected::Ordered | Collected::Silence => Some(Answer::Ordered(result)),
            Collected::Config { of, parts } => {
                let block = ConfigBlock::read(document).transpose();
                if let Err(error) = &block {
                    noticed.push((Deviation::ConfigBlock, error.to_string()));
                }
                parts.push(ConfigAnswer {
                    result: result.unwrap_or(Outcome::Error),
                    basic: BasicParam::read(document),
                    block: block.ok().flatten(),
                });
                (parts.len() >= *of).then(|| Answer::Config(std::mem::take(parts)))
            }
        }
    }

    fn timeout(&self) -> AskFailure {
        let (got, of) = match self {
            Collected::Catalog(catalogue) => (catalogue.len(), catalogue.sum()),
            Collected::Records(list) => list.progress(),
            Collected::Config { of, parts } => (parts.len(), Some(*of)),
            _ => (0, None),
        };
        AskFailure::Timeout { got, of }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::testing::{Bench, Puppet, Said, config};
    use super::*;
    use crate::sip::Request;

    fn answer(said: &Said) -> Option<(&Answer, Duration)> {
        said.events.iter().find_map(|event| match event {
            Event::Answered { answer, took, .. } => Some((answer, *took)),
            _ => None,
        })
    }

    fn failure(said: &Said) -> Option<&AskFailure> {
        said.events.iter().find_map(|event| match event {
            Event::AskFailed { why, .. } => Some(why),
            _ => None,
        })
    }

    /// A registered device that has been asked and has said 200; and the SN of the question.
    fn asked(bench: &mut Bench, serial: u32, what: Query) -> (Puppet, String) {
        let device = Puppet::new(serial).registered(bench);
        let said = bench.ask(&device, what, 7);
        let question = said.request(Method::Message).clone();
        let ok = device.answer(&question, 200);
        assert_eq!(device.say(bench, ok).complaints(), []);
        (device, sn(&question))
    }

    fn sn(question: &Request) -> String {
        Document::parse(&question.body).unwrap().sn
    }

    fn part(sum: usize, ids: &[u32]) -> String {
        let item = |n: &u32| format!("<Item><DeviceID>34020000001310{n:06}</DeviceID></Item>");
        let items: String = ids.iter().map(item).collect();
        let num = ids.len();
        format!("<SumNum>{sum}</SumNum><DeviceList Num=\"{num}\">{items}</DeviceList>")
    }

    #[test]
    fn a_question_goes_to_the_device_and_names_it() {
        let mut bench = Bench::new(config());
        let device = Puppet::new(1).registered(&mut bench);
        let said = bench.ask(&device, Query::ConfigDownload("BasicParam".into()), 7);
        let question = said.request(Method::Message);
        assert_eq!(question.uri(), "sip:34020000001320000001@192.0.2.1:5060");
        assert!(!question.headers.has("Contact"));
        let document = Document::parse(&question.body).unwrap();
        assert_eq!(document.device_id, device.id.as_str());
        assert_eq!(document.body.text_of("ConfigType"), Some("BasicParam"));
    }

    #[test]
    fn a_catalogue_in_many_parts_out_of_order_and_repeated_is_put_together() {
        let mut bench = Bench::new(config());
        let (mut device, sn) = asked(&mut bench, 1, Query::Catalog);
        bench.pass(0.2);
        for (ids, complaints) in [(3, vec![]), (1, vec![]), (3, vec![Deviation::ItemRepeated])] {
            let message = device.response("Catalog", &sn, &part(3, &[ids]));
            let said = device.say(&mut bench, message);
            assert_eq!(said.statuses(), [200]);
            assert_eq!((said.complaints(), answer(&said)), (complaints, None));
        }
        let message = device.response("Catalog", &sn, &part(3, &[2]));
        let said = device.say(&mut bench, message);
        let Some((Answer::Catalog(items), took)) = answer(&said) else {
            panic!("no catalogue in {:?}", said.events);
        };
        let serials: Vec<_> = items
            .iter()
            .filter_map(|item| item.id.chars().last())
            .collect();
        assert_eq!((serials, took.as_millis()), (vec!['3', '1', '2'], 200));
        let late = device.response("Catalog", &sn, &part(3, &[2]));
        assert_eq!(
            device.say(&mut bench, late).complaints(),
            [Deviation::Unasked]
        );
    }

    #[test]
    fn a_catalogue_that_stops_half_way_times_out_after_its_last_part() {
        let mut bench = Bench::new(config());
        let (mut device, sn) = asked(&mut bench, 1, Query::Catalog);
        bench.pass(9.0);
        let message = device.response("Catalog", &sn, &part(5, &[1, 2]));
        device.say(&mut bench, message);
        assert!(failure(&bench.pass(9.9)).is_none());
        let said = bench.pass(0.2);
        let timeout = AskFailure::Timeout {
            got: 2,
            of: Some(5),
        };
        assert_eq!(failure(&said), Some(&timeout));
        assert!(bench.platform.queries.open.is_empty());
    }

    #[test]
    fn device_info_status_and_configuration_are_read() {
        let mut bench = Bench::new(config());
        let (mut device, sn) = asked(&mut bench, 1, Query::DeviceInfo);
        let rest = "<Result>OK</Result><Manufacturer>Dahua</Manufacturer><Channel>4</Channel>";
        let message = device.response("DeviceInfo", &sn, rest);
        let said = device.say(&mut bench, message);
        assert!(matches!(
            answer(&said),
            Some((Answer::DeviceInfo(info), _)) if info.channels == Some(4)
        ));
        let (mut device, sn) = asked(&mut bench, 2, Query::DeviceStatus);
        let rest = "<Result>OK</Result><Online>ONLINE</Online>";
        let message = device.response("DeviceStatus", &sn, rest);
        let said = device.say(&mut bench, message);
        assert!(matches!(
            answer(&said),
            Some((Answer::DeviceStatus(status), _)) if status.online
        ));
        let types = Query::ConfigDownload("BasicParam/VideoParamOpt".into());
        let (mut device, sn) = asked(&mut bench, 3, types);
        let basic = "<Result>OK</Result><BasicParam><Expiration>3600</Expiration></BasicParam>";
        let message = device.response("ConfigDownload", &sn, basic);
        assert_eq!(answer(&device.say(&mut bench, message)), None);
        let message = device.response("ConfigDownload", &sn, "<Result>ERROR</Result>");
        let said = device.say(&mut bench, message);
        let Some((Answer::Config(parts), _)) = answer(&said) else {
            panic!("no configuration in {:?}", said.events);
        };
        assert_eq!(
            parts[0].basic.as_ref().map(|basic| basic.expiration),
            Some(3600)
        );
        assert_eq!(
            (parts[1].result, parts[1].basic.as_ref()),
            (Outcome::Error, None)
        );
    }

    #[test]
    fn what_does_not_belong_to_the_question_is_noticed_and_not_taken() {
        let mut bench = Bench::new(config());
        let (mut device, sn) = asked(&mut bench, 1, Query::DeviceInfo);
        let mut other = Puppet::new(2).registered(&mut bench);
        let ok = "<Result>OK</Result>";
        let foreign = other.response("DeviceInfo", &sn, ok);
        assert_eq!(
            other.say(&mut bench, foreign).complaints(),
            [Deviation::Unasked]
        );
        let message = device.response("DeviceStatus", &sn, ok);
        assert_eq!(
            device.say(&mut bench, message).complaints(),
            [Deviation::OtherCommand]
        );
        let message = device.response("DeviceInfo", "4711", ok);
        assert_eq!(
            device.say(&mut bench, message).complaints(),
            [Deviation::Unasked]
        );
        let message = device.response("DeviceInfo", &sn, "");
        let said = device.say(&mut bench, message);
        assert_eq!(said.complaints(), [Deviation::NoResult]);
        assert!(answer(&said).is_some());
    }

    #[test]
    fn a_question_that_cannot_be_asked_or_is_refused_fails() {
        let mut bench = Bench::new(config());
        let said = bench.ask(&Puppet::new(1), Query::Catalog, 1);
        assert_eq!(failure(&said), Some(&AskFailure::NotRegistered));
        let device = Puppet::new(1).registered(&mut bench);
        let said = bench.ask(&device, Query::Catalog, 2);
        let refusal = device.answer(said.request(Method::Message), 404);
        let said = device.say(&mut bench, refusal);
        assert_eq!(failure(&said), Some(&AskFailure::Refused(404)));
        bench.ask(&device, Query::Catalog, 3);
        let said = bench.pass(40.0);
        assert_eq!(said.events.len(), 1);
        assert!(failure(&said).is_some());
    }

    #[test]
    fn a_ping_is_answered_with_its_status() {
        let mut bench = Bench::new(config());
        let device = Puppet::new(1).registered(&mut bench);
        let (id, ask) = (device.id, AskId(3));
        let said = bench.command(super::super::Command::Ping { device: id, ask });
        let pong = device.answer(said.request(Method::Options), 200);
        let said = device.say(&mut bench, pong);
        assert!(matches!(answer(&said), Some((Answer::Pong(200), _))));
    }
}
