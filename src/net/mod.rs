//! Nodes and streams on real sockets: the only room with a clock, a socket and a file.

mod clock;
mod connection;
mod driver;
mod flows;
mod line;
mod media;
#[cfg(test)]
mod media_tests;
mod pump;
mod scratch;
mod socket;
mod stream;
mod streams;
#[cfg(test)]
mod tests;

pub use clock::Clock;
pub use driver::Driver;
pub use media::Media;
pub use pump::{Pump, PumpHandle};
