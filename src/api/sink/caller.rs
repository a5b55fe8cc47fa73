//! Calls the devices that register, one after another.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::{self, MissedTickBehavior};

use super::Sink;
use super::score::{Hint, Score};
use super::turnover::Turnover;
use crate::gb28181::DeviceId;
use crate::platform::{AskId, Command, PlayId, Query, Showing};

/// Numbers from here on are the caller's; those below belong to the platform's handle.
const OWN: u64 = 1 << 62;

/// The type code of a channel (GB/T 28181-2022 annex E).
const CHANNEL: u16 = 131;

/// The seed of how long calls last: the same in every run.
const CHANCE: u64 = 1;

/// Who calls.
pub(in crate::api) struct Caller {
    plan: Sink,
    score: Arc<Score>,
    /// Does not keep the platform alive.
    commands: mpsc::WeakSender<Command>,
    /// Devices to be called, with the channel.
    queue: VecDeque<(DeviceId, DeviceId)>,
    asked: u64,
    /// If calls come and go.
    turnover: Option<Turnover>,
}

impl Caller {
    pub fn new(plan: Sink, score: Arc<Score>, commands: &mpsc::Sender<Command>) -> Self {
        let lasting = plan.lasting.clone();
        Caller {
            turnover: lasting.map(|bounds| Turnover::new(bounds, CHANCE)),
            plan,
            score,
            commands: commands.downgrade(),
            queue: VecDeque::new(),
            asked: 0,
        }
    }

    /// Calls until the platform is gone.
    pub async fn run(mut self, mut hints: mpsc::UnboundedReceiver<Hint>) {
        let mut pace = self.plan.pause().map(time::interval);
        if let Some(pace) = &mut pace {
            pace.set_missed_tick_behavior(MissedTickBehavior::Burst);
        }
        let mut was_due = false;
        loop {
            let is_due = !self.queue.is_empty() && self.score.has_room();
            if let Some(pace) = pace.as_mut().filter(|_| is_due && !was_due) {
                // What was missed while there was nobody to call is not made up for.
                pace.reset();
            }
            was_due = is_due;
            let turn = async {
                if let Some(pace) = &mut pace {
                    pace.tick().await;
                }
            };
            let end = self.turnover.as_ref().and_then(Turnover::next);
            let end = async move {
                match end {
                    Some(due) => time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            let command = tokio::select! {
                biased;
                hint = hints.recv() => match hint {
                    Some(hint) => self.heed(hint),
                    None => return,
                },
                () = end => self.hang_up(),
                () = turn, if is_due => self.call(),
            };
            if let Some(command) = command {
                let Some(commands) = self.commands.upgrade() else {
                    return;
                };
                if commands.send(command).await.is_err() {
                    return;
                }
            }
        }
    }

    /// What a hint asks for at once.
    fn heed(&mut self, hint: Hint) -> Option<Command> {
        match hint {
            Hint::Arrived(device) if self.plan.asks => {
                self.asked += 1;
                let ask = AskId(OWN | self.asked);
                let what = Query::Catalog;
                return Some(Command::Query { device, what, ask });
            }
            Hint::Arrived(device) => self.queue.push_back((device, device.with_type(CHANNEL))),
            Hint::Channel { device, channel } if self.plan.asks => {
                self.queue.push_back((device, channel));
            }
            Hint::Channel { .. } => {}
            Hint::Over(play) => {
                let callee = self.turnover.as_mut().and_then(|calls| calls.over(play));
                self.queue.extend(callee);
            }
        }
        None
    }

    /// The next call.
    fn call(&mut self) -> Option<Command> {
        let (device, channel) = self.queue.pop_front()?;
        let play = |number| PlayId(OWN | number);
        let number = self.score.begin(device, play)?;
        if let Some(turnover) = &mut self.turnover {
            turnover.begun(time::Instant::now(), play(number), (device, channel));
        }
        Some(Command::Play {
            device,
            channel,
            transport: self.plan.transport,
            stream: 0,
            showing: Showing::Live,
            expected: Arc::new(self.plan.expected(number)),
            play: play(number),
        })
    }

    /// Ends the call whose time has come.
    fn hang_up(&mut self) -> Option<Command> {
        let play = self.turnover.as_mut()?.due(time::Instant::now())?;
        Some(Command::Stop { play })
    }
}
