//! MESSAGE: what the platform asks, and the answers, each a MESSAGE of its own
//! (GB/T 28181-2022 §9.3-§9.5).

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{Broadcast, DeviceInfo, DeviceStatus, Incoming as Document, Root};
use crate::sip::{Method, Response, TransactionId};
use crate::time::{Now, Wall};

use super::calls::{Calls, Incoming};
use super::catalogue;
use super::control::Controls;
use super::event::Event;
use super::head_queries;
use super::line::{Line, Purpose, Waiting};
use super::notices::Notices;
use super::orders::Order;
use super::record_info;
use super::settings::Settings;
use super::tasks::Tasks;
use super::voice::Voice;

/// Parts of answers that may wait before further queries go unanswered: a platform may ask faster
/// than it acknowledges.
const MAX_WAITING: usize = 4_096;

/// The device's side of MANSCDP queries.
#[derive(Default)]
pub(super) struct Messages {
    /// Answers under way, each by the MESSAGE that carries its first part. The next part is sent
    /// when the platform has acknowledged that (GB/T 28181-2022 annex M); a long catalogue keeps
    /// nobody waiting for another answer.
    under_way: BTreeMap<TransactionId, VecDeque<Bytes>>,
    /// When the device was switched on for the first time, by its own clock.
    pub installed: Wall,
    /// How far the platform's clock is ahead of ours.
    pub clock_offset: i64,
    /// What takes longer than an answer.
    pub tasks: Tasks,
    /// What commands have changed.
    pub controls: Controls,
    /// What platforms have configured.
    pub settings: Settings,
    /// What it hears of the platform.
    pub voice: Voice,
}

impl Messages {
    /// A MESSAGE came in: the SIP answer first, then the business answer.
    pub fn receive(
        &mut self,
        now: Now,
        line: &mut Line,
        (calls, notices): (&Calls, &Notices),
        incoming: Incoming,
    ) {
        let Incoming {
            transaction,
            request,
            ..
        } = incoming;
        let untyped = request.headers.content_type().is_none();
        if !untyped && !request.headers.is_content_type(MANSCDP) {
            let response = line
                .endpoint
                .answer(&request, 415)
                .with_header("Accept", MANSCDP);
            return line.respond(now.mono, transaction, response);
        }
        let document = match Document::parse(&request.body) {
            Ok(document) => document,
            Err(error) => {
                tracing::debug!(%error, "a MESSAGE that is not MANSCDP");
                return line.reply(now.mono, transaction, &request, 400);
            }
        };
        line.reply(now.mono, transaction, &request, 200);
        let bodies = match document.root {
            Root::Control => {
                let order = Order {
                    document: &document,
                    call_id: request.headers.value("Call-ID").unwrap_or_default(),
                };
                let began = self.tasks.begin(now, line, order, &self.settings);
                let answer = match document.cmd_type.as_str() {
                    "DeviceConfig" => self.settings.obey(now, line, order, began),
                    _ => self.controls.obey(now, line, calls, order, began),
                };
                Vec::from_iter(answer)
            }
            _ => match Broadcast::read(&document) {
                Some(announced) => vec![self.voice.announced(line, &document, announced)],
                None => self.answers(now, line, (calls, notices), &document),
            },
        };
        line.tell(Event::Asked {
            cmd_type: document.cmd_type.clone(),
            answered: !bodies.is_empty(),
        });
        self.send(now, line, bodies);
    }

    /// The answers to a query: none for an unknown device, an unknown CmdType or anything that is
    /// not a query, as Dahua devices keep silent.
    fn answers(
        &self,
        now: Now,
        line: &mut Line,
        (calls, notices): (&Calls, &Notices),
        document: &Document,
    ) -> Vec<Bytes> {
        let config = line.config.clone();
        let asked = document.device_id.as_str();
        if document.root == Root::Query && document.cmd_type == "Catalog" {
            let installed = self.device_time(self.installed);
            return catalogue::answer(line, calls, document, installed);
        }
        let unanswered = &config.profile.behaviour.unanswered;
        if unanswered.contains(&document.cmd_type) {
            return Vec::new();
        }
        let known = asked == config.device.as_str() || config.channel(asked).is_some();
        if document.root != Root::Query || !known {
            return Vec::new();
        }
        match document.cmd_type.as_str() {
            "RecordInfo" => record_info::answer(line, self.device_time(now.wall), document),
            "Alarm" => notices.past_alarms(line, document),
            "MobilePosition" => notices.position_now(line, self.device_time(now.wall)),
            "SDCardStatus" if config.profile.behaviour.tasks => {
                let cards = &self.controls.sd_cards;
                vec![cards.answer(now.mono, &config, document)]
            }
            "DeviceInfo" => vec![device_info(line, self.tasks.firmware(), document)],
            "DeviceStatus" => vec![self.device_status(now, line, calls, document)],
            "ConfigDownload" => self.settings.download(line, document),
            _ => Vec::from_iter(head_queries::answer(now, line, &self.controls, document)),
        }
    }

