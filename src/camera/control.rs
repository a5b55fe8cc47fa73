//! Control: what the platform orders a device to do (GB/T 28181-2022 §9.3).
//!
//! The SIP answer has gone when a command gets here. A `Response` follows exactly for the commands
//! that want one; whatever else comes is obeyed, or not, in silence.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use crate::gb28181::DeviceId;
use crate::gb28181::manscdp::{
    AlarmInput, Control, ControlError, DeviceStatus, Duty, Found, Outcome, Tracking,
};
use crate::time::Now;

use super::calls::Calls;
use super::config::Config;
use super::event::Event;
use super::head::{self, Head};
use super::line::Line;
use super::orders::Order;
use super::sd_cards::SdCards;

/// What commands have changed. Nothing is kept until the first one changes something.
#[derive(Default)]
pub(super) struct Controls {
    changed: Option<Box<Changed>>,
    /// Its storage cards.
    pub sd_cards: SdCards,
    /// The device is to start anew.
    pub boot: bool,
}

/// What differs from a device that was just switched on: no channel records, all inputs are armed.
#[derive(Default)]
struct Changed {
    recording: HashSet<DeviceId>,
    disarmed: HashSet<DeviceId>,
    /// Inputs whose alarm nobody has reset.
    alarmed: HashSet<DeviceId>,
    /// Heads of channels that have been steered.
    heads: HashMap<DeviceId, Head>,
    tracking: HashMap<DeviceId, Tracking>,
}

/// Why a command is not obeyed.
#[derive(Debug, thiserror::Error)]
enum Cannot {
    #[error(transparent)]
    Read(ControlError),
    #[error(transparent)]
    Head(#[from] head::Cannot),
    #[error("FormatSDCard: there is no card {0}")]
    NoCard(u8),
    #[error("an alarm input cannot do that")]
    AlarmInput,
    #[error("there is no channel")]
    NoChannel,
}

/// Whom a command is for.
#[derive(Clone, Copy)]
enum Target {
    Device,
    Channel(DeviceId),
    Alarm(DeviceId),
}

impl Controls {
    /// Obeys every command of a document; the answer, if one of them wants any. `began` says how
    /// the long tasks of the same document began.
    pub fn obey(
        &mut self,
        now: Now,
        line: &mut Line,
        calls: &Calls,
        order: Order,
        began: Option<Outcome>,
    ) -> Option<Bytes> {
        let document = order.document;
        let Some(target) = target(&line.config, &document.device_id) else {
            order.misdirected(line);
            return None;
        };
        let commands = Control::read(document);
        if commands.is_empty() && began.is_none() {
            let cmd_type: String = document.cmd_type.chars().take(40).collect();
            order.not_obeyed(
                line,
                format_args!("{cmd_type}: no command in it is known here"),
            );
        }
        let mut outcome = began;
        for Found {
            what,
            wants_response,
        } in commands
        {
            let done = what
                .map_err(Cannot::Read)
                .and_then(|control| self.carry_out(now, line, calls, (target, control)));
            let failed = done.is_err();
            match done {
                Ok(control) => {
                    let id = target.id(&line.config);
                    line.tell(Event::Controlled { id, control });
                }
                Err(why) => order.not_obeyed(line, why),
            }
            if wants_response {
                let failed = failed || outcome == Some(Outcome::Error);
                outcome = Some(if failed { Outcome::Error } else { Outcome::Ok });
            }
        }
        let style = &line.config.profile.manscdp;
        let (sn, id) = (&document.sn, &document.device_id);
        outcome.map(|outcome| style.result(&document.cmd_type, sn, id, outcome))
    }

    /// Does what a command says, as far as it suits its target.
    fn carry_out(
        &mut self,
        now: Now,
        line: &mut Line,
        calls: &Calls,
        (target, control): (Target, Control),
    ) -> Result<Control, Cannot> {
        match (control, target) {
            (Control::Guard(on), _) => {
                let inputs = alarm_inputs(&line.config, target);
                mark(&mut self.changed().disarmed, inputs, !on);
            }
            (Control::ResetAlarm, _) => {
                let inputs: Vec<_> = alarm_inputs(&line.config, target).collect();
                mark(&mut self.changed().alarmed, inputs, false);
            }
            (Control::Boot, _) => self.boot = true,
            (_, Target::Alarm(_)) => return Err(Cannot::AlarmInput),
            (Control::Record(on), _) => {
                let channels = channels(&line.config, target);
                mark(&mut self.changed().recording, channels, on);
            }
            (Control::KeyFrame, _) => {
                for channel in channels(&line.config, target) {
                    calls.key_frame(line, channel);
                }
            }
            (Control::FormatSdCard(card), _) => {
                if !self.sd_cards.format(now.mono, &line.config, card) {
                    return Err(Cannot::NoCard(card));
                }
            }
            (Control::Track(what), _) => {
                for channel in channels(&line.config, target) {
                    self.changed().tracking.insert(channel, what);
                }
            }
            (
                Control::Ptz(_) | Control::Precise(_) | Control::Drag { .. } | Control::Home(_),
                _,
            ) => {
                // A head belongs to a channel: the device's command is for its first.
                let channels = channels(&line.config, target);
                let channel = channels.first().ok_or(Cannot::NoChannel)?;
                self.steer(now, *channel, control)?;
            }
        }
        Ok(control)
    }

