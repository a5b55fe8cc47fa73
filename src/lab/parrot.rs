//! The smallest node there is: does what it is commanded, tells all it hears, and, if it is that
//! kind of parrot, says everything back.

use std::collections::VecDeque;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::media::{Order, Report};
use crate::node::{Input, Node, Open, Output};
use crate::sip::{Flow, FlowId, Message};
use crate::time::{Instant, Now};

#[derive(Debug)]
pub(crate) enum Say {
    Open(FlowId, Open),
    Close(FlowId),
    Send(FlowId, SocketAddr, Bytes),
    Media(Order),
    WakeAt(Instant),
}

#[derive(Clone, Debug)]
pub(crate) enum Heard {
    Opened(FlowId, Flow),
    Closed(FlowId, String),
    Received(FlowId, SocketAddr, Bytes),
    Message(FlowId, SocketAddr, Message),
    Woken,
    Media(Report),
}

#[derive(Debug)]
pub(crate) struct Parrot {
    repeats: bool,
    outputs: VecDeque<Output<Heard>>,
    wake: Option<Instant>,
}

impl Parrot {
    pub(crate) fn silent() -> Self {
        Parrot {
            repeats: false,
            outputs: VecDeque::new(),
            wake: None,
        }
    }

    pub(crate) fn repeating() -> Self {
        Parrot {
            repeats: true,
            ..Parrot::silent()
        }
    }

    fn obey(&mut self, say: Say) {
        self.outputs.push_back(match say {
            Say::Open(flow, how) => Output::Open { flow, how },
            Say::Close(flow) => Output::Close(flow),
            Say::Send(flow, to, bytes) => Output::Send { flow, to, bytes },
            Say::Media(order) => Output::Media(order),
            Say::WakeAt(at) => {
                self.wake = Some(at);
                return;
            }
        });
    }
}

impl Node for Parrot {
    type Command = Say;
    type Event = Heard;

    fn handle(&mut self, _: Now, input: Input<Say>) {
        let heard = match input {
            Input::Command(say) => return self.obey(say),
            Input::Opened { flow, is } => Heard::Opened(flow, is),
            Input::Closed { flow, why } => Heard::Closed(flow, why),
            Input::Received { flow, from, bytes } => {
                if self.repeats {
                    self.obey(Say::Send(flow, from, bytes.clone()));
                }
                Heard::Received(flow, from, bytes)
            }
            Input::Message {
                flow,
                from,
                message,
            } => Heard::Message(flow, from, message),
            Input::Tick => {
                self.wake = None;
                Heard::Woken
            }
            Input::Media(report) => Heard::Media(report),
            Input::Job { .. } => return,
        };
        self.outputs.push_back(Output::Event(heard));
    }

    fn poll(&mut self, _: Now) -> Output<Heard> {
        let next = self.outputs.pop_front();
        next.unwrap_or(Output::Wait(self.wake))
    }
}
