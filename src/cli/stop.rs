//! Ctrl-C: the first asks for a graceful end, the second ends at once.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::failure::Failure;
use super::screen;

/// What comes so soon after the first is no second Ctrl-C: `timeout`, shells and containers signal
/// the process and its group.
const ECHO: Duration = Duration::from_millis(250);

/// Whether the end is asked for. Copies learn it all.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens from now on: SIGINT, and SIGTERM where there is such a thing.
    pub fn listen() -> Result<Stop, Failure> {
        let (asked, stop) = watch::channel(false);
        let mut signals = Signals::new()
            .map_err(|error| Failure::Short(format!("cannot listen for Ctrl-C: {error}")))?;
        tokio::spawn(async move {
            signals.next().await;
            asked.send_replace(true);
            let echo = Instant::now() + ECHO;
            loop {
                signals.next().await;
                if Instant::now() > echo {
                    break;
                }
            }
            screen::error("stopped at once: calls and registrations are left as they are");
            std::process::exit(1);
        });
        Ok(Stop(stop))
    }

    /// An end that is asked for by hand.
    #[cfg(test)]
    pub fn by_hand() -> (watch::Sender<bool>, Stop) {
        let (asked, stop) = watch::channel(false);
        (asked, Stop(stop))
    }

    /// Whether the end is asked for.
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until the end is asked for.
    pub async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
