//! The `vcam` command: argv goes to [`vcam::cli`], nothing else happens here.

use std::process::ExitCode;

fn main() -> ExitCode {
    vcam::cli::main()
}