    /// A head obeys.
    fn steer(&mut self, now: Now, channel: DeviceId, control: Control) -> Result<(), head::Cannot> {
        let head = self.changed().heads.entry(channel).or_default();
        match control {
            Control::Ptz(ptz) => head.obey(now.mono, ptz)?,
            Control::Drag { zone, into } => head.drag(now.mono, zone, into)?,
            Control::Home(home) => head.set_home(now.mono, home)?,
            Control::Precise(to) => head.precise(now.mono, to),
            _ => {}
        }
        Ok(())
    }

    /// The head of a channel; one that nobody has steered looks straight ahead.
    pub fn head(&self, channel: &DeviceId) -> Cow<'_, Head> {
        let changed = self.changed.as_deref();
        match changed.and_then(|changed| changed.heads.get(channel)) {
            Some(head) => Cow::Borrowed(head),
            None => Cow::Owned(Head::default()),
        }
    }

    /// Whether a channel follows a target, once it was told anything about that.
    pub fn tracking(&self, channel: &DeviceId) -> Option<Tracking> {
        self.changed.as_deref()?.tracking.get(channel).copied()
    }

    /// A channel is no more.
    pub fn forget(&mut self, channel: &DeviceId) {
        if let Some(changed) = &mut self.changed {
            changed.recording.remove(channel);
            changed.heads.remove(channel);
            changed.tracking.remove(channel);
        }
    }

    /// Something happens at an alarm input or anywhere else: whether anybody is to hear of it. A
    /// disarmed input keeps it to itself; an armed one shows it until it is reset.
    pub fn raise(&mut self, config: &Config, at: DeviceId) -> bool {
        if !alarm_inputs(config, Target::Alarm(at)).any(|input| input == at) {
            return true;
        }
        if self.changed().disarmed.contains(&at) {
            return false;
        }
        self.changed().alarmed.insert(at);
        true
    }

    fn changed(&mut self) -> &mut Changed {
        self.changed.get_or_insert_default()
    }

    /// Fills in what commands have a say in.
    pub fn show(&self, config: &Config, asked: &str, status: &mut DeviceStatus) {
        let changed = self.changed.as_deref();
        let disarmed = |id: &DeviceId| changed.is_some_and(|changed| changed.disarmed.contains(id));
        let alarmed = |id: &DeviceId| changed.is_some_and(|changed| changed.alarmed.contains(id));
        status.record = changed.is_some_and(|changed| {
            let mut recording = changed.recording.iter();
            recording.any(|id| asked == config.device.as_str() || asked == id.as_str())
        });
        status.alarms = alarm_inputs(config, Target::Device)
            .map(|id| AlarmInput {
                id: id.to_string(),
                duty: match (alarmed(&id), disarmed(&id)) {
                    (true, _) => Duty::Alarm,
                    (false, true) => Duty::OffDuty,
                    (false, false) => Duty::OnDuty,
                },
            })
            .collect();
    }

    /// Whether a channel records.
    pub fn is_recording(&self, channel: &DeviceId) -> bool {
        let changed = self.changed.as_deref();
        changed.is_some_and(|changed| changed.recording.contains(channel))
    }
}

impl Target {
    fn id(self, config: &Config) -> DeviceId {
        match self {
            Target::Device => config.device,
            Target::Channel(id) | Target::Alarm(id) => id,
        }
    }
}

/// The device, channel or alarm input that a code names.
pub(super) fn named(config: &Config, code: &str) -> Option<DeviceId> {
    target(config, code).map(|target| target.id(config))
}

/// The channels that a code covers: the device's is for all of them.
pub(super) fn covered(config: &Config, code: &str) -> Vec<DeviceId> {
    let target = target(config, code);
    target.map_or(Vec::new(), |target| channels(config, target))
}

/// Whom a code names: the device, one of its channels or one of its alarm inputs.
fn target(config: &Config, code: &str) -> Option<Target> {
    if code == config.device.as_str() {
        return Some(Target::Device);
    }
    if let Some(channel) = config.channel(code) {
        return Some(Target::Channel(channel.id));
    }
    let mut inputs = alarm_inputs(config, Target::Device);
    inputs.find(|id| id.as_str() == code).map(Target::Alarm)
}

/// The channels that a target covers: a device's command is for all of them.
fn channels(config: &Config, target: Target) -> Vec<DeviceId> {
    let all = config.channels.iter().map(|channel| channel.id);
    match target {
        Target::Device => all.collect(),
        Target::Channel(id) => vec![id],
        Target::Alarm(_) => Vec::new(),
    }
}

/// The alarm inputs that a target covers, numbered from 1 behind the device's own code. They
/// belong to no channel: a channel's command is for all of them.
fn alarm_inputs(config: &Config, target: Target) -> impl Iterator<Item = DeviceId> + use<> {
    let first = config.device.with_type(DeviceId::ALARM_INPUT);
    let inputs = 1..=config.profile.device.alarm_inputs;
    inputs
        .map(move |number| first.with_serial(number))
        .filter(move |input| match target {
            Target::Alarm(id) => id == *input,
            _ => true,
        })
}

/// Puts ids into a set, or takes them out.
fn mark(set: &mut HashSet<DeviceId>, ids: impl IntoIterator<Item = DeviceId>, into: bool) {
    match into {
        true => set.extend(ids),
        false => ids.into_iter().for_each(|id| {
            set.remove(&id);
        }),
    }
}
