//! SIP: messages, framing, transactions, dialogs and digest, without a socket or a clock.

mod flow;

pub use flow::{Flow, FlowId, Transport};
