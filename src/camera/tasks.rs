//! Long tasks: what takes longer than an answer, and is told about when it is over
//! (GB/T 28181-2022 §9.13, §9.14).

use bytes::Bytes;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{
    DeviceUpgrade, Incoming as Document, Outcome, SnapShotConfig, WrongElement,
};
use crate::node::{JobId, JobOutcome};
use crate::time::{Now, Wall};

use super::Camera;
use super::line::{Line, Timer};
use super::orders::Order;
use super::settings::Settings;
use super::snapshots::Snapshots;
use super::upgrade::Upgrade;

/// How many orders of pictures run at once; one more is refused.
const MOST_SNAPSHOTS: usize = 16;
/// How much news waits for a platform that is away; beyond it the oldest is forgotten.
const MOST_NEWS: usize = 32;

/// The long tasks of a device. Nothing is kept until the first one begins.
#[derive(Default)]
pub(super) struct Tasks {
    inside: Option<Box<Inside>>,
}

#[derive(Default)]
struct Inside {
    upgrade: Option<Upgrade>,
    snapshots: Vec<Snapshots>,
    /// What is told as soon as the platform can hear it.
    news: Vec<Bytes>,
    /// What the device runs since its last upgrade.
    firmware: Option<String>,
    jobs: u64,
    orders: u32,
}

impl Tasks {
    /// Begins the tasks that a document orders: whether that went well, if it orders any.
    pub fn begin(
        &mut self,
        now: Now,
        line: &mut Line,
        order: Order,
        settings: &Settings,
    ) -> Option<Outcome> {
        let document = order.document;
        if !line.config.profile.behaviour.tasks {
            return None;
        }
        // One that is for nobody here: whoever obeys the rest of the document says so.
        let channel = line.config.channel(&document.device_id)?.id;
        let began = match (
            DeviceUpgrade::read(document),
            SnapShotConfig::read(document),
        ) {
            (Some(upgrade), _) => self.upgrade(line, document, upgrade),
            (None, Some(pictures)) => {
                let texts = settings.shown_texts(channel);
                self.snapshots(now, line, (document, channel), pictures, texts)
            }
            (None, None) => return None,
        };
        Some(match began {
            Ok(()) => Outcome::Ok,
            Err(why) => {
                order.not_obeyed(line, why);
                Outcome::Error
            }
        })
    }

    fn upgrade(
        &mut self,
        line: &mut Line,
        document: &Document,
        order: Result<DeviceUpgrade, WrongElement>,
    ) -> Result<(), String> {
        let order = order.map_err(|error| error.to_string())?;
        let inside = self.inside.get_or_insert_default();
        if inside.upgrade.is_some() {
            return Err("an upgrade is under way".to_owned());
        }
        let job = inside.next_job();
        let upgrade = Upgrade::begin(line, job, &document.device_id, order);
        inside.upgrade = Some(upgrade);
        Ok(())
    }

    fn snapshots(
        &mut self,
        now: Now,
        line: &mut Line,
        (document, channel): (&Document, DeviceId),
        order: Result<SnapShotConfig, WrongElement>,
        texts: Vec<String>,
    ) -> Result<(), String> {
        let order = order.map_err(|error| error.to_string())?;
        let inside = self.inside.get_or_insert_default();
        if inside.snapshots.len() >= MOST_SNAPSHOTS {
            return Err("too many pictures are under way".to_owned());
        }
        inside.orders = inside.orders.wrapping_add(1);
        let asked = (document.device_id.as_str(), document.sn.as_str());
        let snapshots = Snapshots::new(inside.orders, channel, asked, order, texts);
        // The answer leaves before the first picture.
        line.set(Timer::Snapshot(inside.orders), now.mono);
        inside.snapshots.push(snapshots);
        Ok(())
    }

