//! SIP: messages, framing, transactions, dialogs and digest, without a socket or a clock.

#[cfg(test)]
pub(crate) mod captures;
mod challenge;
mod cseq;
mod dialog;
pub mod digest;
mod endpoint;
mod fault;
mod flow;
mod framing;
mod head;
mod header_order;
mod headers;
pub mod limits;
mod mark;
mod message;
mod name_addr;
mod names;
mod octets;
mod params;
mod parse;
mod quoting;
mod reason;
pub mod route;
mod style;
mod tokens;
mod transaction;
mod uri;
mod value;
mod verifier;
mod via;
mod write;

pub use challenge::{Challenge, DigestError};
pub use cseq::CSeq;
pub use dialog::Dialog;
pub use digest::{Authorization, Credentials, Protection};
pub use endpoint::{Counters, Endpoint, EndpointOutput, Event, Failure};
pub use fault::{Answer, Fault, ParseError};
pub use flow::{Flow, FlowId, Transport};
pub use framing::{FrameError, Framed, Framer};
pub use header_order::HeaderOrder;
pub use headers::Headers;
pub use mark::{Mark, Marks};
pub use message::{Message, Request, Response};
pub use name_addr::NameAddr;
pub use octets::readable;
pub use params::Params;
pub use reason::phrase;
pub use rsip::Method;
pub use style::{
    AuthParam, AuthorizationStyle, CallIdStyle, ContactTransport, ContactUser, ContentLength,
    CseqStyle, OddBye, Place, Provisional, QopUse, Received, Style, TokenStyle, UriHost, ViaParam,
    When,
};
pub use tokens::{Token, Tokens};
pub use transaction::{TransactionId, timing};
pub use uri::Uri;
pub use value::ValueError;
pub use verifier::{Refusal, Verified, Verifier, VerifierPolicy};
pub use via::Via;
