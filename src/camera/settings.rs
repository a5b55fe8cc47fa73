//! How the device is configured: what it tells (ConfigDownload), and how the platform changes it
//! (DeviceConfig, GB/T 28181-2022 §9.3, annex A.2.1).
//!
//! A document is taken as a whole or not at all: one value out of its range, and nothing changes.
//! Basic parameters take effect behind the answer; the other blocks are kept per channel and read
//! back as they were written.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::gb28181::manscdp::{
    BasicParam, BasicSetting, ConfigError, ConfigType, Incoming as Document, Outcome, Setting,
};
use crate::gb28181::{DeviceId, Element};
use crate::profile::NewBasicParam;
use crate::time::Now;

use super::Camera;
use super::config::{Config, PlatformAddress};
use super::control::{covered, named};
use super::event::Event;
use super::line::{Line, Timer};
use super::orders::Order;
use super::{Power, factory};

/// New basic parameters take effect when their answer has surely left.
const SETTLES_AFTER: Duration = Duration::from_millis(500);

/// What platforms have written, by channel; empty until the first one does.
#[derive(Default)]
pub(super) struct Settings {
    written: BTreeMap<(DeviceId, ConfigType), Element>,
}

impl Settings {
    /// Obeys a DeviceConfig; the answer, if the make gives one. `began` says how the pictures it
    /// may order began.
    pub fn obey(
        &mut self,
        now: Now,
        line: &mut Line,
        order: Order,
        began: Option<Outcome>,
    ) -> Option<Bytes> {
        let document = order.document;
        if line.config.channel(&document.device_id).is_none() {
            order.misdirected(line);
            return None;
        }
        let wanted = match wanted(&line.config, document) {
            Ok(wanted) => wanted,
            Err(why) => {
                order.not_obeyed(line, why);
                return Some(result(line, document, Outcome::Error));
            }
        };
        if wanted.is_empty() && began.is_none() {
            order.not_obeyed(line, "DeviceConfig: nothing of it can be configured here");
            let silent = line.config.profile.behaviour.settings.silent_about_others;
            return (!silent).then(|| result(line, document, Outcome::Error));
        }
        if began == Some(Outcome::Error) {
            return Some(result(line, document, Outcome::Error));
        }
        let policy = line.config.profile.behaviour.settings.basic_param;
        let basic = wanted.iter().any(|s| s.kind() == ConfigType::BasicParam);
        for setting in wanted {
            self.set(now, line, document, setting);
        }
        let silent = basic && policy == NewBasicParam::Restart;
        (!silent).then(|| result(line, document, Outcome::Ok))
    }

    fn set(&mut self, now: Now, line: &mut Line, document: &Document, setting: Setting) {
        let id = named(&line.config, &document.device_id).unwrap_or(line.config.device);
        let kind = setting.kind();
        match setting {
            Setting::Basic(basic) => {
                change(Arc::make_mut(&mut line.config), basic);
                line.set(Timer::Settle, now.mono + SETTLES_AFTER);
            }
            Setting::Block(block) => {
                for channel in covered(&line.config, &document.device_id) {
                    let content = block.content().clone();
                    self.written.insert((channel, kind), content);
                }
            }
        }
        line.tell(Event::Configured { id, kind });
    }

    /// The answers to ConfigDownload, one for each type that is asked for.
    pub fn download(&self, line: &Line, document: &Document) -> Vec<Bytes> {
        let config = &line.config;
        let policy = config.profile.behaviour.settings;
        let Some(channel) = config.channel(&document.device_id) else {
            return Vec::new();
        };
        let block = |kind| {
            let written = self.written.get(&(channel.id, kind));
            let block = || written.cloned().or_else(|| factory::block(channel, kind));
            policy.has(kind).then(block).flatten()
        };
        let asked = document.body.text_of("ConfigType").unwrap_or_default();
        let style = &config.profile.manscdp;
        let (sn, id) = (&document.sn, &document.device_id);
        style.config_download(sn, id, asked, &basic_param(line), block)
    }

    /// A channel is no more.
    pub fn forget(&mut self, channel: &DeviceId) {
        self.written.retain(|(id, _), _| id != channel);
    }

    /// The block that a platform has written for a channel.
    pub fn written(&self, channel: DeviceId, kind: ConfigType) -> Option<&Element> {
        self.written.get(&(channel, kind))
    }
}

/// What is to be set: nothing, if one of its values is not allowed. What a make does not have is
/// passed over or refused, as it does it.
fn wanted(config: &Config, document: &Document) -> Result<Vec<Setting>, ConfigError> {
    let policy = config.profile.behaviour.settings;
    let of_device = document.device_id == config.device.as_str();
    let mut wanted = Vec::new();
    for (kind, setting) in Setting::read(document) {
        let has = policy.has(kind)
            && (kind != ConfigType::BasicParam || of_device || !policy.basic_param_of_device);
        match has {
            true => wanted.push(setting?),
            // An order for pictures is obeyed by whoever can.
            false if policy.silent_about_others || kind == ConfigType::SnapShotConfig => {}
            false => return Err(ConfigError::Unknown(kind)),
        }
    }
    Ok(wanted)
}

fn result(line: &Line, document: &Document, outcome: Outcome) -> Bytes {
    let style = &line.config.profile.manscdp;
    style.result(
        &document.cmd_type,
        &document.sn,
        &document.device_id,
        outcome,
    )
}

fn change(config: &mut Config, basic: BasicSetting) {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    if let Some(name) = basic.name {
        config.name = name;
    }
    if let Some(expiration) = basic.expiration {
        config.expires = seconds(expiration);
    }
    if let Some(interval) = basic.heart_beat_interval {
        config.heartbeat.interval = seconds(interval);
    }
    if let Some(count) = basic.heart_beat_count {
        config.heartbeat.count = count;
    }
}

fn basic_param(line: &Line) -> BasicParam {
    let config = &line.config;
    let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
    let PlatformAddress {
        id,
        domain,
        address,
    } = &line.platform;
    BasicParam {
        name: config.name().to_owned(),
        device_id: config.device.to_string(),
        expiration: seconds(config.expires),
        // Keepalives are a second apart at least.
        heart_beat_interval: seconds(config.heartbeat.interval).max(1),
        heart_beat_count: config.heartbeat.count,
        position_capability: Some(0),
        server_id: Some(id.to_string()),
        server_ip: Some(address.ip().to_string()),
        server_port: Some(address.port()),
        domain: Some(domain.clone()),
        password: Some(config.credentials.password.clone()),
    }
}

impl Camera {
    /// New basic parameters take effect: the heartbeat at once, the lifetime with a registration.
    pub(super) fn settle(&mut self, now: Now) {
        let line = &mut self.line;
        if self.registration.is_busy() {
            return line.set(Timer::Settle, now.mono + SETTLES_AFTER);
        }
        self.registration.ask_for(line.config.expires);
        let beat = line.config.heartbeat;
        self.beat.retime(now, line, beat);
        if self.power != Power::On || !self.registration.is_registered() || !line.is_open() {
            return;
        }
        match line.config.profile.behaviour.settings.basic_param {
            NewBasicParam::Answer => self.registration.register(now, line),
            NewBasicParam::Restart => {
                self.beat.stop(line);
                self.registration.unregister(now, line);
            }
        }
    }
}
