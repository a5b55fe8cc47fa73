//! The loop that runs any [`Node`] on real sockets: one task and one timer per node.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tokio::time::Sleep;

use super::clock::Clock;
use super::errands::Errands;
use super::flows::{Flows, Happened, Trouble};
use super::mailbox::Mailbox;
use super::media::Media;
use super::streams::Streams;
use super::wire;
use crate::node::{Input, Node, Output};
use crate::time::Instant;

/// Commands that may wait for a node; beyond it the sender of commands waits.
const COMMANDS: usize = 64;

/// A node with its sockets, about to run.
#[derive(Debug)]
pub struct Driver<N: Node> {
    /// On the heap, where it stays: it is large, and a future holds what is moved into it twice.
    node: Box<N>,
    clock: Clock,
    flows: Flows,
    streams: Streams,
    errands: Errands,
    commands: Commands<N::Command>,
    wait: Option<Instant>,
}

/// Where a node's commands come from.
#[derive(Debug)]
enum Commands<C> {
    Channel(mpsc::Receiver<C>),
    Mailbox(Arc<Mailbox<C>>),
}

impl<N: Node> Driver<N> {
    /// A driver for `node`, and the way to command it. `media` says where its streams go.
    pub fn new(node: N, clock: Clock, media: &Media) -> (Self, mpsc::Sender<N::Command>) {
        let (sender, commands) = mpsc::channel(COMMANDS);
        let driver = Driver {
            node: Box::new(node),
            clock,
            flows: Flows::default(),
            streams: Streams::new(clock, media.clone()),
            errands: Errands::default(),
            commands: Commands::Channel(commands),
            wait: None,
        };
        (driver, sender)
    }

    /// A driver for one node of many.
    pub(super) fn hired(
        node: Box<N>,
        clock: Clock,
        media: &Media,
        flows: Flows,
        commands: Arc<Mailbox<N::Command>>,
    ) -> Self {
        Driver {
            node,
            clock,
            flows,
            streams: Streams::new(clock, media.clone()),
            errands: Errands::default(),
            commands: Commands::Mailbox(commands),
            wait: None,
        }
    }

    /// What the node's sockets could not do, to be asked while it runs.
    pub fn trouble(&self) -> Arc<Trouble> {
        self.flows.trouble()
    }

    /// Runs the node until every sender of commands is dropped, then ends its streams, hands over
    /// what is queued on its connections, and gives the node back. `events` takes what the node
    /// tells its owner; it must not block. Dropping the future frees everything at once.
    pub fn run(self, mut events: impl FnMut(N::Event)) -> impl Future<Output = N> {
        let mut driver = Box::new(self);
        async move {
            driver.serve(&mut events).await;
            let Driver {
                node,
                flows,
                streams,
                ..
            } = *driver;
            streams.end().await;
            flows.end().await;
            *node
        }
    }

    async fn serve(&mut self, events: &mut impl FnMut(N::Event)) {
        let alarm = tokio::time::sleep_until(self.clock.deadline(Instant::ZERO));
        tokio::pin!(alarm);
        loop {
            self.obey(events);
            if let Some(at) = self.wait {
                let at = self.clock.deadline(at);
                if alarm.deadline() != at {
                    alarm.as_mut().reset(at);
                }
            }
            let input = poll_fn(|cx| self.poll_input(cx, alarm.as_mut())).await;
            match input {
                Some(input) => self.node.handle(self.clock.now(), input),
                None => return,
            }
        }
    }

    /// What happens next; `None` when nobody commands any more. What may come without bound, the
    /// datagrams, is looked at last. Deadlines that pass meanwhile are not missed: the node sees
    /// the time whenever it is polled.
    fn poll_input(
        &mut self,
        cx: &mut Context<'_>,
        alarm: Pin<&mut Sleep>,
    ) -> Poll<Option<Input<N::Command>>> {
        if let Poll::Ready(report) = self.streams.poll_next(cx) {
            return Poll::Ready(Some(Input::Media(report)));
        }
        if let Poll::Ready(command) = self.commands.poll(cx) {
            return Poll::Ready(command.map(Input::Command));
        }
        if let Poll::Ready((id, outcome)) = self.errands.poll_next(cx) {
            return Poll::Ready(Some(Input::Job { id, outcome }));
        }
        if let Poll::Ready(happened) = self.flows.poll_next(cx) {
            wire::received(&happened);
            return Poll::Ready(Some(happened.into()));
        }
        if self.wait.is_some() && alarm.poll(cx).is_ready() {
            return Poll::Ready(Some(Input::Tick));
        }
        Poll::Pending
    }

    /// Does what the node wants done, until it wants to wait.
    fn obey(&mut self, events: &mut impl FnMut(N::Event)) {
        loop {
            match self.node.poll(self.clock.now()) {
                Output::Open { flow, how } => self.flows.open(flow, how),
                Output::Close(flow) => self.flows.close(flow),
                Output::Send { flow, to, bytes } => {
                    wire::sent(flow, to, &bytes);
                    self.flows.send(flow, to, bytes);
                }
                Output::Media(order) => self.streams.order(order),
                Output::Job { id, job } => self.errands.begin(id, *job),
                Output::Event(event) => events(event),
                Output::Wait(until) => {
                    self.wait = until;
                    return;
                }
            }
        }
    }
}

impl<C> Commands<C> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<C>> {
        match self {
            Commands::Channel(channel) => channel.poll_recv(cx),
            Commands::Mailbox(mailbox) => mailbox.poll(cx),
        }
    }
}

impl<C> From<Happened> for Input<C> {
    fn from(happened: Happened) -> Self {
        match happened {
            Happened::Opened { flow, is } => Input::Opened { flow, is },
            Happened::Closed { flow, why } => Input::Closed { flow, why },
            Happened::Received { flow, from, bytes } => Input::Received { flow, from, bytes },
            Happened::Message {
                flow,
                from,
                message,
            } => Input::Message {
                flow,
                from,
                message,
            },
        }
    }
}
