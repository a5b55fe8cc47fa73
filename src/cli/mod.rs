//! The command line: one file per sub-command. It reads arguments, calls [`api`](crate::api) and
//! prints; whatever a test could want lives below.
//!
//! Exit codes: 0 all well, 1 the run fell short of what was asked, 2 wrong use or configuration.

mod arguments;
mod board;
mod check;
mod completions;
mod demo;
mod failure;
mod fleet;
mod fleet_file;
mod log;
mod media;
mod platform;
mod profiles;
mod run;
mod screen;
mod sink;
mod stop;
mod table;
mod words;

use std::process::ExitCode;

use clap::{ArgAction, Parser, Subcommand};

use failure::Failure;

/// What `vcam --help` says at its end.
const EXAMPLES: &str = "\
Examples:
  vcam demo                           everything at once, on this machine
  vcam run --platform sip:34020000002000000001@192.0.2.10:5060 \\
           --id 34020000001320000001  a camera against a platform of yours
  vcam platform --play udp            a platform to try your camera against

Exit codes: 0 all well, 1 the run fell short of what was asked, 2 wrong use or configuration.";

/// Plays GB/T 28181 cameras and recorders (SIP, MPEG-PS over RTP).
#[derive(Debug, Parser)]
#[command(name = "vcam", version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    /// Log to stderr: -v SIP start lines, -vv whole messages, -vvv all (RUST_LOG goes first)
    #[arg(short, long, action = ArgAction::Count, global = true, display_order = 900)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Arguments),
    Run(Box<run::Arguments>),
    Platform(Box<platform::Arguments>),
    Check(check::Arguments),
    Profiles(profiles::Arguments),
    Media(media::Arguments),
    Completions(completions::Arguments),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log::start(arguments.verbose);
    match execute(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            screen::error(&failure.to_string());
            failure.code()
        }
    }
}

fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(arguments) => on_runtime(demo::run(arguments)),
        Command::Run(arguments) => on_runtime(run::run(*arguments)),
        Command::Platform(arguments) => on_runtime(platform::run(*arguments)),
        Command::Check(arguments) => check::run(&arguments),
        Command::Profiles(arguments) => profiles::run(&arguments),
        Command::Media(arguments) => media::run(&arguments),
        Command::Completions(arguments) => {
            completions::run(&arguments);
            Ok(())
        }
    }
}

fn on_runtime(work: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::Short(format!("no runtime: {error}")))?;
    let done = runtime.block_on(work);
    // A name still being looked up must not hold up the end.
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_command_is_well_formed_and_shows_examples() {
        let mut command = Arguments::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands_mut() {
            let name = sub.get_name().to_owned();
            let help = sub.render_long_help().to_string();
            assert!(help.contains("Example"), "{name}: {help}");
        }
    }
}
