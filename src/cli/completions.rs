//! `vcam completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Write completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vcam completions bash > ~/.local/share/bash-completion/completions/vcam
  vcam completions zsh > ~/.zfunc/_vcam
  vcam completions fish > ~/.config/fish/completions/vcam.fish")]
pub(super) struct Arguments {
    /// Which shell
    shell: Shell,
}

/// Prints the completions.
pub(super) fn run(arguments: &Arguments) {
    let mut command = super::Arguments::command();
    clap_complete::generate(
        arguments.shell,
        &mut command,
        "vcam",
        &mut std::io::stdout(),
    );
}
