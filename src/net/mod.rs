//! Nodes and streams on real sockets: the only room that has any.
//!
//! ```text
//!  workers ─┐                                thousands of nodes on a few threads
//!  commands ─> driver ─ node ─> events       one task and one timer per node
//!               │   └─ flows ─ shared        UDP in that task, or one socket for thousands
//!               │        └─ tcp              a task per connection
//!               └─ streams ─ stream          a task per media stream: opens, connects, accepts
//!                              ├─ pump       many sending streams on one tick
//!                              ├─ source     receives into a verdict
//!                              └─ sink       receives thousands of streams on one port
//! ```

pub mod address;
mod bell;
mod clock;
mod connection;
mod descriptors;
mod door;
mod driver;
mod errands;
mod feed;
mod flows;
mod http;
mod line;
mod mailbox;
mod media;
#[cfg(test)]
mod media_tests;
mod pump;
mod reporter;
mod scratch;
mod shared;
mod sink;
#[cfg(test)]
mod sink_tests;
mod socket;
mod source;
mod stream;
mod streams;
mod talker;
mod tcp;
#[cfg(test)]
mod tests;
mod wheel;
mod wire;
mod workers;
#[cfg(test)]
mod workers_tests;

pub use clock::Clock;
pub use descriptors::{TooFewDescriptors, make_room_for_sockets};
pub use driver::Driver;
pub use feed::{Feed, FromPump, PumpHandle, PumpReport};
pub use flows::Trouble;
pub use line::Socket;
pub use media::Media;
pub use pump::Pump;
pub use shared::{Crowded, Shared, Strays};
pub use sink::{Sink, SinkConfig, SinkHandle, SinkTotals};
pub use workers::{News, NodeNumber, Unheard, Workers};
