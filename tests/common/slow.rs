//! A camera whose media opens slowly.

use std::collections::VecDeque;
use std::time::Duration;

use vcam::media::Order;
use vcam::node::{Input, Node, Output};
use vcam::time::{Instant, Now};

/// A node whose media orders are obeyed late, in their order, as by an encoder that has to wake.
pub struct Slow<N> {
    node: N,
    delay: Duration,
    orders: VecDeque<(Instant, Order)>,
}

impl<N> Slow<N> {
    pub fn new(node: N, delay: Duration) -> Slow<N> {
        Slow {
            node,
            delay,
            orders: VecDeque::new(),
        }
    }
}

impl<N: Node> Node for Slow<N> {
    type Command = N::Command;
    type Event = N::Event;

    fn handle(&mut self, now: Now, input: Input<N::Command>) {
        self.node.handle(now, input);
    }

    fn poll(&mut self, now: Now) -> Output<N::Event> {
        let due = self.orders.front().is_some_and(|(due, _)| *due <= now.mono);
        if due && let Some((_, order)) = self.orders.pop_front() {
            return Output::Media(order);
        }
        loop {
            match self.node.poll(now) {
                Output::Media(order) => self.orders.push_back((now.mono + self.delay, order)),
                Output::Wait(until) => {
                    let due = self.orders.front().map(|(due, _)| *due);
                    return Output::Wait(until.into_iter().chain(due).min());
                }
                output => return output,
            }
        }
    }
}