    /// The same moment by the device's clock, which follows the platform's
    /// (GB/T 28181-2022 §9.10).
    pub fn by_its_clock(&self, now: Now) -> Now {
        let wall = self.device_time(now.wall);
        Now { wall, ..now }
    }

    fn device_time(&self, wall: Wall) -> Wall {
        Wall::from_micros(wall.as_micros() + self.clock_offset)
    }

    fn device_status(&self, now: Now, line: &Line, calls: &Calls, document: &Document) -> Bytes {
        let config = &line.config;
        let channel = config.channel(&document.device_id);
        let online = channel.is_none_or(|channel| !calls.is_offline(&channel.id));
        let time = self.device_time(now.wall);
        let mut status = DeviceStatus {
            online,
            encode: online,
            time: Some(time),
            ..DeviceStatus::default()
        };
        self.controls.show(config, &document.device_id, &mut status);
        let style = &config.profile.manscdp;
        style.device_status(&document.sn, &document.device_id, &status)
    }

    /// Begins an answer, unless too much waits already.
    pub fn send(&mut self, now: Now, line: &mut Line, bodies: Vec<Bytes>) {
        let waiting: usize = self.under_way.values().map(VecDeque::len).sum();
        if waiting > MAX_WAITING {
            tracing::warn!(waiting, "an answer dropped: too many wait");
            return;
        }
        self.send_first(now, line, bodies.into(), None);
    }

    fn send_first(
        &mut self,
        now: Now,
        line: &mut Line,
        parts: VecDeque<Bytes>,
        authorization: Option<String>,
    ) {
        if let Some(body) = parts.front() {
            let (carrier, _) = line.message(now.mono, Purpose::Report, body.clone(), authorization);
            self.under_way.insert(carrier, parts);
        }
    }

    /// An answer was acknowledged, refused or lost: the next one follows in any case.
    pub fn answered(
        &mut self,
        now: Now,
        line: &mut Line,
        (transaction, sent): (TransactionId, Waiting),
        response: Option<&Response>,
    ) {
        let Some(mut parts) = self.under_way.remove(&transaction) else {
            return;
        };
        if let Some(challenge) = response.filter(|r| r.status() == 401 && !sent.authorized)
            && let Some(credentials) = line.authorization(challenge, Method::Message)
        {
            return self.send_first(now, line, parts, Some(credentials));
        }
        parts.pop_front();
        self.send_first(now, line, parts, None);
    }

    /// A channel is no more: nothing that was ordered of it remains.
    pub fn forget(&mut self, line: &mut Line, channel: &DeviceId) {
        self.controls.forget(channel);
        self.settings.forget(channel);
        self.tasks.forget(line, channel);
    }

    /// Forgets what waits: the platform is gone.
    pub fn clear(&mut self) {
        self.under_way.clear();
    }
}

const MANSCDP: &str = "Application/MANSCDP+xml";

fn device_info(line: &Line, runs: Option<&str>, document: &Document) -> Bytes {
    let config = &line.config;
    let facts = &config.profile.device;
    let info = DeviceInfo {
        name: config.name().to_owned(),
        device_type: Some(facts.device_type.clone()),
        manufacturer: facts.manufacturer.clone(),
        model: facts.model.clone(),
        firmware: runs.unwrap_or(&facts.firmware).to_owned(),
        channels: u32::try_from(config.channels.len()).ok(),
        max_camera: Some(facts.max_camera),
        max_alarm: Some(facts.alarm_inputs),
    };
    let style = &config.profile.manscdp;
    style.device_info(&document.sn, &document.device_id, &info)
}
