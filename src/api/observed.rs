//! A node that its owner can look at while it runs.

use crate::node::{Input, Node, Output};
use crate::time::Now;

/// A node, and glances at it between two things that happen to it.
#[derive(Debug)]
pub(super) struct Observed<N>(pub N);

/// What its owner wants.
pub(super) enum Wish<N: Node> {
    Command(N::Command),
    Look(Glance<N>),
}

/// What is done with a node as it is.
pub(super) type Glance<N> = Box<dyn FnOnce(&N, Now) + Send>;

impl<N: Node> Node for Observed<N> {
    type Command = Wish<N>;
    type Event = N::Event;

    fn handle(&mut self, now: Now, input: Input<Wish<N>>) {
        let wanted = |wish| match wish {
            Wish::Command(command) => Some(command),
            Wish::Look(glance) => {
                glance(&self.0, now);
                None
            }
        };
        if let Some(input) = input.filter_map(wanted) {
            self.0.handle(now, input);
        }
    }

    fn poll(&mut self, now: Now) -> Output<N::Event> {
        self.0.poll(now)
    }
}
