//! Colours, where they are wanted.

/// What text is written with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ink {
    colour: bool,
}

impl Ink {
    /// Letters only: pipes, files, `NO_COLOR`.
    pub const PLAIN: Ink = Ink { colour: false };

    /// With escape codes when `colour` is wanted.
    pub fn new(colour: bool) -> Ink {
        Ink { colour }
    }

    pub(super) fn good(self, text: impl AsRef<str>) -> String {
        self.paint("32", text.as_ref())
    }

    pub(super) fn bad(self, text: impl AsRef<str>) -> String {
        self.paint("31", text.as_ref())
    }

    pub(super) fn bold(self, text: impl AsRef<str>) -> String {
        self.paint("1", text.as_ref())
    }

    pub(super) fn dim(self, text: impl AsRef<str>) -> String {
        self.paint("2", text.as_ref())
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self.colour {
            true => format!("\x1b[{code}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }
}
