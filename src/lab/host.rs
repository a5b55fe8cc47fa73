//! A node at its place in the lab, whatever its commands and events are.

use std::any::Any;
use std::fmt;

use crate::node::{Input, Node, Output};
use crate::time::Now;

/// A node with its type put aside: commands go to the typed node, everything else through here.
pub(super) trait Host {
    /// Everything but a command.
    fn handle(&mut self, now: Now, input: Input<std::convert::Infallible>);
    /// The next output; an event is kept, and its text handed out for the log.
    fn poll(&mut self, now: Now) -> Output<String>;
    fn typed(&self) -> &dyn Any;
    fn typed_mut(&mut self) -> &mut dyn Any;
}

/// A node and what it told its owner.
pub(super) struct Seat<N: Node> {
    pub(super) node: N,
    pub(super) events: Vec<(Now, N::Event)>,
}

impl<N> Host for Seat<N>
where
    N: Node + 'static,
    N::Event: fmt::Debug,
{
    fn handle(&mut self, now: Now, input: Input<std::convert::Infallible>) {
        if let Some(input) = input.filter_map(|never| match never {}) {
            self.node.handle(now, input);
        }
    }

    fn poll(&mut self, now: Now) -> Output<String> {
        match self.node.poll(now) {
            Output::Event(event) => {
                let text = format!("{event:?}");
                self.events.push((now, event));
                Output::Event(text)
            }
            Output::Open { flow, how } => Output::Open { flow, how },
            Output::Close(flow) => Output::Close(flow),
            Output::Send { flow, to, bytes } => Output::Send { flow, to, bytes },
            Output::Media(order) => Output::Media(order),
            Output::Job { id, job } => Output::Job { id, job },
            Output::Wait(until) => Output::Wait(until),
        }
    }

    fn typed(&self) -> &dyn Any {
        self
    }

    fn typed_mut(&mut self) -> &mut dyn Any {
        self
    }
}
