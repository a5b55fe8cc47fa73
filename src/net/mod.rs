//! Nodes and streams on real sockets: the only room with a clock, a socket and a file.
//!
//! ```text
//!  commands ─> driver ─ node ─> events       one task and one timer per node
//!               │   └─ flows                 UDP in that task; a task per TCP connection
//!               └─ streams ─ stream          a task per media stream: opens, connects, accepts
//!                              ├─ pump       many sending streams on one tick
//!                              ├─ source     receives into a verdict
//!                              └─ sink       receives thousands of streams on one port
//! ```

pub mod address;
mod bell;
mod clock;
mod connection;
mod door;
mod driver;
mod flows;
mod line;
mod media;
#[cfg(test)]
mod media_tests;
mod pump;
mod scratch;
mod sink;
#[cfg(test)]
mod sink_tests;
mod socket;
mod source;
mod stream;
mod streams;
#[cfg(test)]
mod tests;

pub use clock::Clock;
pub use driver::Driver;
pub use flows::Trouble;
pub use media::Media;
pub use pump::{Pump, PumpHandle};
pub use sink::{Sink, SinkConfig, SinkHandle, SinkTotals};
