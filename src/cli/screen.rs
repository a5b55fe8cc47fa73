//! What is printed: plain lines everywhere, colours and a line that renews itself on a terminal.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};

/// Standard output.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    terminal: bool,
    colour: bool,
}

impl Screen {
    /// Standard output as it is: a terminal or not, `NO_COLOR` or not.
    pub fn new() -> Self {
        let terminal = io::stdout().is_terminal();
        Screen {
            terminal,
            colour: terminal && allows_colour(),
        }
    }

    /// Whether a line can renew itself.
    pub fn is_terminal(self) -> bool {
        self.terminal
    }

    /// Whether colours are wanted.
    pub fn has_colour(self) -> bool {
        self.colour
    }

    /// Prints a line.
    pub fn line(self, text: impl Display) {
        match self.terminal {
            true => print(format_args!("\r\x1b[K{text}\n")),
            false => print(format_args!("{text}\n")),
        }
    }

    /// Prints a line with the time of day before it.
    pub fn event(self, text: impl Display) {
        let time = jiff::Zoned::now().strftime("%H:%M:%S.%3f").to_string();
        self.line(format_args!("{}  {text}", self.dim(&time)));
    }

    /// Shows a line that the next one replaces; in a pipe, nothing.
    pub fn renew(self, text: impl Display) {
        if self.terminal {
            print(format_args!("\r\x1b[K{text}"));
        }
    }

    /// Something good.
    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    /// Something bad.
    pub fn bad(self, text: &str) -> String {
        self.paint("31", text)
    }

    /// Something to notice.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Something beside the point.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self.colour {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}

/// Prints an error on stderr.
pub(super) fn error(text: &str) {
    let colour = io::stderr().is_terminal() && allows_colour();
    let word = if colour {
        "\x1b[1;31merror\x1b[0m"
    } else {
        "error"
    };
    let _ = writeln!(io::stderr(), "{word}: {text}");
}

/// Prints a remark on stderr, where it disturbs no output.
pub(super) fn note(text: &str) {
    let _ = writeln!(io::stderr(), "note: {text}");
}

fn allows_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Prints; whoever stops reading (`vcam … | head`) wants nothing more.
fn print(text: std::fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    let printed = out.write_fmt(text).and_then(|()| out.flush());
    if let Err(error) = printed
        && error.kind() == ErrorKind::BrokenPipe
    {
        std::process::exit(0);
    }
}
