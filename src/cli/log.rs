//! Logging to stderr: off unless asked for, so that what is printed is what was meant.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG` goes before `-v`.
pub(super) fn start(verbose: u8) {
    let level = match verbose {
        0 => "error",
        1 => "vcam=info,warn",
        2 => "vcam=debug,info",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(colour)
        .with_writer(std::io::stderr);
    // A second start, in a process that has a log already, changes nothing.
    let _ = log.try_init();
}