    /// It is time for the next picture of an order.
    pub fn snapshot(&mut self, now: Now, line: &mut Line, wall: Wall, number: u32) {
        let Some(inside) = &mut self.inside else {
            return;
        };
        let job = inside.next_job();
        let mut orders = inside.snapshots.iter_mut();
        if let Some(order) = orders.find(|order| order.number == number)
            && let Some(pause) = order.take(line, wall, job)
        {
            line.set(Timer::Snapshot(number), now.mono + pause);
        }
    }

    /// A job is over: whether the device has to start again.
    fn done(&mut self, line: &mut Line, job: JobId, outcome: JobOutcome) -> bool {
        let Some(inside) = &mut self.inside else {
            return false;
        };
        if inside
            .upgrade
            .as_ref()
            .is_some_and(|upgrade| upgrade.job == job)
        {
            return inside.fetched(line, outcome);
        }
        let next = inside.next_job();
        let mut orders = inside.snapshots.iter_mut();
        if let Some(order) = orders.find(|order| order.has(job)) {
            order.delivered(line, job, outcome, next);
            inside.finish(line);
        }
        false
    }

    /// A channel is no more: no further picture of it is taken.
    pub fn forget(&mut self, line: &mut Line, channel: &DeviceId) {
        let Some(inside) = &mut self.inside else {
            return;
        };
        let orders = inside.snapshots.iter_mut();
        for order in orders.filter(|order| order.channel == *channel) {
            line.timers.cancel(&Timer::Snapshot(order.number));
            order.cut_short();
        }
        inside.finish(line);
    }

    /// What is to be told, to a platform that hears it.
    fn news(&mut self) -> Vec<Bytes> {
        let inside = self.inside.as_mut();
        inside.map_or(Vec::new(), |inside| std::mem::take(&mut inside.news))
    }

    /// What the device runs, if that is not what its make says.
    pub fn firmware(&self) -> Option<&str> {
        self.inside.as_ref()?.firmware.as_deref()
    }

    /// The power goes: what is under way is forgotten, news is kept.
    pub fn stop(&mut self, line: &mut Line) {
        if let Some(inside) = &mut self.inside {
            inside.upgrade = None;
            for order in inside.snapshots.drain(..) {
                line.timers.cancel(&Timer::Snapshot(order.number));
            }
        }
    }
}

impl Inside {
    fn next_job(&mut self) -> JobId {
        self.jobs += 1;
        JobId(self.jobs)
    }

    fn fetched(&mut self, line: &mut Line, outcome: JobOutcome) -> bool {
        let Some(upgrade) = self.upgrade.take() else {
            return false;
        };
        let make = line.config.profile.device.firmware.clone();
        let runs = self.firmware.as_deref().unwrap_or(&make);
        let (body, firmware) = upgrade.fetched(line, runs, outcome);
        self.tell(body);
        let reboots = firmware.is_some();
        self.firmware = firmware.or(self.firmware.take());
        reboots
    }

    /// Tells of the orders that are over.
    fn finish(&mut self, line: &mut Line) {
        let told = self
            .snapshots
            .iter_mut()
            .filter_map(|order| order.finished(line));
        for body in told.collect::<Vec<_>>() {
            self.tell(body);
        }
        self.snapshots.retain(|order| !order.is_over());
    }

    fn tell(&mut self, body: Bytes) {
        if self.news.len() >= MOST_NEWS {
            self.news.remove(0);
        }
        self.news.push(body);
    }
}

impl Camera {
    /// A job is over.
    pub(super) fn job_done(&mut self, now: Now, id: JobId, outcome: JobOutcome) {
        let reboots = self.messages.tasks.done(&mut self.line, id, outcome);
        match reboots {
            true => {
                self.reboot(now);
            }
            false => self.tell_news(now),
        }
    }

    /// Tells what tasks have come to, once the platform can hear it.
    pub(super) fn tell_news(&mut self, now: Now) {
        if !self.is_heard() {
            return;
        }
        for body in self.messages.tasks.news() {
            self.messages.send(now, &mut self.line, vec![body]);
        }
    }
}
