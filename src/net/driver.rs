//! The loop that runs any [`Node`] on real sockets: one task and one timer per node.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::clock::Clock;
use super::flows::{Flows, Happened, Trouble};
use super::media::Media;
use super::streams::Streams;
use crate::node::{Input, Node, Output};
use crate::time::Instant;

/// Commands that may wait for a node; beyond it the sender of commands waits.
const COMMANDS: usize = 64;

/// A node with its sockets, about to run.
#[derive(Debug)]
pub struct Driver<N: Node> {
    node: N,
    clock: Clock,
    flows: Flows,
    streams: Streams,
    commands: mpsc::Receiver<N::Command>,
    wait: Option<Instant>,
}

impl<N: Node> Driver<N> {
    /// A driver for `node`, and the way to command it. `media` says where its streams go.
    pub fn new(node: N, clock: Clock, media: &Media) -> (Self, mpsc::Sender<N::Command>) {
        let (sender, commands) = mpsc::channel(COMMANDS);
        let driver = Driver {
            node,
            clock,
            flows: Flows::new(),
            streams: Streams::new(clock, media.clone()),
            commands,
            wait: None,
        };
        (driver, sender)
    }

    /// What the node's sockets could not do, to be asked while it runs.
    pub fn trouble(&self) -> Arc<Trouble> {
        self.flows.trouble()
    }

    /// Runs the node until every sender of commands is dropped, then ends its streams, hands over
    /// what is queued on its connections, and gives the node back. `events` takes what the node
    /// tells its owner; it must not block. Dropping the future frees everything at once.
    pub async fn run(mut self, mut events: impl FnMut(N::Event)) -> N {
        let alarm = tokio::time::sleep_until(self.clock.deadline(Instant::ZERO));
        tokio::pin!(alarm);
        loop {
            self.obey(&mut events);
            if let Some(at) = self.wait {
                let at = self.clock.deadline(at);
                if alarm.deadline() != at {
                    alarm.as_mut().reset(at);
                }
            }
            let input = tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => Input::Command(command),
                    None => break,
                },
                happened = self.flows.next() => happened.into(),
                report = self.streams.next() => Input::Media(report),
                () = &mut alarm, if self.wait.is_some() => Input::Tick,
            };
            self.node.handle(self.clock.now(), input);
        }
        self.streams.end().await;
        self.flows.end().await;
        self.node
    }

    /// Does what the node wants done, until it wants to wait.
    fn obey(&mut self, events: &mut impl FnMut(N::Event)) {
        loop {
            match self.node.poll(self.clock.now()) {
                Output::Open { flow, how } => self.flows.open(flow, how),
                Output::Close(flow) => self.flows.close(flow),
                Output::Send { flow, to, bytes } => self.flows.send(flow, to, bytes),
                Output::Media(order) => self.streams.order(order),
                Output::Event(event) => events(event),
                Output::Wait(until) => {
                    self.wait = until;
                    return;
                }
            }
        }
    }
}

impl<C> From<Happened> for Input<C> {
    fn from(happened: Happened) -> Self {
        match happened {
            Happened::Opened { flow, is } => Input::Opened { flow, is },
            Happened::Closed { flow, why } => Input::Closed { flow, why },
            Happened::Received { flow, from, bytes } => Input::Received { flow, from, bytes },
        }
    }
}
