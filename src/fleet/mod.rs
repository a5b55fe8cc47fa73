//! Many cameras: when each comes and goes, what all of them together do, and the verdict.
//!
//! ```text
//!  Plan ──▶ Schedule ──▶ Turn::On(n), Turn::Off(n)          who runs the cameras obeys
//!
//!  camera::Event ──▶ Tally (one per worker) ──┐ once a second
//!                    Tally                  ──┴▶ Statistics ──▶ Status   while it runs
//!                                    pumps ───▶            └──▶ Report   at the end: screen,
//!                                                               JSON, JUnit, the exit code
//! ```
//!
//! Nothing here has a clock, a socket or a thread: a [`Tally`] belongs to the worker whose cameras
//! it counts, so that an event costs a few additions and no lock.

mod figures;
mod ink;
mod measure;
mod report;
mod schedule;
mod seat;
mod statistics;
mod status;
mod tally;
#[cfg(test)]
mod testing;
mod trouble;
mod verdict;

pub use figures::{bit_rate, octets, time};
pub use ink::Ink;
pub use measure::{Measure, Percentiles, Times};
pub use report::{Facts, Report};
pub use schedule::{Ending, Phase, Schedule, Turn};
pub use statistics::Statistics;
pub use status::Status;
pub use tally::{Counters, Tally};
pub use trouble::{Example, Kind, Trouble};
pub use verdict::Check;
